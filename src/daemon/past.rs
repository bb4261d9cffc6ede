//! The past of screens: scrollback far beyond a screen's own history, read again from the spool by a worker when somebody
//! scrolls back or searches.
//!
//! A job's own screen has 1,000 lines of history and goes on. A past is a second screen, of what the job had printed at
//! one moment, and stands still: what is read there stays in its place while output goes on. It is under the lid as every
//! screen is. Memory: at most [`PASTS_MAX`] of them (60 MB each), for [`KEPT`] after they were last used.

use super::jobs;
use super::message::{FromWorld, Waiting};
use super::shell::Shell;
use super::workers::{Lane, guarded};
use crate::os::clock;
use crate::screen::covered::Covered;
use crate::screen::emulator::HISTORY;
use crate::values::ids::JobId;
use crate::wire::client::{Refusal, RefusalKind};
use std::time::{Duration, Instant};

/// Most pasts in memory; the longest unused goes first.
const PASTS_MAX: usize = 2;
/// How long one is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(20);
/// For so long after a search its places are gone to.
const TOLD: Duration = Duration::from_secs(5);
/// One that is older, of a job that has printed since, is read anew for a search.
const FRESH: Duration = Duration::from_secs(1);

/// A past.
#[derive(Debug)]
struct Past {
    job: JobId,
    screen: Covered,
    /// Bytes that the job had printed when it was asked for.
    output: u64,
    made: Instant,
    used: Instant,
    /// When somebody was told places in it.
    searched: Option<Instant>,
}

/// The pasts in memory, and those that are being read.
#[derive(Debug, Default)]
pub(super) struct Pasts {
    held: Vec<Past>,
    /// With the bytes that the job had printed by then.
    being_read: Vec<(JobId, u64)>,
}

impl Pasts {
    /// A job's past, if it is there.
    pub(super) fn of(&mut self, job: JobId) -> Option<&mut Covered> {
        self.held.iter_mut().find(|past| past.job == job).map(|past| &mut past.screen)
    }

    /// Somebody is told places in a job's past, and may go to them.
    pub(super) fn searched(&mut self, job: JobId) {
        if let Some(past) = self.held.iter_mut().find(|past| past.job == job) {
            past.used = clock::instant();
            past.searched = Some(past.used);
        }
    }

    /// Somebody begins to scroll back, nobody else has: what the job, with `output` bytes by now, has left behind goes,
    /// unless places in it were told just now.
    pub(super) fn begin(&mut self, job: JobId, output: u64) {
        let now = clock::instant();
        self.held.retain(|past| {
            let told = past.searched.is_some_and(|searched| now < searched + TOLD);
            past.job != job || past.output >= output || told
        });
    }

    fn put(&mut self, job: JobId, screen: Covered, output: u64) {
        let now = clock::instant();
        self.held.retain(|past| past.job != job);
        if self.held.len() >= PASTS_MAX
            && let Some(oldest) = (0..self.held.len()).min_by_key(|n| self.held[*n].used)
        {
            self.held.swap_remove(oldest);
        }
        self.held.push(Past { job, screen, output, made: now, used: now, searched: None });
    }
}

impl Shell {
    /// Sees to it that a job's past is in memory if its own screen does not hold all that may be asked of it. False: it
    /// is being read, and `Dug` will say when it is there. `anew`: one that the job has left behind is no use.
    pub(super) fn dig(&mut self, job: JobId, anew: bool) -> bool {
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
        let is_stale = |past: &Past| past.output < output && now >= past.made + FRESH;
        if let Some(past) = self.pasts.held.iter().find(|past| past.job == job)
            && !(anew && !is_read && is_stale(past))
        {
            return true;
        }
        if !self.pasts.being_read.iter().any(|(other, _)| *other == job) {
            self.pasts.being_read.push((job, output));
            let size = self.wished.get(&job).copied().filter(|_| !is_live);
            let (paths, world) = (self.paths.clone(), self.world.clone());
            self.workers.put(Lane::Read, move || {
                let read = guarded(|| jobs::past::read(&paths, job, size).map_err(|error| error.to_string()));
                let screen = read.and_then(|read| read).map(Box::new);
                world.tell(FromWorld::Dug { job, screen });
            });
        }
        false
    }

    /// A job's past has been read.
    pub(super) fn dug(&mut self, job: JobId, screen: Result<Box<Covered>, String>) {
        let at = self.pasts.being_read.iter().position(|(other, _)| *other == job);
        let output = at.map_or(0, |at| self.pasts.being_read.swap_remove(at).1);
        match screen {
            Ok(screen) => {
                self.pasts.put(job, *screen, output);
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

    /// Lets go of pasts that nobody uses, or that may no longer be looked at.
    pub(super) fn forget_pasts(&mut self) {
        if self.pasts.held.is_empty() {
            return;
        }
        let now = clock::instant();
        let Self { pasts, clients, engine, .. } = self;
        pasts.held.retain_mut(|past| {
            if clients.values().any(|client| client.looks.iter().any(|looking| looking.reads(past.job))) {
                past.used = now;
            }
            engine.permit(past.job).is_some() && now < past.used + KEPT
        });
    }
}
