//! Typing into an agent's terminal as a person would: the text, a pause, then Enter.
//!
//! Owns the order and the pauses: TUIs take a pasted text and an Enter in one write for a text of two lines. Pure:
//! time comes in, bytes come out.

use crate::core::model::agent::{AgentState, QuestionKind};
use crate::core::model::event::Answer;
use crate::values::ids::EffectId;
use crate::wire::keeper::ToKeeper;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Between a text and its Enter.
const PAUSE: Duration = Duration::from_millis(300);
/// An agent that says nothing of its state gets its prompt after this much silence.
const QUIET: Duration = Duration::from_millis(1_500);
/// An agent that prints nothing at all gets its prompt after this long.
const PATIENCE: Duration = Duration::from_secs(15);

/// Names a part of what is typed, so that after a restart the keeper leaves out what was typed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Once {
    /// The effect's number; 0 is the prompt, effects count from 1.
    pub(super) effect: u64,
    pub(super) step: u32,
}

impl Once {
    pub(super) const fn message(self, bytes: Vec<u8>) -> ToKeeper {
        ToKeeper::Once { effect: self.effect, step: self.step, bytes }
    }
}

/// What is to be written now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// Text, to be encoded for the terminal's modes.
    Text(Once, String),
    /// Bytes as they are.
    Raw(Once, &'static [u8]),
    /// Nothing more of this effect: answer it.
    Done(EffectId),
    /// Nothing more of the prompt: remember that, so that it is not typed again.
    PromptTyped,
}

/// What waits to be typed into one terminal.
#[derive(Debug, Default)]
pub(super) struct Typist {
    prompt: Option<String>,
    began: Option<Instant>,
    last_output: Option<Instant>,
    state: Option<AgentState>,
    queue: VecDeque<Step>,
    not_before: Option<Instant>,
    no_first: bool,
}

#[derive(Debug)]
enum Step {
    Write(Write),
    Pause,
}

impl Typist {
    /// The prompt, to be typed when the agent is ready for it.
    pub(super) fn prompt(&mut self, prompt: String, now: Instant) {
        self.prompt = Some(prompt);
        self.began = Some(now);
    }

    /// The first choice of the program's own dialogs is "no": a yes is the second.
    pub(super) const fn no_first(&mut self) {
        self.no_first = true;
    }

    /// The agent said something of its state.
    pub(super) fn state(&mut self, state: &AgentState) {
        self.state = Some(state.clone());
    }

    /// The agent gave output.
    pub(super) fn output(&mut self, now: Instant) {
        self.last_output = Some(now);
    }

    /// An answer of a person.
    pub(super) fn answer(&mut self, answer: Answer, effect: EffectId) {
        let once = Once { effect: effect.0, step: 0 };
        match answer {
            Answer::Text(text) => self.text(effect.0, text),
            Answer::Accept if self.no_first && self.at_own_dialog() => {
                self.queue.push_back(Step::Write(Write::Raw(once, b"\x1b[B")));
                self.queue.push_back(Step::Pause);
                self.queue.push_back(Step::Write(Write::Raw(Once { effect: effect.0, step: 1 }, b"\r")));
            }
            Answer::Accept => self.queue.push_back(Step::Write(Write::Raw(once, b"\r"))),
            Answer::Decline => self.queue.push_back(Step::Write(Write::Raw(once, b"\x1b"))),
        }
        self.queue.push_back(Step::Write(Write::Done(effect)));
    }

    fn at_own_dialog(&self) -> bool {
        matches!(&self.state, Some(AgentState::Asking(ask)) if ask.kind == QuestionKind::StartUp)
    }

    /// The terminal is gone: the effects that will never be typed.
    pub(super) fn given_up(&mut self) -> Vec<EffectId> {
        self.prompt = None;
        self.queue
            .drain(..)
            .filter_map(|step| match step {
                Step::Write(Write::Done(effect)) => Some(effect),
                Step::Write(_) | Step::Pause => None,
            })
            .collect()
    }

    fn text(&mut self, effect: u64, text: String) {
        self.queue.push_back(Step::Write(Write::Text(Once { effect, step: 0 }, text)));
        self.queue.push_back(Step::Pause);
        self.queue.push_back(Step::Write(Write::Raw(Once { effect, step: 1 }, b"\r")));
    }

