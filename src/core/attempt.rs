//! An attempt: one try at a task by one fresh-context agent on one branch in one worktree.
//!
//! Owns what a launch fixes for all attempts of a task (agent, limits, lid) and what an agent's
//! signals mean. The life cycle of an attempt is ruled here too.

use super::bench;
use super::brief::{self, Part};
use super::fact::{Ending, Fact, Role};
use super::gate::{self, GateRun, TestCounts};
use super::ids::{AttemptId, JobId, TaskName};
use super::jobs::Job;
use super::notice::NoticeKind;
use super::state::Stage;
use super::text::Shown;
use super::time::Span;
use super::turn::Turn;
use super::view::AttemptResult;
use serde::{Deserialize, Serialize};

/// What the rules need to know of an agent profile; the rest is the edges' business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentTraits {
    /// The profile's name, as in config.
    pub profile: String,
    /// Runs until it is ended (a TUI) or exits by itself when it is done (headless).
    pub mode: AgentMode,
    /// An interactive agent whose signals can't tell "done" counts as done after this much silence.
    pub idle_done: Option<Span>,
    /// Its CLI can continue an earlier session.
    pub resumable: bool,
    /// An interactive agent that always tells its state, and has told none after this much silence, stands at a
    /// dialog of its own program: trust, a login, a new version.
    #[serde(default)]
    pub speaks: Option<Span>,
}

/// How an agent's process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentMode {
    /// Exits by itself when it is done.
    Headless,
    /// Stays; nopeek ends it once it reports that it is done.
    Interactive,
}

/// The limits of a task, per attempt but for `attempts`. Paused time never counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How many attempts may be started without a human.
    pub attempts: u32,
    /// Longest run of the agent of one attempt.
    pub time: Option<Span>,
    /// Longest silence of the agent while it is not asking.
    pub silence: Option<Span>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attempts: 3, time: Some(Span::mins(60)), silence: Some(Span::mins(15)) }
    }
}

/// From where an attempt's branch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The tip of the target branch.
    Target,
    /// The head that the previous attempt of the task left.
    Previous,
}

/// How sure a signal is; the first kind that an agent gives is believed over all later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A structured side channel of the agent's CLI (its JSON stream, its HTTP port).
    SideChannel,
    /// The Program Status Protocol, OSC 7501.
    StatusProtocol,
    /// A hook or notify program called by the CLI.
    Hook,
    /// The window title.
    Title,
    /// A notification: OSC 9, 777, 99 or the bell.
    Notification,
    /// The end of the process.
    Exit,
    /// Nothing else is known: how long it has been silent.
    Idle,
}

impl Source {
    /// The word on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SideChannel => "side channel",
            Self::StatusProtocol => "status protocol",
            Self::Hook => "hook",
            Self::Title => "title",
            Self::Notification => "notification",
            Self::Exit => "exit",
            Self::Idle => "idle rule",
        }
    }
}

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Waits for a prompt.
    Idle,
    /// Works.
    Working,
    /// Waits for a human.
    Asking(Ask),
    /// Says that its work is done.
    Done,
    /// Says that it failed; the text is its own word for it.
    Failed(Shown),
}

impl AgentState {
    /// The state in a word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "works",
            Self::Asking(_) => "asks",
            Self::Done => "says it is done",
            Self::Failed(_) => "says it failed",
        }
    }
}

/// A question of an agent: the one piece of its output that the lid lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What is wanted.
    pub kind: AskKind,
    /// The question's text as the agent gave it; empty if it gave none.
    pub text: Shown,
}

/// What an agent wants of a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// Something about the task.
    Question,
    /// Leave to do something.
    Permission,
    /// A login.
    Auth,
    /// A dialog of the CLI itself, not of the task: trust this folder, a new version, a model upgrade.
    StartUp,
}

