//! Tasks of one spec that may change the same files: the later one waits for the earlier one to end.

use crate::core::model::assignment::Duty;
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::rules::lookup;
use crate::values::ids::{TaskId, TaskName};
use crate::values::pattern;

/// A task of the same spec that was launched before this one, has begun, and may change the same files.
#[must_use]
pub(in crate::core) fn collides_with<'a>(
    state: &'a State,
    task: &'a Task,
) -> Option<(&'a TaskName, &'a str)> {
    let spec = task.launch.assignment.spec?;
    let of_spec = state.specs.all.get(&spec)?;
    let memory = &of_spec.order.memory;
    let own: Vec<String> =
        task.launch.assignment.touches.iter().filter(|touch| *touch != memory).cloned().collect();
    if task.launch.assignment.duty != Duty::Build || own.is_empty() {
        return None;
    }
    let mut earlier: Vec<TaskId> = of_spec.tasks.values().copied().filter(|id| *id < task.id).collect();
    earlier.sort_unstable();
    earlier.into_iter().filter_map(|id| state.tasks.get(&id)).find_map(|other| {
        let assignment = &other.launch.assignment;
        let same = assignment.duty == Duty::Build;
        let ordered = other.after.contains(&task.id) || task.after.contains(&other.id);
        if !same || lookup::is_ended(&other.stage) || ordered {
            return None;
        }
        let others: Vec<String> =
            assignment.touches.iter().filter(|touch| *touch != memory).cloned().collect();
        let own_place = pattern::collide(&own, &others)?;
        let place = task.launch.assignment.touches.iter().find(|touch| *touch == own_place)?;
        Some((&other.launch.name, place.as_str()))
    })
}
