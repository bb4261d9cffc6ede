//! `nopeek queue`: specs that were dropped as files: list them, have them built now or whenever one comes.

use super::error::CliError;
use super::print::{self, Paint};
use super::schedule::{ask, line, repo};
use super::talk::Talk;
use crate::core::model::batch::{BatchCommand, Place};
use crate::core::model::event::Command;
use crate::values::text::Shown;
use crate::wire::client::{QueueLine, Reply, Request, ScheduleAct};
use clap::Subcommand;
use std::process::ExitCode;

/// Specs that were dropped as files into specs/*/next: list them, build them.
///
/// A file's text is a spec's goal, its name the spec's: specs/shop/next/loyalty-card.md. It moves to `doing` beside `next`
/// while it is built, then to `done`, or to `failed` with the reason beside it. Batches (nopeek schedule) build the queue
/// too.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what lies in the queue's folders.
    Ls {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Read the queue now, and build what waits there.
    Run,
    /// Build whatever is dropped, within a minute; batches go first.
    Watch {
        /// on, or off.
        #[arg(value_enum)]
        how: How,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum How {
    /// From now on.
    On,
    /// No more.
    Off,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    match args.command {
        What::Ls { json } => return ls(&mut talk, json),
        What::Run => ask(&mut talk, ScheduleAct::Queue)?,
        What::Watch { how: How::On } => ask(&mut talk, ScheduleAct::Watch)?,
        What::Watch { how: How::Off } => {
            let repo = repo(&talk)?;
            talk.ask(Request::Command(Command::Batch(BatchCommand::Unwatch(repo))))?;
        }
    }
    let watched = line(&mut talk)?.is_some_and(|line| line.watched);
    print::line(match (args_run(args), watched) {
        (true, _) => "the queue is read now: nopeek spec ls shows what is built",
        (false, true) => "the queue is watched",
        (false, false) => "the queue is not watched",
    })?;
    Ok(ExitCode::SUCCESS)
}

const fn args_run(args: &Args) -> bool {
    matches!(args.command, What::Run)
}

fn ls(talk: &mut Talk, json: bool) -> Result<ExitCode, CliError> {
    let lines = match talk.ask(Request::Queue(repo(talk)?))? {
        Reply::Queue(lines) => lines,
        other => return Err(CliError::odd(&other)),
    };
    if json {
        print::json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |line: &QueueLine| {
        vec![
            (line.place.folder().to_owned(), paint(line.place)),
            (Shown::line(&line.file).to_string(), Paint::Bold),
            (Shown::line(&line.folder).to_string(), Paint::Faint),
            (line.why.to_string(), Paint::Faint),
        ]
    };
    let rows: Vec<Vec<print::Cell>> = lines.iter().map(row).collect();
    print::table(&["", "FILE", "FOLDER", "WHY"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

const fn paint(place: Place) -> Paint {
    match place {
        Place::Next => Paint::Yellow,
        Place::Doing => Paint::Bold,
        Place::Done => Paint::Green,
        Place::Failed => Paint::Red,
    }
}
