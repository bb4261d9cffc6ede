//! The ledger: what was decided, when, about which task; newest at the bottom, growing while it is looked at.

use super::super::action::Action;
use super::super::app::{Cmd, Wanted};
use super::super::known::Known;
use super::super::text::{clip, wrap};
use super::super::theme::Role;
use super::{Canvas, follow, part};
use crate::core::model::fact::Fact;
use crate::core::views::ledger::LedgerLine;
use crate::values::ids::TaskId;
use crate::values::words::moment;
use crate::wire::client::{Request, TaskRef};
use ratatui::layout::Rect;
use std::cell::Cell;

/// Most lines that are held; the oldest go first.
const LINES_MAX: u32 = 5_000;
/// Lines for the whole text of the chosen one.
const WHOLE: u16 = 4;

/// The view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Ledger {
    lines: Vec<LedgerLine>,
    /// Only lines about this task.
    only: Option<TaskId>,
    /// The engine's own events too.
    all: bool,
    at: usize,
    first: Cell<usize>,
    /// Lines are under way: not to be asked for twice.
    asked: bool,
    there: bool,
}

impl Ledger {
    /// Opens it, and asks for its lines.
    pub(in crate::tui) fn open(only: Option<TaskId>) -> (Self, Vec<Cmd>) {
        Self::opened(only, false)
    }

    fn opened(only: Option<TaskId>, all: bool) -> (Self, Vec<Cmd>) {
        let mut view = Self { only, all, first: Cell::new(usize::MAX), ..Self::default() };
        let cmds = view.ask();
        (view, cmds)
    }

    /// Asks for lines that are newer than what is there, unless it was done already.
    pub(in crate::tui) fn ask(&mut self) -> Vec<Cmd> {
        if self.asked {
            return Vec::new();
        }
        self.asked = true;
        let task = self.only.map(|id| TaskRef { repo: None, name: id.to_string() });
        let after = self.lines.last().map_or(0, |line| line.seq);
        vec![Cmd::Ask(
            Request::Ledger { task, after, all: self.all, limit: LINES_MAX },
            Wanted::Ledger(self.only, self.all),
        )]
    }

    /// What was asked for will not come.
    pub(in crate::tui) fn missed(&mut self) {
        self.asked = false;
    }

    /// Lines have come, for the task or for all, with the engine's own or without.
    pub(in crate::tui) fn add(&mut self, only: Option<TaskId>, all: bool, lines: Vec<LedgerLine>) {
        if (only, all) != (self.only, self.all) {
            return;
        }
        self.asked = false;
        self.there = true;
        let follows = self.at + 1 >= self.lines.len();
        let last = self.lines.last().map_or(0, |line| line.seq);
        self.lines.extend(lines.into_iter().filter(|line| line.seq > last));
        let most = LINES_MAX as usize;
        let gone = self.lines.len().saturating_sub(most);
        self.lines.drain(..gone);
        self.at = if follows { self.lines.len().saturating_sub(1) } else { self.at.saturating_sub(gone) };
    }

    pub(in crate::tui) fn hints(&self) -> Vec<Action> {
        vec![
            Action::Down,
            Action::PageUp,
            Action::OnlyTask,
            Action::AllEvents,
            Action::Bottom,
            Action::Open,
            Action::Back,
        ]
    }

    /// The task that the chosen line is about.
    pub(in crate::tui) fn task(&self) -> Option<TaskId> {
        self.lines.get(self.at)?.task
    }

    pub(in crate::tui) fn act(&mut self, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        let last = self.lines.len().saturating_sub(1);
        let page = usize::from(area.height.saturating_sub(WHOLE + 2).max(1));
        match action {
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(page),
            Action::PageDown => self.at = (self.at + page).min(last),
            Action::Top => self.at = 0,
            Action::Bottom => self.at = last,
            Action::OnlyTask => {
                let only = if self.only.is_some() { None } else { self.task() };
                return Some(self.reopen(only, self.all));
            }
            Action::AllEvents => return Some(self.reopen(self.only, !self.all)),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn reopen(&mut self, only: Option<TaskId>, all: bool) -> Vec<Cmd> {
        let (fresh, cmds) = Self::opened(only, all);
        *self = fresh;
        cmds
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let known: &Known = on.known;
        let name = area.width / 5;
        let kind = name + 12;
        let columns = [(1, "WHEN"), (12, "TASK"), (kind, "KIND"), (kind + 20, "EVENT")];
        for (x, title) in columns {
            on.put(area, x, 0, title, Role::Title);
        }
        let room = area.height.saturating_sub(WHOLE + 2);
        if self.lines.is_empty() {
            let words = if self.there { "nothing has happened yet" } else { "the ledger is being read …" };
            on.put(area, 1, 1, words, Role::Dim);
        }
        let first = follow(self.first.get(), self.at, usize::from(room), self.lines.len());
        self.first.set(first);
        for ((n, line), y) in self.lines.iter().enumerate().skip(first).zip(1..=room) {
            let row = part(area, 0, y, area.width, 1);
            on.put(row, 1, 0, &clip(&moment::recent(line.at, known.board.now, &known.zone), 10), Role::Dim);
            on.put(row, 12, 0, &clip(&line.name, kind - 13), Role::Text);
            on.put(row, kind, 0, &clip(&Fact::kind_words(&line.kind), 19), Role::Hunk);
            let text = clip(line.text.as_str(), area.width.saturating_sub(kind + 21));
            on.put(row, kind + 20, 0, &text, Role::Text);
            if n == self.at {
                on.buf.set_style(row, on.style(Role::Selected));
            }
        }
        let Some(line) = self.lines.get(self.at) else { return };
        let of = match self.only {
            Some(_) => format!("{} only", line.name),
            None => format!("#{}", line.seq),
        };
        let own = if self.all { "all events" } else { "engine's own events hidden" };
        let title = format!("{} of {} · {of} · {own}", self.at + 1, self.lines.len());
        let top = area.height - WHOLE - 1;
        on.rule(area, top, &title, Role::Title);
        for (text, y) in wrap(line.text.as_str(), area.width - 2).iter().zip(top + 1..area.height) {
            on.put(area, 1, y, text, Role::Text);
        }
    }
}
