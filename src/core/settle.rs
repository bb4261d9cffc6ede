//! Settle: after every step, what should now be started, stopped, timed and offered.
//!
//! Level-triggered: it looks at what is, not at what just happened, so no handler has to remember what comes next.
//! It runs until nothing is left to decide; each round decides at least one fact.

use super::attempt::{self, AgentMode, AgentState, Ask, AskKind, Source, Start};
use super::brief::{self, Duty, Part};
use super::effect::{Candidate, JobWhat, Work};
use super::fact::{Ending, Fact, Role};
use super::gate::{self, GateRun, Next};
use super::ids::{AttemptId, JobId, Oid, TaskId};
use super::jobs::Job;
use super::notice::NoticeKind;
use super::stack;
use super::state::{Attempt, Stage, State, Task};
use super::text::Shown;
use super::time::{Span, Time};
use super::turn::Turn;
use super::view::AttemptResult;
use super::{ask, batch, bench, budget, panel, question, queue, spec, task};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How long an interactive agent must stay "done" before it is believed: some flash it at start-up.
pub(in crate::core) const DONE_FOR: Span = Span(1_000);

/// How long an ended job may take to leave by itself before it is killed.
pub(in crate::core) const GRACE: Span = Span::secs(5);

/// Most rounds of one settle; each decides something, and no task needs more than a few.
const ROUNDS_MAX: usize = 10_000;

/// Decides until nothing is left to decide.
pub(in crate::core) fn settle(turn: &mut Turn<'_>) {
    for _ in 0..ROUNDS_MAX {
        let before = turn.facts.len();
        let ids: Vec<TaskId> = turn.state.tasks.keys().copied().collect();
        for id in ids {
            jobs(turn, id);
            advance(turn, id);
        }
        ask::settle(turn);
        spec::settle(turn);
        bench::settle(turn);
        let quiet = turn.facts.len() == before;
        batch::settle(turn, quiet);
        // Right before the start: what was launched in this round may bring budgets that are used up.
        budget::settle(turn);
        start(turn);
        if turn.facts.len() == before {
            return;
        }
    }
    debug_assert!(false, "settle did not come to rest");
}

/// Freezes, thaws, times out and ends the jobs of a task.
fn jobs(turn: &mut Turn<'_>, id: TaskId) {
    let live: Vec<Job> = turn.state.jobs.live_of(id).cloned().collect();
    for job in live {
        let Some(task) = turn.state.tasks.get(&id) else { return };
        let unwanted = !matches!(task.stage, Stage::Trying | Stage::Merging(_) | Stage::RollingBack);
        let (paused, why) = (task.paused, ending(turn.state, task, &job, turn.quiet, turn.now));
        if let Some((attempt, at)) = at_a_dialog(task, &job, turn.quiet)
            && at <= turn.now
            && why.is_none()
        {
            let ask = Ask { kind: AskKind::StartUp, text: Shown::default() };
            let read = task.attempt().and_then(|a| a.heard.as_ref()).map_or(0, |(_, read)| *read);
            turn.notice(id, NoticeKind::NeedsYou, question::kind_words(ask.kind));
            let (source, state) = (Source::Idle, AgentState::Asking(ask));
            turn.fact(Fact::AgentSaid { attempt, source, state, read });
            continue;
        }
        if job.ending.is_none() && unwanted {
            turn.fact(Fact::JobEnding { job: job.id, task: id, why: Ending::Stopped });
        } else if let (None, Some(why)) = (job.ending, why) {
            turn.fact(Fact::JobEnding { job: job.id, task: id, why });
        } else if job.ending.is_some() {
            if job.ran && !job.end_asked {
                turn.ask(id, Work::End { job: job.id, grace: GRACE });
            }
        } else if job.ran && paused != job.frozen {
            turn.ask(id, if paused { Work::Freeze(job.id) } else { Work::Thaw(job.id) });
        }
    }
}

