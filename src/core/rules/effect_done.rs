//! What came of an effect, and what that means for its task. Stale and doubled answers change nothing.

use crate::core::model::attempt::{AttemptResult, branch_name};
use crate::core::model::effect::{Effect, Work};
use crate::core::model::event::Outcome;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::rules::merge::{conflict, drop_candidate, is_merging, leave_merge, target_moved, wants};
use crate::core::rules::turn::Turn;
use crate::core::rules::{attempt, jobs};
use crate::values::ids::{EffectId, TaskId};

/// The world answers an effect. Stale and doubled answers find nothing open and change nothing.
///
/// Gives back what was done for no task: that is for who asked for it to know.
pub(in crate::core) fn answered(
    turn: &mut Turn<'_>,
    id: EffectId,
    outcome: Outcome,
) -> Option<(Work, Outcome)> {
    let (Effect { what, .. }, task) = turn.state.open.get(&id).cloned()?;
    turn.fact(Fact::Settled { effect: id, task });
    if task == TaskId::NONE {
        return Some((what, outcome));
    }
    if turn.state.tasks.contains_key(&task) {
        of_task(turn, task, what, outcome);
    }
    None
}

fn of_task(turn: &mut Turn<'_>, task: TaskId, what: Work, outcome: Outcome) {
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
        (Work::StartJob(start), Outcome::Failed { error }) => jobs::not_started(turn, start.job, &error),
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
fn trying(state: &State, id: TaskId, branch: &str) -> Option<crate::values::ids::AttemptId> {
    let task = state.tasks.get(&id).filter(|task| task.stage == Stage::Trying)?;
    task.open()
        .filter(|a| a.read.is_none())
        .filter(|a| branch_name(&task.launch.name, a.id) == branch)
        .map(|a| a.id)
}
