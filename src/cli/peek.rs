//! `nopeek peek`: breaks a lid, for the record.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Make the hidden screen of a task's agent visible; who, when and why go into the ledger and the report.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// Why you must see it now; it is kept in the ledger.
    #[arg(long, short, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Peek(args.reason.clone()))
}
