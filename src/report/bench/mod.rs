//! A bench for people outside of nopeek: its page, its plot, and the words of both.

pub mod page;
pub mod plot;

use crate::core::model::bench::outcome::RunOutcome;
use crate::core::model::gate::Verdict;
use crate::core::outer::bench::rank::{FindingCounts, Spread};
use crate::values::text::Shown;
use crate::values::words::cut;

/// How a run ended, with what made it red.
#[must_use]
pub fn result(outcome: &RunOutcome) -> String {
    let red = |verdict: Verdict| !verdict.is_green() && verdict != Verdict::Skipped;
    let names: Vec<String> = outcome
        .gates
        .iter()
        .filter(|gate| gate.required && red(gate.verdict))
        .map(|gate| Shown::line(&gate.name).to_string())
        .collect();
    let words = outcome.words();
    if names.is_empty() { words } else { format!("{words}: {}", names.join(", ")) }
}

/// `2h 1m`: high and medium; `-` for none.
#[must_use]
pub fn found(found: FindingCounts) -> String {
    let high = found.high + found.unfinished;
    let parts = [(high, "h"), (found.medium, "m"), (found.low, "l")];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, weight)| format!("{n}{weight}")).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
}

/// The median, and where the rest lies if that is elsewhere.
#[must_use]
pub fn spread(spread: Option<Spread>, words: impl Fn(u64) -> String) -> String {
    let Some(Spread { min, median, max }) = spread else { return "-".to_owned() };
    let (least, most) = (words(min), words(max));
    if least == most { words(median) } else { format!("{} ({least}..{most})", words(median)) }
}

/// Thousandths as percent.
#[must_use]
pub fn alike(share: Option<u32>) -> String {
    share.map_or("-".to_owned(), |share| format!("{}%", (share + 5) / 10))
}

/// Made visible, and cut.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    cut::chars(Shown::line(text).as_str(), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_of_one_number_is_that_number() {
        let of = |min, median, max| spread(Some(Spread { min, median, max }), |n| n.to_string());
        assert_eq!((of(3, 3, 3), of(1, 3, 9)), ("3".to_owned(), "3 (1..9)".to_owned()));
    }
}
