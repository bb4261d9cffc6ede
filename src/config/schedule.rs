//! The table `[schedule]` of `nopeek.toml`: when batches are due, what each of their phases may take, where specs are dropped.
//!
//! It starts nothing by itself: a person switches a schedule on.

use super::numbers::Numbers;
use super::{ConfigError, did_you_mean};
use crate::core::model::batch::{BatchPhase, CatchUp, QUEUE};
use crate::values::cron::Cron;
use crate::values::time::Span;
use crate::values::words::written::Written;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Longest pattern of the queue's folders, in bytes.
const QUEUE_MAX: usize = 200;

/// What the repo says; without the table: every phase, when somebody asks for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleConfig {
    /// When batches are due; none: only when asked for.
    pub cron: Option<Cron>,
    /// What is done about those that were missed.
    pub catch_up: CatchUp,
    /// Folders in which specs are dropped.
    pub queue: String,
    /// The phases of a batch.
    pub phases: BTreeMap<BatchPhase, StintConfig>,
}

/// What is said of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StintConfig {
    /// Who does it; none: the repo's `agent` supervises and maintains, nobody writes a report of their own.
    pub agent: Option<String>,
    pub time: Span,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        let settings = |phase: &BatchPhase| (*phase, StintConfig { agent: None, time: usual(*phase) });
        Self {
            cron: None,
            catch_up: CatchUp::One,
            queue: QUEUE.to_owned(),
            phases: BatchPhase::ALL.iter().map(settings).collect(),
        }
    }
}

