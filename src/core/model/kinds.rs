//! The kinds of facts by name: what scripts may filter the ledger by.
//!
//! All of them come from the enums themselves; the fixture of the store has a line of each.

use super::batch::fact::BatchFact;
use super::bench::BenchFact;
use super::budget::BudgetFact;
use super::fact::Fact;
use super::panel::PanelFact;
use super::question::QuestionFact;
use super::spec::SpecFact;
use strum::VariantNames as _;

/// Variants of [`Fact`] that hold an enum of their own, with the kinds of that enum.
const NESTED: [(&str, &[&str]); 6] = [
    ("panel", PanelFact::VARIANTS),
    ("ask", QuestionFact::VARIANTS),
    ("budget", BudgetFact::VARIANTS),
    ("batch", BatchFact::VARIANTS),
    ("spec", SpecFact::VARIANTS),
    ("bench", BenchFact::VARIANTS),
];

impl Fact {
    /// Every kind that this version writes, whether or not a ledger has one of them; each once.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        let own = Self::VARIANTS.iter().filter(|own| !NESTED.iter().any(|(noun, _)| noun == *own));
        own.chain(NESTED.iter().flat_map(|(_, kinds)| kinds.iter())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_facts_share_a_kind() {
        let kinds: BTreeSet<&str> = Fact::kinds().collect();
        assert_eq!(kinds.len(), Fact::kinds().count());
        assert!(kinds.contains("launched") && kinds.contains("reported_done") && !kinds.contains("ask"));
    }
}
