//! The review: an attempt's diff with its gates beside it; approve exactly what is shown, send back, or reject.
//!
//! ```text
//!  FIX-KETTLE  attempt 2/3  +12 -3 in 4 files  2 commits                    review
//!  ● build passed   ● test 107 passed
//!  ── 2 of 4  src/kettle.rs  +3 -1 ──────────────────────────────────────────────
//!  …files… │ …the diff…
//! ```

use super::super::action::Action;
use super::super::app::{Cmd, Wanted};
use super::super::hits::Hit;
use super::super::known::{Known, newest_look};
use super::super::offers;
use super::super::paint::Painted;
use super::super::text::{clip, size, width};
use super::super::theme::Role;
use super::findings::{self, Pieces};
use super::{Canvas, board, follow, gates, part};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::diff::{Diff, DiffKind, FileDiff, FileStatus};
use crate::core::model::event::Command;
use crate::core::views::board::TaskView;
use crate::values::ids::{Oid, TaskId};
use crate::values::words::plural::counted;
use crate::wire::client::{Refusal, Request, TaskRef};
use ratatui::layout::Rect;
use std::collections::HashMap;
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Rows above the diff.
const HEAD: u16 = 3;
/// From this width on the list of files is there at first.
const LISTED: u16 = 120;
/// Columns of what another pair of eyes said: it fits beside the list of files.
const LOOK: u16 = 74;
/// One step to the side, in columns.
const SIDE: usize = 16;

/// A line of the whole diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Of what another pair of eyes said.
    Look(usize),
    File(usize),
    Blank,
    /// Why a file has no lines.
    Note(usize, &'static str),
    Hunk(usize, usize),
    /// File, hunk, line; numbers before and after.
    Code(usize, usize, usize, Option<u32>, Option<u32>),
}

/// How far the diff is.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Asked,
    Refused(String),
    There { diff: Arc<Diff>, lines: Vec<Line> },
}

/// The view.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Review {
    pub(in crate::tui) task: TaskId,
    state: State,
    /// The head that the diff was last asked for.
    asked: Option<Oid>,
    /// What another pair of eyes said of the work.
    look: Vec<Pieces>,
    painted: HashMap<usize, Vec<Vec<Painted>>>,
    ordered: Vec<usize>,
    top: usize,
    side: usize,
    /// Whether the list of files is shown; none: where there is room.
    list: Option<bool>,
}

impl Review {
    /// Opens it, and asks for the diff.
    pub(in crate::tui) fn open(task: &TaskView) -> (Self, Vec<Cmd>) {
        let view = Self {
            task: task.id,
            state: State::Asked,
            asked: head(task),
            look: said(task),
            painted: HashMap::new(),
            ordered: Vec::new(),
            top: 0,
            side: 0,
            list: None,
        };
        let cmds = vec![view.ask()];
        (view, cmds)
    }

    /// Asks for the diff.
    pub(in crate::tui) fn ask(&self) -> Cmd {
        let task = TaskRef { repo: None, name: self.task.to_string() };
        Cmd::Ask(Request::Diff { task, attempt: None }, Wanted::Diff(self.task))
    }

    /// Asks again if the branch has moved since: what is approved must be what is read.
    pub(in crate::tui) fn refresh(&mut self, known: &Known) -> Option<Cmd> {
        let task = known.task(self.task)?;
        let said = said(task);
        if said != self.look {
            self.look = said;
            let look = self.look.len();
            if let State::There { diff, lines: all } = &mut self.state {
                *all = lines(look, diff);
            }
        }
        let now = head(task)?;
        if self.asked.as_ref() == Some(&now) {
            return None;
        }
        self.asked = Some(now);
        Some(self.ask())
    }

    /// The diff has come, or was refused.
    pub(in crate::tui) fn set(&mut self, result: Result<Diff, Refusal>) {
        self.painted.clear();
        self.ordered.clear();
        self.state = match result {
            Ok(diff) => State::There { lines: lines(self.look.len(), &diff), diff: Arc::new(diff) },
            Err(refusal) if refusal.remedy.is_empty() => State::Refused(refusal.what),
            Err(refusal) => State::Refused(format!("{}: {}", refusal.what, refusal.remedy)),
        };
    }

