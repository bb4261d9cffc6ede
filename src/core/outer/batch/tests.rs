//! Schedules, batches and the queue, step by step; three days of them at once are in `core/sim_batch.rs`.

use crate::core::engine::Engine;
use crate::core::model::agent::{AgentMode, AgentTraits};
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::state::Scheduled;
use crate::core::model::batch::{
    BatchCommand, BatchPhase, CatchUp, Dropped, PhaseSettings, Place, QUEUE, QueueScan, Schedule,
};
use crate::core::model::effect::EffectKind;
use crate::core::model::event::{Command, EffectOutcome, Event};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::refused::RefusedKind;
use crate::core::model::spec::{Ahead, Crew, SpecOrder};
use crate::values::cron::{Cron, Zone};
use crate::values::ids::{EffectId, SpecId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::collections::BTreeMap;
use std::path::Path;

const HOUR: u64 = 3_600_000;

struct Desk {
    engine: Engine,
    now: Time,
    open: Vec<(EffectId, EffectKind)>,
    facts: Vec<Entry>,
    told: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        Self {
            engine: Engine::new(),
            now: Time(HOUR / 2),
            open: Vec::new(),
            facts: Vec::new(),
            told: Vec::new(),
        }
    }

    fn step(&mut self, event: Event) -> Result<(), (RefusedKind, String)> {
        let step = self.engine.step(self.now, event).map_err(|refused| (refused.kind, refused.what))?;
        for fact in step.facts {
            let seq = self.facts.len() as u64 + 1;
            self.facts.push(Entry { seq, at: self.now, by: "ada".into(), fact });
        }
        self.open.extend(step.effects.into_iter().map(|effect| (effect.id, effect.what)));
        self.told.extend(step.notices.iter().map(|notice| notice.text.to_string()));
        assert_eq!(*Engine::replay(self.facts.iter().cloned()).state(), *self.engine.state());
        Ok(())
    }

    fn command(&mut self, command: BatchCommand) -> Result<(), (RefusedKind, String)> {
        self.step(Event::Command { by: "ada".into(), command: Command::Batch(command) })
    }

    fn answer(&mut self, what: impl Fn(&EffectKind) -> bool, outcome: EffectOutcome) -> EffectKind {
        let at =
            self.open.iter().position(|(_, work)| what(work)).unwrap_or_else(|| panic!("{:#?}", self.open));
        let (effect, work) = self.open.remove(at);
        self.step(Event::EffectDone { effect, outcome }).unwrap();
        work
    }

    fn found(&mut self, files: &[(&str, &str)]) {
        let one = |(file, text): &(&str, &str)| Dropped {
            folder: "specs/shop/next".into(),
            file: (*file).into(),
            text: (*text).into(),
            wrong: None,
        };
        let found = QueueScan {
            dropped: files.iter().map(one).collect(),
            priorities: vec!["last".into()],
            tracked: Vec::new(),
        };
        self.answer(|work| matches!(work, EffectKind::LookForSpecs { .. }), EffectOutcome::SpecsFound(found));
    }

    fn wait(&mut self, until: u64) {
        self.now = Time(until);
        self.step(Event::Tick).unwrap();
    }

    fn kinds(&self, from: usize) -> Vec<&'static str> {
        let all = self.facts.iter().skip(from).map(|entry| entry.fact.kind());
        all.filter(|kind| kind.starts_with("batch") || kind.starts_with("queue")).collect()
    }

    fn of(&self) -> &Scheduled {
        &self.engine.state().batches.repos[Path::new("/repo")]
    }

    fn moves(&self) -> Vec<(String, Place, bool)> {
        let moved = self.open.iter().filter_map(|(_, work)| match work {
            EffectKind::MoveSpec { file, to, why, .. } => Some((file.clone(), *to, why.is_some())),
            _ => None,
        });
        moved.collect()
    }
}

fn agent() -> AgentTraits {
    let (mode, idle_done, speaks) = (AgentMode::Headless, None, None);
    AgentTraits { profile: "scripted".into(), mode, idle_done, resumable: false, speaks }
}

fn schedule(phases: &[(BatchPhase, u64)]) -> Schedule {
    let who = agent();
    let crew = Crew {
        draft: who.clone(),
        review: None,
        plan: who.clone(),
        work: who,
        verify: None,
        others: BTreeMap::new(),
    };
    let settings = |(phase, minutes): &(BatchPhase, u64)| {
        let alone = matches!(phase, BatchPhase::Supervise | BatchPhase::Maintain);
        (*phase, PhaseSettings { agent: alone.then(agent), time: Span::mins(*minutes) })
    };
    Schedule {
        repo: "/repo".into(),
        cron: Some(Cron::parse("0 * * * *").unwrap()),
        zone: Zone::default(),
        catch_up: CatchUp::One,
        phases: phases.iter().map(settings).collect(),
        queue: QUEUE.into(),
        order: SpecOrder {
            repo: "/repo".into(),
            target: "main".into(),
            parallel: 2,
            name: TaskName::new("queue").unwrap(),
            goal: "dropped".into(),
            crew,
            passes: 0,
            rounds: 0,
            stack: false,
            ahead: Ahead { spec: true, plan: true, work: true },
            limits: Limits::default(),
            budget: crate::core::model::budget::Budget::default(),
            lid: LidRule::On,
            memory: "wip.md".into(),
            gates: Vec::new(),
            templates: BTreeMap::new(),
            batch: None,
        },
    }
}

