//! Numbers of a report as people read them: spans, money, tokens, moments in a zone.

use crate::report::Used;
use crate::values::time::{Span, Time};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// `950ms`, `12s`, `3m05s`, `2h07m`, `3d04h`.
#[must_use]
pub fn span(of: Span) -> String {
    let secs = of.0 / 1000;
    match secs {
        0 if of.0 > 0 => format!("{}ms", of.0),
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m{:02}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h{:02}m", secs / 3600, secs / 60 % 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs / 3600 % 24),
    }
}

/// `2 + 1 review pass`; without a second review `2`: attempts at the work, and second reviews of it.
#[must_use]
pub fn tries((tries, looks): (u32, u32)) -> String {
    match looks {
        0 => tries.to_string(),
        looks => format!("{tries} + {}", of(looks, "review pass", "review passes")),
    }
}

/// What is said of what is not known.
const UNKNOWN: &str = "unknown";

/// `$0.41`; below a cent `$0.0041`.
#[must_use]
pub fn money(microusd: u64) -> String {
    let cents = microusd.saturating_add(5_000) / 10_000;
    if microusd > 0 && microusd < 10_000 {
        return format!("$0.{:04}", microusd.div_ceil(100));
    }
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// A cost with what is unknown of it.
#[must_use]
pub fn cost(used: &Used) -> String {
    known(used.cost_microusd.map(money), used.cost_unknown)
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
            let word = |n: Option<u64>| n.map_or("?".to_owned(), count);
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

/// `950`, `12.3k`, `4.0M`.
#[must_use]
pub fn count(n: u64) -> String {
    let scaled = |unit: u64, suffix: &str| format!("{}.{}{suffix}", n / unit, n % unit / (unit / 10));
    match n {
        0..=999 => n.to_string(),
        1_000..=999_999 => scaled(1_000, "k"),
        1_000_000..=999_999_999 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// `1 task`, `3 tasks`.
#[must_use]
pub fn of(n: u32, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// `75 %`; a dash where there is nothing to share.
#[must_use]
pub fn share(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{} %", (u64::from(part) * 100 + u64::from(whole) / 2) / u64::from(whole))
}

/// A moment with its date.
#[must_use]
pub fn moment(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d %H:%M")
}

/// A moment of a day.
#[must_use]
pub fn clock(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%H:%M:%S")
}

pub(crate) fn format(at: Time, zone: &TimeZone, how: &str) -> String {
    zoned(at, zone).map_or_else(|| "?".to_owned(), |zoned| zoned.strftime(how).to_string())
}

fn zoned(at: Time, zone: &TimeZone) -> Option<Zoned> {
    let stamp = jiff::Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    Some(stamp.to_zoned(zone.clone()))
}

/// Milliseconds by which the zone's clocks are ahead of UTC.
fn ahead(at: Time, zone: &TimeZone) -> i64 {
    zoned(at, zone).map_or(0, |zoned| i64::from(zoned.offset().seconds()) * 1000)
}

/// Moments on round places of the zone's clocks, at most `most` of them between two, with their words.
#[must_use]
pub fn ticks(from: Time, to: Time, most: u64, zone: &TimeZone) -> Vec<(Time, String)> {
    const MINUTE: u64 = 60_000;
    const STEPS: [u64; 16] =
        [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 20_160, 43_200];
    let long = to.since(from).0;
    let step = STEPS.iter().map(|step| step * MINUTE).find(|step| long / step <= most.max(1));
    let step = step.unwrap_or_else(|| (long / most.max(1)).next_multiple_of(1_440 * MINUTE)).max(MINUTE);
    let ahead = ahead(from, zone);
    let local = from.0.saturating_add_signed(ahead);
    let mut at = local.next_multiple_of(step).saturating_add_signed(-ahead);
    let mut ticks = Vec::new();
    while at <= to.0 {
        let local = at.saturating_add_signed(ahead);
        let words = if local.is_multiple_of(1_440 * MINUTE) { "%b %-d" } else { "%H:%M" };
        ticks.push((Time(at), format(Time(at), zone, words)));
        at += step;
    }
    ticks
}
