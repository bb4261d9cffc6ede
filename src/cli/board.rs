//! `nopeek`: the board.

use super::error::CliError;
use super::{launch, spec, talk};
use crate::client::{Client, Start};
use crate::os::paths::Paths;
use crate::tui::{self, Settings, TuiError, TuiOptions};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run() -> Result<ExitCode, CliError> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            "the board needs a terminal",
            "`nopeek ls` prints it; `nopeek help` lists what scripts can use",
        ));
    }
    let paths = talk::paths()?;
    let settings = Settings::load(&paths)?;
    talk::runtime()?.block_on(async {
        let client = Client::connect(&paths, Start::IfNeeded).await?;
        show(client, settings, paths, talk::here()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the board until the person leaves it.
pub(super) async fn open(client: Client, repo: Option<PathBuf>) -> Result<(), CliError> {
    let paths = talk::paths()?;
    let settings = Settings::load(&paths)?;
    show(client, settings, paths, repo).await
}

async fn show(
    client: Client,
    settings: Settings,
    paths: Paths,
    repo: Option<PathBuf>,
) -> Result<(), CliError> {
    let commit = |place: &Path, branch: &str| {
        spec::edit::commit(place, branch).map_err(|error| format!("{error}: {}", error.remedy()))
    };
    let options = TuiOptions { repo, paths, settings, env: launch::environment(), commit };
    tui::run(client, options).await.map_err(|error| match error {
        TuiError::DaemonGone(error) => error.into(),
        error @ TuiError::Terminal(_) => CliError::world(error, "`nopeek ls` needs none"),
    })
}
