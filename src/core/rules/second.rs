//! The second review: another agent reads finished work, and what it found sends the work back or on to a person.

use crate::core::model::agent::Exit;
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::brief::{Brought, Duty, FINDINGS_FILE, Part, findings};
use crate::core::model::fact::Fact;
use crate::core::model::finding::Findings;
use crate::core::model::job::Ending;
use crate::core::model::notice::NoticeKind;
use crate::core::outer::bench;
use crate::core::rules::attempt;
use crate::core::rules::brief::{needs_look, reviewed};
use crate::core::rules::turn::Turn;
use crate::values::ids::{AttemptId, TaskId};
use crate::values::plural::counted;
use crate::values::text::Shown;

/// The agent of a second part has ended and what it left was read.
pub(in crate::core) fn look_over(
    turn: &mut Turn<'_>,
    id: AttemptId,
    exit: Exit,
    ending: Option<Ending>,
    failed: bool,
) {
    let Some(task) = turn.state.tasks.get(&id.task) else { return };
    let Some(attempt) = task.attempts.iter().find(|a| a.id == id) else { return };
    let found = findings(attempt).cloned();
    let (result, note) = match (attempt::over_before_gates(exit, ending, failed, 1), found) {
        (Some((result, _)), _) => {
            (result, "The review pass before this one failed before it was done.".to_owned())
        }
        (None, Some(found)) => {
            turn.fact(Fact::AttemptOver { attempt: id, result: AttemptResult::Reviewed });
            return looked(turn, id.task, &found);
        }
        (None, None) => {
            let said = match attempt.read.as_ref().and_then(|read| read.brought.as_ref()) {
                Some(Brought::Mistakes(lines)) => lines.join("\n- "),
                Some(Brought::Spec { .. } | Brought::Findings(_) | Brought::Plan(_) | Brought::Lines(_))
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
    attempt::next(turn, id, result, &note);
}

/// What follows from what was found.
pub(in crate::core) fn looked(turn: &mut Turn<'_>, id: TaskId, found: &Findings) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let brief = &task.launch.brief;
    let again = |turn: &mut Turn<'_>, part, note| {
        let fact = Fact::Requeued { task: id, start: Start::Previous, note, granted: false, part };
        turn.fact(fact);
    };
    match brief.duty {
        Duty::Spec if !found.list.is_empty() => again(turn, Part::Work, String::new()),
        Duty::Spec if needs_look(task) => again(turn, Part::Second, String::new()),
        Duty::Spec => review(turn, id, "attacked and refined: the spec waits for your approval"),
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if found.is_clean() => {
            review(turn, id, "green and verified: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if brief.bench.is_some() => {
            review(turn, id, "green, verified with findings: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check => {
            let used = reviewed(task).filter_map(findings).filter(|found| !found.is_clean()).count();
            if used > brief.rounds as usize {
                let why = format!(
                    "{} used, and there are still findings: read them, then retry, land or reject it",
                    counted(used, "review pass")
                );
                turn.notice(id, NoticeKind::NeedsYou, &why);
                turn.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
            } else {
                let missing =
                    if found.implemented == Some(false) { "It is not fully implemented.\n" } else { "" };
                let note = format!(
                    "The work on your branch passed its gates. A second review has compared it with the spec and found:\n\n{missing}{}\n\
                     Deal with each of medium or high weight: fix it, with a test that would have caught it. Commit.",
                    found.words()
                );
                again(turn, Part::Work, note);
            }
        }
    }
}

/// Opens the review by a person; one that was approved in advance goes on by itself.
pub(in crate::core) fn review(turn: &mut Turn<'_>, id: TaskId, words: &str) {
    turn.fact(Fact::ReviewOpened { task: id });
    let ahead = turn.state.tasks.get(&id).is_none_or(|task| task.launch.brief.ahead);
    if !ahead && !bench::speaks_for(turn.state, id) {
        turn.notice(id, NoticeKind::NeedsYou, words);
    }
}

/// Approves what was approved in advance.
pub(in crate::core) fn approve_ahead(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id).filter(|task| task.launch.brief.ahead) else { return };
    let Some(head) = task.work().and_then(|a| a.read.as_ref()).map(|read| read.head.clone()) else { return };
    turn.fact(Fact::Approved { task: id, head });
}
