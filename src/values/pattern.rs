//! Patterns of paths inside a repo: `src/**`, `*.sql`, `docs/`, `web/*.{ts,tsx}`.
//!
//! Promises: what can be read can be matched within a bound, and whether two patterns can name one path is answered
//! exactly (`a/*` and `*/b` can, `a/*.rs` and `a/*.md` can't). Knows no files: a path is a text with slashes.
//!
//! | written | names |
//! |---|---|
//! | `src/main.rs`, `docs`, `docs/` | that path and all below it |
//! | `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}` | within one part of a path: any text, one character, one of these, either |
//! | `**` between slashes | any number of folders, none too |
//! | `*.sql` (a wildcard, no slash) | such files in every folder |
//! | `\*` | the character itself |

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest pattern, in bytes: longer than any path that people write by hand.
const LENGTH_MAX: usize = 500;

/// Most patterns that the `{…}` of one may stand for.
const ALTERNATIVES_MAX: usize = 64;

/// Paths of a repo, as people name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    /// A path that one of these matches is meant.
    alternatives: Vec<Vec<Part>>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct PatternError {
    pub what: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**`: any number of parts.
    Folders,
    Name(Vec<Token>),
}

/// A piece of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// `*`: any text.
    Text,
    Char(char),
    /// One character out of these ranges, ends included.
    Of(Vec<(char, char)>),
}

/// Every character that may stand in a part.
const ANY: [(char, char); 2] = [('\0', '.'), ('0', char::MAX)];

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = |what: String, remedy| Err(PatternError { what, remedy });
        if text.trim().is_empty() {
            return wrong("a pattern is empty".to_owned(), "write a path as src/** or docs/");
        }
        if text.len() > LENGTH_MAX {
            return wrong(
                format!("a pattern is longer than {LENGTH_MAX} bytes"),
                "write several shorter ones",
            );
        }
        if text.starts_with('!') {
            return wrong(
                format!("{text:?} begins with `!`: a pattern takes nothing out"),
                "name what is meant; write \\! for a file whose name begins with it",
            );
        }
        if text.starts_with('/') {
            return wrong(
                format!("{text:?} begins with a slash"),
                "paths begin at the repo's root: leave the slash out",
            );
        }
        let mut alternatives = Vec::new();
        for plain in unfold(text)? {
            alternatives.push(parts(text, &plain)?);
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// Whether `path`, relative to the repo's root, is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<Part> =
            path.split('/').map(|name| Part::Name(name.chars().map(Token::Char).collect())).collect();
        self.alternatives.iter().any(|parts| are_one(parts, &path))
    }

    /// Whether there can be a path that both mean.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.alternatives.iter().any(|a| other.alternatives.iter().any(|b| are_one(a, b)))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

/// The patterns without `{…}` that one stands for.
fn unfold(text: &str) -> Result<Vec<String>, PatternError> {
    let wrong = |what: String, remedy| Err(PatternError { what, remedy });
    let (mut open, mut done) = (vec![text.to_owned()], Vec::new());
    while let Some(text) = open.pop() {
        let Some((before, choices, after)) = braces(&text)? else {
            done.push(text);
            continue;
        };
        if open.len() + done.len() + choices.len() > ALTERNATIVES_MAX {
            return wrong(
                format!("{text:?} stands for more than {ALTERNATIVES_MAX} patterns"),
                "write several patterns",
            );
        }
        open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
    }
    Ok(done)
}

/// The first `{…}` of a text: what is before it, its choices, what is after it.
#[expect(clippy::type_complexity, reason = "three pieces of one text, named above")]
fn braces(text: &str) -> Result<Option<(&str, Vec<&str>, &str)>, PatternError> {
    let (mut depth, mut begin, mut from) = (0usize, 0, 0);
    let (mut choices, mut escaped) = (Vec::new(), false);
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '{' => {
                if depth == 0 {
                    (begin, from) = (at, at + 1);
                }
                depth += 1;
            }
            ',' if depth == 1 => {
                choices.push(&text[from..at]);
                from = at + 1;
            }
            '}' if depth == 1 => {
                choices.push(&text[from..at]);
                return Ok(Some((&text[..begin], choices, &text[at + 1..])));
            }
            '}' if depth > 1 => depth -= 1,
            _ => {}
        }
    }
    if depth > 0 {
        return Err(PatternError {
            what: format!("{text:?} has a {{ without its }}"),
            remedy: "close it, or write \\{ for the character",
        });
    }
    Ok(None)
}

/// Reads a pattern that has no `{…}` any more; `whole` is what people wrote.
fn parts(whole: &str, text: &str) -> Result<Vec<Part>, PatternError> {
    let wrong = |what: String, remedy| Err(PatternError { what, remedy });
    let is_folder = text.ends_with('/');
    let text = text.strip_prefix("./").unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    let mut parts = Vec::new();
    for name in text.split('/') {
        match name {
            "" => return wrong(format!("{whole:?} has an empty part"), "write one slash between two names"),
            "." | ".." => {
                return wrong(
                    format!("{whole:?} has a part {name}"),
                    "write the path from the repo's root, without . and ..",
                );
            }
            "**" => parts.push(Part::Folders),
            _ => parts.push(Part::Name(tokens(whole, name)?)),
        }
    }
    let is_wild = parts.iter().any(|part| match part {
        Part::Folders => true,
        Part::Name(tokens) => tokens.iter().any(|token| !matches!(token, Token::Char(_))),
    });
    if is_wild && parts.len() == 1 && !is_folder {
        parts.insert(0, Part::Folders);
    }
    if is_folder || !is_wild {
        parts.push(Part::Folders);
    }
    Ok(parts)
}

fn tokens(whole: &str, name: &str) -> Result<Vec<Token>, PatternError> {
    let wrong = |what: String, remedy| Err(PatternError { what, remedy });
    let mut tokens = Vec::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if tokens.last() == Some(&Token::Text) => {
                return wrong(
                    format!("{whole:?} has a ** beside other characters"),
                    "** stands alone between slashes: src/**/*.rs",
                );
            }
            '*' => Token::Text,
            '?' => Token::Of(ANY.to_vec()),
            '[' => match class(&mut chars) {
                Some(ranges) => Token::Of(ranges),
                None => {
                    return wrong(
                        format!("{whole:?} has a [ that is not closed or holds nothing"),
                        "write [a-z] or [!a-z], or \\[ for the character",
                    );
                }
            },
            '\\' => match chars.next() {
                Some(c) => Token::Char(c),
                None => {
                    return wrong(
                        format!("{whole:?} has a \\ before nothing"),
                        "write \\\\ for the character",
                    );
                }
            },
            c => Token::Char(c),
        });
    }
    Ok(tokens)
}

/// What follows a `[`, up to its `]`.
fn class(chars: &mut std::str::Chars<'_>) -> Option<Vec<(char, char)>> {
    let mut inside: Vec<(char, bool)> = Vec::new();
    loop {
        match chars.next()? {
            ']' if !inside.is_empty() => break,
            '\\' => inside.push((chars.next()?, true)),
            c => inside.push((c, false)),
        }
    }
    let is_turned = matches!(inside[0], ('!' | '^', false));
    let mut rest = &inside[usize::from(is_turned)..];
    let mut ranges = Vec::new();
    while let [(from, _), more @ ..] = rest {
        match more {
            [('-', false), (to, _), after @ ..] if from <= to => {
                ranges.push((*from, *to));
                rest = after;
            }
            [('-', false), _, ..] => return None,
            _ => {
                ranges.push((*from, *from));
                rest = more;
            }
        }
    }
    if is_turned && !ranges.is_empty() {
        ranges = turned(ranges);
    }
    (!ranges.is_empty()).then_some(ranges)
}

/// All that may stand in a part and is in none of the ranges.
fn turned(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.push(('/', '/'));
    ranges.sort_unstable();
    let (mut left, mut next) = (Vec::new(), Some('\0'));
    for (from, to) in ranges {
        let Some(begin) = next else { break };
        if begin < from
            && let Some(end) = (begin..from).next_back()
        {
            left.push((begin, end));
        }
        if to >= begin {
            next = (to..=char::MAX).nth(1);
        }
    }
    left.extend(next.map(|begin| (begin, char::MAX)));
    left
}

/// Whether two lists of parts can stand for one path.
fn are_one(a: &[Part], b: &[Part]) -> bool {
    meet(a, b, |part| *part == Part::Folders, parts_meet)
}

fn parts_meet(a: &Part, b: &Part) -> bool {
    match (a, b) {
        (Part::Name(a), Part::Name(b)) => meet(a, b, |token| *token == Token::Text, tokens_meet),
        (Part::Folders, _) | (_, Part::Folders) => true,
    }
}

fn tokens_meet(a: &Token, b: &Token) -> bool {
    match (a, b) {
        (Token::Char(a), Token::Char(b)) => a == b,
        (Token::Char(c), Token::Of(ranges)) | (Token::Of(ranges), Token::Char(c)) => {
            ranges.iter().any(|(from, to)| from <= c && c <= to)
        }
        (Token::Of(a), Token::Of(b)) => {
            a.iter().any(|(from, to)| b.iter().any(|(start, end)| from <= end && start <= to))
        }
        (Token::Text, _) | (_, Token::Text) => true,
    }
}

/// Whether two lists can stand for one sequence, where an item for which `many` holds stands for any number of items.
/// A table of all pairs of rests, filled from the ends.
fn meet<T>(a: &[T], b: &[T], many: impl Fn(&T) -> bool, one_for_one: impl Fn(&T, &T) -> bool) -> bool {
    let width = b.len() + 1;
    let mut fits = vec![false; (a.len() + 1) * width];
    for i in (0..=a.len()).rev() {
        for j in (0..=b.len()).rev() {
            let at = |i: usize, j: usize| fits[i * width + j];
            let fit = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some(left), None) => many(left) && at(i + 1, j),
                (None, Some(right)) => many(right) && at(i, j + 1),
                (Some(left), Some(right)) if many(left) || many(right) => at(i + 1, j) || at(i, j + 1),
                (Some(left), Some(right)) => at(i + 1, j + 1) && one_for_one(left, right),
            };
            fits[i * width + j] = fit;
        }
    }
    fits[0]
}

/// Whether two sets of paths may have a file in common; gives one of the overlapping patterns.
#[must_use]
pub fn collide<'a>(a: &'a [String], b: &[String]) -> Option<&'a str> {
    let read = |text: &String| Pattern::parse(text).ok();
    let others: Vec<Pattern> = b.iter().filter_map(read).collect();
    a.iter()
        .find(|text| read(text).is_some_and(|own| others.iter().any(|other| own.overlaps(other))))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_pattern_names_what_its_table_says() {
        let cases = [
            ("src/main.rs", "src/main.rs", true),
            ("src/main.rs", "src/main_rs", false),
            ("src/main.rs", "x/src/main.rs", false),
            ("docs", "docs/a/b.md", true),
            ("docs/", "docs/a/b.md", true),
            ("./docs", "docs/a", true),
            ("docs", "docs2/a", false),
            ("src/**", "src/a/b.rs", true),
            ("src/**/*.rs", "src/a.rs", true),
            ("src/**/*.rs", "src/a/b/c.rs", true),
            ("src/**/*.rs", "src/a/b/c.rb", false),
            ("**/.env", ".env", true),
            ("**/.env", "a/b/.env", true),
            (".env", "a/.env", false),
            ("*.sql", "a.sql", true),
            ("*.sql", "db/old/a.sql", true),
            ("db/*.sql", "db/old/a.sql", false),
            ("db/*", "db/a", true),
            ("crates/*/", "crates/a/src/lib.rs", true),
            ("web/*.{ts,tsx}", "web/a.tsx", true),
            ("web/*.{ts,tsx}", "web/a.js", false),
            ("{a,b/{c,d}}/x", "b/d/x", true),
            ("m/[0-9][!0-9]", "m/1a", true),
            ("m/[0-9][!0-9]", "m/12", false),
            ("m/[^a]", "m/b", true),
            ("m/[]a]", "m/]", true),
            ("m/?", "m/\u{1f375}", true),
            ("m/?", "m/ab", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a\\{b", "a{b", true),
            ("\\!a", "!a", true),
            ("*", "any/thing", true),
            ("**", "any/thing", true),
        ];
        for (text, path, meant) in cases {
            assert_eq!(pattern(text).matches(path), meant, "{text} {path}");
        }
    }

    #[test]
    fn two_patterns_overlap_if_one_path_can_be_both() {
        let cases = [
            ("src/a.rs", "src/a.rs", true),
            ("src/a.rs", "src/b.rs", false),
            ("src/a.rs", "src", true),
            ("src/**", "src/a.rs", true),
            ("src/**", "docs/**", false),
            ("a/*", "*/b", true),
            ("a/*.rs", "a/*.md", false),
            ("**/*.rs", "src/core/**", true),
            ("*.rs", "src/core/*.md", false),
            ("*.sql", "db/", true),
            ("a/[a-m]*", "a/[n-z]*", false),
            ("a/[a-m]*", "a/[!b-z]*", true),
            ("{a,b}/x", "{b,c}/x", true),
            ("{a,b}/x", "{c,d}/x", false),
            ("a*c", "ab*", true),
        ];
        for (a, b, common) in cases {
            assert_eq!(pattern(a).overlaps(&pattern(b)), common, "{a} {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), common, "{b} {a}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why_and_what_to_write() {
        let long = "a".repeat(LENGTH_MAX + 1);
        let many = "{a,b}".repeat(9);
        let cases = [
            ("", "a pattern is empty", "write a path"),
            (long.as_str(), "a pattern is longer than 500 bytes", "several"),
            (many.as_str(), "stands for more than 64 patterns", "several"),
            ("/src", "begins with a slash", "leave the slash out"),
            ("!src", "takes nothing out", "\\!"),
            ("a//b", "has an empty part", "one slash"),
            ("../a", "has a part ..", "from the repo's root"),
            ("a**b", "has a ** beside other characters", "stands alone"),
            ("a/{b,c", "has a { without its }", "close it"),
            ("[a", "has a [ that is not closed", "[a-z]"),
            ("[!]", "has a [ that is not closed", "[a-z]"),
            ("[z-a]", "has a [ that is not closed or holds nothing", "[a-z]"),
            ("a\\", "has a \\ before nothing", "\\\\"),
        ];
        for (text, what, remedy) in cases {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.what.contains(what), "{text}: {error}");
            assert!(error.remedy.contains(remedy), "{text}: {}", error.remedy);
        }
    }

    #[test]
    fn a_pattern_is_stored_as_it_was_written() {
        let json = serde_json::to_string(&pattern("src/**")).unwrap();
        assert_eq!(json, "\"src/**\"");
        assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern("src/**"));
        assert!(serde_json::from_str::<Pattern>("\"/x\"").is_err());
    }

    /// Small alphabets, so that what is drawn meets often.
    fn patterns(most: usize) -> impl Strategy<Value = String> {
        let part = prop_oneof![
            3 => "[ab]{1,2}",
            2 => "[ab]?\\*[ab]?",
            1 => Just("**".to_owned()),
            1 => Just("?".to_owned()),
            1 => Just("[!a]".to_owned()),
            1 => Just("{a,b*}".to_owned()),
        ];
        (proptest::collection::vec(part, 1..=most), any::<bool>())
            .prop_map(|(parts, folder)| format!("{}{}", parts.join("/"), if folder { "/" } else { "" }))
    }

    fn paths() -> impl Strategy<Value = String> {
        proptest::collection::vec("[abc]{1,3}", 1..4).prop_map(|names| names.join("/"))
    }

    /// The plainest matcher there is, by trying everything.
    fn tries(pattern: &[Part], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            ([Part::Folders, rest @ ..], _) => (0..=path.len()).any(|skipped| tries(rest, &path[skipped..])),
            ([Part::Name(tokens), rest @ ..], [name, more @ ..]) => {
                fits(tokens, &name.chars().collect::<Vec<_>>()) && tries(rest, more)
            }
            ([], _) | ([Part::Name(_), ..], []) => false,
        }
    }

    fn fits(tokens: &[Token], name: &[char]) -> bool {
        match (tokens, name) {
            ([], []) => true,
            ([Token::Text, rest @ ..], _) => (0..=name.len()).any(|eaten| fits(rest, &name[eaten..])),
            ([Token::Char(c), rest @ ..], [first, more @ ..]) => c == first && fits(rest, more),
            ([Token::Of(ranges), rest @ ..], [first, more @ ..]) => {
                ranges.iter().any(|(from, to)| (from..=to).contains(&first)) && fits(rest, more)
            }
            ([], _) | ([Token::Char(_) | Token::Of(_), ..], []) => false,
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), path in any::<String>()) {
            if let Ok(pattern) = Pattern::parse(&text) {
                let _ = pattern.matches(&path);
                prop_assert!(pattern.overlaps(&pattern), "{text}");
            }
        }

        #[test]
        fn matching_agrees_with_trying_everything(text in patterns(3), path in paths()) {
            let pattern = pattern(&text);
            let names: Vec<&str> = path.split('/').collect();
            let tried = pattern.alternatives.iter().any(|parts| tries(parts, &names));
            prop_assert_eq!(pattern.matches(&path), tried, "{} {}", text, path);
        }

        #[test]
        fn what_matches_one_path_overlaps(a in patterns(3), b in patterns(3), path in paths()) {
            let (a, b) = (pattern(&a), pattern(&b));
            prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
            if a.matches(&path) && b.matches(&path) {
                prop_assert!(a.overlaps(&b), "{} {} {}", a, b, path);
            }
            let literal = pattern(&path);
            if a.matches(&path) {
                prop_assert!(a.overlaps(&literal), "{} {}", a, path);
            }
        }

        #[test]
        fn what_overlaps_has_a_path_of_both(a in patterns(2), b in patterns(2)) {
            let (a, b) = (pattern(&a), pattern(&b));
            // Every path of up to four short names: enough for two patterns of up to two parts.
            let names = ["a", "b", "c", "aa", "ab", "ba", "bb"];
            let mut paths: Vec<String> = Vec::new();
            let mut last = vec![String::new()];
            for _ in 0..4 {
                last = last
                    .iter()
                    .flat_map(|path| names.map(|n| if path.is_empty() { n.to_owned() } else { format!("{path}/{n}") }))
                    .collect();
                paths.extend(last.iter().cloned());
            }
            prop_assume!(a.overlaps(&b));
            let both = paths.iter().any(|path| a.matches(path) && b.matches(path));
            prop_assert!(both, "{} {}", a, b);
        }
    }
}
