//! What an attempt is for: its duty, its part, the limits of what it may change, and what its branch brought.

use crate::core::model::agent::AgentTraits;
use crate::core::model::bench::sketch::Sketch;
use crate::core::model::finding::{Answered, Findings};
use crate::core::model::plan::Phase;
use crate::core::model::spec::Contract;
use crate::values::ids::{BenchId, SpecId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// To change the code.
    #[default]
    Build,
    /// To write a spec.
    Spec,
    /// To cut a spec into phases and tasks.
    Plan,
    /// To do a part of a batch: look over the last one, tidy up, report.
    Chore,
    /// To have all gates run on the target as it is; no agent works on it.
    Check,
}

impl Duty {
    /// The word on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Spec => "spec",
            Self::Plan => "plan",
            Self::Chore => "chore",
            Self::Check => "check",
        }
    }
}

/// What an attempt is to its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// Its work is what may be merged.
    #[default]
    Work,
    /// It looks at that work with other eyes; nothing of it is merged.
    #[serde(rename = "second")]
    SecondReview,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assignment {
    /// The spec that the task is a part of.
    pub spec: Option<SpecId>,
    /// What it is for.
    pub duty: Duty,
    /// Who looks at its work before a person does; none: nobody.
    pub second: Option<AgentTraits>,
    /// A spec is attacked this often; work with findings goes back to a fresh attempt at most this often.
    pub rounds: u32,
    /// It may begin on finished work of its spec that has not landed yet.
    pub stack: bool,
    /// The person has approved it in advance: what is green (and verified) lands.
    pub ahead: bool,
    /// Paths that it may change; empty: all.
    pub touches: Vec<String>,
    /// Commands that must succeed on its work, beside the repo's gates.
    pub checks: Vec<String>,
    /// What the prompts of its attempts are filled with.
    pub values: BTreeMap<String, String>,
    /// Prompts of the repo's own, in the place of the built-in ones.
    pub templates: BTreeMap<String, String>,
    /// The bench that it is a run of: what is found in its work is data, and sends nothing back.
    pub bench: Option<BenchId>,
}

/// What an attempt's branch brought beside its commits, read and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deliverable {
    /// It is not there or not right; a line each, with its place.
    Mistakes(Vec<String>),
    Spec {
        contract: Box<Contract>,
        text: String,
        /// Answers to the findings of the look before.
        answers: Vec<Answered>,
    },
    /// What other eyes found.
    Findings(Findings),
    Plan(Vec<Phase>),
    /// Its changed lines, as numbers.
    Lines(Sketch),
}

/// The file in which a second pair of eyes writes what it found; never merged.
pub const FINDINGS_FILE: &str = ".nopeek/findings.toml";
