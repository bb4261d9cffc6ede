//! A bench: the same spec by several agents, several times each, to see what each makes of it.
//!
//! Owns what is asked for, the order of the runs, and what of each run is kept: every run is an ordinary task, in its own
//! worktree, under the same gates; its outcome is a fact of the bench once the run is over, so that the table stands
//! whatever becomes of the task. Nothing lands by itself: a person picks one run, and that goes the ordinary way.

pub mod likeness;
pub mod outcome;
pub mod rank;
pub mod view;
pub mod weakness;

#[cfg(test)]
mod tests;

use super::attempt::{AgentTraits, Limits};
use super::brief::{Brief, Duty};
use super::budget::Budget;
use super::engine::{Refused, RefusedKind};
use super::event::Launch;
use super::fact::Fact;
use super::ids::{BenchId, TaskId, TaskName};
use super::lid::LidRule;
use super::notice::NoticeKind;
use super::prompt;
use super::queue;
use super::review;
use super::spec::Contract;
use super::state::{Stage, State};
use super::task;
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use likeness::Sketch;
use outcome::RunOutcome;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Who.
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
    /// Wished name.
    pub name: TaskName,
    /// The spec's file, as it was named.
    pub file: String,
    /// What each agent is asked to do.
    pub prompt: String,
    /// Who is compared.
    pub entrants: Vec<Entrant>,
    /// How often each does it.
    pub runs: u32,
    /// Who looks at green work; none: gates alone judge.
    pub verify: Option<AgentTraits>,
    /// For each run.
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
    Pick {
        /// The bench.
        bench: BenchId,
        /// The run's task.
        task: Option<TaskId>,
    },
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
        /// Its number.
        bench: BenchId,
        /// All that was asked for; the name is final.
        order: Box<BenchOrder>,
    },
    /// A run has its task.
    #[strum(serialize = "bench_ran")]
    Ran {
        /// The bench.
        bench: BenchId,
        /// The run's place, from 0.
        run: usize,
        /// The task.
        task: TaskId,
        /// Its name.
        name: TaskName,
    },
    /// A run is over.
    #[strum(serialize = "bench_measured")]
    Measured {
        /// The bench.
        bench: BenchId,
        /// The run's place, from 0.
        run: usize,
        /// The task.
        task: TaskId,
        /// What came of it.
        outcome: Box<RunOutcome>,
        /// Its changed lines.
        lines: Sketch,
    },
    /// All runs are over.
    #[strum(serialize = "bench_over")]
    Over {
        /// The bench.
        bench: BenchId,
    },
    /// This run was taken.
    #[strum(serialize = "bench_picked")]
    Picked {
        /// The bench.
        bench: BenchId,
        /// Its task.
        task: TaskId,
    },
    /// No run starts any more.
    #[strum(serialize = "bench_stopped")]
    Stopped {
        /// The bench.
        bench: BenchId,
    },
    /// It is off the board.
    #[strum(serialize = "bench_forgotten")]
    Forgotten {
        /// The bench.
        bench: BenchId,
    },
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
                format!("bench {bench} {} was asked for: {} by {}", order.name, order.runs, agents.join(", "))
            }
            Self::Ran { run, .. } => format!("is run {} of bench {bench}", run + 1),
            Self::Measured { outcome, .. } => format!("bench {bench}: this run is {}", outcome.words()),
            Self::Over { .. } => format!("bench {bench} is over"),
            Self::Picked { .. } => format!("was picked from bench {bench}"),
            Self::Stopped { .. } => format!("bench {bench} is stopped"),
            Self::Forgotten { .. } => format!("bench {bench} is off the board"),
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
    /// Its number.
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

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: BenchCommand) -> Result<(), Refused> {
    match command {
        BenchCommand::Open(order) => open(turn, *order),
        BenchCommand::Pick { bench, task } => pick(turn, bench, task),
        BenchCommand::Stop(id) => stop(turn, id),
        BenchCommand::Forget(id) => forget(turn, id),
    }
}

/// The bench of this number.
pub(in crate::core) fn get(state: &State, id: BenchId) -> Result<&Bench, Refused> {
    state.benches.all.get(&id).ok_or_else(|| {
        Refused::new(
            RefusedKind::NotFound,
            format!("there is no bench {id}"),
            "nopeek bench ls shows all benches",
        )
    })
}

fn not_now(bench: &Bench, act: &str, remedy: &str) -> Refused {
    Refused::new(RefusedKind::NotNow, format!("can't {act} bench {} {}", bench.id, bench.order.name), remedy)
}

