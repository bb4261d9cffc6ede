//! When a schedule is due: five fields, as cron has them, on the clock of a place.
//!
//! Owns the reading of an expression and [`Cron::next`]; pure: a place's clock comes along as [`Zone`], its offset from UTC
//! with the moments at which that changes. An hour that a place leaves out in spring is left out here too, and one that
//! it has twice in autumn comes twice. (Own code: the crates for this bring a calendar library each, and take its types.)

use crate::values::time::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One minute, in milliseconds.
const MINUTE: u64 = 60_000;

/// Minutes of a day.
const DAY: i64 = 1_440;

/// How far ahead is looked: every date with every day of the week comes within 40 years.
const DAYS_MAX: i64 = 366 * 41;

/// An expression: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// The field of days, or that of weekdays, begins with a star: then both must fit, else one of them is enough.
    both_days: bool,
}

/// A place's clock: minutes ahead of UTC, and when that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Before the first change.
    pub first: i32,
    /// From this moment on so many; oldest first.
    #[serde(default)]
    pub changes: Vec<(Time, i32)>,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct BadCron {
    /// Where, in bytes from its beginning.
    pub at: usize,
    pub what: String,
}

/// A field: its name, least, most, and names for its values from the least on.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of the month", min: 1, max: 31, names: &[] },
    Field {
        name: "month",
        min: 1,
        max: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field {
        name: "day of the week",
        min: 0,
        max: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

const SHORT: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, BadCron> {
        let bad = |at: usize, what: String| Err(BadCron { at, what });
        let full = match SHORT.iter().find(|(short, _)| *short == text.trim()) {
            Some((_, full)) => full,
            None if text.trim().starts_with('@') => {
                let known: Vec<&str> = SHORT.iter().map(|(short, _)| *short).collect();
                return bad(0, format!("there is no {}: there are {}", text.trim(), known.join(", ")));
            }
            None => text,
        };
        let words: Vec<(usize, &str)> = full
            .split_ascii_whitespace()
            .map(|word| (word.as_ptr() as usize - full.as_ptr() as usize, word))
            .collect();
        if words.len() != FIELDS.len() {
            let what = format!(
                "{text:?} has {} fields; it takes 5: minute, hour, day of the month, month, day of the week",
                words.len()
            );
            return bad(0, what);
        }
        let mut sets = [0u64; 5];
        for ((set, field), (at, word)) in sets.iter_mut().zip(&FIELDS).zip(&words) {
            *set = field.read(word).map_err(|what| BadCron { at: *at, what })?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let star = |n: usize| words.get(n).is_some_and(|(_, word)| word.starts_with('*'));
        let cron = Self {
            text: text.trim().to_owned(),
            minutes,
            hours,
            days,
            months,
            // 7 is Sunday as 0 is.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            both_days: star(2) || star(4),
        };
        if cron.next(Time(0), &Zone::default()).is_none() {
            return bad(0, format!("{text:?} never comes: no such month has that day"));
        }
        Ok(cron)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first minute after `after` that fits.
    #[must_use]
    pub fn next(&self, after: Time, zone: &Zone) -> Option<Time> {
        let mut at = Time((after.0 / MINUTE + 1).saturating_mul(MINUTE));
        // Each round but the last passes a change of the clock.
        for _ in 0..=zone.changes.len() {
            let (offset, until) = zone.at(at);
            let local = i64::try_from(at.0 / MINUTE).ok()? + i64::from(offset);
            let found = self.next_local(local)? - i64::from(offset);
            let found = Time(u64::try_from(found).ok()?.saturating_mul(MINUTE));
            match until {
                Some(until) if until <= found => at = Time(until.0.div_ceil(MINUTE).saturating_mul(MINUTE)),
                _ => return Some(found),
            }
        }
        None
    }

    /// The first minute from `local` on, in minutes of the place's clock since 1970.
    fn next_local(&self, local: i64) -> Option<i64> {
        let today = local.div_euclid(DAY);
        for day in today..today + DAYS_MAX {
            if !self.fits_day(day) {
                continue;
            }
            let from = if day == today { local.rem_euclid(DAY) } else { 0 };
            let fits = |minute: &i64| has(self.hours, minute / 60) && has(self.minutes, minute % 60);
            if let Some(minute) = (from..DAY).find(fits) {
                return Some(day * DAY + minute);
            }
        }
        None
    }

    fn fits_day(&self, day: i64) -> bool {
        let (month, of_month) = date(day);
        // 1970-01-01 was a Thursday.
        let (in_month, in_week) = (has(self.days, of_month), has(self.weekdays, (day + 4).rem_euclid(7)));
        has(self.months, month) && if self.both_days { in_month && in_week } else { in_month || in_week }
    }
}

const fn has(set: u64, n: i64) -> bool {
    set >> n & 1 == 1
}

/// Month and day of a day since 1970-01-01, by the calendar of today.
const fn date(day: i64) -> (i64, i64) {
    // Years that begin in March, in eras of 400 years: the leap day is the last of its year.
    let shifted = day + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    (if march < 10 { march + 3 } else { march - 9 }, of_year - (153 * march + 2) / 5 + 1)
}

impl Field {
    /// The values of a field as bits.
    fn read(&self, word: &str) -> Result<u64, String> {
        let mut set = 0;
        for item in word.split(',') {
            let (range, step) = match item.split_once('/') {
                None => (item, None),
                Some((range, step)) => {
                    let parsed = step.parse::<u32>().ok().filter(|step| *step > 0);
                    let step = parsed.ok_or_else(|| {
                        format!("{step:?} is no step of {}: write */2 or the like", self.name)
                    })?;
                    (range, Some(step))
                }
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (self.min, self.max.min(if self.max == 7 { 6 } else { u32::MAX })),
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None => {
                    let from = self.value(range)?;
                    (from, if step.is_some() { self.max } else { from })
                }
            };
            if from > to {
                return Err(format!("{item:?} goes backwards: write {to}-{from}, or two ranges"));
            }
            for value in (from..=to).step_by(step.unwrap_or(1) as usize) {
                set |= 1 << value;
            }
        }
        Ok(set)
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = match named {
            Some(at) => u32::try_from(at).ok().map(|at| at + self.min),
            None => text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())),
        };
        value.filter(|value| (self.min..=self.max).contains(value)).ok_or_else(|| {
            let names = match (self.names.first(), self.names.last()) {
                (Some(first), Some(last)) => format!(", or {first} to {last}"),
                _ => String::new(),
            };
            format!("{text:?} is no {}: it goes from {} to {}{names}", self.name, self.min, self.max)
        })
    }
}

impl Zone {
    /// Minutes ahead of UTC at a moment, and until when.
    #[must_use]
    pub fn at(&self, at: Time) -> (i32, Option<Time>) {
        let passed = self.changes.partition_point(|(from, _)| *from <= at);
        let offset =
            passed.checked_sub(1).and_then(|n| self.changes.get(n)).map_or(self.first, |(_, offset)| *offset);
        (offset, self.changes.get(passed).map(|(from, _)| *from))
    }
}

impl TryFrom<String> for Cron {
    type Error = BadCron;
    fn try_from(text: String) -> Result<Self, BadCron> {
        Self::parse(&text)
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Time {
        Time(text.parse::<jiff::Timestamp>().unwrap().as_millisecond().unsigned_abs())
    }

    fn next(cron: &str, after: &str) -> Time {
        Cron::parse(cron).unwrap().next(at(after), &Zone::default()).unwrap()
    }

    #[test]
    fn expressions_mean_what_they_mean_to_cron() {
        // 2026-11-21 is a Saturday.
        for (cron, expected) in [
            ("* * * * *", "2026-11-21T08:01:00Z"),
            ("0 */2 * * *", "2026-11-21T10:00:00Z"),
            ("30 9,17 * * mon-fri", "2026-11-23T09:30:00Z"),
            ("0 0 1 * *", "2026-12-01T00:00:00Z"),
            ("0 0 1 * fri", "2026-11-27T00:00:00Z"),
            ("0 0 */2 * sun", "2026-11-29T00:00:00Z"),
            ("15 3 * * 7", "2026-11-22T03:15:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("0 0 29 feb */6", "2032-02-29T00:00:00Z"),
            ("5/20 8 * * *", "2026-11-21T08:05:00Z"),
            ("59 23 31 DEC *", "2026-12-31T23:59:00Z"),
            ("@weekly", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(next(cron, "2026-11-21T08:00:30Z"), at(expected), "{cron}");
        }
    }

    #[test]
    fn a_place_has_its_own_clock_and_changes_it() {
        // Berlin: two hours ahead until 2026-10-25T01:00Z, then one; two again from 2027-03-28T01:00Z.
        let zone = Zone {
            first: 120,
            changes: vec![(at("2026-10-25T01:00:00Z"), 60), (at("2027-03-28T01:00:00Z"), 120)],
        };
        let cron = Cron::parse("30 2 * * *").unwrap();
        let mut now = at("2026-10-24T12:00:00Z");
        for expected in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"] {
            now = cron.next(now, &zone).unwrap();
            assert_eq!(now, at(expected), "half past two comes twice");
        }
        let spring = cron.next(at("2027-03-27T12:00:00Z"), &zone).unwrap();
        assert_eq!(spring, at("2027-03-29T00:30:00Z"), "there is no half past two on the 28th");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, place, says) in [
            ("", 0, "has 0 fields; it takes 5"),
            ("* * * *", 0, "has 4 fields"),
            ("0 24 * * *", 2, "\"24\" is no hour: it goes from 0 to 23"),
            ("60 * * * *", 0, "\"60\" is no minute"),
            ("* * 0 * *", 4, "is no day of the month: it goes from 1 to 31"),
            ("* * * foo *", 6, "is no month: it goes from 1 to 12, or jan to dec"),
            ("* * * * 8", 8, "is no day of the week: it goes from 0 to 7, or sun to sat"),
            ("*/0 * * * *", 0, "\"0\" is no step of minute"),
            ("30-10 * * * *", 0, "goes backwards: write 10-30"),
            ("+5 * * * *", 0, "is no minute"),
            ("0 0 30 2 *", 0, "never comes"),
            ("@nightly", 0, "there is no @nightly: there are @hourly"),
        ] {
            let error = Cron::parse(text).unwrap_err();
            assert!(error.what.contains(says) && error.at == place, "{text}: {error:?}");
        }
    }

    fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
        let item = prop_oneof![
            3 => Just("*".to_owned()),
            1 => (1u32..9).prop_map(|step| format!("*/{step}")),
            2 => (min..=max).prop_map(|n| n.to_string()),
            1 => (min..=max, min..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        ];
        proptest::collection::vec(item, 1..3).prop_map(|items| items.join(","))
    }

    /// Whether a minute fits, by another road: a calendar library, and the text read anew.
    fn fits(cron: &str, at: Time, zone: &Zone) -> bool {
        let offset = jiff::tz::Offset::from_seconds(zone.at(at).0 * 60).unwrap();
        let stamp = jiff::Timestamp::from_millisecond(at.0.cast_signed()).unwrap();
        let civil = offset.to_datetime(stamp);
        let words: Vec<&str> = cron.split(' ').collect();
        let is = |n: usize, value: i8| {
            words[n].split(',').any(|item| {
                let (range, step) =
                    item.split_once('/').map_or((item, 1), |(range, step)| (range, step.parse().unwrap()));
                let least = FIELDS[n].min as i8;
                let (from, to) = match range.split_once('-') {
                    Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
                    None if range == "*" => (least, 99),
                    None => (range.parse().unwrap(), range.parse().unwrap()),
                };
                (from..=to).contains(&value) && (value - from) % step == 0
            })
        };
        let weekday = civil.weekday().to_sunday_zero_offset();
        let in_week = is(4, weekday)
            || weekday == 0
                && words[4].split(',').any(|item| {
                    // 7 is Sunday.
                    let top = item.split('/').next().unwrap().rsplit('-').next().unwrap();
                    top == "7"
                });
        let in_month = is(2, civil.day());
        let stars = words[2].starts_with('*') || words[4].starts_with('*');
        let day = if stars { in_month && in_week } else { in_month || in_week };
        is(0, civil.minute()) && is(1, civil.hour()) && is(3, civil.month()) && day
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn the_next_is_the_first_minute_that_fits(
            minute in field(0, 59), hour in field(0, 23), day in field(1, 31), month in field(1, 12), week in field(0, 7),
            from in 1_700_000_000u64..1_900_000_000, first in -12i32..14, (change, to) in (0u64..400, -12i32..14),
        ) {
            let text = format!("{minute} {hour} {day} {month} {week}");
            let Ok(cron) = Cron::parse(&text) else { return Ok(()) };
            let from = Time(from * 1_000);
            let zone = Zone { first: first * 60, changes: vec![(Time((from.0 / MINUTE + change * 7) * MINUTE), to * 60)] };
            let scanned = (1..20_000).map(|n| Time((from.0 / MINUTE + n) * MINUTE)).find(|at| fits(&text, *at, &zone));
            let found = cron.next(from, &zone);
            match scanned {
                Some(first) => prop_assert_eq!(found, Some(first), "{}", text),
                None => prop_assert!(found.is_none_or(|found| found.0 >= from.0 + 19_999 * MINUTE), "{}", text),
            }
        }
    }
}
