//! Time as the rules see it: instants and spans in milliseconds, and a stopwatch that can be frozen.
//!
//! Nothing here reads a clock. `now` comes in with each event, from the daemon, which anchors wall
//! time to a clock that never runs backwards and reports a suspend of the machine as a pause.

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Self(n.saturating_mul(1000))
    }

    /// `n` minutes.
    #[must_use]
    pub const fn mins(n: u64) -> Self {
        Self::secs(n.saturating_mul(60))
    }
}

impl From<std::time::Duration> for Span {
    /// Whole milliseconds; what is too long becomes the longest span.
    fn from(of: std::time::Duration) -> Self {
        Self(u64::try_from(of.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Span> for std::time::Duration {
    fn from(of: Span) -> Self {
        Self::from_millis(of.0)
    }
}

impl Time {
    /// The span from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved on by `span`.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// Time that an attempt was really running: stands still while it is paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopwatch {
    /// What had been counted when it last stood still.
    counted: Span,
    /// Since when it runs; none while it stands still.
    running_since: Option<Time>,
}

impl Stopwatch {
    /// A watch that starts at `now`.
    #[must_use]
    pub const fn started(now: Time) -> Self {
        Self { counted: Span(0), running_since: Some(now) }
    }

    /// Stands still from `now` on; without effect if it does already.
    pub fn freeze(&mut self, now: Time) {
        if let Some(since) = self.running_since.take() {
            self.counted = Span(self.counted.0.saturating_add(now.since(since).0));
        }
    }

    /// Runs again from `now` on; without effect if it does already.
    pub fn thaw(&mut self, now: Time) {
        self.running_since.get_or_insert(now);
    }

    /// Leaves out `span` that has passed while it ran: the machine slept.
    pub const fn skip(&mut self, span: Span) {
        if let Some(since) = self.running_since {
            self.running_since = Some(since.after(span));
        }
    }

    /// What was counted until `now`.
    #[must_use]
    pub fn elapsed(&self, now: Time) -> Span {
        let running = self.running_since.map_or(Span(0), |since| now.since(since));
        Span(self.counted.0.saturating_add(running.0))
    }

    /// When `limit` will have been counted; none while it stands still.
    #[must_use]
    pub fn reaches(&self, limit: Span) -> Option<Time> {
        self.running_since.map(|since| since.after(Span(limit.0.saturating_sub(self.counted.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_watch_counts_nothing() {
        let mut watch = Stopwatch::started(Time(1_000));
        watch.freeze(Time(2_000));
        watch.freeze(Time(2_500));
        assert_eq!(watch.elapsed(Time(9_000)), Span(1_000));
        assert_eq!(watch.reaches(Span(2_000)), None);
        watch.thaw(Time(10_000));
        assert_eq!(watch.reaches(Span(2_000)), Some(Time(11_000)));
        assert_eq!(watch.elapsed(Time(10_500)), Span(1_500));
    }
}
