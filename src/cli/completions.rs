//! `nopeek completions` and `nopeek man`: made from the same table as the help.

use super::Cli;
use super::error::CliError;
use super::print;
use clap::CommandFactory as _;
use std::path::{Path, PathBuf};
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

/// Print the man page, or write one a subcommand into a folder.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write nopeek.1, nopeek-run.1 and so on here.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = &args.dir else {
        print::line(&String::from_utf8_lossy(&page(command)?))?;
        return Ok(ExitCode::SUCCESS);
    };
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("nopeek-{}", sub.get_name());
        write(dir, &name, page(sub.clone().display_name(&name))?)?;
    }
    write(dir, "nopeek", page(command)?)?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::world(format!("can't render the man page: {error}"), ""))?;
    Ok(text)
}

fn write(dir: &Path, name: &str, text: Vec<u8>) -> Result<(), CliError> {
    let file = dir.join(format!("{name}.1"));
    std::fs::write(&file, text).map_err(|error| {
        CliError::world(format!("can't write {}: {error}", file.display()), "does the folder exist?")
    })
}
