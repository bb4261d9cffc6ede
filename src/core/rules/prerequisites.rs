//! What a task waits for: others that must land before it, and finished work that it may begin on (stacked work).
//!
//! Promises: a task starts only once all that it waits for is on the target, whatever became of the board: what was stopped,
//! rejected or archived before it landed never counts as landed. Stacked work never lands before what it stands on. A person
//! who reads it reads what is below it too, until that has landed.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::rules::lookup::is_ended;
use crate::values::ids::{TaskId, TaskName};

/// The tasks on the board that a launch waits for by name.
pub(in crate::core) fn named(state: &State, launch: &Launch) -> Result<Vec<TaskId>, Refused> {
    let find = |name: &TaskName| {
        let id = state.repo(&launch.repo).and_then(|index| index.names.get(name)).copied();
        id.ok_or_else(|| {
            Refused::new(
                RefusedKind::NotFound,
                format!("there is no task {name} to wait for"),
                "nopeek ls shows all tasks",
            )
        })
    };
    launch.after.iter().map(find).collect()
}

/// Tasks that must land before this one and have not.
pub(in crate::core) fn unlanded(state: &State, task: &Task) -> impl Iterator<Item = TaskId> {
    task.after.iter().copied().filter(|id| !state.on_target.contains(id))
}

/// What people call a task that another waits for; one that is off the board has its number alone.
#[must_use]
pub(in crate::core) fn name(state: &State, id: TaskId) -> String {
    state.tasks.get(&id).map_or_else(|| id.to_string(), |task| task.launch.name.to_string())
}

/// Whether a task waits for others to land, or at least to be finished where it may stand on them.
pub(in crate::core) fn waits(state: &State, task: &Task) -> bool {
    unlanded(state, task).next().is_some() && below(state, task).is_none()
}

/// For what a task waits, and what to do where that can't come by itself.
pub(in crate::core) fn words(state: &State, task: &Task) -> String {
    let missing: Vec<TaskId> = unlanded(state, task).collect();
    let list = |ids: &[TaskId]| ids.iter().map(|id| name(state, *id)).collect::<Vec<_>>().join(", ");
    let gone: Vec<TaskId> = missing.iter().copied().filter(|id| !state.tasks.contains_key(id)).collect();
    let ended = |id: &TaskId| state.tasks.get(id).is_some_and(|other| is_ended(&other.stage));
    let ended: Vec<TaskId> = missing.iter().copied().filter(ended).collect();
    let all = list(&missing);
    if !gone.is_empty() {
        let gone = list(&gone);
        format!("waits for {all} to land, and {gone} left the board unmerged: stop this, and launch it anew")
    } else if !ended.is_empty() {
        let ended = list(&ended);
        format!("waits for {all} to land, and {ended} has ended unmerged: retry that, or launch this anew")
    } else {
        format!("waits for {all} to land")
    }
}

/// What a waiting task may begin on: work that is green (and verified) and of the same spec, if that is all it waits for.
#[must_use]
pub(in crate::core) fn below<'a>(state: &'a State, task: &Task) -> Option<&'a Task> {
    let assignment = &task.launch.assignment;
    if !assignment.stack || assignment.spec.is_none() {
        return None;
    }
    let mut missing = unlanded(state, task);
    let (only, more) = (missing.next()?, missing.next());
    let finished = |other: &&Task| {
        let green = other.work().is_some_and(|a| a.result == Some(AttemptResult::Green));
        other.launch.assignment.spec == assignment.spec
            && green
            && matches!(other.stage, Stage::Review | Stage::Merging(_))
    };
    state.tasks.get(&only).filter(finished).filter(|_| more.is_none())
}

/// Paths that those may change on which a task stands, as long as they have not landed: their changes are on its branch.
#[must_use]
pub(in crate::core) fn touches_below(state: &State, task: &Task) -> Vec<String> {
    let mut touches = Vec::new();
    let mut todo = vec![task];
    // Each waits only for those launched before it, so this ends.
    while let Some(at) = todo.pop() {
        if !at.launch.assignment.stack {
            continue;
        }
        let below = unlanded(state, at).filter(|id| *id < at.id).filter_map(|id| state.tasks.get(&id));
        for other in below {
            touches.extend(other.launch.assignment.touches.iter().cloned());
            todo.push(other);
        }
    }
    touches
}

/// Whether a task may be merged: all that it waits for has landed.
#[must_use]
pub(in crate::core) fn may_merge(state: &State, task: &Task) -> bool {
    !task.launch.assignment.stack || unlanded(state, task).next().is_none()
}
