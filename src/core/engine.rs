//! The engine: the one way in which anything is decided.
//!
//! `step` takes one event with the moment it happened. A rule, in the file of its noun, decides facts; then
//! settle looks at the whole state and decides what should now be started, stopped and asked for. The caller
//! commits the facts of a step to the ledger *before* it does the step's effects, and feeds what came of each
//! effect back as an event. A refused step has decided nothing.

use super::attempt::{AgentState, Source};
use super::effect::{Effect, Work};
use super::event::{Command, Event};
use super::fact::{Entry, Fact, Role};
use super::ids::{AttemptId, BenchId, EffectId, JobId, SpecId, TaskId};
use super::lid::Permit;
use super::notice::{Notice, Told};
use super::state::State;
use super::time::Time;
use super::turn::Turn;
use super::{
    ask, attempt, batch, bench, brief, budget, lid, panel, question, queue, settle, spec, spec_view, task,
    view,
};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// How many numbers of effects are left out when a ledger was lost. They stand in no file, but a keeper that outlived the
/// ledger does not type for one that is lower than it has seen; no back-up is so old that more were asked for since.
const EFFECTS_LOST: u64 = 1_000_000;

/// The rules with their state.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    state: State,
    quiet: BTreeMap<JobId, Time>,
    told: Told,
}

/// What a step decided.
#[must_use = "facts must be committed and effects done"]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// To be committed first, in this order.
    pub facts: Vec<Fact>,
    /// To be done then.
    pub effects: Vec<Effect>,
    /// What humans should know.
    pub notices: Vec<Notice>,
    /// Tasks that a launch created.
    pub launched: Vec<TaskId>,
}

/// A command that can't be carried out; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    /// What kind of refusal.
    pub kind: RefusedKind,
    /// What can't be done, to what.
    pub what: String,
    /// What to do instead; may be empty.
    pub remedy: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedKind {
    /// There is no such thing.
    NotFound,
    /// Where the task stands does not allow it.
    NotNow,
    /// The command itself is wrong.
    BadInput,
    /// The lid is on.
    Covered,
}

impl Refused {
    /// A refusal in words.
    pub(in crate::core) fn new(
        kind: RefusedKind,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), remedy: remedy.into() }
    }
}

/// What the edges need to know of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInfo {
    /// Its task.
    pub task: TaskId,
    /// Its attempt.
    pub attempt: AttemptId,
    /// What it is to the attempt.
    pub kind: JobKind,
    /// The agent profile of its task.
    pub profile: String,
    /// Where it runs.
    pub worktree: PathBuf,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The attempt's branch.
    pub branch: String,
    /// The target branch.
    pub target: String,
}

/// Kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// An agent: under the lid.
    Agent,
    /// A set-up hook.
    Setup,
    /// A gate.
    Gate,
}

impl Engine {
    /// An engine with an empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An engine that stands where these facts leave it.
    #[must_use]
    pub fn replay(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut engine = Self::default();
        for entry in entries {
            engine.state.apply(entry.at, &entry.fact);
        }
        engine
    }

