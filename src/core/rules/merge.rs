//! The way of approved work to the target: the candidate, its gates, the move, and what is said when it does not come to that.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::effect::{Candidate, JobWhat, Work};
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::notice::NoticeKind;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::gates::{run_gates, start_once};
use crate::core::rules::turn::Turn;
use crate::core::rules::{attempt, brief, gate, polls, queue};
use crate::values::ids::{AttemptId, Oid, TaskId};
use crate::values::text::Shown;
use std::path::PathBuf;

/// The worktree of a merge candidate, to be taken away.
pub(in crate::core) fn archive_scratch(state: &State, id: TaskId) -> Option<Work> {
    let task = state.tasks.get(&id)?;
    let built = task.merge.as_ref()?.built.as_ref()?;
    Some(Work::Archive {
        repo: task.launch.repo.clone(),
        worktree: built.path.clone(),
        branch: None,
        key: format!("{}/{}-merge-{}", task.launch.name, id, built.commit.short()),
    })
}

pub(in crate::core) fn merging(turn: &mut Turn<'_>, id: TaskId, what: Candidate) {
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
        send_back_from_merge(turn, id, &note);
        turn.notice_red(id, &what);
    } else {
        let names = gate::names(&red);
        drop_candidate(turn, id);
        turn.fact(Fact::MergeLeft { task: id });
        let why = format!(
            "its revert is red ({names}): it is still on the target; revert by hand, or fix it and try again"
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
            format!("nopeek: land {}\n\n{first_line}\n{}", task.launch.name, polls::cited(turn.state, id))
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

/// Whether this candidate is what the task merges or reverts now, and it has none yet.
pub(in crate::core) fn wants(state: &State, id: TaskId, what: &Candidate) -> bool {
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

pub(in crate::core) fn is_merging(state: &State, id: TaskId) -> bool {
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
pub(in crate::core) fn leave_merge(turn: &mut Turn<'_>, id: TaskId, why: Shown) {
    if is_merging(turn.state, id) {
        drop_candidate(turn, id);
        turn.fact(Fact::MergeLeft { task: id });
        turn.notice(id, NoticeKind::NeedsYou, why.as_str());
        turn.fact(Fact::Stuck { task: id, why });
    }
}

pub(in crate::core) fn target_moved(turn: &mut Turn<'_>, id: TaskId, commit: Oid) {
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

pub(in crate::core) fn conflict(turn: &mut Turn<'_>, id: TaskId, target: &str, files: &[Shown]) {
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
