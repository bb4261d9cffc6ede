//! A gate: a named check with a command, a timeout and what it needs; and its verdicts.
//!
//! Owns the order in which gates run (`needs`, `parallel`), what their verdicts mean for an attempt,
//! and when a verdict may be taken over from an earlier run (same tree, same command).

use super::attempt::Exit;
use super::fact::Ending;
use super::ids::{JobId, Oid};
use super::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    /// Not run: it passed on the same tree with the same command before.
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
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were skipped or ignored.
    pub skipped: u32,
}

/// Where one gate of one attempt (or of one merge) stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRun {
    /// What is run.
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
    /// Its job runs.
    Running,
    /// It has a verdict.
    Judged(Verdict),
}

/// The verdict of a job that ended.
pub(in crate::core) const fn judge(exit: Exit, ending: Option<Ending>) -> Verdict {
    match (ending, exit) {
        (Some(Ending::Time | Ending::Silence), _) => Verdict::TimedOut,
        (_, Exit::Code(0)) => Verdict::Passed,
        (_, Exit::Code(_) | Exit::Signal(_)) => Verdict::Failed,
        (_, Exit::Unknown) => Verdict::Errored,
    }
}

/// What to do about a list of gates now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Next {
    /// Start the gate at this place.
    Run(usize),
    /// This gate has this verdict without a run.
    Judge(usize, Verdict),
    /// Wait for those that run.
    Wait,
    /// All have verdicts.
    Over,
}

/// The next thing to do: gates whose needs are met, in order; one that is not parallel runs alone.
pub(in crate::core) fn next(
    gates: &[GateRun],
    repo: &Path,
    tree: &Oid,
    passed: &BTreeSet<(PathBuf, Oid, String)>,
) -> Next {
    let running = |run: &&GateRun| run.state == GateState::Running;
    let any_running = gates.iter().any(|run| running(&run));
    let alone_running = gates.iter().filter(running).any(|run| !run.spec.parallel);
    for (at, run) in gates.iter().enumerate() {
        if run.state != GateState::Waiting {
            continue;
        }
        let needs: Vec<&GateRun> = run
            .spec
            .needs
            .iter()
            .filter_map(|name| gates.iter().find(|other| other.spec.name == *name))
            .collect();
        let red = |other: &&GateRun| matches!(other.state, GateState::Judged(v) if !v.is_green());
        let green = |other: &GateRun| matches!(other.state, GateState::Judged(v) if v.is_green());
        if needs.iter().any(red) {
            return Next::Judge(at, Verdict::Skipped);
        }
        if !needs.iter().all(|other| green(other)) {
            continue;
        }
        if passed.contains(&(repo.to_owned(), tree.clone(), run.spec.command.clone())) {
            return Next::Judge(at, Verdict::Cached);
        }
        if alone_running || (any_running && !run.spec.parallel) {
            continue;
        }
        return Next::Run(at);
    }
    if any_running {
        return Next::Wait;
    }
    match gates.iter().position(|run| run.state == GateState::Waiting) {
        // Only a cycle or an unknown name in `needs` gets here; config refuses both.
        Some(at) => Next::Judge(at, Verdict::Skipped),
        None => Next::Over,
    }
}

/// The required gates that are not green.
pub(in crate::core) fn red(gates: &[GateRun]) -> Vec<&GateRun> {
    gates
        .iter()
        .filter(|run| run.spec.required && !matches!(run.state, GateState::Judged(v) if v.is_green()))
        .collect()
}

/// The names of gates, for a sentence.
pub(in crate::core) fn names(gates: &[&GateRun]) -> String {
    gates.iter().map(|run| run.spec.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What the next attempt is told about red gates.
pub(in crate::core) fn failure_note(red: &[&GateRun], merged: Option<&str>) -> String {
    let mut note = merged.map_or_else(
        || "The work of the previous attempt is on your branch. These gates are red on it:\n".to_owned(),
        |target| {
            format!(
                "The work on your branch passed by itself, but merged with `{target}` these gates are red. \
                 Merge `{target}` into your branch first.\n"
            )
        },
    );
    for run in red {
        let GateState::Judged(verdict) = run.state else { continue };
        note.push_str(&format!("\n### {} ({}): `{}`\n", run.spec.name, verdict.label(), run.spec.command));
        if !run.tail.is_empty() {
            note.push_str(&format!("```\n{}\n```\n", run.tail.trim_end()));
        }
    }
    note.push_str("\nFind the cause, mend it, and commit.");
    note
}
