//! Jobs: a thread for each, which talks to its keeper, reads its spool and keeps its screen under the lid.
//!
//! The loop holds a [`Job`] for each and gives it [`Order`]s; nothing here blocks the loop. A job's output never
//! reaches the loop: only what it means does (asked, rang, exited), and that a looked-at screen has changed.

mod begin;
mod coalesce;
mod files;
mod line;
mod output_tail;
mod plan;
pub(super) mod scrollback;
mod sizes;
mod spool;
#[cfg(test)]
mod tests;
mod thread;
mod typist;
pub(super) mod unknown;

use super::message::World;
use crate::core::model::agent::{AgentState, Source};
use crate::core::model::effect::JobStart;
use crate::core::model::event::Answer;
use crate::core::views::job::JobKind;
use crate::os::clock::Clock;
use crate::os::paths::Paths;
use crate::screen::covered::Covered;
use crate::screen::emulator::Emulator;
use crate::values::ids::{EffectId, JobId};
use crate::values::time::Span;
use crate::wire::input::Input;
use rustix::fd::OwnedFd;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

/// The size of a job's terminal until a client that looks says otherwise.
pub(super) const ROWS: u16 = 50;
/// See [`ROWS`].
pub(super) const COLS: u16 = 160;
/// Ended jobs whose screens are kept in memory; the longest unseen goes first and is read again when asked for.
const ENDED_MAX: usize = 12;

/// What kind of process a job is, as far as its thread cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An agent: listened to, its output is nobody's business.
    Agent,
    /// A gate: its last lines and its tests are read at the end.
    Gate,
    /// A set-up hook: its last lines are read at the end.
    Setup,
}

impl From<JobKind> for Kind {
    fn from(kind: JobKind) -> Self {
        match kind {
            JobKind::Agent => Self::Agent,
            JobKind::Setup => Self::Setup,
            JobKind::Gate => Self::Gate,
        }
    }
}

/// What the loop tells a job's thread.
#[derive(Debug)]
pub(super) enum Order {
    /// Freeze the tree, then answer the effect.
    Freeze(EffectId),
    /// Thaw it, then answer.
    Thaw(EffectId),
    /// End it, then answer.
    End { effect: EffectId, grace: Span },
    /// Type an answer, then answer.
    Type { effect: EffectId, answer: Answer },
    /// Keys of a person.
    Input(Input),
    /// Another size of the terminal.
    Resize { rows: u16, cols: u16 },
}

/// How a job's thread begins.
#[derive(Debug)]
pub(super) enum Begin {
    /// Start it, or find it if it was started before; the effect is answered.
    Start { effect: EffectId, start: Box<JobStart> },
    /// It was started earlier: find it again. The engine knows this state of its agent, from so much output.
    Attach(Kind, Option<(Source, AgentState, u64)>),
    /// It has ended, and the engine knows: only read its screen.
    Load(Kind),
}

/// What the loop and a job's thread share.
#[derive(Debug)]
pub(super) struct Shared {
    covered: Mutex<Covered>,
    /// Bytes of output so far.
    pub(super) output: AtomicU64,
    /// When it last gave output, in the clock's milliseconds; 0 if it never did.
    pub(super) last_output: AtomicU64,
    /// Somebody looks: tell the loop when the screen changes.
    watched: AtomicBool,
    /// The loop was notified of a change and has not looked since.
    notified: AtomicBool,
    /// How often the screen has changed.
    printed: AtomicU64,
    /// All that will ever be on the screen is there.
    complete: AtomicBool,
}

impl Shared {
    fn new(job: JobId) -> Self {
        Self {
            covered: Mutex::new(Covered::new(job, Emulator::new(ROWS, COLS))),
            output: AtomicU64::new(0),
            last_output: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            notified: AtomicBool::new(false),
            printed: AtomicU64::new(0),
            complete: AtomicBool::new(false),
        }
    }

    /// How often the screen has changed.
    pub(super) fn printed(&self) -> u64 {
        self.printed.load(Ordering::Acquire)
    }

    /// The screen was looked at: the loop is notified of its next change.
    pub(super) fn looked(&self) {
        self.notified.store(false, Ordering::Release);
    }

    /// The screen has changed. True: the loop is to be notified.
    fn changed(&self) -> bool {
        self.printed.fetch_add(1, Ordering::AcqRel);
        self.watched.load(Ordering::Acquire) && !self.notified.swap(true, Ordering::AcqRel)
    }

