//! A review: a person's reading of an attempt's diff, then approve, send back or reject.
//!
//! Owns the shape of a diff as it is read, and the rules of who may decide what when.

use super::attempt::Start;
use super::brief::Part;
use super::engine::{Refused, RefusedKind};
use super::event::DiffStat;
use super::fact::Fact;
use super::ids::{Oid, TaskId};
use super::state::Stage;
use super::task::{get, not_now};
use super::text::Shown;
use super::turn::Turn;
use super::view::AttemptResult;
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
    /// What was done.
    pub status: FileStatus,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Not text.
    pub binary: bool,
    /// Lines were left out: the file's diff is longer than [`FileDiff::LINES_MAX`], or all of it than
    /// [`Diff::LINES_MAX`].
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

/// Approves a head: into the merge queue.
pub(in crate::core) fn approve(turn: &mut Turn<'_>, id: TaskId, head: &Oid) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if task.stage != Stage::Review {
        return Err(not_now(task, "approve", "only a task that waits for review can be approved"));
    }
    let known = task.work().and_then(|a| a.read.as_ref()).map(|read| &read.head);
    if known != Some(head) {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{} is no longer at {}", task.launch.name, head.short()),
            "read the diff again, then approve what is there now",
        ));
    }
    turn.fact(Fact::Approved { task: id, head: head.clone() });
    Ok(())
}

/// Sends an attempt back with a message; a fresh one goes on from its branch.
pub(in crate::core) fn send_back(turn: &mut Turn<'_>, id: TaskId, message: &str) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if task.stage != Stage::Review {
        return Err(not_now(task, "send back", "only a task that waits for review can be sent back"));
    }
    if message.trim().is_empty() {
        return Err(Refused::new(RefusedKind::BadInput, "the message is empty", "say what is to be changed"));
    }
    let note = format!(
        "A person has reviewed the work on your branch and wants this changed:\n\n{}\n\nChange it, and commit.",
        message.trim()
    );
    if let Some(attempt) = task.work().map(|a| a.id) {
        turn.fact(Fact::AttemptOver { attempt, result: AttemptResult::SentBack });
        let part = Part::Work;
        turn.fact(Fact::Requeued { task: id, start: Start::Previous, note, granted: true, part });
    }
    Ok(())
}

/// Reads and gates a reviewed branch again: a person has changed it.
pub(in crate::core) fn regate(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    let green = task.work().is_some_and(|a| a.result == Some(AttemptResult::Green));
    let can = matches!(task.stage, Stage::Review | Stage::Stuck(_)) && green && task.landed.is_none();
    if !can {
        return Err(not_now(task, "gate again", "only work that waits for a human can be gated again"));
    }
    turn.fact(Fact::Reopened { task: id });
    Ok(())
}

/// Rejects a task: it ends unmerged; its branch stays until it is forgotten, then goes to the archive.
pub(in crate::core) fn reject(turn: &mut Turn<'_>, id: TaskId, reason: &str) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    let can =
        matches!(task.stage, Stage::Review | Stage::Stuck(_) | Stage::Interrupted) && task.landed.is_none();
    if !can {
        return Err(not_now(task, "reject", "only work that waits for a human can be rejected"));
    }
    turn.fact(Fact::Rejected { task: id, reason: Shown::line(reason) });
    Ok(())
}

/// Lands reviewed work again after a refusal; in review it is the approval of what is there now.
pub(in crate::core) fn land(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    let attempt = task.work();
    let green = attempt.is_some_and(|a| a.result == Some(AttemptResult::Green));
    let head = attempt.and_then(|a| a.read.as_ref()).map(|read| read.head.clone());
    let can = match task.stage {
        Stage::Review => true,
        Stage::Stuck(_) => green && task.landed.is_none(),
        Stage::Queued { .. }
        | Stage::Trying
        | Stage::Merging(_)
        | Stage::RollingBack
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => false,
    };
    match head {
        Some(head) if can => {
            turn.fact(Fact::Approved { task: id, head });
            Ok(())
        }
        _ => Err(not_now(task, "land", "only reviewed work can land")),
    }
}

/// Starts the revert of a landed task.
pub(in crate::core) fn rollback(turn: &mut Turn<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if task.landed.is_none() || !matches!(task.stage, Stage::Landed | Stage::Stuck(_)) {
        return Err(not_now(task, "roll back", "only a landed task can be rolled back"));
    }
    turn.fact(Fact::RollbackAsked { task: id });
    Ok(())
}