    /// A file's colours have come.
    pub(in crate::tui) fn set_painted(&mut self, of: &Arc<Diff>, file: usize, lines: Vec<Vec<Painted>>) {
        if matches!(&self.state, State::There { diff, .. } if Arc::ptr_eq(diff, of)) {
            self.painted.insert(file, lines);
        }
    }

    /// Orders colours for the files that are in sight and have none yet.
    pub(in crate::tui) fn orders(&mut self, area: Rect) -> Vec<Cmd> {
        let State::There { diff, lines } = &self.state else { return Vec::new() };
        let mut cmds = Vec::new();
        for line in lines.iter().skip(self.top).take(usize::from(area.height)) {
            let file = line.file();
            if let Some(file) = file.filter(|file| !self.ordered.contains(file)) {
                self.ordered.push(file);
                cmds.push(Cmd::Paint { task: self.task, diff: Arc::clone(diff), file });
            }
        }
        cmds
    }

    pub(in crate::tui) fn hints(&self, known: &Known) -> Vec<Action> {
        let mut hints = known.task(self.task).map(offers::of).unwrap_or_default();
        hints.retain(|action| !matches!(action, Action::Review | Action::Screen));
        hints.extend([Action::Next, Action::NextFile, Action::FileList, Action::Screen, Action::Back]);
        hints
    }

    pub(in crate::tui) fn act(&mut self, known: &Known, action: Action, area: Rect) -> Option<Vec<Cmd>> {
        let page = usize::from(area.height.saturating_sub(HEAD + 1).max(1));
        match action {
            Action::Up => self.top = self.top.saturating_sub(1),
            Action::Down => self.forward(1, page),
            Action::PageUp => self.top = self.top.saturating_sub(page),
            Action::PageDown => self.forward(page, page),
            Action::Top => self.top = 0,
            Action::Bottom => self.forward(usize::MAX, page),
            Action::Right => self.side += SIDE,
            Action::Left => self.side = self.side.saturating_sub(SIDE),
            Action::Next => self.jump(true, |line| matches!(line, Line::Hunk(..))),
            Action::Previous => self.jump(false, |line| matches!(line, Line::Hunk(..))),
            Action::NextFile => self.jump(true, |line| matches!(line, Line::File(_))),
            Action::PreviousFile => self.jump(false, |line| matches!(line, Line::File(_))),
            Action::FileList => self.list = Some(!self.list.unwrap_or(area.width >= LISTED)),
            Action::Approve => return Some(self.approve(known)),
            _ => return None,
        }
        Some(self.orders(area))
    }

    /// Approves exactly the head that is shown.
    fn approve(&self, known: &Known) -> Vec<Cmd> {
        let State::There { diff, .. } = &self.state else {
            return vec![Cmd::Say("the diff is not there yet: read it first".to_owned())];
        };
        let Some(task) = known.task(self.task) else { return Vec::new() };
        match &diff.head {
            Some(head) => {
                let command = Command::Approve { task: task.id, head: head.clone() };
                vec![Cmd::Ask(Request::Command(command), Wanted::Done(format!("{} is approved", task.name)))]
            }
            None => vec![Cmd::Say("there is no commit to approve".to_owned())],
        }
    }

    /// Goes on by so many lines, until the last one is in sight; a jump may have gone further.
    fn forward(&mut self, by: usize, page: usize) {
        let count = if let State::There { lines, .. } = &self.state { lines.len() } else { 0 };
        self.top = self.top.saturating_add(by).min(count.saturating_sub(page).max(self.top));
    }

    fn jump(&mut self, down: bool, is: impl Fn(&Line) -> bool) {
        let State::There { lines, .. } = &self.state else { return };
        let found = if down {
            lines.iter().enumerate().skip(self.top + 1).find(|(_, line)| is(line))
        } else {
            lines.iter().enumerate().take(self.top).rev().find(|(_, line)| is(line))
        };
        if let Some((n, _)) = found {
            self.top = n;
        }
    }

    /// Goes to a file.
    pub(in crate::tui) fn choose(&mut self, file: usize) {
        let State::There { lines, .. } = &self.state else { return };
        if let Some(n) = lines.iter().position(|line| *line == Line::File(file)) {
            self.top = n;
        }
    }

