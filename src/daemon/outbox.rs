//! What waits to be written to one client: bounded, newest state wins.
//!
//! Answers keep their order and are bounded by how many requests a session takes in; of boards only the newest is
//! kept, of frames one a job (the client must acknowledge before the next is made), of notices the newest few.
//! A client that reads nothing therefore costs a bounded amount of memory and no time.

use crate::core::model::notice::Notice;
use crate::values::ids::JobId;
use crate::wire::client::{FromDaemon, Refusal, RefusalKind, Reply};
use crate::wire::frame;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, Semaphore};

/// Requests of one client that may be unanswered at once; more wait in its socket.
pub(super) const REQUESTS_MAX: usize = 32;
/// Notices kept for a client that does not read.
const NOTICES_MAX: usize = 64;

/// A client's outbox, shared by the loop, workers and its writer.
#[derive(Debug)]
pub(super) struct Outbox {
    queues: Mutex<Queues>,
    filled: Notify,
    /// Taken by a request, given back when its answer was written.
    pub(super) requests: Semaphore,
}

#[derive(Debug, Default)]
struct Queues {
    closed: bool,
    answers: VecDeque<Vec<u8>>,
    screens: BTreeMap<JobId, Vec<u8>>,
    notices: VecDeque<Vec<u8>>,
    board: Option<Arc<Vec<u8>>>,
}

impl Queues {
    /// Answers first; once closed nothing else.
    fn next(&mut self) -> Option<Parcel> {
        if let Some(bytes) = self.answers.pop_front() {
            return Some(Parcel::Answer(bytes));
        }
        if self.closed {
            return None;
        }
        if let Some((_, bytes)) = self.screens.pop_first() {
            return Some(Parcel::Push(bytes));
        }
        if let Some(bytes) = self.notices.pop_front() {
            return Some(Parcel::Push(bytes));
        }
        self.board.take().map(Parcel::Board)
    }
}

/// What the writer takes.
#[derive(Debug)]
pub(super) enum Parcel {
    /// An answer; a request's place becomes free once it is written.
    Answer(Vec<u8>),
    /// A frame or a notice.
    Push(Vec<u8>),
    /// The board, encoded once for all.
    Board(Arc<Vec<u8>>),
}

impl Outbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            queues: Mutex::default(),
            filled: Notify::new(),
            requests: Semaphore::new(REQUESTS_MAX),
        })
    }

    /// Answers request `id`. An answer that is too long for a frame becomes a refusal.
    pub(super) fn answer(&self, id: u64, result: Result<Reply, Refusal>) {
        let bytes = encode(&FromDaemon::Answer { id, result }).or_else(|| {
            encode(&FromDaemon::Answer {
                id,
                result: Err(Refusal {
                    kind: RefusalKind::Failed,
                    what: "the answer is too large to be sent".to_owned(),
                    remedy: "ask for less".to_owned(),
                }),
            })
        });
        self.put(|queues| queues.answers.extend(bytes));
    }

    /// A frame, or that the screen is covered; replaces what waits of the same job.
    pub(super) fn screen(&self, job: JobId, message: &FromDaemon) -> bool {
        let Some(bytes) = encode(message) else { return false };
        self.put(|queues| {
            queues.screens.insert(job, bytes);
        });
        true
    }

    /// Something that a human should hear of; whether this client rings for it.
    pub(super) fn notice(&self, notice: Notice, ring: bool) {
        let bytes = encode(&FromDaemon::Notice { notice, ring });
        self.put(|queues| {
            if queues.notices.len() >= NOTICES_MAX {
                queues.notices.pop_front();
            }
            queues.notices.extend(bytes);
        });
    }

    /// The newest board; an older one that waits is dropped.
    pub(super) fn board(&self, board: &Arc<Vec<u8>>) {
        self.put(|queues| queues.board = Some(Arc::clone(board)));
    }

    /// The client is gone, or shall go once all answers are written.
    pub(super) fn close(&self) {
        self.put(|queues| queues.closed = true);
    }

    /// The next thing to write; none once closed and empty. Cancel-safe.
    pub(super) async fn take(&self) -> Option<Parcel> {
        loop {
            // Armed before the look, so that what is put in between is not missed.
            let filled = self.filled.notified();
            {
                let mut queues = self.lock();
                if let Some(parcel) = queues.next() {
                    return Some(parcel);
                }
                if queues.closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// What else is there to write now.
    pub(super) fn more(&self) -> Option<Parcel> {
        self.lock().next()
    }

    fn put(&self, change: impl FnOnce(&mut Queues)) {
        change(&mut self.lock());
        self.filled.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One frame, or none (logged) if it is longer than a frame may be.
pub(super) fn encode(message: &FromDaemon) -> Option<Vec<u8>> {
    frame::encode(message).inspect_err(|error| tracing::error!(%error, "a message can't be sent")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::notice::NoticeKind;
    use crate::values::ids::TaskId;
    use crate::values::text::Shown;

    #[tokio::test]
    async fn a_client_that_never_reads_costs_a_bounded_amount() {
        let outbox = Outbox::new();
        for n in 0..10_000_u64 {
            outbox.board(&Arc::new(vec![0; 100]));
            outbox.screen(JobId(n % 4), &FromDaemon::Covered(JobId(n % 4)));
            let notice = Notice { task: Some(TaskId(n)), kind: NoticeKind::Red, text: Shown::line("x") };
            outbox.notice(notice, true);
        }
        outbox.answer(1, Ok(Reply::Done));
        let mut taken = 0;
        assert!(matches!(outbox.take().await, Some(Parcel::Answer(_))), "answers go first");
        outbox.answer(2, Ok(Reply::Done));
        while let Some(parcel) = outbox.take().await {
            taken += 1;
            if matches!(parcel, Parcel::Board(_)) {
                outbox.close();
            }
        }
        assert_eq!(taken, 1 + 4 + NOTICES_MAX + 1);
    }
}
