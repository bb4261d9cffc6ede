//! Queues that are watched: a glance at each, now and then, for specs that were dropped; and what lies in one, for people.

use super::message::{FromWorld, ReplyTo};
use super::workers::{Lane, Workers, guarded};
use super::{dropped_specs, launch};
use crate::core::engine::Engine;
use crate::core::model::batch::BatchCommand;
use crate::core::model::event::{Command, Event};
use crate::wire::client::Reply;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// A watched queue is glanced at so often.
const GLANCE: Duration = Duration::from_secs(60);

/// What lies in a queue, with when it was written.
pub(super) type Seen = Vec<(String, Option<SystemTime>)>;

/// What is known of queues that are watched. Measured, never stored.
#[derive(Debug, Default)]
pub(super) struct Queues {
    seen: HashMap<PathBuf, Seen>,
    due: Option<Instant>,
}

impl Queues {
    /// When they are to be glanced at again, if any is watched.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Has workers glance at queues that are watched, once a minute. Answered by [`Queues::glanced`].
    pub(super) fn watch(&mut self, engine: &Engine, workers: &mut Workers, at: Instant) {
        let watched = engine.watched_queues();
        if watched.is_empty() {
            *self = Self::default();
            return;
        }
        if self.due.is_some_and(|due| at < due) {
            return;
        }
        self.due = Some(at + GLANCE);
        self.seen.retain(|repo, _| watched.iter().any(|(other, _)| other == repo));
        for (repo, pattern) in watched {
            workers.tell(Lane::Read, move |_| {
                let seen = guarded(|| dropped_specs::glance(&repo, &pattern)).unwrap_or_default();
                FromWorld::Glanced { repo, seen }
            });
        }
    }

    /// Something new in a queue: the engine is to have it looked at. What was left lying is not looked at again and again.
    pub(super) fn glanced(&mut self, repo: PathBuf, seen: Seen) -> Option<Event> {
        let before = self.seen.insert(repo.clone(), seen.clone());
        (!seen.is_empty() && before.as_ref() != Some(&seen)).then(|| {
            let command = Command::Batch(BatchCommand::Look(repo));
            Event::Command { by: "nopeek".to_owned(), command }
        })
    }
}

/// Answers with what lies in the queue of a folder's repo.
pub(super) fn list(workers: &mut Workers, reply: ReplyTo, folder: PathBuf) {
    workers.answer(Lane::Read, reply, move |paths| {
        let (main, _, file) = launch::repo_config(paths, &folder, None)?;
        Ok(Reply::Queue(dropped_specs::list(&main, &file.schedule.queue)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_lying_is_looked_at_once() {
        let mut queues = Queues::default();
        let repo = PathBuf::from("/repo");
        let one = vec![("next/a.md".to_owned(), None)];
        assert_eq!(queues.glanced(repo.clone(), Vec::new()), None, "it is empty");
        assert!(queues.glanced(repo.clone(), one.clone()).is_some());
        assert_eq!(queues.glanced(repo.clone(), one.clone()), None);
        let two = vec![("next/a.md".to_owned(), None), ("next/b.md".to_owned(), None)];
        assert!(queues.glanced(repo, two).is_some());
    }
}
