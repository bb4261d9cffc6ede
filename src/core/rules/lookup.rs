//! Finds a task, says where it stands, and words the refusal where it can't be what somebody wants.

use crate::core::model::agent::{AgentQuestion, AgentState, QuestionKind};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task, TaskState};
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use std::path::Path;

/// The question that a task's agent asks now.
#[must_use]
pub(in crate::core) fn asked(task: &Task) -> Option<&AgentQuestion> {
    let attempt = task.attempt().filter(|a| task.stage == Stage::Trying && a.read.is_none())?;
    if attempt.ask.is_some() {
        return attempt.ask.as_ref();
    }
    match &attempt.said {
        Some((AgentState::Asking(ask), _)) => Some(ask),
        Some((AgentState::Idle | AgentState::Working | AgentState::Done | AgentState::Failed(_), _))
        | None => None,
    }
}

/// What an agent wants, where it gave no words.
#[must_use]
pub(in crate::core) const fn kind_words(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Question => "the agent asks something",
        QuestionKind::Permission => "the agent asks for a permission",
        QuestionKind::Auth => "the agent wants a login",
        QuestionKind::StartUp => "a dialog of the agent's own program (trust, update) waits",
    }
}

/// Finds a task by name or number; an ended task gives way to a live one, an older one to a newer one.
pub(in crate::core) fn find(state: &State, repo: Option<&Path>, name: &str) -> Result<TaskId, Refused> {
    let number = name.strip_prefix('t').and_then(|n| n.parse().ok()).map(TaskId);
    if let Some(task) = number.and_then(|id| state.tasks.get(&id)) {
        return Ok(task.id);
    }
    let named = |task: &&Task| task.launch.name.as_str() == name;
    let here = |task: &&Task| repo.is_none_or(|repo| task.launch.repo == repo);
    let mut found: Vec<&Task> = state.tasks.values().filter(named).filter(here).collect();
    if found.is_empty() {
        found = state.tasks.values().filter(named).collect();
    }
    let repos: std::collections::BTreeSet<_> = found.iter().map(|task| &task.launch.repo).collect();
    if repos.len() > 1 {
        return Err(Refused::new(
            RefusedKind::BadInput,
            format!("{} repos have a task {}", repos.len(), Shown::line(name)),
            "stand in the repo that you mean, or give the task's number",
        ));
    }
    found.iter().max_by_key(|task| (!is_ended(&task.stage), task.id)).map(|task| task.id).ok_or_else(|| {
        Refused::new(
            RefusedKind::NotFound,
            format!("there is no task {}", Shown::line(name)),
            "nopeek ls shows all tasks",
        )
    })
}

/// Whether nothing more will happen at this stage.
pub(in crate::core) const fn is_ended(stage: &Stage) -> bool {
    matches!(stage, Stage::Landed | Stage::RolledBack | Stage::Stopped | Stage::Rejected(_))
}

/// The task, or a refusal.
pub(in crate::core) fn get(state: &State, id: TaskId) -> Result<&Task, Refused> {
    state.tasks.get(&id).ok_or_else(|| {
        Refused::new(RefusedKind::NotFound, format!("there is no task {id}"), "nopeek ls shows all tasks")
    })
}

/// A refusal because of where a task stands.
pub(in crate::core) fn not_now(task: &Task, act: &str, remedy: &str) -> Refused {
    let stands = state_of(task).label();
    Refused::new(
        RefusedKind::NotNow,
        format!(
            "can't {act} {}: its state is {stands}{}",
            task.launch.name,
            if task.paused { " and paused" } else { "" }
        ),
        remedy,
    )
}

/// Where a task stands, in one word.
pub fn state_of(task: &Task) -> TaskState {
    match &task.stage {
        Stage::Queued { .. } => TaskState::Queued,
        Stage::Trying => match task.open().or(task.attempt()) {
            Some(a) if a.agent.is_none() => TaskState::Preparing,
            Some(a) if a.read.is_some() => TaskState::Gating,
            Some(_) if asked(task).is_some() => TaskState::Asking,
            Some(_) => TaskState::Working,
            None => TaskState::Preparing,
        },
        Stage::Review => TaskState::Review,
        Stage::Merging(_) => TaskState::Merging,
        Stage::RollingBack => TaskState::RollingBack,
        Stage::Stuck(_) => TaskState::Stuck,
        Stage::Interrupted => TaskState::Interrupted,
        Stage::Landed => TaskState::Landed,
        Stage::RolledBack => TaskState::RolledBack,
        Stage::Stopped => TaskState::Stopped,
        Stage::Rejected(_) => TaskState::Rejected,
    }
}
