//! Who did best: the agents of a bench in order, in whole numbers, from what is measured.
//!
//! Green and clean counts first, then green, then what was found, by weight; then cost, where it is known of all; then
//! time, in whole seconds. What is equal in all of that is tied.

use crate::core::model::attempt::AttemptResult;
use crate::core::model::bench::outcome::RunOutcome;
use crate::core::model::bench::sketch::{self, Sketch};
use crate::core::model::bench::{Bench, Run};
use crate::core::model::finding::{Findings, Severity};
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::values::ids::TaskId;
use serde::{Deserialize, Serialize};
use std::cmp::{Ordering, Reverse};

/// Where measured numbers lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub min: u64,
    /// The middle one; of two, the mean.
    pub median: u64,
    pub max: u64,
}

impl Spread {
    /// Of numbers; none without any.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut all: Vec<u64> = numbers.into_iter().collect();
        all.sort_unstable();
        let (min, max) = (*all.first()?, *all.last()?);
        let (low, high) = (all[(all.len() - 1) / 2], all[all.len() / 2]);
        Some(Self { min, median: low + (high - low) / 2, max })
    }
}

/// How an agent did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentScore {
    pub agent: String,
    /// Its place, from 1; those that are tied share one.
    pub rank: u32,
    /// Whether others have the same place.
    pub tied: bool,
    /// Runs that are over.
    pub measured: u32,
    pub runs: u32,
    /// Runs with all gates green.
    pub green: u32,
    /// Green runs in which nothing was found that must be dealt with.
    pub clean: u32,
    /// Findings of high, medium and low weight, and "not fully implemented".
    pub findings: FindingCounts,
    /// In milliseconds.
    pub time: Option<Spread>,
    /// Tokens; none if they are unknown of a run.
    pub tokens: Option<Spread>,
    /// Millionths of a US dollar; none if it is unknown of a run.
    pub cost: Option<Spread>,
    /// Lines added and removed, of runs with work.
    pub size: Option<Spread>,
    /// How alike its results are, in thousandths; none with less than two.
    pub alike: Option<u32>,
}

/// Counts of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    /// Runs that were said not to be fully implemented.
    pub unfinished: u32,
}

impl FindingCounts {
    fn add(&mut self, findings: &Findings) {
        self.unfinished += u32::from(findings.implemented == Some(false));
        for finding in &findings.list {
            match finding.severity {
                Severity::High => self.high += 1,
                Severity::Medium => self.medium += 1,
                Severity::Low => self.low += 1,
            }
        }
    }

    /// One number: a finding of a weight outweighs several of the next.
    #[must_use]
    pub fn weight(self) -> u64 {
        9 * u64::from(self.high + self.unfinished) + 3 * u64::from(self.medium) + u64::from(self.low)
    }
}

/// All agents, the best first; the tied ones in the order in which they were named. How alike their results are is left
/// open: see [`fill_in_likeness`].
#[must_use]
pub fn scores(bench: &Bench) -> Vec<AgentScore> {
    let mut scores: Vec<AgentScore> =
        (0..bench.order.entrants.len()).map(|entrant| score(bench, entrant)).collect();
    let by_cost = scores.iter().all(|score| score.cost.is_some());
    let total = |entrant: usize| -> u64 { costs(bench, entrant).iter().flatten().sum() };
    let costs: Vec<u64> = (0..scores.len()).map(total).collect();
    let order = |one: usize, other: usize| {
        let (a, b) = (&scores[one], &scores[other]);
        let (n, m) = (u64::from(a.measured.max(1)), u64::from(b.measured.max(1)));
        let share = |a: u64, b: u64| (a * m).cmp(&(b * n));
        let cost = if by_cost {
            (u128::from(costs[one]) * u128::from(m)).cmp(&(u128::from(costs[other]) * u128::from(n)))
        } else {
            Ordering::Equal
        };
        let secs = |score: &AgentScore| score.time.map_or(u64::MAX, |time| time.median / 1_000);
        // Of whom nothing is known yet comes last.
        (a.measured == 0)
            .cmp(&(b.measured == 0))
            .then(share(u64::from(a.clean), u64::from(b.clean)).reverse())
            .then(share(u64::from(a.green), u64::from(b.green)).reverse())
            .then(share(a.findings.weight(), b.findings.weight()))
            .then(cost)
            .then(secs(a).cmp(&secs(b)))
    };
    let mut places: Vec<usize> = (0..scores.len()).collect();
    places.sort_by(|one, other| order(*one, *other));
    let mut ranks: Vec<(usize, u32)> = Vec::new();
    for (n, at) in places.iter().enumerate() {
        let as_before = ranks.last().copied().filter(|(before, _)| order(*before, *at) == Ordering::Equal);
        let next = u32::try_from(n + 1).unwrap_or(u32::MAX);
        ranks.push((*at, as_before.map_or(next, |(_, rank)| rank)));
    }
    for (at, rank) in &ranks {
        scores[*at].rank = *rank;
        scores[*at].tied = ranks.iter().filter(|(_, other)| other == rank).count() > 1;
    }
    ranks.iter().map(|(at, _)| scores[*at].clone()).collect()
}

fn own(bench: &Bench, entrant: usize) -> impl Iterator<Item = &Run> {
    bench.runs.iter().filter(move |run| run.entrant == entrant)
}

