//! A diff as reviewers and policies read it, and its size.

use crate::values::ids::Oid;
use crate::values::text::Shown;
use serde::{Deserialize, Serialize};

/// Size of a diff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffStat {
    pub files: u32,
    pub added: u32,
    pub removed: u32,
}

/// An attempt's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The merge base with the target.
    pub base: Option<Oid>,
    /// The head that is shown: approve exactly this.
    pub head: Option<Oid>,
    pub stat: DiffStat,
    /// Files in path order.
    pub files: Vec<FileDiff>,
    /// Commits, newest first: short id and subject.
    pub commits: Vec<(String, Shown)>,
}

impl Diff {
    /// Most diff lines that are sent in all.
    pub const LINES_MAX: usize = 100_000;
}

/// A file's changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Its path after the change, made visible.
    pub path: Shown,
    /// Its path before, if renamed.
    pub old_path: Option<Shown>,
    pub status: FileStatus,
    pub added: u32,
    pub removed: u32,
    pub binary: bool,
    /// Lines were left out: the file's diff is longer than [`FileDiff::LINES_MAX`], or all of it than
    /// [`Diff::LINES_MAX`].
    pub cut: bool,
    pub hunks: Vec<Hunk>,
}

impl FileDiff {
    /// Most diff lines of one file that are sent.
    pub const LINES_MAX: usize = 20_000;
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    Added,
    Deleted,
    Modified,
    /// It has another path.
    Renamed,
    /// Its mode or type changed.
    TypeChanged,
}

/// Neighbouring changes with context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// First line before, from 1.
    pub old_start: u32,
    /// First line after, from 1.
    pub new_start: u32,
    /// The text after the `@@`, if any.
    pub section: Shown,
    pub lines: Vec<DiffLine>,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// What happened to it.
    pub kind: DiffKind,
    /// The line, made visible, without its line end.
    pub text: Shown,
}

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    Context,
    Added,
    Removed,
}

/// What was done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path after the change; of a deleted file the one that it had.
    pub path: String,
    /// Its path before, if renamed.
    pub old_path: Option<String>,
    pub status: FileStatus,
    /// Lines that are new, each with its number.
    pub added: Vec<(u32, String)>,
    /// How many lines are gone.
    pub removed: u32,
    /// Not text, or too large to be read.
    pub binary: bool,
}

impl Change {
    /// The paths that it touches.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.old_path.as_deref())
    }
}

/// What an attempt has done, as git tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The commit at which the work leaves the target, short; empty if they have none in common.
    pub base: String,
    /// All changes since then.
    pub changes: Vec<Change>,
    /// Lines that single commits added, by short id: what one of them put in and a later one took out lands as well.
    pub commits: Vec<(String, Vec<Change>)>,
    /// The target's files now.
    pub existing: Vec<String>,
    /// Commits made here that are on the target already, short.
    pub written: Vec<String>,
    /// There was more than can be read.
    pub cut: bool,
}
