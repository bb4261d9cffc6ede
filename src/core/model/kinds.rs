//! The kinds of facts by name: what scripts may filter the ledger by.

use crate::core::model::fact::Fact;

/// The kinds of facts that are none of a noun of its own.
const OWN: &[&str] = &[
    "launched",
    "parallel_set",
    "reordered",
    "asked",
    "settled",
    "attempt_opened",
    "worktree_made",
    "job_opened",
    "job_ran",
    "job_ending",
    "job_ended",
    "agent_said",
    "answered",
    "session_known",
    "usage_known",
    "paused",
    "unpaused",
    "slept",
    "branch_known",
    "gate_judged",
    "attempt_over",
    "requeued",
    "review_opened",
    "reopened",
    "approved",
    "rollback_asked",
    "candidate_built",
    "candidate_stale",
    "merge_left",
    "landed",
    "rolled_back",
    "stuck",
    "interrupted",
    "stopped",
    "rejected",
    "peeked",
    "covered",
    "forgotten",
];

/// Kinds of facts of the panel, of questions, budgets, batches, specs and benches.
const NESTED: &[&str] = &[
    "panel_voted",
    "panel_decided",
    "question_put",
    "question_answered",
    "question_dropped",
    "reported_done",
    "budget_set",
    "budget_batch_opened",
    "budget_batch_joined",
    "budget_raised",
    "budget_day_began",
    "budget_closed",
    "budget_opened",
    "budget_paused",
    "budget_excused",
    "spec_opened",
    "spec_drafting",
    "spec_agreed",
    "spec_planning",
    "spec_planned",
    "spec_tasked",
    "spec_phase_landed",
    "spec_soak_checking",
    "spec_soaked",
    "spec_done",
    "spec_stopped",
    "spec_went_on",
    "spec_forgotten",
    "bench_opened",
    "bench_ran",
    "bench_measured",
    "bench_over",
    "bench_picked",
    "bench_stopped",
    "bench_forgotten",
];

impl Fact {
    /// The kinds that there are, whether or not the ledger has one of them.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        OWN.iter().chain(NESTED).chain(&crate::core::model::batch::fact::BatchFact::KINDS).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_enum_is_listed() {
        let error = serde_json::from_str::<Fact>("\"zzz\"").unwrap_err().to_string();
        let nouns = ["panel", "ask", "budget", "batch", "spec", "bench"];
        let variants: Vec<&str> =
            error.split('`').skip(3).step_by(2).filter(|kind| !nouns.contains(kind)).collect();
        assert!(variants.len() > 30, "{error}");
        for variant in variants {
            assert!(OWN.contains(&variant), "{variant} is not in the list of kinds");
        }
    }
}
