//! nopeek: a terminal UI for supervising parallel coding agents.

pub mod core;
pub mod wire;
