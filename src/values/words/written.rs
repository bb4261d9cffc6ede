//! A value of a TOML file before it is known whether it is one of those that are read here: a text or a bare number.
//!
//! Promises: every value of TOML becomes one, so that who reads it says in our words what is wrong with it, not the TOML
//! reader in its own.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What stands behind a key's `=`.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Text(String),
    /// A whole number without quotes, in decimal digits whatever its base was.
    Integer(String),
    /// A number with a point or an exponent, infinity or none at all. Its digits are in the file alone.
    Float(f64),
    /// What it is instead, with its article: `a list`.
    Other(&'static str),
}

impl Written {
    /// A text as it is, a number in digits; empty for what is neither.
    #[must_use]
    pub fn digits(&self) -> String {
        match self {
            Self::Text(text) | Self::Integer(text) => text.clone(),
            Self::Float(number) => number.to_string(),
            Self::Other(_) => String::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Written, E> {
        Ok(Written::Other("true or false"))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Written, E> {
        Ok(Written::Integer(n.to_string()))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Written, E> {
        Ok(Written::Integer(n.to_string()))
    }

    fn visit_i128<E>(self, n: i128) -> Result<Written, E> {
        Ok(Written::Integer(n.to_string()))
    }

    fn visit_u128<E>(self, n: u128) -> Result<Written, E> {
        Ok(Written::Integer(n.to_string()))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Written, E> {
        Ok(Written::Float(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Written, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Written::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
        let mut is = "a table";
        while let Some(key) = map.next_key::<String>()? {
            // As the TOML reader hands over dates and times.
            if key.starts_with("$__toml_private_datetime") {
                is = "a date or a time of day";
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Written::Other(is))
    }
}
