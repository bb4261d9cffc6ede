//! When a batch opens, what each of its phases does, and when it is over.
//!
//! Level-triggered: it looks at the clock, at the phase that is under way and at what became of its tasks. A phase that does
//! not end by itself is ended at its limit; whatever happens, the next phase begins and the batch closes.

pub mod queue;
#[cfg(test)]
mod tests;
pub mod words;

use crate::core::model::agent::AgentTraits;
use crate::core::model::attempt::{AttemptResult, Limits, Start};
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::{
    Batch, BatchCommand, BatchPhase, CatchUp, LATE, MISSED_MAX, PRIORITIES, PhaseOutcome, Running, Schedule,
    Scheduled, Stint,
};
use crate::core::model::brief::{Brief, Duty};
use crate::core::model::budget::BudgetCommand;
use crate::core::model::effect::Work;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::spec::{Spec, SpecFact};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::outer::budget;
use crate::core::outer::spec::coordinator;
use crate::core::rules::turn::Turn;
use crate::core::rules::{collision, gate, lookup, prerequisites, prompt, queue as start_queue, task};
use crate::values::ids::{SpecId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most changes of a place's clock that a schedule brings along.
const CHANGES_MAX: usize = 200;

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: BatchCommand) -> Result<(), Refused> {
    match command {
        BatchCommand::On(schedule) => {
            if schedule.cron.is_none() {
                let remedy = "write cron = \"0 */2 * * *\" or the like into [schedule] of nopeek.toml";
                return Err(Refused::new(RefusedKind::BadInput, "nothing says when batches are due", remedy));
            }
            let repo = set(turn, *schedule)?;
            if !get(turn.state, &repo)?.on {
                turn.fact(Fact::Batch(BatchFact::Switched { repo, on: true }));
            }
        }
        BatchCommand::Off(repo) => {
            if !get(turn.state, &repo)?.on {
                return Err(not_now("the schedule is off already", ""));
            }
            turn.fact(Fact::Batch(BatchFact::Switched { repo, on: false }));
        }
        BatchCommand::Run(schedule) => {
            if let Some(open) = turn.state.batches.repos.get(&schedule.repo).and_then(|of| of.open.as_ref()) {
                let what = format!("batch {} of this repo is under way", open.id);
                return Err(not_now(&what, "wait for its end, or end it: nopeek schedule stop"));
            }
            let repo = set(turn, *schedule)?;
            open(turn, &repo, None);
        }
        BatchCommand::Stop(repo) => {
            let of = get(turn.state, &repo)?;
            let Some((batch, running)) = of.open.as_ref().and_then(|b| Some((b.clone(), b.running.clone()?)))
            else {
                return Err(not_now(
                    "no batch of this repo is under way",
                    "nopeek schedule show says when one is due",
                ));
            };
            cut(turn, &repo, &batch, &running, PhaseOutcome::Stopped, "a person ended the batch");
        }
        BatchCommand::Queue(schedule) => {
            let repo = set(turn, *schedule)?;
            look(turn, &repo, None, u32::MAX);
        }
        BatchCommand::Watch(schedule) => {
            let repo = set(turn, *schedule)?;
            if !get(turn.state, &repo)?.watched {
                turn.fact(Fact::Batch(BatchFact::Watched { repo: repo.clone(), on: true }));
            }
            look(turn, &repo, None, u32::MAX);
        }
        BatchCommand::Unwatch(repo) => {
            if !get(turn.state, &repo)?.watched {
                return Err(not_now("the queue is not watched", ""));
            }
            turn.fact(Fact::Batch(BatchFact::Watched { repo, on: false }));
        }
        BatchCommand::Look(repo) => {
            // A batch takes what it can by itself.
            if get(turn.state, &repo)?.open.is_none() {
                look(turn, &repo, None, u32::MAX);
            }
        }
    }
    Ok(())
}

fn not_now(what: &str, remedy: &str) -> Refused {
    Refused::new(RefusedKind::NotNow, what, remedy)
}

fn get<'a>(state: &'a State, repo: &Path) -> Result<&'a Scheduled, Refused> {
    state.batches.repos.get(repo).ok_or_else(|| {
        let what = format!("{} has no schedule", repo.display());
        Refused::new(RefusedKind::NotFound, what, "nopeek schedule on reads it from nopeek.toml")
    })
}

