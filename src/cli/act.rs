//! What the subcommands share that do one thing to one task: its name, `--json`, `--wait`, the line they print.

use super::error::CliError;
use super::talk::Talk;
use super::{print, wait};
use crate::values::text::Shown;
use crate::wire::client::Act;
use std::process::ExitCode;

/// The task, and how to tell what came of it.
#[derive(Debug, clap::Args)]
pub(super) struct On {
    /// The task's name, or its number as t12.
    task: String,
    /// Wait until the task ends or needs a human, as `nopeek wait` does.
    #[arg(long)]
    wait: bool,
    /// Print the task as JSON.
    #[arg(long)]
    json: bool,
}

impl On {
    /// Does it, then prints how the task stands.
    pub(super) fn act(&self, act: Act) -> Result<ExitCode, CliError> {
        let talk = &mut Talk::open()?;
        // The number stays the task's, whatever becomes of its name.
        let id = talk.task(&self.task)?.id.to_string();
        talk.act(&id, act)?;
        let (task, code) = if self.wait {
            let mut ended = wait::until_settled(talk, std::slice::from_ref(&id), None)?;
            let task = ended.tasks.pop().map_or_else(|| talk.task(&id), Ok)?;
            (task, ended.code)
        } else {
            (talk.task(&id)?, ExitCode::SUCCESS)
        };
        if self.json {
            print::json(&task)?;
        } else {
            let (state, paint) = print::state(&task);
            let why = if task.why.is_empty() { String::new() } else { format!(": {}", task.why) };
            print::line(&format!("{} {}{why}", Shown::line(&task.name), paint.on(&state)))?;
        }
        Ok(code)
    }
}
