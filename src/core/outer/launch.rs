//! Launching and resuming tasks where budgets have a say: the rules of one task, with what a launch or a resume means for
//! the budgets of its repo.
//!
//! Promises: what is refused is refused before anything is decided.

use crate::core::model::refused::Refused;
use crate::core::model::task::Launch;
use crate::core::outer::budget::rules as budgets;
use crate::core::rules::step::Step;
use crate::core::rules::{prerequisites, queue, task};
use crate::values::ids::TaskId;

/// Creates a task that waits for those that its launch names.
pub(in crate::core) fn launch(step: &mut Step<'_>, launch: Launch) -> Result<TaskId, Refused> {
    let after = prerequisites::named(step.state, &launch)?;
    launch_after(step, launch, after)
}

/// Creates a task that waits for these to land; the repo's budgets are those that it brings, if it brings any.
pub(in crate::core) fn launch_after(
    step: &mut Step<'_>,
    launch: Launch,
    after: Vec<TaskId>,
) -> Result<TaskId, Refused> {
    budgets::sound(&launch.budget)?;
    let (repo, budget) = (launch.repo.clone(), launch.budget);
    let task = queue::launch(step, launch, after)?;
    budgets::launched(step, &repo, budget);
    Ok(task)
}

/// Lets a task go on. One that was paused for a budget may finish its attempt, whatever that uses.
pub(in crate::core) fn resume(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let excused = budgets::paused_attempt(step.state, id);
    task::resume(step, id)?;
    if let Some(attempt) = excused {
        budgets::excuse(step, attempt);
    }
    Ok(())
}
