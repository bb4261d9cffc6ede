//! `nopeek agents`: the agent profiles, found or not.

use super::error::CliError;
use super::print::{self, Cell, Paint};
use super::talk::Talk;
use crate::values::text::Shown;
use crate::wire::client::{AgentLine, Reply, Request};
use std::process::ExitCode;

/// List agent profiles: their program, whether it is on PATH, its version.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let agents = ask(&mut talk)?;
    if args.json {
        print::json(&agents)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = agents.iter().map(row).collect();
    print::table(&["PROFILE", "PROGRAM", "VERSION", "FROM"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn ask(talk: &mut Talk) -> Result<Vec<AgentLine>, CliError> {
    let repo = talk.repo().map(std::path::Path::to_path_buf);
    match talk.ask(Request::Agents { repo })? {
        Reply::Agents(agents) => Ok(agents),
        other => Err(CliError::odd(&other)),
    }
}

fn row(agent: &AgentLine) -> Vec<Cell> {
    let program = match &agent.path {
        Some(path) => (Shown::line(&path.to_string_lossy()).to_string(), Paint::Plain),
        None => (format!("{} (not on PATH)", Shown::line(&agent.program)), Paint::Faint),
    };
    let version = agent.version.as_ref().map(Shown::to_string).unwrap_or_default();
    vec![
        (Shown::line(&agent.name).to_string(), Paint::Bold),
        program,
        (version, Paint::Plain),
        (Shown::line(&agent.origin).to_string(), Paint::Faint),
    ]
}
