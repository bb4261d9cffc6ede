//! Forms: what a person writes before something is done: an answer, a message, a reason, a task.
//!
//! Promises: a form that misses something says what, and stays open with all that was written; nothing is done by
//! halves. What it is for is its [`Purpose`]; [`Form::done`] makes the request.

use super::editor::Editor;
use super::key::Key;
use super::known::Known;
use crate::core::model::agent::QuestionKind;
use crate::core::model::attempt::Start;
use crate::core::model::event::{Answer, Command};
use crate::core::model::panel::{PanelCommand, Poll};
use crate::core::views::board::TaskView;
use crate::values::ids::{JobId, PanelId, TaskId};
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use crate::values::words::{count, duration};
use crate::wire::client::{AgentLine, Request, RunRequest, SpecRequest};
use std::path::PathBuf;

/// What a form is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Answer(TaskId),
    SendBack(TaskId),
    Reject(TaskId),
    Peek(TaskId, String),
    Retry(TaskId),
    Launch(PathBuf),
    Search(JobId),
    NewSpec(PathBuf),
    /// A vote, and the names of its options.
    Decide(PanelId, Vec<String>),
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Editor),
    Choice { of: Vec<String>, at: usize },
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) label: &'static str,
    /// Said beside it while it is empty.
    pub(super) hint: String,
    pub(super) value: Value,
}

impl Field {
    fn line(label: &'static str, hint: &str) -> Self {
        Self { label, hint: hint.to_owned(), value: Value::Text(Editor::line("")) }
    }

    fn lines(label: &'static str, hint: &str) -> Self {
        Self { label, hint: hint.to_owned(), value: Value::Text(Editor::lines()) }
    }

    fn choice(label: &'static str, of: &[&str]) -> Self {
        let of = of.iter().map(|word| (*word).to_owned()).collect();
        Self { label, hint: String::new(), value: Value::Choice { of, at: 0 } }
    }

    fn text(&self) -> &str {
        match &self.value {
            Value::Text(editor) => editor.text().trim(),
            Value::Choice { of, at } => of.get(*at).map_or("", String::as_str),
        }
    }

    fn chosen(&self) -> usize {
        match &self.value {
            Value::Text(_) => 0,
            Value::Choice { at, .. } => *at,
        }
    }
}

/// An open form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) purpose: Purpose,
    pub(super) title: String,
    /// Said above the fields.
    pub(super) intro: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// The field that has the keys.
    pub(super) at: usize,
    pub(super) wrong: Option<String>,
}

/// What a finished form stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Done {
    Ask(Request),
    /// Look for a text in a job's screen.
    Find(JobId, String),
}

impl Form {
    fn new(purpose: Purpose, title: String, intro: Vec<String>, fields: Vec<Field>) -> Self {
        Self { purpose, title, intro, fields, at: 0, wrong: None }
    }

    pub(super) fn answer(task: &TaskView) -> Self {
        let asked = task.question.as_ref();
        let title = match asked.map(|ask| ask.kind) {
            Some(QuestionKind::Permission) => format!("{} asks for permission", task.name),
            Some(QuestionKind::Auth) => format!("{} asks for a login", task.name),
            Some(QuestionKind::StartUp) => format!("{}: a dialog of {} itself", task.name, task.agent),
            Some(QuestionKind::Question) | None => format!("{} asks", task.name),
        };
        let words = asked.map(|ask| ask.text.to_string()).filter(|text| !text.is_empty());
        let intro = vec![words.unwrap_or_else(|| "the agent gave no words for it".to_owned())];
        let field = Field::lines("answer", "empty: accept what is offered");
        Self::new(Purpose::Answer(task.id), title, intro, vec![field])
    }

    pub(super) fn send_back(task: &TaskView) -> Self {
        let intro = vec!["A fresh attempt gets your words and goes on from this branch.".to_owned()];
        let field = Field::lines("change", "what should be changed");
        Self::new(Purpose::SendBack(task.id), format!("send {} back", task.name), intro, vec![field])
    }

