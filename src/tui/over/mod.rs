//! What is laid over a view: a form, a question, the palette, the help. A file each; one at a time.

pub(super) mod form;
pub(super) mod help;
pub(super) mod palette;
pub(super) mod sure;

use super::form::Form;
use super::theme::Role;
use super::views::{Canvas, part};
use ratatui::layout::Rect;

/// The one thing that is open.
#[derive(Clone, Debug)]
pub(super) enum Over {
    Form(Form),
    Sure(sure::Sure),
    Palette(palette::Palette),
    Help(help::Help),
}

/// Clears a box in the middle of the area, draws its edge and title; gives its inside.
fn boxed(area: Rect, wide: u16, high: u16, title: &str, on: &mut Canvas<'_>) -> Rect {
    let (wide, high) = (wide.min(area.width), high.min(area.height));
    let place = part(area, (area.width - wide) / 2, (area.height - high) / 3, wide, high);
    on.hits.clear();
    on.cursor = None;
    let plain = on.style(Role::Text);
    for y in place.y..place.bottom() {
        // Half of a wide character would be left before the edge.
        if let Some(before) = place.x.checked_sub(1).and_then(|x| on.buf.cell_mut((x, y)))
            && super::text::width(before.symbol()) > 1
        {
            before.set_symbol(" ");
        }
        for x in place.x..place.right() {
            if let Some(cell) = on.buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(plain);
            }
        }
    }
    let across = "─".repeat(usize::from(wide.saturating_sub(2)));
    on.put(place, 0, 0, &format!("╭{across}╮"), Role::BorderFocus);
    on.put(place, 0, high - 1, &format!("╰{across}╯"), Role::BorderFocus);
    for y in 1..high - 1 {
        on.put(place, 0, y, "│", Role::BorderFocus);
        on.put(place, wide - 1, y, "│", Role::BorderFocus);
    }
    on.put(part(place, 0, 0, wide.saturating_sub(2), 1), 2, 0, &format!(" {title} "), Role::Strong);
    part(place, 2, 1, wide.saturating_sub(4), high.saturating_sub(2))
}
