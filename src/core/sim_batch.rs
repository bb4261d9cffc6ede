//! Days of batches from a seed, in seconds: a world on a calendar of its own, in which agents take minutes and some never
//! end, gates fail, specs are dropped, a day's budget runs out, the machine sleeps, is off for a night, and the daemon dies
//! between any two effects. What was decided is then checked against the ledger alone. `NOPEEK_SIM_SEEDS` asks for more.

use crate::core::check;
use crate::core::engine::Engine;
use crate::core::model::agent::{AgentMode, AgentTraits, Exit, Observation, Usage};
use crate::core::model::assignment::Deliverable;
use crate::core::model::attempt::Start;
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::{
    BatchCommand, BatchPhase, CatchUp, Dropped, PhaseOutcome, PhaseSettings, Place, QueueScan, Schedule,
};
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::budget::{Allowance, Budget};
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::{Effect, EffectKind, JobWhat, Wanted};
use crate::core::model::event::{Command, EffectOutcome, Event};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::gate::GateSpec;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::plan::{Phase, Planned};
use crate::core::model::spec::{Ahead, Contract, Crew, SpecFact, SpecOrder};
use crate::core::model::task::Stage;
use crate::report::{Scope, Totals, gather};
use crate::values::cron::{Cron, Zone};
use crate::values::ids::{AttemptId, JobId, Oid, TaskId, TaskName};
use crate::values::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// 2026-11-21 00:00 UTC.
const BEGIN: Time = Time(1_795_219_200_000);

const HOUR: Span = Span::mins(60);

/// Off from ten past four in the second night, until seven hours later.
const OFF: (Time, Span) = (Time(BEGIN.0 + 28 * HOUR.0 + 600_000), Span(7 * HOUR.0));

/// It comes up anew while specs are built.
const REBOOT: (Time, Span) = (Time(BEGIN.0 + 56 * HOUR.0 + 1_800_000), Span::mins(3));

/// The machine sleeps an hour from here on.
const SLEEP: (Time, Span) = (Time(BEGIN.0 + 50 * HOUR.0 + 1_500_000), HOUR);

/// Batches that are played.
const BATCHES: usize = 36;

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

/// What comes to pass at its time.
#[derive(Debug)]
enum Item {
    Do(Effect),
    Tell(Event),
    Exit(JobId, Exit),
    Drop(String),
}

struct Sim {
    dice: Dice,
    now: Time,
    engine: Engine,
    ledger: Vec<Entry>,
    calendar: BTreeMap<(Time, u64), Item>,
    items: u64,
    live: BTreeSet<JobId>,
    frozen: BTreeSet<JobId>,
    ended: BTreeMap<JobId, Exit>,
    disk: BTreeMap<String, String>,
    target: u64,
    heads: u64,
    faults: bool,
    /// Reports that were written and compared.
    reports: usize,
}

fn oid(n: u64) -> Oid {
    Oid::new(&format!("{n:040x}")).unwrap()
}

fn repo() -> PathBuf {
    PathBuf::from("/repo")
}

fn agent() -> AgentTraits {
    AgentTraits {
        profile: "scripted".into(),
        mode: AgentMode::Headless,
        idle_done: None,
        resumable: false,
        speaks: None,
    }
}

fn order() -> SpecOrder {
    let who = agent();
    let crew = Crew {
        draft: who.clone(),
        review: None,
        plan: who.clone(),
        work: who,
        verify: None,
        others: BTreeMap::new(),
    };
    let dollars = |n: u64| Allowance { cost_microusd: Some(n * 1_000_000), ..Allowance::default() };
    SpecOrder {
        repo: repo(),
        target: "main".into(),
        parallel: 2,
        name: TaskName::new("queue").unwrap(),
        goal: "what is dropped".into(),
        crew,
        passes: 0,
        rounds: 0,
        stack: false,
        ahead: Ahead { spec: true, plan: true, work: true },
        limits: Limits { attempts: 3, time: Some(Span::mins(45)), silence: None },
        // A day's budget for some thirty agents: busy days have more.
        budget: Budget { day: dollars(60), batch: dollars(25), ..Budget::default() },
        lid: LidRule::On,
        memory: "wip.md".into(),
        gates: Vec::new(),
        templates: BTreeMap::new(),
        batch: None,
    }
}

