//! A gate: a named check with a command, a timeout and what it needs; its runs and its verdicts.

use crate::values::ids::JobId;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};

/// A gate as `nopeek.toml` on the target's commit describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSpec {
    /// Unique within a repo; what `needs` refers to.
    pub name: String,
    /// Run by `sh -c` in the worktree.
    pub command: String,
    /// Ended and judged [`Verdict::TimedOut`] after this long, paused time not counted.
    pub timeout: Span,
    /// Gates that must have passed before this one starts.
    pub needs: Vec<String>,
    /// A red optional gate is shown and stops nothing.
    pub required: bool,
    /// May run beside other gates of the same attempt.
    pub parallel: bool,
    /// It looks at commits, or at what the tree is compared with: the same tree may be red another time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reads_history: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Exit code 0.
    Passed,
    /// Another exit code or a signal.
    Failed,
    /// Ran longer than it may.
    TimedOut,
    /// Could not be run, or its end is unknown.
    Errored,
    /// Not run: it passed on the same tree with the same command before, as merged in a folder of the daemon's own.
    Cached,
    /// Not run: a gate that it needs did not pass.
    Skipped,
}

impl Verdict {
    /// Whether the tree can be said to satisfy the gate.
    #[must_use]
    pub const fn is_green(self) -> bool {
        matches!(self, Self::Passed | Self::Cached)
    }

    /// The word on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Errored => "errored",
            Self::Cached => "cached",
            Self::Skipped => "skipped",
        }
    }
}

/// Tests counted in a gate's output, where a known runner printed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    pub passed: u32,
    pub failed: u32,
    /// Tests that were skipped or ignored.
    pub skipped: u32,
}

/// Where one gate of one attempt (or of one merge) stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRun {
    pub spec: GateSpec,
    /// How far it is.
    pub state: GateState,
    /// The job of the newest run; none if it never ran here.
    pub job: Option<JobId>,
    /// Tests counted in that run.
    pub tests: Option<TestCounts>,
    /// How long the run took.
    pub took: Option<Span>,
    /// The last lines of a run that is not green, for the next attempt's prompt. At most
    /// [`GateRun::TAIL_MAX`] bytes.
    pub tail: String,
}

impl GateRun {
    /// Longest output tail kept, in bytes: what fits a prompt and the ledger.
    pub const TAIL_MAX: usize = 6 * 1024;
}

/// How far a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Waits for its turn or for gates that it needs.
    Waiting,
    Running,
    /// It has a verdict.
    Judged(Verdict),
}
