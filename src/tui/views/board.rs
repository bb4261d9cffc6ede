//! The board: every task with its state, gates, vitals, and who needs a human.
//!
//! ```text
//!  nopeek  REPO                       1 needs you · 2 running · 1 waiting
//!  TASK            STATE      TRY   GATES   TIME   SIGN   CHANGES   LID
//!  needs you
//!  …
//!  ── the chosen task, below the list or beside it ──
//! ```

use super::super::action::Action;
use super::super::hits::Hit;
use super::super::known::{Group, Known, Pick, standing};
use super::super::offers;
use super::super::text::{clip, size, span, width};
use super::super::theme::Role;
use super::{Canvas, detail, follow, gates, part, specs};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::lid::Lid;
use crate::core::model::task::TaskState;
use crate::core::views::board::{AttemptView, Gating, TaskView};
use crate::values::time::Span;
use crate::values::words::plural::verb;
use crate::values::words::{duration, tokens};
use ratatui::layout::Rect;

/// Lines of the detail below the table.
const DETAIL: u16 = 8;
/// From this width on the detail stands beside the table.
const BESIDE: u16 = 140;

/// The board's own state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Board {
    first: std::cell::Cell<usize>,
    /// The first spec that is shown.
    first_spec: std::cell::Cell<usize>,
}

impl Board {
    pub(in crate::tui) fn hints(&self, known: &Known) -> Vec<Action> {
        let mut hints = match known.current_spec() {
            Some(spec) => offers::of_spec(spec),
            None => known.current().map(offers::of).unwrap_or_default(),
        };
        if known.current().is_some_and(|task| known.vote_of(task.id).is_some()) {
            hints.insert(0, Action::Decide);
        } else if known.votes().next().is_some() {
            hints.insert(hints.len().min(2), Action::Decide);
        }
        hints.push(Action::Launch);
        if !known.specs().is_empty() {
            hints.push(Action::NewSpec);
        }
        hints
    }

    pub(in crate::tui) fn act(&self, known: &mut Known, action: Action) -> bool {
        let rows = isize::try_from(known.picks().len()).unwrap_or(isize::MAX);
        match action {
            Action::Down => known.walk(1),
            Action::Up => known.walk(-1),
            Action::PageDown => known.walk(10),
            Action::PageUp => known.walk(-10),
            Action::Top => known.walk(-rows),
            Action::Bottom => known.walk(rows),
            Action::Next | Action::Previous => to_needy(known, action == Action::Next),
            _ => return false,
        }
        true
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        if area.width >= BESIDE {
            let table = area.width * 3 / 5;
            self.table(part(area, 0, 0, table, area.height), on);
            for y in 0..area.height {
                on.put(area, table, y, "│", Role::Border);
            }
            detail::render(part(area, table + 2, 0, area.width - table - 3, area.height), on);
        } else {
            let table = area.height - DETAIL;
            self.table(part(area, 0, 0, area.width, table), on);
            on.rule(area, table, "", Role::Title);
            detail::render(part(area, 1, table + 1, area.width - 2, DETAIL - 1), on);
        }
    }

    fn table(&self, area: Rect, on: &mut Canvas<'_>) {
        let at = Columns::of(area.width);
        let above = specs::height(on.known, area.height);
        if above > 0 {
            specs::render(&self.first_spec, at.state, part(area, 0, 0, area.width, above), on);
        }
        let area = part(area, 0, above, area.width, area.height - above);
        for (x, title) in at.titles() {
            on.put(area, x, 0, title, Role::Title);
        }
        let known = on.known;
        let rows = known.rows();
        if rows.is_empty() {
            on.put(area, 3, 2, "no tasks yet", Role::Strong);
            let words = "write one here, or from a shell: nopeek run 'what the agent should do'";
            on.put(area, 3, 3, words, Role::Dim);
            return;
        }
        let lines = lines(&rows, usize::from(area.height - 1));
        let chosen = lines.iter().position(
            |line| matches!(line, Line::Task(task) if Some(task.id) == known.current().map(|of| of.id)),
        );
        let room = usize::from(area.height - 1);
        let first = follow(self.first.get(), chosen.unwrap_or(0), room, lines.len());
        self.first.set(first);
        for (line, y) in lines.iter().skip(first).zip(1..area.height) {
            match line {
                Line::Title(group, n) => {
                    let role = if *group == Group::NeedsYou { Role::NeedsYou } else { Role::Title };
                    on.put(area, 1, y, &format!("{} · {n}", group.title(*n)), role);
                }
                Line::Blank => {}
                Line::Task(task) => row(task, &at, part(area, 0, y, area.width, 1), on),
            }
        }
        let below = lines.len().saturating_sub(first + room);
        if below > 0 {
            on.put_right(area, 0, area.height - 1, &format!("↓{below}"), Role::Dim);
        }
    }
}

