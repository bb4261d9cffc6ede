//! A task: a unit of work, merged at most once. What people may do to it, and what the world's answers mean.

use super::brief::{self, Part};
use super::effect::{Candidate, Effect, JobWhat, Work};
use super::engine::{Refused, RefusedKind, archive_scratch, archive_work};
use super::event::Outcome;
use super::fact::{Fact, Role};
use super::ids::{EffectId, Oid, TaskId};
use super::notice::NoticeKind;
use super::state::{Stage, State, Task};
use super::text::Shown;
use super::turn::Turn;
use super::view::{self, AttemptResult};
use super::{attempt, attempt::Start, budget, queue};
use std::path::Path;

/// Finds a task by name or number; an ended task gives way to a live one, an older one to a newer one.
pub(in crate::core) fn find(state: &State, repo: Option<&Path>, name: &str) -> Result<TaskId, Refused> {
    let number = name.strip_prefix('t').and_then(|n| n.parse().ok()).map(TaskId);
    if let Some(task) = number.and_then(|id| state.tasks.get(&id)) {
        return Ok(task.id);
    }
    let named = |task: &&Task| task.launch.name.as_str() == name;
    let here = |task: &&Task| repo.is_none_or(|repo| task.launch.repo == repo);
    let mut found: Vec<&Task> = state.tasks.values().filter(named).filter(here).collect();
    if found.is_empty() {
        found = state.tasks.values().filter(named).collect();
    }
    let repos: std::collections::BTreeSet<_> = found.iter().map(|task| &task.launch.repo).collect();
    if repos.len() > 1 {
        return Err(Refused::new(
            RefusedKind::BadInput,
            format!("{} repos have a task {}", repos.len(), Shown::line(name)),
            "stand in the repo that you mean, or give the task's number",
        ));
    }
    found.iter().max_by_key(|task| (!is_ended(&task.stage), task.id)).map(|task| task.id).ok_or_else(|| {
        Refused::new(
            RefusedKind::NotFound,
            format!("there is no task {}", Shown::line(name)),
            "nopeek ls shows all tasks",
        )
    })
}

/// Whether nothing more will happen at this stage.
pub(in crate::core) const fn is_ended(stage: &Stage) -> bool {
    matches!(stage, Stage::Landed | Stage::RolledBack | Stage::Stopped | Stage::Rejected(_))
}

/// The task, or a refusal.
pub(in crate::core) fn get(state: &State, id: TaskId) -> Result<&Task, Refused> {
    state.tasks.get(&id).ok_or_else(|| {
        Refused::new(RefusedKind::NotFound, format!("there is no task {id}"), "nopeek ls shows all tasks")
    })
}

/// A refusal because of where a task stands.
pub(in crate::core) fn not_now(task: &Task, act: &str, remedy: &str) -> Refused {
    let stands = view::state_of(task).label();
    Refused::new(
        RefusedKind::NotNow,
        format!(
            "can't {act} {}: its state is {stands}{}",
            task.launch.name,
            if task.paused { " and paused" } else { "" }
        ),
        remedy,
    )
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
        budget::resumed(turn, id);
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
    if let Some(why) = budget::held(turn.state, task) {
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
        return Err(not_now(task, "forget", "stop or land it first"));
    }
    if turn.state.jobs.has_live(id) {
        return Err(not_now(task, "forget", "its processes are still being ended; try again in a moment"));
    }
    for work in archive_work(turn.state, id) {
        turn.ask(id, work);
    }
    turn.fact(Fact::Forgotten { task: id });
    Ok(())
}

/// The world answers an effect. Stale and doubled answers find nothing open and change nothing.
pub(in crate::core) fn answered(turn: &mut Turn<'_>, id: EffectId, outcome: Outcome) {
    let Some((Effect { what, .. }, task)) = turn.state.open.get(&id).cloned() else { return };
    turn.fact(Fact::Settled { effect: id, task });
    if task == TaskId::NONE {
        return super::batch::answered(turn, what, outcome);
    }
    if !turn.state.tasks.contains_key(&task) {
        return;
    }
    match (what, outcome) {
        (Work::PrepareWorktree { attempt, .. }, Outcome::WorktreeReady(ready)) => {
            turn.fact(Fact::WorktreeMade { attempt, ready });
        }
        (Work::PrepareWorktree { attempt, .. }, Outcome::Failed { error }) => {
            attempt::give_up(turn, attempt, AttemptResult::Failed, error);
        }
        (Work::StartJob(start), Outcome::JobStarted)
            if turn.state.jobs.get(start.job).is_some_and(|job| job.is_live() && !job.ran) =>
        {
            turn.fact(Fact::JobRan { job: start.job, task });
            let now = turn.now;
            turn.quiet.insert(start.job, now);
        }
        (Work::StartJob(start), Outcome::Failed { error }) => attempt::not_started(turn, start.job, &error),
        (Work::ReadBranch { branch, .. }, Outcome::BranchRead(read)) => {
            if let Some(attempt) = trying(turn.state, task, &branch) {
                turn.fact(Fact::BranchKnown { attempt, read });
            }
        }
        (Work::ReadBranch { branch, .. }, Outcome::Failed { error }) => {
            if let Some(attempt) = trying(turn.state, task, &branch) {
                attempt::give_up(turn, attempt, AttemptResult::Failed, error);
            }
        }
        (Work::BuildMerge { repo, what, .. }, Outcome::MergeBuilt(built)) => {
            if wants(turn.state, task, &what) {
                turn.fact(Fact::CandidateBuilt { task, built });
            } else {
                let key = format!("{task}-merge-{}", built.commit.short());
                turn.ask(task, Work::Archive { repo, worktree: built.path, branch: None, key });
            }
        }
        (Work::BuildMerge { target, what, .. }, Outcome::Conflict { files })
            if wants(turn.state, task, &what) =>
        {
            conflict(turn, task, &target, &files);
        }
        (Work::BuildMerge { what, .. }, Outcome::Failed { error }) if wants(turn.state, task, &what) => {
            leave_merge(turn, task, error);
        }
        (Work::MoveTarget { to, .. }, Outcome::TargetMoved) => target_moved(turn, task, to),
        (Work::MoveTarget { .. }, Outcome::TargetStale) if is_merging(turn.state, task) => {
            drop_candidate(turn, task);
            turn.fact(Fact::CandidateStale { task });
        }
        (Work::MoveTarget { .. }, Outcome::TargetRefused { reason }) => leave_merge(turn, task, reason),
        (Work::MoveTarget { .. }, Outcome::Failed { error }) => leave_merge(turn, task, error),
        (Work::Type { .. }, Outcome::Failed { error }) => {
            turn.notice(task, NoticeKind::NeedsYou, format!("the answer was not typed: {error}"));
        }
        // The rest only says that it is done, or that it could not be; settle looks at what is.
        _ => {}
    }
}

