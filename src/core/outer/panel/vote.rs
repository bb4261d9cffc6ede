//! The vote: pure, in whole numbers, the same for the same panel and question in whatever order they are written.
//!
//! Each persona gives each option points: the mean of its scores (risk and cost turned round), weighted by what the
//! persona looks at. An option's points are the mean of the personas' points, weighted by the personas. The most points
//! win, unless a rule below sends the question to a human. An option that another one beats or equals by every
//! criterion never wins: no persona gives it more points.

use crate::core::model::panel::question::{Criterion, OptionScored, Panel, Persona, TradeOff};
use crate::core::model::panel::vote::{
    Ballot, Missing, POINTS_MAX, PollOutcome, Ranked, Reason, Total, Vote,
};
use std::collections::BTreeMap;

/// Lets the panel vote.
#[must_use]
pub fn vote(panel: &Panel, question: &TradeOff) -> Vote {
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
        PollOutcome::AskHuman(Reason::MissingScores(missing))
    };
    Vote { criteria, ballots, totals, margin, outcome }
}

/// The rules, first that holds first.
fn outcome(totals: &[Total], ballots: &[Ballot], best: Vec<String>, unsure: Option<u32>) -> PollOutcome {
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
        let Some(winner) = totals.first() else { return PollOutcome::AskHuman(Reason::FewVoices) };
        // The first of those with the most, so that a tie of choices does not hang on the order.
        let chosen =
            totals.iter().fold(winner, |most, total| if total.weight > most.weight { total } else { most });
        if chosen.option == winner.option {
            return PollOutcome::Decided(winner.option.clone());
        }
        Reason::Split { points: winner.option.clone(), choices: chosen.option.clone() }
    };
    PollOutcome::AskHuman(ask)
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
