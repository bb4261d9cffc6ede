//! What is decided about schedules, batches and the queue.

use crate::core::model::batch::{BatchPhase, PhaseOutcome, Place, Schedule};
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchFact {
    /// This is the schedule of a repo; whether it runs is another fact.
    Scheduled {
        /// All of it.
        schedule: Box<Schedule>,
    },
    /// Batches begin by themselves from now on, or no more.
    Switched {
        /// The repo.
        repo: PathBuf,
        /// Which.
        on: bool,
    },
    /// What is dropped is built at once from now on, or no more.
    Watched {
        /// The repo.
        repo: PathBuf,
        /// Which.
        on: bool,
    },
    /// A batch began.
    Opened {
        /// The repo.
        repo: PathBuf,
        /// Its number; one number over all repos of a daemon.
        batch: u64,
        /// When it was due; none: a person asked for it.
        due: Option<Time>,
    },
    /// Batches that were due did not begin.
    Missed {
        /// The repo.
        repo: PathBuf,
        /// How many.
        count: u32,
        /// All that were due up to here are dealt with.
        until: Time,
    },
    /// A phase began.
    PhaseBegan {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// Which.
        phase: BatchPhase,
        /// Its hard limit.
        limit: Span,
    },
    /// The queue was looked at.
    Looked {
        /// The repo.
        repo: PathBuf,
        /// For this batch; none: without one.
        batch: Option<u64>,
        /// Files that still wait, from the repo's root, in their order.
        waiting: Vec<String>,
        /// Nothing of them can be taken now.
        dry: bool,
    },
    /// A dropped file is built as this spec.
    Taken {
        /// The repo.
        repo: PathBuf,
        /// By this batch; none: without one.
        batch: Option<u64>,
        /// The spec.
        spec: SpecId,
        /// The folder in which the file lay.
        folder: String,
        /// Its name.
        file: String,
    },
    /// A dropped file can't be a spec.
    Refused {
        /// The repo.
        repo: PathBuf,
        /// For this batch; none: without one.
        batch: Option<u64>,
        /// The folder in which the file lay.
        folder: String,
        /// Its name.
        file: String,
        /// Why.
        why: Shown,
    },
    /// A dropped file belongs there from now on.
    Moved {
        /// Its spec.
        spec: SpecId,
        /// Where.
        to: Place,
    },
    /// A task belongs to a batch.
    Tasked {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// The phase in which it began.
        phase: BatchPhase,
        /// The task.
        task: TaskId,
        /// It is what the phase does, not a part of a spec.
        chore: bool,
    },
    /// A spec is not done: the next batch goes on with it.
    Left {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// The spec.
        spec: SpecId,
        /// Tasks of it that were stopped for that.
        tasks: Vec<TaskId>,
    },
    /// A batch goes on with a spec of the one before.
    WentOn {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// The spec.
        spec: SpecId,
    },
    /// Its report was written.
    Reported {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// Where to, in nopeek's data.
        file: Shown,
    },
    /// A phase is over.
    PhaseOver {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// Which.
        phase: BatchPhase,
        /// How it came out.
        outcome: PhaseOutcome,
        /// Why, or what came of it; may be empty.
        why: Shown,
    },
    /// A batch is over.
    Closed {
        /// The repo.
        repo: PathBuf,
        /// The batch.
        batch: u64,
        /// What it came to, a line each.
        lines: Vec<Shown>,
    },
}

impl BatchFact {
    /// A word for filters; stable.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Scheduled { .. } => "schedule_set",
            Self::Switched { .. } => "schedule_switched",
            Self::Watched { .. } => "queue_watched",
            Self::Opened { .. } => "batch_opened",
            Self::Missed { .. } => "batch_missed",
            Self::PhaseBegan { .. } => "batch_phase_began",
            Self::Looked { .. } => "queue_looked",
            Self::Taken { .. } => "queue_taken",
            Self::Refused { .. } => "queue_refused",
            Self::Moved { .. } => "queue_moved",
            Self::Tasked { .. } => "batch_tasked",
            Self::Left { .. } => "batch_left",
            Self::WentOn { .. } => "batch_went_on",
            Self::Reported { .. } => "batch_reported",
            Self::PhaseOver { .. } => "batch_phase_over",
            Self::Closed { .. } => "batch_closed",
        }
    }

    /// The kinds that there are.
    pub const KINDS: [&'static str; 16] = [
        "schedule_set",
        "schedule_switched",
        "queue_watched",
        "batch_opened",
        "batch_missed",
        "batch_phase_began",
        "queue_looked",
        "queue_taken",
        "queue_refused",
        "queue_moved",
        "batch_tasked",
        "batch_left",
        "batch_went_on",
        "batch_reported",
        "batch_phase_over",
        "batch_closed",
    ];

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
