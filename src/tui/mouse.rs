//! The mouse: what a click, a wheel, a drag mean where they happen.

use super::action::Action;
use super::app::{App, Cmd, View};
use super::hits::Hit;
use super::key::wire_mods;
use super::known::Pick;
use super::over::Over;
use super::views::panes::Panes;
use crate::values::ids::JobId;
use crate::wire::client::ToDaemon;
use crate::wire::input::{Input, Mouse, MouseAct};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Lines that one notch of the wheel moves.
const NOTCH: usize = 3;

impl App {
    /// What a mouse event does.
    pub(super) fn mouse(&mut self, event: MouseEvent) -> Vec<Cmd> {
        if let Some(cmd) = self.pass_on(event) {
            return vec![cmd];
        }
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(event.column, event.row),
            MouseEventKind::ScrollDown => self.wheel(true),
            MouseEventKind::ScrollUp => self.wheel(false),
            _ => Vec::new(),
        }
    }

    /// While somebody types into an agent that wants the mouse, it gets what happens inside of its screen.
    fn pass_on(&self, event: MouseEvent) -> Option<Cmd> {
        let job = self.typing().filter(|job| self.known.grids.get(job).is_some_and(|grid| grid.mouse))?;
        let place = self.screen_place(job)?;
        if !place.contains(Position::new(event.column, event.row)) {
            return None;
        }
        let button = |button| match button {
            MouseButton::Left => 0,
            MouseButton::Middle => 1,
            MouseButton::Right => 2,
        };
        let act = match event.kind {
            MouseEventKind::Down(of) => MouseAct::Down(button(of)),
            MouseEventKind::Up(of) => MouseAct::Up(button(of)),
            MouseEventKind::Drag(of) => MouseAct::Drag(button(of)),
            MouseEventKind::Moved => MouseAct::Moved,
            MouseEventKind::ScrollUp => MouseAct::ScrollUp,
            MouseEventKind::ScrollDown => MouseAct::ScrollDown,
            MouseEventKind::ScrollLeft | MouseEventKind::ScrollRight => return None,
        };
        let mouse = Mouse {
            act,
            row: event.row - place.y,
            col: event.column - place.x,
            mods: wire_mods(event.modifiers),
        };
        Some(Cmd::Send(ToDaemon::Input { job, input: Input::Mouse(mouse) }))
    }

    fn screen_place(&self, job: JobId) -> Option<Rect> {
        let area = Self::body(self.area);
        match self.view() {
            View::Screen(screen) if screen.job(&self.known) == Some(job) => {
                Some(super::views::screen::Screen::place(area))
            }
            View::Panes(panes) => panes.place(&self.known, area),
            _ => None,
        }
    }

    fn click(&mut self, column: u16, row: u16) -> Vec<Cmd> {
        let hit = self.hits.borrow().at(column, row);
        let Some((_, hit)) = hit else { return Vec::new() };
        let last = self.views.len() - 1;
        match (hit, &mut self.over, &mut self.views[last]) {
            (Hit::Entry(n), Some(Over::Palette(palette)), _) => {
                palette.choose(n);
                return self.act(Action::Choose);
            }
            (Hit::Field(n), Some(Over::Form(form)), _) => form.at = n,
            (_, Some(_), _) => {}
            (Hit::Task(id), None, View::Timeline(timeline)) if timeline.task() != Some(id) => {
                timeline.choose(id);
            }
            (Hit::Task(_), None, View::Timeline(_)) => return self.act(Action::Open),
            (Hit::Task(id), None, _) if self.known.current().is_some_and(|task| task.id == id) => {
                return self.act(Action::Open);
            }
            (Hit::Task(id), None, _) => self.known.choose(Pick::Task(id)),
            (Hit::Spec(id), None, _) if self.known.spec == Some(id) => return self.act(Action::Open),
            (Hit::Spec(id), None, _) => self.known.choose(Pick::Spec(id)),
            (Hit::Row(n), None, View::Spec(page)) if page.is_at(n) => return self.act(Action::ToTask),
            (Hit::Row(n), None, View::Spec(page)) => page.choose(n),
            (Hit::Pane(n), None, View::Panes(panes)) => {
                let before = self.known.selected;
                Panes::choose(&mut self.known, n);
                panes.typing &= before == self.known.selected;
            }
            (Hit::Tab(n), None, View::Screen(screen)) => screen.choose(&self.known, n),
            (Hit::File(n), None, View::Review(review)) => {
                review.choose(n);
                return review.orders(Self::body(self.area));
            }
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, down: bool) -> Vec<Cmd> {
        let in_menu = matches!(self.over, Some(Over::Palette(_) | Over::Help(_)));
        let action = match (in_menu, down) {
            (true, true) => Action::MenuDown,
            (true, false) => Action::MenuUp,
            (false, true) => Action::Down,
            (false, false) => Action::Up,
        };
        let times = if in_menu || matches!(self.view(), View::Board(_) | View::Panes(_)) { 1 } else { NOTCH };
        // One step of a scrolled screen counts from what was last drawn: several are one.
        if let View::Screen(screen) = self.view()
            && !in_menu
            && !screen.is_marking()
        {
            return self.scroll(if down { -1 } else { 1 });
        }
        (0..times).flat_map(|_| self.act(action)).collect()
    }

    fn scroll(&mut self, by: i32) -> Vec<Cmd> {
        let last = self.views.len() - 1;
        if let View::Screen(screen) = &mut self.views[last] {
            screen.scroll(&self.known, by * i32::try_from(NOTCH).unwrap_or(1));
        }
        Vec::new()
    }
}
