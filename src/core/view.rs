//! The read model: what clients, JSON output and scripts see. Never content of a covered screen.
//!
//! Built from the state and from vitals (which the daemon measures and which are not facts) whenever
//! somebody asks. Field names are the JSON names and are kept stable.

use super::attempt::{self, AgentMode, Ask, Exit, Source, Usage};
use super::bench::view::{self as bench_view, BenchLine};
use super::brief::{self, Part};
use super::effect::Work;
use super::event::DiffStat;
use super::fact::Role;
use super::finding::Findings;
use super::gate::{GateRun, GateState, TestCounts, Verdict};
use super::ids::{JobId, Oid, TaskId};
use super::lid::{self, Lid};
use super::panel::PollLine;
use super::spec_view::{self, SpecLine};
use super::stack;
use super::state::{Attempt, Stage, State, Task};
use super::text::Shown;
use super::time::{Span, Time};
use super::{budget, panel, question, queue};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// All that a board shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The moment it was made.
    pub now: Time,
    /// Repos that have tasks.
    pub repos: Vec<RepoView>,
    /// All tasks that were not forgotten, oldest first.
    pub tasks: Vec<TaskView>,
    /// Specs, oldest first.
    #[serde(default)]
    pub specs: Vec<SpecLine>,
    /// Benches, oldest first.
    #[serde(default)]
    pub benches: Vec<BenchLine>,
    /// Votes that wait for a human, oldest first.
    #[serde(default)]
    pub votes: Vec<PollLine>,
    /// Schedules and their batches, by repo.
    #[serde(default)]
    pub batches: Vec<super::batch::view::BatchLine>,
    /// What is wrong with the ledger; none: nothing that is known.
    #[serde(default)]
    pub trouble: Option<Trouble>,
}

/// What is wrong with the ledger, found by the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Nothing can be decided until it is dealt with: commands are refused.
    pub read_only: bool,
    /// What was found, in one line.
    pub what: Shown,
    /// What to do, with what to type; may have several lines.
    pub remedy: String,
}

/// A repo on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoView {
    /// Its main checkout.
    pub path: PathBuf,
    /// The branch that work lands on.
    pub target: String,
    /// At most this many agents at once.
    pub parallel: u32,
    /// Tasks in the start queue, next first.
    pub waiting: Vec<TaskId>,
    /// Tasks in the merge queue, the one being merged first.
    pub merging: Vec<TaskId>,
}

/// A task on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// Its repo's main checkout.
    pub repo: PathBuf,
    /// Where it stands.
    pub state: TaskState,
    /// Why it stands there, in a sentence, where that is not plain; also the answer of "explain".
    pub why: Shown,
    /// Frozen by a human; every clock of it stands still.
    pub paused: bool,
    /// A human must act: answer, review, decide.
    pub needs_you: bool,
    /// The question that its agent asks.
    pub question: Option<Ask>,
    /// What the agent was asked to do.
    pub prompt: String,
    /// The agent profile.
    pub agent: String,
    /// Tasks that must land first and have not.
    pub after: Vec<String>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The gates of its merge candidate, while it is in the merge queue or after.
    pub merge_gates: Vec<GateView>,
    /// How many attempts it may start by itself.
    pub attempts_max: u32,
    /// The commit that landed it.
    pub landed: Option<Oid>,
    /// When it was launched.
    pub created: Time,
    /// When it last changed its state.
    pub changed: Time,
    /// What all of its attempts have used.
    pub spent: budget::Spent,
    /// The largest share that is used of its own budgets, in percent; none without one.
    pub budget_percent: Option<u32>,
}

impl TaskView {
    /// The newest attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptView> {
        self.attempts.last()
    }

    /// Attempts whose work might be merged: what [`TaskView::attempts_max`] limits.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.part == Part::Work).count()
    }

    /// The newest attempt whose work is what may be merged.
    #[must_use]
    pub fn work(&self) -> Option<&AttemptView> {
        self.attempts.iter().rev().find(|attempt| attempt.part == Part::Work)
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// In the start queue.
    Queued,
    /// Its worktree is made and set-up hooks run.
    Preparing,
    /// Its agent works.
    Working,
    /// Its agent asks.
    Asking,
    /// Its gates run.
    Gating,
    /// Waits for a human to read the diff.
    Review,
    /// Approved: in the merge queue, merged, gated as merged.
    Merging,
    /// Waits for a human to decide: attempts used up, landing refused, nothing was done.
    Stuck,
    /// Its agent died with the machine; resume or retry.
    Interrupted,
    /// On the target.
    Landed,
    /// The revert of a landed task is being made and gated.
    RollingBack,
    /// Landed and reverted.
    RolledBack,
    /// Ended by a human before it was done.
    Stopped,
    /// Ended by a review.
    Rejected,
}

