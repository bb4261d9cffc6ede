//! The simulation: a whole crew in milliseconds, from a seed.
//!
//! A model world answers effects late, doubled, out of order or after a crash; people give random commands; the daemon is
//! dropped between any two effects and replayed from the facts that were committed. After each step the
//! invariants are checked; once the faults stop, everything must come to an end. `NOPEEK_SIM_SEEDS` asks for more seeds.

mod strays;

use crate::core::engine::Engine;
use crate::core::model::agent::{
    AgentMode, AgentQuestion, AgentState, AgentTraits, Exit, Observation, QuestionKind, Source, Usage,
};
use crate::core::model::assignment::{Assignment, Deliverable};
use crate::core::model::attempt::{Peek, Start};
use crate::core::model::batch::QueueScan;
use crate::core::model::bench::sketch::Sketch;
use crate::core::model::bench::{BenchCommand, BenchOrder, Entrant};
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::budget::{Allowance, Budget, BudgetCommand, Over, Scope, Unknown};
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::{Effect, EffectKind, JobWhat, Wanted};
use crate::core::model::event::{Answer, Command, EffectOutcome, Event};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::finding::{Answered, Finding, FindingAnswer, Findings, Severity};
use crate::core::model::gate::GateSpec;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::plan::{Phase, Planned};
use crate::core::model::question::QuestionCommand;
use crate::core::model::spec::{Ahead, Contract, Crew, SpecCommand, SpecFact, SpecOrder};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage};
use crate::values::ids::{AttemptId, JobId, Oid, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

/// A small random source (`SplitMix64`): the same numbers from the same seed everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A rule broken on purpose, to prove that the simulation would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sabotage {
    None,
    /// Red required gates count as green on the way to the target.
    LandRed,
    /// An answered effect is forgotten: what was committed is not what was applied.
    LoseFacts,
    /// The attempt's time limit is not armed.
    NoDeadline,
    /// What attempts that have ended used is not counted.
    Overspend,
    /// What left the board counts as landed.
    Forgive,
    /// Git of a dead daemon is not waited for.
    NoFence,
    /// A job that is given up is not marked for a keeper that comes late.
    NoMark,
}

/// What of the world outlives the daemon.
#[derive(Default)]
struct World {
    target: u64,
    live: BTreeMap<JobId, JobWhat>,
    frozen: BTreeMap<JobId, bool>,
    ended: BTreeMap<JobId, Exit>,
    strays: strays::Strays,
}

struct Sim {
    dice: Dice,
    now: Time,
    engine: Engine,
    ledger: Vec<Entry>,
    world: World,
    /// Effects to be done, and answers on their way.
    todo: Vec<Effect>,
    mail: Vec<Event>,
    faults: bool,
    sabotage: Sabotage,
    heads: u64,
    /// Nobody gives commands but answers.
    alone: bool,
    /// What tasks wait for, and what is on the target: told by the facts alone.
    waits: BTreeMap<TaskId, Vec<TaskId>>,
    on_target: BTreeSet<TaskId>,
}

fn oid(n: u64) -> Oid {
    Oid::new(&format!("{n:040x}")).unwrap()
}

impl Sim {
    fn new(seed: u64, sabotage: Sabotage) -> Self {
        Self {
            dice: Dice(seed),
            now: Time(1_000_000),
            engine: Engine::new(),
            ledger: Vec::new(),
            world: World::default(),
            todo: Vec::new(),
            mail: Vec::new(),
            faults: true,
            sabotage,
            heads: 1_000,
            alone: false,
            waits: BTreeMap::new(),
            on_target: BTreeSet::new(),
        }
    }

    fn step(&mut self, event: Event) -> Result<(), String> {
        if self.sabotage == Sabotage::LandRed {
            self.engine.call_red_merges_green();
        }
        if self.sabotage == Sabotage::Overspend {
            self.engine.forget_what_was_used();
        }
        if self.sabotage == Sabotage::Forgive {
            self.engine.call_the_gone_landed();
        }
        let Ok(step) = self.engine.step(self.now, event) else { return Ok(()) };
        for fact in &step.facts {
            self.starts_in_order(fact)?;
        }
        let lose = self.sabotage == Sabotage::LoseFacts && self.dice.chance(5);
        for fact in step.facts {
            if lose && matches!(fact, Fact::EffectDone { .. } | Fact::JobEnded { .. } | Fact::Landed { .. }) {
                continue;
            }
            let seq = self.ledger.len() as u64 + 1;
            self.ledger.push(Entry { seq, at: self.now, by: "sim".into(), fact });
        }
        self.todo.extend(step.effects);
        // With debug assertions the engine itself has checked its state.
        if cfg!(debug_assertions) { Ok(()) } else { crate::core::check::check(self.engine.state()) }
    }

