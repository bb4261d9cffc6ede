//! Which gates judge a piece of work: the repo's, and what its own terms add.

use super::{environment, policy};
use crate::config::repo::RepoConfig;
use crate::core::model::effect::{Acceptance, Gates};
use crate::core::model::gate::GateSpec;
use crate::values::time::Span;

/// How long the check of a planned task may run.
const CHECK_TIMEOUT: Span = Span::mins(30);

/// The gates in the order in which they run: the policy first. A roll-back (`undo`) is a person's decision, and undoes
/// what the policy has let through.
pub(super) fn gates(config: &RepoConfig, target: &str, acceptance: &Acceptance, undo: bool) -> Vec<GateSpec> {
    let mut gates = Vec::new();
    if acceptance.gates != Gates::None {
        let program = environment::own_program();
        gates.extend(policy::gate(&program, config, target, &acceptance.touches).filter(|_| !undo));
        gates.extend(match acceptance.gates {
            Gates::All => config.gates.clone(),
            Gates::Policy | Gates::None => Vec::new(),
        });
        for (n, check) in acceptance.checks.iter().enumerate() {
            gates.push(GateSpec {
                name: name(&gates, n),
                command: check.clone(),
                timeout: CHECK_TIMEOUT,
                needs: Vec::new(),
                required: true,
                parallel: false,
                reads_history: false,
            });
        }
    }
    gates
}

/// A name that no other gate has.
fn name(gates: &[GateSpec], n: usize) -> String {
    let wished = if n == 0 { "check".to_owned() } else { format!("check-{}", n + 1) };
    if gates.iter().any(|gate| gate.name == wished) { format!("task-{wished}") } else { wished }
}
