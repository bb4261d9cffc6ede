//! `nopeek ls`: the board as a table.

use super::error::CliError;
use super::print::{self, Cell, Paint};
use super::talk::Talk;
use crate::core::views::board::TaskView;
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration;
use std::process::ExitCode;

/// List tasks: where they stand, their gates, who needs you.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tasks of all repos, not of this one alone.
    #[arg(long, short)]
    all: bool,
    /// Only tasks that need a human.
    #[arg(long)]
    needs_you: bool,
    /// Print the board as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let mut board = talk.board()?;
    let repo = talk.repo().filter(|_| !args.all);
    board
        .tasks
        .retain(|task| repo.is_none_or(|repo| task.repo == repo) && (!args.needs_you || task.needs_you));
    board.repos.retain(|view| repo.is_none_or(|repo| view.path == repo));
    if args.json {
        print::json(&board)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(trouble) = &board.trouble {
        print::complain(format_args!("nopeek: {}", trouble.what));
        for line in Shown::lines(&trouble.remedy) {
            print::complain(format_args!("  {line}"));
        }
    }
    if board.tasks.is_empty() {
        print::line("no tasks here: `nopeek run \"what is to be done\"` launches one")?;
    } else {
        print_tasks(&board.tasks, board.now)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One line per task.
pub(super) fn print_tasks(tasks: &[TaskView], now: Time) -> Result<(), CliError> {
    let rows: Vec<Vec<Cell>> = tasks.iter().map(|task| row(task, now)).collect();
    print::table(&["", "TASK", "STATE", "GATES", "ATTEMPT", "TIME", "CHANGES", "AGENT", "WHY"], &rows)
}

fn row(task: &TaskView, now: Time) -> Vec<Cell> {
    let attempt = task.attempt();
    let (tries, time, changes, gates) = match attempt {
        None => (
            format!("0/{}", task.attempts_max),
            now.since(task.created),
            String::new(),
            String::new().into_cell(),
        ),
        Some(attempt) => {
            let stat = attempt.vitals.diffstat;
            let changes =
                if stat.files == 0 { String::new() } else { format!("+{} -{}", stat.added, stat.removed) };
            let tries = format!("{}/{}", task.tries(), task.attempts_max);
            (tries, attempt.vitals.elapsed, changes, print::gates(task))
        }
    };
    let why = match &task.question {
        Some(ask) => format!("asks: {}", ask.text),
        None => task.why.to_string(),
    };
    vec![
        (if task.needs_you { "!" } else { " " }.to_owned(), Paint::Yellow),
        (Shown::line(&task.name).to_string(), Paint::Bold),
        print::state(task),
        gates,
        tries.into_cell(),
        duration::short(time).into_cell(),
        changes.into_cell(),
        Shown::line(&task.agent).to_string().into_cell(),
        why.into_cell(),
    ]
}

trait IntoCell {
    fn into_cell(self) -> Cell;
}

impl IntoCell for String {
    fn into_cell(self) -> Cell {
        (self, Paint::Plain)
    }
}
