//! The timeline: attempts over time, a row a task; what the report says, as a chart that moves with the clock.
//!
//! ```text
//!  TASK            13:00        13:30        14:00        14:30    │
//!  ◆ kettle        ┄┄████████▒✗  ███████▒▒●┄┄┄┄┄┄┄◆                │   agent, gates, how it came out, landed
//!                           ╵✗          ╵╵       ╵                 │   each gate: green, red
//!  ── the chosen task's attempts in words ──
//! ```

use super::super::action::Action;
use super::super::app::{Cmd, Wanted};
use super::super::hits::Hit;
use super::super::text::{clip, size, span};
use super::super::theme::Role;
use super::{Canvas, follow, part};
use crate::core::model::assignment::AttemptKind;
use crate::report::timeline::{self, Look};
use crate::report::{AttemptReport, Report, TaskReport, is_red, sign, words};
use crate::values::ids::TaskId;
use crate::values::time::{Span, Time};
use crate::values::words::plural::counted;
use crate::values::words::{duration, moment};
use crate::wire::client::{ReportQuery, Request};
use ratatui::layout::Rect;
use std::cell::Cell;
use std::path::PathBuf;

/// What may lie across, in minutes.
const ACROSS: [u64; 12] = [5, 15, 30, 60, 120, 240, 480, 720, 1_440, 4_320, 10_080, 43_200];
/// So far back a report is asked for: the widest look.
const BACK: Span = Span::mins(43_200);
/// Lines about the chosen task, with the line above them and the legend.
const BELOW: u16 = 6;
/// Columns from one word of the axis to the next, at least.
const TICK: u16 = 11;

/// The view.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct Timeline {
    repo: Option<PathBuf>,
    report: Option<Box<Report>>,
    /// A report is under way: not to be asked for twice.
    asked: bool,
    /// Something happened since it was asked for.
    stale: bool,
    /// Which of [`ACROSS`]; none: as much as there is to see.
    zoom: Option<usize>,
    /// The right edge; none: it moves with the time.
    end: Option<Time>,
    chosen: Option<TaskId>,
    first: Cell<usize>,
}

impl Timeline {
    /// Opens it, and asks for its report.
    pub(in crate::tui) fn open(repo: Option<PathBuf>, chosen: Option<TaskId>, now: Time) -> (Self, Vec<Cmd>) {
        let mut view = Self { repo, chosen, ..Self::default() };
        let cmds = view.ask(now);
        (view, cmds)
    }

    /// Asks for the report as it is now; once the one that is under way has come.
    pub(in crate::tui) fn ask(&mut self, now: Time) -> Vec<Cmd> {
        if self.asked {
            self.stale = true;
            return Vec::new();
        }
        self.asked = true;
        self.stale = false;
        let since = Some(Time(now.0.saturating_sub(BACK.0)));
        let query = ReportQuery { repo: self.repo.clone(), since, ..ReportQuery::default() };
        vec![Cmd::Ask(Request::Report(query), Wanted::Report)]
    }

    /// What was asked for will not come.
    pub(in crate::tui) fn missed(&mut self) {
        self.asked = false;
    }

    /// The report has come.
    pub(in crate::tui) fn set(&mut self, report: Box<Report>, now: Time) -> Vec<Cmd> {
        self.asked = false;
        if self.at(&report.tasks).is_none() {
            self.chosen = report.tasks.last().map(|task| task.id);
        }
        self.report = Some(report);
        if self.stale { self.ask(now) } else { Vec::new() }
    }

    pub(in crate::tui) fn hints(&self) -> Vec<Action> {
        vec![
            Action::ZoomIn,
            Action::ZoomOut,
            Action::Left,
            Action::Fit,
            Action::Bottom,
            Action::Down,
            Action::Open,
            Action::Back,
        ]
    }

    /// The chosen task.
    pub(in crate::tui) const fn task(&self) -> Option<TaskId> {
        self.chosen
    }

    pub(in crate::tui) fn choose(&mut self, id: TaskId) {
        self.chosen = Some(id);
    }

    fn tasks(&self) -> &[TaskReport] {
        self.report.as_ref().map_or(&[], |report| report.tasks.as_slice())
    }

    fn at(&self, tasks: &[TaskReport]) -> Option<usize> {
        tasks.iter().position(|task| Some(task.id) == self.chosen)
    }

