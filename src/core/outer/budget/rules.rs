//! The rules: where nothing new starts, who is paused or ended, when a day begins.
//!
//! Promises: a budget closes before the step that would start something beyond its share; what is paused for a budget
//! goes on once that has room, and stays paused for no other reason.

use crate::core::model::budget::{Allowance, Budget, BudgetFact, Over, Scope, Spent, Unknown};
use crate::core::model::fact::Fact;
use crate::core::model::job::{Ending, Job, Role};
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::budget_hold::{remedy, shared, why_paused};
use crate::core::rules::lookup::{get, is_ended};
use crate::core::rules::step::Step;
use crate::core::rules::usage::{of_attempt, of_repo, of_task, spent};
use crate::values::ids::{AttemptId, JobId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::duration::{DAY, MINUTE};
use crate::values::words::plural::{counted, noun};
use crate::values::words::{duration, money, tokens};

/// A command about budgets that is wrong in itself.
pub(super) fn bad(what: impl Into<String>, remedy: &str) -> Refused {
    Refused::new(RefusedKind::BadInput, what, remedy)
}

/// A budget and how far it is used.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Level {
    pub(in crate::core) allowed: Allowance,
    pub(in crate::core) used: Spent,
    pub(in crate::core) start_share: u8,
    pub(in crate::core) over: Over,
    unknown: Unknown,
    accepted: u32,
}

