//! A spec: the contract, who does what, what was decided, and its part of the state.

use crate::core::model::agent::AgentTraits;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::plan::Phase;
use crate::values::ids::{SpecId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::plural::counted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Most specs on the board at once.
pub const SPECS_MAX: usize = 100;

/// Longest goal, in bytes.
pub const GOAL_MAX: usize = 64 * 1024;

/// The machine-read part of a spec; every list is in words, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// What it is called.
    pub title: Shown,
    /// What must be so when it is done.
    pub objectives: Vec<String>,
    /// What is left alone on purpose.
    pub non_goals: Vec<String>,
    /// Paths that may change.
    pub touchpoints: Vec<String>,
    /// Which data may be read, written, sent where.
    pub data: Vec<String>,
    /// The tests that say what done means.
    pub tests: Vec<String>,
    /// What could go wrong.
    pub risks: Vec<String>,
    /// What must go on working for those who use it as it is.
    pub compatibility: Vec<String>,
    /// How to get back.
    pub rollback: Vec<String>,
}

/// Who does what for a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// Drafts and refines it.
    pub draft: AgentTraits,
    /// Attacks it; none: it is not attacked.
    #[serde(default)]
    pub review: Option<AgentTraits>,
    pub plan: AgentTraits,
    pub work: AgentTraits,
    /// Verifies them; none: gates alone judge.
    #[serde(default)]
    pub verify: Option<AgentTraits>,
    /// Others that a plan may name.
    #[serde(default)]
    pub others: BTreeMap<String, AgentTraits>,
}

/// What is approved in advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ahead {
    /// The spec, once it is refined.
    pub spec: bool,
    /// The plan, once it is sound.
    pub plan: bool,
    /// Work that is green (and verified).
    pub work: bool,
}

