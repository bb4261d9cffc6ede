//! The queues: who starts next (in an order that people can change), and the one line in which work lands.

use crate::core::model::effect::Work;
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::outer::budget::rules;
use crate::core::rules::lookup::{get, is_ended, not_now};
use crate::core::rules::prerequisites::{self, named, unlanded, waits};
use crate::core::rules::turn::Turn;
use crate::core::rules::{budget_hold, collision};
use crate::values::ids::{TaskId, TaskName};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most tasks on the boards of a daemon: what a board message of [`crate::core::views::board::Board`] can carry.
pub(in crate::core) const TASKS_MAX: usize = 1_000;

/// Creates a task; a taken name gets a number.
pub(in crate::core) fn launch(turn: &mut Turn<'_>, mut launch: Launch) -> Result<TaskId, Refused> {
    if turn.state.tasks.len() >= TASKS_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("there are {TASKS_MAX} tasks already"),
            "nopeek archive makes room: it removes ended ones",
        ));
    }
    if launch.prompt.trim().is_empty() {
        return Err(Refused::new(
            RefusedKind::BadInput,
            "the prompt is empty",
            "say what the agent is to do",
        ));
    }
    if launch.limits.attempts == 0 || launch.parallel == 0 {
        return Err(Refused::new(
            RefusedKind::BadInput,
            "with no attempts or no agents at once nothing would ever start",
            "give at least 1",
        ));
    }
    if let Some(by) = launch.by {
        crate::core::rules::ask::may_add(turn.state, by, &launch)?;
    }
    for name in &launch.after {
        if !turn.state.tasks.values().any(|t| t.launch.repo == launch.repo && t.launch.name == *name) {
            return Err(Refused::new(
                RefusedKind::NotFound,
                format!("there is no task {name} to wait for"),
                "nopeek ls shows all tasks",
            ));
        }
    }
    launch.name = free_name(turn.state, &launch);
    let task = TaskId(turn.state.last_task + 1);
    rules::launched(turn, &launch)?;
    turn.fact(Fact::Launched { task, launch: Box::new(launch) });
    Ok(task)
}

/// The wished name, or the first of `name-2`, `name-3` … that no task on the board of the repo has. Branches are
/// named after tasks, so an ended task keeps its name until it is forgotten.
fn free_name(state: &State, launch: &Launch) -> TaskName {
    let taken = |name: &TaskName| {
        let stem = format!("nopeek/{name}/");
        state.tasks.values().any(|t| t.launch.repo == launch.repo && t.launch.name == *name)
            || state.open.values().any(|(effect, _)| {
                // A forgotten task's branches are still on their way to the archive.
                matches!(&effect.what, Work::Archive { repo, branch: Some(branch), .. }
                    if *repo == launch.repo && branch.starts_with(&stem))
            })
    };
    let stem: String = launch.name.as_str().chars().take(TaskName::MAX - 5).collect();
    let numbered = (2..=TASKS_MAX + 1)
        .filter_map(|n| TaskName::new(&format!("{}-{n}", stem.trim_end_matches('-'))).ok());
    std::iter::once(launch.name.clone())
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or_else(|| launch.name.clone())
}

/// Moves a waiting task.
pub(in crate::core) fn reorder(turn: &mut Turn<'_>, id: TaskId, place: usize) -> Result<(), Refused> {
    let task = get(turn.state, id)?;
    if !matches!(task.stage, Stage::Queued { .. }) {
        return Err(not_now(task, "move", "only waiting tasks have a place in the queue"));
    }
    turn.fact(Fact::Reordered { task: id, place });
    Ok(())
}

/// Changes how many agents of a repo may work at once.
pub(in crate::core) fn set_parallel(
    turn: &mut Turn<'_>,
    repo: PathBuf,
    parallel: u32,
) -> Result<(), Refused> {
    if parallel == 0 {
        return Err(Refused::new(
            RefusedKind::BadInput,
            "no agents at once means that none ever starts",
            "give at least 1",
        ));
    }
    if turn.state.parallel.get(&repo) != Some(&parallel) {
        turn.fact(Fact::ParallelSet { repo, parallel });
    }
    Ok(())
}

