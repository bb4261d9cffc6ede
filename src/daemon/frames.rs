//! Frames: what a client gets of a screen it looks at, always the newest, at most one in flight.
//!
//! The screen's content is borrowed with a permit that the engine gives for each single look. Without one the client
//! hears `Covered`, once, and a frame that still waits to be written is dropped.

use super::jobs::Shared;
use super::outbox::Outbox;
use crate::core::rules::lid::Permit;
use crate::os::clock;
use crate::screen::changes::{Seen, changes};
use crate::screen::covered::Covered;
use crate::values::ids::JobId;
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
/// Screens that are not in focus are looked at together, at moments so far apart: however many there are, and however
/// each draws, the loop and the client wake once for all of them.
const TOGETHER: Duration = Duration::from_millis(50);
/// A screen that is not in focus is looked at at each such moment until it has been still for so long.
const LINGER: Duration = Duration::from_millis(300);

/// One client's look at one job.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) look: Look,
    seen: Seen,
    in_flight: bool,
    behind: bool,
    /// The client was told that the screen is covered, and nothing since.
    covered_sent: bool,
    sent: Option<Instant>,
    /// The client has the job's scrollback, not its screen as it is.
    has_scrollback: bool,
    /// How often the job had printed when it was last looked at.
    printed: u64,
    /// What the moments of [`TOGETHER`] are counted from, the same for all looks.
    epoch: Instant,
    /// The next such moment, if it is not in focus and has printed of late.
    moment: Option<Instant>,
}

impl Looking {
    pub(super) fn new(look: Look, epoch: Instant) -> Self {
        Self {
            look,
            seen: Seen::default(),
            in_flight: false,
            behind: true,
            covered_sent: false,
            sent: None,
            has_scrollback: false,
            printed: 0,
            epoch,
            moment: None,
        }
    }

    /// The client scrolled, or has another size.
    pub(super) fn change(&mut self, look: Look) {
        self.look = look;
        self.behind = true;
        self.moment = None;
    }

    /// Whether it is a look back at this job.
    pub(super) fn reads(&self, job: JobId) -> bool {
        self.look.job == job && self.look.scrolled > 0
    }

    /// The client has shown the last frame.
    pub(super) const fn shown(&mut self) {
        self.in_flight = false;
    }

    /// Whether what the client was last told is no longer how it is, or more is to come.
    pub(super) fn wants(&self, permitted: bool, now: Instant) -> bool {
        permitted == self.covered_sent || self.due(now).is_some_and(|due| due <= now)
    }

    /// When it is to be looked at next, if it is: never before `now`.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        if self.in_flight {
            return None;
        }
        let moment = self.moment.map(|moment| moment.max(now));
        if !self.behind {
            return moment;
        }
        let apart = self.sent.map_or(now, |sent| now.max(sent + APART));
        Some(moment.map_or(apart, |moment| moment.max(apart)))
    }

    /// The job says that it has printed.
    pub(super) fn printed(&mut self, now: Instant) {
        self.behind = true;
        if !self.look.focus {
            self.moment.get_or_insert(moment_after(self.epoch, now));
        }
    }

    /// Sends what changed, or that it is covered. Who has scrolled back gets the scrollback, if it is there.
    pub(super) fn show(
        &mut self,
        outbox: &Outbox,
        permit: Option<Permit<'_>>,
        shared: Option<&Shared>,
        scrollback: Option<&mut Covered>,
    ) {
        let (Some(permit), Some(shared)) = (permit, shared) else {
            self.cover(outbox);
            return;
        };
        let now = clock::instant();
        let scrollback = scrollback.filter(|_| self.look.scrolled > 0);
        if scrollback.is_some() != self.has_scrollback {
            (self.has_scrollback, self.behind, self.seen) = (scrollback.is_some(), true, Seen::default());
        }
        self.behind |= self.covered_sent;
        if self.due(now).is_none_or(|due| due > now) {
            return;
        }
        if !self.behind && self.printed == shared.printed() {
            let is_still = self.sent.is_none_or(|sent| now >= sent + LINGER);
            self.moment = (!is_still).then(|| moment_after(self.epoch, now));
            if is_still {
                // From now on it says itself when it has printed. It may have just done so unheard.
                shared.looked();
                if self.printed != shared.printed() {
                    self.printed(now);
                }
            }
            return;
        }
        let Look { job, rows, cols, scrolled, focus } = self.look;
        // A scrollback stands still: what the job prints meanwhile is no news.
        if focus && !self.has_scrollback {
            shared.looked();
        }
        self.printed = shared.printed();
        let mut own = shared.covered();
        let Some(emulator) = scrollback.unwrap_or(&mut own).look(permit) else {
            drop(own);
            self.cover(outbox);
            return;
        };
        let changes = changes(emulator, &mut self.seen, rows, cols, scrolled);
        drop(own);
        self.behind = false;
        self.covered_sent = false;
        self.moment = (!focus).then(|| moment_after(self.epoch, now));
        if let Some(changes) = changes {
            self.sent = Some(now);
            self.in_flight = outbox.screen(job, &FromDaemon::Frame { job, changes });
        }
    }

    fn cover(&mut self, outbox: &Outbox) {
        self.seen = Seen::default();
        self.behind = false;
        self.in_flight = false;
        self.moment = None;
        if !self.covered_sent {
            self.covered_sent = true;
            outbox.screen(self.look.job, &FromDaemon::Covered(self.look.job));
        }
    }
}

/// The first of the moments counted from `epoch` that is after `now`.
fn moment_after(epoch: Instant, now: Instant) -> Instant {
    let since = now.saturating_duration_since(epoch).as_nanos();
    let moments = u32::try_from(since / TOGETHER.as_nanos()).unwrap_or(u32::MAX);
    epoch + TOGETHER.saturating_mul(moments.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { job: JobId(1), rows: 5, cols: 20, focus: false, scrolled: 0 };

    #[test]
    fn a_new_look_at_a_silent_screen_is_due_at_once() {
        let now = clock::instant();
        let looking = Looking::new(LOOK, now);
        assert_eq!(looking.due(now), Some(now));
        assert!(looking.wants(true, now), "nothing else would ever wake it");
    }

    #[test]
    fn frames_are_apart_and_wait_until_the_last_one_was_shown() {
        let now = clock::instant();
        let mut looking = Looking::new(LOOK, now);
        looking.sent = Some(now);
        assert!(!looking.wants(true, now));
        assert!(looking.wants(true, now + APART));
        looking.in_flight = true;
        assert_eq!(looking.due(now), None);
        looking.shown();
        assert_eq!(looking.due(now), Some(now + APART));
    }

    #[test]
    fn screens_that_are_not_in_focus_are_sent_together() {
        let epoch = clock::instant();
        let due = |focus, after: u64| {
            let mut looking = Looking::new(Look { focus, ..LOOK }, epoch);
            looking.behind = false;
            let now = epoch + Duration::from_millis(after);
            looking.printed(now);
            looking.due(now).unwrap()
        };
        assert_eq!(due(false, 1), epoch + TOGETHER);
        assert_eq!(due(false, 32), epoch + TOGETHER);
        assert_eq!(due(false, 51), epoch + TOGETHER * 2);
        assert_eq!(due(true, 34), epoch + Duration::from_millis(34));
    }
}
