//! `nopeek rollback`: undoes a landed task.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Make, gate and land the revert of a landed task.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Rollback)
}
