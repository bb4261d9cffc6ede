//! A spec: from a goal over its review and its plan to landed work.
//!
//! Owns the contract, and the order of the stages: a task drafts the spec (and is attacked and refined, see
//! [`super::brief`]), a person approves it, a task plans it, a person approves that, then phase by phase its tasks are
//! launched. The coordinator is [`settle`]: it looks at what is, so that it goes on for days and through restarts.

use super::attempt::{AgentTraits, Limits};
use super::brief::{Brief, Brought, Duty};
use super::engine::{Refused, RefusedKind};
use super::event::Launch;
use super::fact::Fact;
use super::ids::{SpecId, TaskId, TaskName};
use super::lid::LidRule;
use super::plan::{Phase, Planned};
use super::prompt;
use super::queue;
use super::state::{Stage, State, Task};
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
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
    /// Plans it.
    pub plan: AgentTraits,
    /// Does its tasks.
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
    /// Who does what.
    pub crew: Crew,
    /// How often the spec is attacked.
    pub passes: u32,
    /// How often a verifier's findings send work back.
    pub rounds: u32,
    /// What is approved in advance.
    pub ahead: Ahead,
    /// For each task.
    pub limits: Limits,
    /// For each task.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecFact {
    /// A spec was asked for.
    Opened {
        /// Its number.
        spec: SpecId,
        /// All that was asked for; the name is final.
        order: Box<SpecOrder>,
    },
    /// This task drafts it.
    Drafting {
        /// The spec.
        spec: SpecId,
        /// The task.
        task: TaskId,
    },
    /// It has been approved and has landed.
    Agreed {
        /// The spec.
        spec: SpecId,
        /// Its contract, as it landed.
        contract: Box<Contract>,
    },
    /// This task plans it.
    Planning {
        /// The spec.
        spec: SpecId,
        /// The task.
        task: TaskId,
    },
    /// Its plan has been approved and has landed.
    Planned {
        /// The spec.
        spec: SpecId,
        /// The plan.
        phases: Vec<Phase>,
    },
    /// This task of the plan was launched.
    Tasked {
        /// The spec.
        spec: SpecId,
        /// Its name in the plan.
        name: TaskName,
        /// The task.
        task: TaskId,
    },
    /// All of a phase has landed.
    PhaseLanded {
        /// The spec.
        spec: SpecId,
        /// Which, from 0.
        phase: usize,
    },
    /// All of it has landed.
    Done {
        /// The spec.
        spec: SpecId,
    },
    /// Nothing of it starts any more.
    Stopped {
        /// The spec.
        spec: SpecId,
    },
    /// It goes on.
    WentOn {
        /// The spec.
        spec: SpecId,
    },
    /// It is off the board.
    Forgotten {
        /// The spec.
        spec: SpecId,
    },
}

impl SpecFact {
    /// A word for filters; stable.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "spec_opened",
            Self::Drafting { .. } => "spec_drafting",
            Self::Agreed { .. } => "spec_agreed",
            Self::Planning { .. } => "spec_planning",
            Self::Planned { .. } => "spec_planned",
            Self::Tasked { .. } => "spec_tasked",
            Self::PhaseLanded { .. } => "spec_phase_landed",
            Self::Done { .. } => "spec_done",
            Self::Stopped { .. } => "spec_stopped",
            Self::WentOn { .. } => "spec_went_on",
            Self::Forgotten { .. } => "spec_forgotten",
        }
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Drafting { task, .. } | Self::Planning { task, .. } | Self::Tasked { task, .. } => {
                Some(*task)
            }
            Self::Opened { .. }
            | Self::Agreed { .. }
            | Self::Planned { .. }
            | Self::PhaseLanded { .. }
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
            Self::Opened { order, .. } => format!("spec {spec} {} was asked for", order.name),
            Self::Drafting { .. } => format!("drafts spec {spec}"),
            Self::Agreed { contract, .. } => {
                format!("spec {spec} is agreed: {} objectives", contract.objectives.len())
            }
            Self::Planning { .. } => format!("plans spec {spec}"),
            Self::Planned { phases, .. } => {
                let tasks: usize = phases.iter().map(|phase| phase.tasks.len()).sum();
                format!("spec {spec} is planned: {tasks} tasks in {} phases", phases.len())
            }
            Self::Tasked { name, .. } => format!("does {name} of spec {spec}"),
            Self::PhaseLanded { phase, .. } => format!("phase {} of spec {spec} has landed", phase + 1),
            Self::Done { .. } => format!("spec {spec} is done: all of it has landed"),
            Self::Stopped { .. } => format!("spec {spec} is stopped"),
            Self::WentOn { .. } => format!("spec {spec} goes on"),
            Self::Forgotten { .. } => format!("spec {spec} is off the board"),
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

