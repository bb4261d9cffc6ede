//! `nopeek bench`: the same spec by several agents, compared.

mod run;
mod show;

use super::error::{CliError, NEEDS_HUMAN, NOT_FOUND};
use super::print::{self, Paint};
use super::talk::Talk;
use super::wait;
use crate::core::model::bench::BenchCommand;
use crate::core::model::event::Command;
use crate::core::views::bench::{BenchLine, BenchView};
use crate::report::bench::page;
use crate::values::ids::BenchId;
use crate::values::text::Shown;
use crate::wire::client::{Reply, Request};
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

/// Let several agents do the same spec, several times each, and compare what comes of it.
///
/// Every run is an ordinary task: its own worktree, the repo's gates, its screen hidden. The findings of a verifier are
/// recorded and send nothing back, and nothing lands by itself: `nopeek bench pick` takes one run. Gaps in the spec, the
/// gates or the prompts that only weaker agents hit are listed.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<What>,
    #[command(flatten)]
    run: Option<run::Args>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The same as without `run`; for a spec that is called as one of these commands.
    Run(run::Args),
    /// List all benches.
    Ls {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Show a bench: the agents in order, each run, a plot, similarity of results, gaps that weaker agents hit.
    Show {
        #[command(flatten)]
        named: Named,
        /// Write it as one self-contained HTML page.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Take a run: it goes into the merge queue; the other runs end unmerged.
    Pick {
        #[command(flatten)]
        named: Named,
        /// The run, as strong-2, or its task; the best if none is named.
        run: Option<String>,
        /// Wait until it has landed or needs a human.
        #[arg(long, short)]
        wait: bool,
    },
    /// End all runs that are not over; what is over stays.
    Stop(Named),
    /// Archive a bench that is over, with those of its tasks that have ended.
    #[command(name = "archive", alias = "forget")]
    Forget(Named),
    /// Wait until all runs are over, or one needs a human.
    Wait(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The bench's name, or its number as b3.
    bench: String,
    /// Print the bench as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match (&args.command, &args.run) {
        (None, Some(args)) | (Some(What::Run(args)), _) => run::run(args),
        (None, None) => Err(CliError::usage("there is no spec", "nopeek bench SPEC --agents A,B --runs N")),
        (Some(What::Ls { json }), _) => ls(*json),
        (Some(What::Show { named, html }), _) => {
            let bench = find(&mut Talk::open()?, &named.bench)?;
            if let Some(file) = html {
                std::fs::write(file, page::page(&bench)).map_err(|error| {
                    CliError::world(format!("can't write {}: {error}", file.display()), "name another file")
                })?;
                print::line(&format!("wrote {}", file.display()))?;
                return Ok(ExitCode::SUCCESS);
            }
            tell(&bench, named.json)
        }
        (Some(What::Pick { named, run, wait }), _) => pick(named, run.as_deref(), *wait),
        (Some(What::Stop(named)), _) => command(named, BenchCommand::Stop),
        (Some(What::Forget(named)), _) => {
            let mut talk = Talk::open()?;
            let bench = find(&mut talk, &named.bench)?;
            talk.ask(Request::Command(Command::Bench(BenchCommand::Forget(bench.line.id))))?;
            Ok(ExitCode::SUCCESS)
        }
        (Some(What::Wait(named)), _) => {
            let mut talk = Talk::open()?;
            let bench = find(&mut talk, &named.bench)?;
            until_over(&mut talk, bench.line.id, named.json)
        }
    }
}

/// The bench of this name, whole.
fn find(talk: &mut Talk, name: &str) -> Result<BenchView, CliError> {
    match talk.ask(Request::Bench(talk.named(name)))? {
        Reply::Bench(bench) => Ok(*bench),
        other => Err(CliError::odd(&other)),
    }
}

/// Prints a bench, whole.
fn tell(bench: &BenchView, json: bool) -> Result<ExitCode, CliError> {
    if json {
        print::json(bench)?;
    } else {
        show::print(bench)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn command(named: &Named, act: impl FnOnce(BenchId) -> BenchCommand) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let id = find(&mut talk, &named.bench)?.line.id;
    talk.ask(Request::Command(Command::Bench(act(id))))?;
    let bench = find(&mut talk, &id.to_string())?;
    if named.json {
        print::json(&bench)?;
    } else {
        print::line(&line_of(&bench.line))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pick(named: &Named, run: Option<&str>, wait: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let bench = find(&mut talk, &named.bench)?;
    let task = match run {
        None => None,
        Some(name) => {
            let is_it = |run: &&crate::core::views::bench::RunView| {
                let task = run.task.map(|id| id.to_string());
                run.label == name || run.name.as_deref() == Some(name) || task.as_deref() == Some(name)
            };
            let found = bench.runs.iter().find(is_it).ok_or_else(|| {
                let what = format!("{} has no run {}", bench.line.name, Shown::line(name));
                CliError::new(NOT_FOUND, what, "nopeek bench show names its runs")
            })?;
            found.task
        }
    };
    let id = bench.line.id;
    talk.ask(Request::Command(Command::Bench(BenchCommand::Pick { bench: id, task })))?;
    let bench = find(&mut talk, &id.to_string())?;
    let code = match bench.line.picked.filter(|_| wait) {
        Some(task) => wait::until_settled(&mut talk, &[task.to_string()], None)?.code,
        None => ExitCode::SUCCESS,
    };
    if named.json {
        print::json(&find(&mut talk, &id.to_string())?)?;
    } else {
        print::line(&line_of(&bench.line))?;
    }
    Ok(code)
}

/// Waits until all runs are over or one needs a human, and shows what came of it.
fn until_over(talk: &mut Talk, id: BenchId, json: bool) -> Result<ExitCode, CliError> {
    let found = talk.watch(None, |board| match board.benches.iter().find(|line| line.id == id) {
        None => Some(None),
        Some(line) => (line.over.is_some() || line.needs_you).then(|| Some(line.clone())),
    })?;
    let Some(line) = found.flatten() else { return Ok(ExitCode::SUCCESS) };
    tell(&find(talk, &id.to_string())?, json)?;
    let well = line.over.is_some() && (line.needs_you || line.picked.is_some());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_HUMAN) })
}

fn line_of(line: &BenchLine) -> String {
    let (word, paint) = stands(line);
    format!("{} {} {}: {}", line.id, Shown::line(&line.name), paint.on(word), line.why)
}

const fn stands(line: &BenchLine) -> (&'static str, Paint) {
    match (line.over, line.needs_you) {
        (Some(_), _) if line.picked.is_some() => ("picked", Paint::Green),
        (Some(_), _) if line.stopped => ("stopped", Paint::Faint),
        (Some(_), true) => ("over", Paint::Yellow),
        (Some(_), false) => ("over", Paint::Red),
        (None, true) => ("waits", Paint::Yellow),
        (None, false) => ("runs", Paint::Blue),
    }
}

fn ls(json: bool) -> Result<ExitCode, CliError> {
    let board = Talk::open()?.board()?;
    if json {
        print::json(&board.benches)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<print::Cell>> = board
        .benches
        .iter()
        .map(|line| {
            let (word, paint) = stands(line);
            vec![
                (line.id.to_string(), Paint::Faint),
                (Shown::line(&line.name).to_string(), Paint::Bold),
                (word.to_owned(), paint),
                (format!("{}/{}", line.measured, line.runs), Paint::Plain),
                (line.why.to_string(), Paint::Faint),
            ]
        })
        .collect();
    print::table(&["", "BENCH", "STATE", "RUNS", "WHY"], &rows)?;
    Ok(ExitCode::SUCCESS)
}
