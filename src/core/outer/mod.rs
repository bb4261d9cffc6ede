//! THE WAY OF MANY: specs, plans, batches, benches, budgets, the panel.
//!
//! Promises: uses the rules of one task and is not known to them; what those must know of it is data in the model.

pub mod batch;
pub mod bench;
pub mod budget;
pub mod checks;
pub mod launch;
pub mod panel;
pub mod plan;
pub mod spec;
