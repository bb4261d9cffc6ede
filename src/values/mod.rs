//! WORDS AND NUMBERS, below all: ids, time, outside text made visible, path patterns, cron, and [`words`]: numbers as people read and write them.
//!
//! Pure, and knows nothing of tasks or agents: a value here means the same to rules, wires and screens.

pub mod cron;
pub mod ids;
pub mod pattern;
pub mod text;
pub mod time;
pub mod words;
