//! The sizes that a job's terminal was given, each with the place in the spool from which on it held, so that a screen
//! that is read again comes out as it was.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Bytes of one size in the file.
const ENTRY: usize = 12;
/// Sizes that are read of the newest: more were dragged by a mouse, and of these only the last ones count.
const READ_MAX: usize = 4_096;

/// Rows and columns.
type Size = (u16, u16);

/// A job's sizes: those still ahead of what has been read, and where new ones are kept.
#[derive(Debug)]
pub(super) struct Sizes {
    path: PathBuf,
    ahead: VecDeque<(u64, Size)>,
    last: Option<Size>,
}

impl Sizes {
    /// As they were kept.
    pub(super) fn read(path: PathBuf) -> Self {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let skipped = (bytes.len() / ENTRY).saturating_sub(READ_MAX);
        let ahead: VecDeque<_> = bytes.chunks_exact(ENTRY).skip(skipped).filter_map(entry).collect();
        let last = ahead.back().map(|(_, size)| *size);
        Self { path, ahead, last }
    }

    /// The most columns of those ahead.
    pub(super) fn widest(&self) -> Option<u16> {
        self.ahead.iter().map(|(_, (_, cols))| *cols).max()
    }

    /// The size that holds from `offset` on, if it is another than before.
    pub(super) fn at(&mut self, offset: u64) -> Option<Size> {
        let mut found = None;
        while self.ahead.front().is_some_and(|(from, _)| *from <= offset) {
            found = self.ahead.pop_front().map(|(_, size)| size);
        }
        found
    }

    /// Where the next size begins to hold.
    pub(super) fn next(&self) -> Option<u64> {
        self.ahead.front().map(|(from, _)| *from)
    }

    /// From `offset` on it is this one.
    pub(super) fn set(&mut self, offset: u64, size: Size) {
        self.ahead.push_back((offset, size));
        if self.last.replace(size) == Some(size) {
            return;
        }
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&offset.to_le_bytes());
        bytes[8..10].copy_from_slice(&size.0.to_le_bytes());
        bytes[10..].copy_from_slice(&size.1.to_le_bytes());
        let keep = || -> io::Result<()> {
            File::options().create(true).append(true).mode(0o600).open(&self.path)?.write_all(&bytes)
        };
        if let Err(error) = keep() {
            tracing::warn!(%error, path = %self.path.display(), "a terminal's size can't be kept");
        }
    }
}

fn entry(bytes: &[u8]) -> Option<(u64, Size)> {
    let (offset, size) = bytes.split_first_chunk::<8>()?;
    let (rows, cols) = size.split_first_chunk::<2>()?;
    let cols = cols.first_chunk::<2>()?;
    Some((u64::from_le_bytes(*offset), (u16::from_le_bytes(*rows), u16::from_le_bytes(*cols))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_again_at_their_places() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sizes");
        let mut sizes = Sizes::read(path.clone());
        sizes.set(0, (24, 80));
        sizes.set(7, (24, 80));
        sizes.set(10, (50, 200));
        sizes.set(10, (40, 100));
        assert_eq!(sizes.at(10), Some((40, 100)));
        assert_eq!(sizes.at(99), None);

        // A last entry that a full disk has cut is none.
        File::options().append(true).open(&path).unwrap().write_all(b"cut").unwrap();
        let mut sizes = Sizes::read(path);
        assert_eq!(sizes.next(), Some(0));
        assert_eq!(sizes.at(5), Some((24, 80)));
        assert_eq!(sizes.next(), Some(10));
        assert_eq!(sizes.at(10), Some((40, 100)));
        assert_eq!(sizes.next(), None);
    }
}
