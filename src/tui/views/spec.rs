//! A spec: its goal, its contract, what others found in it, its plan as a graph with the state of each task.
//!
//! Promises: what is approved from here is what is shown: the head that the daemon had when it said this.
//!
//! ```text
//!  TEA  plan ready                       phase 1/2 · 0/6 landed      s1
//!  read the plan (nopeek spec show) and approve tea-plan
//!  ── plan ──────────────────────────────────────────────────────────────────────
//!  …one section after the other; lines with a task lead to it…
//! ```

use super::super::action::Action;
use super::super::app::{Cmd, Wanted};
use super::super::hits::Hit;
use super::super::known::Known;
use super::super::text::{clip, width, wrap};
use super::super::theme::Role;
use super::findings::{self, Pieces};
use super::{Canvas, board, part, specs};
use crate::core::model::plan::{Phase, Planned};
use crate::core::model::spec::Contract;
use crate::core::model::task::TaskState;
use crate::core::outer::plan;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::spec::{SpecLine, SpecView};
use crate::values::ids::{Oid, SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use crate::wire::client::{Refusal, Request, TaskRef};
use ratatui::layout::Rect;
use std::cell::Cell;

/// Rows above the text.
const HEAD: u16 = 3;
/// Column of the text beside a list's name.
const INDENT: u16 = 16;
/// The text is no wider than this: longer lines are not read.
const WIDE: u16 = 110;

/// The parts of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Goal,
    Contract,
    Looks,
    Plan,
    Tasks,
}

impl Section {
    const fn title(self) -> &'static str {
        match self {
            Self::Goal => "goal",
            Self::Contract => "contract",
            Self::Looks => "review passes",
            Self::Plan => "plan",
            Self::Tasks => "tasks of the plan",
        }
    }
}

/// Where a line leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Goes {
    Task(TaskId),
    /// A task of the plan that was not launched.
    NotYet(String),
}

/// A line of the page.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    pieces: Pieces,
    right: Option<(String, Role)>,
    goes: Option<Goes>,
    section: Option<Section>,
}

/// What the daemon was asked for last: as it stood then.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    line: SpecLine,
    /// Of the draft and the plan: how many attempts, where they stand, what they hold.
    tasks: Vec<(usize, TaskState, Option<Oid>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Asked,
    Refused(String),
    There(Box<SpecView>),
}

/// The view.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Page {
    pub(in crate::tui) id: SpecId,
    state: State,
    asked: Option<Seen>,
    /// The head of what waits, as it is shown.
    head: Option<Oid>,
    at: usize,
    first: Cell<usize>,
}

impl Page {
    /// Opens it, and asks for all of it.
    pub(in crate::tui) fn open(known: &Known, id: SpecId) -> (Self, Vec<Cmd>) {
        let asked = seen(known, id);
        let view = Self { id, state: State::Asked, asked, head: None, at: 0, first: Cell::new(0) };
        let cmds = vec![view.ask(known)];
        (view, cmds)
    }

    /// Asks for all of it.
    pub(in crate::tui) fn ask(&self, known: &Known) -> Cmd {
        let spec = TaskRef { repo: None, name: self.id.to_string() };
        Cmd::Ask(Request::Spec(spec), Wanted::Spec(self.id, waiting_head(known, self.id)))
    }

    /// Asks again if something of it has moved.
    pub(in crate::tui) fn refresh(&mut self, known: &Known) -> Option<Cmd> {
        let now = seen(known, self.id)?;
        if self.asked.as_ref() == Some(&now) {
            return None;
        }
        self.asked = Some(now);
        Some(self.ask(known))
    }

    /// It has come, or was refused; `head` is what waited when it was asked for.
    pub(in crate::tui) fn set(
        &mut self,
        known: &Known,
        result: Result<SpecView, Refusal>,
        head: Option<Oid>,
        area: Rect,
    ) {
        let fresh = !matches!(self.state, State::There(_));
        self.head = head;
        self.state = match result {
            Ok(view) => State::There(Box::new(view)),
            Err(refusal) if refusal.remedy.is_empty() => State::Refused(refusal.what),
            Err(refusal) => State::Refused(format!("{}: {}", refusal.what, refusal.remedy)),
        };
        // It opens where the next step is.
        if fresh && matches!(&self.state, State::There(view) if view.phases.is_some()) {
            self.to(known, Section::Plan, area);
        }
    }

    /// The spec as it was said to be.
    pub(in crate::tui) fn view(&self) -> Option<&SpecView> {
        match &self.state {
            State::There(view) => Some(view),
            State::Asked | State::Refused(_) => None,
        }
    }

