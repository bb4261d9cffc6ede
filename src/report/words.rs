//! Numbers of a report in words: what was used, with what is unknown of it; tries, shares.

use crate::report::Used;
use crate::values::words::{money, plural, tokens as counts};

/// `2 + 1 review pass`; without a second review `2`: attempts at the work, and second reviews of it.
#[must_use]
pub fn tries((tries, looks): (u32, u32)) -> String {
    match looks {
        0 => tries.to_string(),
        looks => format!("{tries} + {}", plural::counted(looks, "review pass")),
    }
}

/// What is said of what is not known.
const UNKNOWN: &str = "unknown";

/// A cost with what is unknown of it.
#[must_use]
pub fn cost(used: &Used) -> String {
    known(used.cost_microusd.map(money::short), used.cost_unknown)
}

/// The same where it stands alone: `unknown` becomes `cost unknown`.
#[must_use]
pub fn cost_alone(used: &Used) -> String {
    let cost = cost(used);
    if cost == UNKNOWN { format!("cost {cost}") } else { cost }
}

/// Tokens in and out, with what is unknown of them.
#[must_use]
pub fn tokens(used: &Used) -> String {
    let both = match (used.tokens_in, used.tokens_out) {
        (None, None) => None,
        (read, written) => {
            let word = |n: Option<u64>| n.map_or("?".to_owned(), counts::short);
            Some(format!("{} in, {} out", word(read), word(written)))
        }
    };
    known(both, used.tokens_unknown)
}

fn known(known: Option<String>, unknown: u32) -> String {
    match (known, unknown) {
        (None, 0) => "–".to_owned(),
        (None, _) => UNKNOWN.to_owned(),
        (Some(known), 0) => known,
        (Some(known), n) => format!("{known} + {n} unknown"),
    }
}

/// `75 %`; a dash where there is nothing to share.
#[must_use]
pub fn share(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{} %", (u64::from(part) * 100 + u64::from(whole) / 2) / u64::from(whole))
}
