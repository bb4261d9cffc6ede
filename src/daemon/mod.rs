//! THE SHELL AROUND THE ENGINE, no rules: the loop, dispatch, jobs, sessions, frames, reconcile, workers.
//!
//! ```text
//!  sessions ──people──▶┐                      ┌─▶ outboxes of clients
//!  job threads ─world─▶├─ the loop ─ ledger ──┼─▶ orders to job threads
//!  workers ─────world─▶┘   (engine)  commit   └─▶ work for workers
//! ```
//!
//! Promises: what was acknowledged is in the ledger; effects are done only after the facts that ask for them are
//! committed; nothing in the loop waits for a process, a client or git; everything queued has a bound. Who may see
//! what is asked of the engine each time: this module never decides it.

mod after;
mod asking;
mod batches;
mod benches;
mod brought;
mod commands;
mod dispatch;
mod drops;
mod environment;
mod frames;
mod jobs;
mod judges;
mod launch;
mod ledger_trouble;
mod message;
mod notices;
#[cfg(feature = "otlp")]
mod otlp;
mod outbox;
mod panel;
mod past;
mod policy;
mod reports;
mod requests;
mod sending;
mod sessions;
mod shell;
mod specs;
mod start;
mod vitals;
mod workers;

pub use notices::{Failure, failures};
pub use start::{DaemonError, run};
