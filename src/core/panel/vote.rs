//! The vote: pure, in whole numbers, the same for the same panel and question in whatever order they are written.
//!
//! Each persona gives each option points: the mean of its scores (risk and cost turned round), weighted by what the
//! persona looks at. An option's points are the mean of the personas' points, weighted by the personas. The most points
//! win, unless a rule below sends the question to a human. An option that another one beats or equals by every
//! criterion never wins: no persona gives it more points.

use super::question::{Criterion, OptionScored, Panel, Persona, Question};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    pub outcome: Outcome,
}

/// How one persona sees the options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// Whose.
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
    /// The option.
    pub option: String,
    /// 0 to 10,000.
    pub points: u32,
}

/// How an option came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The option.
    pub option: String,
    /// The weighted mean of all ballots' points: 0 to 10,000.
    pub points: u32,
    /// How many personas choose it.
    pub voices: u32,
    /// Their weight.
    pub weight: u32,
}

/// What came of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This option.
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
    LowConfidence {
        /// Least margin.
        needed: u32,
    },
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
    /// The option.
    pub option: String,
    /// The criteria.
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
            Self::FewVoices => {
                "too few voices: most of the panel looks at nothing that was scored".to_owned()
            }
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
            Outcome::Decided(_) => None,
            Outcome::AskHuman(reason) => Some(reason.words(self.margin)),
        }
    }
}

/// Lets the panel vote.
#[must_use]
pub fn vote(panel: &Panel, question: &Question) -> Vote {
    let all = question.criteria();
    let scored = |by: &Criterion| question.options.iter().all(|option| option.scores.contains_key(by));
    let criteria: Vec<Criterion> = all.iter().copied().filter(scored).collect();
    let mut options: Vec<&OptionScored> = question.options.iter().collect();
    options.sort();
    let mut personas: Vec<&Persona> = panel.personas.iter().collect();
    personas.sort();
    let ballots: Vec<Ballot> = personas.iter().map(|persona| ballot(persona, &options, &criteria)).collect();
    let lacks = |option: &&OptionScored| {
        let criteria: Vec<Criterion> =
            all.iter().copied().filter(|by| !option.scores.contains_key(by)).collect();
        (!criteria.is_empty()).then(|| Missing { option: option.name.clone(), criteria })
    };
    let missing: Vec<Missing> = options.iter().filter_map(lacks).collect();
    let sums = sums(&options, &ballots);
    let (first, second) = (sums.first().map_or(0, |sum| sum.1), sums.get(1).map_or(0, |sum| sum.1));
    let ahead = (first - second) * 100;
    let margin = u32::try_from(ahead.checked_div(first).unwrap_or(0)).unwrap_or(100);
    let totals = totals(&sums, &ballots);
    let outcome = if missing.is_empty() && !criteria.is_empty() {
        let sure = ahead >= u128::from(panel.confidence) * first;
        let best = sums.iter().take_while(|sum| sum.1 == first).map(|sum| sum.0.to_owned()).collect();
        outcome(&totals, &ballots, best, (!sure).then_some(panel.confidence))
    } else {
        Outcome::AskHuman(Reason::MissingScores(missing))
    };
    Vote { criteria, ballots, totals, margin, outcome }
}

/// The rules, first that holds first.
fn outcome(totals: &[Total], ballots: &[Ballot], best: Vec<String>, unsure: Option<u32>) -> Outcome {
    let weight = |ballots: &mut dyn Iterator<Item = &Ballot>| -> u64 {
        ballots.map(|ballot| u64::from(ballot.weight)).sum()
    };
    let voiced = weight(&mut ballots.iter().filter(|ballot| !ballot.ranking.is_empty()));
    let ask = if voiced == 0 || voiced * 2 < weight(&mut ballots.iter()) {
        Reason::FewVoices
    } else if best.len() > 1 {
        Reason::Tie(best)
    } else if let Some(needed) = unsure {
        Reason::LowConfidence { needed }
    } else {
        let Some(winner) = totals.first() else { return Outcome::AskHuman(Reason::FewVoices) };
        // The first of those with the most, so that a tie of choices does not hang on the order.
        let chosen =
            totals.iter().fold(winner, |most, total| if total.weight > most.weight { total } else { most });
        if chosen.option == winner.option {
            return Outcome::Decided(winner.option.clone());
        }
        Reason::Split { points: winner.option.clone(), choices: chosen.option.clone() }
    };
    Outcome::AskHuman(ask)
}

/// How `persona` sees the options by these criteria.
fn ballot(persona: &Persona, options: &[&OptionScored], criteria: &[Criterion]) -> Ballot {
    let counts = |by: &Criterion| u64::from(persona.heuristics.get(by).copied().unwrap_or(0));
    let whole: u64 = criteria.iter().map(counts).sum::<u64>() * 10;
    let points = |option: &&OptionScored| {
        let merit = |by: &Criterion| {
            counts(by) * option.scores.get(by).map_or(0, |score| u64::from(score.merit(*by)))
        };
        let sum: u64 = criteria.iter().map(merit).sum();
        let points = (sum * u64::from(POINTS_MAX)).checked_div(whole)?;
        let points = u32::try_from(points).unwrap_or(POINTS_MAX);
        Some(Ranked { option: option.name.clone(), points })
    };
    let mut ranking: Vec<Ranked> = options.iter().filter_map(points).collect();
    ranking.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.option.cmp(&b.option)));
    let alone = ranking.get(1).is_none_or(|next| ranking[0].points > next.points);
    let choice = ranking.first().filter(|_| alone).map(|best| best.option.clone());
    Ballot { persona: persona.name.clone(), weight: persona.weight, ranking, choice }
}

/// The options with their points times weights, best first.
fn sums<'a>(options: &[&'a OptionScored], ballots: &[Ballot]) -> Vec<(&'a str, u128)> {
    let mut sums: BTreeMap<&str, u128> = options.iter().map(|option| (option.name.as_str(), 0)).collect();
    for ballot in ballots {
        for ranked in &ballot.ranking {
            if let Some(sum) = sums.get_mut(ranked.option.as_str()) {
                *sum += u128::from(ranked.points) * u128::from(ballot.weight);
            }
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    sums
}

fn totals(sums: &[(&str, u128)], ballots: &[Ballot]) -> Vec<Total> {
    let voiced = ballots.iter().filter(|ballot| !ballot.ranking.is_empty());
    let whole: u128 = voiced.map(|ballot| u128::from(ballot.weight)).sum();
    let total = |(option, sum): &(&str, u128)| {
        let chosen = || ballots.iter().filter(|ballot| ballot.choice.as_deref() == Some(*option));
        Total {
            option: (*option).to_owned(),
            points: u32::try_from(sum.checked_div(whole).unwrap_or(0)).unwrap_or(POINTS_MAX),
            voices: u32::try_from(chosen().count()).unwrap_or(u32::MAX),
            weight: chosen().fold(0, |sum, ballot| sum.saturating_add(ballot.weight)),
        }
    };
    sums.iter().map(total).collect()
}
