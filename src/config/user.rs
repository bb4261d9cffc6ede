//! The user's own config: `config.toml` in the config folder. All of it is optional.

use super::budget::{self, BudgetConfig};
use super::notice::{NoticeConfig, RawNotice};
use super::numbers::Numbers;
use super::report::{RawReport, ReportConfig};
use super::{AgentKey, ConfigError, agents};
use crate::agents::profile::Profile;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::os::paths::Paths;
use crate::values::words::count;
use crate::values::words::written::Written;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// What the user wants where a repo says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserConfig {
    /// At most this many agents at once in a repo.
    pub parallel: u32,
    /// Whether screens are covered.
    pub lid: LidRule,
    pub agent: String,
    pub limits: Limits,
    pub theme: Option<String>,
    /// Which notices ring, and where they go.
    pub notice: NoticeConfig,
    /// Where reports are sent.
    pub report: ReportConfig,
    /// The user's own agent profiles.
    pub agents: BTreeMap<String, Profile>,
    /// What may be used.
    pub budget: BudgetConfig,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            parallel: 4,
            lid: LidRule::On,
            agent: "claude".to_owned(),
            limits: Limits::default(),
            theme: None,
            notice: NoticeConfig::default(),
            report: ReportConfig::default(),
            agents: BTreeMap::new(),
            budget: BudgetConfig::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    parallel: Option<Spanned<Written>>,
    lid: Option<LidRule>,
    agent: Option<Spanned<AgentKey>>,
    attempts: Option<Spanned<Written>>,
    time: Option<Spanned<Written>>,
    silence: Option<Spanned<Written>>,
    theme: Option<String>,
    #[serde(default)]
    notice: RawNotice,
    #[serde(default)]
    report: RawReport,
    #[serde(default)]
    agents: BTreeMap<String, Spanned<Profile>>,
    #[serde(default)]
    budget: budget::Raw,
}

impl UserConfig {
    /// Reads the user's file; without one, the defaults.
    pub fn load(paths: &Paths) -> Result<Self, ConfigError> {
        let path = paths.config.join("config.toml");
        let origin = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &origin),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigError {
                origin,
                line: 0,
                column: 0,
                what: format!("it can't be read: {error}"),
                remedy: "make it readable, or move it away".to_owned(),
            }),
        }
    }

    /// Reads the text of a file.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
        let numbers = Numbers { origin, text };
        let span = |of: Spanned<Written>| numbers.duration(&of);
        let counted = |key, of: Spanned<Written>| numbers.whole(key, &of, &count::FROM_ONE);
        let base = Self::default();
        let (agent, agents) = agents(origin, text, raw.agent, raw.agents)?;
        Ok(Self {
            parallel: raw.parallel.map_or(Ok(base.parallel), |of| counted("parallel", of))?,
            lid: raw.lid.unwrap_or(base.lid),
            agent: agent.unwrap_or(base.agent),
            limits: Limits {
                attempts: raw.attempts.map_or(Ok(base.limits.attempts), |of| counted("attempts", of))?,
                time: raw.time.map(span).transpose()?.or(base.limits.time),
                silence: raw.silence.map(span).transpose()?.or(base.limits.silence),
            },
            theme: raw.theme,
            notice: raw.notice.check(origin, text)?,
            report: raw.report.check(origin, text)?,
            agents,
            budget: raw.budget.read(origin, text)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Span;

    #[test]
    fn what_is_not_said_is_the_default() {
        let config = UserConfig::parse("parallel = 8\nsilence = '2m'", "config.toml").unwrap();
        assert_eq!(config.parallel, 8);
        assert_eq!(config.limits.silence, Some(Span::mins(2)));
        assert_eq!(config.agent, "claude");
        let error = UserConfig::parse("lid = 'half'", "config.toml").unwrap_err();
        assert!(error.to_string().starts_with("config.toml:1:7: unknown variant `half`"), "{error}");
    }
}
