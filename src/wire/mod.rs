//! WORDS BETWEEN PROCESSES. Pure codecs, no sockets: usable from the blocking keeper and the async daemon.

pub mod cells;
pub mod client;
pub mod frame;
pub mod input;
pub mod keeper;
