//! What is printed is read back; what is no value is refused with its reason.

use super::*;
use crate::values::time::{Span, Time};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Any number, and as often a small one.
fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), (0..64_u32, any::<u64>()).prop_map(|(shift, n)| n >> shift)]
}

/// What a printed duration may have lost: less than its smallest unit.
fn unit(span: u64, sentence: bool) -> u64 {
    use duration::{DAY, HOUR, MINUTE, SECOND};
    match span {
        0..SECOND => 1,
        SECOND..MINUTE => SECOND,
        MINUTE..HOUR if sentence => MINUTE,
        MINUTE..HOUR => SECOND,
        HOUR..DAY => MINUTE,
        _ if span >= 100 * DAY && !sentence => DAY,
        _ => HOUR,
    }
}

/// What the last digit of a short count stands for: one digit after the point, none from a hundred units on.
fn digit(n: u64, scales: &[u64]) -> u64 {
    match scales.iter().find(|scale| n >= **scale) {
        None => 1,
        Some(scale) if n / (scale / 10) >= 1_000 => *scale,
        Some(scale) => scale / 10,
    }
}

proptest! {
    #[test]
    fn a_printed_duration_is_read_back(ms in numbers()) {
        let span = Span(ms);
        prop_assert_eq!(duration::read(&duration::exact(span)), Ok(span));
        let floor = |unit: u64| Span(ms / unit * unit);
        prop_assert_eq!(duration::read(&duration::short(span)), Ok(floor(unit(ms, false))));
        prop_assert_eq!(duration::read(&duration::long(span)), Ok(floor(unit(ms, true))));
        let minutes = duration::read(&duration::minutes(span)).unwrap();
        let up = ms.checked_next_multiple_of(duration::MINUTE).unwrap_or(ms);
        prop_assert_eq!(minutes, Span(up / unit(up.max(duration::MINUTE), true) * unit(up.max(duration::MINUTE), true)));
        if ms < 100_000 * duration::DAY {
            prop_assert!(duration::short(span).len() <= 6, "{}", duration::short(span));
        }
    }

    #[test]
    fn printed_money_is_read_back(amount in numbers()) {
        prop_assert_eq!(money::read(&money::exact(amount)), Ok(amount));
        let shown = money::read(&money::short(amount)).unwrap();
        let digit = if amount < 100_000 { 100 } else { 10_000 };
        prop_assert!(shown.abs_diff(amount) <= digit / 2 || (amount < digit && shown == digit), "{}", shown);
        prop_assert_eq!(shown == 0, amount == 0, "little is not nothing");
    }

    #[test]
    fn a_printed_count_of_tokens_is_read_back(n in numbers()) {
        prop_assert_eq!(tokens::read(&tokens::exact(n)), Ok(n));
        let short = tokens::short(n);
        let shown = tokens::read(&short).unwrap();
        let digit = digit(n, &[1_000_000_000, 1_000_000, 1_000]);
        prop_assert_eq!(shown, n / digit * digit, "{}", short);
        prop_assert!(n >= 10_000_000_000_000 || short.len() <= 5, "{}", short);
    }

    #[test]
    fn a_printed_size_is_read_back(bytes in numbers()) {
        prop_assert_eq!(size::read(&size::exact(bytes)), Ok(bytes));
        let short = size::short(bytes);
        let shown = size::read(&short).unwrap();
        let digit = digit(bytes, &[1_000_000_000_000, 1_000_000_000, 1_000_000, 1_000]);
        prop_assert_eq!(shown, bytes / digit * digit, "{}", short);
        prop_assert!(bytes >= 10_000_000_000_000_000 || short.len() <= 8, "{}", short);
    }

    #[test]
    fn a_printed_moment_is_read_back(at in 0..200_000_000_000_000_u64, later in numbers(), offset in -12..=14_i8) {
        let zone = TimeZone::fixed(jiff::tz::offset(offset));
        let now = Time(at.saturating_add(later).min(250_000_000_000_000));
        let at = Time(at);
        let to = |unit: u64| Ok(Time(at.0 / unit * unit));
        // A date before 1970 has no number; a zone ahead of UTC has such dates for its first hours.
        prop_assert_eq!(moment::read(&moment::minute(at, &zone), now, &zone), to(duration::MINUTE));
        prop_assert_eq!(moment::read(&moment::second(at, &zone), now, &zone), to(duration::SECOND));
        let day = moment::read(&moment::day(at, &zone), now, &zone).unwrap();
        prop_assert!(day <= at && at.since(day).0 < duration::DAY);
        let recent = moment::read(&moment::recent(at, now, &zone), now, &zone);
        let is_clock = now.since(at).0 < duration::DAY;
        prop_assert_eq!(recent, to(if is_clock { duration::SECOND } else { duration::MINUTE }));
    }

    #[test]
    fn no_text_makes_a_reader_fail_but_by_its_error(text in "[ -~]{0,80}|\\PC{0,80}|[0-9.]{0,50}[a-zA-Z ]{0,4}") {
        let zone = TimeZone::UTC;
        for error in [
            duration::read(&text).err(),
            money::read(&text).err(),
            tokens::read(&text).err(),
            size::read(&text).err(),
            moment::read(&text, Time(1), &zone).err(),
            count::read::<u64>(&text).err(),
            count::limit(&text).err(),
        ].into_iter().flatten() {
            prop_assert!(error.to_string().ends_with(error.noun.example()), "{}", error);
            prop_assert!(error.read.chars().count() <= READ_MAX);
        }
    }

    #[test]
    fn a_cut_text_fits(text in "\\PC{0,40}", room in 0..50_usize) {
        let cut = cut::columns(&text, room);
        prop_assert!(cut::width(&cut) <= room);
        prop_assert!(cut == text || cut.is_empty() || text.starts_with(cut.trim_end_matches(cut::MARK)));
        prop_assert!(cut::chars(&text, room).chars().count() <= room);
        prop_assert!(cut::bytes(&text, room).len() <= room + cut::MARK.len_utf8());
    }
}

