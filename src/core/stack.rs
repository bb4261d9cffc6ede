//! Stacked work: a task that begins on what another has finished, before that has landed.
//!
//! Owns when it may, from where its branch starts, and that it never lands before what it stands on. A person who reads it
//! reads what is below it too, until that has landed.

use super::ids::TaskName;
use super::queue;
use super::state::{Stage, State, Task};
use super::view::AttemptResult;

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
    !task.launch.brief.stack || queue::unlanded(state, task).next().is_none()
}

fn of_name<'a>(task: &'a Task, name: &'a TaskName) -> impl Fn(&&Task) -> bool + 'a {
    move |other| other.launch.repo == task.launch.repo && other.launch.name == *name
}

fn has_landed(state: &State, task: &Task, name: &TaskName) -> bool {
    let mut known = state.tasks.values().filter(|other| of_name(task, name)(other)).peekable();
    known.peek().is_none() || known.any(|other| other.stage == Stage::Landed)
}
