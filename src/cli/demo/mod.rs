//! `nopeek demo`: a throw-away repository with real gates, six scripted agents, and the board on it.
//!
//! Promises: nothing of the user's is touched (a folder of its own holds repository, ledger and daemon); when the
//! demo ends, by whatever signal but kill -9, its daemon and all its jobs are ended and the folder is
//! removed; what a kill -9 leaves, the next demo removes.

mod place;
mod project;
mod story;

use super::error::CliError;
use super::talk;
use crate::client::{Client, Start};
use crate::wire::client::{Reply, Request};
use place::Place;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// Show what nopeek does, on a throw-away repository, with scripted agents; needs no account, network or agent.
///
/// Opens the board on six tasks: one passes, one is fixed by its second attempt, one asks, two conflict at
/// the merge, one never ends and is timed out. Everything is removed when you leave.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Without the board: drive the six tasks to their ends and tell what happens.
    #[arg(long)]
    headless: bool,
    /// The demo's folder; set by the demo itself.
    #[arg(long, hide = true)]
    place: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match &args.place {
        None => Err(restart(args.headless)?),
        Some(root) => show(root, args.headless),
    }
}

/// Starts this program anew, inside a fresh demo's environment: everything it starts is then part of the demo.
/// Comes back only with an error.
fn restart(headless: bool) -> Result<CliError, CliError> {
    place::clear_stale();
    let root = place::make_root()?;
    let program = std::env::current_exe()
        .map_err(|error| CliError::world(format!("can't find our own program: {error}"), ""))?;
    let mut command = Command::new(&program);
    command.arg("demo").arg("--place").arg(&root).env("NOPEEK_HOME", root.join("home"));
    for key in ["NOPEEK_SCRIPT", "NOPEEK_ATTEMPT"] {
        command.env_remove(key);
    }
    if headless {
        command.arg("--headless");
    }
    let error = command.exec();
    Ok(CliError::world(format!("can't start {}: {error}", program.display()), ""))
}

fn show(root: &std::path::Path, headless: bool) -> Result<ExitCode, CliError> {
    // Dropped last, whatever happens: it ends the daemon, the jobs and the folder.
    let place = Place::take(root)?;
    project::write(&place.repo())?;
    trust(&place)?;
    std::env::set_current_dir(place.repo())
        .map_err(|error| CliError::world(format!("can't enter {}: {error}", place.repo().display()), ""))?;
    let runtime = talk::runtime()?;
    let told = runtime.block_on(async {
        tokio::select! {
            told = async { if headless { headless_demo().await } else { board(&place).await } } => told,
            name = ended() => Err(CliError::world(format!("the demo was ended by {name}"), "")),
        }
    });
    drop(runtime);
    if !headless {
        super::print::line("ending the demo: its daemon, its agents, its folder")?;
    }
    drop(place);
    told
}

fn trust(place: &Place) -> Result<(), CliError> {
    let text = project::config();
    crate::config::trust::grant(&talk::paths()?, &place.repo(), text)
        .map_err(|error| CliError::world(error, ""))
}

async fn launched() -> Result<Client, CliError> {
    let mut client = Client::connect(&talk::paths()?, Start::IfNeeded).await?;
    match client.request(Request::Run(project::tasks()?)).await? {
        Reply::Launched(_) => Ok(client),
        other => Err(CliError::odd(&other)),
    }
}

async fn board(place: &Place) -> Result<ExitCode, CliError> {
    let client = launched().await?;
    super::board::open(client, Some(place.repo())).await?;
    Ok(ExitCode::SUCCESS)
}

async fn headless_demo() -> Result<ExitCode, CliError> {
    let client = launched().await?;
    story::tell(client).await
}

/// Waits for a signal that ends programs; its name.
async fn ended() -> &'static str {
    let (Ok(mut term), Ok(mut hup), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = hup.recv() => "SIGHUP",
        _ = int.recv() => "SIGINT",
    }
}
