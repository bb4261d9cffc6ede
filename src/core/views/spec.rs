//! What clients see of specs: a line each on the board, and one of them whole.

use crate::core::model::assignment::{AttemptKind, Deliverable};
use crate::core::model::finding::{Answered, Findings};
use crate::core::model::plan::Phase;
use crate::core::model::spec::{Contract, Spec};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::outer::plan;
use crate::core::outer::spec::progress::{self, Progress, SpecStage};
use crate::core::rules::assignment;
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A spec as a line of the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecLine {
    pub id: SpecId,
    pub name: String,
    /// The repo's main checkout.
    pub repo: PathBuf,
    pub stage: SpecStage,
    pub why: Shown,
    /// Whether a human must act.
    pub needs_you: bool,
    /// The task that drafts it.
    pub draft: Option<TaskId>,
    /// The task that plans it.
    pub plan: Option<TaskId>,
    /// Its tasks, by their name in the plan.
    pub tasks: BTreeMap<String, TaskId>,
    /// Tasks of the plan that have landed.
    pub landed: u32,
    /// Tasks of the plan.
    pub planned: u32,
    /// The phase that is being built, from 1, of how many; 0 before there is a plan.
    pub phase: (u32, u32),
    /// When it was asked for.
    pub created: Time,
}

impl SpecLine {
    /// The task whose work waits for a person's word: the draft, or the plan.
    #[must_use]
    pub const fn waits(&self) -> Option<TaskId> {
        match self.stage {
            SpecStage::SpecReady => self.draft,
            SpecStage::PlanReady => self.plan,
            SpecStage::Drafting
            | SpecStage::Planning
            | SpecStage::Building
            | SpecStage::Soaking
            | SpecStage::Stuck
            | SpecStage::Stopped
            | SpecStage::Done => None,
        }
    }

    /// Whether a task is one of its own: its draft, its plan, or of its plan.
    #[must_use]
    pub fn has(&self, task: TaskId) -> bool {
        self.draft == Some(task) || self.plan == Some(task) || self.tasks.values().any(|own| *own == task)
    }
}

/// A spec, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecView {
    pub line: SpecLine,
    pub goal: String,
    /// Where its file lies, from the repo's root.
    pub path: String,
    /// Its contract as it stands; none before there is one.
    pub contract: Option<Contract>,
    /// Whether the contract was approved and has landed.
    pub agreed: bool,
    /// The looks that were taken at it.
    pub looks: Vec<ReviewPass>,
    /// Its plan as it stands; none before there is one.
    pub phases: Option<Vec<Phase>>,
    /// The plan as a graph.
    pub graph: Vec<String>,
}

impl SpecView {
    /// What a person can edit now: the task whose branch holds it, and the files from the repo's root. None while
    /// nothing waits for approval.
    #[must_use]
    pub fn editable(&self) -> Option<(TaskId, Vec<String>)> {
        let files = match self.line.stage {
            SpecStage::PlanReady => self.phases.iter().flatten().map(|phase| phase.file.clone()).collect(),
            SpecStage::SpecReady
            | SpecStage::Drafting
            | SpecStage::Planning
            | SpecStage::Building
            | SpecStage::Soaking
            | SpecStage::Stuck
            | SpecStage::Stopped
            | SpecStage::Done => vec![self.path.clone()],
        };
        self.line.waits().map(|task| (task, files))
    }
}

/// A look that was taken at a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPass {
    /// By whom: the agent profile.
    pub by: String,
    pub findings: Findings,
    /// What was done about it.
    pub answers: Vec<Answered>,
}

/// All, oldest first.
pub(in crate::core) fn lines(state: &State, now: Time) -> Vec<SpecLine> {
    state.specs.all.values().map(|spec| line(state, spec, now)).collect()
}

fn line(state: &State, spec: &Spec, now: Time) -> SpecLine {
    let Progress { stage, why, landed, planned } = progress::of(state, spec, now);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let phases = spec.phases.as_ref().map_or(0, Vec::len);
    SpecLine {
        id: spec.id,
        name: spec.order.name.to_string(),
        repo: spec.order.repo.clone(),
        stage,
        why,
        needs_you: matches!(stage, SpecStage::SpecReady | SpecStage::PlanReady | SpecStage::Stuck),
        draft: spec.draft,
        plan: spec.plan,
        tasks: spec.tasks.iter().map(|(name, task)| (name.to_string(), *task)).collect(),
        landed,
        planned,
        phase: (count((spec.landed.len() + 1).min(phases)), count(phases)),
        created: spec.created,
    }
}

/// One of them, whole.
pub(in crate::core) fn view(state: &State, id: SpecId, now: Time) -> Option<SpecView> {
    let spec = state.specs.all.get(&id)?;
    let newest = |task: Option<TaskId>| {
        let task = state.tasks.get(&task?)?;
        task.attempts.iter().rev().filter(|a| a.part == AttemptKind::Work).find_map(|a| {
            match a.read.as_ref()?.deliverable.as_ref()? {
                Deliverable::Mistakes(_) => None,
                deliverable => Some(deliverable),
            }
        })
    };
    let contract = spec.contract.clone().or_else(|| match newest(spec.draft) {
        Some(Deliverable::Spec { contract, .. }) => Some((**contract).clone()),
        _ => None,
    });
    let phases = spec.phases.clone().or_else(|| match newest(spec.plan) {
        Some(Deliverable::Plan(phases)) => Some(phases.clone()),
        _ => None,
    });
    Some(SpecView {
        line: line(state, spec, now),
        goal: spec.order.goal.clone(),
        path: spec.path(),
        contract,
        agreed: spec.contract.is_some(),
        looks: spec.draft.and_then(|id| state.tasks.get(&id)).map(looks).unwrap_or_default(),
        graph: phases.as_deref().map(plan::graph).unwrap_or_default(),
        phases,
    })
}

fn looks(task: &Task) -> Vec<ReviewPass> {
    let second = |at: &usize| task.attempts[*at].part == AttemptKind::SecondReview;
    let mut looks = Vec::new();
    for at in (0..task.attempts.len()).filter(second) {
        let Some(findings) = task.attempts[at].findings().cloned() else { continue };
        let later = &task.attempts[at + 1..];
        let answers = later.iter().take_while(|a| a.part == AttemptKind::Work).filter_map(|a| {
            match a.read.as_ref()?.deliverable.as_ref()? {
                Deliverable::Spec { answers, .. } => Some(answers.clone()),
                Deliverable::Mistakes(_)
                | Deliverable::Findings(_)
                | Deliverable::Plan(_)
                | Deliverable::Lines(_) => None,
            }
        });
        let by = assignment::agent(task, AttemptKind::SecondReview).profile.clone();
        looks.push(ReviewPass { by, findings, answers: answers.last().unwrap_or_default() });
    }
    looks
}
