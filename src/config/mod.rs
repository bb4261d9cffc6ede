//! FILES PEOPLE WRITE: the user's config, a repo's `nopeek.toml`, and which of those may run commands.

pub mod budget;
pub mod crew;
pub mod findings;
mod front;
pub mod notice;
mod numbers;
pub mod panel;
pub mod plan;
pub mod policy;
pub mod prices;
pub mod repo;
pub mod report;
pub mod schedule;
pub mod spec;
pub mod trust;
pub mod user;

use crate::agents::profile::Profile;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// What is wrong in a file that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{}: {what}", place(*.line, *.column))]
pub struct ConfigError {
    pub origin: String,
    /// From 1; 0 if it is about the whole file.
    pub line: usize,
    /// From 1.
    pub column: usize,
    pub what: String,
    /// What to write instead; may be empty.
    pub remedy: String,
}

impl ConfigError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        self.remedy.clone()
    }

    /// An error at a byte of a text.
    pub(crate) fn at(
        origin: &str,
        text: &str,
        offset: usize,
        what: String,
        remedy: impl Into<String>,
    ) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        Self { origin: origin.to_owned(), line, column, what, remedy: remedy.into() }
    }

    /// An error of the TOML reader.
    pub(crate) fn toml(origin: &str, text: &str, error: &toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span| span.start);
        let what = error.message().lines().next().unwrap_or("it can't be read").to_owned();
        let remedy = did_you_mean(error.message()).unwrap_or_default();
        Self::at(origin, text, offset, what, remedy)
    }
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

/// For "unknown field `x`, expected one of `a`, `b`": the nearest of them, else all of them.
fn did_you_mean(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next().filter(|_| message.starts_with("unknown"))?;
    let known: Vec<&str> = words.collect();
    let nearest = known.iter().min_by_key(|word| distance(wrong, word))?;
    Some(if distance(wrong, nearest) <= wrong.chars().count().div_ceil(3).max(2) {
        format!("did you mean {nearest}?")
    } else {
        format!("there are: {}", known.join(", "))
    })
}

/// How many characters must be put in, taken out or changed to make one word of another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The name of `agent = "NAME"`. A table there is somebody's profile under the wrong key, and says so.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum AgentKey {
    Name(String),
    Table(toml::Table),
    Other(toml::Value),
}

/// Reads `agent` and checks the profiles of `[agents.NAME]`.
fn agents(
    origin: &str,
    text: &str,
    agent: Option<Spanned<AgentKey>>,
    profiles: BTreeMap<String, Spanned<Profile>>,
) -> Result<(Option<String>, BTreeMap<String, Profile>), ConfigError> {
    let wrong = |span: Range<usize>, what: String, remedy: &str| {
        Err(ConfigError::at(origin, text, span.start, what, remedy))
    };
    let agent = match agent.map(|key| (key.span(), key.into_inner())) {
        None => None,
        Some((_, AgentKey::Name(name))) => Some(name),
        Some((span, AgentKey::Table(table))) => {
            let name = table.keys().next().map_or("NAME", String::as_str);
            let what = format!("agent is the name of a profile, and [agent.{name}] is a table");
            return wrong(span, what, &format!("profiles are under agents: [agents.{name}]"));
        }
        Some((span, AgentKey::Other(value))) => {
            let what = format!("agent is the name of a profile, not {}", value.type_str());
            return wrong(span, what, "write agent = \"claude\"");
        }
    };
    let mut checked = BTreeMap::new();
    for (name, profile) in profiles {
        if profile.get_ref().command.first().is_none_or(|program| program.trim().is_empty()) {
            let what = format!("agent profile {name} has no command");
            return wrong(profile.span(), what, "write command = [\"PROGRAM\", \"{prompt}\"]");
        }
        checked.insert(name, profile.into_inner());
    }
    Ok((agent, checked))
}

#[cfg(test)]
mod reference_tests;
