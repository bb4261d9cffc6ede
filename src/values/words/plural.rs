//! A number with its noun: `1 commit`, `7 tasks`.

use std::fmt::Display;

/// The number and its noun, in the form that the number asks for: `1 try`, `0 tries`.
#[must_use]
pub fn of<N: Display + PartialEq + From<u8>>(n: N, one: &str, more: &str) -> String {
    let noun = if n == N::from(1) { one } else { more };
    format!("{n} {noun}")
}

/// The same of a noun that takes an `s`.
#[must_use]
pub fn s<N: Display + PartialEq + From<u8>>(n: N, one: &str) -> String {
    let s = if n == N::from(1) { "" } else { "s" };
    format!("{n} {one}{s}")
}