/// A spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its number.
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
    /// Tasks by their name in the plan.
    pub tasks: BTreeMap<TaskName, TaskId>,
    /// Nothing of it starts.
    pub stopped: bool,
    /// All has landed.
    pub done: Option<Time>,
    /// When it was asked for.
    pub created: Time,
}

impl Spec {
    /// All of its tasks, oldest first.
    pub fn all_tasks(&self) -> impl Iterator<Item = TaskId> {
        self.draft.into_iter().chain(self.plan).chain(self.tasks.values().copied())
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
                tasks: BTreeMap::new(),
                stopped: false,
                done: None,
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
            SpecFact::Done { .. } => spec.done = Some(at),
            SpecFact::Stopped { .. } => spec.stopped = true,
            SpecFact::WentOn { .. } => spec.stopped = false,
        }
    }
}

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: SpecCommand) -> Result<(), Refused> {
    match command {
        SpecCommand::Open(order) => open(turn, *order),
        SpecCommand::Stop(id) => {
            let spec = get(turn.state, id)?;
            if spec.stopped || spec.done.is_some() {
                return Err(not_now(
                    spec,
                    "stop",
                    if spec.stopped { "it is stopped already" } else { "it is done" },
                ));
            }
            turn.fact(Fact::Spec(SpecFact::Stopped { spec: id }));
            Ok(())
        }
        SpecCommand::GoOn(id) => {
            let spec = get(turn.state, id)?;
            if !spec.stopped {
                return Err(not_now(spec, "go on with", "it is not stopped"));
            }
            turn.fact(Fact::Spec(SpecFact::WentOn { spec: id }));
            Ok(())
        }
        SpecCommand::Forget(id) => {
            let spec = get(turn.state, id)?;
            if spec.done.is_none() && !spec.stopped {
                return Err(not_now(spec, "forget", "stop it first"));
            }
            turn.fact(Fact::Spec(SpecFact::Forgotten { spec: id }));
            Ok(())
        }
    }
}

/// The spec of this number.
pub(in crate::core) fn get(state: &State, id: SpecId) -> Result<&Spec, Refused> {
    state.specs.all.get(&id).ok_or_else(|| {
        Refused::new(
            RefusedKind::NotFound,
            format!("there is no spec {id}"),
            "nopeek spec ls shows all specs",
        )
    })
}

fn not_now(spec: &Spec, act: &str, remedy: &str) -> Refused {
    Refused::new(RefusedKind::NotNow, format!("can't {act} {}", spec.order.name), remedy)
}

fn open(turn: &mut Turn<'_>, mut order: SpecOrder) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if turn.state.specs.all.len() >= SPECS_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("there are {SPECS_MAX} specs already"),
            "nopeek spec forget takes those off the board that are over",
        ));
    }
    if order.goal.trim().is_empty() {
        return bad("the goal is empty".to_owned(), "say what you want to be so");
    }
    if order.goal.len() > GOAL_MAX {
        return bad(
            format!("the goal is longer than {} KiB", GOAL_MAX / 1024),
            "put the details into a file of the repo",
        );
    }
    if order.parallel == 0 || order.limits.attempts == 0 {
        return bad(
            "with no attempts or no agents at once nothing would ever start".to_owned(),
            "give at least 1",
        );
    }
    let taken = |name: &TaskName| {
        turn.state.specs.all.values().any(|spec| spec.order.repo == order.repo && spec.order.name == *name)
    };
    if taken(&order.name) {
        return bad(
            format!("there is a spec {} in this repo", order.name),
            "give it another name with --name",
        );
    }
    if order.crew.review.is_none() {
        order.passes = 0;
    }
    let spec = SpecId(turn.state.specs.last + 1);
    turn.fact(Fact::Spec(SpecFact::Opened { spec, order: Box::new(order) }));
    Ok(())
}

/// Takes every spec one step on.
pub(in crate::core) fn settle(turn: &mut Turn<'_>) {
    let ids: Vec<SpecId> = turn
        .state
        .specs
        .all
        .values()
        .filter(|spec| !spec.stopped && spec.done.is_none())
        .map(|spec| spec.id)
        .collect();
    for id in ids {
        advance(turn, id);
    }
}

