//! What is done once facts are in the ledger, and not before: effects, notices, the answer to who asked.

use super::environment::{self, Kept, KeptCopy, Parent};
use super::message::ReplyTo;
use crate::core::model::effect::Effect;
use crate::core::model::fact::Fact;
use crate::core::model::notice::Notice;
use crate::os::paths::Paths;
use crate::values::ids::{BenchId, PanelId, SpecId, TaskId};
use crate::values::time::Time;
use std::path::PathBuf;

/// A step of the engine whose facts are still to be committed.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) at: Time,
    /// Whose doing it was, for the ledger.
    pub(super) by: String,
    pub(super) facts: Vec<Fact>,
    pub(super) after: AfterCommit,
}

/// What follows the commit.
#[derive(Debug, Default)]
pub(super) struct AfterCommit {
    pub(super) effects: Vec<Effect>,
    pub(super) notices: Vec<Notice>,
    /// Kept beside the ledger for a launched task, before its effects.
    pub(super) kept: Vec<(TaskId, Kept)>,
    /// Kept beside the ledger for a spec or a bench, before its tasks.
    pub(super) kept_parent: Option<(Parent, Kept)>,
    /// Kept beside the ledger for a repo's batches and queue.
    pub(super) kept_repo: Option<(PathBuf, Kept)>,
    /// Copies of what is kept, for tasks and specs that these facts made.
    pub(super) copies: Vec<KeptCopy>,
    pub(super) answer: Option<(ReplyTo, Acknowledged)>,
}

impl AfterCommit {
    /// Keeps environments before the facts: a task that is in the ledger has its own. What can't be kept is tried once more
    /// after the facts.
    pub(super) fn keep(&mut self, paths: &Paths) {
        self.kept.retain(|(task, kept)| environment::save(paths, *task, kept).is_err());
        self.kept_parent =
            self.kept_parent.take().filter(|(of, kept)| environment::save_parent(paths, *of, kept).is_err());
        self.kept_repo =
            self.kept_repo.take().filter(|(repo, kept)| environment::save_repo(paths, repo, kept).is_err());
        self.copies.retain(|copy| environment::copy_kept(paths, copy).is_err());
    }
}

/// What a person is told.
#[derive(Debug)]
pub(super) enum Acknowledged {
    /// It is done.
    Done,
    /// These tasks were made.
    Launched(Vec<TaskId>),
    /// This vote was taken.
    Voted(PanelId),
    /// This spec was opened.
    Opened(SpecId),
    /// This bench was opened.
    Benched(BenchId),
}
