//! Words on the screen: put, cut and wrapped by columns.

use crate::core::model::diff::DiffStat;
use crate::values::time::Span;
use crate::values::words::{cut, duration};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a text.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(cut::width(text)).unwrap_or(u16::MAX)
}

/// Writes a text from column `x`, row `y` of `area`, cut at its edge; gives the column after it.
pub(super) fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    if x >= area.width || y >= area.height {
        return x;
    }
    let (end, _) = buf.set_stringn(area.x + x, area.y + y, text, usize::from(area.width - x), style);
    end - area.x
}

/// Writes a text so that it ends at the area's right edge, `margin` columns from it.
pub(super) fn put_right(buf: &mut Buffer, area: Rect, margin: u16, y: u16, text: &str, style: Style) {
    let x = area.width.saturating_sub(width(text).saturating_add(margin));
    put(buf, area, x, y, text, style);
}

/// A text in at most `room` columns; what is cut is marked.
pub(super) fn clip(text: &str, room: u16) -> String {
    cut::columns(text, usize::from(room))
}

/// A line in lines of at most `room` columns, broken at blanks where there are any. Never empty.
pub(super) fn wrap(text: &str, room: u16) -> Vec<String> {
    let room = usize::from(room.max(1));
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in words(text) {
        let wide = word.width();
        if used + wide > room && !line.is_empty() {
            let whole = std::mem::take(&mut line);
            lines.push(whole.trim_end().to_owned());
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
        }
        for cluster in word.graphemes(true) {
            let wide = cluster.width();
            if used + wide > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(cluster);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

/// Its words and what stands between them; a mark that ends something is part of the word before it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.split_word_bounds().next()?;
        let marks = if word.trim().is_empty() { "" } else { &rest[word.len()..] };
        let marks = marks.len() - marks.trim_start_matches([',', '.', ';', ':', '!', '?', ')', ']']).len();
        let (word, behind) = rest.split_at(word.len() + marks);
        rest = behind;
        Some(word)
    })
}

/// A span in six columns; a dash for less than a second, which is nothing yet.
pub(super) fn span(of: Span) -> String {
    if of.0 < duration::SECOND { "-".to_owned() } else { duration::short(of) }
}

/// A diff's size in a few characters.
pub(super) fn size(stat: DiffStat) -> String {
    if stat.files == 0 { "-".to_owned() } else { format!("+{} -{}", stat.added, stat.removed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_blanks_and_long_words_where_they_must() {
        assert_eq!(
            wrap("write it as 90s, 5m", 15),
            ["write it as", "90s, 5m"],
            "no line begins with a comma"
        );
        assert_eq!(wrap("the pot is watched", 8), ["the pot", "is", "watched"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_span_that_has_not_begun_is_a_dash() {
        let spans = [0, 999, 1_000, 3_599_999].map(|ms| span(Span(ms)));
        assert_eq!(spans, ["-", "-", "1s", "59m59s"]);
    }
}