    /// Decides what an event means.
    pub fn step(&mut self, now: Time, event: Event) -> Result<Step, Refused> {
        #[cfg(debug_assertions)]
        let before = (super::check::places(&self.state), super::check::attempts(&self.state));
        let mut turn = Turn {
            now,
            state: &mut self.state,
            quiet: &mut self.quiet,
            facts: Vec::new(),
            notices: Vec::new(),
            told: &mut self.told,
        };
        decide(&mut turn, event)?;
        settle::settle(&mut turn);
        let Turn { facts, notices, .. } = turn;
        #[cfg(debug_assertions)]
        if let Err(broken) = super::check::check(&self.state)
            .and_then(|()| super::check::parallel_holds(&before.0, &self.state))
            .and_then(|()| super::check::budgets_hold(&before.1, &self.state, now))
        {
            panic!("an invariant of the engine is broken: {broken}; facts {facts:?}");
        }
        let effects = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Asked { effect, .. } => Some(effect.clone()),
                _ => None,
            })
            .collect();
        let launched = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Launched { task, .. } => Some(*task),
                _ => None,
            })
            .collect();
        Ok(Step { facts, effects, notices, launched })
    }

    /// When the engine wants to be ticked at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        settle::deadline(&self.state, &self.quiet)
    }

    /// Effects that were asked for and not answered, oldest first: to be done again after a restart.
    #[must_use]
    pub fn open_effects(&self) -> Vec<Effect> {
        self.state.open.values().map(|(effect, _)| effect.clone()).collect()
    }

    /// The board.
    #[must_use]
    pub fn board(&self, now: Time, measured: &HashMap<JobId, view::Measured>) -> view::Board {
        view::board(&self.state, now, measured)
    }

    /// All budgets, and what was used.
    #[must_use]
    pub fn budgets(&self, now: Time) -> budget::BudgetView {
        budget::budgets(&self.state, now)
    }

    /// One task as on the board.
    #[must_use]
    pub fn task_view(
        &self,
        id: TaskId,
        now: Time,
        measured: &HashMap<JobId, view::Measured>,
    ) -> Option<view::TaskView> {
        self.state.tasks.get(&id).map(|task| view::task(&self.state, task, now, measured))
    }

    /// Leave to look at a job's screen once; none while it is covered.
    #[must_use]
    pub fn permit(&self, job: JobId) -> Option<Permit> {
        lid::permit(&self.state, job)
    }

    /// Whether a person may type into a job's terminal: an agent that is live and not covered.
    #[must_use]
    pub fn may_type(&self, job: JobId) -> bool {
        lid::may_type(&self.state, job)
    }

    /// The task of this name (or number, as `t12`) in a repo, or in any if it is the only one. The newest wins
    /// where an ended task has the same name.
    pub fn find(&self, repo: Option<&Path>, name: &str) -> Result<TaskId, Refused> {
        task::find(&self.state, repo, name)
    }

    /// The main checkout of a task's repo.
    #[must_use]
    pub fn repo_of(&self, id: TaskId) -> Option<PathBuf> {
        self.state.tasks.get(&id).map(|task| task.launch.repo.clone())
    }

    /// A task's name.
    #[must_use]
    pub fn name_of(&self, id: TaskId) -> Option<String> {
        self.state.tasks.get(&id).map(|task| task.launch.name.to_string())
    }

    /// The number that the next spec gets.
    #[must_use]
    pub fn next_spec(&self) -> SpecId {
        SpecId(self.state.specs.last + 1)
    }

    /// The spec of this name (or number, as `s3`) in a repo, or in any if it is the only one.
    pub fn find_spec(&self, repo: Option<&Path>, name: &str) -> Result<SpecId, Refused> {
        spec_view::find(&self.state, repo, name)
    }

    /// A spec, whole.
    #[must_use]
    pub fn spec_view(&self, id: SpecId, now: Time) -> Option<spec_view::SpecView> {
        spec_view::view(&self.state, id, now)
    }

    /// The number that the next bench gets.
    #[must_use]
    pub fn next_bench(&self) -> BenchId {
        BenchId(self.state.benches.last + 1)
    }

    /// The bench of this name (or number, as `b3`) in a repo, or in any if it is the only one.
    pub fn find_bench(&self, repo: Option<&Path>, name: &str) -> Result<BenchId, Refused> {
        bench::view::find(&self.state, repo, name)
    }

    /// A bench, whole.
    #[must_use]
    pub fn bench_view(&self, id: BenchId) -> Option<bench::view::BenchView> {
        bench::view::view(&self.state, id)
    }

    /// Repos whose queue is watched, each with its folders.
    #[must_use]
    pub fn watched_queues(&self) -> Vec<(PathBuf, String)> {
        let watched = self.state.batches.repos.iter().filter(|(_, of)| of.watched && of.open.is_none());
        watched.map(|(repo, of)| (repo.clone(), of.schedule.queue.clone())).collect()
    }

    /// Jobs whose end is not known.
    #[must_use]
    pub fn live_jobs(&self) -> Vec<JobId> {
        self.state.jobs.live().map(|job| job.id).collect()
    }

    /// What the edges need to know of a job.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<JobInfo> {
        let job = self.state.jobs.get(id)?;
        let task = self.state.tasks.get(&job.attempt.task)?;
        let of = task.attempts.iter().find(|a| a.id == job.attempt)?;
        let (kind, merged) = match job.role {
            Role::Agent => (JobKind::Agent, false),
            Role::Setup { merged, .. } => (JobKind::Setup, merged),
            Role::Gate { merged, .. } => (JobKind::Gate, merged),
        };
        let scratch = task.merge.as_ref().and_then(|m| m.built.as_ref()).map(|b| b.path.clone());
        let own = of.ready.as_ref().map(|r| r.path.clone());
        Some(JobInfo {
            task: task.id,
            attempt: job.attempt,
            kind,
            profile: brief::agent(task, of.part).profile.clone(),
            worktree: if merged { scratch } else { own }.unwrap_or_default(),
            repo: task.launch.repo.clone(),
            branch: attempt::branch_name(&task.launch.name, job.attempt),
            target: task.launch.target.clone(),
        })
    }

    /// What a live agent last said of itself, how, and how much of its output had been read by then: what comes before
    /// is no news after a restart.
    #[must_use]
    pub fn heard(&self, id: JobId) -> Option<(Source, AgentState, u64)> {
        let job = self.state.jobs.get(id)?;
        let of = self.state.tasks.get(&job.attempt.task)?.attempts.iter().find(|a| a.agent == Some(id))?;
        let (state, read) = of.heard.clone()?;
        Some((of.source?, state, read))
    }

    /// The question that an attempt put through nopeek's tools with this text, unless it was dropped.
    #[must_use]
    pub fn question(&self, attempt: AttemptId, text: &str) -> Option<&ask::Question> {
        self.state.asks.find(attempt, text)
    }

    /// The question of this number; none once its task was forgotten.
    #[must_use]
    pub fn question_no(&self, no: u64) -> Option<&ask::Question> {
        self.state.asks.get(no)
    }

    /// Breaks a rule on purpose, for the test of the simulation: red gates of merges count as green.
    #[cfg(test)]
    pub(in crate::core) fn call_red_merges_green(&mut self) {
        use super::gate::{GateState, Verdict};
        for run in self.state.tasks.values_mut().filter_map(|t| t.merge.as_mut()).flat_map(|m| &mut m.gates) {
            if matches!(run.state, GateState::Judged(_)) {
                run.state = GateState::Judged(Verdict::Passed);
            }
        }
    }

    /// For the test of the simulation: breaks a rule. What attempts that have ended used counts for no budget.
    #[cfg(test)]
    pub(in crate::core) fn forget_what_was_used(&mut self) {
        self.state.budgets.forgets = true;
    }

    /// What the panel was asked and said.
    #[must_use]
    pub const fn panels(&self) -> &panel::Panels {
        &self.state.panels
    }

    /// A task's repo and target branch.
    #[must_use]
    pub fn home(&self, id: TaskId) -> Option<(&Path, &str)> {
        self.state.tasks.get(&id).map(|task| (task.launch.repo.as_path(), task.launch.target.as_str()))
    }

    /// The state, for tests and for the oracle.
    #[cfg(test)]
    pub(in crate::core) fn state(&self) -> &State {
        &self.state
    }
}

