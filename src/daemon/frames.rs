//! Frames: what a client gets of a screen it looks at, always the newest, at most one in flight.
//!
//! The screen's content is borrowed with a permit that the engine gives for each single look. Without one the client
//! hears `Covered`, once, and a frame that still waits to be written is dropped.

use super::jobs::Shared;
use super::outbox::Outbox;
use crate::core::lid::Permit;
use crate::os::clock;
use crate::screen::changes::{Seen, changes};
use crate::wire::client::{FromDaemon, Look};
use std::time::{Duration, Instant};

/// Most screens that one client looks at.
pub(super) const LOOKS_MAX: usize = 64;
/// The largest place of a screen.
pub(super) const ROWS_MAX: u16 = 500;
/// See [`ROWS_MAX`].
pub(super) const COLS_MAX: u16 = 1_000;

/// Frames of one screen to one client are at least this far apart: no terminal shows more.
const APART: Duration = Duration::from_millis(8);

/// One client's look at one job.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) look: Look,
    seen: Seen,
    in_flight: bool,
    behind: bool,
    /// The client was told that the screen is covered, and nothing since.
    told_covered: bool,
    sent: Option<Instant>,
}

impl Looking {
    pub(super) fn new(look: Look) -> Self {
        Self { look, seen: Seen::default(), in_flight: false, behind: true, told_covered: false, sent: None }
    }

    /// The client scrolled, or has another size.
    pub(super) fn change(&mut self, look: Look) {
        self.look = look;
        self.behind = true;
    }

    /// The client has shown the last frame.
    pub(super) const fn shown(&mut self) {
        self.in_flight = false;
    }

    /// Whether what the client was last told is no longer how it is, or more is to come.
    pub(super) fn wants(&self, permitted: bool, now: Instant) -> bool {
        permitted == self.told_covered || self.due(now).is_some_and(|due| due <= now)
    }

    /// When the next frame may be sent, if one waits: never before `now`.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let ready = self.behind && !self.in_flight;
        ready.then(|| self.sent.map_or(now, |sent| now.max(sent + APART)))
    }

    /// Sends what changed, or that it is covered.
    pub(super) fn show(&mut self, outbox: &Outbox, permit: Option<Permit>, shared: Option<&Shared>) {
        let (Some(permit), Some(shared)) = (permit, shared) else {
            self.cover(outbox);
            return;
        };
        let now = clock::instant();
        self.behind = true;
        if self.in_flight || self.sent.is_some_and(|sent| now < sent + APART) {
            return;
        }
        let Look { job, rows, cols, scrolled, .. } = self.look;
        let mut covered = shared.covered();
        let Some(emulator) = covered.look(permit) else {
            drop(covered);
            self.cover(outbox);
            return;
        };
        self.behind = false;
        self.told_covered = false;
        let changes = changes(emulator, &mut self.seen, rows, cols, scrolled);
        drop(covered);
        if let Some(changes) = changes {
            self.sent = Some(now);
            self.in_flight = outbox.screen(job, &FromDaemon::Frame { job, changes });
        }
    }

    fn cover(&mut self, outbox: &Outbox) {
        self.seen = Seen::default();
        self.behind = false;
        self.in_flight = false;
        if !self.told_covered {
            self.told_covered = true;
            outbox.screen(self.look.job, &FromDaemon::Covered(self.look.job));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::JobId;

    const LOOK: Look = Look { job: JobId(1), rows: 5, cols: 20, focus: false, scrolled: 0 };

    #[test]
    fn a_new_look_at_a_silent_screen_is_due_at_once() {
        let looking = Looking::new(LOOK);
        let now = clock::instant();
        assert_eq!(looking.due(now), Some(now));
        assert!(looking.wants(true, now), "nothing else would ever wake it");
    }

    #[test]
    fn frames_are_apart_and_wait_until_the_last_one_was_shown() {
        let mut looking = Looking::new(LOOK);
        let now = clock::instant();
        looking.sent = Some(now);
        assert!(!looking.wants(true, now));
        assert!(looking.wants(true, now + APART));
        looking.in_flight = true;
        assert_eq!(looking.due(now), None);
        looking.shown();
        assert_eq!(looking.due(now), Some(now + APART));
    }
}
