//! When a batch opens, what each of its phases does, and when it is over.
//!
//! Level-triggered: it looks at the clock, at the phase that is under way and at what became of its tasks. A phase that does
//! not end by itself is ended at its limit; whatever happens, the next phase begins and the batch closes.

mod ending;
pub mod queue;
#[cfg(test)]
mod tests;
pub mod words;

use crate::core::model::agent::AgentTraits;
use crate::core::model::assignment::{Assignment, Duty};
use crate::core::model::attempt::Start;
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::state::{Batch, Running, Scan, Scheduled};
use crate::core::model::batch::{
    BatchCommand, BatchPhase, CatchUp, LATE, MISSED_MAX, PRIORITIES, PhaseOutcome, PhaseSettings, Schedule,
};
use crate::core::model::budget::BudgetCommand;
use crate::core::model::effect::EffectKind;
use crate::core::model::fact::Fact;
use crate::core::model::limits::Limits;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::spec::{Spec, SpecFact};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::outer::batch::ending::{cut, leave, over};
use crate::core::outer::spec::coordinator;
use crate::core::outer::{budget, launch};
use crate::core::rules::step::Step;
use crate::core::rules::{collision, lookup, prerequisites, prompt, task};
use crate::values::ids::{SpecId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most changes of a place's clock that a schedule brings along.
const CHANGES_MAX: usize = 200;

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: BatchCommand) -> Result<(), Refused> {
    match command {
        BatchCommand::On(schedule) => {
            if schedule.cron.is_none() {
                let remedy = "write cron = \"0 */2 * * *\" or the like into [schedule] of nopeek.toml";
                return Err(Refused::new(RefusedKind::BadInput, "nothing says when batches are due", remedy));
            }
            let repo = set(step, *schedule)?;
            if !get(step.state, &repo)?.on {
                step.fact(Fact::Batch(BatchFact::Switched { repo, on: true }));
            }
        }
        BatchCommand::Off(repo) => {
            if !get(step.state, &repo)?.on {
                return Err(not_now("the schedule is off already", ""));
            }
            step.fact(Fact::Batch(BatchFact::Switched { repo, on: false }));
        }
        BatchCommand::Run(schedule) => {
            if let Some(open) = step.state.batches.repos.get(&schedule.repo).and_then(|of| of.open.as_ref()) {
                let what = format!("batch {} of this repo is under way", open.id);
                return Err(not_now(&what, "wait for its end, or end it: nopeek schedule stop"));
            }
            let repo = set(step, *schedule)?;
            open(step, &repo, None);
        }
        BatchCommand::Stop(repo) => {
            let of = get(step.state, &repo)?;
            let Some((batch, running)) = of.open.as_ref().and_then(|b| Some((b.clone(), b.running.clone()?)))
            else {
                return Err(not_now(
                    "no batch of this repo is under way",
                    "nopeek schedule show says when one is due",
                ));
            };
            cut(step, &repo, &batch, &running, PhaseOutcome::Stopped, "a person ended the batch");
        }
        BatchCommand::Queue(schedule) => {
            let repo = set(step, *schedule)?;
            look(step, &repo, None, u32::MAX);
        }
        BatchCommand::Watch(schedule) => {
            let repo = set(step, *schedule)?;
            if !get(step.state, &repo)?.watched {
                step.fact(Fact::Batch(BatchFact::Watched { repo: repo.clone(), on: true }));
            }
            look(step, &repo, None, u32::MAX);
        }
        BatchCommand::Unwatch(repo) => {
            if !get(step.state, &repo)?.watched {
                return Err(not_now("the queue is not watched", ""));
            }
            step.fact(Fact::Batch(BatchFact::Watched { repo, on: false }));
        }
        BatchCommand::Look(repo) => {
            // A batch takes what it can by itself.
            if get(step.state, &repo)?.open.is_none() {
                look(step, &repo, None, u32::MAX);
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
fn set(step: &mut Step<'_>, schedule: Schedule) -> Result<PathBuf, Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if let Some((phase, _)) = schedule.phases.iter().find(|(_, settings)| settings.time == Span(0)) {
        return bad(format!("{} has no time", phase.label()), "give it at least a minute");
    }
    let alone = |phase: &&BatchPhase| matches!(phase, BatchPhase::Supervise | BatchPhase::Maintain);
    let nobody =
        |phase: &&BatchPhase| schedule.phases.get(phase).is_some_and(|settings| settings.agent.is_none());
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
        budget::command(step, BudgetCommand::Set { repo: repo.clone(), budget: Box::new(budget) })?;
    }
    if step.state.batches.repos.get(&repo).is_none_or(|of| of.schedule != schedule) {
        step.fact(Fact::Batch(BatchFact::Scheduled { schedule: Box::new(schedule) }));
    }
    Ok(repo)
}

/// What should now be started, stopped and asked for. `quiet`: nothing else was decided in this round, so that what seems to
/// be at rest is.
pub(in crate::core) fn settle(step: &mut Step<'_>, quiet: bool) {
    // Before a spec that is done leaves the board.
    queue::settle_files(step);
    let repos: Vec<PathBuf> = step.state.batches.repos.keys().cloned().collect();
    for repo in repos {
        begin(step, &repo);
        advance(step, &repo, quiet);
        tidy(step, &repo);
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
fn begin(step: &mut Step<'_>, repo: &Path) {
    let Some(of) = step.state.batches.repos.get(repo).filter(|of| of.open.is_none()) else { return };
    let Some(first) = next_due(of).filter(|due| *due <= step.now) else { return };
    let Schedule { cron: Some(cron), zone, catch_up, .. } = &of.schedule else { return };
    let (mut last, mut count) = (first, 1);
    while let Some(next) = cron.next(last, zone).filter(|next| *next <= step.now) {
        last = next;
        count += 1;
        if count >= MISSED_MAX {
            last = step.now;
        }
    }
    let opens = *catch_up == CatchUp::One || step.now.since(last) < LATE;
    let missed = if opens { count - 1 } else { count };
    if missed > 0 {
        let repo = repo.to_owned();
        step.fact(Fact::Batch(BatchFact::Missed { repo, count: missed, until: last }));
    }
    if opens {
        open(step, repo, Some(last));
    }
}

fn open(step: &mut Step<'_>, repo: &Path, due: Option<Time>) {
    let batch = step.state.batches.last + 1;
    step.fact(Fact::Batch(BatchFact::Opened { repo: repo.to_owned(), batch, due }));
    budget::open_batch(step, &batch.to_string(), repo);
}

/// Takes the open batch of a repo one step on.
fn advance(step: &mut Step<'_>, repo: &Path, quiet: bool) {
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    let Some(batch) = of.open.clone() else { return };
    join(step, repo, &batch);
    let Some(running) = batch.running.clone() else { return next_phase(step, repo, &batch) };
    if running.watch.elapsed(step.now) >= running.limit {
        return cut(step, repo, &batch, &running, PhaseOutcome::TimedOut, "its time was up");
    }
    match running.phase {
        BatchPhase::Supervise => supervise(step, repo, &batch, &running),
        BatchPhase::Build => build(step, repo, &batch, &running, quiet),
        BatchPhase::Maintain | BatchPhase::Test => chore(step, repo, &batch, &running),
        BatchPhase::Report => report(step, repo, &batch, &running),
    }
}

fn next_phase(step: &mut Step<'_>, repo: &Path, batch: &Batch) {
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    let done = batch.over.last().map(|(phase, ..)| *phase);
    let mut ahead =
        BatchPhase::ALL.iter().filter(|phase| !batch.stopped && done.is_none_or(|done| **phase > done));
    let next = ahead.find_map(|phase| of.schedule.phases.get(phase).map(|settings| (*phase, settings.time)));
    let repo = repo.to_owned();
    if let Some((phase, limit)) = next {
        step.fact(Fact::Batch(BatchFact::PhaseBegan { repo, batch: batch.id, phase, limit }));
        return;
    }
    let lines = words::lines(step.state, of, batch, step.now);
    let told = format!("batch {} is over: {}", batch.id, words::outcomes(batch));
    step.fact(Fact::Batch(BatchFact::Closed { repo, batch: batch.id, lines }));
    step.notice(None, NoticeKind::Done, told);
}

/// Whatever belongs to the batch is said to belong to it.
fn join(step: &mut Step<'_>, repo: &Path, batch: &Batch) {
    let Some(phase) = batch.running.as_ref().map(|running| running.phase) else { return };
    let of_specs = batch.specs.iter().filter_map(|id| step.state.specs.all.get(id)).flat_map(Spec::all_tasks);
    let of_specs = of_specs.map(|task| (task, BatchPhase::Build));
    let added = step
        .state
        .tasks
        .values()
        .filter(|task| task.launch.by.is_some_and(|by| batch.tasks.contains_key(&by.task)))
        .map(|task| (task.id, phase));
    let new: BTreeMap<TaskId, BatchPhase> = added
        .chain(of_specs)
        .filter(|(id, _)| step.state.tasks.contains_key(id) && !batch.tasks.contains_key(id))
        .collect();
    for (task, phase) in new {
        tasked(step, repo, batch.id, phase, task, false);
    }
}

fn tasked(step: &mut Step<'_>, repo: &Path, batch: u64, phase: BatchPhase, task: TaskId, chore: bool) {
    step.fact(Fact::Batch(BatchFact::Tasked { repo: repo.to_owned(), batch, phase, task, chore }));
    budget::join_batch(step, &batch.to_string(), task);
}

/// Asks for a look at the queue, unless one is under way.
pub(in crate::core) fn look(step: &mut Step<'_>, repo: &Path, batch: Option<u64>, take: u32) {
    if looks(step.state, repo) {
        return;
    }
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    let (pattern, target) = (of.schedule.queue.clone(), of.schedule.order.target.clone());
    step.request(
        TaskId::NONE,
        EffectKind::LookForSpecs { repo: repo.to_owned(), target, pattern, batch, take },
    );
}

fn looks(state: &State, repo: &Path) -> bool {
    state.is_open(
        TaskId::NONE,
        |work| matches!(work, EffectKind::LookForSpecs { repo: other, .. } if other == repo),
    )
}

fn supervise(step: &mut Step<'_>, repo: &Path, batch: &Batch, running: &Running) {
    if running.scan == Scan::NotYet {
        return look(step, repo, Some(batch.id), 0);
    }
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    if running.task.is_none() && of.waiting.is_empty() {
        let why = "nothing waits in the queue";
        return over(step, repo, batch, running.phase, PhaseOutcome::Skipped, why);
    }
    chore(step, repo, batch, running);
}

fn build(step: &mut Step<'_>, repo: &Path, batch: &Batch, running: &Running, quiet: bool) {
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    if let Some((spec, tasks)) = of.left.first_key_value().map(|(spec, tasks)| (*spec, tasks.clone())) {
        return go_on(step, repo, batch, spec, &tasks);
    }
    let busy = batch.specs.iter().filter(|spec| moves(step.state, **spec, step.now)).count();
    let free = of.schedule.order.parallel.saturating_sub(u32::try_from(busy).unwrap_or(u32::MAX));
    let more = match running.scan {
        Scan::NotYet => true,
        Scan::Done => of.waiting.iter().any(|file| !batch.refused.contains(file)),
        Scan::Dry => false,
    };
    if more && (free > 0 || running.scan == Scan::NotYet) {
        return look(step, repo, Some(batch.id), free);
    }
    if busy > 0 || looks(step.state, repo) || !quiet {
        return;
    }
    leave(step, repo, batch, false);
    let why = words::built(step.state, batch);
    let outcome = if batch.specs.is_empty() { PhaseOutcome::Skipped } else { PhaseOutcome::Done };
    over(step, repo, batch, running.phase, outcome, &why);
}

/// Whether something of a spec is under way, so that it may come to its end without a human.
pub(in crate::core) fn moves(state: &State, id: SpecId, now: Time) -> bool {
    let Some(spec) = state.specs.all.get(&id).filter(|spec| spec.is_open()) else {
        return false;
    };
    let works = |task: &Task| match task.stage {
        Stage::Trying | Stage::Merging(_) | Stage::RollingBack => !task.paused,
        Stage::Queued { .. } => {
            !task.paused
                && !prerequisites::waits(state, task)
                && collision::collides_with(state, task).is_none()
        }
        Stage::Review => task.launch.assignment.ahead,
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

/// Goes on with what the batch before has left.
fn go_on(step: &mut Step<'_>, repo: &Path, batch: &Batch, id: SpecId, cut: &[TaskId]) {
    step.fact(Fact::Batch(BatchFact::WentOn { repo: repo.to_owned(), batch: batch.id, spec: id }));
    let Some(spec) = step.state.specs.all.get(&id).cloned() else { return };
    if spec.is_stopped() {
        step.fact(Fact::Spec(SpecFact::WentOn { spec: id }));
    }
    for task in spec.all_tasks() {
        let again = match step.state.tasks.get(&task).map(|task| &task.stage) {
            Some(Stage::Stopped) => cut.contains(&task),
            Some(Stage::Interrupted) => true,
            _ => false,
        };
        if again {
            let note = "The attempt before was ended from outside, before it was done: its time was up, or the machine went \
                        down. What it has committed is on your branch: go on from there.";
            // One that can't be tried again now waits for a human, and says so.
            let _ = task::retry(step, task, Start::Previous, note.to_owned());
        }
    }
}

/// Takes the one task of a phase from its launch to its end.
fn chore(step: &mut Step<'_>, repo: &Path, batch: &Batch, running: &Running) {
    let Some(id) = running.task else {
        let Some(of) = step.state.batches.repos.get(repo) else { return };
        let Some(chore) = chore_task(step.state, of, batch, running, step.now) else {
            return over(step, repo, batch, running.phase, PhaseOutcome::Done, "");
        };
        return match launch::launch(step, chore) {
            Ok(task) => tasked(step, repo, batch.id, running.phase, task, true),
            Err(refused) => over(step, repo, batch, running.phase, PhaseOutcome::Failed, &refused.what),
        };
    };
    let (outcome, why) = match step.state.tasks.get(&id).map(|task| &task.stage) {
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
    over(step, repo, batch, running.phase, outcome, &why);
}

fn report(step: &mut Step<'_>, repo: &Path, batch: &Batch, running: &Running) {
    if batch.report.is_some() {
        return chore(step, repo, batch, running);
    }
    let writes = |work: &EffectKind| matches!(work, EffectKind::WriteReport { batch: other, .. } if *other == batch.id);
    if !step.state.is_open(TaskId::NONE, writes) {
        let tasks = batch.tasks.keys().copied().collect();
        let lines =
            step.state.batches.repos.get(repo).map(|of| words::lines(step.state, of, batch, step.now));
        let work = EffectKind::WriteReport {
            repo: repo.to_owned(),
            batch: batch.id,
            tasks,
            since: batch.opened,
            lines: lines.unwrap_or_default(),
        };
        step.request(TaskId::NONE, work);
    }
}

/// The task that does a phase; none: nobody has to do anything.
fn chore_task(state: &State, of: &Scheduled, batch: &Batch, running: &Running, now: Time) -> Option<Launch> {
    let (order, phase) = (&of.schedule.order, running.phase);
    let PhaseSettings { agent, .. } = of.schedule.phases.get(&phase)?;
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
        assignment: Assignment {
            duty: if is_test { Duty::Check } else { Duty::Chore },
            ahead: true,
            touches,
            values,
            templates: order.templates.clone(),
            ..Assignment::default()
        },
    })
}

/// The gates of the target are green: if a batch waited for that, its test phase is over.
pub(in crate::core) fn checked(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let target = &task.launch.target;
    let ungated = task.work().is_none_or(|attempt| attempt.gates.is_empty());
    let why = if ungated { format!("{target} has no gates") } else { format!("{target} is green") };
    let of = step.state.batches.repos.iter().find_map(|(repo, of)| {
        let batch =
            of.open.as_ref().filter(|batch| batch.running.as_ref().is_some_and(|r| r.task == Some(id)))?;
        Some((repo.clone(), batch.clone()))
    });
    if let Some((repo, batch)) = of {
        over(step, &repo, &batch, BatchPhase::Test, PhaseOutcome::Done, &why);
    }
}

/// What batches before the last have left on the board is taken off it, as far as it is over or makes no sense any more.
fn tidy(step: &mut Step<'_>, repo: &Path) {
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    let Some((last, ..)) = of.last else { return };
    let old: Vec<_> = of.past.range(..last).map(|(_, left)| left.clone()).collect();
    for (tasks, specs) in old {
        for id in &tasks {
            let Some(task) = step.state.tasks.get(id) else { continue };
            let of_spec = task.launch.assignment.spec.and_then(|spec| step.state.specs.all.get(&spec));
            let chore = matches!(task.launch.assignment.duty, Duty::Chore | Duty::Check);
            if of_spec.is_some_and(|spec| !spec.is_done()) {
                continue;
            }
            if chore && !lookup::is_ended(&task.stage) {
                let _ = task::stop(step, *id);
            }
            // One whose processes are still being ended goes with a later step.
            let _ = task::forget(step, *id);
        }
        for spec in specs {
            let gone = step.state.specs.all.get(&spec).is_some_and(|of| {
                of.is_done() && of.all_tasks().all(|task| !step.state.tasks.contains_key(&task))
            });
            if gone {
                step.fact(Fact::Spec(SpecFact::Forgotten { spec }));
            }
        }
    }
}