    pub(in crate::tui) fn render(&self, area: Rect, on: &mut Canvas<'_>) {
        let known = on.known;
        let Some(task) = known.task(self.task) else {
            on.put(area, 1, 0, "the task is gone", Role::Dim);
            return;
        };
        self.head(task, area, on);
        let body = part(area, 0, HEAD, area.width, area.height - HEAD);
        match &self.state {
            State::Asked => {
                on.rule(area, 2, "", Role::Title);
                on.put(body, 2, 1, "the diff is being read …", Role::Dim);
            }
            State::Refused(why) => {
                on.rule(area, 2, "", Role::Title);
                on.put(body, 2, 1, &clip(why, body.width - 4), Role::Refusal);
            }
            State::There { diff, lines } if lines.is_empty() => {
                on.rule(area, 2, "", Role::Title);
                on.put(body, 2, 1, "no change against the target", Role::Dim);
                commits(diff, part(body, 2, 3, body.width - 4, body.height), on);
            }
            State::There { diff, lines } => self.body(diff, lines, area, body, on),
        }
    }

    fn head(&self, task: &TaskView, area: Rect, on: &mut Canvas<'_>) {
        let x = on.put(area, 1, 0, &clip(&task.name, area.width / 3), Role::Strong) + 2;
        let mut words = Vec::new();
        // The diff may still be that of an attempt before the newest one.
        let read = if let State::There { diff, .. } = &self.state { diff.head.as_ref() } else { None };
        let of_diff = task
            .attempts
            .iter()
            .rev()
            .find(|a| a.part == AttemptKind::Work && read.is_some() && a.head.as_ref() == read);
        let newest = task.work();
        if let Some(attempt) = of_diff.or(newest) {
            words.push(format!("attempt {}/{}", attempt.no, task.attempts_max));
        }
        if let State::There { diff, .. } = &self.state {
            let files = diff.stat.files;
            words.push(format!("{} in {}", size(diff.stat), counted(files, "file")));
            words.push(counted(diff.commits.len(), "commit"));
            words.extend(diff.head.as_ref().map(|head| head.short().to_string()));
        }
        on.put(area, x, 0, &words.join("  "), Role::Dim);
        let (word, role) = board::state(task);
        on.put_right(area, 1, 0, &word, role);
        let (all, gating) = match of_diff {
            Some(attempt) if newest.is_some_and(|newest| newest.no != attempt.no) => {
                (attempt.gates.as_slice(), attempt.gating())
            }
            _ => (task.gates(), task.gating()),
        };
        let mut x = 1;
        if all.is_empty() {
            on.put(area, x, 1, gates::none(gating), Role::Refusal);
        }
        for gate in all {
            let (dot, role) = gates::dot(gate);
            x = on.put(area, x, 1, &format!("{dot} {} ", gate.name), role);
            x = on.put(area, x, 1, &gates::words(gate), Role::Dim) + 3;
        }
    }

    fn body(&self, diff: &Diff, lines: &[Line], area: Rect, body: Rect, on: &mut Canvas<'_>) {
        let at = lines.iter().take(self.top + 1).rev().find_map(Line::file).unwrap_or(0);
        let title = diff.files.get(at).map(|file| {
            let words = format!(
                "{} of {}  {}  +{} -{}",
                at + 1,
                diff.files.len(),
                file.path,
                file.added,
                file.removed
            );
            clip(&words, area.width.saturating_sub(24))
        });
        on.rule(area, 2, &title.unwrap_or_default(), Role::File);
        let percent = (self.top + usize::from(body.height)).min(lines.len()) * 100 / lines.len().max(1);
        on.put_right(area, 2, 2, &format!(" {percent}% "), Role::Dim);
        let mut text = body;
        if self.list.unwrap_or(area.width >= LISTED) {
            let wide = (area.width / 3).min(44);
            self.files(diff, at, part(body, 0, 0, wide, body.height), on);
            for y in 0..body.height {
                on.put(body, wide, y, "│", Role::Border);
            }
            text = part(body, wide + 1, 0, body.width - wide - 1, body.height);
        }
        let digits = digits(diff);
        for (line, y) in lines.iter().skip(self.top).zip(0..text.height) {
            self.line(diff, *line, digits, part(text, 0, y, text.width, 1), on);
        }
    }

