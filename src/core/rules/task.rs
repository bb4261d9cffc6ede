//! A task: a unit of work, merged at most once. What people may do to it, and what the world's answers mean.

use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{self, AttemptResult, Start};
use crate::core::model::effect::{EffectKind, JobWhat};
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::refused::Refused;
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::rules::lookup::{get, is_ended, not_now};
use crate::core::rules::merge::drop_candidate;
use crate::core::rules::step::Step;
use crate::core::rules::{assignment, budget_hold, queue, usage};
use crate::values::ids::TaskId;
use crate::values::text::Shown;

/// The archive keys of a task, one for each attempt.
pub(in crate::core) fn archive_work(state: &State, id: TaskId) -> Vec<EffectKind> {
    let Some(task) = state.tasks.get(&id) else { return Vec::new() };
    task.attempts
        .iter()
        .filter_map(|a| {
            let ready = a.ready.as_ref()?;
            Some(EffectKind::Archive {
                repo: task.launch.repo.clone(),
                worktree: ready.path.clone(),
                branch: Some(attempt::branch_name(&task.launch.name, a.id)),
                key: format!("{}/{}-{}", task.launch.name, id, a.id.no),
            })
        })
        .collect()
}

/// Freezes a task that is under way or waits.
pub(in crate::core) fn pause(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    let can =
        matches!(task.stage, Stage::Queued { .. } | Stage::Trying | Stage::Merging(_) | Stage::RollingBack);
    if task.paused || !can {
        return Err(not_now(task, "pause", "only a task that waits, works or is merged can be paused"));
    }
    step.fact(Fact::Paused { task: id });
    Ok(())
}

/// Thaws a paused task, or goes on with the agent's own session after an interruption.
pub(in crate::core) fn resume(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if task.paused {
        let jobs: Vec<_> = step.state.jobs.of(id).map(|j| j.id).collect();
        step.fact(Fact::Unpaused { task: id });
        let now = step.now;
        for job in jobs {
            step.quiet.entry(job).and_modify(|at| *at = now);
        }
        return Ok(());
    }
    if task.stage != Stage::Interrupted {
        return Err(not_now(task, "resume", "only a paused or an interrupted task can be resumed"));
    }
    let part = task.attempt().map(|a| a.part).unwrap_or_default();
    let resumable = assignment::agent(task, part).resumable;
    let session = task.attempt().and_then(|a| a.session.clone()).filter(|_| resumable);
    let place = task.attempt().and_then(|a| a.ready.as_ref().map(|r| (a.id, r.path.clone())));
    let (Some(session), Some((attempt, path))) = (session, place) else {
        return Err(not_now(
            task,
            "resume",
            "the agent's session is not known: nopeek retry --keep goes on from its branch",
        ));
    };
    if let Some(why) = budget_hold::held(step.state, task) {
        return Err(not_now(task, "resume", &why));
    }
    if queue::is_full(step.state, &task.launch.repo) {
        return Err(not_now(
            task,
            "resume",
            "all places of the repo are taken: wait until an agent has ended, or stop one",
        ));
    }
    let what = JobWhat::Agent {
        profile: assignment::agent(task, part).profile.clone(),
        prompt: "You were interrupted. Go on with the task where you left off.".to_owned(),
        resume: Some(session),
    };
    step.start(attempt, Role::Agent, &path, what);
    Ok(())
}

/// Ends a task for sure.
pub(in crate::core) fn stop(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if is_ended(&task.stage) || task.landed.is_some() && task.stage != Stage::RollingBack {
        return Err(not_now(task, "stop", ""));
    }
    let running = task.open().map(|a| a.id);
    let was_landed = task.landed.is_some();
    drop_candidate(step, id);
    if let Some(attempt) = running {
        step.fact(Fact::AttemptOver { attempt, result: AttemptResult::Stopped });
    }
    if was_landed {
        let why =
            Shown::line("its rollback was stopped; it is still on the target: nopeek rollback tries again");
        step.fact(Fact::Stuck { task: id, why });
    } else {
        step.fact(Fact::Stopped { task: id });
    }
    if step.state.tasks.get(&id).is_some_and(|t| t.paused) {
        step.fact(Fact::Unpaused { task: id });
    }
    Ok(())
}

/// A human wants a fresh attempt.
pub(in crate::core) fn retry(
    step: &mut Step<'_>,
    id: TaskId,
    start: Start,
    note: String,
) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    let can = match &task.stage {
        Stage::Review | Stage::Stuck(_) | Stage::Interrupted | Stage::Stopped | Stage::Rejected(_) => {
            task.landed.is_none()
        }
        Stage::Queued { .. }
        | Stage::Trying
        | Stage::Merging(_)
        | Stage::RollingBack
        | Stage::Landed
        | Stage::RolledBack => false,
    };
    if !can {
        return Err(not_now(task, "retry", "stop it first, or wait until its attempt has ended"));
    }
    if step.state.is_open(id, |work| matches!(work, EffectKind::MoveTarget { .. })) {
        return Err(not_now(task, "retry", "the target is just being moved to its work: wait a moment"));
    }
    let open = task.work().filter(|a| a.result.is_none_or(|r| r == AttemptResult::Green)).map(|a| a.id);
    let looking = task.open().filter(|a| a.part == AttemptKind::SecondReview).map(|a| a.id);
    let start = if task.work().is_some_and(|a| a.ready.is_some()) { start } else { Start::Target };
    if let Some(attempt) = open {
        step.fact(Fact::AttemptOver { attempt, result: AttemptResult::SentBack });
    }
    if let Some(attempt) = looking {
        step.fact(Fact::AttemptOver { attempt, result: AttemptResult::Stopped });
    }
    step.fact(Fact::Requeued { task: id, start, note, granted: true, part: AttemptKind::Work });
    Ok(())
}

/// Takes an ended task off the board, its work into the archive.
pub(in crate::core) fn forget(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if !is_ended(&task.stage) {
        return Err(not_now(task, "archive", "stop or land it first"));
    }
    if step.state.jobs.has_live(id) {
        return Err(not_now(task, "archive", "its processes are still being ended; try again in a moment"));
    }
    // What git makes or reads for it now would be there after the archive was written, and belong to nobody.
    let uses_worktree = |work: &EffectKind| {
        matches!(
            work,
            EffectKind::PrepareWorktree { .. }
                | EffectKind::ReadBranch { .. }
                | EffectKind::BuildMerge { .. }
                | EffectKind::MoveTarget { .. }
        )
    };
    if step.state.is_open(id, uses_worktree) {
        return Err(not_now(task, "archive", "git still works for it; try again in a moment"));
    }
    for work in archive_work(step.state, id) {
        step.request(id, work);
    }
    let used = step.state.tasks.get(&id).map(|task| usage::of_task(step.state, task, step.now));
    step.fact(Fact::Forgotten { task: id, used });
    Ok(())
}
