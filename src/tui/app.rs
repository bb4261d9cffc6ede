//! The client's state, and what the daemon's messages make of it; what a person does is in `acts` and `mouse`.
//!
//! Promises: no I/O, no clock: the whole client can be driven in a test. A request that is under way when the daemon
//! goes is reported as unanswered, never silently lost.

use super::form::Form;
use super::hits::Hits;
use super::known::{Known, Link};
use super::over::Over;
use super::pace::Urgency;
use super::settings::Settings;
use super::splits::Splits;
use super::views::board::Board;
use super::views::ledger::Ledger;
use super::views::panes::Panes;
use super::views::review::Review;
use super::views::screen::Screen;
use super::views::spec::Page;
use super::views::timeline::Timeline;
use crate::core::model::diff::Diff;
use crate::core::model::event::Command;
use crate::core::views::board::TaskView;
use crate::values::ids::{JobId, Oid, SpecId, TaskId};
use crate::values::text::Shown;
use crate::wire::client::{FromDaemon, Look, Refusal, Reply, Request, ToDaemon};
use ratatui::layout::Rect;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What the loop is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cmd {
    /// Ask the daemon; the answer is for somebody.
    Ask(Request, Wanted),
    Send(ToDaemon),
    /// Into the person's clipboard.
    Copy(String),
    /// Give a file of a diff its colours.
    Paint {
        task: TaskId,
        diff: Arc<Diff>,
        file: usize,
    },
    /// Keep the sizes of panes.
    Keep(Splits),
    /// Say it in the line at the bottom.
    Say(String),
    Ring(String),
    /// Hand files to the person's editor, with the terminal.
    Edit(Editing),
    /// Stop as a job of the shell.
    Suspend,
    Redraw,
    /// Give the terminal back and end.
    Leave,
}

/// Files of a task's worktree in the person's editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Editing {
    pub(super) task: TaskId,
    /// What the person calls it.
    pub(super) name: String,
    pub(super) place: PathBuf,
    pub(super) branch: String,
    pub(super) files: Vec<PathBuf>,
}

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Board,
    /// Something was done; these are the words for it.
    Done(String),
    Diff(TaskId),
    /// A spec, with the head of what waited when it was asked for.
    Spec(SpecId, Option<Oid>),
    Opened,
    /// A vote, to decide it.
    Vote,
    Ledger(Option<TaskId>, bool),
    Report,
    Agents,
    Found(JobId, String),
    Lines(JobId),
}

/// The views, the newest on top of the board.
#[derive(Clone, Debug)]
pub(super) enum View {
    Board(Board),
    Panes(Panes),
    Screen(Screen),
    Review(Review),
    Ledger(Ledger),
    Timeline(Timeline),
    Spec(Page),
}

/// A word at the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toast {
    pub(super) text: String,
    pub(super) refused: bool,
}

/// The client.
#[derive(Debug)]
pub(super) struct App {
    pub(super) settings: Settings,
    pub(super) known: Known,
    pub(super) views: Vec<View>,
    pub(super) over: Option<Over>,
    pub(super) toast: Option<Toast>,
    pub(super) area: Rect,
    /// What the mouse can point at, as last drawn.
    pub(super) hits: RefCell<Hits>,
    pub(super) splits: Splits,
    /// What agents launched from here get of the environment.
    pub(super) env: Vec<(String, String)>,
    under_way: HashMap<u64, Wanted>,
    looks: Vec<Look>,
    /// Jobs whose frames were taken in and not yet shown.
    framed: Vec<JobId>,
}

impl App {
    pub(super) fn new(
        settings: Settings,
        known: Known,
        env: Vec<(String, String)>,
        splits: Splits,
        area: Rect,
    ) -> Self {
        Self {
            settings,
            known,
            views: vec![View::Board(Board::default())],
            over: None,
            toast: None,
            area,
            hits: RefCell::default(),
            splits,
            env,
            under_way: HashMap::new(),
            looks: Vec::new(),
            framed: Vec::new(),
        }
    }

    /// Where views are drawn: all but the line at the top and the two at the bottom.
    pub(super) const fn body(area: Rect) -> Rect {
        Rect { x: area.x, y: area.y + 1, width: area.width, height: area.height.saturating_sub(3) }
    }

    pub(super) fn view(&self) -> &View {
        // The board is never taken away.
        &self.views[self.views.len() - 1]
    }

    pub(super) fn view_mut(&mut self) -> &mut View {
        let last = self.views.len() - 1;
        &mut self.views[last]
    }

