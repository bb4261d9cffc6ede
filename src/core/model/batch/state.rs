//! Batches' part of the state: schedules, the open batch of each repo, and files of the queue that are being built.
//!
//! The lock is the state itself: a repo has at most one open batch, which a daemon that died goes on with after its restart,
//! so that no holder can be dead.

use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::{BatchPhase, PhaseOutcome, Place, Schedule};
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Stopwatch, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    /// Repos that have a schedule, by their main checkout.
    pub repos: BTreeMap<PathBuf, Scheduled>,
    /// Files of the queue that are being built, by their spec.
    pub taken: BTreeMap<SpecId, Taken>,
    /// Highest number ever used.
    pub last: u64,
}

/// What is known of a repo's batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    pub schedule: Schedule,
    /// Batches begin by themselves.
    pub on: bool,
    /// All that was due up to here is dealt with.
    pub counted: Time,
    /// What is dropped is built at once.
    pub watched: bool,
    /// Files that waited when the queue was last looked at.
    pub waiting: Vec<String>,
    pub open: Option<Batch>,
    /// The last that is over: its number, when it ended, what it came to.
    pub last: Option<(u64, Time, Vec<Shown>)>,
    /// Specs that the next batch goes on with, each with its tasks that were stopped for that.
    pub left: BTreeMap<SpecId, Vec<TaskId>>,
    /// What batches that are over have left on the board: tasks and specs, by batch.
    pub past: BTreeMap<u64, (BTreeSet<TaskId>, BTreeSet<SpecId>)>,
}

/// A batch under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: u64,
    /// When it was due.
    pub due: Option<Time>,
    pub opened: Time,
    /// The phase that is under way.
    pub running: Option<Running>,
    /// Those that are over.
    pub over: Vec<(BatchPhase, PhaseOutcome, Shown)>,
    /// Its tasks, with the phase in which they began.
    pub tasks: BTreeMap<TaskId, BatchPhase>,
    /// Specs that it builds.
    pub specs: BTreeSet<SpecId>,
    /// Files that it could not take.
    pub refused: BTreeSet<String>,
    /// Where its report was written to.
    pub report: Option<Shown>,
    /// A person ended it.
    pub stopped: bool,
}

/// How far the queue was read for a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// It was not read yet.
    NotYet,
    Done,
    /// It was read, and nothing of what waits can be taken in this phase.
    Dry,
}

/// A phase under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub phase: BatchPhase,
    pub limit: Span,
    /// How long it has been under way, the machine's sleep not counted.
    pub watch: Stopwatch,
    /// What the queue was found to hold for it.
    pub scan: Scan,
    /// The task that does it.
    pub task: Option<TaskId>,
}

/// A file of the queue that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub repo: PathBuf,
    /// The folder in which it lay.
    pub folder: String,
    pub file: String,
    /// Where it belongs now.
    pub place: Place,
}

