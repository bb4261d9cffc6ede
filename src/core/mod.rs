//! RULES. Pure and synchronous: no clock, file, net, thread, tokio, randomness, global.

pub mod attempt;
pub mod effect;
pub mod event;
pub mod gate;
pub mod ids;
pub mod lid;
pub mod review;
pub mod text;
pub mod time;
pub mod view;