fn open(turn: &mut Turn<'_>, order: BenchOrder) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if turn.state.benches.all.len() >= BENCHES_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("there are {BENCHES_MAX} benches already"),
            "nopeek bench forget takes those off the board that are over",
        ));
    }
    if order.prompt.trim().is_empty() {
        return bad("the spec is empty".to_owned(), "say what is to be done");
    }
    if order.entrants.is_empty() || order.runs == 0 || order.parallel == 0 || order.limits.attempts == 0 {
        return bad(
            "with no agents, runs, attempts or places nothing would ever start".to_owned(),
            "give at least 1",
        );
    }
    if order.entrants.len() > AGENTS_MAX {
        let what = format!("{} agents; {AGENTS_MAX} are allowed", order.entrants.len());
        return bad(what, "compare fewer at once");
    }
    let names: BTreeSet<&str> = order.entrants.iter().map(|entrant| entrant.agent.profile.as_str()).collect();
    if names.len() < order.entrants.len() {
        return bad("an agent is named twice".to_owned(), "name each once; --runs says how often each works");
    }
    let all = order.entrants.len().saturating_mul(order.runs as usize);
    if all > RUNS_MAX {
        let what = format!("{all} runs; {RUNS_MAX} are allowed");
        return bad(what, "give fewer agents or fewer runs");
    }
    let bench = BenchId(turn.state.benches.last + 1);
    turn.fact(Fact::Bench(BenchFact::Opened { bench, order: Box::new(order) }));
    Ok(())
}

/// Takes a run: its work is approved as it is, the other runs end unmerged.
fn pick(turn: &mut Turn<'_>, id: BenchId, task: Option<TaskId>) -> Result<(), Refused> {
    let bench = get(turn.state, id)?;
    if let Some(picked) = bench.picked {
        return Err(not_now(bench, "pick from", &format!("{picked} was picked already")));
    }
    if bench.over.is_none() {
        return Err(not_now(bench, "pick from", "wait until all runs are over, or stop it"));
    }
    let Some(task) = task.or_else(|| rank::best_run(turn.state, bench)) else {
        return Err(not_now(bench, "pick from", "no run of it is green and waits for review"));
    };
    let own: Vec<TaskId> = bench.runs.iter().filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    if !own.contains(&task) {
        let what = format!("{task} is no run of bench {id}");
        return Err(Refused::new(RefusedKind::NotFound, what, "nopeek bench show names its runs"));
    }
    review::land(turn, task)?;
    turn.fact(Fact::Bench(BenchFact::Picked { bench: id, task }));
    let name = turn.state.tasks.get(&task).map(|task| task.launch.name.to_string()).unwrap_or_default();
    let reason = Shown::line(&format!("bench {id}: {name} was picked"));
    let waits = |id: &TaskId| {
        let stage = turn.state.tasks.get(id).map(|task| &task.stage);
        *id != task && matches!(stage, Some(Stage::Review | Stage::Stuck(_) | Stage::Interrupted))
    };
    let others: Vec<TaskId> = own.into_iter().filter(waits).collect();
    for task in others {
        // What has landed before, by hand, stays: it is no business of the bench.
        let _ = review::reject(turn, task, reason.as_str());
    }
    Ok(())
}

fn stop(turn: &mut Turn<'_>, id: BenchId) -> Result<(), Refused> {
    let bench = get(turn.state, id)?;
    if bench.stopped || bench.over.is_some() {
        let remedy = if bench.over.is_some() { "it is over" } else { "it is stopped already" };
        return Err(not_now(bench, "stop", remedy));
    }
    let open = bench.runs.iter().filter(|run| run.done.is_none());
    let open: Vec<TaskId> = open.filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    turn.fact(Fact::Bench(BenchFact::Stopped { bench: id }));
    for task in open {
        // One that has ended just now is measured as it is.
        let _ = task::stop(turn, task);
    }
    Ok(())
}

fn forget(turn: &mut Turn<'_>, id: BenchId) -> Result<(), Refused> {
    let bench = get(turn.state, id)?;
    if bench.over.is_none() {
        return Err(not_now(bench, "forget", "stop it first"));
    }
    let own: Vec<TaskId> = bench.runs.iter().filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    turn.fact(Fact::Bench(BenchFact::Forgotten { bench: id }));
    for task in own {
        // Those that have not ended stay on the board as any task.
        let _ = task::forget(turn, task);
    }
    Ok(())
}

/// Whether what becomes of a task is told by its bench, once all runs are over, and not by itself.
pub(in crate::core) fn speaks_for(state: &State, id: TaskId) -> bool {
    let bench = state.tasks.get(&id).and_then(|task| task.launch.brief.bench);
    let runs = bench.and_then(|bench| state.benches.all.get(&bench)).map(|bench| &bench.runs);
    let to_come = |run: &Run| run.done.is_none() && run.task.as_ref().is_some_and(|(task, _)| *task == id);
    runs.is_some_and(|runs| runs.iter().any(to_come))
}

