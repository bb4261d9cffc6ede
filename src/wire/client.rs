//! Words between the daemon and its clients.
//!
//! A client says hello, then sends requests (each answered once, by number) and says what it looks at.
//! The daemon pushes the board when it changed and frames of what is looked at; at most one frame of a
//! job is in flight to a client, until it is acknowledged.

use super::cells::Changes;
use super::input::Input;
use crate::core::model::batch::Place;
use crate::core::model::budget::Allowance;
use crate::core::model::diff::Diff;
use crate::core::model::event::{Answer, Command};
use crate::core::model::notice::Notice;
use crate::core::model::panel::Poll;
use crate::core::model::panel::question::{Panel, TradeOff};
use crate::core::views::bench::BenchView;
use crate::core::views::board::{Board, TaskView};
use crate::core::views::budget::BudgetView;
use crate::core::views::ledger::LedgerLine;
use crate::core::views::panel::PollLine;
use crate::core::views::spec::SpecView;
use crate::report::Report;
use crate::values::ids::{AttemptId, JobId, Oid, PanelId};
use crate::values::text::Shown;
use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Version of this protocol: both sides must have the same.
pub const CLIENT_PROTOCOL: u32 = 6;

/// From a client to the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToDaemon {
    Hello {
        /// Must be [`CLIENT_PROTOCOL`].
        protocol: u32,
        /// The program's version, for messages.
        version: String,
        /// Who it is for the ledger: user@terminal or the like.
        who: String,
    },
    /// Asks for something; answered by `Answer` with the same number.
    Request {
        /// Chosen by the client.
        id: u64,
        request: Request,
    },
    /// From now on push boards (or stop it).
    Subscribe(bool),
    /// A person sits in front of this client, and it can ring for notices.
    Ring {
        /// Only for tasks of this repo, and what is about no task.
        repo: Option<PathBuf>,
    },
    /// These screens are looked at from now on, and no others. Empty: none.
    Look(Vec<Look>),
    /// The last frame of this job was shown; the next may come.
    Shown(JobId),
    /// Typed into an uncovered agent, or refused.
    Input { job: JobId, input: Input },
}

/// A screen that a client looks at, and how large its place there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub job: JobId,
    /// Rows of the place; the job's PTY takes the size of the client that focused it last.
    pub rows: u16,
    /// Columns of the place.
    pub cols: u16,
    /// Whether the PTY should take this size.
    pub focus: bool,
    /// Lines scrolled back; 0 is live.
    pub scrolled: u32,
}

/// From the daemon to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromDaemon {
    /// Answers `Hello`.
    Welcome {
        version: String,
        pid: u32,
    },
    /// The protocols differ; the connection ends.
    WrongVersion {
        protocol: u32,
        version: String,
    },
    Answer {
        id: u64,
        /// What came of it.
        result: Result<Reply, Refusal>,
    },
    Board(Box<Board>),
    Frame {
        job: JobId,
        changes: Changes,
    },
    /// A screen that is looked at is covered, or has no content: nothing is sent of it until that changes.
    Covered(JobId),
    /// Something a human should know now.
    Notice {
        /// What. Sent once to each client that is subscribed.
        notice: Notice,
        /// Whether this client is the one that is to ring for it: of all that offered to, the one with the last word
        /// from its person.
        ring: bool,
    },
}

/// Which task is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRef {
    /// The main checkout of the repo the person stands in; none: any repo, if the name is unique.
    pub repo: Option<PathBuf>,
    /// The task's name, or its number as `t12`.
    pub name: String,
}

