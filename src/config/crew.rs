//! The table `[spec]` of `nopeek.toml`: who does what on the way from a goal to landed work, and what waits for a person.

use super::ConfigError;
use super::numbers::Numbers;
use crate::core::model::spec::Ahead;
use crate::values::words::written::Written;
use serde::Deserialize;
use toml::Spanned;

/// What the repo says; what it leaves open is its `agent`, two passes, two rounds, and every approval by a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrewConfig {
    /// Who drafts specs and refines them.
    pub draft: Option<String>,
    /// Who attacks them; `none`: nobody.
    pub review: Option<String>,
    pub plan: Option<String>,
    /// Who does the tasks.
    pub work: Option<String>,
    /// Who verifies them; `none`: nobody.
    pub verify: Option<String>,
    /// How often a spec is attacked.
    pub passes: Option<u32>,
    /// How often findings send work back.
    pub rounds: Option<u32>,
    /// What is approved in advance.
    pub ahead: Ahead,
    /// Whether tasks begin on finished work before it has landed.
    pub stack: bool,
    /// The memory file, from the repo's root.
    pub memory: Option<String>,
}

/// The memory file where a repo names none.
pub const MEMORY: &str = "wip.md";
/// How often a spec is attacked where a repo does not say.
pub const PASSES: u32 = 2;
/// How often findings send work back where a repo does not say.
pub const ROUNDS: u32 = 2;
/// Most passes and rounds: more than that is a quarrel.
pub const TURNS_MAX: u32 = 10;

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    draft: Option<String>,
    review: Option<String>,
    plan: Option<String>,
    work: Option<String>,
    verify: Option<String>,
    passes: Option<Spanned<Written>>,
    rounds: Option<Spanned<Written>>,
    #[serde(default)]
    ahead: Vec<Spanned<String>>,
    #[serde(default)]
    stack: bool,
    memory: Option<Spanned<String>>,
}

/// Reads the table.
pub(super) fn read(raw: Option<Raw>, text: &str, origin: &str) -> Result<CrewConfig, ConfigError> {
    let Some(raw) = raw else { return Ok(CrewConfig::default()) };
    let wrong = |offset, what: String, remedy: &str| Err(ConfigError::at(origin, text, offset, what, remedy));
    let turns = |key, of: Spanned<Written>| Numbers { origin, text }.whole(key, &of, &(0..=TURNS_MAX));
    let ahead = match ahead(raw.ahead.iter().map(|word| word.get_ref().as_str())) {
        Ok(ahead) => ahead,
        Err((at, what)) => {
            return wrong(
                raw.ahead.get(at).map_or(0, |word| word.span().start),
                what,
                "write spec, plan or work",
            );
        }
    };
    if let Some(memory) = &raw.memory {
        let normal = |part| matches!(part, std::path::Component::Normal(_));
        let path = std::path::Path::new(memory.get_ref());
        if memory.get_ref().is_empty() || !path.components().all(normal) {
            let what = format!("{:?} leaves the repo", memory.get_ref());
            return wrong(
                memory.span().start,
                what,
                "name a file inside the repo, without .. and without a leading /",
            );
        }
    }
    Ok(CrewConfig {
        draft: raw.draft,
        review: raw.review,
        plan: raw.plan,
        work: raw.work,
        verify: raw.verify,
        passes: raw.passes.map(|of| turns("passes", of)).transpose()?,
        rounds: raw.rounds.map(|of| turns("rounds", of)).transpose()?,
        ahead,
        stack: raw.stack,
        memory: raw.memory.map(Spanned::into_inner),
    })
}

/// What is approved in advance, from words; the error has the place of the wrong one.
pub fn ahead<'a>(words: impl Iterator<Item = &'a str>) -> Result<Ahead, (usize, String)> {
    let mut ahead = Ahead::default();
    for (n, word) in words.enumerate() {
        match word {
            "spec" => ahead.spec = true,
            "plan" => ahead.plan = true,
            "work" => ahead.work = true,
            other => return Err((n, format!("{other:?} is nothing that could be approved in advance"))),
        }
    }
    Ok(ahead)
}
