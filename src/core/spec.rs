//! A spec: from a goal over its review and its plan to landed work.

use super::engine::Refused;
use super::ids::TaskId;
use super::state::State;
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use serde::{Deserialize, Serialize};

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecCommand {}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecFact {}

impl SpecFact {
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
pub struct Specs {}

impl Specs {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &SpecFact) {
        match *fact {}
    }
}

/// Carries out a command.
pub(in crate::core) fn command(_turn: &mut Turn<'_>, command: SpecCommand) -> Result<(), Refused> {
    match command {}
}

/// What should now be started, stopped and asked for.
pub(in crate::core) fn settle(_turn: &mut Turn<'_>) {}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(_state: &State) -> Option<Time> {
    None
}