fn boxed(phases: &[(BatchPhase, u64)]) -> Box<Schedule> {
    Box::new(schedule(phases))
}

#[test]
fn a_batch_begins_when_it_is_due_and_never_beside_another() {
    let mut desk = Desk::new();
    desk.command(BatchCommand::On(boxed(&[(BatchPhase::Build, 90)]))).unwrap();
    assert_eq!(desk.engine.deadline(), Some(Time(HOUR)));
    desk.wait(HOUR - 1);
    assert!(desk.of().open.is_none());
    desk.wait(HOUR);
    desk.found(&[("tea.md", "Tea.")]);
    assert_eq!(desk.engine.deadline(), Some(Time(HOUR + 90 * 60_000)));
    let refused = desk.command(BatchCommand::Run(boxed(&[(BatchPhase::Build, 90)]))).unwrap_err();
    assert_eq!(refused, (RefusedKind::NotNow, "batch 1 of this repo is under way".into()));
    desk.wait(2 * HOUR);
    assert_eq!(desk.of().open.as_ref().unwrap().id, 1, "the second waits");
    // Its time is up: what works is stopped, and the one that was due meanwhile begins.
    desk.wait(HOUR + 90 * 60_000);
    let stopped = |entry: &&Entry| matches!(entry.fact, Fact::Stopped { .. });
    assert_eq!(desk.facts.iter().filter(stopped).count(), 1);
    let open = desk.of().open.clone().unwrap();
    assert_eq!((open.id, open.due), (2, Some(Time(2 * HOUR))));
    // The second goes on with what the first has left.
    assert!(open.specs.contains(&SpecId(1)) && desk.of().left.is_empty(), "{open:#?}");
    let requeued = |entry: &Entry| matches!(&entry.fact, Fact::Requeued { note, .. } if note.contains("its time was up"));
    assert!(desk.facts.iter().any(requeued));
}

