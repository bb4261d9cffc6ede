//! Gates in a few characters: a shape each, told apart without colour.

use super::super::theme::Role;
use crate::core::model::gate::Verdict;
use crate::core::views::board::{GateProgress, GateView, Gating};
use crate::values::words::plural::counted;

/// A gate's shape and look.
pub(in crate::tui) const fn dot(gate: &GateView) -> (char, Role) {
    match gate.state {
        GateProgress::Waiting => ('·', Role::Dim),
        GateProgress::Running => ('◌', Role::Running),
        GateProgress::NotRun | GateProgress::Stopped => ('-', Role::Dim),
        GateProgress::Judged(Verdict::Passed) => ('●', Role::Good),
        GateProgress::Judged(Verdict::Cached) => ('○', Role::Good),
        GateProgress::Judged(Verdict::Failed) => ('✗', Role::Bad),
        GateProgress::Judged(Verdict::TimedOut) => ('◷', Role::Bad),
        GateProgress::Judged(Verdict::Errored) => ('?', Role::Bad),
        GateProgress::Judged(Verdict::Skipped) => ('-', Role::Dim),
    }
}

/// How far a gate is, in words.
pub(in crate::tui) fn words(gate: &GateView) -> String {
    let mut words = gate.state.label().to_owned();
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

/// What is said where there is no gate to show.
pub(in crate::tui) const fn none(gating: Gating) -> &'static str {
    match gating {
        Gating::Unknown => "not known yet: the worktree is being made",
        Gating::NotRun => "not run: the attempt ended before",
        Gating::Ungated | Gating::Begun => "ungated: no gate checks this, only you",
    }
}

/// The legend of shapes and marks, for the help: each line fits a terminal of 80 columns.
pub(in crate::tui) const LEGEND: [&str; 3] = [
    "gates: · pending  ◌ running  ● passed  ○ cached",
    "       ✗ failed  ◷ timed out  ? errored  - skipped",
    "screen: ▣ hidden  □ visible  ◪ peeked    ! needs you  = paused",
];
