//! The palette: actions and tasks found by a few of their letters.

use super::super::action::{ACTIONS, Action, Section};
use super::super::editor::Editor;
use super::super::hits::Hit;
use super::super::key::Key;
use super::super::keymap::Keymap;
use super::super::known::Known;
use super::super::text::clip;
use super::super::theme::Role;
use super::super::views::{Canvas, board, follow, part};
use super::boxed;
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::layout::{Position, Rect};

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Goal {
    Do(Action),
    Go(TaskId),
    Spec(SpecId),
}

/// An entry.
#[derive(Clone, Debug)]
struct Entry {
    goal: Goal,
    text: String,
    /// Shown at its end: keys, or a state.
    right: String,
}

/// The open palette.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Palette {
    entries: Vec<Entry>,
    line: Editor,
    /// Entries that fit, best first.
    fitting: Vec<usize>,
    at: usize,
}

impl Palette {
    /// Everything that can be done where these sections are alive, and every task.
    pub(in crate::tui) fn new(sections: &[Section], keymap: &Keymap, known: &Known) -> Self {
        let is_offered = |section: Section| sections.contains(&section) && section != Section::Moving;
        let keys = |action| keymap.keys(action).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let actions = ACTIONS
            .iter()
            .filter(|about| {
                is_offered(about.section)
                    || matches!(about.action, Action::Launch | Action::NewSpec | Action::Decide)
            })
            .filter(|about| about.action != Action::Palette)
            .map(|about| Entry {
                goal: Goal::Do(about.action),
                text: format!("{}: {}", about.hint, about.doc),
                right: keys(about.action),
            });
        let tasks = known.rows().into_iter().map(|task| Entry {
            goal: Goal::Go(task.id),
            text: format!("go to {}", task.name),
            right: board::state(task).0,
        });
        let specs = known.all_specs().map(|spec| Entry {
            goal: Goal::Spec(spec.id),
            text: format!("open the spec {}", Shown::line(&spec.name)),
            right: spec.stage.label().to_owned(),
        });
        let entries: Vec<Entry> = tasks.chain(specs).chain(actions).collect();
        let fitting = (0..entries.len()).collect();
        Self { entries, line: Editor::line(""), fitting, at: 0 }
    }

    pub(in crate::tui) fn key(&mut self, key: Key) {
        if self.line.key(key) {
            self.find();
        }
    }

    pub(in crate::tui) fn insert(&mut self, text: &str) {
        self.line.insert(text);
        self.find();
    }

    fn find(&mut self) {
        self.at = 0;
        let pattern = Pattern::parse(self.line.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buf = Vec::new();
        let mut scored: Vec<(u32, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(n, entry)| {
                Some((pattern.score(Utf32Str::new(&entry.text, &mut buf), &mut matcher)?, n))
            })
            .collect();
        scored.sort_by_key(|(score, n)| (std::cmp::Reverse(*score), *n));
        self.fitting = scored.into_iter().map(|(_, n)| n).collect();
    }

    pub(in crate::tui) fn act(&mut self, action: Action) {
        let last = self.fitting.len().saturating_sub(1);
        match action {
            Action::MenuDown => self.at = if self.at >= last { 0 } else { self.at + 1 },
            Action::MenuUp => self.at = self.at.checked_sub(1).unwrap_or(last),
            _ => {}
        }
    }

    pub(in crate::tui) fn choose(&mut self, n: usize) {
        self.at = n;
    }

    /// What the chosen entry does.
    pub(in crate::tui) fn goal(&self) -> Option<Goal> {
        Some(self.entries.get(*self.fitting.get(self.at)?)?.goal)
    }

    pub(in crate::tui) fn render(&self, area: Rect, keys: &str, on: &mut Canvas<'_>) {
        let high = area.height.saturating_sub(4).min(24);
        let inside = boxed(area, area.width.saturating_sub(8).min(90), high, "palette", on);
        let line = part(inside, 0, 0, inside.width, 1);
        on.buf.set_style(line, on.style(Role::Field));
        let (rows, (_, column)) = self.line.rows(line.width);
        on.put(line, 0, 0, rows.last().map_or("", String::as_str), Role::Field);
        on.cursor = Some(Position::new(line.x + column.min(line.width - 1), line.y));
        let room = inside.height.saturating_sub(3);
        if self.fitting.is_empty() {
            on.put(inside, 1, 2, "nothing is called that", Role::Dim);
        }
        let first = follow(0, self.at, usize::from(room), self.fitting.len());
        for ((n, entry), y) in self.fitting.iter().enumerate().skip(first).zip(1..=room) {
            let Some(entry) = self.entries.get(*entry) else { continue };
            let row = part(inside, 0, y, inside.width, 1);
            on.hits.add(row, Hit::Entry(n));
            let room = row.width.saturating_sub(super::super::text::width(&entry.right) + 3);
            on.put(row, 1, 0, &clip(&entry.text, room), Role::Text);
            on.put_right(row, 1, 0, &entry.right, Role::HintKey);
            if n == self.at {
                on.buf.set_style(row, on.style(Role::Selected));
            }
        }
        on.put(inside, 0, inside.height.saturating_sub(1), keys, Role::Hint);
    }
}
