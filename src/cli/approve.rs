//! `nopeek approve`: a reviewed attempt goes into the merge queue.

use super::act;
use super::error::{BAD_INPUT, CliError};
use crate::values::ids::Oid;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Approve a task's attempt: it is merged, gated as merged, and lands.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// The full id of the head that was reviewed; refused if the branch has moved since.
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let head = args.head.as_deref().map(Oid::new).transpose();
    let head = head.map_err(|error| CliError::new(BAD_INPUT, error, "`nopeek show TASK --json` has it"))?;
    args.on.act(Act::Approve { head })
}