/// Chooses the next task that needs a human.
fn to_needy(known: &mut Known, down: bool) {
    let is_needy = |pick: &Pick| match pick {
        Pick::Spec(id) => known.spec(*id).is_some_and(|spec| spec.needs_you),
        Pick::Task(id) => known.task(*id).is_some_and(|task| task.needs_you),
    };
    let needy: Vec<Pick> = known.picks().into_iter().filter(is_needy).collect();
    let at = needy.iter().position(|pick| Some(*pick) == known.picked());
    let n = needy.len();
    let next = match at {
        None => 0,
        Some(at) if down => (at + 1) % n,
        Some(at) => (at + n - 1) % n,
    };
    if let Some(pick) = needy.get(next) {
        known.choose(*pick);
    }
}

enum Line<'a> {
    Title(Group, usize),
    Blank,
    Task(&'a TaskView),
}

/// The lines of the table; with titles between the groups where there is room for all of it.
fn lines<'a>(rows: &[&'a TaskView], room: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut last = None;
    for task in rows {
        let group = Group::of(task);
        if last != Some(group) {
            if last.is_some() {
                lines.push(Line::Blank);
            }
            let n = rows.iter().filter(|task| Group::of(task) == group).count();
            lines.push(Line::Title(group, n));
            last = Some(group);
        }
        lines.push(Line::Task(task));
    }
    for keep in [true, false] {
        if lines.len() > room {
            lines.retain(|line| matches!(line, Line::Task(_)) || (keep && matches!(line, Line::Title(..))));
        }
    }
    lines
}

/// Where the columns begin.
struct Columns {
    state: u16,
    attempt: u16,
    gates: u16,
    time: u16,
    sign: u16,
    changes: u16,
    /// Only where there is room.
    tokens: Option<u16>,
    lid: u16,
}

impl Columns {
    const fn of(width: u16) -> Self {
        let extra = width.saturating_sub(80);
        let name = 20 + if extra / 2 < 30 { extra / 2 } else { 30 };
        let spare = extra - extra / 2;
        let gates = 8 + if spare / 4 < 10 { spare / 4 } else { 10 };
        let state = 3 + name;
        let attempt = state + 13;
        let time = attempt + 8 + gates;
        // Its seven columns end before the title of the last column.
        let tokens = if time + 26 + 7 < width - 7 { Some(time + 26) } else { None };
        Self {
            state,
            attempt,
            gates: attempt + 8,
            time,
            sign: time + 6,
            changes: time + 13,
            tokens,
            lid: width - 4,
        }
    }

    fn titles(&self) -> Vec<(u16, &'static str)> {
        let mut titles = vec![
            (1, "TASK"),
            (self.state, "STATE"),
            (self.attempt, "ATTEMPT"),
            (self.gates, "GATES"),
            (self.time, "TIME"),
            (self.sign, "ACTIVE"),
            (self.changes, "CHANGES"),
            (self.lid - 3, "SCREEN"),
        ];
        titles.extend(self.tokens.map(|x| (x, "TOKENS")));
        titles
    }
}

fn row(task: &TaskView, at: &Columns, area: Rect, on: &mut Canvas<'_>) {
    on.hits.add(area, Hit::Task(task.id));
    let (mark, role) = match (task.needs_you, task.paused) {
        (true, _) => ("!", Role::NeedsYou),
        (_, true) => ("=", Role::Waiting),
        _ => (" ", Role::Text),
    };
    on.put(area, 1, 0, mark, role);
    let ended = task.state.is_ended();
    let name = if ended { Role::Over } else { Role::Text };
    let own = on.known.spec_of(task.id).map(|spec| spec.id.to_string());
    specs::named(&task.name, &own.unwrap_or_default(), name, area, at.state, on);
    let (word, role) = state(task);
    on.put(area, at.state, 0, &word, role);
    if task.state == TaskState::Queued
        && let Some(place) = on.known.place_in_queue(task)
    {
        on.put(area, at.attempt, 0, &format!("#{}", place + 1), Role::Waiting);
    }
    if let Some(attempt) = standing(task) {
        on.put(area, at.attempt, 0, &clip(&tries(task, attempt), 7), Role::Dim);
        let room = at.time - at.gates - 1;
        dots(task, part(area, at.gates, 0, room, 1), on);
        on.put(area, at.time, 0, &span(attempt.vitals.elapsed), Role::Text);
        on.put(area, at.sign, 0, &sign(on.known, attempt), Role::Dim);
        let changes = at.tokens.unwrap_or(at.lid) - at.changes - 1;
        on.put(area, at.changes, 0, &clip(&size(attempt.vitals.diffstat), changes), Role::Text);
        if let Some(x) = at.tokens {
            let usage = attempt.vitals.usage;
            let tokens = usage.tokens_in.unwrap_or(0) + usage.tokens_out.unwrap_or(0);
            let known = usage.tokens_in.is_some() || usage.tokens_out.is_some();
            on.put(area, x, 0, &if known { tokens::short(tokens) } else { "-".to_owned() }, Role::Dim);
        }
        let (lid, role) = lid(attempt.lid);
        on.put(area, at.lid, 0, lid, role);
    }
    if Some(task.id) == on.known.current().map(|of| of.id) {
        on.buf.set_style(area, on.style(Role::Selected));
    }
}