/// What an agent's terminal said out of band, before a dialect has given it a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A Program Status Protocol record (OSC 7501).
    Status {
        /// `app=`, as given; empty if none.
        app: String,
        /// What it says; none for `clear`.
        state: Option<AgentState>,
    },
    /// A new window title, escape sequences excluded, otherwise as given.
    Title(String),
    /// A desktop notification (OSC 9, 777, 99).
    Notification(Shown),
    /// A progress report (OSC 9;4): busy or not.
    Progress(bool),
    /// What the program has used so far, by its own word (OSC 7501).
    Usage(Usage),
    /// The bell.
    Bell,
}

/// An observation of a supervised agent, as a pure translator or a job's edge made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The agent's state changed.
    State {
        /// Where this is known from.
        source: Source,
        /// What it said.
        state: AgentState,
    },
    /// It rang the bell.
    Bell,
    /// Its id of the session, for a later resume.
    Session(String),
    /// What it has used so far in this attempt: totals, not differences.
    Usage(Usage),
}

/// Tokens and money used by an attempt so far. None is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by the model, cached ones included.
    pub tokens_in: Option<u64>,
    /// Tokens written by the model.
    pub tokens_out: Option<u64>,
    /// Cost in millionths of a US dollar.
    pub cost_microusd: Option<u64>,
    /// Of the tokens read, those that came from a cache.
    #[serde(default)]
    pub tokens_cached: Option<u64>,
    /// The cost is not the agent's own word: its tokens by the price list.
    #[serde(default)]
    pub by_prices: bool,
}

impl Usage {
    /// Tokens read and written; none if neither is known.
    #[must_use]
    pub const fn tokens(&self) -> Option<u64> {
        match (self.tokens_in, self.tokens_out) {
            (None, None) => None,
            (Some(n), None) | (None, Some(n)) => Some(n),
            (Some(read), Some(written)) => Some(read.saturating_add(written)),
        }
    }

    /// These totals and newer ones: what is not told again stays, nothing shrinks (a stream that is read again begins
    /// at its start), and the agent's own word on its cost goes before the price list.
    #[must_use]
    pub fn and_then(self, newer: Self) -> Self {
        let most = |a: Option<u64>, b: Option<u64>| a.max(b);
        let (cost_microusd, by_prices) = match (self.cost_microusd, newer.cost_microusd) {
            (had, None) => (had, self.by_prices),
            (Some(had), Some(_)) if newer.by_prices && !self.by_prices => (Some(had), false),
            (Some(_), told) if self.by_prices && !newer.by_prices => (told, false),
            (had, told) => (most(had, told), newer.by_prices),
        };
        Self {
            tokens_in: most(self.tokens_in, newer.tokens_in),
            tokens_out: most(self.tokens_out, newer.tokens_out),
            tokens_cached: most(self.tokens_cached, newer.tokens_cached),
            cost_microusd,
            by_prices,
        }
    }
}

/// How a supervised process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Its keeper is gone and left no exit status: a reboot, a power cut, a kill -9 of the keeper.
    Unknown,
}

