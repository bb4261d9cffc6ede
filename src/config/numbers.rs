//! Numbers of the TOML files: what stands behind a key is read by the one grammar of [`crate::values::words`], and what is
//! wrong with it is said at its place, in our words, with what to write instead.
//!
//! Money and tokens may be bare numbers, a length of time may not: a bare number has no unit. Counts are bare numbers alone.

use super::ConfigError;
use crate::values::time::Span;
use crate::values::words::written::Written;
use crate::values::words::{Noun, ReadError, count, duration, money, tokens};
use std::ops::RangeInclusive;
use toml::Spanned;

/// Reads the numbers of a file.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
}

impl Numbers<'_> {
    /// A length of time that limits something.
    pub(super) fn duration(&self, value: &Spanned<Written>) -> Result<Span, ConfigError> {
        self.duration_at(value.span().start, value.get_ref())
    }

    /// The same where the value stands in a table that has the place.
    pub(super) fn duration_at(&self, at: usize, value: &Written) -> Result<Span, ConfigError> {
        self.read(at, value, &value.digits(), Noun::Duration, duration::limit)
    }

    /// An amount of money that limits something, in millionths of a dollar.
    pub(super) fn money(&self, value: &Spanned<Written>) -> Result<u64, ConfigError> {
        self.read(value.span().start, value.get_ref(), &self.digits(value), Noun::Money, money::limit)
    }

    /// A count of tokens that limits something.
    pub(super) fn tokens(&self, value: &Spanned<Written>) -> Result<u64, ConfigError> {
        self.read(value.span().start, value.get_ref(), &self.digits(value), Noun::Tokens, tokens::limit)
    }

    /// A whole number of a range: `key = 3`.
    pub(super) fn whole(
        &self,
        key: &str,
        value: &Spanned<Written>,
        range: &RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        let inside = |digits: &str| count::read::<u32>(digits).ok().filter(|n| range.contains(n));
        let all = match (range.start(), range.end()) {
            (least, &u32::MAX) => format!("write a whole number from {least} on"),
            (least, most) => format!("write a whole number from {least} to {most}"),
        };
        let (what, remedy) = match value.get_ref() {
            Written::Integer(digits) => match inside(digits) {
                Some(n) => return Ok(n),
                None => (format!("{key} = {digits} is out of range"), all),
            },
            Written::Float(_) => (format!("{key} = {} is no whole number", self.literal(value)), all),
            Written::Text(text) => {
                let meant = inside(text.trim().trim_end_matches('%').trim_end());
                let remedy =
                    meant.map_or(all, |n| format!("write {key} = {n}, without quotes and without a unit"));
                (format!("{key} is a whole number, and {text:?} is a text"), remedy)
            }
            Written::Other(what) => (format!("{key} is a whole number, not {what}"), all),
        };
        Err(ConfigError::at(self.origin, self.text, value.span().start, what, remedy))
    }

    /// Reads `digits`, what `value` is as a text.
    fn read<T>(
        &self,
        at: usize,
        value: &Written,
        digits: &str,
        noun: Noun,
        limit: impl Fn(&str) -> Result<T, ReadError>,
    ) -> Result<T, ConfigError> {
        let wrong = |what, remedy| Err(ConfigError::at(self.origin, self.text, at, what, remedy));
        match value {
            Written::Text(text) => limit(text).or_else(|bad| wrong(bad.to_string(), "")),
            Written::Integer(_) | Written::Float(_) => {
                limit(digits).or_else(|bad| wrong(bad.fault(), in_toml(noun)))
            }
            Written::Other(what) => wrong(format!("{what} is no {noun}"), in_toml(noun)),
        }
    }

    /// The digits of a value: those in the file, since a binary fraction may have lost some of them.
    fn digits(&self, value: &Spanned<Written>) -> String {
        match value.get_ref() {
            Written::Float(_) => self.literal(value).replace('_', ""),
            other => other.digits(),
        }
    }

    fn literal(&self, value: &Spanned<Written>) -> &str {
        self.text.get(value.span()).unwrap_or_default()
    }
}

