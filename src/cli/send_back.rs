//! `nopeek send-back`: review says no for now.

use super::act;
use super::error::CliError;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Send a task back: a fresh attempt gets the message and goes on from this one's branch.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// What is to be changed.
    message: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::SendBack(args.message.clone()))
}
