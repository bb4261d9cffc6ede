//! What tokens cost: `assets/prices.toml`, and before it the user's own `prices.toml` in the config folder.

use super::ConfigError;
use crate::core::model::price::{Price, Prices};
use crate::os::paths::Paths;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// More dollars than any model costs for a million tokens: a slip of the keyboard.
const DOLLARS_MAX: f64 = 100_000.0;

/// A table as it is written: dollars per million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    r#in: Spanned<toml::Value>,
    cached: Option<Spanned<toml::Value>>,
    out: Spanned<toml::Value>,
}

/// Where the user's file is looked for.
#[must_use]
pub fn file(paths: &Paths) -> PathBuf {
    paths.config.join("prices.toml")
}

/// The user's prices before those that ship; without a file, those that ship.
pub fn load(paths: &Paths) -> Result<Prices, ConfigError> {
    let path = file(paths);
    let origin = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(parse(&text, &origin)?.or(builtin())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(builtin()),
        Err(error) => Err(ConfigError {
            origin,
            line: 0,
            column: 0,
            what: format!("it can't be read: {error}"),
            remedy: "make it readable, or move it away".to_owned(),
        }),
    }
}

/// The prices that ship.
#[must_use]
#[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
pub fn builtin() -> Prices {
    parse(include_str!("../../assets/prices.toml"), "assets/prices.toml")
        .expect("assets/prices.toml holds prices")
}

/// Reads the text of a file.
pub fn parse(text: &str, origin: &str) -> Result<Prices, ConfigError> {
    let raw: BTreeMap<Spanned<String>, Spanned<Raw>> = toml::from_str(text).map_err(|error| {
        let mut error = ConfigError::toml(origin, text, &error);
        if error.remedy.is_empty() {
            EXAMPLE.clone_into(&mut error.remedy);
        }
        error
    })?;
    let mut prices = BTreeMap::new();
    for (model, raw) in raw {
        if model.get_ref().trim().is_empty() {
            let what = "a model without a name".to_owned();
            return Err(ConfigError::at(origin, text, model.span().start, what, EXAMPLE));
        }
        let raw = raw.into_inner();
        let read = dollars(origin, text, &raw.r#in)?;
        let cached = raw.cached.map_or(Ok(read), |cached| dollars(origin, text, &cached))?;
        let written = dollars(origin, text, &raw.out)?;
        prices.insert(model.into_inner(), Price { read, cached, written });
    }
    Ok(Prices::new(prices))
}

const EXAMPLE: &str =
    "write \"MODEL\" = { in = 4.00, cached = 0.20, out = 20.00 }: US dollars for a million tokens";

/// Dollars as millionths.
fn dollars(origin: &str, text: &str, of: &Spanned<toml::Value>) -> Result<u64, ConfigError> {
    let value = match of.get_ref() {
        #[expect(clippy::cast_precision_loss, reason = "what is too large for it is refused")]
        toml::Value::Integer(whole) => Some(*whole as f64),
        toml::Value::Float(value) => Some(*value),
        toml::Value::String(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    };
    match value.filter(|value| (0.0..=DOLLARS_MAX).contains(value)) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        Some(value) => Ok((value * 1e6).round() as u64),
        None => {
            let what = format!("{} is no price", of.get_ref());
            Err(ConfigError::at(origin, text, of.span().start, what, EXAMPLE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_prices_go_before_those_that_ship() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        std::fs::create_dir_all(&paths.config).unwrap();
        assert_eq!(load(&paths).unwrap(), builtin());
        assert_eq!(builtin().of("claude-opus-5-5").unwrap().written, 20_000_000);
        let text = "[claude-opus-5-5]\nin = 1\nout = 2.5\n[\"tea:1b\"]\nin = 0\ncached = 0.5\nout = 0\n";
        std::fs::write(file(&paths), text).unwrap();
        let prices = load(&paths).unwrap();
        let price = |read, cached, written| Some(Price { read, cached, written });
        assert_eq!(prices.of("claude-opus-5-5"), price(1_000_000, 1_000_000, 2_500_000), "cached is as in");
        assert_eq!(prices.of("tea:1b"), price(0, 500_000, 0));
        assert_eq!(prices.len(), builtin().len() + 1);
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (text, says, remedy) in [
            ("[a]\nin = 1\n", "prices.toml:1:1: missing field `out`", EXAMPLE),
            ("[a]\nout = 1\n", "prices.toml:1:1: missing field `in`", EXAMPLE),
            ("[a]\nin = -1\nout = 1\n", "prices.toml:2:6: -1 is no price", EXAMPLE),
            ("[a]\nin = 1\nout = '$4'\n", "prices.toml:3:7: \"$4\" is no price", EXAMPLE),
            ("[a]\nin = 1\nout = nan\n", "prices.toml:3:7: nan is no price", EXAMPLE),
            ("[a]\nin = 1e9\nout = 1\n", "prices.toml:2:6: 1000000000.0 is no price", EXAMPLE),
            ("[a]\nin = 1\ncached = []\nout = 1\n", "prices.toml:3:10: [] is no price", EXAMPLE),
            ("[a]\nin = 1\ncache = 1\n", "prices.toml:3:1: unknown field `cache`", "did you mean cached?"),
            ("a = 4\n", "prices.toml:1:5: invalid type: integer `4`", EXAMPLE),
            ("['']\nin = 1\nout = 1\n", "prices.toml:1:2: a model without a name", EXAMPLE),
            ("[a\n", "prices.toml:1:3: ", EXAMPLE),
            ("[a]\nin = 1\nout = 1\n[a]\nin = 1\nout = 1\n", "prices.toml:4:2: duplicate key", EXAMPLE),
        ] {
            let error = parse(text, "prices.toml").unwrap_err();
            assert!(error.to_string().starts_with(says), "{text}: {error}");
            assert_eq!(error.remedy(), remedy, "{text}");
        }
    }
}
