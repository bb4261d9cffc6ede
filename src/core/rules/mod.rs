//! THE WAY OF ONE TASK: from launch over attempts, gates and review to the target.
//!
//! Promises: reads the model and decides facts through [`step::Step`]; knows nothing of specs, batches, benches or budgets
//! but what they have registered in the model.

pub mod assignment;
pub mod attempt;
pub mod budget_hold;
pub mod collision;
pub mod deadlines;
pub mod effect_done;
pub mod gate;
pub mod gates;
pub mod jobs;
pub mod lid;
pub mod lookup;
pub mod merge;
pub mod notice;
pub mod polls;
pub mod prerequisites;
pub mod prompt;
pub mod question;
pub mod queue;
pub mod replay;
pub mod review;
pub mod second;
pub mod settle;
pub mod step;
pub mod task;
pub mod tool_question;
pub mod usage;
