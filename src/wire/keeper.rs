//! Words between the daemon and a keeper, and the files of a job's directory.
//!
//! A job's directory holds `spec.json` ([`JobSpec`], written by the daemon), `spool` (all output, append-only),
//! `socket` (the keeper listens), `keeper.json` ([`KeeperFile`]), `exit.json` ([`ExitFile`], durable before the keeper
//! leaves) and `lock` (held by the keeper as long as it lives). Output is read from the spool file itself; the
//! socket only says how long it is, so a slow daemon never holds up an agent.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Version of this protocol and of the files; a keeper lives through upgrades of the daemon, so a daemon must
/// speak every version that it may find.
pub const KEEPER_PROTOCOL: u32 = 2;
/// Since this version a keeper knows [`ToKeeper::Calm`].
pub const KNOWS_CALM: u32 = 2;

/// What a keeper is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Version of the file.
    pub version: u32,
    /// Program and arguments; the program is an absolute path or found on the `PATH` of `env`.
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub cwd: PathBuf,
    /// Written to its standard input, which is then closed; none: the PTY is its standard input.
    pub stdin: Option<String>,
    /// Rows of the PTY.
    pub rows: u16,
    /// Columns of the PTY.
    pub cols: u16,
}

/// `keeper.json`: who keeps the job. Written once the child runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperFile {
    /// Version of the protocol that it speaks.
    pub version: u32,
    /// The keeper's process id.
    pub keeper: u32,
    /// The child's process id.
    pub child: u32,
}

/// `exit.json`: how the job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitFile {
    Ended {
        /// Exit code; none if a signal ended it.
        code: Option<i32>,
        signal: Option<i32>,
        /// Bytes in the spool, all of it written.
        spool: u64,
    },
    /// It could not be started.
    NotStarted {
        /// What failed, on what.
        error: String,
    },
}

/// From the daemon to a keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToKeeper {
    /// Write to the PTY.
    Input(Vec<u8>),
    /// Write to the PTY, once, however often it is said: what is not later than the last such message is left out.
    /// A daemon that was killed while it typed an answer begins with it again.
    Once {
        /// The effect that asks for it; 0 is the prompt.
        effect: u64,
        /// Which part of it.
        step: u32,
        bytes: Vec<u8>,
    },
    /// Change the PTY's size.
    Resize { rows: u16, cols: u16 },
    /// Freeze the whole tree; answered by `Frozen`.
    Freeze,
    /// Thaw it; answered by `Thawed`.
    Thaw,
    /// Hang up, wait, then kill all that is left of the tree; answered by `Ended`. Thaws first if need be.
    End {
        /// How long it may take by itself, in milliseconds.
        grace_ms: u64,
    },
    /// Whether nobody waits for what the job prints: it may then be read a little later, in larger pieces. False on a
    /// new connection. Since version [`KNOWS_CALM`].
    Calm(bool),
}

/// From a keeper to the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromKeeper {
    Hello {
        /// Version that it speaks.
        version: u32,
        /// The child's process id.
        child: u32,
        /// Whether the tree is frozen.
        frozen: bool,
        /// Bytes in the spool.
        spool: u64,
    },
    /// The spool has grown to this many bytes.
    Grown(u64),
    /// The tree is frozen: this many processes.
    Frozen(u32),
    /// The tree runs again.
    Thawed,
    /// Nothing of the tree is left.
    Ended,
    /// The child has ended, its tree is gone, the spool is complete and `exit.json` is durable.
    Exited(ExitFile),
}