fn schedule(catch_up: CatchUp) -> Schedule {
    let settings = |agent, minutes| PhaseSettings { agent, time: Span::mins(minutes) };
    Schedule {
        repo: repo(),
        cron: Some(Cron::parse("0 */2 * * *").unwrap()),
        zone: Zone::default(),
        catch_up,
        phases: [
            (BatchPhase::Supervise, settings(Some(agent()), 15)),
            (BatchPhase::Build, settings(None, 50)),
            (BatchPhase::Maintain, settings(Some(agent()), 20)),
            (BatchPhase::Test, settings(None, 15)),
            (BatchPhase::Report, settings(Some(agent()), 10)),
        ]
        .into(),
        queue: "specs/*/next".into(),
        order: order(),
    }
}

impl Sim {
    fn new(seed: u64, catch_up: CatchUp) -> Self {
        let mut sim = Self {
            dice: Dice(seed),
            now: BEGIN.after(Span::mins(30)),
            engine: Engine::new(),
            ledger: Vec::new(),
            calendar: BTreeMap::new(),
            items: 0,
            live: BTreeSet::new(),
            frozen: BTreeSet::new(),
            ended: BTreeMap::new(),
            disk: BTreeMap::new(),
            target: 1,
            heads: 1_000,
            faults: true,
            reports: 0,
        };
        for n in 0..18 {
            let at = BEGIN.after(Span(sim.dice.below(72 * HOUR.0)));
            let name = if n == 7 { "Not A Name".to_owned() } else { format!("idea-{n}") };
            sim.put(at, Item::Drop(format!("specs/shop/next/{name}.md")));
        }
        let on = BatchCommand::On(Box::new(schedule(catch_up)));
        sim.step(Event::Command { by: "ada".into(), command: Command::Batch(on) }).unwrap();
        sim
    }

    fn put(&mut self, at: Time, item: Item) {
        self.items += 1;
        self.calendar.insert((at, self.items), item);
    }

    fn soon(&mut self, item: Item) {
        let at = self.now.after(Span(self.dice.below(3_000)));
        self.put(at, item);
    }

    fn step(&mut self, event: Event) -> Result<(), String> {
        let Ok(step) = self.engine.step(self.now, event) else { return Ok(()) };
        let told: Vec<String> =
            step.facts.iter().map(|fact| format!("{:?} {}", fact.task(), fact.describe())).collect();
        for fact in step.facts {
            self.nothing_left_lying(&fact)?;
            self.cut_is_cut(&fact).map_err(|what| format!("{what}: {told:#?}"))?;
            let seq = self.ledger.len() as u64 + 1;
            self.ledger.push(Entry { seq, at: self.now, by: "sim".into(), fact });
        }
        for effect in step.effects {
            self.soon(Item::Do(effect));
        }
        check::check(self.engine.state())
    }

    /// A build that ends by itself leaves nothing that could go on by itself: without faults every spec is done.
    fn nothing_left_lying(&self, fact: &Fact) -> Result<(), String> {
        let Fact::Batch(BatchFact::PhaseOver {
            phase: BatchPhase::Build, outcome: PhaseOutcome::Done, ..
        }) = fact
        else {
            return Ok(());
        };
        let Some(open) = self.engine.state().batches.repos[&repo()].open.clone() else { return Ok(()) };
        let specs = open.specs.iter().filter_map(|id| self.engine.state().specs.all.get(id));
        for spec in specs.filter(|spec| !spec.is_done()) {
            let waits =
                spec.all_tasks().filter_map(|task| self.engine.state().tasks.get(&task)).any(|task| {
                    task.paused || matches!(task.stage, Stage::Stuck(_) | Stage::Interrupted | Stage::Stopped)
                });
            if !waits {
                return Err(format!("{} is left though nothing is in its way", spec.order.name));
            }
        }
        Ok(())
    }

