//! Settle, for one task: after every step, what should now be started, stopped, timed and offered.
//!
//! Level-triggered: it looks at what is, not at what just happened, so no handler has to remember what comes next.

use crate::core::model::agent::{AgentState, Ask, AskKind, Source};
use crate::core::model::attempt::{Attempt, AttemptResult, Start, branch_name};
use crate::core::model::brief::{Duty, Part};
use crate::core::model::effect::{Candidate, JobWhat, Work};
use crate::core::model::fact::Fact;
use crate::core::model::job::{Ending, Job, JobEnd, Role};
use crate::core::model::notice::NoticeKind;
use crate::core::model::task::Stage;
use crate::core::rules::deadlines::{GRACE, at_a_dialog, ending};
use crate::core::rules::gates::{judged, run_gates, start_once};
use crate::core::rules::merge::merging;
use crate::core::rules::turn::Turn;
use crate::core::rules::{attempt, brief, gate, lookup, prerequisites, queue, second};
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use std::path::PathBuf;

/// Takes every task one step on.
pub(in crate::core) fn tasks(turn: &mut Turn<'_>) {
    let ids: Vec<TaskId> = turn.state.tasks.keys().copied().collect();
    for id in ids {
        jobs(turn, id);
        advance(turn, id);
    }
}

/// Freezes, thaws, times out and ends the jobs of a task.
pub(in crate::core) fn jobs(turn: &mut Turn<'_>, id: TaskId) {
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
            turn.notice(id, NoticeKind::NeedsYou, lookup::kind_words(ask.kind));
            let (source, state) = (Source::Idle, AgentState::Asking(ask));
            turn.fact(Fact::AgentSaid { attempt, source, state, read });
            continue;
        }
        match job.end {
            JobEnd::Open if unwanted => {
                turn.fact(Fact::JobEnding { job: job.id, task: id, why: Ending::Stopped });
            }
            JobEnd::Open => match why {
                Some(why) => turn.fact(Fact::JobEnding { job: job.id, task: id, why }),
                None if job.ran && paused != job.frozen => {
                    turn.ask(id, if paused { Work::Freeze(job.id) } else { Work::Thaw(job.id) });
                }
                None => {}
            },
            JobEnd::Due(_) if job.ran => turn.ask(id, Work::End { job: job.id, grace: GRACE }),
            JobEnd::Due(_) | JobEnd::Requested(_) => {}
        }
    }
}

/// Starts waiting tasks whose turn it is.
pub(in crate::core) fn start(turn: &mut Turn<'_>) {
    let waits = turn.state.repos.iter().filter(|(_, index)| !index.start_queue.is_empty());
    let repos: Vec<PathBuf> = waits.map(|(repo, _)| repo.clone()).collect();
    for repo in repos {
        if !queue::is_full(turn.state, &repo) {
            for id in queue::line(turn.state, &repo).next() {
                open_attempt(turn, *id);
            }
        }
    }
}

/// Starts a waiting task's next attempt.
fn open_attempt(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Stage::Queued { start, note, part } = &task.stage else { return };
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
        Stage::Review => second::approve_ahead(turn, id),
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
        return second::look_over(turn, attempt.id, exit, agent.ending(), failed);
    }
    if let Some((result, note)) = attempt::over_before_gates(exit, agent.ending(), failed, read.commits) {
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
        branch: branch_name(&launch.name, attempt.id),
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
        checked(turn, id);
    }
}

/// The gates of the target have their verdicts. Red, a person must mend the target; green, the check has done what it is for,
/// and whoever asked for it reads that.
fn checked(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open() else { return };
    let (no, red) = (attempt.id, gate::names(&gate::red(&attempt.gates)));
    if red.is_empty() {
        turn.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Green });
        turn.fact(Fact::Stopped { task: id });
        return;
    }
    let target = &task.launch.target;
    let why = format!("{target} itself is red ({red}): mend it, then retry this to have it tested again");
    turn.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Red });
    turn.notice(id, NoticeKind::NeedsYou, &why);
    turn.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
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
        .map(|a| branch_name(&task.launch.name, a.id))
        .or_else(|| {
            let below = prerequisites::below(turn.state, task)?;
            below.work().map(|a| branch_name(&below.launch.name, a.id))
        });
    let mut terms = brief::terms(task, attempt.part);
    if !terms.touches.is_empty() {
        terms.touches.extend(prerequisites::touches_below(turn.state, task));
    }
    let work = Work::PrepareWorktree {
        repo: task.launch.repo.clone(),
        attempt: attempt.id,
        branch: branch_name(&task.launch.name, attempt.id),
        target: task.launch.target.clone(),
        start: if previous.is_some() { Start::Previous } else { Start::Target },
        previous,
        terms,
    };
    turn.ask(id, work);
}
