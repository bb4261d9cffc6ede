//! WORDS AND NUMBERS, below all: ids, time, outside text made visible, path patterns, cron.
//!
//! Pure, and knows nothing of tasks or agents: a value here means the same to rules, wires and screens.

pub mod cron;
pub mod ids;
pub mod pattern;
pub mod plural;
pub mod text;
pub mod time;
