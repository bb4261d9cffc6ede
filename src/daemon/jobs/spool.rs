//! Reading a job's spool: from an offset on, a piece at a time; and its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// One read: large enough to be fast, small enough that a look at the screen never waits long.
pub(super) const PIECE: usize = 64 * 1024;
/// How much of a spool a screen is rebuilt from: more than its history holds, read in well under a second.
pub(super) const REFEED: u64 = 8 * 1024 * 1024;

/// A spool that is being read.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Spool {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, offset: 0, buffer: Vec::new() }
    }

    /// How far it has been read.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on reading at `offset`.
    pub(super) const fn skip_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// Its length on disk; 0 while there is none.
    pub(super) fn len(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |meta| meta.len())
    }

    /// The next piece, at most up to offset `end`; empty at the end.
    pub(super) fn piece(&mut self, end: u64) -> io::Result<&[u8]> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(&[]),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &self.file else { return Ok(&[]) };
        let want = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(PIECE).min(PIECE);
        // Grown to what is needed: a quiet job holds no buffer to speak of.
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        let n = file.read_at(&mut self.buffer[..want], self.offset)?;
        self.offset += n as u64;
        Ok(&self.buffer[..n])
    }

    /// Lets go of what a large piece took.
    pub(super) fn rest(&mut self) {
        if self.buffer.len() > 4 * 1024 {
            self.buffer = Vec::new();
        }
    }
}

/// The last `max` bytes of the spool at `path`; empty if there is none.
pub(super) fn tail(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let len = file.metadata()?.len();
    let from = len.saturating_sub(max);
    let mut bytes = vec![0; usize::try_from(len - from).unwrap_or(0)];
    let mut have = 0;
    while have < bytes.len() {
        match file.read_at(&mut bytes[have..], from + have as u64)? {
            0 => break,
            n => have += n,
        }
    }
    bytes.truncate(have);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_growing_spool_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let mut spool = Spool::new(path.clone());
        assert_eq!(spool.piece(10).unwrap(), b"", "no spool yet");
        std::fs::write(&path, b"hello world").unwrap();
        assert_eq!(spool.piece(5).unwrap(), b"hello");
        assert_eq!(spool.piece(u64::MAX).unwrap(), b" world");
        assert_eq!(spool.piece(u64::MAX).unwrap(), b"");
        assert_eq!(tail(&path, 5).unwrap(), b"world");
        assert_eq!(tail(&path, 500).unwrap(), b"hello world");
    }
}
