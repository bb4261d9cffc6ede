//! What the world is asked to do: plain data, idempotent, each with an id that its answer names.
//!
//! An effect may be asked for again after a crash; the edges make sure that doing it twice equals doing
//! it once. Every effect is answered by [`super::event::Event::EffectDone`]; the outcomes are named here.

use crate::core::model::attempt::Start;
use crate::core::model::batch::Place;
use crate::core::model::event::Answer;
use crate::values::ids::{AttemptId, EffectId, JobId, Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// What its answer names.
    pub id: EffectId,
    pub what: EffectKind,
}

/// What can be asked of the world. Every kind may also be answered `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectKind {
    /// Make branch and worktree of an attempt. → `WorktreeReady`
    PrepareWorktree {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The attempt, for the worktree's place.
        attempt: AttemptId,
        /// The branch to create.
        branch: String,
        target: String,
        /// From where the branch starts.
        start: Start,
        /// The previous attempt's branch, for [`Start::Previous`].
        previous: Option<String>,
        /// What its work is judged by.
        #[serde(default, rename = "terms")]
        acceptance: Acceptance,
    },
    /// Start a job. → `JobStarted`, and later `Exited`
    StartJob(JobStart),
    /// Freeze a job's whole process tree. → `Done`
    Freeze(JobId),
    /// Thaw it. → `Done`
    Thaw(JobId),
    /// End a job's tree: hang up, wait for `grace`, then kill what is left. → `Done`, and `Exited`
    End {
        job: JobId,
        /// How long it may take to end by itself.
        grace: Span,
    },
    /// Type an answer into an agent's terminal. → `Done`
    Type { job: JobId, answer: Answer },
    /// Commit what the agent left uncommitted, then read the branch. → `BranchRead`
    ReadBranch {
        /// The repo's main checkout.
        repo: PathBuf,
        branch: String,
        worktree: PathBuf,
        /// The target branch, for the merge base.
        target: String,
        /// What else is to be read from it; none: nothing.
        #[serde(default)]
        wanted: Option<Wanted>,
    },
    /// Build the merge of a reviewed head onto the target's tip, in a scratch worktree.
    /// → `MergeBuilt` or `Conflict`
    BuildMerge {
        /// The repo's main checkout.
        repo: PathBuf,
        /// Whose merge it is, for the scratch worktree's place and the message.
        attempt: AttemptId,
        target: String,
        /// What is merged in, or what is undone.
        what: Candidate,
        /// The merge commit's message.
        message: String,
        /// What the merged result is judged by.
        #[serde(default, rename = "terms")]
        acceptance: Acceptance,
    },
    /// Move the target by compare-and-swap. → `TargetMoved`, `TargetStale` or `TargetRefused`
    MoveTarget {
        /// The repo's main checkout.
        repo: PathBuf,
        target: String,
        /// Where it must be.
        from: Oid,
        to: Oid,
        /// A name under which the landing is kept for a rollback: `refs/nopeek/landed/<key>`.
        key: String,
    },
    /// Archive all that a worktree and its branch hold under `refs/nopeek/archive/…`, then remove them. → `Done`
    Archive {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The worktree; none for a scratch merge that has gone already.
        worktree: PathBuf,
        /// The branch to remove; none for scratch worktrees.
        branch: Option<String>,
        /// The archive ref's last part.
        key: String,
    },
    /// Read what was dropped into the folders of the queue. → `SpecsFound`
    LookForSpecs {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The branch that has the supervisor's priorities.
        target: String,
        /// The folders, from the repo's root; a part may be `*`.
        pattern: String,
        /// For this batch; none: without one.
        batch: Option<u64>,
        /// At most so many are taken of what is found.
        take: u32,
    },
    /// Move a dropped file to another folder beside its own. One that has gone from there is left alone. → `Done`
    MoveSpec {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The folder in which it was dropped, from the repo's root.
        folder: String,
        file: String,
        from: Place,
        to: Place,
        /// Put beside it, if there is something to say.
        why: Option<String>,
    },
    /// Write the report of a batch. → `ReportWritten`
    WriteReport {
        /// The repo's main checkout.
        repo: PathBuf,
        batch: u64,
        tasks: Vec<TaskId>,
        since: Time,
        /// What it came to, a line each.
        lines: Vec<Shown>,
    },
}

impl EffectKind {
    /// What is asked for, in words.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::PrepareWorktree { .. } => "a worktree",
            Self::StartJob(_) => "a job",
            Self::Freeze(_) => "a freeze",
            Self::Thaw(_) => "a thaw",
            Self::End { .. } => "the end of a job",
            Self::Type { .. } => "an answer to type",
            Self::ReadBranch { .. } => "a read of the branch",
            Self::BuildMerge { .. } => "a merge candidate",
            Self::MoveTarget { .. } => "a move of the target",
            Self::Archive { .. } => "an archive",
            Self::LookForSpecs { .. } => "a read of the queue",
            Self::MoveSpec { .. } => "a move of a dropped file",
            Self::WriteReport { .. } => "a report",
        }
    }
}

/// What a merge candidate is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Candidate {
    /// Merge this head into the target.
    Merge(Oid),
    /// Revert this landed merge commit on the target.
    Revert(Oid),
}

/// A job to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStart {
    pub job: JobId,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// Whose job it is.
    pub attempt: AttemptId,
    pub worktree: PathBuf,
    pub what: JobWhat,
}

/// What a job runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobWhat {
    Agent {
        /// The agent profile's name.
        profile: String,
        /// What it is asked to do, complete.
        prompt: String,
        /// The CLI's own session to go on with.
        resume: Option<String>,
    },
    /// A set-up hook, by `sh -c`.
    Setup(String),
    /// A gate, by `sh -c`.
    Gate {
        /// The gate's name, for labels.
        name: String,
        command: String,
    },
}

/// What work is judged by, beside what the target's `nopeek.toml` says for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acceptance {
    /// Paths that may change; empty: all.
    pub touches: Vec<String>,
    /// Commands that must succeed.
    pub checks: Vec<String>,
    /// Which of the repo's gates are run.
    pub gates: Gates,
    /// Files in which both sides of a conflict are kept, one after the other: notes that many write.
    pub union: Vec<String>,
}

/// Which of the repo's gates are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gates {
    #[default]
    All,
    /// The policy alone: nothing that could be built has changed.
    Policy,
    /// None: nothing of it is merged.
    None,
}

/// What is read from a branch beside its commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// A spec, and the answers to findings.
    Spec {
        file: String,
        /// The file of answers; none: nothing was found before.
        answers: Option<String>,
    },
    /// What other eyes found.
    Findings {
        file: String,
        /// The number of the look, from 1.
        look: usize,
        /// Whether it must say if all is implemented.
        verdict: bool,
    },
    Plan {
        /// The folder of its phase files.
        folder: String,
        touchpoints: Vec<String>,
    },
    /// The changed lines as numbers, to tell how alike two results are.
    Lines { target: String },
}
