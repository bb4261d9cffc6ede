//! `nopeek archive`, once called `forget`: removes ended tasks from the board and keeps their work.

use super::error::CliError;
use super::print;
use super::talk::Talk;
use crate::values::text::Shown;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Archive ended tasks: they leave the board; branch and uncommitted work are kept in refs/nopeek/archive.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tasks by name or number.
    #[arg(required = true)]
    tasks: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    for task in &args.tasks {
        talk.act(task, Act::Forget)?;
        print::line(&format!("{} archived", Shown::line(task)))?;
    }
    Ok(ExitCode::SUCCESS)
}
