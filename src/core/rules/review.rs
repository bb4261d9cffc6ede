//! A review: a person's reading of an attempt's diff, then approve, send back or reject.
//!
//! Owns the shape of a diff as it is read, and the rules of who may decide what when.

use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::fact::Fact;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::task::Stage;
use crate::core::rules::lookup::{get, not_now};
use crate::core::rules::step::Step;
use crate::values::ids::{Oid, TaskId};
use crate::values::text::Shown;

/// Approves a head: into the merge queue.
pub(in crate::core) fn approve(step: &mut Step<'_>, id: TaskId, head: &Oid) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if task.stage != Stage::Review {
        return Err(not_now(task, "approve", "only a task that waits for review can be approved"));
    }
    let known = task.work().and_then(|a| a.read.as_ref()).map(|read| &read.head);
    if known != Some(head) {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{} is no longer at {}", task.launch.name, head.short()),
            "read the diff again, then approve what is there now",
        ));
    }
    step.fact(Fact::Approved { task: id, head: head.clone() });
    Ok(())
}

/// Sends an attempt back with a message; a fresh one goes on from its branch.
pub(in crate::core) fn send_back(step: &mut Step<'_>, id: TaskId, message: &str) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if task.stage != Stage::Review {
        return Err(not_now(task, "send back", "only a task that waits for review can be sent back"));
    }
    if message.trim().is_empty() {
        return Err(Refused::new(RefusedKind::BadInput, "the message is empty", "say what is to be changed"));
    }
    let note = format!(
        "A person has reviewed the work on your branch and wants this changed:\n\n{}\n\nChange it, and commit.",
        message.trim()
    );
    if let Some(attempt) = task.work().map(|a| a.id) {
        step.fact(Fact::AttemptOver { attempt, result: AttemptResult::SentBack });
        let part = AttemptKind::Work;
        step.fact(Fact::Requeued { task: id, start: Start::Previous, note, granted: true, part });
    }
    Ok(())
}

/// Reads and gates a reviewed branch again: a person has changed it.
pub(in crate::core) fn regate(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    let green = task.work().is_some_and(|a| a.result == Some(AttemptResult::Green));
    let can = matches!(task.stage, Stage::Review | Stage::Stuck(_)) && green && task.landed.is_none();
    if !can {
        return Err(not_now(task, "gate again", "only work that waits for a human can be gated again"));
    }
    step.fact(Fact::Reopened { task: id });
    Ok(())
}

/// Rejects a task: it ends unmerged; its branch stays until it is forgotten, then goes to the archive.
pub(in crate::core) fn reject(step: &mut Step<'_>, id: TaskId, reason: &str) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    let can =
        matches!(task.stage, Stage::Review | Stage::Stuck(_) | Stage::Interrupted) && task.landed.is_none();
    if !can {
        return Err(not_now(task, "reject", "only work that waits for a human can be rejected"));
    }
    step.fact(Fact::Rejected { task: id, reason: Shown::line(reason) });
    Ok(())
}

/// Lands reviewed work again after a refusal; in review it is the approval of what is there now.
pub(in crate::core) fn land(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    let attempt = task.work();
    let green = attempt.is_some_and(|a| a.result == Some(AttemptResult::Green));
    let head = attempt.and_then(|a| a.read.as_ref()).map(|read| read.head.clone());
    let can = match task.stage {
        Stage::Review => true,
        Stage::Stuck(_) => green && task.landed.is_none(),
        Stage::Queued { .. }
        | Stage::Trying
        | Stage::Merging(_)
        | Stage::RollingBack
        | Stage::Interrupted
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => false,
    };
    match head {
        Some(head) if can => {
            step.fact(Fact::Approved { task: id, head });
            Ok(())
        }
        _ => Err(not_now(task, "land", "only reviewed work can land")),
    }
}

/// Starts the revert of a landed task.
pub(in crate::core) fn rollback(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if task.landed.is_none() || !matches!(task.stage, Stage::Landed | Stage::Stuck(_)) {
        return Err(not_now(task, "roll back", "only a landed task can be rolled back"));
    }
    step.fact(Fact::RollbackAsked { task: id });
    Ok(())
}