    /// A task starts only after what it waits for has landed, whatever became of the board. Stacked work may stand on what is
    /// finished; that it never lands first is for the check of the target.
    fn starts_in_order(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Launched { task, launch, after } => {
                let after =
                    if launch.assignment.stack { Vec::new() } else { after.clone().unwrap_or_default() };
                self.waits.insert(*task, after);
            }
            Fact::Landed { task, .. } => drop(self.on_target.insert(*task)),
            Fact::RolledBack { task, .. } => drop(self.on_target.remove(task)),
            Fact::AttemptOpened { attempt, .. } => {
                let waits = self.waits.get(&attempt.task).into_iter().flatten();
                if let Some(missing) = waits.copied().find(|other| !self.on_target.contains(other)) {
                    return Err(format!("{} starts before {missing} has landed", attempt.task));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Kills the daemon and starts it again from its ledger.
    fn crash(&mut self) -> Result<(), String> {
        let before = self.engine.state().clone();
        self.engine = Engine::replay(self.ledger.iter().cloned());
        // What that breaks is another promise.
        if *self.engine.state() != before && !matches!(self.sabotage, Sabotage::Overspend | Sabotage::Forgive)
        {
            return Err("what was replayed is not what was decided".into());
        }
        self.leave_strays();
        self.todo.clear();
        self.mail.clear();
        self.step(Event::Restarted)?;
        self.todo = self.engine.open_effects();
        for job in self.engine.live_jobs() {
            let known = self.world.live.contains_key(&job);
            let starting = self
                .todo
                .iter()
                .any(|effect| matches!(&effect.what, EffectKind::StartJob(start) if start.job == job));
            if let Some(exit) = self.world.ended.get(&job) {
                let exit = *exit;
                self.mail.push(Event::Exited { job, exit, tail: "tail".into(), tests: None });
            } else if !known && !starting {
                self.mail.push(Event::Exited { job, exit: Exit::Unknown, tail: String::new(), tests: None });
            }
        }
        Ok(())
    }

    /// The world does one effect, and its answer is put into the mail.
    fn act(&mut self, effect: &Effect) -> Result<(), String> {
        self.change_worktrees(effect);
        let outcome = match &effect.what {
            EffectKind::PrepareWorktree { attempt, .. } => {
                if self.faults && self.dice.chance(2) {
                    EffectOutcome::Failed { error: "disk full".into() }
                } else {
                    EffectOutcome::WorktreeReady(self.worktree(*attempt))
                }
            }
            EffectKind::StartJob(start) => self.start_job(start)?,
            EffectKind::Freeze(job) => {
                self.world.frozen.insert(*job, true);
                EffectOutcome::Done
            }
            EffectKind::Thaw(job) => {
                self.world.frozen.insert(*job, false);
                EffectOutcome::Done
            }
            EffectKind::End { job, .. } => {
                if self.world.live.contains_key(job) {
                    self.end_job(*job, Exit::Signal(1));
                }
                EffectOutcome::Done
            }
            EffectKind::Type { .. } | EffectKind::Archive { .. } | EffectKind::MoveSpec { .. } => {
                EffectOutcome::Done
            }
            EffectKind::LookForSpecs { .. } => EffectOutcome::SpecsFound(QueueScan::default()),
            EffectKind::WriteReport { .. } => EffectOutcome::ReportWritten { file: "report".into() },
            EffectKind::ReadBranch { wanted, .. } => {
                self.heads += 1;
                let commits = u32::from(!self.dice.chance(15));
                let diffstat = DiffStat { files: commits, added: 3, removed: 1 };
                let (head, tree) = (oid(self.heads), oid(5_000_000 + self.heads));
                let deliverable = wanted.as_ref().map(|wanted| self.deliverable(wanted));
                EffectOutcome::BranchRead(BranchRead {
                    head,
                    tree,
                    commits,
                    diffstat,
                    deliverable,
                    remarks: Vec::new(),
                })
            }
            EffectKind::BuildMerge { attempt, .. } => {
                if self.faults && self.dice.chance(10) {
                    EffectOutcome::Conflict { files: vec!["src/lib.rs".into()] }
                } else {
                    EffectOutcome::MergeBuilt(self.candidate(*attempt))
                }
            }
            EffectKind::MoveTarget { from, to, .. } => self.move_target(from, to)?,
        };
        let answer = Event::EffectDone { effect: effect.id, outcome };
        if self.faults && self.dice.chance(10) {
            self.mail.push(answer.clone());
        }
        if !(self.faults && self.dice.chance(3)) {
            self.mail.push(answer);
        } else {
            // A lost answer: the daemon asks again after its next start.
            self.crash()?;
        }
        Ok(())
    }

    fn worktree(&mut self, attempt: AttemptId) -> WorktreeReady {
        WorktreeReady {
            path: strays::worktree(attempt),
            base: oid(self.world.target),
            setup: if attempt.task.0.is_multiple_of(3) { vec!["npm ci".into()] } else { Vec::new() },
            gates: gates(attempt.task.0),
        }
    }

    fn candidate(&mut self, attempt: AttemptId) -> MergeBuilt {
        self.heads += 1;
        let (commit, tree) = (oid(self.heads), oid(5_000_000 + self.heads));
        MergeBuilt {
            onto: oid(self.world.target),
            commit,
            tree,
            path: strays::scratch(attempt),
            setup: if attempt.task.0.is_multiple_of(3) {
                vec!["npm ci".into(), "make".into()]
            } else {
                Vec::new()
            },
            gates: gates(attempt.task.0),
        }
    }

    fn move_target(&mut self, from: &Oid, to: &Oid) -> Result<EffectOutcome, String> {
        if oid(self.world.target) == *to {
            return Ok(EffectOutcome::TargetMoved);
        }
        if oid(self.world.target) != *from {
            return Ok(EffectOutcome::TargetStale);
        }
        if self.faults && self.dice.chance(5) {
            return Ok(EffectOutcome::TargetRefused { reason: "the checkout is dirty".into() });
        }
        let state = self.engine.state();
        let by = state
            .tasks
            .values()
            .find(|t| t.merge.as_ref().and_then(|m| m.built.as_ref()).is_some_and(|b| b.commit == *to));
        if let Some(task) = by {
            let red = task.merge.iter().flat_map(|m| &m.gates).any(|run| {
                run.spec.required
                    && run.job.is_some_and(|job| self.world.ended.get(&job).is_some_and(|e| !e.is_ok()))
            });
            if red {
                return Err(format!("{} moved the target though a gate was red", task.id));
            }
        }
        self.world.target = u64::from_str_radix(to.as_str(), 16).unwrap_or(0);
        Ok(EffectOutcome::TargetMoved)
    }

    fn end_job(&mut self, job: JobId, exit: Exit) {
        self.world.live.remove(&job);
        self.world.ended.insert(job, exit);
        self.mail.push(Event::Exited { job, exit, tail: "test result: FAILED".into(), tests: None });
    }

    /// Something happens to a live process.
    fn live(&mut self) {
        let jobs: Vec<JobId> = self.world.live.keys().copied().collect();
        if jobs.is_empty() {
            return;
        }
        let job = jobs[self.dice.below(jobs.len() as u64) as usize];
        if self.world.frozen.get(&job).copied().unwrap_or(false) {
            return;
        }
        let agent = matches!(self.world.live.get(&job), Some(JobWhat::Agent { .. }));
        match self.dice.below(12) {
            0..=2 => {
                let code = i32::from(self.faults && self.dice.chance(25));
                self.end_job(job, Exit::Code(code));
            }
            3 if self.faults && self.dice.chance(20) => {
                self.world.live.remove(&job);
                self.mail.push(Event::Exited { job, exit: Exit::Unknown, tail: String::new(), tests: None });
            }
            4..=5 if agent => {
                let ask = AgentQuestion { kind: QuestionKind::Question, text: "which colour?".into() };
                self.say(job, AgentState::Asking(ask));
            }
            6..=7 if agent => self.say(job, AgentState::Working),
            8 if agent => self.say(job, AgentState::Done),
            9 if agent => {
                self.mail.push(Event::Observed { job, what: Observation::Session("s1".into()), read: 0 });
            }
            10 if agent => self.usage(job),
            _ => self.mail.push(Event::Alive(job)),
        }
    }

    fn say(&mut self, job: JobId, state: AgentState) {
        let what = Observation::State { source: Source::StatusProtocol, state };
        self.mail.push(Event::Observed { job, what, read: 0 });
    }

    fn command(&mut self) -> Option<Command> {
        let ids: Vec<TaskId> = self.engine.state().tasks.keys().copied().collect();
        if ids.len() < 4 && self.dice.chance(40) || ids.is_empty() {
            return Some(Command::Launch(Box::new(self.launch())));
        }
        if self.dice.chance(4) {
            let ahead =
                Ahead { spec: self.dice.chance(50), plan: self.dice.chance(50), work: self.dice.chance(50) };
            return Some(Command::Spec(SpecCommand::Open(Box::new(self.order(ahead)))));
        }
        if let Some(spec) = self.engine.state().specs.all.keys().next().copied()
            && self.dice.chance(2)
        {
            return Some(Command::Spec(match self.dice.below(3) {
                0 => SpecCommand::Stop(spec),
                1 => SpecCommand::GoOn(spec),
                _ => SpecCommand::Forget(spec),
            }));
        }
        if self.engine.state().benches.all.is_empty() && self.dice.chance(1) {
            return Some(Command::Bench(BenchCommand::Open(Box::new(self.bench()))));
        }
        if let Some(bench) = self.engine.state().benches.all.keys().next().copied()
            && self.dice.chance(4)
        {
            return Some(Command::Bench(match self.dice.below(6) {
                0..=2 => BenchCommand::Pick { bench, task: None },
                3 => BenchCommand::Pick { bench, task: ids.last().copied() },
                4 => BenchCommand::Stop(bench),
                _ => BenchCommand::Forget(bench),
            }));
        }
        let task = ids[self.dice.below(ids.len() as u64) as usize];
        if self.dice.chance(5) {
            let attempt = self.engine.state().tasks.get(&task)?.attempt()?.id;
            return Some(Command::Question(if self.dice.chance(80) {
                let text = ["which cup?", "how hot?", "for whom?"][self.dice.below(3) as usize].into();
                QuestionCommand::Put { attempt, text, options: vec!["this".into(), "that".into()] }
            } else {
                QuestionCommand::Done { attempt, summary: "all is done".into() }
            }));
        }
        let head = self.engine.state().tasks.get(&task)?.work()?.read.as_ref().map(|r| r.head.clone());
        let is_broken = |sim: &Self| {
            sim.engine
                .state()
                .tasks
                .get(&task)
                .is_some_and(|of| of.attempts.iter().any(|a| a.peek == Peek::Now))
        };
        if is_broken(self) && self.dice.chance(25) {
            return Some(Command::Cover(task));
        }
        Some(match self.dice.below(40) {
            0 => Command::Pause(task),
            1..=3 => Command::Resume(task),
            4 if self.dice.chance(50) => Command::Stop(task),
            5..=8 => Command::Retry { task, start: Start::Previous, note: "again".into() },
            9..=14 => Command::Answer { task, answer: Answer::Text("blue".into()) },
            15..=29 => Command::Approve { task, head: head? },
            30 => Command::SendBack { task, message: "smaller".into() },
            31 if self.dice.chance(30) => Command::Reject { task, reason: String::new() },
            32 | 33 => Command::Land(task),
            34 => Command::Rollback(task),
            35 if self.dice.chance(50) => Command::Regate(task),
            36 => Command::Peek { task, reason: "curious".into() },
            37 => Command::Cover(task),
            38 => Command::Forget(task),
            39 if self.dice.chance(30) => {
                let mut ways = self.raise(task);
                ways.swap_remove(self.dice.below(ways.len() as u64) as usize)
            }
            39 if self.dice.chance(40) => {
                Command::SetParallel { repo: PathBuf::from("/repo"), parallel: 1 + self.dice.below(3) as u32 }
            }
            _ => Command::Reorder { task, place: 0 },
        })
    }

    /// What an agent leaves on its branch: mostly what was asked for.
    fn deliverable(&mut self, wanted: &Wanted) -> Deliverable {
        if self.faults && self.dice.chance(15) {
            return Deliverable::Mistakes(vec!["specs/x.md:1:1: nonsense".into()]);
        }
        match wanted {
            Wanted::Spec { .. } => {
                let answer = |look: usize, n: usize| Answered {
                    id: format!("R{look}.{n}"),
                    answer: FindingAnswer::Changed,
                    why: "so".into(),
                };
                let answers = (1..=9).flat_map(|look| (1..=2).map(move |n| answer(look, n))).collect();
                let contract = Contract { touchpoints: vec!["src/**".into()], ..Contract::default() };
                Deliverable::Spec { contract: Box::new(contract), text: "spec".into(), answers }
            }
            Wanted::Findings { look, verdict, .. } => {
                let count = self.dice.below(if self.faults { 3 } else { 1 });
                let finding = |severity| Finding {
                    id: String::new(),
                    severity,
                    area: "tests".into(),
                    place: Shown::default(),
                    what: "none".into(),
                    fix: Shown::default(),
                };
                let severity = if self.dice.chance(50) { Severity::Low } else { Severity::High };
                let list = (0..count).map(|_| finding(severity)).collect();
                Deliverable::Findings(Findings { implemented: verdict.then_some(true), list }.numbered(*look))
            }
            Wanted::Lines { .. } => Deliverable::Lines(Sketch::from_hashes([1, self.dice.below(3) as u32])),
            Wanted::Plan { .. } => {
                let task = |name: &str, touch: &str, after: &[&str]| Planned {
                    name: TaskName::new(name).unwrap(),
                    does: "it".into(),
                    touches: vec![touch.into()],
                    check: "make".into(),
                    after: after.iter().map(|name| TaskName::new(name).unwrap()).collect(),
                    agent: None,
                    line: 1,
                };
                let phase = |n: usize, tasks| Phase {
                    file: format!("specs/x/phase-{n}.md"),
                    title: "phase".into(),
                    soak: (n == 1).then_some(Span::mins(1)),
                    notes: String::new(),
                    tasks,
                };
                Deliverable::Plan(vec![
                    phase(
                        1,
                        vec![
                            task("aa", "src/a", &[]),
                            task("bb", "src/a", &[]),
                            task("cc", "src/c", &["aa"]),
                        ],
                    ),
                    phase(2, vec![task("dd", "src/d", &[])]),
                ])
            }
        }
    }

    fn traits(&mut self) -> AgentTraits {
        AgentTraits {
            profile: "scripted".into(),
            mode: if self.dice.chance(50) { AgentMode::Headless } else { AgentMode::Interactive },
            idle_done: Some(Span::secs(30)),
            resumable: self.dice.chance(50),
            speaks: self.dice.chance(50).then_some(Span::secs(20)),
        }
    }

    fn assignment(&mut self) -> Assignment {
        let second = if self.dice.chance(25) { Some(self.traits()) } else { None };
        Assignment { second, rounds: 1, ahead: self.dice.chance(20), ..Assignment::default() }
    }

    fn order(&mut self, ahead: Ahead) -> SpecOrder {
        let crew = Crew {
            draft: self.traits(),
            review: Some(self.traits()),
            plan: self.traits(),
            work: self.traits(),
            verify: if self.dice.chance(50) { Some(self.traits()) } else { None },
            others: BTreeMap::new(),
        };
        SpecOrder {
            repo: PathBuf::from("/repo"),
            target: "main".into(),
            parallel: 2,
            name: TaskName::new("goal").unwrap(),
            goal: "that it be so".into(),
            crew,
            passes: 1 + self.dice.below(2) as u32,
            rounds: 1,
            ahead,
            stack: self.dice.chance(50),
            limits: Limits { attempts: 3, time: Some(Span::mins(5)), silence: Some(Span::mins(2)) },
            budget: self.budget(),
            lid: LidRule::On,
            memory: "wip.md".into(),
            gates: Vec::new(),
            templates: BTreeMap::new(),
            batch: None,
        }
    }

    fn bench(&mut self) -> BenchOrder {
        let mut entrant = |name: &str| Entrant {
            agent: AgentTraits { profile: name.into(), ..self.traits() },
            lid: LidRule::On,
        };
        let entrants = vec![entrant("strong"), entrant("weak")];
        let attempts = 1 + self.dice.below(2) as u32;
        BenchOrder {
            repo: PathBuf::from("/repo"),
            target: "main".into(),
            parallel: 2,
            name: TaskName::new("bench").unwrap(),
            file: "goal.md".into(),
            prompt: "do it".into(),
            entrants,
            runs: 1 + self.dice.below(2) as u32,
            verify: if self.dice.chance(50) { Some(self.traits()) } else { None },
            limits: Limits { attempts, time: Some(Span::mins(5)), silence: Some(Span::mins(2)) },
            touches: Vec::new(),
            checks: Vec::new(),
            values: BTreeMap::new(),
            templates: BTreeMap::new(),
            budget: self.budget(),
        }
    }

    fn launch(&mut self) -> Launch {
        let assignment = self.assignment();
        let n = self.engine.state().last_task;
        let mode = if self.dice.chance(50) { AgentMode::Headless } else { AgentMode::Interactive };
        let after = if n > 0 && self.dice.chance(20) {
            self.engine.state().tasks.values().take(1).map(|t| t.launch.name.clone()).collect()
        } else {
            Vec::new()
        };
        Launch {
            repo: PathBuf::from("/repo"),
            target: "main".into(),
            parallel: 2,
            name: TaskName::new("work").unwrap(),
            prompt: "do it".into(),
            agent: AgentTraits {
                profile: "scripted".into(),
                mode,
                idle_done: Some(Span::secs(30)),
                resumable: self.dice.chance(50),
                speaks: self.dice.chance(50).then_some(Span::secs(20)),
            },
            limits: Limits { attempts: 2, time: Some(Span::mins(5)), silence: Some(Span::mins(2)) },
            lid: LidRule::On,
            after,
            by: None,
            assignment,
            budget: self.budget(),
        }
    }

    /// Tight now and then, in a zone in which midnight is near.
    fn budget(&mut self) -> Budget {
        let mut budget = Budget { zone_minutes: 1_410, ..Budget::default() };
        if self.dice.chance(50) {
            return budget;
        }
        let some = |dice: &mut Dice, scale: u64| Allowance {
            cost_microusd: dice.chance(30).then(|| scale * 1_000_000),
            tokens: dice.chance(30).then(|| scale * 10_000),
            time: dice.chance(30).then(|| Span::mins(scale * 2)),
        };
        budget.attempt = some(&mut self.dice, 1);
        budget.task = some(&mut self.dice, 2);
        budget.day = some(&mut self.dice, 5);
        budget.over = if self.dice.chance(50) { Over::Pause } else { Over::End };
        budget.unknown = if self.dice.chance(70) { Unknown::Allow } else { Unknown::Hold };
        budget
    }

    fn usage(&mut self, job: JobId) {
        let usage = Usage {
            tokens_in: self.dice.chance(70).then(|| self.dice.below(12_000)),
            tokens_out: self.dice.chance(70).then(|| self.dice.below(3_000)),
            cost_microusd: self.dice.chance(60).then(|| self.dice.below(1_500_000)),
            tokens_cached: None,
            by_prices: self.dice.chance(30),
        };
        self.mail.push(Event::Observed { job, what: Observation::Usage(usage), read: 0 });
    }

    /// More for a task and for the day, if they are limited at all.
    fn raise(&self, task: TaskId) -> Vec<Command> {
        let day = Scope::Day(PathBuf::from("/repo"));
        let ways = [Scope::Task(task), day].into_iter().flat_map(|scope| {
            let by = [
                Allowance { cost_microusd: Some(100_000_000), ..Allowance::default() },
                Allowance { tokens: Some(1_000_000), ..Allowance::default() },
                Allowance { time: Some(Span::mins(600)), ..Allowance::default() },
            ];
            by.map(|by| Command::Budget(BudgetCommand::Raise { scope: scope.clone(), by }))
        });
        ways.collect()
    }

    fn deliver(&mut self) -> Result<(), String> {
        if self.mail.is_empty() {
            return Ok(());
        }
        let at = if self.faults { self.dice.below(self.mail.len() as u64) as usize } else { 0 };
        let event = self.mail.remove(at);
        self.step(event)
    }

    fn run(&mut self, turns: u32) -> Result<(), String> {
        for _ in 0..turns {
            // Alone, processes have time to come to their own end.
            self.now = self.now.after(Span(self.dice.below(if self.alone { 2_000 } else { 20_000 })));
            match self.dice.below(14) {
                0..=2 if self.alone => self.answer_all()?,
                0..=2 => {
                    if let Some(command) = self.command() {
                        self.step(Event::Command { by: "sim".into(), command })?;
                    }
                }
                3..=6 => {
                    if !self.todo.is_empty() {
                        let effect = self.todo.remove(0);
                        self.act(&effect)?;
                    }
                }
                7..=10 => self.deliver()?,
                11 | 12 => self.live(),
                _ => {
                    let due = self.engine.deadline().is_some_and(|at| at <= self.now);
                    if due && self.sabotage != Sabotage::NoDeadline {
                        self.step(Event::Tick)?;
                    }
                }
            }
            self.maybe_stray_acts();
            if self.dice.chance(1) {
                self.crash()?;
            }
            if self.dice.chance(1) {
                // Somebody else commits to the target.
                self.heads += 1;
                self.world.target = self.heads;
            }
            if self.dice.below(400) == 0 {
                self.step(Event::Suspended(Span::mins(30)))?;
                self.now = self.now.after(Span::mins(30));
            }
        }
        Ok(())
    }

    /// The faults stop, people answer and resume everything: all must come to rest.
    fn drain(&mut self) -> Result<(), String> {
        self.faults = false;
        self.strays_end();
        let ids: Vec<TaskId> = self.engine.state().tasks.keys().copied().collect();
        for task in ids {
            self.step(Event::Command { by: "sim".into(), command: Command::Resume(task) })?;
        }
        self.answer_all()?;
        for _ in 0..2_000 {
            if self.rests() {
                return self.all_ended();
            }
            if !self.todo.is_empty() {
                let effect = self.todo.remove(0);
                self.act(&effect)?;
            } else if !self.mail.is_empty() {
                self.deliver()?;
            } else if self.sabotage != Sabotage::NoDeadline
                && let Some(at) = self.engine.deadline()
            {
                self.now = Time(self.now.0.max(at.0));
                self.step(Event::Tick)?;
            } else {
                break;
            }
            self.answer_all()?;
        }
        self.all_ended()
    }

    fn answer_all(&mut self) -> Result<(), String> {
        let ids: Vec<TaskId> = self.engine.state().tasks.keys().copied().collect();
        for task in ids {
            let asks = self
                .engine
                .state()
                .tasks
                .get(&task)
                .is_some_and(|of| crate::core::rules::lookup::asked(of).is_some());
            if asks {
                let answer = Answer::Accept;
                self.step(Event::Command { by: "sim".into(), command: Command::Answer { task, answer } })?;
            }
            let state = self.engine.state();
            let Some(of) = state.tasks.get(&task) else { continue };
            if crate::core::rules::budget_hold::waits_for_human(state, of)
                || crate::core::rules::budget_hold::held(state, of).is_some()
            {
                for command in self.raise(task) {
                    self.step(Event::Command { by: "sim".into(), command })?;
                }
            }
        }
        Ok(())
    }

    fn rests(&self) -> bool {
        self.todo.is_empty() && self.mail.is_empty() && self.engine.deadline().is_none()
    }

    fn all_ended(&self) -> Result<(), String> {
        let state: &State = self.engine.state();
        for task in state.tasks.values() {
            let waits_for_human = matches!(task.stage, Stage::Review | Stage::Stuck(_) | Stage::Interrupted);
            let below = matches!(task.stage, Stage::Merging(_))
                && !crate::core::rules::prerequisites::may_merge(state, task);
            let waits = !task.after.is_empty() || task.launch.assignment.spec.is_some();
            let held = matches!(task.stage, Stage::Queued { .. }) && waits;
            if !waits_for_human && !held && !below && !crate::core::rules::lookup::is_ended(&task.stage) {
                return Err(format!("{} never ends: {:?}", task.id, task.stage));
            }
        }
        if let Some(job) = state.jobs.all().find(|job| job.is_live()) {
            return Err(format!("{} lives on: {job:?}", job.id));
        }
        self.check_unseen()?;
        for task in state.tasks.values() {
            let mut asked = task.attempts.iter().filter_map(|attempt| state.questions.asked(attempt.id));
            if let Some(ask) = asked.next() {
                return Err(format!("{} asks for ever: {}", task.id, ask.text));
            }
        }
        for bench in state.benches.all.values().filter(|bench| bench.over.is_none()) {
            let waits =
                |id: &TaskId| state.tasks.get(id).is_some_and(|task| task.stage == Stage::Interrupted);
            if !bench.runs.iter().any(|run| run.task.as_ref().is_some_and(|(id, _)| waits(id))) {
                return Err(format!("bench {} never ends: {:?}", bench.id, bench.runs));
            }
        }
        let board = self.engine.board(self.now, &HashMap::new());
        if board.tasks.len() != state.tasks.len() {
            return Err("a task is not on the board".into());
        }
        Ok(())
    }
}

fn gates(seed: u64) -> Vec<GateSpec> {
    let gate = |name: &str, needs: &[&str], required, parallel| GateSpec {
        name: name.into(),
        command: format!("run {name}"),
        timeout: Span::mins(2),
        needs: needs.iter().map(|n| (*n).to_owned()).collect(),
        required,
        parallel,
        reads_history: name == "policy",
    };
    match seed % 4 {
        0 => Vec::new(),
        1 => vec![gate("test", &[], true, false)],
        2 => vec![
            gate("build", &[], true, true),
            gate("lint", &[], false, true),
            gate("test", &["build"], true, false),
        ],
        _ => vec![gate("a", &[], true, true), gate("b", &["a"], true, true)],
    }
}

/// Turns of a run: enough for a few tasks to go all the way, few enough for 10,000 seeds in a suite.
const TURNS: u32 = 300;

fn play(seed: u64, sabotage: Sabotage) -> Result<(), String> {
    let mut sim = Sim::new(seed, sabotage);
    sim.run(TURNS)?;
    sim.drain()
}

/// The ledger of a run without a broken rule.
pub(crate) fn ledger(seed: u64) -> Vec<Entry> {
    let mut sim = Sim::new(seed, Sabotage::None);
    sim.run(TURNS).and_then(|()| sim.drain()).expect("the rules hold");
    sim.ledger
}

fn seeds() -> u64 {
    std::env::var("NOPEEK_SIM_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

#[test]
fn no_seed_breaks_an_invariant_and_all_come_to_an_end() {
    // In two halves at once: it is the longest of all tests.
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for seed in (half..seeds()).step_by(2) {
                    match std::panic::catch_unwind(|| play(seed, Sabotage::None)) {
                        Ok(Ok(())) => {}
                        Ok(Err(broken)) => panic!("seed {seed}: {broken}"),
                        Err(_) => panic!("seed {seed} broke an invariant of the engine, said above"),
                    }
                }
            });
        }
    });
}

