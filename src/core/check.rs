//! The invariants of the design that the engine carries, as functions of the state.
//!
//! Run after every step in debug builds and in the simulation; a broken one names what is wrong.

use crate::core::model::budget::{Allowance, Scope};
use crate::core::model::effect::{Candidate, EffectKind};
use crate::core::model::job::Role;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::{gate, prerequisites, queue};
use crate::values::ids::TaskId;
use crate::values::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Checks all that a state alone can break; the error is a sentence.
pub fn check(state: &State) -> Result<(), String> {
    target_moves_only_to_what_was_tested(state)?;
    attempts_share_nothing(state)?;
    what_is_made_has_an_owner(state)?;
    one_merge_at_a_time(state)?;
    queues_hold_who_waits(state)?;
    crate::core::outer::bench::check(state)?;
    nothing_stalls(state)
}

/// Invariant 1: the target moves only after an approval, to the commit on which every required gate is green.
fn target_moves_only_to_what_was_tested(state: &State) -> Result<(), String> {
    for (effect, id) in state.open.values() {
        let EffectKind::MoveTarget { from, to, .. } = &effect.what else { continue };
        // A stop may come after the target was asked to move; what was tested then was tested.
        let Some(task) = state.tasks.get(id) else { continue };
        if !matches!(task.stage, Stage::Merging(_) | Stage::RollingBack) {
            continue;
        }
        let Some(merge) = &task.merge else {
            return Err(format!("{id} moves the target without a candidate"));
        };
        let Some(built) = &merge.built else {
            return Err(format!("{id} moves the target without a candidate"));
        };
        if built.commit != *to || built.onto != *from {
            return Err(format!("{id} moves the target to what was not tested"));
        }
        if task.stage != Stage::RollingBack && !prerequisites::may_merge(state, task) {
            return Err(format!("{id} moves the target before what it stands on has landed"));
        }
        if let Some(red) = gate::red(&merge.gates).first() {
            return Err(format!("{id} moves the target though {} is not green", red.spec.name));
        }
    }
    for (effect, id) in state.open.values() {
        let EffectKind::BuildMerge { what: Candidate::Merge(head), .. } = &effect.what else { continue };
        if let Some(task) = state.tasks.get(id)
            && let Stage::Merging(approved) = &task.stage
            && approved != head
        {
            return Err(format!("{id} merges what was not approved"));
        }
    }
    Ok(())
}

/// Invariant 2: two live attempts never share a worktree or a branch; an attempt has one live agent.
fn attempts_share_nothing(state: &State) -> Result<(), String> {
    let mut places = BTreeSet::new();
    let mut names = BTreeSet::new();
    for task in state.tasks.values() {
        if !names.insert((&task.launch.repo, &task.launch.name)) {
            return Err(format!("two tasks of a repo are called {}", task.launch.name));
        }
        for attempt in &task.attempts {
            if let Some(ready) = &attempt.ready
                && !places.insert(&ready.path)
            {
                return Err(format!("two attempts share {}", ready.path.display()));
            }
        }
        let agents = state.jobs.live_of(task.id).filter(|job| job.role == Role::Agent).count();
        if agents > 1 {
            return Err(format!("{} has {agents} live agents", task.id));
        }
    }
    Ok(())
}

/// Part of invariant 6: what git is about to make belongs to a task, so that somebody archives it.
fn what_is_made_has_an_owner(state: &State) -> Result<(), String> {
    for (effect, id) in state.open.values() {
        if matches!(effect.what, EffectKind::PrepareWorktree { .. }) && !state.tasks.contains_key(id) {
            return Err(format!("a worktree is made for {id}, which is archived"));
        }
    }
    Ok(())
}

/// One candidate at a time for each target.
fn one_merge_at_a_time(state: &State) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for task in state.tasks.values() {
        let merging = matches!(task.stage, Stage::Merging(_) | Stage::RollingBack);
        let built = task.merge.as_ref().is_some_and(|merge| merge.built.is_some());
        if merging && built && !seen.insert((&task.launch.repo, &task.launch.target)) {
            return Err(format!("two candidates for {} at once", task.launch.target));
        }
    }
    Ok(())
}

