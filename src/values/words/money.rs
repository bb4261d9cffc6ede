//! Money in US dollars, held as millionths: `$5`, `5`, `0.50`, `$0.000004`.
//!
//! Grammar: an optional `$`, then a decimal number of at most six digits behind the point.

use super::{Noun, ReadError, bounded, decimal, nonzero};

/// Millionths of a dollar.
const DOLLAR: u64 = 1_000_000;
/// Millionths of a cent.
const CENT: u64 = DOLLAR / 100;
/// Millionths of the last digit that is shown of little money.
const FINE: u64 = CENT / 100;

/// Reads an amount, in millionths of a dollar.
pub fn read(text: &str) -> Result<u64, ReadError> {
    let trimmed = bounded(text, Noun::Money)?;
    let number = trimmed.strip_prefix('$').unwrap_or(trimmed);
    decimal(number, DOLLAR).map_err(|wrong| ReadError::new(text, Noun::Money, wrong))
}

/// Reads an amount that limits something, in millionths of a dollar: not zero.
pub fn limit(text: &str) -> Result<u64, ReadError> {
    read(text).and_then(|amount| nonzero(text, Noun::Money, amount))
}

/// To the cent, below ten cents to a hundredth of one, so that little is not nothing: `$1.25`, `$0.0412`, `$0.05`, `$0.00`.
#[must_use]
pub fn short(microusd: u64) -> String {
    if microusd == 0 || microusd >= 10 * CENT {
        let cents = microusd / CENT + u64::from(microusd % CENT >= CENT / 2);
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    digits((microusd / FINE + u64::from(microusd % FINE >= FINE / 2)).max(1) * FINE)
}

/// All of it: `$20.00`, `$0.125`.
#[must_use]
pub fn exact(microusd: u64) -> String {
    digits(microusd)
}

/// All digits, but no zero after the second behind the point.
fn digits(microusd: u64) -> String {
    let cents = format!("${}.{:02}", microusd / DOLLAR, microusd % DOLLAR / CENT);
    let rest = format!("{:04}", microusd % CENT);
    format!("{cents}{}", rest.trim_end_matches('0'))
}
