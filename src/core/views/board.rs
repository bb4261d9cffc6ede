//! The read model: what clients, JSON output and scripts see. Never content of a covered screen.
//!
//! Built from the state and from vitals (which the daemon measures and which are not facts) whenever
//! somebody asks. Field names are the JSON names and are kept stable.

use crate::core::model::agent::{AgentMode, AgentQuestion, Exit, Source, Usage};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{self, Attempt, AttemptResult, Peek};
use crate::core::model::budget::Spent;
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::EffectKind;
use crate::core::model::finding::Findings;
use crate::core::model::gate::{GateRun, GateState, TestCounts, Verdict};
use crate::core::model::job::Role;
use crate::core::model::lid::Lid;
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task, TaskState};
use crate::core::rules::lookup::{self, state_of};
use crate::core::rules::queue::{self, Line};
use crate::core::rules::{assignment, budget_hold, lid, prerequisites, usage};
use crate::core::views::bench::{self, BenchLine};
use crate::core::views::budget;
use crate::core::views::panel::{self, PollLine};
use crate::core::views::spec::{self, SpecLine};
use crate::values::ids::{JobId, Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::plural;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// All that a board shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The moment it was made.
    pub now: Time,
    /// Repos that have tasks.
    pub repos: Vec<RepoView>,
    /// All tasks that were not forgotten, oldest first.
    pub tasks: Vec<TaskView>,
    #[serde(default)]
    pub specs: Vec<SpecLine>,
    #[serde(default)]
    pub benches: Vec<BenchLine>,
    /// Votes that wait for a human, oldest first.
    #[serde(default)]
    pub votes: Vec<PollLine>,
    /// Schedules and their batches, by repo.
    #[serde(default)]
    pub batches: Vec<crate::core::views::batch::BatchLine>,
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
    pub id: TaskId,
    pub name: String,
    /// Its repo's main checkout.
    pub repo: PathBuf,
    pub state: TaskState,
    /// Why it stands there, in a sentence, where that is not plain; also the answer of "explain".
    pub why: Shown,
    /// Frozen by a human; every clock of it stands still.
    pub paused: bool,
    /// A human must act: answer, review, decide.
    pub needs_you: bool,
    /// The question that its agent asks.
    pub question: Option<AgentQuestion>,
    /// What the agent was asked to do.
    pub prompt: String,
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
    pub spent: Spent,
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
        self.attempts.iter().filter(|attempt| attempt.part == AttemptKind::Work).count()
    }

    /// The newest attempt whose work is what may be merged.
    #[must_use]
    pub fn work(&self) -> Option<&AttemptView> {
        self.attempts.iter().rev().find(|attempt| attempt.part == AttemptKind::Work)
    }

    /// The gates that count now: those of the merged result while there are some, else those of the work.
    #[must_use]
    pub fn gates(&self) -> &[GateView] {
        match self.work().or(self.attempt()) {
            _ if !self.merge_gates.is_empty() => &self.merge_gates,
            Some(attempt) => &attempt.gates,
            None => &[],
        }
    }

    /// What can be said of [`TaskView::gates`] as a whole.
    #[must_use]
    pub fn gating(&self) -> Gating {
        match self.work().or(self.attempt()) {
            _ if !self.merge_gates.is_empty() => Gating::of(&self.merge_gates),
            Some(attempt) => attempt.gating(),
            None => Gating::Unknown,
        }
    }
}

/// What can be said of all gates of an attempt, or of a merged result, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gating {
    /// Which gates there are is not read yet: there is no worktree.
    Unknown,
    /// There are none.
    Ungated,
    /// The attempt ended before any of them ran.
    NotRun,
    /// Each says how far it is.
    Begun,
}

impl Gating {
    fn of(gates: &[GateView]) -> Self {
        let not_run = gates.iter().all(|gate| gate.state == GateProgress::NotRun);
        if not_run { Self::NotRun } else { Self::Begun }
    }
}

