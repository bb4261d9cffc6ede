//! When the next frame is drawn: at once for what a person waits for, at a calm pace for what goes on by itself.
//!
//! Promises: at most one frame in [`FRAME`] over time, with bursts of [`BURST`]; what nobody waits for is drawn at most
//! once in [`CALM`], so that many busy panes cost no more than one.

use std::time::{Duration, Instant};

/// Shortest time between two frames, over time.
pub(super) const FRAME: Duration = Duration::from_millis(8);
/// Frames that may follow each other at once when none was drawn for a while: a key, its echo, the answer to it.
const BURST: u32 = 4;
/// Shortest time between two frames that nobody waits for.
const CALM: Duration = Duration::from_millis(40);

/// How soon a change is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// It went on by itself.
    Calm,
    /// It follows what the person just did.
    Prompt,
}

/// What is to be drawn, and what was.
#[derive(Debug, Default)]
pub(super) struct Pace {
    wanted: Option<Urgency>,
    drawn: Option<Instant>,
    /// When the frames drawn so far would have ended, one in [`FRAME`].
    spent: Option<Instant>,
}

impl Pace {
    /// Something changed.
    pub(super) fn want(&mut self, urgency: Option<Urgency>) {
        self.wanted = self.wanted.max(urgency);
    }

    /// When the next frame is to be drawn, if one is; in the past: now.
    pub(super) fn due(&self) -> Option<Instant> {
        let urgency = self.wanted?;
        let (Some(drawn), Some(spent)) = (self.drawn, self.spent) else { return self.drawn };
        Some(match urgency {
            Urgency::Calm => drawn + CALM,
            Urgency::Prompt => spent.checked_sub(FRAME * (BURST - 1)).unwrap_or(spent),
        })
    }

    /// Whether a frame is to be drawn at `now`.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.wanted.is_some() && self.due().is_none_or(|due| due <= now)
    }

    /// A frame was drawn at `now`: it shows all that was wanted.
    pub(super) fn drew(&mut self, now: Instant) {
        self.wanted = None;
        self.drawn = Some(now);
        self.spent = Some(self.spent.map_or(now, |spent| spent.max(now)) + FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock;

    fn drawn_in(urgency: Urgency, time: Duration) -> u32 {
        let mut pace = Pace::default();
        let start = clock::instant();
        let mut frames = 0;
        for ms in 0..u64::try_from(time.as_millis()).unwrap() {
            let now = start + Duration::from_millis(ms);
            pace.want(Some(urgency));
            if pace.is_due(now) {
                pace.drew(now);
                frames += 1;
            }
        }
        frames
    }

    #[test]
    fn changes_without_end_are_drawn_at_a_steady_pace() {
        assert_eq!(drawn_in(Urgency::Calm, Duration::from_secs(1)), 25);
        let prompt = drawn_in(Urgency::Prompt, Duration::from_secs(1));
        assert!((125..=130).contains(&prompt), "{prompt} frames");
    }

    #[test]
    fn what_a_person_waits_for_is_drawn_at_once_even_just_after_a_calm_frame() {
        let mut pace = Pace::default();
        let now = clock::instant();
        assert!(!pace.is_due(now), "nothing changed");
        for _ in 0..BURST {
            pace.want(Some(Urgency::Calm));
            pace.want(Some(Urgency::Prompt));
            pace.want(None);
            assert!(pace.is_due(now));
            pace.drew(now);
        }
        pace.want(Some(Urgency::Prompt));
        assert!(!pace.is_due(now), "a burst has an end");
        assert!(pace.is_due(now + FRAME));
    }

    #[test]
    fn what_goes_on_by_itself_waits_and_is_drawn_with_what_does_not() {
        let mut pace = Pace::default();
        let now = clock::instant();
        pace.want(Some(Urgency::Calm));
        assert!(pace.is_due(now), "the first of all");
        pace.drew(now);
        pace.want(Some(Urgency::Calm));
        assert!(!pace.is_due(now + FRAME));
        assert!(pace.is_due(now + CALM));
        pace.want(Some(Urgency::Prompt));
        assert!(pace.is_due(now + FRAME));
        pace.drew(now + FRAME);
        assert_eq!(pace.due(), None);
    }
}
