//! A notice: something that a human should hear of at once, and of which kind.

use crate::values::ids::TaskId;
use crate::values::text::Shown;
use serde::{Deserialize, Serialize};

/// Something that a human should hear of at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The task that it is about; none: a batch, a spec, a day's budget.
    pub task: Option<TaskId>,
    /// Why one should look.
    pub kind: NoticeKind,
    pub text: Shown,
}

impl Notice {
    /// Whether a human must act before this goes on.
    #[must_use]
    pub const fn needs_you(&self) -> bool {
        self.kind.needs_you()
    }
}

/// Why one should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A human must act: a question, a review, something is stuck or was interrupted.
    NeedsYou,
    /// Something is done: it has landed, or was rolled back.
    Done,
    /// An attempt or a merge is red; a fresh attempt follows by itself.
    Red,
    /// A budget is used up, or nearly.
    OverBudget,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::NeedsYou, Self::Done, Self::Red, Self::OverBudget];

    /// As config, JSON and scripts name it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs_you",
            Self::Done => "done",
            Self::Red => "red",
            Self::OverBudget => "over_budget",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs you",
            Self::Done => "done",
            Self::Red => "red",
            Self::OverBudget => "over budget",
        }
    }

    /// Whether a human must act.
    #[must_use]
    pub const fn needs_you(self) -> bool {
        match self {
            Self::NeedsYou => true,
            Self::Done | Self::Red | Self::OverBudget => false,
        }
    }
}
