//! One grammar: the command line, the terminal UI and the TOML files take the very same texts for a duration, an amount of
//! money, a count of tokens or of attempts, and take whatever is printed of one.

use super::Cli;
use crate::config::plan;
use crate::config::repo::RepoConfig;
use crate::config::user::UserConfig;
use crate::core::model::batch::BatchPhase;
use crate::tui;
use crate::values::time::Span;
use crate::values::words::{count, duration, money, tokens};
use clap::{Arg, Command, CommandFactory as _};
use proptest::prelude::*;
use std::any::{Any, TypeId};

/// The value that the command line makes of `--option=TEXT`, none if it refuses it.
fn flag<T: Any + Clone + Send + Sync>(line: &str, option: &str, text: &str) -> Option<T> {
    let words = line.split(' ').map(str::to_owned).chain([format!("--{option}={text}")]);
    let matches =
        Cli::command().try_get_matches_from(std::iter::once("nopeek".to_owned()).chain(words)).ok()?;
    let mut at = &matches;
    while let Some((_, sub)) = at.subcommand() {
        at = sub;
    }
    Some(at.get_one::<T>(&option.replace('-', "_"))?.clone())
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn repo(text: &str) -> Option<RepoConfig> {
    RepoConfig::parse(text, "nopeek.toml").ok()
}

fn user(text: &str) -> Option<UserConfig> {
    UserConfig::parse(text, "config.toml").ok()
}

/// What each surface makes of a duration, with its name.
fn durations(text: &str) -> Vec<(&'static str, Option<Span>)> {
    let toml = quoted(text);
    let gate = format!("[[gate]]\nname = 'a'\ncommand = 'true'\ntimeout = {toml}\n");
    let phase = format!(
        "+++\ntitle = 'Tea'\nsoak = {toml}\n[[task]]\nname = 'pour'\ntouches = ['a']\ncheck = 'true'\ndoes = 'Pour.'\n+++\n"
    );
    vec![
        ("run --time", flag("run x", "time", text)),
        ("run --silence", flag("run x", "silence", text)),
        ("run --budget-time", flag("run x", "budget-time", text)),
        ("bench --time", flag("bench run x --agents a", "time", text)),
        ("bench --silence", flag("bench run x --agents a", "silence", text)),
        ("budget raise --time", flag("budget raise x", "time", text)),
        ("the form's time", tui::launch_of("time", text).ok().and_then(|run| run.time_ms).map(Span)),
        ("nopeek.toml time", repo(&format!("time = {toml}\n")).and_then(|config| config.time)),
        ("nopeek.toml silence", repo(&format!("silence = {toml}\n")).and_then(|config| config.silence)),
        ("gate timeout", repo(&gate).map(|config| config.gates[0].timeout)),
        (
            "schedule time",
            repo(&format!("[schedule]\nbuild = {{ time = {toml} }}\n"))
                .map(|config| config.schedule.phases[&BatchPhase::Build].time),
        ),
        (
            "budget time",
            repo(&format!("[budget]\nday = {{ time = {toml} }}\n")).and_then(|config| config.budget.day.time),
        ),
        ("config.toml time", user(&format!("time = {toml}\n")).and_then(|config| config.limits.time)),
        (
            "config.toml silence",
            user(&format!("silence = {toml}\n")).and_then(|config| config.limits.silence),
        ),
        (
            "idle_done",
            user(&format!("[agents.a]\ncommand = ['x']\nidle_done = {toml}\n"))
                .and_then(|config| config.agents["a"].idle_done),
        ),
        (
            "speaks",
            repo(&format!("[agents.a]\ncommand = ['x']\nspeaks = {toml}\n"))
                .and_then(|config| config.agents["a"].speaks),
        ),
        ("soak", plan::parse(&phase, "p.md").ok().and_then(|phase| phase.soak)),
    ]
}

/// What each command that waits makes of a time.
fn timeouts(text: &str) -> Vec<(&'static str, Option<Span>)> {
    vec![
        ("wait --timeout", flag("wait", "timeout", text)),
        ("spec wait --timeout", flag("spec wait x", "timeout", text)),
        ("schedule run --timeout", flag("schedule run --wait", "timeout", text)),
    ]
}

/// What each surface makes of money.
fn moneys(text: &str) -> Vec<(&'static str, Option<u64>)> {
    let toml = format!("[budget]\ntask = {{ cost = {} }}\n", quoted(text));
    vec![
        ("run --budget-cost", flag("run x", "budget-cost", text)),
        ("budget raise --cost", flag("budget raise x", "cost", text)),
        ("nopeek.toml cost", repo(&toml).and_then(|config| config.budget.task.cost_microusd)),
        ("config.toml cost", user(&toml).and_then(|config| config.budget.task.cost_microusd)),
    ]
}

/// What each surface makes of tokens.
fn counts(text: &str) -> Vec<(&'static str, Option<u64>)> {
    let toml = format!("[budget]\ntask = {{ tokens = {} }}\n", quoted(text));
    vec![
        ("run --budget-tokens", flag("run x", "budget-tokens", text)),
        ("budget raise --tokens", flag("budget raise x", "tokens", text)),
        ("nopeek.toml tokens", repo(&toml).and_then(|config| config.budget.task.tokens)),
        ("config.toml tokens", user(&toml).and_then(|config| config.budget.task.tokens)),
    ]
}

/// What each surface makes of a number of attempts.
fn attempts(text: &str) -> Vec<(&'static str, Option<u32>)> {
    let toml = format!("attempts = {text}\n");
    vec![
        ("run --attempts", flag("run x", "attempts", text)),
        ("bench --attempts", flag("bench run x --agents a", "attempts", text)),
        ("the form's attempts", tui::launch_of("attempts", text).ok().and_then(|run| run.attempts)),
        ("nopeek.toml attempts", repo(&toml).and_then(|config| config.attempts)),
        ("config.toml attempts", user(&toml).map(|config| config.limits.attempts)),
    ]
}

fn alike<T: PartialEq + std::fmt::Debug + Copy>(text: &str, is: Option<T>, surfaces: Vec<(&str, Option<T>)>) {
    for (name, value) in surfaces {
        assert_eq!(value, is, "{name} of {text:?}");
    }
}

/// Texts near to values: what people write, what is printed, and what is neither.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[1-9][0-9]{0,3}(ms|s|m|min|h|d)([0-9]{1,2}(ms|s|m|h|d)){0,2}",
        "\\$?[0-9]{1,4}(\\.[0-9]{1,7})?[kKmMgG]?",
        "[0-9.]{0,6} ?(s|m|min|h|d|k|M|B|x|\\$)?",
        "[!-~]{1,12}",
        "\\PC{1,8}",
    ]
    // A form's empty field is not written; blanks around are not part of what is.
    .prop_filter("blank", |text: &String| !text.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_surface_takes_the_same_texts(text in texts()) {
        alike(&text, duration::limit(&text).ok(), durations(&text));
        alike(&text, duration::timeout(&text).ok(), timeouts(&text));
        alike(&text, money::limit(&text).ok(), moneys(&text));
        alike(&text, tokens::limit(&text).ok(), counts(&text));
    }

    #[test]
    fn every_surface_takes_the_same_numbers_of_attempts(n in prop_oneof![-2..9_i64, any::<i64>()], shift in 0..64_u32) {
        let text = (n >> shift).to_string();
        alike(&text, count::limit(&text).ok(), attempts(&text));
    }

    #[test]
    fn what_is_printed_is_taken_by_every_surface(n in 1..=u64::MAX, shift in 0..64_u32) {
        let n = (n >> shift).max(1);
        let span = Span(n);
        for text in [duration::exact(span), duration::short(span), duration::long(span), duration::minutes(span)] {
            alike(&text, Some(duration::read(&text).unwrap()), durations(&text));
            alike(&text, Some(duration::read(&text).unwrap()), timeouts(&text));
        }
        for text in [money::exact(n), money::short(n)] {
            alike(&text, Some(money::read(&text).unwrap()), moneys(&text));
        }
        for text in [tokens::exact(n), tokens::short(n)] {
            alike(&text, Some(tokens::read(&text).unwrap()), counts(&text));
        }
    }
}

