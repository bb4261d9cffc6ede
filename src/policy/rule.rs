//! What a policy is: its settings, its rules by name, and a breach of one, told so that an agent can act on it.

use crate::core::model::diff::{Change, FileStatus};
use crate::values::pattern::Pattern;
use serde::{Deserialize, Serialize};

/// The rules of a repo: `[policy]` of `nopeek.toml` on the target's commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// No attempt may change these.
    pub protected: Vec<Pattern>,
    /// Any attempt may change these, whatever its touchpoints are.
    pub always: Vec<Pattern>,
    /// Whether added lines are searched for secrets.
    pub secrets: bool,
    /// Files that may hold what looks like a secret.
    pub secrets_allow: Vec<Pattern>,
    /// Most files that an attempt may change.
    pub files_max: Option<u32>,
    /// Most lines that an attempt may add and remove, together.
    pub lines_max: Option<u32>,
    /// Most lines that one commit may add.
    pub commit_lines_max: Option<u32>,
    /// Files that count as tests: with them, code may not change without one.
    pub tests: Vec<Pattern>,
    /// Files that count as code; empty: all that are no tests.
    pub code: Vec<Pattern>,
    /// Files that no limit counts.
    pub uncounted: Vec<Pattern>,
    /// Files to which only new ones may be added, after those that are there.
    pub migrations: Vec<Pattern>,
    /// Which files must not import what.
    pub boundaries: Vec<Boundary>,
    /// The file that every agent reads first and writes last.
    pub memory: Option<String>,
    /// A change without an update of the memory is a breach.
    pub memory_required: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            protected: Vec::new(),
            always: Vec::new(),
            secrets: true,
            secrets_allow: Vec::new(),
            files_max: None,
            lines_max: None,
            commit_lines_max: None,
            tests: Vec::new(),
            code: Vec::new(),
            uncounted: Vec::new(),
            migrations: Vec::new(),
            boundaries: Vec::new(),
            memory: None,
            memory_required: false,
        }
    }
}

/// A part of the code that must not know another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundary {
    /// Whose lines are read.
    pub from: Pattern,
    /// Modules or folders that they must not import.
    pub must_not: Vec<String>,
}

/// A rule, named as in `nopeek.toml` where it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A protected path was changed.
    Protected,
    /// A path outside of the touchpoints was changed.
    Touchpoints,
    /// A line looks like a secret.
    Secrets,
    /// The target was written.
    Target,
    FilesMax,
    LinesMax,
    /// A commit is too large.
    CommitLinesMax,
    /// Code was changed without a test.
    Tests,
    /// A migration that is there was changed, or a new one is out of order.
    Migrations,
    /// A line imports what its file must not know.
    Boundary,
    /// The memory was not brought up to date.
    Memory,
}

impl Rule {
    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Touchpoints => "touchpoints",
            Self::Secrets => "secrets",
            Self::Target => "target",
            Self::FilesMax => "files_max",
            Self::LinesMax => "lines_max",
            Self::CommitLinesMax => "commit_lines_max",
            Self::Tests => "tests",
            Self::Migrations => "migrations",
            Self::Boundary => "boundary",
            Self::Memory => "memory",
        }
    }
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub rule: Rule,
    /// The file; none if it is about the whole change.
    pub path: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    pub what: String,
    pub remedy: String,
}

impl Breach {
    pub(super) fn of(rule: Rule, path: &str, line: Option<u32>, what: String, remedy: String) -> Self {
        Self { rule, path: Some(path.to_owned()), line, what, remedy }
    }

    pub(super) fn whole(rule: Rule, what: String, remedy: impl Into<String>) -> Self {
        Self { rule, path: None, line: None, what, remedy: remedy.into() }
    }
}

/// Whether one of the patterns matches a path.
pub(super) fn is_in(patterns: &[Pattern], path: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

/// What was done to a file, in a word.
pub(super) const fn verb(change: &Change) -> &'static str {
    match change.status {
        FileStatus::Added => "added",
        FileStatus::Deleted => "deleted",
        FileStatus::Modified | FileStatus::TypeChanged => "changed",
        FileStatus::Renamed => "renamed",
    }
}

/// How an agent takes a change back.
pub(super) fn undo(change: &Change, base: &str) -> String {
    let quoted = |path: &str| format!("'{}'", path.replace('\'', "'\\''"));
    let path = quoted(&change.path);
    match (&change.old_path, change.status) {
        (Some(old), FileStatus::Renamed) => {
            format!(
                "take it back: git rm -f -- {path} && git checkout {base} -- {}, then commit",
                quoted(old)
            )
        }
        (_, FileStatus::Added | FileStatus::Renamed) => {
            format!("take it out: git rm -f -- {path}, then commit")
        }
        (_, FileStatus::Deleted | FileStatus::Modified | FileStatus::TypeChanged) => {
            format!("take it back: git checkout {base} -- {path}, then commit")
        }
    }
}