/// Takes a schedule over, if it is another than before.
fn set(turn: &mut Turn<'_>, schedule: Schedule) -> Result<PathBuf, Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if let Some((phase, _)) = schedule.phases.iter().find(|(_, stint)| stint.time == Span(0)) {
        return bad(format!("{} has no time", phase.label()), "give it at least a minute");
    }
    let alone = |phase: &&BatchPhase| matches!(phase, BatchPhase::Supervise | BatchPhase::Maintain);
    let nobody = |phase: &&BatchPhase| schedule.phases.get(phase).is_some_and(|stint| stint.agent.is_none());
    if let Some(phase) = BatchPhase::ALL.iter().filter(alone).find(nobody) {
        return bad(format!("nobody is to {}", phase.label()), "name an agent");
    }
    if schedule.order.parallel == 0 || schedule.order.limits.attempts == 0 {
        return bad(
            "with no attempts or no agents at once nothing would ever start".to_owned(),
            "give at least 1",
        );
    }
    if schedule.zone.changes.len() > CHANGES_MAX || schedule.order.repo != schedule.repo {
        return bad("the schedule does not fit its repo".to_owned(), "");
    }
    let repo = schedule.repo.clone();
    let budget = schedule.order.budget;
    if !budget.batch.is_empty() || !budget.day.is_empty() {
        budget::command(turn, BudgetCommand::Set { repo: repo.clone(), budget: Box::new(budget) })?;
    }
    if turn.state.batches.repos.get(&repo).is_none_or(|of| of.schedule != schedule) {
        turn.fact(Fact::Batch(BatchFact::Scheduled { schedule: Box::new(schedule) }));
    }
    Ok(repo)
}

/// What should now be started, stopped and asked for. `quiet`: nothing else was decided in this round, so that what seems to
/// be at rest is.
pub(in crate::core) fn settle(turn: &mut Turn<'_>, quiet: bool) {
    // Before a spec that is done leaves the board.
    queue::settle_files(turn);
    let repos: Vec<PathBuf> = turn.state.batches.repos.keys().cloned().collect();
    for repo in repos {
        begin(turn, &repo);
        step(turn, &repo, quiet);
        tidy(turn, &repo);
    }
}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(state: &State) -> Option<Time> {
    let of = |of: &Scheduled| match &of.open {
        Some(batch) => batch.running.as_ref().and_then(|running| running.watch.reaches(running.limit)),
        None => next_due(of),
    };
    state.batches.repos.values().filter_map(of).min()
}

/// When a repo's next batch is due.
pub(in crate::core) fn next_due(of: &Scheduled) -> Option<Time> {
    let cron = of.schedule.cron.as_ref().filter(|_| of.on)?;
    cron.next(of.counted, &of.schedule.zone)
}

/// Opens a batch that is due, or says that it was missed.
fn begin(turn: &mut Turn<'_>, repo: &Path) {
    let Some(of) = turn.state.batches.repos.get(repo).filter(|of| of.open.is_none()) else { return };
    let Some(first) = next_due(of).filter(|due| *due <= turn.now) else { return };
    let Schedule { cron: Some(cron), zone, catch_up, .. } = &of.schedule else { return };
    let (mut last, mut count) = (first, 1);
    while let Some(next) = cron.next(last, zone).filter(|next| *next <= turn.now) {
        last = next;
        count += 1;
        if count >= MISSED_MAX {
            last = turn.now;
        }
    }
    let opens = *catch_up == CatchUp::One || turn.now.since(last) < LATE;
    let missed = if opens { count - 1 } else { count };
    if missed > 0 {
        let repo = repo.to_owned();
        turn.fact(Fact::Batch(BatchFact::Missed { repo, count: missed, until: last }));
    }
    if opens {
        open(turn, repo, Some(last));
    }
}

fn open(turn: &mut Turn<'_>, repo: &Path, due: Option<Time>) {
    let batch = turn.state.batches.last + 1;
    turn.fact(Fact::Batch(BatchFact::Opened { repo: repo.to_owned(), batch, due }));
    budget::open_batch(turn, &batch.to_string(), repo);
}