    pub(super) fn reject(task: &TaskView) -> Self {
        let intro = vec!["The task ends unmerged. Its branch is kept until you archive the task.".to_owned()];
        let field = Field::line("reason", "for the record; may be empty");
        Self::new(Purpose::Reject(task.id), format!("reject {}", task.name), intro, vec![field])
    }

    pub(super) fn peek(task: &TaskView) -> Self {
        let intro = vec![
            "Its screen is hidden so that nobody interrupts the agent. Peeking is recorded with your reason, shows on the board and stays in the report."
                .to_owned(),
        ];
        let fields = vec![
            Field::line("task", &format!("type its name: {}", task.name)),
            Field::line("reason", "why you must see it now"),
        ];
        let purpose = Purpose::Peek(task.id, task.name.clone());
        Self::new(purpose, format!("peek at {}", task.name), intro, fields)
    }

    pub(super) fn retry(task: &TaskView) -> Self {
        let target = format!("a fresh branch from {}", "the target");
        let fields = vec![
            Field::choice("start", &[&target, "the branch of the last attempt"]),
            Field::lines("note", "for the new attempt's prompt; may be empty"),
        ];
        let intro = vec!["A new agent starts with a fresh context.".to_owned()];
        Self::new(Purpose::Retry(task.id), format!("retry {}", task.name), intro, fields)
    }

    pub(super) fn search(job: JobId) -> Self {
        let field = Field::line("text", "lower case ignores case");
        Self::new(Purpose::Search(job), "search".to_owned(), Vec::new(), vec![field])
    }

    pub(super) fn launch(repo: PathBuf) -> Self {
        let fields = vec![
            Field::lines("task", "what the agent should do"),
            Field::line("name", "made from the task if empty"),
            Field::choice("agent", &["as configured"]),
            Field::line("after", "tasks that must land first, separated by spaces"),
            Field::line("target", "the branch it lands on; as configured if empty"),
            Field::line("attempts", "automatic attempts at most; as configured if empty"),
            Field::line("time", "limit of an attempt, as 45m; as configured if empty"),
            Field::choice("screen", &["as configured", "hidden", "visible"]),
        ];
        let title = format!("launch a task in {}", Shown::line(&repo.display().to_string()));
        Self::new(Purpose::Launch(repo), title, Vec::new(), fields)
    }

    /// A goal, of which a spec is made.
    pub(super) fn new_spec(repo: PathBuf) -> Self {
        let toggle = |label| Field::choice(label, &["as configured", "no", "yes"]);
        let fields = vec![
            Field::lines("goal", "what should be true when it is done"),
            Field::line("name", "made from the goal if empty"),
            Field::line("passes", "times attacked and refined; as configured if empty"),
            toggle("approve spec"),
            toggle("approve plan"),
            toggle("approve work"),
        ];
        let intro = "An agent drafts a spec, another attacks it; then it is planned and done. What you approve in advance does not wait for you.";
        let title = format!("a new spec in {}", Shown::line(&repo.display().to_string()));
        Self::new(Purpose::NewSpec(repo), title, vec![intro.to_owned()], fields)
    }

    /// A vote that the panel leaves to a human.
    pub(super) fn decide(poll: &Poll) -> Self {
        let mut intro = vec![poll.question.text.to_string(), poll.outcome()];
        for total in &poll.vote.totals {
            let about = poll.question.options.iter().find(|option| option.name == total.option);
            let about = about.map_or("", |option| option.about.as_str());
            let points = f64::from(total.points) / 100.0;
            let voices = total.voices;
            intro.push(format!("{}: {points:.1} points, {}: {about}", total.option, counted(voices, "vote")));
        }
        let mut names: Vec<String> = poll.vote.totals.iter().map(|total| total.option.clone()).collect();
        for option in &poll.question.options {
            if !names.contains(&option.name) {
                intro.push(format!("{}: {}", option.name, option.about));
                names.push(option.name.clone());
            }
        }
        let of: Vec<&str> = std::iter::once("choose").chain(names.iter().map(String::as_str)).collect();
        let fields = vec![Field::choice("option", &of), Field::line("why", "a sentence; it is recorded")];
        let title = format!("vote {}: the panel asks you", poll.id);
        Self::new(Purpose::Decide(poll.id, names), title, intro, fields)
    }

