//! Text of a screen and its history: last lines, search. For callers that hold a permit.

use super::emulator::{Emulator, Outbox};
use alacritty_terminal::grid::Dimensions as _;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::Term;
use alacritty_terminal::term::cell::Flags;

/// The last `n` lines that have text, history included; blank lines below the last text are left out.
#[must_use]
pub fn last_lines(emulator: &Emulator, n: usize) -> Vec<String> {
    let term = &emulator.term;
    let mut lines = Vec::new();
    let mut at = term.bottommost_line().0;
    while at >= term.topmost_line().0 && lines.len() < n {
        let line = line(term, Line(at));
        if !(lines.is_empty() && line.is_empty()) {
            lines.push(line);
        }
        at -= 1;
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.reverse();
    lines
}

/// Where `text` is found, newest first, as scroll positions that show the line: 0 for lines on the screen itself.
/// Upper and lower case are the same unless `text` has an upper-case letter.
#[must_use]
pub fn search(emulator: &Emulator, text: &str) -> Vec<u32> {
    if text.is_empty() {
        return Vec::new();
    }
    let exact = text.chars().any(char::is_uppercase);
    let term = &emulator.term;
    let mut found: Vec<u32> = Vec::new();
    for at in (term.topmost_line().0..=term.bottommost_line().0).rev() {
        let line = line(term, Line(at));
        let hit = if exact { line.contains(text) } else { line.to_lowercase().contains(text) };
        let scroll = at.min(0).unsigned_abs();
        if hit && found.last() != Some(&scroll) {
            found.push(scroll);
        }
    }
    found
}

/// One line's text, trailing blanks left out.
pub(super) fn line(term: &Term<Outbox>, line: Line) -> String {
    let row = &term.grid()[line];
    let mut text = String::new();
    for column in 0..term.columns() {
        let cell = &row[Column(column)];
        if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        text.push(if cell.c == '\t' { ' ' } else { cell.c });
        text.extend(cell.zerowidth().into_iter().flatten());
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(text: &str) -> Emulator {
        let mut emulator = Emulator::new(3, 10);
        emulator.feed(text.as_bytes());
        emulator
    }

    #[test]
    fn last_lines_reach_into_the_history() {
        let emulator = screen("one\r\n\r\nthree\r\nfour\r\nfive\r\n");
        assert_eq!(last_lines(&emulator, 2), ["four", "five"]);
        assert_eq!(last_lines(&emulator, 99), ["one", "", "three", "four", "five"]);
        assert_eq!(last_lines(&emulator, 4), ["three", "four", "five"], "no blank lines at the top");
    }

    #[test]
    fn search_gives_scroll_positions() {
        let emulator = screen("Needle\r\nb\r\nneedle\r\nd\r\ne needle");
        assert_eq!(search(&emulator, "needle"), [0, 2]);
        assert_eq!(search(&emulator, "Needle"), [2]);
        assert_eq!(search(&emulator, ""), [0; 0]);
    }

    #[test]
    fn wide_characters_and_marks() {
        assert_eq!(last_lines(&screen("日e\u{301}x"), 1), ["日e\u{301}x"]);
    }
}
