//! Panes: the screens of all attempts that are alive or wait for somebody, side by side; a covered one shows its vitals.
//!
//! One pane has the focus; it can be zoomed, made larger, typed into. Where not all fit there are pages.

use super::super::action::Action;
use super::super::app::Cmd;
use super::super::hits::Hit;
use super::super::known::{Group, Known, is_sealed, may_type};
use super::super::offers;
use super::super::splits::{Side, Splits, shape};
use super::super::text::{clip, width};
use super::super::theme::Role;
use super::{Canvas, board, gates, part, screen};
use crate::core::views::board::TaskView;
use crate::values::ids::JobId;
use crate::wire::client::Look;
use ratatui::layout::Rect;

/// The view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Panes {
    pub(in crate::tui) splits: Splits,
    zoomed: bool,
    pub(in crate::tui) typing: bool,
}

/// A pane's task and place.
struct Pane<'a> {
    task: &'a TaskView,
    place: Rect,
}

/// The tasks that have a pane.
fn shown(known: &Known) -> Vec<&TaskView> {
    let mut tasks: Vec<&TaskView> = known
        .rows()
        .into_iter()
        .filter(|task| task.attempt().is_some() && Group::of(task) != Group::Ended)
        .collect();
    // By age: a pane must not jump when its task changes its state.
    tasks.sort_by_key(|task| task.id);
    tasks
}

impl Panes {
    pub(in crate::tui) fn new(splits: Splits) -> Self {
        Self { splits, ..Self::default() }
    }

    /// The focused pane's place in the list.
    fn focus(known: &Known, tasks: &[&TaskView]) -> usize {
        tasks.iter().position(|task| Some(task.id) == known.selected).unwrap_or(0)
    }

