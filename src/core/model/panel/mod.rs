//! The panel's types: what was asked, what was decided, and its part of the state.
//!
//! Promises: a vote is kept whole, with its question, its panel and each ballot. The newest [`POLLS_MAX`] are at hand;
//! older ones stay in the ledger.

pub mod question;
pub mod vote;

use crate::core::model::panel::question::{Panel, TradeOff};
use crate::core::model::panel::vote::{PollOutcome, Vote};
use crate::values::ids::{PanelId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::cut;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Most polls at hand.
pub const POLLS_MAX: usize = 1_000;

/// Most questions that one task may put.
pub const POLLS_OF_TASK_MAX: usize = 100;

/// Most polls of a repo that may wait for a human.
pub const WAITING_MAX: usize = 100;

/// Longest question and longest reason in a citation, in characters.
const CITED_LENGTH: usize = 160;

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelCommand {
    /// Let a panel vote on a question.
    Put {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The task that is worked on, if it is about one.
        task: Option<TaskId>,
        question: Box<TradeOff>,
        /// Who votes: the repo's panel as its config says.
        panel: Box<Panel>,
    },
    /// A human decides what the panel did not.
    Settle {
        id: PanelId,
        /// One of its options.
        option: String,
        /// Why; not empty.
        why: String,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum PanelFact {
    #[strum(serialize = "panel_voted")]
    Voted {
        id: PanelId,
        /// The repo's main checkout.
        repo: PathBuf,
        /// The task that it is about.
        task: Option<TaskId>,
        question: Box<TradeOff>,
        /// Who voted, with all weights.
        panel: Box<Panel>,
        vote: Box<Vote>,
    },
    #[strum(serialize = "panel_decided")]
    Decided {
        id: PanelId,
        /// The task that it is about.
        task: Option<TaskId>,
        option: String,
        why: Shown,
    },
}

impl PanelFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Voted { task, .. } | Self::Decided { task, .. } => *task,
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        match self {
            Self::Voted { id, question, vote, .. } => match &vote.outcome {
                PollOutcome::Decided(option) => {
                    let how = tally(vote, option);
                    Shown::line(&format!("panel {id}: {} → {option} ({how})", question.text))
                }
                PollOutcome::AskHuman(reason) => {
                    let why = reason.words(vote.margin);
                    Shown::line(&format!("panel {id}: {} → asks a human: {why}", question.text))
                }
            },
            Self::Decided { id, option, why, .. } => {
                Shown::line(&format!("panel {id} decided by a human: {option}: {why}"))
            }
        }
    }
}

/// A question and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    pub id: PanelId,
    /// When the panel voted.
    pub at: Time,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The task that it is about.
    pub task: Option<TaskId>,
    pub question: TradeOff,
    pub panel: Panel,
    pub vote: Vote,
    /// What a human said, where the panel did not decide.
    pub decision: Option<Decision>,
}

/// What a human decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: Time,
    /// One of the options.
    pub option: String,
    pub why: Shown,
}

impl Poll {
    /// The option that is taken, if that is decided.
    #[must_use]
    pub fn decided(&self) -> Option<&str> {
        match (&self.vote.outcome, &self.decision) {
            (PollOutcome::Decided(option), _) => Some(option),
            (PollOutcome::AskHuman(_), Some(decision)) => Some(&decision.option),
            (PollOutcome::AskHuman(_), None) => None,
        }
    }

    /// How it came out, in a line: `sqlite (margin 23 %, 9 of 12)`.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (&self.vote.outcome, &self.decision) {
            (PollOutcome::Decided(option), _) => format!("{option} ({})", tally(&self.vote, option)),
            (PollOutcome::AskHuman(_), Some(decision)) => {
                format!("{} (by a human: {})", decision.option, short(&decision.why))
            }
            (PollOutcome::AskHuman(reason), None) => {
                format!("asks a human: {}", reason.words(self.vote.margin))
            }
        }
    }
}

/// `margin 23 %, 9 of 12`.
fn tally(vote: &Vote, option: &str) -> String {
    format!("margin {} %, {} of {}", vote.margin, vote.voices(option), vote.ballots.len())
}

pub(in crate::core) fn short(text: &Shown) -> String {
    cut::chars(text.as_str(), CITED_LENGTH)
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    polls: BTreeMap<PanelId, Arc<Poll>>,
    last: u64,
}

impl Panels {
    /// Polls at hand, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Poll> {
        self.polls.values().map(AsRef::as_ref)
    }

    /// The poll of this number, if it is at hand.
    #[must_use]
    pub fn get(&self, id: PanelId) -> Option<&Poll> {
        self.polls.get(&id).map(AsRef::as_ref)
    }

    /// The number of the next poll.
    #[must_use]
    pub const fn next(&self) -> PanelId {
        PanelId(self.last + 1)
    }

    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, at: Time, fact: &PanelFact) {
        match fact {
            PanelFact::Voted { id, repo, task, question, panel, vote } => {
                self.last = self.last.max(id.0);
                let poll = Poll {
                    id: *id,
                    at,
                    repo: repo.clone(),
                    task: *task,
                    question: (**question).clone(),
                    panel: (**panel).clone(),
                    vote: (**vote).clone(),
                    decision: None,
                };
                self.polls.insert(*id, Arc::new(poll));
                while self.polls.len() > POLLS_MAX {
                    let decided = self.all().find(|poll| poll.decided().is_some()).map(|poll| poll.id);
                    let Some(oldest) = decided.or_else(|| self.polls.keys().next().copied()) else { break };
                    self.polls.remove(&oldest);
                }
            }
            PanelFact::Decided { id, option, why, .. } => {
                if let Some(poll) = self.polls.get_mut(id) {
                    let decision = Decision { at, option: option.clone(), why: why.clone() };
                    Arc::make_mut(poll).decision = Some(decision);
                }
            }
        }
    }
}
