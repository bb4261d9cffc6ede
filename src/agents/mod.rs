//! WHAT AGENT CLIS SAY. Pure translators: how to start a CLI, and what its output and signals mean.

mod aider;
mod claude;
mod codex;
mod gemini;
pub mod listen;
mod opencode;
mod pi;
pub mod profile;
mod qwen;
pub mod test_counts;

use profile::Profile;
use std::collections::BTreeMap;

/// The profiles that nopeek comes with, by name: `assets/agents.toml`.
#[must_use]
pub fn builtin() -> BTreeMap<String, Profile> {
    profile::builtin()
}
