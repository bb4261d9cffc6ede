//! A budget: what an attempt, a task, a batch and a day may use, in money, tokens and time that agents have worked.
//!
//! Promises: what was used is summed from facts and stopwatches, never from a guess: what an agent has not told is
//! unknown, not zero. A day begins by a fact, with what had been used by then, so that a replay needs no clock.

mod price;
mod rules;
mod spent;
mod view;

pub use price::{Price, Prices};
pub use spent::{Spent, of_task, spent};
pub use view::{BudgetView, ScopeView, money, tokens};

pub(in crate::core) use rules::{deadline, held, launched, resumed, settle, waits_for_human, why_paused};
pub(in crate::core) use view::{budgets, percent_of_task};

use super::engine::{Refused, RefusedKind};
use super::ids::{AttemptId, TaskId};
use super::state::State;
use super::task;
use super::text::Shown;
use super::time::{Span, Time};
use super::turn::Turn;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What may be used; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Money, in millionths of a US dollar.
    pub cost_microusd: Option<u64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// Time that agents work; pauses don't count, two at once count twice.
    pub time: Option<Span>,
}

impl Allowance {
    /// Whether it limits nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cost_microusd.is_none() && self.tokens.is_none() && self.time.is_none()
    }

    /// What this leaves open is as `other` says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            cost_microusd: self.cost_microusd.or(other.cost_microusd),
            tokens: self.tokens.or(other.tokens),
            time: self.time.or(other.time),
        }
    }

    /// More of each that is limited.
    fn raised(self, by: Self) -> Self {
        let more = |of: u64, by: Option<u64>| of.saturating_add(by.unwrap_or(0));
        Self {
            cost_microusd: self.cost_microusd.map(|of| more(of, by.cost_microusd)),
            tokens: self.tokens.map(|of| more(of, by.tokens)),
            time: self.time.map(|of| Span(more(of.0, by.time.map(|by| by.0)))),
        }
    }

    /// Both together, a limit where one has one.
    fn plus(self, by: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        Self {
            cost_microusd: sum(self.cost_microusd, by.cost_microusd),
            tokens: sum(self.tokens, by.tokens),
            time: sum(self.time.map(|t| t.0), by.time.map(|t| t.0)).map(Span),
        }
    }

    const fn has_zero(&self) -> bool {
        matches!(self.cost_microusd, Some(0))
            || matches!(self.tokens, Some(0))
            || matches!(self.time, Some(Span(0)))
    }
}

/// What becomes of an agent that works when its budget is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// It is frozen until a human raises the budget, resumes it or stops it, or the next day begins.
    #[default]
    Pause,
    /// Its attempt is ended.
    End,
}

/// What an attempt that has ended and not told what it used means for a budget of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It is shown as unknown; the rest goes on.
    #[default]
    Allow,
    /// Nothing new starts in that budget until a human raises it.
    Hold,
}

/// The budgets that a task is launched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Of each attempt.
    pub attempt: Allowance,
    /// Of all attempts of the task.
    pub task: Allowance,
    /// Of each batch of the repo.
    pub batch: Allowance,
    /// Of all tasks of the repo on one day.
    pub day: Allowance,
    /// From this share on, in percent, nothing new starts.
    pub start_share: u8,
    /// What becomes of what works when it is used up.
    pub over: Over,
    /// What unknown use means.
    pub unknown: Unknown,
    /// How far the local zone is ahead of UTC, in minutes: when a day begins.
    pub zone_minutes: i16,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            attempt: Allowance::default(),
            task: Allowance::default(),
            batch: Allowance::default(),
            day: Allowance::default(),
            start_share: 90,
            over: Over::Pause,
            unknown: Unknown::Allow,
            zone_minutes: 0,
        }
    }
}

impl Budget {
    /// Why it can't be used; none: it can.
    fn wrong(&self) -> Option<&'static str> {
        let zero = [self.attempt, self.task, self.batch, self.day].iter().any(Allowance::has_zero);
        if zero {
            Some("a budget of nothing means that nothing ever starts")
        } else if !(1..=100).contains(&self.start_share) {
            Some("start_share is a percentage from 1 to 100")
        } else {
            None
        }
    }
}

