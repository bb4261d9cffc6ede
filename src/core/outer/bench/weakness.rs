//! Weaknesses of the harness: what those who are not best tripped over, and the best never did.
//!
//! A strong model gets around a gap in the spec, the gates or the prompts; a weak one falls into it. So each such fall names
//! a gap that is worth closing, whoever works next.

use crate::core::model::bench::outcome::{RunEnd, RunOutcome};
use crate::core::model::bench::{Bench, Run};
use crate::core::model::gate::Verdict;
use crate::core::outer::bench::rank::AgentScore;
use crate::values::text::Shown;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Longest area of a finding, in characters: it is a word or two.
const AREA_MAX: usize = 80;

/// Most weaknesses that are listed.
const WEAKNESSES_MAX: usize = 100;

/// Most runs that are named for one weakness and agent.
const PLACES_MAX: usize = 3;

/// What a run can trip over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    /// A gate that was not green.
    Gate(String),
    /// A finding, by its area.
    Finding(Shown),
    /// A verifier said that it is not fully implemented.
    Unfinished,
    /// An end without work that could be judged.
    End(RunEnd),
}

impl Trip {
    /// What happened, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Gate(name) => format!("gate {} is red", Shown::line(name)),
            Self::Finding(area) => format!("findings about {area}"),
            Self::Unfinished => "not fully implemented, says the verifier".to_owned(),
            Self::End(end) => match end {
                RunEnd::NoWork => "ended without a commit".to_owned(),
                RunEnd::Time => "ran out of time".to_owned(),
                RunEnd::Silence => "fell silent".to_owned(),
                RunEnd::Budget => "used up its budget".to_owned(),
                RunEnd::Failed => "the agent failed".to_owned(),
                RunEnd::Green | RunEnd::Red | RunEnd::Stopped => end.label().to_owned(),
            },
        }
    }

    /// Which gap that may be.
    #[must_use]
    pub const fn gap(&self) -> &'static str {
        match self {
            Self::Gate(_) => {
                "say in the spec or the prompt what this gate wants, and how to run it before the end"
            }
            Self::Finding(_) => "no gate catches it: add a test or a gate that does, or say it in the spec",
            Self::Unfinished => "the spec's tests let half of it pass: name one for each objective",
            Self::End(end) => match end {
                RunEnd::NoWork => "the prompt does not make sure of a commit, or the task is not clear",
                RunEnd::Time => {
                    "the task is too large for one run, or something in it waits: cut it, or raise the limit"
                }
                RunEnd::Budget => {
                    "the task is too large for its budget, or the prompt sends it astray: cut it"
                }
                RunEnd::Silence => {
                    "a command waits for input or never returns: make it headless, or name another"
                }
                RunEnd::Failed | RunEnd::Green | RunEnd::Red | RunEnd::Stopped => {
                    "the set-up may miss what this agent needs: nopeek doctor, then its log"
                }
            },
        }
    }
}

/// A weakness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakness {
    /// What was tripped over.
    pub trip: Trip,
    /// The same in words.
    pub what: Shown,
    /// Which gap that may be.
    pub gap: Shown,
    /// Who tripped over it.
    pub agents: Vec<Tripped>,
}

/// Who tripped how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tripped {
    pub agent: String,
    /// In so many runs.
    pub times: u32,
    pub of: u32,
    /// Tasks in which it can be seen, by name.
    pub look: Vec<String>,
}

/// What occurs with agents that are not best alone, the most frequent first.
#[must_use]
pub fn weaknesses(bench: &Bench, scores: &[AgentScore]) -> Vec<Weakness> {
    let is_best = |run: &Run| {
        let agent = bench.agent_of(run);
        scores.iter().any(|score| score.rank == 1 && score.agent == agent)
    };
    let mut best = BTreeSet::new();
    let mut others: BTreeMap<Trip, BTreeMap<usize, Vec<(u32, String)>>> = BTreeMap::new();
    for run in &bench.runs {
        let (Some((outcome, _)), Some((_, name))) = (&run.done, &run.task) else { continue };
        for trip in trips(outcome) {
            if is_best(run) {
                best.insert(trip);
            } else {
                let of = others.entry(trip).or_default().entry(run.entrant).or_default();
                of.push((run.no, name.to_string()));
            }
        }
    }
    let measured =
        |agent: &str| scores.iter().find(|score| score.agent == agent).map_or(0, |score| score.measured);
    let mut found: Vec<Weakness> = others
        .into_iter()
        .filter(|(trip, _)| !best.contains(trip))
        .map(|(trip, by)| {
            let mut agents: Vec<Tripped> = by
                .into_iter()
                .map(|(entrant, mut runs)| {
                    runs.sort();
                    let agent = bench.order.entrants[entrant].agent.profile.clone();
                    Tripped {
                        of: measured(&agent),
                        agent,
                        times: u32::try_from(runs.len()).unwrap_or(u32::MAX),
                        look: runs.into_iter().take(PLACES_MAX).map(|(_, name)| name).collect(),
                    }
                })
                .collect();
            agents.sort_by(|a, b| b.times.cmp(&a.times).then(a.agent.cmp(&b.agent)));
            Weakness { what: Shown::line(&trip.words()), gap: trip.gap().into(), trip, agents }
        })
        .collect();
    let times = |weakness: &Weakness| weakness.agents.iter().map(|agent| agent.times).sum::<u32>();
    found.sort_by(|a, b| times(b).cmp(&times(a)).then_with(|| a.trip.cmp(&b.trip)));
    found.truncate(WEAKNESSES_MAX);
    found
}

/// An area by which findings are alike: lower case, and not longer than an area is.
pub(in crate::core) fn area(area: &Shown) -> Shown {
    let cut: String = area.as_str().trim().to_lowercase().chars().take(AREA_MAX).collect();
    Shown::line(&cut)
}

/// All that a run tripped over, each once.
fn trips(outcome: &RunOutcome) -> BTreeSet<Trip> {
    let red = |verdict: Verdict| match verdict {
        Verdict::Failed | Verdict::TimedOut | Verdict::Errored => true,
        // A gate that was not run for another's sake says nothing by itself.
        Verdict::Passed | Verdict::Cached | Verdict::Skipped => false,
    };
    let mut trips: BTreeSet<Trip> = outcome
        .gates
        .iter()
        .filter(|gate| red(gate.verdict))
        .map(|gate| Trip::Gate(gate.name.clone()))
        .collect();
    if let Some(findings) = &outcome.findings {
        trips.extend(findings.list.iter().map(|finding| Trip::Finding(area(&finding.area))));
        if findings.implemented == Some(false) {
            trips.insert(Trip::Unfinished);
        }
    }
    match outcome.end {
        RunEnd::NoWork | RunEnd::Failed | RunEnd::Time | RunEnd::Silence | RunEnd::Budget => {
            trips.insert(Trip::End(outcome.end));
        }
        RunEnd::Green | RunEnd::Red | RunEnd::Stopped => {}
    }
    trips
}
