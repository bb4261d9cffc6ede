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

/// Whether a screen can be seen at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lid {
    /// Hidden: the agent works, and nobody has peeked.
    #[serde(rename = "hidden")]
    Sealed,
    /// The attempt has ended, or its lid is off by rule: anyone may look.
    #[serde(rename = "visible")]
    Lifted,
    #[serde(rename = "peeked")]
    Broken,
}

impl Lid {
    /// The word on screens, in JSON and in docs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sealed => "hidden",
            Self::Lifted => "visible",
            Self::Broken => "peeked",
        }
    }
}