    /// When to call [`Typist::next`] again, if nothing happens before.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        if !self.queue.is_empty() {
            return Some(self.not_before.unwrap_or(now));
        }
        self.prompt.as_ref().and_then(|_| self.ready_at(now))
    }

    /// The next thing to write at `now`, if any.
    pub(super) fn next(&mut self, now: Instant) -> Option<Write> {
        if self.not_before.is_some_and(|at| now < at) {
            return None;
        }
        self.not_before = None;
        if self.queue.is_empty()
            && self.ready_at(now).is_some_and(|at| at <= now)
            && let Some(prompt) = self.prompt.take()
        {
            self.text(0, prompt);
            self.queue.push_back(Step::Write(Write::PromptTyped));
        }
        match self.queue.pop_front()? {
            Step::Write(write) => Some(write),
            Step::Pause => {
                self.not_before = Some(now + PAUSE);
                None
            }
        }
    }

    /// When the prompt may be typed, as things are.
    fn ready_at(&self, now: Instant) -> Option<Instant> {
        match &self.state {
            Some(AgentState::Idle | AgentState::Done) => Some(now),
            // A dialog of the CLI stands in the way, or it does something of its own: wait for another state.
            Some(AgentState::Asking(_) | AgentState::Working | AgentState::Failed(_)) => None,
            None => match self.last_output {
                Some(last) => Some(last + QUIET),
                None => self.began.map(|began| began + PATIENCE),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::agent::AgentQuestion;
    use crate::values::text::Shown;

    const fn once(effect: u64, step: u32) -> Once {
        Once { effect, step }
    }

    #[test]
    fn an_answer_is_a_text_a_pause_and_enter() {
        let now = crate::os::clock::instant();
        let mut typist = Typist::default();
        typist.answer(Answer::Text("yes".to_owned()), EffectId(7));
        assert_eq!(typist.next(now), Some(Write::Text(once(7, 0), "yes".to_owned())));
        assert_eq!(typist.next(now), None);
        assert_eq!(typist.next(now), None);
        assert_eq!(typist.due(now), Some(now + PAUSE));
        let now = now + PAUSE;
        assert_eq!(typist.next(now), Some(Write::Raw(once(7, 1), b"\r")));
        assert_eq!(typist.next(now), Some(Write::Done(EffectId(7))));
        assert_eq!(typist.next(now), None);
        assert_eq!(typist.due(now), None);
    }

    #[test]
    fn a_yes_is_the_second_choice_where_the_programs_own_dialogs_begin_with_no() {
        let now = crate::os::clock::instant();
        let ask = |kind| AgentState::Asking(AgentQuestion { kind, text: Shown::default() });
        let mut typist = Typist::default();
        typist.no_first();
        typist.state(&ask(QuestionKind::StartUp));
        typist.answer(Answer::Accept, EffectId(7));
        assert_eq!(typist.next(now), Some(Write::Raw(once(7, 0), b"\x1b[B")));
        assert_eq!(typist.next(now), None);
        let now = now + PAUSE;
        assert_eq!(typist.next(now), Some(Write::Raw(once(7, 1), b"\r")));
        assert_eq!(typist.next(now), Some(Write::Done(EffectId(7))));
        typist.state(&ask(QuestionKind::Permission));
        typist.answer(Answer::Accept, EffectId(8));
        assert_eq!(typist.next(now), Some(Write::Raw(once(8, 0), b"\r")));
    }

    #[test]
    fn a_prompt_waits_for_a_dialog_to_go_and_for_quiet() {
        let now = crate::os::clock::instant();
        let mut typist = Typist::default();
        typist.prompt("do it".to_owned(), now);
        assert_eq!(typist.due(now), Some(now + PATIENCE));
        typist.output(now);
        assert_eq!(typist.due(now), Some(now + QUIET));
        typist.state(&AgentState::Asking(AgentQuestion {
            kind: QuestionKind::StartUp,
            text: Shown::default(),
        }));
        assert_eq!(typist.next(now + PATIENCE), None);
        typist.state(&AgentState::Idle);
        assert_eq!(typist.next(now), Some(Write::Text(once(0, 0), "do it".to_owned())));
        assert_eq!(typist.next(now), None);
        assert_eq!(typist.next(now + PAUSE), Some(Write::Raw(once(0, 1), b"\r")));
        assert_eq!(typist.next(now + PAUSE), Some(Write::PromptTyped));
    }
}
