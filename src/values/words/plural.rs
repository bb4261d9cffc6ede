//! Counts in words: `1 commit`, `2 commits`, `1 needs you`, `7 need you`.
//!
//! Every text for people that counts something goes through here, so that none says `1 commits` or `commit(s)`.

use std::fmt::Display;

/// A number and its noun, given in the singular: `counted(2, "branch")` is `2 branches`.
#[must_use]
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(n: N, one: &str) -> String {
    format!("{n} {}", noun(n, one))
}

/// The noun alone, in the form that `n` of it take.
#[must_use]
pub fn noun<N: PartialEq + From<u8>>(n: N, one: &str) -> String {
    if n == N::from(1) {
        return one.to_owned();
    }
    let before_y = one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = before_y {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| one.ends_with(end));
    format!("{one}{}", if hisses { "es" } else { "s" })
}

/// Of two forms of a verb the one that goes with `n`: `verb(1, "needs", "need")` is `needs`.
#[must_use]
pub fn verb<N: PartialEq + From<u8>>(n: N, one: &'static str, many: &'static str) -> &'static str {
    if n == N::from(1) { one } else { many }
}

/// A number and the form of a word that goes with it: `of(1, "waits for", "wait for")` is `1 waits for`.
#[must_use]
pub fn of<N: Copy + Display + PartialEq + From<u8>>(n: N, one: &'static str, many: &'static str) -> String {
    format!("{n} {}", verb(n, one, many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_else_is_plural() {
        let texts: Vec<String> = [0_u32, 1, 2].into_iter().map(|n| counted(n, "commit")).collect();
        assert_eq!(texts, ["0 commits", "1 commit", "2 commits"]);
        assert_eq!([0_usize, 1, 7].map(|n| verb(n, "needs", "need")), ["need", "needs", "need"]);
    }

    #[test]
    fn nouns_that_do_not_take_a_bare_s() {
        for (one, many) in [
            ("branch", "branches"),
            ("review pass", "review passes"),
            ("entry", "entries"),
            ("day", "days"),
            ("file", "files"),
        ] {
            assert_eq!(noun(2_u64, one), many);
        }
    }
}
