//! The timeline's data, for the page's picture and the terminal's chart alike: since when a task shows, and the sign and the
//! look of where it stands and of how an attempt came out.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::task::TaskState;
use crate::report::TaskReport;
use crate::values::time::Time;

/// How something looks; each medium has its own colour for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Green, landed.
    Good,
    /// Red, failed, rolled back.
    Bad,
    /// A human must act, or has sent it back.
    NeedsYou,
    /// It can't go on, and a human must act.
    Stuck,
    /// Under way.
    Running,
    /// Not begun.
    Waiting,
    /// Ended without work that counts.
    Over,
}

/// When the first of a task that the timeline shows happened.
#[must_use]
pub fn began(task: &TaskReport) -> Time {
    task.attempts.first().map_or(task.created, |attempt| attempt.opened).min(task.created)
}

/// How an attempt came out; none: it is under way.
#[must_use]
pub const fn result(result: Option<AttemptResult>) -> Look {
    match result {
        None => Look::Running,
        Some(AttemptResult::Green | AttemptResult::Reviewed) => Look::Good,
        Some(
            AttemptResult::Red
            | AttemptResult::Failed
            | AttemptResult::TimedOut
            | AttemptResult::MergeFailed
            | AttemptResult::OverBudget,
        ) => Look::Bad,
        Some(AttemptResult::SentBack) => Look::NeedsYou,
        Some(AttemptResult::NoWork | AttemptResult::Stopped | AttemptResult::Interrupted) => Look::Over,
    }
}

/// A sign for where a task stands, and its look.
#[must_use]
pub const fn state(state: TaskState) -> (char, Look) {
    match state {
        TaskState::Landed => ('◆', Look::Good),
        TaskState::RolledBack => ('◇', Look::Bad),
        TaskState::Stopped | TaskState::Rejected => ('■', Look::Over),
        TaskState::Stuck => ('!', Look::Stuck),
        TaskState::Asking | TaskState::Review | TaskState::Interrupted => ('!', Look::NeedsYou),
        TaskState::Preparing | TaskState::Working | TaskState::Gating => ('▸', Look::Running),
        TaskState::Merging | TaskState::RollingBack => ('▸', Look::Running),
        TaskState::Queued => ('·', Look::Waiting),
    }
}
