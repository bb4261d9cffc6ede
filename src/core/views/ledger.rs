//! The ledger as people read it.

use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};

/// A line of the ledger as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Its place in the ledger, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Time,
    /// The task it is about.
    pub task: Option<TaskId>,
    pub name: String,
    /// The kind of fact, in snake case: what scripts filter on.
    pub kind: String,
    /// What was decided, in words.
    pub text: Shown,
}

impl LedgerLine {
    /// The kind that stands for a row that can't be read; no fact has it.
    pub const UNREAD: &str = "unread";
}