/// Why a waiting task does not start now; none: it starts.
pub(in crate::core) fn held(state: &State, task: &Task) -> Option<String> {
    if task.paused {
        return Some("paused: resume lets it start".to_owned());
    }
    let missing: Vec<&str> = if waits(state, task) { unlanded(state, task).collect() } else { Vec::new() };
    if !missing.is_empty() {
        let ended = |name: &&str| named(state, task, name).any(|other| is_ended(&other.stage));
        let ended: Vec<&str> = missing.iter().copied().filter(ended).collect();
        let names = missing.join(", ");
        return Some(if ended.is_empty() {
            format!("waits for {names} to land")
        } else {
            let ended = ended.join(", ");
            format!(
                "waits for {names} to land, and {ended} has ended unmerged: retry that, or launch this anew"
            )
        });
    }
    if state.jobs.has_live(task.id) {
        return Some("waits until the processes of the attempt before are gone".to_owned());
    }
    if let Some((name, place)) = collision::collides_with(state, task) {
        return Some(format!("waits for {name} to end: both may change {place}"));
    }
    if let Some(why) = budget_hold::held(state, task) {
        return Some(why);
    }
    let limit = limit(state, &task.launch.repo);
    let busy = busy(state, &task.launch.repo);
    let ahead = state
        .start_queue
        .iter()
        .take_while(|id| **id != task.id)
        .filter_map(|id| state.tasks.get(id))
        .filter(|other| other.launch.repo == task.launch.repo && !other.paused)
        .filter(|other| !waits(state, other) && !state.jobs.has_live(other.id))
        .filter(|other| collision::collides_with(state, other).is_none())
        .filter(|other| budget_hold::held(state, other).is_none())
        .count();
    let slots = (limit as usize).saturating_sub(busy);
    if ahead >= slots {
        return Some(if ahead == 0 {
            format!("waits for a free place: {busy} of {limit} agents work")
        } else {
            format!("waits for a free place: {ahead} before it, {busy} of {limit} agents work")
        });
    }
    None
}

/// At most so many agents of a repo work at once.
fn limit(state: &State, repo: &Path) -> u32 {
    state.parallel.get(repo).copied().unwrap_or(1)
}

/// Whether a repo has no free place: none of its waiting tasks starts.
pub(in crate::core) fn is_full(state: &State, repo: &Path) -> bool {
    busy(state, repo) >= limit(state, repo) as usize
}

/// Tasks of a repo that hold one of its places: those whose agent has not ended, and those whose agent or set-up hook
/// of an attempt that was given up is still being ended.
fn busy(state: &State, repo: &Path) -> usize {
    let is_trying = |task: &Task| {
        task.stage == Stage::Trying && task.open().is_some_and(|a| a.read.is_none() && !a.reopened)
    };
    let here = |task: &&Task| task.launch.repo == repo;
    let trying = state.tasks.values().filter(here).filter(|task| is_trying(task)).count();
    let ending: BTreeSet<TaskId> = state
        .jobs
        .live()
        .filter(|job| matches!(job.role, Role::Agent | Role::Setup { merged: false, .. }))
        .filter_map(|job| state.tasks.get(&job.attempt.task))
        .filter(|task| here(task) && !is_trying(task))
        .map(|task| task.id)
        .collect();
    trying + ending.len()
}

/// Whether it is this task's turn in the merge queue of its repo and target: the first that is not paused.
pub(in crate::core) fn is_first_to_merge(state: &State, task: &Task) -> bool {
    let same =
        |other: &&Task| other.launch.repo == task.launch.repo && other.launch.target == task.launch.target;
    let may = |other: &&Task| prerequisites::may_merge(state, other);
    let mut line = state.merge_queue.iter().filter_map(|id| state.tasks.get(id)).filter(same).filter(may);
    // One that has a candidate, or whose candidate is being built, stays first even if it is paused.
    let built = |t: &Task| t.merge.as_ref().is_some_and(|m| m.built.is_some());
    line.clone()
        .find(|t| built(t) || state.is_open(t.id, |work| matches!(work, Work::BuildMerge { .. })))
        .or_else(|| line.find(|t| !t.paused))
        .is_some_and(|first| first.id == task.id)
}
