//! Budgets in words.

use crate::core::model::budget::{Allowance, Scope};
use crate::core::outer::budget::rules::Level;
use crate::values::words::{duration, money, tokens};

/// Whose budget, in words.
pub(in crate::core) fn of_scope(scope: &Scope) -> String {
    match scope {
        Scope::Attempt(_) => "its attempt's budget".to_owned(),
        Scope::Task(_) => "its budget".to_owned(),
        Scope::Batch(name) => format!("batch {name}'s budget"),
        Scope::Day(_) => "today's budget".to_owned(),
    }
}

/// `92 % of today's budget of $20.00 is used`, of what is used most.
pub(in crate::core) fn used_words(scope: &Scope, level: &Level) -> String {
    let (allowed, used) = (level.allowed, level.used);
    let all = [
        allowed.cost_microusd.map(|of| (used.cost_microusd, of, money::exact(of))),
        allowed.tokens.map(|of| (used.tokens, of, format!("{} tokens", tokens::exact(of)))),
        allowed.time.map(|of| (used.time.0, of.0, duration::exact(of))),
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
pub(in crate::core) fn words(of: Allowance) -> String {
    let parts: Vec<String> = [
        of.cost_microusd.map(money::exact),
        of.tokens.map(|n| format!("{} tokens", tokens::exact(n))),
        of.time.map(duration::exact),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "no limit".to_owned() } else { parts.join(", ") }
}
