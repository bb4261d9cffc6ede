//! A vote of the panel as it is kept: ballots, sums, and the outcome.

use crate::core::model::panel::question::Criterion;
use serde::{Deserialize, Serialize};

/// Points of an option that is the best it can be: hundredths of a percent.
pub const POINTS_MAX: u32 = 10_000;

/// What the panel says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// By what the options were compared: what all of them are scored by.
    pub criteria: Vec<Criterion>,
    /// A line a persona, by name.
    pub ballots: Vec<Ballot>,
    /// A line an option, best first.
    pub totals: Vec<Total>,
    /// How far the best is ahead of the next, in percent of the best's points.
    pub margin: u32,
    /// What came of it.
    pub outcome: PollOutcome,
}

/// How one persona sees the options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    pub persona: String,
    /// How much it counts.
    pub weight: u32,
    /// The options with its points, best first; empty if it looks at nothing that was scored: it abstains.
    pub ranking: Vec<Ranked>,
    /// The option that is best to it alone; none if two are.
    pub choice: Option<String>,
}

/// An option and a persona's points for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranked {
    pub option: String,
    /// 0 to 10,000.
    pub points: u32,
}

/// How an option came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub option: String,
    /// The weighted mean of all ballots' points: 0 to 10,000.
    pub points: u32,
    /// How many personas choose it.
    pub voices: u32,
    pub weight: u32,
}

/// What came of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PollOutcome {
    Decided(String),
    /// A human must decide.
    AskHuman(Reason),
}

/// Why a human must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// These have the same points.
    Tie(Vec<String>),
    /// The margin is below the panel's confidence, in percent.
    LowConfidence { needed: u32 },
    /// The most points and the most weight of choices are of different options.
    Split {
        /// The option with the most points.
        points: String,
        /// The option that the most weight chooses.
        choices: String,
    },
    /// Less than half of the panel's weight looks at anything that was scored.
    FewVoices,
    /// Options lack scores that others have; empty: nothing is scored at all.
    MissingScores(Vec<Missing>),
}

/// What an option is not scored by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub option: String,
    pub criteria: Vec<Criterion>,
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn words(&self, margin: u32) -> String {
        match self {
            Self::Tie(options) => format!("a tie of {}", options.join(" and ")),
            Self::LowConfidence { needed } => {
                format!("low confidence: the margin is {margin} %, {needed} % are needed")
            }
            Self::Split { points, choices } => {
                format!("a split: {points} has the most points, {choices} is chosen by the most weight")
            }
            Self::FewVoices => "too few votes: most of the panel weighs nothing that was scored".to_owned(),
            Self::MissingScores(missing) => match missing.first() {
                None => "no option has a score".to_owned(),
                Some(first) => {
                    let criteria: Vec<&str> =
                        first.criteria.iter().map(|criterion| criterion.name()).collect();
                    let more = if missing.len() > 1 { "; others too" } else { "" };
                    format!("missing scores: {} has none for {}{more}", first.option, criteria.join(", "))
                }
            },
        }
    }
}

impl Vote {
    /// How many personas choose `option`.
    #[must_use]
    pub fn voices(&self, option: &str) -> u32 {
        self.totals.iter().find(|total| total.option == option).map_or(0, |total| total.voices)
    }

    /// Why a human must decide, if one must.
    #[must_use]
    pub fn asks(&self) -> Option<String> {
        match &self.outcome {
            PollOutcome::Decided(_) => None,
            PollOutcome::AskHuman(reason) => Some(reason.words(self.margin)),
        }
    }
}
