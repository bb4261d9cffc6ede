//! What can go wrong between a client and the daemon, each with what to do.

use crate::wire::client::Refusal;
use crate::wire::frame::FrameError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no connection, or no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody answers at the socket, and the caller did not want a daemon started.
    #[error("no daemon runs")]
    NoDaemon,
    /// The socket belongs to somebody else; nothing is ever sent to it.
    #[error("the socket {path} belongs to another user (uid {uid})")]
    NotOurs {
        /// The socket, or its folder.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// The daemon speaks another protocol.
    #[error("the daemon is nopeek {theirs} (protocol {protocol}), this is nopeek {ours}")]
    WrongVersion {
        /// Its version.
        theirs: String,
        /// Its protocol.
        protocol: u32,
        /// Our version.
        ours: &'static str,
    },
    /// A daemon was started and did not come to answer.
    #[error("the daemon was started and does not answer: {why}")]
    NotStarted {
        /// What was seen.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// The socket failed.
    #[error("{what}: {error}")]
    Io {
        /// What was tried, on what.
        what: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The daemon sent something that can't be read.
    #[error("the daemon sent something that can't be read")]
    Frame(#[from] FrameError),
    /// The daemon closed the connection.
    #[error("the daemon closed the connection")]
    Closed,
    /// The daemon refused the request; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ClientError {
    /// What to do; empty if there is nothing to say.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoDaemon => "any `nopeek run` or `nopeek` starts it".to_owned(),
            Self::NotOurs { path, .. } => {
                format!(
                    "see who made {}, remove it, or set NOPEEK_HOME to a folder of your own",
                    path.display()
                )
            }
            Self::WrongVersion { .. } => {
                "`nopeek daemon restart` replaces it; agents go on meanwhile".to_owned()
            }
            Self::NotStarted { log, .. } => log.clone(),
            // What a socket's path is too long for: `SUN_LEN`, 108 bytes.
            Self::Io { error, .. } if error.kind() == io::ErrorKind::InvalidInput => {
                "set XDG_RUNTIME_DIR, or NOPEEK_HOME, to a folder with a shorter path".to_owned()
            }
            Self::Io { .. } | Self::Frame(_) => "`nopeek doctor` looks for the cause".to_owned(),
            Self::Closed => "it may have been ended or restarted: try again".to_owned(),
            Self::Refused(refusal) => refusal.remedy.clone(),
        }
    }

    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
