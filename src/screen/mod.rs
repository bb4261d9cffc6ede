//! THE TERMINAL WE EMULATE. Pure: bytes in; a grid, replies and signals out. No clock, file or thread.
//!
//! What an agent prints is untrusted. It is parsed into our own grid and re-rendered; replies to its queries are
//! made of our own state alone, and everything that it can make us hold has a bound.

mod bounded;
pub mod changes;
pub mod covered;
pub mod emulator;
pub mod keys;
mod palette;
pub mod plain;
mod scanner;
mod status;
pub mod text;
