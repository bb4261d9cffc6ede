//! What the panel means for a task: whether a vote of it waits for a human, and what its merge commit cites.

use crate::core::model::panel::{Poll, short};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::rules::lookup::is_ended;
use crate::values::ids::TaskId;

/// Most decisions that a merge commit cites.
pub(in crate::core) const CITED_MAX: usize = 20;

/// Whether a poll waits for a human: nobody waits for that of a task that has ended or is gone.
pub(in crate::core) fn waits(state: &State, poll: &Poll) -> bool {
    let live = |id: &TaskId| state.tasks.get(id).is_some_and(|task| !is_ended(&task.stage));
    poll.decided().is_none() && poll.task.as_ref().is_none_or(live)
}

/// Whether a vote of a task waits for a human; its agent may wait for that too.
pub(in crate::core) fn asks(state: &State, task: &Task) -> bool {
    state.panels.all().any(|poll| poll.task == Some(task.id) && waits(state, poll))
}

/// What a task's merge commit says of the panel: a section with a line a decided vote, or nothing.
#[must_use]
pub(in crate::core) fn cited(state: &State, task: TaskId) -> String {
    let decided: Vec<&Poll> =
        state.panels.all().filter(|poll| poll.task == Some(task) && poll.decided().is_some()).collect();
    if decided.is_empty() {
        return String::new();
    }
    let mut section = String::from("\nPanel decisions:\n");
    for poll in decided.iter().take(CITED_MAX) {
        section.push_str(&format!("{} {} → {}\n", poll.id, short(&poll.question.text), poll.outcome()));
    }
    if let Some(more) = decided.len().checked_sub(CITED_MAX).filter(|more| *more > 0) {
        section.push_str(&format!("and {more} more, in the ledger\n"));
    }
    section
}
