//! What came of a run of a bench: how it ended, its gates, what was found in it, what it took.

use crate::core::model::diff::DiffStat;
use crate::core::model::finding::Findings;
use crate::core::model::gate::Verdict;
use crate::values::time::Span;
use crate::values::words::plural::counted;
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// All required gates are green, or there are none.
    Green,
    /// A required gate is red.
    Red,
    /// It ended without a commit.
    NoWork,
    /// The agent or its set-up failed.
    Failed,
    /// It ran into its time limit.
    Time,
    Silence,
    /// It used up its budget.
    Budget,
    /// A human ended it.
    Stopped,
}

impl RunEnd {
    /// The words on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::NoWork => "no work",
            Self::Failed => "failed",
            Self::Time => "out of time",
            Self::Silence => "fell silent",
            Self::Budget => "over budget",
            Self::Stopped => "stopped",
        }
    }
}

/// A gate of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOutcome {
    pub name: String,
    /// Whether red stops the work.
    pub required: bool,
    pub verdict: Verdict,
    /// How long it took; none if it was not run.
    pub took: Option<Span>,
}

/// All of it. What is none is unknown, never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    pub end: RunEnd,
    /// The gates of its last work.
    pub gates: Vec<GateOutcome>,
    /// Whether somebody was to look at green work.
    pub looked: bool,
    /// What was found; none: nobody looked, or the look could not be read.
    pub findings: Option<Findings>,
    /// Tries at the work.
    pub attempts: u32,
    /// How long its agent ran, pauses not counted.
    pub time: Span,
    /// Tokens in and out.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub cost: Option<u64>,
    /// Commits of its work.
    pub commits: u32,
    /// Size of its diff.
    pub diff: DiffStat,
}

impl RunOutcome {
    /// All gates green.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.end == RunEnd::Green
    }

    /// Green, and whoever was to look at it found nothing that must be dealt with.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let found_clean = self.findings.as_ref().map_or(!self.looked, Findings::is_clean);
        self.is_green() && found_clean
    }

    /// `green, 2 findings`.
    #[must_use]
    pub fn words(&self) -> String {
        let end = self.end.label();
        let count = self.findings.as_ref().map(|findings| findings.list.len());
        match (self.is_green() && self.looked, count) {
            (false, _) => end.to_owned(),
            (true, None) => format!("{end}, not verified"),
            (true, Some(0)) if self.is_clean() => format!("{end}, verified"),
            (true, Some(0)) => format!("{end}, unfinished"),
            (true, Some(count)) => format!("{end}, {}", counted(count, "finding")),
        }
    }

    /// Lines added and removed.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.diff.added) + u64::from(self.diff.removed)
    }
}
