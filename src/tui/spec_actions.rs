//! What a person does to a spec, on its line of the board and on its page; and to votes of the panel.

use super::action::Action;
use super::app::{App, Cmd, Editing, View, Wanted};
use super::form::Form;
use super::over::Over;
use super::over::sure::Sure;
use super::views::spec::{self, Goes, Page};
use crate::core::model::event::Command;
use crate::core::model::spec::SpecCommand;
use crate::core::views::spec::SpecLine;
use crate::values::ids::{Oid, PanelId, SpecId, TaskId};
use crate::wire::client::Request;

impl App {
    /// The form of a new spec.
    pub(super) fn new_spec(&mut self) {
        match self.repo() {
            Some(repo) => self.over = Some(Over::Form(Form::new_spec(repo))),
            None => self.refuse("start nopeek inside a repo to make a spec there".to_owned()),
        }
    }

    /// Shows a spec.
    pub(super) fn open_spec(&mut self, id: SpecId) -> Vec<Cmd> {
        let (page, cmds) = Page::open(&self.known, id);
        self.lay(View::Spec(page));
        cmds
    }

    /// What a key for tasks does on the line of a spec.
    pub(super) fn act_on_line(&mut self, action: Action) -> Vec<Cmd> {
        let Some(line) = self.known.current_spec().cloned() else { return Vec::new() };
        let head = spec::waiting_head(&self.known, line.id);
        match action {
            Action::Open => self.open_spec(line.id),
            Action::Approve => self.act_on_spec(&line, Action::ApproveSpec, head),
            Action::SendBack => self.act_on_spec(&line, Action::SendBackSpec, head),
            Action::Review => self.act_on_spec(&line, Action::DiffSpec, head),
            Action::Stop => self.act_on_spec(&line, Action::StopSpec, head),
            Action::Resume => self.act_on_spec(&line, Action::GoOnSpec, head),
            Action::Forget => self.act_on_spec(&line, Action::ForgetSpec, head),
            Action::Answer => {
                let asks = |task: &&crate::core::views::board::TaskView| {
                    line.has(task.id) && (task.question.is_some() || self.known.vote_of(task.id).is_some())
                };
                match self.known.rows().into_iter().find(asks).cloned() {
                    Some(task) => self.act_on(&task, action),
                    None => {
                        self.say(format!("no task of {} asks anything", line.name));
                        Vec::new()
                    }
                }
            }
            _ => {
                self.say("that is done to a task: open the spec to go to one".to_owned());
                Vec::new()
            }
        }
    }

    /// What a key does on a spec's page.
    pub(super) fn act_on_page(&mut self, action: Action) -> Vec<Cmd> {
        let View::Spec(page) = self.view() else { return Vec::new() };
        let Some(line) = self.known.spec(page.id).cloned() else { return Vec::new() };
        match action {
            Action::ToTask => match page.goes(&self.known, Self::body(self.area)) {
                Some(Goes::Task(id)) => match self.known.task(id).cloned() {
                    Some(task) => return self.act_on(&task, Action::Open),
                    None => self.say("that task was archived".to_owned()),
                },
                Some(Goes::NotYet(name)) => self.say(format!("{name} was not launched yet")),
                None => self.say("there is no task on this line".to_owned()),
            },
            Action::EditSpec => return self.edit_spec(),
            _ => {
                let head = page.head().cloned();
                return self.act_on_spec(&line, action, head);
            }
        }
        Vec::new()
    }

    fn act_on_spec(&mut self, line: &SpecLine, action: Action, head: Option<Oid>) -> Vec<Cmd> {
        let waits = line.waits().and_then(|id| self.known.task(id)).cloned();
        let idle = format!("nothing of {} waits for you: its stage is {}", line.name, line.stage.label());
        match (action, waits) {
            (Action::ApproveSpec, Some(task)) => match head {
                Some(head) => {
                    let command = Command::Approve { task: task.id, head };
                    self.over = Some(Over::Sure(Sure::approve_spec(line, command)));
                }
                None => self.say("it is being read: a moment".to_owned()),
            },
            (Action::SendBackSpec, Some(task)) => self.over = Some(Over::Form(Form::send_back(&task))),
            (Action::DiffSpec, Some(task)) => return self.act_on(&task, Action::Review),
            (Action::ApproveSpec | Action::SendBackSpec | Action::DiffSpec, None) => self.say(idle),
            (Action::StopSpec, _) => self.over = Some(Over::Sure(Sure::stop_spec(line))),
            (Action::ForgetSpec, _) => self.over = Some(Over::Sure(Sure::forget_spec(line))),
            (Action::GoOnSpec, _) => {
                let request = Request::Command(Command::Spec(SpecCommand::GoOn(line.id)));
                return vec![Cmd::Ask(request, Wanted::Done(format!("{} goes on", line.name)))];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Hands the files of what waits to the person's editor.
    fn edit_spec(&mut self) -> Vec<Cmd> {
        let View::Spec(page) = self.view() else { return Vec::new() };
        let Some(view) = page.view() else {
            self.say("it is being read: a moment".to_owned());
            return Vec::new();
        };
        let name = view.line.name.clone();
        let Some((task, files)) = view.editable() else {
            self.say(format!(
                "nothing of {name} can be edited now: its stage is {}",
                view.line.stage.label()
            ));
            return Vec::new();
        };
        let work = self.known.task(task).and_then(|task| task.work());
        let place = work.and_then(|work| Some((work.worktree.clone()?, work.branch.clone())));
        let Some((place, branch)) = place else {
            self.refuse(format!("the worktree of {name} is gone: send it back instead"));
            return Vec::new();
        };
        let files = files.iter().map(|file| place.join(file)).collect();
        vec![Cmd::Edit(Editing { task, name, place, branch, files })]
    }

    /// The vote that is decided next: of the chosen task, of no task, of any.
    pub(super) fn decide(&mut self) -> Vec<Cmd> {
        let known = &self.known;
        let of_task = || known.current().and_then(|task| known.vote_of(task.id));
        let any = || known.rows().into_iter().find_map(|task| known.vote_of(task.id));
        let Some(id) = of_task().or_else(|| known.votes().next()).or_else(any).map(|vote| vote.id) else {
            self.say("no vote waits for you".to_owned());
            return Vec::new();
        };
        vote(id)
    }

    pub(super) fn decide_for(&mut self, task: TaskId) -> Vec<Cmd> {
        self.known.vote_of(task).map(|line| vote(line.id)).unwrap_or_default()
    }
}

fn vote(id: PanelId) -> Vec<Cmd> {
    vec![Cmd::Ask(Request::Panel(id), Wanted::Vote)]
}
