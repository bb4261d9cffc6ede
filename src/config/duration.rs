//! Durations as people write them: `90s`, `5m`, `2h`, `1h30m`.

use crate::values::time::Span;

/// Reads a duration; the error says how to write one.
pub fn parse(text: &str) -> Result<Span, String> {
    let bad = || format!("{text:?} is no duration: write it as 90s, 5m, 2h or 1h30m");
    let (mut total, mut number) = (0u64, String::new());
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let n: u64 = std::mem::take(&mut number).parse().map_err(|_| bad())?;
        let secs = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(bad()),
        };
        total = n.checked_mul(secs).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
    }
    if !number.is_empty() || total == 0 {
        return Err(bad());
    }
    Ok(Span::secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_nonsense_is_refused() {
        for (text, secs) in [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800)] {
            assert_eq!(parse(text), Ok(Span::secs(secs)), "{text}");
        }
        for bad in ["", "5", "m", "5x", "-5m", "0s", "99999999999999999999h", "99999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
