//! A text being written: a cursor, lines, the usual keys; bounded.

use super::key::Key;
use crossterm::event::KeyCode;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};
use unicode_width::UnicodeWidthStr as _;

/// Most bytes of a text.
const BYTES_MAX: usize = 64 * 1024;

/// The text and where the next character goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Editor {
    text: String,
    /// A byte of the text, between two characters as people see them.
    at: usize,
    /// More than one line is allowed.
    lines: bool,
}

impl Editor {
    pub(super) fn line(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len(), lines: false }
    }

    pub(super) fn lines() -> Self {
        Self { lines: true, ..Self::default() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn has_lines(&self) -> bool {
        self.lines
    }

    /// Puts a text in at the cursor; line breaks become blanks where there is one line alone.
    pub(super) fn insert(&mut self, text: &str) {
        let clean: String = text
            .replace("\r\n", "\n")
            .chars()
            .map(|c| if c == '\r' { '\n' } else { c })
            .map(|c| if c == '\t' || (c == '\n' && !self.lines) { ' ' } else { c })
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        if self.text.len() + clean.len() <= BYTES_MAX {
            self.text.insert_str(self.at, &clean);
            self.at += clean.len();
        }
    }

    /// Does what a key says; whether it said something.
    pub(super) fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(&c.to_string());
            return true;
        }
        let ctrl = key.has_ctrl();
        match key.code() {
            KeyCode::Backspace if ctrl => self.cut(self.word_before()),
            KeyCode::Backspace => self.cut(self.before()),
            KeyCode::Delete => self.cut(self.after()),
            KeyCode::Char('w') if ctrl => self.cut(self.word_before()),
            KeyCode::Char('u') if ctrl => self.cut(self.line_start()),
            KeyCode::Char('k') if ctrl => self.cut(self.line_end()),
            KeyCode::Left if ctrl => self.at = self.word_before(),
            KeyCode::Left => self.at = self.before(),
            KeyCode::Right => self.at = self.after(),
            KeyCode::Home => self.at = self.line_start(),
            KeyCode::Char('a') if ctrl => self.at = self.line_start(),
            KeyCode::End => self.at = self.line_end(),
            KeyCode::Char('e') if ctrl => self.at = self.line_end(),
            KeyCode::Up if self.lines => self.walk(false),
            KeyCode::Down if self.lines => self.walk(true),
            _ => return false,
        }
        true
    }

    /// The text broken into rows of at most `room` columns, and the row and column of the cursor.
    pub(super) fn rows(&self, room: u16) -> (Vec<String>, (usize, u16)) {
        let room = usize::from(room.max(2));
        let (mut rows, mut row, mut used, mut offset) = (Vec::new(), String::new(), 0, 0);
        let mut cursor = (0, 0);
        for cluster in self.text.graphemes(true) {
            let wide = cluster.width();
            if cluster != "\n" && used + wide > room {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            if offset == self.at {
                cursor = (rows.len(), used);
            }
            offset += cluster.len();
            if cluster == "\n" {
                rows.push(std::mem::take(&mut row));
                used = 0;
            } else {
                row.push_str(cluster);
                used += wide;
            }
        }
        if offset == self.at {
            if used >= room {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            cursor = (rows.len(), used);
        }
        rows.push(row);
        (rows, (cursor.0, u16::try_from(cursor.1).unwrap_or(0)))
    }

    fn cut(&mut self, to: usize) {
        let (start, end) = (to.min(self.at), to.max(self.at));
        self.text.replace_range(start..end, "");
        self.at = start;
    }

    fn before(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.at, self.text.len(), true);
        cursor.prev_boundary(&self.text, 0).ok().flatten().unwrap_or(0)
    }

    fn after(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.at, self.text.len(), true);
        cursor.next_boundary(&self.text, 0).ok().flatten().unwrap_or(self.text.len())
    }

    fn word_before(&self) -> usize {
        let head = self.text[..self.at].trim_end();
        head.rfind(char::is_whitespace)
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8))
    }

    fn line_start(&self) -> usize {
        self.text[..self.at].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |at| self.at + at)
    }

    /// One line up or down, in the same place as far as there is one.
    fn walk(&mut self, down: bool) {
        let start = self.line_start();
        let before = self.text[start..self.at].graphemes(true).count();
        let line = if down {
            let end = self.line_end();
            if end == self.text.len() {
                return;
            }
            end + 1
        } else if start == 0 {
            return;
        } else {
            self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1)
        };
        let end = self.text[line..].find('\n').map_or(self.text.len(), |at| line + at);
        let place = self.text[line..end].grapheme_indices(true).nth(before);
        self.at = place.map_or(end, |(at, _)| line + at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, keys: &[&str]) {
        for key in keys {
            editor.key(Key::parse(key).unwrap());
        }
    }

    #[test]
    fn keys_edit_as_people_know_them() {
        let mut editor = Editor::line("watch the pot");
        press(&mut editor, &["ctrl-w", "left", "backspace", "x"]);
        assert_eq!(editor.text(), "watch thx ");
        press(&mut editor, &["ctrl-u"]);
        assert_eq!(editor.text(), " ");
        press(&mut editor, &["delete", "delete", "home", "é", "end", "backspace", "backspace"]);
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn a_character_of_several_code_points_goes_at_once() {
        let mut editor = Editor::line("e\u{301}👨‍👩‍👧");
        press(&mut editor, &["backspace"]);
        assert_eq!(editor.text(), "e\u{301}");
        press(&mut editor, &["backspace"]);
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn pasted_lines_stay_lines_only_where_there_may_be_some() {
        let mut line = Editor::line("");
        line.insert("a\r\nb\u{1b}[31m\tc");
        assert_eq!(line.text(), "a b[31m c");
        let mut lines = Editor::lines();
        lines.insert("a\r\nb\rc");
        assert_eq!(lines.text(), "a\nb\nc");
        assert_eq!(lines.rows(10).1, (2, 1));
        press(&mut lines, &["up", "up", "up", "x"]);
        assert_eq!(lines.text(), "ax\nb\nc");
        press(&mut lines, &["down", "y"]);
        assert_eq!(lines.text(), "ax\nby\nc");
    }

    #[test]
    fn rows_break_where_the_room_ends_and_the_cursor_stays_inside() {
        let editor = Editor::line("日本語x");
        assert_eq!(editor.rows(4), (vec!["日本".into(), "語x".into()], (1, 3)));
        assert_eq!(Editor::line("abcd").rows(4), (vec!["abcd".into(), String::new()], (1, 0)));
    }

    #[test]
    fn a_text_has_an_end() {
        let mut editor = Editor::lines();
        editor.insert(&"x".repeat(BYTES_MAX));
        editor.insert("y");
        assert_eq!(editor.text().len(), BYTES_MAX);
    }
}