/// How a value is written in TOML, where a `$` or a unit needs quotes.
const fn in_toml(noun: Noun) -> &'static str {
    match noun {
        Noun::Duration => "write it with its unit and in quotes, as \"5m\" or \"90s\"",
        Noun::Money => "write it as 2, 0.50 or \"$2\"",
        Noun::Tokens => "write it as 50000, \"500k\" or \"2M\"",
        Noun::Size | Noun::Moment | Noun::Whole | Noun::Count => noun.example(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::repo::RepoConfig;
    use crate::config::user::UserConfig;
    use crate::values::words::{money, tokens};
    use proptest::prelude::*;

    fn cost(written: &str) -> Result<Option<u64>, String> {
        let read = RepoConfig::parse(&format!("[budget]\nday = {{ cost = {written} }}\n"), "nopeek.toml");
        read.map(|config| config.budget.day.cost_microusd).map_err(|error| error.to_string())
    }

    fn count(written: &str) -> Result<Option<u64>, String> {
        let read = UserConfig::parse(&format!("[budget]\nday = {{ tokens = {written} }}\n"), "config.toml");
        read.map(|config| config.budget.day.tokens).map_err(|error| error.to_string())
    }

    #[test]
    fn money_and_tokens_are_bare_numbers_too() {
        for (written, is) in [
            ("5", 5_000_000),
            ("5.00", 5_000_000),
            ("0.1", 100_000),
            ("0.50", 500_000),
            ("0.000001", 1),
            ("1_000.5", 1_000_500_000),
            // A binary fraction of 64 bits can't tell these two apart.
            ("12345678901234.123457", 12_345_678_901_234_123_457),
            ("12345678901234.123456", 12_345_678_901_234_123_456),
            ("'5'", 5_000_000),
            ("'$5'", 5_000_000),
        ] {
            assert_eq!(cost(written), Ok(Some(is)), "{written}");
        }
        for (written, is) in
            [("200000", 200_000), ("200_000", 200_000), ("0x10", 16), ("5.0", 5), ("'2M'", 2_000_000)]
        {
            assert_eq!(count(written), Ok(Some(is)), "{written}");
        }
    }

    #[test]
    fn a_bare_number_that_is_not_exact_or_no_limit_is_refused_in_our_words() {
        for written in [
            "0",
            "0.0",
            "-0.0",
            "-1",
            "-0.5",
            "nan",
            "inf",
            "-inf",
            "5e0",
            "1e300",
            "0.0000001",
            "0.10000000000000000001",
            "99999999999999",
            "99999999999999999999",
            "true",
            "[5]",
            "{ a = 5 }",
            "2026-11-20",
            "14:00:00",
        ] {
            let error = cost(written).unwrap_err();
            assert!(error.starts_with("nopeek.toml:2:16: "), "{error}");
            assert!(error.contains(" is no amount of money"), "{error}");
        }
        for written in ["0", "-1", "0.5", "1.5e6", "nan", "inf", "true", "[]", "2026-11-20"] {
            let error = count(written).unwrap_err();
            assert!(error.starts_with("config.toml:2:18: "), "{error}");
            assert!(error.contains(" is no count of tokens"), "{error}");
        }
    }

    #[test]
    fn a_length_of_time_needs_its_unit_in_every_file_and_says_so() {
        let gate = "[[gate]]\nname = 'a'\ncommand = 'x'\n";
        let phase = |line: &str| format!("+++\ntitle = 'x'\n{line}\n+++\nx\n");
        let repo = |text: &str| RepoConfig::parse(text, "f").unwrap_err();
        let unit = "write it with its unit and in quotes, as \"5m\" or \"90s\"";
        for (error, says) in [
            (repo("time = 5"), "f:1:8: \"5\" is no duration: a number needs a unit"),
            (repo("silence = 1.5"), "f:1:11: \"1.5\" is no duration: a number needs a unit"),
            (repo("time = -5"), "f:1:8: \"-5\" is no duration"),
            (repo("time = false"), "f:1:8: true or false is no duration"),
            (repo(&format!("{gate}timeout = 5")), "f:4:11: \"5\" is no duration: a number needs a unit"),
            (repo("[budget]\nday = { time = 5 }"), "f:2:16: \"5\" is no duration: a number needs a unit"),
            (
                repo("[schedule]\ntest = { time = 5 }"),
                "f:2:8: test: \"5\" is no duration: a number needs a unit",
            ),
            (
                UserConfig::parse("silence = 5", "f").unwrap_err(),
                "f:1:11: \"5\" is no duration: a number needs a unit",
            ),
            (
                crate::config::plan::parse(&phase("soak = 5"), "f").unwrap_err(),
                "f:3:8: \"5\" is no duration: a number needs a unit",
            ),
        ] {
            assert_eq!((error.to_string().as_str(), error.remedy().as_str()), (says, unit));
        }
    }

    #[test]
    fn every_count_says_what_it_is_and_what_to_write() {
        let email = "[report.email]\nhost = 'a'\nfrom = 'a@b'\nto = ['a@b']\nport";
        for (key, most) in [
            ("parallel", None),
            ("attempts", None),
            ("[budget]\nstart_share", Some(100)),
            ("[spec]\npasses", Some(10)),
            ("[spec]\nrounds", Some(10)),
            ("[policy]\nfiles_max", None),
            ("[policy]\nlines_max", None),
            ("[policy]\ncommit_lines_max", None),
            ("[panel]\nconfidence", Some(100)),
            ("[panel.persona.security]\nweight", Some(1_000)),
            (email, Some(65_535)),
        ] {
            let parse = |value: &str| {
                let text = format!("{key} = {value}\n");
                if key == email {
                    UserConfig::parse(&text, "f").map(drop)
                } else {
                    RepoConfig::parse(&text, "f").map(drop)
                }
            };
            let (line, column) = (key.lines().count(), key.lines().last().unwrap().len() + 4);
            let name = key.lines().last().unwrap();
            assert_eq!(parse("9"), Ok(()), "{key}");
            assert_eq!(most.map(|most| parse(&most.to_string())), most.map(|_| Ok(())), "{key}");
            let beyond = most.map_or_else(|| "4294967296".to_owned(), |most| (most + 1).to_string());
            for (value, says, remedy) in [
                (
                    "'9%'",
                    format!("{name} is a whole number, and \"9%\" is a text"),
                    format!("write {name} = 9,"),
                ),
                (
                    "'9'",
                    format!("{name} is a whole number, and \"9\" is a text"),
                    format!("write {name} = 9,"),
                ),
                (
                    "'all'",
                    format!("{name} is a whole number, and \"all\" is a text"),
                    "whole number from".into(),
                ),
                ("9.0", format!("{name} = 9.0 is no whole number"), "whole number from".into()),
                ("true", format!("{name} is a whole number, not true or false"), "whole number from".into()),
                ("[9]", format!("{name} is a whole number, not a list"), "whole number from".into()),
                ("-1", format!("{name} = -1 is out of range"), "whole number from".into()),
                (&beyond, format!("{name} = {beyond} is out of range"), "whole number from".into()),
            ] {
                let error = parse(value).unwrap_err();
                assert_eq!(error.to_string(), format!("f:{line}:{column}: {says}"));
                assert!(error.remedy().contains(&remedy), "{key} = {value}: {}", error.remedy());
            }
        }
    }

    proptest! {
        #[test]
        fn a_bare_number_is_what_the_same_digits_in_quotes_are(text in "(0|[1-9][0-9]{0,13})(\\.[0-9]{1,8})?") {
            prop_assert_eq!(cost(&text).ok(), money::limit(&text).ok().map(Some));
            prop_assert_eq!(count(&text).ok(), tokens::limit(&text).ok().map(Some));
        }
    }
}
