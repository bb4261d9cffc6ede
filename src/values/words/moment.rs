//! Moments as the clocks of a zone show them: `2026-11-20 14:00`, `14:00:05`.
//!
//! Read are, and nothing else: a duration (so long ago), a date (its first moment), a date and a time with a blank or a `T`
//! between them, a time (the last moment at which it was so late), seconds or not, and RFC 3339 with its offset. Where a
//! zone's clocks are set back an hour has two meanings: the first is taken. What was before 1970 is the beginning of 1970.

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
    let read = match Form::of(trimmed) {
        Some(form) => form.read(trimmed, now, zone),
        None => ago(trimmed, now),
    };
    read.map_err(|wrong| ReadError::new(text, Noun::Moment, wrong))
}

/// A duration, so long before `now`.
fn ago(text: &str, now: Time) -> Result<Time, Wrong> {
    match duration::read(text) {
        Ok(span) => Ok(Time(now.0.saturating_sub(span.0))),
        Err(ReadError { wrong: wrong @ (Wrong::TooFine | Wrong::TooLarge), .. }) => Err(wrong),
        Err(_) => Err(Wrong::Form),
    }
}

/// How a moment is written that is no duration: by its shape, so that what the parsers behind it take as well (`20261120`,
/// `2026-11-20T14`, names of zones) is none.
#[derive(Clone, Copy)]
enum Form {
    Date,
    Clock,
    DateAndClock,
    /// RFC 3339.
    Stamp,
}

impl Form {
    fn of(text: &str) -> Option<Self> {
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let clock = |text: &str| matches!(text, "00:00" | "00:00:00");
        if clock(&shape) {
            return Some(Self::Clock);
        }
        let behind = shape.strip_prefix("0000-00-00")?;
        if behind.is_empty() {
            return Some(Self::Date);
        }
        if behind.strip_prefix([' ', 'T']).is_some_and(clock) {
            return Some(Self::DateAndClock);
        }
        let rest = behind.strip_prefix([' ', 'T', 't'])?.strip_prefix("00:00:00")?;
        let offset = match rest.strip_prefix('.') {
            Some(part) => part.strip_prefix('0')?.trim_start_matches('0'),
            None => rest,
        };
        matches!(offset, "Z" | "z" | "+00:00" | "-00:00").then_some(Self::Stamp)
    }

    /// Reads a text of this form; all of it is ASCII.
    fn read(self, text: &str, now: Time, zone: &TimeZone) -> Result<Time, Wrong> {
        let date = || text[..10].parse::<Date>().map_err(|_| Wrong::NoSuch);
        let clock = |text: &str| text.parse::<Clock>().map_err(|_| Wrong::NoSuch);
        let of = |at: Timestamp| Time(u64::try_from(at.as_millisecond()).unwrap_or(0));
        let here = |at: DateTime| at.to_zoned(zone.clone()).map_err(|_| Wrong::TooLate);
        let at = match self {
            Self::Stamp => {
                let (date, _) = (date()?, clock(&text[11..19])?);
                let late = if date.year() == Date::MAX.year() { Wrong::TooLate } else { Wrong::NoSuch };
                return text.parse::<Timestamp>().map(of).map_err(|_| late);
            }
            Self::Date => here(date()?.to_datetime(Clock::midnight()))?,
            Self::DateAndClock => here(date()?.to_datetime(clock(&text[11..])?))?,
            Self::Clock => {
                let now = zoned(now, zone).ok_or(Wrong::TooLate)?;
                let today = here(now.date().to_datetime(clock(text)?))?;
                let day = 1.day();
                if today > now { today.checked_sub(day).map_err(|_| Wrong::TooLate)? } else { today }
            }
        };
        Ok(of(at.timestamp()))
    }
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
