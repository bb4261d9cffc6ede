//! How alike two results are: the share of changed lines that both have.
//!
//! A result is kept as a sketch of bounded size: the smallest hashes of its changed lines. Up to [`Sketch::MAX`] lines the
//! answer is exact (but for a collision of hashes); beyond it is an estimate over a sample that both draw alike.

use crate::core::model::diff::{Diff, DiffKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The changed lines of a result: hashes, smallest first, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch(Vec<u32>);

impl Sketch {
    /// Most hashes kept: about 10 KB in the ledger.
    pub const MAX: usize = 1_000;

    /// Of a diff: each added or removed line with its file, indentation and blank lines left out.
    #[must_use]
    pub fn of(diff: &Diff) -> Self {
        let lines = diff.files.iter().flat_map(|file| {
            let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
            lines.filter_map(move |line| {
                let mark = match line.kind {
                    DiffKind::Added => '+',
                    DiffKind::Removed => '-',
                    DiffKind::Context => return None,
                };
                let text = line.text.as_str().trim();
                (!text.is_empty()).then(|| hash(file.path.as_str(), mark, text))
            })
        });
        Self::from_hashes(lines)
    }

    pub(in crate::core) fn from_hashes(hashes: impl IntoIterator<Item = u32>) -> Self {
        let all: BTreeSet<u32> = hashes.into_iter().collect();
        Self(all.into_iter().take(Self::MAX).collect())
    }

    /// Whether nothing was changed, or nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of lines that both have among those that either has, in thousandths; none if one of them has none.
    #[must_use]
    pub fn alike(&self, other: &Self) -> Option<u32> {
        if self.is_empty() || other.is_empty() {
            return None;
        }
        // Of the smallest hashes of both together, which any cut of either list still holds.
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        let (mut both, mut all) = (0_usize, 0_usize);
        while all < Self::MAX {
            let least = match (one.peek(), two.peek()) {
                (Some(a), Some(b)) => **a.min(b),
                (Some(hash), None) | (None, Some(hash)) => **hash,
                (None, None) => break,
            };
            let in_one = one.next_if(|hash| **hash == least).is_some();
            let in_two = two.next_if(|hash| **hash == least).is_some();
            both += usize::from(in_one && in_two);
            all += 1;
        }
        u32::try_from(both * 1_000 / all).ok()
    }
}

/// The mean of how alike pairs are, in thousandths; none without a pair that can be compared.
#[must_use]
pub fn mean<'a>(pairs: impl IntoIterator<Item = (&'a Sketch, &'a Sketch)>) -> Option<u32> {
    let (mut sum, mut count) = (0_u32, 0_u32);
    for alike in pairs.into_iter().filter_map(|(one, other)| one.alike(other)) {
        sum += alike;
        count += 1;
    }
    (count > 0).then(|| sum / count)
}

/// FNV-1a, folded to 32 bits: the same numbers from the same lines everywhere and for ever.
fn hash(path: &str, mark: char, text: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mark = [0, mark as u8];
    for byte in path.bytes().chain(mark).chain(text.bytes()) {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}
