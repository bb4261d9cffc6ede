//! `nopeek pause`: freezes a task.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Freeze a task's whole process tree and stop all its clocks.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Pause)
}