/// What a client can ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Create tasks; config is read and agents are looked for by the daemon's edges. All or none.
    Run(Vec<RunRequest>),
    /// A command on a task by number.
    Command(Command),
    /// A command on a task by name.
    Act {
        task: TaskRef,
        act: Act,
    },
    /// The board as it is.
    Board,
    /// A task as it is.
    Task(TaskRef),
    /// Ledger lines after `after`, at most `limit` (bounded by the daemon at 10,000), newest last.
    Ledger {
        /// Only of this task.
        task: Option<TaskRef>,
        /// Only lines with a larger number.
        after: u64,
        /// The engine's own events too: effects, jobs, totals.
        all: bool,
        /// At most so many, counted from the newest.
        limit: u32,
    },
    /// What came of tasks in a stretch of time.
    Report(ReportQuery),
    /// The same, sent to where the user's config says.
    SendReport(ReportQuery),
    /// The diff of an attempt (none: the newest) against its merge base with the target.
    Diff {
        task: TaskRef,
        attempt: Option<u32>,
    },
    /// What a job's screen and history say, as text lines; refused while it is covered.
    Log {
        job: JobId,
        /// At most so many last lines (bounded by the daemon at 100,000).
        lines: u32,
    },
    /// Whether lines of a job's history contain a text; refused while it is covered.
    Search {
        job: JobId,
        /// Plain text, case-insensitive if all lower case.
        text: String,
    },
    /// The agent profiles that a repo has, found or not.
    Agents {
        /// The repo's checkout, if any.
        repo: Option<PathBuf>,
    },
    /// The answer to a question that an attempt has put with [`crate::core::model::question::QuestionCommand::Put`]; answered once the
    /// question is, or is dropped.
    Asked {
        attempt: AttemptId,
        text: String,
    },
    /// From a goal to a spec, and on; config is read by the daemon's edges.
    SpecNew(Box<SpecRequest>),
    /// Something of a repo's schedule or queue; config is read by the daemon's edges.
    Schedule(Box<ScheduleRequest>),
    /// What lies in the queue of this folder's repo.
    Queue(PathBuf),
    /// A spec, by name or number as `s3`, whole.
    Spec(TaskRef),
    /// All budgets, and what was used.
    Budget,
    /// The same spec by several agents; config is read by the daemon's edges.
    BenchNew(Box<BenchRequest>),
    /// A bench, by name or number as `b3`, whole.
    Bench(TaskRef),
    /// The daemon's own state.
    Status,
    /// End the daemon; agents go on.
    Shutdown,
    /// Let the panel of a task's repo, else of `repo`, vote; answered by `Panel` once it is in the ledger.
    PutPanel {
        /// A folder in the repo; not needed with a task.
        repo: Option<PathBuf>,
        /// The task that it is about; its merge commit cites what was decided.
        task: Option<TaskRef>,
        question: TradeOff,
    },
    /// Votes at hand, newest first, at most `limit` (bounded by the daemon at 200).
    Panels {
        /// Only of this repo (its main checkout).
        repo: Option<PathBuf>,
        /// Only of this task.
        task: Option<TaskRef>,
        /// At most so many.
        limit: u32,
    },
    Panel(PanelId),
    /// Who votes in the repo of this folder.
    Personas(PathBuf),
}

/// What a report is to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportQuery {
    /// These tasks alone; empty: all.
    pub tasks: Vec<TaskRef>,
    /// Tasks of this repo alone.
    pub repo: Option<PathBuf>,
    pub since: Option<Time>,
    /// Before this; none: until now.
    pub until: Option<Time>,
}

/// What came of sending a report to one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where to: the command's program, the webhook's host, the mailboxes.
    pub to: String,
    /// Why it did not get there, and what to do; none: it did.
    pub failed: Option<(String, String)>,
}

/// A task to create, as a person asked for it; what is none comes from config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// A folder in the repo.
    pub repo: PathBuf,
    pub name: Option<String>,
    /// What the agent is asked to do.
    pub prompt: String,
    pub agent: Option<String>,
    pub target: Option<String>,
    /// Attempts without a human.
    pub attempts: Option<u32>,
    /// Time limit of an attempt, in milliseconds.
    pub time_ms: Option<u64>,
    /// Silence limit, in milliseconds.
    pub silence_ms: Option<u64>,
    /// What the task may use.
    pub budget: Allowance,
    /// Whether the lid is on.
    pub lid: Option<bool>,
    /// Names of tasks that must land first.
    pub after: Vec<String>,
    /// The client's environment that agents need: `PATH`, `HOME`, locale, keys. Never stored in the ledger.
    pub env: Vec<(String, String)>,
    /// The attempt whose agent asks for it: it gets that task's environment, and the repo's own target, limits and lid.
    pub by: Option<AttemptId>,
}

/// A spec to be made, as a person asked for it; what is none comes from config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecRequest {
    /// A folder in the repo.
    pub repo: PathBuf,
    pub name: Option<String>,
    pub goal: String,
    pub target: Option<String>,
    pub draft: Option<String>,
    /// Who attacks it; `none`: nobody.
    pub review: Option<String>,
    pub plan: Option<String>,
    /// Who does its tasks.
    pub work: Option<String>,
    /// Who verifies them; `none`: nobody.
    pub verify: Option<String>,
    /// How often it is attacked.
    pub passes: Option<u32>,
    /// How often findings send work back.
    pub rounds: Option<u32>,
    /// What is approved in advance: `spec`, `plan`, `work`; none: as config says.
    pub ahead: Option<Vec<String>>,
    /// The client's environment that agents need. Never stored in the ledger.
    pub env: Vec<(String, String)>,
}

