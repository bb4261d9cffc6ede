//! Counts of tokens: `950`, `48.2k`, `1.5M`, `2G`.
//!
//! Grammar: a decimal number and an optional `k`, `M` or `G` (thousand, million, thousand million), small or capital; what
//! it comes to is a whole number.

use super::{Noun, ReadError, bounded, decimal, nonzero};

/// The units, the greatest first, as they are written.
const UNITS: [(u64, char); 3] = [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')];

/// Reads a count.
pub fn read(text: &str) -> Result<u64, ReadError> {
    let trimmed = bounded(text, Noun::Tokens)?;
    let unit = UNITS
        .iter()
        .find(|(_, word)| trimmed.ends_with([*word, word.to_ascii_lowercase(), word.to_ascii_uppercase()]));
    let (number, scale) = unit.map_or((trimmed, 1), |(scale, _)| (&trimmed[..trimmed.len() - 1], *scale));
    decimal(number, scale).map_err(|wrong| ReadError::new(text, Noun::Tokens, wrong))
}

/// Reads a count that limits something: not zero.
pub fn limit(text: &str) -> Result<u64, ReadError> {
    read(text).and_then(|count| nonzero(text, Noun::Tokens, count))
}

/// In at most five characters below 10^13, what is less than a digit shown cut off: `950`, `12.3k`, `999k`, `4.0M`.
#[must_use]
pub fn short(n: u64) -> String {
    let Some((scale, word)) = UNITS.iter().find(|(scale, _)| n >= *scale) else { return n.to_string() };
    let tenths = n / (scale / 10);
    if tenths >= 1_000 {
        format!("{}{word}", n / scale)
    } else {
        format!("{}.{}{word}", tenths / 10, tenths % 10)
    }
}

/// All of it: `2M`, `1.5M`, `48231`.
#[must_use]
pub fn exact(n: u64) -> String {
    let fits = |(scale, _): &&(u64, char)| n >= *scale && n.is_multiple_of(scale / 10);
    let Some((scale, word)) = UNITS.iter().find(fits) else { return n.to_string() };
    match n % scale / (scale / 10) {
        0 => format!("{}{word}", n / scale),
        tenth => format!("{}.{tenth}{word}", n / scale),
    }
}