fn decide(turn: &mut Turn<'_>, event: Event) -> Result<(), Refused> {
    match event {
        Event::Command { by: _, command } => command_arm(turn, command),
        Event::Answered { effect, outcome } => {
            task::answered(turn, effect, outcome);
            Ok(())
        }
        Event::Observed { job, what, read } => {
            question::observed(turn, job, what, read);
            Ok(())
        }
        Event::Alive(job) => {
            let now = turn.now;
            turn.quiet.entry(job).and_modify(|at| *at = now);
            Ok(())
        }
        Event::Exited { job, exit, tail, tests } => {
            attempt::exited(turn, job, exit, tail, tests);
            Ok(())
        }
        Event::Suspended(span) => {
            turn.fact(Fact::Slept { span });
            for at in turn.quiet.values_mut() {
                *at = at.after(span);
            }
            Ok(())
        }
        Event::Tick => Ok(()),
        Event::NumbersFound { task, job } => {
            numbers_found(turn, task, job);
            begin_listening(turn);
            Ok(())
        }
        Event::Restarted => {
            begin_listening(turn);
            Ok(())
        }
    }
}

/// After a start every live job's silence counts from now.
fn begin_listening(turn: &mut Turn<'_>) {
    let now = turn.now;
    *turn.quiet = turn.state.jobs.live().map(|job| (job.id, now)).collect();
}

