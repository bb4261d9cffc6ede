//! What a person does: keys, pasted text, actions; on the view, on what lies over it, on a task.

use super::action::{self, Action, Section};
use super::app::{App, Cmd, View, Wanted};
use super::form::{Done, Form, Purpose};
use super::key::Key;
use super::known::{Link, Pick, is_sealed};
use super::offers;
use super::over::Over;
use super::over::help::Help;
use super::over::palette::{Goal, Palette};
use super::over::sure::Sure;
use super::views::ledger::Ledger;
use super::views::panes::Panes;
use super::views::review::Review;
use super::views::screen::Screen;
use super::views::timeline::Timeline;
use crate::core::model::event::Command;
use crate::core::views::board::TaskView;
use crate::values::ids::{JobId, TaskId};
use crate::wire::client::{Request, ToDaemon};
use crate::wire::input::Input;
use std::path::PathBuf;

/// Most views one upon the other.
const VIEWS_MAX: usize = 16;

impl App {
    /// The job that keys go to, while somebody types into an agent.
    pub(super) fn typing(&self) -> Option<JobId> {
        match self.view() {
            _ if self.over.is_some() => None,
            View::Screen(screen) if screen.typing => screen.job(&self.known),
            View::Panes(panes) if panes.typing => panes.job(&self.known),
            _ => None,
        }
    }

