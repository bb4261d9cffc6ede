//! `nopeek spec`: from a goal to a spec, its plan, and landed work.

pub(super) mod edit;
mod new;
mod show;

use super::error::{CliError, NOT_NOW};
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::model::event::Command;
use crate::core::model::spec::SpecCommand;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::spec::{SpecLine, SpecView};
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::duration;
use crate::wire::client::{Act, Reply, Request};
use clap::Subcommand;
use std::process::ExitCode;

/// From a goal to a spec, its plan, and landed work.
///
/// A spec is drafted by an agent, attacked by another, refined, and approved by you; then it is planned, and you approve the
/// plan; then its tasks are done, phase by phase. docs/workflow.md tells the whole way.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    New(Box<new::Args>),
    /// List all specs.
    Ls(Json),
    /// Show a spec: its contract, what was found in it, its plan with the state of each task.
    Show(Named),
    /// Approve what of a spec waits for you: the spec itself, or its plan.
    Approve(Named),
    Edit(edit::Args),
    /// Start no more tasks of a spec; those that run finish.
    Stop(Named),
    /// Go on with a stopped spec.
    GoOn(Named),
    /// Archive a spec that is over: it leaves the board; its tasks stay.
    #[command(name = "archive", alias = "forget")]
    Forget(Named),
    /// Wait until a spec is done, or needs a human.
    Wait(Wait),
}

#[derive(Debug, clap::Args)]
struct Json {
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The spec's name, or its number as s3.
    spec: String,
    /// Print the spec as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Wait {
    #[command(flatten)]
    named: Named,
    /// Give up after this long, with exit code 4.
    #[arg(long, value_name = "TIME", value_parser = duration::timeout, allow_hyphen_values = true)]
    timeout: Option<Span>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match &args.command {
        What::New(args) => new::run(args),
        What::Ls(args) => ls(args.json),
        What::Show(args) => show::run(&args.spec, args.json),
        What::Approve(args) => approve(args),
        What::Edit(args) => edit::run(args),
        What::Stop(args) => command(args, SpecCommand::Stop),
        What::GoOn(args) => command(args, SpecCommand::GoOn),
        What::Forget(args) => {
            let mut talk = Talk::open()?;
            let spec = find(&mut talk, &args.spec)?;
            talk.ask(Request::Command(Command::Spec(SpecCommand::Forget(spec.line.id))))?;
            Ok(ExitCode::SUCCESS)
        }
        What::Wait(args) => {
            let mut talk = Talk::open()?;
            let spec = find(&mut talk, &args.named.spec)?;
            wait(&mut talk, &spec, args.timeout, args.named.json)
        }
    }
}

/// The spec of this name, whole.
fn find(talk: &mut Talk, name: &str) -> Result<SpecView, CliError> {
    match talk.ask(Request::Spec(talk.named(name)))? {
        Reply::Spec(spec) => Ok(*spec),
        other => Err(CliError::odd(&other)),
    }
}

fn command(
    args: &Named,
    command: impl FnOnce(crate::values::ids::SpecId) -> SpecCommand,
) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let spec = find(&mut talk, &args.spec)?;
    talk.ask(Request::Command(Command::Spec(command(spec.line.id))))?;
    tell(&mut talk, &spec.line.id.to_string(), args.json)
}

/// Prints how a spec stands now.
fn tell(talk: &mut Talk, name: &str, json: bool) -> Result<ExitCode, CliError> {
    let spec = find(talk, name)?;
    if json {
        print::json(&spec)?;
    } else {
        print::line(&line_of(&spec.line))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line_of(line: &SpecLine) -> String {
    let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
    format!("{} {} {}{why}", line.id, Shown::line(&line.name), paint(line.stage).on(line.stage.label()))
}

const fn paint(stage: SpecStage) -> Paint {
    match stage {
        SpecStage::Done => Paint::Green,
        SpecStage::SpecReady | SpecStage::PlanReady => Paint::Yellow,
        SpecStage::Stuck => Paint::Red,
        SpecStage::Stopped => Paint::Faint,
        SpecStage::Drafting | SpecStage::Planning | SpecStage::Building | SpecStage::Soaking => Paint::Bold,
    }
}

fn ls(json: bool) -> Result<ExitCode, CliError> {
    let board = Talk::open()?.board()?;
    if json {
        print::json(&board.specs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<print::Cell>> = board
        .specs
        .iter()
        .map(|spec| {
            let tasks =
                if spec.planned == 0 { String::new() } else { format!("{}/{}", spec.landed, spec.planned) };
            let phase =
                if spec.phase.1 == 0 { String::new() } else { format!("{}/{}", spec.phase.0, spec.phase.1) };
            vec![
                (spec.id.to_string(), Paint::Faint),
                (Shown::line(&spec.name).to_string(), Paint::Bold),
                (spec.stage.label().to_owned(), paint(spec.stage)),
                (phase, Paint::Faint),
                (tasks, Paint::Faint),
                (spec.why.to_string(), Paint::Faint),
            ]
        })
        .collect();
    print::table(&["", "SPEC", "STAGE", "PHASE", "LANDED", "WHY"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn approve(args: &Named) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let spec = find(&mut talk, &args.spec)?;
    let Some(task) = spec.line.waits() else {
        let what = format!(
            "nothing of {} waits for approval: its stage is {}",
            spec.line.name,
            spec.line.stage.label()
        );
        return Err(CliError::new(NOT_NOW, what, spec.line.why.as_str()));
    };
    talk.act(&task.to_string(), Act::Approve { head: None })?;
    tell(&mut talk, &spec.line.id.to_string(), args.json)
}

/// Waits until a spec is done or needs a human.
fn wait(talk: &mut Talk, spec: &SpecView, timeout: Option<Span>, json: bool) -> Result<ExitCode, CliError> {
    let id = spec.line.id;
    let settled = talk.watch(timeout, |board| {
        let Some(line) = board.specs.iter().find(|line| line.id == id) else { return Some(None) };
        let asked = board.tasks.iter().any(|task| line.has(task.id) && task.needs_you);
        let over = matches!(line.stage, SpecStage::Done | SpecStage::Stopped);
        (over || line.needs_you || asked).then(|| Some(line.clone()))
    })?;
    let Some(line) = settled else {
        let what = format!("{} is not finished yet", spec.line.name);
        return Err(CliError::new(NOT_NOW, what, "nopeek spec show says where it stands"));
    };
    let Some(line) = line else { return Ok(ExitCode::SUCCESS) };
    if json {
        print::json(&find(talk, &id.to_string())?)?;
    } else {
        print::line(&line_of(&line))?;
    }
    let ok = line.stage == SpecStage::Done;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(super::error::NEEDS_HUMAN) })
}
