//! Any output and any titles to every built-in profile's listener, and to the test counter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nopeek::agents::listen::Listener;
use nopeek::core::model::price::Prices;
use nopeek::screen::emulator::Emulator;
use nopeek::screen::plain::plain_text;

fuzz_target!(|bytes: &[u8]| {
    let mut emulator = Emulator::new(5, 20);
    emulator.feed(bytes);
    let signals = emulator.take_signals();
    for profile in nopeek::agents::builtin().values() {
        let mut listener = Listener::new(profile, Prices::default());
        listener.output(bytes);
        for signal in &signals {
            listener.signal(signal);
        }
    }
    let text = plain_text(bytes, 100);
    assert!(text.len() <= 100);
    let _ = nopeek::agents::test_counts::count(&text);
});