/// The limit of a phase where a repo does not say.
const fn usual(phase: BatchPhase) -> Span {
    match phase {
        BatchPhase::Supervise => Span::mins(15),
        BatchPhase::Build => Span::mins(60),
        BatchPhase::Maintain | BatchPhase::Test => Span::mins(20),
        BatchPhase::Report => Span::mins(5),
    }
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    cron: Option<Spanned<String>>,
    catch_up: Option<CatchUp>,
    queue: Option<Spanned<String>>,
    supervise: Option<Spanned<toml::Value>>,
    build: Option<Spanned<toml::Value>>,
    maintain: Option<Spanned<toml::Value>>,
    test: Option<Spanned<toml::Value>>,
    report: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStint {
    agent: Option<String>,
    time: Option<Written>,
}

/// Reads the table.
pub(super) fn read(raw: Option<Raw>, text: &str, origin: &str) -> Result<ScheduleConfig, ConfigError> {
    let mut config = ScheduleConfig::default();
    let Some(raw) = raw else { return Ok(config) };
    let wrong = |offset, what: String, remedy: &str| Err(ConfigError::at(origin, text, offset, what, remedy));
    config.catch_up = raw.catch_up.unwrap_or_default();
    if let Some(cron) = raw.cron {
        match Cron::parse(cron.get_ref()) {
            Ok(cron) => config.cron = Some(cron),
            // Behind the quote.
            Err(bad) => {
                let remedy = "write minute, hour, day of the month, month, day of the week: \"0 */2 * * *\" is every two hours";
                return wrong(cron.span().start + 1 + bad.at, bad.what, remedy);
            }
        }
    }
    if let Some(queue) = raw.queue {
        let path = queue.get_ref();
        let mut parts = path.split('/');
        let plain = parts.all(|part| {
            !part.is_empty() && part != ".." && !part.starts_with('.') && (part == "*" || !part.contains('*'))
        });
        let ends = path.ends_with("/next") || path == "next";
        if !plain || !ends || path.len() > QUEUE_MAX || path.chars().any(char::is_control) {
            let what = format!("{path:?} names no folders of a queue");
            let remedy =
                "write a path inside the repo that ends in /next, where a whole part may be *: specs/*/next";
            return wrong(queue.span().start, what, remedy);
        }
        config.queue.clone_from(path);
    }
    let phases = [raw.supervise, raw.build, raw.maintain, raw.test, raw.report];
    for (phase, value) in BatchPhase::ALL.into_iter().zip(phases) {
        let Some(value) = value else { continue };
        let (at, key) = (value.span().start, phase.label());
        let settings = match value.into_inner() {
            toml::Value::Boolean(true) => continue,
            toml::Value::Boolean(false) => {
                config.phases.remove(&phase);
                continue;
            }
            toml::Value::Table(table) => table.try_into::<RawStint>().map_err(|error| {
                let what = error.message().lines().next().unwrap_or("it can't be read").to_owned();
                let remedy = did_you_mean(error.message()).unwrap_or_default();
                ConfigError::at(origin, text, at, what, remedy)
            })?,
            other => {
                let what = format!("{key} is a table or false, not {}", other.type_str());
                return wrong(at, what, &format!("write {key} = {{ time = \"30m\" }}, or {key} = false"));
            }
        };
        if settings.agent.is_some() && matches!(phase, BatchPhase::Build | BatchPhase::Test) {
            let (what, remedy) = match phase {
                BatchPhase::Build => ("build has no agent of its own", "who builds specs is said in [spec]"),
                _ => ("test has no agent: gates are run", "take the agent out"),
            };
            return wrong(at, what.to_owned(), remedy);
        }
        let time = match settings.time.map(|time| Numbers { origin, text }.duration_at(at, &time)) {
            None => usual(phase),
            Some(Ok(time)) => time,
            Some(Err(bad)) => return wrong(at, format!("{key}: {}", bad.what), &bad.remedy),
        };
        config.phases.insert(phase, StintConfig { agent: settings.agent, time });
    }
    if config.phases.is_empty() {
        return wrong(0, "a batch without phases does nothing".to_owned(), "leave one of them on");
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::super::repo::RepoConfig;
    use super::*;

    fn parse(text: &str) -> Result<ScheduleConfig, ConfigError> {
        RepoConfig::parse(text, "nopeek.toml").map(|config| config.schedule)
    }

    #[test]
    fn a_schedule_is_read_and_what_it_leaves_open_is_filled_in() {
        let config = parse(
            "[schedule]\ncron = '0 */2 * * mon-fri'\ncatch_up = 'skip'\nqueue = 'todo/next'\nmaintain = false\ntest = true\n\
             supervise = { agent = 'boss', time = '5m' }\nbuild = { time = '1h30m' }\nreport = { agent = 'writer' }\n",
        )
        .unwrap();
        assert_eq!(config.cron.unwrap().as_str(), "0 */2 * * mon-fri");
        assert_eq!((config.catch_up, config.queue.as_str()), (CatchUp::Skip, "todo/next"));
        let phases: Vec<(BatchPhase, Option<&str>, u64)> =
            config.phases.iter().map(|(phase, s)| (*phase, s.agent.as_deref(), s.time.0 / 60_000)).collect();
        assert_eq!(
            phases,
            [
                (BatchPhase::Supervise, Some("boss"), 5),
                (BatchPhase::Build, None, 90),
                (BatchPhase::Test, None, 20),
                (BatchPhase::Report, Some("writer"), 5),
            ]
        );
        assert_eq!(parse("").unwrap(), ScheduleConfig::default());
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_a_remedy() {
        let cases = [
            ("cron = '0 25 * * *'", "2:11: \"25\" is no hour: it goes from 0 to 23", "every two hours"),
            ("cron = '0 * * *'", "2:9: \"0 * * *\" has 4 fields", "every two hours"),
            ("cron = '0 0 30 feb *'", "2:9: \"0 0 30 feb *\" never comes", ""),
            ("cron = 5", "2:8: invalid type: integer", ""),
            ("corn = '* * * * *'", "2:1: unknown field `corn`", "did you mean cron?"),
            ("catch_up = 'all'", "2:12: unknown variant `all`", "there are: one, skip"),
            ("queue = '../next'", "2:9: \"../next\" names no folders", "ends in /next"),
            ("queue = '/specs/next'", "2:9: \"/specs/next\" names no folders", "ends in /next"),
            ("queue = 'specs/a*/next'", "2:9: \"specs/a*/next\" names no folders", "a whole part may be *"),
            ("queue = 'specs/*/inbox'", "2:9: \"specs/*/inbox\" names no folders", "ends in /next"),
            ("build = '1h'", "2:9: build is a table or false, not string", "build = { time = \"30m\" }"),
            ("build = { agent = 'x' }", "2:9: build has no agent of its own", "[spec]"),
            ("test = { agent = 'x' }", "2:8: test has no agent", "take the agent out"),
            ("maintain = { time = 'soon' }", "2:12: maintain: \"soon\" is no duration", ""),
            ("maintain = { tiem = '5m' }", "2:12: unknown field `tiem`", "did you mean time?"),
            ("report = { time = 5 }", "2:10: report: \"5\" is no duration: a number needs", "its unit"),
            (
                "supervise = false\nbuild = false\nmaintain = false\ntest = false\nreport = false",
                "1:1: a batch without phases",
                "leave one",
            ),
        ];
        for (line, says, remedy) in cases {
            let error = parse(&format!("[schedule]\n{line}\n")).unwrap_err();
            assert!(error.to_string().starts_with(&format!("nopeek.toml:{says}")), "{line}: {error}");
            assert!(error.remedy().contains(remedy), "{line}: {:?}", error.remedy());
        }
    }
}
