//! A question before something that can't be taken back by a key.

use super::super::theme::Role;
use super::super::views::Canvas;
use super::boxed;
use crate::core::model::event::Command;
use crate::core::model::spec::SpecCommand;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::board::TaskView;
use crate::core::views::spec::SpecLine;
use crate::values::text::Shown;
use ratatui::layout::Rect;

/// What is asked, and what a yes does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Sure {
    title: String,
    words: [&'static str; 2],
    pub(in crate::tui) command: Command,
}

impl Sure {
    pub(in crate::tui) fn stop(task: &TaskView) -> Self {
        Self {
            title: format!("stop {}?", task.name),
            words: [
                "This kills the agent and all its processes.",
                "What it has committed stays on its branch.",
            ],
            command: Command::Stop(task.id),
        }
    }

    pub(in crate::tui) fn rollback(task: &TaskView) -> Self {
        Self {
            title: format!("roll {} back?", task.name),
            words: ["A revert is made, gated, and lands like any work:", "the target keeps its history."],
            command: Command::Rollback(task.id),
        }
    }

    pub(in crate::tui) fn forget(task: &TaskView) -> Self {
        Self {
            title: format!("archive {}?", task.name),
            words: [
                "It leaves the board. Its branch and its uncommitted work are kept",
                "under refs/nopeek/archive in the repo.",
            ],
            command: Command::Forget(task.id),
        }
    }

    /// Before what waits of a spec is approved: what follows from it.
    pub(in crate::tui) fn approve_spec(spec: &SpecLine, command: Command) -> Self {
        let name = Shown::line(&spec.name);
        if spec.stage == SpecStage::PlanReady {
            return Self {
                title: format!("approve the plan of {name}?"),
                words: [
                    "It lands on the target; then agents do its tasks, phase by phase.",
                    "Each waits for your review, unless work was approved in advance.",
                ],
                command,
            };
        }
        Self {
            title: format!("approve the spec {name}?"),
            words: [
                "It lands on the target; then an agent plans it.",
                "The plan waits for you in its turn, unless it was approved in advance.",
            ],
            command,
        }
    }

    pub(in crate::tui) fn stop_spec(spec: &SpecLine) -> Self {
        Self {
            title: format!("stop the spec {}?", Shown::line(&spec.name)),
            words: [
                "No more of its tasks are launched; those that run finish.",
                "It can be continued later.",
            ],
            command: Command::Spec(SpecCommand::Stop(spec.id)),
        }
    }

    pub(in crate::tui) fn forget_spec(spec: &SpecLine) -> Self {
        Self {
            title: format!("archive the spec {}?", Shown::line(&spec.name)),
            words: [
                "It leaves the board. Its tasks stay, and what has landed.",
                "Its files stay on the target.",
            ],
            command: Command::Spec(SpecCommand::Forget(spec.id)),
        }
    }

    pub(in crate::tui) fn render(&self, area: Rect, keys: &str, on: &mut Canvas<'_>) {
        let inside = boxed(area, 72, 6, &self.title, on);
        for (line, y) in self.words.iter().zip(0..) {
            on.put(inside, 0, y, line, Role::Text);
        }
        on.put(inside, 0, 3, keys, Role::Hint);
    }
}
