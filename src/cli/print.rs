//! How the command line prints: colours where they are wanted, tables, JSON.
//!
//! What comes from outside is printed through [`Shown`] alone; a closed pipe ends the program quietly.

use super::error::{CliError, INTERNAL};
use crate::core::model::gate::Verdict;
use crate::core::model::task::TaskState;
use crate::core::views::board::{GateProgress, Gating, TaskView};
use crate::values::text::Shown;
use crate::values::words::cut::width;
use std::io::{self, IsTerminal as _, Write as _};

/// A line on standard error. Where nobody listens any more (the terminal is gone) it is lost: a panic about it would
/// cut short what still has to be cleared.
pub(super) fn complain(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A colour of the terminal's own palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Faint,
    Red,
    Green,
    Yellow,
    Blue,
    Cyan,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Faint => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Cyan => "36",
        }
    }

    /// `text` in this colour, if colours are wanted.
    pub(super) fn on(self, text: &str) -> String {
        if self == Self::Plain || !colours() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", self.code())
    }
}

/// On a terminal only, and never with `NO_COLOR`.
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

/// Prints `text` and a line end.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{text}").map_err(out)
}

/// Prints `value` as JSON, indented.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::new(INTERNAL, format!("can't write JSON: {error}"), ""))?;
    line(&text)
}

fn out(error: io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return CliError::quiet();
    }
    CliError::world(format!("can't write to standard output: {error}"), "")
}

/// A cell of a table.
pub(super) type Cell = (String, Paint);

/// Prints rows with a faint heading, columns padded to their widest cell.
pub(super) fn table(heading: &[&str], rows: &[Vec<Cell>]) -> Result<(), CliError> {
    let mut widths: Vec<usize> = heading.iter().map(|cell| width(cell)).collect();
    for row in rows {
        for (widest, (cell, _)) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let heading: Vec<Cell> = heading.iter().map(|cell| ((*cell).to_owned(), Paint::Faint)).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let mut text = String::new();
        for (n, (cell, paint)) in row.iter().enumerate() {
            text.push_str(&paint.on(cell));
            if n + 1 < row.len() {
                text.extend(std::iter::repeat_n(' ', widths[n] - width(cell) + 2));
            }
        }
        line(text.trim_end())?;
    }
    Ok(())
}

/// The word for a task's state.
pub(super) fn state(task: &TaskView) -> Cell {
    let paint = match task.state {
        TaskState::Asking | TaskState::Review | TaskState::Interrupted => Paint::Yellow,
        TaskState::Stuck => Paint::Red,
        TaskState::Landed => Paint::Green,
        TaskState::Preparing | TaskState::Working | TaskState::Gating => Paint::Blue,
        TaskState::Merging | TaskState::RollingBack => Paint::Cyan,
        TaskState::Queued | TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => Paint::Faint,
    };
    if task.paused {
        return (format!("{} (paused)", task.state.label()), Paint::Faint);
    }
    (task.state.label().to_owned(), paint)
}

/// A task's gates in a word: `3/4`, `unit failed`, `ungated`, `not run`; empty while they are not known.
pub(super) fn gates(task: &TaskView) -> Cell {
    let gates = task.gates();
    match task.gating() {
        Gating::Unknown => return (String::new(), Paint::Plain),
        Gating::Ungated => return ("ungated".to_owned(), Paint::Faint),
        Gating::NotRun => return ("not run".to_owned(), Paint::Faint),
        Gating::Begun => {}
    }
    let red =
        gates.iter().find(|gate| gate.required && gate.verdict().is_some_and(|verdict| !verdict.is_green()));
    if let Some((gate, verdict)) = red.and_then(|gate| Some((gate, gate.verdict()?))) {
        return (format!("{} {}", Shown::line(&gate.name), verdict.label()), Paint::Red);
    }
    let green = gates.iter().filter(|gate| gate.verdict().is_some_and(Verdict::is_green)).count();
    let paint = if green == gates.len() { Paint::Green } else { Paint::Plain };
    (format!("{green}/{}", gates.len()), paint)
}

/// The word for a gate's state.
pub(super) fn gate(state: GateProgress) -> Cell {
    let paint = match state {
        GateProgress::Waiting | GateProgress::NotRun | GateProgress::Stopped => Paint::Faint,
        GateProgress::Running => Paint::Blue,
        GateProgress::Judged(verdict) if verdict.is_green() => Paint::Green,
        GateProgress::Judged(_) => Paint::Red,
    };
    (state.label().to_owned(), paint)
}
