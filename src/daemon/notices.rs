//! Notices on their way to people: to every client that is subscribed, and to one of them to ring.
//!
//! Promises: a notice rings in one terminal, however many boards are open: the one whose person did something last.

use super::message::ClientId;
use super::shell::Shell;
use crate::core::notice::Notice;
use crate::wire::client::{Request, ToDaemon};
use std::path::{Path, PathBuf};

/// Whether and for what a client rings.
#[derive(Debug, Default)]
pub(super) struct Rings {
    /// None: it never does. Some of none: for every repo.
    only: Option<Option<PathBuf>>,
    /// The number of its person's last word.
    word: u64,
}

impl Rings {
    fn for_repo(&self, repo: Option<&Path>) -> bool {
        match (&self.only, repo) {
            (None, _) => false,
            (Some(Some(only)), Some(repo)) => only == repo,
            (Some(None), _) | (_, None) => true,
        }
    }
}

impl Shell {
    /// Keeps in mind who spoke last.
    pub(super) fn hear_person(&mut self, client: ClientId, message: &ToDaemon) {
        if !is_word_of_a_person(message) {
            return;
        }
        let word = self.clients.values().map(|client| client.rings.word).max().unwrap_or(0) + 1;
        let Some(client) = self.clients.get_mut(&client) else { return };
        client.rings.word = word;
        if let ToDaemon::Ring { repo } = message {
            client.rings.only = Some(repo.clone());
        }
    }

    /// A notice is in the ledger: everybody who looks is told, one rings.
    pub(super) fn tell_people(&mut self, notice: Notice) {
        let repo = notice.task.and_then(|task| self.engine.repo_of(task));
        let ringer = self
            .clients
            .iter()
            .filter(|(_, client)| client.subscribed && client.rings.for_repo(repo.as_deref()))
            .max_by_key(|(_, client)| client.rings.word)
            .map(|(id, _)| *id);
        for (id, client) in self.clients.iter().filter(|(_, client)| client.subscribed) {
            client.outbox.notice(notice.clone(), ringer == Some(*id));
        }
    }
}

/// Whether a person did something, as far as can be told: clients say some things by themselves.
const fn is_word_of_a_person(message: &ToDaemon) -> bool {
    match message {
        ToDaemon::Ring { .. } | ToDaemon::Look(_) | ToDaemon::Input { .. } => true,
        ToDaemon::Request { request, .. } => match request {
            Request::Run(_)
            | Request::Command(_)
            | Request::Act { .. }
            | Request::Diff { .. }
            | Request::Log { .. }
            | Request::Search { .. } => true,
            Request::Board
            | Request::Task(_)
            | Request::Ledger { .. }
            | Request::Agents { .. }
            | Request::Status
            | Request::Shutdown => false,
        },
        ToDaemon::Hello { .. } | ToDaemon::Subscribe(_) | ToDaemon::Shown(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_rings_for_what_it_offered_to() {
        let here = Rings { only: Some(Some(PathBuf::from("/here"))), word: 1 };
        assert!(here.for_repo(Some(Path::new("/here"))) && here.for_repo(None));
        assert!(!here.for_repo(Some(Path::new("/there"))));
        assert!(Rings { only: Some(None), word: 1 }.for_repo(Some(Path::new("/there"))));
        assert!(!Rings::default().for_repo(None), "a script that waits for boards never rings");
    }
}
