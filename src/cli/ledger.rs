//! `nopeek ledger`: what was decided, when, and by whom. Read from the ledger itself: it needs no daemon.

use super::error::{BAD_INPUT, CliError, NOT_FOUND};
use super::print::{self, Paint};
use super::talk;
use crate::core::model::fact::{Entry, Fact};
use crate::core::views::ledger::LedgerLine;
use crate::os::clock::Clock;
use crate::store::StoreError;
use crate::store::query::{Filter, ROWS_MAX, Reader, SqlError, Table};
use crate::store::rows::{Read, Unread};
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::{count, cut, moment};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print the ledger: every event and decision, oldest first; or query it with read-only SQL
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of this task
    task: Option<String>,
    /// Only of this kind, as `landed` or `gate_*`; may be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Not before this: 24h (so long ago), 2026-11-20, "2026-11-20 14:00" or 14:00, in local time
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only before this
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only by this person, as `ada` or `ada@host`; `nopeek` for what happened by itself
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Only lines of this batch and of all its tasks
    #[arg(long, value_name = "BATCH")]
    batch: Option<String>,
    /// The engine's own events too: effects, jobs, totals; `--json` and `--kind` have them always
    #[arg(long)]
    all: bool,
    /// Only lines with a larger number
    #[arg(long, value_name = "SEQ", default_value_t = 0, value_parser = count::read::<u64>, allow_negative_numbers = true)]
    after: u64,
    /// At most so many, from 1 on: the newest lines (200 by default), the first rows of SQL; never more than 10,000
    #[arg(long, short = 'l', value_name = "N", value_parser = count::limit, allow_negative_numbers = true)]
    limit: Option<u32>,
    /// Run one SELECT on the table `facts` and the view `lines`, and print its rows
    #[arg(long, value_name = "SELECT", conflicts_with_all = ["task", "kind", "since", "until", "by", "batch", "all", "after", "full"])]
    sql: Option<String>,
    /// Print a JSON array of lines; of rows, an array of objects
    #[arg(long)]
    json: bool,
    /// Print the whole facts too, as JSON
    #[arg(long)]
    full: bool,
}

/// Lines that are printed if nothing is said.
const LINES: usize = 200;
/// Widest cell of a printed table, in characters; `--json` has all of it.
const CELL: usize = 200;
/// Ledger name of what no person did.
const NOBODY: &str = "nopeek";

/// A line in JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    seq: u64,
    at: Time,
    by: &'a str,
    task: Option<TaskId>,
    name: &'a str,
    kind: &'a str,
    text: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Fact>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let path = talk::paths()?.ledger();
    if let Some(sql) = &args.sql {
        let table = Reader::open(&path)?.sql(sql, args.limit.map_or(ROWS_MAX, |most| most as usize))?;
        return rows(args, &table);
    }
    let reader = match Reader::open(&path) {
        // Nothing has happened yet: no lines.
        Err(StoreError::Missing(_)) if args.task.is_none() => {
            if args.json {
                print::json(&[(); 0])?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        reader => reader?,
    };
    let tasks = reader.tasks()?;
    let Read { entries, unread } = reader.lines(&filter(args, &reader, &tasks)?)?;
    let name =
        |task: Option<TaskId>| task.and_then(|task| tasks.get(&task)).map_or("", |(name, _)| name.as_str());
    if args.json {
        let read = entries.iter().map(|entry| line(entry, name(entry.fact.task()), args.full));
        let mut lines: Vec<Line<'_>> =
            read.chain(unread.iter().map(|row| gap(row, name(row.task)))).collect();
        lines.sort_by_key(|line| line.seq);
        print::json(&lines)?;
        return complain(&path, unread);
    }
    let mut gaps = unread.iter().peekable();
    for entry in &entries {
        while let Some(row) = gaps.next_if(|row| row.seq < entry.seq) {
            print_gap(row)?;
        }
        print_line(entry, name(entry.fact.task()), args.full)?;
    }
    gaps.try_for_each(print_gap)?;
    complain(&path, unread)
}

/// Says what rows that can't be read mean and what to do; what can be read was printed.
fn complain(path: &Path, unread: Vec<Unread>) -> Result<ExitCode, CliError> {
    match unread.into_iter().next() {
        None => Ok(ExitCode::SUCCESS),
        Some(row) => Err(StoreError::of_row(path, row).into()),
    }
}

fn print_gap(row: &Unread) -> Result<(), CliError> {
    let head = Paint::Faint.on(&format!("{:>6} {}", row.seq, moment(row.at)));
    print::line(&format!("{head} {}", Paint::Red.on(Shown::line(&row.to_string()).as_str())))
}

/// The line of a row that gives no fact.
fn gap<'a>(row: &Unread, name: &'a str) -> Line<'a> {
    Line {
        seq: row.seq,
        at: row.at,
        by: "",
        task: row.task,
        name,
        kind: LedgerLine::UNREAD,
        text: Shown::line(&row.to_string()),
        body: None,
    }
}

