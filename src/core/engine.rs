//! The engine: the one way in which anything is decided.
//!
//! `step` takes one event with the moment it happened. A rule, in the file of its noun, decides facts; then
//! settle looks at the whole state and decides what should now be started, stopped and asked for. The caller
//! commits the facts of a step to the ledger *before* it does the step's effects, and feeds what came of each
//! effect back as an event. A refused step has decided nothing.

use crate::core::model::agent::{AgentState, Source};
use crate::core::model::attempt;
use crate::core::model::effect::Effect;
use crate::core::model::event::{Command, Event};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::job::Role;
use crate::core::model::notice::Notice;
use crate::core::model::panel::Panels;
use crate::core::model::question::Question;
use crate::core::model::refused::Refused;
use crate::core::model::state::State;
use crate::core::outer::{batch, bench, budget, checks, launch, panel, spec};
use crate::core::rules::lid::{self, Permit};
use crate::core::rules::notice::RecentNotices;
use crate::core::rules::step::Step;
use crate::core::rules::{
    assignment, deadlines, effect_done, jobs, lookup, question, queue, replay, settle, task, tool_question,
};
use crate::core::views;
use crate::core::views::bench::BenchView;
use crate::core::views::board::{Board, Measured, TaskView};
use crate::core::views::budget::BudgetView;
use crate::core::views::job::{JobInfo, JobKind};
use crate::core::views::spec::SpecView;
use crate::values::ids::{AttemptId, BenchId, EffectId, JobId, SpecId, TaskId};
use crate::values::time::Time;
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
    recent: RecentNotices,
}

