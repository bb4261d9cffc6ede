//! THE COMMAND LINE: a file a subcommand; the args' doc comments are the help.
//!
//! Owns words, exit codes and the `--json` forms (docs/cli.md). Holds no rule of the product: a
//! subcommand asks the daemon and prints what it is told.

mod error;
mod scripted;

use clap::{Parser, Subcommand};
use error::CliError;
use std::path::PathBuf;
use std::process::ExitCode;

/// Supervise parallel coding agents, under the lid until they are done.
///
/// Without a subcommand: opens the board, and starts the daemon if there is none.
#[derive(Debug, Parser)]
#[command(name = "nopeek", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// Act as if started in this folder.
    #[arg(short = 'C', value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 internal error, 2 usage, 3 not found, 4 not now, 5 bad input, 6 covered, \
7 the world refused, 8 a task that was waited for failed or needs a human.";

#[derive(Debug, Subcommand)]
enum Command {
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
    dispatch(cli).unwrap_or_else(|error| error.report())
}

fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    if let Some(folder) = &cli.folder {
        std::env::set_current_dir(folder).map_err(|error| {
            CliError::new(error::NOT_FOUND, format!("can't enter {}: {error}", folder.display()), "")
        })?;
    }
    match cli.command {
        None => Err(CliError::usage("there is no board yet", "")),
        Some(Command::Scripted(args)) => scripted::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