/// A simulation that never reaches a stage proves nothing about it.
#[test]
fn the_simulation_goes_everywhere() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..600 {
        let mut sim = Sim::new(seed, Sabotage::None);
        sim.run(TURNS).unwrap();
        sim.drain().unwrap();
        for entry in &sim.ledger {
            *seen.entry(entry.fact.kind()).or_default() += 1;
        }
    }
    let all = [
        "launched",
        "reordered",
        "asked",
        "settled",
        "attempt_opened",
        "worktree_made",
        "job_opened",
        "job_ran",
        "job_ending",
        "job_ended",
        "agent_said",
        "answered",
        "session_known",
        "paused",
        "unpaused",
        "slept",
        "branch_known",
        "gate_judged",
        "attempt_over",
        "requeued",
        "review_opened",
        "approved",
        "rollback_asked",
        "candidate_built",
        "candidate_stale",
        "merge_left",
        "landed",
        "rolled_back",
        "stuck",
        "interrupted",
        "stopped",
        "rejected",
        "peeked",
        "covered",
        "forgotten",
        "parallel_set",
        "reopened",
        "spec_opened",
        "spec_drafting",
        "spec_agreed",
        "spec_planning",
        "spec_stopped",
        "spec_went_on",
        "spec_forgotten",
        "usage_known",
        "budget_set",
        "budget_raised",
        "budget_day_began",
        "budget_closed",
        "budget_opened",
        "budget_paused",
        "budget_excused",
        "question_put",
        "question_answered",
        "question_dropped",
        "reported_done",
        "bench_opened",
        "bench_ran",
        "bench_measured",
        "bench_over",
        "bench_stopped",
    ];
    for kind in seen.keys() {
        assert!(Fact::kinds().any(|known| known == *kind), "{kind} is not in the list of kinds");
    }
    for kind in all {
        assert!(seen.contains_key(kind), "no seed decided {kind}: {seen:?}");
    }
}