fn queues_hold_who_waits(state: &State) -> Result<(), String> {
    let waiting = |queue: &[TaskId], id: &TaskId| queue.iter().filter(|other| *other == id).count();
    for task in state.tasks.values() {
        let queued = usize::from(matches!(task.stage, Stage::Queued { .. }));
        let merging = usize::from(matches!(task.stage, Stage::Merging(_) | Stage::RollingBack));
        let Some(index) = state.repo(&task.launch.repo) else {
            return Err(format!("{} belongs to no repo", task.id));
        };
        if waiting(&index.start_queue, &task.id) != queued || waiting(&index.merge_queue, &task.id) != merging
        {
            return Err(format!("{} is in the wrong queue for {:?}", task.id, task.stage));
        }
        if index.names.get(&task.launch.name) != Some(&task.id) {
            return Err(format!("{} is not found by its name", task.id));
        }
    }
    let known: usize = state.repos.values().map(|index| index.names.len()).sum();
    if known != state.tasks.len() {
        return Err(format!("{known} tasks have a name, and {} are on the board", state.tasks.len()));
    }
    Ok(())
}

/// Who holds the places of each repo.
pub type Places = BTreeMap<PathBuf, BTreeSet<TaskId>>;

/// Those whose newest attempt's agent has not yet been read, and those of whose agents or set-up hooks one lives,
/// whatever has become of the task.
#[must_use]
pub fn places(state: &State) -> Places {
    let has_place = |role: &Role| matches!(role, Role::Agent | Role::Setup { merged: false, .. });
    let live = state.jobs.live().filter(|job| has_place(&job.role)).map(|job| job.attempt.task);
    let is_open = |task: &&Task| {
        task.stage == Stage::Trying && task.open().is_some_and(|a| a.read.is_none() && !a.reopened)
    };
    let open = state.tasks.values().filter(is_open).map(|task| task.id);
    let mut places = Places::new();
    for task in live.chain(open).filter_map(|id| state.tasks.get(&id)) {
        places.entry(task.launch.repo.clone()).or_default().insert(task.id);
    }
    places
}

/// No more agents at once than allowed: whoever takes a place leaves no more taken than there are. A smaller limit set
/// later lets those that run end by themselves, and nobody start beside them.
pub fn parallel_holds(before: &Places, state: &State) -> Result<(), String> {
    let none = BTreeSet::new();
    for (repo, now) in places(state) {
        let new: Vec<&TaskId> = now.difference(before.get(&repo).unwrap_or(&none)).collect();
        let limit = state.repo(&repo).map_or(1, |index| index.parallel);
        if !new.is_empty() && now.len() > limit as usize {
            return Err(format!("{} agents work where {limit} may: {new:?} came to {now:?}", now.len()));
        }
    }
    Ok(())
}

/// How many attempts each task has.
pub type Attempts = BTreeMap<TaskId, usize>;

/// As they are now.
#[must_use]
pub fn attempts(state: &State) -> Attempts {
    state.tasks.values().map(|task| (task.id, task.attempts.len())).collect()
}

/// Invariant 8: a task starts only after what it waits for has landed, whatever became of the board. Stacked work may begin on
/// one that is finished.
pub fn prerequisites_hold(before: &Attempts, state: &State) -> Result<(), String> {
    for task in state.tasks.values() {
        if task.attempts.len() <= before.get(&task.id).copied().unwrap_or(0) {
            continue;
        }
        let mut missing = task.after.iter().filter(|id| !state.on_target.contains(id));
        let stands_on_one = task.launch.assignment.stack && missing.clone().count() == 1;
        if let (Some(id), false) = (missing.next(), stands_on_one) {
            return Err(format!("{} starts before {id} has landed", task.id));
        }
    }
    Ok(())
}