    /// What ran out of time does not go on: of the batch's tasks none is tried any more.
    fn cut_is_cut(&self, fact: &Fact) -> Result<(), String> {
        let Fact::Batch(BatchFact::PhaseOver { outcome: PhaseOutcome::TimedOut, batch, phase, .. }) = fact
        else {
            return Ok(());
        };
        let open = self.engine.state().batches.repos[&repo()].open.clone();
        let tasks = open.into_iter().filter(|open| open.id == *batch).flat_map(|open| open.tasks);
        let tasks = tasks.filter(|(_, of)| of == phase);
        let tried = |task: &TaskId| {
            let task = self.engine.state().tasks.get(task);
            task.is_some_and(|task| task.stage == Stage::Trying && !task.paused)
        };
        match tasks.map(|(task, _)| task).find(tried) {
            Some(task) => Err(format!("{task} works on though the time of its phase is up")),
            None => Ok(()),
        }
    }

    /// The daemon dies and comes back, at once or after the machine was off.
    fn restart(&mut self) -> Result<(), String> {
        let before = self.engine.state().clone();
        self.engine = Engine::replay(self.ledger.iter().cloned());
        if *self.engine.state() != before {
            return Err("what was replayed is not what was decided".into());
        }
        self.calendar.retain(|_, item| matches!(item, Item::Exit(..) | Item::Drop(_)));
        self.step(Event::Restarted)?;
        // Whatever the restart itself has asked for is among these.
        self.calendar.retain(|_, item| !matches!(item, Item::Do(_)));
        let open = self.engine.open_effects();
        let starting: BTreeSet<JobId> = open
            .iter()
            .filter_map(
                |effect| if let EffectKind::StartJob(start) = &effect.what { Some(start.job) } else { None },
            )
            .collect();
        for effect in open {
            self.soon(Item::Do(effect));
        }
        for job in self.engine.live_jobs() {
            let exit = match self.ended.get(&job) {
                Some(exit) => *exit,
                None if self.live.contains(&job) || starting.contains(&job) => continue,
                None => Exit::Unknown,
            };
            self.soon(Item::Tell(exited(job, exit)));
        }
        Ok(())
    }

    /// The machine goes down with all that runs on it.
    fn off(&mut self, span: Span) -> Result<(), String> {
        self.live.clear();
        self.frozen.clear();
        self.calendar.retain(|_, item| !matches!(item, Item::Exit(..)));
        self.now = self.now.after(span);
        self.restart()
    }

    /// The machine sleeps with all that runs on it.
    fn sleep(&mut self, span: Span) -> Result<(), String> {
        let calendar = std::mem::take(&mut self.calendar);
        self.calendar = calendar.into_iter().map(|((at, n), item)| ((at.after(span), n), item)).collect();
        self.now = self.now.after(span);
        self.step(Event::Suspended(span))
    }

