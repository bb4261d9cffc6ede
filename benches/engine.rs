//! What a step of the rules costs with 10, 100 and 1,000 tasks, all under way or nearly all waiting, what launching a
//! thousand costs that wait for one, and what a replay does.

#![expect(clippy::expect_used, reason = "a bench that can't go on says why")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nopeek::core::engine::Engine;
use nopeek::core::model::agent::{AgentMode, AgentTraits, Observation, Usage};
use nopeek::core::model::branch::WorktreeReady;
use nopeek::core::model::budget::Budget;
use nopeek::core::model::effect::{EffectKind, JobWhat};
use nopeek::core::model::event::{Command, EffectOutcome, Event};
use nopeek::core::model::fact::Entry;
use nopeek::core::model::lid::LidRule;
use nopeek::core::model::limits::Limits;
use nopeek::core::model::task::Launch;
use nopeek::values::ids::{JobId, Oid, TaskName};
use nopeek::values::time::{Span, Time};
use std::collections::HashMap;
use std::hint::black_box;
use std::path::PathBuf;

/// An engine whose every task has an agent at work, with the facts that led there.
struct Crew {
    engine: Engine,
    entries: Vec<Entry>,
    jobs: Vec<JobId>,
    now: Time,
}

fn launch(n: usize, parallel: u32) -> Launch {
    Launch {
        repo: PathBuf::from("/repo"),
        target: "main".into(),
        parallel,
        name: TaskName::from_text(&format!("task {n}")),
        prompt: "do it".into(),
        agent: AgentTraits {
            profile: "agent".into(),
            mode: AgentMode::Headless,
            idle_done: None,
            resumable: true,
            speaks: None,
        },
        limits: Limits { attempts: 3, time: Some(Span::mins(60)), silence: Some(Span::mins(15)) },
        lid: LidRule::On,
        after: Vec::new(),
        by: None,
        assignment: Default::default(),
        budget: Budget::default(),
    }
}

impl Crew {
    fn new(tasks: u32) -> Self {
        Self::with(tasks, tasks)
    }

    fn with(tasks: u32, parallel: u32) -> Self {
        let mut crew =
            Self { engine: Engine::new(), entries: Vec::new(), jobs: Vec::new(), now: Time(1_000) };
        let base = Oid::new(&"a".repeat(40)).expect("forty hex digits");
        for n in 0..tasks {
            let launch = Box::new(launch(n as usize, parallel));
            let mut todo = crew.tell(Event::Command { by: "bench".into(), command: Command::Launch(launch) });
            while let Some(effect) = todo.pop() {
                let outcome = match &effect.what {
                    EffectKind::PrepareWorktree { attempt, .. } => {
                        EffectOutcome::WorktreeReady(WorktreeReady {
                            path: PathBuf::from(format!("/worktrees/{attempt}")),
                            base: base.clone(),
                            setup: Vec::new(),
                            gates: Vec::new(),
                        })
                    }
                    EffectKind::StartJob(start) => {
                        assert!(matches!(start.what, JobWhat::Agent { .. }), "no hooks, no gates");
                        crew.jobs.push(start.job);
                        EffectOutcome::JobStarted
                    }
                    other => panic!("not expected: {}", other.label()),
                };
                todo.extend(crew.tell(Event::EffectDone { effect: effect.id, outcome }));
            }
        }
        assert_eq!(crew.engine.live_jobs().len(), tasks as usize, "every agent is at work");
        crew
    }

    /// One in ten works; the others wait: half for a free place, half for the first to land.
    fn waiting(tasks: u32) -> Self {
        let places = (tasks / 10).max(1);
        let mut crew = Self::with(places, places);
        let first = TaskName::from_text("task 0");
        for n in places..tasks {
            let after = if n % 2 == 0 { vec![first.clone()] } else { Vec::new() };
            let launch = Box::new(Launch { after, ..launch(n as usize, places) });
            let todo = crew.tell(Event::Command { by: "bench".into(), command: Command::Launch(launch) });
            assert!(todo.is_empty(), "it waits");
        }
        crew
    }

    fn tell(&mut self, event: Event) -> Vec<nopeek::core::model::effect::Effect> {
        self.now = self.now.after(Span(1));
        let step = self.engine.step(self.now, event).expect("nothing is refused");
        for fact in step.facts {
            let seq = self.entries.len() as u64 + 1;
            self.entries.push(Entry { seq, at: self.now, by: "bench".into(), fact });
        }
        step.effects
    }
}

const SIZES: [u32; 3] = [10, 100, 1_000];

fn step(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("engine/step");
    for tasks in SIZES {
        let mut crew = Crew::new(tasks);
        let job = crew.jobs[0];
        group.bench_function(BenchmarkId::new("a sign of life", tasks), |bench| {
            bench.iter(|| {
                crew.now = crew.now.after(Span(1));
                black_box(crew.engine.step(crew.now, Event::Alive(job)).is_ok())
            });
        });
        let mut tokens = 0;
        group.bench_function(BenchmarkId::new("tokens used", tasks), |bench| {
            bench.iter(|| {
                tokens += 1;
                crew.now = crew.now.after(Span(1));
                let what = Observation::Usage(Usage { tokens_in: Some(tokens), ..Usage::default() });
                black_box(crew.engine.step(crew.now, Event::Observed { job, what, read: tokens }).is_ok())
            });
        });
    }
    group.finish();
}

fn step_while_most_wait(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("engine/step while nine of ten wait");
    for tasks in SIZES {
        let mut crew = Crew::waiting(tasks);
        let job = crew.jobs[0];
        group.bench_function(BenchmarkId::from_parameter(tasks), |bench| {
            bench.iter(|| {
                crew.now = crew.now.after(Span(1));
                black_box(crew.engine.step(crew.now, Event::Alive(job)).is_ok())
            });
        });
    }
    group.finish();
}

/// All of them, from an empty board: the first works, the others wait for it, with places free.
fn launch_many(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("engine/launch that many which wait for one");
    group.sample_size(10);
    for tasks in SIZES {
        group.throughput(Throughput::Elements(u64::from(tasks)));
        group.bench_function(BenchmarkId::from_parameter(tasks), |bench| {
            bench.iter(|| {
                let mut crew = Crew::with(1, tasks);
                for n in 1..tasks {
                    let after = vec![TaskName::from_text("task 0")];
                    let launch = Box::new(Launch { after, ..launch(n as usize, tasks) });
                    crew.tell(Event::Command { by: "bench".into(), command: Command::Launch(launch) });
                }
                black_box(crew.engine.live_jobs().len())
            });
        });
    }
    group.finish();
}

fn board(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("engine/board");
    for tasks in SIZES {
        let crew = Crew::waiting(tasks);
        group.bench_function(BenchmarkId::from_parameter(tasks), |bench| {
            bench.iter(|| black_box(crew.engine.board(crew.now, &HashMap::new())));
        });
    }
    group.finish();
}

fn replay(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("engine/replay");
    for tasks in SIZES {
        let crew = Crew::new(tasks);
        group.throughput(Throughput::Elements(crew.entries.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(tasks), |bench| {
            bench.iter(|| black_box(Engine::replay(crew.entries.iter().cloned())));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = step, step_while_most_wait, launch_many, board, replay
}
criterion_main!(benches);
