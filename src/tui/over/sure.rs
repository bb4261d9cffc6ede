//! A question before something that can't be taken back by a key.

use super::super::theme::Role;
use super::super::views::Canvas;
use super::boxed;
use crate::core::event::Command;
use crate::core::view::TaskView;
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
                "Its whole process tree is ended; nothing of it survives.",
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
            title: format!("take {} off the board?", task.name),
            words: [
                "Its branch and worktree, uncommitted work too, go to the archive:",
                "refs/nopeek/archive in the repo.",
            ],
            command: Command::Forget(task.id),
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
