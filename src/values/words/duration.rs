//! Durations: `90s`, `5m`, `1h30m`, `2d4h`, `1.5h`, `250ms`.
//!
//! Grammar: one or more of NUMBER UNIT, summed; blanks may stand between them. NUMBER is decimal; UNIT is `ms`, `s`, `m` or
//! `min`, `h`, `d`. A number needs its unit; nothing is finer than a millisecond.

use super::{Noun, ReadError, Wrong, bounded, decimal, nonzero};
use crate::values::time::Span;

/// Milliseconds of a second.
pub const SECOND: u64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE: u64 = 60 * SECOND;
/// Milliseconds of an hour.
pub const HOUR: u64 = 60 * MINUTE;
/// Milliseconds of a day of 24 hours.
pub const DAY: u64 = 24 * HOUR;

/// From this many days on the short form says days alone.
const DAYS_ALONE: u64 = 100;

/// Reads a duration.
pub fn read(text: &str) -> Result<Span, ReadError> {
    let trimmed = bounded(text, Noun::Duration)?;
    sum(trimmed).map(Span).map_err(|wrong| ReadError::new(text, Noun::Duration, wrong))
}

/// Reads a duration that limits something: not zero.
pub fn limit(text: &str) -> Result<Span, ReadError> {
    read(text).and_then(|span| nonzero(text, Noun::Duration, span.0)).map(Span)
}

/// Reads how long a command waits: as [`limit`], and a whole number alone is seconds, as scripts know it from timeout(1).
pub fn timeout(text: &str) -> Result<Span, ReadError> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { limit(&format!("{text}s")) } else { limit(text) }
}

fn sum(text: &str) -> Result<u64, Wrong> {
    if text.is_empty() {
        return Err(Wrong::Form);
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, behind) = split(behind.trim_start(), |c| c.is_ascii_alphabetic());
        let scale = match unit {
            "ms" => 1,
            "s" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "" if behind.is_empty() && decimal(number, 1) != Err(Wrong::Form) => return Err(Wrong::NoUnit),
            _ => return Err(Wrong::Form),
        };
        total = total.checked_add(decimal(number, scale)?).ok_or(Wrong::TooLarge)?;
        rest = behind.trim_start();
    }
    Ok(total)
}

/// What of the beginning is such characters, and the rest.
fn split(text: &str, such: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !such(c)).unwrap_or(text.len()))
}

/// In at most six characters up to 99,999 days: the two greatest units, what is less cut off: `950ms`, `12s`, `3m05s`,
/// `2h07m`, `3d04h`, `120d`.
#[must_use]
pub fn short(span: Span) -> String {
    let ms = span.0;
    match ms {
        0 => "0s".to_owned(),
        1..SECOND => format!("{ms}ms"),
        SECOND..MINUTE => format!("{}s", ms / SECOND),
        MINUTE..HOUR => format!("{}m{:02}s", ms / MINUTE, ms % MINUTE / SECOND),
        HOUR..DAY => format!("{}h{:02}m", ms / HOUR, ms % HOUR / MINUTE),
        _ if ms < DAYS_ALONE * DAY => format!("{}d{:02}h", ms / DAY, ms % DAY / HOUR),
        _ => format!("{}d", ms / DAY),
    }
}

/// In a sentence: the two greatest units down to minutes, what is less cut off: `950 ms`, `45 s`, `5 min`, `1 h 30 min`,
/// `3 d 4 h`.
#[must_use]
pub fn long(span: Span) -> String {
    let ms = span.0;
    let (great, small) = match ms {
        0 => return "0 s".to_owned(),
        1..SECOND => ((ms, "ms"), None),
        SECOND..MINUTE => ((ms / SECOND, "s"), None),
        MINUTE..HOUR => ((ms / MINUTE, "min"), None),
        HOUR..DAY => ((ms / HOUR, "h"), Some((ms % HOUR / MINUTE, "min"))),
        _ => ((ms / DAY, "d"), Some((ms % DAY / HOUR, "h"))),
    };
    match small {
        Some((n, unit)) if n > 0 => format!("{} {} {n} {unit}", great.0, great.1),
        _ => format!("{} {}", great.0, great.1),
    }
}

/// In a sentence, in whole minutes, never fewer than are left: what waits does not change its text each second.
#[must_use]
pub fn minutes(span: Span) -> String {
    let ms = span.0.checked_next_multiple_of(MINUTE).unwrap_or(span.0);
    if ms == 0 { "0 min".to_owned() } else { long(Span(ms)) }
}

/// All of it, in as few units as it takes: `90s` is `1m30s`, a day and a half `1d12h`, nothing `0s`.
#[must_use]
pub fn exact(span: Span) -> String {
    if span.0 == 0 {
        return "0s".to_owned();
    }
    let (mut rest, mut out) = (span.0, String::new());
    for (unit, word) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (1, "ms")] {
        if rest >= unit {
            out.push_str(&format!("{}{word}", rest / unit));
            rest %= unit;
        }
    }
    out
}
