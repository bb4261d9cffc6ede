//! A bench: the same spec by several agents, several times each, to see what each makes of it.
//!
//! Owns what is asked for, the order of the runs, and what of each run is kept: every run is an ordinary task, in its own
//! worktree, under the same gates; its outcome is a fact of the bench once the run is over, so that the table stands
//! whatever becomes of the task. Nothing lands by itself: a person picks one run, and that goes the ordinary way.

pub mod outcome;
pub mod rank;
#[cfg(test)]
mod tests;
pub mod weakness;

use crate::core::model::assignment::{Assignment, Duty};
use crate::core::model::bench::{
    AGENTS_MAX, BENCHES_MAX, Bench, BenchCommand, BenchFact, BenchOrder, RUNS_MAX, Run,
};
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::spec::Contract;
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage};
use crate::core::outer::launch;
use crate::core::rules::step::Step;
use crate::core::rules::{prompt, review, task};
use crate::values::ids::{BenchId, TaskId, TaskName};
use crate::values::text::Shown;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: BenchCommand) -> Result<(), Refused> {
    match command {
        BenchCommand::Open(order) => open(step, *order),
        BenchCommand::Pick { bench, task } => pick(step, bench, task),
        BenchCommand::Stop(id) => stop(step, id),
        BenchCommand::Forget(id) => forget(step, id),
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

fn open(step: &mut Step<'_>, order: BenchOrder) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if step.state.benches.all.len() >= BENCHES_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("there are {BENCHES_MAX} benches already"),
            "nopeek bench archive makes room: it removes those that are over",
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
    let bench = BenchId(step.state.benches.last + 1);
    step.fact(Fact::Bench(BenchFact::Opened { bench, order: Box::new(order) }));
    Ok(())
}

/// Takes a run: its work is approved as it is, the other runs end unmerged.
fn pick(step: &mut Step<'_>, id: BenchId, task: Option<TaskId>) -> Result<(), Refused> {
    let bench = get(step.state, id)?;
    if let Some(picked) = bench.picked {
        return Err(not_now(bench, "pick from", &format!("{picked} was picked already")));
    }
    if bench.over.is_none() {
        return Err(not_now(bench, "pick from", "wait until all runs are over, or stop it"));
    }
    let Some(task) = task.or_else(|| rank::best_run(step.state, bench)) else {
        return Err(not_now(bench, "pick from", "no run of it is green and waits for review"));
    };
    let own: Vec<TaskId> = bench.runs.iter().filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    if !own.contains(&task) {
        let what = format!("{task} is no run of bench {id}");
        return Err(Refused::new(RefusedKind::NotFound, what, "nopeek bench show names its runs"));
    }
    review::land(step, task)?;
    step.fact(Fact::Bench(BenchFact::Picked { bench: id, task }));
    let name = step.state.tasks.get(&task).map(|task| task.launch.name.to_string()).unwrap_or_default();
    let reason = Shown::line(&format!("bench {id}: {name} was picked"));
    let waits = |id: &TaskId| {
        let stage = step.state.tasks.get(id).map(|task| &task.stage);
        *id != task && matches!(stage, Some(Stage::Review | Stage::Stuck(_) | Stage::Interrupted))
    };
    let others: Vec<TaskId> = own.into_iter().filter(waits).collect();
    for task in others {
        // What has landed before, by hand, stays: it is no business of the bench.
        let _ = review::reject(step, task, reason.as_str());
    }
    Ok(())
}

fn stop(step: &mut Step<'_>, id: BenchId) -> Result<(), Refused> {
    let bench = get(step.state, id)?;
    if bench.stopped || bench.over.is_some() {
        let remedy = if bench.over.is_some() { "it is over" } else { "it is stopped already" };
        return Err(not_now(bench, "stop", remedy));
    }
    let open = bench.runs.iter().filter(|run| run.done.is_none());
    let open: Vec<TaskId> = open.filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    step.fact(Fact::Bench(BenchFact::Stopped { bench: id }));
    for task in open {
        // One that has ended just now is measured as it is.
        let _ = task::stop(step, task);
    }
    Ok(())
}

fn forget(step: &mut Step<'_>, id: BenchId) -> Result<(), Refused> {
    let bench = get(step.state, id)?;
    if bench.over.is_none() {
        return Err(not_now(bench, "archive", "stop it first"));
    }
    let own: Vec<TaskId> = bench.runs.iter().filter_map(|run| run.task.as_ref().map(|(id, _)| *id)).collect();
    step.fact(Fact::Bench(BenchFact::Forgotten { bench: id }));
    for task in own {
        // Those that have not ended stay on the board as any task.
        let _ = task::forget(step, task);
    }
    Ok(())
}

/// Launches runs, measures those that are over.
pub(in crate::core) fn settle(step: &mut Step<'_>) {
    let open = step.state.benches.all.values().filter(|bench| bench.over.is_none());
    let ids: Vec<BenchId> = open.map(|bench| bench.id).collect();
    for id in ids {
        advance(step, id);
    }
}

fn advance(step: &mut Step<'_>, id: BenchId) {
    let Some(bench) = step.state.benches.all.get(&id) else { return };
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
    for (run, order) in launches {
        // The board is full: tried again at the next step.
        let Ok(task) = launch::launch(step, order) else { break };
        if let Some(name) = step.state.tasks.get(&task).map(|task| task.launch.name.clone()) {
            step.fact(Fact::Bench(BenchFact::Ran { bench: id, run, task, name }));
        }
    }
    let mut open = false;
    for (run, task) in tasks {
        match outcome::of(step.state, step.now, task) {
            Some((outcome, lines)) => {
                let outcome = Box::new(outcome);
                step.fact(Fact::Bench(BenchFact::Measured { bench: id, run, task, outcome, lines }));
            }
            None => open = true,
        }
    }
    if !waits && !open {
        step.fact(Fact::Bench(BenchFact::Over { bench: id }));
        if let Some(bench) = step.state.benches.all.get(&id) {
            let words = format!("bench {id} {} is over: {}", bench.order.name, rank::first_words(bench));
            step.notice(None, NoticeKind::NeedsYou, &words);
        }
    }
}

fn launch_of(bench: &Bench, run: &Run) -> Option<Launch> {
    let order = &bench.order;
    let entrant = order.entrants.get(run.entrant)?;
    let assignment = Assignment {
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
        assignment,
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

/// The bench of this name (or number, as `b3`) in a repo, or in any if it is the only one; the newest of those of one name.
pub(in crate::core) fn find(state: &State, repo: Option<&Path>, name: &str) -> Result<BenchId, Refused> {
    let number = name.strip_prefix('b').and_then(|n| n.parse().ok()).map(BenchId);
    if let Some(bench) = number.and_then(|id| state.benches.all.get(&id)) {
        return Ok(bench.id);
    }
    let named = |bench: &&Bench| bench.order.name.as_str() == name;
    let here = |bench: &&Bench| repo.is_none_or(|repo| bench.order.repo == repo);
    let mut found: Vec<&Bench> = state.benches.all.values().filter(named).filter(here).collect();
    if found.is_empty() {
        found = state.benches.all.values().filter(named).collect();
    }
    let Some(newest) = found.last() else {
        let what = format!("there is no bench {}", Shown::line(name));
        return Err(Refused::new(RefusedKind::NotFound, what, "nopeek bench ls shows all benches"));
    };
    if found.iter().any(|bench| bench.order.repo != newest.order.repo) {
        return Err(Refused::new(
            RefusedKind::BadInput,
            format!("several repos have a bench {}", Shown::line(name)),
            "stand in the repo that you mean, or give the bench's number",
        ));
    }
    Ok(newest.id)
}

/// What a bench alone can break; the error is a sentence.
pub(in crate::core) fn check(state: &State) -> Result<(), String> {
    for bench in state.benches.all.values() {
        let open = bench.runs.iter().any(|run| run.done.is_none() && (run.task.is_some() || !bench.stopped));
        if bench.over.is_some() && open {
            return Err(format!("bench {} is over and a run of it is not", bench.id));
        }
        let mut tasks: Vec<TaskId> =
            bench.runs.iter().filter_map(|run| run.task.as_ref()).map(|(id, _)| *id).collect();
        let count = tasks.len();
        tasks.sort_unstable();
        tasks.dedup();
        if tasks.len() != count {
            return Err(format!("two runs of bench {} share a task", bench.id));
        }
    }
    Ok(())
}
