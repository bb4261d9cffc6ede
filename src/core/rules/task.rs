//! A task: a unit of work, merged at most once. What people may do to it, and what the world's answers mean.

use crate::core::model::attempt::{self, AttemptResult, Start};
use crate::core::model::brief::Part;
use crate::core::model::effect::{JobWhat, Work};
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::refused::Refused;
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::outer::budget::rules;
use crate::core::rules::lookup::{get, is_ended, not_now};
use crate::core::rules::merge::drop_candidate;
use crate::core::rules::turn::Turn;
use crate::core::rules::{brief, budget_hold, queue};
use crate::values::ids::TaskId;
use crate::values::text::Shown;

/// The archive keys of a task, one for each attempt.
pub(in crate::core) fn archive_work(state: &State, id: TaskId) -> Vec<Work> {
    let Some(task) = state.tasks.get(&id) else { return Vec::new() };
    task.attempts
        .iter()
        .filter_map(|a| {
            let ready = a.ready.as_ref()?;
            Some(Work::Archive {
                repo: task.launch.repo.clone(),
                worktree: ready.path.clone(),
                branch: Some(attempt::branch_name(&task.launch.name, a.id)),
                key: format!("{}/{}-{}", task.launch.name, id, a.id.no),
            })
        })
        .collect()
}

/// Freezes a task that is under way or waits.
pub(in crate::core) fn pause(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    let can =
        matches!(task.stage, Stage::Queued { .. } | Stage::Trying | Stage::Merging(_) | Stage::RollingBack);
    if task.paused || !can {
        return Err(not_now(task, "pause", "only a task that waits, works or is merged can be paused"));
    }
    turn.fact(Fact::Paused { task: id });
    Ok(())
}

/// Thaws a paused task, or goes on with the agent's own session after an interruption.
pub(in crate::core) fn resume(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if task.paused {
        let jobs: Vec<_> = turn.state.jobs.of(id).map(|j| j.id).collect();
        rules::resumed(turn, id);
        turn.fact(Fact::Unpaused { task: id });
        let now = turn.now;
        for job in jobs {
            turn.quiet.entry(job).and_modify(|at| *at = now);
        }
        return Ok(());
    }
    if task.stage != Stage::Interrupted {
        return Err(not_now(task, "resume", "only a paused or an interrupted task can be resumed"));
    }
    let part = task.attempt().map(|a| a.part).unwrap_or_default();
    let resumable = brief::agent(task, part).resumable;
    let session = task.attempt().and_then(|a| a.session.clone()).filter(|_| resumable);
    let place = task.attempt().and_then(|a| a.ready.as_ref().map(|r| (a.id, r.path.clone())));
    let (Some(session), Some((attempt, path))) = (session, place) else {
        return Err(not_now(
            task,
            "resume",
            "the agent's session is not known: nopeek retry --keep goes on from its branch",
        ));
    };
    if let Some(why) = budget_hold::held(turn.state, task) {
        return Err(not_now(task, "resume", &why));
    }
    if queue::is_full(turn.state, &task.launch.repo) {
        return Err(not_now(
            task,
            "resume",
            "all places of the repo are taken: wait until an agent has ended, or stop one",
        ));
    }
    let what = JobWhat::Agent {
        profile: brief::agent(task, part).profile.clone(),
        prompt: "You were interrupted. Go on with the task where you left off.".to_owned(),
        resume: Some(session),
    };
    turn.start(attempt, Role::Agent, &path, what);
    Ok(())
}

/// Ends a task for sure.
pub(in crate::core) fn stop(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if is_ended(&task.stage) || task.landed.is_some() && task.stage != Stage::RollingBack {
        return Err(not_now(task, "stop", ""));
    }
    let running = task.open().map(|a| a.id);
    let was_landed = task.landed.is_some();
    drop_candidate(turn, id);
    if let Some(attempt) = running {
        turn.fact(Fact::AttemptOver { attempt, result: AttemptResult::Stopped });
    }
    if was_landed {
        let why =
            Shown::line("its rollback was stopped; it is still on the target: nopeek rollback tries again");
        turn.fact(Fact::Stuck { task: id, why });
    } else {
        turn.fact(Fact::Stopped { task: id });
    }
    if turn.state.tasks.get(&id).is_some_and(|t| t.paused) {
        turn.fact(Fact::Unpaused { task: id });
    }
    Ok(())
}

/// A human wants a fresh attempt.
pub(in crate::core) fn retry(
    turn: &mut Turn<'_>,
    id: TaskId,
    start: Start,
    note: String,
) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
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
    if turn.state.is_open(id, |work| matches!(work, Work::MoveTarget { .. })) {
        return Err(not_now(task, "retry", "the target is just being moved to its work: wait a moment"));
    }
    let open = task.work().filter(|a| a.result.is_none_or(|r| r == AttemptResult::Green)).map(|a| a.id);
    let looking = task.open().filter(|a| a.part == Part::Second).map(|a| a.id);
    let start = if task.work().is_some_and(|a| a.ready.is_some()) { start } else { Start::Target };
    if let Some(attempt) = open {
        turn.fact(Fact::AttemptOver { attempt, result: AttemptResult::SentBack });
    }
    if let Some(attempt) = looking {
        turn.fact(Fact::AttemptOver { attempt, result: AttemptResult::Stopped });
    }
    turn.fact(Fact::Requeued { task: id, start, note, granted: true, part: Part::Work });
    Ok(())
}

/// Takes an ended task off the board, its work into the archive.
pub(in crate::core) fn forget(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if !is_ended(&task.stage) {
        return Err(not_now(task, "archive", "stop or land it first"));
    }
    if turn.state.jobs.has_live(id) {
        return Err(not_now(task, "archive", "its processes are still being ended; try again in a moment"));
    }
    for work in archive_work(turn.state, id) {
        turn.ask(id, work);
    }
    turn.fact(Fact::Forgotten { task: id });
    Ok(())
}
