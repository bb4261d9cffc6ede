//! `nopeek daemon`: run, ask, end or replace the process that supervises.

use super::error::CliError;
use std::process::ExitCode;

/// Run, ask, end or replace the daemon; agents outlive it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Run the daemon here, in the foreground.
    Run,
}

pub(super) fn run(args: Args) -> Result<ExitCode, CliError> {
    match args.act {
        Act::Run => Err(CliError::world("the daemon is not there yet", "")),
    }
}
