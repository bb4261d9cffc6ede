//! Polls as clients see them.

use crate::core::model::panel::{Panels, Poll};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::rules::polls::waits;
use crate::values::ids::{PanelId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The first vote of a task that waits for a human, in words: what it asks, and how to decide it.
#[must_use]
pub(in crate::core) fn waits_for_you(state: &State, task: &Task) -> Option<Shown> {
    let waiting = |poll: &&Poll| poll.task == Some(task.id) && waits(state, poll);
    let Poll { id, question, .. } = state.panels.all().find(waiting)?;
    let text = &question.text;
    Some(Shown::line(&format!("its vote {id} waits for you: {text} (nopeek panel decide {id} OPTION)")))
}

/// A poll as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollLine {
    pub id: PanelId,
    /// When the panel voted.
    pub at: Time,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The task that it is about.
    pub task: Option<TaskId>,
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