    /// Takes in the profiles that the repo has; those that are found can be chosen.
    pub(super) fn set_agents(&mut self, agents: &[AgentLine]) {
        let Purpose::Launch(_) = self.purpose else { return };
        let names = agents.iter().filter(|agent| agent.path.is_some()).map(|agent| agent.name.clone());
        if let Value::Choice { of, .. } = &mut self.fields[2].value {
            of.truncate(1);
            of.extend(names);
        }
    }

    pub(super) fn next(&mut self, by: isize) {
        let n = self.fields.len();
        self.at = (self.at + n).saturating_add_signed(by) % n;
    }

    /// Does what a key says in the field that has the keys.
    pub(super) fn key(&mut self, key: Key) {
        use crossterm::event::KeyCode;
        self.wrong = None;
        match &mut self.fields[self.at].value {
            Value::Text(editor) => {
                editor.key(key);
            }
            Value::Choice { of, at } => match key.code() {
                KeyCode::Left | KeyCode::Up => *at = (*at + of.len() - 1) % of.len(),
                KeyCode::Right | KeyCode::Down | KeyCode::Char(' ') => *at = (*at + 1) % of.len(),
                _ => {}
            },
        }
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.wrong = None;
        if let Value::Text(editor) = &mut self.fields[self.at].value {
            editor.insert(text);
        }
    }

    /// Whether it takes "accept" and "decline".
    pub(super) const fn can_accept(&self) -> bool {
        matches!(self.purpose, Purpose::Answer(_))
    }

    /// Accepts or declines what an agent asks.
    pub(super) fn settle(&self, accept: bool) -> Option<Request> {
        let Purpose::Answer(task) = self.purpose else { return None };
        let answer = if accept { Answer::Accept } else { Answer::Decline };
        Some(Request::Command(Command::Answer { task, answer }))
    }

    /// What it stands for now, or what is missing.
    pub(super) fn done(&mut self, known: &Known, env: &[(String, String)]) -> Option<Done> {
        match self.finish(known, env) {
            Ok(done) => Some(done),
            Err((field, wrong)) => {
                self.at = field;
                self.wrong = Some(wrong);
                None
            }
        }
    }

    fn finish(&self, known: &Known, env: &[(String, String)]) -> Result<Done, (usize, String)> {
        let text = |n: usize| self.fields[n].text();
        let needed = |n: usize, what: &str| match text(n) {
            "" => Err((n, what.to_owned())),
            text => Ok(text.to_owned()),
        };
        let command = match &self.purpose {
            Purpose::Answer(task) => {
                let answer = match text(0) {
                    "" => Answer::Accept,
                    text => Answer::Text(text.to_owned()),
                };
                Command::Answer { task: *task, answer }
            }
            Purpose::SendBack(task) => {
                Command::SendBack { task: *task, message: needed(0, "say what should be changed")? }
            }
            Purpose::Reject(task) => Command::Reject { task: *task, reason: text(0).to_owned() },
            Purpose::Peek(task, name) => {
                if text(0) != name {
                    return Err((0, format!("type the task's name: {name}")));
                }
                Command::Peek { task: *task, reason: needed(1, "a reason is needed: it is recorded")? }
            }
            Purpose::Retry(task) => {
                let start = if self.fields[0].chosen() == 0 { Start::Target } else { Start::Previous };
                Command::Retry { task: *task, start, note: text(1).to_owned() }
            }
            Purpose::Search(job) => return Ok(Done::Find(*job, needed(0, "write what to search for")?)),
            Purpose::NewSpec(repo) => {
                let wish = self.wished(repo, env)?;
                return Ok(Done::Ask(Request::SpecNew(Box::new(wish))));
            }
            Purpose::Decide(id, names) => {
                let chosen = self.fields[0].chosen().checked_sub(1).and_then(|n| names.get(n));
                let option = chosen.cloned().ok_or((0, "choose an option with ← and →".to_owned()))?;
                let why = needed(1, "say in a sentence why: it is recorded")?;
                Command::Panel(PanelCommand::Settle { id: *id, option, why })
            }
            Purpose::Launch(repo) => {
                let run = self.launched(known, repo, env)?;
                return Ok(Done::Ask(Request::Run(vec![run])));
            }
        };
        Ok(Done::Ask(Request::Command(command)))
    }

