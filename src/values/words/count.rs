//! Whole numbers: `0`, `3`, `200`.
//!
//! Grammar: digits, no sign, no unit. What counts something that must be there (attempts, runs, lines) is [`limit`]'s: from
//! 1 on, the same on the command line, in forms and in TOML.

use super::{Noun, ReadError, Wrong, bounded, nonzero};
use std::ops::RangeInclusive;

/// What counts something that must be there.
pub const FROM_ONE: RangeInclusive<u32> = 1..=u32::MAX;

/// Reads a number from 0 on.
pub fn read<N: TryFrom<u64>>(text: &str) -> Result<N, ReadError> {
    number(text, Noun::Whole).and_then(|n| fits(text, Noun::Whole, n))
}

/// Reads a number of [`FROM_ONE`].
pub fn limit(text: &str) -> Result<u32, ReadError> {
    let n = number(text, Noun::Count).and_then(|n| nonzero(text, Noun::Count, n))?;
    fits(text, Noun::Count, n)
}

fn number(text: &str, noun: Noun) -> Result<u64, ReadError> {
    let trimmed = bounded(text, noun)?;
    if trimmed.is_empty() || !trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ReadError::new(text, noun, Wrong::Form));
    }
    trimmed.parse().map_err(|_| ReadError::new(text, noun, Wrong::TooLarge))
}

fn fits<N: TryFrom<u64>>(text: &str, noun: Noun, n: u64) -> Result<N, ReadError> {
    N::try_from(n).map_err(|_| ReadError::new(text, noun, Wrong::TooLarge))
}
