//! `nopeek reject`: review says no.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Reject a task's attempt: the task ends unmerged; its work stays in the archive.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// Why, for the ledger.
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Reject(args.reason.clone()))
}
