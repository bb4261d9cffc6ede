//! What a mouse can point at: places on the screen as they were last drawn, and what they stand for.

use crate::values::ids::{SpecId, TaskId};
use ratatui::layout::{Position, Rect};

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// A task's line on the board.
    Task(TaskId),
    /// A spec's line on the board.
    Spec(SpecId),
    /// A line of a spec.
    Row(usize),
    Pane(usize),
    /// A tab of an attempt's screen.
    Tab(usize),
    /// A file of a diff.
    File(usize),
    /// An entry of a list over everything.
    Entry(usize),
    /// A field of a form.
    Field(usize),
    /// The inside of a screen that may take the mouse.
    Screen,
}

/// The places of one frame; what was drawn later lies above.
#[derive(Clone, Debug, Default)]
pub(super) struct Hits(Vec<(Rect, Hit)>);

impl Hits {
    pub(super) fn add(&mut self, area: Rect, hit: Hit) {
        self.0.push((area, hit));
    }

    /// What is at a place, and where that begins.
    pub(super) fn at(&self, column: u16, row: u16) -> Option<(Rect, Hit)> {
        self.0.iter().rev().find(|(area, _)| area.contains(Position::new(column, row))).copied()
    }

    /// Forgets all: something was laid over everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
