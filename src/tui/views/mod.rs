//! A file a screen: what it shows, what keys mean there, what it needs of the daemon.

pub(super) mod board;
pub(super) mod detail;
pub(super) mod findings;
pub(super) mod gates;
pub(super) mod ledger;
pub(super) mod panes;
pub(super) mod review;
pub(super) mod screen;
pub(super) mod spec;
pub(super) mod specs;
pub(super) mod timeline;

use super::hits::Hits;
use super::known::Known;
use super::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

/// All that drawing needs: what is known, the looks, the buffer; collects the places for the mouse and the cursor.
pub(super) struct Canvas<'a> {
    pub(super) known: &'a Known,
    pub(super) theme: &'a Theme,
    pub(super) buf: &'a mut Buffer,
    pub(super) hits: &'a mut Hits,
    /// Where the terminal's cursor goes.
    pub(super) cursor: Option<Position>,
}

impl Canvas<'_> {
    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Writes a text; gives the column after it.
    pub(super) fn put(&mut self, area: Rect, x: u16, y: u16, text: &str, role: Role) -> u16 {
        let style = self.style(role);
        super::text::put(self.buf, area, x, y, text, style)
    }

    /// Writes a text that ends `margin` columns from the right edge.
    pub(super) fn put_right(&mut self, area: Rect, margin: u16, y: u16, text: &str, role: Role) {
        let style = self.style(role);
        super::text::put_right(self.buf, area, margin, y, text, style);
    }

    /// A line across, with a title in it.
    pub(super) fn rule(&mut self, area: Rect, y: u16, title: &str, role: Role) {
        let line = "─".repeat(usize::from(area.width));
        self.put(area, 0, y, &line, Role::Border);
        if !title.is_empty() {
            let end = self.put(area, 2, y, &format!(" {title} "), role);
            debug_assert!(end <= area.width);
        }
    }
}

/// A part of an area.
pub(super) fn part(area: Rect, x: u16, y: u16, width: u16, height: u16) -> Rect {
    Rect { x: area.x + x, y: area.y + y, width, height }.intersection(area)
}

/// The first line to show so that `at` of `count` lines is seen in `room`, moved as little as can be from `first`.
pub(super) fn follow(first: usize, at: usize, room: usize, count: usize) -> usize {
    let last = (at + 1).saturating_sub(room);
    first.clamp(last, at.max(last)).min(count.saturating_sub(room))
}
