//! `nopeek answer`: answers the question that a task's agent asks.

use super::act;
use super::error::CliError;
use crate::core::model::event::Answer;
use crate::wire::client::Act;
use std::process::ExitCode;

/// Answer the question that a task's agent asks; its screen stays hidden.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["text", "accept", "decline"]))]
pub(super) struct Args {
    #[command(flatten)]
    on: act::On,
    /// What to type.
    text: Option<String>,
    /// Take the dialog's default or first option (Enter).
    #[arg(long)]
    accept: bool,
    /// Refuse the dialog (Escape).
    #[arg(long)]
    decline: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let answer = match &args.text {
        Some(text) => Answer::Text(text.clone()),
        None if args.accept => Answer::Accept,
        None => Answer::Decline,
    };
    args.on.act(Act::Answer(answer))
}
