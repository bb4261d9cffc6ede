//! NUMBERS AND THEIR WORDS: durations, money, tokens, byte sizes, moments and counts, read and written in this place alone; texts
//! cut to their room; numbers with their noun.
//!
//! One grammar for the command line, the terminal UI and the TOML files. Promises: `read` of what a printing function here
//! wrote gives the value back, up to the digits that were printed; whatever is read is bounded; no number overflows.
//!
//! For each noun: `read` takes any value, `limit` refuses zero (a limit of nothing would end everything at once), `short`
//! (fixed width, for tables and counters) rounds, `exact` does not (limits, files).

pub mod count;
pub mod cut;
pub mod duration;
pub mod moment;
pub mod money;
pub mod plural;
pub mod size;
pub mod tokens;
pub mod written;

/// Longest text that is read as a value, in bytes; longer is refused unread.
pub const READ_MAX: usize = 64;

/// Why a text is no value of its kind: what was read, what is allowed, an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{} {}", self.fault(), if *.wrong == Wrong::Form { ":" } else { ";" }, .noun.example())]
pub struct ReadError {
    /// The text, cut to [`READ_MAX`] characters.
    pub read: String,
    /// What it should have been.
    pub noun: Noun,
    /// What is wrong with it.
    pub wrong: Wrong,
}

impl ReadError {
    fn new(read: &str, noun: Noun, wrong: Wrong) -> Self {
        Self { read: cut::chars(read, READ_MAX), noun, wrong }
    }

    /// What was read and what is wrong with it, without the example.
    #[must_use]
    pub fn fault(&self) -> String {
        match self.wrong {
            Wrong::Form => format!("{:?} is no {}", self.read, self.noun),
            wrong => format!("{:?} is no {}: {wrong}", self.read, self.noun),
        }
    }
}

/// A kind of value that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A length of time.
    Duration,
    Money,
    /// A count of tokens.
    Tokens,
    /// A count of bytes.
    Size,
    /// A point in time.
    Moment,
    /// A number from 0 on.
    Whole,
    /// A number from 1 on.
    Count,
}

impl Noun {
    /// How such a value is written, as an imperative.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Duration => "write it as 90s, 5m, 1h30m or 1d",
            Self::Money => "write it as $2 or $0.50",
            Self::Tokens => "write it as 50000, 500k or 2M",
            Self::Size => "write it as 64 KiB, 64M or 2 GB",
            Self::Moment => "write it as 24h (so long ago), 2026-11-20, \"2026-11-20 14:00\" or 14:00",
            Self::Whole => "write it as 0, 3 or 20",
            Self::Count => "write it as 1, 3 or 20",
        }
    }
}

impl std::fmt::Display for Noun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Duration => "duration",
            Self::Money => "amount of money",
            Self::Tokens => "count of tokens",
            Self::Size => "size",
            Self::Moment => "time",
            Self::Whole => "whole number",
            Self::Count => "whole number from 1 on",
        })
    }
}

/// What is wrong with a text that is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It has another form.
    Form,
    /// A number stands without its unit.
    NoUnit,
    /// It is zero, where that would allow nothing.
    Zero,
    /// It has more digits than count: finer than the smallest unit.
    TooFine,
    /// It does not fit 64 bits.
    TooLarge,
    /// It has more than [`READ_MAX`] bytes.
    TooLong,
    /// It has the form of a date or a time that no calendar and no clock has.
    NoSuch,
    /// It is after the last day that can be counted to.
    TooLate,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => "it has another form",
            Self::NoUnit => "a number needs a unit",
            Self::Zero => "it is zero, which would allow nothing",
            Self::TooFine => "it has more digits than count",
            Self::TooLarge => "it is too large",
            Self::TooLong => "it is too long",
            Self::NoSuch => "there is no such date or time",
            Self::TooLate => "it is out of range, and 9999-12-30 is the last day in it",
        })
    }
}

/// A decimal number times `scale`: `1.5` at a scale of 1,000 is 1,500. No sign, no exponent, a digit before the point and
/// one after it.
fn decimal(text: &str, scale: u64) -> Result<u64, Wrong> {
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return Err(Wrong::Form),
        Some(both) => both,
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return Err(Wrong::Form);
    }
    let whole = whole.parse::<u64>().ok().and_then(|n| n.checked_mul(scale)).ok_or(Wrong::TooLarge)?;
    let part = part.trim_end_matches('0');
    let Some(of) = u32::try_from(part.len()).ok().and_then(|digits| 10_u128.checked_pow(digits)) else {
        return Err(Wrong::TooFine);
    };
    let part = if part.is_empty() { 0 } else { part.parse::<u128>().map_err(|_| Wrong::TooFine)? };
    let scaled = part.checked_mul(u128::from(scale)).ok_or(Wrong::TooFine)?;
    if !scaled.is_multiple_of(of) {
        return Err(Wrong::TooFine);
    }
    u64::try_from(scaled / of).ok().and_then(|part| whole.checked_add(part)).ok_or(Wrong::TooLarge)
}

/// `read`'s value if it is not zero.
fn nonzero(text: &str, noun: Noun, value: u64) -> Result<u64, ReadError> {
    if value == 0 { Err(ReadError::new(text, noun, Wrong::Zero)) } else { Ok(value) }
}

/// The text without blanks around it, if it is short enough to be read.
fn bounded(text: &str, noun: Noun) -> Result<&str, ReadError> {
    let trimmed = text.trim();
    if trimmed.len() > READ_MAX {
        return Err(ReadError::new(text, noun, Wrong::TooLong));
    }
    Ok(trimmed)
}

#[cfg(test)]
mod tests;