    fn act(&mut self, effect: Effect) -> Result<(), String> {
        let fails = self.faults && self.dice.chance(1);
        let outcome = match effect.what {
            EffectKind::PrepareWorktree { attempt, .. } if !fails => {
                EffectOutcome::WorktreeReady(WorktreeReady {
                    path: format!("/worktrees/{attempt}").into(),
                    base: oid(self.target),
                    setup: Vec::new(),
                    gates: gates(),
                })
            }
            EffectKind::StartJob(start) => {
                self.run_job(start.job, &start.what);
                EffectOutcome::JobStarted
            }
            EffectKind::Freeze(job) => {
                self.frozen.insert(job);
                EffectOutcome::Done
            }
            EffectKind::Thaw(job) => {
                self.frozen.remove(&job);
                EffectOutcome::Done
            }
            EffectKind::End { job, .. } => {
                if self.live.contains(&job) {
                    self.frozen.remove(&job);
                    self.calendar.retain(|_, item| !matches!(item, Item::Exit(other, _) if *other == job));
                    self.soon(Item::Exit(job, Exit::Signal(1)));
                }
                EffectOutcome::Done
            }
            EffectKind::Type { .. } | EffectKind::Archive { .. } => EffectOutcome::Done,
            EffectKind::ReadBranch { wanted, .. } => {
                self.heads += 1;
                let commits = u32::from(!self.dice.chance(8));
                let diffstat = DiffStat { files: commits, added: 3, removed: 1 };
                let deliverable = wanted.map(|wanted| self.deliverable(&wanted));
                EffectOutcome::BranchRead(BranchRead {
                    head: oid(self.heads),
                    tree: oid(5_000_000 + self.heads),
                    commits,
                    diffstat,
                    deliverable,
                    remarks: Vec::new(),
                })
            }
            EffectKind::BuildMerge { attempt, .. } if !fails => {
                self.heads += 1;
                EffectOutcome::MergeBuilt(MergeBuilt {
                    onto: oid(self.target),
                    commit: oid(self.heads),
                    tree: oid(5_000_000 + self.heads),
                    path: format!("/worktrees/{attempt}-merge").into(),
                    setup: Vec::new(),
                    gates: gates(),
                })
            }
            EffectKind::MoveTarget { from, to, .. } => {
                if oid(self.target) == to {
                    EffectOutcome::TargetMoved
                } else if oid(self.target) != from {
                    EffectOutcome::TargetStale
                } else {
                    self.target = u64::from_str_radix(to.as_str(), 16).unwrap();
                    EffectOutcome::TargetMoved
                }
            }
            EffectKind::LookForSpecs { .. } if fails => EffectOutcome::Failed { error: "no disk".into() },
            EffectKind::LookForSpecs { .. } => EffectOutcome::SpecsFound(self.look()),
            EffectKind::MoveSpec { folder, file, from, to, why, .. } => {
                self.shift(&folder, &file, from, to, why.is_some())?;
                EffectOutcome::Done
            }
            EffectKind::WriteReport { batch, tasks, since, .. } => {
                self.compare(batch, &tasks, since)?;
                if fails {
                    EffectOutcome::Failed { error: "no disk".into() }
                } else {
                    EffectOutcome::ReportWritten { file: format!("batch-{batch}.md").as_str().into() }
                }
            }
            EffectKind::PrepareWorktree { .. } | EffectKind::BuildMerge { .. } => {
                EffectOutcome::Failed { error: "disk full".into() }
            }
        };
        let answer = Event::EffectDone { effect: effect.id, outcome };
        if self.faults && self.dice.chance(3) {
            self.soon(Item::Tell(answer.clone()));
        }
        self.soon(Item::Tell(answer));
        Ok(())
    }

    fn run_job(&mut self, job: JobId, what: &JobWhat) {
        if self.ended.contains_key(&job) || !self.live.insert(job) {
            return;
        }
        let (minutes, bad) = match what {
            JobWhat::Agent { .. } if self.faults && self.dice.chance(12) => return,
            JobWhat::Agent { .. } => (2 + self.dice.below(16), self.faults && self.dice.chance(10)),
            JobWhat::Gate { .. } | JobWhat::Setup(_) => {
                (self.dice.below(3), self.faults && self.dice.chance(6))
            }
        };
        if matches!(what, JobWhat::Agent { .. }) && !self.dice.chance(10) {
            let cost = 200_000 + self.dice.below(1_500_000);
            let usage = Usage { cost_microusd: Some(cost), tokens_out: Some(cost / 100), ..Usage::default() };
            let at = self.now.after(Span::mins(1));
            self.put(at, Item::Tell(Event::Observed { job, what: Observation::Usage(usage), read: 0 }));
        }
        let at = self.now.after(Span(minutes * 60_000 + 20_000));
        self.put(at, Item::Exit(job, Exit::Code(i32::from(bad))));
    }

    fn deliverable(&mut self, wanted: &Wanted) -> Deliverable {
        if self.faults && self.dice.chance(5) {
            return Deliverable::Mistakes(vec!["specs/x.md:1:1: nonsense".into()]);
        }
        let task = |name: &str, after: &[&str]| Planned {
            name: TaskName::new(name).unwrap(),
            does: "it".into(),
            touches: vec![format!("src/{name}")],
            check: "make".into(),
            after: after.iter().map(|name| TaskName::new(name).unwrap()).collect(),
            agent: None,
            line: 1,
        };
        match wanted {
            Wanted::Spec { .. } => Deliverable::Spec {
                contract: Box::new(Contract { risks: vec!["it may rain".into()], ..Contract::default() }),
                text: "spec".into(),
                answers: Vec::new(),
            },
            _ => Deliverable::Plan(vec![Phase {
                file: "specs/x/phase-1.md".into(),
                title: "phase".into(),
                soak: self.dice.chance(30).then_some(Span::mins(5)),
                notes: String::new(),
                tasks: vec![task("aa", &[]), task("bb", &[]), task("cc", &["aa"])],
            }]),
        }
    }