/// Whose budget.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// An attempt's.
    Attempt(AttemptId),
    /// A task's, and with it those of its attempts.
    Task(TaskId),
    /// That of a set of tasks: a batch.
    Batch(String),
    /// A repo's, for today.
    Day(PathBuf),
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetCommand {
    /// A repo's rules from now on: its batch's and day's allowances.
    Set {
        /// The repo's main checkout, canonical.
        repo: PathBuf,
        /// The rules; those of attempts and tasks are taken from the launch alone.
        budget: Box<Budget>,
    },
    /// Allow more; what was paused for it goes on.
    Raise {
        /// Of what: a task, a batch, today.
        scope: Scope,
        /// How much more.
        by: Allowance,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum BudgetFact {
    /// A repo has these rules.
    #[strum(serialize = "budget_set")]
    Set {
        /// The repo.
        repo: PathBuf,
        /// Its rules.
        budget: Box<Budget>,
    },
    /// A set of tasks has a budget of its own.
    #[strum(serialize = "budget_batch_opened")]
    BatchOpened {
        /// Its name.
        batch: String,
        /// Its repo.
        repo: PathBuf,
        /// What it may use.
        allowance: Allowance,
    },
    /// A task counts for a batch.
    #[strum(serialize = "budget_batch_joined")]
    BatchJoined {
        /// The batch.
        batch: String,
        /// The task.
        task: TaskId,
    },
    /// More is allowed.
    #[strum(serialize = "budget_raised")]
    Raised {
        /// Of what.
        scope: Scope,
        /// How much more.
        by: Allowance,
        /// So many attempts of unknown use are accepted.
        unknown: u32,
    },
    /// A day has begun in a repo.
    #[strum(serialize = "budget_day_began")]
    DayBegan {
        /// The repo.
        repo: PathBuf,
        /// Days since 1970-01-01, local.
        day: u64,
        /// All that had been used there by then.
        base: Spent,
    },
    /// Nothing new starts there.
    #[strum(serialize = "budget_closed")]
    Closed {
        /// Where.
        scope: Scope,
        /// Why.
        why: Shown,
    },
    /// New work may start there again.
    #[strum(serialize = "budget_opened")]
    Opened {
        /// Where.
        scope: Scope,
    },
    /// A task was paused because a budget is used up.
    #[strum(serialize = "budget_paused")]
    OverPaused {
        /// The task.
        task: TaskId,
        /// Whose budget.
        scope: Scope,
        /// Why, and what can be done.
        why: Shown,
    },
    /// A human lets this attempt finish, whatever it uses.
    #[strum(serialize = "budget_excused")]
    Excused {
        /// The attempt.
        attempt: AttemptId,
    },
}

impl BudgetFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Set { .. } | Self::BatchOpened { .. } | Self::DayBegan { .. } => None,
            Self::BatchJoined { task, .. } | Self::OverPaused { task, .. } => Some(*task),
            Self::Excused { attempt } => Some(attempt.task),
            Self::Raised { scope, .. } | Self::Closed { scope, .. } | Self::Opened { scope } => match scope {
                Scope::Attempt(attempt) => Some(attempt.task),
                Scope::Task(task) => Some(*task),
                Scope::Batch(_) | Scope::Day(_) => None,
            },
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        let words = match self {
            Self::Set { budget, .. } => {
                format!("budget: {} a day, {} a batch", view::words(budget.day), view::words(budget.batch))
            }
            Self::BatchOpened { batch, allowance, .. } => {
                format!("batch {batch} may use {}", view::words(*allowance))
            }
            Self::BatchJoined { batch, .. } => format!("counts for batch {batch}"),
            Self::Raised { scope, by, .. } => {
                format!("{} is raised by {}", view::of_scope(scope), view::words(*by))
            }
            Self::DayBegan { .. } => "a new day's budget begins".to_owned(),
            Self::Closed { why, .. } => format!("{why}: nothing new starts"),
            Self::Opened { scope } => format!("{} has room again", view::of_scope(scope)),
            Self::OverPaused { why, .. } => why.to_string(),
            Self::Excused { attempt } => format!("attempt {} may finish, whatever it uses", attempt.no),
        };
        Shown::line(&words)
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// By repo.
    pub repos: BTreeMap<PathBuf, RepoBudget>,
    /// Sets of tasks, by name.
    pub batches: BTreeMap<String, BatchBudget>,
    /// Where nothing new starts, and why.
    pub closed: BTreeMap<Scope, Shown>,
    /// What was allowed beyond the rules.
    pub extra: BTreeMap<Scope, Extra>,
    /// Tasks that were paused for a budget, whose, and why.
    pub paused: BTreeMap<TaskId, (Scope, Shown)>,
    /// Attempts that may finish whatever they use.
    pub excused: BTreeSet<AttemptId>,
    /// For the test of the simulation: what attempts that have ended used counts for nothing.
    #[cfg(test)]
    pub(in crate::core) forgets: bool,
}

/// A repo's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoBudget {
    /// Its rules; none: no budget of the day or of batches was ever given.
    pub rules: Option<Budget>,
    /// The day that is counted.
    pub day: Option<u64>,
    /// What had been used when it began.
    pub base: Spent,
    /// What forgotten tasks have used.
    pub gone: Spent,
}

/// A set of tasks with a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchBudget {
    /// Its repo.
    pub repo: PathBuf,
    /// What it may use.
    pub allowance: Allowance,
    /// Its tasks.
    pub tasks: BTreeSet<TaskId>,
    /// What those of them that were forgotten have used.
    pub gone: Spent,
}

/// What was allowed beyond the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// So much more.
    pub by: Allowance,
    /// So many attempts of unknown use.
    pub unknown: u32,
}

