//! Words on the screen: put, cut, wrapped; spans, sizes and times as people read them.

use crate::core::model::diff::DiffStat;
use crate::values::time::{Span, Time};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a text.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
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
    let room = usize::from(room);
    if text.width() <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = cluster.width();
        if used + wide + 1 > room {
            break;
        }
        used += wide;
        out.push_str(cluster);
    }
    if room > 0 {
        out.push('…');
    }
    out
}

/// A line in lines of at most `room` columns, broken at blanks where there are any. Never empty.
pub(super) fn wrap(text: &str, room: u16) -> Vec<String> {
    let room = usize::from(room.max(1));
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_word_bounds() {
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

/// A span in at most six characters.
pub(super) fn span(of: Span) -> String {
    let secs = of.0 / 1000;
    match secs {
        0 => "-".to_owned(),
        1..=59 => format!("{secs}s"),
        60..=3599 => format!("{}m{:02}", secs / 60, secs % 60),
        3600..=359_999 => format!("{}h{:02}", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d{:02}", secs / 86_400, secs % 86_400 / 3600),
    }
}

/// A diff's size in a few characters.
pub(super) fn size(stat: DiffStat) -> String {
    if stat.files == 0 { "-".to_owned() } else { format!("+{} -{}", stat.added, stat.removed) }
}

/// A count in at most five characters: `950`, `12.3k`, `4.0M`.
pub(super) fn count(n: u64) -> String {
    let scaled = |unit: u64, suffix: &str| {
        let tenths = n / (unit / 10);
        if tenths >= 1000 {
            format!("{}{suffix}", n / unit)
        } else {
            format!("{}.{}{suffix}", tenths / 10, tenths % 10)
        }
    };
    match n {
        0..=999 => n.to_string(),
        1_000..=999_999 => scaled(1_000, "k"),
        1_000_000..=999_999_999 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// A moment: the time of day if it was within the last 24 hours of `now`, else the date too.
pub(super) fn moment(at: Time, now: Time, zone: &TimeZone) -> String {
    let Ok(stamp) = jiff::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX)) else {
        return "?".to_owned();
    };
    let zoned = stamp.to_zoned(zone.clone());
    let recent = now.since(at).0 < 24 * 3_600_000;
    zoned.strftime(if recent { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_columns_and_marks_what_is_gone() {
        assert_eq!(clip("kettle", 6), "kettle");
        assert_eq!(clip("kettles", 6), "kettl…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(clip("x", 0), "");
    }

    #[test]
    fn wrapping_breaks_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrap("the pot is watched", 8), ["the pot", "is", "watched"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn numbers_stay_short() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (12_345, "12.3k"),
            (999_999, "999k"),
            (4_000_000, "4.0M"),
        ] {
            assert_eq!(count(n), text);
        }
        for (secs, text) in [(0, "-"), (59, "59s"), (61, "1m01"), (3_725, "1h02"), (360_000, "4d04")] {
            assert_eq!(span(Span::secs(secs)), text);
        }
    }

    #[test]
    fn an_old_moment_has_its_date() {
        let (at, day) = (Time(1_700_000_000_000), 24 * 3_600_000);
        assert_eq!(moment(at, Time(at.0 + 5), &TimeZone::UTC), "22:13:20");
        assert_eq!(moment(at, Time(at.0 + day), &TimeZone::UTC), "2023-11-14 22:13");
    }
}