    fn panes<'a>(&self, known: &'a Known, area: Rect) -> (Vec<Pane<'a>>, (usize, usize), usize) {
        let tasks = shown(known);
        let focus = Self::focus(known, &tasks);
        if self.zoomed && !tasks.is_empty() {
            return (vec![Pane { task: tasks[focus], place: area }], (1, 1), focus);
        }
        let grid = shape(area, tasks.len());
        let page = grid.0 * grid.1;
        let first = focus / page * page;
        let here: Vec<&TaskView> = tasks.into_iter().skip(first).take(page).collect();
        let places = self.splits.places(area, grid, here.len());
        let panes = here.into_iter().zip(places).map(|(task, place)| Pane { task, place }).collect();
        (panes, grid, first)
    }

    /// Inside of a pane: below its title.
    const fn inside(place: Rect) -> Rect {
        Rect {
            y: place.y + 1,
            height: place.height.saturating_sub(1),
            width: place.width.saturating_sub(1),
            ..place
        }
    }

    pub(in crate::tui) fn looks(&self, known: &Known, area: Rect) -> Vec<Look> {
        let (panes, ..) = self.panes(known, area);
        panes
            .iter()
            .filter_map(|pane| {
                let inside = Self::inside(pane.place);
                let focused = Some(pane.task.id) == known.selected;
                let attempt = pane.task.attempt().filter(|attempt| !is_sealed(attempt))?;
                Some(Look {
                    job: attempt.job?,
                    rows: inside.height,
                    cols: inside.width,
                    // A glance must not make agents redraw in another size; who types wants theirs.
                    focus: focused && (self.typing || self.zoomed),
                    scrolled: 0,
                })
            })
            .collect()
    }

    /// The job that keys go to while typing.
    pub(in crate::tui) fn job(&self, known: &Known) -> Option<JobId> {
        let tasks = shown(known);
        let attempt = tasks.get(Self::focus(known, &tasks))?.attempt()?;
        attempt.job.filter(|_| may_type(attempt))
    }

    /// Where the focused screen is drawn.
    pub(in crate::tui) fn place(&self, known: &Known, area: Rect) -> Option<Rect> {
        let (panes, ..) = self.panes(known, area);
        panes.iter().find(|pane| Some(pane.task.id) == known.selected).map(|pane| Self::inside(pane.place))
    }

    pub(in crate::tui) fn hints(&self, known: &Known) -> Vec<Action> {
        let mut hints = Vec::new();
        if self.job(known).is_some() {
            hints.push(Action::Type);
        }
        hints.extend([Action::Next, Action::Zoom, Action::Wider, Action::Taller, Action::Back]);
        hints.extend(known.current().map(offers::of).unwrap_or_default());
        hints
    }

    pub(in crate::tui) fn act(&mut self, known: &mut Known, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        let (count, focus) = {
            let tasks = shown(known);
            (tasks.len(), Self::focus(known, &tasks))
        };
        let (_, grid, first) = self.panes(known, area);
        let page = grid.0 * grid.1;
        let mut to = |n: usize| known.selected = shown(known).get(n).map(|task| task.id).or(known.selected);
        let mut keep = Vec::new();
        match action {
            Action::Next => to((focus + 1) % count.max(1)),
            Action::Previous => to((focus + count.max(1) - 1) % count.max(1)),
            Action::Right => to((focus + 1).min(count.saturating_sub(1))),
            Action::Left => to(focus.saturating_sub(1)),
            Action::Down if focus + grid.0 < count => to(focus + grid.0),
            Action::Up if focus >= grid.0 => to(focus - grid.0),
            Action::PageDown if first + page < count => to(first + page),
            Action::PageUp => to(first.saturating_sub(page)),
            Action::Top => to(0),
            Action::Bottom => to(count.saturating_sub(1)),
            Action::Down | Action::Up | Action::PageDown => {}
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Back if self.zoomed => self.zoomed = false,
            Action::Wider | Action::Narrower | Action::Taller | Action::Shorter => {
                let side =
                    if matches!(action, Action::Wider | Action::Narrower) { Side::Column } else { Side::Row };
                let grow = matches!(action, Action::Wider | Action::Taller);
                self.splits.change(grid, focus - first.min(focus), side, grow);
                keep.push(Cmd::Keep(self.splits.clone()));
            }
            Action::Even => {
                self.splits.even(grid);
                keep.push(Cmd::Keep(self.splits.clone()));
            }
            Action::Type if self.job(known).is_some() => self.typing = true,
            Action::Type => {
                keep.push(Cmd::Say("this screen takes no input: its agent is hidden or has ended".into()));
            }
            _ => return None,
        }
        Some(keep)
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let (panes, grid, first) = self.panes(on.known, area);
        if panes.is_empty() {
            on.put(area, 3, 2, "no attempt is under way", Role::Dim);
            return;
        }
        for (n, pane) in panes.iter().enumerate() {
            on.hits.add(pane.place, Hit::Pane(first + n));
            self.pane(pane, on);
        }
        let count = shown(on.known).len();
        let page = grid.0 * grid.1;
        if count > page && !self.zoomed {
            let words = format!(" page {} of {} ", first / page + 1, count.div_ceil(page));
            on.put_right(part(area, 0, area.height - 1, area.width, 1), 1, 0, &words, Role::Notice);
        }
    }

    /// Chooses the pane with this number.
    pub(in crate::tui) fn choose(known: &mut Known, n: usize) {
        known.selected = shown(known).get(n).map(|task| task.id).or(known.selected);
    }

    fn pane(&self, pane: &Pane<'_>, on: &mut Canvas<'_>) {
        let (task, place) = (pane.task, pane.place);
        let Some(attempt) = task.attempt() else { return };
        let focused = Some(task.id) == on.known.selected;
        let border = if focused { Role::BorderFocus } else { Role::Border };
        let line = if focused { "━" } else { "─" };
        on.put(place, 0, 0, &line.repeat(usize::from(place.width)), border);
        let (word, role) = board::state(task);
        let (lid, lid_role) = board::lid(attempt.lid);
        let dots: Vec<(char, Role)> = task.gates().iter().map(gates::dot).collect();
        let right =
            width(&word) + 4 + u16::try_from(dots.len().min(8)).unwrap_or(0) + u16::from(!dots.is_empty());
        let room = place.width.saturating_sub(right + 4);
        let mark = if task.needs_you { "! " } else { "" };
        let name = format!(" {mark}{} ", clip(&task.name, room));
        let name_role = if task.needs_you {
            Role::NeedsYou
        } else if focused {
            Role::Strong
        } else {
            Role::Text
        };
        on.put(place, 1, 0, &name, name_role);
        let mut x = place.width.saturating_sub(right + 1);
        x = on.put(place, x, 0, " ", Role::Text);
        x = on.put(place, x, 0, &word, role);
        x = on.put(place, x, 0, " ", Role::Text);
        for (dot, role) in dots.iter().take(8) {
            x = on.put(place, x, 0, &dot.to_string(), *role);
        }
        if !dots.is_empty() {
            x = on.put(place, x, 0, " ", Role::Text);
        }
        x = on.put(place, x, 0, lid, lid_role);
        on.put(place, x, 0, " ", Role::Text);
        if self.typing && focused {
            on.put(
                place,
                1,
                0,
                &format!(" typing into {} ", clip(&task.name, room.saturating_sub(12))),
                Role::Match,
            );
        }
        let edge = part(place, place.width.saturating_sub(1), 1, 1, place.height.saturating_sub(1));
        let at_edge = place.x + place.width >= on.buf.area.width;
        for y in 0..edge.height {
            if !at_edge {
                on.put(edge, 0, y, "│", Role::Border);
            }
        }
        let inside = Self::inside(place);
        let grid = attempt.job.and_then(|job| on.known.grids.get(&job));
        if is_sealed(attempt) {
            screen::lidded(task, attempt, inside, on);
        } else if let Some(grid) = grid {
            let cursor = grid.render(inside, on.buf, on.theme, None);
            if focused && may_type(attempt) {
                on.cursor = cursor;
            }
        } else {
            let words = if attempt.job.is_some() { "…" } else { "it has not started yet" };
            on.put(inside, 1, 1, words, Role::Dim);
        }
        if let Some(question) = &task.question
            && inside.height > 2
        {
            let line = part(inside, 0, inside.height - 1, inside.width, 1);
            on.put(line, 0, 0, &clip(&format!("? {}", question.text), line.width), Role::NeedsYou);
        }
    }
}
