//! Code in colours: a file's diff lines as pieces with roles, made by a worker off the drawing thread.
//!
//! Promises: the pieces of a line put together are the line; a file that is too large, or of an unknown language, has
//! no pieces and is shown plain. Colours are the theme's business.

use super::theme::Role;
use crate::core::model::diff::FileDiff;
use std::sync::LazyLock;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// Most lines of a file that are painted.
const LINES_MAX: usize = 5_000;
/// Longer lines are left plain: they are data, and slow.
const LINE_MAX: usize = 1_000;

/// A line in pieces.
pub(super) type Painted = Vec<(Role, String)>;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Whose beginning of a scope's name means which role; the first that fits.
static ROLES: LazyLock<Vec<(Scope, Role)>> = LazyLock::new(|| {
    [
        ("comment", Role::Comment),
        ("punctuation.definition.comment", Role::Comment),
        ("string", Role::Str),
        ("constant", Role::Number),
        ("entity.name.function", Role::Function),
        ("support.function", Role::Function),
        ("variable.function", Role::Function),
        ("entity.name.type", Role::Type),
        ("entity.name.class", Role::Type),
        ("entity.name.struct", Role::Type),
        ("entity.name.enum", Role::Type),
        ("entity.name.tag", Role::Type),
        ("support.type", Role::Type),
        ("support.class", Role::Type),
        ("keyword.operator", Role::Text),
        ("keyword", Role::Keyword),
        ("storage", Role::Keyword),
        ("meta.annotation", Role::Function),
        ("markup.heading", Role::Keyword),
    ]
    .into_iter()
    .filter_map(|(name, role)| Some((Scope::new(name).ok()?, role)))
    .collect()
});

/// The lines of a file's diff, hunk by hunk, in pieces; nothing if it stays plain.
pub(super) fn file(diff: &FileDiff) -> Vec<Vec<Painted>> {
    let lines: usize = diff.hunks.iter().map(|hunk| hunk.lines.len()).sum();
    let Some(syntax) = language(diff.path.as_str()).filter(|_| lines <= LINES_MAX) else { return Vec::new() };
    diff.hunks
        .iter()
        .map(|hunk| {
            // Removed and added lines are two texts; each is parsed on its own, context by both.
            let (mut old, mut new) = (Parser::new(syntax), Parser::new(syntax));
            let paint = |line: &crate::core::model::diff::DiffLine| {
                use crate::core::model::diff::DiffKind;
                match line.kind {
                    DiffKind::Context => {
                        old.line(line.text.as_str());
                        new.line(line.text.as_str())
                    }
                    DiffKind::Removed => old.line(line.text.as_str()),
                    DiffKind::Added => new.line(line.text.as_str()),
                }
            };
            hunk.lines.iter().map(paint).collect()
        })
        .collect()
}

fn language(path: &str) -> Option<&'static SyntaxReference> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit('.').next().unwrap_or(name);
    let found =
        SYNTAXES.find_syntax_by_extension(name).or_else(|| SYNTAXES.find_syntax_by_extension(extension))?;
    (found.name != "Plain Text").then_some(found)
}

struct Parser {
    state: ParseState,
    scopes: ScopeStack,
}

impl Parser {
    fn new(syntax: &SyntaxReference) -> Self {
        Self { state: ParseState::new(syntax), scopes: ScopeStack::new() }
    }

    fn line(&mut self, text: &str) -> Painted {
        if text.len() > LINE_MAX {
            return vec![(Role::Text, text.to_owned())];
        }
        let whole = format!("{text}\n");
        let Ok(ops) = self.state.parse_line(&whole, &SYNTAXES) else {
            return vec![(Role::Text, text.to_owned())];
        };
        let mut pieces: Painted = Vec::new();
        let mut from = 0;
        let mut piece = |to: usize, scopes: &ScopeStack| {
            let to = to.min(text.len());
            if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
                let role = role(scopes);
                match pieces.last_mut() {
                    Some(last) if last.0 == role => last.1.push_str(part),
                    _ => pieces.push((role, part.to_owned())),
                }
            }
            from = from.max(to);
        };
        for (at, op) in ops {
            piece(at, &self.scopes);
            if self.scopes.apply(&op).is_err() {
                break;
            }
        }
        piece(text.len(), &self.scopes);
        pieces
    }
}

fn role(scopes: &ScopeStack) -> Role {
    let of =
        |scope: &Scope| ROLES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, role)| *role);
    scopes.as_slice().iter().rev().find_map(of).unwrap_or(Role::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::diff::{DiffKind, DiffLine, FileStatus, Hunk};

    fn painted(path: &str, lines: &[(DiffKind, &str)]) -> Vec<Painted> {
        let lines = lines.iter().map(|(kind, text)| DiffLine { kind: *kind, text: (*text).into() }).collect();
        let diff = FileDiff {
            path: path.into(),
            old_path: None,
            status: FileStatus::Modified,
            added: 0,
            removed: 0,
            binary: false,
            cut: false,
            hunks: vec![Hunk { old_start: 1, new_start: 1, section: "".into(), lines }],
        };
        file(&diff).into_iter().flatten().collect()
    }

    #[test]
    fn code_is_told_apart_in_the_languages_that_agents_write() {
        for (path, text, word, role) in [
            ("src/a.rs", "fn pour() -> u8 { 7 } // hot", "// hot", Role::Comment),
            ("a.py", "def pour(): return 'tea'", "tea", Role::Str),
            ("a.ts", "const cups: number = 3;", "const", Role::Keyword),
            ("a.go", "func pour() int { return 7 }", "return", Role::Keyword),
            ("Cargo.toml", "cups = 3 # three", "# three", Role::Comment),
            ("Dockerfile", "FROM scratch", "FROM", Role::Keyword),
        ] {
            let pieces = painted(path, &[(DiffKind::Added, text)]).remove(0);
            let whole: String = pieces.iter().map(|(_, part)| part.as_str()).collect();
            assert_eq!(whole, text);
            assert!(pieces.iter().any(|(of, part)| *of == role && part.contains(word)), "{path}: {pieces:?}");
        }
    }

    #[test]
    fn what_is_removed_does_not_change_how_the_new_text_reads() {
        let lines = painted("a.rs", &[(DiffKind::Removed, "/* open"), (DiffKind::Added, "let cups = 3;")]);
        assert_eq!(lines[0][0].0, Role::Comment);
        assert_eq!(lines[1][0], (Role::Keyword, "let".into()));
    }

    #[test]
    fn unknown_languages_and_large_files_stay_plain() {
        assert!(painted("a.unknown", &[(DiffKind::Added, "x")]).is_empty());
        let many = vec![(DiffKind::Added, "x"); LINES_MAX + 1];
        assert!(painted("a.rs", &many).is_empty());
        let long = "x".repeat(LINE_MAX + 1);
        assert_eq!(painted("a.rs", &[(DiffKind::Added, long.as_str())])[0], [(Role::Text, long.clone())]);
    }
}
