//! Threads for work on git and disk: a lane is one thread that does one thing after the other.
//!
//! All changes to a repo go through its one lane, in the order they were asked for; reads have lanes of their own,
//! so that a long diff does not hold up a landing. A panic in a piece of work is caught and becomes its answer.

use super::launch::failed;
use super::message::{FromWorld, ReplyTo, World};
use crate::core::model::event::{EffectOutcome, Event};
use crate::os::paths::Paths;
use crate::values::ids::EffectId;
use crate::wire::client::{Refusal, Reply};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc;

/// What is done one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Changes to this repo.
    Change(PathBuf),
    Read,
    /// Reports, and sending them.
    Report,
    Measure,
    #[cfg(feature = "otlp")]
    Trace,
    /// Looking up what tasks need.
    Launch,
    /// Back-ups of the ledger.
    Backup,
}

type Piece = Box<dyn FnOnce() + Send>;

/// All lanes; a thread is started with the first piece of work of its lane.
#[derive(Debug)]
pub(super) struct Workers {
    paths: Paths,
    world: World,
    lanes: HashMap<Lane, mpsc::Sender<Piece>>,
}

impl Workers {
    /// No thread yet. What the loop is to hear of goes through `world`.
    pub(super) fn new(paths: Paths, world: World) -> Self {
        Self { paths, world, lanes: HashMap::new() }
    }

    /// Answers a request by what `work` comes to; the loop hears nothing of it.
    pub(super) fn answer(
        &mut self,
        lane: Lane,
        reply: ReplyTo,
        work: impl FnOnce(&Paths) -> Result<Reply, Refusal> + Send + 'static,
    ) {
        let paths = self.paths.clone();
        self.put(lane, move || {
            reply.answer(guarded(|| work(&paths)).unwrap_or_else(|broke| Err(failed(broke))));
        });
    }

    /// Looks something up for a request; the loop hears what, as `message`.
    pub(super) fn look_up<T>(
        &mut self,
        lane: Lane,
        work: impl FnOnce(&Paths) -> Result<T, Refusal> + Send + 'static,
        message: impl FnOnce(Result<T, Refusal>) -> FromWorld + Send + 'static,
    ) {
        self.tell(lane, move |paths| {
            message(guarded(|| work(paths)).unwrap_or_else(|broke| Err(failed(broke))))
        });
    }

    /// Does an effect; the engine hears what came of it. `work` must not break.
    pub(super) fn answer_effect(
        &mut self,
        lane: Lane,
        effect: EffectId,
        work: impl FnOnce(&Paths) -> EffectOutcome + Send + 'static,
    ) {
        self.tell(lane, move |paths| FromWorld::Event(Event::EffectDone { effect, outcome: work(paths) }));
    }

    /// Does `work`; the loop hears what it comes to. `work` must not break.
    pub(super) fn tell(&mut self, lane: Lane, work: impl FnOnce(&Paths) -> FromWorld + Send + 'static) {
        let (paths, world) = (self.paths.clone(), self.world.clone());
        self.put(lane, move || {
            world.tell(work(&paths));
        });
    }

    /// Does what nobody waits for.
    pub(super) fn do_unanswered(&mut self, lane: Lane, work: impl FnOnce(&Paths) + Send + 'static) {
        let paths = self.paths.clone();
        self.put(lane, move || work(&paths));
    }

    /// Does `piece` when its lane comes to it.
    pub(super) fn put(&mut self, lane: Lane, piece: impl FnOnce() + Send + 'static) {
        let mut piece: Piece = Box::new(piece);
        if let Some(sender) = self.lanes.get(&lane) {
            match sender.send(piece) {
                Ok(()) => return,
                Err(mpsc::SendError(back)) => piece = back,
            }
        }
        let (sender, receiver) = mpsc::channel::<Piece>();
        let _ = sender.send(piece);
        let started = std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for piece in receiver {
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(piece)).is_err() {
                    tracing::error!("a piece of work broke");
                }
            }
        });
        match started {
            Ok(_) => {
                self.lanes.insert(lane, sender);
            }
            Err(error) => tracing::error!(%error, "no thread can be started for work"),
        }
    }
}

/// Does `work`; if it breaks, gives the words to say so.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .map_err(|_| "nopeek broke while it did this; its log says where".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_keeps_order_and_outlives_a_panic() {
        let home = tempfile::tempdir().unwrap();
        let mut workers = Workers::new(Paths::below(home.path()).unwrap(), World::new().0);
        let (sender, receiver) = mpsc::channel();
        for n in 0..10 {
            let sender = sender.clone();
            workers.put(Lane::Read, move || {
                sender.send(n).unwrap();
                assert_ne!(n, 4, "on purpose");
            });
        }
        drop(sender);
        drop(workers);
        assert_eq!(receiver.into_iter().collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    }
}
