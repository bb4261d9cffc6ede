//! A plan: the tasks of a spec, in phases. What makes one sound is in [`crate::core::outer::plan`].

use crate::values::ids::TaskName;
use crate::values::text::Shown;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};

/// Most tasks of a plan.
pub const TASKS_MAX: usize = 200;

/// A phase: its tasks run beside each other; the next begins when all of them have landed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The file that it stands in, from the repo's root.
    pub file: String,
    /// What it is called.
    pub title: Shown,
    /// How long the target must stay green after the phase before the next one begins; none: not at all.
    #[serde(default)]
    pub soak: Option<Span>,
    /// What all of its tasks should know: the file's prose.
    pub notes: String,
    pub tasks: Vec<Planned>,
}

/// A task as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its name, its own in the plan.
    pub name: TaskName,
    /// What is to be done, for one agent in one go.
    pub does: String,
    /// Paths that it may change.
    pub touches: Vec<String>,
    /// The command that says whether it is done.
    pub check: String,
    /// Tasks that must have landed first.
    #[serde(default)]
    pub after: Vec<TaskName>,
    /// Who does it; none: as the spec's crew says.
    #[serde(default)]
    pub agent: Option<String>,
    /// The line of its file where it stands, from 1.
    pub line: usize,
}