    fn files(&self, diff: &Diff, at: usize, area: Rect, on: &mut Canvas<'_>) {
        let below = u16::try_from(diff.commits.len().min(6)).unwrap_or(0);
        let room = area.height.saturating_sub(below + 2);
        let first = follow(at.saturating_sub(usize::from(room) / 2), at, usize::from(room), diff.files.len());
        for ((n, file), y) in diff.files.iter().enumerate().skip(first).zip(0..room) {
            let line = part(area, 0, y, area.width, 1);
            on.hits.add(line, Hit::File(n));
            let (sign, role) = sign(file.status);
            on.put(line, 1, 0, sign, role);
            let stat = format!("+{} -{}", file.added, file.removed);
            let room = area.width.saturating_sub(width(&stat) + 5);
            on.put(line, 3, 0, &clip_front(file.path.as_str(), room), Role::Text);
            on.put_right(line, 1, 0, &stat, Role::Dim);
            if n == at {
                on.buf.set_style(line, on.style(Role::Selected));
            }
        }
        commits(diff, part(area, 1, area.height - below - 1, area.width - 2, below + 1), on);
    }

    fn line(&self, diff: &Diff, line: Line, digits: u16, area: Rect, on: &mut Canvas<'_>) {
        match line {
            Line::Blank => {}
            Line::Look(n) => {
                let mut x = 1;
                for (text, role) in self.look.get(n).into_iter().flatten() {
                    x = on.put(area, x, 0, text, *role);
                }
            }
            Line::File(n) => {
                let Some(file) = diff.files.get(n) else { return };
                let (sign, role) = sign(file.status);
                let x = on.put(area, 1, 0, sign, role) + 1;
                let from = file.old_path.as_ref().map(|old| format!("{old} → ")).unwrap_or_default();
                on.put(area, x, 0, &clip_front(&format!("{from}{}", file.path), area.width - 20), Role::File);
                on.put_right(area, 1, 0, &format!("+{} -{}", file.added, file.removed), Role::Dim);
            }
            Line::Note(_, words) => {
                on.put(area, 3, 0, words, Role::Dim);
            }
            Line::Hunk(file, hunk) => {
                let Some(hunk) = diff.files.get(file).and_then(|file| file.hunks.get(hunk)) else { return };
                let words = format!("@@ -{} +{} @@ {}", hunk.old_start, hunk.new_start, hunk.section);
                on.put(area, 1, 0, &clip(&words, area.width - 2), Role::Hunk);
            }
            Line::Code(file, hunk, line, old, new) => {
                let Some(of) = diff.files.get(file).and_then(|file| file.hunks.get(hunk)?.lines.get(line))
                else {
                    return;
                };
                let (sign, role, ground) = match of.kind {
                    DiffKind::Context => (" ", Role::LineNumber, None),
                    DiffKind::Added => ("+", Role::Added, Some(Role::AddedLine)),
                    DiffKind::Removed => ("-", Role::Removed, Some(Role::RemovedLine)),
                };
                if let Some(ground) = ground {
                    on.buf.set_style(area, on.style(ground));
                }
                let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
                let wide = usize::from(digits);
                let words = format!("{:>wide$} {:>wide$} ", number(old), number(new));
                let x = on.put(area, 0, 0, &words, Role::LineNumber);
                let x = on.put(area, x, 0, sign, role) + 1;
                let text = part(area, x, 0, area.width.saturating_sub(x), 1);
                let pieces = self.painted.get(&file).and_then(|hunks| hunks.get(hunk)?.get(line));
                let plain = [(Role::Text, of.text.to_string())];
                self.code(pieces.map_or(plain.as_slice(), Vec::as_slice), text, on);
            }
        }
    }

    /// Draws pieces of code, from the column to which the view is shifted.
    fn code(&self, pieces: &[(Role, String)], area: Rect, on: &mut Canvas<'_>) {
        let (mut column, mut x) = (0, 0);
        for (role, text) in pieces {
            for cluster in text.graphemes(true) {
                let wide = cluster.width();
                if column >= self.side {
                    if x + u16::try_from(wide).unwrap_or(1) > area.width {
                        on.put_right(area, 0, 0, "…", Role::Dim);
                        return;
                    }
                    x = on.put(area, x, 0, cluster, *role);
                }
                column += wide;
            }
        }
    }
}

