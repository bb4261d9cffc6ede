//! RULES. Pure and synchronous: no clock, file, net, thread, tokio, randomness, global.
//!
//! [`engine::Engine::step`] is the only way in: one event with its moment, out come facts (commit them first),
//! effects (do them then) and notices. What came of an effect is an event again. A file is a word of the design.

pub mod ask;
pub mod attempt;
pub mod batch;
pub mod bench;
pub mod brief;
pub mod budget;
pub mod check;
pub mod cron;
pub mod effect;
pub mod engine;
pub mod event;
pub mod fact;
pub mod finding;
pub mod gate;
pub mod ids;
pub mod jobs;
mod kinds;
pub mod lid;
pub mod notice;
pub mod panel;
pub mod pattern;
pub mod plan;
pub mod policy;
pub mod prompt;
mod question;
mod queue;
pub mod report;
pub mod review;
mod settle;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod sim_batch;
pub mod spec;
pub mod spec_view;
mod stack;
pub mod state;
mod task;
#[cfg(test)]
mod tests;
pub mod text;
pub mod time;
pub mod trace;
mod turn;
pub mod view;