impl Level {
    /// Of each that is limited: used and allowed.
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        [
            self.allowed.cost_microusd.map(|of| (self.used.cost_microusd, of)),
            self.allowed.tokens.map(|of| (self.used.tokens, of)),
            self.allowed.time.map(|of| (self.used.time.0, of.0)),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether nothing is left of something.
    fn is_over(&self) -> bool {
        self.pairs().any(|(used, of)| used >= of)
    }

    /// Whether its share is used, so that nothing new starts.
    fn is_near(&self) -> bool {
        let share = u128::from(self.start_share);
        self.pairs().any(|(used, of)| u128::from(used) * 100 >= u128::from(of) * share)
    }

    /// The largest share that is used, in whole percent.
    pub(in crate::core) fn percent(&self) -> Option<u32> {
        let percent = |(used, of): (u64, u64)| u128::from(used) * 100 / u128::from(of.max(1));
        self.pairs().map(percent).max().map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// Attempts of unknown use that matter here.
    fn unknowns(&self) -> u32 {
        let cost = if self.allowed.cost_microusd.is_some() { self.used.cost_unknown } else { 0 };
        let tokens = if self.allowed.tokens.is_some() { self.used.tokens_unknown } else { 0 };
        cost.max(tokens)
    }

    fn is_held(&self) -> bool {
        self.unknown == Unknown::Hold && self.unknowns() > self.accepted
    }

    /// Why nothing new starts, in words; empty if it does.
    pub(in crate::core) fn why(&self, scope: &Scope) -> String {
        if self.is_near() {
            used_words(scope, self)
        } else if self.is_held() {
            let n = self.unknowns();
            format!("{} of unknown use in {}", counted(n, "attempt"), scope.words())
        } else {
            String::new()
        }
    }
}

/// A budget as it stands; none: that is not limited.
pub(in crate::core) fn level(state: &State, scope: &Scope, now: Time) -> Option<Level> {
    let budgets = &state.budgets;
    let (rules, allowance, used) = match scope {
        Scope::Attempt(id) => {
            let task = state.tasks.get(&id.task)?;
            let rules = &task.launch.budget;
            if rules.attempt.is_empty() {
                return None;
            }
            let attempt = task.attempts.iter().find(|a| a.id == *id)?;
            (rules, rules.attempt, of_attempt(state, task, attempt, now))
        }
        Scope::Task(id) => {
            let task = state.tasks.get(id)?;
            let rules = &task.launch.budget;
            if rules.task.is_empty() {
                return None;
            }
            (rules, rules.task, of_task(state, task, now))
        }
        Scope::Batch(name) => {
            let batch = budgets.batches.get(name).filter(|batch| !batch.allowance.is_empty())?;
            let rules = budgets.repos.get(&batch.repo)?.rules.as_ref()?;
            (rules, batch.allowance, batch.gone.plus(spent(state, batch.tasks.iter().copied(), now)))
        }
        Scope::Day(repo) => {
            let of = budgets.repos.get(repo)?;
            let rules = of.rules.as_ref().filter(|rules| !rules.day.is_empty())?;
            let used = of_repo(state, repo, now).since(of.base);
            (rules, rules.day, used)
        }
    };
    let key = match scope {
        Scope::Attempt(id) => &Scope::Task(id.task),
        Scope::Task(_) | Scope::Batch(_) | Scope::Day(_) => scope,
    };
    let extra = budgets.extra.get(key).copied().unwrap_or_default();
    Some(Level {
        allowed: allowance.raised(extra.by),
        used,
        start_share: rules.start_share,
        over: rules.over,
        unknown: rules.unknown,
        accepted: extra.unknown,
    })
}

/// What of a scope is limited, for a raise.
pub(in crate::core) fn limits(state: &State, scope: &Scope) -> Result<Allowance, Refused> {
    let none = || {
        Refused::new(
            RefusedKind::NotFound,
            format!("{} has no limit", scope.words()),
            "give one in [budget] of nopeek.toml, or to nopeek run with --budget-cost; nopeek budget shows what there is",
        )
    };
    match scope {
        Scope::Attempt(_) => Err(bad("an attempt's budget is raised with its task's", "name the task")),
        Scope::Task(id) => {
            let budget = get(state, *id)?.launch.budget;
            let both = budget.task.or(budget.attempt);
            if both.is_empty() { Err(none()) } else { Ok(both) }
        }
        Scope::Batch(_) | Scope::Day(_) => level(state, scope, Time(0)).map(|of| of.allowed).ok_or_else(none),
    }
}

/// Attempts of unknown use in a scope.
pub(in crate::core) fn unknown(state: &State, scope: &Scope, now: Time) -> u32 {
    level(state, scope, now).map_or(0, |of| of.unknowns())
}

/// All budgets that a task's live agent draws on.
fn drawn(state: &State, task: &Task) -> Vec<Scope> {
    let own = task.attempt().filter(|_| !task.launch.budget.attempt.is_empty());
    own.map(|attempt| Scope::Attempt(attempt.id)).into_iter().chain(shared(state, task)).collect()
}

/// Refuses a budget that no task can be launched with.
pub(in crate::core) fn sound(budget: &Budget) -> Result<(), Refused> {
    match budget.wrong() {
        Some(what) => Err(bad(what, "leave out what is to have no limit")),
        None => Ok(()),
    }
}

/// A task was launched: the repo's rules are those that it brings, if it brings any.
pub(in crate::core) fn launched(step: &mut Step<'_>, repo: &std::path::Path, budget: Budget) {
    let rules = step.state.budgets.repos.get(repo).and_then(|of| of.rules);
    let new = Budget { attempt: Allowance::default(), task: Allowance::default(), ..budget };
    let is_wanted = rules.is_some() || !new.day.is_empty() || !new.batch.is_empty();
    if is_wanted && rules != Some(new) {
        step.fact(Fact::Budget(BudgetFact::Set { repo: repo.to_owned(), budget: Box::new(new) }));
    }
}

/// The attempt of a task that stands still because its budget is used up.
pub(in crate::core) fn paused_attempt(state: &State, id: TaskId) -> Option<AttemptId> {
    let task = state.tasks.get(&id).filter(|task| why_paused(state, task).is_some())?;
    task.attempt().map(|attempt| attempt.id)
}

/// A person has let a task go on that was paused for a budget: its attempt may finish, whatever it uses.
pub(in crate::core) fn excuse(step: &mut Step<'_>, attempt: AttemptId) {
    step.fact(Fact::Budget(BudgetFact::Excused { attempt }));
}

/// What should now be closed, opened, paused, ended and let go on.
pub(in crate::core) fn settle(step: &mut Step<'_>) {
    let limited = |task: &Task| !task.launch.budget.task.is_empty() || !task.launch.budget.attempt.is_empty();
    let budgets = &step.state.budgets;
    if budgets.repos.values().all(|of| of.rules.is_none())
        && budgets.batches.is_empty()
        && !step.state.tasks.values().any(limited)
    {
        return;
    }
    days(step);
    doors(step);
    workers(step);
    thaw(step);
}

fn days(step: &mut Step<'_>) {
    let repos: Vec<_> = step
        .state
        .budgets
        .repos
        .iter()
        .filter_map(|(repo, of)| {
            let rules = of.rules?;
            let day = day_of(step.now, &rules);
            (of.day != Some(day)).then(|| (repo.clone(), day))
        })
        .collect();
    for (repo, day) in repos {
        let base = of_repo(step.state, &repo, step.now);
        step.fact(Fact::Budget(BudgetFact::DayBegan { repo, day, base }));
    }
}

/// Local time in milliseconds since 1970; zones behind UTC are moved by a day, so that it is never negative.
const fn local(now: Time, rules: &Budget) -> u64 {
    now.0.saturating_add(DAY).saturating_add_signed(rules.zone_minutes as i64 * MINUTE as i64)
}

const fn day_of(now: Time, rules: &Budget) -> u64 {
    local(now, rules) / DAY
}

/// When the day after `day` begins.
const fn day_after(day: u64, rules: &Budget) -> Time {
    let local = day.saturating_add(1).saturating_mul(DAY);
    Time(local.saturating_sub(DAY).saturating_add_signed(-(rules.zone_minutes as i64) * MINUTE as i64))
}

/// Closes what has used its share, opens what has room.
fn doors(step: &mut Step<'_>) {
    let state = &step.state;
    let tasks =
        state.tasks.values().filter(|task| !task.launch.budget.task.is_empty() && !is_ended(&task.stage));
    let mut scopes: Vec<Scope> = tasks.map(|task| Scope::Task(task.id)).collect();
    scopes.extend(state.budgets.batches.keys().cloned().map(Scope::Batch));
    scopes.extend(state.budgets.repos.keys().cloned().map(Scope::Day));
    for scope in scopes {
        let level = level(step.state, &scope, step.now);
        let why = level.map(|level| level.why(&scope)).unwrap_or_default();
        let is_closed = step.state.budgets.closed.contains_key(&scope);
        if !why.is_empty() && !is_closed {
            let of = match &scope {
                Scope::Task(id) => Some(*id),
                Scope::Attempt(_) | Scope::Batch(_) | Scope::Day(_) => None,
            };
            // Who is paused or ended for it is told of at once, which says it all.
            let is_told = level.is_some_and(|level| level.is_over()) && works_on(step.state, &scope);
            if !is_told {
                step.notice(of, NoticeKind::OverBudget, format!("{why}: nothing new starts"));
            }
            let why = Shown::line(&why);
            step.fact(Fact::Budget(BudgetFact::Closed { scope, why }));
        } else if why.is_empty() && is_closed {
            step.fact(Fact::Budget(BudgetFact::Opened { scope }));
        }
    }
}

/// A live agent that a budget may pause or end, with its task.
fn worker<'a>(state: &'a State, job: &Job) -> Option<&'a Task> {
    let task = state.tasks.get(&job.attempt.task)?;
    let works = job.role == Role::Agent && job.ran && job.is_live() && job.ending().is_none();
    let free = works && !task.paused && task.stage == Stage::Trying;
    (free && !state.budgets.excused.contains(&job.attempt)).then_some(task)
}