/// What a step decided.
#[must_use = "facts must be committed and effects done"]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// To be committed first, in this order.
    pub facts: Vec<Fact>,
    /// To be done then.
    pub effects: Vec<Effect>,
    /// What humans should know.
    pub notices: Vec<Notice>,
    /// Tasks that a launch created.
    pub launched: Vec<TaskId>,
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
            replay::take(&mut engine.state, &entry);
        }
        engine
    }

    /// Decides what an event means.
    pub fn step(&mut self, now: Time, event: Event) -> Result<Decisions, Refused> {
        #[cfg(debug_assertions)]
        let before = (crate::core::check::places(&self.state), crate::core::check::attempts(&self.state));
        let mut step = Step {
            now,
            state: &mut self.state,
            quiet: &mut self.quiet,
            facts: Vec::new(),
            notices: Vec::new(),
            recent: &mut self.recent,
        };
        if let Err(refused) = decide(&mut step, event) {
            // What was decided would be in the state and never in the ledger.
            debug_assert!(step.facts.is_empty(), "{refused} was refused after {:?}", step.facts);
            return Err(refused);
        }
        settle_all(&mut step);
        let Step { facts, notices, .. } = step;
        #[cfg(debug_assertions)]
        if let Err(broken) = crate::core::check::check(&self.state)
            .and_then(|()| crate::core::check::parallel_holds(&before.0, &self.state))
            .and_then(|()| crate::core::check::budgets_hold(&before.1, &self.state, now))
            .and_then(|()| crate::core::check::prerequisites_hold(&before.1, &self.state))
        {
            panic!("an invariant of the engine is broken: {broken}; facts {facts:?}");
        }
        let effects = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::EffectRequested { effect, .. } => Some(effect.clone()),
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
        Ok(Decisions { facts, effects, notices, launched })
    }

    /// When the engine wants to be ticked at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let jobs = deadlines::deadline(&self.state, &self.quiet);
        let outer = [
            spec::coordinator::deadline(&self.state),
            batch::deadline(&self.state),
            budget::rules::deadline(&self.state),
        ];
        outer.into_iter().chain([jobs]).flatten().min()
    }

    /// Effects that were asked for and not answered, oldest first: to be done again after a restart.
    #[must_use]
    pub fn open_effects(&self) -> Vec<Effect> {
        self.state.open.values().map(|(effect, _)| effect.clone()).collect()
    }

    /// The board.
    #[must_use]
    pub fn board(&self, now: Time, measured: &HashMap<JobId, Measured>) -> Board {
        views::board::board(&self.state, now, measured)
    }

    /// All budgets, and what was used.
    #[must_use]
    pub fn budgets(&self, now: Time) -> BudgetView {
        views::budget::budgets(&self.state, now)
    }

    /// One task as on the board.
    #[must_use]
    pub fn task_view(&self, id: TaskId, now: Time, measured: &HashMap<JobId, Measured>) -> Option<TaskView> {
        self.state.tasks.get(&id).map(|task| views::board::task(&self.state, task, now, measured))
    }

    /// Leave to look at a job's screen once, before the next step; none while it is covered.
    #[must_use]
    pub fn permit(&self, job: JobId) -> Option<Permit<'_>> {
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
        lookup::find(&self.state, repo, name)
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
        spec::find(&self.state, repo, name)
    }

    /// A spec, whole.
    #[must_use]
    pub fn spec_view(&self, id: SpecId, now: Time) -> Option<SpecView> {
        views::spec::view(&self.state, id, now)
    }

    /// The number that the next bench gets.
    #[must_use]
    pub fn next_bench(&self) -> BenchId {
        BenchId(self.state.benches.last + 1)
    }

    /// The bench of this name (or number, as `b3`) in a repo, or in any if it is the only one.
    pub fn find_bench(&self, repo: Option<&Path>, name: &str) -> Result<BenchId, Refused> {
        bench::find(&self.state, repo, name)
    }

    /// A bench, whole.
    #[must_use]
    pub fn bench_view(&self, id: BenchId) -> Option<BenchView> {
        views::bench::view(&self.state, id)
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
            profile: assignment::agent(task, of.part).profile.clone(),
            worktree: if merged { scratch } else { own }.unwrap_or_default(),
            repo: task.launch.repo.clone(),
            branch: attempt::branch_name(&task.launch.name, job.attempt),
            target: task.launch.target.clone(),
        })
    }

    /// What a live agent last said of itself, how, and how much of its output had been read by then: what comes before
    /// is no news after a restart.
    #[must_use]
    pub fn last_report(&self, id: JobId) -> Option<(Source, AgentState, u64)> {
        let job = self.state.jobs.get(id)?;
        let of = self.state.tasks.get(&job.attempt.task)?.attempts.iter().find(|a| a.agent == Some(id))?;
        let (state, read) = of.last_report.clone()?;
        Some((of.source?, state, read))
    }

    /// The question that an attempt put through nopeek's tools with this text, unless it was dropped.
    #[must_use]
    pub fn question(&self, attempt: AttemptId, text: &str) -> Option<&Question> {
        self.state.questions.find(attempt, text)
    }

    /// The question of this number; none once its task was forgotten.
    #[must_use]
    pub fn question_no(&self, no: u64) -> Option<&Question> {
        self.state.questions.get(no)
    }

    /// Breaks a rule on purpose, for the test of the simulation: red gates of merges count as green.
    #[cfg(test)]
    pub(in crate::core) fn call_red_merges_green(&mut self) {
        use crate::core::model::gate::{GateState, Verdict};
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

    /// For the test of the simulation: breaks a rule. What left the board counts as landed.
    #[cfg(test)]
    pub(in crate::core) fn call_the_gone_landed(&mut self) {
        let gone = (1..=self.state.last_task).map(TaskId).filter(|id| !self.state.tasks.contains_key(id));
        self.state.on_target.extend(gone);
    }

    /// What the panel was asked and said.
    #[must_use]
    pub const fn panels(&self) -> &Panels {
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

/// Most rounds of one settle pass; each decides something, and no task needs more than a few.
const ROUNDS_MAX: usize = 10_000;

/// Decides until nothing is left to decide: the floors one after the other, round by round. Each round but the last decides
/// at least one fact.
fn settle_all(step: &mut Step<'_>) {
    for _ in 0..ROUNDS_MAX {
        let before = step.facts.len();
        settle::tasks(step);
        tool_question::settle(step);
        checks::settle(step);
        spec::coordinator::settle(step);
        bench::settle(step);
        let quiet = step.facts.len() == before;
        batch::settle(step, quiet);
        // Right before the start: what was launched in this round may bring budgets that are used up.
        budget::rules::settle(step);
        settle::start(step);
        if step.facts.len() == before {
            return;
        }
    }
    debug_assert!(false, "settle did not come to rest");
}

fn decide(step: &mut Step<'_>, event: Event) -> Result<(), Refused> {
    match event {
        Event::Command { by: _, command } => command_arm(step, command),
        Event::EffectDone { effect, outcome } => {
            // What was done for no task was asked for by a batch or its queue.
            if let Some((work, outcome)) = effect_done::answered(step, effect, outcome) {
                batch::queue::answered(step, work, outcome);
            }
            Ok(())
        }
        Event::Observed { job, what, read } => {
            question::observed(step, job, what, read);
            Ok(())
        }
        Event::Alive(job) => {
            let now = step.now;
            step.quiet.entry(job).and_modify(|at| *at = now);
            Ok(())
        }
        Event::Exited { job, exit, tail, tests } => {
            jobs::exited(step, job, exit, tail, tests);
            Ok(())
        }
        Event::Suspended(span) => {
            step.fact(Fact::Slept { span });
            for at in step.quiet.values_mut() {
                *at = at.after(span);
            }
            Ok(())
        }
        Event::Tick => Ok(()),
        Event::NumbersFound { task, job } => {
            numbers_found(step, task, job);
            begin_listening(step);
            Ok(())
        }
        Event::Restarted => {
            begin_listening(step);
            Ok(())
        }
    }
}

/// After a start every live job's silence counts from now.
fn begin_listening(step: &mut Step<'_>) {
    let now = step.now;
    *step.quiet = step.state.jobs.live().map(|job| (job.id, now)).collect();
}

/// A number that was given out is never given out again, also if the ledger that knew of it is lost: an exit status in the
/// folder of a job of then would be taken for that of a new one.
fn numbers_found(step: &mut Step<'_>, task: TaskId, job: JobId) {
    let state = &*step.state;
    // A job's folder is made after its fact was committed. A task's file is made before: alone it says nothing.
    if job.0 <= state.last_job {
        return;
    }
    let task = TaskId(task.0.max(state.last_task));
    let effect = EffectId(state.last_effect.saturating_add(EFFECTS_LOST));
    step.fact(Fact::NumbersUsed { task, job, effect });
}

fn command_arm(step: &mut Step<'_>, command: Command) -> Result<(), Refused> {
    match command {
        Command::Launch(order) => launch::launch(step, *order).map(drop),
        Command::Pause(task) => task::pause(step, task),
        Command::Resume(task) => launch::resume(step, task),
        Command::Stop(task) => task::stop(step, task),
        Command::Retry { task, start, note } => task::retry(step, task, start, note),
        Command::Answer { task, answer } => question::answer(step, task, answer),
        Command::Approve { task, head } => crate::core::rules::review::approve(step, task, &head),
        Command::SendBack { task, message } => crate::core::rules::review::send_back(step, task, &message),
        Command::Reject { task, reason } => crate::core::rules::review::reject(step, task, &reason),
        Command::Regate(task) => crate::core::rules::review::regate(step, task),
        Command::Land(task) => crate::core::rules::review::land(step, task),
        Command::Rollback(task) => crate::core::rules::review::rollback(step, task),
        Command::Peek { task, reason } => lid::peek(step, task, &reason),
        Command::Cover(task) => lid::cover(step, task),
        Command::Reorder { task, place } => queue::reorder(step, task, place),
        Command::SetParallel { repo, parallel } => queue::set_parallel(step, repo, parallel),
        Command::Forget(task) => task::forget(step, task),
        Command::Spec(command) => spec::command(step, command),
        Command::Batch(command) => batch::command(step, command),
        Command::Budget(command) => budget::command(step, command),
        Command::Panel(command) => panel::command(step, command),
        Command::Question(command) => tool_question::command(step, command),
        Command::Bench(command) => bench::command(step, command),
    }
}
