//! What an agent says of itself, made few: newest wins, and the same is not said twice, unless something else was
//! said between: a question may come again in the same words.
//!
//! An agent may change its title a thousand times a second; the engine and the ledger hear of its state at most a few
//! times a second, and at once when it has been quiet. Pure: time comes in.

use crate::core::model::agent::{AgentState, Observation, Source, Usage};
use std::time::{Duration, Instant};

/// The shortest time between two states, uses or bells of one agent that the engine hears of.
const APART: Duration = Duration::from_millis(200);

/// Waits with what comes too fast.
#[derive(Debug, Default)]
pub(super) struct Coalesce {
    state: Slot<(Source, AgentState)>,
    usage: Slot<Usage>,
    session: Slot<String>,
    bell: Slot<u64>,
    bells: u64,
}

#[derive(Debug)]
struct Slot<T> {
    said: Option<T>,
    waiting: Option<T>,
    free: Option<Instant>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { said: None, waiting: None, free: None }
    }
}

impl<T: PartialEq + Clone> Slot<T> {
    fn put(&mut self, value: T) {
        if self.waiting.is_some() || self.said.as_ref() != Some(&value) {
            self.waiting = Some(value);
        }
    }

    fn take(&mut self, now: Instant, all: bool) -> Option<T> {
        if !all && self.free.is_some_and(|free| now < free) {
            return None;
        }
        let value = self.waiting.take()?;
        self.said = Some(value.clone());
        self.free = Some(now + APART);
        Some(value)
    }

    fn due(&self) -> Option<Option<Instant>> {
        self.waiting.as_ref().map(|_| self.free)
    }
}

impl Coalesce {
    /// The engine has this from an earlier daemon.
    pub(super) fn known(&mut self, source: Source, state: AgentState) {
        self.state.said = Some((source, state));
    }

    /// Takes in what was observed.
    pub(super) fn put(&mut self, what: Observation) {
        match what {
            Observation::State { source, state } => self.state.put((source, state)),
            Observation::Usage(usage) => self.usage.put(usage),
            Observation::Session(session) => self.session.put(session),
            Observation::Bell => {
                self.bells += 1;
                self.bell.put(self.bells);
            }
        }
    }

    /// What is to be said now; `all`: whatever waits.
    pub(super) fn take(&mut self, now: Instant, all: bool) -> Vec<Observation> {
        let mut out = Vec::new();
        out.extend(self.session.take(now, all).map(Observation::Session));
        out.extend(self.usage.take(now, all).map(Observation::Usage));
        out.extend(self.state.take(now, all).map(|(source, state)| Observation::State { source, state }));
        out.extend(self.bell.take(now, all).map(|_| Observation::Bell));
        out
    }

    /// When something that waits may be said.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        [self.state.due(), self.usage.due(), self.session.due(), self.bell.due()]
            .into_iter()
            .flatten()
            .map(|free| free.unwrap_or(now))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(state: AgentState) -> Observation {
        Observation::State { source: Source::Title, state }
    }

    #[test]
    fn the_first_is_said_at_once_then_the_newest_after_a_while() {
        let now = crate::os::clock::instant();
        let mut coalesce = Coalesce::default();
        coalesce.put(state(AgentState::Working));
        assert_eq!(coalesce.take(now, false), [state(AgentState::Working)]);
        for _ in 0..1_000 {
            coalesce.put(state(AgentState::Idle));
            coalesce.put(state(AgentState::Working));
            coalesce.put(state(AgentState::Done));
        }
        assert_eq!(coalesce.take(now, false), []);
        assert_eq!(coalesce.due(now), Some(now + APART));
        assert_eq!(coalesce.take(now + APART, false), [state(AgentState::Done)]);
        coalesce.put(state(AgentState::Done));
        assert_eq!(coalesce.due(now), None, "the same is not said twice");
    }

    #[test]
    fn the_same_question_after_something_else_is_asked_again() {
        let now = crate::os::clock::instant();
        let mut coalesce = Coalesce::default();
        coalesce.put(state(AgentState::Idle));
        coalesce.take(now, false);
        coalesce.put(state(AgentState::Working));
        coalesce.put(state(AgentState::Idle));
        assert_eq!(coalesce.take(now, true), [state(AgentState::Idle)]);
    }
}
