//! What was used: summed from what agents told and from stopwatches, never from a guess.

use crate::core::model::agent::Usage;
use crate::core::model::attempt::Attempt;
use crate::core::model::budget::Spent;
use crate::core::model::job::Role;
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::values::ids::TaskId;
use crate::values::time::{Span, Time};
use std::path::Path;

/// What one attempt has used until `now`.
pub(in crate::core) fn of_attempt(state: &State, task: &Task, attempt: &Attempt, now: Time) -> Spent {
    let mut used = Spent::default();
    let (mut ran, mut lives) = (false, false);
    for job in state.jobs.of(task.id).filter(|job| job.attempt == attempt.id && job.role == Role::Agent) {
        ran |= job.ran;
        lives |= job.is_live();
        used.time = Span(used.time.0.saturating_add(job.watch.elapsed(now).0));
    }
    #[cfg(test)]
    if state.budgets.forgets && !lives {
        return Spent::default();
    }
    // What has told of its use has run, whether or not the answer to its start ever came.
    if !ran && attempt.usage == Usage::default() {
        return used;
    }
    let (unknown, awaited) = (u32::from(!lives), u32::from(lives));
    let usage = attempt.usage;
    match usage.cost_microusd {
        Some(cost) => used.cost_microusd = cost,
        None => (used.cost_unknown, used.cost_awaited) = (unknown, awaited),
    }
    match usage.tokens() {
        Some(tokens) => used.tokens = tokens,
        None => (used.tokens_unknown, used.tokens_awaited) = (unknown, awaited),
    }
    used
}

/// What all attempts of a task have used until `now`.
#[must_use]
pub fn of_task(state: &State, task: &Task, now: Time) -> Spent {
    let all = task.attempts.iter().map(|attempt| of_attempt(state, task, attempt, now));
    all.fold(Spent::default(), Spent::plus)
}

/// What these tasks have used until `now`; forgotten ones are not among them.
#[must_use]
pub fn spent(state: &State, tasks: impl Iterator<Item = TaskId>, now: Time) -> Spent {
    let known = tasks.filter_map(|id| state.tasks.get(&id));
    known.map(|task| of_task(state, task, now)).fold(Spent::default(), Spent::plus)
}

/// All that was ever used in a repo, forgotten tasks and all.
pub(in crate::core) fn of_repo(state: &State, repo: &Path, now: Time) -> Spent {
    let gone = state.budgets.repos.get(repo).map(|of| of.gone).unwrap_or_default();
    let here = state.tasks.values().filter(|task| task.launch.repo == repo);
    here.map(|task| of_task(state, task, now)).fold(gone, Spent::plus)
}
