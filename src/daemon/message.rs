//! What reaches the loop: from the world (jobs, workers) and from people (sessions).
//!
//! Two queues, both bounded: while the ledger can't be written the world waits in its queue, and people are still
//! answered.

use super::batches::ResolvedSchedule;
use super::benches::ResolvedBench;
use super::launch::Resolved;
use super::outbox::Outbox;
use super::queues::Seen;
use super::specs::ResolvedSpec;
use crate::core::model::diff::DiffStat;
use crate::core::model::event::{Command, Event};
use crate::screen::covered::Covered;
use crate::store::backup::Failure;
use crate::values::ids::JobId;
use crate::wire::client::{Refusal, Reply, ToDaemon};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Messages that may wait from jobs and workers; a full queue makes them wait, and the keepers spool on.
pub(super) const WORLD_MAX: usize = 1_024;
/// Messages that may wait from clients; a full queue makes their sockets wait.
pub(super) const PEOPLE_MAX: usize = 256;

/// A connected client, numbered from 1; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientId(pub(super) u64);

/// Where the answer of a request goes.
#[derive(Clone, Debug)]
pub(super) struct ReplyTo {
    pub(super) outbox: Arc<Outbox>,
    pub(super) id: u64,
    /// Who asked, for the ledger.
    pub(super) who: String,
}

impl ReplyTo {
    /// Answers; never waits. To be called once.
    pub(super) fn answer(&self, result: Result<Reply, Refusal>) {
        self.outbox.answer(self.id, result);
    }

    /// With the outbox that it goes to.
    #[cfg(test)]
    pub(super) fn of_test() -> (Self, Arc<Outbox>) {
        let outbox = Outbox::new();
        (Self { outbox: Arc::clone(&outbox), id: 1, who: "ada".to_owned() }, outbox)
    }
}

/// From jobs and workers.
#[derive(Debug)]
pub(super) enum FromWorld {
    /// Something for the engine.
    Event(Event),
    /// A job that is looked at has a new picture.
    Screen(JobId),
    /// An ended job's screen has been read from its spool.
    Loaded(JobId),
    /// A job's scrollback was read from its spool, or why not.
    ScrollbackRead { job: JobId, screen: Result<Box<Covered>, String> },
    /// What an attempt's worktree holds by now: commits and size of the diff; none if it can't be read.
    Measured { job: JobId, found: Option<(u32, DiffStat)> },
    /// A request to run tasks was looked up, all of it or nothing.
    Resolved { reply: ReplyTo, result: Result<Vec<Resolved>, Refusal> },
    /// Who votes on a question was looked up.
    Voting { reply: ReplyTo, result: Result<Box<Command>, Refusal> },
    /// A request for a schedule or the queue was looked up.
    ScheduleResolved { reply: ReplyTo, result: Box<Result<ResolvedSchedule, Refusal>> },
    /// A watched queue was glanced at: what lies in it.
    Glanced { repo: PathBuf, seen: Seen },
    /// A request for a spec was looked up.
    SpecResolved { reply: ReplyTo, result: Box<Result<ResolvedSpec, Refusal>> },
    /// The back-up of the day was made, or why not.
    BackedUp(Option<Failure>),
    /// A bench that was looked up may be opened.
    BenchResolved { reply: ReplyTo, result: Box<Result<ResolvedBench, Refusal>> },
}

/// From sessions.
#[derive(Debug)]
pub(super) enum FromPeople {
    /// A client said hello.
    Joined {
        client: ClientId,
        outbox: Arc<Outbox>,
        who: String,
    },
    /// It said something more.
    Said {
        client: ClientId,
        message: ToDaemon,
    },
    Left(ClientId),
}

/// The world's way to the loop, for threads.
#[derive(Clone, Debug)]
pub(super) struct World(mpsc::Sender<FromWorld>);

impl World {
    pub(super) fn new() -> (Self, mpsc::Receiver<FromWorld>) {
        let (sender, receiver) = mpsc::channel(WORLD_MAX);
        (Self(sender), receiver)
    }

    /// Hands `message` over, waiting while the queue is full. False: the daemon is ending.
    /// Never called from the loop's own thread.
    pub(super) fn tell(&self, message: FromWorld) -> bool {
        self.0.blocking_send(message).is_ok()
    }

    /// As [`World::tell`], for an event.
    pub(super) fn event(&self, event: Event) -> bool {
        self.tell(FromWorld::Event(event))
    }
}
