//! The lid as a type: a screen whose content can be borrowed only with a permit for its job.
//!
//! With the lid on, a screen takes bytes and gives signals, replies and modes; nothing else of it can be had, not
//! by `Debug` either. Only the rules make permits ([`Permit`]).

use super::emulator::{Emulator, Modes};
use crate::core::model::agent::Signal;
use crate::core::rules::lid::Permit;
use crate::values::ids::JobId;

/// What came of feeding a screen, none of it content.
#[derive(Debug, Default)]
pub struct Heard {
    /// What the program signalled out of band.
    pub signals: Vec<Signal>,
    /// What must be written to it, made of our own state alone.
    pub replies: Vec<u8>,
}

/// A screen under its lid.
#[derive(Debug)]
pub struct Covered {
    job: JobId,
    emulator: Emulator,
}

impl Covered {
    /// Puts the screen of `job` under the lid.
    #[must_use]
    pub const fn new(job: JobId, emulator: Emulator) -> Self {
        Self { job, emulator }
    }

    /// Takes what the program printed.
    pub fn feed(&mut self, bytes: &[u8]) -> Heard {
        self.emulator.feed(bytes);
        Heard { signals: self.emulator.take_signals(), replies: self.emulator.take_replies() }
    }

    /// Changes the size.
    pub fn resize(&mut self, rows: u16, cols: u16) {
        self.emulator.resize(rows, cols);
    }

    /// What the program switched on, so that an answer can be typed as it expects.
    #[must_use]
    pub fn modes_for_answer(&self) -> Modes {
        self.emulator.modes()
    }

    /// Whether a synchronised update is under way: then call [`Self::end_sync`] once it took too long.
    #[must_use]
    pub fn sync_pending(&self) -> bool {
        self.emulator.sync_pending()
    }

    /// See [`Emulator::end_sync`].
    pub fn end_sync(&mut self) {
        self.emulator.end_sync();
    }

    /// The screen, for one look that ends before the engine's next step; none if the permit is for another job.
    pub fn look<'look>(&'look mut self, permit: Permit<'look>) -> Option<&'look mut Emulator> {
        (permit.job() == self.job).then_some(&mut self.emulator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let mut covered = Covered::new(JobId(1), Emulator::new(4, 20));
        let heard = covered.feed(b"MARKER\x1b]0;title\x07");
        assert!(!format!("{covered:?}").contains("MARKER"));
        assert_eq!(heard.signals, [Signal::Title("title".into())]);
    }
}
