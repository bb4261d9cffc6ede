//! Budgets in words.

use crate::core::model::budget::{Allowance, Scope};
use crate::core::outer::budget::rules::Level;
use crate::values::time::Span;

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
pub(in crate::core) fn words(of: Allowance) -> String {
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