fn advance(turn: &mut Turn<'_>, id: SpecId) {
    let Some(spec) = turn.state.specs.all.get(&id).cloned() else { return };
    let fact = |turn: &mut Turn<'_>, fact| turn.fact(Fact::Spec(fact));
    let Some(draft) = spec.draft else {
        if let Some(task) = launch(turn, draft_task(&spec)) {
            fact(turn, SpecFact::Drafting { spec: id, task });
        }
        return;
    };
    let Some(contract) = &spec.contract else {
        if let Some(Brought::Spec { contract, .. }) = landed(turn.state, draft) {
            let contract = contract.clone();
            fact(turn, SpecFact::Agreed { spec: id, contract });
        }
        return;
    };
    let Some(plan) = spec.plan else {
        if let Some(task) = launch(turn, plan_task(&spec, contract)) {
            fact(turn, SpecFact::Planning { spec: id, task });
        }
        return;
    };
    let Some(phases) = &spec.phases else {
        if let Some(Brought::Plan(phases)) = landed(turn.state, plan) {
            let phases = phases.clone();
            fact(turn, SpecFact::Planned { spec: id, phases });
        }
        return;
    };
    let now = spec.landed.len();
    let Some(phase) = phases.get(now) else { return fact(turn, SpecFact::Done { spec: id }) };
    if soaks_until(&spec).is_some_and(|until| turn.now < until) {
        return;
    }
    for planned in &phase.tasks {
        if spec.tasks.contains_key(&planned.name) {
            continue;
        }
        let known = turn.state.specs.all.get(&id).map(|spec| spec.tasks.clone()).unwrap_or_default();
        // Those that it waits for come first, so that their final names are known.
        if planned.after.iter().any(|need| !known.contains_key(need)) {
            continue;
        }
        if let Some(task) = launch(turn, work_task(turn.state, &spec, contract, phase, planned, &known)) {
            fact(turn, SpecFact::Tasked { spec: id, name: planned.name.clone(), task });
        }
    }
    let is_landed = |planned: &Planned| {
        spec.tasks
            .get(&planned.name)
            .and_then(|task| turn.state.tasks.get(task))
            .is_some_and(|task| task.stage == Stage::Landed)
    };
    if phase.tasks.iter().all(is_landed) {
        fact(turn, SpecFact::PhaseLanded { spec: id, phase: now });
    }
}

/// Until when the target must stay green before the next phase begins.
pub(in crate::core) fn soaks_until(spec: &Spec) -> Option<Time> {
    let before = spec.landed.len().checked_sub(1)?;
    let soak = spec.phases.as_ref()?.get(before)?.soak?;
    Some(spec.landed.get(before)?.after(soak))
}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(state: &State) -> Option<Time> {
    let waits = |spec: &&Spec| {
        let more = spec.phases.as_ref().and_then(|phases| phases.get(spec.landed.len()));
        let begun =
            more.is_some_and(|phase| phase.tasks.iter().any(|task| spec.tasks.contains_key(&task.name)));
        !spec.stopped && spec.done.is_none() && more.is_some() && !begun
    };
    state.specs.all.values().filter(waits).filter_map(soaks_until).min()
}

/// What a landed task brought.
fn landed(state: &State, id: TaskId) -> Option<&Brought> {
    let task: &Task = state.tasks.get(&id).filter(|task| task.stage == Stage::Landed)?;
    task.work()?.read.as_ref()?.brought.as_ref()
}

/// Launches a task of a spec; none: it can't be now (the board is full), and is tried again at the next step.
fn launch(turn: &mut Turn<'_>, launch: Launch) -> Option<TaskId> {
    queue::launch(turn, launch).ok()
}

fn base(spec: &Spec, name: TaskName, prompt: String, agent: &AgentTraits, brief: Brief) -> Launch {
    let order = &spec.order;
    Launch {
        repo: order.repo.clone(),
        target: order.target.clone(),
        parallel: order.parallel,
        name,
        prompt,
        agent: agent.clone(),
        limits: order.limits,
        lid: order.lid,
        after: Vec::new(),
        by: None,
        brief,
    }
}

