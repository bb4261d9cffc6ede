//! Money, tokens and time in words.

use crate::values::time::Span;

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

/// `45s`, `3m`, `3m20s`, `2h`, `2h5m`.
#[must_use]
pub fn time(span: Span) -> String {
    let secs = span.0 / 1_000;
    match (secs / 3_600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, _) => format!("{h}h"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}
