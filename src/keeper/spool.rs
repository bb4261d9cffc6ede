//! The spool: the append-only file of everything a PTY said.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// The kernel hands out at most 4 KiB a read; a few of them are gathered before a write.
const GATHER: usize = 32 * 1024;
/// Room that a read needs.
const READ: usize = 4 * 1024;
/// Most bytes in one turn of the loop, so that a flood does not keep orders waiting.
const TURN_MAX: usize = 256 * 1024;

/// The file and what was read but not yet written to it: at most [`GATHER`] bytes.
pub(super) struct Spool {
    file: File,
    len: u64,
    buffer: Box<[u8]>,
    held: usize,
    /// How much of `held` is in the file already: a write may be cut short by a full disk.
    written: usize,
    turn: usize,
    stuck: bool,
}

impl Spool {
    /// Opens it; what an earlier keeper wrote stays.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = File::options().create(true).append(true).mode(0o600).open(path)?;
        let len = file.metadata()?.len();
        let buffer = vec![0; GATHER].into_boxed_slice();
        Ok(Self { file, len, buffer, held: 0, written: 0, turn: 0, stuck: false })
    }

    /// Bytes in the file.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Where the next read goes.
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer[self.held..]
    }

    /// Takes in `n` bytes that were read into the buffer.
    pub(super) fn append(&mut self, n: usize) {
        self.held += n;
        self.turn += n;
        if self.buffer.len() - self.held < READ {
            self.write();
        }
    }

    /// Whether it is time to look at other things.
    pub(super) const fn is_turn_full(&self) -> bool {
        self.turn >= TURN_MAX
    }

    /// Writes what was gathered.
    pub(super) fn end_turn(&mut self) {
        self.turn = 0;
        if !self.stuck {
            self.write();
        }
    }

    /// Tries again after a full disk.
    pub(super) fn retry(&mut self) {
        if self.stuck {
            self.stuck = false;
            self.write();
        }
    }

    /// Whether all that was read is in the file, or can go there now.
    pub(super) const fn is_written(&self) -> bool {
        !self.stuck
    }

    /// Makes the file durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn write(&mut self) {
        while self.written < self.held {
            match self.file.write(&self.buffer[self.written..self.held]) {
                Ok(n) if n > 0 => {
                    self.written += n;
                    self.len += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => {
                    self.stuck = true;
                    return;
                }
            }
        }
        self.held = 0;
        self.written = 0;
    }
}
