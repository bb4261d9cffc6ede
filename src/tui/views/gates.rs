//! Gates in a few characters: a shape each, told apart without colour.

use super::super::theme::Role;
use crate::core::model::gate::{GateState, Verdict};
use crate::core::views::board::{GateView, TaskView};
use crate::values::words::plural::counted;

/// A gate's shape and look.
pub(in crate::tui) const fn dot(gate: &GateView) -> (char, Role) {
    match gate.state {
        GateState::Waiting => ('·', Role::Dim),
        GateState::Running => ('◌', Role::Running),
        GateState::Judged(Verdict::Passed) => ('●', Role::Good),
        GateState::Judged(Verdict::Cached) => ('○', Role::Good),
        GateState::Judged(Verdict::Failed) => ('✗', Role::Bad),
        GateState::Judged(Verdict::TimedOut) => ('◷', Role::Bad),
        GateState::Judged(Verdict::Errored) => ('?', Role::Bad),
        GateState::Judged(Verdict::Skipped) => ('-', Role::Dim),
    }
}

/// How far a gate is, in words.
pub(in crate::tui) fn words(gate: &GateView) -> String {
    let mut words = match gate.state {
        GateState::Waiting => "pending".to_owned(),
        GateState::Running => "running".to_owned(),
        GateState::Judged(verdict) => verdict.label().to_owned(),
    };
    if let Some(tests) = gate.tests {
        let all = tests.passed + tests.failed;
        words.push_str(&match tests.failed {
            0 => format!(", {}", counted(all, "test")),
            failed => format!(", {failed} of {} failed", counted(all, "test")),
        });
        if tests.skipped > 0 {
            words.push_str(&format!(", {} skipped", tests.skipped));
        }
    }
    if !gate.required {
        words.push_str(" (optional)");
    }
    words
}

/// The gates that count now: those of the merged result while there are some, else the attempt's.
pub(in crate::tui) fn of(task: &TaskView) -> &[GateView] {
    match task.work().or(task.attempt()) {
        _ if !task.merge_gates.is_empty() => &task.merge_gates,
        Some(attempt) => &attempt.gates,
        None => &[],
    }
}

/// The legend of shapes and marks, for the help: each line fits a terminal of 80 columns.
pub(in crate::tui) const LEGEND: [&str; 3] = [
    "gates: · pending  ◌ running  ● passed  ○ cached",
    "       ✗ failed  ◷ timed out  ? errored  - skipped",
    "screen: ▣ hidden  □ visible  ◪ peeked    ! needs you  = paused",
];
