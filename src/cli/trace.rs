//! `nopeek trace`: where the time of a task went. Read from the ledger itself: it needs no daemon.

use super::error::{CliError, NOT_FOUND};
use super::print::{self, Paint};
use super::{ledger, talk};
use crate::os::clock::Clock;
use crate::report::trace::{self, Span, Status};
use crate::store::query::Reader;
use crate::store::rows::Read;
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::{cut, duration};
use std::process::ExitCode;

/// Print where the time of a task went: a tree of its attempts, gates, waits and merges
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which task
    task: String,
    /// Print a JSON array of spans
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let reader = Reader::open(&talk::paths()?.ledger())?;
    let task = ledger::find(&reader.tasks()?, &args.task, talk::here().as_deref())?;
    let Read { entries, unread } = reader.of_task(task)?;
    for row in unread {
        print::complain(format_args!("nopeek: left out: {}", Shown::line(&row.to_string())));
    }
    let spans = trace::spans(&entries, task);
    if spans.is_empty() {
        return Err(CliError::new(NOT_FOUND, format!("the ledger says nothing of {task}"), ""));
    }
    if args.json {
        print::json(&spans)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Time(Clock::start().now_ms());
    tree(&spans, None, 0, now, &mut |text| print::line(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// The spans below one, each with what is below it.
fn tree(
    spans: &[Span],
    parent: Option<u64>,
    depth: usize,
    now: Time,
    out: &mut impl FnMut(String) -> Result<(), CliError>,
) -> Result<(), CliError> {
    for span in spans.iter().filter(|span| span.parent == parent) {
        out(line(span, depth, now))?;
        tree(spans, Some(span.id), depth + 1, now, out)?;
    }
    Ok(())
}

/// When it began, how long it took, what it was, how it came out, and what else is known.
fn line(span: &Span, depth: usize, now: Time) -> String {
    let took = duration::short(span.took(now));
    let (mark, paint, why) = match (&span.status, span.end) {
        (_, None) => ("…", Paint::Blue, ""),
        (Status::Unset, Some(_)) => ("·", Paint::Faint, ""),
        (Status::Ok, Some(_)) => ("✓", Paint::Green, ""),
        (Status::Error(why), Some(_)) => ("✗", Paint::Red, why.as_str()),
    };
    let known: Vec<String> = span
        .attributes
        .iter()
        .filter(|(key, _)| !matches!(**key, "repo" | "exit" | "verdict" | "result"))
        .map(|(key, value)| format!("{key}={}", short(value.as_str())))
        .collect();
    let head = Paint::Faint.on(&format!("{} {took:>7}", ledger::moment(span.start)));
    let why = if why.is_empty() { String::new() } else { format!(" {}", paint.on(why)) };
    let known =
        if known.is_empty() { String::new() } else { Paint::Faint.on(&format!("  {}", known.join(" "))) };
    format!("{head} {}{} {}{why}{known}", "  ".repeat(depth), paint.on(mark), span.name)
}

/// Longest value of an attribute, in characters.
const VALUE_MAX: usize = 60;

/// Commits in short; words in quotes, cut.
fn short(value: &str) -> String {
    if value.len() >= 40 && value.chars().all(|c| c.is_ascii_hexdigit()) {
        return value[..10].to_owned();
    }
    let cut = cut::chars(value, VALUE_MAX);
    if cut.contains(' ') { format!("{cut:?}") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::trace::SpanKind;

    #[test]
    fn a_span_stands_below_what_it_is_part_of() {
        let span = |id, parent, name: &str, end, status| Span {
            id,
            parent,
            name: name.into(),
            kind: SpanKind::Task,
            start: Time(1_000),
            end,
            status,
            attributes: [("head", "a".repeat(40).as_str().into()), ("why", "two words".into())].into(),
        };
        let spans = [
            span(1, None, "fix", None, Status::Unset),
            span(2, Some(1), "a", Some(Time(3_000)), Status::Error("red".into())),
            span(4, Some(1), "c", Some(Time(1_000)), Status::Ok),
            span(3, Some(2), "b", Some(Time(2_000)), Status::Ok),
        ];
        let mut lines = Vec::new();
        let mut out = |text: String| {
            lines.push(text[19..].to_owned());
            Ok(())
        };
        tree(&spans, None, 0, Time(61_000), &mut out).unwrap();
        let rest = "  head=aaaaaaaaaa why=\"two words\"";
        assert_eq!(
            lines,
            [
                format!("   1m00s … fix{rest}"),
                format!("      2s   ✗ a red{rest}"),
                format!("      1s     ✓ b{rest}"),
                format!("      0s   ✓ c{rest}"),
            ]
        );
    }
}
