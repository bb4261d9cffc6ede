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
use crate::values::words::plural::verb;

/// The tasks that a launch waits for, each once: those on the board by name or number, and what has landed by number, on
/// the board or not.
pub(in crate::core) fn named(state: &State, launch: &Launch) -> Result<Vec<TaskId>, Refused> {
    let by_name = |name: &TaskName| state.repo(&launch.repo).and_then(|index| index.names.get(name)).copied();
    let by_number = |name: &TaskName| {
        let id = TaskId(name.as_str().strip_prefix('t')?.parse().ok()?);
        let here = state.tasks.get(&id).is_some_and(|task| task.launch.repo == launch.repo);
        (here || state.on_target.contains(&id)).then_some(id)
    };
    let mut all = Vec::new();
    for name in &launch.after {
        let Some(id) = by_name(name).or_else(|| by_number(name)) else {
            return Err(Refused::new(
                RefusedKind::NotFound,
                format!("there is no task {name} on the board of this repo to wait for"),
                "nopeek ls shows all tasks; one that has landed and was archived needs no waiting",
            ));
        };
        if !all.contains(&id) {
            all.push(id);
        }
    }
    Ok(all)
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

/// Those that this one waits for and that won't land by themselves, in their order: archived before they landed, taken
/// back from the target, or ended without.
fn lost(state: &State, task: &Task) -> (Vec<TaskId>, Vec<TaskId>, Vec<TaskId>) {
    let (mut archived, mut undone, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for id in unlanded(state, task) {
        match state.tasks.get(&id).map(|other| &other.stage) {
            None => archived.push(id),
            Some(Stage::RolledBack) => undone.push(id),
            Some(stage) if is_ended(stage) => ended.push(id),
            Some(_) => {}
        }
    }
    (archived, undone, ended)
}

/// Whether a waiting task waits for what can't come without a person.
#[must_use]
pub(in crate::core) fn needs_person(state: &State, task: &Task) -> bool {
    let (archived, undone, ended) = lost(state, task);
    matches!(task.stage, Stage::Queued { .. })
        && !(archived.is_empty() && undone.is_empty() && ended.is_empty())
}

/// For what a task waits, and what to do where that can't come by itself.
pub(in crate::core) fn words(state: &State, task: &Task) -> String {
    let list = |ids: &[TaskId]| ids.iter().map(|id| name(state, *id)).collect::<Vec<_>>().join(", ");
    let was = |ids: &[TaskId]| verb(ids.len(), "was", "were");
    let waits = format!("waits for {} to land", list(&unlanded(state, task).collect::<Vec<_>>()));
    let (archived, undone, ended) = lost(state, task);
    if !archived.is_empty() {
        let (gone, was) = (list(&archived), was(&archived));
        format!("{waits}, and {gone} {was} archived before: stop this, and launch it anew")
    } else if !undone.is_empty() {
        let (gone, was) = (list(&undone), was(&undone));
        format!("{waits}, and {gone} {was} rolled back: stop this, and launch it anew")
    } else if !ended.is_empty() {
        let (gone, has) = (list(&ended), verb(ended.len(), "has", "have"));
        let that = verb(ended.len(), "that", "those");
        format!("{waits}, and {gone} {has} ended unmerged: retry {that}, or launch this anew")
    } else {
        waits
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
