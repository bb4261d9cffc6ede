//! A bench: the same spec done by several agents: what was asked for, what was decided, and its part of the state.

pub mod outcome;
pub mod sketch;

use crate::core::model::agent::AgentTraits;
use crate::core::model::budget::Budget;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::values::ids::{BenchId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::Time;
use outcome::RunOutcome;
use serde::{Deserialize, Serialize};
use sketch::Sketch;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Most benches on the board at once.
pub const BENCHES_MAX: usize = 50;

/// Most agents of a bench: a table of more is read by nobody.
pub const AGENTS_MAX: usize = 10;

/// Most runs of a bench, over all agents: each is a task, a worktree and a branch.
pub const RUNS_MAX: usize = 200;

/// Longest spec, in bytes: it goes into a prompt.
pub const SPEC_MAX: usize = 200 * 1024;

/// One of those who are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    pub agent: AgentTraits,
    /// Whether its screens are covered.
    pub lid: LidRule,
}

/// A bench as it was asked for, all config resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchOrder {
    /// The repo's main checkout, canonical.
    pub repo: PathBuf,
    /// The branch from which every run starts, and on which the picked one lands.
    pub target: String,
    /// At most this many agents at once in this repo.
    pub parallel: u32,
    pub name: TaskName,
    /// The spec's file, as it was named.
    pub file: String,
    /// What each agent is asked to do.
    pub prompt: String,
    pub entrants: Vec<Entrant>,
    /// How often each does it.
    pub runs: u32,
    /// Who looks at green work; none: gates alone judge.
    pub verify: Option<AgentTraits>,
    pub limits: Limits,
    /// Paths that may change; empty: all.
    pub touches: Vec<String>,
    /// Commands that must succeed, beside the repo's gates.
    pub checks: Vec<String>,
    /// What the verifier's prompt is filled with.
    pub values: BTreeMap<String, String>,
    /// Prompts of the repo's own.
    pub templates: BTreeMap<String, String>,
    /// What each run may use, and the repo's day.
    #[serde(default)]
    pub budget: Budget,
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchCommand {
    /// The same spec by several agents.
    Open(Box<BenchOrder>),
    /// This run is taken (none: the best): it goes into the merge queue, the others are rejected.
    Pick { bench: BenchId, task: Option<TaskId> },
    /// End all runs that are not over; what is over stays.
    Stop(BenchId),
    /// Take one that is over off the board, with those of its tasks that have ended.
    Forget(BenchId),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum BenchFact {
    /// A bench was asked for.
    #[strum(serialize = "bench_opened")]
    Opened {
        bench: BenchId,
        /// All that was asked for; the name is final.
        order: Box<BenchOrder>,
    },
    /// A run has its task.
    #[strum(serialize = "bench_ran")]
    Ran {
        bench: BenchId,
        /// The run's place, from 0.
        run: usize,
        task: TaskId,
        name: TaskName,
    },
    /// A run is over.
    #[strum(serialize = "bench_measured")]
    Measured {
        bench: BenchId,
        /// The run's place, from 0.
        run: usize,
        task: TaskId,
        /// What came of it.
        outcome: Box<RunOutcome>,
        lines: Sketch,
    },
    /// All runs are over.
    #[strum(serialize = "bench_over")]
    Over { bench: BenchId },
    /// This run was taken.
    #[strum(serialize = "bench_picked")]
    Picked { bench: BenchId, task: TaskId },
    /// No run starts any more.
    #[strum(serialize = "bench_stopped")]
    Stopped { bench: BenchId },
    /// It is off the board.
    #[strum(serialize = "bench_forgotten")]
    Forgotten { bench: BenchId },
}

impl BenchFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Ran { task, .. } | Self::Measured { task, .. } | Self::Picked { task, .. } => Some(*task),
            Self::Opened { .. } | Self::Over { .. } | Self::Stopped { .. } | Self::Forgotten { .. } => None,
        }
    }

    /// The bench that it is about.
    #[must_use]
    pub const fn bench(&self) -> BenchId {
        match self {
            Self::Opened { bench, .. }
            | Self::Ran { bench, .. }
            | Self::Measured { bench, .. }
            | Self::Over { bench }
            | Self::Picked { bench, .. }
            | Self::Stopped { bench }
            | Self::Forgotten { bench } => *bench,
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        let bench = self.bench();
        let words = match self {
            Self::Opened { order, .. } => {
                let agents: Vec<&str> =
                    order.entrants.iter().map(|entrant| entrant.agent.profile.as_str()).collect();
                format!("bench {bench} {} was created: {} by {}", order.name, order.runs, agents.join(", "))
            }
            Self::Ran { run, .. } => format!("is run {} of bench {bench}", run + 1),
            Self::Measured { outcome, .. } => format!("bench {bench}: this run is {}", outcome.words()),
            Self::Over { .. } => format!("bench {bench} is over"),
            Self::Picked { .. } => format!("was picked from bench {bench}"),
            Self::Stopped { .. } => format!("bench {bench} is stopped"),
            Self::Forgotten { .. } => format!("bench {bench} is archived"),
        };
        Shown::line(&words)
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Benches {
    /// Those that were not forgotten.
    pub all: BTreeMap<BenchId, Bench>,
    /// Highest number ever used.
    pub last: u64,
}

/// A bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bench {
    pub id: BenchId,
    /// All that was asked for.
    pub order: BenchOrder,
    /// In the order in which they start: the first of each agent, then the second of each.
    pub runs: Vec<Run>,
    /// No run starts any more.
    pub stopped: bool,
    /// When all runs were over.
    pub over: Option<Time>,
    /// The run that was taken.
    pub picked: Option<TaskId>,
    /// When it was asked for.
    pub created: Time,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose, as a place in the order's list.
    pub entrant: usize,
    /// Which of that agent's, from 1.
    pub no: u32,
    /// Its task and that one's name, once it has one.
    pub task: Option<(TaskId, TaskName)>,
    /// What came of it, and its changed lines, once it is over.
    pub done: Option<(RunOutcome, Sketch)>,
}

impl Bench {
    /// The agent profile of a run.
    #[must_use]
    pub fn agent_of(&self, run: &Run) -> &str {
        self.order.entrants.get(run.entrant).map_or("", |entrant| entrant.agent.profile.as_str())
    }

    /// How people name a run: `strong-2`.
    #[must_use]
    pub fn label(&self, run: &Run) -> String {
        format!("{}-{}", self.agent_of(run), run.no)
    }
}

impl Benches {
    /// Whether a run of this bench is being done by this task and was not measured yet: until then the bench alone tells
    /// people what becomes of it.
    #[must_use]
    pub fn speaks_for(&self, bench: Option<BenchId>, task: TaskId) -> bool {
        let runs = bench.and_then(|bench| self.all.get(&bench)).map(|bench| &bench.runs);
        let to_come =
            |run: &Run| run.done.is_none() && run.task.as_ref().is_some_and(|(own, _)| *own == task);
        runs.is_some_and(|runs| runs.iter().any(to_come))
    }

    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, at: Time, fact: &BenchFact) {
        let id = fact.bench();
        if let BenchFact::Opened { order, .. } = fact {
            self.last = self.last.max(id.0);
            let of_all = |no| (0..order.entrants.len()).map(move |entrant| (entrant, no));
            let runs = (1..=order.runs)
                .flat_map(of_all)
                .map(|(entrant, no)| Run { entrant, no, task: None, done: None })
                .collect();
            let bench = Bench {
                id,
                order: (**order).clone(),
                runs,
                stopped: false,
                over: None,
                picked: None,
                created: at,
            };
            self.all.insert(id, bench);
            return;
        }
        if let BenchFact::Forgotten { .. } = fact {
            self.all.remove(&id);
            return;
        }
        let Some(bench) = self.all.get_mut(&id) else { return };
        match fact {
            BenchFact::Opened { .. } | BenchFact::Forgotten { .. } => {}
            BenchFact::Ran { run, task, name, .. } => {
                if let Some(run) = bench.runs.get_mut(*run) {
                    run.task = Some((*task, name.clone()));
                }
            }
            BenchFact::Measured { run, outcome, lines, .. } => {
                if let Some(run) = bench.runs.get_mut(*run) {
                    run.done = Some(((**outcome).clone(), lines.clone()));
                }
            }
            BenchFact::Over { .. } => bench.over = Some(at),
            BenchFact::Picked { task, .. } => bench.picked = Some(*task),
            BenchFact::Stopped { .. } => bench.stopped = true,
        }
    }
}
