//! What an agent's signals and output mean: one [`Listener`] an agent, on top of its CLI's dialect.
//!
//! Promises: bounded memory; of several sources the best one that has ever spoken is believed; a state is said once
//! until it changes. Flashes (idle, working, idle within a blink) are passed on: to wait them out is the business of
//! the caller, who has a clock.

use super::profile::{Dialect, Profile};
use super::{aider, claude, codex, gemini, opencode, pi, qwen};
use crate::core::model::agent::{
    AgentMode, AgentQuestion, AgentState, Observation, QuestionKind, Signal, Source, Usage,
};
use crate::core::model::price::Prices;
use crate::values::text::Shown;
use serde_json::Value;
use std::collections::HashMap;

/// Longest line of a structured stream that is read: a whole file in a tool's answer fits. Longer ones are skipped.
const LINE_MAX: usize = 1024 * 1024;
/// Most messages whose usage is told apart; of more, the sum is right only if they don't repeat.
const MESSAGES_MAX: usize = 4096;

/// Longest name of a model.
const MODEL_MAX: usize = 200;

/// Listens to one agent.
#[derive(Debug)]
pub struct Listener {
    dialect: Dialect,
    /// Its output is a stream of lines to be read.
    has_stream: bool,
    line: Vec<u8>,
    too_long: bool,
    best: Option<Source>,
    last: Option<AgentState>,
    has_worked: bool,
    counted: Counted,
}

/// What a title says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Title {
    /// It waits for a prompt: after work, it is done.
    Ready,
    Working,
    /// It waits for a human.
    Asking,
    /// It does nothing, for whatever reason.
    Idle,
}

/// What one line of a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Session(String),
    State(AgentState),
    Usage(Usage),
}

impl Said {
    pub(super) fn session(value: &Value) -> Option<Self> {
        // An id becomes an argument later on: it must not be an option.
        let id = value.as_str()?;
        let is_id = !id.is_empty()
            && id.len() <= 128
            && !id.starts_with('-')
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        is_id.then(|| Self::Session(id.to_owned()))
    }

    pub(super) fn failed(text: &str) -> Self {
        Self::State(AgentState::Failed(Shown::line(text)))
    }
}

/// What an agent has used, added up over messages that may be told more than once, and priced where it does not tell its
/// cost itself.
#[derive(Debug, Default)]
pub(super) struct Counted {
    prices: Prices,
    /// The model whose tokens are told: the last one that was named, at first the profile's.
    model: Option<String>,
    by_message: HashMap<String, One>,
    unnamed: One,
    /// The last message ended in an error, in these words.
    pub(super) error: Option<String>,
}

/// What one message used, and what that costs by the prices; none: unknown.
#[derive(Clone, Copy, Debug)]
struct One {
    usage: Usage,
    priced: Option<u64>,
}

impl Default for One {
    fn default() -> Self {
        Self { usage: Usage::default(), priced: Some(0) }
    }
}

impl One {
    fn plus(self, other: Self) -> Self {
        let priced = self.priced.zip(other.priced).map(|(a, b)| a.saturating_add(b));
        Self { usage: add(self.usage, other.usage), priced }
    }

    /// What the agent itself tells of its cost, else what the prices say of all of it.
    fn told(self) -> Said {
        let usage = self.usage;
        Said::Usage(match (usage.cost_microusd, self.priced) {
            (None, Some(_)) if usage.tokens().is_some() => {
                Usage { cost_microusd: self.priced, by_prices: true, ..usage }
            }
            (Some(_) | None, Some(_) | None) => usage,
        })
    }
}

impl Counted {
    /// By these prices; `model` is used until another is named.
    pub(super) fn new(prices: Prices, model: Option<String>) -> Self {
        Self { prices, model, ..Self::default() }
    }

    /// Names the model whose tokens are told from here on.
    pub(super) fn model(&mut self, name: &Value) {
        let name = name.as_str().filter(|name| !name.is_empty() && name.len() <= MODEL_MAX);
        if let Some(name) = name.filter(|name| self.model.as_deref() != Some(name)) {
            self.model = Some(name.to_owned());
        }
    }

