//! nopeek: a terminal UI for supervising parallel coding agents.

pub mod agents;
pub mod cli;
pub mod client;
pub mod config;
pub mod core;
pub mod daemon;
pub mod git;
pub mod keeper;
pub mod os;
pub mod policy;
pub mod report;
pub mod screen;
pub mod store;
pub mod tui;
pub mod values;
pub mod wire;