#[test]
fn what_one_surface_used_to_take_alone_is_taken_by_all() {
    for (text, ms) in [("1h30m", 5_400_000), ("1d", 86_400_000), ("1.5h", 5_400_000), ("250ms", 250)] {
        alike(text, Some(Span(ms)), durations(text));
    }
    for text in ["7", "0s", "1h30", "-1s", "5 days", "NaN"] {
        alike(text, None, durations(text));
    }
}

#[test]
fn no_attempts_are_refused_by_all() {
    for text in ["0", "-1", "4294967296"] {
        alike(text, None, attempts(text));
    }
    alike("1", Some(1), attempts("1"));
}

/// Every command with its words, from the root down.
fn commands(at: &Command, words: &[String], all: &mut Vec<(Vec<String>, Command)>) {
    all.push((words.to_vec(), at.clone()));
    for sub in at.get_subcommands() {
        commands(sub, &[words, &[sub.get_name().to_owned()]].concat(), all);
    }
}

/// Whether its value is a number, with a unit or without.
fn is_number(arg: &Arg) -> bool {
    let is = arg.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<Span>(),
    ];
    let is_moment = arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "WHEN"));
    numbers.iter().any(|number| is == *number) || is_moment
}

/// A value that begins with a minus is read as one and refused by its reader, not taken for an unknown option.
#[test]
fn a_negative_number_is_told_of_as_a_number() {
    let mut all = Vec::new();
    let mut root = Cli::command();
    // Places of what has no name are counted then.
    root.build();
    commands(&root, &["nopeek".to_owned()], &mut all);
    let mut seen = 0;
    for (words, command) in all {
        for arg in command.get_arguments().filter(|arg| is_number(arg)) {
            let before = match (arg.get_long(), arg.get_index()) {
                (Some(long), _) => vec![format!("--{long}")],
                (None, index) => vec!["x".to_owned(); index.unwrap_or(1) - 1],
            };
            let has_unit = arg.is_allow_hyphen_values_set();
            for value in ["-1", "-0.5", "-5m"].into_iter().take(if has_unit { 3 } else { 2 }) {
                let line = [words.as_slice(), &before, &[value.to_owned()]].concat();
                let error = Cli::command().try_get_matches_from(&line).err().map(|error| error.to_string());
                let error = error.unwrap_or_default();
                assert!(!error.contains("unexpected argument"), "{line:?}: {error}");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
    for (line, says) in [
        ("budget raise bb --tokens -1", "\"-1\" is no count of tokens: write it as 50000"),
        ("budget raise bb --time -5m", "\"-5m\" is no duration: write it as 90s"),
        ("run x --attempts -1", "\"-1\" is no whole number from 1 on: write it as 1, 3 or 20"),
        ("run x --attempts 0", "\"0\" is no whole number from 1 on: it is zero"),
        ("ledger --after -1", "\"-1\" is no whole number: write it as 0, 3 or 20"),
        ("ledger --limit 0", "\"0\" is no whole number from 1 on: it is zero"),
    ] {
        let words = std::iter::once("nopeek").chain(line.split(' '));
        let error = Cli::command().try_get_matches_from(words).unwrap_err().to_string();
        assert!(error.contains(says), "{line}: {error}");
    }
}