    /// The head that a person approves who approves what is shown.
    pub(in crate::tui) const fn head(&self) -> Option<&Oid> {
        self.head.as_ref()
    }

    /// Where the chosen line leads.
    pub(in crate::tui) fn goes(&self, known: &Known, area: Rect) -> Option<Goes> {
        self.rows(known, area.width).get(self.at)?.goes.clone()
    }

    pub(in crate::tui) fn hints(&self, known: &Known) -> Vec<Action> {
        let stage = known.spec(self.id).map(|spec| spec.stage);
        let mut hints = match stage {
            Some(SpecStage::SpecReady | SpecStage::PlanReady) => {
                vec![Action::ApproveSpec, Action::SendBackSpec, Action::EditSpec, Action::DiffSpec]
            }
            Some(SpecStage::Stopped) => vec![Action::GoOnSpec, Action::ForgetSpec],
            Some(SpecStage::Done) => vec![Action::ForgetSpec],
            Some(
                SpecStage::Drafting
                | SpecStage::Planning
                | SpecStage::Building
                | SpecStage::Soaking
                | SpecStage::Stuck,
            ) => vec![Action::StopSpec],
            None => Vec::new(),
        };
        hints.extend([Action::ToTask, Action::Next, Action::ToPlan, Action::StopSpec, Action::Back]);
        let mut once = Vec::new();
        hints.retain(|action| {
            let new = !once.contains(action);
            once.push(*action);
            new && (*action != Action::StopSpec
                || !matches!(stage, Some(SpecStage::Stopped | SpecStage::Done)))
        });
        hints
    }

