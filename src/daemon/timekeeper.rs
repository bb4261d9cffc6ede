//! The loop's time: one moment for all that a turn does, and how long the machine slept since the turn before.

use crate::os::clock::Clock;
use crate::values::time::{Span, Time};
use std::sync::Arc;

/// A sleep shorter than this, in milliseconds, is no suspend.
const SUSPEND_MIN: u64 = 1_000;

/// The time of this turn.
#[derive(Debug)]
pub(super) struct Timekeeper {
    /// Shared with the jobs' threads: all moments are of one clock.
    clock: Arc<Clock>,
    /// Only asked how long the machine slept.
    sleeps: Clock,
    now: Time,
    started: Time,
}

impl Timekeeper {
    /// Starts now.
    pub(super) fn start() -> Self {
        let clock = Arc::new(Clock::start());
        let now = Time(clock.now_ms());
        Self { clock, sleeps: Clock::start(), now, started: now }
    }

    /// The clock, for threads.
    pub(super) const fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// The moment of this turn.
    pub(super) const fn now(&self) -> Time {
        self.now
    }

    /// When the daemon started.
    pub(super) const fn started(&self) -> Time {
        self.started
    }

    /// Looks at the clock, once a turn; how long the machine slept since the last look, if that was a suspend.
    pub(super) fn pass(&mut self) -> Option<Span> {
        self.now = Time(self.clock.now_ms());
        let slept = self.sleeps.suspended_ms();
        (slept >= SUSPEND_MIN).then_some(Span(slept))
    }
}
