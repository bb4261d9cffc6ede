//! The board's feed: when the board is sent to whom it is open, and what is measured of jobs for it.
//!
//! Owns when a board was sent last, and the vitals. Promises: boards are far enough apart to cost little however fast
//! facts come, and nothing is measured or made that nobody sees more often than once a while.

use super::clients::Clients;
use super::jobs::Jobs;
use super::journal::Journal;
use super::message::FromWorld;
use super::outbox;
use super::vitals::Vitals;
use super::workers::{Lane, Workers};
use crate::core::engine::Engine;
use crate::core::model::diff::DiffStat;
use crate::core::views::board::{Board, TaskView};
use crate::core::views::job::JobKind;
use crate::git;
use crate::values::ids::{JobId, TaskId};
use crate::values::time::Time;
use crate::wire::client::FromDaemon;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Boards are sent at most this often when facts changed.
const BOARD_APART: Duration = Duration::from_millis(50);
/// And this often when only vitals did.
const VITALS_APART: Duration = Duration::from_secs(1);

/// When boards are sent, and what is measured for them.
#[derive(Debug, Default)]
pub(super) struct BoardFeed {
    vitals: Vitals,
    /// Facts have changed, or somebody new sees it, since it was sent last.
    changed: bool,
    sent_at: Option<Instant>,
    /// When vitals are looked at next; none while no job lives.
    pulse_at: Option<Instant>,
}

impl BoardFeed {
    /// The board as of now has changed, beyond what vitals say.
    pub(super) const fn changes(&mut self) {
        self.changed = true;
    }

    /// The board with what is measured.
    pub(super) fn board(&mut self, journal: &Journal, jobs: &Jobs, now: Time, at: Instant) -> Board {
        let board = journal.engine().board(now, &self.vitals.measured(jobs, at));
        Board { trouble: journal.trouble(), ..board }
    }

    /// One task as on the board, with what is measured.
    pub(super) fn task(
        &mut self,
        id: TaskId,
        engine: &Engine,
        jobs: &Jobs,
        now: Time,
        at: Instant,
    ) -> Option<TaskView> {
        engine.task_view(id, now, &self.vitals.measured(jobs, at))
    }

    /// Sends the board to all who see it, if it is due.
    pub(super) fn send(&mut self, clients: &Clients, journal: &Journal, jobs: &Jobs, now: Time, at: Instant) {
        if self.due(clients.any_subscribed(), at).is_none_or(|due| due > at) {
            return;
        }
        let board = self.board(journal, jobs, now, at);
        self.changed = false;
        self.sent_at = Some(at);
        if let Some(bytes) = outbox::encode(&FromDaemon::Board(Box::new(board))) {
            clients.board(&Arc::new(bytes));
        }
    }

    /// When the next board is to be sent, if one is: never while nobody sees it.
    pub(super) fn due(&self, is_seen: bool, at: Instant) -> Option<Instant> {
        if !is_seen {
            return None;
        }
        let Some(last) = self.sent_at else { return Some(at) };
        if self.changed {
            Some(last + BOARD_APART)
        } else if self.pulse_at.is_some() {
            Some(last + VITALS_APART)
        } else {
            None
        }
    }

    /// When a worktree may be measured next, if any job lives.
    pub(super) const fn pulse_at(&self) -> Option<Instant> {
        self.pulse_at
    }

    /// Has one worktree measured by a worker, if one is due. Answered by [`BoardFeed::measured`].
    pub(super) fn measure(
        &mut self,
        engine: &Engine,
        jobs: &Jobs,
        workers: &mut Workers,
        is_seen: bool,
        at: Instant,
    ) {
        let live = engine.live_jobs();
        if live.is_empty() {
            self.pulse_at = None;
            return;
        }
        if self.pulse_at.is_some_and(|pulse| at < pulse) {
            return;
        }
        self.pulse_at = Some(at + VITALS_APART);
        let is_agent = |job: &JobId| engine.job(*job).is_some_and(|info| matches!(info.kind, JobKind::Agent));
        let agents: Vec<JobId> = live.into_iter().filter(is_agent).collect();
        let Some(job) = self.vitals.next(&agents, jobs, is_seen, at) else { return };
        let Some(info) = engine.job(job) else {
            self.vitals.found(job, None, at);
            return;
        };
        workers.tell(Lane::Measure, move |_| {
            let found = git::diff::measure(&info.worktree, &info.target);
            let found =
                found.inspect_err(|error| tracing::debug!(%job, %error, "a worktree can't be measured"));
            FromWorld::Measured { job, found: found.ok() }
        });
    }

    /// A worker has measured a worktree: commits and size of the diff; none if it can't be read.
    pub(super) fn measured(&mut self, job: JobId, found: Option<(u32, DiffStat)>, at: Instant) {
        self.vitals.found(job, found, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock;

    #[test]
    fn boards_are_apart_and_made_for_nobody_never() {
        let at = clock::instant();
        let mut feed = BoardFeed::default();
        assert_eq!(feed.due(false, at), None, "nobody sees it");
        assert_eq!(feed.due(true, at), Some(at), "whoever comes first gets one at once");
        feed.sent_at = Some(at);
        assert_eq!(feed.due(true, at), None, "nothing has changed and nothing lives");
        feed.pulse_at = Some(at);
        assert_eq!(feed.due(true, at), Some(at + VITALS_APART));
        feed.changes();
        assert_eq!(feed.due(true, at), Some(at + BOARD_APART));
    }
}
