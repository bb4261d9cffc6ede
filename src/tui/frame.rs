//! One frame: the line at the top, the view, what is laid over it, the lines at the bottom.

use super::action::Action;
use super::app::{App, View};
use super::known::Link;
use super::over::Over;
use super::text::{clip, put, width};
use super::theme::Role;
use super::views::{Canvas, board, part};
use crate::values::text::Shown;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// The smallest terminal that everything fits.
pub(super) const MIN: (u16, u16) = (80, 24);

/// Draws everything; gives where the cursor goes.
pub(super) fn render(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.settings.theme;
    buf.set_style(area, theme.style(Role::Text));
    let mut hits = app.hits.borrow_mut();
    hits.clear();
    if area.width < MIN.0 || area.height < MIN.1 {
        too_small(area, buf, app);
        return None;
    }
    let mut on = Canvas { known: &app.known, theme, buf, hits: &mut hits, cursor: None };
    top(app, part(area, 0, 0, area.width, 1), &mut on);
    let body = App::body(area);
    match app.view() {
        View::Board(board) => board.render(body, &mut on),
        View::Panes(panes) => panes.render(body, &mut on),
        View::Screen(screen) => screen.render(body, &mut on),
        View::Review(review) => review.render(body, &mut on),
        View::Ledger(ledger) => ledger.render(body, &mut on),
        View::Timeline(timeline) => timeline.render(body, &mut on),
        View::Spec(page) => page.render(body, &mut on),
    }
    bottom(app, part(area, 0, area.height - 2, area.width, 2), &mut on);
    match &app.over {
        None => {}
        Some(Over::Form(form)) => {
            let mut actions = vec![Action::Submit];
            if form.can_accept() {
                actions.extend([Action::Accept, Action::Decline]);
            }
            if form.fields.len() > 1 {
                actions.push(Action::NextField);
            }
            if form
                .fields
                .iter()
                .any(|field| matches!(&field.value, super::form::Value::Text(text) if text.has_lines()))
            {
                actions.push(Action::NewLine);
            }
            actions.push(Action::Cancel);
            super::over::form::render(form, body, &line_of(app, &actions), &mut on);
        }
        Some(Over::Sure(sure)) => sure.render(body, &line_of(app, &[Action::Yes, Action::No]), &mut on),
        Some(Over::Palette(palette)) => {
            palette.render(
                body,
                &line_of(app, &[Action::Choose, Action::MenuDown, Action::MenuUp, Action::Close]),
                &mut on,
            );
        }
        Some(Over::Help(help)) => {
            let keys = line_of(app, &[Action::MenuDown, Action::MenuUp, Action::Close]);
            help.render(body, &app.settings.keymap, &keys, &mut on);
        }
    }
    on.cursor
}

fn too_small(area: Rect, buf: &mut Buffer, app: &App) {
    let style = app.settings.theme.style(Role::Text);
    let lines = [
        format!("{}x{} is too small", area.width, area.height),
        format!("nopeek needs {}x{}", MIN.0, MIN.1),
        "agents go on".to_owned(),
    ];
    for (line, y) in lines.iter().zip(0..area.height) {
        put(buf, area, 0, y, &clip(line, area.width), style);
    }
}