fn line<'a>(entry: &'a Entry, name: &'a str, full: bool) -> Line<'a> {
    Line {
        seq: entry.seq,
        at: entry.at,
        by: &entry.by,
        task: entry.fact.task(),
        name,
        kind: entry.fact.kind(),
        text: entry.fact.describe(),
        body: full.then_some(&entry.fact),
    }
}

fn print_line(entry: &Entry, name: &str, full: bool) -> Result<(), CliError> {
    let head = Paint::Faint.on(&format!("{:>6} {}", entry.seq, moment(entry.at)));
    let space = if name.is_empty() { "" } else { " " };
    let by = match entry.by.as_str() {
        NOBODY => String::new(),
        by => Paint::Faint.on(&format!(" ({})", Shown::line(by))),
    };
    let name = Paint::Bold.on(Shown::line(name).as_str());
    print::line(&format!("{head} {name}{space}{}{by}", entry.fact.describe()))?;
    if full {
        let body = serde_json::to_string(&entry.fact).unwrap_or_default();
        // Whole, however long it is.
        let shown: String =
            body.chars().map(|c| Shown::line(c.encode_utf8(&mut [0; 4])).to_string()).collect();
        print::line(&format!("       {}", Paint::Faint.on(&shown)))?;
    }
    Ok(())
}