    /// The sections that are alive.
    pub(super) fn sections(&self) -> &'static [Section] {
        match (&self.over, self.view()) {
            (Some(Over::Form(_)), _) => action::FORM,
            (Some(Over::Sure(_)), _) => action::QUESTION,
            (Some(Over::Palette(_) | Over::Help(_)), _) => action::MENU,
            (None, _) if self.typing().is_some() => action::TYPING,
            (None, View::Board(_)) => action::BOARD,
            (None, View::Panes(_)) => action::PANES,
            (None, View::Screen(_)) => action::OUTPUT,
            (None, View::Review(_)) => action::REVIEW,
            (None, View::Ledger(_)) => action::LEDGER,
            (None, View::Timeline(_)) => action::TIMELINE,
            (None, View::Spec(_)) => action::SPEC,
        }
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: Key) -> Vec<Cmd> {
        let action = self.settings.keymap.action(self.sections(), key);
        if let Some(job) = self.typing() {
            if action == Some(Action::Leader) {
                self.stop_typing();
                return Vec::new();
            }
            return key
                .wire()
                .map(|key| Cmd::Send(ToDaemon::Input { job, input: Input::Key(key) }))
                .into_iter()
                .collect();
        }
        if self.known.link == Link::Up {
            self.toast = None;
        }
        match action {
            Some(action) => self.act(action),
            None => {
                match &mut self.over {
                    Some(Over::Form(form)) => form.key(key),
                    Some(Over::Palette(palette)) => palette.key(key),
                    Some(Over::Sure(_)) => self.say("press y to do it, n to cancel".to_owned()),
                    Some(Over::Help(_)) | None => {}
                }
                Vec::new()
            }
        }
    }

    /// Pasted text.
    pub(super) fn paste(&mut self, text: &str) -> Vec<Cmd> {
        if let Some(job) = self.typing() {
            return vec![Cmd::Send(ToDaemon::Input { job, input: Input::Paste(text.to_owned()) })];
        }
        match &mut self.over {
            Some(Over::Form(form)) => form.insert(text),
            Some(Over::Palette(palette)) => palette.insert(text),
            _ => {}
        }
        Vec::new()
    }

    fn stop_typing(&mut self) {
        match self.view_mut() {
            View::Screen(screen) => screen.typing = false,
            View::Panes(panes) => panes.typing = false,
            _ => {}
        }
    }

    /// Does something.
    pub(super) fn act(&mut self, action: Action) -> Vec<Cmd> {
        if self.over.is_some() {
            return self.act_over(action);
        }
        let area = Self::body(self.area);
        let last = self.views.len() - 1;
        let known = &mut self.known;
        let done = match &mut self.views[last] {
            View::Board(board) => board.act(known, action).then(Vec::new),
            View::Panes(panes) => panes.act(known, action, area),
            View::Screen(screen) => screen.act(known, action, area),
            View::Review(review) => review.act(known, action, area),
            View::Ledger(ledger) => ledger.act(action, area),
            View::Timeline(timeline) => timeline.act(action, area, known.board.now),
            View::Spec(page) => page.act(known, action, area),
        };
        if let View::Panes(panes) = &self.views[last] {
            self.splits.clone_from(&panes.splits);
        }
        match done {
            Some(cmds) => cmds,
            None => self.act_anywhere(action),
        }
    }

    fn act_anywhere(&mut self, action: Action) -> Vec<Cmd> {
        match action {
            Action::Help => self.over = Some(Over::Help(Help::new(self.sections()))),
            Action::Palette => {
                let palette = Palette::new(self.sections(), &self.settings.keymap, &self.known);
                self.over = Some(Over::Palette(palette));
            }
            Action::Leave if self.views.len() == 1 => return vec![Cmd::Leave],
            Action::Back | Action::Leave => {
                if self.views.len() > 1 {
                    self.views.pop();
                }
            }
            Action::Quit => return vec![Cmd::Leave],
            Action::ToBoard => self.views.truncate(1),
            Action::ToPanes => {
                self.views.truncate(1);
                self.known.spec = None;
                self.views.push(View::Panes(Panes::new(self.splits.clone())));
            }
            Action::ToLedger => {
                self.views.truncate(1);
                let (ledger, cmds) = Ledger::open(None);
                self.views.push(View::Ledger(ledger));
                return cmds;
            }
            Action::ToTimeline => {
                self.views.truncate(1);
                let (repo, chosen) = (self.known.repo.clone(), self.known.selected);
                let (timeline, cmds) = Timeline::open(repo, chosen, self.known.board.now);
                self.views.push(View::Timeline(timeline));
                return cmds;
            }
            Action::Launch => return self.launch(),
            Action::NewSpec => self.new_spec(),
            Action::Decide => return self.decide(),
            Action::Suspend => return vec![Cmd::Suspend],
            Action::Redraw => return vec![Cmd::Redraw],
            Action::Search => {
                let job = match self.view() {
                    View::Screen(screen) => screen.job(&self.known),
                    _ => None,
                };
                match job {
                    Some(job) => self.over = Some(Over::Form(Form::search(job))),
                    None => self.say("open the attempt's screen to search it".to_owned()),
                }
            }
            _ if matches!(self.view(), View::Spec(_)) => return self.act_on_page(action),
            _ if matches!(self.view(), View::Board(_)) && self.known.spec.is_some() => {
                return self.act_on_line(action);
            }
            _ => return self.act_on_task(action),
        }
        Vec::new()
    }

    fn launch(&mut self) -> Vec<Cmd> {
        let Some(repo) = self.repo() else {
            self.refuse("start nopeek inside a repo to launch a task there".to_owned());
            return Vec::new();
        };
        self.over = Some(Over::Form(Form::launch(repo.clone())));
        vec![Cmd::Ask(Request::Agents { repo: Some(repo) }, Wanted::Agents)]
    }

    /// The repo that the person stands in, else that of what is chosen.
    pub(super) fn repo(&self) -> Option<PathBuf> {
        let known = &self.known;
        let chosen = || known.current().map(|task| task.repo.clone());
        let spec = || known.current_spec().map(|spec| spec.repo.clone());
        known.repo.clone().or_else(chosen).or_else(spec)
    }

    /// The task that is looked at: of the view, else the chosen one.
    fn task(&self) -> Option<&TaskView> {
        match self.view() {
            View::Screen(screen) => self.known.task(screen.task),
            View::Review(review) => self.known.task(review.task),
            View::Ledger(ledger) => ledger.task().and_then(|id| self.known.task(id)),
            View::Timeline(timeline) => timeline.task().and_then(|id| self.known.task(id)),
            View::Board(_) | View::Panes(_) => self.known.current(),
            View::Spec(_) => None,
        }
    }

    fn act_on_task(&mut self, action: Action) -> Vec<Cmd> {
        self.task().cloned().map(|task| self.act_on(&task, action)).unwrap_or_default()
    }

    pub(super) fn act_on(&mut self, task: &TaskView, action: Action) -> Vec<Cmd> {
        let id = task.id;
        let done = |words: &str, command| {
            vec![Cmd::Ask(Request::Command(command), Wanted::Done(format!("{} {words}", task.name)))]
        };
        match action {
            Action::Open => return self.act_on(task, offers::open(&self.known, task)),
            Action::Screen => self.push(View::Screen(Screen::agent(id)), id),
            Action::Gates => self.push(View::Screen(Screen::gates(task)), id),
            Action::Review => {
                let (review, cmds) = Review::open(task);
                self.push(View::Review(review), id);
                return cmds;
            }
            Action::Answer if task.question.is_none() && self.known.vote_of(id).is_some() => {
                return self.decide_for(id);
            }
            Action::Answer if task.question.is_none() => self.say(format!("{} asks nothing", task.name)),
            Action::Answer => self.over = Some(Over::Form(Form::answer(task))),
            Action::SendBack => self.over = Some(Over::Form(Form::send_back(task))),
            Action::Reject => self.over = Some(Over::Form(Form::reject(task))),
            Action::Retry => self.over = Some(Over::Form(Form::retry(task))),
            Action::Peek if task.attempt().is_some_and(is_sealed) => {
                self.over = Some(Over::Form(Form::peek(task)));
            }
            Action::Peek => self.say(format!("the screen of {} is not hidden", task.name)),
            Action::Stop => self.over = Some(Over::Sure(Sure::stop(task))),
            Action::Rollback => self.over = Some(Over::Sure(Sure::rollback(task))),
            Action::Forget => self.over = Some(Over::Sure(Sure::forget(task))),
            Action::Approve => match task.work().and_then(|attempt| attempt.head.clone()) {
                Some(head) => return done("is approved", Command::Approve { task: id, head }),
                None => self.say(format!("{} has nothing to approve yet", task.name)),
            },
            Action::Pause if task.paused => return done("goes on", Command::Resume(id)),
            Action::Pause => return done("is paused", Command::Pause(id)),
            Action::Resume => return done("goes on", Command::Resume(id)),
            Action::Land => return done("is in the merge queue", Command::Land(id)),
            Action::Cover => return done("is hidden again", Command::Cover(id)),
            Action::Sooner | Action::Later => {
                let Some(at) = self.known.place_in_queue(task) else {
                    self.say(format!("{} is not in the start queue", task.name));
                    return Vec::new();
                };
                let place = if action == Action::Sooner { at.saturating_sub(1) } else { at + 1 };
                return done(
                    &format!("is now #{} in the queue", place + 1),
                    Command::Reorder { task: id, place },
                );
            }
            Action::CopyBranch => {
                return task.work().map(|attempt| Cmd::Copy(attempt.branch.clone())).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn push(&mut self, view: View, task: TaskId) {
        self.known.choose(Pick::Task(task));
        self.lay(view);
    }

    /// Lays a view on top.
    pub(super) fn lay(&mut self, view: View) {
        if self.views.len() == VIEWS_MAX {
            self.views.remove(1);
        }
        self.views.push(view);
    }

    fn act_over(&mut self, action: Action) -> Vec<Cmd> {
        let Some(over) = &mut self.over else { return Vec::new() };
        match (over, action) {
            (Over::Form(form), Action::Submit) => {
                let Some(done) = form.done(&self.known, &self.env) else { return Vec::new() };
                let words = done_words(form);
                self.over = None;
                return match done {
                    Done::Ask(request @ Request::SpecNew(_)) => vec![Cmd::Ask(request, Wanted::Opened)],
                    Done::Ask(request) => vec![Cmd::Ask(request, Wanted::Done(words))],
                    Done::Find(job, text) => {
                        let request = Request::Search { job, text: text.clone() };
                        vec![Cmd::Ask(request, Wanted::Found(job, text))]
                    }
                };
            }
            (Over::Form(form), Action::Accept | Action::Decline) => {
                let Some(request) = form.settle(action == Action::Accept) else { return Vec::new() };
                let words = done_words(form);
                self.over = None;
                return vec![Cmd::Ask(request, Wanted::Done(words))];
            }
            (Over::Form(form), Action::NewLine) => form.insert("\n"),
            (Over::Form(form), Action::NextField) => form.next(1),
            (Over::Form(form), Action::PreviousField) => form.next(-1),
            (Over::Sure(sure), Action::Yes) => {
                let command = sure.command.clone();
                self.over = None;
                return vec![Cmd::Ask(Request::Command(command), Wanted::Done("done".to_owned()))];
            }
            (Over::Palette(palette), Action::Choose) => {
                let goal = palette.goal();
                self.over = None;
                match goal {
                    Some(Goal::Do(action)) => return self.act(action),
                    Some(Goal::Go(id)) => {
                        // On the board: what lies above it may be about another task.
                        self.views.truncate(1);
                        self.known.choose(Pick::Task(id));
                        return self.act_on_task(Action::Open);
                    }
                    Some(Goal::Spec(id)) => {
                        self.views.truncate(1);
                        return self.open_spec(id);
                    }
                    None => {}
                }
            }
            (_, Action::Cancel | Action::No | Action::Close) => self.over = None,
            (Over::Palette(palette), action) => palette.act(action),
            (Over::Help(_), Action::Choose) => self.over = None,
            (Over::Help(help), action) => help.act(action),
            (Over::Form(_) | Over::Sure(_), _) => {}
        }
        Vec::new()
    }
}

/// What is said once a form's request has been carried out.
fn done_words(form: &Form) -> String {
    match form.purpose {
        Purpose::Answer(_) => "answered",
        Purpose::SendBack(_) => "sent back",
        Purpose::Reject(_) => "rejected",
        Purpose::Peek(..) => "the screen is visible now; your reason is recorded",
        Purpose::Retry(_) => "a fresh attempt is in the queue",
        Purpose::Launch(_) => "launched",
        Purpose::Decide(..) => "decided",
        Purpose::NewSpec(_) | Purpose::Search(_) => "",
    }
    .to_owned()
}
