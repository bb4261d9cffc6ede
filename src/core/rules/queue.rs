//! The queues: who starts next (in an order that people can change), and the one line in which work lands.

use crate::core::model::effect::EffectKind;
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::{RepoIndex, State};
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::rules::lookup::{get, not_now};
use crate::core::rules::prerequisites::{self, waits};
use crate::core::rules::step::Step;
use crate::core::rules::{budget_hold, collision};
use crate::values::ids::{TaskId, TaskName};
use std::path::{Path, PathBuf};

/// Most tasks on the boards of a daemon: what a board message of [`crate::core::views::board::Board`] can carry.
pub(in crate::core) const TASKS_MAX: usize = 1_000;

/// Creates a task that waits for `after` to land; a taken name gets a number.
pub(in crate::core) fn launch(
    step: &mut Step<'_>,
    mut launch: Launch,
    after: Vec<TaskId>,
) -> Result<TaskId, Refused> {
    if step.state.tasks.len() >= TASKS_MAX {
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
        crate::core::rules::tool_question::may_add(step.state, by, &launch)?;
    }
    launch.name = free_name(step.state, &launch);
    let task = TaskId(step.state.last_task + 1);
    step.fact(Fact::Launched { task, launch: Box::new(launch), after: Some(after) });
    Ok(task)
}

