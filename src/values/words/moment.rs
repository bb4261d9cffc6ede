//! Moments as the clocks of a zone show them: `2026-11-20 14:00`, `14:00:05`.
//!
//! Read are: a duration (so long ago), a date (its first moment), a date and a time, a time (the last moment at which it was
//! so late), and RFC 3339 with its offset. Where a zone's clocks are set back an hour has two meanings: the first is taken.

use super::duration::{self, DAY, HOUR, MINUTE};
use super::{Noun, ReadError, Wrong, bounded};
use crate::values::time::Time;
use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Shown for a moment beyond the year 9999.
const BEYOND: &str = "?";

/// Reads `24h`, `2026-11-20`, `2026-11-20 14:00`, `14:00` or a full RFC 3339 time, seen at `now` in `zone`.
pub fn read(text: &str, now: Time, zone: &TimeZone) -> Result<Time, ReadError> {
    let trimmed = bounded(text, Noun::Moment)?;
    // A number alone is a year or an hour to one, and seconds to another.
    let is_number = trimmed.bytes().all(|b| b.is_ascii_digit());
    if let Some(span) = duration::read(trimmed).ok().filter(|_| !is_number) {
        return Ok(Time(now.0.saturating_sub(span.0)));
    }
    written(trimmed, now, zone).ok_or_else(|| ReadError::new(text, Noun::Moment, Wrong::Form))
}

fn written(text: &str, now: Time, zone: &TimeZone) -> Option<Time> {
    let here = |at: DateTime| at.to_zoned(zone.clone()).ok();
    let of = |at: Timestamp| Time(u64::try_from(at.as_millisecond()).unwrap_or(0));
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(of(stamp));
    }
    // A time alone: what has a date too is read as a time of today by the parser of times.
    if text.contains(':')
        && !text.contains('-')
        && let Ok(clock) = text.parse::<Clock>()
    {
        let now = zoned(now, zone)?;
        let today = here(now.date().to_datetime(clock))?;
        let at = if today > now { today.checked_sub(1.day()).ok()? } else { today };
        return Some(of(at.timestamp()));
    }
    // A date with an offset and no zone would be taken for one of here.
    let at = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => date.to_datetime(Clock::midnight()),
        _ => text.parse::<DateTime>().ok()?,
    };
    Some(of(here(at)?.timestamp()))
}

/// To the minute, with its date: `2026-11-20 14:00`.
#[must_use]
pub fn minute(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d %H:%M")
}

/// To the second, with its date: `2026-11-20 14:00:05`.
#[must_use]
pub fn second(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d %H:%M:%S")
}

/// The time of its day: `14:00:05`.
#[must_use]
pub fn clock(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%H:%M:%S")
}

/// The time of day if it was within the last 24 hours of `now`, else the date too.
#[must_use]
pub fn recent(at: Time, now: Time, zone: &TimeZone) -> String {
    if now.since(at).0 < DAY { clock(at, zone) } else { minute(at, zone) }
}

/// Its date: `2026-11-20`.
#[must_use]
pub fn day(at: Time, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d")
}

/// As the head of a mail has it (RFC 5322), in UTC.
#[must_use]
pub fn mail(at: Time) -> String {
    format(at, &TimeZone::UTC, "%a, %d %b %Y %H:%M:%S +0000")
}

fn format(at: Time, zone: &TimeZone, how: &str) -> String {
    zoned(at, zone).map_or_else(|| BEYOND.to_owned(), |zoned| zoned.strftime(how).to_string())
}

fn zoned(at: Time, zone: &TimeZone) -> Option<Zoned> {
    let stamp = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    Some(stamp.to_zoned(zone.clone()))
}

/// Milliseconds by which the zone's clocks are ahead of UTC.
fn ahead(at: Time, zone: &TimeZone) -> i64 {
    zoned(at, zone).map_or(0, |zoned| i64::from(zoned.offset().seconds()) * 1_000)
}

/// Moments on round places of the zone's clocks, at most `most` of them between two, with their words: `14:00`, `Nov 20`.
#[must_use]
pub fn ticks(from: Time, to: Time, most: u64, zone: &TimeZone) -> Vec<(Time, String)> {
    const STEPS: [u64; 16] = [
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
    ];
    let long = to.since(from).0;
    let step = STEPS.into_iter().find(|step| long / step <= most.max(1));
    let step = step.unwrap_or_else(|| (long / most.max(1)).next_multiple_of(DAY)).max(MINUTE);
    let ahead = ahead(from, zone);
    let local = from.0.saturating_add_signed(ahead);
    let mut at = local.next_multiple_of(step).saturating_add_signed(-ahead);
    let mut ticks = Vec::new();
    while at <= to.0 {
        let local = at.saturating_add_signed(ahead);
        let words = if local.is_multiple_of(DAY) { "%b %-d" } else { "%H:%M" };
        ticks.push((Time(at), format(Time(at), zone, words)));
        at += step;
    }
    ticks
}
