//! What came of a run: how it ended, its gates, what was found in it, what it took.

use super::likeness::Sketch;
use crate::core::attempt::Usage;
use crate::core::brief::{self, Brought, Part};
use crate::core::event::DiffStat;
use crate::core::fact::Ending;
use crate::core::finding::Findings;
use crate::core::gate::{GateState, Verdict};
use crate::core::ids::TaskId;
use crate::core::state::{Attempt, Stage, State, Task};
use crate::core::time::{Span, Time};
use crate::core::view::AttemptResult;
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// All required gates are green, or there are none.
    Green,
    /// A required gate is red.
    Red,
    /// It ended without a commit.
    NoWork,
    /// The agent or its set-up failed.
    Failed,
    /// It ran into its time limit.
    Time,
    /// It fell silent.
    Silence,
    /// It used up its budget.
    Budget,
    /// A human ended it.
    Stopped,
}

impl RunEnd {
    /// The words on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::NoWork => "no work",
            Self::Failed => "failed",
            Self::Time => "out of time",
            Self::Silence => "fell silent",
            Self::Budget => "over budget",
            Self::Stopped => "stopped",
        }
    }
}

/// A gate of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOutcome {
    /// Its name.
    pub name: String,
    /// Whether red stops the work.
    pub required: bool,
    /// Its answer.
    pub verdict: Verdict,
    /// How long it took; none if it was not run.
    pub took: Option<Span>,
}

/// All of it. What is none is unknown, never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// How it ended.
    pub end: RunEnd,
    /// The gates of its last work.
    pub gates: Vec<GateOutcome>,
    /// Whether somebody was to look at green work.
    pub looked: bool,
    /// What was found; none: nobody looked, or the look could not be read.
    pub findings: Option<Findings>,
    /// Tries at the work.
    pub attempts: u32,
    /// How long its agent ran, pauses not counted.
    pub time: Span,
    /// Tokens in and out.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub cost: Option<u64>,
    /// Commits of its work.
    pub commits: u32,
    /// Size of its diff.
    pub diff: DiffStat,
}

impl RunOutcome {
    /// All gates green.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.end == RunEnd::Green
    }

    /// Green, and whoever was to look at it found nothing that must be dealt with.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let found_clean = self.findings.as_ref().map_or(!self.looked, Findings::is_clean);
        self.is_green() && found_clean
    }

    /// `green, 2 findings`.
    #[must_use]
    pub fn words(&self) -> String {
        let end = self.end.label();
        let count = self.findings.as_ref().map(|findings| findings.list.len());
        match (self.is_green() && self.looked, count) {
            (false, _) => end.to_owned(),
            (true, None) => format!("{end}, not verified"),
            (true, Some(0)) if self.is_clean() => format!("{end}, verified"),
            (true, Some(0)) => format!("{end}, unfinished"),
            (true, Some(1)) => format!("{end}, 1 finding"),
            (true, Some(count)) => format!("{end}, {count} findings"),
        }
    }

    /// Lines added and removed.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.diff.added) + u64::from(self.diff.removed)
    }
}

/// What came of a run's task; none while it is under way, or waits for a human who can let it go on.
pub(in crate::core) fn of(state: &State, now: Time, id: TaskId) -> Option<(RunOutcome, Sketch)> {
    let Some(task) = state.tasks.get(&id) else { return Some((gone(), Sketch::default())) };
    match task.stage {
        Stage::Queued { .. } | Stage::Trying | Stage::Interrupted => return None,
        Stage::Review
        | Stage::Merging(_)
        | Stage::RollingBack
        | Stage::Stuck(_)
        | Stage::Landed
        | Stage::RolledBack
        | Stage::Stopped
        | Stage::Rejected(_) => {}
    }
    let work = task.work();
    let looks = task.attempts.iter().rev().filter(|attempt| attempt.part == Part::Second);
    let lines = match work.and_then(|a| a.read.as_ref()).and_then(|read| read.brought.as_ref()) {
        Some(Brought::Lines(lines)) => lines.clone(),
        Some(Brought::Mistakes(_) | Brought::Spec { .. } | Brought::Findings(_) | Brought::Plan(_))
        | None => Sketch::default(),
    };
    let read = work.and_then(|a| a.read.as_ref());
    let tries: Vec<&Attempt> = task.attempts.iter().filter(|a| a.part == Part::Work).collect();
    let sum = |of: &dyn Fn(&Usage) -> Option<u64>| {
        let all: Option<Vec<u64>> = tries.iter().map(|attempt| of(&attempt.usage)).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.iter().fold(0_u64, |sum, n| sum.saturating_add(*n)))
    };
    let watched = |attempt: &&Attempt| attempt.agent.and_then(|job| state.jobs.get(job));
    let time = tries.iter().filter_map(watched).map(|job| job.watch.elapsed(now).0).sum();
    let outcome = RunOutcome {
        end: end(state, task),
        gates: work.map(gates).unwrap_or_default(),
        looked: task.launch.brief.second.is_some(),
        findings: looks.filter_map(brief::findings).next().cloned(),
        attempts: u32::try_from(tries.len()).unwrap_or(u32::MAX),
        time: Span(time),
        tokens: sum(&|usage| Some(usage.tokens_in?.saturating_add(usage.tokens_out?))),
        cost: sum(&|usage| usage.cost_microusd),
        commits: read.map_or(0, |read| read.commits),
        diff: read.map(|read| read.diffstat).unwrap_or_default(),
    };
    Some((outcome, lines))
}

/// A task that was taken off the board before it was measured.
fn gone() -> RunOutcome {
    RunOutcome {
        end: RunEnd::Stopped,
        gates: Vec::new(),
        looked: false,
        findings: None,
        attempts: 0,
        time: Span(0),
        tokens: None,
        cost: None,
        commits: 0,
        diff: DiffStat::default(),
    }
}

fn end(state: &State, task: &Task) -> RunEnd {
    let Some(work) = task.work() else { return RunEnd::Stopped };
    let ending = work.agent.and_then(|job| state.jobs.get(job)).and_then(|job| job.ending);
    let end = match work.result {
        // Green work stays green whatever became of it later.
        Some(AttemptResult::Green | AttemptResult::SentBack | AttemptResult::MergeFailed) => RunEnd::Green,
        Some(AttemptResult::Red | AttemptResult::Reviewed) => RunEnd::Red,
        Some(AttemptResult::NoWork) => RunEnd::NoWork,
        Some(AttemptResult::Failed | AttemptResult::Interrupted) => RunEnd::Failed,
        Some(AttemptResult::TimedOut) if ending == Some(Ending::Silence) => RunEnd::Silence,
        Some(AttemptResult::TimedOut) => RunEnd::Time,
        Some(AttemptResult::OverBudget) => RunEnd::Budget,
        Some(AttemptResult::Stopped) | None => RunEnd::Stopped,
    };
    if task.stage == Stage::Stopped && end != RunEnd::Green { RunEnd::Stopped } else { end }
}

fn gates(attempt: &Attempt) -> Vec<GateOutcome> {
    let judged = attempt.gates.iter().filter_map(|run| match run.state {
        GateState::Judged(verdict) => Some((run, verdict)),
        GateState::Waiting | GateState::Running => None,
    });
    judged
        .map(|(run, verdict)| GateOutcome {
            name: run.spec.name.clone(),
            required: run.spec.required,
            verdict,
            took: run.took,
        })
        .collect()
}
