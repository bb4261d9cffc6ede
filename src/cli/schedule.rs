//! `nopeek schedule`: batches by the clock: switch them on and off, see them, have one now.

use super::error::{CliError, NEEDS_HUMAN, NOT_FOUND, NOT_NOW};
use super::launch::environment;
use super::ledger::moment;
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::model::batch::{BatchCommand, PhaseOutcome};
use crate::core::model::event::Command;
use crate::core::views::batch::BatchLine;
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::duration;
use crate::values::words::plural::counted;
use crate::wire::client::{Request, ScheduleAct, ScheduleRequest};
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

/// Batches by the clock: supervise, build what waits in the queue, maintain, test, report.
///
/// `[schedule]` of nopeek.toml says when and what. It runs agents, so nothing begins before you switch it on here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read [schedule] of this repo, and begin batches by it from now on. Again after each change of it.
    On,
    /// Begin no more batches by the clock; an open one finishes.
    Off,
    /// Show this repo's schedule, its batch under way and what the last one came to.
    Show {
        /// Of all repos.
        #[arg(long)]
        all: bool,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Print when the next batches are due.
    Next {
        /// How many.
        #[arg(default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10), allow_negative_numbers = true)]
        count: u8,
    },
    /// Begin a batch now, whether or not the schedule is on.
    Run {
        /// Wait until it is over. Exit code 8: a phase of it failed, or ran out of time.
        #[arg(long)]
        wait: bool,
        /// Stop waiting after this long, with exit code 4.
        #[arg(long, value_name = "TIME", value_parser = duration::timeout, allow_hyphen_values = true, requires = "wait")]
        timeout: Option<Span>,
    },
    /// End the batch under way; what it builds goes on in the next.
    Stop,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match args.command {
        What::On => {
            let mut talk = Talk::open()?;
            ask(&mut talk, ScheduleAct::On)?;
            tell(&mut talk)
        }
        What::Off => command(BatchCommand::Off),
        What::Show { all, json } => show(all, json),
        What::Next { count } => next(count),
        What::Run { wait, timeout } => {
            let mut talk = Talk::open()?;
            let before = line(&mut talk)?.and_then(|line| line.last).map_or(0, |(batch, ..)| batch);
            ask(&mut talk, ScheduleAct::Run)?;
            if wait { self::wait(&mut talk, before, timeout) } else { tell(&mut talk) }
        }
        What::Stop => command(BatchCommand::Stop),
    }
}

/// Asks for something that takes the repo's config and who is here.
pub(super) fn ask(talk: &mut Talk, act: ScheduleAct) -> Result<(), CliError> {
    let repo = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell which folder this is: {error}"), ""))?;
    let wish = ScheduleRequest { repo, act, env: environment() };
    talk.ask(Request::Schedule(Box::new(wish))).map(drop)
}

/// The main checkout of the repo that the person stands in.
pub(super) fn repo(talk: &Talk) -> Result<PathBuf, CliError> {
    let here = talk.repo().map(std::path::Path::to_owned);
    here.ok_or_else(|| {
        CliError::new(NOT_FOUND, "this is no git repository", "stand in the repo, or name it with -C")
    })
}

fn command(of: impl FnOnce(PathBuf) -> BatchCommand) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let repo = repo(&talk)?;
    talk.ask(Request::Command(Command::Batch(of(repo))))?;
    tell(&mut talk)
}

/// This repo's line of the board.
pub(super) fn line(talk: &mut Talk) -> Result<Option<BatchLine>, CliError> {
    let repo = repo(talk)?;
    Ok(talk.board()?.batches.into_iter().find(|line| line.repo == repo))
}

