//! THE MACHINE, thin and safe: the only clock, the only unsafe, locks, peers, process trees, where files live.

pub mod clock;
pub mod editor;
pub mod lock;
pub mod mail;
pub mod paths;
pub mod peer;
pub mod post;
pub mod process;
pub mod program;
pub mod watch;