/// A whole spec, approved in advance, through the faults of the world: it ends landed, or waits for a human who is told so.
#[test]
fn specs_go_from_goal_to_landed_work() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..60 {
        let mut sim = Sim::new(seed, Sabotage::None);
        let order = sim.order(Ahead { spec: true, plan: true, work: true });
        let open = Command::Spec(SpecCommand::Open(Box::new(order)));
        sim.step(Event::Command { by: "sim".into(), command: open }).unwrap();
        sim.alone = true;
        sim.run(1_000).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        sim.faults = false;
        for _ in 0..300 {
            let spec = sim.engine.state().specs.all.values().next().unwrap();
            if spec.is_done() {
                break;
            }
            sim.run(100).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            // What waits for a human gets one.
            let waits = |task: &&crate::core::model::task::Task| {
                matches!(task.stage, Stage::Stuck(_) | Stage::Interrupted)
            };
            let waiting: Vec<TaskId> =
                sim.engine.state().tasks.values().filter(waits).map(|task| task.id).collect();
            let retry = |task| Command::Retry { task, start: Start::Previous, note: String::new() };
            for command in waiting.iter().flat_map(|task| [Command::Land(*task), retry(*task)]) {
                sim.step(Event::Command { by: "sim".into(), command }).unwrap();
            }
        }
        for entry in &sim.ledger {
            *seen.entry(entry.fact.kind()).or_default() += 1;
        }
        let state = sim.engine.state();
        let spec = state.specs.all.values().next().unwrap();
        assert!(spec.is_done(), "seed {seed}: {:?}", sim.engine.board(sim.now, &HashMap::new()).specs);
        overlaps(seed, &sim.ledger);
    }
    for kind in seen.keys() {
        assert!(Fact::kinds().any(|known| known == *kind), "{kind} is not in the list of kinds");
    }
    for kind in [
        "spec_agreed",
        "spec_planned",
        "spec_tasked",
        "spec_phase_landed",
        "spec_soak_checking",
        "spec_soaked",
        "spec_done",
    ] {
        assert!(seen.contains_key(kind), "no seed decided {kind}: {seen:?}");
    }
}

