//! What a subcommand says when it fails: what failed, on what, what to do; and its exit code.

use super::print;
use crate::client::ClientError;
use crate::config::ConfigError;
use crate::values::text::Shown;
use crate::wire::client::{Refusal, RefusalKind, Reply};
use std::fmt::Display;
use std::process::ExitCode;

/// A bug or a broken machine.
pub(super) const INTERNAL: u8 = 1;
/// The command line is wrong.
pub(super) const USAGE: u8 = 2;
/// No such task, repo or agent.
pub(super) const NOT_FOUND: u8 = 3;
/// The state does not allow it.
pub(super) const NOT_NOW: u8 = 4;
/// Config or input is wrong.
pub(super) const BAD_INPUT: u8 = 5;
/// The screen is hidden.
pub(super) const COVERED: u8 = 6;
/// External failure: git, the disk, a process, the socket.
pub(super) const WORLD: u8 = 7;
/// `wait` ended with a task that failed or needs a human.
pub(super) const NEEDS_HUMAN: u8 = 8;

/// `policy` found a rule that is broken.
pub(super) const BROKEN: u8 = 8;

/// A failure in words.
#[derive(Debug)]
pub(super) struct CliError {
    code: u8,
    what: String,
    remedy: String,
}

impl CliError {
    pub(super) fn new(code: u8, what: impl Display, remedy: impl Display) -> Self {
        Self { code, what: what.to_string(), remedy: remedy.to_string() }
    }

    pub(super) fn usage(what: impl Display, remedy: impl Display) -> Self {
        Self::new(USAGE, what, remedy)
    }

    pub(super) fn world(what: impl Display, remedy: impl Display) -> Self {
        Self::new(WORLD, what, remedy)
    }

    /// What failed, on what.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// What to do; empty if there is nothing to say.
    pub(super) fn remedy(&self) -> &str {
        &self.remedy
    }

    /// The daemon answered something else than was asked for.
    pub(super) fn odd(reply: &Reply) -> Self {
        let _ = reply;
        Self::new(
            INTERNAL,
            "the daemon gave an answer of another kind than the question's",
            "this is a bug: please report it",
        )
    }

    /// Standard output was closed, as by `| head`: nothing to say.
    pub(super) fn quiet() -> Self {
        Self::new(0, "", "")
    }

    /// Prints it to standard error and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        if self.what.is_empty() {
            return ExitCode::from(self.code);
        }
        for (n, line) in Shown::lines(&self.what).iter().enumerate() {
            print::complain(format_args!("{}{line}", if n == 0 { "nopeek: " } else { "  " }));
        }
        for line in Shown::lines(&self.remedy) {
            print::complain(format_args!("  {line}"));
        }
        ExitCode::from(self.code)
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.kind {
            RefusalKind::NotFound => NOT_FOUND,
            RefusalKind::NotNow => NOT_NOW,
            RefusalKind::BadInput => BAD_INPUT,
            RefusalKind::Covered => COVERED,
            RefusalKind::Failed => WORLD,
        };
        Self::new(code, refusal.what, refusal.remedy)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let remedy = error.remedy();
        Self::new(BAD_INPUT, error, remedy)
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(refusal) => refusal.into(),
            ClientError::NoDaemon => Self::new(NOT_NOW, &error, error.remedy()),
            _ => Self::world(&error, error.remedy()),
        }
    }
}
