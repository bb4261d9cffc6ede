//! RULES. Pure and synchronous: no clock, file, net, thread, tokio, randomness, global.
//!
//! Four floors that only look down: [`model`] ← [`rules`] ← [`outer`] ← [`views`], and on top of them the door:
//! [`engine::Engine::step`] is the only way in: one event with its moment, out come facts (commit them first), effects
//! (do them then) and notices. What came of an effect is an event again.

pub mod check;
pub mod engine;
pub mod model;
pub mod outer;
pub mod rules;
#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod sim_batch;
#[cfg(test)]
mod tests;
pub mod views;
