//! Polls as clients see them.

use crate::core::model::panel::{Panels, Poll};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::rules::polls::waits;
use crate::core::views::board::TaskView;
use crate::values::ids::{PanelId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Puts into a task's view that a vote of it waits for a human.
pub(in crate::core) fn mark(state: &State, task: &Task, view: &mut TaskView) {
    let waiting = |poll: &&Poll| poll.task == Some(task.id) && waits(state, poll);
    let Some(poll) = state.panels.all().find(waiting) else { return };
    view.needs_you = true;
    if view.why.is_empty() {
        let text = &poll.question.text;
        let id = poll.id;
        view.why =
            Shown::line(&format!("its vote {id} waits for you: {text} (nopeek panel decide {id} OPTION)"));
    }
}

/// A poll as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollLine {
    /// Its number.
    pub id: PanelId,
    /// When the panel voted.
    pub at: Time,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// What was asked.
    pub text: Shown,
    /// The option that is taken; none: a human must decide.
    pub decided: Option<String>,
    /// How it came out, in words.
    pub outcome: Shown,
}

/// Polls that wait for a human, oldest first.
pub(in crate::core) fn waiting(state: &State) -> Vec<PollLine> {
    state.panels.all().filter(|poll| waits(state, poll)).map(line).collect()
}

/// Polls that a client asked for, newest first: of a repo, of a task, or all.
#[must_use]
pub fn pick(panels: &Panels, repo: Option<&Path>, task: Option<TaskId>, limit: usize) -> Vec<PollLine> {
    let here = |poll: &&Poll| repo.is_none_or(|repo| poll.repo == repo);
    let of = |poll: &&Poll| task.is_none_or(|task| poll.task == Some(task));
    panels.all().rev().filter(here).filter(of).take(limit).map(line).collect()
}

pub(in crate::core) fn line(poll: &Poll) -> PollLine {
    PollLine {
        id: poll.id,
        at: poll.at,
        repo: poll.repo.clone(),
        task: poll.task,
        text: poll.question.text.clone(),
        decided: poll.decided().map(str::to_owned),
        outcome: Shown::line(&poll.outcome()),
    }
}
