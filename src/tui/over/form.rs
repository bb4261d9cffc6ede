//! A form as it is drawn: its words, its fields, what is missing, its keys.

use super::super::form::{Form, Value};
use super::super::hits::Hit;
use super::super::text::{clip, width, wrap};
use super::super::theme::Role;
use super::super::views::{Canvas, follow, part};
use super::boxed;
use crate::values::text::Shown;
use ratatui::layout::{Position, Rect};

/// Rows of a field of several lines.
const ROWS: u16 = 6;
/// Most lines of what is wrong with a field: what was read, what is wrong with it, how it is written.
const WRONG: usize = 3;

pub(in crate::tui) fn render(form: &Form, area: Rect, keys: &str, on: &mut Canvas<'_>) {
    let wide = area.width.saturating_sub(4).min(if area.width >= 140 { 110 } else { 76 });
    let room = wide.saturating_sub(4);
    let mut intro: Vec<String> =
        form.intro.iter().flat_map(|line| wrap(Shown::line(line).as_str(), room)).collect();
    let wrong = form.wrong.as_ref().map(|wrong| cut_to(wrap(wrong, room), WRONG, room)).unwrap_or_default();
    // What is wrong, at least a line for it, and the keys, with a blank line above each; the border.
    let below = u16::try_from(wrong.len().max(1)).unwrap_or(1) + 4;
    let rows =
        |value: &Value| if matches!(value, Value::Text(editor) if editor.has_lines()) { ROWS } else { 1 };
    let fields: u16 = form.fields.iter().map(|field| rows(&field.value)).sum();
    // What is answered should have been read whole.
    let most = usize::from(area.height.saturating_sub(fields + below + 1).max(8));
    intro = cut_to(intro, most, room);
    let gap = u16::from(!intro.is_empty());
    let high = fields + u16::try_from(intro.len()).unwrap_or(0) + gap + below;
    let inside = boxed(area, wide, high, &clip(&form.title, room), on);
    let mut y = 0;
    for line in &intro {
        on.put(inside, 0, y, line, Role::Text);
        y += 1;
    }
    y += gap;
    let label = form.fields.iter().map(|field| width(field.label)).max().unwrap_or(0) + 2;
    for (n, field) in form.fields.iter().enumerate() {
        let here = n == form.at;
        on.put(inside, 0, y, field.label, if here { Role::Strong } else { Role::Title });
        let place = part(inside, label, y, inside.width.saturating_sub(label), rows(&field.value));
        on.hits.add(place, Hit::Field(n));
        draw(field, here, place, on);
        y += rows(&field.value);
    }
    for (line, y) in wrong.iter().zip(y + 1..) {
        on.put(inside, 0, y, line, Role::Refusal);
    }
    on.put(inside, 0, inside.height.saturating_sub(1), &clip(keys, inside.width), Role::Hint);
}

/// At most so many lines; the last of them is marked if there were more.
fn cut_to(mut lines: Vec<String>, most: usize, room: u16) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", clip(last, room.saturating_sub(1)));
        }
    }
    lines
}

fn draw(field: &super::super::form::Field, here: bool, place: Rect, on: &mut Canvas<'_>) {
    match &field.value {
        Value::Choice { of, at } => {
            let word = of.get(*at).map_or("", String::as_str);
            // Arrows only where they lead somewhere: the agents are not known at once.
            let text = if here && of.len() > 1 { format!("◂ {word} ▸") } else { word.to_owned() };
            on.put(place, 0, 0, &clip(&text, place.width), if here { Role::Strong } else { Role::Text });
        }
        Value::Text(editor) => {
            on.buf.set_style(place, on.style(Role::Field));
            if editor.text().is_empty() {
                on.put(place, 0, 0, &clip(&field.hint, place.width), Role::Dim);
            }
            let (rows, (row, column)) = editor.rows(place.width);
            let first = follow(0, row, usize::from(place.height), rows.len());
            for (text, y) in rows.iter().skip(first).zip(0..place.height) {
                on.put(place, 0, y, text, Role::Field);
            }
            if here {
                let y = u16::try_from(row - first).unwrap_or(0);
                on.cursor =
                    Some(Position::new(place.x + column.min(place.width.saturating_sub(1)), place.y + y));
            }
        }
    }
}