/// The attempt that waits for this branch to be read; an answer about an older attempt's branch finds none.
fn trying(state: &State, id: TaskId, branch: &str) -> Option<super::ids::AttemptId> {
    let task = state.tasks.get(&id).filter(|task| task.stage == Stage::Trying)?;
    task.open()
        .filter(|a| a.read.is_none())
        .filter(|a| attempt::branch_name(&task.launch.name, a.id) == branch)
        .map(|a| a.id)
}

/// Whether this candidate is what the task merges or reverts now, and it has none yet.
fn wants(state: &State, id: TaskId, what: &Candidate) -> bool {
    state.tasks.get(&id).is_some_and(|task| {
        let none_yet = task.merge.as_ref().is_some_and(|merge| merge.built.is_none());
        let same = match (&task.stage, what) {
            (Stage::Merging(approved), Candidate::Merge(head)) => approved == head,
            (Stage::RollingBack, Candidate::Revert(commit)) => task.landed.as_ref() == Some(commit),
            _ => false,
        };
        none_yet && same
    })
}

fn is_merging(state: &State, id: TaskId) -> bool {
    state.tasks.get(&id).is_some_and(|task| matches!(task.stage, Stage::Merging(_) | Stage::RollingBack))
}

/// Asks for the scratch worktree to be taken away, if there is one.
pub(in crate::core) fn drop_candidate(turn: &mut Turn<'_>, id: TaskId) {
    if is_merging(turn.state, id)
        && let Some(work) = archive_scratch(turn.state, id)
    {
        turn.ask(id, work);
    }
}

/// Out of the merge queue; a human decides.
fn leave_merge(turn: &mut Turn<'_>, id: TaskId, why: Shown) {
    if is_merging(turn.state, id) {
        drop_candidate(turn, id);
        turn.fact(Fact::MergeLeft { task: id });
        turn.notice(id, NoticeKind::NeedsYou, why.as_str());
        turn.fact(Fact::Stuck { task: id, why });
    }
}

fn target_moved(turn: &mut Turn<'_>, id: TaskId, commit: Oid) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    match task.stage {
        Stage::Merging(_) => {
            drop_candidate(turn, id);
            turn.fact(Fact::Landed { task: id, commit });
            turn.notice(id, NoticeKind::Done, "landed");
        }
        Stage::RollingBack => {
            drop_candidate(turn, id);
            turn.fact(Fact::RolledBack { task: id, commit });
            turn.notice(id, NoticeKind::Done, "rolled back");
        }
        // The target had moved before a stop was asked for: what is on the target is said to be there.
        Stage::Stopped | Stage::Stuck(_) if task.landed.is_none() => {
            turn.fact(Fact::Landed { task: id, commit });
        }
        Stage::Stuck(_) => turn.fact(Fact::RolledBack { task: id, commit }),
        Stage::Queued { .. }
        | Stage::Trying
        | Stage::Review
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => {}
    }
}

fn conflict(turn: &mut Turn<'_>, id: TaskId, target: &str, files: &[Shown]) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let list = files.iter().map(Shown::as_str).collect::<Vec<_>>().join(", ");
    if task.stage == Stage::RollingBack {
        leave_merge(
            turn,
            id,
            Shown::line(&format!("the revert conflicts with later changes in {list}: revert by hand")),
        );
    } else if is_merging(turn.state, id) {
        let note = format!(
            "Your work conflicts with what has landed on `{target}` meanwhile, in: {list}.\n\
             Merge `{target}` into your branch, resolve the conflicts so that both changes keep their meaning, and commit."
        );
        send_back_from_merge(turn, id, &note);
        turn.notice_red(id, &format!("it conflicts with {target} in {list}"));
    }
}

/// A candidate that conflicts or is red goes back to a fresh attempt on the same branch.
pub(in crate::core) fn send_back_from_merge(turn: &mut Turn<'_>, id: TaskId, note: &str) {
    drop_candidate(turn, id);
    turn.fact(Fact::MergeLeft { task: id });
    if let Some(attempt) = turn.state.tasks.get(&id).and_then(Task::work).map(|a| a.id) {
        attempt::next(turn, attempt, AttemptResult::MergeFailed, note);
    }
}