    fn look(&self) -> QueueScan {
        let next = self.disk.iter().filter_map(|(path, text)| {
            let (folder, file) = path.rsplit_once('/')?;
            let dropped =
                Dropped { folder: folder.into(), file: file.into(), text: text.clone(), wrong: None };
            folder.ends_with("/next").then_some(dropped)
        });
        QueueScan {
            dropped: next.collect(),
            priorities: vec!["idea-9".into(), "gone".into()],
            tracked: Vec::new(),
        }
    }

    fn shift(&mut self, folder: &str, file: &str, from: Place, to: Place, why: bool) -> Result<(), String> {
        if why != (to == Place::Failed) {
            return Err(format!("{file} goes to {} with why = {why}", to.folder()));
        }
        let path =
            |place: Place| format!("{}/{file}", folder.replace("/next", &format!("/{}", place.folder())));
        if let Some(text) = self.disk.remove(&path(from)) {
            self.disk.insert(path(to), text);
        }
        Ok(())
    }

    /// The report's totals equal what a count over the ledger comes to.
    fn compare(&mut self, batch: u64, tasks: &[TaskId], since: Time) -> Result<(), String> {
        let tasks: BTreeSet<TaskId> = tasks.iter().copied().collect();
        let belong = self.ledger.iter().filter_map(|entry| match &entry.fact {
            Fact::Batch(BatchFact::Tasked { batch: of, task, .. }) if *of == batch => Some(*task),
            _ => None,
        });
        if tasks != belong.collect() {
            return Err(format!("the report of batch {batch} is not about the batch's tasks"));
        }
        let scope = Scope { tasks: Some(tasks.clone()), since: Some(since), ..Scope::default() };
        let report = gather::report(&self.ledger, scope, self.now);
        self.reports += 1;
        same(&report.totals, &count(&self.ledger, since, |task| tasks.contains(&task)))
            .map_err(|what| format!("batch {batch}: {what}"))
    }

    /// Until so many batches are over, or an end.
    fn run(&mut self, batches: usize, end: Time) -> Result<(), String> {
        let mut downs: Vec<(Time, Span)> =
            [OFF, REBOOT].into_iter().filter(|(at, _)| self.now < *at).collect();
        let (mut sleep, mut still) = (self.now < SLEEP.0, 0);
        while self.closed() < batches {
            let next = self.calendar.first_key_value().map(|((at, _), _)| *at);
            let due = self.engine.deadline();
            let Some(at) = next.into_iter().chain(due).min().filter(|at| *at < end) else { return Ok(()) };
            if let Some((from, span)) = downs.first().copied().filter(|(from, _)| at >= *from) {
                downs.remove(0);
                self.now = self.now.max(from);
                self.off(span)?;
                continue;
            }
            if sleep && at >= SLEEP.0 {
                sleep = false;
                self.now = self.now.max(SLEEP.0);
                self.sleep(SLEEP.1)?;
                continue;
            }
            still = if at > self.now { 0 } else { still + 1 };
            if still > 5_000 {
                return Err(format!("the clock stands still: {due:?} at {:?}", self.now));
            }
            self.now = self.now.max(at);
            if due.is_some_and(|due| due <= self.now) {
                self.step(Event::Tick)?;
            } else if let Some((_, item)) = self.calendar.pop_first() {
                self.happen(item)?;
            }
            if self.faults && self.dice.below(400) == 0 {
                self.restart()?;
            }
        }
        Ok(())
    }

    fn happen(&mut self, item: Item) -> Result<(), String> {
        match item {
            Item::Do(effect) => self.act(effect),
            Item::Tell(event) => self.step(event),
            Item::Exit(job, _) if self.frozen.contains(&job) => {
                let at = self.now.after(Span::mins(5));
                self.put(at, Item::Exit(job, Exit::Code(0)));
                Ok(())
            }
            Item::Exit(job, exit) => {
                if self.live.remove(&job) {
                    self.ended.insert(job, exit);
                    return self.step(exited(job, exit));
                }
                Ok(())
            }
            Item::Drop(path) => {
                let text = if path.contains("idea-3.") { " \n" } else { "Make it so." };
                self.disk.insert(path, text.to_owned());
                Ok(())
            }
        }
    }