/// Prints how the schedule stands.
fn tell(talk: &mut Talk) -> Result<ExitCode, CliError> {
    match line(talk)? {
        Some(line) => print::line(&summary(&line))?,
        None => print::line("no batch is due")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(line: &BatchLine) -> String {
    let on = if line.on { Paint::Green.on("on") } else { Paint::Faint.on("off") };
    format!("schedule {on} · {}", line.text)
}

fn show(all: bool, json: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let here = if all { None } else { Some(repo(&talk)?) };
    let mut lines = talk.board()?.batches;
    lines.retain(|line| here.as_ref().is_none_or(|here| line.repo == *here));
    if json {
        print::json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    if lines.is_empty() {
        print::line("no schedule: nopeek schedule on reads it from nopeek.toml")?;
    }
    for line in lines {
        page(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(line: &BatchLine) -> Result<(), CliError> {
    print::line(&format!(
        "{}  {}",
        Paint::Bold.on(&Shown::line(&line.repo.display().to_string()).to_string()),
        summary(line)
    ))?;
    let phases: Vec<String> = line
        .phases
        .iter()
        .map(|(phase, limit)| format!("{} {}", phase.label(), duration::exact(*limit)))
        .collect();
    let when = line.cron.as_deref().unwrap_or("on request");
    print::line(&format!("  when    {when}\n  phases  {}", phases.join(", ")))?;
    if let Some(next) = line.next {
        print::line(&format!("  next    {}", moment(next)))?;
    }
    if line.watched {
        print::line("  queue   watched: what is dropped is built at once")?;
    }
    for file in &line.waiting {
        print::line(&format!("  waits   {}", Shown::line(file)))?;
    }
    if let Some(open) = &line.open {
        print::line(&format!(
            "  batch {} since {}, {}",
            open.id,
            moment(open.opened),
            counted(open.tasks.len(), "task")
        ))?;
        for (phase, outcome, why) in &open.over {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            print::line(&format!("    {} {}{why}", phase.label(), paint(*outcome).on(outcome.label())))?;
        }
    }
    if let Some((batch, at, lines)) = &line.last {
        print::line(&format!("  batch {batch} ended {}", moment(*at)))?;
        for line in lines {
            print::line(&format!("    {line}"))?;
        }
    }
    Ok(())
}

const fn paint(outcome: PhaseOutcome) -> Paint {
    match outcome {
        PhaseOutcome::Done => Paint::Green,
        PhaseOutcome::Skipped => Paint::Faint,
        PhaseOutcome::TimedOut | PhaseOutcome::Stopped => Paint::Yellow,
        PhaseOutcome::Failed => Paint::Red,
    }
}

fn next(count: u8) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let line = line(&mut talk)?.filter(|line| line.on);
    let Some(line) = line else {
        return Err(CliError::new(
            NOT_NOW,
            "the schedule of this repo is off",
            "nopeek schedule on reads it from nopeek.toml",
        ));
    };
    if let Some(open) = &line.open {
        print::line(&format!("batch {} is under way", open.id))?;
    }
    for at in line.due.iter().take(usize::from(count)) {
        print::line(&moment(*at))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until a batch after `before` is over.
fn wait(talk: &mut Talk, before: u64, timeout: Option<Span>) -> Result<ExitCode, CliError> {
    let repo = repo(talk)?;
    let over = talk.watch(timeout, |board| {
        let line = board.batches.iter().find(|line| line.repo == repo)?;
        line.last.clone().filter(|(batch, ..)| *batch > before)
    })?;
    let Some((batch, at, lines)) = over else {
        return Err(CliError::new(
            NOT_NOW,
            "the batch is not over yet",
            "nopeek schedule show says where it stands",
        ));
    };
    print::line(&format!("batch {batch} ended {}", moment(at)))?;
    for line in &lines {
        print::line(&format!("  {line}"))?;
    }
    let ill = [PhaseOutcome::Failed.label(), PhaseOutcome::TimedOut.label(), PhaseOutcome::Stopped.label()];
    let failed = lines.iter().any(|line| ill.iter().any(|word| is_outcome(line.as_str(), word)));
    Ok(if failed { ExitCode::from(NEEDS_HUMAN) } else { ExitCode::SUCCESS })
}

/// Whether a line is that of a phase that came out so.
fn is_outcome(line: &str, word: &str) -> bool {
    crate::core::model::batch::BatchPhase::ALL.iter().any(|phase| {
        line.strip_prefix(phase.label())
            .and_then(|rest| rest.strip_prefix(": "))
            .is_some_and(|rest| rest.starts_with(word))
    })
}
