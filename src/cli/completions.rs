//! `nopeek completions` and `nopeek man`: made from the same table as the help.

use super::error::CliError;
use super::{Cli, print};
use clap::CommandFactory as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "nopeek", &mut script);
    print::line(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Print the man page, or write one per subcommand into a folder.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write nopeek.1, nopeek-run.1 and so on into this folder.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CliError> {
    let command = Cli::command();
    if let Some(dir) = &args.dir {
        clap_mangen::generate_to(command, dir).map_err(|error| {
            CliError::world(
                format!("can't write man pages to {}: {error}", dir.display()),
                "does the folder exist?",
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::world(format!("can't render the man page: {error}"), ""))?;
    print::line(String::from_utf8_lossy(&text).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
