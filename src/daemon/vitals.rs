//! What is measured of jobs between facts: output, rate, commits, size of the diff.
//!
//! Output is counted by the jobs' threads; git is asked by one worker, one worktree at a time, seldom enough to cost
//! next to nothing. Numbers and times only, never content.

use super::jobs::Jobs;
use crate::core::model::diff::DiffStat;
use crate::core::views::board::Measured;
use crate::values::ids::JobId;
use crate::values::time::Time;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One worktree is measured at most this often while somebody watches the board.
const WATCHED: Duration = Duration::from_secs(5);
/// And this often while nobody does.
const UNWATCHED: Duration = Duration::from_secs(30);
/// AfterCommit a measurement git is left alone for this many times as long as it took.
const SHARE: u32 = 10;
/// Rates are taken over at least this long.
const RATE_OVER: Duration = Duration::from_secs(2);

/// All measurements.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    held: HashMap<JobId, Held>,
    busy: Option<(JobId, Instant)>,
    free_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    commits: u32,
    diffstat: DiffStat,
    measured_at: Option<Instant>,
    measured_output: u64,
    sample: Option<(Instant, u64)>,
    rate: u64,
}

impl Vitals {
    /// What is known of all jobs in memory.
    pub(super) fn measured(&mut self, jobs: &Jobs, now: Instant) -> HashMap<JobId, Measured> {
        let mut all: HashMap<JobId, Measured> = self
            .held
            .iter()
            .map(|(job, held)| {
                (*job, Measured { commits: held.commits, diffstat: held.diffstat, ..Measured::default() })
            })
            .collect();
        for (job, shared) in jobs.all() {
            let output = shared.output.load(Ordering::Relaxed);
            let last = shared.last_output.load(Ordering::Relaxed);
            let held = self.held.entry(job).or_default();
            let measured = all.entry(job).or_default();
            measured.output = output;
            measured.last_output = (last > 0).then_some(Time(last));
            measured.rate = held.rate(output, now);
        }
        all
    }

    /// The job whose worktree is to be measured now, if any. Answered by [`Vitals::found`].
    pub(super) fn next(&mut self, live: &[JobId], jobs: &Jobs, watched: bool, now: Instant) -> Option<JobId> {
        if self.busy.is_some() || self.free_at.is_some_and(|at| now < at) {
            return None;
        }
        let apart = if watched { WATCHED } else { UNWATCHED };
        let job = live
            .iter()
            .copied()
            .filter(|job| {
                let Some(shared) = jobs.shared(*job) else { return false };
                let held = self.held.get(job).copied().unwrap_or_default();
                shared.output.load(Ordering::Relaxed) != held.measured_output
                    && held.measured_at.is_none_or(|at| now.duration_since(at) >= apart)
            })
            .min_by_key(|job| self.held.get(job).and_then(|held| held.measured_at))?;
        let output = jobs.shared(job)?.output.load(Ordering::Relaxed);
        let held = self.held.entry(job).or_default();
        held.measured_at = Some(now);
        held.measured_output = output;
        self.busy = Some((job, now));
        Some(job)
    }

    /// The worker is done with a worktree, and this is what it found.
    pub(super) fn found(&mut self, job: JobId, found: Option<(u32, DiffStat)>, now: Instant) {
        if let Some((_, began)) = self.busy.take() {
            self.free_at = Some(now + now.duration_since(began) * SHARE);
        }
        if let Some((commits, diffstat)) = found {
            let held = self.held.entry(job).or_default();
            held.commits = commits;
            held.diffstat = diffstat;
        }
    }
}

impl Held {
    fn rate(&mut self, output: u64, now: Instant) -> u64 {
        match self.sample {
            Some((at, was)) if now.duration_since(at) >= RATE_OVER => {
                let ms = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(u64::MAX).max(1);
                self.rate = output.saturating_sub(was).saturating_mul(1_000) / ms;
                self.sample = Some((now, output));
            }
            Some(_) => {}
            None => self.sample = Some((now, output)),
        }
        self.rate
    }
}