    fn one(&self, usage: Usage) -> One {
        One { usage, priced: self.model.as_deref().and_then(|model| self.prices.cost(model, &usage)) }
    }

    /// Takes what one message used: told again, its last word counts. Gives the sum.
    pub(super) fn message(&mut self, id: &str, usage: Usage) -> Said {
        let one = self.one(usage);
        if id.is_empty() || (self.by_message.len() >= MESSAGES_MAX && !self.by_message.contains_key(id)) {
            self.unnamed = self.unnamed.plus(one);
        } else {
            self.by_message.insert(id.to_owned(), one);
        }
        self.by_message.values().fold(self.unnamed, |sum, one| sum.plus(*one)).told()
    }

    /// Takes a total, which stands for itself.
    pub(super) fn total(&self, usage: Usage) -> Said {
        self.one(usage).told()
    }
}

fn add(a: Usage, b: Usage) -> Usage {
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Usage {
        tokens_in: sum(a.tokens_in, b.tokens_in),
        tokens_out: sum(a.tokens_out, b.tokens_out),
        cost_microusd: sum(a.cost_microusd, b.cost_microusd),
        tokens_cached: sum(a.tokens_cached, b.tokens_cached),
        by_prices: a.by_prices || b.by_prices,
    }
}

/// The sum of those fields of `object` that are numbers; none if none is.
pub(super) fn sum(object: &Value, fields: &[&str]) -> Option<u64> {
    fields.iter().filter_map(|field| object[*field].as_u64()).reduce(u64::saturating_add)
}

/// What a CLI tells of its cost, in dollars, as millionths. One that does not know a model's price tells zero: with tokens
/// used, that is unknown.
pub(super) fn own_cost(value: &Value, usage: &Usage) -> Option<u64> {
    microusd(value).filter(|cost| *cost > 0 || usage.tokens() == Some(0))
}

/// Dollars as millionths.
fn microusd(value: &Value) -> Option<u64> {
    let dollars = value.as_f64().filter(|dollars| (0.0..1e9).contains(dollars))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    Some((dollars * 1e6).round() as u64)
}

impl Listener {
    /// For an agent of this profile. Where it does not tell its cost, its tokens cost what `prices` say.
    #[must_use]
    pub fn new(profile: &Profile, prices: Prices) -> Self {
        let speaks = profile.dialect != Dialect::Plain;
        Self {
            dialect: profile.dialect,
            has_stream: speaks && (profile.mode == AgentMode::Headless || profile.dialect == Dialect::Aider),
            line: Vec::new(),
            too_long: false,
            best: None,
            last: None,
            has_worked: false,
            counted: Counted::new(prices, profile.model.clone()),
        }
    }

    /// Whether its output is read: a stream's sums need all of it, from the first line on.
    #[must_use]
    pub const fn reads_output(&self) -> bool {
        self.has_stream
    }

    /// What a signal of its terminal means.
    pub fn signal(&mut self, signal: &Signal) -> Vec<Observation> {
        let observation = match signal {
            Signal::Status { state, .. } => {
                let state = state.clone().map(|state| self.placed(state));
                state.and_then(|state| self.state(Source::StatusProtocol, state))
            }
            Signal::Title(title) => self.title(title),
            Signal::Notification(text) => self.notification(text),
            Signal::Progress(true) => self.state(Source::Notification, AgentState::Working),
            Signal::Progress(false) => None,
            Signal::Bell => Some(Observation::Bell),
            // A known CLI's records are read; what its terminal says of use is some tool's output.
            Signal::Usage(usage) => (self.dialect == Dialect::Plain)
                .then(|| self.counted.total(*usage))
                .and_then(|said| self.say(said)),
        };
        observation.into_iter().collect()
    }