/// A spec as it was asked for, all config resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecOrder {
    /// The repo's main checkout, canonical.
    pub repo: PathBuf,
    /// The branch to land on.
    pub target: String,
    /// At most this many agents at once in this repo.
    pub parallel: u32,
    /// Wished name; the engine appends a number if it is taken.
    pub name: TaskName,
    /// What is wanted, in a person's words.
    pub goal: String,
    pub crew: Crew,
    /// How often the spec is attacked.
    pub passes: u32,
    /// How often a verifier's findings send work back.
    pub rounds: u32,
    /// What is approved in advance.
    pub ahead: Ahead,
    /// Whether tasks begin on finished work before it has landed.
    #[serde(default)]
    pub stack: bool,
    pub limits: Limits,
    /// What its tasks, and with others the day, may use.
    #[serde(default)]
    pub budget: crate::core::model::budget::Budget,
    pub lid: LidRule,
    /// The memory file, from the repo's root.
    pub memory: String,
    /// The repo's gates in words, for the planner.
    #[serde(default)]
    pub gates: Vec<String>,
    /// Prompts of the repo's own.
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
    /// The batch that builds it; none: a person asked.
    #[serde(default)]
    pub batch: Option<u64>,
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecCommand {
    /// From a goal to a spec, and on.
    Open(Box<SpecOrder>),
    /// No task of it starts any more; what runs goes on to its end.
    Stop(SpecId),
    /// Goes on where it was stopped.
    GoOn(SpecId),
    /// Takes one that is over off the board, with its tasks left as they are.
    Forget(SpecId),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum SpecFact {
    /// A spec was asked for.
    #[strum(serialize = "spec_opened")]
    Opened {
        spec: SpecId,
        /// All that was asked for; the name is final.
        order: Box<SpecOrder>,
    },
    /// This task drafts it.
    #[strum(serialize = "spec_drafting")]
    Drafting { spec: SpecId, task: TaskId },
    /// It has been approved and has landed.
    #[strum(serialize = "spec_agreed")]
    Agreed {
        spec: SpecId,
        /// Its contract, as it landed.
        contract: Box<Contract>,
    },
    /// This task plans it.
    #[strum(serialize = "spec_planning")]
    Planning { spec: SpecId, task: TaskId },
    /// Its plan has been approved and has landed.
    #[strum(serialize = "spec_planned")]
    Planned { spec: SpecId, phases: Vec<Phase> },
    /// This task of the plan was launched.
    #[strum(serialize = "spec_tasked")]
    Tasked {
        spec: SpecId,
        /// Its name in the plan.
        name: TaskName,
        task: TaskId,
    },
    /// All of a phase has landed.
    #[strum(serialize = "spec_phase_landed")]
    PhaseLanded {
        spec: SpecId,
        /// Which, from 0.
        phase: usize,
    },
    /// After the soak of a phase this task runs all gates on the target once more.
    #[strum(serialize = "spec_soak_checking")]
    SoakChecking { spec: SpecId, task: TaskId },
    /// The target is still green: the next phase may begin.
    #[strum(serialize = "spec_soaked")]
    Soaked { spec: SpecId },
    /// All of it has landed.
    #[strum(serialize = "spec_done")]
    Done { spec: SpecId },
    /// Nothing of it starts any more.
    #[strum(serialize = "spec_stopped")]
    Stopped { spec: SpecId },
    #[strum(serialize = "spec_went_on")]
    WentOn { spec: SpecId },
    /// It is off the board.
    #[strum(serialize = "spec_forgotten")]
    Forgotten { spec: SpecId },
}

impl SpecFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Drafting { task, .. }
            | Self::Planning { task, .. }
            | Self::Tasked { task, .. }
            | Self::SoakChecking { task, .. } => Some(*task),
            Self::Opened { .. }
            | Self::Agreed { .. }
            | Self::Planned { .. }
            | Self::PhaseLanded { .. }
            | Self::Soaked { .. }
            | Self::Done { .. }
            | Self::Stopped { .. }
            | Self::WentOn { .. }
            | Self::Forgotten { .. } => None,
        }
    }

    /// The spec that it is about.
    #[must_use]
    pub const fn spec(&self) -> SpecId {
        match self {
            Self::Opened { spec, .. }
            | Self::Drafting { spec, .. }
            | Self::Agreed { spec, .. }
            | Self::Planning { spec, .. }
            | Self::Planned { spec, .. }
            | Self::Tasked { spec, .. }
            | Self::PhaseLanded { spec, .. }
            | Self::SoakChecking { spec, .. }
            | Self::Soaked { spec }
            | Self::Done { spec }
            | Self::Stopped { spec }
            | Self::WentOn { spec }
            | Self::Forgotten { spec } => *spec,
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        let spec = self.spec();
        let words = match self {
            Self::Opened { order, .. } => format!("spec {spec} {} was created", order.name),
            Self::Drafting { .. } => format!("drafts spec {spec}"),
            Self::Agreed { contract, .. } => {
                format!("spec {spec} is approved: {}", counted(contract.objectives.len(), "objective"))
            }
            Self::Planning { .. } => format!("plans spec {spec}"),
            Self::Planned { phases, .. } => {
                let tasks: usize = phases.iter().map(|phase| phase.tasks.len()).sum();
                format!(
                    "spec {spec} is planned: {} in {}",
                    counted(tasks, "task"),
                    counted(phases.len(), "phase")
                )
            }
            Self::Tasked { name, .. } => format!("does {name} of spec {spec}"),
            Self::PhaseLanded { phase, .. } => format!("phase {} of spec {spec} has landed", phase + 1),
            Self::SoakChecking { .. } => format!("tests the target once more for spec {spec}"),
            Self::Soaked { .. } => format!("the target is still green: spec {spec} goes on"),
            Self::Done { .. } => format!("spec {spec} is done: all of it has landed"),
            Self::Stopped { .. } => format!("spec {spec} is stopped"),
            Self::WentOn { .. } => format!("spec {spec} goes on"),
            Self::Forgotten { .. } => format!("spec {spec} is archived"),
        };
        Shown::line(&words)
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Specs {
    /// Those that were not forgotten.
    pub all: BTreeMap<SpecId, Spec>,
    /// Highest number ever used.
    pub last: u64,
}

/// Whether anything of a spec starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecRun {
    /// It does, as its turn comes.
    Open,
    /// Nothing does until a person or a batch says that it goes on.
    Stopped,
    /// All of it has landed, since then.
    Done(Time),
}

/// A spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub id: SpecId,
    /// All that was asked for.
    pub order: SpecOrder,
    /// The task that drafts it.
    pub draft: Option<TaskId>,
    /// Its contract, once it is agreed.
    pub contract: Option<Contract>,
    /// The task that plans it.
    pub plan: Option<TaskId>,
    /// Its plan, once that is agreed.
    pub phases: Option<Vec<Phase>>,
    /// Phases of which all has landed, with the moment.
    pub landed: Vec<Time>,
    /// Phases after which the target has proved to stay green.
    pub soaked: usize,
    /// The task that tests the target once more after a soak.
    pub soak_check: Option<TaskId>,
    /// Tasks by their name in the plan.
    pub tasks: BTreeMap<TaskName, TaskId>,
    /// Whether anything of it starts.
    pub run: SpecRun,
    /// When it was asked for.
    pub created: Time,
}