/// Why a live job is to end now, by its limits or because its agent says so.
fn ending(state: &State, task: &Task, job: &Job, quiet: &BTreeMap<JobId, Time>, now: Time) -> Option<Ending> {
    times(state, task, job, quiet)
        .into_iter()
        .filter(|(at, _)| *at <= now)
        .min_by_key(|(at, _)| *at)
        .map(|(_, why)| why)
}

/// When a live job is to end and why, as things stand; nothing while it is paused.
fn times(state: &State, task: &Task, job: &Job, quiet: &BTreeMap<JobId, Time>) -> Vec<(Time, Ending)> {
    if task.paused || !job.ran || !job.is_live() {
        return Vec::new();
    }
    let mut times = Vec::new();
    match job.role {
        Role::Agent => {
            let Some(attempt) = task.attempts.iter().find(|a| a.id == job.attempt) else { return times };
            let limits = &task.launch.limits;
            times.extend(limits.time.and_then(|limit| job.watch.reaches(limit)).map(|at| (at, Ending::Time)));
            let waits = attempt.ask.is_some() || panel::asks(state, task);
            let silent = quiet.get(&job.id).copied().filter(|_| !waits);
            let asking = matches!(attempt.said, Some((AgentState::Asking(_), _)));
            if let (Some(limit), Some(since), false) = (limits.silence, silent, asking) {
                times.push((since.after(limit), Ending::Silence));
            }
            times.extend(agent_done(task, attempt, silent));
        }
        Role::Setup { .. } => {
            times.extend(job.watch.reaches(SETUP_MAX).map(|at| (at, Ending::Time)));
        }
        Role::Gate { merged, gate } => {
            let gates = gates_of(state, job.attempt, merged);
            let limit = gates.and_then(|gates| gates.get(gate)).map(|run| run.spec.timeout);
            times.extend(limit.and_then(|limit| job.watch.reaches(limit)).map(|at| (at, Ending::Time)));
        }
    }
    times
}

/// Longest run of a set-up hook.
pub(in crate::core) const SETUP_MAX: Span = Span::mins(30);

/// When an agent that should have told its state by then counts as standing at a dialog of its own program.
fn at_a_dialog(task: &Task, job: &Job, quiet: &BTreeMap<JobId, Time>) -> Option<(AttemptId, Time)> {
    let waits =
        job.ran && job.is_live() && job.ending.is_none() && !task.paused && task.stage == Stage::Trying;
    let attempt = task.attempt().filter(|a| waits && a.agent == Some(job.id) && a.said.is_none())?;
    let agent = brief::agent(task, attempt.part);
    let limit = agent.speaks.filter(|_| agent.mode == AgentMode::Interactive)?;
    quiet.get(&job.id).map(|since| (attempt.id, since.after(limit)))
}

/// When an interactive agent counts as done.
fn agent_done(task: &Task, attempt: &Attempt, silent: Option<Time>) -> Option<(Time, Ending)> {
    let agent = brief::agent(task, attempt.part);
    if agent.mode == AgentMode::Headless {
        return None;
    }
    match &attempt.said {
        Some((AgentState::Done, at)) => Some((at.after(DONE_FOR), Ending::Done)),
        Some((AgentState::Idle, at)) if attempt.worked => Some((at.after(DONE_FOR), Ending::Done)),
        Some((AgentState::Failed(_), at)) => Some((at.after(DONE_FOR), Ending::Failed)),
        Some((AgentState::Asking(_), _)) => None,
        Some((AgentState::Idle | AgentState::Working, _)) | None => {
            let unheard = attempt.source.is_none_or(|best| best >= Source::Idle);
            let limit = agent.idle_done.filter(|_| unheard)?;
            silent.map(|since| (since.after(limit), Ending::Done))
        }
    }
}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(state: &State, quiet: &BTreeMap<JobId, Time>) -> Option<Time> {
    let jobs = state
        .jobs
        .live()
        .filter(|job| job.ending.is_none())
        .filter_map(|job| state.tasks.get(&job.attempt.task).map(|task| (task, job)))
        .flat_map(|(task, job)| {
            let ends = times(state, task, job, quiet).into_iter().map(|(at, _)| at);
            ends.chain(at_a_dialog(task, job, quiet).map(|(_, at)| at))
        })
        .min();
    [jobs, spec::deadline(state), batch::deadline(state), budget::deadline(state)].into_iter().flatten().min()
}

