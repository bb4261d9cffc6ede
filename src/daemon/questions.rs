//! Requests that wait for a person's answer to a question that an agent put through nopeek's tools.
//!
//! Nothing is kept of them but who waits: a client that is cut off asks again, and the question is in the ledger.

use super::launch::refusal;
use super::message::ReplyTo;
use super::outbox::Outbox;
use crate::core::engine::Engine;
use crate::values::ids::AttemptId;
use crate::wire::client::{RefusalKind, Reply};
use std::sync::Arc;

/// Requests that may wait at once, of all clients.
const WAITING_MAX: usize = 1_024;

/// One that waits.
#[derive(Debug)]
struct Waiting {
    question: u64,
    reply: ReplyTo,
}

/// All that wait.
#[derive(Debug, Default)]
pub(super) struct Questions {
    waiting: Vec<Waiting>,
}

impl Questions {
    /// Answers `reply` once the question is open no more.
    pub(super) fn wait(&mut self, reply: ReplyTo, attempt: AttemptId, text: &str, engine: &Engine) {
        let Some(question) = engine.question(attempt, text) else {
            let what = format!("{attempt} has no such question");
            return reply.answer(Err(refusal(RefusalKind::NotFound, what, "put it first")));
        };
        if self.waiting.len() >= WAITING_MAX {
            let what = format!("{WAITING_MAX} requests wait for answers already");
            return reply.answer(Err(refusal(RefusalKind::NotNow, what, "try again later")));
        }
        // Even if it is answered already: not before that is in the ledger.
        self.waiting.push(Waiting { question: question.no, reply });
    }

    /// A client is gone: nobody waits there.
    pub(super) fn leave(&mut self, outbox: &Arc<Outbox>) {
        self.waiting.retain(|waits| !Arc::ptr_eq(&waits.reply.outbox, outbox));
    }

    /// Answers those whose question is open no more. All facts must be in the ledger.
    pub(super) fn serve(&mut self, engine: &Engine) {
        self.waiting.retain(|waits| match engine.question_no(waits.question) {
            Some(question) if question.is_open() => true,
            Some(question) => {
                waits.reply.answer(Ok(Reply::Asked(Box::new(question.clone()))));
                false
            }
            None => {
                let what = format!("q{} is gone: its task was archived", waits.question);
                waits.reply.answer(Err(refusal(RefusalKind::NotFound, what, "")));
                false
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_answered_once_or_forgotten_with_its_client() {
        let engine = Engine::new();
        let (reply, outbox) = ReplyTo::of_test();
        let mut questions = Questions::default();
        let attempt = AttemptId { task: crate::values::ids::TaskId(1), no: 1 };
        questions.wait(reply.clone(), attempt, "which?", &engine);
        assert!(outbox.more().is_some(), "refused: nobody put that question");
        let waits = || Waiting { question: 7, reply: reply.clone() };
        questions.waiting.push(waits());
        questions.serve(&engine);
        assert!(outbox.more().is_some() && questions.waiting.is_empty(), "its task is gone");
        questions.waiting.push(waits());
        questions.leave(&outbox);
        questions.serve(&engine);
        assert!(outbox.more().is_none());
    }
}
