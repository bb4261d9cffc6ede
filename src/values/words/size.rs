//! Sizes in bytes: `64 KiB`, `64M`, `2.0 kB`.
//!
//! Grammar: a decimal number and its unit, blanks between them or not. `B`; `kB` (or `KB`), `MB`, `GB`, `TB` are powers of
//! 1,000; `KiB`, `MiB`, `GiB`, `TiB`, and `K` (or `k`), `M`, `G`, `T` alone, are powers of 1,024. A number needs its unit.

use super::{Noun, ReadError, Wrong, bounded, decimal};

/// What is shown, the greatest first.
const SHORT: [(u64, &str); 4] =
    [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
/// What limits are written in, the greatest first.
const EXACT: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

/// Reads a size.
pub fn read(text: &str) -> Result<u64, ReadError> {
    let wrong = |wrong| ReadError::new(text, Noun::Size, wrong);
    let trimmed = bounded(text, Noun::Size)?;
    let at = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
    let (number, unit) = (trimmed[..at].trim_end(), &trimmed[at..]);
    let of = |table: &[(u64, &str)]| table.iter().find(|(_, word)| *word == unit).map(|(scale, _)| *scale);
    let scale = match unit {
        "" if decimal(number, 1) != Err(Wrong::Form) => return Err(wrong(Wrong::NoUnit)),
        "B" => 1,
        "KB" => 1_000,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => of(&SHORT).or_else(|| of(&EXACT)).ok_or_else(|| wrong(Wrong::Form))?,
    };
    decimal(number, scale).map_err(wrong)
}

/// In at most eight characters below 10^16, in powers of 1,000, what is less than a digit shown cut off: `950 B`, `2.0 kB`,
/// `999 kB`.
#[must_use]
pub fn short(bytes: u64) -> String {
    let Some((scale, word)) = SHORT.iter().find(|(scale, _)| bytes >= *scale) else {
        return format!("{bytes} B");
    };
    let tenths = bytes / (scale / 10);
    if tenths >= 1_000 {
        format!("{} {word}", bytes / scale)
    } else {
        format!("{}.{} {word}", tenths / 10, tenths % 10)
    }
}

/// All of it, in the greatest power of 1,024 that divides it: `256 KiB`, `1 MiB`, `1001 B`.
#[must_use]
pub fn exact(bytes: u64) -> String {
    let divides = |(scale, _): &&(u64, &str)| bytes > 0 && bytes.is_multiple_of(*scale);
    let (scale, word) = EXACT.iter().find(divides).copied().unwrap_or((1, "B"));
    format!("{} {word}", bytes / scale)
}