    /// What it printed, split anywhere.
    pub fn output(&mut self, bytes: &[u8]) -> Vec<Observation> {
        let mut observations = Vec::new();
        if !self.has_stream {
            return observations;
        }
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.hold(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.line);
            if !std::mem::take(&mut self.too_long) {
                self.read(&line, &mut observations);
            }
            self.line = line;
            self.line.clear();
            self.line.shrink_to(64 * 1024);
        }
        self.hold(rest);
        observations
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.too_long || self.line.len() + bytes.len() > LINE_MAX {
            self.too_long = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn read(&mut self, line: &[u8], observations: &mut Vec<Observation>) {
        let counted = &mut self.counted;
        let said = if self.dialect == Dialect::Aider {
            aider::line(counted, &String::from_utf8_lossy(line))
        } else {
            // A terminal's start-up sequences may stand before the first line.
            let Some(start) = memchr::memchr(b'{', &line[..line.len().min(256)]) else { return };
            let Ok(value) = serde_json::from_slice::<Value>(&line[start..]) else { return };
            match self.dialect {
                Dialect::Claude => claude::line(counted, &value),
                Dialect::Codex => codex::line(counted, &value),
                Dialect::Opencode => opencode::line(counted, &value),
                Dialect::Gemini => gemini::line(counted, &value),
                Dialect::Qwen => qwen::line(counted, &value),
                Dialect::Pi => pi::line(counted, &value),
                Dialect::Plain | Dialect::Aider => Vec::new(),
            }
        };
        for said in said {
            observations.extend(self.say(said));
        }
    }

    fn say(&mut self, said: Said) -> Option<Observation> {
        match said {
            Said::Session(id) => Some(Observation::Session(id)),
            Said::Usage(usage) => Some(Observation::Usage(usage)),
            Said::State(state) => self.state(Source::SideChannel, state),
        }
    }

    fn title(&mut self, title: &str) -> Option<Observation> {
        let meaning = match self.dialect {
            Dialect::Claude => claude::title(title),
            Dialect::Codex => codex::title(title),
            Dialect::Gemini => gemini::title(title),
            Dialect::Qwen => qwen::title(title),
            Dialect::Plain | Dialect::Opencode | Dialect::Pi | Dialect::Aider => None,
        }?;
        let state = match meaning {
            Title::Ready if self.has_worked => AgentState::Done,
            Title::Ready | Title::Idle => AgentState::Idle,
            Title::Working => AgentState::Working,
            Title::Asking => self.placed(AgentState::Asking(AgentQuestion {
                kind: QuestionKind::Permission,
                text: Shown::default(),
            })),
        };
        self.state(Source::Title, state)
    }

    fn notification(&mut self, text: &Shown) -> Option<Observation> {
        let lower = text.as_str().to_lowercase();
        let asks =
            self.dialect != Dialect::Plain && (lower.contains("permission") || lower.contains("approval"));
        if !asks {
            return Some(Observation::Bell);
        }
        let ask = AgentState::Asking(AgentQuestion { kind: QuestionKind::Permission, text: text.clone() });
        let ask = self.placed(ask);
        self.state(Source::Notification, ask)
    }

    /// A question before the first work of a known CLI is one of the CLI's own dialogs, but for a login.
    fn placed(&self, state: AgentState) -> AgentState {
        match state {
            AgentState::Asking(AgentQuestion {
                kind: QuestionKind::Question | QuestionKind::Permission,
                text,
            }) if !self.has_worked && self.dialect != Dialect::Plain => {
                AgentState::Asking(AgentQuestion { kind: QuestionKind::StartUp, text })
            }
            state => state,
        }
    }

    fn state(&mut self, source: Source, state: AgentState) -> Option<Observation> {
        if self.best.is_some_and(|best| best < source) {
            return None;
        }
        self.best = Some(source);
        // These two speak the Program Status Protocol; their titles move while they start.
        let is_start = source == Source::Title && matches!(self.dialect, Dialect::Codex | Dialect::Claude);
        self.has_worked |= state == AgentState::Working && !is_start;
        if self.last.as_ref() == Some(&state) {
            return None;
        }
        self.last = Some(state.clone());
        Some(Observation::State { source, state })
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
