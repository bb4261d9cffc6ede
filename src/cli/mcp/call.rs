//! Does what a tool is asked for, by asking the daemon as one of its clients.
//!
//! Each call has a connection of its own, so that one that waits for a person holds up no other. A daemon that is away
//! is waited for; a call that it may have carried out before it went is made again only where twice is once.

use super::memory;
use super::tools::Call;
use crate::client::{Client, ClientError, Start};
use crate::config::crew;
use crate::config::repo::RepoConfig;
use crate::core::model::event::Command;
use crate::core::model::panel::{Poll, question as trade_off};
use crate::core::model::question::{Question, QuestionCommand, QuestionState};
use crate::core::model::task::TaskState;
use crate::core::views::board::{AttemptView, Board, GateView, TaskView};
use crate::git;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::values::ids::{AttemptId, PanelId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::plural::counted;
use crate::values::words::{duration, moment};
use crate::wire::client::{Reply, Request, RunRequest, TaskRef};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// How long a daemon that is away is waited for, and one that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for meanwhile.
const AGAIN: Duration = Duration::from_millis(200);
/// How often a vote that a person is to decide is looked at.
const UNDECIDED: Duration = Duration::from_millis(500);
/// Votes among which one that was put before is looked for.
const POLLS_MAX: u32 = 200;
/// Most tasks of one list.
const LISTED_MAX: usize = 200;

/// For whom calls are made.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) paths: Paths,
    /// The attempt whose agent calls; none: a person's own agent.
    pub(super) attempt: Option<AttemptId>,
    /// The name in the ledger.
    pub(super) who: String,
    /// The main checkout of the repo that a person's own agent stands in, and the worktree of it.
    pub(super) here: Option<(PathBuf, PathBuf)>,
}

/// What came of a call: for the model to read, and the same as data.
pub(super) type Outcome = Result<(String, Value), Failed>;

/// Why a call did not work.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Failed {
    fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    fn odd() -> Self {
        Self::new("the daemon gave an answer of another kind than the question's", "this is a bug")
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}

/// Whether something may be done again that may have been done already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twice {
    IsOnce,
    IsTwice,
}

impl Desk {
    /// Does it.
    pub(super) async fn call(&self, call: Call) -> Outcome {
        match call {
            Call::ListTasks { all } => self.list(all).await,
            Call::TaskStatus { task } => self.status(task).await,
            Call::AddTask { prompt, name, after, agent } => self.add(prompt, name, after, agent).await,
            Call::AskPanel { question } => self.ask_panel(*question).await,
            Call::AskHuman { question, options } => self.ask_human(question, options).await,
            Call::ReportDone { summary } => self.report(summary).await,
            Call::NoteToMemory { note } => self.note(&note).await,
        }
    }

    /// The attempt, for what only one can do.
    fn own(&self, what: &str) -> Result<AttemptId, Failed> {
        self.attempt.ok_or_else(|| {
            Failed::new(
                format!("{what} is for an agent that nopeek runs, and this one is a person's own"),
                "turn to that person directly",
            )
        })
    }

    /// Asks the daemon one thing.
    async fn ask(&self, request: Request, twice: Twice) -> Result<Reply, Failed> {
        let began = clock::instant();
        loop {
            let mut client = self.connect(Some(began)).await?;
            let asked = tokio::time::timeout(PATIENCE, client.request(request.clone())).await;
            let Ok(asked) = asked else {
                return Err(Failed::new(
                    format!("the daemon gave no answer for {}", duration::long(PATIENCE.into())),
                    "it is not certain whether it was done: list_tasks says",
                ));
            };
            match asked {
                Err(error) if is_away(&error) => match twice {
                    Twice::IsOnce if began.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                    Twice::IsOnce => return Err(error.into()),
                    Twice::IsTwice => {
                        return Err(Failed::new(
                            "the daemon went away meanwhile: it is not certain whether it was done",
                            "check list_tasks before you try again",
                        ));
                    }
                },
                result => return Ok(result?),
            }
        }
    }

    /// A connection; waits for a daemon that is away, from `began` on for a while, or for ever.
    async fn connect(&self, began: Option<std::time::Instant>) -> Result<Client, Failed> {
        // What an agent starts dies with the agent, so that no daemon is ever started from there.
        let start = if self.attempt.is_some() { Start::Never } else { Start::IfNeeded };
        loop {
            match Client::connect_as(&self.paths, start, &self.who).await {
                Err(error) if is_away(&error) && began.is_none_or(|began| began.elapsed() < PATIENCE) => {
                    tokio::time::sleep(AGAIN).await;
                }
                result => return Ok(result?),
            }
        }
    }

