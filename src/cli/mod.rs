//! THE COMMAND LINE: a file a subcommand; the args' doc comments are the help.
//!
//! Owns words, exit codes and the `--json` forms (docs/cli.md). Holds no rule of the product: a
//! subcommand asks the daemon and prints what it is told.

mod daemon;
mod error;
mod keeper;
mod scripted;

use clap::{Parser, Subcommand};
use error::CliError;
use std::process::ExitCode;

/// Supervise parallel coding agents, under the lid until they are done.
///
/// Without a subcommand: opens the board, and starts the daemon if there is none.
#[derive(Debug, Parser)]
#[command(name = "nopeek", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Daemon(daemon::Args),
    #[command(hide = true)]
    Keeper(keeper::Args),
    #[command(hide = true)]
    Scripted(scripted::Args),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" for clap, with exit code 0. A closed pipe is not worth a word.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { error::USAGE } else { 0 });
        }
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    match cli.command {
        None => Err(CliError::usage("no board yet", "")),
        Some(Command::Daemon(args)) => daemon::run(args),
        Some(Command::Keeper(args)) => keeper::run(&args),
        Some(Command::Scripted(args)) => scripted::run(&args),
    }
}