fn values(spec: &Spec, more: &[(&str, String)]) -> BTreeMap<String, String> {
    let own = [
        ("goal", spec.order.goal.clone()),
        ("name", spec.order.name.to_string()),
        ("path", spec.path()),
        ("folder", spec.folder()),
        ("memory", spec.order.memory.clone()),
        ("target", spec.order.target.clone()),
    ];
    own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn named(spec: &Spec, end: &str) -> TaskName {
    let stem: String = spec.order.name.as_str().chars().take(TaskName::MAX - end.len() - 1).collect();
    TaskName::new(&format!("{}-{end}", stem.trim_end_matches('-')))
        .unwrap_or_else(|_| spec.order.name.clone())
}

/// The form of a spec that drafts are written in.
pub const FORM: &str = include_str!("../../assets/spec.md");

fn draft_task(spec: &Spec) -> Launch {
    let order = &spec.order;
    let values = values(spec, &[("form", FORM.to_owned())]);
    let prompt = prompt::render(&order.templates, "spec-draft", &values);
    let brief = Brief {
        spec: Some(spec.id),
        duty: Duty::Spec,
        second: order.crew.review.clone(),
        rounds: order.passes,
        ahead: order.ahead.spec,
        touches: vec![spec.path(), format!("{}/**", spec.folder()), order.memory.clone()],
        checks: Vec::new(),
        values,
        templates: order.templates.clone(),
    };
    base(spec, named(spec, "spec"), prompt, &order.crew.draft, brief)
}

fn plan_task(spec: &Spec, contract: &Contract) -> Launch {
    let order = &spec.order;
    let touchpoints = contract.touchpoints.join("\n");
    let values = values(
        spec,
        &[
            ("touchpoints", touchpoints),
            ("gates", prompt::list(&order.gates)),
            ("spec", format!("{} ({} objectives)", contract.title, contract.objectives.len())),
        ],
    );
    let prompt = prompt::render(&order.templates, "plan", &values);
    let brief = Brief {
        spec: Some(spec.id),
        duty: Duty::Plan,
        second: None,
        rounds: 0,
        ahead: order.ahead.plan,
        touches: vec![format!("{}/**", spec.folder()), order.memory.clone()],
        checks: Vec::new(),
        values,
        templates: order.templates.clone(),
    };
    base(spec, named(spec, "plan"), prompt, &order.crew.plan, brief)
}

fn work_task(
    state: &State,
    spec: &Spec,
    contract: &Contract,
    phase: &Phase,
    planned: &Planned,
    known: &BTreeMap<TaskName, TaskId>,
) -> Launch {
    let order = &spec.order;
    let others: Vec<String> = phase
        .tasks
        .iter()
        .filter(|other| other.name != planned.name)
        .map(|other| format!("{}: {}", other.name, other.does.lines().next().unwrap_or("").trim()))
        .collect();
    let values = values(
        spec,
        &[
            ("task", planned.name.to_string()),
            ("does", planned.does.clone()),
            ("objectives", prompt::list(&contract.objectives)),
            ("non_goals", prompt::list(&contract.non_goals)),
            ("data", prompt::list(&contract.data)),
            ("tests", prompt::list(&contract.tests)),
            ("phase", format!("{}\n\n{}", phase.title, phase.notes.trim())),
            ("touches", prompt::list(&planned.touches)),
            ("check", planned.check.clone()),
            ("others", prompt::list(&others)),
        ],
    );
    let prompt = prompt::render(&order.templates, "work", &values);
    let agent =
        planned.agent.as_ref().and_then(|name| order.crew.others.get(name)).unwrap_or(&order.crew.work);
    let mut touches = planned.touches.clone();
    touches.push(order.memory.clone());
    let brief = Brief {
        spec: Some(spec.id),
        duty: Duty::Build,
        second: order.crew.verify.clone(),
        rounds: order.rounds,
        ahead: order.ahead.work,
        touches,
        checks: vec![planned.check.clone()],
        values,
        templates: order.templates.clone(),
    };
    let name_of = |need: &TaskName| {
        known.get(need).and_then(|id| state.tasks.get(id)).map(|task| task.launch.name.clone())
    };
    Launch {
        after: planned.after.iter().filter_map(name_of).collect(),
        ..base(spec, planned.name.clone(), prompt, agent, brief)
    }
}

/// A task of the same spec that was launched before this one, has begun, and may change the same files.
#[must_use]
pub(in crate::core) fn collides_with<'a>(
    state: &'a State,
    task: &'a Task,
) -> Option<(&'a TaskName, &'a str)> {
    let spec = task.launch.brief.spec?;
    let memory = &state.specs.all.get(&spec)?.order.memory;
    let own: Vec<String> =
        task.launch.brief.touches.iter().filter(|touch| *touch != memory).cloned().collect();
    if task.launch.brief.duty != Duty::Build || own.is_empty() {
        return None;
    }
    state.tasks.range(..task.id).map(|(_, other)| other).find_map(|other| {
        let brief = &other.launch.brief;
        let same = brief.spec == Some(spec) && brief.duty == Duty::Build;
        if !same || super::task::is_ended(&other.stage) || other.launch.after.contains(&task.launch.name) {
            return None;
        }
        let others: Vec<String> = brief.touches.iter().filter(|touch| *touch != memory).cloned().collect();
        let own_place = super::plan::collide(&own, &others)?;
        let place = task.launch.brief.touches.iter().find(|touch| *touch == own_place)?;
        Some((&other.launch.name, place.as_str()))
    })
}