#[test]
fn durations_are_read_and_nonsense_is_refused() {
    for (text, ms) in [
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1d", 86_400_000),
        ("2d4h", 187_200_000),
        ("1.5h", 5_400_000),
        ("250ms", 250),
        (" 1 h 30 min ", 5_400_000),
        ("0.001s", 1),
        ("1.500000000000000000000000000000s", 1_500),
    ] {
        assert_eq!(duration::limit(text), Ok(Span(ms)), "{text}");
    }
    for (text, wrong) in [
        ("", Wrong::Form),
        ("m", Wrong::Form),
        ("5x", Wrong::Form),
        ("-5m", Wrong::Form),
        (".5h", Wrong::Form),
        ("5.h", Wrong::Form),
        ("1.2.3s", Wrong::Form),
        ("1hm", Wrong::Form),
        ("soon", Wrong::Form),
        ("5 days", Wrong::Form),
        ("NaN", Wrong::Form),
        ("1e3s", Wrong::Form),
        ("٣s", Wrong::Form),
        ("5", Wrong::NoUnit),
        ("1h30", Wrong::NoUnit),
        ("0s", Wrong::Zero),
        ("0h0m", Wrong::Zero),
        ("0.0001s", Wrong::TooFine),
        ("99999999999999999999h", Wrong::TooLarge),
        ("99999999999999999d", Wrong::TooLarge),
        ("18446744073709551615ms1ms", Wrong::TooLarge),
    ] {
        assert_eq!(duration::limit(text).unwrap_err().wrong, wrong, "{text}");
    }
    assert_eq!(
        (duration::timeout("30"), duration::timeout("1h30m")),
        (Ok(Span(30_000)), Ok(Span(5_400_000)))
    );
    for wrong in ["", "0", "-3", "1.5", "1h30"] {
        assert!(duration::timeout(wrong).is_err(), "{wrong}");
    }
    assert_eq!(duration::limit(&"1s".repeat(33)).unwrap_err().wrong, Wrong::TooLong);
    assert_eq!(duration::read("0s"), Ok(Span(0)));
}

