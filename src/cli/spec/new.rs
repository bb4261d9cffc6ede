//! `nopeek spec new`: from a goal to a spec.

use super::super::error::{BAD_INPUT, CliError};
use super::super::talk::Talk;
use super::super::{launch, print};
use crate::values::words::count;
use crate::wire::client::{Reply, Request, SpecRequest};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Have a spec written for a goal, attacked, refined; then planned and built, as you approve.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What should be true when it is done.
    #[arg(required_unless_present = "file")]
    goal: Option<String>,
    /// Read the goal from a file (- is standard input): notes, an issue, a draft of a spec.
    #[arg(long, short, value_name = "FILE", conflicts_with = "goal")]
    file: Option<PathBuf>,
    /// The spec's name; specs/NAME.md is its file.
    #[arg(long, short, value_name = "NAME")]
    name: Option<String>,
    /// The branch to land on.
    #[arg(long, short, value_name = "BRANCH")]
    target: Option<String>,
    /// Who drafts it: an agent profile.
    #[arg(long, value_name = "PROFILE")]
    draft: Option<String>,
    /// Who attacks it; best another model. none: nobody.
    #[arg(long, value_name = "PROFILE")]
    review: Option<String>,
    /// Who plans it.
    #[arg(long, value_name = "PROFILE")]
    plan: Option<String>,
    /// Who does its tasks.
    #[arg(long, value_name = "PROFILE")]
    work: Option<String>,
    /// Who verifies finished work; best another model. none: nobody.
    #[arg(long, value_name = "PROFILE")]
    verify: Option<String>,
    /// How often it is attacked and refined.
    #[arg(long, value_name = "N", value_parser = count::read::<u32>, allow_negative_numbers = true)]
    passes: Option<u32>,
    /// How often a verifier's findings send work back.
    #[arg(long, value_name = "N", value_parser = count::read::<u32>, allow_negative_numbers = true)]
    rounds: Option<u32>,
    /// Approve in advance: spec, plan, work; several with commas. none: nothing, whatever config says.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    ahead: Option<Vec<String>>,
    /// Wait until it is done or needs a human, as `nopeek spec wait` does.
    #[arg(long, short)]
    wait: bool,
    /// Print the spec as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let goal = match (&args.goal, &args.file) {
        (Some(goal), _) => goal.clone(),
        (None, Some(file)) => read(file)?,
        (None, None) => String::new(),
    };
    let repo = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let ahead = args.ahead.clone().map(|words| match words.as_slice() {
        [none] if none == "none" => Vec::new(),
        _ => words,
    });
    let request = SpecRequest {
        repo,
        name: args.name.clone(),
        goal,
        target: args.target.clone(),
        draft: args.draft.clone(),
        review: args.review.clone(),
        plan: args.plan.clone(),
        work: args.work.clone(),
        verify: args.verify.clone(),
        passes: args.passes,
        rounds: args.rounds,
        ahead,
        env: launch::environment(),
    };
    let mut talk = Talk::open()?;
    let spec = match talk.ask(Request::SpecNew(Box::new(request)))? {
        Reply::Spec(spec) => spec,
        other => return Err(CliError::odd(&other)),
    };
    if args.wait {
        return super::wait(&mut talk, &spec, None, args.json);
    }
    if args.json {
        print::json(&spec)?;
    } else {
        print::line(&super::line_of(&spec.line))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &std::path::Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut open| open.read_to_string(&mut text))
    };
    read.map_err(|error| {
        CliError::new(BAD_INPUT, format!("can't read the goal from {}: {error}", file.display()), "")
    })?;
    Ok(text)
}