    /// The screen, under its lid.
    pub(super) fn covered(&self) -> MutexGuard<'_, Covered> {
        self.covered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop's hold on a job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    waker: Arc<OwnedFd>,
    /// The loop knows that it has ended: its thread takes no orders.
    ended: bool,
    /// A counter that is larger the later the job was last looked at.
    seen: u64,
}

impl Job {
    /// Gives an order. False: its thread has ended.
    fn order(&self, order: Order) -> bool {
        let sent = !self.ended && self.orders.send(order).is_ok();
        wake(&self.waker);
        sent
    }
}

fn wake(waker: &OwnedFd) {
    // A full counter wakes as well; nothing else can fail on an eventfd that is ours.
    let _ = rustix::io::write(waker, &1_u64.to_ne_bytes());
}

/// All jobs that have a thread or a screen in memory.
#[derive(Debug)]
pub(super) struct Jobs {
    paths: Paths,
    program: PathBuf,
    clock: Arc<Clock>,
    world: World,
    jobs: HashMap<JobId, Job>,
    looks: u64,
}

impl Jobs {
    pub(super) fn new(paths: Paths, program: PathBuf, clock: Arc<Clock>, world: World) -> Self {
        Self { paths, program, clock, world, jobs: HashMap::new(), looks: 0 }
    }

    /// Starts, finds or loads a job. A job that has a thread already is left as it is.
    pub(super) fn begin(&mut self, job: JobId, begin: Begin) -> io::Result<()> {
        if self.jobs.contains_key(&job) {
            if let Begin::Start { effect, .. } = begin {
                let world = self.world.clone();
                // Told from another thread: the loop must not wait for its own queue.
                std::thread::spawn(move || world.event(thread::started(effect)));
            }
            return Ok(());
        }
        self.evict();
        let shared = Arc::new(Shared::new(job));
        let (orders, receiver) = mpsc::channel();
        let waker = Arc::new(rustix::event::eventfd(
            0,
            rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK,
        )?);
        let thread = thread::Thread::new(
            job,
            &self.paths,
            self.program.clone(),
            Arc::clone(&self.clock),
            self.world.clone(),
            Arc::clone(&shared),
            receiver,
            Arc::clone(&waker),
        );
        std::thread::Builder::new().name(format!("job {job}")).spawn(move || thread.run(begin))?;
        self.jobs.insert(job, Job { shared, orders, waker, ended: false, seen: self.looks });
        Ok(())
    }

    /// What is shared with a job's thread.
    pub(super) fn shared(&self, job: JobId) -> Option<&Arc<Shared>> {
        self.jobs.get(&job).map(|job| &job.shared)
    }

    /// Gives an order. False: there is no such thread (any more).
    pub(super) fn order(&self, job: JobId, order: Order) -> bool {
        self.jobs.get(&job).is_some_and(|job| job.order(order))
    }

    /// The engine hears now that the job has ended.
    pub(super) fn ended(&mut self, job: JobId) {
        if let Some(job) = self.jobs.get_mut(&job) {
            job.ended = true;
        }
    }

    /// Somebody looks at the job, or nobody does any more.
    pub(super) fn watch(&mut self, job: JobId, watched: bool) {
        self.looks += 1;
        if let Some(job) = self.jobs.get_mut(&job) {
            job.seen = self.looks;
            let was = job.shared.watched.swap(watched, Ordering::AcqRel);
            if watched && !was {
                wake(&job.waker);
            }
        }
    }

    /// Whether the job's screen is in memory and stays as it is.
    pub(super) fn is_complete(&self, job: JobId) -> bool {
        self.jobs.get(&job).is_some_and(|job| job.shared.complete.load(Ordering::Acquire))
    }

    /// All jobs in memory with what is shared.
    pub(super) fn all(&self) -> impl Iterator<Item = (JobId, &Arc<Shared>)> {
        self.jobs.iter().map(|(job, held)| (*job, &held.shared))
    }

    fn evict(&mut self) {
        let mut ended: Vec<(u64, JobId)> = self
            .jobs
            .iter()
            .filter(|(_, job)| {
                job.shared.complete.load(Ordering::Acquire) && !job.shared.watched.load(Ordering::Acquire)
            })
            .map(|(id, job)| (job.seen, *id))
            .collect();
        ended.sort_unstable();
        for (_, job) in ended.iter().take(ended.len().saturating_sub(ENDED_MAX)) {
            self.jobs.remove(job);
        }
    }
}
