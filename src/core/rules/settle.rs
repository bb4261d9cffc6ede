//! Settle, for one task: after every step, what should now be started, stopped, timed and offered.
//!
//! Level-triggered: it looks at what is, not at what just happened, so no handler has to remember what comes next.

use crate::core::model::agent::{AgentQuestion, AgentState, QuestionKind, Source};
use crate::core::model::assignment::{AttemptKind, Duty};
use crate::core::model::attempt::{Attempt, AttemptResult, Start, branch_name};
use crate::core::model::effect::{Candidate, EffectKind, JobWhat};
use crate::core::model::fact::Fact;
use crate::core::model::job::{Ending, Job, JobEnd, Role};
use crate::core::model::notice::NoticeKind;
use crate::core::model::task::Stage;
use crate::core::rules::deadlines::{GRACE, at_a_dialog, ending};
use crate::core::rules::gates::{judged, run_gates, start_once};
use crate::core::rules::merge::merging;
use crate::core::rules::step::Step;
use crate::core::rules::{assignment, attempt, gate, lookup, prerequisites, queue, second};
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use std::path::PathBuf;

/// Takes every task one step on.
pub(in crate::core) fn tasks(step: &mut Step<'_>) {
    let ids: Vec<TaskId> = step.state.tasks.keys().copied().collect();
    for id in ids {
        jobs(step, id);
        advance(step, id);
    }
}

/// Freezes, thaws, times out and ends the jobs of a task.
pub(in crate::core) fn jobs(step: &mut Step<'_>, id: TaskId) {
    let live: Vec<Job> = step.state.jobs.live_of(id).cloned().collect();
    for job in live {
        let Some(task) = step.state.tasks.get(&id) else { return };
        let unwanted = !matches!(task.stage, Stage::Trying | Stage::Merging(_) | Stage::RollingBack);
        let (paused, why) = (task.paused, ending(step.state, task, &job, step.quiet, step.now));
        if let Some((attempt, at)) = at_a_dialog(task, &job, step.quiet)
            && at <= step.now
            && why.is_none()
        {
            let ask = AgentQuestion { kind: QuestionKind::StartUp, text: Shown::default() };
            let read = task.attempt().and_then(|a| a.last_report.as_ref()).map_or(0, |(_, read)| *read);
            step.notice(id, NoticeKind::NeedsYou, lookup::kind_words(ask.kind));
            let (source, state) = (Source::Idle, AgentState::Asking(ask));
            step.fact(Fact::AgentSaid { attempt, source, state, read });
            continue;
        }
        match job.end {
            JobEnd::Open if unwanted => {
                step.fact(Fact::JobEnding { job: job.id, task: id, why: Ending::Stopped });
            }
            JobEnd::Open => match why {
                Some(why) => step.fact(Fact::JobEnding { job: job.id, task: id, why }),
                None if job.ran && paused != job.frozen => {
                    step.request(
                        id,
                        if paused { EffectKind::Freeze(job.id) } else { EffectKind::Thaw(job.id) },
                    );
                }
                None => {}
            },
            JobEnd::Due(_) if job.ran => step.request(id, EffectKind::End { job: job.id, grace: GRACE }),
            JobEnd::Due(_) | JobEnd::Requested(_) => {}
        }
    }
}

/// Starts waiting tasks whose turn it is.
pub(in crate::core) fn start(step: &mut Step<'_>) {
    let waits = step.state.repos.iter().filter(|(_, index)| !index.start_queue.is_empty());
    let repos: Vec<PathBuf> = waits.map(|(repo, _)| repo.clone()).collect();
    for repo in repos {
        if !queue::is_full(step.state, &repo) {
            for id in queue::line(step.state, &repo).next() {
                open_attempt(step, *id);
            }
        }
    }
}

/// Starts a waiting task's next attempt.
fn open_attempt(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let Stage::Queued { start, note, part } = &task.stage else { return };
    let no = task.attempts.last().map_or(1, |a| a.id.no + 1);
    let prompt = assignment::prompt_of(task, *part, note);
    let attempt = AttemptId { task: id, no };
    let (start, part) = (*start, *part);
    step.fact(Fact::AttemptOpened { attempt, start, prompt, part });
}

/// Takes a task one step on.
fn advance(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    if task.paused {
        return;
    }
    match task.stage.clone() {
        Stage::Trying => trying(step, id),
        Stage::Merging(head) => merging(step, id, Candidate::Merge(head)),
        Stage::RollingBack => {
            if let Some(landed) = task.landed.clone() {
                merging(step, id, Candidate::Revert(landed));
            }
        }
        Stage::Review => second::approve_ahead(step, id),
        Stage::Queued { .. }
        | Stage::Stuck(_)
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => {}
    }
}

