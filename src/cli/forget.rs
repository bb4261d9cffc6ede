//! `nopeek forget`: takes ended tasks off the board.

use super::error::CliError;
use super::print;
use super::talk::Talk;
use crate::values::text::Shown;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Take ended tasks off the board; branch and worktree go to the archive.
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
        print::line(&format!("{} forgotten", Shown::line(task)))?;
    }
    Ok(ExitCode::SUCCESS)
}