    /// What must be asked for once a connection stands.
    pub(super) fn connected(&mut self) -> Vec<Cmd> {
        self.known.link = Link::Up;
        self.known.grids.clear();
        self.looks.clear();
        let mut cmds = vec![Cmd::Send(ToDaemon::Subscribe(true)), Cmd::Ask(Request::Board, Wanted::Board)];
        if self.settings.ring.is_any() {
            cmds.push(Cmd::Send(ToDaemon::Ring { repo: self.known.repo.clone() }));
        }
        if let View::Ledger(ledger) = self.view_mut() {
            ledger.missed();
            cmds.extend(ledger.ask());
        }
        let now = self.known.board.now;
        if let View::Timeline(timeline) = self.view_mut() {
            timeline.missed();
            cmds.extend(timeline.ask(now));
        }
        match self.view() {
            View::Review(review) => cmds.push(review.ask()),
            View::Spec(page) => cmds.push(page.ask(&self.known)),
            View::Board(_) | View::Panes(_) | View::Screen(_) | View::Ledger(_) | View::Timeline(_) => {}
        }
        cmds
    }

    /// The daemon has gone.
    pub(super) fn disconnected(&mut self) {
        self.known.link = Link::Down;
        let unanswered =
            self.under_way.drain().filter(|(_, wanted)| matches!(wanted, Wanted::Done(_))).count();
        let mut text = "the daemon is gone, agents go on; reconnecting …".to_owned();
        if unanswered > 0 {
            text = format!("{text} ({unanswered} unanswered: check before you ask again)");
        }
        self.refuse(text);
    }

    /// A request has this number.
    pub(super) fn asked(&mut self, id: u64, wanted: Wanted) {
        self.under_way.insert(id, wanted);
    }

    /// Takes in a message; how soon what it changed is to be seen, if it changed anything.
    pub(super) fn hear(&mut self, message: FromDaemon) -> (Option<Urgency>, Vec<Cmd>) {
        match message {
            FromDaemon::Board(board) => {
                let first = self.known.set_board(*board);
                let urgency = if first { Urgency::Prompt } else { Urgency::Calm };
                (Some(urgency), self.board_changed())
            }
            FromDaemon::Answer { id, result } => match self.under_way.remove(&id) {
                Some(wanted) => (Some(Urgency::Prompt), self.answered(wanted, result)),
                None => (None, Vec::new()),
            },
            FromDaemon::Frame { job, changes } => {
                if !self.framed.contains(&job) {
                    self.framed.push(job);
                }
                // The echo of a key, or the first of a screen that was asked for.
                let prompt = changes.full || self.typing() == Some(job);
                self.known.frame(job, changes);
                (Some(if prompt { Urgency::Prompt } else { Urgency::Calm }), Vec::new())
            }
            FromDaemon::Covered(job) => {
                self.known.cover(job);
                (Some(Urgency::Prompt), Vec::new())
            }
            FromDaemon::Notice { notice, ring } => {
                let here = |task: &&TaskView| self.known.repo.as_ref().is_none_or(|repo| task.repo == *repo);
                let words = match notice.task {
                    None => notice.text.to_string(),
                    Some(task) => match self.known.task(task).filter(here) {
                        Some(task) => format!("{}: {}", task.name, notice.text),
                        None => return (None, Vec::new()),
                    },
                };
                let ring = ring && self.settings.ring.is_for(notice.kind);
                let cmds = ring.then(|| Cmd::Ring(words.clone())).into_iter().collect();
                self.say(words);
                (Some(Urgency::Prompt), cmds)
            }
            FromDaemon::Welcome { .. } | FromDaemon::WrongVersion { .. } => (None, Vec::new()),
        }
    }

    /// The frames that have been drawn since this was last asked: the next may come.
    pub(super) fn shown(&mut self) -> Vec<ToDaemon> {
        self.framed.drain(..).map(ToDaemon::Shown).collect()
    }

    fn board_changed(&mut self) -> Vec<Cmd> {
        let known = &self.known;
        // A view of a task that is gone has nothing to show.
        self.views.retain(|view| match view {
            View::Screen(screen) => known.task(screen.task).is_some(),
            View::Review(review) => known.task(review.task).is_some(),
            View::Spec(page) => known.spec(page.id).is_some(),
            View::Board(_) | View::Panes(_) | View::Ledger(_) | View::Timeline(_) => true,
        });
        let mut cmds = Vec::new();
        let last = self.views.len() - 1;
        match &mut self.views[last] {
            View::Screen(screen) if screen.typing && !screen.may_type(known) => {
                screen.typing = false;
                self.say("the agent has ended: keys go to nopeek again".to_owned());
            }
            View::Panes(panes) if panes.typing && panes.job(known).is_none() => {
                panes.typing = false;
                self.say("the agent has ended: keys go to nopeek again".to_owned());
            }
            View::Ledger(ledger) => cmds.extend(ledger.ask()),
            View::Timeline(timeline) => cmds.extend(timeline.ask(known.board.now)),
            View::Review(review) => cmds.extend(review.refresh(known)),
            View::Spec(page) => cmds.extend(page.refresh(known)),
            _ => {}
        }
        cmds
    }

