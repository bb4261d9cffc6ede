//! From what a client names to what the engine knows: tasks by name, acts to commands.

use super::launch::refusal;
use crate::core::engine::Engine;
use crate::core::model::attempt::Start;
use crate::core::model::budget::{BudgetCommand, Scope};
use crate::core::model::event::Command;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::values::ids::TaskId;
use crate::values::time::Time;
use crate::wire::client::{Act, Refusal, RefusalKind, TaskRef};
use std::collections::HashMap;

/// A refusal of the rules, as a client gets it.
pub(super) fn refused(refused: Refused) -> Refusal {
    let kind = match refused.kind {
        RefusedKind::NotFound => RefusalKind::NotFound,
        RefusedKind::NotNow => RefusalKind::NotNow,
        RefusedKind::BadInput => RefusalKind::BadInput,
        RefusedKind::Covered => RefusalKind::Covered,
    };
    Refusal { kind, what: refused.what, remedy: refused.remedy }
}

/// The task that is meant.
pub(super) fn find(engine: &Engine, task: &TaskRef) -> Result<TaskId, Refusal> {
    engine.find(task.repo.as_deref(), &task.name).map_err(refused)
}

/// The command that `act` on `task` is. Approving without a head means the head that is there now.
pub(super) fn command(engine: &Engine, now: Time, task: TaskId, act: Act) -> Result<Command, Refusal> {
    Ok(match act {
        Act::Pause => Command::Pause(task),
        Act::Resume => Command::Resume(task),
        Act::Stop => Command::Stop(task),
        Act::Retry { keep, note } => {
            let start = if keep { Start::Previous } else { Start::Target };
            Command::Retry { task, start, note }
        }
        Act::Answer(answer) => Command::Answer { task, answer },
        Act::Approve { head: Some(head) } => Command::Approve { task, head },
        Act::Approve { head: None } => {
            let view = engine.task_view(task, now, &HashMap::new());
            let head = view.as_ref().and_then(|view| view.work()?.head.clone());
            let head = head.ok_or_else(|| {
                refusal(
                    RefusalKind::NotNow,
                    format!("{task} has nothing to approve yet"),
                    "wait until it is up for review",
                )
            })?;
            Command::Approve { task, head }
        }
        Act::SendBack(message) => Command::SendBack { task, message },
        Act::Reject(reason) => Command::Reject { task, reason },
        Act::Regate => Command::Regate(task),
        Act::Land => Command::Land(task),
        Act::Rollback => Command::Rollback(task),
        Act::Peek(reason) => Command::Peek { task, reason },
        Act::Cover => Command::Cover(task),
        Act::Reorder(place) => Command::Reorder { task, place },
        Act::Forget => Command::Forget(task),
        Act::RaiseBudget(by) => Command::Budget(BudgetCommand::Raise { scope: Scope::Task(task), by }),
    })
}
