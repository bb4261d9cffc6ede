//! Where a spec stands, and why.

use crate::core::model::plan::Planned;
use crate::core::model::spec::Spec;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration;
use serde::{Deserialize, Serialize};

/// Where a spec stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecStage {
    /// It is written, attacked and refined.
    Drafting,
    /// It waits for approval.
    SpecReady,
    /// It is cut into tasks.
    Planning,
    /// Its plan waits for approval.
    PlanReady,
    /// Its tasks are done.
    Building,
    /// A phase has landed; the next waits while the target stays green.
    Soaking,
    /// A task of it waits for a human.
    Stuck,
    /// Nothing of it starts.
    Stopped,
    Done,
}

impl SpecStage {
    /// The word on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Drafting => "drafting",
            Self::SpecReady => "spec ready",
            Self::Planning => "planning",
            Self::PlanReady => "plan ready",
            Self::Building => "building",
            Self::Soaking => "bake time",
            Self::Stuck => "stuck",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }
}

fn stands(state: &State, spec: &Spec, now: Time) -> (SpecStage, String) {
    if spec.is_done() {
        return (SpecStage::Done, format!("all of it is on {}", spec.order.target));
    }
    if spec.is_stopped() {
        return (SpecStage::Stopped, "stopped: nothing of it starts; nopeek spec go-on continues".to_owned());
    }
    let of = |id: Option<TaskId>| id.and_then(|id| state.tasks.get(&id));
    if let Some(why) = spec.all_tasks().filter_map(|id| state.tasks.get(&id)).find_map(in_the_way) {
        return (SpecStage::Stuck, why);
    }
    let gone = |id: Option<TaskId>| id.is_some_and(|id| !state.tasks.contains_key(&id));
    if spec.contract.is_none() {
        return match of(spec.draft) {
            Some(task) if task.stage == Stage::Review => {
                (SpecStage::SpecReady, format!("read {} and approve {}", spec.path(), task.launch.name))
            }
            Some(task) => (SpecStage::Drafting, format!("{} works on it", task.launch.name)),
            None if gone(spec.draft) => {
                (SpecStage::Stuck, "the task that drafted it was archived".to_owned())
            }
            None => (SpecStage::Drafting, "waits: the board is full".to_owned()),
        };
    }
    if spec.phases.is_none() {
        return match of(spec.plan) {
            Some(task) if task.stage == Stage::Review => (
                SpecStage::PlanReady,
                format!("read the plan (nopeek spec show) and approve {}", task.launch.name),
            ),
            Some(task) => (SpecStage::Planning, format!("{} works on it", task.launch.name)),
            None if gone(spec.plan) => (SpecStage::Stuck, "the task that planned it was archived".to_owned()),
            None => (SpecStage::Planning, "waits: the board is full".to_owned()),
        };
    }
    let phase = spec.phases.iter().flatten().nth(spec.landed.len());
    if let Some(until) = crate::core::outer::spec::coordinator::soaks_until(spec) {
        let landed = spec.landed.len();
        return (
            SpecStage::Soaking,
            if until > now {
                let left = duration::minutes(until.since(now));
                format!("phase {landed} has landed; the target is tested once more in {left}")
            } else {
                format!("phase {landed} has landed; the target is tested once more")
            },
        );
    }
    let left = |planned: &&Planned| {
        of(spec.tasks.get(&planned.name).copied()).is_none_or(|task| task.stage != Stage::Landed)
    };
    let names: Vec<&str> =
        phase.iter().flat_map(|phase| &phase.tasks).filter(left).map(|task| task.name.as_str()).collect();
    (SpecStage::Building, format!("phase {}: {}", spec.landed.len() + 1, names.join(", ")))
}

/// Why a task holds up its spec for good, if it does.
fn in_the_way(task: &Task) -> Option<String> {
    let name = &task.launch.name;
    match &task.stage {
        Stage::Stuck(why) => Some(format!("{name}: {why}")),
        Stage::Interrupted => Some(format!("{name} was interrupted: resume or retry it")),
        Stage::Stopped | Stage::Rejected(_) | Stage::RolledBack => {
            Some(format!("{name} ended unmerged: retry it, or stop the spec"))
        }
        Stage::Queued { .. }
        | Stage::Trying
        | Stage::Review
        | Stage::Merging(_)
        | Stage::RollingBack
        | Stage::Landed => None,
    }
}

/// How far a spec is.
#[derive(Debug)]
pub(in crate::core) struct Progress {
    pub(in crate::core) stage: SpecStage,
    pub(in crate::core) why: Shown,
    /// Tasks of its plan that have landed.
    pub(in crate::core) landed: u32,
    /// Tasks of its plan.
    pub(in crate::core) planned: u32,
}

/// How far a spec is at `now`.
pub(in crate::core) fn of(state: &State, spec: &Spec, now: Time) -> Progress {
    let (stage, why) = stands(state, spec, now);
    let is_landed = |id: &&TaskId| state.tasks.get(id).is_some_and(|task| task.stage == Stage::Landed);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Progress {
        stage,
        why: Shown::line(&why),
        landed: count(spec.tasks.values().filter(is_landed).count()),
        planned: count(spec.phases.iter().flatten().map(|phase| phase.tasks.len()).sum()),
    }
}
