//! An attempt's screens: its agent, its set-up hooks, its gates, each a tab; scrolled, searched, copied, typed into.
//!
//! ```text
//!  FIX-KETTLE  attempt 2/3   review   □
//!  agent │ setup 1 │ build ● │ test ✗ 3 failed                         -120 of 900
//!  …the screen…
//! ```
//! While `typing`, every key but the leader goes to the agent. While `marking`, the text stands still: it is a copy.

use super::super::action::Action;
use super::super::app::{Cmd, Wanted};
use super::super::hits::Hit;
use super::super::known::{Known, is_sealed, may_type};
use super::super::offers;
use super::super::text::{clip, span, width};
use super::super::theme::Role;
use super::{Canvas, board, follow, gates, part};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::gate::Verdict;
use crate::core::views::board::{AttemptView, GateProgress, GateView, TaskView};
use crate::values::ids::{JobId, TaskId};
use crate::values::words::plural::counted;
use crate::values::words::size as bytes;
use crate::wire::client::{Look, Request};
use ratatui::layout::Rect;
use std::cell::Cell;

/// Most lines that marking copies over.
const LINES_MAX: u32 = 10_000;

/// Which of an attempt's screens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Tab {
    Agent,
    Setup(usize),
    /// A gate of the attempt, by name.
    Gate(String),
    /// A gate of the merged result.
    Merged(String),
}

/// Text that stands still so that lines of it can be marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Marking {
    lines: Vec<String>,
    /// The line that the keys move.
    at: usize,
    /// Where the marked lines begin; none: nothing is marked.
    from: Option<usize>,
    first: Cell<usize>,
}

/// What was looked for, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Search {
    text: String,
    /// Scroll positions, newest first.
    places: Vec<u32>,
    at: usize,
}

/// The view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Screen {
    pub(in crate::tui) task: TaskId,
    /// Which attempt; none: the newest.
    attempt: Option<u32>,
    tab: Tab,
    scrolled: u32,
    pub(in crate::tui) typing: bool,
    marking: Option<Marking>,
    search: Option<Search>,
}

/// A tab as it is shown.
struct Shown {
    tab: Tab,
    job: Option<JobId>,
    words: String,
    role: Role,
}

impl Screen {
    pub(in crate::tui) const fn agent(task: TaskId) -> Self {
        Self { task, attempt: None, tab: Tab::Agent, scrolled: 0, typing: false, marking: None, search: None }
    }

    /// The gate that is most worth reading: a red one, one that runs, the last.
    pub(in crate::tui) fn gates(task: &TaskView) -> Self {
        let merged = !task.merge_gates.is_empty();
        let of = task.gates();
        let red = |gate: &&GateView| gate.verdict().is_some_and(|v| !v.is_green() && v != Verdict::Skipped);
        let best = of
            .iter()
            .find(red)
            .or_else(|| of.iter().find(|gate| gate.state == GateProgress::Running))
            .or_else(|| of.iter().rev().find(|gate| gate.job.is_some()))
            .or_else(|| of.first());
        let tab = match best {
            Some(gate) if merged => Tab::Merged(gate.name.clone()),
            Some(gate) => Tab::Gate(gate.name.clone()),
            None => Tab::Agent,
        };
        // Another pair of eyes has no gates of its own.
        let looked = task.attempt().is_some_and(|newest| newest.part == AttemptKind::SecondReview);
        let attempt = task.work().filter(|_| looked && !merged).map(|work| work.no);
        Self { tab, attempt, ..Self::agent(task.id) }
    }