    pub(in crate::tui) fn act(&mut self, known: &Known, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        let rows = self.rows(known, area.width);
        let last = rows.len().saturating_sub(1);
        let page = usize::from(area.height.saturating_sub(HEAD + 1).max(1));
        let starts = |n: &usize| rows.get(*n).is_some_and(|row| row.section.is_some());
        match action {
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(page),
            Action::PageDown => self.at = (self.at + page).min(last),
            Action::Top => self.at = 0,
            Action::Bottom => self.at = last,
            Action::Next => self.jump((self.at + 1..=last).find(starts)),
            Action::Previous => self.jump((0..self.at).rev().find(starts)),
            Action::ToContract => self.to(known, Section::Contract, area),
            Action::ToLooks => self.to(known, Section::Looks, area),
            Action::ToPlan => self.to(known, Section::Plan, area),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Chooses a line that was pointed at.
    pub(in crate::tui) fn choose(&mut self, row: usize) {
        self.at = row;
    }

    /// Whether it is the chosen one.
    pub(in crate::tui) const fn is_at(&self, row: usize) -> bool {
        self.at == row
    }

    fn to(&mut self, known: &Known, section: Section, area: Rect) {
        let rows = self.rows(known, area.width);
        let found = rows.iter().position(|row| row.section == Some(section));
        self.jump(found);
    }

    /// A section stands at the top.
    fn jump(&mut self, to: Option<usize>) {
        if let Some(to) = to {
            self.at = to;
            self.first.set(to);
        }
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let known = on.known;
        let Some(spec) = known.spec(self.id) else {
            on.put(area, 1, 0, "the spec is gone", Role::Dim);
            return;
        };
        head(spec, self.head.as_ref().filter(|_| spec.waits().is_some()), area, on);
        let body = part(area, 0, HEAD, area.width, area.height - HEAD);
        match &self.state {
            State::Asked => {
                on.rule(area, 2, "", Role::Title);
                on.put(body, 2, 1, "the spec is being read …", Role::Dim);
            }
            State::Refused(why) => {
                on.rule(area, 2, "", Role::Title);
                on.put(body, 2, 1, &clip(why, body.width - 4), Role::Refusal);
            }
            State::There(_) => self.body(area, body, on),
        }
    }

    fn body(&self, area: Rect, body: Rect, on: &mut Canvas<'_>) {
        let rows = self.rows(on.known, area.width);
        let room = usize::from(body.height);
        let at = self.at.min(rows.len().saturating_sub(1));
        // A section that was gone to stands at the top, even if it is the last.
        let first = self.first.get().min(at).max((at + 1).saturating_sub(room));
        self.first.set(first);
        let section = rows.iter().take(at + 1).rev().find_map(|row| row.section);
        on.rule(area, 2, section.map_or("", Section::title), Role::Title);
        let percent = (first + room).min(rows.len()) * 100 / rows.len().max(1);
        on.put_right(area, 2, 2, &format!(" {percent}% "), Role::Dim);
        for ((n, row), y) in rows.iter().enumerate().skip(first).zip(0..body.height) {
            let line = part(body, 0, y, body.width, 1);
            on.hits.add(line, Hit::Row(n));
            let mut x = 1;
            for (text, role) in &row.pieces {
                x = on.put(line, x, 0, text, *role);
            }
            if let Some((text, role)) = &row.right {
                on.put_right(part(line, 0, 0, WIDE + 2, 1), 1, 0, text, *role);
            }
            if n == at {
                on.buf.set_style(line, on.style(Role::Selected));
            }
        }
    }

    /// The whole page in lines.
    fn rows(&self, known: &Known, wide: u16) -> Vec<Row> {
        let Some(view) = self.view() else { return Vec::new() };
        let mut page = Writer { rows: Vec::new(), room: wide.saturating_sub(2).min(WIDE), known };
        page.goal(view);
        page.contract(view);
        page.looks(view);
        page.plan(view);
        page.rows
    }
}

fn head(spec: &SpecLine, shown: Option<&Oid>, area: Rect, on: &mut Canvas<'_>) {
    let name = Shown::line(&spec.name);
    let (word, role) = specs::stage(spec);
    let x = on.put(area, 1, 0, &clip(name.as_str(), area.width / 3), Role::Strong) + 2;
    on.put(area, x, 0, word, role);
    let mut words = vec![spec.id.to_string()];
    // What is approved.
    words.extend(shown.map(|head| head.short().to_string()));
    if spec.planned > 0 {
        words.insert(0, format!("{}/{} landed", spec.landed, spec.planned));
        words.insert(0, format!("phase {}/{}", spec.phase.0, spec.phase.1));
    }
    on.put_right(area, 1, 0, &words.join(" · "), Role::Dim);
    let role = if spec.needs_you { Role::NeedsYou } else { Role::Text };
    on.put(area, 1, 1, &clip(spec.why.as_str(), area.width - 2), role);
}

/// How a spec stood when it was asked for.
fn seen(known: &Known, id: SpecId) -> Option<Seen> {
    let line = known.spec(id)?.clone();
    let tasks = [line.draft, line.plan].into_iter().flatten().filter_map(|id| known.task(id));
    let tasks = tasks
        .map(|task| (task.attempts.len(), task.state, task.work().and_then(|work| work.head.clone())))
        .collect();
    Some(Seen { line, tasks })
}

/// The head of what waits for a person.
pub(in crate::tui) fn waiting_head(known: &Known, id: SpecId) -> Option<Oid> {
    let task = known.task(known.spec(id)?.waits()?)?;
    task.work()?.head.clone()
}

/// Writes the page.
struct Writer<'a> {
    rows: Vec<Row>,
    room: u16,
    known: &'a Known,
}

impl Writer<'_> {
    fn section(&mut self, section: Section, more: &str) {
        if !self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        let more = if more.is_empty() { String::new() } else { format!("  {more}") };
        let room = self.room.saturating_sub(width(section.title()));
        let pieces = vec![(section.title().to_uppercase(), Role::Title), (clip(&more, room), Role::Dim)];
        self.rows.push(Row { pieces, section: Some(section), ..Row::default() });
    }

    fn pieces(&mut self, pieces: Pieces, goes: Option<&Goes>) {
        self.rows.push(Row { pieces, goes: goes.cloned(), ..Row::default() });
    }

    /// A text of several lines, indented.
    fn text(&mut self, text: &str, role: Role, goes: Option<&Goes>) {
        for line in Shown::lines(text.trim()) {
            for line in wrap(line.as_str(), self.room.saturating_sub(2)) {
                self.pieces(vec![(format!("  {line}"), role)], goes);
            }
        }
    }

    /// A name, and beside it a text.
    fn named(&mut self, name: &str, text: &str, role: Role, goes: Option<&Goes>) {
        let wide = usize::from(INDENT);
        let room = self.room.saturating_sub(INDENT);
        let lines = Shown::lines(text).into_iter().flat_map(|line| wrap(line.as_str(), room));
        for (n, line) in lines.enumerate() {
            let name = if n == 0 { name } else { "" };
            self.pieces(vec![(format!("  {name:<0$}", wide - 2), Role::Dim), (line, role)], goes);
        }
    }