#[test]
fn what_was_missed_is_caught_up_once_or_left_out() {
    for (catch_up, opened, missed) in [(CatchUp::One, 1, 4), (CatchUp::Skip, 0, 5)] {
        let mut desk = Desk::new();
        let schedule = Schedule { catch_up, ..schedule(&[(BatchPhase::Build, 10)]) };
        desk.command(BatchCommand::On(Box::new(schedule))).unwrap();
        desk.wait(5 * HOUR + 20 * 60_000);
        let count = |fact: &Fact| match fact {
            Fact::Batch(BatchFact::Opened { .. }) => (1, 0),
            Fact::Batch(BatchFact::Missed { count, .. }) => (0, *count),
            _ => (0, 0),
        };
        let sums =
            desk.facts.iter().map(|entry| count(&entry.fact)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        assert_eq!(sums, (opened, missed), "{catch_up:?}");
        assert!(desk.engine.deadline().unwrap() > desk.now);
    }
}

#[test]
fn a_sleep_of_the_machine_is_no_part_of_a_phase() {
    let mut desk = Desk::new();
    desk.command(BatchCommand::Run(boxed(&[(BatchPhase::Maintain, 20)]))).unwrap();
    desk.now = desk.now.after(Span(HOUR));
    desk.step(Event::Suspended(Span(HOUR))).unwrap();
    assert!(desk.of().open.is_some());
    let end = HOUR / 2 + HOUR + 20 * 60_000;
    assert_eq!(desk.engine.deadline(), Some(Time(end)));
    desk.wait(end);
    assert_eq!(desk.of().last.as_ref().unwrap().2[0].as_str(), "maintain: timed out: its time was up");
}

#[test]
fn a_file_is_built_by_its_priority_or_refused_with_the_reason() {
    let mut desk = Desk::new();
    desk.command(BatchCommand::Queue(boxed(&[(BatchPhase::Build, 10)]))).unwrap();
    let long = "x".repeat(crate::core::model::spec::GOAL_MAX + 1);
    desk.found(&[
        ("b.md", "B"),
        ("a.md", "A"),
        ("last.md", "L"),
        ("No.md", "N"),
        ("none.md", " \n"),
        ("long.md", &long),
    ]);
    let opened: Vec<String> =
        desk.engine.state().specs.all.values().map(|spec| spec.order.name.to_string()).collect();
    assert_eq!(opened, ["last", "a", "b"], "the supervisor's first, then by name");
    assert_eq!(
        desk.moves(),
        [
            ("last.md".into(), Place::Doing, false),
            ("No.md".into(), Place::Failed, true),
            ("a.md".into(), Place::Doing, false),
            ("b.md".into(), Place::Doing, false),
            ("long.md".into(), Place::Failed, true),
            ("none.md".into(), Place::Failed, true),
        ]
    );
    assert!(
        desk.told.iter().any(|told| told.contains("none.md can't be built: it is empty")),
        "{:?}",
        desk.told
    );
    // A second of the same name is refused as long as there is one; the same file again is what is being built.
    desk.command(BatchCommand::Look("/repo".into())).unwrap();
    desk.found(&[("a.md", "A again")]);
    assert_eq!(desk.engine.state().specs.all.len(), 3);
    // Forgotten before it was done, it has failed.
    let spec = SpecId(2);
    for command in [
        crate::core::model::spec::SpecCommand::Stop(spec),
        crate::core::model::spec::SpecCommand::Forget(spec),
    ] {
        desk.step(Event::Command { by: "ada".into(), command: Command::Spec(command) }).unwrap();
    }
    assert_eq!(desk.moves().last(), Some(&("a.md".into(), Place::Failed, true)));
    assert!(!desk.engine.state().batches.taken.contains_key(&spec));
}

#[test]
fn phases_with_nothing_to_do_are_skipped_and_those_that_fail_do_not_hold_up_the_next() {
    let mut desk = Desk::new();
    let phases = [(BatchPhase::Supervise, 5), (BatchPhase::Build, 5), (BatchPhase::Report, 5)];
    desk.command(BatchCommand::Run(boxed(&phases))).unwrap();
    desk.found(&[]);
    let failed = EffectOutcome::Failed { error: "no disk".into() };
    desk.answer(|work| matches!(work, EffectKind::LookForSpecs { .. }), failed.clone());
    desk.answer(|work| matches!(work, EffectKind::WriteReport { .. }), failed);
    let (batch, _, lines) = desk.of().last.clone().unwrap();
    let lines: Vec<&str> = lines.iter().map(Shown::as_str).collect();
    assert_eq!(batch, 1);
    assert_eq!(
        lines,
        [
            "supervise: skipped: nothing waits in the queue",
            "build: failed: the queue can't be read: no disk",
            "report: failed: the report can't be written: no disk",
            "0 tasks, 0 landed",
        ]
    );
    assert!(
        desk.told.iter().any(|told| told.starts_with("batch 1 is over: supervise skipped")),
        "{:?}",
        desk.told
    );
}

#[test]
fn a_person_ends_a_batch_and_switches_the_schedule_off() {
    let mut desk = Desk::new();
    let phases = [(BatchPhase::Maintain, 30), (BatchPhase::Test, 30)];
    assert_eq!(desk.command(BatchCommand::Stop("/repo".into())).unwrap_err().0, RefusedKind::NotFound);
    desk.command(BatchCommand::On(boxed(&phases))).unwrap();
    assert_eq!(desk.command(BatchCommand::Stop("/repo".into())).unwrap_err().0, RefusedKind::NotNow);
    desk.wait(HOUR);
    let from = desk.facts.len();
    desk.command(BatchCommand::Stop("/repo".into())).unwrap();
    assert_eq!(desk.kinds(from), ["batch_phase_over", "batch_closed"], "no further phase begins");
    desk.command(BatchCommand::Off("/repo".into())).unwrap();
    assert_eq!(desk.command(BatchCommand::Off("/repo".into())).unwrap_err().0, RefusedKind::NotNow);
    desk.wait(9 * HOUR);
    assert!(desk.of().open.is_none());
    assert_eq!(
        desk.engine.board(desk.now, &std::collections::HashMap::new()).batches[0].text.as_str(),
        "no batch is due"
    );
}

#[test]
fn schedules_that_make_no_sense_are_refused() {
    let mut desk = Desk::new();
    let whole = || schedule(&[(BatchPhase::Supervise, 5)]);
    let mut nobody = whole();
    nobody.phases.get_mut(&BatchPhase::Supervise).unwrap().agent = None;
    let mut idle = whole();
    idle.order.parallel = 0;
    for (broken, says) in [
        (Schedule { cron: None, ..whole() }, "nothing says when"),
        (schedule(&[(BatchPhase::Build, 0)]), "build has no time"),
        (nobody, "nobody is to supervise"),
        (idle, "nothing would ever start"),
        (Schedule { repo: "/other".into(), ..whole() }, "does not fit its repo"),
    ] {
        let (kind, what) = desk.command(BatchCommand::On(Box::new(broken))).unwrap_err();
        assert!(kind == RefusedKind::BadInput && what.contains(says), "{what}");
    }
    assert!(desk.facts.is_empty());
}