/// A whole bench through the faults of the world: it comes to its end, and what is picked of it goes on to land while the
/// others end unmerged.
#[test]
fn benches_come_to_their_end_and_one_run_lands() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..60 {
        let mut sim = Sim::new(seed, Sabotage::None);
        let say = |command| Event::Command { by: "sim".into(), command: Command::Bench(command) };
        let order = BenchOrder { runs: 2, budget: Budget::default(), ..sim.bench() };
        sim.step(say(BenchCommand::Open(Box::new(order)))).unwrap();
        sim.alone = true;
        sim.run(600).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        sim.faults = false;
        let bench = *sim.engine.state().benches.all.keys().next().unwrap();
        for _ in 0..300 {
            if sim.engine.state().benches.all[&bench].over.is_some() {
                break;
            }
            sim.run(50).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            let lost = |task: &&crate::core::model::task::Task| task.stage == Stage::Interrupted;
            let lost: Vec<TaskId> =
                sim.engine.state().tasks.values().filter(lost).map(|task| task.id).collect();
            for task in lost {
                let command = Command::Retry { task, start: Start::Target, note: String::new() };
                sim.step(Event::Command { by: "sim".into(), command }).unwrap();
            }
        }
        let over = sim.engine.state().benches.all[&bench].clone();
        assert!(over.over.is_some(), "seed {seed}: {:?}", over.runs);
        let landed = |entry: &Entry| matches!(entry.fact, Fact::Landed { .. });
        assert!(!sim.ledger.iter().any(landed), "seed {seed}: nothing lands by itself");
        sim.step(say(BenchCommand::Pick { bench, task: None })).unwrap();
        let picked = sim.engine.state().benches.all[&bench].picked;
        sim.drain().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let stage = |id: &TaskId| sim.engine.state().tasks[id].stage.clone();
        for (id, _) in over.runs.iter().filter_map(|run| run.task.as_ref()) {
            let ended = crate::core::rules::lookup::is_ended(&stage(id));
            assert!(picked.is_none() || ended || picked == Some(*id), "seed {seed}: {id} {:?}", stage(id));
            assert!(stage(id) != Stage::Landed || picked == Some(*id), "seed {seed}: {id} landed");
        }
        sim.step(say(BenchCommand::Forget(bench))).unwrap();
        assert!(sim.engine.state().benches.all.is_empty(), "seed {seed}");
        sim.drain().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        for entry in &sim.ledger {
            *seen.entry(entry.fact.kind()).or_default() += 1;
        }
    }
    for kind in ["bench_ran", "bench_measured", "bench_over", "bench_picked", "bench_forgotten", "landed"] {
        assert!(seen.contains_key(kind), "no seed decided {kind}: {seen:?}");
    }
}

