//! Checks: tasks in which no agent works, and which only run the gates of the target as it is.
//!
//! Owns what a green check means for the spec or the batch that asked for it. There is nothing to review: its task is taken
//! off the board in the same step.

use crate::core::model::assignment::Duty;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::task::{Stage, Task};
use crate::core::outer::batch;
use crate::core::outer::spec::coordinator;
use crate::core::rules::step::Step;
use crate::core::rules::task;
use crate::values::ids::TaskId;

/// Passes green checks on to who waits for them.
pub(in crate::core) fn settle(step: &mut Step<'_>) {
    let is_green = |task: &&Task| {
        task.launch.assignment.duty == Duty::Check
            && task.stage == Stage::Stopped
            && task.work().is_some_and(|attempt| attempt.result == Some(AttemptResult::Green))
    };
    let green: Vec<TaskId> = step.state.tasks.values().filter(is_green).map(|task| task.id).collect();
    for id in green {
        coordinator::checked(step, id);
        batch::checked(step, id);
        // One whose processes are still being ended goes with a later step.
        let _ = task::forget(step, id);
    }
}
