//! Any bytes to the frame decoder: messages or an error, no panic and no large allocation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nopeek::wire::client::{FromDaemon, ToDaemon};
use nopeek::wire::frame::Decoder;
use nopeek::wire::keeper::{FromKeeper, ToKeeper};

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    for part in bytes.chunks(7) {
        decoder.push(part);
        while let Ok(Some(_)) = decoder.next_message::<T>() {}
    }
}

fuzz_target!(|bytes: &[u8]| {
    decode::<ToDaemon>(bytes);
    decode::<FromDaemon>(bytes);
    decode::<ToKeeper>(bytes);
    decode::<FromKeeper>(bytes);
});
