//! The journal: the engine with its ledger, so that nothing is decided that is not committed before anything follows.
//!
//! Owns the engine: no other part can step it. A step is kept here, undone, until its facts are in the ledger; what
//! [`Journal::commit`] returns is committed, and what follows it may be done. While the ledger can't be written (a full
//! disk) people's commands are refused and the commit is tried again each second: nothing is lost.

use super::after_commit::{Acknowledged, AfterCommit, Decided};
use super::commands::refused;
use super::environment;
use super::launch::{Resolved, refusal};
use super::ledger_trouble::{self, LedgerTrouble};
use super::message::ReplyTo;
use super::workers::Workers;
use crate::core::engine::Engine;
use crate::core::model::event::{Command, Event};
use crate::core::model::panel::PanelCommand;
use crate::core::model::refused::Refused;
use crate::core::views::board::Trouble;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::store::StoreError;
use crate::store::backup::Failure;
use crate::store::ledger::Ledger;
use crate::values::ids::TaskId;
use crate::values::time::Time;
use crate::wire::client::{Refusal, RefusalKind, Reply};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A ledger that can't be written is tried again after this long.
const RETRY: Duration = Duration::from_secs(1);
/// Ledger name of what no person did.
const NOBODY: &str = "nopeek";

/// The engine, its ledger, and the steps whose facts are not in it yet.
#[derive(Debug)]
pub(super) struct Journal {
    paths: Paths,
    engine: Engine,
    ledger: Ledger,
    unsaved: VecDeque<Decided>,
    /// The ledger could not be written: when it is tried again.
    retry_at: Option<Instant>,
    /// What is wrong with the ledger, and its back-ups.
    trouble: LedgerTrouble,
    /// A step has decided facts since [`Journal::take_changed`], or the ledger's trouble is another.
    changed: bool,
}

impl Journal {
    /// A journal of an engine that was replayed from `ledger`; `read_only`: why nothing is to be decided on it.
    pub(super) fn new(paths: Paths, engine: Engine, ledger: Ledger, read_only: Option<Trouble>) -> Self {
        let trouble = LedgerTrouble::new(read_only);
        Self { paths, engine, ledger, unsaved: VecDeque::new(), retry_at: None, trouble, changed: false }
    }

    /// Whether the ledger is only read: nothing is decided, and nothing that is under way is taken up.
    pub(super) const fn is_read_only(&self) -> bool {
        self.trouble.is_read_only()
    }

