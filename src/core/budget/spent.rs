//! What was used: summed from what agents told and from stopwatches.

use crate::core::attempt::Usage;
use crate::core::fact::Role;
use crate::core::ids::TaskId;
use crate::core::state::{Attempt, State, Task};
use crate::core::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What attempts have used, as far as it is known, and how many have not told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Money that is known, in millionths of a US dollar.
    pub cost_microusd: u64,
    /// Attempts that have ended and never told their cost.
    pub cost_unknown: u32,
    /// Attempts that work and have not told it yet.
    pub cost_awaited: u32,
    /// Tokens that are known, read and written.
    pub tokens: u64,
    /// Attempts that have ended and never told their tokens.
    pub tokens_unknown: u32,
    /// Attempts that work and have not told them yet.
    pub tokens_awaited: u32,
    /// Time that agents have worked, pauses not counted.
    pub time: Span,
}

impl Spent {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cost_microusd: self.cost_microusd.saturating_add(other.cost_microusd),
            cost_unknown: self.cost_unknown.saturating_add(other.cost_unknown),
            cost_awaited: self.cost_awaited.saturating_add(other.cost_awaited),
            tokens: self.tokens.saturating_add(other.tokens),
            tokens_unknown: self.tokens_unknown.saturating_add(other.tokens_unknown),
            tokens_awaited: self.tokens_awaited.saturating_add(other.tokens_awaited),
            time: Span(self.time.0.saturating_add(other.time.0)),
        }
    }

    /// What came since `before`. Those who are awaited are awaited now, whenever they began.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            cost_microusd: self.cost_microusd.saturating_sub(before.cost_microusd),
            cost_unknown: self.cost_unknown.saturating_sub(before.cost_unknown),
            cost_awaited: self.cost_awaited,
            tokens: self.tokens.saturating_sub(before.tokens),
            tokens_unknown: self.tokens_unknown.saturating_sub(before.tokens_unknown),
            tokens_awaited: self.tokens_awaited,
            time: Span(self.time.0.saturating_sub(before.time.0)),
        }
    }
}

/// What one attempt has used until `now`.
pub(super) fn of_attempt(state: &State, task: &Task, attempt: &Attempt, now: Time) -> Spent {
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
pub(super) fn of_repo(state: &State, repo: &Path, now: Time) -> Spent {
    let gone = state.budgets.repos.get(repo).map(|of| of.gone).unwrap_or_default();
    let here = state.tasks.values().filter(|task| task.launch.repo == repo);
    here.map(|task| of_task(state, task, now)).fold(gone, Spent::plus)
}
