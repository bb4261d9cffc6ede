//! What clients see of benches: a line each on the board, and one of them whole.

use crate::core::model::bench::Bench;
use crate::core::model::bench::outcome::RunOutcome;
use crate::core::model::state::State;
use crate::core::model::task::TaskState;
use crate::core::outer::bench::get;
use crate::core::outer::bench::rank::{self, AgentScore, Alike};
use crate::core::outer::bench::weakness::{self, Weakness};
use crate::core::rules::budget_hold;
use crate::core::rules::lookup::state_of;
use crate::values::ids::{BenchId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::plural::counted;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Most bytes of what findings say in a whole bench: a message to a client has a bound.
const WORDS_MAX: usize = 1024 * 1024;

/// A bench as a line of the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchLine {
    pub id: BenchId,
    pub name: String,
    /// The repo's main checkout.
    pub repo: PathBuf,
    pub agents: Vec<String>,
    pub runs: u32,
    /// Runs that are over.
    pub measured: u32,
    /// No run starts any more.
    pub stopped: bool,
    /// When all runs were over.
    pub over: Option<Time>,
    /// The run that was taken.
    pub picked: Option<TaskId>,
    /// Where it stands, in words.
    pub why: Shown,
    /// Whether a human must act: take a run, or see to one that waits.
    pub needs_you: bool,
    /// When it was asked for.
    pub created: Time,
}

/// A bench, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchView {
    pub line: BenchLine,
    /// The spec's file, as it was named.
    pub file: String,
    /// What each was asked.
    pub prompt: String,
    /// Who verified; none: nobody.
    pub verify: Option<String>,
    /// How each did, the best first.
    pub agents: Vec<AgentScore>,
    /// How alike the results of each two are.
    pub between: Vec<Alike>,
    /// All runs, in the order in which they started.
    pub runs: Vec<RunView>,
    /// The run that `pick` takes if none is named.
    pub best: Option<TaskId>,
    /// What only those tripped over who are not best.
    pub weaknesses: Vec<Weakness>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    pub agent: String,
    /// Which of its runs, from 1.
    pub no: u32,
    /// How people name it: `strong-2`.
    pub label: String,
    /// Its task; none before it starts.
    pub task: Option<TaskId>,
    pub name: Option<String>,
    /// Where that task stands now; none before it starts and once it is off the board.
    pub state: Option<TaskState>,
    /// What came of it, once it is over.
    pub outcome: Option<RunOutcome>,
}

/// All, oldest first.
pub(in crate::core) fn lines(state: &State) -> Vec<BenchLine> {
    state.benches.all.values().map(|bench| line(state, bench)).collect()
}

fn line(state: &State, bench: &Bench) -> BenchLine {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let measured = bench.runs.iter().filter(|run| run.done.is_some()).count();
    let open = bench.runs.iter().filter(|run| run.done.is_none()).filter_map(|run| run.task.as_ref());
    let waits = open.filter_map(|(id, name)| {
        let task = state.tasks.get(id)?;
        let stands = state_of(task);
        if budget_hold::waits_for_human(state, task) {
            return Some(format!("{name} (budget)"));
        }
        matches!(stands, TaskState::Asking | TaskState::Interrupted)
            .then(|| format!("{name} {}", stands.label()))
    });
    let waits: Vec<String> = waits.collect();
    let best = bench.over.filter(|_| bench.picked.is_none()).and_then(|_| rank::best_run(state, bench));
    let why = match (bench.over, bench.picked) {
        (Some(_), Some(task)) => {
            let run = bench.runs.iter().find(|run| run.task.as_ref().is_some_and(|(id, _)| *id == task));
            let label = run.map_or_else(|| task.to_string(), |run| bench.label(run));
            format!("{}; {label} was picked", rank::first_words(bench))
        }
        (Some(_), None) => rank::first_words(bench),
        (None, _) if !waits.is_empty() => format!("waits for you: {}", waits.join(", ")),
        (None, _) if bench.stopped => "its runs are being ended".to_owned(),
        (None, _) => format!("{measured} of {} over", counted(bench.runs.len(), "run")),
    };
    BenchLine {
        id: bench.id,
        name: bench.order.name.to_string(),
        repo: bench.order.repo.clone(),
        agents: bench.order.entrants.iter().map(|entrant| entrant.agent.profile.clone()).collect(),
        runs: count(bench.runs.len()),
        measured: count(measured),
        stopped: bench.stopped,
        over: bench.over,
        picked: bench.picked,
        why: Shown::line(&why),
        needs_you: best.is_some() || !waits.is_empty(),
        created: bench.created,
    }
}

/// One of them, whole.
pub(in crate::core) fn view(state: &State, id: BenchId) -> Option<BenchView> {
    let bench = get(state, id).ok()?;
    let mut agents = rank::scores(bench);
    rank::fill_in_likeness(bench, &mut agents);
    let mut room = WORDS_MAX;
    let runs = bench.runs.iter().map(|run| RunView {
        agent: bench.agent_of(run).to_owned(),
        no: run.no,
        label: bench.label(run),
        task: run.task.as_ref().map(|(id, _)| *id),
        name: run.task.as_ref().map(|(_, name)| name.to_string()),
        state: run.task.as_ref().and_then(|(id, _)| state.tasks.get(id)).map(state_of),
        outcome: run.done.as_ref().map(|(outcome, _)| bounded(outcome.clone(), &mut room)),
    });
    Some(BenchView {
        line: line(state, bench),
        file: bench.order.file.clone(),
        prompt: bench.order.prompt.clone(),
        verify: bench.order.verify.as_ref().map(|verify| verify.profile.clone()),
        between: rank::between(bench),
        runs: runs.collect(),
        best: rank::best_run(state, bench).filter(|_| bench.picked.is_none()),
        weaknesses: weakness::weaknesses(bench, &agents),
        agents,
    })
}

/// Leaves out the words of findings for which there is no room; their weight and area stay.
fn bounded(mut outcome: RunOutcome, room: &mut usize) -> RunOutcome {
    for finding in outcome.findings.iter_mut().flat_map(|findings| &mut findings.list) {
        finding.area = weakness::area(&finding.area);
        let size = finding.place.as_str().len() + finding.what.as_str().len() + finding.fix.as_str().len();
        match room.checked_sub(size) {
            Some(left) => *room = left,
            None => {
                finding.place = Shown::default();
                finding.what = "(nopeek show says what)".into();
                finding.fix = Shown::default();
            }
        }
    }
    outcome
}