    fn closed(&self) -> usize {
        self.ledger.iter().filter(|entry| matches!(entry.fact, Fact::Batch(BatchFact::Closed { .. }))).count()
    }

    /// A person comes in the morning, and tries again what is stuck.
    fn help(&mut self) -> Result<(), String> {
        let stuck = |stage: &Stage| matches!(stage, Stage::Stuck(_) | Stage::Interrupted);
        let tasks: Vec<TaskId> = self
            .engine
            .state()
            .tasks
            .values()
            .filter(|task| stuck(&task.stage))
            .map(|task| task.id)
            .collect();
        for task in tasks {
            let retry = Command::Retry { task, start: Start::Previous, note: String::new() };
            self.step(Event::Command { by: "ada".into(), command: retry })?;
        }
        Ok(())
    }
}

fn exited(job: JobId, exit: Exit) -> Event {
    Event::Exited { job, exit, tail: "test result: FAILED".into(), tests: None }
}

fn gates() -> Vec<GateSpec> {
    let gate = |name: &str| GateSpec {
        name: name.into(),
        command: format!("run {name}"),
        timeout: Span::mins(10),
        needs: Vec::new(),
        required: true,
        parallel: true,
        reads_history: false,
    };
    vec![gate("build"), gate("unit")]
}

/// What the facts of these tasks from `since` on come to, counted one by one.
fn count(ledger: &[Entry], since: Time, of: impl Fn(TaskId) -> bool) -> BTreeMap<&'static str, u64> {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut used: BTreeMap<AttemptId, (u64, u64)> = BTreeMap::new();
    let mut touched: BTreeSet<TaskId> = BTreeSet::new();
    let (mut launched, mut over) = (BTreeSet::new(), BTreeSet::new());
    for entry in ledger {
        let Some(task) = entry.fact.task().filter(|task| of(*task)) else { continue };
        let inside = entry.at >= since;
        if inside && !matches!(entry.fact, Fact::EffectRequested { .. } | Fact::EffectDone { .. }) {
            touched.insert(task);
        }
        let mut add = |what| *sums.entry(what).or_default() += u64::from(inside);
        match &entry.fact {
            Fact::Launched { .. } => drop(launched.insert(task)),
            Fact::AttemptOpened { .. } => add("attempts"),
            Fact::GateJudged { verdict, .. } => {
                add("verdicts");
                if !verdict.is_green() && !matches!(verdict, crate::core::model::gate::Verdict::Skipped) {
                    add("red gates");
                }
            }
            Fact::Landed { .. } => {
                add("landed");
                over.insert(task);
            }
            Fact::Stopped { .. } | Fact::Forgotten { .. } => drop(over.insert(task)),
            Fact::Requeued { .. } => drop(over.remove(&task)),
            Fact::UsageKnown { attempt, usage } => {
                let cost = usage.cost_microusd.unwrap_or(0);
                let at = used.entry(*attempt).or_default();
                *at = if inside { (at.0, cost) } else { (cost, cost) };
            }
            _ => {}
        }
    }
    // Those that had not ended are told of, whether or not anything happened to them.
    touched.extend(launched.difference(&over));
    sums.insert("tasks", touched.len() as u64);
    sums.insert("cost", used.values().map(|(before, now)| now - before).sum());
    sums
}

fn same(totals: &Totals, counted: &BTreeMap<&'static str, u64>) -> Result<(), String> {
    let told = [
        ("tasks", u64::from(totals.tasks)),
        ("attempts", u64::from(totals.attempts)),
        ("verdicts", u64::from(totals.verdicts)),
        ("red gates", u64::from(totals.red_gates)),
        ("landed", u64::from(totals.landed)),
        ("cost", totals.used.cost_microusd.unwrap_or(0)),
    ];
    for (what, told) in told {
        let counted = counted.get(what).copied().unwrap_or(0);
        if told != counted {
            return Err(format!("the report says {told} {what}, the ledger {counted}"));
        }
    }
    Ok(())
}