    fn goal(&mut self, view: &SpecView) {
        self.section(Section::Goal, "");
        self.text(&view.goal, Role::Text, None);
        for (duty, id) in [("drafted by", view.line.draft), ("planned by", view.line.plan)] {
            let Some(task) = id.and_then(|id| self.known.task(id)) else { continue };
            let pieces = vec![
                (format!("  {duty:<0$}", usize::from(INDENT) - 2), Role::Dim),
                (clip(&task.name, self.room.saturating_sub(INDENT + 18)), Role::Text),
            ];
            let goes = Some(Goes::Task(task.id));
            self.rows.push(Row { pieces, right: self.state(task.id), goes, section: None });
        }
    }

    fn contract(&mut self, view: &SpecView) {
        let Some(contract) = &view.contract else {
            self.section(Section::Contract, "not written yet");
            return;
        };
        let approved = if view.agreed { "approved" } else { "not approved yet" };
        self.section(Section::Contract, &format!("{} · {approved}", Shown::line(&view.path)));
        self.text(contract.title.as_str(), Role::Strong, None);
        for (name, list) in lists(contract) {
            for (n, text) in list.iter().enumerate() {
                self.named(if n == 0 { name } else { "" }, text, Role::Text, None);
            }
        }
    }

    fn looks(&mut self, view: &SpecView) {
        let words = if view.looks.is_empty() { "none yet" } else { "" };
        self.section(Section::Looks, words);
        for (n, look) in view.looks.iter().enumerate() {
            let by = Shown::line(&look.by);
            let words = format!("  review pass {} by {by}: {}", n + 1, findings::summary(&look.findings));
            self.pieces(vec![(words, Role::Strong)], None);
            for mut pieces in findings::lines(&look.findings, &look.answers, self.room.saturating_sub(2)) {
                pieces.insert(0, ("  ".to_owned(), Role::Text));
                self.pieces(pieces, None);
            }
        }
    }

    fn plan(&mut self, view: &SpecView) {
        let Some(phases) = &view.phases else {
            self.section(Section::Plan, "not made yet");
            return;
        };
        let tasks: usize = phases.iter().map(|phase| phase.tasks.len()).sum();
        let words = format!("{} in {}", counted(tasks, "task"), counted(phases.len(), "phase"));
        self.section(Section::Plan, &words);
        for line in plan::graph(phases) {
            let line = Shown::line(&line).to_string();
            let name =
                line.split_whitespace().nth(1).filter(|_| line.starts_with("  ├") || line.starts_with("  └"));
            let goes = name.map(|name| goes(view, name));
            let right = match &goes {
                Some(Goes::Task(id)) => self.state(*id),
                Some(Goes::NotYet(_)) => Some(("not yet".to_owned(), Role::Dim)),
                None => None,
            };
            let room = self.room.saturating_sub(right.as_ref().map_or(0, |(word, _)| width(word) + 2));
            let role = if goes.is_some() { Role::Text } else { Role::Strong };
            self.rows.push(Row { pieces: vec![(clip(&line, room), role)], right, goes, section: None });
        }
        self.section(Section::Tasks, "");
        for task in phases.iter().flat_map(|phase: &Phase| &phase.tasks) {
            self.task(view, task);
        }
    }

    fn task(&mut self, view: &SpecView, task: &Planned) {
        let goes = goes(view, task.name.as_str());
        let agent =
            task.agent.as_ref().map(|agent| format!("  by {}", Shown::line(agent))).unwrap_or_default();
        let pieces = vec![(format!("  {}", task.name), Role::Strong), (agent, Role::Dim)];
        self.pieces(pieces, Some(&goes));
        self.named("  does", task.does.trim(), Role::Text, Some(&goes));
        self.named("  touches", &task.touches.join(", "), Role::Text, Some(&goes));
        self.named("  check", &task.check, Role::Text, Some(&goes));
    }

    /// A task's state, marked where a human must act.
    fn state(&self, id: TaskId) -> Option<(String, Role)> {
        let task = self.known.task(id)?;
        let (word, role) = board::state(task);
        let mark = if task.needs_you { "! " } else { "" };
        Some((format!("{mark}{word}"), if task.needs_you { Role::NeedsYou } else { role }))
    }
}

fn goes(view: &SpecView, name: &str) -> Goes {
    view.line.tasks.get(name).map_or_else(|| Goes::NotYet(name.to_owned()), |id| Goes::Task(*id))
}

fn lists(of: &Contract) -> [(&'static str, &[String]); 8] {
    [
        ("objectives", &of.objectives),
        ("non-goals", &of.non_goals),
        ("touchpoints", &of.touchpoints),
        ("data", &of.data),
        ("tests", &of.tests),
        ("risks", &of.risks),
        ("compatibility", &of.compatibility),
        ("rollback", &of.rollback),
    ]
}
