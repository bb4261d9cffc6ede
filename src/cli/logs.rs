//! `nopeek logs`: a gate's output, or an agent's screen once its lid is lifted.

use super::error::{CliError, NOT_FOUND, NOT_NOW};
use super::print;
use super::talk::Talk;
use crate::core::views::board::{AttemptView, GateView, TaskView};
use crate::values::ids::JobId;
use crate::values::text::Shown;
use crate::values::words::count;
use crate::wire::client::{Reply, Request};
use std::process::ExitCode;

/// Print the output of a task's gate, or of its agent once its screen is visible.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The task's name, or its number as t12.
    task: String,
    /// This gate's output instead of the agent's screen.
    #[arg(long, short, value_name = "GATE", conflicts_with = "setup")]
    gate: Option<String>,
    /// The set-up hooks' output.
    #[arg(long)]
    setup: bool,
    /// The gate's run on the merged result.
    #[arg(long, requires = "gate", conflicts_with = "attempt")]
    merged: bool,
    /// Which attempt; the newest if none is given.
    #[arg(long, value_name = "N", value_parser = count::limit, allow_negative_numbers = true)]
    attempt: Option<u32>,
    /// At most so many last lines, from 1 on.
    #[arg(long, short = 'l', value_name = "N", default_value_t = 1000, value_parser = count::limit, allow_negative_numbers = true)]
    lines: u32,
    /// Print a JSON array of lines.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let task = talk.task(&args.task)?;
    let mut lines = Vec::new();
    for job in jobs(args, &task)? {
        match talk.ask(Request::Log { job, lines: args.lines })? {
            Reply::Log(log) => lines.extend(log),
            other => return Err(CliError::odd(&other)),
        }
    }
    if args.json {
        print::json(&lines)?;
    } else {
        lines.iter().try_for_each(|text| print::line(Shown::line(text).as_str()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn jobs(args: &Args, task: &TaskView) -> Result<Vec<JobId>, CliError> {
    let attempt = attempt(task, args.attempt)?;
    match &args.gate {
        Some(name) if args.merged => Ok(vec![gate_job(&task.merge_gates, name)?]),
        Some(name) => Ok(vec![gate_job(&attempt.gates, name)?]),
        None if args.setup => Ok(attempt.setup_jobs.clone()),
        None => match attempt.job {
            Some(job) => Ok(vec![job]),
            None => Err(CliError::new(
                NOT_NOW,
                format!("the agent of attempt {} has not started", attempt.no),
                "",
            )),
        },
    }
}

fn attempt(task: &TaskView, no: Option<u32>) -> Result<&AttemptView, CliError> {
    let name = Shown::line(&task.name);
    match no {
        None => task.attempt().ok_or_else(|| {
            CliError::new(
                NOT_NOW,
                format!("{name} has no attempt yet"),
                format!("`nopeek show {name}` says why"),
            )
        }),
        Some(no) => task.attempts.iter().find(|attempt| attempt.no == no).ok_or_else(|| {
            CliError::new(
                NOT_FOUND,
                format!("{name} has no attempt {no}"),
                format!("it has {}", task.attempts.len()),
            )
        }),
    }
}

fn gate_job(gates: &[GateView], name: &str) -> Result<JobId, CliError> {
    let Some(gate) = gates.iter().find(|gate| gate.name == name) else {
        let known: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        let remedy =
            if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
        return Err(CliError::new(NOT_FOUND, format!("no gate is called {:?}", name), remedy));
    };
    gate.job.ok_or_else(|| {
        let state = print::gate(gate.state).0;
        CliError::new(NOT_NOW, format!("the gate {} has no output here: {state}", Shown::line(name)), "")
    })
}