/// Takes the open batch of a repo one step on.
fn step(turn: &mut Turn<'_>, repo: &Path, quiet: bool) {
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    let Some(batch) = of.open.clone() else { return };
    join(turn, repo, &batch);
    let Some(running) = batch.running.clone() else { return next_phase(turn, repo, &batch) };
    if running.watch.elapsed(turn.now) >= running.limit {
        return cut(turn, repo, &batch, &running, PhaseOutcome::TimedOut, "its time was up");
    }
    match running.phase {
        BatchPhase::Supervise => supervise(turn, repo, &batch, &running),
        BatchPhase::Build => build(turn, repo, &batch, &running, quiet),
        BatchPhase::Maintain | BatchPhase::Test => chore(turn, repo, &batch, &running),
        BatchPhase::Report => report(turn, repo, &batch, &running),
    }
}

fn next_phase(turn: &mut Turn<'_>, repo: &Path, batch: &Batch) {
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    let done = batch.over.last().map(|(phase, ..)| *phase);
    let mut ahead =
        BatchPhase::ALL.iter().filter(|phase| !batch.stopped && done.is_none_or(|done| **phase > done));
    let next = ahead.find_map(|phase| of.schedule.phases.get(phase).map(|stint| (*phase, stint.time)));
    let repo = repo.to_owned();
    if let Some((phase, limit)) = next {
        turn.fact(Fact::Batch(BatchFact::PhaseBegan { repo, batch: batch.id, phase, limit }));
        return;
    }
    let lines = words::lines(turn.state, of, batch, turn.now);
    let told = format!("batch {} is over: {}", batch.id, words::outcomes(batch));
    turn.fact(Fact::Batch(BatchFact::Closed { repo, batch: batch.id, lines }));
    turn.notice(None, NoticeKind::Done, told);
}

/// A phase is over.
pub(in crate::core) fn over(
    turn: &mut Turn<'_>,
    repo: &Path,
    batch: &Batch,
    phase: BatchPhase,
    outcome: PhaseOutcome,
    why: &str,
) {
    let (repo, batch, why) = (repo.to_owned(), batch.id, Shown::line(why));
    turn.fact(Fact::Batch(BatchFact::PhaseOver { repo, batch, phase, outcome, why }));
}

/// Ends a phase before it is done, with what works for it.
pub(in crate::core) fn cut(
    turn: &mut Turn<'_>,
    repo: &Path,
    batch: &Batch,
    running: &Running,
    outcome: PhaseOutcome,
    why: &str,
) {
    if running.phase == BatchPhase::Build {
        leave(turn, repo, batch, true);
    } else if let Some(id) = running.task {
        // One that has come to its end meanwhile refuses.
        let _ = task::stop(turn, id);
    }
    over(turn, repo, batch, running.phase, outcome, why);
}

/// Whatever belongs to the batch is said to belong to it.
fn join(turn: &mut Turn<'_>, repo: &Path, batch: &Batch) {
    let Some(phase) = batch.running.as_ref().map(|running| running.phase) else { return };
    let of_specs = batch.specs.iter().filter_map(|id| turn.state.specs.all.get(id)).flat_map(Spec::all_tasks);
    let of_specs = of_specs.map(|task| (task, BatchPhase::Build));
    let added = turn
        .state
        .tasks
        .values()
        .filter(|task| task.launch.by.is_some_and(|by| batch.tasks.contains_key(&by.task)))
        .map(|task| (task.id, phase));
    let new: BTreeMap<TaskId, BatchPhase> = added
        .chain(of_specs)
        .filter(|(id, _)| turn.state.tasks.contains_key(id) && !batch.tasks.contains_key(id))
        .collect();
    for (task, phase) in new {
        tasked(turn, repo, batch.id, phase, task, false);
    }
}

fn tasked(turn: &mut Turn<'_>, repo: &Path, batch: u64, phase: BatchPhase, task: TaskId, chore: bool) {
    turn.fact(Fact::Batch(BatchFact::Tasked { repo: repo.to_owned(), batch, phase, task, chore }));
    budget::join_batch(turn, &batch.to_string(), task);
}

/// Asks for a look at the queue, unless one is under way.
pub(in crate::core) fn look(turn: &mut Turn<'_>, repo: &Path, batch: Option<u64>, take: u32) {
    if looks(turn.state, repo) {
        return;
    }
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    let (pattern, target) = (of.schedule.queue.clone(), of.schedule.order.target.clone());
    turn.ask(TaskId::NONE, Work::LookForSpecs { repo: repo.to_owned(), target, pattern, batch, take });
}

