//! `nopeek keeper DIR` (hidden): the process that owns one PTY; started by the daemon.

use super::error::CliError;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keep one job: own its PTY and its spool. For the daemon alone.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's directory.
    pub(super) dir: PathBuf,
}

/// The job's directory, if this process was started as a keeper in the one way that the daemon does it.
pub(super) fn only() -> Option<PathBuf> {
    let mut args = std::env::args_os().skip(1);
    let (command, dir) = (args.next()?, args.next()?);
    (command == "keeper" && args.next().is_none() && !dir.as_encoded_bytes().starts_with(b"-"))
        .then(|| dir.into())
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    crate::keeper::run(&args.dir).map_err(|error| CliError::world(error, ""))?;
    Ok(ExitCode::SUCCESS)
}
