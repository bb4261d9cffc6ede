//! The one integration binary: the real program, against real git, real terminals and real processes.
//!
//! `layers` reads the source; all else runs the binary in a [`support::world::World`] of its own, so that tests run in
//! parallel. Nothing here sleeps for a time: it waits for a condition, with a deadline.

#[cfg(test)]
mod bad;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod keeper;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod lid;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod outer;
#[cfg(test)]
mod panel;
#[cfg(test)]
mod past;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod real;
#[cfg(test)]
mod records;
#[cfg(test)]
mod report;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod specs_tui;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod support;
#[cfg(test)]
mod survive;
#[cfg(test)]
mod wording;
