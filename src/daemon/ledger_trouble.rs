//! What is wrong with the ledger while the daemon runs, what it means for commands, and the back-up of the day.
//!
//! A row that can't be read makes the ledger read-only: the board shows what the other rows say, nothing is decided,
//! because a decision on half of the facts could not be taken back. A back-up that fails is told and tried again.

use super::launch::refusal;
use super::message::FromWorld;
use super::workers::{Lane, Workers, guarded};
use crate::core::model::fact::Entry;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::views::board::Trouble;
use crate::store::StoreError;
use crate::store::backup::{self, Failure};
use crate::store::ledger::{FORMAT, Ledger};
use crate::store::rows::Read;
use crate::store::upcast::Why;
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::wire::client::{Refusal, RefusalKind};
use std::path::Path;

/// From one back-up to the next.
const APART: Span = Span::mins(24 * 60);
/// The first back-up of a ledger that was empty when the daemon started: by then it holds something.
const FIRST: Span = Span::mins(60);
/// A back-up that failed is tried again after this long.
const AGAIN: Span = Span::mins(60);

/// What is wrong with the ledger.
#[derive(Debug, Default)]
pub(super) struct LedgerTrouble {
    /// It has rows that can't be read.
    read_only: Option<Trouble>,
    /// It can't be written now; what was decided waits.
    pub(super) unwritten: Option<Trouble>,
    /// The last back-up failed.
    backup: Option<Trouble>,
    /// When the next back-up is due; none: not looked up yet.
    backup_due: Option<Time>,
}

impl LedgerTrouble {
    /// Of a ledger that is only read for this reason; none: it is sound.
    pub(super) fn new(read_only: Option<Trouble>) -> Self {
        Self { read_only, ..Self::default() }
    }

    pub(super) const fn is_read_only(&self) -> bool {
        self.read_only.is_some()
    }

    /// What keeps facts from being written.
    fn stops(&self) -> Option<&Trouble> {
        self.read_only.as_ref().or(self.unwritten.as_ref())
    }

    /// Refuses a command that can't be kept.
    pub(super) fn writable(&self) -> Result<(), Refusal> {
        match self.stops() {
            None => Ok(()),
            Some(Trouble { what, remedy, .. }) => Err(refusal(RefusalKind::Failed, what.to_string(), remedy)),
        }
    }

    /// Keeps the engine from deciding on half of the facts.
    pub(super) fn refuse_if_read_only(&self) -> Result<(), Refused> {
        match &self.read_only {
            None => Ok(()),
            Some(Trouble { what, remedy, .. }) => {
                Err(Refused { kind: RefusedKind::NotNow, what: what.to_string(), remedy: remedy.clone() })
            }
        }
    }

    /// What people should know first.
    pub(super) fn worst(&self) -> Option<Trouble> {
        self.stops().or(self.backup.as_ref()).cloned()
    }
}

/// The facts that the daemon goes by, and why it only shows them, if it does. A ledger of a newer nopeek is refused.
pub(super) fn judge(path: &Path, read: Read) -> Result<(Vec<Entry>, Option<Trouble>), StoreError> {
    let Read { entries, unread } = read;
    let Some(first) = unread.first() else { return Ok((entries, None)) };
    if let Some(newer) = unread.iter().find(|row| row.why == Why::Newer) {
        return Err(StoreError::of_row(path, newer.clone()));
    }
    let more = match unread.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let what = format!("the ledger is read-only: {first}{more}");
    let remedy = StoreError::of_row(path, first.clone()).remedy();
    tracing::error!(rows = unread.len(), "{what}");
    Ok((entries, Some(Trouble { read_only: true, what: Shown::line(&what), remedy })))
}

/// When the first back-up of a daemon is due. `is_first`: its ledger held facts when it started.
fn first_due(newest: Option<Time>, is_first: bool, now: Time) -> Time {
    match newest {
        Some(newest) => newest.after(APART),
        None if is_first => now,
        None => now.after(FIRST),
    }
}

/// A commit failed and is tried again.
pub(super) fn unwritten(error: &StoreError) -> Trouble {
    let what = format!("the ledger can't be written: {error}");
    let remedy = format!("{}; nothing is lost", error.remedy());
    Trouble { read_only: true, what: Shown::line(&what), remedy }
}

