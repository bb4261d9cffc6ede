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

pub(in crate::tui) fn render(form: &Form, area: Rect, keys: &str, on: &mut Canvas<'_>) {
    let wide = area.width.saturating_sub(4).min(if area.width >= 140 { 110 } else { 76 });
    let room = wide.saturating_sub(4);
    let mut intro: Vec<String> =
        form.intro.iter().flat_map(|line| wrap(Shown::line(line).as_str(), room)).collect();
    let rows =
        |value: &Value| if matches!(value, Value::Text(editor) if editor.has_lines()) { ROWS } else { 1 };
    let fields: u16 = form.fields.iter().map(|field| rows(&field.value)).sum();
    // What is answered should have been read whole.
    let most = usize::from(area.height.saturating_sub(fields + 6).max(8));
    if intro.len() > most {
        intro.truncate(most);
        if let Some(last) = intro.last_mut() {
            *last = format!("{}…", clip(last, room.saturating_sub(1)));
        }
    }
    let gap = u16::from(!intro.is_empty());
    let high = fields + u16::try_from(intro.len()).unwrap_or(0) + gap + 5;
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
    match &form.wrong {
        Some(wrong) => on.put(inside, 0, y + 1, &clip(wrong, inside.width), Role::Refusal),
        None => 0,
    };
    on.put(inside, 0, inside.height.saturating_sub(1), &clip(keys, inside.width), Role::Hint);
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
