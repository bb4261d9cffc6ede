//! THE COMMAND LINE: a file a subcommand; the args' doc comments are the help.
//!
//! Owns words, exit codes and the `--json` forms (docs/cli.md). Holds no rule of the product: a
//! subcommand asks the daemon and prints what it is told.

mod act;
mod agents;
mod answer;
mod approve;
mod bench;
mod board;
mod budget;
mod completions;
mod cover;
mod daemon;
mod demo;
mod diff;
mod doctor;
mod error;
mod forget;
#[cfg(test)]
mod grammar;
mod init;
mod keeper;
mod land;
mod launch;
mod ledger;
mod logs;
mod ls;
mod mcp;
mod panel;
mod pause;
mod peek;
mod policy;
mod print;
mod queue;
#[cfg(test)]
mod reference;
mod regate;
mod reject;
mod reorder;
mod report;
mod resume;
mod retry;
mod rollback;
mod schedule;
mod scripted;
mod send_back;
mod show;
mod spec;
mod stop;
mod talk;
mod trace;
mod trust;
mod wait;

use clap::{Parser, Subcommand};
use error::CliError;
use std::path::PathBuf;
use std::process::ExitCode;

/// Supervise parallel coding agents, their screens hidden until they are done.
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

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 internal error, 2 usage, 3 not found, 4 not now, 5 bad input, 6 hidden \
screen, 7 external failure (git, disk, process, socket), 8 a task that was waited for failed or needs a human, or the policy is broken.";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Run(Box<launch::Args>),
    Spec(spec::Args),
    Bench(Box<bench::Args>),
    Queue(queue::Args),
    Schedule(schedule::Args),
    Ls(ls::Args),
    Show(show::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    Stop(stop::Args),
    Retry(retry::Args),
    Answer(answer::Args),
    Diff(diff::Args),
    Approve(approve::Args),
    SendBack(send_back::Args),
    Reject(reject::Args),
    Regate(regate::Args),
    Land(land::Args),
    Rollback(rollback::Args),
    Logs(logs::Args),
    Peek(peek::Args),
    Cover(cover::Args),
    Reorder(reorder::Args),
    #[command(name = "archive", alias = "forget")]
    Forget(forget::Args),
    Wait(wait::Args),
    Budget(budget::Args),
    Ledger(ledger::Args),
    Panel(panel::Args),
    Trace(trace::Args),
    Report(report::Args),
    Agents(agents::Args),
    Mcp(mcp::Args),
    Policy(policy::Args),
    Trust(trust::Args),
    Doctor(doctor::Args),
    Daemon(daemon::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
    #[command(hide = true)]
    Keeper(keeper::Args),
    #[command(hide = true)]
    Scripted(scripted::Args),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    // A keeper stays as small as it can be: all that reading a command line takes would stay in its memory.
    if let Some(dir) = keeper::only() {
        return keeper::run(&keeper::Args { dir }).unwrap_or_else(|error| error.report());
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" for clap, with exit code 0. A closed pipe is not worth a word.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { error::USAGE } else { 0 });
        }
    };
    // For bugs alone: every expected failure is a `CliError`.
    let _ = color_eyre::install();
    dispatch(cli).unwrap_or_else(|error| error.report())
}

fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    if let Some(folder) = &cli.folder {
        std::env::set_current_dir(folder).map_err(|error| {
            CliError::new(error::NOT_FOUND, format!("can't enter {}: {error}", folder.display()), "")
        })?;
    }
    let Some(command) = cli.command else { return board::run() };
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Queue(args) => queue::run(&args),
        Command::Schedule(args) => schedule::run(&args),
        Command::Run(args) => launch::run(&args),
        Command::Ls(args) => ls::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Pause(args) => pause::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Retry(args) => retry::run(&args),
        Command::Answer(args) => answer::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Approve(args) => approve::run(&args),
        Command::SendBack(args) => send_back::run(&args),
        Command::Reject(args) => reject::run(&args),
        Command::Regate(args) => regate::run(&args),
        Command::Land(args) => land::run(&args),
        Command::Rollback(args) => rollback::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Peek(args) => peek::run(&args),
        Command::Cover(args) => cover::run(&args),
        Command::Reorder(args) => reorder::run(&args),
        Command::Forget(args) => forget::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Budget(args) => budget::run(&args),
        Command::Ledger(args) => ledger::run(&args),
        Command::Panel(args) => panel::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Agents(args) => agents::run(&args),
        Command::Mcp(args) => mcp::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Trust(args) => trust::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Daemon(args) => daemon::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => completions::man(&args),
        Command::Keeper(args) => keeper::run(&args),
        Command::Scripted(args) => scripted::run(&args),
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