/// Which attempt of how many; a second review is none.
fn tries(task: &TaskView, attempt: &AttemptView) -> String {
    if attempt.part == AttemptKind::SecondReview {
        return "review".to_owned();
    }
    format!("{}/{}", task.tries(), task.attempts_max)
}

/// A gate a shape; as many as there is room for.
fn dots(task: &TaskView, area: Rect, on: &mut Canvas<'_>) {
    let gates = task.gates();
    let word = match task.gating() {
        Gating::Ungated => "ungated",
        Gating::NotRun => "not run",
        Gating::Unknown | Gating::Begun => "",
    };
    if !word.is_empty() {
        on.put(area, 0, 0, word, Role::Dim);
        return;
    }
    let fits = gates.len() <= usize::from(area.width);
    for (x, gate) in (0..area.width.saturating_sub(u16::from(!fits))).zip(gates) {
        let (dot, role) = gates::dot(gate);
        on.put(area, x, 0, &dot.to_string(), role);
    }
    if !fits {
        on.put_right(area, 0, 0, "…", Role::Dim);
    }
}

/// A task's state in a word, and its look.
pub(in crate::tui) fn state(task: &TaskView) -> (String, Role) {
    let role = match task.state {
        _ if task.paused => Role::Waiting,
        TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted => Role::NeedsYou,
        TaskState::Preparing | TaskState::Working | TaskState::Gating => Role::Running,
        TaskState::Merging | TaskState::RollingBack => Role::Running,
        TaskState::Queued => Role::Waiting,
        TaskState::Landed => Role::Good,
        TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => Role::Over,
    };
    let word = if task.paused { "paused" } else { task.state.label() };
    (word.to_owned(), role)
}

/// A lid's shape and look.
pub(in crate::tui) const fn lid(lid: Lid) -> (&'static str, Role) {
    match lid {
        Lid::Sealed => ("▣", Role::Lid),
        Lid::Lifted => ("□", Role::Dim),
        Lid::Broken => ("◪", Role::Broken),
    }
}

/// How long ago the agent last wrote something.
pub(in crate::tui) fn sign(known: &Known, attempt: &AttemptView) -> String {
    match attempt.vitals.last_output {
        Some(at) if attempt.exit.is_none() => span(Span(known.board.now.since(at).0.max(duration::SECOND))),
        _ => "-".to_owned(),
    }
}

/// The numbers at the top right.
pub(in crate::tui) fn summary(known: &Known) -> Vec<(String, Role)> {
    let rows = known.rows();
    let count = |is: &dyn Fn(&TaskView) -> bool| rows.iter().filter(|task| is(task)).count();
    let group = |group| count(&|task| Group::of(task) == group);
    let needy = group(Group::NeedsYou) + known.needy_specs() + known.votes().count();
    let parts = [
        (needy, verb(needy, "needs you", "need you"), Role::NeedsYou),
        (group(Group::Running), "running", Role::Running),
        (group(Group::Merging), "merging", Role::Running),
        (group(Group::Waiting), "waiting", Role::Waiting),
        (count(&|task| task.state == TaskState::Landed), "landed", Role::Good),
    ];
    parts.into_iter().filter(|(n, ..)| *n > 0).map(|(n, word, role)| (format!("{n} {word}"), role)).collect()
}

/// How wide that is.
pub(in crate::tui) fn summary_width(parts: &[(String, Role)]) -> u16 {
    parts.iter().map(|(text, _)| width(text) + 3).sum::<u16>().saturating_sub(3)
}