fn looks(state: &State, repo: &Path) -> bool {
    state
        .is_open(TaskId::NONE, |work| matches!(work, Work::LookForSpecs { repo: other, .. } if other == repo))
}

fn supervise(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, running: &Running) {
    if !running.looked {
        return look(turn, repo, Some(batch.id), 0);
    }
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    if running.task.is_none() && of.waiting.is_empty() {
        let why = "nothing waits in the queue";
        return over(turn, repo, batch, running.phase, PhaseOutcome::Skipped, why);
    }
    chore(turn, repo, batch, running);
}

fn build(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, running: &Running, quiet: bool) {
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    if let Some((spec, tasks)) = of.left.first_key_value().map(|(spec, tasks)| (*spec, tasks.clone())) {
        return go_on(turn, repo, batch, spec, &tasks);
    }
    let busy = batch.specs.iter().filter(|spec| moves(turn.state, **spec, turn.now)).count();
    let free = of.schedule.order.parallel.saturating_sub(u32::try_from(busy).unwrap_or(u32::MAX));
    let more = !running.looked || !running.dry && of.waiting.iter().any(|file| !batch.refused.contains(file));
    if more && (free > 0 || !running.looked) {
        return look(turn, repo, Some(batch.id), free);
    }
    if busy > 0 || looks(turn.state, repo) || !quiet {
        return;
    }
    leave(turn, repo, batch, false);
    let why = words::built(turn.state, batch);
    let outcome = if batch.specs.is_empty() { PhaseOutcome::Skipped } else { PhaseOutcome::Done };
    over(turn, repo, batch, running.phase, outcome, &why);
}

/// Whether something of a spec is under way, so that it may come to its end without a human.
pub(in crate::core) fn moves(state: &State, id: SpecId, now: Time) -> bool {
    let Some(spec) = state.specs.all.get(&id).filter(|spec| spec.done.is_none() && !spec.stopped) else {
        return false;
    };
    let works = |task: &Task| match task.stage {
        Stage::Trying | Stage::Merging(_) | Stage::RollingBack => !task.paused,
        Stage::Queued { .. } => {
            !task.paused
                && !prerequisites::waits(state, task)
                && collision::collides_with(state, task).is_none()
        }
        Stage::Review => task.launch.brief.ahead,
        Stage::Stuck(_)
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => false,
    };
    spec.draft.is_none()
        || spec.all_tasks().filter_map(|task| state.tasks.get(&task)).any(works)
        || coordinator::soaks_until(spec).is_some_and(|until| now < until)
}

/// What is not done stays for the next batch: nothing more of it starts until then, but by a person. With `stop`, what works
/// is ended too; what is being merged lands.
fn leave(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, stop: bool) {
    for id in &batch.specs {
        let Some(spec) = turn.state.specs.all.get(id) else { continue };
        // Stopped by a person: it is theirs to say when it goes on.
        if spec.done.is_some() || spec.stopped {
            continue;
        }
        let works = |task: &&Task| matches!(task.stage, Stage::Queued { .. } | Stage::Trying);
        let mut tasks: Vec<TaskId> = spec
            .all_tasks()
            .filter_map(|task| turn.state.tasks.get(&task))
            .filter(works)
            .map(|task| task.id)
            .collect();
        if stop {
            tasks.retain(|task| task::stop(turn, *task).is_ok());
        } else {
            tasks.clear();
        }
        turn.fact(Fact::Spec(SpecFact::Stopped { spec: *id }));
        turn.fact(Fact::Batch(BatchFact::Left { repo: repo.to_owned(), batch: batch.id, spec: *id, tasks }));
    }
}

