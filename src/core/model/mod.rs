//! WHAT IS KNOWN AND DECIDED: facts, events, effects, the state, and the plain types of every noun.
//!
//! Promises: nothing here decides. [`state::State::apply`] takes in facts and has no rules, so that a changed rule never
//! changes the past. Whoever only needs the shape of a thing imports it from here.

pub mod agent;
pub mod assignment;
pub mod attempt;
pub mod batch;
pub mod bench;
pub mod branch;
pub mod budget;
pub mod diff;
pub mod effect;
pub mod event;
pub mod fact;
pub mod finding;
pub mod gate;
pub mod job;
pub mod kinds;
pub mod lid;
pub mod limits;
pub mod notice;
pub mod panel;
pub mod plan;
pub mod price;
pub mod question;
pub mod refused;
pub mod spec;
pub mod state;
pub mod task;