/// The wished name, or the first of `name-2`, `name-3` … that no task on the board of the repo has. Branches are
/// named after tasks, so an ended task keeps its name until it is forgotten.
fn free_name(state: &State, launch: &Launch) -> TaskName {
    let taken = |name: &TaskName| {
        let stem = format!("nopeek/{name}/");
        state.repo(&launch.repo).is_some_and(|index| index.names.contains_key(name))
            || state.open.values().any(|(effect, _)| {
                // A forgotten task's branches are still on their way to the archive.
                matches!(&effect.what, EffectKind::Archive { repo, branch: Some(branch), .. }
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
pub(in crate::core) fn reorder(step: &mut Step<'_>, id: TaskId, place: usize) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if !matches!(task.stage, Stage::Queued { .. }) {
        return Err(not_now(task, "move", "only waiting tasks have a place in the queue"));
    }
    step.fact(Fact::Reordered { task: id, place });
    Ok(())
}

/// Changes how many agents of a repo may work at once.
pub(in crate::core) fn set_parallel(
    step: &mut Step<'_>,
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
    if step.state.repo(&repo).map(|index| index.parallel) != Some(parallel) {
        step.fact(Fact::ParallelSet { repo, parallel });
    }
    Ok(())
}

/// What keeps a waiting task from starting though places were free.
enum Obstacle<'a> {
    Paused,
    /// Others must land first.
    Prerequisites,
    /// Processes of the attempt before are still being ended.
    Processes,
    /// Another one of its spec may change the same place.
    Collision(&'a TaskName, &'a str),
    /// Why nothing new starts in a budget.
    Budget(String),
}

fn obstacle<'a>(state: &'a State, task: &'a Task) -> Option<Obstacle<'a>> {
    if task.paused {
        Some(Obstacle::Paused)
    } else if waits(state, task) {
        Some(Obstacle::Prerequisites)
    } else if state.jobs.has_live(task.id) {
        Some(Obstacle::Processes)
    } else if let Some((name, place)) = collision::collides_with(state, task) {
        Some(Obstacle::Collision(name, place))
    } else {
        budget_hold::held(state, task).map(Obstacle::Budget)
    }
}

/// The line of a repo's waiting tasks before its places.
#[derive(Debug)]
pub(in crate::core) struct Line {
    /// How many places there are.
    limit: usize,
    /// How many are taken.
    busy: usize,
    /// Tasks that only wait for a place, next first.
    ready: Vec<TaskId>,
}

impl Line {
    /// Those whose turn it is.
    pub(in crate::core) fn next(&self) -> &[TaskId] {
        let free = self.limit.saturating_sub(self.busy);
        &self.ready[..free.min(self.ready.len())]
    }
}

/// The line of a repo as it stands. Looks at the tasks of that repo alone, once.
pub(in crate::core) fn line(state: &State, repo: &Path) -> Line {
    let (limit, busy) = (limit(state, repo), busy(state, repo));
    let queue = state.repo(repo).map(|index| index.start_queue.as_slice()).unwrap_or_default();
    let is_ready = |id: &&TaskId| state.tasks.get(id).is_some_and(|task| obstacle(state, task).is_none());
    Line { limit, busy, ready: queue.iter().filter(is_ready).copied().collect() }
}

/// Why a waiting task does not start now, given its repo's line; none: it starts.
pub(in crate::core) fn held(state: &State, task: &Task, line: &Line) -> Option<String> {
    let Line { limit, busy, ready } = line;
    match obstacle(state, task) {
        Some(Obstacle::Paused) => Some("paused: resume lets it start".to_owned()),
        Some(Obstacle::Prerequisites) => Some(prerequisites::words(state, task)),
        Some(Obstacle::Processes) => {
            Some("waits until the processes of the attempt before are gone".to_owned())
        }
        Some(Obstacle::Collision(name, place)) => {
            Some(format!("waits for {name} to end: both may change {place}"))
        }
        Some(Obstacle::Budget(why)) => Some(why),
        None if line.next().contains(&task.id) => None,
        None => Some(match ready.iter().position(|id| *id == task.id).unwrap_or(ready.len()) {
            0 => format!("waits for a free place: {busy} of {limit} taken"),
            ahead => format!("waits for a free place: {ahead} before it, {busy} of {limit} taken"),
        }),
    }
}

/// At most so many agents of a repo work at once.
fn limit(state: &State, repo: &Path) -> usize {
    state.repo(repo).map_or(1, |index| index.parallel.max(1) as usize)
}

/// Whether a repo has no free place: none of its waiting tasks starts.
pub(in crate::core) fn is_full(state: &State, repo: &Path) -> bool {
    busy(state, repo) >= limit(state, repo)
}

/// Tasks of a repo that hold one of its places: those whose agent has not ended, and those whose agent or set-up hook
/// of an attempt that was given up is still being ended.
fn busy(state: &State, repo: &Path) -> usize {
    let is_trying = |task: &&Task| {
        task.stage == Stage::Trying && task.open().is_some_and(|a| a.read.is_none() && !a.reopened)
    };
    let has_process = |task: &&Task| {
        let mut jobs = state.jobs.live_of(task.id);
        jobs.any(|job| matches!(job.role, Role::Agent | Role::Setup { merged: false, .. }))
    };
    let tasks = state.repo(repo).into_iter().flat_map(RepoIndex::tasks);
    let tasks = tasks.filter_map(|id| state.tasks.get(&id));
    tasks.filter(|task| is_trying(task) || has_process(task)).count()
}

/// Whether it is this task's turn in the merge queue of its repo and target: the first that is not paused.
pub(in crate::core) fn is_first_to_merge(state: &State, task: &Task) -> bool {
    let queue = state.repo(&task.launch.repo).map(|index| index.merge_queue.as_slice()).unwrap_or_default();
    let same = |other: &&Task| other.launch.target == task.launch.target;
    let may = |other: &&Task| prerequisites::may_merge(state, other);
    let mut line = queue.iter().filter_map(|id| state.tasks.get(id)).filter(same).filter(may);
    // One that has a candidate, or whose candidate is being built, stays first even if it is paused.
    let built = |t: &Task| t.merge.as_ref().is_some_and(|m| m.built.is_some());
    line.clone()
        .find(|t| built(t) || state.is_open(t.id, |work| matches!(work, EffectKind::BuildMerge { .. })))
        .or_else(|| line.find(|t| !t.paused))
        .is_some_and(|first| first.id == task.id)
}
