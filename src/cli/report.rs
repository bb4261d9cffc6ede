//! `nopeek report`: what came of tasks in a stretch of time, as markdown, JSON or a page.

use super::error::{BAD_INPUT, CliError, NOT_FOUND, WORLD};
use super::print::{self, Paint};
use super::talk::Talk;
use crate::os::clock::Clock;
use crate::report::{Report, html, markdown};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::moment;
use crate::wire::client::{Delivery, Reply, ReportQuery, Request};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Report the results of tasks: attempts, gates, cost, time, peeked against unpeeked.
///
/// About the tasks named, else about all of this repo with an event in the period, and those that had not ended. The
/// reports of two adjoining periods add up to the report of both.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tasks by name, or by number as t12, which finds archived ones too.
    tasks: Vec<String>,
    /// The tasks of this spec, by its name or its number as s3: its draft, its plan and what was planned.
    #[arg(long, value_name = "NAME", conflicts_with = "tasks")]
    spec: Option<String>,
    /// What happened from here on: a time ago (24h, 7d), a day (2026-11-20) or a moment ("2026-11-20 08:00").
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<String>,
    /// What happened before this, written the same way.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    until: Option<String>,
    /// Tasks of all repos, not of this one alone.
    #[arg(long)]
    all: bool,
    /// The form; without it, by the ending of the file's name, else markdown.
    #[arg(long, value_name = "FORM")]
    format: Option<Format>,
    /// Write it to this file.
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Send it to where [report] in config.toml says.
    #[arg(long)]
    send: bool,
}

/// How a moment is written.
const WHEN: &str = "write 24h, 7d, 2026-11-20 or \"2026-11-20 08:00\"";

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Markdown, as for a mail or a pull request.
    Md,
    /// JSON with stable names.
    Json,
    /// One page with pictures that needs nothing else.
    Html,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let (now, zone) = (Time(Clock::start().now_ms()), TimeZone::system());
    let moment = |text: &Option<String>| {
        text.as_deref()
            .map(|text| moment::read(text, now, &zone))
            .transpose()
            .map_err(|wrong| CliError::new(BAD_INPUT, wrong, WHEN))
    };
    let (since, until) = (moment(&args.since)?, moment(&args.until)?);
    if let (Some(since), Some(until)) = (since, until.or(Some(now)))
        && since >= until
    {
        return Err(CliError::usage("the period ends before it begins", "--since is the earlier of the two"));
    }
    let mut talk = Talk::open()?;
    let names = match &args.spec {
        Some(spec) => of_spec(&mut talk, spec)?,
        None => args.tasks.clone(),
    };
    let repo = talk.repo().filter(|_| !args.all && names.is_empty()).map(Path::to_owned);
    let tasks = names.iter().map(|name| talk.named(name)).collect();
    let query = ReportQuery { tasks, repo, since, until };
    if args.send {
        let sent = match talk.ask(Request::SendReport(query.clone()))? {
            Reply::Sent(sent) => sent,
            other => return Err(CliError::odd(&other)),
        };
        tell(&sent)?;
        if args.output.is_none() && args.format.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let report = match talk.ask(Request::Report(query))? {
        Reply::Report(report) => report,
        other => return Err(CliError::odd(&other)),
    };
    let text = render(&report, format(args), &zone)?;
    match &args.output {
        Some(file) => {
            std::fs::write(file, text).map_err(|error| {
                CliError::world(
                    format!("can't write {}: {error}", file.display()),
                    "name another file with -o",
                )
            })?;
            print::line(&format!("{}: {}", file.display(), markdown::headline(&report)))?;
        }
        None => print::line(text.trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The tasks of a spec, by their numbers.
fn of_spec(talk: &mut Talk, spec: &str) -> Result<Vec<String>, CliError> {
    let line = match talk.ask(Request::Spec(talk.named(spec)))? {
        Reply::Spec(view) => view.line,
        other => return Err(CliError::odd(&other)),
    };
    let tasks: Vec<String> =
        line.draft.iter().chain(&line.plan).chain(line.tasks.values()).map(ToString::to_string).collect();
    if tasks.is_empty() {
        let what = format!("the spec {} has no task yet", Shown::line(&line.name));
        return Err(CliError::new(NOT_FOUND, what, "nopeek spec show says where it stands"));
    }
    Ok(tasks)
}

/// Says where a report was sent; an error if it did not get everywhere.
fn tell(sent: &[Delivery]) -> Result<(), CliError> {
    let mut lost = Vec::new();
    for delivery in sent {
        match &delivery.failed {
            None => print::line(&format!("{} to {}", Paint::Green.on("sent"), delivery.to))?,
            Some((why, remedy)) => lost.push((format!("not sent to {}: {why}", delivery.to), remedy)),
        }
    }
    match lost.first() {
        None => Ok(()),
        Some((_, remedy)) => {
            let all: Vec<&str> = lost.iter().map(|(what, _)| what.as_str()).collect();
            Err(CliError::new(WORLD, all.join("\n"), remedy))
        }
    }
}

fn format(args: &Args) -> Format {
    let ending = args.output.as_deref().and_then(Path::extension).map(|ending| ending.to_ascii_lowercase());
    args.format.unwrap_or_else(|| match ending.as_deref().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => Format::Html,
        Some("json") => Format::Json,
        _ => Format::Md,
    })
}

fn render(report: &Report, format: Format, zone: &TimeZone) -> Result<String, CliError> {
    Ok(match format {
        Format::Md => markdown::render(report, zone),
        Format::Html => html::render(report, zone),
        Format::Json => serde_json::to_string_pretty(report).map_err(|error| {
            CliError::new(super::error::INTERNAL, format!("can't write JSON: {error}"), "")
        })?,
    })
}