    pub(in crate::tui) fn act(&mut self, action: Action, area: Rect, now: Time) -> Option<Vec<Cmd>> {
        let page = usize::from((area.height.saturating_sub(BELOW + 1) / 2).max(1));
        let (from, to) = self.window(now);
        let across = to.since(from);
        let zoom = self.zoom.unwrap_or_else(|| self.fitting(now));
        match action {
            Action::Up => self.walk(|at, _| at.saturating_sub(1)),
            Action::Down => self.walk(|at, last| (at + 1).min(last)),
            Action::PageUp => self.walk(|at, _| at.saturating_sub(page)),
            Action::PageDown => self.walk(|at, last| (at + page).min(last)),
            Action::Top => self.walk(|_, _| 0),
            Action::Bottom => {
                self.walk(|_, last| last);
                self.end = None;
            }
            Action::Left => {
                let end = Time(to.0.saturating_sub(across.0 / 4).max(across.0));
                (self.end, self.zoom) = (Some(end), Some(zoom));
            }
            Action::Right => {
                let end = to.after(Span(across.0 / 4));
                self.end = (end < edge(now, across)).then_some(end);
            }
            Action::ZoomIn => self.zoom = Some(zoom.saturating_sub(1)),
            Action::ZoomOut => self.zoom = Some((zoom + 1).min(ACROSS.len() - 1)),
            Action::Fit => (self.zoom, self.end) = (None, None),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn walk(&mut self, to: impl Fn(usize, usize) -> usize) {
        let tasks = self.tasks();
        let at = to(self.at(tasks).unwrap_or(0), tasks.len().saturating_sub(1));
        self.chosen = tasks.get(at).map(|task| task.id);
    }

    /// The zoom at which all that there is to see lies across.
    fn fitting(&self, now: Time) -> usize {
        let began = self.tasks().iter().map(timeline::began);
        let long = now.since(began.min().unwrap_or(now));
        ACROSS.iter().position(|minutes| Span::mins(*minutes * 19 / 20) >= long).unwrap_or(ACROSS.len() - 1)
    }

    /// From when to when is shown.
    fn window(&self, now: Time) -> (Time, Time) {
        let zoom = self.zoom.unwrap_or_else(|| self.fitting(now));
        let across = Span::mins(ACROSS.get(zoom).copied().unwrap_or(60));
        let to = self.end.unwrap_or_else(|| edge(now, across));
        (Time(to.0.saturating_sub(across.0)), to)
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let now = on.known.board.now;
        let names = (area.width / 4).clamp(16, 36);
        let (from, to) = self.window(now);
        let plot = part(area, names, 0, area.width - names - 1, area.height - BELOW);
        let chart = Chart { from, to, plot };
        on.put(area, 1, 0, "TASK", Role::Title);
        let tasks = self.tasks();
        let room = usize::from((plot.height - 1) / 2);
        let rows = u16::try_from(tasks.len().min(room)).unwrap_or(0);
        chart.axis(rows * 2 + 1, now, on);
        if tasks.is_empty() {
            let words = if self.report.is_some() {
                "nothing has happened yet"
            } else {
                "the ledger is being read …"
            };
            on.put(area, 3, 2, words, Role::Dim);
        }
        let at = self.at(tasks).unwrap_or(0);
        let first = follow(self.first.get(), at, room, tasks.len());
        self.first.set(first);
        for ((n, task), y) in tasks.iter().enumerate().skip(first).take(room).zip((1..).step_by(2)) {
            let row = part(area, 0, y, area.width, 2);
            on.hits.add(row, Hit::Task(task.id));
            let (mark, look) = timeline::state(task.state);
            on.put(row, 1, 0, &mark.to_string(), role(look));
            on.put(row, 3, 0, &clip(&task.name, names - 4), Role::Text);
            chart.task(task, y, now, on);
            if n == at {
                on.buf.set_style(part(row, 0, 0, names - 1, 1), on.style(Role::Selected));
            }
        }
        let below = tasks.len().saturating_sub(first + room);
        let above = if first > 0 { format!("↑{first} ") } else { String::new() };
        let more = if below > 0 { format!("↓{below} ") } else { String::new() };
        let top = area.height - BELOW;
        let edges = format!(
            "{} to {}, {} across",
            moment::recent(from, now, &on.known.zone),
            moment::recent(to, now, &on.known.zone),
            duration::short(to.since(from))
        );
        on.rule(area, top, &clip(&edges, area.width - 24), Role::Dim);
        on.put_right(area, 2, top, &format!("{above}{more}"), Role::Dim);
        if let Some(task) = tasks.get(at) {
            about(task, part(area, 1, top + 1, area.width - 2, BELOW - 2), on);
        }
        on.put(area, 1, area.height - 1, &clip(LEGEND, area.width - 2), Role::Dim);
    }
}

/// What the signs mean; the words of a result stand beside its sign above.
const LEGEND: &str = "█ agent  ▒ gates  ╵ green  ✗ red  ◪ peeked  ◆ landed  ◇ rolled back  ┄ waits";

/// The right edge while it moves with the time: a little after now.
const fn edge(now: Time, across: Span) -> Time {
    now.after(Span(across.0 / 20))
}

/// Where moments lie on the screen.
struct Chart {
    from: Time,
    to: Time,
    plot: Rect,
}

impl Chart {
    /// The column of a moment, if it is shown.
    fn x(&self, at: Time) -> Option<u16> {
        (self.from <= at && at < self.to).then(|| self.near(at))
    }

    /// The column of a moment, or the edge that is nearest.
    fn near(&self, at: Time) -> u16 {
        let (part, whole) = (at.since(self.from).0, self.to.since(self.from).0.max(1));
        let x = part.saturating_mul(u64::from(self.plot.width)) / whole;
        u16::try_from(x).unwrap_or(u16::MAX).min(self.plot.width.saturating_sub(1))
    }

    /// The words above, and lines down to a row.
    fn axis(&self, to: u16, now: Time, on: &mut Canvas<'_>) {
        let most = u64::from(self.plot.width / TICK);
        for (at, word) in moment::ticks(self.from, self.to, most, &on.known.zone) {
            let Some(x) = self.x(at) else { continue };
            let begin = x.saturating_sub(u16::try_from(word.chars().count() / 2).unwrap_or(0));
            if begin + 6 <= self.plot.width {
                on.put(self.plot, begin, 0, &word, Role::Title);
            }
            for y in 1..to {
                on.put(self.plot, x, y, "·", Role::Border);
            }
        }
        if let Some(x) = self.x(now) {
            for y in 1..to {
                on.put(self.plot, x, y, "│", Role::Running);
            }
        }
    }

    fn fill(&self, y: u16, from: Time, to: Time, sign: &str, role: Role, on: &mut Canvas<'_>) {
        if to < self.from || from >= self.to {
            return;
        }
        for x in self.near(from)..=self.near(to) {
            on.put(self.plot, x, y, sign, role);
        }
    }

    fn task(&self, task: &TaskReport, y: u16, now: Time, on: &mut Canvas<'_>) {
        self.fill(y, task.created, task.ended.unwrap_or(now), "┄", Role::Border, on);
        for attempt in &task.attempts {
            self.attempt(attempt, y, now, on);
        }
        for (at, sign, role) in [(task.landed_at, "◆", Role::Good), (task.rolled_back_at, "◇", Role::Bad)]
        {
            if let Some(x) = at.and_then(|at| self.x(at)) {
                on.put(self.plot, x, y, sign, role);
            }
        }
    }

    fn attempt(&self, attempt: &AttemptReport, y: u16, now: Time, on: &mut Canvas<'_>) {
        let role = role(timeline::result(attempt.result));
        let end = attempt.over.unwrap_or(now);
        self.fill(y, attempt.opened, end, "▒", role, on);
        if let Some(started) = attempt.started {
            self.fill(y, started, attempt.agent_ended.unwrap_or(end).min(end), "█", role, on);
        }
        for gate in &attempt.gates {
            let Some(x) = self.x(gate.at) else { continue };
            // Of several in one column a red one is seen.
            let held = on.buf[(self.plot.x + x, self.plot.y + y + 1)].symbol() == "✗";
            if is_red(gate.verdict) {
                on.put(self.plot, x, y + 1, "✗", Role::Bad);
            } else if !held {
                on.put(self.plot, x, y + 1, "╵", Role::Good);
            }
        }
        for peek in &attempt.peeks {
            if let Some(x) = self.x(peek.at) {
                on.put(self.plot, x, y + 1, "◪", Role::Broken);
            }
        }
        if let Some(x) = self.x(end).or_else(|| attempt.over.is_none().then(|| self.x(now)).flatten()) {
            on.put(self.plot, x, y, &sign(attempt.result).to_string(), role);
        }
    }
}

/// The chosen task in words: its newest attempts.
fn about(task: &TaskReport, area: Rect, on: &mut Canvas<'_>) {
    let head = format!(
        "{} · {} · took {} · {}",
        task.name,
        task.state.label(),
        duration::short(task.duration),
        words::cost_alone(&task.used)
    );
    on.put(area, 0, 0, &clip(&head, area.width), Role::Strong);
    let room = usize::from(area.height.saturating_sub(1));
    let gone = task.attempts.len().saturating_sub(room);
    for (attempt, y) in task.attempts[gone..].iter().zip(1..) {
        let result = attempt.result.map_or("under way", |result| result.label());
        let x = on
            .put(
                area,
                0,
                y,
                &format!("{} {result}", sign(attempt.result)),
                role(timeline::result(attempt.result)),
            )
            .max(15);
        let what = if attempt.part == AttemptKind::SecondReview { "second review" } else { "attempt" };
        let mut parts = vec![format!("{what} {}", attempt.no), span(attempt.used.work)];
        if let Some(stat) = attempt.diffstat.filter(|stat| stat.files > 0) {
            parts.push(size(stat));
        }
        let red: Vec<&str> =
            attempt.gates.iter().filter(|gate| is_red(gate.verdict)).map(|gate| gate.name.as_str()).collect();
        match (attempt.gates.len(), red.is_empty()) {
            (0, _) => {}
            (n, true) => parts.push(format!("{} green or not run", counted(n, "gate"))),
            (n, false) => parts.push(format!("{}, red: {}", counted(n, "gate"), red.join(", "))),
        }
        parts.push(words::cost_alone(&attempt.used));
        if attempt.peeked {
            parts.push("peeked".to_owned());
        }
        let line = crate::values::text::Shown::line(&parts.join("  "));
        on.put(area, x + 1, y, &clip(line.as_str(), area.width.saturating_sub(x + 1)), Role::Text);
    }
}

const fn role(look: Look) -> Role {
    match look {
        Look::Good => Role::Good,
        Look::Bad => Role::Bad,
        Look::NeedsYou | Look::Stuck => Role::NeedsYou,
        Look::Running => Role::Running,
        Look::Waiting => Role::Waiting,
        Look::Over => Role::Over,
    }
}
