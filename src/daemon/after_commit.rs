//! What is done once facts are in the ledger, and not before: effects, notices, the answer to who asked.

use super::environment::{self, Kept, KeptCopy, Parent};
use super::message::ReplyTo;
use crate::core::engine::Engine;
use crate::core::model::effect::Effect;
use crate::core::model::fact::Fact;
use crate::core::model::notice::Notice;
use crate::os::paths::Paths;
use crate::values::ids::{BenchId, PanelId, SpecId, TaskId};
use crate::values::time::Time;
use crate::wire::client::Reply;
use std::collections::HashMap;
use std::path::PathBuf;

/// A step of the engine, with what follows once its facts are committed.
#[derive(Debug)]
pub(super) struct Decided {
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
    /// Keeps environments before the facts: a task that is in the ledger has its own. What can't be kept of a task is
    /// tried once more after the facts: [`AfterCommit::keep_again`].
    pub(super) fn keep(&mut self, paths: &Paths) {
        self.kept.retain(|(task, kept)| environment::save(paths, *task, kept).is_err());
        self.kept_parent =
            self.kept_parent.take().filter(|(of, kept)| environment::save_parent(paths, *of, kept).is_err());
        self.kept_repo =
            self.kept_repo.take().filter(|(repo, kept)| environment::save_repo(paths, repo, kept).is_err());
        self.copies.retain(|copy| environment::copy_kept(paths, copy).is_err());
    }

    /// Tries once more what could not be kept before the commit.
    pub(super) fn keep_again(&self, paths: &Paths) {
        for (task, kept) in &self.kept {
            if let Err(error) = environment::save(paths, *task, kept) {
                tracing::warn!(%task, %error, "a task's environment can't be kept: the daemon's own will be used");
            }
        }
    }
}

/// What a person is told.
#[derive(Debug)]
pub(super) enum Acknowledged {
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

impl Acknowledged {
    /// The answer, as things stand after the commit.
    pub(super) fn reply(self, engine: &Engine, now: Time) -> Reply {
        match self {
            Self::Done => Reply::Done,
            Self::Opened(id) => {
                engine.spec_view(id, now).map_or(Reply::Done, |view| Reply::Spec(Box::new(view)))
            }
            Self::Benched(id) => {
                engine.bench_view(id).map_or(Reply::Done, |view| Reply::Bench(Box::new(view)))
            }
            Self::Voted(id) => {
                engine.panels().get(id).map_or(Reply::Done, |poll| Reply::Panel(Box::new(poll.clone())))
            }
            Self::Launched(tasks) => {
                let measured = HashMap::new();
                let views = tasks.iter().filter_map(|task| engine.task_view(*task, now, &measured));
                Reply::Launched(views.collect())
            }
        }
    }
}