/// Whether somebody works who draws on this budget.
fn works_on(state: &State, scope: &Scope) -> bool {
    let mut workers = state.jobs.live().filter_map(|job| worker(state, job));
    workers.any(|task| drawn(state, task).contains(scope))
}

/// The first used-up budget that a task's agent draws on.
fn used_up(state: &State, task: &Task, now: Time) -> Option<(Scope, Level)> {
    drawn(state, task)
        .into_iter()
        .find_map(|scope| level(state, &scope, now).filter(Level::is_over).map(|level| (scope, level)))
}

/// Pauses or ends who works beyond a budget.
fn workers(step: &mut Step<'_>) {
    let live: Vec<(JobId, TaskId)> = step.state.jobs.live().map(|job| (job.id, job.attempt.task)).collect();
    for (job, id) in live {
        let Some(task) = step.state.jobs.get(job).and_then(|job| worker(step.state, job)) else { continue };
        let Some((scope, level)) = used_up(step.state, task, step.now) else { continue };
        let used = used_words(&scope, &level);
        match level.over {
            Over::Pause => {
                let name = &task.launch.name;
                let raise = remedy(&scope, task);
                let why =
                    format!("{used}: paused; {raise}; nopeek resume {name} lets it finish, stop ends it");
                step.notice(id, NoticeKind::OverBudget, &why);
                step.fact(Fact::Paused { task: id });
                let why = Shown::line(&why);
                step.fact(Fact::Budget(BudgetFact::OverPaused { task: id, scope, why }));
            }
            Over::End => {
                step.notice(id, NoticeKind::OverBudget, format!("{used}: its attempt is ended"));
                step.fact(Fact::JobEnding { job, task: id, why: Ending::Budget });
            }
        }
    }
}

