//! `nopeek resume`: thaws a task, or continues an interrupted one.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Thaw a paused task, or continue the agent's own session of an interrupted one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Resume)
}