fn gates_of(state: &State, attempt: AttemptId, merged: bool) -> Option<&Vec<GateRun>> {
    let task = state.tasks.get(&attempt.task)?;
    if merged {
        task.merge.as_ref().map(|merge| &merge.gates)
    } else {
        task.attempts.iter().find(|a| a.id == attempt).map(|a| &a.gates)
    }
}

/// Starts waiting tasks whose turn it is. A repo without a free place is looked at once.
fn start(turn: &mut Turn<'_>) {
    let mut full: BTreeSet<PathBuf> = BTreeSet::new();
    for id in turn.state.start_queue.clone() {
        let Some(task) = turn.state.tasks.get(&id) else { continue };
        if full.contains(&task.launch.repo) {
            continue;
        }
        if queue::is_full(turn.state, &task.launch.repo) {
            full.insert(task.launch.repo.clone());
            continue;
        }
        open_attempt(turn, id);
    }
}

/// Starts a waiting task's next attempt if it is its turn.
fn open_attempt(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Stage::Queued { start, note, part } = &task.stage else { return };
    if queue::held(turn.state, task).is_some() {
        return;
    }
    let no = task.attempts.last().map_or(1, |a| a.id.no + 1);
    let prompt = brief::prompt_of(task, *part, note);
    let attempt = AttemptId { task: id, no };
    let (start, part) = (*start, *part);
    turn.fact(Fact::AttemptOpened { attempt, start, prompt, part });
}

/// Takes a task one step on.
fn advance(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    if task.paused {
        return;
    }
    match task.stage.clone() {
        Stage::Trying => trying(turn, id),
        Stage::Merging(head) => merging(turn, id, Candidate::Merge(head)),
        Stage::RollingBack => {
            if let Some(landed) = task.landed.clone() {
                merging(turn, id, Candidate::Revert(landed));
            }
        }
        Stage::Review => brief::approve_ahead(turn, id),
        Stage::Queued { .. }
        | Stage::Stuck(_)
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => {}
    }
}

fn trying(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open().cloned() else { return };
    let Some(ready) = &attempt.ready else { return prepare(turn, id, &attempt) };
    if let Some(hook) = ready.setup.get(attempt.setup_done) {
        let role = Role::Setup { merged: false, hook: attempt.setup_done };
        let what = JobWhat::Setup(hook.clone());
        return start_once(turn, attempt.id, role, &ready.path, what);
    }
    if task.launch.brief.duty == Duty::Check {
        return checking(turn, id, &attempt);
    }
    let Some(agent) = attempt.agent.and_then(|job| turn.state.jobs.get(job)).cloned() else {
        let profile = brief::agent(task, attempt.part).profile.clone();
        let what = JobWhat::Agent { profile, prompt: attempt.prompt.clone(), resume: None };
        return start_once(turn, attempt.id, Role::Agent, &ready.path, what);
    };
    let Some(exit) = agent.exit else { return };
    let Some(read) = &attempt.read else { return read_branch(turn, id, &attempt) };
    let failed = matches!(attempt.said, Some((AgentState::Failed(_), _)));
    if attempt.part == Part::Second {
        return brief::look_over(turn, attempt.id, exit, agent.ending, failed);
    }
    if let Some((result, note)) = attempt::over_before_gates(exit, agent.ending, failed, read.commits) {
        attempt::next(turn, attempt.id, result, note);
        return turn.notice_red(id, &format!("attempt {}: {}", attempt.id.no, result.label()));
    }
    if let Some(note) = brief::mistakes(task, &attempt) {
        return attempt::next(turn, attempt.id, AttemptResult::Red, &note);
    }
    let tree = read.tree.clone();
    if run_gates(turn, attempt.id, false, &attempt.gates, &tree, &ready.path) {
        judged(turn, id);
    }
}