impl TaskState {
    /// The word on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Preparing => "preparing",
            Self::Working => "working",
            Self::Asking => "asking",
            Self::Gating => "gating",
            Self::Review => "review",
            Self::Merging => "merging",
            Self::Stuck => "stuck",
            Self::Interrupted => "interrupted",
            Self::Landed => "landed",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            Self::Stopped => "stopped",
            Self::Rejected => "rejected",
        }
    }

    /// Whether nothing more will happen to the task by itself or by its agent.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Landed | Self::RolledBack | Self::Stopped | Self::Rejected)
    }
}

/// An attempt on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Which try, from 1.
    pub no: u32,
    /// What it is to its task.
    #[serde(default)]
    pub part: Part,
    /// Who does it: the agent profile.
    #[serde(default)]
    pub agent: String,
    /// What it found, if it is another pair of eyes.
    #[serde(default)]
    pub findings: Option<Findings>,
    /// Its branch.
    pub branch: String,
    /// Its worktree; none before it stands and after it was archived.
    pub worktree: Option<PathBuf>,
    /// The agent's job; none before it starts.
    pub job: Option<JobId>,
    /// How its agent runs.
    pub mode: AgentMode,
    /// Its lid.
    pub lid: Lid,
    /// Whether somebody broke the lid while it ran.
    pub peeked: bool,
    /// How the agent ended; none while it runs.
    pub exit: Option<Exit>,
    /// How the attempt came out, once it has ended.
    pub result: Option<AttemptResult>,
    /// Where its state is known from.
    pub source: Option<Source>,
    /// Its gates; empty means ungated, never passed.
    pub gates: Vec<GateView>,
    /// Set-up hooks' jobs, in order.
    pub setup_jobs: Vec<JobId>,
    /// What its branch holds, once its agent has ended.
    pub head: Option<Oid>,
    /// What may be seen with the lid on.
    pub vitals: Vitals,
}

/// How an attempt came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// All required gates are green (or there are none): ready for review.
    Green,
    /// A required gate is red.
    Red,
    /// The agent ended without a commit.
    NoWork,
    /// The agent or its set-up failed.
    Failed,
    /// It ran into its time or silence limit.
    TimedOut,
    /// Review sent it back.
    SentBack,
    /// It did not merge, or was red as merged.
    MergeFailed,
    /// A human stopped it.
    Stopped,
    /// It died with the machine.
    Interrupted,
    /// Another pair of eyes has said what it found.
    Reviewed,
    /// Its budget was used up.
    OverBudget,
}

impl AttemptResult {
    /// The words on the board.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::NoWork => "no work",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::SentBack => "sent back",
            Self::MergeFailed => "merge failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Reviewed => "reviewed",
            Self::OverBudget => "over budget",
        }
    }
}

/// A gate on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// Its name.
    pub name: String,
    /// Its command.
    pub command: String,
    /// Whether red stops the attempt.
    pub required: bool,
    /// How far it is.
    pub state: GateState,
    /// Its job, whose output may be read.
    pub job: Option<JobId>,
    /// Tests counted.
    pub tests: Option<TestCounts>,
    /// How long it took.
    pub took: Option<Span>,
}

impl GateView {
    /// Its verdict, once it has one.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.state {
            GateState::Judged(verdict) => Some(verdict),
            GateState::Waiting | GateState::Running => None,
        }
    }
}

/// What may be seen of an attempt with the lid on: numbers and times, never content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// How long the agent has run, pauses not counted.
    pub elapsed: Span,
    /// When it last gave output.
    pub last_output: Option<Time>,
    /// Output in bytes a second, over the last seconds.
    pub rate: u64,
    /// All its output so far, in bytes.
    pub output: u64,
    /// Commits on its branch.
    pub commits: u32,
    /// Size of its diff, uncommitted work included.
    pub diffstat: DiffStat,
    /// Tokens and cost, as far as they are known.
    pub usage: Usage,
}

/// What the daemon measures of a job or its worktree between facts; merged into [`Vitals`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// When it last gave output.
    pub last_output: Option<Time>,
    /// Bytes a second.
    pub rate: u64,
    /// Bytes so far.
    pub output: u64,
    /// Commits on the branch.
    pub commits: u32,
    /// Size of the diff.
    pub diffstat: DiffStat,
}

/// A line of the ledger as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Its place in the ledger, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Time,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// That task's name.
    pub name: String,
    /// The kind of fact, in snake case: what scripts filter on.
    pub kind: String,
    /// What was decided, in words.
    pub text: Shown,
}

