//! A review: a person's reading of an attempt's diff, then approve, send back or reject.
//!
//! Owns the shape of a diff as it is read, and the rules of who may decide what when.

use super::event::DiffStat;
use super::ids::Oid;
use super::text::Shown;
use serde::{Deserialize, Serialize};

/// An attempt's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The merge base with the target.
    pub base: Option<Oid>,
    /// The head that is shown: approve exactly this.
    pub head: Option<Oid>,
    /// Totals.
    pub stat: DiffStat,
    /// Files in path order.
    pub files: Vec<FileDiff>,
    /// Commits, newest first: short id and subject.
    pub commits: Vec<(String, Shown)>,
}

/// A file's changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Its path after the change, made visible.
    pub path: Shown,
    /// Its path before, if renamed.
    pub old_path: Option<Shown>,
    /// What was done.
    pub status: FileStatus,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Not text.
    pub binary: bool,
    /// Lines were left out: the file's diff is longer than [`FileDiff::LINES_MAX`].
    pub cut: bool,
    /// Its hunks.
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
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its content changed.
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
    /// Its lines.
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
    /// Unchanged.
    Context,
    /// New.
    Added,
    /// Gone.
    Removed,
}