    async fn board(&self) -> Result<Board, Failed> {
        match self.ask(Request::Board, Twice::IsOnce).await? {
            Reply::Board(board) => Ok(*board),
            _ => Err(Failed::odd()),
        }
    }

    /// The caller's own task.
    async fn own_task(&self, attempt: AttemptId) -> Result<TaskView, Failed> {
        let task = TaskRef { repo: None, name: attempt.task.to_string() };
        match self.ask(Request::Task(task), Twice::IsOnce).await? {
            Reply::Task(task) => Ok(*task),
            _ => Err(Failed::odd()),
        }
    }

    /// The main checkout of the caller's repo.
    async fn repo(&self) -> Result<PathBuf, Failed> {
        match (self.attempt, &self.here) {
            (Some(attempt), _) => Ok(self.own_task(attempt).await?.repo),
            (None, Some((main, _))) => Ok(main.clone()),
            (None, None) => {
                Err(Failed::new("this is no git repo", "start `nopeek mcp` in the repo that it is about"))
            }
        }
    }

    fn is_own(&self, task: &TaskView) -> bool {
        self.attempt.is_some_and(|attempt| attempt.task == task.id)
    }

    async fn list(&self, all: bool) -> Outcome {
        let repo = self.repo().await?;
        let board = self.board().await?;
        let mut tasks: Vec<&TaskView> =
            board.tasks.iter().filter(|task| task.repo == repo && (all || !task.state.is_ended())).collect();
        let left_out = tasks.len().saturating_sub(LISTED_MAX);
        // The newest are the ones that matter.
        tasks.drain(..left_out);
        let mut text: String = tasks.iter().map(|task| format!("{}\n", self.line(task))).collect();
        if tasks.is_empty() {
            "there are no tasks\n".clone_into(&mut text);
        }
        if left_out > 0 {
            text.push_str(&format!("{left_out} older ones are left out\n"));
        }
        let data: Vec<Value> = tasks.iter().map(|task| self.assignment(task)).collect();
        Ok((text, json!({ "tasks": data, "left_out": left_out })))
    }

    fn line(&self, task: &TaskView) -> String {
        let why = self.why(task);
        let own = if self.is_own(task) { " (your own)" } else { "" };
        let parts = [task.state.label(), if task.paused { "paused" } else { "" }, why.as_str()];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{} {}{own}: {}", task.id, Shown::line(&task.name), said.join(", "))
    }

    /// Why a task stands where it stands; what another agent asks is not ours to tell.
    fn why(&self, task: &TaskView) -> Shown {
        if task.state == TaskState::Asking && !self.is_own(task) {
            Shown::from("its agent waits for a person's answer")
        } else {
            task.why.clone()
        }
    }

    fn assignment(&self, task: &TaskView) -> Value {
        json!({
            "id": task.id.to_string(),
            "name": task.name,
            "state": task.state,
            "why": self.why(task),
            "paused": task.paused,
            "needs_human": task.needs_you,
            "agent": task.agent,
            "after": task.after,
            "attempt": task.attempt().map(|attempt| attempt.no),
            "attempts_max": task.attempts_max,
            "gates": task.attempt().map(|attempt| gates(&attempt.gates)).unwrap_or_default(),
            "own": self.is_own(task),
        })
    }

    async fn status(&self, name: Option<String>) -> Outcome {
        let (repo, name) = match (name, self.attempt) {
            (Some(name), _) => (self.repo().await?, name),
            (None, Some(attempt)) => (self.own_task(attempt).await?.repo, attempt.task.to_string()),
            (None, None) => return Err(Failed::new("task_status: `task` is missing", "name the task")),
        };
        let request = Request::Task(TaskRef { repo: Some(repo.clone()), name });
        let Reply::Task(task) = self.ask(request, Twice::IsOnce).await? else { return Err(Failed::odd()) };
        if task.repo != repo {
            return Err(Failed::new(
                "that task belongs to another repo",
                "list_tasks shows those of this one",
            ));
        }
        let mut text = format!("{}\n", self.line(&task));
        for attempt in &task.attempts {
            text.push_str(&format!("{}\n", attempt_line(attempt)));
        }
        for gate in &task.merge_gates {
            text.push_str(&format!("as merged: {}\n", gate_line(gate)));
        }
        let mut data = self.assignment(&task);
        data["attempts"] = task.attempts.iter().map(attempt_data).collect();
        data["merge_gates"] = gates(&task.merge_gates).into();
        data["prompt"] = json!(task.prompt);
        data["landed"] = json!(task.landed);
        Ok((text, data))
    }

