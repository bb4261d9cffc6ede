//! A client's copy of an agent's screen: changes come in, cells go out.
//!
//! Promises: whatever an agent printed, a cell drawn here takes the columns that the daemon's emulator gave it, so
//! that nothing after it is shifted; only text and style reach the terminal.

use super::theme::{Role, Theme};
use crate::wire::cells::{Changes, Cursor, Row};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What a client has of one screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    rows: Vec<Row>,
    cursor: Option<Cursor>,
    /// Lines that can be scrolled to above the live screen.
    pub(super) history: u32,
    /// How far it is scrolled back.
    pub(super) scrolled: u32,
    /// The program wants mouse reports.
    pub(super) mouse: bool,
}

impl Grid {
    /// Takes in a frame.
    pub(super) fn apply(&mut self, changes: Changes) {
        if changes.full {
            self.rows.clear();
        }
        self.rows.resize(usize::from(changes.rows), Row::default());
        for (n, row) in changes.changed {
            if let Some(place) = self.rows.get_mut(usize::from(n)) {
                *place = row;
            }
        }
        self.cursor = changes.cursor;
        self.history = changes.history;
        self.scrolled = changes.scrolled;
        self.mouse = changes.mouse;
    }

    /// The text of the rows.
    pub(super) fn text(&self) -> Vec<String> {
        self.rows.iter().map(Row::text).collect()
    }

    /// Draws it into `area` from the top left; gives where its cursor is, if that is inside.
    pub(super) fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        wanted: Option<&str>,
    ) -> Option<Position> {
        for (row, y) in self.rows.iter().zip(0..area.height) {
            draw(row, Rect { y: area.y + y, height: 1, ..area }, buf, theme);
            if let Some(wanted) = wanted {
                mark(row, wanted, Rect { y: area.y + y, height: 1, ..area }, buf, theme.style(Role::Match));
            }
        }
        let cursor = self.cursor.filter(|at| at.row < area.height && at.col < area.width)?;
        Some(Position::new(area.x + cursor.col, area.y + cursor.row))
    }
}

/// The cells of a row: their text, their columns.
fn cells(row: &Row) -> impl Iterator<Item = (String, u16, crate::wire::cells::Style)> {
    row.runs.iter().flat_map(|run| {
        let columns = if run.wide { 2 } else { 1 };
        let mut cells: Vec<String> = Vec::new();
        for c in run.text.chars() {
            match cells.last_mut() {
                Some(last) if c.width() == Some(0) => last.push(c),
                _ => cells.push(c.to_string()),
            }
        }
        cells.into_iter().map(move |text| (fitting(text, columns), columns, run.style))
    })
}

/// The text, if a terminal shows it in `columns`; else what of it does.
fn fitting(mut text: String, columns: u16) -> String {
    if text.width() == usize::from(columns) {
        return text;
    }
    // A variation selector or a joiner changed the width: the base character alone is what the emulator counted.
    text.truncate(text.chars().next().map_or(0, char::len_utf8));
    if text.width() == usize::from(columns) { text } else { " ".repeat(usize::from(columns)) }
}

fn draw(row: &Row, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut x = 0;
    for (text, columns, style) in cells(row) {
        if x + columns > area.width {
            break;
        }
        let style = theme.cell(style);
        if let Some(cell) = buf.cell_mut((area.x + x, area.y)) {
            cell.set_symbol(&text).set_style(style);
        }
        if columns == 2
            && let Some(cell) = buf.cell_mut((area.x + x + 1, area.y))
        {
            cell.set_symbol(" ").set_style(style);
        }
        x += columns;
    }
}

/// Gives every place of `wanted` in the row the style.
fn mark(row: &Row, wanted: &str, area: Rect, buf: &mut Buffer, style: Style) {
    let exact = wanted.chars().any(char::is_uppercase);
    let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
    let wanted = fold(wanted);
    // Where each byte of the folded text came from, in columns.
    let (mut text, mut columns, mut x) = (String::new(), Vec::new(), 0);
    for (cell, wide, _) in cells(row) {
        let folded = fold(&cell);
        columns.extend(std::iter::repeat_n(x, folded.len()));
        text.push_str(&folded);
        x += wide;
    }
    columns.push(x);
    let mut from = 0;
    while let Some(at) = text[from..].find(&wanted).filter(|_| !wanted.is_empty()) {
        let (start, end) = (columns[from + at], columns[(from + at + wanted.len()).min(columns.len() - 1)]);
        if start < area.width {
            let found = Rect { x: area.x + start, width: (end - start).min(area.width - start), ..area };
            buf.set_style(found, style);
        }
        from += at + wanted.len();
    }
}

#[cfg(test)]
mod tests {
    use super::super::depth::Depth;
    use super::*;
    use crate::screen::changes::{Seen, changes};
    use crate::screen::emulator::Emulator;
    use proptest::prelude::*;

    fn theme() -> Theme {
        Theme::ours("dark", Depth::True).unwrap().unwrap()
    }

    fn shown(bytes: &[u8], rows: u16, cols: u16) -> (Buffer, Option<Position>) {
        let mut emulator = Emulator::new(rows, cols);
        emulator.feed(bytes);
        let mut grid = Grid::default();
        grid.apply(changes(&mut emulator, &mut Seen::default(), rows, cols, 0).unwrap());
        let area = Rect::new(0, 0, cols, rows);
        let mut buf = Buffer::empty(area);
        let at = grid.render(area, &mut buf, &theme(), Some("ab"));
        (buf, at)
    }

    fn line(buf: &Buffer, y: u16) -> String {
        (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect()
    }

    #[test]
    fn wide_and_combining_characters_keep_their_columns() {
        let (buf, at) = shown("日e\u{301}x\u{2764}\u{fe0f}|".as_bytes(), 2, 10);
        assert_eq!(buf[(0, 0)].symbol(), "日");
        assert_eq!(buf[(2, 0)].symbol(), "e\u{301}");
        assert_eq!(buf[(3, 0)].symbol(), "x");
        assert!(line(&buf, 0).trim_end().ends_with('|'), "{:?}", line(&buf, 0));
        assert_eq!(at.unwrap().y, 0);
    }

    #[test]
    fn what_was_looked_for_is_marked() {
        let (buf, _) = shown("日AB cab".as_bytes(), 1, 12);
        let style = theme().style(Role::Match);
        let marked: Vec<u16> = (0..12).filter(|x| Some(buf[(*x, 0)].bg) == style.bg).collect();
        assert_eq!(marked, [2, 3, 6, 7]);
    }

    proptest! {
        #[test]
        fn every_cell_has_the_columns_that_the_emulator_gave_it(text in "\\PC{0,40}") {
            let (buf, _) = shown(text.as_bytes(), 4, 12);
            for y in 0..4 {
                let mut x = 0;
                while x < 12 {
                    let wide = u16::try_from(buf[(x, y)].symbol().width()).unwrap();
                    prop_assert!((1..=2).contains(&wide), "{:?}", buf[(x, y)].symbol());
                    x += wide;
                }
                prop_assert_eq!(x, 12);
            }
        }
    }
}
