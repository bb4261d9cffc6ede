//! What the edges tell of branches: a worktree that stands, what a branch holds, a merge candidate.

use crate::core::model::assignment::Deliverable;
use crate::core::model::diff::DiffStat;
use crate::core::model::gate::GateSpec;
use crate::values::ids::Oid;
use crate::values::text::Shown;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A worktree that was prepared for an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorktreeReady {
    pub path: PathBuf,
    /// The commit that its branch starts from.
    pub base: Oid,
    /// Set-up hooks to run in it, in this order.
    pub setup: Vec<String>,
    /// Gates to pass, from the target's commit.
    pub gates: Vec<GateSpec>,
}

/// What an attempt's branch holds after its agent has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRead {
    pub head: Oid,
    /// The head's tree: the key of cached verdicts.
    pub tree: Oid,
    /// Commits since the merge base with the target.
    pub commits: u32,
    pub diffstat: DiffStat,
    /// What was asked for beside that; none: nothing was.
    #[serde(default, rename = "brought")]
    pub deliverable: Option<Deliverable>,
    /// What a reviewer should know of the end of the attempt beside its diff: what was left unfinished, what is not part of
    /// the branch, what happened to the target meanwhile. A line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Shown>,
}

/// A candidate for the target: the merged commit and where its gates run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeBuilt {
    /// The target's commit that it was built on; the compare of compare-and-swap.
    pub onto: Oid,
    pub commit: Oid,
    pub tree: Oid,
    pub path: PathBuf,
    /// Set-up hooks for the scratch worktree.
    pub setup: Vec<String>,
    /// Required and optional gates of the target's commit.
    pub gates: Vec<GateSpec>,
}
