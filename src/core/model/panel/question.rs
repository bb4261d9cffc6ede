//! What the panel is asked, and who is on it: criteria, scores, options, personas; and what is wrong with them.
//!
//! The criteria are a fixed vocabulary, each with a direction, so that two questions are judged alike. All numbers are
//! whole.

use crate::core::model::refused::{Refused, RefusedKind};
use crate::values::text::Shown;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Most options of a question.
pub const OPTIONS_MAX: usize = 12;

/// Most personas of a panel.
pub const PERSONAS_MAX: usize = 40;

/// Largest weight of a persona.
pub const WEIGHT_MAX: u32 = 1_000;

/// Largest weight of a criterion for a persona.
pub const HEURISTIC_MAX: u32 = 100;

/// Longest name of an option or a persona, in characters.
pub const NAME_MAX: usize = 40;

/// By what options are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// What it is worth to users and the business.
    Value,
    /// What may go wrong, and how badly.
    Risk,
    /// What it takes to build and to run.
    Cost,
    /// How soon it is done.
    Speed,
    /// How little there is to understand.
    Simplicity,
    /// How easily it is undone.
    Reversibility,
    /// How well it withstands attackers.
    Security,
    /// How well it goes on when parts fail.
    Reliability,
    /// How fast it runs, with how little.
    Performance,
    /// How well it fits laws, contracts and audits.
    Compliance,
    /// How easy it is for those who use it.
    Usability,
    /// How easily it is changed later.
    Maintainability,
    /// How right, complete and traceable data stay.
    DataQuality,
    /// How surely it can be shown to work.
    Testability,
}

impl Criterion {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Value,
        Self::Risk,
        Self::Cost,
        Self::Speed,
        Self::Simplicity,
        Self::Reversibility,
        Self::Security,
        Self::Reliability,
        Self::Performance,
        Self::Compliance,
        Self::Usability,
        Self::Maintainability,
        Self::DataQuality,
        Self::Testability,
    ];

    /// Its name in config, questions and the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Risk => "risk",
            Self::Cost => "cost",
            Self::Speed => "speed",
            Self::Simplicity => "simplicity",
            Self::Reversibility => "reversibility",
            Self::Security => "security",
            Self::Reliability => "reliability",
            Self::Performance => "performance",
            Self::Compliance => "compliance",
            Self::Usability => "usability",
            Self::Maintainability => "maintainability",
            Self::DataQuality => "data-quality",
            Self::Testability => "testability",
        }
    }

    /// What a score of it says, for people and agents.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Value => "what it is worth to users and the business",
            Self::Risk => "what may go wrong, and how badly",
            Self::Cost => "what it takes to build and to run",
            Self::Speed => "how soon it is done",
            Self::Simplicity => "how little there is to understand",
            Self::Reversibility => "how easily it is undone",
            Self::Security => "how well it withstands attackers",
            Self::Reliability => "how well it goes on when parts fail",
            Self::Performance => "how fast it runs, with how little",
            Self::Compliance => "how well it fits laws, contracts and audits",
            Self::Usability => "how easy it is for those who use it",
            Self::Maintainability => "how easily it is changed later",
            Self::DataQuality => "how right, complete and traceable data stay",
            Self::Testability => "how surely it can be shown to work",
        }
    }

    /// Whether a high score of it speaks for an option; of risk and cost it speaks against it.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        !matches!(self, Self::Risk | Self::Cost)
    }

    /// The names of all, for messages.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Criterion {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|criterion| criterion.name() == name);
        known.ok_or_else(|| {
            format!("there is no criterion {}: there are {}", Shown::line(name), Self::names())
        })
    }
}

/// How much of a criterion an option has: 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Score(u8);

impl Score {
    /// The highest.
    pub const MAX: u8 = 10;

    /// Checks `score`.
    pub fn new(score: i64) -> Result<Self, String> {
        match u8::try_from(score) {
            Ok(score) if score <= Self::MAX => Ok(Self(score)),
            Ok(_) | Err(_) => Err(format!("{score} is no score: scores are whole numbers from 0 to 10")),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// How much it speaks for an option: risk and cost count the other way round.
    #[must_use]
    pub const fn merit(self, of: Criterion) -> u8 {
        if of.more_is_better() { self.0 } else { Self::MAX - self.0 }
    }
}

impl TryFrom<i64> for Score {
    type Error = String;
    fn try_from(score: i64) -> Result<Self, String> {
        Self::new(score)
    }
}

impl From<Score> for i64 {
    fn from(score: Score) -> Self {
        score.0.into()
    }
}

/// A way to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OptionScored {
    /// What it is called: 1 to 40 characters, unique in its question.
    pub name: String,
    /// What it is; may be empty.
    #[serde(default)]
    pub about: Shown,
    /// How it was scored by who asks.
    #[serde(default)]
    pub scores: BTreeMap<Criterion, Score>,
}

/// A trade-off: what is asked, and between what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeOff {
    /// What is to be decided.
    pub text: Shown,
    pub options: Vec<OptionScored>,
}

