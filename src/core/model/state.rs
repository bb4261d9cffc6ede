//! The state: what all facts together say. `apply` is total and has no rules.

use crate::core::model::agent::{AgentState, Exit, Usage};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{Attempt, Peek, Start};
use crate::core::model::batch::state::Batches;
use crate::core::model::bench::Benches;
use crate::core::model::budget::{Budgets, Spent};
use crate::core::model::effect::{Effect, EffectKind, JobStart};
use crate::core::model::fact::Fact;
use crate::core::model::gate::{GateRun, GateSpec, GateState};
use crate::core::model::job::{Job, Jobs, Role};
use crate::core::model::panel::Panels;
use crate::core::model::question::Questions;
use crate::core::model::spec::{SpecFact, Specs};
use crate::core::model::task::{Launch, Merge, Stage, Task};
use crate::values::ids::{AttemptId, EffectId, JobId, Oid, TaskId, TaskName};
use crate::values::time::{Stopwatch, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All that is known and decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Tasks that were not forgotten.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Jobs of those tasks, ended ones too.
    pub jobs: Jobs,
    /// Effects that were asked for and not answered.
    pub open: BTreeMap<EffectId, (Effect, TaskId)>,
    /// What belongs to each repo, by its main checkout: so that no rule has to look at the tasks of others.
    pub repos: BTreeMap<PathBuf, RepoIndex>,
    /// What passed as merged, in a folder of the daemon's own: repo, tree, command.
    pub passed: BTreeSet<(PathBuf, Oid, String)>,
    /// Specs, from goal to landed work.
    pub specs: Specs,
    /// The same spec by several agents.
    pub benches: Benches,
    /// The schedule and its batches.
    pub batches: Batches,
    /// What may be used, and what was.
    pub budgets: Budgets,
    /// What the panel has voted on.
    pub panels: Panels,
    /// Questions that agents put through nopeek's tools.
    pub questions: Questions,
    /// Tasks whose work is on its target, on the board or not: what others wait for. Eight bytes for each task that ever
    /// landed.
    pub on_target: BTreeSet<TaskId>,
    /// Highest task number ever used.
    pub last_task: u64,
    /// Highest job number ever used.
    pub last_job: u64,
    /// Highest effect number ever used.
    pub last_effect: u64,
}

/// What of the board belongs to one repo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoIndex {
    /// At most so many agents at once; 0 until a launch or a person has said it.
    pub parallel: u32,
    /// Its tasks on the board, by name.
    pub names: BTreeMap<TaskName, TaskId>,
    /// Its waiting tasks, next first.
    pub start_queue: Vec<TaskId>,
    /// Its approved tasks, next first.
    pub merge_queue: Vec<TaskId>,
}

impl RepoIndex {
    /// Its tasks on the board, in no order that means something.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.names.values().copied()
    }
}

impl State {
    /// What belongs to a repo; none until a task of it was launched.
    #[must_use]
    pub fn repo(&self, repo: &Path) -> Option<&RepoIndex> {
        self.repos.get(repo)
    }

    /// The newest attempt's agent job, if it is live.
    #[must_use]
    pub fn live_agent(&self, task: &Task) -> Option<&Job> {
        task.attempt()?.agent.and_then(|job| self.jobs.get(job)).filter(|job| job.is_live())
    }

    /// Whether the world owes an answer to an effect of this task that `what` describes.
    #[must_use]
    pub fn is_open(&self, task: TaskId, what: impl Fn(&EffectKind) -> bool) -> bool {
        self.open.values().any(|(effect, owner)| *owner == task && what(&effect.what))
    }

