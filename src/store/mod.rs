//! SQLITE: the ledger, durable before anything is acknowledged.

pub mod backup;
pub mod ledger;
#[cfg(test)]
mod pinned;
pub mod query;
pub mod reader;
pub mod rows;
pub mod upcast;

use rows::Unread;
use std::path::{Path, PathBuf};
use upcast::Why;

/// What the database refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is a ledger of a later format.
    #[error("{} was written by a newer nopeek (format {found}, this one knows {known})", path.display())]
    Newer {
        path: PathBuf,
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// The format is known; a fact in it is of a later kind or form.
    #[error("{} was written by a newer nopeek: fact {seq} is {what}", path.display())]
    NewerFact {
        path: PathBuf,
        /// The fact's place, from 1.
        seq: u64,
        /// Its kind and version, and what this one knows.
        what: String,
    },
    /// There is no such file.
    #[error("there is no ledger yet: {} is not there", .0.display())]
    Missing(PathBuf),
    /// The file is not there or empty, and it has been: there is a back-up of it.
    #[error("the ledger is gone: {} {}, though there are back-ups of it", path.display(), if *is_there { "is empty" } else { "is not there" })]
    Gone {
        path: PathBuf,
        /// There is a file, with nothing in it.
        is_there: bool,
    },
    /// The file is some other database, or none at all.
    #[error("{} is not a ledger of nopeek, or its first page is damaged", .0.display())]
    NotOurs(PathBuf),
    /// The file is damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    /// Another process holds the file and did not let go of it in time.
    #[error("{} is locked by another process; it is neither full nor damaged", .0.display())]
    Busy(PathBuf),
    /// The disk is full; nothing was written.
    #[error("the disk is full: {} can't be written", .0.display())]
    Full(PathBuf),
    /// A back-up could not be written, or does not hold what the ledger holds.
    #[error("no back-up of {} could be made: {what}", path.display())]
    NoBackup { path: PathBuf, what: String },
    #[error("can't {act} {}: {source}", path.display())]
    Sqlite { act: &'static str, path: PathBuf, source: rusqlite::Error },
}

impl StoreError {
    /// What a row that gives no fact means for whoever needs all of them.
    #[must_use]
    pub fn of_row(path: &Path, row: Unread) -> Self {
        let path = path.to_owned();
        match row.why {
            Why::Newer => Self::NewerFact { path, seq: row.seq, what: row.what },
            Why::Damaged => Self::Damaged { path, what: row.to_string() },
        }
    }

    /// What to do about it. For a damaged ledger this looks at its back-ups, which takes as long as reading them.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Newer { .. } | Self::NewerFact { .. } => {
                "install the newer nopeek again, and leave the ledger where it is: it is not damaged, and nothing was changed"
                    .to_owned()
            }
            Self::Missing(_) => "the first task that is launched makes it: `nopeek run`".to_owned(),
            Self::Gone { path, is_there } => backup::way_back_of_lost(path, *is_there),
            Self::NotOurs(path) | Self::Damaged { path, .. } => backup::way_back(path),
            Self::Busy(path) => {
                format!("end what holds it and try again; `fuser {}` names it", path.display())
            }
            Self::Full(_) => "free some room; agents go on meanwhile".to_owned(),
            Self::NoBackup { path, .. } => {
                let folder = backup::folder(path);
                format!("make room in {} and see that it is yours", folder.display())
            }
            Self::Sqlite { .. } => "check that you own the folder and that the disk works".to_owned(),
        }
    }
}
