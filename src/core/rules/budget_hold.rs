//! What budgets hold back: reads what the outer loop has registered as closed or paused, and says why in words.

use crate::core::model::budget::Scope;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};

/// The budgets that a task draws on, beside its attempt's.
pub(in crate::core) fn shared(state: &State, task: &Task) -> Vec<Scope> {
    let mut scopes = Vec::new();
    if !task.launch.budget.task.is_empty() {
        scopes.push(Scope::Task(task.id));
    }
    let batches = state.budgets.batches.iter().filter(|(_, batch)| batch.tasks.contains(&task.id));
    scopes.extend(batches.map(|(name, _)| Scope::Batch(name.clone())));
    if has_day(state, &task.launch.repo) {
        scopes.push(Scope::Day(task.launch.repo.clone()));
    }
    scopes
}

fn has_day(state: &State, repo: &std::path::Path) -> bool {
    let rules = state.budgets.repos.get(repo).and_then(|of| of.rules);
    rules.is_some_and(|rules| !rules.day.is_empty())
}

/// Why a task's next attempt does not start, as far as budgets go.
pub(in crate::core) fn held(state: &State, task: &Task) -> Option<String> {
    if state.budgets.closed.is_empty() {
        return None;
    }
    let (scope, why) =
        shared(state, task).into_iter().find_map(|scope| state.budgets.closed.get_key_value(&scope))?;
    Some(format!("{why}: {}", remedy(scope, task)))
}

pub(in crate::core) fn remedy(scope: &Scope, task: &Task) -> String {
    match scope {
        Scope::Attempt(_) | Scope::Task(_) => format!("nopeek budget raise {}", task.launch.name),
        Scope::Batch(name) => format!("nopeek budget raise {name}"),
        Scope::Day(_) => "it goes on at midnight, or by nopeek budget raise day".to_owned(),
    }
}

/// Why a task is paused, if it is for a budget.
pub(in crate::core) fn why_paused(state: &State, task: &Task) -> Option<String> {
    state.budgets.paused.get(&task.id).filter(|_| task.paused).map(|(_, why)| why.to_string())
}

/// Whether a human must raise a budget before this task goes on; a new day helps by itself.
pub(in crate::core) fn waits_for_human(state: &State, task: &Task) -> bool {
    let closed = |scope: Scope| state.budgets.closed.contains_key(&scope);
    let queued = matches!(task.stage, Stage::Queued { .. }) && !task.paused;
    match state.budgets.paused.get(&task.id).filter(|_| task.paused) {
        Some((Scope::Attempt(_) | Scope::Task(_) | Scope::Batch(_), _)) => true,
        Some((Scope::Day(_), _)) => false,
        None => queued && closed(Scope::Task(task.id)),
    }
}
