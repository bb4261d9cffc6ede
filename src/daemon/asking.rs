//! Requests that wait for a person's answer to a question that an agent put through nopeek's tools.
//!
//! Nothing is kept of them but who waits: a client that is cut off asks again, and the question is in the ledger.

use super::launch::refusal;
use super::message::ReplyTo;
use super::shell::Shell;
use crate::values::ids::AttemptId;
use crate::wire::client::{Refusal, RefusalKind, Reply};

/// Requests that may wait at once, of all clients.
const ASKING_MAX: usize = 1_024;

/// One that waits.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) question: u64,
    pub(super) reply: ReplyTo,
}

impl Shell {
    /// Answers `reply` once the question is open no more.
    pub(super) fn asked(&mut self, reply: &ReplyTo, attempt: AttemptId, text: &str) -> Result<(), Refusal> {
        let Some(question) = self.engine.question(attempt, text) else {
            return Err(refusal(
                RefusalKind::NotFound,
                format!("{attempt} has no such question"),
                "put it first",
            ));
        };
        if self.asking.len() >= ASKING_MAX {
            let what = format!("{ASKING_MAX} requests wait for answers already");
            return Err(refusal(RefusalKind::NotNow, what, "try again later"));
        }
        // Even if it is answered already: not before that is in the ledger.
        self.asking.push(Asking { question: question.no, reply: reply.clone() });
        Ok(())
    }

    /// Answers those whose question is open no more. All facts must be in the ledger.
    pub(super) fn serve_asking(&mut self) {
        if self.asking.is_empty() {
            return;
        }
        let engine = &self.engine;
        self.asking.retain(|waits| match engine.question_no(waits.question) {
            Some(question) if question.is_open() => true,
            Some(question) => {
                let answer = Reply::Asked(Box::new(question.clone()));
                waits.reply.outbox.answer(waits.reply.id, Ok(answer));
                false
            }
            None => {
                let what = format!("q{} is gone: its task was archived", waits.question);
                waits.reply.outbox.answer(waits.reply.id, Err(refusal(RefusalKind::NotFound, what, "")));
                false
            }
        });
    }
}
