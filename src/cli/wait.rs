//! `nopeek wait`: blocks until tasks have ended, are ready for review, or need a human.

use super::error::{CliError, NEEDS_HUMAN, NOT_NOW};
use super::talk::Talk;
use super::{ls, print};
use crate::core::model::task::TaskState;
use crate::core::views::board::{Board, TaskView};
use crate::values::ids::TaskId;
use crate::values::time::Span;
use crate::values::words::duration;
use std::process::ExitCode;

/// Wait until every task named has landed, is ready for review, or can't go on without a human.
///
/// Exit code 0: all are ready for review, landed or rolled back. 8: at least one asks, is stuck or
/// interrupted, or was stopped or rejected. 4: --timeout has passed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tasks by name or number; none: all of this repo that have not ended.
    tasks: Vec<String>,
    /// Give up after this long, as 90s, 1h30m or 1d.
    #[arg(long, value_name = "TIME", value_parser = duration::timeout, allow_hyphen_values = true)]
    timeout: Option<Span>,
    /// Print the tasks as a JSON array.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let mut names = args.tasks.clone();
    if names.is_empty() {
        let board = talk.board()?;
        let here = board.tasks.iter().filter(|task| talk.repo().is_none_or(|repo| task.repo == repo));
        names = here.filter(|task| !task.state.is_ended()).map(|task| task.id.to_string()).collect();
    }
    let settled = until_settled(&mut talk, &names, args.timeout)?;
    if args.json {
        print::json(&settled.tasks)?;
    } else {
        ls::print_tasks(&settled.tasks, settled.now)?;
    }
    Ok(settled.code)
}

/// Tasks that go on no more by themselves.
pub(super) struct Settled {
    pub(super) tasks: Vec<TaskView>,
    pub(super) now: crate::values::time::Time,
    pub(super) code: ExitCode,
}

/// Waits; 0 if all came out well, 8 if not.
pub(super) fn until_settled(
    talk: &mut Talk,
    names: &[String],
    timeout: Option<Span>,
) -> Result<Settled, CliError> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(talk.task(name)?.id);
    }
    let found = talk.watch(timeout, |board| settled(board, &ids))?;
    let Some((tasks, now)) = found else {
        return Err(CliError::new(
            NOT_NOW,
            "waited as long as --timeout allows",
            "`nopeek ls` says where the tasks stand",
        ));
    };
    let well = tasks.iter().all(|task| ended_well(task.state));
    Ok(Settled { tasks, now, code: if well { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_HUMAN) } })
}

fn settled(board: &Board, ids: &[TaskId]) -> Option<(Vec<TaskView>, crate::values::time::Time)> {
    let tasks: Vec<TaskView> = board.tasks.iter().filter(|task| ids.contains(&task.id)).cloned().collect();
    tasks.iter().all(|task| is_settled(task.state) || task.needs_you).then_some((tasks, board.now))
}

const fn is_settled(state: TaskState) -> bool {
    match state {
        TaskState::Queued
        | TaskState::Preparing
        | TaskState::Working
        | TaskState::Gating
        | TaskState::Merging
        | TaskState::RollingBack => false,
        TaskState::Asking
        | TaskState::Review
        | TaskState::Stuck
        | TaskState::Interrupted
        | TaskState::Landed
        | TaskState::RolledBack
        | TaskState::Stopped
        | TaskState::Rejected => true,
    }
}

const fn ended_well(state: TaskState) -> bool {
    matches!(state, TaskState::Review | TaskState::Landed | TaskState::RolledBack)
}