fn filter(
    args: &Args,
    reader: &Reader,
    tasks: &HashMap<TaskId, (String, PathBuf)>,
) -> Result<Filter, CliError> {
    let (now, zone) = (Time(Clock::start().now_ms()), TimeZone::system());
    let time = |option: &str, text: &Option<String>| {
        let read = text.as_deref().map(|text| moment::read(text, now, &zone)).transpose();
        read.map_err(|what| CliError::new(BAD_INPUT, format!("--{option}: {what}"), ""))
    };
    let wanted = args.task.as_deref().map(|task| find(tasks, task, talk::here().as_deref())).transpose()?;
    let (since, until) = (time("since", &args.since)?, time("until", &args.until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        let what = format!("--since ({}) is not before --until ({})", moment(since), moment(until));
        return Err(CliError::new(BAD_INPUT, what, ""));
    }
    check_kinds(&args.kind, reader)?;
    Ok(Filter {
        task: wanted,
        kinds: args.kind.clone(),
        batch: args.batch.clone(),
        by: args.by.clone(),
        since,
        until,
        after: args.after,
        plain: !args.all && !args.json,
        limit: args.limit.map_or(LINES, |most| most as usize),
    })
}

/// The newest task of this name, in this repo if the person stands in one; or the one of this number, as `t12`.
pub(super) fn find(
    tasks: &HashMap<TaskId, (String, PathBuf)>,
    name: &str,
    here: Option<&Path>,
) -> Result<TaskId, CliError> {
    let number = name.strip_prefix('t').and_then(|number| number.parse().ok()).map(TaskId);
    let numbered = number.filter(|id| tasks.contains_key(id));
    let mut named: Vec<(TaskId, &PathBuf)> =
        tasks.iter().filter(|(_, (other, _))| other == name).map(|(id, (_, repo))| (*id, repo)).collect();
    named.sort_by_key(|(id, _)| *id);
    if let Some(here) = here
        && named.iter().any(|(_, repo)| repo.as_path() == here)
    {
        named.retain(|(_, repo)| repo.as_path() == here);
    } else if here.is_none()
        && named.iter().any(|(_, repo)| Some(*repo) != named.first().map(|(_, repo)| *repo))
    {
        let what = format!("several repos have a task {}", Shown::line(name));
        return Err(CliError::new(BAD_INPUT, what, "stand in its repo, or give its number as t12"));
    }
    named.last().map(|(id, _)| *id).or(numbered).ok_or_else(|| {
        let what = format!("the ledger knows no task {}", Shown::line(name));
        CliError::new(NOT_FOUND, what, "`nopeek ledger --kind launched` lists all that ever were")
    })
}

/// Refuses a kind that no fact has, by name.
fn check_kinds(wanted: &[String], reader: &Reader) -> Result<(), CliError> {
    let mut known: Vec<String> = Fact::kinds().map(str::to_owned).chain(reader.kinds()?).collect();
    known.sort();
    known.dedup();
    for kind in wanted {
        let fits = match kind.strip_suffix('*') {
            Some(start) => known.iter().any(|known| known.starts_with(start)),
            None => known.contains(kind),
        };
        if !fits {
            let what = format!("there is no kind of event {:?}", Shown::line(kind).as_str());
            return Err(CliError::new(BAD_INPUT, what, format!("there are: {}", known.join(", "))));
        }
    }
    Ok(())
}

/// Prints what SQL gave.
fn rows(args: &Args, table: &Table) -> Result<ExitCode, CliError> {
    if args.json {
        let rows: Vec<serde_json::Value> = table
            .rows
            .iter()
            .map(|row| {
                table
                    .columns
                    .iter()
                    .cloned()
                    .zip(row.iter().cloned())
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            })
            .collect();
        print::json(&rows)?;
    } else {
        let heading: Vec<String> = table.columns.iter().map(|column| shown(column)).collect();
        let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
        let rows: Vec<Vec<print::Cell>> = table
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| match cell {
                        serde_json::Value::Null => ("null".to_owned(), Paint::Faint),
                        serde_json::Value::String(text) => (shown(text), Paint::Plain),
                        other => (other.to_string(), Paint::Plain),
                    })
                    .collect()
            })
            .collect();
        print::table(&heading, &rows)?;
    }
    if table.more {
        print::complain(format_args!(
            "nopeek: there are more rows than the {} that are printed",
            table.rows.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// One cell on one line, without a character that acts on the terminal.
fn shown(text: &str) -> String {
    let shown = Shown::line(text);
    cut::chars(shown.as_str(), CELL)
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let remedy = error.remedy();
        match error {
            StoreError::Missing(_) => Self::new(NOT_FOUND, error, remedy),
            _ => Self::world(error, remedy),
        }
    }
}

impl From<SqlError> for CliError {
    fn from(error: SqlError) -> Self {
        let remedy = error.remedy();
        match error {
            SqlError::Store(error) => error.into(),
            _ => Self::new(BAD_INPUT, error, remedy),
        }
    }
}

/// Local time, to the second.
pub(super) fn moment(time: Time) -> String {
    moment::second(time, &TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_its_number_or_its_newest_name() {
        let of = |name: &str, repo: &str| (name.to_owned(), PathBuf::from(repo));
        let tasks: HashMap<TaskId, _> =
            [(1, of("a", "/x")), (2, of("a", "/y")), (3, of("a", "/x")), (4, of("b", "/y"))]
                .into_iter()
                .map(|(id, task)| (TaskId(id), task))
                .collect();
        let find = |name: &str, here: Option<&str>| {
            find(&tasks, name, here.map(Path::new)).map_err(|e| e.what().to_owned())
        };
        assert_eq!(find("a", Some("/x")), Ok(TaskId(3)));
        assert_eq!(find("a", Some("/y")), Ok(TaskId(2)));
        assert_eq!(find("a", None), Err("several repos have a task a".to_owned()));
        assert_eq!((find("b", None), find("t1", None)), (Ok(TaskId(4)), Ok(TaskId(1))));
        assert_eq!(find("b\u{1b}", None), Err("the ledger knows no task b␛".to_owned()));
    }

    #[test]
    fn what_a_cell_holds_does_not_act_on_the_terminal() {
        assert_eq!(shown("\x1b]0;x\x07\u{202e}\n"), "␛]0;x␇<U+202E>␊");
        assert_eq!(shown(&"x".repeat(9_999)).chars().count(), CELL);
    }
}