impl Exit {
    /// Whether it exited with code 0.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

/// The branch of an attempt: `nopeek/<task>/<attempt>`.
#[must_use]
pub fn branch_name(task: &TaskName, attempt: AttemptId) -> String {
    format!("nopeek/{task}/{}", attempt.no)
}

/// What an attempt's agent is asked: the task, and what the attempt before it left.
#[must_use]
pub fn prompt(task: &str, note: &str) -> String {
    if note.is_empty() {
        task.to_owned()
    } else {
        format!("{task}\n\n## From the previous attempt\n\n{note}")
    }
}

/// A job's process has ended.
pub(in crate::core) fn exited(
    turn: &mut Turn<'_>,
    id: JobId,
    exit: Exit,
    tail: String,
    tests: Option<TestCounts>,
) {
    let Some(job) = turn.state.jobs.get(id).filter(|job| job.is_live()).cloned() else { return };
    let took = job.watch.elapsed(turn.now);
    let task = job.attempt.task;
    turn.quiet.remove(&id);
    turn.fact(Fact::JobEnded { job: id, task, exit });
    if !is_current(turn, job.attempt) {
        return;
    }
    match job.role {
        Role::Agent => {
            if exit == Exit::Unknown && job.ending.is_none() {
                turn.fact(Fact::AttemptOver { attempt: job.attempt, result: AttemptResult::Interrupted });
                turn.fact(Fact::Interrupted { task });
                turn.notice(task, NoticeKind::NeedsYou, "its agent died with its keeper: resume or retry");
            }
        }
        Role::Setup { merged, .. } => {
            if !exit.is_ok() && !may_run_again(turn, &job, exit) {
                setup_failed(turn, job.attempt, merged, &Shown::line(tail.lines().last().unwrap_or("")));
            }
        }
        Role::Gate { merged, gate } => {
            if !is_run_of(turn, &job, merged, gate) || may_run_again(turn, &job, exit) {
                return;
            }
            let verdict = gate::judge(exit, job.ending);
            let tail = if verdict.is_green() { String::new() } else { last_bytes(tail, GateRun::TAIL_MAX) };
            let took = Some(took);
            let attempt = job.attempt;
            turn.fact(Fact::GateJudged { attempt, merged, gate, verdict, tests, took, tail });
        }
    }
}

/// A job could not be started.
pub(in crate::core) fn not_started(turn: &mut Turn<'_>, id: JobId, error: &Shown) {
    let Some(job) = turn.state.jobs.get(id).filter(|job| job.is_live()).cloned() else { return };
    turn.quiet.remove(&id);
    turn.fact(Fact::JobEnded { job: id, task: job.attempt.task, exit: Exit::Unknown });
    if !is_current(turn, job.attempt) {
        return;
    }
    match job.role {
        Role::Agent => give_up(turn, job.attempt, AttemptResult::Failed, error.clone()),
        Role::Setup { merged, .. } => setup_failed(turn, job.attempt, merged, error),
        Role::Gate { merged, gate } => turn.fact(Fact::GateJudged {
            attempt: job.attempt,
            merged,
            gate,
            verdict: gate::Verdict::Errored,
            tests: None,
            took: None,
            tail: error.as_str().to_owned(),
        }),
    }
}

/// How often a gate or hook whose end was lost (a reboot, a killed keeper) is run again before that counts.
const LOST_MAX: usize = 3;

/// A job whose end is unknown says nothing about the work: it is run again, but not for ever.
fn may_run_again(turn: &Turn<'_>, job: &Job, exit: Exit) -> bool {
    let lost = |other: &&Job| {
        other.attempt == job.attempt && other.role == job.role && other.exit == Some(Exit::Unknown)
    };
    exit == Exit::Unknown
        && job.ending.is_none()
        && turn.state.jobs.of(job.attempt.task).filter(lost).count() < LOST_MAX
}

/// Whether this job is the run that its gate waits for, and not one of a candidate that was given up.
fn is_run_of(turn: &Turn<'_>, job: &Job, merged: bool, gate: usize) -> bool {
    let task = turn.state.tasks.get(&job.attempt.task);
    let gates = if merged {
        task.and_then(|t| t.merge.as_ref()).map(|merge| &merge.gates)
    } else {
        task.and_then(|t| t.open()).map(|a| &a.gates)
    };
    gates.and_then(|gates| gates.get(gate)).is_some_and(|run| run.job == Some(job.id))
}

/// Whether what happens to this attempt's jobs still matters to its task.
fn is_current(turn: &Turn<'_>, attempt: AttemptId) -> bool {
    turn.state.tasks.get(&attempt.task).is_some_and(|task| {
        let current = if task.stage == Stage::Trying { task.open() } else { task.work() };
        current.is_some_and(|a| a.id == attempt)
            && matches!(task.stage, Stage::Trying | Stage::Merging(_) | Stage::RollingBack)
    })
}

fn setup_failed(turn: &mut Turn<'_>, attempt: AttemptId, merged: bool, last: &Shown) {
    let why = Shown::line(&format!("a set-up hook failed: {last}"));
    if merged {
        super::task::drop_candidate(turn, attempt.task);
        turn.fact(Fact::MergeLeft { task: attempt.task });
        turn.notice(attempt.task, NoticeKind::NeedsYou, why.as_str());
        turn.fact(Fact::Stuck { task: attempt.task, why });
    } else {
        give_up(turn, attempt, AttemptResult::Failed, why);
    }
}

/// The attempt is over and only a human can say what next.
pub(in crate::core) fn give_up(turn: &mut Turn<'_>, id: AttemptId, result: AttemptResult, why: Shown) {
    let open = |task: &super::state::Task| task.open().is_some_and(|a| a.id == id);
    if turn.state.tasks.get(&id.task).is_some_and(|task| task.stage == Stage::Trying && open(task)) {
        turn.fact(Fact::AttemptOver { attempt: id, result });
        turn.notice(id.task, NoticeKind::NeedsYou, why.as_str());
        turn.fact(Fact::Stuck { task: id.task, why });
    }
}

/// The attempt is over; a fresh one follows unless the limit is reached.
pub(in crate::core) fn next(turn: &mut Turn<'_>, id: AttemptId, result: AttemptResult, note: &str) {
    turn.fact(Fact::AttemptOver { attempt: id, result });
    let Some(task) = turn.state.tasks.get(&id.task) else { return };
    let part = task.attempts.iter().find(|a| a.id == id).map(|a| a.part).unwrap_or_default();
    let used = brief::tries(task, part);
    let has_work = task.work().and_then(|a| a.read.as_ref()).is_some_and(|read| read.commits > 0);
    let granted = if part == Part::Work { task.granted } else { 0 };
    if used < brief::tries_max(task, part).saturating_add(granted) {
        let start = if has_work { Start::Previous } else { Start::Target };
        turn.fact(Fact::Requeued { task: id.task, start, note: note.to_owned(), granted: false, part });
    } else {
        let what = if part == Part::Work { "attempt" } else { "look at its work" };
        let tries = if used == 1 { format!("its {what} is") } else { format!("all {used} {what}s are") };
        let why = Shown::line(&format!("{tries} used up, the last one: {}", result.label()));
        if !bench::speaks_for(turn.state, id.task) {
            turn.notice(id.task, NoticeKind::NeedsYou, why.as_str());
        }
        turn.fact(Fact::Stuck { task: id.task, why });
    }
}

/// The agent has ended and its branch was read: are there gates to run, or is the attempt over already?
pub(in crate::core) fn over_before_gates(
    exit: Exit,
    ending: Option<Ending>,
    said_failed: bool,
    commits: u32,
) -> Option<(AttemptResult, &'static str)> {
    match (ending, exit) {
        (Some(Ending::Time), _) => Some((
            AttemptResult::TimedOut,
            "The previous attempt ran into its time limit. What it committed is on your branch. Take the shortest way to the goal.",
        )),
        (Some(Ending::Silence), _) => Some((
            AttemptResult::TimedOut,
            "The previous attempt fell silent and was ended. What it committed is on your branch. Avoid commands that wait or never return.",
        )),
        (Some(Ending::Budget), _) => Some((
            AttemptResult::OverBudget,
            "The previous attempt used up its budget and was ended. What it committed is on your branch. Take the cheapest way to the goal.",
        )),
        (Some(Ending::Failed), _) => {
            Some((AttemptResult::Failed, "The previous attempt failed before it was done."))
        }
        (None, exit) if !exit.is_ok() || said_failed => {
            Some((AttemptResult::Failed, "The previous attempt failed before it was done."))
        }
        _ if commits == 0 => Some((
            AttemptResult::NoWork,
            "The previous attempt ended without a change. Do the work, and commit it on the current branch.",
        )),
        _ => None,
    }
}

/// The end of a text, at most `max` bytes, cut between characters.
fn last_bytes(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let from = (text.len() - max..).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[from..].to_owned()
}
