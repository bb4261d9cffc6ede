//! Runs gates and set-up hooks of an attempt or a candidate, and says what all their verdicts come to.

use crate::core::model::assignment::{AttemptKind, Duty};
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::effect::JobWhat;
use crate::core::model::fact::Fact;
use crate::core::model::gate::GateRun;
use crate::core::model::job::Role;
use crate::core::rules::gate::{self, Next};
use crate::core::rules::step::Step;
use crate::core::rules::{assignment, attempt, second};
use crate::values::ids::{AttemptId, Oid, TaskId};
use std::collections::BTreeSet;

/// Starts a job of this role unless one is under way. One that ended well has moved the count on; one that failed has
/// taken the task elsewhere; one that was lost, or belonged to a candidate of before, is run again.
pub(in crate::core) fn start_once(
    step: &mut Step<'_>,
    attempt: AttemptId,
    role: Role,
    worktree: &std::path::Path,
    what: JobWhat,
) {
    let there = step.state.jobs.live_of(attempt.task).any(|job| job.attempt == attempt && job.role == role);
    if !there {
        step.start(attempt, role, worktree, what);
    }
}

/// Runs gates as far as they can be run now; true once all have verdicts.
pub(in crate::core) fn run_gates(
    step: &mut Step<'_>,
    attempt: AttemptId,
    merged: bool,
    gates: &[GateRun],
    tree: &Oid,
    worktree: &std::path::Path,
) -> bool {
    let Some(launch) = step.state.tasks.get(&attempt.task).map(|task| &task.launch) else { return false };
    let anew = BTreeSet::new();
    let passed = if launch.assignment.duty == Duty::Check { &anew } else { &step.state.passed };
    match gate::next(gates, &launch.repo, tree, passed) {
        Next::Run(at) => {
            let spec = &gates[at].spec;
            let what = JobWhat::Gate { name: spec.name.clone(), command: spec.command.clone() };
            step.start(attempt, Role::Gate { merged, gate: at }, worktree, what);
            false
        }
        Next::Judge(gate, verdict) => {
            let (tests, took, tail) = (None, None, String::new());
            step.fact(Fact::GateJudged { attempt, merged, gate, verdict, tests, took, tail });
            false
        }
        Next::Wait => false,
        Next::Over => true,
    }
}

/// All gates of an attempt have verdicts.
pub(in crate::core) fn judged(step: &mut Step<'_>, id: TaskId) {
    let Some(task) = step.state.tasks.get(&id) else { return };
    let Some(attempt) = task.open() else { return };
    let (attempt_id, ungated) = (attempt.id, attempt.gates.is_empty());
    let red = gate::red(&attempt.gates);
    if red.is_empty() {
        let look = assignment::needs_look(task);
        step.fact(Fact::AttemptOver { attempt: attempt_id, result: AttemptResult::Green });
        if look {
            let (start, note) = (Start::Previous, String::new());
            step.fact(Fact::Requeued {
                task: id,
                start,
                note,
                granted: false,
                part: AttemptKind::SecondReview,
            });
        } else {
            second::review(
                step,
                id,
                if ungated { "ungated: waits for review" } else { "green: waits for review" },
            );
        }
    } else {
        let note = gate::failure_note(&red, None);
        let what = format!("attempt {} is red ({})", attempt_id.no, gate::names(&red));
        attempt::next(step, attempt_id, AttemptResult::Red, &note);
        step.notice_red(id, &what);
    }
}
