//! `nopeek reorder`: a task's place in the start queue.

use super::act;
use super::error::CliError;
use crate::values::words::count;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Move a waiting task to another place of the start queue.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// Its new place; 1 is next.
    #[arg(value_parser = count::limit, allow_negative_numbers = true)]
    place: u32,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    args.on.act(Act::Reorder(args.place as usize - 1))
}
