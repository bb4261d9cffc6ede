//! Text from outside, made safe to show: control, bidi and zero-width characters become visible.
//!
//! Everything that an agent, a repo or a file named and that nopeek prints in its own chrome (branch,
//! path, subject, title, question) goes through [`Shown`]; a terminal can't be driven through it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One line of outside text without a character that acts on a terminal or hides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Shown(String);

impl Shown {
    /// Longest text kept, in characters; the rest is cut and marked with an ellipsis.
    pub const MAX: usize = 2_000;

    /// Makes `text` visible; line breaks and tabs become pictures too.
    #[must_use]
    pub fn line(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for (n, c) in text.chars().enumerate() {
            if n == Self::MAX {
                out.push('…');
                break;
            }
            push_visible(&mut out, c);
        }
        Self(out)
    }

    /// The lines of `text`, each made visible; tabs become spaces up to the next multiple of four.
    #[must_use]
    pub fn lines(text: &str) -> Vec<Self> {
        text.lines()
            .map(|line| {
                let mut out = String::with_capacity(line.len());
                for (n, c) in line.chars().enumerate() {
                    if n == Self::MAX {
                        out.push('…');
                        break;
                    }
                    if c == '\t' {
                        let fill = 4 - out.chars().count() % 4;
                        out.extend(std::iter::repeat_n(' ', fill));
                    } else {
                        push_visible(&mut out, c);
                    }
                }
                Self(out)
            })
            .collect()
    }

    /// The visible text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('�')),
        '\u{7f}' => out.push('␡'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => {
            use fmt::Write as _;
            // Writing to a String can't fail.
            let _ = write!(out, "<U+{:04X}>", c as u32);
        }
        _ => out.push(c),
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::line(&text)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::line(text)
    }
}

impl From<Shown> for String {
    fn from(text: Shown) -> Self {
        text.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_gets_through() {
        let shown = Shown::line("a\x1b[31m\u{202e}b\u{200b}\n\u{9b}c\u{e0041}");
        assert_eq!(shown.as_str(), "a␛[31m<U+202E>b<U+200B>␊<U+009B>c<U+E0041>");
        assert_eq!(Shown::from(String::from(shown.clone())), shown, "making visible is idempotent");
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(Shown::line(&"x".repeat(9_999)).as_str().chars().count(), Shown::MAX + 1);
    }

    #[test]
    fn tabs_in_lines_become_spaces() {
        assert_eq!(Shown::lines("a\tb\n\tc"), [Shown::from("a   b"), Shown::from("    c")]);
    }
}