fn read_branch(turn: &mut Turn<'_>, id: TaskId, attempt: &Attempt) {
    if turn.state.is_open(id, |work| matches!(work, Work::ReadBranch { .. })) {
        return;
    }
    let (Some(task), Some(ready)) = (turn.state.tasks.get(&id), &attempt.ready) else { return };
    let launch = &task.launch;
    let work = Work::ReadBranch {
        repo: launch.repo.clone(),
        branch: attempt::branch_name(&launch.name, attempt.id),
        worktree: ready.path.clone(),
        target: launch.target.clone(),
        wanted: brief::wanted(task, attempt),
    };
    turn.ask(id, work);
}

/// The gates of the target as it is: no agent works, and what passed before is run again.
fn checking(turn: &mut Turn<'_>, id: TaskId, attempt: &Attempt) {
    let (Some(read), Some(ready)) = (&attempt.read, &attempt.ready) else {
        return read_branch(turn, id, attempt);
    };
    if run_gates(turn, attempt.id, false, &attempt.gates, &read.tree, &ready.path) {
        batch::checked(turn, id);
    }
}

fn prepare(turn: &mut Turn<'_>, id: TaskId, attempt: &Attempt) {
    if turn.state.is_open(id, |work| matches!(work, Work::PrepareWorktree { .. })) {
        return;
    }
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let work = |a: &&Attempt| a.part == Part::Work && a.id.no < attempt.id.no && a.ready.is_some();
    let before = task.attempts.iter().rev().find(work);
    let previous = before
        .filter(|_| attempt.start == Start::Previous)
        .map(|a| attempt::branch_name(&task.launch.name, a.id))
        .or_else(|| {
            let below = stack::below(turn.state, task)?;
            below.work().map(|a| attempt::branch_name(&below.launch.name, a.id))
        });
    let mut terms = brief::terms(task, attempt.part);
    if !terms.touches.is_empty() {
        terms.touches.extend(stack::touches_below(turn.state, task));
    }
    let work = Work::PrepareWorktree {
        repo: task.launch.repo.clone(),
        attempt: attempt.id,
        branch: attempt::branch_name(&task.launch.name, attempt.id),
        target: task.launch.target.clone(),
        start: if previous.is_some() { Start::Previous } else { Start::Target },
        previous,
        terms,
    };
    turn.ask(id, work);
}

/// Starts a job of this role unless one is under way. One that ended well has moved the count on; one that failed has
/// taken the task elsewhere; one that was lost, or belonged to a candidate of before, is run again.
fn start_once(
    turn: &mut Turn<'_>,
    attempt: AttemptId,
    role: Role,
    worktree: &std::path::Path,
    what: JobWhat,
) {
    let there = turn.state.jobs.live_of(attempt.task).any(|job| job.attempt == attempt && job.role == role);
    if !there {
        turn.start(attempt, role, worktree, what);
    }
}

/// Runs gates as far as they can be run now; true once all have verdicts.
fn run_gates(
    turn: &mut Turn<'_>,
    attempt: AttemptId,
    merged: bool,
    gates: &[GateRun],
    tree: &Oid,
    worktree: &std::path::Path,
) -> bool {
    let Some(launch) = turn.state.tasks.get(&attempt.task).map(|task| &task.launch) else { return false };
    let anew = BTreeSet::new();
    let passed = if launch.brief.duty == Duty::Check { &anew } else { &turn.state.passed };
    match gate::next(gates, &launch.repo, tree, passed) {
        Next::Run(at) => {
            let spec = &gates[at].spec;
            let what = JobWhat::Gate { name: spec.name.clone(), command: spec.command.clone() };
            turn.start(attempt, Role::Gate { merged, gate: at }, worktree, what);
            false
        }
        Next::Judge(gate, verdict) => {
            let (tests, took, tail) = (None, None, String::new());
            turn.fact(Fact::GateJudged { attempt, merged, gate, verdict, tests, took, tail });
            false
        }
        Next::Wait => false,
        Next::Over => true,
    }
}

