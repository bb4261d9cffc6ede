//! A second screen of a job, read from its spool: as much scrollback as there is room for.

use super::files::Files;
use super::sizes::Sizes;
use super::spool::Spool;
use super::{COLS, ROWS};
use crate::os::paths::Paths;
use crate::screen::covered::Covered;
use crate::screen::emulator::Emulator;
use crate::values::ids::JobId;
use std::io;

/// How much of a spool's end is read: under a second's work.
const READ_MAX: u64 = 64 * 1024 * 1024;
/// Most cells of a scrollback, 24 bytes each: 12,500 lines of 200 columns in 60 MB.
const CELLS_MAX: usize = 2_500_000;
/// Most lines, however narrow.
const LINES_MAX: usize = 20_000;

/// Reads the spool of `job` as it is now; its lines are then wrapped for `size`, if one is given. Blocking.
pub(in crate::daemon) fn read(paths: &Paths, job: JobId, size: Option<(u16, u16)>) -> io::Result<Covered> {
    screen(&Files::new(paths.job(job.0)), size).map(|emulator| Covered::new(job, emulator))
}

fn screen(files: &Files, size: Option<(u16, u16)>) -> io::Result<Emulator> {
    let mut sizes = Sizes::read(files.sizes());
    let widest = sizes.widest().into_iter().chain(size.map(|(_, cols)| cols)).fold(COLS, u16::max);
    let lines = (CELLS_MAX / usize::from(widest)).min(LINES_MAX);
    let mut emulator = Emulator::with_history(ROWS, COLS, lines);
    let mut spool = Spool::new(files.spool());
    let end = spool.len();
    spool.skip_to(end.saturating_sub(READ_MAX));
    loop {
        let from = spool.offset();
        if let Some((rows, cols)) = sizes.at(from) {
            emulator.resize(rows, cols);
        }
        let piece = spool.piece(sizes.next().map_or(end, |next| next.min(end)))?;
        if piece.is_empty() {
            break;
        }
        emulator.feed(piece);
        // All of it was taken in and answered when it was new.
        emulator.take_signals();
        emulator.take_replies();
    }
    emulator.end_sync();
    if let Some((rows, cols)) = size {
        emulator.resize(rows, cols);
    }
    Ok(emulator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::text;

    #[test]
    fn a_scrollback_reaches_back_to_the_first_line_in_the_sizes_of_then() {
        let home = tempfile::tempdir().unwrap();
        let files = Files::new(home.path().to_owned());
        let printed: String = (1..=6_000).map(|n| format!("line {n}\r\n")).collect();
        let narrow = "0123456789abcdef\r\n";
        std::fs::write(files.spool(), format!("{printed}{narrow}")).unwrap();
        Sizes::read(files.sizes()).set(printed.len() as u64, (5, 10));
        let emulator = screen(&files, None).unwrap();
        assert_eq!((emulator.rows(), emulator.cols()), (5, 10));
        let lines = text::last_lines(&emulator, usize::MAX);
        assert_eq!(lines.first().unwrap(), "line 1");
        assert_eq!(lines.len(), 6_002);
        assert_eq!(lines[6_000..], ["0123456789", "abcdef"]);
        let wide = screen(&files, Some((5, 40))).unwrap();
        assert_eq!(text::last_lines(&wide, 1), ["0123456789abcdef"], "wrapped for who looks");
    }
}
