//! What is done once facts are in the ledger, and not before: effects, notices, the answer to who asked.

use super::environment::{Kept, Parent};
use super::message::ReplyTo;
use crate::core::effect::Effect;
use crate::core::fact::Fact;
use crate::core::ids::{BenchId, PanelId, SpecId, TaskId};
use crate::core::notice::Notice;
use crate::core::time::Time;

/// A step of the engine whose facts are still to be committed.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) at: Time,
    /// Whose doing it was, for the ledger.
    pub(super) by: String,
    pub(super) facts: Vec<Fact>,
    pub(super) after: After,
}

/// What follows the commit.
#[derive(Debug, Default)]
pub(super) struct After {
    pub(super) effects: Vec<Effect>,
    pub(super) notices: Vec<Notice>,
    /// Kept beside the ledger for a launched task, before its effects.
    pub(super) kept: Vec<(TaskId, Kept)>,
    /// Kept beside the ledger for a spec or a bench, before its tasks.
    pub(super) kept_parent: Option<(Parent, Kept)>,
    /// Tasks of specs and benches, which get what is kept for those.
    pub(super) heirs: Vec<(TaskId, Parent)>,
    pub(super) answer: Option<(ReplyTo, Acknowledged)>,
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
