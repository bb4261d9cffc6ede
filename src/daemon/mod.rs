//! THE SHELL AROUND THE ENGINE, no rules: the loop, effects, jobs, sessions, frames, reconcile, workers.
//!
//! ```text
//!  sessions ──people──▶┐                      ┌─▶ clients, screens ──▶ outboxes
//!  job threads ─world─▶├─ the loop ─ journal ─┼─▶ effects ──▶ orders to job threads
//!  workers ─────world─▶┘   (engine + ledger)  └─▶ workers: git, disk, what must not block
//! ```
//!
//! The loop (`event_loop`; `requests` says which request goes to which part) owns the parts. Each owns its fields and is
//! handed what else it needs; none knows of the loop:
//!
//! | part | what it owns |
//! |---|---|
//! | `journal` | the engine and the ledger: steps, what is not saved yet, the commit and its retry; `ledger_trouble` |
//! | `effects` | effects that are being done; what the loop finds out by doing them; the `fence` before changes of repos |
//! | `jobs` | a thread for each job, and its screen under the lid |
//! | `workers` | a thread for each lane of work on git and disk |
//! | `clients` | who is connected, subscriptions, replies; who rings (`rings`) |
//! | `screens` | who looks at which screen (`frames`), sizes, requests that wait for one, `scrollbacks` |
//! | `board_feed` | when the board is sent; `vitals` |
//! | `questions` | requests that wait for a person's answer |
//! | `queues` | queues that are watched for dropped specs |
//! | `notices` | notices on their way to the user's command and webhook |
//! | `timekeeper` | the moment of a turn; how long the machine slept |
//!
//! The other files are functions by noun (`specs`, `benches`, `batches`, `panel`, `reports`, …): from a request to a
//! command, looked up by a worker; and views of the engine for clients.
//!
//! Promises: what was acknowledged is in the ledger; effects are done only after the facts that ask for them are
//! committed (only `journal` can step the engine); nothing in the loop waits for a process, a client or git; everything
//! queued has a bound. Who may see what is asked of the engine each time: this module never decides it.

mod after_commit;
mod batches;
mod benches;
mod board_feed;
mod clients;
mod commands;
mod deliverables;
mod dropped_specs;
mod effects;
mod environment;
mod event_loop;
mod fence;
mod frames;
mod gate_specs;
mod git_effects;
mod jobs;
mod journal;
mod launch;
mod ledger_trouble;
mod listening;
mod message;
mod notices;
#[cfg(feature = "otlp")]
mod otlp;
mod outbox;
mod panel;
mod policy;
mod questions;
mod queues;
mod reports;
mod requests;
mod rings;
mod screens;
mod scrollbacks;
mod sending;
mod sessions;
mod specs;
mod start;
mod timekeeper;
mod vitals;
mod workers;

pub use notices::{Failure, failures};
pub use start::{DaemonError, run};
