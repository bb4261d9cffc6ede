//! What can be done to a task where it stands: what the hints show, and what `open` does.
//!
//! Only a matter of what is shown: every command is judged by the daemon, and its refusals are shown.

use super::action::Action;
use super::known::{Known, is_sealed, may_type};
use crate::core::model::task::TaskState;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::board::TaskView;
use crate::core::views::spec::SpecLine;

/// The actions that fit best, most wanted first.
pub(super) fn of(task: &TaskView) -> Vec<Action> {
    let mut all = match task.state {
        TaskState::Asking => vec![Action::Answer, Action::Pause, Action::Stop],
        TaskState::Queued => vec![Action::Sooner, Action::Later, Action::Pause, Action::Stop],
        TaskState::Preparing | TaskState::Working | TaskState::Gating => {
            vec![Action::Pause, Action::Gates, Action::Stop]
        }
        TaskState::Review => {
            vec![Action::Review, Action::Approve, Action::SendBack, Action::Reject, Action::Screen]
        }
        TaskState::Merging | TaskState::RollingBack => vec![Action::Gates, Action::Review, Action::Pause],
        TaskState::Stuck => vec![Action::Retry, Action::Land, Action::Review, Action::Gates, Action::Reject],
        TaskState::Interrupted => vec![Action::Resume, Action::Retry, Action::Reject, Action::Screen],
        TaskState::Landed => vec![Action::Review, Action::Rollback, Action::Forget],
        TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => {
            vec![Action::Review, Action::Retry, Action::Forget]
        }
    };
    let Some(attempt) = task.attempt().filter(|attempt| attempt.exit.is_none() && attempt.job.is_some())
    else {
        return all;
    };
    if is_sealed(attempt) {
        all.insert(all.len() - 1, Action::Peek);
    } else if may_type(attempt) {
        all.insert(0, Action::Screen);
        if attempt.peeked {
            all.push(Action::Cover);
        }
    }
    all
}

/// What can be done to a spec that is chosen on the board.
pub(super) fn of_spec(spec: &SpecLine) -> Vec<Action> {
    match spec.stage {
        SpecStage::SpecReady | SpecStage::PlanReady => {
            vec![Action::Open, Action::Review, Action::Approve, Action::SendBack, Action::Stop]
        }
        SpecStage::Stopped => vec![Action::Open, Action::Resume, Action::Forget],
        SpecStage::Done => vec![Action::Open, Action::Forget],
        SpecStage::Drafting
        | SpecStage::Planning
        | SpecStage::Building
        | SpecStage::Soaking
        | SpecStage::Stuck => vec![Action::Open, Action::Stop],
    }
}

/// What `open` does.
pub(super) fn open(known: &Known, task: &TaskView) -> Action {
    match task.state {
        TaskState::Asking if task.attempt().is_none_or(is_sealed) => Action::Answer,
        _ if known.vote_of(task.id).is_some() => Action::Answer,
        TaskState::Review | TaskState::Landed | TaskState::RolledBack | TaskState::Merging => Action::Review,
        _ => Action::Screen,
    }
}
