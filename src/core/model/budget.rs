//! A budget: what may be used, whose it is, what was decided of it, and its part of the state.
//!
//! Promises: what is unknown is none or counted apart, never zero.

use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::plural::noun;
use crate::values::words::{duration, money, tokens};
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

    /// What is allowed, in words: `$5.00, 200k tokens`; `no limit`.
    #[must_use]
    pub fn words(self) -> String {
        let parts: Vec<String> = [
            self.cost_microusd.map(money::exact),
            self.tokens.map(|n| format!("{} {}", tokens::exact(n), noun(n, "token"))),
            self.time.map(duration::exact),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() { "no limit".to_owned() } else { parts.join(", ") }
    }

    /// More of each that is limited.
    pub(in crate::core) fn raised(self, by: Self) -> Self {
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

    pub(in crate::core) const fn has_zero(&self) -> bool {
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
    pub(in crate::core) fn wrong(&self) -> Option<&'static str> {
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
    Attempt(AttemptId),
    /// A task's, and with it those of its attempts.
    Task(TaskId),
    /// That of a set of tasks: a batch.
    Batch(String),
    /// A repo's, for today.
    Day(PathBuf),
}

impl Scope {
    /// Whose budget, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Attempt(_) => "its attempt's budget".to_owned(),
            Self::Task(_) => "its budget".to_owned(),
            Self::Batch(name) => format!("batch {name}'s budget"),
            Self::Day(_) => "today's budget".to_owned(),
        }
    }
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
        by: Allowance,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum BudgetFact {
    /// A repo has these rules.
    #[strum(serialize = "budget_set")]
    Set { repo: PathBuf, budget: Box<Budget> },
    /// A set of tasks has a budget of its own.
    #[strum(serialize = "budget_batch_opened")]
    BatchOpened {
        batch: String,
        repo: PathBuf,
        /// What it may use.
        allowance: Allowance,
    },
    /// A task counts for a batch.
    #[strum(serialize = "budget_batch_joined")]
    BatchJoined { batch: String, task: TaskId },
    #[strum(serialize = "budget_raised")]
    Raised {
        scope: Scope,
        by: Allowance,
        /// So many attempts of unknown use are accepted.
        unknown: u32,
    },
    /// A day has begun in a repo.
    #[strum(serialize = "budget_day_began")]
    DayBegan {
        repo: PathBuf,
        /// Days since 1970-01-01, local.
        day: u64,
        /// All that had been used there by then.
        base: Spent,
    },
    /// Nothing new starts there.
    #[strum(serialize = "budget_closed")]
    Closed { scope: Scope, why: Shown },
    /// New work may start there again.
    #[strum(serialize = "budget_opened")]
    Opened { scope: Scope },
    /// A task was paused because a budget is used up.
    #[strum(serialize = "budget_paused")]
    OverPaused {
        task: TaskId,
        scope: Scope,
        /// Why, and what can be done.
        why: Shown,
    },
    /// A human lets this attempt finish, whatever it uses.
    #[strum(serialize = "budget_excused")]
    Excused { attempt: AttemptId },
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
                format!("budget: {} a day, {} a batch", budget.day.words(), budget.batch.words())
            }
            Self::BatchOpened { batch, allowance, .. } => {
                format!("batch {batch} may use {}", allowance.words())
            }
            Self::BatchJoined { batch, .. } => format!("counts for batch {batch}"),
            Self::Raised { scope, by, .. } => {
                format!("{} is raised by {}", scope.words(), by.words())
            }
            Self::DayBegan { .. } => "a new day's budget begins".to_owned(),
            Self::Closed { why, .. } => format!("{why}: nothing new starts"),
            Self::Opened { scope } => format!("{} has room again", scope.words()),
            Self::OverPaused { why, .. } => why.to_string(),
            Self::Excused { attempt } => format!("attempt {} may finish, whatever it uses", attempt.no),
        };
        Shown::line(&words)
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
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
    pub repo: PathBuf,
    /// What it may use.
    pub allowance: Allowance,
    pub tasks: BTreeSet<TaskId>,
    /// What those of them that were forgotten have used.
    pub gone: Spent,
}

/// What was allowed beyond the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
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
