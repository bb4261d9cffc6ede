//! A batch: one scheduled cycle of supervise, build, maintain, test, report; and the queue of dropped specs that it builds.

pub mod fact;
pub mod state;
pub mod words;

use crate::core::model::agent::AgentTraits;
use crate::core::model::spec::SpecOrder;
use crate::values::cron::{Cron, Zone};
use crate::values::text::Shown;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where dropped specs wait where a repo does not say.
pub const QUEUE: &str = "specs/*/next";

/// The file in which a supervisor orders what waits.
pub const PRIORITIES: &str = "specs/priorities.txt";

/// A batch that begins so much after it was due is one that was missed.
pub const LATE: Span = Span::mins(5);

/// Most due times that are counted as missed one by one.
pub(in crate::core) const MISSED_MAX: u32 = 10_000;

/// A part of a batch, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchPhase {
    /// An agent reads what the last batch came to, and sets priorities.
    Supervise,
    /// Specs of the queue are built.
    Build,
    /// An agent keeps the repo in order.
    Maintain,
    /// All gates of the target's head.
    Test,
    /// A report is written.
    Report,
}

impl BatchPhase {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Supervise, Self::Build, Self::Maintain, Self::Test, Self::Report];

    /// The word in config, on screens and in task names.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Supervise => "supervise",
            Self::Build => "build",
            Self::Maintain => "maintain",
            Self::Test => "test",
            Self::Report => "report",
        }
    }
}

/// What a schedule says of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseSettings {
    /// Who does it; none: nopeek itself.
    pub agent: Option<AgentTraits>,
    /// Its hard limit; the machine's sleep does not count.
    pub time: Span,
}

/// What is done about batches that were due while none could begin: the machine was off, or one was under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// One batch makes up for all of them.
    #[default]
    One,
    /// They are left out.
    Skip,
}

/// When a repo's batches are due and what they do, all config resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The repo's main checkout, canonical.
    pub repo: PathBuf,
    /// When; none: only when somebody says so.
    pub cron: Option<Cron>,
    /// The clock that it means.
    pub zone: Zone,
    /// What is done about those that were missed.
    pub catch_up: CatchUp,
    /// The phases that a batch has.
    pub phases: BTreeMap<BatchPhase, PhaseSettings>,
    /// Folders in which dropped specs wait, from the repo's root; a part may be `*`.
    pub queue: String,
    /// How specs of the queue are made; name and goal are theirs.
    pub order: SpecOrder,
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchCommand {
    /// Batches by this schedule from now on.
    On(Box<Schedule>),
    /// No batch begins by itself any more; an open one goes on.
    Off(PathBuf),
    Run(Box<Schedule>),
    /// Ends the open batch of a repo; what it builds goes on in the next.
    Stop(PathBuf),
    /// Builds what waits in the queue now, without a batch.
    Queue(Box<Schedule>),
    /// The same whenever something is dropped, from now on.
    Watch(Box<Schedule>),
    Unwatch(PathBuf),
    /// Something was dropped into a queue that is watched.
    Look(PathBuf),
}

/// How a phase came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseOutcome {
    /// It did what it is for.
    Done,
    /// Its time was up.
    TimedOut,
    /// There was nothing to do.
    Skipped,
    /// It could not do what it is for.
    Failed,
    /// A person ended the batch.
    Stopped,
}

impl PhaseOutcome {
    /// The word on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::TimedOut => "timed out",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Where a dropped file lies: the folder beside `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Next,
    /// It is being built.
    Doing,
    /// All of it has landed.
    Done,
    /// It can't be built, or was given up.
    Failed,
}

impl Place {
    /// The folder's name.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A file of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The folder that it lies in, from the repo's root.
    pub folder: String,
    pub file: String,
    pub text: String,
    /// Why it can't be read; none: it was.
    pub wrong: Option<Shown>,
}

/// What a look at the queue has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueScan {
    /// Files that may be taken, by folder and name.
    pub dropped: Vec<Dropped>,
    /// Names in the order of the supervisor, most important first.
    pub priorities: Vec<String>,
    /// Files that git tracks: to move one would be a change of the checkout, so they are left alone.
    pub tracked: Vec<String>,
}
