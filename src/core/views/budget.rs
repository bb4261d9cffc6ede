//! Budgets as clients see them.

use crate::core::model::budget::{Allowance, Scope, Spent};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::outer::budget::rules::level;
use crate::core::rules::usage::of_task;
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// All budgets, and what was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// Days first, then batches, then tasks.
    pub scopes: Vec<ScopeView>,
}

/// A budget and how far it is used; without limits it only tells what was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    /// `day`, `batch`, `task` or `attempt`.
    pub kind: String,
    /// The task's, the batch's name; the repo's folder of a day.
    pub name: String,
    pub repo: PathBuf,
    /// What may be used.
    pub allowed: Allowance,
    pub used: Spent,
    /// The largest share of what is limited, in percent.
    pub percent: Option<u32>,
    /// From this share on nothing new starts.
    pub start_share: Option<u8>,
    /// Nothing new starts now.
    pub closed: bool,
    /// Why not; empty if it does.
    pub why: Shown,
}

/// All budgets of a state.
pub(in crate::core) fn budgets(state: &State, now: Time) -> BudgetView {
    let mut scopes: Vec<(Scope, String, PathBuf, Spent)> = Vec::new();
    for repo in state.budgets.repos.keys() {
        let name = repo.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        scopes.push((Scope::Day(repo.clone()), name, repo.clone(), Spent::default()));
    }
    for (name, batch) in &state.budgets.batches {
        scopes.push((Scope::Batch(name.clone()), name.clone(), batch.repo.clone(), Spent::default()));
    }
    for task in state.tasks.values() {
        let (name, repo) = (task.launch.name.to_string(), task.launch.repo.clone());
        scopes.push((Scope::Task(task.id), name.clone(), repo.clone(), of_task(state, task, now)));
        if let Some(attempt) = task.attempt().filter(|a| a.result.is_none()) {
            scopes.push((Scope::Attempt(attempt.id), name, repo, Spent::default()));
        }
    }
    let views = scopes.into_iter().filter_map(|(scope, name, repo, used)| {
        let level = level(state, &scope, now);
        let is_task = matches!(scope, Scope::Task(_));
        if level.is_none() && !(is_task && used != Spent::default()) {
            return None;
        }
        Some(ScopeView {
            kind: kind(&scope).to_owned(),
            name,
            repo,
            allowed: level.map(|of| of.allowed).unwrap_or_default(),
            used: level.map_or(used, |of| of.used),
            percent: level.and_then(|of| of.percent()),
            start_share: level.map(|of| of.start_share),
            closed: state.budgets.closed.contains_key(&scope),
            why: Shown::line(&level.map(|of| of.why(&scope)).unwrap_or_default()),
        })
    });
    BudgetView { scopes: views.collect() }
}

/// The largest share of its own budgets that a task has used, in percent.
pub(in crate::core) fn percent_of_task(state: &State, task: &Task, now: Time) -> Option<u32> {
    let attempt = task.attempt().filter(|a| a.result.is_none()).map(|a| Scope::Attempt(a.id));
    let scopes = attempt.into_iter().chain([Scope::Task(task.id)]);
    scopes.filter_map(|scope| level(state, &scope, now)?.percent()).max()
}

const fn kind(scope: &Scope) -> &'static str {
    match scope {
        Scope::Attempt(_) => "attempt",
        Scope::Task(_) => "task",
        Scope::Batch(_) => "batch",
        Scope::Day(_) => "day",
    }
}
