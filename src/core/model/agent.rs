//! What nopeek knows of an agent's program: its traits, what it says of itself, what it has used, how it ended.

use crate::values::text::Shown;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};

/// What the rules need to know of an agent profile; the rest is the edges' business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentTraits {
    /// The profile's name, as in config.
    pub profile: String,
    /// Runs until it is ended (a TUI) or exits by itself when it is done (headless).
    pub mode: AgentMode,
    /// An interactive agent whose signals can't tell "done" counts as done after this much silence.
    pub idle_done: Option<Span>,
    /// Its CLI can continue an earlier session.
    pub resumable: bool,
    /// An interactive agent that always tells its state, and has told none after this much silence, stands at a
    /// dialog of its own program: trust, a login, a new version.
    #[serde(default)]
    pub speaks: Option<Span>,
}

/// How an agent's process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentMode {
    /// Exits by itself when it is done.
    Headless,
    /// Stays; nopeek ends it once it reports that it is done.
    Interactive,
}

/// How sure a signal is; the first kind that an agent gives is believed over all later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A structured side channel of the agent's CLI (its JSON stream, its HTTP port).
    SideChannel,
    /// The Program Status Protocol, OSC 7501.
    StatusProtocol,
    /// A hook or notify program called by the CLI.
    Hook,
    Title,
    /// A notification: OSC 9, 777, 99 or the bell.
    Notification,
    /// The end of the process.
    Exit,
    /// Nothing else is known: how long it has been silent.
    Idle,
}

impl Source {
    /// The words behind "state": who says so.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SideChannel => "reported by the agent",
            Self::StatusProtocol => "reported by the agent",
            Self::Hook => "reported by its hook",
            Self::Title => "read from its title",
            Self::Notification => "from its notification",
            Self::Exit => "from its exit",
            Self::Idle => "guessed from its silence",
        }
    }
}

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Waits for a prompt.
    Idle,
    Working,
    /// Waits for a human.
    Asking(AgentQuestion),
    /// Says that its work is done.
    Done,
    /// Says that it failed; the text is its own word for it.
    Failed(Shown),
}

impl AgentState {
    /// The state in a word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "works",
            Self::Asking(_) => "asks",
            Self::Done => "says it is done",
            Self::Failed(_) => "says it failed",
        }
    }
}

/// A question of an agent: the one piece of its output that the lid lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentQuestion {
    pub kind: QuestionKind,
    /// The question's text as the agent gave it; empty if it gave none.
    pub text: Shown,
}

/// What an agent wants of a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Something about the task.
    Question,
    /// Leave to do something.
    Permission,
    Auth,
    /// A dialog of the CLI itself, not of the task: trust this folder, a new version, a model upgrade.
    StartUp,
}

/// What an agent's terminal said out of band, before a dialect has given it a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A Program Status Protocol record (OSC 7501).
    Status {
        /// `app=`, as given; empty if none.
        app: String,
        /// What it says; none for `clear`.
        state: Option<AgentState>,
    },
    /// A new window title, escape sequences excluded, otherwise as given.
    Title(String),
    /// A desktop notification (OSC 9, 777, 99).
    Notification(Shown),
    /// A progress report (OSC 9;4): busy or not.
    Progress(bool),
    /// What the program has used so far, by its own word (OSC 7501).
    Usage(Usage),
    Bell,
}

/// An observation of a supervised agent, as a pure translator or a job's edge made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The agent's state changed.
    State {
        /// Where this is known from.
        source: Source,
        state: AgentState,
    },
    /// It rang the bell.
    Bell,
    /// Its id of the session, for a later resume.
    Session(String),
    /// What it has used so far in this attempt: totals, not differences.
    Usage(Usage),
}

/// Tokens and money used by an attempt so far. None is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by the model, cached ones included.
    pub tokens_in: Option<u64>,
    /// Tokens written by the model.
    pub tokens_out: Option<u64>,
    /// Cost in millionths of a US dollar.
    pub cost_microusd: Option<u64>,
    /// Of the tokens read, those that came from a cache.
    #[serde(default)]
    pub tokens_cached: Option<u64>,
    /// The cost is not the agent's own word: its tokens by the price list.
    #[serde(default)]
    pub by_prices: bool,
}

impl Usage {
    /// Tokens read and written; none if neither is known.
    #[must_use]
    pub const fn tokens(&self) -> Option<u64> {
        match (self.tokens_in, self.tokens_out) {
            (None, None) => None,
            (Some(n), None) | (None, Some(n)) => Some(n),
            (Some(read), Some(written)) => Some(read.saturating_add(written)),
        }
    }

    /// These totals and newer ones: what is not told again stays, nothing shrinks (a stream that is read again begins
    /// at its start), and the agent's own word on its cost goes before the price list.
    #[must_use]
    pub fn and_then(self, newer: Self) -> Self {
        let most = |a: Option<u64>, b: Option<u64>| a.max(b);
        let (cost_microusd, by_prices) = match (self.cost_microusd, newer.cost_microusd) {
            (had, None) => (had, self.by_prices),
            (Some(had), Some(_)) if newer.by_prices && !self.by_prices => (Some(had), false),
            (Some(_), told) if self.by_prices && !newer.by_prices => (told, false),
            (had, told) => (most(had, told), newer.by_prices),
        };
        Self {
            tokens_in: most(self.tokens_in, newer.tokens_in),
            tokens_out: most(self.tokens_out, newer.tokens_out),
            tokens_cached: most(self.tokens_cached, newer.tokens_cached),
            cost_microusd,
            by_prices,
        }
    }
}

/// How a supervised process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Its keeper is gone and left no exit status: a reboot, a power cut, a kill -9 of the keeper.
    Unknown,
}

impl Exit {
    /// Whether it exited with code 0.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Code(0))
    }
}