    fn wished(
        &self,
        repo: &std::path::Path,
        env: &[(String, String)],
    ) -> Result<SpecRequest, (usize, String)> {
        let some = |n: usize| Some(self.fields[n].text().to_owned()).filter(|text| !text.is_empty());
        let goal = some(0).ok_or((0, "say what should be true when it is done".to_owned()))?;
        let number = |n: String| count::read::<u32>(&n).map_err(|bad| (2, bad.to_string()));
        let passes = some(2).map(number).transpose()?;
        let toggles = [3, 4, 5].map(|n| self.fields[n].chosen());
        let ahead = match toggles {
            [0, 0, 0] => None,
            _ => match toggles.iter().position(|chosen| *chosen == 0) {
                Some(n) => {
                    return Err((n + 3, "say yes or no to each, or leave all as configured".to_owned()));
                }
                None => Some(
                    ["spec", "plan", "work"]
                        .iter()
                        .zip(toggles)
                        .filter(|(_, chosen)| *chosen == 2)
                        .map(|(what, _)| (*what).to_owned())
                        .collect(),
                ),
            },
        };
        Ok(SpecRequest {
            repo: repo.to_owned(),
            name: some(1),
            goal,
            passes,
            ahead,
            env: env.to_vec(),
            ..SpecRequest::default()
        })
    }

    fn launched(
        &self,
        known: &Known,
        repo: &std::path::Path,
        env: &[(String, String)],
    ) -> Result<RunRequest, (usize, String)> {
        let text = |n: usize| self.fields[n].text();
        let some = |n: usize| Some(text(n).to_owned()).filter(|text| !text.is_empty());
        if text(0).is_empty() {
            return Err((0, "say what the agent should do".to_owned()));
        }
        let after: Vec<String> = text(3).split_whitespace().map(str::to_owned).collect();
        let is_known =
            |name: &&String| known.board.tasks.iter().any(|task| task.repo == repo && task.name == **name);
        if let Some(unknown) = after.iter().find(|name| !is_known(name)) {
            return Err((3, format!("there is no task {unknown} on the board")));
        }
        let attempts = some(5).map(|n| count::limit(&n).map_err(|bad| (5, bad.to_string()))).transpose()?;
        let time_ms = some(6)
            .map(|words| duration::limit(&words).map(|span| span.0).map_err(|bad| (6, bad.to_string())))
            .transpose()?;
        Ok(RunRequest {
            repo: repo.to_owned(),
            name: some(1),
            prompt: text(0).to_owned(),
            agent: some(2).filter(|_| self.fields[2].chosen() > 0),
            target: some(4),
            attempts,
            time_ms,
            silence_ms: None,
            budget: crate::core::model::budget::Allowance::default(),
            lid: match self.fields[7].chosen() {
                1 => Some(true),
                2 => Some(false),
                _ => None,
            },
            after,
            env: env.to_vec(),
            by: None,
        })
    }
}

/// The launch that a form makes of what is written into one of its fields, or what it says is wrong: for the test that
/// all surfaces take the same texts.
#[cfg(test)]
pub(crate) fn launch_of(label: &str, written: &str) -> Result<RunRequest, String> {
    let mut form = Form::launch(PathBuf::from("/home/ada/kettle"));
    for (label, text) in [("task", "Fill it."), (label, written)] {
        form.at = form.fields.iter().position(|field| field.label == label).unwrap();
        form.insert(text);
    }
    let known = Known::new(None, jiff::tz::TimeZone::UTC);
    match form.done(&known, &[]) {
        Some(Done::Ask(Request::Run(mut runs))) => Ok(runs.remove(0)),
        done => Err(form.wrong.unwrap_or_else(|| format!("{done:?}"))),
    }
}
