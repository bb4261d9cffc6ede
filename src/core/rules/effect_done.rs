//! What came of an effect, and what that means for its task. Stale and doubled answers change nothing.

use crate::core::model::attempt::{AttemptResult, branch_name};
use crate::core::model::effect::{Effect, EffectKind};
use crate::core::model::event::EffectOutcome;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::rules::merge::{conflict, drop_candidate, is_merging, leave_merge, target_moved, wants};
use crate::core::rules::step::Step;
use crate::core::rules::{attempt, jobs};
use crate::values::ids::{EffectId, TaskId};

/// The world answers an effect. Stale and doubled answers find nothing open and change nothing.
///
/// Gives back what was done for no task: that is for who asked for it to know.
pub(in crate::core) fn answered(
    step: &mut Step<'_>,
    id: EffectId,
    outcome: EffectOutcome,
) -> Option<(EffectKind, EffectOutcome)> {
    let (Effect { what, .. }, task) = step.state.open.get(&id).cloned()?;
    step.fact(Fact::EffectDone { effect: id, task });
    if task == TaskId::NONE {
        return Some((what, outcome));
    }
    if step.state.tasks.contains_key(&task) {
        of_task(step, task, what, outcome);
    }
    None
}

fn of_task(step: &mut Step<'_>, task: TaskId, what: EffectKind, outcome: EffectOutcome) {
    match (what, outcome) {
        (EffectKind::PrepareWorktree { attempt, .. }, EffectOutcome::WorktreeReady(ready)) => {
            step.fact(Fact::WorktreeMade { attempt, ready });
        }
        (EffectKind::PrepareWorktree { attempt, .. }, EffectOutcome::Failed { error }) => {
            attempt::give_up(step, attempt, AttemptResult::Failed, error);
        }
        (EffectKind::StartJob(start), EffectOutcome::JobStarted)
            if step.state.jobs.get(start.job).is_some_and(|job| job.is_live() && !job.ran) =>
        {
            step.fact(Fact::JobRan { job: start.job, task });
            let now = step.now;
            step.quiet.insert(start.job, now);
        }
        (EffectKind::StartJob(start), EffectOutcome::Failed { error }) => {
            jobs::not_started(step, start.job, &error);
        }
        (EffectKind::ReadBranch { branch, .. }, EffectOutcome::BranchRead(read)) => {
            if let Some(attempt) = trying(step.state, task, &branch) {
                step.fact(Fact::BranchKnown { attempt, read });
            }
        }
        (EffectKind::ReadBranch { branch, .. }, EffectOutcome::Failed { error }) => {
            if let Some(attempt) = trying(step.state, task, &branch) {
                attempt::give_up(step, attempt, AttemptResult::Failed, error);
            }
        }
        (EffectKind::BuildMerge { repo, what, .. }, EffectOutcome::MergeBuilt(built)) => {
            if wants(step.state, task, &what) {
                step.fact(Fact::CandidateBuilt { task, built });
            } else {
                let key = format!("{task}-merge-{}", built.commit.short());
                step.request(task, EffectKind::Archive { repo, worktree: built.path, branch: None, key });
            }
        }
        (EffectKind::BuildMerge { target, what, .. }, EffectOutcome::Conflict { files })
            if wants(step.state, task, &what) =>
        {
            conflict(step, task, &target, &files);
        }
        (EffectKind::BuildMerge { what, .. }, EffectOutcome::Failed { error })
            if wants(step.state, task, &what) =>
        {
            leave_merge(step, task, error);
        }
        (EffectKind::MoveTarget { to, .. }, EffectOutcome::TargetMoved) => target_moved(step, task, to),
        (EffectKind::MoveTarget { .. }, EffectOutcome::TargetStale) if is_merging(step.state, task) => {
            drop_candidate(step, task);
            step.fact(Fact::CandidateStale { task });
        }
        (EffectKind::MoveTarget { .. }, EffectOutcome::TargetRefused { reason }) => {
            leave_merge(step, task, reason);
        }
        (EffectKind::MoveTarget { .. }, EffectOutcome::Failed { error }) => leave_merge(step, task, error),
        (EffectKind::Type { .. }, EffectOutcome::Failed { error }) => {
            step.notice(task, NoticeKind::NeedsYou, format!("the answer was not typed: {error}"));
        }
        // The rest only says that it is done, or that it could not be; settle looks at what is.
        _ => {}
    }
}

/// The attempt that waits for this branch to be read; an answer about an older attempt's branch finds none.
fn trying(state: &State, id: TaskId, branch: &str) -> Option<crate::values::ids::AttemptId> {
    let task = state.tasks.get(&id).filter(|task| task.stage == Stage::Trying)?;
    task.open()
        .filter(|a| a.read.is_none())
        .filter(|a| branch_name(&task.launch.name, a.id) == branch)
        .map(|a| a.id)
}
