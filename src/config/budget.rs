//! `[budget]`: what attempts, tasks, batches and days may use, in either file.

use super::ConfigError;
use super::numbers::Numbers;
use crate::core::model::budget::{Allowance, Budget, Over, Unknown};
use crate::values::words::written::Written;
use serde::Deserialize;
use toml::Spanned;

/// What a file says of budgets; what it leaves open comes from the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetConfig {
    pub attempt: Allowance,
    pub task: Allowance,
    pub batch: Allowance,
    /// Of each day, for a repo.
    pub day: Allowance,
    /// From this share on nothing new starts.
    pub start_share: Option<u8>,
    /// What becomes of what works when it is used up.
    pub over: Option<Over>,
    /// What unknown use means.
    pub unknown: Option<Unknown>,
}

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    attempt: Option<RawAllowance>,
    task: Option<RawAllowance>,
    batch: Option<RawAllowance>,
    day: Option<RawAllowance>,
    start_share: Option<Spanned<Written>>,
    over: Option<Over>,
    unknown: Option<Unknown>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllowance {
    cost: Option<Spanned<Written>>,
    tokens: Option<Spanned<Written>>,
    time: Option<Spanned<Written>>,
}

impl Raw {
    /// Reads what was written.
    pub(super) fn read(self, origin: &str, text: &str) -> Result<BudgetConfig, ConfigError> {
        let numbers = Numbers { origin, text };
        let allowance = |raw: Option<RawAllowance>| -> Result<Allowance, ConfigError> {
            let Some(raw) = raw else { return Ok(Allowance::default()) };
            Ok(Allowance {
                cost_microusd: raw.cost.map(|of| numbers.money(&of)).transpose()?,
                tokens: raw.tokens.map(|of| numbers.tokens(&of)).transpose()?,
                time: raw.time.map(|of| numbers.duration(&of)).transpose()?,
            })
        };
        let share = |of: Spanned<Written>| numbers.whole("start_share", &of, &(1..=100));
        Ok(BudgetConfig {
            attempt: allowance(self.attempt)?,
            task: allowance(self.task)?,
            batch: allowance(self.batch)?,
            day: allowance(self.day)?,
            start_share: self
                .start_share
                .map(share)
                .transpose()?
                .and_then(|percent| u8::try_from(percent).ok()),
            over: self.over,
            unknown: self.unknown,
        })
    }
}

impl BudgetConfig {
    /// The budget of a task: what it says itself, else this file, else `other`.
    #[must_use]
    pub fn resolve(&self, task: Allowance, other: &Self, zone_minutes: i16) -> Budget {
        let base = Budget::default();
        Budget {
            attempt: self.attempt.or(other.attempt),
            task: task.or(self.task).or(other.task),
            batch: self.batch.or(other.batch),
            day: self.day.or(other.day),
            start_share: self.start_share.or(other.start_share).unwrap_or(base.start_share),
            over: self.over.or(other.over).unwrap_or(base.over),
            unknown: self.unknown.or(other.unknown).unwrap_or(base.unknown),
            zone_minutes,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::repo::RepoConfig;
    use crate::config::user::UserConfig;
    use crate::core::model::budget::{Allowance, Over, Unknown};
    use crate::values::time::Span;

    #[test]
    fn a_repos_budget_goes_before_the_users_and_a_tasks_before_both() {
        let text = "[budget]\nattempt = { cost = '$2', tokens = '2M', time = '30m' }\ntask = { cost = '0.5' }\n\
                    start_share = 80\nover = 'end'\n";
        let file = RepoConfig::parse(text, "nopeek.toml").unwrap().budget;
        let text =
            "[budget]\nday = { cost = '$20' }\ntask = { cost = '$9', tokens = '500k' }\nunknown = 'hold'\n";
        let user = UserConfig::parse(text, "config.toml").unwrap().budget;
        let budget = file.resolve(Allowance::default(), &user, 60);
        let attempt =
            Allowance { cost_microusd: Some(2_000_000), tokens: Some(2_000_000), time: Some(Span::mins(30)) };
        assert_eq!(budget.attempt, attempt);
        assert_eq!((budget.task.cost_microusd, budget.task.tokens), (Some(500_000), Some(500_000)));
        assert_eq!(budget.day.cost_microusd, Some(20_000_000));
        assert_eq!((budget.start_share, budget.over, budget.unknown), (80, Over::End, Unknown::Hold));
        let task = Allowance { cost_microusd: Some(7), ..Allowance::default() };
        assert_eq!(file.resolve(task, &user, 0).task.cost_microusd, Some(7));
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (text, says) in [
            (
                "day = { cost = 'much' }",
                "nopeek.toml:2:16: \"much\" is no amount of money: write it as $2 or $0.50",
            ),
            ("day = { cost = '$0' }", "nopeek.toml:2:16: \"$0\" is no amount of money: it is zero"),
            ("day = { cost = '-1' }", "nopeek.toml:2:16: \"-1\" is no amount of money"),
            ("task = { tokens = '2X' }", "nopeek.toml:2:19: \"2X\" is no count of tokens"),
            ("task = { tokens = '0.0005k' }", "nopeek.toml:2:19: \"0.0005k\" is no count of tokens"),
            ("batch = { time = 'long' }", "nopeek.toml:2:18: \"long\" is no duration"),
            ("attempt = { money = '$1' }", "nopeek.toml:2:13: unknown field `money`"),
            ("week = { cost = '$1' }", "nopeek.toml:2:1: unknown field `week`"),
            ("start_share = 0", "nopeek.toml:2:15: start_share = 0 is out of range"),
            ("start_share = 101", "nopeek.toml:2:15: start_share = 101 is out of range"),
            ("over = 'stop'", "nopeek.toml:2:8: unknown variant `stop`"),
            ("unknown = 'zero'", "nopeek.toml:2:11: unknown variant `zero`"),
        ] {
            let error = RepoConfig::parse(&format!("[budget]\n{text}\n"), "nopeek.toml").unwrap_err();
            assert!(error.to_string().starts_with(says), "{text}: {error}");
        }
    }
}
