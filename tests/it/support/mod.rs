//! What the tests stand on: a world, a terminal, agents, waiting.

pub(crate) mod agent;
pub(crate) mod looker;
pub(crate) mod person;
pub(crate) mod proxy;
pub(crate) mod term;
pub(crate) mod wait;
pub(crate) mod world;