/// A number that was given out is never given out again, also if the ledger that knew of it is lost: an exit status in the
/// folder of a job of then would be taken for that of a new one.
fn numbers_found(turn: &mut Turn<'_>, task: TaskId, job: JobId) {
    let state = &*turn.state;
    // A job's folder is made after its fact was committed. A task's file is made before: alone it says nothing.
    if job.0 <= state.last_job {
        return;
    }
    let task = TaskId(task.0.max(state.last_task));
    let effect = EffectId(state.last_effect.saturating_add(EFFECTS_LOST));
    turn.fact(Fact::NumbersUsed { task, job, effect });
}

fn command_arm(turn: &mut Turn<'_>, command: Command) -> Result<(), Refused> {
    match command {
        Command::Launch(launch) => queue::launch(turn, *launch).map(drop),
        Command::Pause(task) => task::pause(turn, task),
        Command::Resume(task) => task::resume(turn, task),
        Command::Stop(task) => task::stop(turn, task),
        Command::Retry { task, start, note } => task::retry(turn, task, start, note),
        Command::Answer { task, answer } => question::answer(turn, task, answer),
        Command::Approve { task, head } => super::review::approve(turn, task, &head),
        Command::SendBack { task, message } => super::review::send_back(turn, task, &message),
        Command::Reject { task, reason } => super::review::reject(turn, task, &reason),
        Command::Regate(task) => super::review::regate(turn, task),
        Command::Land(task) => super::review::land(turn, task),
        Command::Rollback(task) => super::review::rollback(turn, task),
        Command::Peek { task, reason } => lid::peek(turn, task, &reason),
        Command::Cover(task) => lid::cover(turn, task),
        Command::Reorder { task, place } => queue::reorder(turn, task, place),
        Command::SetParallel { repo, parallel } => queue::set_parallel(turn, repo, parallel),
        Command::Forget(task) => task::forget(turn, task),
        Command::Spec(command) => spec::command(turn, command),
        Command::Batch(command) => batch::command(turn, command),
        Command::Budget(command) => budget::command(turn, command),
        Command::Panel(command) => panel::command(turn, command),
        Command::Ask(command) => ask::command(turn, command),
        Command::Bench(command) => bench::command(turn, command),
    }
}

/// The archive keys of a task, one for each attempt.
pub(in crate::core) fn archive_work(state: &State, id: TaskId) -> Vec<Work> {
    let Some(task) = state.tasks.get(&id) else { return Vec::new() };
    task.attempts
        .iter()
        .filter_map(|a| {
            let ready = a.ready.as_ref()?;
            Some(Work::Archive {
                repo: task.launch.repo.clone(),
                worktree: ready.path.clone(),
                branch: Some(attempt::branch_name(&task.launch.name, a.id)),
                key: format!("{}/{}-{}", task.launch.name, id, a.id.no),
            })
        })
        .collect()
}

/// The worktree of a merge candidate, to be taken away.
pub(in crate::core) fn archive_scratch(state: &State, id: TaskId) -> Option<Work> {
    let task = state.tasks.get(&id)?;
    let built = task.merge.as_ref()?.built.as_ref()?;
    Some(Work::Archive {
        repo: task.launch.repo.clone(),
        worktree: built.path.clone(),
        branch: None,
        key: format!("{}/{}-merge-{}", task.launch.name, id, built.commit.short()),
    })
}