fn top(app: &App, area: Rect, on: &mut Canvas<'_>) {
    on.put(area, 1, 0, "nopeek", Role::Brand);
    let name = app
        .known
        .repo
        .as_ref()
        .and_then(|repo| repo.file_name())
        .map_or("all repos".into(), |n| n.to_string_lossy());
    let parts = board::summary(&app.known);
    let right = if app.known.link == Link::Down { 16 } else { board::summary_width(&parts) };
    let room = area.width.saturating_sub(right + 12);
    let x = on.put(area, 9, 0, &clip(Shown::line(&name).as_str(), room), Role::Header);
    let place = match app.view() {
        View::Board(_) => "",
        View::Panes(_) => " · panes",
        View::Screen(_) => " · screen",
        View::Review(_) => " · review",
        View::Ledger(_) => " · ledger",
        View::Timeline(_) => " · timeline",
        View::Spec(_) => " · spec",
    };
    let left = |x: u16| room.saturating_sub(x.saturating_sub(9));
    let x = on.put(area, x, 0, &clip(place, left(x)), Role::Header);
    if let Some(batch) = app.known.batch() {
        on.put(area, x, 0, &clip(&format!(" · {batch}"), left(x)), Role::Dim);
    }
    if app.known.link == Link::Down {
        on.put_right(area, 1, 0, "no daemon …", Role::Refusal);
        return;
    }
    let mut x = area.width.saturating_sub(right + 1);
    for (n, (text, role)) in parts.iter().enumerate() {
        if n > 0 {
            x = on.put(area, x, 0, " · ", Role::Dim);
        }
        x = on.put(area, x, 0, text, *role);
    }
}

/// A line for what was said, and the keys that fit.
fn bottom(app: &App, area: Rect, on: &mut Canvas<'_>) {
    if let Some(toast) = &app.toast {
        let role = if toast.refused { Role::Refusal } else { Role::Notice };
        on.put(area, 1, 0, &clip(&toast.text, area.width - 2), role);
    } else if let Some(trouble) = &app.known.board.trouble {
        // How to go on has several lines, with paths to type: the shell is the place for them.
        let how = " · `nopeek doctor` says what to do";
        let what = clip(trouble.what.as_str(), (area.width - 2).saturating_sub(width(how)));
        let x = on.put(area, 1, 0, &what, Role::Refusal);
        on.put(area, x, 0, how, Role::Dim);
    }
    if app.over.is_some() {
        return;
    }
    if app.typing().is_some() {
        let leader = app.settings.keymap.key(Action::Leader).map(|key| key.to_string()).unwrap_or_default();
        let x = on.put(area, 1, 1, &leader, Role::HintKey) + 1;
        on.put(area, x, 1, "stops typing; every other key goes to the agent", Role::Hint);
        return;
    }
    let hints = hints(app);
    let always = [Action::Palette, Action::Help];
    let end: Vec<(String, &str)> = always.iter().filter_map(|action| hint(app, *action)).collect();
    let end_width: u16 = end.iter().map(|(key, word)| width(key) + width(word) + 4).sum();
    let mut x = 1;
    for (key, word) in hints.iter().filter_map(|action| hint(app, *action)) {
        let wide = width(&key) + width(word) + 1;
        if x + wide + end_width + 1 > area.width {
            break;
        }
        x = on.put(area, x, 1, &key, Role::HintKey) + 1;
        x = on.put(area, x, 1, word, Role::Hint) + 3;
    }
    for (key, word) in end {
        x = on.put(area, x, 1, &key, Role::HintKey) + 1;
        x = on.put(area, x, 1, word, Role::Hint) + 3;
    }
}

/// The actions that are shown at the bottom, most wanted first.
pub(super) fn hints(app: &App) -> Vec<Action> {
    let mut hints = match app.view() {
        View::Board(board) => board.hints(&app.known),
        View::Panes(panes) => panes.hints(&app.known),
        View::Screen(screen) => screen.hints(&app.known),
        View::Review(review) => review.hints(&app.known),
        View::Ledger(ledger) => ledger.hints(),
        View::Timeline(timeline) => timeline.hints(),
        View::Spec(page) => page.hints(&app.known),
    };
    // What fits a task is not always done in this view.
    hints.retain(|action| app.sections().contains(&action.about().section));
    hints
}

/// The key that the hints show for an action, and its word.
fn hint(app: &App, action: Action) -> Option<(String, &'static str)> {
    let key = app.settings.keymap.key(action)?;
    Some((key.to_string(), action.about().hint))
}

fn line_of(app: &App, actions: &[Action]) -> String {
    let hints: Vec<String> = actions
        .iter()
        .filter_map(|action| hint(app, *action))
        .map(|(key, word)| format!("{key} {word}"))
        .collect();
    hints.join("   ")
}
