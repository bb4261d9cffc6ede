//! `nopeek`: the board.

use super::error::{CliError, INTERNAL};
use super::talk;
use crate::client::{Client, Start};
use crate::tui::{self, TuiOptions};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn run() -> Result<ExitCode, CliError> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            "the board needs a terminal",
            "`nopeek ls` prints it; `nopeek help` lists what scripts can use",
        ));
    }
    let paths = talk::paths()?;
    talk::runtime()?.block_on(async {
        let client = Client::connect(&paths, Start::IfNeeded).await?;
        open(client, talk::here()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the board until the person leaves it.
pub(super) async fn open(client: Client, repo: Option<PathBuf>) -> Result<(), CliError> {
    let options = TuiOptions { repo };
    tui::run(client, options).await.map_err(|error| CliError::new(INTERNAL, error, ""))
}
