//! Budgets in words, and as clients see them.

use super::rules::{Level, level};
use super::spent::of_task;
use super::{Allowance, Scope, Spent};
use crate::core::state::{State, Task};
use crate::core::text::Shown;
use crate::core::time::{Span, Time};
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
    /// Its repo.
    pub repo: PathBuf,
    /// What may be used.
    pub allowed: Allowance,
    /// What was used.
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

/// Whose budget, in words.
pub(super) fn of_scope(scope: &Scope) -> String {
    match scope {
        Scope::Attempt(_) => "its attempt's budget".to_owned(),
        Scope::Task(_) => "its budget".to_owned(),
        Scope::Batch(name) => format!("batch {name}'s budget"),
        Scope::Day(_) => "today's budget".to_owned(),
    }
}

/// `92 % of today's budget of $20.00 is used`, of what is used most.
pub(super) fn used_words(scope: &Scope, level: &Level) -> String {
    let (allowed, used) = (level.allowed, level.used);
    let all = [
        allowed.cost_microusd.map(|of| (used.cost_microusd, of, money(of))),
        allowed.tokens.map(|of| (used.tokens, of, format!("{} tokens", tokens(of)))),
        allowed.time.map(|of| (used.time.0, of.0, time(of))),
    ];
    let most = all
        .into_iter()
        .flatten()
        .map(|(used, of, words)| (u128::from(used) * 100 / u128::from(of.max(1)), words))
        .max_by_key(|(percent, _)| *percent);
    most.map_or_else(String::new, |(percent, words)| {
        format!("{percent} % of {} of {words} is used", of_scope(scope))
    })
}

/// What is allowed, in words.
pub(super) fn words(of: Allowance) -> String {
    let parts: Vec<String> =
        [of.cost_microusd.map(money), of.tokens.map(|n| format!("{} tokens", tokens(n))), of.time.map(time)]
            .into_iter()
            .flatten()
            .collect();
    if parts.is_empty() { "no limit".to_owned() } else { parts.join(", ") }
}

/// `$1.25`; what is less than a cent has more digits.
#[must_use]
pub fn money(microusd: u64) -> String {
    if microusd > 0 && microusd < 10_000 {
        format!("$0.{:04}", (microusd / 100).max(1))
    } else {
        format!("${}.{:02}", microusd / 1_000_000, microusd / 10_000 % 100)
    }
}

/// `950`, `48.2k`, `2M`.
#[must_use]
pub fn tokens(n: u64) -> String {
    let (unit, word) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (1_000, 'k'),
        _ => (1_000_000, 'M'),
    };
    let (whole, tenth) = (n / unit, n % unit * 10 / unit);
    if tenth == 0 { format!("{whole}{word}") } else { format!("{whole}.{tenth}{word}") }
}

fn time(span: Span) -> String {
    let secs = span.0 / 1_000;
    match (secs / 3_600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, _) => format!("{h}h"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}
