//! Scrollbacks: lines far beyond a screen's own history, read again from the spool by a worker when somebody scrolls back
//! or searches.
//!
//! A job's own screen has 1,000 lines of history and goes on. A scrollback is a second screen, of what the job had printed at
//! one moment, and stands still: what is read there stays in its place while output goes on. It is under the lid as every
//! screen is. Memory: at most [`SCROLLBACKS_MAX`] of them (60 MB each), for [`KEPT`] after they were last used.

use super::event_loop::EventLoop;
use super::jobs;
use super::message::{FromWorld, Waiting};
use super::workers::{Lane, guarded};
use crate::os::clock;
use crate::screen::covered::Covered;
use crate::screen::emulator::HISTORY;
use crate::values::ids::JobId;
use crate::wire::client::{Refusal, RefusalKind};
use std::time::{Duration, Instant};

/// Most of them in memory; the longest unused goes first.
const SCROLLBACKS_MAX: usize = 2;
/// How long one is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(20);
/// For so long after a search its places are gone to.
const SEARCH_KEPT: Duration = Duration::from_secs(5);
/// One that is older, of a job that has printed since, is read anew for a search.
const FRESH: Duration = Duration::from_secs(1);

/// A second screen of a job, with many more lines.
#[derive(Debug)]
struct Scrollback {
    job: JobId,
    screen: Covered,
    /// Bytes that the job had printed when it was asked for.
    output: u64,
    made: Instant,
    used: Instant,
    /// When somebody was told places in it.
    searched: Option<Instant>,
}

/// The scrollbacks in memory, and those that are being read.
#[derive(Debug, Default)]
pub(super) struct Scrollbacks {
    held: Vec<Scrollback>,
    /// With the bytes that the job had printed by then.
    being_read: Vec<(JobId, u64)>,
}

impl Scrollbacks {
    /// A job's scrollback, if it is there.
    pub(super) fn of(&mut self, job: JobId) -> Option<&mut Covered> {
        self.held.iter_mut().find(|held| held.job == job).map(|held| &mut held.screen)
    }

    /// Somebody is told places in a job's scrollback, and may go to them.
    pub(super) fn searched(&mut self, job: JobId) {
        if let Some(held) = self.held.iter_mut().find(|held| held.job == job) {
            held.used = clock::instant();
            held.searched = Some(held.used);
        }
    }

    /// Somebody begins to scroll back, nobody else has: what the job, with `output` bytes by now, has left behind goes,
    /// unless places in it were told just now.
    pub(super) fn begin(&mut self, job: JobId, output: u64) {
        let now = clock::instant();
        self.held.retain(|held| {
            let is_searched = held.searched.is_some_and(|searched| now < searched + SEARCH_KEPT);
            held.job != job || held.output >= output || is_searched
        });
    }

    fn put(&mut self, job: JobId, screen: Covered, output: u64) {
        let now = clock::instant();
        self.held.retain(|held| held.job != job);
        if self.held.len() >= SCROLLBACKS_MAX
            && let Some(oldest) = (0..self.held.len()).min_by_key(|n| self.held[*n].used)
        {
            self.held.swap_remove(oldest);
        }
        self.held.push(Scrollback { job, screen, output, made: now, used: now, searched: None });
    }
}

impl EventLoop {
    /// Sees to it that a job's scrollback is in memory if its own screen does not hold all that may be asked of it. False: it
    /// is being read, and `ScrollbackRead` says when it is there. `anew`: one that the job has left behind is no use.
    pub(super) fn have_scrollback(&mut self, job: JobId, anew: bool) -> bool {
        let (Some(permit), Some(shared)) = (self.engine.permit(job), self.jobs.shared(job)) else {
            return true;
        };
        let output = shared.output.load(std::sync::atomic::Ordering::Relaxed);
        let is_full =
            shared.covered().look(permit).is_some_and(|screen| screen.history() as usize >= HISTORY);
        let is_live = self.is_live(job);
        if !is_live && !is_full {
            return true;
        }
        let is_read =
            self.clients.values().any(|client| client.looks.iter().any(|looking| looking.reads(job)));
        let now = clock::instant();
        let is_stale = |held: &Scrollback| held.output < output && now >= held.made + FRESH;
        if let Some(held) = self.scrollbacks.held.iter().find(|held| held.job == job)
            && !(anew && !is_read && is_stale(held))
        {
            return true;
        }
        if !self.scrollbacks.being_read.iter().any(|(other, _)| *other == job) {
            self.scrollbacks.being_read.push((job, output));
            let size = self.wished.get(&job).copied().filter(|_| !is_live);
            let (paths, world) = (self.paths.clone(), self.world.clone());
            self.workers.put(Lane::Read, move || {
                let read =
                    guarded(|| jobs::scrollback::read(&paths, job, size).map_err(|error| error.to_string()));
                let screen = read.and_then(|read| read).map(Box::new);
                world.tell(FromWorld::ScrollbackRead { job, screen });
            });
        }
        false
    }

    /// A job's scrollback has been read.
    pub(super) fn scrollback_read(&mut self, job: JobId, screen: Result<Box<Covered>, String>) {
        let at = self.scrollbacks.being_read.iter().position(|(other, _)| *other == job);
        let output = at.map_or(0, |at| self.scrollbacks.being_read.swap_remove(at).1);
        match screen {
            Ok(screen) => {
                self.scrollbacks.put(job, *screen, output);
                self.screen_changed(job);
                self.serve_waiting(job);
            }
            Err(error) => {
                tracing::warn!(%job, error, "a spool can't be read again");
                let (now, later): (Vec<Waiting>, _) =
                    std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.job == job);
                self.waiting = later;
                for Waiting { reply, .. } in now {
                    let refusal = Refusal {
                        kind: RefusalKind::Failed,
                        what: format!("what {job} printed can't be read again: {error}"),
                        remedy: "look at the data folder's disk".to_owned(),
                    };
                    reply.outbox.answer(reply.id, Err(refusal));
                }
            }
        }
    }

    /// Lets go of scrollbacks that nobody uses, or that may no longer be looked at.
    pub(super) fn forget_scrollbacks(&mut self) {
        if self.scrollbacks.held.is_empty() {
            return;
        }
        let now = clock::instant();
        let Self { scrollbacks, clients, engine, .. } = self;
        scrollbacks.held.retain_mut(|held| {
            if clients.values().any(|client| client.looks.iter().any(|looking| looking.reads(held.job))) {
                held.used = now;
            }
            engine.permit(held.job).is_some() && now < held.used + KEPT
        });
    }
}
