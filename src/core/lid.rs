//! The lid: what hides a screen until its attempt has ended or somebody broke it, for the record.
//!
//! The content of a screen can be borrowed only with a [`Permit`], and only this module makes
//! permits, from the engine's state. A permit is for one job, is used up by one borrow and can't be
//! kept, so that a lid that is put back takes effect at once.

use super::ids::JobId;
use serde::{Deserialize, Serialize};

/// Whether the screens of a task's agents are covered while they work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LidRule {
    /// Covered until the attempt has ended.
    #[default]
    On,
    /// Never covered.
    Off,
}

/// How a screen is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lid {
    /// Covered.
    Sealed,
    /// The attempt has ended, or its lid is off by rule: anyone may look.
    Lifted,
    /// Somebody peeked; recorded.
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

/// Leave to look at one job's screen, once.
#[derive(Debug)]
#[must_use = "a permit is leave to look; without a look it is nothing"]
pub struct Permit {
    job: JobId,
}

impl Permit {
    /// For the engine alone: `core::state` asks the lid's rules before it calls this.
    pub(in crate::core) const fn new(job: JobId) -> Self {
        Self { job }
    }

    /// Whose screen may be looked at.
    #[must_use]
    pub const fn job(&self) -> JobId {
        self.job
    }
}