/// Batches in their order, by the ledger alone.
#[derive(Default)]
struct Story {
    open: Option<u64>,
    phase: Option<(BatchPhase, Time, Span, Span)>,
    opened: Vec<(Time, Time)>,
    missed: Vec<(Time, u32)>,
    closed: u32,
    outcomes: BTreeMap<(BatchPhase, PhaseOutcome), u32>,
}

impl Story {
    fn of(ledger: &[Entry]) -> Result<Self, String> {
        let mut story = Self::default();
        let mut slept = Span(0);
        for Entry { at, fact, .. } in ledger {
            match fact {
                Fact::Slept { span } => slept = Span(slept.0 + span.0),
                Fact::Batch(fact) => story.take(*at, slept, fact)?,
                _ => {}
            }
        }
        Ok(story)
    }

    fn take(&mut self, at: Time, slept: Span, fact: &BatchFact) -> Result<(), String> {
        match fact {
            BatchFact::Opened { batch, due, .. } => {
                if let Some(other) = self.open.replace(*batch) {
                    return Err(format!("batch {batch} begins while {other} is open"));
                }
                self.opened.push((due.unwrap(), at));
            }
            BatchFact::Missed { count, .. } => self.missed.push((at, *count)),
            BatchFact::PhaseBegan { phase, limit, .. } => {
                let within = self.phase.replace((*phase, at, *limit, slept));
                if within.is_some() {
                    return Err(format!("{phase:?} begins within another phase"));
                }
            }
            BatchFact::PhaseOver { phase, outcome, .. } => {
                let Some((began, since, limit, before)) = self.phase.take() else {
                    return Err(format!("{phase:?} is over and never began"));
                };
                // What was off could not be ended; it was, at once when the machine was back.
                let excused = [OFF, REBOOT].iter().map(|(from, span)| from.after(*span));
                let off =
                    excused.filter(|back| since < *back && at >= *back).any(|back| at.since(back) < limit);
                let took = at.since(since).0 - (slept.0 - before.0);
                if began != *phase || took > limit.0 && !off {
                    return Err(format!("{phase:?} took {took} ms of {}", limit.0));
                }
                *self.outcomes.entry((*phase, *outcome)).or_default() += 1;
            }
            BatchFact::Closed { batch, .. } => {
                if self.open.take() != Some(*batch) || self.phase.is_some() {
                    return Err(format!("batch {batch} ends in the middle"));
                }
                self.closed += 1;
            }
            _ => {}
        }
        Ok(())
    }
}

fn play(seed: u64, catch_up: CatchUp) -> Result<(Sim, Story), String> {
    let mut sim = Sim::new(seed, catch_up);
    let end = BEGIN.after(Span(5 * 24 * HOUR.0));
    for day in 1..5 {
        let morning = BEGIN.after(Span(day * 24 * HOUR.0 + 8 * HOUR.0));
        sim.run(BATCHES, morning)?;
        sim.now = sim.now.max(if sim.closed() < BATCHES { morning } else { sim.now });
        sim.help()?;
    }
    sim.run(BATCHES, end)?;
    let story = Story::of(&sim.ledger)?;
    if story.closed as usize != BATCHES {
        return Err(format!("{} batches are over, and {BATCHES} should be", story.closed));
    }
    // Each due time until the last batch began is a batch or a missed one.
    let cron = schedule(catch_up).cron.unwrap();
    let last = story.opened.last().unwrap().0;
    let dues = std::iter::successors(cron.next(BEGIN.after(Span::mins(30)), &Zone::default()), |at| {
        cron.next(*at, &Zone::default())
    });
    let dues = dues.take_while(|at| *at <= last).count();
    let missed: u32 = story.missed.iter().map(|(_, count)| count).sum();
    if dues != story.opened.len() + missed as usize {
        return Err(format!("{dues} were due, {} began and {missed} were missed", story.opened.len()));
    }
    after_the_night(&story, catch_up)?;
    same(
        &gather::report(&sim.ledger, Scope::default(), sim.now).totals,
        &count(&sim.ledger, Time(0), |_| true),
    )?;
    files_lie_right(&sim)?;
    Ok((sim, story))
}

