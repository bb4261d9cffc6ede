//! What is decided about schedules, batches and the queue.

use crate::core::model::batch::{BatchPhase, PhaseOutcome, Place, Schedule};
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum BatchFact {
    /// This is the schedule of a repo; whether it runs is another fact.
    #[strum(serialize = "schedule_set")]
    Scheduled { schedule: Box<Schedule> },
    /// Batches begin by themselves from now on, or no more.
    #[strum(serialize = "schedule_switched")]
    Switched { repo: PathBuf, on: bool },
    /// What is dropped is built at once from now on, or no more.
    #[strum(serialize = "queue_watched")]
    Watched { repo: PathBuf, on: bool },
    #[strum(serialize = "batch_opened")]
    Opened {
        repo: PathBuf,
        /// Its number; one number over all repos of a daemon.
        batch: u64,
        /// When it was due; none: a person asked for it.
        due: Option<Time>,
    },
    /// Batches that were due did not begin.
    #[strum(serialize = "batch_missed")]
    Missed {
        repo: PathBuf,
        count: u32,
        /// All that were due up to here are dealt with.
        until: Time,
    },
    #[strum(serialize = "batch_phase_began")]
    PhaseBegan { repo: PathBuf, batch: u64, phase: BatchPhase, limit: Span },
    /// The queue was looked at.
    #[strum(serialize = "queue_looked")]
    Looked {
        repo: PathBuf,
        /// For this batch; none: without one.
        batch: Option<u64>,
        /// Files that still wait, from the repo's root, in their order.
        waiting: Vec<String>,
        /// Nothing of them can be taken now.
        dry: bool,
    },
    /// A dropped file is built as this spec.
    #[strum(serialize = "queue_taken")]
    Taken {
        repo: PathBuf,
        /// By this batch; none: without one.
        batch: Option<u64>,
        spec: SpecId,
        /// The folder in which the file lay.
        folder: String,
        file: String,
    },
    /// A dropped file can't be a spec.
    #[strum(serialize = "queue_refused")]
    Refused {
        repo: PathBuf,
        /// For this batch; none: without one.
        batch: Option<u64>,
        /// The folder in which the file lay.
        folder: String,
        file: String,
        why: Shown,
    },
    /// A dropped file belongs there from now on.
    #[strum(serialize = "queue_moved")]
    Moved { spec: SpecId, to: Place },
    /// A task belongs to a batch.
    #[strum(serialize = "batch_tasked")]
    Tasked {
        repo: PathBuf,
        batch: u64,
        /// The phase in which it began.
        phase: BatchPhase,
        task: TaskId,
        /// It is what the phase does, not a part of a spec.
        chore: bool,
    },
    /// A spec is not done: the next batch goes on with it.
    #[strum(serialize = "batch_left")]
    Left {
        repo: PathBuf,
        batch: u64,
        spec: SpecId,
        /// Tasks of it that were stopped for that.
        tasks: Vec<TaskId>,
    },
    /// A batch goes on with a spec of the one before.
    #[strum(serialize = "batch_went_on")]
    WentOn { repo: PathBuf, batch: u64, spec: SpecId },
    /// Its report was written.
    #[strum(serialize = "batch_reported")]
    Reported {
        repo: PathBuf,
        batch: u64,
        /// Where to, in nopeek's data.
        file: Shown,
    },
    /// A phase is over.
    #[strum(serialize = "batch_phase_over")]
    PhaseOver {
        repo: PathBuf,
        batch: u64,
        phase: BatchPhase,
        /// How it came out.
        outcome: PhaseOutcome,
        /// Why, or what came of it; may be empty.
        why: Shown,
    },
    /// A batch is over.
    #[strum(serialize = "batch_closed")]
    Closed {
        repo: PathBuf,
        batch: u64,
        /// What it came to, a line each.
        lines: Vec<Shown>,
    },
}

impl BatchFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Tasked { task, .. } => Some(*task),
            Self::Scheduled { .. }
            | Self::Switched { .. }
            | Self::Watched { .. }
            | Self::Opened { .. }
            | Self::Missed { .. }
            | Self::PhaseBegan { .. }
            | Self::Looked { .. }
            | Self::Taken { .. }
            | Self::Refused { .. }
            | Self::Moved { .. }
            | Self::Left { .. }
            | Self::WentOn { .. }
            | Self::Reported { .. }
            | Self::PhaseOver { .. }
            | Self::Closed { .. } => None,
        }
    }
}
