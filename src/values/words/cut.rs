//! Texts cut to their room, by the columns of a terminal, by characters or by bytes; what is cut is marked with `…`.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// What stands where something was cut: one column, one character.
pub const MARK: char = '…';

/// Columns of a text on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `room` columns, the mark among them; no character is halved.
#[must_use]
pub fn columns(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = width(cluster);
        if used + wide + 1 > room {
            break;
        }
        used += wide;
        out.push_str(cluster);
    }
    if room > 0 {
        out.push(MARK);
    }
    out
}

/// The text in at most `most` characters, the mark among them.
#[must_use]
pub fn chars(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let Some(kept) = most.checked_sub(1) else { return String::new() };
    text.chars().take(kept).chain([MARK]).collect()
}

/// The text in at most `most` bytes and the mark's three.
#[must_use]
pub fn bytes(text: &str, most: usize) -> String {
    let kept = &text[..text.floor_char_boundary(most)];
    if kept.len() < text.len() { format!("{kept}{MARK}") } else { text.to_owned() }
}