impl Budgets {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &BudgetFact) {
        match fact {
            BudgetFact::Set { repo, budget } => {
                self.repos.entry(repo.clone()).or_default().rules = Some(**budget);
            }
            BudgetFact::BatchOpened { batch, repo, allowance } => {
                let of = self.batches.entry(batch.clone()).or_default();
                of.repo.clone_from(repo);
                of.allowance = *allowance;
            }
            BudgetFact::BatchJoined { batch, task } => {
                self.batches.entry(batch.clone()).or_default().tasks.insert(*task);
            }
            BudgetFact::Raised { scope, by, unknown } => {
                let extra = self.extra.entry(scope.clone()).or_default();
                extra.by = extra.by.plus(*by);
                extra.unknown = *unknown;
            }
            BudgetFact::DayBegan { repo, day, base } => {
                self.extra.remove(&Scope::Day(repo.clone()));
                let of = self.repos.entry(repo.clone()).or_default();
                of.day = Some(*day);
                of.base = *base;
            }
            BudgetFact::Closed { scope, why } => {
                self.closed.insert(scope.clone(), why.clone());
            }
            BudgetFact::Opened { scope } => {
                self.closed.remove(scope);
            }
            BudgetFact::OverPaused { task, scope, why } => {
                self.paused.insert(*task, (scope.clone(), why.clone()));
            }
            BudgetFact::Excused { attempt } => {
                self.excused.insert(*attempt);
            }
        }
    }

    /// A task goes on.
    pub(in crate::core) fn unpaused(&mut self, task: TaskId) {
        self.paused.remove(&task);
    }

    /// A task is taken off the board; what it used stays used.
    pub(in crate::core) fn forget(&mut self, task: TaskId, repo: &std::path::Path, used: Spent) {
        let of = self.repos.entry(repo.to_owned()).or_default();
        of.gone = of.gone.plus(used);
        for batch in self.batches.values_mut() {
            if batch.tasks.remove(&task) {
                batch.gone = batch.gone.plus(used);
            }
        }
        self.paused.remove(&task);
        self.closed.remove(&Scope::Task(task));
        self.extra.remove(&Scope::Task(task));
        self.excused.retain(|attempt| attempt.task != task);
    }
}

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: BudgetCommand) -> Result<(), Refused> {
    match command {
        BudgetCommand::Set { repo, budget } => {
            if let Some(what) = budget.wrong() {
                return Err(bad(what, "leave out what is to have no limit"));
            }
            if turn.state.budgets.repos.get(&repo).and_then(|of| of.rules) != Some(*budget) {
                turn.fact(super::fact::Fact::Budget(BudgetFact::Set { repo, budget }));
            }
            Ok(())
        }
        BudgetCommand::Raise { scope, by } => raise(turn, scope, by),
    }
}

fn bad(what: impl Into<String>, remedy: &str) -> Refused {
    Refused::new(RefusedKind::BadInput, what, remedy)
}

fn raise(turn: &mut Turn<'_>, scope: Scope, by: Allowance) -> Result<(), Refused> {
    if by.is_empty() || by.has_zero() {
        return Err(bad("raised by nothing", "say by how much: --cost, --tokens or --time"));
    }
    let limits = rules::limits(turn.state, &scope)?;
    for (has, wants, what) in [
        (limits.cost_microusd.is_some(), by.cost_microusd.is_some(), "money"),
        (limits.tokens.is_some(), by.tokens.is_some(), "tokens"),
        (limits.time.is_some(), by.time.is_some(), "time"),
    ] {
        if wants && !has {
            let of = view::of_scope(&scope);
            return Err(bad(format!("{of} does not limit {what}"), "nopeek budget shows what is limited"));
        }
    }
    let unknown = rules::unknown(turn.state, &scope, turn.now);
    turn.fact(super::fact::Fact::Budget(BudgetFact::Raised { scope, by, unknown }));
    Ok(())
}

/// Gives a set of tasks of a repo a budget, by the repo's rules for batches; none if they give none.
pub fn batch_allowance(state: &State, repo: &std::path::Path) -> Option<Allowance> {
    let rules = state.budgets.repos.get(repo)?.rules?;
    Some(rules.batch).filter(|allowance| !allowance.is_empty())
}

/// The batch `batch` has a budget from now on: the repo's, if that has one for batches.
pub(in crate::core) fn open_batch(turn: &mut Turn<'_>, batch: &str, repo: &std::path::Path) {
    if let Some(allowance) = batch_allowance(turn.state, repo) {
        let (batch, repo) = (batch.to_owned(), repo.to_owned());
        turn.fact(super::fact::Fact::Budget(BudgetFact::BatchOpened { batch, repo, allowance }));
    }
}

/// A task counts for a batch that has a budget.
pub(in crate::core) fn join_batch(turn: &mut Turn<'_>, batch: &str, task: TaskId) {
    if turn.state.budgets.batches.contains_key(batch) && task::get(turn.state, task).is_ok() {
        let batch = batch.to_owned();
        turn.fact(super::fact::Fact::Budget(BudgetFact::BatchJoined { batch, task }));
    }
}

#[cfg(test)]
mod tests;
