//! The only clock. Wall time is read once and carried on by a clock that never runs backwards.

use rustix::time::{ClockId, clock_gettime};
use std::sync::Mutex;

/// Wall time anchored to the time since boot, suspends included: it never runs backwards and a change of
/// the system's date while nopeek runs does not move it.
#[derive(Debug)]
pub struct Clock {
    /// Wall milliseconds minus boot milliseconds, at the start.
    offset_ms: u64,
    /// How much of the time since boot was slept, as last reported.
    slept_ms: Mutex<u64>,
}

impl Clock {
    /// Reads the wall clock; the only time that it is read.
    #[must_use]
    pub fn start() -> Self {
        let offset_ms = ms(ClockId::Realtime).saturating_sub(ms(ClockId::Boottime));
        Self { offset_ms, slept_ms: Mutex::new(slept()) }
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.offset_ms.saturating_add(ms(ClockId::Boottime))
    }

    /// Milliseconds that the machine slept since the last call.
    #[must_use]
    pub fn suspended_ms(&self) -> u64 {
        let now = slept();
        let mut seen = self.slept_ms.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let new = now.saturating_sub(*seen);
        *seen = now;
        new
    }
}

/// A monotonic instant, for what is measured and never stored.
#[must_use]
pub fn instant() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the module that the ban points to")]
    std::time::Instant::now()
}

/// How far the local zone is ahead of UTC now, in minutes.
#[must_use]
pub fn zone_minutes() -> i16 {
    let now = jiff::Timestamp::from_millisecond(i64::try_from(ms(ClockId::Realtime)).unwrap_or(0));
    let offset = now.map_or(0, |now| jiff::tz::TimeZone::system().to_offset(now).seconds());
    i16::try_from(offset / 60).unwrap_or(0)
}

fn slept() -> u64 {
    ms(ClockId::Boottime).saturating_sub(ms(ClockId::Monotonic))
}

fn ms(clock: ClockId) -> u64 {
    let t = clock_gettime(clock);
    let secs = u64::try_from(t.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(t.tv_nsec).unwrap_or(0);
    secs.saturating_mul(1000).saturating_add(nanos / 1_000_000)
}
