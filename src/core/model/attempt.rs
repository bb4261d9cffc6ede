//! An attempt: one try at a task by one fresh-context agent on one branch in one worktree.

use crate::core::model::agent::{AgentQuestion, AgentState, Source, Usage};
use crate::core::model::assignment::{AttemptKind, Deliverable};
use crate::core::model::branch::{BranchRead, WorktreeReady};
use crate::core::model::finding::Findings;
use crate::core::model::gate::GateRun;
use crate::values::ids::{AttemptId, JobId, TaskName};
use crate::values::time::Time;
use serde::{Deserialize, Serialize};

/// From where an attempt's branch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The tip of the target branch.
    Target,
    /// The head that the previous attempt of the task left.
    Previous,
}

/// The branch of an attempt: `nopeek/<task>/<attempt>`.
#[must_use]
pub fn branch_name(task: &TaskName, attempt: AttemptId) -> String {
    format!("nopeek/{task}/{}", attempt.no)
}

/// Whether somebody looked at the screen of an attempt while it was hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peek {
    #[default]
    Never,
    /// The lid is broken now.
    Now,
    /// It was, and is on again or needed no more.
    Before,
}

impl Peek {
    /// The lid is put back on, or needed no more.
    #[must_use]
    pub const fn over(self) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::Now | Self::Before => Self::Before,
        }
    }
}

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    /// What it is to its task.
    pub part: AttemptKind,
    /// From where its branch starts.
    pub start: Start,
    /// What its agent is asked to do.
    pub prompt: String,
    /// Its worktree and what was found in the base's config.
    pub ready: Option<WorktreeReady>,
    /// Set-up hooks that are done.
    pub setup_done: usize,
    /// Its agent's newest job.
    pub agent: Option<JobId>,
    /// The best source that its agent has used.
    pub source: Option<Source>,
    /// What the agent last said, and when.
    pub said: Option<(AgentState, Time)>,
    /// The same without what a human's answer has made of it, and how much of its output had been read by then.
    pub last_report: Option<(AgentState, u64)>,
    /// What it asks through nopeek's tools, the oldest open question first.
    pub ask: Option<AgentQuestion>,
    /// Whether the agent has worked on the prompt yet.
    pub worked: bool,
    /// The agent's own session.
    pub session: Option<String>,
    pub usage: Usage,
    /// What the branch held when the agent had ended.
    pub read: Option<BranchRead>,
    pub gates: Vec<GateRun>,
    /// How it came out.
    pub result: Option<AttemptResult>,
    /// A person has changed its branch after it was over; no agent works on it.
    pub reopened: bool,
    /// Whether somebody looked at its screen while it was hidden.
    pub peek: Peek,
}

/// How an attempt came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// All required gates are green (or there are none): ready for review.
    Green,
    /// A required gate is red.
    Red,
    /// The agent ended without a commit.
    NoWork,
    /// The agent or its set-up failed.
    Failed,
    /// It ran into its time or silence limit.
    TimedOut,
    /// Review sent it back.
    SentBack,
    /// It did not merge, or was red as merged.
    MergeFailed,
    /// A human stopped it.
    Stopped,
    /// It died with the machine.
    Interrupted,
    /// Another pair of eyes has said what it found.
    Reviewed,
    /// Its budget was used up.
    OverBudget,
}

impl AttemptResult {
    /// The words on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::NoWork => "no work",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::SentBack => "sent back",
            Self::MergeFailed => "merge failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Reviewed => "reviewed",
            Self::OverBudget => "over budget",
        }
    }
}

impl Attempt {
    /// What its second review found; none if it is none, or its file could not be read.
    #[must_use]
    pub fn findings(&self) -> Option<&Findings> {
        match self.read.as_ref()?.deliverable.as_ref()? {
            Deliverable::Findings(findings) => Some(findings),
            Deliverable::Mistakes(_)
            | Deliverable::Spec { .. }
            | Deliverable::Plan(_)
            | Deliverable::Lines(_) => None,
        }
    }
}