/// A bench to be made, as a person asked for it; what is none comes from config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchRequest {
    /// A folder in the repo.
    pub repo: PathBuf,
    /// Wished name; none: made from the spec's title or file.
    pub name: Option<String>,
    /// The spec's file, from the repo's root if it lies in it; for messages and prompts.
    pub file: String,
    /// The spec: with a contract in its front matter, or a plain prompt.
    pub text: String,
    pub target: Option<String>,
    pub agents: Vec<String>,
    /// How often each does it.
    pub runs: u32,
    /// Who verifies; `none`: nobody.
    pub verify: Option<String>,
    /// A command that must succeed, beside the repo's gates.
    pub check: Option<String>,
    /// Attempts of a run; none: one.
    pub attempts: Option<u32>,
    /// Time limit of an attempt, in milliseconds.
    pub time_ms: Option<u64>,
    /// Silence limit, in milliseconds.
    pub silence_ms: Option<u64>,
    /// The client's environment that agents need. Never stored in the ledger.
    pub env: Vec<(String, String)>,
}

/// Something of a repo's schedule or queue, which takes its config and who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRequest {
    /// A folder in the repo.
    pub repo: PathBuf,
    pub act: ScheduleAct,
    /// The client's environment that agents need. Never stored in the ledger.
    pub env: Vec<(String, String)>,
}

/// What is wanted of a schedule or a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScheduleAct {
    /// Batches by themselves from now on.
    On,
    Run,
    /// Build what waits in the queue now.
    Queue,
    /// The same whenever something is dropped.
    Watch,
}

/// A file of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLine {
    pub place: Place,
    /// Its folder, from the repo's root.
    pub folder: String,
    pub file: String,
    /// Why it failed; may be empty.
    pub why: Shown,
}

/// What to do to a task; as [`Command`], without its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Pause,
    Resume,
    Stop,
    Retry {
        /// Go on from the previous attempt's branch instead of the target.
        keep: bool,
        note: String,
    },
    Answer(Answer),
    /// Approve what is there now, or exactly this head.
    Approve {
        head: Option<Oid>,
    },
    /// Send back with a message.
    SendBack(String),
    /// Reject, with a reason.
    Reject(String),
    /// Read and gate the reviewed branch again.
    Regate,
    /// Land again after a refusal.
    Land,
    /// Revert a landed task.
    Rollback,
    Peek(String),
    Cover,
    /// Change its place in the start queue.
    Reorder(usize),
    /// Take off the board.
    Forget,
    /// Allow it to use more.
    RaiseBudget(Allowance),
}

/// A good answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done, and in the ledger.
    Done,
    /// The tasks that were created, in the order asked for.
    Launched(Vec<TaskView>),
    Board(Box<Board>),
    Task(Box<TaskView>),
    /// Ledger lines, oldest first.
    Ledger(Vec<LedgerLine>),
    Spec(Box<SpecView>),
    /// What lies in a queue.
    Queue(Vec<QueueLine>),
    /// A report; older tasks left out if it would be too long.
    Report(Box<Report>),
    /// Where a report was sent.
    Sent(Vec<Delivery>),
    Bench(Box<BenchView>),
    Diff(Box<Diff>),
    /// Lines of a screen and its history, oldest first.
    Log(Vec<String>),
    /// Places of a text, newest first: how far to scroll back so that the line is the top one; 0 for a line of the live
    /// screen itself. At most 1,000.
    Found(Vec<u32>),
    Agents(Vec<AgentLine>),
    Budget(BudgetView),
    Status(DaemonStatus),
    Panel(Box<Poll>),
    Panels(Vec<PollLine>),
    Personas(Box<Panel>),
    /// A question that is open no more.
    Asked(Box<crate::core::model::question::Question>),
}

/// Why a request was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// Decides the exit code.
    pub kind: RefusalKind,
    /// What failed, on what.
    pub what: String,
    /// What to do; may be empty.
    pub remedy: String,
}

/// Kinds of refusals, with the exit codes of the CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalKind {
    /// No such task, repo, agent: exit code 3.
    NotFound,
    /// The state does not allow it: exit code 4.
    NotNow,
    /// Config or input is wrong: exit code 5.
    BadInput,
    /// The lid is on: exit code 6.
    Covered,
    /// The world refused (git, disk, process): exit code 7.
    Failed,
}

/// An agent profile as `nopeek agents` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLine {
    pub name: String,
    /// The program it starts.
    pub program: String,
    /// Where that is on `PATH`; none if it isn't.
    pub path: Option<PathBuf>,
    /// What the program says its version is.
    pub version: Option<Shown>,
    /// `built in`, `user config` or `nopeek.toml`.
    pub origin: String,
}

/// The daemon's own state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonStatus {
    pub pid: u32,
    pub version: String,
    pub started: Time,
    /// Connected clients, this one included.
    pub clients: u32,
    pub jobs: u32,
    /// Facts in the ledger.
    pub facts: u64,
    /// Where its data are.
    pub data: PathBuf,
}
