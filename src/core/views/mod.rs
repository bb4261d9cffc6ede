//! WHAT CLIENTS ARE SHOWN, made from the model and from the predicates of the rules. Never content of a hidden screen.

pub mod batch;
pub mod bench;
pub mod board;
pub mod budget;
pub mod job;
pub mod ledger;
pub mod panel;
pub mod spec;