impl LedgerTrouble {
    /// Has the back-up of the day made by a worker, if it is due; `started` is when the daemon was.
    pub(super) fn back_up(&mut self, ledger: &Ledger, now: Time, started: Time, workers: &mut Workers) {
        if self.stops().is_some() || ledger.count() == 0 {
            return;
        }
        let is_first = started == now;
        let due = *self.backup_due.get_or_insert_with(|| {
            // One of a time to come (the clock was set back) says nothing of today.
            let newest = backup::list(ledger.path())
                .into_iter()
                .find(|backup| backup.format == FORMAT && backup.at <= now);
            first_due(newest.map(|backup| backup.at), is_first, now)
        });
        if now < due {
            return;
        }
        self.backup_due = Some(now.after(APART));
        workers.tell(Lane::Backup, move |paths| {
            let path = paths.ledger();
            let failed = |what: String, remedy: String| Failure { at: now, what, remedy };
            let failure = match guarded(|| backup::make_sound(&path, now)) {
                Ok(Ok(made)) => {
                    tracing::info!(file = %made.path.display(), "a back-up of the ledger was made");
                    None
                }
                Ok(Err(error)) => Some(failed(error.to_string(), error.remedy())),
                Err(broke) => Some(failed(broke, String::new())),
            };
            if let Err(error) = backup::note(&path, failure.as_ref()) {
                tracing::warn!(%error, "how the back-up fared can't be kept for `nopeek doctor`");
            }
            FromWorld::BackedUp(failure)
        });
    }

    /// The back-up of the day was made, or failed: then that is shown, and it is tried again. True: people see another thing
    /// now than before.
    pub(super) fn backed_up(&mut self, now: Time, failure: Option<Failure>) -> bool {
        let before = self.backup.take();
        if let Some(Failure { what, remedy, .. }) = failure {
            tracing::error!("{what}");
            self.backup_due = Some(now.after(AGAIN));
            let what = Shown::line(&format!("the ledger's daily back-up failed: {what}"));
            self.backup = Some(Trouble { read_only: false, what, remedy });
        }
        before != self.backup
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows::Unread;

    fn unread(seq: u64, why: Why) -> Unread {
        Unread { seq, at: Time(1), task: None, why, what: "odd".into() }
    }

    #[test]
    fn damage_makes_it_read_only_and_what_is_newer_is_refused() {
        let path = Path::new("/nowhere/ledger.db");
        let of = |unread: Vec<Unread>| judge(path, Read { entries: Vec::new(), unread });
        assert_eq!(of(Vec::new()).unwrap().1, None);
        let trouble = of(vec![unread(3, Why::Damaged), unread(5, Why::Damaged)]).unwrap().1.unwrap();
        assert_eq!(trouble.what.as_str(), "the ledger is read-only: fact 3 can't be read: odd, and 1 more");
        let wrong = LedgerTrouble { read_only: Some(trouble.clone()), ..LedgerTrouble::default() };
        assert!(wrong.is_read_only() && wrong.writable().is_err() && wrong.refuse_if_read_only().is_err());
        assert_eq!(wrong.worst(), Some(trouble));
        let error = of(vec![unread(3, Why::Damaged), unread(5, Why::Newer)]).unwrap_err();
        assert!(matches!(error, StoreError::NewerFact { seq: 5, .. }), "{error}");
    }

    #[test]
    fn a_ledger_that_can_not_be_written_now_is_still_decided_on() {
        let full = unwritten(&StoreError::Full("/x".into()));
        let wrong = LedgerTrouble { unwritten: Some(full), ..LedgerTrouble::default() };
        assert!(!wrong.is_read_only() && wrong.refuse_if_read_only().is_ok());
        assert!(wrong.writable().unwrap_err().what.contains("the disk is full"));
    }

    #[test]
    fn a_back_up_is_due_a_day_after_the_last() {
        let day = 24 * 3_600_000;
        let now = Time(10 * day);
        assert_eq!(first_due(Some(Time(10 * day - 5)), true, now), Time(11 * day - 5));
        assert_eq!(first_due(Some(Time(3 * day)), true, now), Time(4 * day), "overdue: at once");
        assert_eq!(
            (first_due(None, true, now), first_due(None, false, now)),
            (now, Time(10 * day + 3_600_000))
        );
    }
}