/// Goes on with what the batch before has left.
fn go_on(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, id: SpecId, cut: &[TaskId]) {
    turn.fact(Fact::Batch(BatchFact::WentOn { repo: repo.to_owned(), batch: batch.id, spec: id }));
    let Some(spec) = turn.state.specs.all.get(&id).cloned() else { return };
    if spec.stopped {
        turn.fact(Fact::Spec(SpecFact::WentOn { spec: id }));
    }
    for task in spec.all_tasks() {
        let again = match turn.state.tasks.get(&task).map(|task| &task.stage) {
            Some(Stage::Stopped) => cut.contains(&task),
            Some(Stage::Interrupted) => true,
            _ => false,
        };
        if again {
            let note = "The attempt before was ended from outside, before it was done: its time was up, or the machine went \
                        down. What it has committed is on your branch: go on from there.";
            // One that can't be tried again now waits for a human, and says so.
            let _ = task::retry(turn, task, Start::Previous, note.to_owned());
        }
    }
}

/// Takes the one task of a phase from its launch to its end.
fn chore(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, running: &Running) {
    let Some(id) = running.task else {
        let Some(of) = turn.state.batches.repos.get(repo) else { return };
        let Some(launch) = chore_task(turn.state, of, batch, running, turn.now) else {
            return over(turn, repo, batch, running.phase, PhaseOutcome::Done, "");
        };
        return match start_queue::launch(turn, launch) {
            Ok(task) => tasked(turn, repo, batch.id, running.phase, task, true),
            Err(refused) => over(turn, repo, batch, running.phase, PhaseOutcome::Failed, &refused.what),
        };
    };
    let (outcome, why) = match turn.state.tasks.get(&id).map(|task| &task.stage) {
        Some(
            Stage::Queued { .. } | Stage::Trying | Stage::Review | Stage::Merging(_) | Stage::RollingBack,
        ) => return,
        Some(Stage::Landed | Stage::RolledBack) => (PhaseOutcome::Done, String::new()),
        Some(Stage::Stuck(why)) => (PhaseOutcome::Failed, why.to_string()),
        Some(Stage::Interrupted) => (PhaseOutcome::Failed, "its agent died with the machine".to_owned()),
        Some(Stage::Stopped) => (PhaseOutcome::Failed, "its task was stopped".to_owned()),
        Some(Stage::Rejected(_)) => (PhaseOutcome::Failed, "its task was rejected".to_owned()),
        None => (PhaseOutcome::Failed, "its task was archived".to_owned()),
    };
    over(turn, repo, batch, running.phase, outcome, &why);
}

fn report(turn: &mut Turn<'_>, repo: &Path, batch: &Batch, running: &Running) {
    if batch.report.is_some() {
        return chore(turn, repo, batch, running);
    }
    let writes = |work: &Work| matches!(work, Work::WriteReport { batch: other, .. } if *other == batch.id);
    if !turn.state.is_open(TaskId::NONE, writes) {
        let tasks = batch.tasks.keys().copied().collect();
        let lines =
            turn.state.batches.repos.get(repo).map(|of| words::lines(turn.state, of, batch, turn.now));
        let work = Work::WriteReport {
            repo: repo.to_owned(),
            batch: batch.id,
            tasks,
            since: batch.opened,
            lines: lines.unwrap_or_default(),
        };
        turn.ask(TaskId::NONE, work);
    }
}

