//! The help: every key that works where it was opened, made from the keymap; and what the symbols mean.

use super::super::action::{ACTIONS, Action, Section};
use super::super::keymap::Keymap;
use super::super::text::clip;
use super::super::theme::Role;
use super::super::views::{Canvas, gates, part};
use super::boxed;
use ratatui::layout::Rect;
use std::cell::Cell;

/// From this width on it has two columns.
const TWO: u16 = 150;

/// The open help.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Help {
    /// What is said of: sections in the order of importance.
    sections: &'static [Section],
    top: Cell<usize>,
}

enum Line {
    Title(&'static str),
    Key(String, &'static str),
    Blank,
    Words(&'static str),
}

impl Help {
    pub(in crate::tui) const fn new(sections: &'static [Section]) -> Self {
        Self { sections, top: Cell::new(0) }
    }

    pub(in crate::tui) fn act(&self, action: Action) {
        let top = self.top.get();
        self.top.set(match action {
            Action::MenuDown => top + 1,
            Action::MenuUp => top.saturating_sub(1),
            Action::PageDown => top + 10,
            Action::PageUp => top.saturating_sub(10),
            _ => top,
        });
    }

    fn lines(&self, keymap: &Keymap) -> Vec<Line> {
        let mut lines = Vec::new();
        for section in self.sections {
            if !lines.is_empty() {
                lines.push(Line::Blank);
            }
            lines.push(Line::Title(section.title()));
            for about in ACTIONS.iter().filter(|about| about.section == *section) {
                let keys: Vec<String> = keymap.keys(about.action).iter().map(ToString::to_string).collect();
                if !keys.is_empty() {
                    lines.push(Line::Key(keys.join(" "), about.doc));
                }
            }
        }
        lines.extend([Line::Blank, Line::Title("symbols")]);
        lines.extend(gates::LEGEND.into_iter().map(Line::Words));
        lines
    }

    pub(in crate::tui) fn render(&self, area: Rect, keymap: &Keymap, keys: &str, on: &mut Canvas<'_>) {
        let lines = self.lines(keymap);
        let columns = if area.width >= TWO { 2 } else { 1 };
        let wide = if columns == 2 { 160.min(area.width) } else { area.width };
        let needed = u16::try_from(lines.len().div_ceil(columns)).unwrap_or(u16::MAX).saturating_add(4);
        let inside = boxed(area, wide, needed, "keys", on);
        let room = usize::from(inside.height.saturating_sub(1));
        let top = self.top.get().min(lines.len().saturating_sub(room * columns));
        self.top.set(top);
        let each = inside.width / u16::try_from(columns).unwrap_or(1);
        for (n, line) in lines.iter().skip(top).take(room * columns).enumerate() {
            let (column, y) = (u16::try_from(n / room).unwrap_or(0), u16::try_from(n % room).unwrap_or(0));
            let place = part(inside, column * each, y, each.saturating_sub(1), 1);
            match line {
                Line::Blank => {}
                Line::Title(title) => {
                    on.put(place, 0, 0, &title.to_uppercase(), Role::Title);
                }
                Line::Key(keys, doc) => {
                    on.put(place, 1, 0, &clip(keys, 17), Role::HintKey);
                    on.put(place, 19, 0, &clip(doc, place.width.saturating_sub(19)), Role::Text);
                }
                Line::Words(words) => {
                    on.put(place, 1, 0, &clip(words, place.width), Role::Text);
                }
            }
        }
        let more = lines.len().saturating_sub(top + room * columns);
        let words = if more > 0 { format!("{keys}   ↓{more} more") } else { keys.to_owned() };
        on.put(inside, 0, inside.height.saturating_sub(1), &words, Role::Hint);
    }
}