    /// Takes in a fact that was decided at `at`. Total: what it names and what is gone is left alone.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Launched { task, launch, after } => self.launched(at, *task, launch, after.as_deref()),
            Fact::ParallelSet { repo, parallel } => {
                self.repos.entry(repo.clone()).or_default().parallel = *parallel;
            }
            Fact::Reordered { task, place } => self.reordered(*task, *place),
            Fact::EffectRequested { effect, task } => self.asked(effect, *task),
            Fact::EffectDone { effect, .. } => {
                self.open.remove(effect);
            }
            Fact::AttemptOpened { attempt, start, prompt, part } => {
                self.attempt_opened(at, *attempt, *part, *start, prompt);
            }
            Fact::WorktreeMade { attempt, ready } => self.with_attempt(*attempt, |a| {
                a.gates = gate_runs(&ready.gates);
                a.ready = Some(ready.clone());
            }),
            Fact::JobOpened { job, attempt, role } => self.job_opened(*job, *attempt, role),
            Fact::JobRan { job, .. } => self.job_ran(at, *job),
            Fact::JobEnding { job, why, .. } => self.with_job(*job, |j| j.end = j.end.due(*why)),
            Fact::JobEnded { job, exit, .. } => self.job_ended(at, *job, *exit),
            Fact::AgentSaid { attempt, source, state, read } => self.with_attempt(*attempt, |a| {
                a.source = Some(*source);
                a.worked |= *state == AgentState::Working;
                a.said = Some((state.clone(), at));
                a.last_report = Some((state.clone(), *read));
            }),
            Fact::Answered { attempt, .. } => {
                self.with_attempt(*attempt, |a| a.said = Some((AgentState::Working, at)));
            }
            Fact::SessionKnown { attempt, session } => {
                self.with_attempt(*attempt, |a| a.session = Some(session.clone()));
            }
            Fact::UsageKnown { attempt, usage } => self.with_attempt(*attempt, |a| a.usage = *usage),
            Fact::Paused { task } => self.set_paused(at, *task, true),
            Fact::Unpaused { task } => {
                self.set_paused(at, *task, false);
                self.budgets.unpaused(*task);
            }
            Fact::Slept { span } => {
                self.jobs.with_live(|job| job.watch.skip(*span));
                self.batches.slept(*span);
            }
            Fact::BranchKnown { attempt, read } => {
                self.with_attempt(*attempt, |a| a.read = Some(read.clone()));
            }
            Fact::GateJudged { .. } => self.gate_judged(fact),
            Fact::AttemptOver { attempt, result } => {
                self.with_attempt(*attempt, |a| {
                    a.result = Some(*result);
                    a.peek = a.peek.over();
                });
            }
            Fact::Requeued { task, start, note, granted, part } => {
                self.leave_queues(*task);
                self.with_repo_of(*task, |repo| match part {
                    AttemptKind::Work => repo.start_queue.push(*task),
                    // What is nearly done is finished first.
                    AttemptKind::SecondReview => repo.start_queue.insert(0, *task),
                });
                self.with_task(*task, |t| t.granted += u32::from(*granted));
                self.set_stage(at, *task, Stage::Queued { start: *start, note: note.clone(), part: *part });
            }
            Fact::ReviewOpened { task } => self.set_stage(at, *task, Stage::Review),
            Fact::Reopened { task } => self.reopened(at, *task),
            Fact::Approved { task, head } => self.enter_merge_queue(at, *task, Stage::Merging(head.clone())),
            Fact::RollbackAsked { task } => self.enter_merge_queue(at, *task, Stage::RollingBack),
            Fact::CandidateBuilt { task, built } => self.with_task(*task, |t| {
                t.merge =
                    Some(Merge { built: Some(built.clone()), setup_done: 0, gates: gate_runs(&built.gates) });
            }),
            Fact::CandidateStale { task } => self.with_task(*task, |t| t.merge = Some(Merge::default())),
            Fact::MergeLeft { task } => self.leave_queues(*task),
            Fact::Landed { task, commit } => {
                self.leave_queues(*task);
                self.with_task(*task, |t| t.landed = Some(commit.clone()));
                self.on_target.insert(*task);
                self.set_stage(at, *task, Stage::Landed);
            }
            Fact::RolledBack { task, .. } => {
                self.on_target.remove(task);
                self.end(at, *task, Stage::RolledBack);
            }
            Fact::Stuck { task, why } => self.end(at, *task, Stage::Stuck(why.clone())),
            Fact::Interrupted { task } => self.end(at, *task, Stage::Interrupted),
            Fact::Stopped { task } => self.end(at, *task, Stage::Stopped),
            Fact::Rejected { task, reason } => self.end(at, *task, Stage::Rejected(reason.clone())),
            Fact::Peeked { attempt, .. } => self.with_attempt(*attempt, |a| a.peek = Peek::Now),
            Fact::Covered { attempt } => self.with_attempt(*attempt, |a| a.peek = a.peek.over()),
            Fact::Forgotten { task, used } => self.forgotten(*task, used.unwrap_or_default()),
            Fact::NumbersUsed { task, job, effect } => {
                self.last_task = self.last_task.max(task.0);
                self.last_job = self.last_job.max(job.0);
                self.last_effect = self.last_effect.max(effect.0);
            }
            Fact::Panel(fact) => self.panels.apply(at, fact),
            Fact::Question(fact) => {
                self.questions.apply(at, fact);
                let ask = self.questions.asked(fact.attempt());
                self.with_attempt(fact.attempt(), |a| a.ask = ask);
            }
            Fact::Budget(fact) => self.budgets.apply(at, fact),
            Fact::Batch(fact) => self.batches.apply(at, fact),
            Fact::Spec(fact) => {
                self.specs.apply(at, fact);
                if let SpecFact::Forgotten { spec } = fact {
                    self.batches.gone(None, Some(*spec));
                }
            }
            Fact::Bench(fact) => self.benches.apply(at, fact),
        }
    }

    fn launched(&mut self, at: Time, id: TaskId, launch: &Launch, after: Option<&[TaskId]>) {
        self.last_task = self.last_task.max(id.0);
        let repo = self.repos.entry(launch.repo.clone()).or_default();
        repo.parallel = launch.parallel;
        repo.names.insert(launch.name.clone(), id);
        repo.start_queue.push(id);
        let task = Task {
            id,
            launch: launch.clone(),
            after: after.unwrap_or_default().to_vec(),
            stage: Stage::Queued { start: Start::Target, note: String::new(), part: AttemptKind::Work },
            paused: false,
            attempts: Vec::new(),
            granted: 0,
            merge: None,
            landed: None,
            created: at,
            changed: at,
        };
        self.tasks.insert(id, task);
    }

    fn forgotten(&mut self, id: TaskId, used: Spent) {
        self.leave_queues(id);
        if let Some(task) = self.tasks.remove(&id) {
            let Launch { repo, name, .. } = &task.launch;
            self.budgets.forget(id, repo, used);
            if let Some(of) = self.repos.get_mut(repo)
                && of.names.get(name) == Some(&id)
            {
                of.names.remove(name);
            }
        }
        self.batches.gone(Some(id), None);
        self.jobs.forget(id);
        self.questions.forget(id);
    }

    fn reordered(&mut self, task: TaskId, place: usize) {
        self.with_repo_of(task, |repo| {
            repo.start_queue.retain(|id| *id != task);
            let place = place.min(repo.start_queue.len());
            repo.start_queue.insert(place, task);
        });
    }

    fn asked(&mut self, effect: &Effect, task: TaskId) {
        self.last_effect = self.last_effect.max(effect.id.0);
        match &effect.what {
            EffectKind::Freeze(job) => self.with_job(*job, |j| j.frozen = true),
            EffectKind::Thaw(job) => self.with_job(*job, |j| j.frozen = false),
            EffectKind::End { job, .. } => self.with_job(*job, |j| {
                j.end = j.end.requested();
                j.frozen = false;
            }),
            EffectKind::StartJob(JobStart { .. })
            | EffectKind::PrepareWorktree { .. }
            | EffectKind::Type { .. }
            | EffectKind::ReadBranch { .. }
            | EffectKind::BuildMerge { .. }
            | EffectKind::MoveTarget { .. }
            | EffectKind::Archive { .. }
            | EffectKind::LookForSpecs { .. }
            | EffectKind::MoveSpec { .. }
            | EffectKind::WriteReport { .. } => {}
        }
        self.open.insert(effect.id, (effect.clone(), task));
    }

    fn attempt_opened(&mut self, at: Time, id: AttemptId, part: AttemptKind, start: Start, prompt: &str) {
        self.with_repo_of(id.task, |repo| repo.start_queue.retain(|task| *task != id.task));
        self.with_task(id.task, |task| {
            task.merge = None;
            task.attempts.push(Attempt {
                id,
                part,
                start,
                prompt: prompt.to_owned(),
                ready: None,
                setup_done: 0,
                agent: None,
                source: None,
                said: None,
                last_report: None,
                ask: None,
                worked: false,
                session: None,
                usage: Usage::default(),
                read: None,
                gates: Vec::new(),
                result: None,
                reopened: false,
                peek: Peek::Never,
            });
        });
        self.set_stage(at, id.task, Stage::Trying);
    }

    fn job_opened(&mut self, id: JobId, attempt: AttemptId, role: &Role) {
        self.last_job = self.last_job.max(id.0);
        self.jobs.open(Job::new(id, attempt, role.clone()));
        match role {
            Role::Agent => self.with_attempt(attempt, |a| {
                a.agent = Some(id);
                a.said = None;
                a.last_report = None;
                a.worked = false;
                a.result = None;
            }),
            Role::Setup { .. } => {}
            Role::Gate { merged, gate } => self.with_gate(attempt, *merged, *gate, |run| {
                run.state = GateState::Running;
                run.job = Some(id);
            }),
        }
        if *role == Role::Agent
            && let Some(task) = self.tasks.get_mut(&attempt.task)
        {
            task.stage = Stage::Trying;
        }
    }

    fn job_ran(&mut self, at: Time, id: JobId) {
        let paused =
            self.jobs.get(id).and_then(|j| self.tasks.get(&j.attempt.task)).is_some_and(|task| task.paused);
        self.with_job(id, |job| {
            if !job.ran && job.exit.is_none() {
                job.ran = true;
                if !paused {
                    job.watch.thaw(at);
                }
            }
        });
    }

    fn job_ended(&mut self, at: Time, id: JobId, exit: Exit) {
        let Some(job) = self.jobs.end(id, exit) else { return };
        job.watch.freeze(at);
        let (attempt, role) = (job.attempt, job.role.clone());
        if let (Role::Gate { merged, gate }, Exit::Unknown) = (&role, exit) {
            // Nothing is known of the run: the gate waits, unless the next fact judges it.
            self.with_gate(attempt, *merged, *gate, |run| {
                if run.job == Some(id) {
                    run.state = GateState::Waiting;
                }
            });
        }
        if let Role::Setup { merged, hook } = role
            && exit.is_ok()
        {
            if merged {
                self.with_task(attempt.task, |t| {
                    if let Some(merge) = &mut t.merge {
                        merge.setup_done = hook + 1;
                    }
                });
            } else {
                self.with_attempt(attempt, |a| a.setup_done = hook + 1);
            }
        }
    }

    fn set_paused(&mut self, at: Time, id: TaskId, paused: bool) {
        self.with_task(id, |task| task.paused = paused);
        let ran: Vec<JobId> = self.jobs.live_of(id).filter(|job| job.ran).map(|job| job.id).collect();
        for job in ran {
            let turn = if paused { Stopwatch::freeze } else { Stopwatch::thaw };
            self.with_job(job, |job| turn(&mut job.watch, at));
        }
    }

    fn gate_judged(&mut self, fact: &Fact) {
        let Fact::GateJudged { attempt, merged, gate, verdict, tests, took, tail } = fact else { return };
        self.with_gate(*attempt, *merged, *gate, |run| {
            run.state = GateState::Judged(*verdict);
            run.tests = *tests;
            run.took = *took;
            run.tail.clone_from(tail);
        });
        // What an agent's worktree holds beside the tree (ignored files, flags of its index) may have made it pass there.
        let counts = *merged && verdict.is_green();
        let Some(task) = self.tasks.get(&attempt.task).filter(|_| counts) else { return };
        let Some(merge) = &task.merge else { return };
        if let (Some(built), Some(run)) = (&merge.built, merge.gates.get(*gate)) {
            self.passed.insert((task.launch.repo.clone(), built.tree.clone(), run.spec.command.clone()));
        }
    }

    fn reopened(&mut self, at: Time, id: TaskId) {
        self.leave_queues(id);
        self.with_task(id, |task| {
            if let Some(attempt) = task.attempts.iter_mut().rev().find(|a| a.part == AttemptKind::Work) {
                attempt.read = None;
                attempt.result = None;
                attempt.reopened = true;
                let specs: Vec<GateSpec> = attempt.gates.iter().map(|run| run.spec.clone()).collect();
                attempt.gates = gate_runs(&specs);
            }
        });
        self.set_stage(at, id, Stage::Trying);
    }

    fn enter_merge_queue(&mut self, at: Time, task: TaskId, stage: Stage) {
        self.leave_queues(task);
        self.with_repo_of(task, |repo| repo.merge_queue.push(task));
        self.with_task(task, |t| t.merge = Some(Merge::default()));
        self.set_stage(at, task, stage);
    }

    fn end(&mut self, at: Time, task: TaskId, stage: Stage) {
        self.leave_queues(task);
        self.set_stage(at, task, stage);
    }

    fn leave_queues(&mut self, task: TaskId) {
        self.with_repo_of(task, |repo| {
            repo.start_queue.retain(|id| *id != task);
            repo.merge_queue.retain(|id| *id != task);
        });
    }

    fn with_repo_of(&mut self, task: TaskId, change: impl FnOnce(&mut RepoIndex)) {
        if let Some(repo) = self.tasks.get(&task).and_then(|of| self.repos.get_mut(&of.launch.repo)) {
            change(repo);
        }
    }

    fn set_stage(&mut self, at: Time, id: TaskId, stage: Stage) {
        self.with_task(id, |task| {
            task.stage = stage;
            task.changed = at;
        });
    }

    fn with_task(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&id) {
            change(task);
        }
    }

    fn with_attempt(&mut self, id: AttemptId, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) =
            self.tasks.get_mut(&id.task).and_then(|t| t.attempts.iter_mut().find(|a| a.id == id))
        {
            change(attempt);
        }
    }

    fn with_gate(&mut self, id: AttemptId, merged: bool, gate: usize, change: impl FnOnce(&mut GateRun)) {
        let Some(task) = self.tasks.get_mut(&id.task) else { return };
        let gates = if merged {
            task.merge.as_mut().map(|m| &mut m.gates)
        } else {
            task.attempts.iter_mut().find(|a| a.id == id).map(|a| &mut a.gates)
        };
        if let Some(run) = gates.and_then(|gates| gates.get_mut(gate)) {
            change(run);
        }
    }

    fn with_job(&mut self, id: JobId, change: impl FnOnce(&mut Job)) {
        self.jobs.with(id, change);
    }
}

fn gate_runs(specs: &[GateSpec]) -> Vec<GateRun> {
    specs
        .iter()
        .map(|spec| GateRun {
            spec: spec.clone(),
            state: GateState::Waiting,
            job: None,
            tests: None,
            took: None,
            tail: String::new(),
        })
        .collect()
}