/// An attempt on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Which try, from 1.
    pub no: u32,
    /// What it is to its task.
    #[serde(default)]
    pub part: AttemptKind,
    /// Who does it: the agent profile.
    #[serde(default)]
    pub agent: String,
    /// What it found, if it is another pair of eyes.
    #[serde(default)]
    pub findings: Option<Findings>,
    pub branch: String,
    /// Its worktree; none before it stands and after it was archived.
    pub worktree: Option<PathBuf>,
    /// The agent's job; none before it starts.
    pub job: Option<JobId>,
    /// How its agent runs.
    pub mode: AgentMode,
    pub lid: Lid,
    /// Whether somebody broke the lid while it ran.
    pub peeked: bool,
    /// How the agent ended; none while it runs.
    pub exit: Option<Exit>,
    /// How the attempt came out, once it has ended.
    pub result: Option<AttemptResult>,
    /// Where its state is known from.
    pub source: Option<Source>,
    /// Its gates; empty once there is a worktree means ungated, never passed.
    pub gates: Vec<GateView>,
    /// Set-up hooks' jobs, in order.
    pub setup_jobs: Vec<JobId>,
    /// What its branch holds, once its agent has ended.
    pub head: Option<Oid>,
    /// What a reviewer should know beside the diff, a line each.
    pub remarks: Vec<Shown>,
    /// What may be seen with the lid on.
    pub vitals: Vitals,
}

impl AttemptView {
    /// What can be said of its gates as a whole.
    #[must_use]
    pub fn gating(&self) -> Gating {
        match (self.gates.as_slice(), &self.worktree, self.result) {
            ([], Some(_), _) => Gating::Ungated,
            ([], None, Some(_)) => Gating::NotRun,
            ([], None, None) => Gating::Unknown,
            (gates, ..) => Gating::of(gates),
        }
    }
}

/// A gate on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    pub name: String,
    pub command: String,
    /// Whether red stops the attempt.
    pub required: bool,
    /// How far it is.
    pub state: GateProgress,
    /// Its job, whose output may be read.
    pub job: Option<JobId>,
    pub tests: Option<TestCounts>,
    /// How long it took.
    pub took: Option<Span>,
}

impl GateView {
    /// Its verdict, once it has one.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.state {
            GateProgress::Judged(verdict) => Some(verdict),
            GateProgress::Waiting | GateProgress::Running | GateProgress::NotRun | GateProgress::Stopped => {
                None
            }
        }
    }
}

/// How far a gate is, as clients see it: unlike [`GateState`], it says of an attempt that is over what became of the gates
/// that it left without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateProgress {
    /// Waits for its turn or for gates that it needs.
    Waiting,
    Running,
    /// The attempt, or the merge, ended before it ran.
    NotRun,
    /// It ended with the attempt, or the merge, before it had a verdict.
    Stopped,
    /// It has a verdict.
    Judged(Verdict),
}

impl GateProgress {
    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "pending",
            Self::Running => "running",
            Self::NotRun => "not run",
            Self::Stopped => "stopped",
            Self::Judged(verdict) => verdict.label(),
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
    pub rate: u64,
    pub output: u64,
    /// Commits on the branch.
    pub commits: u32,
    /// Size of the diff.
    pub diffstat: DiffStat,
}