impl Spec {
    /// Whether something of it may start.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.run, SpecRun::Open)
    }

    /// Whether it was stopped before it was done.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.run, SpecRun::Stopped)
    }

    /// Whether all of it has landed.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.run, SpecRun::Done(_))
    }

    /// All of its tasks, oldest first.
    pub fn all_tasks(&self) -> impl Iterator<Item = TaskId> {
        self.draft.into_iter().chain(self.plan).chain(self.tasks.values().copied()).chain(self.soak_check)
    }

    /// Where its file lies, from the repo's root.
    #[must_use]
    pub fn path(&self) -> String {
        format!("specs/{}.md", self.order.name)
    }

    /// Where its phases, reviews and notes lie.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("specs/{}", self.order.name)
    }
}

impl Specs {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, at: Time, fact: &SpecFact) {
        let id = fact.spec();
        if let SpecFact::Opened { order, .. } = fact {
            self.last = self.last.max(id.0);
            let spec = Spec {
                id,
                order: (**order).clone(),
                draft: None,
                contract: None,
                plan: None,
                phases: None,
                landed: Vec::new(),
                soaked: 0,
                soak_check: None,
                tasks: BTreeMap::new(),
                run: SpecRun::Open,
                created: at,
            };
            self.all.insert(id, spec);
            return;
        }
        if let SpecFact::Forgotten { .. } = fact {
            self.all.remove(&id);
            return;
        }
        let Some(spec) = self.all.get_mut(&id) else { return };
        match fact {
            SpecFact::Opened { .. } | SpecFact::Forgotten { .. } => {}
            SpecFact::Drafting { task, .. } => spec.draft = Some(*task),
            SpecFact::Agreed { contract, .. } => spec.contract = Some((**contract).clone()),
            SpecFact::Planning { task, .. } => spec.plan = Some(*task),
            SpecFact::Planned { phases, .. } => spec.phases = Some(phases.clone()),
            SpecFact::Tasked { name, task, .. } => {
                spec.tasks.insert(name.clone(), *task);
            }
            SpecFact::PhaseLanded { .. } => spec.landed.push(at),
            SpecFact::SoakChecking { task, .. } => spec.soak_check = Some(*task),
            SpecFact::Soaked { .. } => {
                spec.soaked = spec.landed.len();
                spec.soak_check = None;
            }
            SpecFact::Done { .. } => spec.run = SpecRun::Done(at),
            SpecFact::Stopped { .. } if !spec.is_done() => spec.run = SpecRun::Stopped,
            SpecFact::WentOn { .. } if !spec.is_done() => spec.run = SpecRun::Open,
            SpecFact::Stopped { .. } | SpecFact::WentOn { .. } => {}
        }
    }
}