impl Batches {
    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, at: Time, fact: &BatchFact) {
        match fact {
            BatchFact::Scheduled { schedule } => self.scheduled(at, schedule),
            BatchFact::Switched { repo, on } => self.with(repo, |of| {
                of.on = *on;
                of.counted = at;
            }),
            BatchFact::Watched { repo, on } => self.with(repo, |of| of.watched = *on),
            BatchFact::Opened { repo, batch, due } => {
                self.last = self.last.max(*batch);
                self.with(repo, |of| {
                    of.counted = due.map_or(of.counted, |due| due.max(of.counted));
                    of.open = Some(Batch::new(*batch, *due, at));
                });
            }
            BatchFact::Missed { repo, until, .. } => {
                self.with(repo, |of| of.counted = of.counted.max(*until));
            }
            BatchFact::PhaseBegan { repo, phase, limit, .. } => self.with_open(repo, |batch| {
                let watch = Stopwatch::started(at);
                batch.running =
                    Some(Running { phase: *phase, limit: *limit, watch, scan: Scan::NotYet, task: None });
            }),
            BatchFact::Looked { repo, batch, waiting, dry } => {
                self.with(repo, |of| of.waiting.clone_from(waiting));
                if batch.is_some() {
                    let scan = if *dry { Scan::Dry } else { Scan::Done };
                    self.with_running(repo, |running| running.scan = scan);
                }
            }
            BatchFact::Taken { repo, batch, spec, folder, file } => {
                let (folder, file) = (folder.clone(), file.clone());
                self.taken.insert(*spec, Taken { repo: repo.clone(), folder, file, place: Place::Doing });
                if batch.is_some() {
                    self.with_open(repo, |open| {
                        open.specs.insert(*spec);
                    });
                }
            }
            BatchFact::Refused { repo, batch, folder, file, .. } => {
                if batch.is_some() {
                    self.with_open(repo, |open| {
                        open.refused.insert(format!("{folder}/{file}"));
                    });
                }
            }
            BatchFact::Moved { spec, to } => match to {
                Place::Next | Place::Doing => {
                    if let Some(taken) = self.taken.get_mut(spec) {
                        taken.place = *to;
                    }
                }
                Place::Done | Place::Failed => {
                    self.taken.remove(spec);
                }
            },
            BatchFact::Tasked { repo, phase, task, chore, .. } => self.with_open(repo, |batch| {
                batch.tasks.insert(*task, *phase);
                if let Some(running) = batch.running.as_mut().filter(|_| *chore) {
                    running.task = Some(*task);
                }
            }),
            BatchFact::Left { repo, spec, tasks, .. } => self.with(repo, |of| {
                of.left.insert(*spec, tasks.clone());
            }),
            BatchFact::WentOn { repo, spec, .. } => self.with(repo, |of| {
                of.left.remove(spec);
                if let Some(batch) = &mut of.open {
                    batch.specs.insert(*spec);
                }
            }),
            BatchFact::Reported { repo, file, .. } => {
                self.with_open(repo, |batch| batch.report = Some(file.clone()));
            }
            BatchFact::PhaseOver { repo, phase, outcome, why, .. } => self.with_open(repo, |batch| {
                batch.running = None;
                batch.stopped |= *outcome == PhaseOutcome::Stopped;
                batch.over.push((*phase, *outcome, why.clone()));
            }),
            BatchFact::Closed { repo, batch, lines } => self.with(repo, |of| {
                if let Some(open) = of.open.take() {
                    of.past.insert(open.id, (open.tasks.into_keys().collect(), open.specs));
                }
                of.last = Some((*batch, at, lines.clone()));
            }),
        }
    }

    fn scheduled(&mut self, at: Time, schedule: &Schedule) {
        if let Some(of) = self.repos.get_mut(&schedule.repo) {
            // Another rhythm counts from now on.
            if of.schedule.cron != schedule.cron {
                of.counted = at;
            }
            of.schedule = schedule.clone();
            return;
        }
        let new = Scheduled {
            schedule: schedule.clone(),
            on: false,
            counted: at,
            watched: false,
            waiting: Vec::new(),
            open: None,
            last: None,
            left: BTreeMap::new(),
            past: BTreeMap::new(),
        };
        self.repos.insert(schedule.repo.clone(), new);
    }

    /// The machine slept: the limits of phases stood still.
    pub(in crate::core) fn slept(&mut self, span: Span) {
        for running in self.repos.values_mut().filter_map(|of| of.open.as_mut()?.running.as_mut()) {
            running.watch.skip(span);
        }
    }

    /// A task or a spec is off the board.
    pub(in crate::core) fn gone(&mut self, task: Option<TaskId>, spec: Option<SpecId>) {
        for of in self.repos.values_mut() {
            for (tasks, specs) in of.past.values_mut() {
                tasks.retain(|other| Some(*other) != task);
                specs.retain(|other| Some(*other) != spec);
            }
            of.past.retain(|_, (tasks, specs)| !tasks.is_empty() || !specs.is_empty());
            of.left.retain(|other, _| Some(*other) != spec);
        }
    }

    fn with(&mut self, repo: &Path, change: impl FnOnce(&mut Scheduled)) {
        if let Some(of) = self.repos.get_mut(repo) {
            change(of);
        }
    }

    fn with_open(&mut self, repo: &Path, change: impl FnOnce(&mut Batch)) {
        if let Some(batch) = self.repos.get_mut(repo).and_then(|of| of.open.as_mut()) {
            change(batch);
        }
    }

    fn with_running(&mut self, repo: &Path, change: impl FnOnce(&mut Running)) {
        self.with_open(repo, |batch| {
            if let Some(running) = &mut batch.running {
                change(running);
            }
        });
    }
}

impl Batch {
    const fn new(id: u64, due: Option<Time>, opened: Time) -> Self {
        Self {
            id,
            due,
            opened,
            running: None,
            over: Vec::new(),
            tasks: BTreeMap::new(),
            specs: BTreeSet::new(),
            refused: BTreeSet::new(),
            report: None,
            stopped: false,
        }
    }
}
