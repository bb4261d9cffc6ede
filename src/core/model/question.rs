//! A question that an agent puts through nopeek's tools, and what it reports there: the types, and their part of the state.
//!
//! The rules (who may ask, how often, who answers) are in [`crate::core::rules::tool_question`].

use crate::core::model::agent::{AgentQuestion, QuestionKind};
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest question or report, in bytes.
pub const TEXT_MAX: usize = 4 * 1024;

/// Most answers to choose from.
pub const OPTIONS_MAX: usize = 10;

/// Longest of them, in bytes.
pub const OPTION_MAX: usize = 200;

/// Open questions of one attempt: a person is asked one thing after the other.
pub const OPEN_MAX: usize = 10;

/// All questions of one attempt, the answered ones too.
pub const ASKED_MAX: usize = 200;

/// Reports of one attempt.
pub const REPORTS_MAX: usize = 10;

/// Longest answer, in bytes.
pub const ANSWER_MAX: usize = 16 * 1024;

/// Tasks that the agents of one task may add.
pub const ADDED_MAX: usize = 20;

/// How many tasks a line may have in which each was added by the one before, the first by a person.
pub const DEPTH_MAX: usize = 3;

/// What agents can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionCommand {
    /// A question for a person, from a working attempt. Put again, it is the same question.
    Put {
        attempt: AttemptId,
        text: String,
        /// Answers to choose from; any other may be given too.
        options: Vec<String>,
    },
    /// The agent says that it is done, and what it did. The branch and the gates still decide.
    Done {
        attempt: AttemptId,
        /// In its own words.
        summary: String,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum QuestionFact {
    /// A question waits for a person.
    #[strum(serialize = "question_put")]
    Put {
        /// Its number, over all tasks.
        question: u64,
        attempt: AttemptId,
        text: String,
        /// Answers to choose from.
        options: Vec<String>,
    },
    /// A person has answered.
    #[strum(serialize = "question_answered")]
    Answered {
        question: u64,
        attempt: AttemptId,
        /// The answer, as the agent gets it.
        answer: String,
    },
    /// Nobody waits for the answer any more.
    #[strum(serialize = "question_dropped")]
    Dropped { question: u64, attempt: AttemptId },
    /// An agent has said that it is done.
    #[strum(serialize = "reported_done")]
    Done {
        attempt: AttemptId,
        /// In its own words.
        summary: String,
    },
}

/// A question as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its number, over all tasks.
    pub no: u64,
    pub attempt: AttemptId,
    pub text: String,
    /// Answers to choose from.
    pub options: Vec<String>,
    /// How far it is.
    pub state: QuestionState,
}

/// How far a question is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionState {
    /// It waits for a person.
    Open,
    /// It was answered with this.
    Answered(String),
    /// Its attempt ended before somebody answered.
    Dropped,
}

impl Question {
    /// Whether it waits for a person.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, QuestionState::Open)
    }

    /// As a person reads it: the text, and what there is to choose from.
    #[must_use]
    pub fn shown(&self) -> Shown {
        shown(&self.text, &self.options, 0)
    }
}

/// The text with its choices, and how many more questions wait behind it.
pub(in crate::core) fn shown(text: &str, options: &[String], more: usize) -> Shown {
    let mut words = text.to_owned();
    if !options.is_empty() {
        let list: Vec<String> =
            options.iter().enumerate().map(|(n, option)| format!("{}: {option}", n + 1)).collect();
        words = format!("{words} ({})", list.join("; "));
    }
    if more > 0 {
        words = format!("{words} [{more} more to answer]");
    }
    Shown::line(&words)
}

impl QuestionFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The attempt that it is about.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        match self {
            Self::Put { attempt, .. }
            | Self::Answered { attempt, .. }
            | Self::Dropped { attempt, .. }
            | Self::Done { attempt, .. } => *attempt,
        }
    }

    /// The task that it is about.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        Some(self.attempt().task)
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        Shown::line(&match self {
            Self::Put { question, text, options, .. } => {
                format!("asks (q{question}): {}", shown(text, options, 0))
            }
            Self::Answered { question, answer, .. } => format!("answered {answer:?} to q{question}"),
            Self::Dropped { question, .. } => format!("q{question} is dropped: its attempt is over"),
            Self::Done { summary, .. } => format!("reports that it is done: {summary}"),
        })
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    pub(in crate::core) last: u64,
    pub(in crate::core) all: BTreeMap<u64, Question>,
    done: BTreeMap<AttemptId, Vec<String>>,
}

impl Questions {
    /// The question of this number.
    #[must_use]
    pub fn get(&self, no: u64) -> Option<&Question> {
        self.all.get(&no)
    }

    /// The question that an attempt put with this text, unless it was dropped.
    #[must_use]
    pub fn find(&self, attempt: AttemptId, text: &str) -> Option<&Question> {
        let text = text.trim();
        self.of(attempt).find(|question| question.text == text && question.state != QuestionState::Dropped)
    }

    /// What an attempt has reported, oldest first.
    #[must_use]
    pub fn reports(&self, attempt: AttemptId) -> &[String] {
        self.done.get(&attempt).map_or(&[], Vec::as_slice)
    }

    /// The oldest open question of an attempt, as a board shows it.
    pub(in crate::core) fn asked(&self, attempt: AttemptId) -> Option<AgentQuestion> {
        let first = self.open_of(attempt).next()?;
        let more = self.open_of(attempt).count() - 1;
        Some(AgentQuestion { kind: QuestionKind::Question, text: shown(&first.text, &first.options, more) })
    }

    pub(in crate::core) fn of(&self, attempt: AttemptId) -> impl Iterator<Item = &Question> {
        self.all.values().filter(move |question| question.attempt == attempt)
    }

    pub(in crate::core) fn open_of(&self, attempt: AttemptId) -> impl Iterator<Item = &Question> {
        self.of(attempt).filter(|question| question.is_open())
    }

    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &QuestionFact) {
        match fact {
            QuestionFact::Put { question, attempt, text, options } => {
                self.last = self.last.max(*question);
                let (text, options) = (text.clone(), options.clone());
                let asked =
                    Question { no: *question, attempt: *attempt, text, options, state: QuestionState::Open };
                self.all.insert(*question, asked);
            }
            QuestionFact::Answered { question, answer, .. } => {
                self.set(*question, QuestionState::Answered(answer.clone()));
            }
            QuestionFact::Dropped { question, .. } => self.set(*question, QuestionState::Dropped),
            QuestionFact::Done { attempt, summary } => {
                self.done.entry(*attempt).or_default().push(summary.clone());
            }
        }
    }

    fn set(&mut self, no: u64, state: QuestionState) {
        if let Some(question) = self.all.get_mut(&no) {
            question.state = state;
        }
    }

    /// Lets go of a task's.
    pub(in crate::core) fn forget(&mut self, task: TaskId) {
        self.all.retain(|_, question| question.attempt.task != task);
        self.done.retain(|attempt, _| attempt.task != task);
    }
}
