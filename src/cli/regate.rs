//! `nopeek regate`: reads and gates a reviewed branch again.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Read and gate a reviewed branch again, after you have changed it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Regate)
}
