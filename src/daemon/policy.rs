//! The policy as a gate: what is put before a repo's own gates.
//!
//! The gate runs this program in the attempt's worktree or in that of the merge, where it reads the policy of the
//! target's commit; an agent can run the same command.

use crate::config::policy::GATE;
use crate::config::repo::RepoConfig;
use crate::core::model::gate::GateSpec;
use crate::values::time::Span;

/// How long the check may take: it reads a diff, and a scanner of secrets that it asks has a limit of its own.
const TIMEOUT: Span = Span::mins(2);

/// The gate that checks the policy; none if the repo has none and `touches` limits nothing. A repo without a `[policy]`
/// may have a gate of that name: then this one is told apart.
pub(super) fn gate(program: &str, config: &RepoConfig, target: &str, touches: &[String]) -> Option<GateSpec> {
    if config.policy.is_none() && touches.is_empty() {
        return None;
    }
    let mut command = format!("{} policy --committed --target {}", quoted(program), quoted(target));
    for touch in touches {
        command.push_str(" --touch ");
        command.push_str(&quoted(touch));
    }
    let is_taken = config.gates.iter().any(|gate| gate.name == GATE);
    Some(GateSpec {
        name: if is_taken { format!("nopeek-{GATE}") } else { GATE.to_owned() },
        command,
        timeout: TIMEOUT,
        needs: Vec::new(),
        required: true,
        parallel: false,
        reads_history: true,
    })
}

/// A word as `sh` reads it back: plain if nothing in it means something to a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::gate_specs;
    use super::*;
    use crate::core::model::effect::Acceptance;

    fn config(text: &str) -> RepoConfig {
        RepoConfig::parse(text, "nopeek.toml").unwrap()
    }

    #[test]
    fn the_gate_is_there_with_a_policy_or_with_touchpoints() {
        let touches = ["src/**".to_owned(), "it's".to_owned()];
        assert_eq!(gate("/bin/nopeek", &config(""), "main", &[]), None);
        let with = gate("/my programs/nopeek", &config(""), "main", &touches).unwrap();
        assert_eq!(
            with.command,
            "'/my programs/nopeek' policy --committed --target main --touch 'src/**' --touch 'it'\\''s'"
        );
        let with = gate("/bin/nopeek", &config("[policy]"), "a b", &[]).unwrap();
        assert_eq!(with.command, "/bin/nopeek policy --committed --target 'a b'");
        assert!(with.required && with.name == "policy");
    }

    #[test]
    fn it_comes_first_and_is_never_taken_for_another_gate() {
        let file = config("[[gate]]\nname = 'policy'\ncommand = 'x'");
        let acceptance = |touches: &[&str]| Acceptance {
            touches: touches.iter().map(|touch| (*touch).to_owned()).collect(),
            ..Acceptance::default()
        };
        let names = |acceptance: &Acceptance, undo| -> Vec<String> {
            gate_specs::gates(&file, "main", acceptance, undo).into_iter().map(|gate| gate.name).collect()
        };
        assert_eq!(names(&acceptance(&["src/**"]), false), ["nopeek-policy", "policy"]);
        assert_eq!(names(&acceptance(&["src/**"]), true), ["policy"], "a roll-back is not checked");
        assert_eq!(names(&acceptance(&[]), false), ["policy"]);
    }
}
