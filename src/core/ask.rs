//! A question that an agent puts through nopeek's tools, not through its terminal.

use super::engine::Refused;
use super::ids::TaskId;
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use serde::{Deserialize, Serialize};

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskCommand {}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskFact {}

impl AskFact {
    /// A word for filters; stable.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match *self {}
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match *self {}
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        match *self {}
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {}

impl Asks {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &AskFact) {
        match *fact {}
    }
}

/// Carries out a command.
pub(in crate::core) fn command(_turn: &mut Turn<'_>, command: AskCommand) -> Result<(), Refused> {
    match command {}
}