    fn answered(&mut self, wanted: Wanted, result: Result<Reply, Refusal>) -> Vec<Cmd> {
        let area = Self::body(self.area);
        match (wanted, result) {
            (Wanted::Board, Ok(Reply::Board(board))) => {
                self.known.set_board(*board);
                return self.board_changed();
            }
            (Wanted::Done(words), Ok(_)) => self.say(words),
            (Wanted::Diff(task), result) => {
                let diff = match result {
                    Ok(Reply::Diff(diff)) => Ok(*diff),
                    Ok(_) => return Vec::new(),
                    Err(refusal) => Err(refusal),
                };
                if let View::Review(review) = self.view_mut()
                    && review.task == task
                {
                    review.set(diff);
                    return review.orders(area);
                }
            }
            (Wanted::Spec(id, head), result) => {
                let view = match result {
                    Ok(Reply::Spec(view)) => Ok(*view),
                    Ok(_) => return Vec::new(),
                    Err(refusal) => Err(refusal),
                };
                let known = &self.known;
                for page in &mut self.views {
                    if let View::Spec(page) = page
                        && page.id == id
                    {
                        page.set(known, view.clone(), head.clone(), area);
                    }
                }
            }
            (Wanted::Opened, Ok(Reply::Spec(view))) => {
                self.known.spec = Some(view.line.id);
                self.say(format!("the spec {} is created: {}", view.line.name, view.line.why));
            }
            (Wanted::Vote, Ok(Reply::Panel(poll))) => {
                if self.over.is_none() {
                    self.over = Some(Over::Form(Form::decide(&poll)));
                }
            }
            (Wanted::Ledger(only, all), Ok(Reply::Ledger(lines))) => {
                if let View::Ledger(ledger) = self.view_mut() {
                    ledger.add(only, all, lines);
                }
            }
            (Wanted::Report, Ok(Reply::Report(report))) => {
                let now = self.known.board.now;
                if let View::Timeline(timeline) = self.view_mut() {
                    return timeline.set(report, now);
                }
            }
            (Wanted::Agents, Ok(Reply::Agents(agents))) => {
                if let Some(Over::Form(form)) = &mut self.over {
                    form.set_agents(&agents);
                }
            }
            (Wanted::Found(job, text), Ok(Reply::Found(places))) => {
                let known = &self.known;
                let last = self.views.len() - 1;
                if let View::Screen(screen) = &mut self.views[last]
                    && screen.job(known) == Some(job)
                {
                    screen.found(text, places);
                }
            }
            (Wanted::Lines(job), Ok(Reply::Log(lines))) => {
                let known = &self.known;
                let last = self.views.len() - 1;
                if let View::Screen(screen) = &mut self.views[last]
                    && screen.job(known) == Some(job)
                {
                    screen.set_lines(lines);
                }
            }
            (wanted, Err(refusal)) => {
                match (wanted, self.view_mut()) {
                    (Wanted::Ledger(..), View::Ledger(ledger)) => ledger.missed(),
                    (Wanted::Report, View::Timeline(timeline)) => timeline.missed(),
                    _ => {}
                }
                let Refusal { what, remedy, .. } = refusal;
                self.refuse(if remedy.is_empty() { what } else { format!("{what}: {remedy}") });
            }
            (_, Ok(_)) => {}
        }
        Vec::new()
    }

    /// A file of a diff has its colours.
    pub(super) fn painted(
        &mut self,
        task: TaskId,
        diff: &Arc<Diff>,
        file: usize,
        lines: Vec<Vec<super::paint::Painted>>,
    ) {
        for view in &mut self.views {
            if let View::Review(review) = view
                && review.task == task
            {
                review.set_painted(diff, file, lines);
                return;
            }
        }
    }

    /// The editor has ended; what was changed is read and judged again.
    pub(super) fn edited(&mut self, edited: (TaskId, String, Result<bool, String>)) -> Vec<Cmd> {
        let (task, name, result) = edited;
        match result {
            Ok(true) => {
                let words = format!("what you wrote is in {name}, and is checked again");
                return vec![Cmd::Ask(Request::Command(Command::Regate(task)), Wanted::Done(words))];
            }
            Ok(false) => self.say(format!("nothing of {name} was changed")),
            Err(why) => self.refuse(why),
        }
        Vec::new()
    }

    pub(super) fn say(&mut self, text: String) {
        self.toast = Some(Toast { text: Shown::line(&text).to_string(), refused: false });
    }

    pub(super) fn refuse(&mut self, text: String) {
        self.toast = Some(Toast { text: Shown::line(&text).to_string(), refused: true });
    }

    /// Tells the daemon which screens are looked at now, if that has changed.
    pub(super) fn look(&mut self) -> Vec<Cmd> {
        let area = Self::body(self.area);
        let looks = match self.view() {
            _ if self.known.link == Link::Down => return Vec::new(),
            View::Screen(screen) => screen.looks(&self.known, area),
            View::Panes(panes) => panes.looks(&self.known, area),
            View::Board(_) | View::Review(_) | View::Ledger(_) | View::Timeline(_) | View::Spec(_) => {
                Vec::new()
            }
        };
        if looks == self.looks {
            return Vec::new();
        }
        let jobs: HashSet<JobId> = looks.iter().map(|look| look.job).collect();
        self.known.keep(&jobs);
        self.looks.clone_from(&looks);
        vec![Cmd::Send(ToDaemon::Look(looks))]
    }
}