/// Launches runs, measures those that are over.
pub(in crate::core) fn settle(turn: &mut Turn<'_>) {
    let open = turn.state.benches.all.values().filter(|bench| bench.over.is_none());
    let ids: Vec<BenchId> = open.map(|bench| bench.id).collect();
    for id in ids {
        advance(turn, id);
    }
}

fn advance(turn: &mut Turn<'_>, id: BenchId) {
    let Some(bench) = turn.state.benches.all.get(&id) else { return };
    let mut launches = Vec::new();
    let mut tasks = Vec::new();
    for (at, run) in bench.runs.iter().enumerate().filter(|(_, run)| run.done.is_none()) {
        match &run.task {
            Some((task, _)) => tasks.push((at, *task)),
            None if !bench.stopped => launches.extend(launch_of(bench, run).map(|launch| (at, launch))),
            None => {}
        }
    }
    let waits = !launches.is_empty();
    for (run, launch) in launches {
        // The board is full: tried again at the next step.
        let Ok(task) = queue::launch(turn, launch) else { break };
        if let Some(name) = turn.state.tasks.get(&task).map(|task| task.launch.name.clone()) {
            turn.fact(Fact::Bench(BenchFact::Ran { bench: id, run, task, name }));
        }
    }
    let mut open = false;
    for (run, task) in tasks {
        match outcome::of(turn.state, turn.now, task) {
            Some((outcome, lines)) => {
                let outcome = Box::new(outcome);
                turn.fact(Fact::Bench(BenchFact::Measured { bench: id, run, task, outcome, lines }));
            }
            None => open = true,
        }
    }
    if !waits && !open {
        turn.fact(Fact::Bench(BenchFact::Over { bench: id }));
        if let Some(bench) = turn.state.benches.all.get(&id) {
            let words = format!("bench {id} {} is over: {}", bench.order.name, rank::first_words(bench));
            turn.notice(None, NoticeKind::NeedsYou, &words);
        }
    }
}

fn launch_of(bench: &Bench, run: &Run) -> Option<Launch> {
    let order = &bench.order;
    let entrant = order.entrants.get(run.entrant)?;
    let brief = Brief {
        spec: None,
        duty: Duty::Build,
        second: order.verify.clone(),
        rounds: 0,
        stack: false,
        ahead: false,
        touches: order.touches.clone(),
        checks: order.checks.clone(),
        values: order.values.clone(),
        templates: order.templates.clone(),
        bench: Some(bench.id),
    };
    Some(Launch {
        repo: order.repo.clone(),
        target: order.target.clone(),
        parallel: order.parallel,
        name: run_name(&order.name, &entrant.agent.profile, run.no),
        prompt: order.prompt.clone(),
        agent: entrant.agent.clone(),
        limits: order.limits,
        lid: entrant.lid,
        after: Vec::new(),
        by: None,
        brief,
        budget: order.budget,
    })
}

/// `tea-strong-2`, however long its parts are.
fn run_name(stem: &TaskName, agent: &str, no: u32) -> TaskName {
    let agent: String = TaskName::from_text(agent).as_str().chars().take(16).collect();
    let end = format!("{}-{no}", agent.trim_end_matches('-'));
    let stem: String = stem.as_str().chars().take(TaskName::MAX - 6 - end.len()).collect();
    let name = TaskName::new(&format!("{}-{end}", stem.trim_end_matches('-')));
    name.unwrap_or_else(|_| TaskName::from_text(&agent))
}

/// What a contract comes to for one agent that does all of it: the prompt, and what a verifier's is filled with.
#[must_use]
pub fn work(
    contract: &Contract,
    prose: &str,
    own: &[(&str, String)],
    templates: &BTreeMap<String, String>,
) -> (String, BTreeMap<String, String>) {
    let filled = [
        ("task", contract.title.to_string()),
        ("does", prose.trim().to_owned()),
        ("objectives", prompt::list(&contract.objectives)),
        ("non_goals", prompt::list(&contract.non_goals)),
        ("data", prompt::list(&contract.data)),
        ("tests", prompt::list(&contract.tests)),
        ("phase", "all of it, at once".to_owned()),
        ("touches", prompt::list(&contract.touchpoints)),
        ("others", "Nobody: all of it is yours.".to_owned()),
    ];
    let values: BTreeMap<String, String> =
        filled.iter().chain(own).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    (prompt::render(templates, "work", &values), values)
}