/// The task that does a phase; none: nobody has to do anything.
fn chore_task(state: &State, of: &Scheduled, batch: &Batch, running: &Running, now: Time) -> Option<Launch> {
    let (order, phase) = (&of.schedule.order, running.phase);
    let Stint { agent, .. } = of.schedule.phases.get(&phase)?;
    let report_file = format!("specs/reports/batch-{}.md", batch.id);
    let (template, touches) = match phase {
        BatchPhase::Supervise => ("supervise", vec![PRIORITIES.to_owned(), order.memory.clone()]),
        BatchPhase::Maintain => ("maintain", Vec::new()),
        BatchPhase::Report => ("report", vec![report_file.clone(), order.memory.clone()]),
        BatchPhase::Test => ("", Vec::new()),
        BatchPhase::Build => return None,
    };
    let last = match phase {
        BatchPhase::Report => words::lines(state, of, batch, now),
        _ => of.last.as_ref().map(|(.., lines)| lines.clone()).unwrap_or_default(),
    };
    let list = |lines: &[Shown]| -> String { lines.iter().map(|line| format!("- {line}\n")).collect() };
    let first = "There was none: this is the first.".to_owned();
    let values: BTreeMap<String, String> = [
        ("batch", batch.id.to_string()),
        ("last", if last.is_empty() { first } else { list(&last) }),
        ("risks", list(&words::risks(state, &of.schedule.repo))),
        ("queue", list(&words::waiting(of))),
        ("priorities_file", PRIORITIES.to_owned()),
        ("report_file", report_file),
        ("memory", order.memory.clone()),
        ("target", order.target.clone()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let is_test = phase == BatchPhase::Test;
    let agent: &AgentTraits = match (agent, is_test) {
        (Some(agent), _) => agent,
        // Nobody runs in it; the board names somebody all the same.
        (None, true) => &order.crew.work,
        (None, false) => return None,
    };
    let prompt = if is_test {
        format!("All gates of {} as it is, for batch {}.", order.target, batch.id)
    } else {
        prompt::render(&order.templates, template, &values)
    };
    let time = order.limits.time.map_or(running.limit, |time| time.min(running.limit));
    Some(Launch {
        repo: of.schedule.repo.clone(),
        target: order.target.clone(),
        parallel: order.parallel,
        name: TaskName::new(&format!("batch-{}-{}", batch.id, phase.label())).ok()?,
        prompt,
        agent: agent.clone(),
        limits: Limits { time: Some(time), ..order.limits },
        lid: order.lid,
        after: Vec::new(),
        by: None,
        budget: order.budget,
        brief: Brief {
            duty: if is_test { Duty::Check } else { Duty::Chore },
            ahead: true,
            touches,
            values,
            templates: order.templates.clone(),
            ..Brief::default()
        },
    })
}

/// The gates of a target's head have their verdicts. Green, there is nothing to show: the task goes off the board.
pub(in crate::core) fn checked(turn: &mut Turn<'_>, id: TaskId) {
    let Some(attempt) = turn.state.tasks.get(&id).and_then(Task::open) else { return };
    let (no, count, red) = (attempt.id, attempt.gates.len(), gate::names(&gate::red(&attempt.gates)));
    let target = turn.state.tasks.get(&id).map(|task| task.launch.target.clone()).unwrap_or_default();
    if !red.is_empty() {
        turn.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Red });
        let why = format!("{target} itself is red ({red}): fix it, then retry this to have it tested again");
        turn.notice(id, NoticeKind::NeedsYou, &why);
        turn.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
        return;
    }
    turn.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Green });
    coordinator::checked(turn, id);
    let of = turn.state.batches.repos.iter().find_map(|(repo, of)| {
        let batch =
            of.open.as_ref().filter(|batch| batch.running.as_ref().is_some_and(|r| r.task == Some(id)))?;
        Some((repo.clone(), batch.clone()))
    });
    if let Some((repo, batch)) = of {
        let why = if count == 0 { format!("{target} has no gates") } else { format!("{target} is green") };
        over(turn, &repo, &batch, BatchPhase::Test, PhaseOutcome::Done, &why);
    }
    turn.fact(Fact::Stopped { task: id });
    // Its processes have ended: nothing is in the way.
    let _ = task::forget(turn, id);
}

/// What batches before the last have left on the board is taken off it, as far as it is over or makes no sense any more.
fn tidy(turn: &mut Turn<'_>, repo: &Path) {
    let Some(of) = turn.state.batches.repos.get(repo) else { return };
    let Some((last, ..)) = of.last else { return };
    let old: Vec<_> = of.past.range(..last).map(|(_, left)| left.clone()).collect();
    for (tasks, specs) in old {
        for id in &tasks {
            let Some(task) = turn.state.tasks.get(id) else { continue };
            let of_spec = task.launch.brief.spec.and_then(|spec| turn.state.specs.all.get(&spec));
            let chore = matches!(task.launch.brief.duty, Duty::Chore | Duty::Check);
            if of_spec.is_some_and(|spec| spec.done.is_none()) {
                continue;
            }
            if chore && !lookup::is_ended(&task.stage) {
                let _ = task::stop(turn, *id);
            }
            // One whose processes are still being ended goes with a later step.
            let _ = task::forget(turn, *id);
        }
        for spec in specs {
            let gone = turn.state.specs.all.get(&spec).is_some_and(|of| {
                of.done.is_some() && of.all_tasks().all(|task| !turn.state.tasks.contains_key(&task))
            });
            if gone {
                turn.fact(Fact::Spec(SpecFact::Forgotten { spec }));
            }
        }
    }
}