    fn attempt<'a>(&self, known: &'a Known) -> Option<(&'a TaskView, &'a AttemptView)> {
        let task = known.task(self.task)?;
        let attempt = match self.attempt {
            Some(no) => task.attempts.iter().find(|attempt| attempt.no == no)?,
            None => task.attempt()?,
        };
        Some((task, attempt))
    }

    fn tabs(&self, known: &Known) -> Vec<Shown> {
        let Some((task, attempt)) = self.attempt(known) else { return Vec::new() };
        let agent = Shown { tab: Tab::Agent, job: attempt.job, words: "agent".to_owned(), role: Role::Text };
        let mut tabs = vec![agent];
        for (n, job) in attempt.setup_jobs.iter().enumerate() {
            let words = format!("setup {}", n + 1);
            tabs.push(Shown { tab: Tab::Setup(n), job: Some(*job), words, role: Role::Text });
        }
        let newest = task.attempt().map(|newest| newest.no) == Some(attempt.no);
        let merged = if newest { task.merge_gates.as_slice() } else { &[] };
        let of = |gate: &GateView, tab: Tab, before: &str| {
            let (dot, role) = gates::dot(gate);
            Shown { tab, job: gate.job, words: format!("{before}{} {dot}", gate.name), role }
        };
        tabs.extend(attempt.gates.iter().map(|gate| of(gate, Tab::Gate(gate.name.clone()), "")));
        tabs.extend(merged.iter().map(|gate| of(gate, Tab::Merged(gate.name.clone()), "merged: ")));
        tabs
    }

    /// The job whose screen is shown.
    pub(in crate::tui) fn job(&self, known: &Known) -> Option<JobId> {
        self.tabs(known).into_iter().find(|shown| shown.tab == self.tab)?.job
    }

    /// Where the screen is drawn.
    pub(in crate::tui) const fn place(area: Rect) -> Rect {
        Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area }
    }

    pub(in crate::tui) fn looks(&self, known: &Known, area: Rect) -> Vec<Look> {
        let Some(job) = self.job(known).filter(|_| self.marking.is_none()) else { return Vec::new() };
        let place = Self::place(area);
        vec![Look { job, rows: place.height, cols: place.width, focus: true, scrolled: self.scrolled }]
    }

    /// Whether keys may go to the agent here.
    pub(in crate::tui) fn may_type(&self, known: &Known) -> bool {
        self.tab == Tab::Agent && self.attempt(known).is_some_and(|(_, attempt)| may_type(attempt))
    }

    pub(in crate::tui) fn is_marking(&self) -> bool {
        self.marking.is_some()
    }

    pub(in crate::tui) fn hints(&self, known: &Known) -> Vec<Action> {
        if self.marking.is_some() {
            return vec![Action::Mark, Action::Copy, Action::Down, Action::Back];
        }
        let mut hints = Vec::new();
        if self.may_type(known) {
            hints.push(Action::Type);
        }
        if self.search.is_some() {
            hints.extend([Action::FindOlder, Action::FindNewer]);
        }
        if known.task(self.task).is_some_and(|task| task.attempts.len() > 1) {
            hints.push(Action::OlderAttempt);
        }
        hints.extend([Action::Next, Action::Search, Action::Mark, Action::Back, Action::PageUp]);
        hints.extend(known.task(self.task).map(offers::of).unwrap_or_default());
        hints.retain(|action| *action != Action::Screen);
        hints
    }

    pub(in crate::tui) fn act(&mut self, known: &Known, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        if self.marking.is_some() {
            return self.mark(action, area);
        }
        let grid = self.job(known).and_then(|job| known.grids.get(&job));
        let (history, now) = grid.map_or((0, 0), |grid| (grid.history, grid.scrolled));
        let page = u32::from(Self::place(area).height.saturating_sub(1).max(1));
        let mut cmds = Vec::new();
        match action {
            Action::Up => self.scrolled = now.saturating_add(1).min(history),
            Action::Down => self.scrolled = now.saturating_sub(1),
            Action::PageUp => self.scrolled = now.saturating_add(page).min(history),
            Action::PageDown => self.scrolled = now.saturating_sub(page),
            Action::Top => self.scrolled = history,
            Action::Bottom => self.scrolled = 0,
            Action::Next | Action::Right => self.turn(known, 1),
            Action::Previous | Action::Left => self.turn(known, -1),
            Action::OlderAttempt => self.go(known, -1),
            Action::NewerAttempt => self.go(known, 1),
            Action::FindOlder => self.found_next(1),
            Action::FindNewer => self.found_next(-1),
            Action::Back if self.search.is_some() => {
                self.search = None;
                self.scrolled = 0;
            }
            Action::Mark => {
                let job = self.job(known)?;
                let request = Request::Log { job, lines: LINES_MAX };
                cmds.push(Cmd::Ask(request, Wanted::Lines(job)));
            }
            Action::Copy => {
                let lines: Vec<String> = grid?.text().iter().map(|line| line.trim_end().to_owned()).collect();
                cmds.push(Cmd::Copy(lines.join("\n").trim_end().to_owned()));
            }
            Action::Type if self.may_type(known) => {
                self.typing = true;
                self.scrolled = 0;
            }
            Action::Type => {
                cmds.push(Cmd::Say(
                    "this screen takes no input: its agent is hidden or has ended".to_owned(),
                ));
            }
            _ => return None,
        }
        Some(cmds)
    }

    /// Scrolls back (or, if negative, forth) by so many lines of what was last drawn.
    pub(in crate::tui) fn scroll(&mut self, known: &Known, by: i32) {
        let grid = self.job(known).and_then(|job| known.grids.get(&job));
        let (history, now) = grid.map_or((0, 0), |grid| (grid.history, grid.scrolled));
        self.scrolled = now.saturating_add_signed(by).min(history);
    }

    fn turn(&mut self, known: &Known, by: isize) {
        let tabs = self.tabs(known);
        let at = tabs.iter().position(|shown| shown.tab == self.tab).unwrap_or(0);
        let n = isize::try_from(tabs.len()).unwrap_or(1).max(1);
        let to = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(n);
        self.choose(known, usize::try_from(to).unwrap_or(0));
    }

    /// Shows the attempt before or after; its tab of the same name, if it has one.
    fn go(&mut self, known: &Known, by: i64) {
        let Some((task, attempt)) = self.attempt(known) else { return };
        let no = i64::from(attempt.no) + by;
        let Some(other) = task.attempts.iter().find(|other| i64::from(other.no) == no) else { return };
        let newest = task.attempt().map(|newest| newest.no) == Some(other.no);
        self.attempt = (!newest).then_some(other.no);
        (self.scrolled, self.search) = (0, None);
        if !self.tabs(known).iter().any(|shown| shown.tab == self.tab) {
            self.tab = Tab::Agent;
        }
    }

    /// Shows the tab with this number.
    pub(in crate::tui) fn choose(&mut self, known: &Known, n: usize) {
        if let Some(shown) = self.tabs(known).into_iter().nth(n) {
            (self.tab, self.scrolled, self.search) = (shown.tab, 0, None);
        }
    }

    /// The places of a text have come.
    pub(in crate::tui) fn found(&mut self, text: String, places: Vec<u32>) {
        self.scrolled = places.first().copied().unwrap_or(0);
        self.search = Some(Search { text, places, at: 0 });
    }

    fn found_next(&mut self, by: isize) {
        let Some(search) = &mut self.search else { return };
        search.at = search.at.saturating_add_signed(by).min(search.places.len().saturating_sub(1));
        self.scrolled = search.places.get(search.at).copied().unwrap_or(self.scrolled);
    }

    /// The lines to mark have come.
    pub(in crate::tui) fn set_lines(&mut self, lines: Vec<String>) {
        let at = lines.len().saturating_sub(1);
        let lines = lines.iter().map(|line| crate::values::text::Shown::line(line).to_string()).collect();
        self.marking = Some(Marking { lines, at, from: None, first: Cell::new(usize::MAX) });
    }

    fn mark(&mut self, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        let marking = self.marking.as_mut()?;
        let last = marking.lines.len().saturating_sub(1);
        let page = isize::try_from(Self::place(area).height).unwrap_or(1);
        let step = |at: usize, by: isize| at.saturating_add_signed(by).min(last);
        match action {
            Action::Up => marking.at = step(marking.at, -1),
            Action::Down => marking.at = step(marking.at, 1),
            Action::PageUp => marking.at = step(marking.at, -page),
            Action::PageDown => marking.at = step(marking.at, page),
            Action::Top => marking.at = 0,
            Action::Bottom => marking.at = last,
            Action::Mark => marking.from = if marking.from.is_some() { None } else { Some(marking.at) },
            Action::Copy => {
                let from = marking.from.unwrap_or(marking.at);
                let (start, end) = (from.min(marking.at), from.max(marking.at));
                let text = marking.lines.get(start..=end).unwrap_or_default().join("\n");
                self.marking = None;
                return Some(vec![Cmd::Copy(text)]);
            }
            Action::Back => self.marking = None,
            _ => return None,
        }
        Some(Vec::new())
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let Some((task, attempt)) = self.attempt(on.known) else {
            on.put(area, 1, 0, "the task has no attempt yet", Role::Dim);
            if let Some(task) = on.known.task(self.task) {
                on.put(area, 1, 1, task.why.as_str(), Role::Dim);
            }
            return;
        };
        self.head(task, attempt, area, on);
        self.tab_line(part(area, 0, 1, area.width, 1), on);
        let place = Self::place(area);
        if let Some(marking) = &self.marking {
            return marking.render(place, on);
        }
        let Some(job) = self.job(on.known) else {
            on.put(place, 2, 1, "it has not started: nothing to see yet", Role::Dim);
            return;
        };
        let wanted = self.search.as_ref().map(|search| search.text.as_str());
        if let Some(grid) = on.known.grids.get(&job) {
            on.hits.add(place, Hit::Screen);
            let cursor = grid.render(place, on.buf, on.theme, wanted);
            if self.typing || (self.may_type(on.known) && self.scrolled == 0) {
                on.cursor = cursor;
            }
        } else if self.tab == Tab::Agent && is_sealed(attempt) {
            lidded(task, attempt, place, on);
        } else if on.known.covered.contains(&job) {
            on.put(place, 2, 1, "its output is being read …", Role::Dim);
        }
    }

    fn head(&self, task: &TaskView, attempt: &AttemptView, area: Rect, on: &mut Canvas<'_>) {
        let (shape, lid_role) = board::lid(attempt.lid);
        let (right, right_role) = if self.typing {
            (" typing ".to_owned(), Role::Match)
        } else if self.marking.is_some() {
            (" marking ".to_owned(), Role::Match)
        } else {
            (format!("{shape} {}", attempt.lid.label()), lid_role)
        };
        on.put_right(area, 1, 0, &right, right_role);
        let left = part(area, 0, 0, area.width.saturating_sub(width(&right) + 3), 1);
        let (word, role) = board::state(task);
        let mut x = on.put(left, 1, 0, &clip(&task.name, left.width / 2), Role::Strong) + 2;
        x = on.put(left, x, 0, &word, role) + 2;
        x = on.put(left, x, 0, &span(attempt.vitals.elapsed), Role::Text) + 2;
        let words = match attempt.part {
            AttemptKind::Work => format!("attempt {}/{}", attempt.no, task.attempts_max),
            AttemptKind::SecondReview => {
                format!("attempt {}: second review by {}", attempt.no, attempt.agent)
            }
        };
        x = on.put(left, x, 0, &words, Role::Dim) + 2;
        let command = match &self.tab {
            Tab::Agent | Tab::Setup(_) => None,
            Tab::Gate(name) => attempt.gates.iter().find(|gate| gate.name == *name),
            Tab::Merged(name) => task.merge_gates.iter().find(|gate| gate.name == *name),
        };
        let words = command.map_or_else(|| task.agent.clone(), |gate| format!("$ {}", gate.command));
        on.put(
            left,
            x,
            0,
            &clip(crate::values::text::Shown::line(&words).as_str(), left.width.saturating_sub(x)),
            Role::Dim,
        );
    }

    fn tab_line(&self, area: Rect, on: &mut Canvas<'_>) {
        let right = self.place_words(on.known);
        let room = area.width.saturating_sub(width(&right) + 2);
        let tabs = self.tabs(on.known);
        let chosen = tabs.iter().position(|shown| shown.tab == self.tab).unwrap_or(0);
        // Tabs before the chosen one give way where there is no room for all.
        let wide = |from: usize| tabs[from..].iter().map(|shown| width(&shown.words) + 3).sum::<u16>();
        let mut first = 0;
        while first < chosen && wide(first) > room {
            first += 1;
        }
        let mut x = 1;
        for (n, shown) in tabs.iter().enumerate().skip(first) {
            let words = format!(" {} ", shown.words);
            if x + width(&words) > room {
                break;
            }
            on.hits.add(part(area, x, 0, width(&words), 1), Hit::Tab(n));
            let role = if n == chosen { Role::Selected } else { shown.role };
            x = on.put(area, x, 0, &words, role);
            if n + 1 < tabs.len() {
                x = on.put(area, x, 0, "│", Role::Border);
            }
        }
        on.put_right(area, 1, 0, &right, Role::Notice);
    }

    /// Where in the history the screen is, and how many places were found.
    fn place_words(&self, known: &Known) -> String {
        let grid = self.job(known).and_then(|job| known.grids.get(&job));
        let mut words = Vec::new();
        if let Some(search) = &self.search {
            words.push(match search.places.len() {
                0 => format!("`{}` not found", search.text),
                n => format!("`{}` {} of {n}", search.text, search.at + 1),
            });
        }
        if let Some(grid) = grid.filter(|grid| grid.scrolled > 0 && self.marking.is_none()) {
            words.push(format!("{} up, of {}", counted(grid.scrolled, "line"), grid.history));
        }
        words.join("  ")
    }
}

