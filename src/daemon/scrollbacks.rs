//! Scrollbacks: lines far beyond a screen's own history, read again from the spool by a worker when somebody scrolls back
//! or searches.
//!
//! A job's own screen has 1,000 lines of history and goes on. A scrollback is a second screen, of what the job had printed
//! at one moment, and stands still: what is read there stays in its place while output goes on. It is under the lid as
//! every screen is. Memory: at most [`SCROLLBACKS_MAX`] of them (60 MB each), for [`KEPT`] after they were last used.

use super::jobs;
use super::message::FromWorld;
use super::workers::{Lane, Workers, guarded};
use crate::os::clock;
use crate::screen::covered::Covered;
use crate::values::ids::JobId;
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

    /// Whether a job's scrollback is there; with the bytes that the job has `printed` by now, one that is not too old
    /// for that.
    pub(super) fn holds(&self, job: JobId, printed: Option<u64>) -> bool {
        let now = clock::instant();
        let is_stale = |held: &Scrollback| {
            printed.is_some_and(|printed| held.output < printed && now >= held.made + FRESH)
        };
        self.held.iter().find(|held| held.job == job).is_some_and(|held| !is_stale(held))
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
    pub(super) fn drop_stale(&mut self, job: JobId, output: u64) {
        let now = clock::instant();
        self.held.retain(|held| {
            let is_searched = held.searched.is_some_and(|searched| now < searched + SEARCH_KEPT);
            held.job != job || held.output >= output || is_searched
        });
    }

    /// Has a worker read the spool of a job that has printed `output` bytes, unless one does; wrapped for `size`, if given.
    pub(super) fn begin_reading(
        &mut self,
        job: JobId,
        output: u64,
        size: Option<(u16, u16)>,
        workers: &mut Workers,
    ) {
        if self.being_read.iter().any(|(other, _)| *other == job) {
            return;
        }
        self.being_read.push((job, output));
        workers.tell(Lane::Read, move |paths| {
            let read =
                guarded(|| jobs::scrollback::read(paths, job, size).map_err(|error| error.to_string()));
            let screen = read.and_then(|read| read).map(Box::new);
            FromWorld::ScrollbackRead { job, screen }
        });
    }

    /// A worker has read a job's spool, or says why not.
    pub(super) fn arrived(&mut self, job: JobId, screen: Result<Box<Covered>, String>) -> Result<(), String> {
        let at = self.being_read.iter().position(|(other, _)| *other == job);
        let output = at.map_or(0, |at| self.being_read.swap_remove(at).1);
        self.put(job, *screen?, output);
        Ok(())
    }

    /// Lets go of those that nobody has used for a while, or whose job may no longer be looked at.
    pub(super) fn forget_unused(
        &mut self,
        is_read: impl Fn(JobId) -> bool,
        may_look: impl Fn(JobId) -> bool,
    ) {
        if self.held.is_empty() {
            return;
        }
        let now = clock::instant();
        self.held.retain_mut(|held| {
            if is_read(held.job) {
                held.used = now;
            }
            may_look(held.job) && now < held.used + KEPT
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::emulator::Emulator;

    fn screen(job: JobId) -> Result<Box<Covered>, String> {
        Ok(Box::new(Covered::new(job, Emulator::new(2, 10))))
    }

    #[test]
    fn memory_is_bounded_and_a_covered_job_has_no_scrollback() {
        let mut scrollbacks = Scrollbacks::default();
        for job in (0..10).map(JobId) {
            scrollbacks.arrived(job, screen(job)).unwrap();
        }
        assert_eq!(scrollbacks.held.len(), SCROLLBACKS_MAX);
        scrollbacks.forget_unused(|_| true, |job| job == JobId(9));
        assert!(scrollbacks.holds(JobId(9), None) && scrollbacks.held.len() == 1);
    }

    #[test]
    fn one_that_the_job_has_left_behind_goes_but_not_just_after_a_search() {
        let mut scrollbacks = Scrollbacks::default();
        scrollbacks.being_read.push((JobId(1), 50));
        scrollbacks.arrived(JobId(1), screen(JobId(1))).unwrap();
        scrollbacks.drop_stale(JobId(1), 50);
        assert!(scrollbacks.holds(JobId(1), Some(60)), "it is fresh");
        scrollbacks.searched(JobId(1));
        scrollbacks.drop_stale(JobId(1), 60);
        assert!(scrollbacks.holds(JobId(1), None), "its places may be gone to");
        scrollbacks.held[0].searched = None;
        scrollbacks.drop_stale(JobId(1), 60);
        assert!(!scrollbacks.holds(JobId(1), None));
    }
}