#[test]
fn an_error_says_what_was_read_what_is_wrong_and_an_example() {
    let says = |error: ReadError| error.to_string();
    assert_eq!(
        says(duration::limit("7").unwrap_err()),
        "\"7\" is no duration: a number needs a unit; write it as 90s, 5m, 1h30m or 1d"
    );
    assert_eq!(
        says(money::limit("much").unwrap_err()),
        "\"much\" is no amount of money: write it as $2 or $0.50"
    );
    assert_eq!(
        says(tokens::limit("0k").unwrap_err()),
        "\"0k\" is no count of tokens: it is zero, which would allow nothing; write it as 50000, 500k or 2M"
    );
    let long = says(size::read(&"9".repeat(999)).unwrap_err());
    assert!(long.contains("9…\" is no size: it is too long; write it as 64 KiB"), "{long}");
}

#[test]
fn durations_are_printed_short_long_and_whole() {
    for (ms, short, long, exact) in [
        (0, "0s", "0 s", "0s"),
        (950, "950ms", "950 ms", "950ms"),
        (12_000, "12s", "12 s", "12s"),
        (185_000, "3m05s", "3 min", "3m5s"),
        (5_400_000, "1h30m", "1 h 30 min", "1h30m"),
        (7_200_500, "2h00m", "2 h", "2h500ms"),
        (273_600_000, "3d04h", "3 d 4 h", "3d4h"),
        (8_640_000_000, "100d", "100 d", "100d"),
    ] {
        let span = Span(ms);
        assert_eq!(
            (duration::short(span), duration::long(span), duration::exact(span)),
            (short.into(), long.into(), exact.into())
        );
    }
    let minutes = [0, 1, 60_000, 60_001, 5_340_001].map(|ms| duration::minutes(Span(ms)));
    assert_eq!(minutes, ["0 min", "1 min", "1 min", "2 min", "1 h 30 min"]);
}

#[test]
fn money_is_shown_as_exactly_as_it_is_small() {
    for (amount, short, exact) in [
        (0, "$0.00", "$0.00"),
        (4, "$0.0001", "$0.000004"),
        (12_345, "$0.0123", "$0.012345"),
        (50_000, "$0.05", "$0.05"),
        (99_960, "$0.10", "$0.09996"),
        (125_000, "$0.13", "$0.125"),
        (1_994_999, "$1.99", "$1.994999"),
        (1_995_000, "$2.00", "$1.995"),
        (u64::MAX, "$18446744073709.55", "$18446744073709.551615"),
    ] {
        assert_eq!((money::short(amount), money::exact(amount)), (short.into(), exact.into()));
    }
    for (text, amount) in [("$5", 5_000_000), ("5", 5_000_000), ("0.50", 500_000), (" $0.000004 ", 4)] {
        assert_eq!(money::limit(text), Ok(amount), "{text}");
    }
    for (text, wrong) in [
        ("$0", Wrong::Zero),
        ("$", Wrong::Form),
        ("-1", Wrong::Form),
        ("$$2", Wrong::Form),
        ("2 $", Wrong::Form),
        ("0.0000001", Wrong::TooFine),
        ("99999999999999", Wrong::TooLarge),
    ] {
        assert_eq!(money::limit(text).unwrap_err().wrong, wrong, "{text}");
    }
}

#[test]
fn counts_and_sizes_stay_short() {
    for (n, short, exact) in [
        (0, "0", "0"),
        (999, "999", "999"),
        (1_000, "1.0k", "1k"),
        (12_345, "12.3k", "12345"),
        (999_999, "999k", "999999"),
        (1_500_000, "1.5M", "1.5M"),
        (4_000_000_000, "4.0G", "4G"),
    ] {
        assert_eq!((tokens::short(n), tokens::exact(n)), (short.into(), exact.into()));
    }
    for (text, n) in [
        ("200k", 200_000),
        ("1.5M", 1_500_000),
        ("200000", 200_000),
        ("2m", 2_000_000),
        ("1g", 1_000_000_000),
    ] {
        assert_eq!(tokens::limit(text), Ok(n), "{text}");
    }
    for (text, wrong) in
        [("2X", Wrong::Form), ("k", Wrong::Form), ("0.0005k", Wrong::TooFine), ("0.5", Wrong::TooFine)]
    {
        assert_eq!(tokens::limit(text).unwrap_err().wrong, wrong, "{text}");
    }
    for (n, short, exact) in [
        (0, "0 B", "0 B"),
        (950, "950 B", "950 B"),
        (2_048, "2.0 kB", "2 KiB"),
        (262_144, "262 kB", "256 KiB"),
        (67_108_864, "67.1 MB", "64 MiB"),
    ] {
        assert_eq!((size::short(n), size::exact(n)), (short.into(), exact.into()));
    }
    for (text, n) in [
        ("64 MiB", 64 << 20),
        ("64M", 64 << 20),
        ("2kB", 2_000),
        ("2 KB", 2_000),
        ("1.5 GiB", 3 << 29),
        ("7B", 7),
    ] {
        assert_eq!(size::read(text), Ok(n), "{text}");
    }
    for (text, wrong) in
        [("64", Wrong::NoUnit), ("64 mib", Wrong::Form), ("0.3B", Wrong::TooFine), ("MiB", Wrong::Form)]
    {
        assert_eq!(size::read(text).unwrap_err().wrong, wrong, "{text}");
    }
}

