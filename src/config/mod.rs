//! FILES PEOPLE WRITE: the user's config, a repo's `nopeek.toml`, and which of those may run commands.

pub mod duration;
pub mod repo;
pub mod trust;
pub mod user;

/// What is wrong in a file that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{}: {what}", place(*.line, *.column))]
pub struct ConfigError {
    /// The file.
    pub origin: String,
    /// From 1; 0 if it is about the whole file.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead; may be empty.
    pub remedy: String,
}

impl ConfigError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        self.remedy.clone()
    }

    /// An error at a byte of a text.
    pub(crate) fn at(
        origin: &str,
        text: &str,
        offset: usize,
        what: String,
        remedy: impl Into<String>,
    ) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        Self { origin: origin.to_owned(), line, column, what, remedy: remedy.into() }
    }

    /// An error of the TOML reader.
    pub(crate) fn toml(origin: &str, text: &str, error: &toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span| span.start);
        let what = error.message().lines().next().unwrap_or("it can't be read").to_owned();
        let remedy = did_you_mean(error.message()).unwrap_or_default();
        Self::at(origin, text, offset, what, remedy)
    }
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

/// For "unknown field `x`, expected one of `a`, `b`": the nearest of them.
fn did_you_mean(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next().filter(|_| message.starts_with("unknown"))?;
    let nearest = words.max_by_key(|word| {
        let same = wrong.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
        let shared = word.chars().filter(|c| wrong.contains(*c)).count();
        same * 2 + shared
    })?;
    Some(format!("did you mean {nearest}?"))
}