/// Tasks that may change one file are never under way at once: from the first attempt of one to its landing no other begins.
fn overlaps(seed: u64, ledger: &[Entry]) {
    let (mut names, mut busy): (BTreeMap<TaskId, String>, Option<TaskId>) = (BTreeMap::new(), None);
    for entry in ledger {
        match &entry.fact {
            Fact::Spec(SpecFact::Tasked { name, task, .. }) => {
                names.insert(*task, name.to_string());
            }
            Fact::AttemptOpened { attempt, .. } => {
                let shares = names.get(&attempt.task).is_some_and(|name| name == "aa" || name == "bb");
                if shares && busy.is_some_and(|other| other != attempt.task) {
                    panic!("seed {seed}: aa and bb are under way at once");
                }
                if shares {
                    busy = Some(attempt.task);
                }
            }
            Fact::Landed { task, .. } if busy == Some(*task) => busy = None,
            _ => {}
        }
    }
}

/// The test of the test: broken rules, each of which must be noticed.
#[test]
fn broken_rules_are_caught() {
    for (sabotage, says) in [
        (Sabotage::LandRed, "though a gate was red"),
        (Sabotage::LoseFacts, "not what was decided"),
        (Sabotage::NoDeadline, "never ends"),
        (Sabotage::Overspend, "starts beyond the share"),
        (Sabotage::Forgive, "has landed"),
        (Sabotage::NoFence, "which is not there"),
        (Sabotage::NoMark, "runs unseen"),
    ] {
        // What a step breaks, the engine itself notices, and does not go on.
        let played = |seed| match std::panic::catch_unwind(|| play(seed, sabotage)) {
            Ok(end) => end.err(),
            Err(panic) => panic.downcast_ref::<String>().cloned(),
        };
        let caught = (0..2_000).find_map(|seed| played(seed).filter(|broken| broken.contains(says)));
        assert!(caught.is_some(), "{sabotage:?} was not caught by 2,000 seeds");
    }
}