/// What the branch under review holds.
fn head(task: &TaskView) -> Option<Oid> {
    task.work()?.head.clone()
}

/// What the newest look at the work found, in lines.
fn said(task: &TaskView) -> Vec<Pieces> {
    let Some((look, found)) = newest_look(task).and_then(|look| Some((look, look.findings.as_ref()?))) else {
        return Vec::new();
    };
    let role = if found.is_clean() { Role::Good } else { Role::Bad };
    let mut lines = vec![vec![
        ("second review  ".to_owned(), Role::Title),
        (format!("by {} in attempt {}: ", look.agent, look.no), Role::Text),
        (findings::summary(found), role),
    ]];
    lines.extend(findings::lines(found, &[], LOOK));
    lines
}

impl Line {
    const fn file(&self) -> Option<usize> {
        match self {
            Self::File(n) | Self::Note(n, _) | Self::Hunk(n, _) | Self::Code(n, ..) => Some(*n),
            Self::Look(_) | Self::Blank => None,
        }
    }
}

/// The whole diff in lines.
fn lines(look: usize, diff: &Diff) -> Vec<Line> {
    let mut lines = Vec::new();
    if look > 0 && !diff.files.is_empty() {
        lines.extend((0..look).map(Line::Look));
        lines.push(Line::Blank);
    }
    for (n, file) in diff.files.iter().enumerate() {
        if n > 0 {
            lines.push(Line::Blank);
        }
        lines.push(Line::File(n));
        if let Some(note) = note(file) {
            lines.push(Line::Note(n, note));
        }
        for (h, hunk) in file.hunks.iter().enumerate() {
            lines.push(Line::Hunk(n, h));
            let (mut old, mut new) = (hunk.old_start, hunk.new_start);
            for (l, line) in hunk.lines.iter().enumerate() {
                let is_old = line.kind != DiffKind::Added;
                let is_new = line.kind != DiffKind::Removed;
                lines.push(Line::Code(n, h, l, is_old.then_some(old), is_new.then_some(new)));
                old += u32::from(is_old);
                new += u32::from(is_new);
            }
        }
        if file.cut {
            lines.push(Line::Note(n, "… the rest is left out: it is too long; read it with git"));
        }
    }
    lines
}

fn note(file: &FileDiff) -> Option<&'static str> {
    if file.binary {
        Some("binary file: no lines to show")
    } else if file.hunks.is_empty() {
        Some(match file.status {
            FileStatus::Renamed => "only the path has changed",
            FileStatus::TypeChanged => "only the mode or type has changed",
            FileStatus::Added => "it is empty",
            FileStatus::Deleted | FileStatus::Modified => "no line has changed",
        })
    } else {
        None
    }
}

const fn sign(status: FileStatus) -> (&'static str, Role) {
    match status {
        FileStatus::Added => ("A", Role::Added),
        FileStatus::Deleted => ("D", Role::Removed),
        FileStatus::Modified => ("M", Role::Hunk),
        FileStatus::Renamed => ("R", Role::Hunk),
        FileStatus::TypeChanged => ("T", Role::Hunk),
    }
}

/// Digits of the largest line number.
fn digits(diff: &Diff) -> u16 {
    let last = |file: &FileDiff| {
        file.hunks.last().map_or(0, |hunk| hunk.old_start.max(hunk.new_start) as usize + hunk.lines.len())
    };
    let most = diff.files.iter().map(last).max().unwrap_or(0);
    u16::try_from(most.to_string().len()).unwrap_or(4).max(3)
}

/// A path in at most `room` columns: its end matters more than its beginning.
fn clip_front(text: &str, room: u16) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for cluster in text.graphemes(true).rev() {
        if width(&kept) + width(cluster) + 1 > room {
            break;
        }
        kept.insert_str(0, cluster);
    }
    format!("…{kept}")
}

fn commits(diff: &Diff, area: Rect, on: &mut Canvas<'_>) {
    if diff.commits.is_empty() {
        return;
    }
    on.put(area, 0, 0, "COMMITS", Role::Title);
    for ((id, subject), y) in diff.commits.iter().zip(1..area.height) {
        let x = on.put(area, 0, y, id, Role::Hunk) + 1;
        on.put(area, x, y, &clip(subject.as_str(), area.width.saturating_sub(x)), Role::Dim);
    }
}
