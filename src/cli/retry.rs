//! `nopeek retry`: a fresh attempt.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Start a fresh attempt with a fresh context.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// Go on from the previous attempt's branch instead of the target.
    #[arg(long)]
    keep: bool,
    /// Put this into the new attempt's prompt.
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    note: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Retry { keep: args.keep, note: args.note.clone() })
}