/// A point of view with a weight in the vote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Persona {
    /// What it is called.
    pub name: String,
    /// How much its vote counts beside the others': 1 to 1,000.
    pub weight: u32,
    /// What it looks at, and how much each counts to it: 0 to 100; what is not here does not count.
    pub heuristics: BTreeMap<Criterion, u32>,
    /// For people: what it speaks for.
    pub about: Shown,
}

/// Who votes, and when the vote is sure enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    pub personas: Vec<Persona>,
    /// Least margin, in percent of the winner's points; below it a human decides.
    pub confidence: u32,
}

impl TradeOff {
    /// All criteria by which any option is scored.
    #[must_use]
    pub fn criteria(&self) -> BTreeSet<Criterion> {
        self.options.iter().flat_map(|option| option.scores.keys().copied()).collect()
    }

    /// Says what is wrong with the question, if it can't be put.
    pub(in crate::core) fn check(&self) -> Result<(), Refused> {
        let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
        if self.text.as_str().trim().is_empty() {
            return bad("the question is empty".into(), "say what is to be decided");
        }
        if too_long(&self.text) {
            return bad("the question is longer than 2,000 characters".into(), "ask in fewer words");
        }
        match self.options.len() {
            0 | 1 => return bad("there is nothing to choose between".into(), "give at least two options"),
            2..=OPTIONS_MAX => {}
            many => {
                return bad(format!("{many} options; {OPTIONS_MAX} are allowed"), "leave out the weakest");
            }
        }
        let mut names = BTreeSet::new();
        for option in &self.options {
            let name = Shown::line(&option.name);
            if !is_name(&option.name) {
                let name: String = name.as_str().chars().take(NAME_MAX).collect();
                return bad(format!("{name:?} is no name of an option"), NAME_REMEDY);
            }
            if too_long(&option.about) {
                let what = format!("what is said about {name} is longer than 2,000 characters");
                return bad(what, "say it in fewer words");
            }
            if !names.insert(option.name.to_lowercase()) {
                return bad(format!("there are two options {name}"), "give each option its own name");
            }
        }
        Ok(())
    }
}

const NAME_REMEDY: &str = "use 1 to 40 characters without line breaks, and no space at the ends";

impl Panel {
    /// Says what is wrong with the panel, if it can't vote.
    pub(in crate::core) fn check(&self) -> Result<(), Refused> {
        let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
        if self.personas.is_empty() || self.personas.len() > PERSONAS_MAX {
            let what = format!("a panel of {} personas can't vote", self.personas.len());
            return bad(what, "have 1 to 40 of them");
        }
        if self.confidence > 100 {
            return bad(format!("a confidence of {} % is never reached", self.confidence), "give 0 to 100");
        }
        let mut names = BTreeSet::new();
        for persona in &self.personas {
            if !is_name(&persona.name) || !names.insert(&persona.name) || too_long(&persona.about) {
                let name = Shown::line(&persona.name);
                return bad(format!("{name} is no name of a persona, or is there twice"), NAME_REMEDY);
            }
            let heaviest = persona.heuristics.values().copied().max().unwrap_or(0);
            if !(1..=WEIGHT_MAX).contains(&persona.weight) || !(1..=HEURISTIC_MAX).contains(&heaviest) {
                let what = format!("the persona {} can't be weighed", persona.name);
                return bad(what, "weights go from 1 to 1000, heuristics up to 100, and one of them counts");
            }
        }
        Ok(())
    }
}

/// Whether `name` may name an option or a persona: short, visible, on one line.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= NAME_MAX
        && name.trim() == name
        && Shown::line(name).as_str() == name
}

/// Whether a text was cut when it was made visible.
pub(in crate::core) fn too_long(text: &Shown) -> bool {
    text.as_str().chars().count() > Shown::MAX
}
