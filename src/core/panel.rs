//! The panel: personas that vote on a trade-off by their weights.

use super::engine::Refused;
use super::ids::TaskId;
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use serde::{Deserialize, Serialize};

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelCommand {}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelFact {}

impl PanelFact {
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
pub struct Panels {}

impl Panels {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &PanelFact) {
        match *fact {}
    }
}

/// Carries out a command.
pub(in crate::core) fn command(_turn: &mut Turn<'_>, command: PanelCommand) -> Result<(), Refused> {
    match command {}
}