    /// What people should know of the ledger first; none: nothing is wrong with it.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.worst()
    }

    /// Has the back-up of the day made by a worker, if it is due; `started` is when the daemon was.
    pub(super) fn back_up(&mut self, now: Time, started: Time, workers: &mut Workers) {
        self.trouble.back_up(&self.ledger, now, started, workers);
    }

    /// The back-up of the day was made, or failed.
    pub(super) fn backed_up(&mut self, now: Time, failure: Option<Failure>) {
        self.changed |= self.trouble.backed_up(now, failure);
    }

    /// The engine, to ask it.
    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The ledger, to read it.
    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether every fact that was decided is in the ledger.
    pub(super) fn is_saved(&self) -> bool {
        self.unsaved.is_empty()
    }

    /// When the ledger is tried again; none while it can be written.
    pub(super) const fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Whether a step has decided facts since this was asked last.
    pub(super) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// An event that nobody waits for; a refusal means that it came too late and changes nothing.
    pub(super) fn step(&mut self, now: Time, event: Event) {
        if let Err(refused) = self.step_by(now, NOBODY, event, AfterCommit::default()) {
            tracing::debug!(what = %refused.what, "the engine refused an event");
        }
    }

    /// Steps the engine; what follows waits for the commit. The tasks that were launched.
    fn step_by(
        &mut self,
        now: Time,
        by: &str,
        event: Event,
        mut after: AfterCommit,
    ) -> Result<Vec<TaskId>, Refused> {
        self.trouble.refuse_if_read_only()?;
        let step = self.engine.step(now, event)?;
        after.effects = step.effects;
        after.notices = step.notices;
        after.copies = environment::copies(&step.facts);
        self.changed |= !step.facts.is_empty();
        self.unsaved.push_back(Decided { at: now, by: by.to_owned(), facts: step.facts, after });
        Ok(step.launched)
    }

    /// A person's command; the answer follows the commit.
    pub(super) fn command(&mut self, now: Time, reply: ReplyTo, command: Command) {
        let votes = matches!(command, Command::Panel(PanelCommand::Put { .. }));
        let what = if votes { Acknowledged::Voted(self.engine.panels().next()) } else { Acknowledged::Done };
        self.command_keeping(now, reply, command, what, AfterCommit::default());
    }

    /// As [`Journal::command`], with `what` it is acknowledged by and what is kept beside the ledger for it.
    pub(super) fn command_keeping(
        &mut self,
        now: Time,
        reply: ReplyTo,
        command: Command,
        what: Acknowledged,
        kept: AfterCommit,
    ) {
        if let Err(refusal) = self.writable() {
            return reply.answer(Err(refusal));
        }
        let by = reply.who.clone();
        let after = AfterCommit { answer: Some((reply.clone(), what)), ..kept };
        if let Err(error) = self.step_by(now, &by, Event::Command { by: by.clone(), command }, after) {
            reply.answer(Err(refused(error)));
        }
    }

    /// Launches all of what was looked up, or nothing.
    pub(super) fn launch(&mut self, now: Time, reply: ReplyTo, result: Result<Vec<Resolved>, Refusal>) {
        let resolved = match result.and_then(|resolved| self.writable().map(|()| resolved)) {
            Ok(resolved) => resolved,
            Err(refusal) => return reply.answer(Err(refusal)),
        };
        let before = (resolved.len() > 1).then(|| (self.engine.clone(), self.unsaved.len()));
        let mut launched = Vec::new();
        for Resolved { launch, kept } in resolved {
            let command = Command::Launch(Box::new(launch));
            let by = reply.who.clone();
            let event = Event::Command { by: by.clone(), command };
            match self.step_by(now, &by, event, AfterCommit::default()) {
                Ok(tasks) => {
                    if let Some(decided) = self.unsaved.back_mut() {
                        decided.after.kept = tasks.iter().map(|task| (*task, kept.clone())).collect();
                    }
                    launched.extend(tasks);
                }
                Err(error) => {
                    if let Some((engine, len)) = before {
                        self.engine = engine;
                        self.unsaved.truncate(len);
                    }
                    return reply.answer(Err(refused(error)));
                }
            }
        }
        match self.unsaved.back_mut() {
            Some(decided) if !launched.is_empty() => {
                decided.after.answer = Some((reply, Acknowledged::Launched(launched)));
            }
            _ => reply.answer(Ok(Reply::Launched(Vec::new()))),
        }
    }

    /// Whether commands are taken.
    pub(super) fn writable(&self) -> Result<(), Refusal> {
        self.trouble.writable()
    }

    /// Commits all facts. What is returned is in the ledger: what follows it is to be done now, in this order.
    #[must_use = "what follows the commit must be done"]
    pub(super) fn commit(&mut self) -> Vec<Decided> {
        let mut committed = Vec::new();
        if self.retry_at.is_some_and(|at| clock::instant() < at) {
            return committed;
        }
        // What is kept of a task that never gets into the ledger is replaced by the next one of its number.
        self.unsaved.iter_mut().for_each(|decided| decided.after.keep(&self.paths));
        while let Some(first) = self.unsaved.front() {
            let (at, by) = (first.at, first.by.clone());
            let alike = self.unsaved.iter().take_while(|next| next.at == at && next.by == by).count();
            let facts: Vec<_> =
                self.unsaved.iter().take(alike).flat_map(|decided| decided.facts.iter().cloned()).collect();
            if !facts.is_empty()
                && let Err(error) = self.ledger.append(at, &by, &facts)
            {
                tracing::error!(%error, "the ledger can't be written; trying again");
                self.retry_at = Some(clock::instant() + RETRY);
                self.trouble.unwritten = Some(ledger_trouble::unwritten(&error));
                self.changed = true;
                self.answer_uncertain(&error);
                return committed;
            }
            self.retry_at = None;
            committed.extend(self.unsaved.drain(..alike));
        }
        self.retry_at = None;
        self.changed |= self.trouble.unwritten.take().is_some();
        committed
    }

    /// Nobody waits for a disk: who asked is told that what was asked for is not certain yet.
    fn answer_uncertain(&mut self, error: &StoreError) {
        for decided in &mut self.unsaved {
            if let Some((reply, _)) = decided.after.answer.take() {
                let remedy = format!(
                    "{}: it is done once the ledger can be written; until then it is lost if the daemon ends. \
                     `nopeek ls` says",
                    error.remedy()
                );
                let refusal = refusal(RefusalKind::Failed, format!("not certain yet: {error}"), &remedy);
                reply.answer(Err(refusal));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Span;

    fn journal() -> (tempfile::TempDir, Journal) {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        let ledger = Ledger::open(&paths.ledger()).unwrap();
        (home, Journal::new(paths, Engine::new(), ledger, None))
    }

    #[test]
    fn a_step_is_returned_once_it_is_in_the_ledger() {
        let (_home, mut journal) = journal();
        journal.step(Time(5), Event::Suspended(Span(7)));
        journal.step(Time(5), Event::Suspended(Span(8)));
        journal.step(Time(6), Event::Suspended(Span(9)));
        assert!(!journal.is_saved() && journal.take_changed() && !journal.take_changed());
        assert_eq!(journal.ledger().count(), 0, "nothing is written before the commit");
        let committed = journal.commit();
        assert_eq!(committed.iter().map(|decided| decided.at).collect::<Vec<_>>(), [5, 5, 6].map(Time));
        assert!(journal.is_saved() && journal.ledger().count() == 3);
        assert!(journal.commit().is_empty(), "and once only");
    }

    #[test]
    fn a_command_that_the_rules_refuse_is_answered_at_once_and_leaves_nothing() {
        let (_home, mut journal) = journal();
        let (reply, outbox) = ReplyTo::of_test();
        journal.command(Time(5), reply, Command::Pause(TaskId(9)));
        assert!(outbox.more().is_some() && journal.is_saved() && !journal.take_changed());
    }
}