impl Marking {
    fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let room = usize::from(area.height);
        let first = follow(self.first.get(), self.at, room, self.lines.len());
        self.first.set(first);
        let from = self.from.unwrap_or(self.at);
        let marked = from.min(self.at)..=from.max(self.at);
        for (n, y) in (first..self.lines.len()).zip(0..area.height) {
            let role = if marked.contains(&n) && self.from.is_some() { Role::Match } else { Role::Text };
            on.put(area, 0, y, &clip(&self.lines[n], area.width), role);
            if n == self.at {
                let style = on.style(if self.from.is_some() { Role::Match } else { Role::Selected });
                on.buf.set_style(part(area, 0, y, area.width, 1), style);
            }
        }
    }
}

/// What is shown in place of a covered screen.
pub(in crate::tui) fn lidded(task: &TaskView, attempt: &AttemptView, area: Rect, on: &mut Canvas<'_>) {
    let (word, role) = board::state(task);
    let ago = match board::sign(on.known, attempt).as_str() {
        "-" => "none yet".to_owned(),
        ago => format!("{ago} ago"),
    };
    let lines = [
        ("▣ under the lid".to_owned(), Role::Lid),
        (String::new(), Role::Text),
        (format!("{word} for {}", span(attempt.vitals.elapsed)), role),
        (format!("last output: {ago}"), Role::Dim),
        (format!("{} output", bytes::short(attempt.vitals.output)), Role::Dim),
    ];
    let top = area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(0)) / 2;
    for (y, (text, role)) in (top..area.height).zip(lines) {
        let text = clip(&text, area.width);
        let x = area.width.saturating_sub(width(&text)) / 2;
        on.put(area, x, y, &text, role);
    }
}
