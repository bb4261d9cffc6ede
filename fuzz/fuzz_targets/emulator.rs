//! Any bytes, cut in two anywhere, resized in between: no panic, and the same signals and replies as in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nopeek::screen::changes::{Seen, changes};
use nopeek::screen::emulator::Emulator;

fuzz_target!(|input: (u8, u8, u16, &[u8])| {
    let (rows, cols, cut, bytes) = input;
    let (rows, cols) = (u16::from(rows), u16::from(cols));
    let mut whole = Emulator::new(rows, cols);
    whole.feed(bytes);
    let mut split = Emulator::new(rows, cols);
    let cut = usize::from(cut).min(bytes.len());
    split.feed(&bytes[..cut]);
    split.feed(&bytes[cut..]);
    assert_eq!(whole.take_signals(), split.take_signals());
    assert_eq!(whole.take_replies(), split.take_replies());
    let mut seen = Seen::default();
    changes(&mut whole, &mut seen, rows, cols, 0);
    whole.resize(cols, rows);
    whole.end_sync();
    changes(&mut whole, &mut seen, cols, rows, 3);
});
