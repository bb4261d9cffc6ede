//! What came of a run, measured from its task.

use crate::core::model::agent::Usage;
use crate::core::model::assignment::{AttemptKind, Deliverable};
use crate::core::model::attempt::{Attempt, AttemptResult};
use crate::core::model::bench::outcome::{GateOutcome, RunEnd, RunOutcome};
use crate::core::model::bench::sketch::Sketch;
use crate::core::model::diff::DiffStat;
use crate::core::model::gate::GateState;
use crate::core::model::job::{Ending, Job};
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::values::ids::TaskId;
use crate::values::time::{Span, Time};

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
    let looks = task.attempts.iter().rev().filter(|attempt| attempt.part == AttemptKind::SecondReview);
    let lines = match work.and_then(|a| a.read.as_ref()).and_then(|read| read.deliverable.as_ref()) {
        Some(Deliverable::Lines(lines)) => lines.clone(),
        Some(
            Deliverable::Mistakes(_)
            | Deliverable::Spec { .. }
            | Deliverable::Findings(_)
            | Deliverable::Plan(_),
        )
        | None => Sketch::default(),
    };
    let read = work.and_then(|a| a.read.as_ref());
    let tries: Vec<&Attempt> = task.attempts.iter().filter(|a| a.part == AttemptKind::Work).collect();
    let sum = |of: &dyn Fn(&Usage) -> Option<u64>| {
        let all: Option<Vec<u64>> = tries.iter().map(|attempt| of(&attempt.usage)).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.iter().fold(0_u64, |sum, n| sum.saturating_add(*n)))
    };
    let watched = |attempt: &&Attempt| attempt.agent.and_then(|job| state.jobs.get(job));
    let time = tries.iter().filter_map(watched).map(|job| job.watch.elapsed(now).0).sum();
    let outcome = RunOutcome {
        end: end(state, task),
        gates: work.map(gates).unwrap_or_default(),
        looked: task.launch.assignment.second.is_some(),
        findings: looks.filter_map(Attempt::findings).next().cloned(),
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

pub(in crate::core) fn end(state: &State, task: &Task) -> RunEnd {
    let Some(work) = task.work() else { return RunEnd::Stopped };
    let ending = work.agent.and_then(|job| state.jobs.get(job)).and_then(Job::ending);
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

pub(in crate::core) fn gates(attempt: &Attempt) -> Vec<GateOutcome> {
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
