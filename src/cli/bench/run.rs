//! `nopeek bench SPEC`: begins a bench.

use super::super::error::{BAD_INPUT, CliError};
use super::super::talk::Talk;
use super::super::{launch, print};
use crate::core::model::bench::SPEC_MAX;
use crate::values::time::Span;
use crate::values::words::{count, duration};
use crate::wire::client::{BenchRequest, Reply, Request};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Let several agents do the same spec, several times each, and compare what comes of it.
#[derive(Debug, clap::Args)]
#[group(id = "bench_run")]
pub(super) struct Args {
    /// The spec: a file with a contract as specs/NAME.md has, or with a plain prompt (- is standard input).
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Who does it: agent profiles, with commas.
    #[arg(long, short, value_name = "PROFILES", value_delimiter = ',', required = true)]
    agents: Vec<String>,
    /// How often each does it.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = count::limit, allow_negative_numbers = true)]
    runs: u32,
    /// Who reviews green work and reports what is wrong with it; none: nobody. [default: as [spec] of nopeek.toml says]
    #[arg(long, value_name = "PROFILE")]
    verify: Option<String>,
    /// A command that must succeed as well as the repo's gates.
    #[arg(long, value_name = "COMMAND")]
    check: Option<String>,
    /// Attempts that a run may take by itself.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count::limit, allow_negative_numbers = true)]
    attempts: u32,
    /// Time limit of an attempt, as 90s, 1h30m or 1d.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    time: Option<Span>,
    /// Longest silence of an agent.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    silence: Option<Span>,
    /// The branch to start from, and to land the picked run on.
    #[arg(long, short, value_name = "BRANCH")]
    target: Option<String>,
    /// The bench's name; its tasks are called NAME-PROFILE-N.
    #[arg(long, short, value_name = "NAME")]
    name: Option<String>,
    /// Wait until all runs are over, or one needs a human.
    #[arg(long, short)]
    wait: bool,
    /// Print the bench as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let repo = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let text = read(&args.spec)?;
    let mut talk = Talk::open()?;
    let request = BenchRequest {
        repo,
        name: args.name.clone(),
        file: named(&args.spec, talk.repo()),
        text,
        target: args.target.clone(),
        agents: args.agents.iter().map(|name| name.trim().to_owned()).collect(),
        runs: args.runs,
        verify: args.verify.clone(),
        check: args.check.clone(),
        attempts: Some(args.attempts),
        time_ms: args.time.map(|time| time.0),
        silence_ms: args.silence.map(|time| time.0),
        env: launch::environment(),
    };
    let bench = match talk.ask(Request::BenchNew(Box::new(request)))? {
        Reply::Bench(bench) => bench,
        other => return Err(CliError::odd(&other)),
    };
    if args.wait {
        return super::until_over(&mut talk, bench.line.id, args.json);
    }
    if args.json {
        print::json(&bench)?;
    } else {
        print::line(&super::line_of(&bench.line))?;
        print::line(&format!("next: nopeek bench wait {0}, nopeek bench show {0}", bench.line.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<String, CliError> {
    let bad = |error: std::io::Error| {
        CliError::new(BAD_INPUT, format!("can't read the spec {}: {error}", file.display()), "")
    };
    let most = SPEC_MAX as u64 + 1;
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(most).read_to_string(&mut text).map_err(bad)?;
    } else {
        std::fs::File::open(file).map_err(bad)?.take(most).read_to_string(&mut text).map_err(bad)?;
    }
    Ok(text)
}

/// How the spec is called in messages and prompts: from the repo's root where it lies in the repo.
fn named(file: &Path, repo: Option<&Path>) -> String {
    if file.as_os_str() == "-" {
        return "bench".to_owned();
    }
    let whole = file.canonicalize().ok();
    let inside = whole.as_deref().zip(repo).and_then(|(file, repo)| file.strip_prefix(repo).ok());
    inside.unwrap_or(file).to_string_lossy().into_owned()
}