    async fn add(
        &self,
        prompt: String,
        name: Option<String>,
        after: Vec<String>,
        agent: Option<String>,
    ) -> Outcome {
        let env = if self.attempt.is_none() { super::super::launch::environment() } else { Vec::new() };
        let (repo, by) = (self.repo().await?, self.attempt);
        let run = RunRequest { repo, name, prompt, agent, after, env, by, ..RunRequest::default() };
        match self.ask(Request::Run(vec![run]), Twice::IsTwice).await? {
            Reply::Launched(tasks) => {
                let task = tasks.first().ok_or_else(Failed::odd)?;
                let text =
                    format!("added as {} {}, {}", task.id, Shown::line(&task.name), task.state.label());
                Ok((text, self.assignment(task)))
            }
            _ => Err(Failed::odd()),
        }
    }

    async fn ask_panel(&self, question: trade_off::TradeOff) -> Outcome {
        let task = self.attempt.map(|attempt| TaskRef { repo: None, name: attempt.task.to_string() });
        let repo = if task.is_none() { Some(self.repo().await?) } else { None };
        // The same question of the same task is the same vote: who was cut off asks again.
        let before = Request::Panels { repo: repo.clone(), task: task.clone(), limit: POLLS_MAX };
        let Reply::Panels(lines) = self.ask(before, Twice::IsOnce).await? else { return Err(Failed::odd()) };
        let mut found = None;
        for line in lines.iter().filter(|line| line.text == question.text) {
            let poll = self.poll(line.id).await?;
            if poll.question == question {
                found = Some(poll);
                break;
            }
        }
        let mut poll = match found {
            Some(poll) => poll,
            None => match self.ask(Request::PutPanel { repo, task, question }, Twice::IsTwice).await? {
                Reply::Panel(poll) => *poll,
                _ => return Err(Failed::odd()),
            },
        };
        while poll.decided().is_none() {
            if let Some(attempt) = self.attempt
                && self
                    .own_task(attempt)
                    .await?
                    .attempt()
                    .is_none_or(|of| of.no != attempt.no || of.exit.is_some())
            {
                return Err(Failed::new(format!("attempt {attempt} is over"), "end your work"));
            }
            tokio::time::sleep(UNDECIDED).await;
            poll = self.poll(poll.id).await?;
        }
        let option = poll.decided().unwrap_or_default().to_owned();
        let text = format!("{option}\n{}: {}", poll.id, Shown::line(&poll.outcome()));
        let totals: Vec<Value> = poll.vote.totals.iter().map(|total| json!(total)).collect();
        let data = json!({
            "vote": poll.id.to_string(),
            "option": option,
            "by_human": poll.decision.is_some(),
            "margin_percent": poll.vote.margin,
            "totals": totals,
        });
        Ok((text, data))
    }

    async fn poll(&self, id: PanelId) -> Result<Poll, Failed> {
        match self.ask(Request::Panel(id), Twice::IsOnce).await? {
            Reply::Panel(poll) => Ok(*poll),
            _ => Err(Failed::odd()),
        }
    }

