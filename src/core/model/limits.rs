//! The limits of a task: how long, how silent, how often.

use crate::values::time::Span;
use serde::{Deserialize, Serialize};

/// The limits of a task, per attempt but for `attempts`. Paused time never counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How many attempts may be started without a human.
    pub attempts: u32,
    /// Longest run of the agent of one attempt.
    pub time: Option<Span>,
    /// Longest silence of the agent while it is not asking.
    pub silence: Option<Span>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attempts: 3, time: Some(Span::mins(60)), silence: Some(Span::mins(15)) }
    }
}
