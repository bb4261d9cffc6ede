//! What the edges need to know of a job.

use crate::values::ids::{AttemptId, TaskId};
use std::path::PathBuf;

/// What the edges need to know of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInfo {
    pub task: TaskId,
    pub attempt: AttemptId,
    /// What it is to the attempt.
    pub kind: JobKind,
    /// The agent profile of its task.
    pub profile: String,
    pub worktree: PathBuf,
    /// The repo's main checkout.
    pub repo: PathBuf,
    pub branch: String,
    pub target: String,
}

/// Kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// An agent: under the lid.
    Agent,
    Setup,
    Gate,
}
