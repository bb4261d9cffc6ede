//! The read model: what clients, JSON output and scripts see. Never content of a covered screen.
//!
//! Built from the state and from vitals (which the daemon measures and which are not facts) whenever
//! somebody asks. Field names are the JSON names and are kept stable.

use super::attempt::{AgentMode, Ask, Exit, Source, Usage};
use super::event::DiffStat;
use super::gate::{GateState, TestCounts, Verdict};
use super::ids::{JobId, Oid, TaskId};
use super::lid::Lid;
use super::text::Shown;
use super::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// All that a board shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The moment it was made.
    pub now: Time,
    /// Repos that have tasks.
    pub repos: Vec<RepoView>,
    /// All tasks that were not forgotten, oldest first.
    pub tasks: Vec<TaskView>,
}

/// A repo on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoView {
    /// Its main checkout.
    pub path: PathBuf,
    /// The branch that work lands on.
    pub target: String,
    /// At most this many agents at once.
    pub parallel: u32,
    /// Tasks in the start queue, next first.
    pub waiting: Vec<TaskId>,
    /// Tasks in the merge queue, the one being merged first.
    pub merging: Vec<TaskId>,
}

/// A task on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// Its repo's main checkout.
    pub repo: PathBuf,
    /// Where it stands.
    pub state: TaskState,
    /// Why it stands there, in a sentence, where that is not plain; also the answer of "explain".
    pub why: Shown,
    /// Frozen by a human; every clock of it stands still.
    pub paused: bool,
    /// A human must act: answer, review, decide.
    pub needs_you: bool,
    /// The question that its agent asks.
    pub question: Option<Ask>,
    /// What the agent was asked to do.
    pub prompt: String,
    /// The agent profile.
    pub agent: String,
    /// Tasks that must land first and have not.
    pub after: Vec<String>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The gates of its merge candidate, while it is in the merge queue or after.
    pub merge_gates: Vec<GateView>,
    /// How many attempts it may start by itself.
    pub attempts_max: u32,
    /// The commit that landed it.
    pub landed: Option<Oid>,
    /// When it was launched.
    pub created: Time,
    /// When it last changed its state.
    pub changed: Time,
}

impl TaskView {
    /// The newest attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptView> {
        self.attempts.last()
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
    /// Its agent works.
    Working,
    /// Its agent asks.
    Asking,
    /// Its gates run.
    Gating,
    /// Waits for a human to read the diff.
    Review,
    /// Approved: in the merge queue, merged, gated as merged.
    Merging,
    /// Waits for a human to decide: attempts used up, landing refused, nothing was done.
    Stuck,
    /// Its agent died with the machine; resume or retry.
    Interrupted,
    /// On the target.
    Landed,
    /// The revert of a landed task is being made and gated.
    RollingBack,
    /// Landed and reverted.
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

/// An attempt on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Which try, from 1.
    pub no: u32,
    /// Its branch.
    pub branch: String,
    /// Its worktree; none before it stands and after it was archived.
    pub worktree: Option<PathBuf>,
    /// The agent's job; none before it starts.
    pub job: Option<JobId>,
    /// How its agent runs.
    pub mode: AgentMode,
    /// Its lid.
    pub lid: Lid,
    /// Whether somebody broke the lid while it ran.
    pub peeked: bool,
    /// How the agent ended; none while it runs.
    pub exit: Option<Exit>,
    /// How the attempt came out, once it has ended.
    pub result: Option<AttemptResult>,
    /// Where its state is known from.
    pub source: Option<Source>,
    /// Its gates; empty means ungated, never passed.
    pub gates: Vec<GateView>,
    /// Set-up hooks' jobs, in order.
    pub setup_jobs: Vec<JobId>,
    /// What its branch holds, once its agent has ended.
    pub head: Option<Oid>,
    /// What may be seen with the lid on.
    pub vitals: Vitals,
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
        }
    }
}

/// A gate on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// Its name.
    pub name: String,
    /// Its command.
    pub command: String,
    /// Whether red stops the attempt.
    pub required: bool,
    /// How far it is.
    pub state: GateState,
    /// Its job, whose output may be read.
    pub job: Option<JobId>,
    /// Tests counted.
    pub tests: Option<TestCounts>,
    /// How long it took.
    pub took: Option<Span>,
}

impl GateView {
    /// Its verdict, once it has one.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.state {
            GateState::Judged(verdict) => Some(verdict),
            GateState::Waiting | GateState::Running => None,
        }
    }
}

/// What may be seen of an attempt with the lid on: numbers and times, never content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// How long the agent has run, pauses not counted.
    pub elapsed: Span,
    /// When it last gave output.
    pub last_output: Option<Time>,
    /// Output in bytes a second, over the last seconds.
    pub rate: u64,
    /// All its output so far, in bytes.
    pub output: u64,
    /// Commits on its branch.
    pub commits: u32,
    /// Size of its diff, uncommitted work included.
    pub diffstat: DiffStat,
    /// Tokens and cost, as far as they are known.
    pub usage: Usage,
}

/// What the daemon measures of a job or its worktree between facts; merged into [`Vitals`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// When it last gave output.
    pub last_output: Option<Time>,
    /// Bytes a second.
    pub rate: u64,
    /// Bytes so far.
    pub output: u64,
    /// Commits on the branch.
    pub commits: u32,
    /// Size of the diff.
    pub diffstat: DiffStat,
}

/// A line of the ledger as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Its place in the ledger, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Time,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// That task's name.
    pub name: String,
    /// The kind of fact, in snake case: what scripts filter on.
    pub kind: String,
    /// What was decided, in words.
    pub text: Shown,
}