    async fn ask_human(&self, question: String, options: Vec<String>) -> Outcome {
        let attempt = self.own("ask_human")?;
        let text = question.trim().to_owned();
        loop {
            let mut client = self.connect(None).await?;
            let put = QuestionCommand::Put { attempt, text: text.clone(), options: options.clone() };
            let put = client.request(Request::Command(Command::Question(put))).await;
            let asked = match put {
                Ok(_) => client.request(Request::Asked { attempt, text: text.clone() }).await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(Reply::Asked(question)) => return answered(*question),
                Ok(_) => return Err(Failed::odd()),
                // The question is in the ledger, or is put there the next time.
                Err(error) if is_away(&error) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn report(&self, summary: String) -> Outcome {
        let attempt = self.own("report_done")?;
        let done = Command::Question(QuestionCommand::Done { attempt, summary });
        self.ask(Request::Command(done), Twice::IsOnce).await?;
        let text = "kept. Commit what you have not committed yet, then end your work.";
        Ok((text.to_owned(), json!({ "attempt": attempt.to_string() })))
    }

    async fn note(&self, note: &str) -> Outcome {
        let (folder, who) = match (self.attempt, &self.here) {
            (Some(attempt), _) => {
                let task = self.own_task(attempt).await?;
                let own = task.attempts.iter().find(|of| of.no == attempt.no && of.exit.is_none());
                let folder = own.and_then(|of| of.worktree.clone()).ok_or_else(|| {
                    Failed::new(format!("attempt {attempt} has no worktree any more"), "nothing was noted")
                })?;
                (folder, attempt.to_string())
            }
            (None, Some((_, worktree))) => (worktree.clone(), self.who.clone()),
            (None, None) => {
                return Err(Failed::new(
                    "this is no git repo",
                    "start `nopeek mcp` in the repo that it is about",
                ));
            }
        };
        let day = moment::day(Time(clock::Clock::start().now_ms()), &jiff::tz::TimeZone::UTC);
        let file = self.memory_file().await?;
        let line =
            memory::add(&folder, &file, &day, &who, note).map_err(|not| Failed::new(not.what, not.remedy))?;
        let text = format!("noted in {}: {line}", Shown::line(&file));
        Ok((text, json!({ "file": file, "line": line })))
    }

    /// The memory file's path as the target's `nopeek.toml` has it, which no agent's branch changes.
    async fn memory_file(&self) -> Result<String, Failed> {
        let repo = self.repo().await?;
        let known =
            self.board().await?.repos.into_iter().find(|view| view.path == repo).map(|view| view.target);
        let read = || {
            let target = match known {
                Some(target) => target,
                None => git::repo::target(&git::repo::find(&repo).ok()?, None).ok()?,
            };
            let text = git::repo::read_file(&repo, &target, "nopeek.toml").ok()??;
            RepoConfig::parse(&text, "nopeek.toml").ok()?.spec.memory
        };
        Ok(read().unwrap_or_else(|| crew::MEMORY.to_owned()))
    }
}

fn answered(question: Question) -> Outcome {
    match question.state {
        QuestionState::Answered(answer) => {
            let data = json!({ "question": format!("q{}", question.no), "answer": answer });
            Ok((answer, data))
        }
        QuestionState::Dropped | QuestionState::Open => {
            Err(Failed::new(format!("q{} was dropped: its attempt is over", question.no), "end your work"))
        }
    }
}

fn attempt_line(of: &AttemptView) -> String {
    let vitals = &of.vitals;
    let result = of.result.map_or("under way", |result| result.label());
    let size = format!(
        "{}, {}, +{} -{}",
        counted(vitals.commits, "commit"),
        counted(vitals.diffstat.files, "file"),
        vitals.diffstat.added,
        vitals.diffstat.removed
    );
    let gates: Vec<String> = of.gates.iter().map(gate_line).collect();
    let gates = if gates.is_empty() { String::new() } else { format!("; {}", gates.join(", ")) };
    format!("attempt {}: {result}, {size}{gates}", of.no)
}

fn attempt_data(of: &AttemptView) -> Value {
    json!({
        "no": of.no,
        "branch": of.branch,
        "result": of.result,
        "commits": of.vitals.commits,
        "diff": of.vitals.diffstat,
        "elapsed_ms": of.vitals.elapsed.0,
        "gates": gates(&of.gates),
    })
}

fn gates(of: &[GateView]) -> Vec<Value> {
    of.iter()
        .map(|gate| json!({ "name": gate.name, "required": gate.required, "state": gate.state }))
        .collect()
}

fn gate_line(gate: &GateView) -> String {
    format!("{} {}", Shown::line(&gate.name), gate.state.label())
}

/// Whether the daemon is gone, and may come back.
const fn is_away(error: &ClientError) -> bool {
    match error {
        ClientError::NoDaemon | ClientError::Closed | ClientError::Io { .. } => true,
        ClientError::NotOurs { .. }
        | ClientError::WrongVersion { .. }
        | ClientError::NotStarted { .. }
        | ClientError::Frame(_)
        | ClientError::Refused(_) => false,
    }
}
