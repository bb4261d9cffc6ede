//! Lines of a stream, each with a bound: one that is too long is told once and skipped, never held.

/// Longest line, in bytes.
pub(super) const LINE_MAX: usize = 1024 * 1024;

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// One longer than allowed; what is left of it is skipped.
    TooLong,
}

/// What has come of the line under way.
#[derive(Debug)]
pub(super) struct Lines {
    held: Vec<u8>,
    skips: bool,
    max: usize,
}

impl Lines {
    pub(super) const fn new(max: usize) -> Self {
        Self { held: Vec::new(), skips: false, max }
    }

    /// Takes in the next bytes of the stream and gives out what they end.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut out: impl FnMut(Line)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.hold(&bytes[..end], &mut out);
            out_whole(self.end(), &mut out);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes, &mut out);
    }

    /// The stream has ended: what is left is a line too.
    pub(super) fn end(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.held);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let skipped = std::mem::take(&mut self.skips);
        (!skipped && !line.iter().all(u8::is_ascii_whitespace)).then_some(line)
    }

    fn hold(&mut self, part: &[u8], out: &mut impl FnMut(Line)) {
        if self.skips {
            return;
        }
        if self.held.len() + part.len() > self.max {
            self.skips = true;
            self.held = Vec::new();
            out(Line::TooLong);
        } else {
            self.held.extend_from_slice(part);
        }
    }
}

fn out_whole(line: Option<Vec<u8>>, out: &mut impl FnMut(Line)) {
    if let Some(line) = line {
        out(Line::Whole(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(parts: &[&[u8]], max: usize) -> Vec<Line> {
        let (mut lines, mut out) = (Lines::new(max), Vec::new());
        for part in parts {
            lines.push(part, |line| out.push(line));
            assert!(lines.held.len() <= max, "a line is never held beyond its bound");
        }
        out.extend(lines.end().map(Line::Whole));
        out
    }

    /// The same by another road: all at once.
    fn plain(bytes: &[u8], max: usize) -> Vec<Line> {
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| {
            if line.len() > max {
                return Some(Line::TooLong);
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (!line.iter().all(u8::is_ascii_whitespace)).then(|| Line::Whole(line.to_vec()))
        });
        lines.collect()
    }

    #[test]
    fn a_line_that_is_too_long_is_told_at_once_and_skipped() {
        let (mut lines, mut out) = (Lines::new(4), Vec::new());
        lines.push(b"abcde", |line| out.push(line));
        assert_eq!(out, [Line::TooLong]);
        lines.push(&[b'x'; 100], |line| out.push(line));
        lines.push(b"\nok\r\n\n  \nhalf", |line| out.push(line));
        assert_eq!(out[1..], [Line::Whole(b"ok".to_vec())]);
        assert_eq!(lines.end(), Some(b"half".to_vec()));
        assert_eq!(lines.end(), None);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_come(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
            cuts in prop::collection::vec(0usize..400, 0..20),
            max in 0usize..12,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&parts, max), plain(&bytes, max));
        }
    }
}