fn trying(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open().cloned() else { return };
    let Some(ready) = &attempt.ready else { return prepare(step, id, &attempt) };
    if let Some(hook) = ready.setup.get(attempt.setup_done) {
        let role = Role::Setup { merged: false, hook: attempt.setup_done };
        let what = JobWhat::Setup(hook.clone());
        return start_once(step, attempt.id, role, &ready.path, what);
    }
    if task.launch.assignment.duty == Duty::Check {
        return checking(step, id, &attempt);
    }
    let Some(agent) = attempt.agent.and_then(|job| step.state.jobs.get(job)).cloned() else {
        let profile = assignment::agent(task, attempt.part).profile.clone();
        let what = JobWhat::Agent { profile, prompt: attempt.prompt.clone(), resume: None };
        return start_once(step, attempt.id, Role::Agent, &ready.path, what);
    };
    let Some(exit) = agent.exit else { return };
    let Some(read) = &attempt.read else { return read_branch(step, id, &attempt) };
    let failed = matches!(attempt.said, Some((AgentState::Failed(_), _)));
    if attempt.part == AttemptKind::SecondReview {
        return second::look_over(step, attempt.id, exit, agent.ending(), failed);
    }
    if let Some((result, note)) = attempt::over_before_gates(exit, agent.ending(), failed, read.commits) {
        attempt::next(step, attempt.id, result, note);
        return step.notice_red(id, &format!("attempt {}: {}", attempt.id.no, result.label()));
    }
    if let Some(note) = assignment::mistakes(task, &attempt) {
        return attempt::next(step, attempt.id, AttemptResult::Red, &note);
    }
    let tree = read.tree.clone();
    if run_gates(step, attempt.id, false, &attempt.gates, &tree, &ready.path) {
        judged(step, id);
    }
}

fn read_branch(step: &mut Step<'_>, id: TaskId, attempt: &Attempt) {
    if step.state.is_open(id, |work| matches!(work, EffectKind::ReadBranch { .. })) {
        return;
    }
    let (Some(task), Some(ready)) = (step.state.tasks.get(&id), &attempt.ready) else { return };
    let launch = &task.launch;
    let work = EffectKind::ReadBranch {
        repo: launch.repo.clone(),
        branch: branch_name(&launch.name, attempt.id),
        worktree: ready.path.clone(),
        target: launch.target.clone(),
        wanted: assignment::wanted(task, attempt),
    };
    step.request(id, work);
}

/// The gates of the target as it is: no agent works, and what passed before is run again.
fn checking(step: &mut Step<'_>, id: TaskId, attempt: &Attempt) {
    let (Some(read), Some(ready)) = (&attempt.read, &attempt.ready) else {
        return read_branch(step, id, attempt);
    };
    if run_gates(step, attempt.id, false, &attempt.gates, &read.tree, &ready.path) {
        checked(step, id);
    }
}

/// The gates of the target have their verdicts. Red, a person must mend the target; green, the check has done what it is for,
/// and whoever asked for it reads that.
fn checked(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open() else { return };
    let (no, red) = (attempt.id, gate::names(&gate::red(&attempt.gates)));
    if red.is_empty() {
        step.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Green });
        step.fact(Fact::Stopped { task: id });
        return;
    }
    let target = &task.launch.target;
    let why = format!("{target} itself is red ({red}): fix it, then retry this to have it tested again");
    step.fact(Fact::AttemptOver { attempt: no, result: AttemptResult::Red });
    step.notice(id, NoticeKind::NeedsYou, &why);
    step.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
}

fn prepare(step: &mut Step<'_>, id: TaskId, attempt: &Attempt) {
    if step.state.is_open(id, |work| matches!(work, EffectKind::PrepareWorktree { .. })) {
        return;
    }
    let Some(task) = step.state.tasks.get(&id) else { return };
    let work = |a: &&Attempt| a.part == AttemptKind::Work && a.id.no < attempt.id.no && a.ready.is_some();
    let before = task.attempts.iter().rev().find(work);
    let previous = before
        .filter(|_| attempt.start == Start::Previous)
        .map(|a| branch_name(&task.launch.name, a.id))
        .or_else(|| {
            let below = prerequisites::below(step.state, task)?;
            below.work().map(|a| branch_name(&below.launch.name, a.id))
        });
    let mut acceptance = assignment::acceptance(task, attempt.part);
    if !acceptance.touches.is_empty() {
        acceptance.touches.extend(prerequisites::touches_below(step.state, task));
    }
    let work = EffectKind::PrepareWorktree {
        repo: task.launch.repo.clone(),
        attempt: attempt.id,
        branch: branch_name(&task.launch.name, attempt.id),
        target: task.launch.target.clone(),
        start: if previous.is_some() { Start::Previous } else { Start::Target },
        previous,
        acceptance,
    };
    step.request(id, work);
}
