//! `nopeek daemon`: run, ask, end or replace the process that supervises.

use super::error::{CliError, NOT_NOW, WORLD};
use super::ledger::moment;
use super::print;
use super::talk::{self, Talk};
use crate::client::{Client, ClientError, Start};
use crate::daemon::DaemonError;
use crate::os::clock;
use crate::values::text::Shown;
use crate::values::words::duration;
use crate::values::words::plural::counted;
use crate::wire::client::{DaemonStatus, Reply, Request};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

/// How long a daemon may take to end: it finishes what it is writing.
const END_MAX: Duration = Duration::from_secs(60);

/// Run, ask, end or replace the daemon; agents outlive it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Run the daemon here; what other subcommands start by themselves.
    Run,
    /// Say whether it runs, since when, and what it holds. Exit code 4 if none runs.
    Status {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// End it; agents go on, and the next daemon takes them over.
    Stop,
    /// End it and start this program's; agents go on. Do this after an upgrade.
    Restart,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match args.act {
        Act::Run => serve(),
        Act::Status { json } => status(json),
        Act::Stop => {
            let said = if stop()? { "the daemon has ended; agents go on" } else { "no daemon runs" };
            print::line(said)?;
            Ok(ExitCode::SUCCESS)
        }
        Act::Restart => {
            stop()?;
            let status = ask(&mut Talk::open()?)?;
            let jobs = counted(status.jobs, "live job");
            print::line(&format!("the daemon runs: process {}, {jobs}", status.pid))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn serve() -> Result<ExitCode, CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::world(format!("can't find our own program: {error}"), ""))?;
    crate::daemon::run(talk::paths()?, program).map_err(|error| {
        let code = if matches!(error, DaemonError::SecondDaemon { .. }) { NOT_NOW } else { WORLD };
        CliError::new(code, &error, error.remedy())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn status(json: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open_running()?;
    let status = ask(&mut talk)?;
    if json {
        print::json(&status)?;
    } else {
        print::line(&format!("process  {}", status.pid))?;
        print::line(&format!("version  {}", Shown::line(&status.version)))?;
        print::line(&format!("since    {}", moment(status.started)))?;
        print::line(&format!("jobs     {} live", status.jobs))?;
        print::line(&format!("clients  {}", status.clients))?;
        print::line(&format!("ledger   {}", counted(status.facts, "event")))?;
        print::line(&format!("data     {}", Shown::line(&status.data.to_string_lossy())))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn ask(talk: &mut Talk) -> Result<DaemonStatus, CliError> {
    match talk.ask(Request::Status)? {
        Reply::Status(status) => Ok(status),
        other => Err(CliError::odd(&other)),
    }
}

/// Ends the daemon, whatever its version, and waits until it has; false if none runs.
fn stop() -> Result<bool, CliError> {
    let paths = talk::paths()?;
    let socket = paths.socket();
    let shutdown = talk::runtime()?.block_on(async {
        let mut client = Client::connect(&paths, Start::Never).await?;
        client.request(Request::Shutdown).await
    });
    match shutdown {
        Ok(_) | Err(ClientError::Closed) => {}
        Err(ClientError::NoDaemon) => return Ok(false),
        Err(ClientError::WrongVersion { .. }) => terminate(&socket)?,
        Err(error) => return Err(error.into()),
    }
    let began = clock::instant();
    while UnixStream::connect(&socket).is_ok() {
        if began.elapsed() > END_MAX {
            return Err(CliError::new(
                NOT_NOW,
                format!("the daemon did not end within {}", duration::long(END_MAX.into())),
                "its log says what it is doing: `nopeek doctor` has the path",
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// A daemon that does not speak our protocol understands a signal.
fn terminate(socket: &std::path::Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::world(format!("can't end the daemon: {error}"), "");
    let stream = UnixStream::connect(socket).map_err(failed)?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(|error| failed(error.into()))?;
    let pid: Pid = peer.pid;
    kill_process(pid, Signal::TERM).map_err(|error| failed(error.into()))
}