fn costs(bench: &Bench, entrant: usize) -> Option<Vec<u64>> {
    let done = own(bench, entrant).filter_map(|run| run.done.as_ref());
    done.map(|(outcome, _)| outcome.cost).collect::<Option<Vec<u64>>>().filter(|all| !all.is_empty())
}

fn score(bench: &Bench, entrant: usize) -> AgentScore {
    let done: Vec<(&RunOutcome, &Sketch)> = own(bench, entrant)
        .filter_map(|run| run.done.as_ref())
        .map(|(outcome, lines)| (outcome, lines))
        .collect();
    let count = |of: &dyn Fn(&RunOutcome) -> bool| {
        u32::try_from(done.iter().filter(|(outcome, _)| of(outcome)).count()).unwrap_or(u32::MAX)
    };
    let mut findings = FindingCounts::default();
    for found in done.iter().filter_map(|(outcome, _)| outcome.findings.as_ref()) {
        findings.add(found);
    }
    let tokens: Option<Vec<u64>> = done.iter().map(|(outcome, _)| outcome.tokens).collect();
    AgentScore {
        agent: bench.order.entrants.get(entrant).map(|of| of.agent.profile.clone()).unwrap_or_default(),
        rank: 0,
        tied: false,
        measured: count(&|_| true),
        runs: u32::try_from(own(bench, entrant).count()).unwrap_or(u32::MAX),
        green: count(&RunOutcome::is_green),
        clean: count(&RunOutcome::is_clean),
        findings,
        time: Spread::of(done.iter().map(|(outcome, _)| outcome.time.0)),
        tokens: tokens.and_then(Spread::of),
        cost: costs(bench, entrant).and_then(Spread::of),
        size: Spread::of(
            done.iter().filter(|(outcome, _)| outcome.commits > 0).map(|(outcome, _)| outcome.size()),
        ),
        alike: None,
    }
}

/// Says how alike each agent's own results are: that takes longer than all else, and is for who looks at one bench.
pub fn fill_in_likeness(bench: &Bench, scores: &mut [AgentScore]) {
    for (entrant, of) in bench.order.entrants.iter().enumerate() {
        let done = own(bench, entrant).filter_map(|run| run.done.as_ref());
        let lines: Vec<&Sketch> = done.map(|(_, lines)| lines).collect();
        let pairs = (0..lines.len()).flat_map(|one| (one + 1..lines.len()).map(move |other| (one, other)));
        if let Some(score) = scores.iter_mut().find(|score| score.agent == of.agent.profile) {
            score.alike = sketch::mean(pairs.map(|(one, other)| (lines[one], lines[other])));
        }
    }
}

/// How alike the results of two agents are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    pub one: String,
    pub other: String,
    /// The mean over all pairs of runs, in thousandths; none if there is no pair with work.
    pub alike: Option<u32>,
}

/// Each pair of agents once.
#[must_use]
pub fn between(bench: &Bench) -> Vec<Alike> {
    let count = bench.order.entrants.len();
    let name = |entrant: usize| bench.order.entrants[entrant].agent.profile.clone();
    let lines = |entrant| own(bench, entrant).filter_map(|run| run.done.as_ref()).map(|(_, lines)| lines);
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    pairs
        .map(|(one, other)| Alike {
            one: name(one),
            other: name(other),
            alike: sketch::mean(lines(one).flat_map(|a| lines(other).map(move |b| (a, b)))),
        })
        .collect()
}

/// The run to take where a person names none: of those that can land, the cleanest; of these, one of the best agent.
pub(in crate::core) fn best_run(state: &State, bench: &Bench) -> Option<TaskId> {
    let scores = scores(bench);
    let rank = |run: &Run| scores.iter().position(|score| score.agent == bench.agent_of(run));
    let key = |run: &Run, outcome: &RunOutcome| {
        let mut found = FindingCounts::default();
        if let Some(findings) = &outcome.findings {
            found.add(findings);
        }
        let quality =
            (Reverse(outcome.is_clean()), outcome.looked && outcome.findings.is_none(), found.weight());
        (quality, rank(run), outcome.cost.unwrap_or(u64::MAX), outcome.time, run.no)
    };
    let can_land = |id: &TaskId| {
        state.tasks.get(id).is_some_and(|task| {
            let green = task.work().is_some_and(|work| work.result == Some(AttemptResult::Green));
            green && task.landed.is_none() && matches!(task.stage, Stage::Review | Stage::Stuck(_))
        })
    };
    let candidates = bench.runs.iter().filter_map(|run| {
        let ((id, _), (outcome, _)) = (run.task.as_ref()?, run.done.as_ref()?);
        (outcome.is_green() && can_land(id)).then(|| (key(run, outcome), *id))
    });
    candidates.min().map(|(_, id)| id)
}

/// `strong is first, 3 of 3 green and clean`.
pub(in crate::core) fn first_words(bench: &Bench) -> String {
    let scores = scores(bench);
    let first: Vec<&AgentScore> = scores.iter().filter(|score| score.rank == 1).collect();
    let names: Vec<&str> = first.iter().map(|score| score.agent.as_str()).collect();
    let Some(one) = first.first().filter(|score| score.green > 0) else {
        return "no run is green".to_owned();
    };
    let clean = if one.clean > 0 {
        format!("{} of {} green and clean", one.clean, one.measured)
    } else {
        format!("{} of {} green", one.green, one.measured)
    };
    match names.as_slice() {
        [name] => format!("{name} is first, {clean}"),
        names => format!("{} are first, {clean} each", names.join(" and ")),
    }
}
