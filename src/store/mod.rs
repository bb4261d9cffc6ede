//! SQLITE: the ledger, durable before anything is acknowledged.

pub mod ledger;
pub mod query;
pub mod reader;

use std::path::PathBuf;

/// What the database refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is a ledger of a later version.
    #[error("{} was written by a newer nopeek (format {found}, this one knows {known})", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// There is no such file.
    #[error("there is no ledger yet: {} is not there", .0.display())]
    Missing(PathBuf),
    /// The file is some other database.
    #[error("{} is not a ledger of nopeek", .0.display())]
    NotOurs(PathBuf),
    /// The file is damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The disk is full; nothing was written.
    #[error("the disk is full: {} can't be written", .0.display())]
    Full(PathBuf),
    /// Anything else.
    #[error("can't {act} {}: {source}", path.display())]
    Sqlite {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Newer { .. } => "install the newer nopeek again; nothing was changed".to_owned(),
            Self::Missing(_) => "the first task that is launched makes it: `nopeek run`".to_owned(),
            Self::NotOurs(path) => format!("move {} away", path.display()),
            Self::Damaged { path, .. } => {
                format!(
                    "move {} away and put a backup in its place; branches and worktrees are not touched",
                    path.display()
                )
            }
            Self::Full(_) => "free some room; agents go on meanwhile".to_owned(),
            Self::Sqlite { .. } => "check that you own the folder and that the disk works".to_owned(),
        }
    }
}
