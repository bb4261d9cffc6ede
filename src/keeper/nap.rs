//! When the terminal is left alone for a while: a job that nobody waits for and that prints little, again and again,
//! is read in few large pieces instead of many small ones.
//!
//! Promises: while somebody waits nothing is late; a job that prints much is never held up.

use std::time::{Duration, Instant};

/// How long the terminal is left alone after a read.
const NAP: Duration = Duration::from_millis(400);
/// Reads that follow each other faster than this belong to a job that prints much.
const APART: Duration = Duration::from_millis(30);
/// A read of so many bytes is one of a job that prints much.
const MUCH: usize = 4 * 1024;

/// Whether to nap.
#[derive(Debug, Default)]
pub(super) struct Nap {
    /// Nobody waits for what the job prints.
    calm: bool,
    read: Option<Instant>,
    until: Option<Instant>,
}

impl Nap {
    /// Somebody waits for what the job prints, or nobody does.
    pub(super) const fn set_calm(&mut self, calm: bool) {
        self.calm = calm;
        if !calm {
            self.until = None;
        }
    }

    /// At `now` `n` bytes were read.
    pub(super) fn read(&mut self, now: Instant, n: usize) {
        let is_seldom = self.read.is_none_or(|read| now >= read + APART);
        self.read = Some(now);
        self.until = (self.calm && is_seldom && n < MUCH).then(|| now + NAP);
    }

    /// Until when the terminal is left alone, if it is.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_job_that_redraws_a_line_is_read_in_naps_while_nobody_waits() {
        let mut nap = Nap::default();
        let now = clock::instant();
        nap.read(now, 80);
        assert_eq!(nap.until(now), None, "somebody waits");
        nap.set_calm(true);
        nap.read(now + ms(100), 80);
        assert_eq!(nap.until(now + ms(100)), Some(now + ms(500)));
        assert_eq!(nap.until(now + ms(500)), None, "it is over");
        nap.read(now + ms(500), 160);
        assert!(nap.until(now + ms(501)).is_some());
        nap.set_calm(false);
        assert_eq!(nap.until(now + ms(501)), None, "somebody waits again");
    }

    #[test]
    fn a_job_that_prints_much_is_never_held_up() {
        let mut nap = Nap::default();
        nap.set_calm(true);
        let now = clock::instant();
        nap.read(now, 32 * 1024);
        assert_eq!(nap.until(now), None, "much at once");
        for n in 1..50 {
            nap.read(now + ms(n), 80);
            assert_eq!(nap.until(now + ms(n)), None, "little, but without pause");
        }
    }
}