impl LedgerLine {
    /// The kind that stands for a row that can't be read; no fact has it.
    pub const UNREAD: &str = "unread";
}

/// The board of a state.
pub(in crate::core) fn board(state: &State, now: Time, measured: &HashMap<JobId, Measured>) -> Board {
    let mut repos: BTreeMap<PathBuf, RepoView> = BTreeMap::new();
    for of in state.tasks.values() {
        let launch = &of.launch;
        let view = repos.entry(launch.repo.clone()).or_insert_with(|| RepoView {
            path: launch.repo.clone(),
            target: launch.target.clone(),
            parallel: state.parallel.get(&launch.repo).copied().unwrap_or(1),
            waiting: Vec::new(),
            merging: Vec::new(),
        });
        view.target.clone_from(&launch.target);
    }
    let place = |id: &TaskId| state.tasks.get(id).map(|of| of.launch.repo.clone());
    for id in &state.start_queue {
        if let Some(repo) = place(id).and_then(|path| repos.get_mut(&path)) {
            repo.waiting.push(*id);
        }
    }
    for id in &state.merge_queue {
        if let Some(repo) = place(id).and_then(|path| repos.get_mut(&path)) {
            repo.merging.push(*id);
        }
    }
    Board {
        now,
        repos: repos.into_values().collect(),
        tasks: state.tasks.values().map(|of| task(state, of, now, measured)).collect(),
        specs: spec_view::lines(state, now),
        benches: bench_view::lines(state),
        votes: panel::waiting(state),
        batches: super::batch::view::lines(state, now),
        trouble: None,
    }
}

/// One task as on the board.
pub(in crate::core) fn task(
    state: &State,
    of: &Task,
    now: Time,
    measured: &HashMap<JobId, Measured>,
) -> TaskView {
    let stands = state_of(of);
    let mut view = TaskView {
        id: of.id,
        name: of.launch.name.to_string(),
        repo: of.launch.repo.clone(),
        state: stands,
        why: Shown::line(&why(state, of)),
        paused: of.paused,
        needs_you: matches!(
            stands,
            TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted
        ) || budget::waits_for_human(state, of),
        question: question::asked(of).cloned(),
        prompt: of.launch.prompt.clone(),
        agent: of.launch.agent.profile.clone(),
        after: queue::unlanded(state, of).map(str::to_owned).collect(),
        attempts: of.attempts.iter().map(|a| attempt_view(state, of, a, now, measured)).collect(),
        merge_gates: of.merge.as_ref().map(|merge| gate_views(&merge.gates)).unwrap_or_default(),
        attempts_max: of.launch.limits.attempts.saturating_add(of.granted),
        landed: of.landed.clone(),
        created: of.created,
        changed: of.changed,
        spent: budget::of_task(state, of, now),
        budget_percent: budget::percent_of_task(state, of, now),
    };
    panel::mark(state, of, &mut view);
    view
}

/// Where a task stands, in one word.
pub(in crate::core) fn state_of(task: &Task) -> TaskState {
    match &task.stage {
        Stage::Queued { .. } => TaskState::Queued,
        Stage::Trying => match task.open().or(task.attempt()) {
            Some(a) if a.agent.is_none() => TaskState::Preparing,
            Some(a) if a.read.is_some() => TaskState::Gating,
            Some(_) if question::asked(task).is_some() => TaskState::Asking,
            Some(_) => TaskState::Working,
            None => TaskState::Preparing,
        },
        Stage::Review => TaskState::Review,
        Stage::Merging(_) => TaskState::Merging,
        Stage::RollingBack => TaskState::RollingBack,
        Stage::Stuck(_) => TaskState::Stuck,
        Stage::Interrupted => TaskState::Interrupted,
        Stage::Landed => TaskState::Landed,
        Stage::RolledBack => TaskState::RolledBack,
        Stage::Stopped => TaskState::Stopped,
        Stage::Rejected(_) => TaskState::Rejected,
    }
}

