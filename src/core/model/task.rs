//! A task: all that was asked for, and where it stands.

use crate::core::model::agent::AgentTraits;
use crate::core::model::assignment::{Assignment, AttemptKind};
use crate::core::model::attempt::{Attempt, Start};
use crate::core::model::branch::MergeBuilt;
use crate::core::model::budget::Budget;
use crate::core::model::gate::GateRun;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::values::ids::{AttemptId, Oid, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A task as it was asked for, all config resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The repo's main checkout, canonical; names the repo for good.
    pub repo: PathBuf,
    /// The branch to land on.
    pub target: String,
    /// At most this many agents at once in this repo.
    pub parallel: u32,
    /// Wished name; the engine appends a number if it is taken.
    pub name: TaskName,
    /// What the agent is asked to do.
    pub prompt: String,
    pub agent: AgentTraits,
    /// How long and how often it may try.
    pub limits: Limits,
    /// Whether its screen is covered while it works.
    pub lid: LidRule,
    /// Tasks of the same repo that must have landed first, by the names that they were asked for with. Whom they meant is in
    /// [`Task::after`]: names are given anew once a task is archived.
    pub after: Vec<TaskName>,
    /// The attempt whose agent asked for it; none: a person did.
    #[serde(default)]
    pub by: Option<AttemptId>,
    /// What it is for in the outer loop.
    #[serde(default, rename = "brief")]
    pub assignment: Assignment,
    /// What its attempts, the task, and with others its batch and the day may use.
    #[serde(default)]
    pub budget: Budget,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    /// All that was asked for.
    pub launch: Launch,
    /// Tasks that must have landed before it starts.
    pub after: Vec<TaskId>,
    pub stage: Stage,
    /// Frozen by a human.
    pub paused: bool,
    pub attempts: Vec<Attempt>,
    /// Attempts that humans granted beyond the limit.
    pub granted: u32,
    /// Its merge or its revert, while in the merge queue and after.
    pub merge: Option<Merge>,
    /// The commit that landed it.
    pub landed: Option<Oid>,
    /// When it was launched.
    pub created: Time,
    /// When its stage last changed.
    pub changed: Time,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for its next attempt.
    Queued {
        /// From where that starts.
        start: Start,
        /// What its agent is told beside the task.
        note: String,
        /// What it is to the task.
        part: AttemptKind,
    },
    /// Its newest attempt is under way.
    Trying,
    /// Waits for a review of its newest attempt.
    Review,
    /// Approved at this head.
    Merging(Oid),
    /// Landed; its revert is under way.
    RollingBack,
    /// Waits for a human.
    Stuck(Shown),
    /// Its agent died with the machine.
    Interrupted,
    Landed,
    RolledBack,
    /// Ended by a human.
    Stopped,
    /// Ended by a review.
    Rejected(Shown),
}

/// A merge or a revert on its way to the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    pub built: Option<MergeBuilt>,
    /// Set-up hooks that are done in the scratch worktree.
    pub setup_done: usize,
    /// Gates on the merged tree.
    pub gates: Vec<GateRun>,
}

impl Task {
    /// The newest attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The attempt that is under way: the newest that is not over.
    #[must_use]
    pub fn open(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|a| a.result.is_none())
    }

    /// The newest attempt whose work is what may be merged.
    #[must_use]
    pub fn work(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|a| a.part == AttemptKind::Work)
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// In the start queue.
    Queued,
    /// Its worktree is made and set-up hooks run.
    Preparing,
    Working,
    Asking,
    Gating,
    /// Waits for a human to read the diff.
    Review,
    /// Approved: in the merge queue, merged, gated as merged.
    Merging,
    /// Waits for a human to decide: attempts used up, landing refused, nothing was done.
    Stuck,
    /// Its agent died with the machine; resume or retry.
    Interrupted,
    Landed,
    /// The revert of a landed task is being made and gated.
    RollingBack,
    RolledBack,
    /// Ended by a human before it was done.
    Stopped,
    /// Ended by a review.
    Rejected,
}

impl TaskState {
    /// The word on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Preparing => "preparing",
            Self::Working => "working",
            Self::Asking => "asking",
            Self::Gating => "gating",
            Self::Review => "review",
            Self::Merging => "merging",
            Self::Stuck => "stuck",
            Self::Interrupted => "interrupted",
            Self::Landed => "landed",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            Self::Stopped => "stopped",
            Self::Rejected => "rejected",
        }
    }

    /// Whether nothing more will happen to the task by itself or by its agent.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Landed | Self::RolledBack | Self::Stopped | Self::Rejected)
    }
}