/// All gates of an attempt have verdicts.
fn judged(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open() else { return };
    let (attempt_id, ungated) = (attempt.id, attempt.gates.is_empty());
    let red = gate::red(&attempt.gates);
    if red.is_empty() {
        let look = brief::needs_look(task);
        turn.fact(Fact::AttemptOver { attempt: attempt_id, result: AttemptResult::Green });
        if look {
            let (start, note) = (Start::Previous, String::new());
            turn.fact(Fact::Requeued { task: id, start, note, granted: false, part: Part::Second });
        } else {
            brief::review(
                turn,
                id,
                if ungated { "ungated: waits for review" } else { "green: waits for review" },
            );
        }
    } else {
        let note = gate::failure_note(&red, None);
        let what = format!("attempt {} is red ({})", attempt_id.no, gate::names(&red));
        attempt::next(turn, attempt_id, AttemptResult::Red, &note);
        turn.notice_red(id, &what);
    }
}

fn merging(turn: &mut Turn<'_>, id: TaskId, what: Candidate) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let (Some(merge), Some(attempt)) = (task.merge.clone(), task.work().map(|a| a.id)) else { return };
    let Some(built) = &merge.built else { return build(turn, id, attempt, what) };
    if let Some(hook) = built.setup.get(merge.setup_done) {
        let role = Role::Setup { merged: true, hook: merge.setup_done };
        let (path, hook) = (built.path.clone(), hook.clone());
        return start_once(turn, attempt, role, &path, JobWhat::Setup(hook));
    }
    let (tree, path): (Oid, PathBuf) = (built.tree.clone(), built.path.clone());
    if !run_gates(turn, attempt, true, &merge.gates, &tree, &path) {
        return;
    }
    let red = gate::red(&merge.gates);
    if red.is_empty() {
        move_target(turn, id);
    } else if matches!(what, Candidate::Merge(_)) {
        let target = turn.state.tasks.get(&id).map(|t| t.launch.target.clone()).unwrap_or_default();
        let note = gate::failure_note(&red, Some(&target));
        let what = format!("it is red as merged ({})", gate::names(&red));
        task::send_back_from_merge(turn, id, &note);
        turn.notice_red(id, &what);
    } else {
        let names = gate::names(&red);
        task::drop_candidate(turn, id);
        turn.fact(Fact::MergeLeft { task: id });
        let why = format!(
            "its revert is red ({names}): it is still on the target; revert by hand, or mend and try again"
        );
        turn.notice(id, NoticeKind::NeedsYou, &why);
        turn.fact(Fact::Stuck { task: id, why: why.as_str().into() });
    }
}

fn build(turn: &mut Turn<'_>, id: TaskId, attempt: AttemptId, what: Candidate) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    // A candidate of before must be gone whole: it stood at the same place.
    let open = turn.state.is_open(id, |work| {
        matches!(work, Work::BuildMerge { .. } | Work::MoveTarget { .. } | Work::Archive { branch: None, .. })
    });
    let live = turn.state.jobs.has_live(id);
    if open || live || !queue::is_first_to_merge(turn.state, task) {
        return;
    }
    let first_line = task.launch.prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
    let message = match &what {
        Candidate::Merge(_) => {
            format!("nopeek: land {}\n\n{first_line}\n{}", task.launch.name, panel::cited(turn.state, id))
        }
        Candidate::Revert(commit) => {
            format!("nopeek: roll back {}\n\nThis reverts merge {commit}.\n", task.launch.name)
        }
    };
    let (repo, target) = (task.launch.repo.clone(), task.launch.target.clone());
    let terms = brief::terms_merged(task);
    turn.ask(id, Work::BuildMerge { repo, attempt, target, what, message, terms });
}

fn move_target(turn: &mut Turn<'_>, id: TaskId) {
    if turn.state.is_open(id, |work| matches!(work, Work::MoveTarget { .. })) {
        return;
    }
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Some(built) = task.merge.as_ref().and_then(|merge| merge.built.clone()) else { return };
    let undo = if task.stage == Stage::RollingBack { "-rollback" } else { "" };
    let work = Work::MoveTarget {
        repo: task.launch.repo.clone(),
        target: task.launch.target.clone(),
        from: built.onto,
        to: built.commit,
        key: format!("{}/{id}{undo}", task.launch.name),
    };
    turn.ask(id, work);
}
