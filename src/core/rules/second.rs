//! The second review: another agent reads finished work, and what it found sends the work back or on to a person.

use crate::core::model::agent::Exit;
use crate::core::model::assignment::{AttemptKind, Deliverable, Duty, FINDINGS_FILE};
use crate::core::model::attempt::{Attempt, AttemptResult, Start};
use crate::core::model::fact::Fact;
use crate::core::model::finding::Findings;
use crate::core::model::job::Ending;
use crate::core::model::notice::NoticeKind;
use crate::core::rules::assignment::{needs_look, reviewed};
use crate::core::rules::attempt;
use crate::core::rules::step::Step;
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use crate::values::words::plural::counted;

/// The agent of a second part has ended and what it left was read.
pub(in crate::core) fn look_over(
    step: &mut Step<'_>,
    id: AttemptId,
    exit: Exit,
    ending: Option<Ending>,
    failed: bool,
) {
    let Some(task) = step.state.tasks.get(&id.task) else { return };
    let Some(attempt) = task.attempts.iter().find(|a| a.id == id) else { return };
    let found = attempt.findings().cloned();
    let (result, note) = match (attempt::over_before_gates(exit, ending, failed, 1), found) {
        (Some((result, _)), _) => {
            (result, "The review pass before this one failed before it was done.".to_owned())
        }
        (None, Some(found)) => {
            step.fact(Fact::AttemptOver { attempt: id, result: AttemptResult::Reviewed });
            return looked(step, id.task, &found);
        }
        (None, None) => {
            let said = match attempt.read.as_ref().and_then(|read| read.deliverable.as_ref()) {
                Some(Deliverable::Mistakes(lines)) => lines.join("\n- "),
                Some(
                    Deliverable::Spec { .. }
                    | Deliverable::Findings(_)
                    | Deliverable::Plan(_)
                    | Deliverable::Lines(_),
                )
                | None => {
                    format!("{FINDINGS_FILE} is not there")
                }
            };
            (
                AttemptResult::Red,
                format!("What the review pass before this one wrote can't be read:\n\n- {said}"),
            )
        }
    };
    attempt::next(step, id, result, &note);
}

/// What follows from what was found.
pub(in crate::core) fn looked(step: &mut Step<'_>, id: TaskId, found: &Findings) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let assignment = &task.launch.assignment;
    let again = |step: &mut Step<'_>, part, note| {
        let fact = Fact::Requeued { task: id, start: Start::Previous, note, granted: false, part };
        step.fact(fact);
    };
    match assignment.duty {
        Duty::Spec if !found.list.is_empty() => again(step, AttemptKind::Work, String::new()),
        Duty::Spec if needs_look(task) => again(step, AttemptKind::SecondReview, String::new()),
        Duty::Spec => review(step, id, "attacked and refined: the spec waits for your approval"),
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if found.is_clean() => {
            review(step, id, "green and verified: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if assignment.bench.is_some() => {
            review(step, id, "green, verified with findings: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check => {
            let used = reviewed(task).filter_map(Attempt::findings).filter(|found| !found.is_clean()).count();
            if used > assignment.rounds as usize {
                let why = format!(
                    "{} used, and there are still findings: read them, then retry, land or reject it",
                    counted(used, "review pass")
                );
                step.notice(id, NoticeKind::NeedsYou, &why);
                step.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
            } else {
                let missing =
                    if found.implemented == Some(false) { "It is not fully implemented.\n" } else { "" };
                let note = format!(
                    "The work on your branch passed its gates. A second review has compared it with the spec and found:\n\n{missing}{}\n\
                     Deal with each of medium or high weight: fix it, with a test that would have caught it. Commit.",
                    found.words()
                );
                again(step, AttemptKind::Work, note);
            }
        }
    }
}

/// Opens the review by a person; one that was approved in advance goes on by itself.
pub(in crate::core) fn review(step: &mut Step<'_>, id: TaskId, words: &str) {
    step.fact(Fact::ReviewOpened { task: id });
    let Some(assignment) = step.state.tasks.get(&id).map(|task| &task.launch.assignment) else { return };
    if !assignment.ahead && !step.state.benches.speaks_for(assignment.bench, id) {
        step.notice(id, NoticeKind::NeedsYou, words);
    }
}

/// Approves what was approved in advance.
pub(in crate::core) fn approve_ahead(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id).filter(|task| task.launch.assignment.ahead) else { return };
    let Some(head) = task.work().and_then(|a| a.read.as_ref()).map(|read| read.head.clone()) else { return };
    step.fact(Fact::Approved { task: id, head });
}
