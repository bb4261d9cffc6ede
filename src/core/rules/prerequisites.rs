//! What a task waits for: others that must land before it, and finished work that it may begin on (stacked work).
//!
//! Stacked work never lands before what it stands on. A person who reads it reads what is below it too, until that has landed.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::values::ids::TaskName;

/// Tasks of the same repo with this name.
pub(in crate::core) fn named<'a>(
    state: &'a State,
    task: &'a Task,
    name: &'a str,
) -> impl Iterator<Item = &'a Task> {
    let same =
        move |other: &&Task| other.launch.repo == task.launch.repo && other.launch.name.as_str() == name;
    state.tasks.values().filter(same)
}

/// Names of tasks that must land before this one and have not.
pub(in crate::core) fn unlanded<'a>(state: &'a State, task: &'a Task) -> impl Iterator<Item = &'a str> {
    task.launch
        .after
        .iter()
        .filter(move |name| {
            let mut known = false;
            let landed = named(state, task, name.as_str()).any(|other| {
                known = true;
                other.stage == Stage::Landed
            });
            known && !landed
        })
        .map(TaskName::as_str)
}

/// Whether a task waits for others to land, or at least to be finished where it may stand on them.
pub(in crate::core) fn waits(state: &State, task: &Task) -> bool {
    unlanded(state, task).next().is_some() && below(state, task).is_none()
}

/// What a waiting task may begin on: work that is green (and verified) and of the same spec, if that is all it waits for.
#[must_use]
pub(in crate::core) fn below<'a>(state: &'a State, task: &Task) -> Option<&'a Task> {
    let brief = &task.launch.brief;
    if !brief.stack || brief.spec.is_none() {
        return None;
    }
    let mut missing = task.launch.after.iter().filter(|name| !has_landed(state, task, name));
    let (only, more) = (missing.next()?, missing.next());
    let finished = |other: &&Task| {
        let green = other.work().is_some_and(|a| a.result == Some(AttemptResult::Green));
        of_name(task, only)(other)
            && other.launch.brief.spec == brief.spec
            && green
            && matches!(other.stage, Stage::Review | Stage::Merging(_))
    };
    state.tasks.values().find(finished).filter(|_| more.is_none())
}

/// Paths that those may change on which a task stands, as long as they have not landed: their changes are on its branch.
#[must_use]
pub(in crate::core) fn touches_below(state: &State, task: &Task) -> Vec<String> {
    let mut touches = Vec::new();
    let mut todo = vec![task];
    // Each waits only for those launched before it, so this ends.
    while let Some(at) = todo.pop() {
        for name in
            at.launch.after.iter().filter(|name| at.launch.brief.stack && !has_landed(state, at, name))
        {
            for other in state.tasks.values().filter(|other| of_name(at, name)(other) && other.id < at.id) {
                touches.extend(other.launch.brief.touches.iter().cloned());
                todo.push(other);
            }
        }
    }
    touches
}

/// Whether a task may be merged: all that it waits for has landed.
#[must_use]
pub(in crate::core) fn may_merge(state: &State, task: &Task) -> bool {
    !task.launch.brief.stack || unlanded(state, task).next().is_none()
}

fn of_name<'a>(task: &'a Task, name: &'a TaskName) -> impl Fn(&&Task) -> bool + 'a {
    move |other| other.launch.repo == task.launch.repo && other.launch.name == *name
}

fn has_landed(state: &State, task: &Task, name: &TaskName) -> bool {
    let mut known = state.tasks.values().filter(|other| of_name(task, name)(other)).peekable();
    known.peek().is_none() || known.any(|other| other.stage == Stage::Landed)
}
