//! `nopeek keeper DIR` (hidden): the process that owns one PTY; started by the daemon.

use super::error::CliError;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keep one job: own its PTY and its spool. For the daemon alone.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's directory.
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    crate::keeper::run(&args.dir).map_err(|error| CliError::world(error, ""))?;
    Ok(ExitCode::SUCCESS)
}
