//! The way of approved work to the target: the candidate, its gates, the move, and what is said when it does not come to that.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::effect::{Candidate, EffectKind, JobWhat};
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::notice::NoticeKind;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::gates::{run_gates, start_once};
use crate::core::rules::step::Step;
use crate::core::rules::{assignment, attempt, gate, polls, queue};
use crate::values::ids::{AttemptId, Oid, TaskId};
use crate::values::text::Shown;
use std::path::PathBuf;

/// The worktree of a merge candidate, to be taken away.
pub(in crate::core) fn archive_scratch(state: &State, id: TaskId) -> Option<EffectKind> {
    let task = state.tasks.get(&id)?;
    let built = task.merge.as_ref()?.built.as_ref()?;
    Some(EffectKind::Archive {
        repo: task.launch.repo.clone(),
        worktree: built.path.clone(),
        branch: None,
        key: format!("{}/{}-merge-{}", task.launch.name, id, built.commit.short()),
    })
}

pub(in crate::core) fn merging(step: &mut Step<'_>, id: TaskId, what: Candidate) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let (Some(merge), Some(attempt)) = (task.merge.clone(), task.work().map(|a| a.id)) else { return };
    let Some(built) = &merge.built else { return build(step, id, attempt, what) };
    if let Some(hook) = built.setup.get(merge.setup_done) {
        let role = Role::Setup { merged: true, hook: merge.setup_done };
        let (path, hook) = (built.path.clone(), hook.clone());
        return start_once(step, attempt, role, &path, JobWhat::Setup(hook));
    }
    let (tree, path): (Oid, PathBuf) = (built.tree.clone(), built.path.clone());
    if !run_gates(step, attempt, true, &merge.gates, &tree, &path) {
        return;
    }
    let red = gate::red(&merge.gates);
    if red.is_empty() {
        move_target(step, id);
    } else if matches!(what, Candidate::Merge(_)) {
        let target = step.state.tasks.get(&id).map(|t| t.launch.target.clone()).unwrap_or_default();
        let note = gate::failure_note(&red, Some(&target));
        let what = format!("it is red as merged ({})", gate::names(&red));
        send_back_from_merge(step, id, &note);
        step.notice_red(id, &what);
    } else {
        let names = gate::names(&red);
        drop_candidate(step, id);
        step.fact(Fact::MergeLeft { task: id });
        let why = format!(
            "its revert is red ({names}): it is still on the target; revert by hand, or fix it and try again"
        );
        step.notice(id, NoticeKind::NeedsYou, &why);
        step.fact(Fact::Stuck { task: id, why: why.as_str().into() });
    }
}

fn build(step: &mut Step<'_>, id: TaskId, attempt: AttemptId, what: Candidate) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    // A candidate of before must be gone whole: it stood at the same place.
    let open = step.state.is_open(id, |work| {
        matches!(
            work,
            EffectKind::BuildMerge { .. }
                | EffectKind::MoveTarget { .. }
                | EffectKind::Archive { branch: None, .. }
        )
    });
    let live = step.state.jobs.has_live(id);
    if open || live || !queue::is_first_to_merge(step.state, task) {
        return;
    }
    let first_line = task.launch.prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
    let message = match &what {
        Candidate::Merge(_) => {
            format!("nopeek: land {}\n\n{first_line}\n{}", task.launch.name, polls::cited(step.state, id))
        }
        Candidate::Revert(commit) => {
            format!("nopeek: roll back {}\n\nThis reverts merge {commit}.\n", task.launch.name)
        }
    };
    let (repo, target) = (task.launch.repo.clone(), task.launch.target.clone());
    let acceptance = assignment::acceptance_merged(task);
    step.request(id, EffectKind::BuildMerge { repo, attempt, target, what, message, acceptance });
}

fn move_target(step: &mut Step<'_>, id: TaskId) {
    if step.state.is_open(id, |work| matches!(work, EffectKind::MoveTarget { .. })) {
        return;
    }
    let Some(task) = step.state.tasks.get(&id) else { return };
    let Some(built) = task.merge.as_ref().and_then(|merge| merge.built.clone()) else { return };
    let undo = if task.stage == Stage::RollingBack { "-rollback" } else { "" };
    let work = EffectKind::MoveTarget {
        repo: task.launch.repo.clone(),
        target: task.launch.target.clone(),
        from: built.onto,
        to: built.commit,
        key: format!("{}/{id}{undo}", task.launch.name),
    };
    step.request(id, work);
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
pub(in crate::core) fn drop_candidate(step: &mut Step<'_>, id: TaskId) {
    if is_merging(step.state, id)
        && let Some(work) = archive_scratch(step.state, id)
    {
        step.request(id, work);
    }
}

/// Out of the merge queue; a human decides.
pub(in crate::core) fn leave_merge(step: &mut Step<'_>, id: TaskId, why: Shown) {
    if is_merging(step.state, id) {
        drop_candidate(step, id);
        step.fact(Fact::MergeLeft { task: id });
        step.notice(id, NoticeKind::NeedsYou, why.as_str());
        step.fact(Fact::Stuck { task: id, why });
    }
}

pub(in crate::core) fn target_moved(step: &mut Step<'_>, id: TaskId, commit: Oid) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    match task.stage {
        Stage::Merging(_) => {
            drop_candidate(step, id);
            step.fact(Fact::Landed { task: id, commit });
            step.notice(id, NoticeKind::Done, "landed");
        }
        Stage::RollingBack => {
            drop_candidate(step, id);
            step.fact(Fact::RolledBack { task: id, commit });
            step.notice(id, NoticeKind::Done, "rolled back");
        }
        // The target had moved before a stop was asked for: what is on the target is said to be there.
        Stage::Stopped | Stage::Stuck(_) if task.landed.is_none() => {
            step.fact(Fact::Landed { task: id, commit });
        }
        Stage::Stuck(_) => step.fact(Fact::RolledBack { task: id, commit }),
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

pub(in crate::core) fn conflict(step: &mut Step<'_>, id: TaskId, target: &str, files: &[Shown]) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let list = files.iter().map(Shown::as_str).collect::<Vec<_>>().join(", ");
    if task.stage == Stage::RollingBack {
        leave_merge(
            step,
            id,
            Shown::line(&format!("the revert conflicts with later changes in {list}: revert by hand")),
        );
    } else if is_merging(step.state, id) {
        let note = format!(
            "Your work conflicts with what has landed on `{target}` meanwhile, in: {list}.\n\
             Merge `{target}` into your branch, resolve the conflicts so that both changes keep their meaning, and commit."
        );
        send_back_from_merge(step, id, &note);
        step.notice_red(id, &format!("it conflicts with {target} in {list}"));
    }
}

/// A candidate that conflicts or is red goes back to a fresh attempt on the same branch.
pub(in crate::core) fn send_back_from_merge(step: &mut Step<'_>, id: TaskId, note: &str) {
    drop_candidate(step, id);
    step.fact(Fact::MergeLeft { task: id });
    if let Some(attempt) = step.state.tasks.get(&id).and_then(Task::work).map(|a| a.id) {
        attempt::next(step, attempt, AttemptResult::MergeFailed, note);
    }
}