/// Why a task stands where it stands: the answer to "why is it (not) running", by the predicates that settle uses.
fn why(state: &State, task: &Task) -> String {
    let live = state.jobs.live_of(task.id).count();
    match &task.stage {
        Stage::Queued { .. } => queue::held(state, task).unwrap_or_default(),
        Stage::Trying if task.paused => budget::why_paused(state, task)
            .unwrap_or_else(|| "paused: every process of it is frozen, every clock stands still".to_owned()),
        Stage::Trying => trying_why(state, task),
        Stage::Review => match task.attempt() {
            Some(a) if a.gates.is_empty() => "ungated: no gate has judged it; read the diff".to_owned(),
            _ => "its gates are green; read the diff".to_owned(),
        },
        Stage::Merging(_) | Stage::RollingBack if task.paused => "paused in the merge queue".to_owned(),
        Stage::Merging(_) | Stage::RollingBack => merging_why(state, task),
        Stage::Stuck(why) => why.to_string(),
        Stage::Interrupted => "its agent died with the machine or its keeper: resume or retry".to_owned(),
        Stage::Landed => format!("on {}", task.launch.target),
        Stage::RolledBack => format!("reverted on {}", task.launch.target),
        Stage::Stopped if live > 0 => format!("stopped; {live} of its jobs are being ended"),
        Stage::Stopped => "stopped by a person; its branch is kept".to_owned(),
        Stage::Rejected(reason) if reason.is_empty() => "rejected by review; its branch is kept".to_owned(),
        Stage::Rejected(reason) => format!("rejected: {reason}"),
    }
}

fn trying_why(state: &State, task: &Task) -> String {
    let Some(attempt) = task.open() else { return String::new() };
    if let Some(ask) = question::asked(task) {
        let words = question::kind_words(ask.kind);
        return if ask.text.is_empty() { words.to_owned() } else { format!("{words}: {}", ask.text) };
    }
    match (&attempt.ready, attempt.agent, &attempt.read) {
        (None, ..) => "its worktree is being made".to_owned(),
        (Some(ready), None, _) => {
            format!("set-up hook {} of {} runs", attempt.setup_done + 1, ready.setup.len().max(1))
        }
        (_, Some(job), None) => match state.jobs.get(job) {
            Some(job) if !job.is_live() => "its branch is being read".to_owned(),
            Some(job) if job.ending.is_some() => "its agent is being ended".to_owned(),
            Some(job) if !job.ran => "its agent is being started".to_owned(),
            _ => String::new(),
        },
        (_, Some(_), Some(_)) => "its gates run".to_owned(),
    }
}

fn merging_why(state: &State, task: &Task) -> String {
    if !stack::may_merge(state, task) {
        let names = queue::unlanded(state, task).collect::<Vec<_>>().join(", ");
        return format!("waits for {names} to land: it stands on it");
    }
    if !queue::is_first_to_merge(state, task) {
        let at = state.merge_queue.iter().position(|id| *id == task.id).unwrap_or(0);
        return format!("{at} before it in the merge queue");
    }
    match task.merge.as_ref().and_then(|merge| merge.built.as_ref()) {
        None => "the merged commit is being built".to_owned(),
        Some(_) if state.is_open(task.id, |work| matches!(work, Work::MoveTarget { .. })) => {
            format!("{} is being moved", task.launch.target)
        }
        Some(_) => "the merged commit is being gated".to_owned(),
    }
}

fn attempt_view(
    state: &State,
    task: &Task,
    of: &Attempt,
    now: Time,
    measured: &HashMap<JobId, Measured>,
) -> AttemptView {
    let agent = of.agent.and_then(|job| state.jobs.get(job));
    let seen = of.agent.and_then(|job| measured.get(&job)).copied().unwrap_or_default();
    let setup = |job: &&super::jobs::Job| {
        job.attempt == of.id && matches!(job.role, Role::Setup { merged: false, .. })
    };
    AttemptView {
        no: of.id.no,
        part: of.part,
        agent: brief::agent(task, of.part).profile.clone(),
        findings: brief::findings(of).cloned(),
        branch: attempt::branch_name(&task.launch.name, of.id),
        worktree: of.ready.as_ref().map(|ready| ready.path.clone()),
        job: of.agent,
        mode: brief::agent(task, of.part).mode,
        lid: lid::of(state, task, of),
        peeked: of.peeked,
        exit: agent.and_then(|job| job.exit),
        result: of.result,
        source: of.source,
        gates: gate_views(&of.gates),
        setup_jobs: state.jobs.of(task.id).filter(setup).map(|job| job.id).collect(),
        head: of.read.as_ref().map(|read| read.head.clone()),
        vitals: Vitals {
            elapsed: agent.map(|job| job.watch.elapsed(now)).unwrap_or_default(),
            last_output: seen.last_output,
            rate: seen.rate,
            output: seen.output,
            commits: of.read.as_ref().map_or(seen.commits, |read| read.commits),
            diffstat: of.read.as_ref().map_or(seen.diffstat, |read| read.diffstat),
            usage: of.usage,
        },
    }
}

fn gate_views(runs: &[GateRun]) -> Vec<GateView> {
    runs.iter()
        .map(|run| GateView {
            name: run.spec.name.clone(),
            command: run.spec.command.clone(),
            required: run.spec.required,
            state: run.state,
            job: run.job,
            tests: run.tests,
            took: run.took,
        })
        .collect()
}