#[test]
fn a_number_has_its_noun() {
    assert_eq!([0, 1, 7].map(|n| plural::of(n, "try", "tries")), ["0 tries", "1 try", "7 tries"]);
    assert_eq!([0_u32, 1, 7].map(|n| plural::counted(n, "commit")), ["0 commits", "1 commit", "7 commits"]);
}

#[test]
fn cutting_counts_columns_or_characters_and_marks_what_is_gone() {
    for (text, room, cut) in [
        ("kettle", 6, "kettle"),
        ("kettles", 6, "kettl…"),
        ("日本語", 4, "日…"),
        ("茶茶茶", 5, "茶茶…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ("x", 0, ""),
    ] {
        assert_eq!(cut::columns(text, room), cut);
    }
    assert_eq!(
        ["kettle", "kettles", "日本語日本語日"].map(|text| cut::chars(text, 6)),
        ["kettle", "kettl…", "日本語日本…"]
    );
    assert_eq!((cut::chars("x", 0), cut::chars("", 0)), (String::new(), String::new()));
    assert_eq!((cut::bytes("日本", 4), cut::bytes("日本", 6)), ("日…".to_owned(), "日本".to_owned()));
}

#[test]
fn moments_are_read_as_people_write_them() {
    // 2026-11-21 08:00 UTC is 09:00 there.
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond().unsigned_abs();
    let now = Time(at("2026-11-21T08:00:00Z"));
    for (text, expected) in [
        ("24h", "2026-11-20T08:00:00Z"),
        ("1h30m", "2026-11-21T06:30:00Z"),
        ("0s", "2026-11-21T08:00:00Z"),
        ("2026-11-20", "2026-11-19T23:00:00Z"),
        ("2026-11-20 14:00", "2026-11-20T13:00:00Z"),
        ("2026-11-20T14:00:05", "2026-11-20T13:00:05Z"),
        ("2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"),
        ("2026-11-20T14:00:00+05:00", "2026-11-20T09:00:00Z"),
        ("2026-11-20 14:00:05", "2026-11-20T13:00:05Z"),
        ("2026-11-20T14:00", "2026-11-20T13:00:00Z"),
        ("2026-11-20 14:00:00.5z", "2026-11-20T14:00:00.5Z"),
        ("2026-11-20t14:00:00-00:30", "2026-11-20T14:30:00Z"),
        ("9999-12-30", "9999-12-29T23:00:00Z"),
        ("08:30", "2026-11-21T07:30:00Z"),
        ("23:00", "2026-11-20T22:00:00Z"),
    ] {
        assert_eq!(moment::read(text, now, &zone), Ok(Time(at(expected))), "{text}");
    }
    for text in ["", "yesterday", "-5m", "12", "now"] {
        let error = moment::read(text, now, &zone).unwrap_err().to_string();
        assert!(error.contains("is no time: write it as 24h"), "{error}");
    }
}

#[test]
fn a_moment_in_another_form_is_refused_and_one_out_of_range_says_so() {
    let (now, zone) = (Time(1_795_000_000_000), TimeZone::UTC);
    for (text, wrong) in [
        ("20261120", Wrong::Form),
        ("20261120T140000Z", Wrong::Form),
        ("2026-11", Wrong::Form),
        ("2026-W47-5", Wrong::Form),
        ("2026-11-20T14", Wrong::Form),
        ("2026-11-20 14:00Z", Wrong::Form),
        ("2026-11-20  14:00", Wrong::Form),
        ("2026-11-20+01:00", Wrong::Form),
        ("2026-11-20T14:00[Europe/Berlin]", Wrong::Form),
        ("2026-11-20T14:00:00+0500", Wrong::Form),
        ("2026-11-20T14:00:00.Z", Wrong::Form),
        ("2026-11-20 14:00:05.5", Wrong::Form),
        ("T14:00", Wrong::Form),
        ("8:30", Wrong::Form),
        ("140005", Wrong::Form),
        ("+002026-11-20", Wrong::Form),
        ("２026-11-20", Wrong::Form),
        ("2026-13-01", Wrong::NoSuch),
        ("2026-02-29", Wrong::NoSuch),
        ("2026-11-20 24:00", Wrong::NoSuch),
        ("2026-11-20T14:61:00Z", Wrong::NoSuch),
        ("2026-11-20T14:00:00+99:00", Wrong::NoSuch),
        ("25:00", Wrong::NoSuch),
        ("9999-12-31", Wrong::TooLate),
        ("9999-12-31 12:00", Wrong::TooLate),
        ("9999-12-31T12:00:00Z", Wrong::TooLate),
        ("99999999999999999999d", Wrong::TooLarge),
        ("0.0001s", Wrong::TooFine),
    ] {
        assert_eq!(moment::read(text, now, &zone).map_err(|error| error.wrong), Err(wrong), "{text}");
    }
    assert_eq!(moment::read("1066-10-14", now, &zone), Ok(Time(0)), "before 1970 there is nothing");
    let error = moment::read("9999-12-31", now, &zone).unwrap_err().to_string();
    assert!(error.starts_with("\"9999-12-31\" is no time: it is out of range, and 9999-12-30 is"), "{error}");
}

#[test]
fn a_count_is_digits_alone() {
    for (text, wrong) in [
        ("", Wrong::Form),
        ("-1", Wrong::Form),
        ("+1", Wrong::Form),
        ("1.0", Wrong::Form),
        ("1k", Wrong::Form),
        ("٣", Wrong::Form),
        ("0", Wrong::Zero),
        ("00", Wrong::Zero),
        ("4294967296", Wrong::TooLarge),
        ("99999999999999999999", Wrong::TooLarge),
    ] {
        assert_eq!(count::limit(text).map_err(|error| error.wrong), Err(wrong), "{text}");
    }
    assert_eq!((count::limit(" 3 "), count::limit("4294967295")), (Ok(3), Ok(u32::MAX)));
    assert_eq!((count::read::<u32>("0"), count::read::<u64>("4294967296")), (Ok(0), Ok(1 << 32)));
    assert_eq!(
        count::limit("0").unwrap_err().to_string(),
        "\"0\" is no whole number from 1 on: it is zero, which would allow nothing; write it as 1, 3 or 20"
    );
}

#[test]
fn an_old_moment_has_its_date() {
    let at = Time(1_700_000_000_000);
    assert_eq!(moment::recent(at, Time(at.0 + 5), &TimeZone::UTC), "22:13:20");
    assert_eq!(moment::recent(at, Time(at.0 + duration::DAY), &TimeZone::UTC), "2023-11-14 22:13");
    assert_eq!(moment::mail(at), "Tue, 14 Nov 2023 22:13:20 +0000");
    assert_eq!(moment::minute(Time(u64::MAX), &TimeZone::UTC), "?");
}

#[test]
fn ticks_stand_on_round_places_of_the_zone() {
    let zone = TimeZone::fixed(jiff::tz::Offset::constant(2));
    let from = Time(1_699_999_200_000);
    let words: Vec<String> = moment::ticks(from, from.after(Span::mins(240)), 5, &zone)
        .into_iter()
        .map(|(_, words)| words)
        .collect();
    assert_eq!(words, ["Nov 15", "01:00", "02:00", "03:00", "04:00"].map(String::from));
    let far = moment::ticks(Time(0), Time(u64::MAX / 2), 9, &zone);
    assert!(far.len() <= 10, "{}", far.len());
}
