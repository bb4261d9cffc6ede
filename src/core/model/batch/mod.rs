//! A batch: one scheduled cycle of supervise, build, maintain, test, report; and the queue of dropped specs that it builds.
//!
//! Owns what a schedule is and what is known of a repo's batches. The lock is the state itself: a repo has at most one open
//! batch, which a daemon that died goes on with after its restart, so that no holder can be dead. The rules are in
//! [`rules`] (when a batch opens, what each of its phases does, when it is over) and [`queue`] (what was dropped).

pub mod fact;

use crate::core::model::agent::AgentTraits;
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::spec::SpecOrder;
use crate::values::cron::{Cron, Zone};
use crate::values::ids::{SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Stopwatch, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where dropped specs wait where a repo does not say.
pub const QUEUE: &str = "specs/*/next";

/// The file in which a supervisor orders what waits.
pub const PRIORITIES: &str = "specs/priorities.txt";

/// A batch that begins so much after it was due is one that was missed.
pub const LATE: Span = Span::mins(5);

/// Most due times that are counted as missed one by one.
pub(in crate::core) const MISSED_MAX: u32 = 10_000;

/// A part of a batch, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchPhase {
    /// An agent reads what the last batch came to, and sets priorities.
    Supervise,
    /// Specs of the queue are built.
    Build,
    /// An agent keeps the repo in order.
    Maintain,
    /// All gates of the target's head.
    Test,
    /// A report is written.
    Report,
}

impl BatchPhase {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Supervise, Self::Build, Self::Maintain, Self::Test, Self::Report];

    /// The word in config, on screens and in task names.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Supervise => "supervise",
            Self::Build => "build",
            Self::Maintain => "maintain",
            Self::Test => "test",
            Self::Report => "report",
        }
    }
}

/// What a schedule says of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stint {
    /// Who does it; none: nopeek itself.
    pub agent: Option<AgentTraits>,
    /// Its hard limit; the machine's sleep does not count.
    pub time: Span,
}

/// What is done about batches that were due while none could begin: the machine was off, or one was under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// One batch makes up for all of them.
    #[default]
    One,
    /// They are left out.
    Skip,
}

/// When a repo's batches are due and what they do, all config resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The repo's main checkout, canonical.
    pub repo: PathBuf,
    /// When; none: only when somebody says so.
    pub cron: Option<Cron>,
    /// The clock that it means.
    pub zone: Zone,
    /// What is done about those that were missed.
    pub catch_up: CatchUp,
    /// The phases that a batch has.
    pub phases: BTreeMap<BatchPhase, Stint>,
    /// Folders in which dropped specs wait, from the repo's root; a part may be `*`.
    pub queue: String,
    /// How specs of the queue are made; name and goal are theirs.
    pub order: SpecOrder,
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchCommand {
    /// Batches by this schedule from now on.
    On(Box<Schedule>),
    /// No batch begins by itself any more; an open one goes on.
    Off(PathBuf),
    /// A batch now.
    Run(Box<Schedule>),
    /// Ends the open batch of a repo; what it builds goes on in the next.
    Stop(PathBuf),
    /// Builds what waits in the queue now, without a batch.
    Queue(Box<Schedule>),
    /// The same whenever something is dropped, from now on.
    Watch(Box<Schedule>),
    /// No more.
    Unwatch(PathBuf),
    /// Something was dropped into a queue that is watched.
    Look(PathBuf),
}

/// How a phase came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseOutcome {
    /// It did what it is for.
    Done,
    /// Its time was up.
    TimedOut,
    /// There was nothing to do.
    Skipped,
    /// It could not do what it is for.
    Failed,
    /// A person ended the batch.
    Stopped,
}

impl PhaseOutcome {
    /// The word on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::TimedOut => "timed out",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Where a dropped file lies: the folder beside `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It waits.
    Next,
    /// It is being built.
    Doing,
    /// All of it has landed.
    Done,
    /// It can't be built, or was given up.
    Failed,
}

impl Place {
    /// The folder's name.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A file of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The folder that it lies in, from the repo's root.
    pub folder: String,
    /// Its name there.
    pub file: String,
    /// What it says.
    pub text: String,
    /// Why it can't be read; none: it was.
    pub wrong: Option<Shown>,
}

/// What a look at the queue has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Files that may be taken, by folder and name.
    pub dropped: Vec<Dropped>,
    /// Names in the order of the supervisor, most important first.
    pub priorities: Vec<String>,
    /// Files that git tracks: to move one would be a change of the checkout, so they are left alone.
    pub tracked: Vec<String>,
}

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
    /// When and what.
    pub schedule: Schedule,
    /// Batches begin by themselves.
    pub on: bool,
    /// All that was due up to here is dealt with.
    pub counted: Time,
    /// What is dropped is built at once.
    pub watched: bool,
    /// Files that waited when the queue was last looked at.
    pub waiting: Vec<String>,
    /// The open batch.
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
    /// Its number.
    pub id: u64,
    /// When it was due.
    pub due: Option<Time>,
    /// When it began.
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

/// A phase under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub phase: BatchPhase,
    /// Its hard limit.
    pub limit: Span,
    /// How long it has been under way, the machine's sleep not counted.
    pub watch: Stopwatch,
    /// The queue was looked at for it.
    pub looked: bool,
    /// Nothing of what waits can be taken in this phase.
    pub dry: bool,
    /// The task that does it.
    pub task: Option<TaskId>,
}

/// A file of the queue that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The repo.
    pub repo: PathBuf,
    /// The folder in which it lay.
    pub folder: String,
    /// Its name.
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
                batch.running = Some(Running {
                    phase: *phase,
                    limit: *limit,
                    watch,
                    looked: false,
                    dry: false,
                    task: None,
                });
            }),
            BatchFact::Looked { repo, batch, waiting, dry } => {
                self.with(repo, |of| of.waiting.clone_from(waiting));
                if batch.is_some() {
                    self.with_running(repo, |running| {
                        running.looked = true;
                        running.dry = *dry;
                    });
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
