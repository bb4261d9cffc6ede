//! The lid's words: whether screens are hidden by rule, and how one screen is at a moment.

use serde::{Deserialize, Serialize};

/// Whether the screens of a task's agents are covered while they work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LidRule {
    /// Covered until the attempt has ended.
    #[default]
    On,
    Off,
}

/// How a screen is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lid {
    Sealed,
    /// The attempt has ended, or its lid is off by rule: anyone may look.
    Lifted,
    Broken,
}

impl Lid {
    /// The word on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Lifted => "lifted",
            Self::Broken => "broken",
        }
    }
}