/// The board of a state.
pub(in crate::core) fn board(state: &State, now: Time, measured: &HashMap<JobId, Measured>) -> Board {
    let mut repos: BTreeMap<&Path, RepoView> = BTreeMap::new();
    for Task { launch, .. } in state.tasks.values() {
        let index = state.repo(&launch.repo);
        let view = repos.entry(launch.repo.as_path()).or_insert_with(|| RepoView {
            path: launch.repo.clone(),
            target: launch.target.clone(),
            parallel: index.map_or(1, |index| index.parallel),
            waiting: index.map(|index| index.start_queue.clone()).unwrap_or_default(),
            merging: index.map(|index| index.merge_queue.clone()).unwrap_or_default(),
        });
        view.target.clone_from(&launch.target);
    }
    let lines: BTreeMap<&Path, Line> = repos.keys().map(|repo| (*repo, queue::line(state, repo))).collect();
    let view = |of: &Task| match lines.get(of.launch.repo.as_path()) {
        Some(line) => task_in(state, of, line, now, measured),
        None => task(state, of, now, measured),
    };
    Board {
        now,
        repos: repos.into_values().collect(),
        tasks: state.tasks.values().map(view).collect(),
        specs: spec::lines(state, now),
        benches: bench::lines(state),
        votes: panel::waiting(state),
        batches: crate::core::views::batch::lines(state, now),
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
    task_in(state, of, &queue::line(state, &of.launch.repo), now, measured)
}

/// The same where the line of its repo is known.
fn task_in(
    state: &State,
    of: &Task,
    line: &Line,
    now: Time,
    measured: &HashMap<JobId, Measured>,
) -> TaskView {
    let stands = state_of(of);
    let mut view = TaskView {
        id: of.id,
        name: of.launch.name.to_string(),
        repo: of.launch.repo.clone(),
        state: stands,
        why: Shown::line(&why(state, of, line)),
        paused: of.paused,
        needs_you: matches!(
            stands,
            TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted
        ) || budget_hold::waits_for_human(state, of)
            || prerequisites::needs_person(state, of),
        question: lookup::asked(of).cloned(),
        prompt: of.launch.prompt.clone(),
        agent: of.launch.agent.profile.clone(),
        after: prerequisites::unlanded(state, of).map(|id| prerequisites::name(state, id)).collect(),
        attempts: of.attempts.iter().map(|a| attempt_view(state, of, a, now, measured)).collect(),
        merge_gates: of
            .merge
            .as_ref()
            .map(|merge| {
                let over = !matches!(of.stage, Stage::Merging(_) | Stage::RollingBack);
                gate_views(state, &merge.gates, over)
            })
            .unwrap_or_default(),
        attempts_max: of.launch.limits.attempts.saturating_add(of.granted),
        landed: of.landed.clone(),
        created: of.created,
        changed: of.changed,
        spent: usage::of_task(state, of, now),
        budget_percent: budget::percent_of_task(state, of, now),
    };
    if let Some(vote) = panel::waits_for_you(state, of) {
        view.needs_you = true;
        if view.why.is_empty() {
            view.why = vote;
        }
    }
    view
}

/// Why a task stands where it stands: the answer to "why is it (not) running", by the predicates that settle uses.
fn why(state: &State, task: &Task, line: &Line) -> String {
    let live = state.jobs.live_of(task.id).count();
    match &task.stage {
        Stage::Queued { .. } => queue::held(state, task, line).unwrap_or_default(),
        Stage::Trying if task.paused => budget_hold::why_paused(state, task)
            .unwrap_or_else(|| "paused: every process of it is frozen, every clock stands still".to_owned()),
        Stage::Trying => trying_why(state, task),
        Stage::Review => {
            let stands = match task.work() {
                Some(a) if a.gates.is_empty() => "ungated: no gate has judged it; read the diff",
                _ => "its gates are green; read the diff",
            };
            let remarks = task.work().and_then(|a| a.read.as_ref()).map_or(&[][..], |read| &read.remarks);
            let remarks = remarks.iter().map(|remark| format!("; {remark}"));
            std::iter::once(stands.to_owned()).chain(remarks).collect()
        }
        Stage::Merging(_) | Stage::RollingBack if task.paused => "paused in the merge queue".to_owned(),
        Stage::Merging(_) | Stage::RollingBack => merging_why(state, task),
        Stage::Stuck(why) => why.to_string(),
        Stage::Interrupted => "its agent died with the machine or its keeper: resume or retry".to_owned(),
        Stage::Landed => format!("on {}", task.launch.target),
        Stage::RolledBack => format!("reverted on {}", task.launch.target),
        Stage::Stopped if live > 0 => {
            format!("stopped; {} being ended", plural::of(live, "of its jobs is", "of its jobs are"))
        }
        Stage::Stopped => "stopped by a person; its branch is kept".to_owned(),
        Stage::Rejected(reason) if reason.is_empty() => "rejected by review; its branch is kept".to_owned(),
        Stage::Rejected(reason) => format!("rejected: {reason}"),
    }
}

fn trying_why(state: &State, task: &Task) -> String {
    let Some(attempt) = task.open() else { return String::new() };
    if let Some(ask) = lookup::asked(task) {
        let words = lookup::kind_words(ask.kind);
        return if ask.text.is_empty() { words.to_owned() } else { format!("{words}: {}", ask.text) };
    }
    match (&attempt.ready, attempt.agent, &attempt.read) {
        (None, ..) => "its worktree is being made".to_owned(),
        (Some(ready), None, _) => {
            format!("set-up hook {} of {} runs", attempt.setup_done + 1, ready.setup.len().max(1))
        }
        (_, Some(job), None) => match state.jobs.get(job) {
            Some(job) if !job.is_live() => "its branch is being read".to_owned(),
            Some(job) if job.ending().is_some() => "its agent is being ended".to_owned(),
            Some(job) if !job.ran => "its agent is being started".to_owned(),
            _ => String::new(),
        },
        (_, Some(_), Some(_)) => "its gates run".to_owned(),
    }
}

fn merging_why(state: &State, task: &Task) -> String {
    if !prerequisites::may_merge(state, task) {
        let names = prerequisites::unlanded(state, task)
            .map(|id| prerequisites::name(state, id))
            .collect::<Vec<_>>()
            .join(", ");
        return format!("waits for {names} to land: it stands on it");
    }
    if !queue::is_first_to_merge(state, task) {
        let queue =
            state.repo(&task.launch.repo).map(|index| index.merge_queue.as_slice()).unwrap_or_default();
        let at = queue.iter().position(|id| *id == task.id).unwrap_or(0);
        return format!("{at} before it in the merge queue");
    }
    match task.merge.as_ref().and_then(|merge| merge.built.as_ref()) {
        None => "the merged commit is being built".to_owned(),
        Some(_) if state.is_open(task.id, |work| matches!(work, EffectKind::MoveTarget { .. })) => {
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
    let setup = |job: &&crate::core::model::job::Job| {
        job.attempt == of.id && matches!(job.role, Role::Setup { merged: false, .. })
    };
    AttemptView {
        no: of.id.no,
        part: of.part,
        agent: assignment::agent(task, of.part).profile.clone(),
        findings: of.findings().cloned(),
        branch: attempt::branch_name(&task.launch.name, of.id),
        worktree: of.ready.as_ref().map(|ready| ready.path.clone()),
        job: of.agent,
        mode: assignment::agent(task, of.part).mode,
        lid: lid::of(state, task, of),
        peeked: of.peek != Peek::Never,
        exit: agent.and_then(|job| job.exit),
        result: of.result,
        source: of.source,
        gates: gate_views(state, &of.gates, of.result.is_some()),
        setup_jobs: state.jobs.of(task.id).filter(setup).map(|job| job.id).collect(),
        head: of.read.as_ref().map(|read| read.head.clone()),
        remarks: of.read.as_ref().map(|read| read.remarks.clone()).unwrap_or_default(),
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

/// Gates of an attempt or a merge; `over`: none of them is started any more.
fn gate_views(state: &State, runs: &[GateRun], over: bool) -> Vec<GateView> {
    let is_live = |run: &GateRun| run.job.and_then(|id| state.jobs.get(id)).is_some_and(|job| job.is_live());
    let progress = |run: &GateRun| match run.state {
        GateState::Waiting if over => GateProgress::NotRun,
        GateState::Waiting => GateProgress::Waiting,
        GateState::Running if over && !is_live(run) => GateProgress::Stopped,
        GateState::Running => GateProgress::Running,
        GateState::Judged(verdict) => GateProgress::Judged(verdict),
    };
    runs.iter()
        .map(|run| GateView {
            name: run.spec.name.clone(),
            command: run.spec.command.clone(),
            required: run.spec.required,
            state: progress(run),
            job: run.job,
            tests: run.tests,
            took: run.took,
        })
        .collect()
}
