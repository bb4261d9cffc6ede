//! What tokens cost: a list of models, handed in by who has read it from a file.
//!
//! Promises: a model that is not on the list has no price, not even nearly; a sum that can't be told is none.

use crate::core::model::agent::Usage;
use std::collections::BTreeMap;

/// What a million tokens of a model cost, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Read by the model, but for those from a cache.
    pub read: u64,
    /// Read from a cache.
    pub cached: u64,
    /// Written by the model.
    pub written: u64,
}

/// Prices by model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// These prices.
    #[must_use]
    pub const fn new(by_model: BTreeMap<String, Price>) -> Self {
        Self(by_model)
    }

    /// These, and `other` where they say nothing.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (model, price) in other.0 {
            self.0.entry(model).or_insert(price);
        }
        self
    }

    /// How many models have a price.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The price of a model by its name as an agent tells it: as it stands, else without the provider before it
    /// (`openai/gpt-5`), a variant in brackets behind it (`[1m]`), and the date of its release (`-20251001`).
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        let known = |name: &str| self.0.get(name).copied();
        let plain = model.split_once('[').map_or(model, |(name, _)| name);
        let own = plain.rsplit_once('/').map_or(plain, |(_, name)| name);
        known(model).or_else(|| known(plain)).or_else(|| known(own)).or_else(|| known(undated(own)?))
    }

    /// What this use of a model costs; none if the model has no price, or not all tokens are known.
    #[must_use]
    pub fn cost(&self, model: &str, usage: &Usage) -> Option<u64> {
        let price = self.of(model)?;
        let (read, written) = (usage.tokens_in?, usage.tokens_out?);
        let cached = usage.tokens_cached.unwrap_or(0).min(read);
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let sum = part(read - cached, price.read) + part(cached, price.cached) + part(written, price.written);
        u64::try_from((sum + 500_000) / 1_000_000).ok()
    }
}

/// A name without the date at its end: `-20251001` or `-2025-10-01`.
fn undated(name: &str) -> Option<&str> {
    let is_date = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
        digits == 8 && (text.len() == 8 || text.len() == 10 && dashes == [4, 7])
    };
    [9, 11].into_iter().find_map(|len| {
        let (own, date) = name.split_at_checked(name.len().checked_sub(len)?)?;
        date.strip_prefix('-').filter(|date| is_date(date)).map(|_| own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        let price = Price { read: 4_000_000, cached: 200_000, written: 20_000_000 };
        Prices::new(BTreeMap::from([("opus".to_owned(), price), ("free".to_owned(), Price::default())]))
    }

    fn usage(read: u64, cached: Option<u64>, written: u64) -> Usage {
        Usage { tokens_in: Some(read), tokens_cached: cached, tokens_out: Some(written), ..Usage::default() }
    }

    #[test]
    fn tokens_times_prices() {
        let all = prices();
        assert_eq!(all.cost("opus", &usage(25_842, Some(10_375), 28)), Some(64_503));
        assert_eq!(all.cost("opus", &usage(1_000_000, None, 0)), Some(4_000_000));
        assert_eq!(all.cost("opus", &usage(10, Some(u64::MAX), 0)), Some(2));
        assert_eq!(
            all.cost("free", &usage(u64::MAX, None, u64::MAX)),
            Some(0),
            "a price of nothing is known"
        );
        assert_eq!(all.cost("opus", &usage(u64::MAX, None, u64::MAX)), None, "too much to be told");
        assert_eq!(all.cost("opus", &Usage { tokens_in: Some(5), ..Usage::default() }), None);
    }

    #[test]
    fn a_model_is_known_by_its_name_alone() {
        let all = prices();
        for known in
            ["opus", "opus[1m]", "anthropic/opus", "a/b/opus", "opus-20251001", "a/opus-2025-10-01[1m]"]
        {
            assert!(all.of(known).is_some(), "{known}");
        }
        for other in
            ["", "opu", "opus-2", "opus-mini", "opus-2025100", "opus-2025-1001", "[opus]", "é-20251001"]
        {
            assert_eq!(all.of(other), None, "{other}");
        }
    }
}
