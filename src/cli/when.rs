//! A moment as people write it: so long ago, or a date and time of here.

use crate::config::duration;
use crate::values::time::Time;
use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Reads `24h`, `2026-11-20`, `2026-11-20 14:00`, `14:00` (of the last time that it was so late) or a full RFC 3339 time.
pub(super) fn when(text: &str, now: Time, zone: &TimeZone) -> Result<Time, String> {
    let text = text.trim();
    let wrong =
        || format!("{text:?} is no time: write 24h (so long ago), 2026-11-20, \"2026-11-20 14:00\" or 14:00");
    if let Ok(span) = duration::parse(text) {
        return Ok(Time(now.0.saturating_sub(span.0)));
    }
    let here = |at: DateTime| at.to_zoned(zone.clone()).map_err(|_| wrong());
    let of = |at: &Zoned| Time(u64::try_from(at.timestamp().as_millisecond()).unwrap_or(0));
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(Time(u64::try_from(stamp.as_millisecond()).unwrap_or(0)));
    }
    if text.contains(':')
        && let Ok(clock) = text.parse::<Clock>()
    {
        let now = i64::try_from(now.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let now = now.ok_or_else(wrong)?.to_zoned(zone.clone());
        let today = here(now.date().to_datetime(clock))?;
        let at = if today > now { today.checked_sub(1.day()).map_err(|_| wrong())? } else { today };
        return Ok(of(&at));
    }
    // A date alone is its first moment. A date with an offset and no zone would be taken for one of here.
    let at = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => date.to_datetime(Clock::midnight()),
        _ => text.parse::<DateTime>().map_err(|_| wrong())?,
    };
    Ok(of(&here(at)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        // 2026-11-21 08:00 UTC is 09:00 there.
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond().unsigned_abs();
        let now = Time(at("2026-11-21T08:00:00Z"));
        for (text, expected) in [
            ("24h", "2026-11-20T08:00:00Z"),
            ("1h30m", "2026-11-21T06:30:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20 14:00", "2026-11-20T13:00:00Z"),
            ("2026-11-20T14:00:05", "2026-11-20T13:00:05Z"),
            ("2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"),
            ("2026-11-20T14:00:00+05:00", "2026-11-20T09:00:00Z"),
            ("08:30", "2026-11-21T07:30:00Z"),
            ("23:00", "2026-11-20T22:00:00Z"),
        ] {
            assert_eq!(when(text, now, &zone), Ok(Time(at(expected))), "{text}");
        }
        for wrong in ["", "yesterday", "-5m", "2026-13-01", "25:00", "12", "now"] {
            assert!(when(wrong, now, &zone).unwrap_err().contains("is no time: write 24h"), "{wrong}");
        }
    }
}
