//! `nopeek ledger`: what was decided, when, and by whom.

use super::error::CliError;
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::text::Shown;
use crate::core::time::Time;
use crate::wire::client::{Reply, Request};
use std::process::ExitCode;

/// Print the ledger: every decision, oldest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of this task.
    task: Option<String>,
    /// Only lines with a larger number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// At most so many, the newest.
    #[arg(long, short = 'l', value_name = "N", default_value_t = 200)]
    limit: u32,
    /// Print a JSON array of lines.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let task = args.task.as_deref().map(|name| talk.named(name));
    let lines = match talk.ask(Request::Ledger { task, after: args.after, limit: args.limit })? {
        Reply::Ledger(lines) => lines,
        other => return Err(CliError::odd(&other)),
    };
    if args.json {
        print::json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in &lines {
        let head = Paint::Faint.on(&format!("{:>6} {}", line.seq, moment(line.at)));
        let name = Paint::Bold.on(Shown::line(&line.name).as_str());
        let space = if line.name.is_empty() { "" } else { " " };
        print::line(&format!("{head} {name}{space}{}", line.text))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Local time, to the second.
pub(super) fn moment(time: Time) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let Ok(stamp) = jiff::Timestamp::from_millisecond(millis) else { return time.0.to_string() };
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
