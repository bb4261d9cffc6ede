//! Who rings: for which repos a client offers to ring, and what counts as a person's own doing.

use crate::wire::client::{Request, ToDaemon};
use std::path::{Path, PathBuf};

/// Whether and for what a client rings.
#[derive(Debug, Default)]
pub(super) struct Rings {
    /// None: it never does. Some of none: for every repo.
    pub(super) only: Option<Option<PathBuf>>,
    /// The number of its person's last word: the higher, the later of all clients.
    pub(super) word: u64,
}

impl Rings {
    /// Whether it offers to ring for a notice about a task of `repo`.
    pub(super) fn for_repo(&self, repo: Option<&Path>) -> bool {
        match (&self.only, repo) {
            (None, _) => false,
            (Some(Some(only)), Some(repo)) => only == repo,
            (Some(None), _) | (_, None) => true,
        }
    }
}

/// Whether a person did something, as far as can be told: clients say some things by themselves.
pub(super) const fn is_word_of_a_person(message: &ToDaemon) -> bool {
    match message {
        ToDaemon::Ring { .. } | ToDaemon::Look(_) | ToDaemon::Input { .. } => true,
        ToDaemon::Request { request, .. } => match request {
            Request::Run(_)
            | Request::SpecNew(_)
            | Request::BenchNew(_)
            | Request::Schedule(_)
            | Request::Command(_)
            | Request::Act { .. }
            | Request::Diff { .. }
            | Request::Log { .. }
            | Request::Search { .. } => true,
            Request::Board
            | Request::Task(_)
            | Request::Ledger { .. }
            | Request::Agents { .. }
            | Request::Spec(_)
            | Request::Queue(_)
            | Request::Budget
            | Request::Bench(_)
            | Request::Status
            | Request::Report(_)
            | Request::SendReport(_)
            | Request::Shutdown
            | Request::Asked { .. }
            | Request::PutPanel { .. }
            | Request::Panels { .. }
            | Request::Panel(_)
            | Request::Personas(_) => false,
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