/// Nothing new starts beyond the share of a budget: recounted from every job and every attempt's last word.
pub fn budgets_hold(before: &Attempts, state: &State, now: Time) -> Result<(), String> {
    for task in state.tasks.values() {
        if task.attempts.len() <= before.get(&task.id).copied().unwrap_or(0) {
            continue;
        }
        let own = &task.launch.budget;
        let extra = |scope: Scope| state.budgets.extra.get(&scope).map(|extra| extra.by).unwrap_or_default();
        let used = used(state, now, |other| other == task.id);
        room(&own.task, extra(Scope::Task(task.id)), used, own.start_share)
            .map_err(|what| format!("{} starts beyond the share of its own budget: {what}", task.id))?;
        let Some(repo) = state.budgets.repos.get(&task.launch.repo) else { continue };
        let Some(rules) = repo.rules else { continue };
        let here = |id| state.tasks.get(&id).is_some_and(|other| other.launch.repo == task.launch.repo);
        let all = self::used(state, now, here);
        let (gone, base) = (repo.gone, repo.base);
        let today = [
            (all[0] + gone.cost_microusd).saturating_sub(base.cost_microusd),
            (all[1] + gone.tokens).saturating_sub(base.tokens),
            (all[2] + gone.time.0).saturating_sub(base.time.0),
        ];
        let extra = extra(Scope::Day(task.launch.repo.clone()));
        room(&rules.day, extra, today, rules.start_share)
            .map_err(|what| format!("{} starts beyond the share of the day's budget: {what}", task.id))?;
    }
    Ok(())
}

/// Money, tokens, milliseconds.
fn used(state: &State, now: Time, of: impl Fn(TaskId) -> bool) -> [u64; 3] {
    let mut sum = [0; 3];
    for job in state.jobs.all().filter(|job| job.role == Role::Agent && of(job.attempt.task)) {
        sum[2] += job.watch.elapsed(now).0;
    }
    for attempt in state.tasks.values().filter(|task| of(task.id)).flat_map(|task| &task.attempts) {
        sum[0] += attempt.usage.cost_microusd.unwrap_or(0);
        sum[1] += attempt.usage.tokens_in.unwrap_or(0) + attempt.usage.tokens_out.unwrap_or(0);
    }
    sum
}

fn room(allowed: &Allowance, extra: Allowance, used: [u64; 3], share: u8) -> Result<(), String> {
    let limits = [
        (allowed.cost_microusd, extra.cost_microusd),
        (allowed.tokens, extra.tokens),
        (allowed.time.map(|t| t.0), extra.time.map(|t| t.0)),
    ];
    for ((limit, extra), used) in limits.into_iter().zip(used) {
        let Some(limit) = limit.map(|limit| limit + extra.unwrap_or(0)) else { continue };
        if used * 100 >= limit * u64::from(share) {
            return Err(format!("{used} of {limit} is used"));
        }
    }
    Ok(())
}

/// The oracle of settle, by another road: a task that may go on has something under way for it, and one that is held
/// back is held by something that can be named.
fn nothing_stalls(state: &State) -> Result<(), String> {
    let lines: BTreeMap<_, _> = state.repos.keys().map(|repo| (repo, queue::line(state, repo))).collect();
    for task in state.tasks.values().filter(|task| !task.paused) {
        let may_go_on = match &task.stage {
            Stage::Queued { .. } => {
                lines.get(&task.launch.repo).is_some_and(|line| line.next().contains(&task.id))
            }
            Stage::Trying => true,
            Stage::Merging(_) | Stage::RollingBack => queue::is_first_to_merge(state, task),
            Stage::Review
            | Stage::Stuck(_)
            | Stage::Interrupted
            | Stage::Landed
            | Stage::RolledBack
            | Stage::Stopped
            | Stage::Rejected(_) => false,
        };
        let under_way =
            state.open.values().any(|(_, owner)| *owner == task.id) || state.jobs.has_live(task.id);
        if may_go_on && !under_way {
            return Err(format!("{} may go on and nothing is under way for it: {:?}", task.id, task.stage));
        }
    }
    Ok(())
}
