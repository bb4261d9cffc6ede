//! What an agent's signals and output mean.
use super::profile::Profile;
use crate::core::attempt::{Observation, Signal};
/// Listens to one agent.
#[derive(Debug)]
pub struct Listener {}
impl Listener {
    /// For an agent of this profile.
    #[must_use]
    pub fn new(_profile: &Profile) -> Self {
        Self {}
    }
    /// What a signal of its terminal means.
    pub fn signal(&mut self, _signal: &Signal) -> Vec<Observation> {
        Vec::new()
    }
    /// What it printed.
    pub fn output(&mut self, _bytes: &[u8]) -> Vec<Observation> {
        Vec::new()
    }
}