/// Due in the night were those from six on: three, while the machine came back at ten past eleven.
fn after_the_night(story: &Story, catch_up: CatchUp) -> Result<(), String> {
    let back = OFF.0.after(OFF.1);
    let soon = back.after(Span::mins(49));
    let missed: u32 =
        story.missed.iter().filter(|(at, _)| *at >= back && *at < soon).map(|(_, count)| count).sum();
    let caught = story.opened.iter().filter(|(due, at)| *due < back && *at >= back && *at < soon).count();
    // The batch that was open goes on first, and may take until the next is due.
    let first = story.opened.iter().find(|(_, at)| *at >= back).copied();
    match catch_up {
        CatchUp::One if caught > 1 => Err(format!("{caught} batches make up for the night")),
        CatchUp::One if caught == 1 && missed != 2 => Err(format!("one was caught up, and {missed} missed")),
        CatchUp::Skip if caught > 0 => Err(format!("{caught} batches were to be skipped")),
        CatchUp::Skip if first.is_none_or(|(due, at)| at.since(due) >= crate::core::model::batch::LATE) => {
            Err(format!("the first after the night is {first:?}"))
        }
        CatchUp::One | CatchUp::Skip => Ok(()),
    }
}

/// Each file that was dropped lies where its spec says, once.
fn files_lie_right(sim: &Sim) -> Result<(), String> {
    let mut at: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in sim.disk.keys() {
        let (folder, file) = path.rsplit_once('/').unwrap();
        at.entry(file).or_default().push(folder.rsplit('/').next().unwrap());
    }
    let mut names = BTreeMap::new();
    for entry in &sim.ledger {
        match &entry.fact {
            Fact::Batch(BatchFact::Taken { spec, file, .. }) => {
                names.insert(*spec, (file.as_str(), false));
            }
            Fact::Spec(SpecFact::Done { spec }) => {
                names.entry(*spec).and_modify(|(_, done)| *done = true);
            }
            _ => {}
        }
    }
    for (file, done) in names.values() {
        let (place, moved) = (if *done { "done" } else { "doing" }, sim.calendar.values());
        let on_its_way = moved.into_iter().any(|item| {
            matches!(item, Item::Do(Effect { what: EffectKind::MoveSpec { file: other, .. }, .. }) if other == file)
        });
        if at.get(file) != Some(&vec![place]) && !on_its_way {
            return Err(format!("{file} lies in {:?}, and belongs to {place}", at.get(file)));
        }
    }
    Ok(())
}

fn seeds() -> u64 {
    std::env::var("NOPEEK_SIM_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .map_or(6, |n: u64| n.div_ceil(1_000).max(6))
}

#[test]
fn three_days_of_batches_keep_every_rule_and_their_reports_equal_the_ledger() {
    let mut outcomes: BTreeMap<(BatchPhase, PhaseOutcome), u32> = BTreeMap::new();
    let (mut seen, mut reports): (BTreeSet<&str>, usize) = (BTreeSet::new(), 0);
    for seed in 0..seeds() {
        let catch_up = if seed % 2 == 0 { CatchUp::One } else { CatchUp::Skip };
        let (sim, story) = play(seed, catch_up).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        for (what, count) in story.outcomes {
            *outcomes.entry(what).or_default() += count;
        }
        seen.extend(sim.ledger.iter().map(|entry| entry.fact.kind()));
        reports += sim.reports;
    }
    assert!(reports > BATCHES, "{reports}");
    // A simulation that never gets there proves nothing about it.
    for phase in BatchPhase::ALL {
        for outcome in [PhaseOutcome::Done, PhaseOutcome::TimedOut, PhaseOutcome::Failed] {
            if (phase, outcome) != (BatchPhase::Build, PhaseOutcome::Failed) {
                assert!(
                    outcomes.contains_key(&(phase, outcome)),
                    "{phase:?} was never {outcome:?}: {outcomes:?}"
                );
            }
        }
    }
    for kind in [
        "batch_missed",
        "batch_left",
        "batch_went_on",
        "batch_reported",
        "queue_taken",
        "queue_refused",
        "queue_moved",
        "spec_done",
        "spec_forgotten",
        "budget_closed",
        "budget_batch_joined",
        "interrupted",
        "slept",
    ] {
        assert!(seen.contains(kind), "no seed decided {kind}: {seen:?}");
    }
}