/// Lets go on what was paused for a budget that has room again, or has no agent any more.
fn thaw(step: &mut Step<'_>) {
    let ids: Vec<TaskId> = step.state.budgets.paused.keys().copied().collect();
    for id in ids {
        let Some(task) = step.state.tasks.get(&id).filter(|task| task.paused) else { continue };
        let works = step.state.live_agent(task).is_some();
        if works && used_up(step.state, task, step.now).is_some() {
            continue;
        }
        step.fact(Fact::Unpaused { task: id });
        let jobs: Vec<JobId> = step.state.jobs.live_of(id).map(|job| job.id).collect();
        for job in jobs {
            let now = step.now;
            step.quiet.entry(job).and_modify(|at| *at = now);
        }
    }
}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(state: &State) -> Option<Time> {
    let workers = || state.jobs.live().filter_map(|job| worker(state, job));
    let used_up =
        workers().flat_map(|task| drawn(state, task)).filter_map(|scope| reaches(state, &scope)).min();
    [used_up, midnight(state)].into_iter().flatten().min()
}

/// When a budget of time will be used up, as those that work now go on.
fn reaches(state: &State, scope: &Scope) -> Option<Time> {
    // Until when a watch that runs has not been counted: all that is counted already is in the level.
    let level = level(state, scope, Time(0))?;
    let limit = level.allowed.time?;
    let counts = |task: &Task| match scope {
        Scope::Attempt(id) => task.id == id.task,
        Scope::Task(id) => task.id == *id,
        Scope::Batch(name) => {
            state.budgets.batches.get(name).is_some_and(|batch| batch.tasks.contains(&task.id))
        }
        Scope::Day(repo) => task.launch.repo == *repo,
    };
    let running: Vec<u64> = state
        .jobs
        .live()
        .filter(|job| job.role == Role::Agent && state.tasks.get(&job.attempt.task).is_some_and(counts))
        .filter_map(|job| job.watch.reaches(Span(0)).map(|since| since.0))
        .collect();
    let base = match scope {
        // The day's share of a watch that ran when it began is counted against the base.
        Scope::Day(repo) => state.budgets.repos.get(repo).map_or(0, |of| of.base.time.0),
        Scope::Attempt(_) | Scope::Task(_) | Scope::Batch(_) => 0,
    };
    let counted = match scope {
        Scope::Day(repo) => of_repo(state, repo, Time(0)).time.0,
        Scope::Attempt(_) | Scope::Task(_) | Scope::Batch(_) => level.used.time.0,
    };
    let n = u128::try_from(running.len()).ok().filter(|n| *n > 0)?;
    let left = (u128::from(limit.0) + u128::from(base)).saturating_sub(u128::from(counted));
    let sum: u128 = running.iter().copied().map(u128::from).sum();
    u64::try_from((left + sum).div_ceil(n)).ok().map(Time)
}

/// When the next day begins in a repo in which that matters: somebody works, waits or is paused for the day.
pub(in crate::core) fn midnight(state: &State) -> Option<Time> {
    let matters = |repo: &std::path::Path| {
        let here = |task: &&Task| task.launch.repo == repo;
        let day = Scope::Day(repo.to_owned());
        let waits = state.budgets.closed.contains_key(&day)
            && state.repo(repo).is_some_and(|index| !index.start_queue.is_empty());
        let paused = |task: &Task| matches!(state.budgets.paused.get(&task.id), Some((Scope::Day(_), _)));
        let works = |task: &&Task| !task.paused && state.live_agent(task).is_some();
        waits || state.tasks.values().filter(here).any(|task| works(&task) || paused(task))
    };
    let days = state.budgets.repos.iter().filter_map(|(repo, of)| {
        let rules = of.rules.filter(|rules| !rules.day.is_empty())?;
        matters(repo).then(|| day_after(of.day.unwrap_or(0), &rules))
    });
    days.min()
}

/// `92 % of today's budget of $20.00 is used`, of what is used most.
pub(in crate::core) fn used_words(scope: &Scope, level: &Level) -> String {
    let (allowed, used) = (level.allowed, level.used);
    let all = [
        allowed.cost_microusd.map(|of| (used.cost_microusd, of, money::exact(of))),
        allowed.tokens.map(|of| (used.tokens, of, format!("{} {}", tokens::exact(of), noun(of, "token")))),
        allowed.time.map(|of| (used.time.0, of.0, duration::exact(of))),
    ];
    let most = all
        .into_iter()
        .flatten()
        .map(|(used, of, words)| (u128::from(used) * 100 / u128::from(of.max(1)), words))
        .max_by_key(|(percent, _)| *percent);
    most.map_or_else(String::new, |(percent, words)| {
        format!("{percent} % of {} of {words} is used", scope.words())
    })
}
