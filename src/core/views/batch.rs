//! What clients see of schedules and batches: a line a repo.

use crate::core::model::batch::state::Scheduled;
use crate::core::model::batch::{BatchPhase, PhaseOutcome};
use crate::core::model::state::State;
use crate::core::outer::batch;
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::duration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Most due times that are told.
const DUE_MAX: usize = 10;

/// A repo's schedule and its batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchLine {
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// Batches begin by themselves.
    pub on: bool,
    /// When, as cron writes it; none: only when asked for.
    pub cron: Option<String>,
    /// The phases of a batch, with their limits.
    pub phases: Vec<(BatchPhase, Span)>,
    /// When the next is due; none: none is.
    pub next: Option<Time>,
    /// When the batches after now are due, the next first; a few.
    pub due: Vec<Time>,
    /// What is dropped is built at once.
    pub watched: bool,
    /// Files that waited when the queue was last looked at.
    pub waiting: Vec<String>,
    /// The batch under way.
    pub open: Option<OpenBatch>,
    /// The last that is over: its number, when it ended, what it came to.
    pub last: Option<(u64, Time, Vec<Shown>)>,
    /// All of it in one line.
    pub text: Shown,
}

/// A batch under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBatch {
    pub id: u64,
    /// When it was due; none: a person asked for it.
    pub due: Option<Time>,
    pub opened: Time,
    /// The phase that is under way.
    pub phase: Option<BatchPhase>,
    /// What is left of its time.
    pub left: Span,
    /// Those that are over.
    pub over: Vec<(BatchPhase, PhaseOutcome, Shown)>,
    pub tasks: Vec<TaskId>,
}

/// All repos that have a schedule or batches.
pub(in crate::core) fn lines(state: &State, now: Time) -> Vec<BatchLine> {
    state.batches.repos.values().map(|of| line(of, now)).collect()
}

/// When batches are due from now on.
fn due(of: &Scheduled, now: Time) -> Vec<Time> {
    let Some(cron) = of.schedule.cron.as_ref().filter(|_| of.on) else { return Vec::new() };
    let after = |at: &Time| cron.next(*at, &of.schedule.zone);
    std::iter::successors(after(&now), after).take(DUE_MAX).collect()
}

fn line(of: &Scheduled, now: Time) -> BatchLine {
    let open = of.open.as_ref().map(|batch| OpenBatch {
        id: batch.id,
        due: batch.due,
        opened: batch.opened,
        phase: batch.running.as_ref().map(|running| running.phase),
        left: batch
            .running
            .as_ref()
            .map_or(Span(0), |running| Span(running.limit.0.saturating_sub(running.watch.elapsed(now).0))),
        over: batch.over.clone(),
        tasks: batch.tasks.keys().copied().collect(),
    });
    let next = batch::next_due(of).filter(|_| open.is_none());
    let text = match (&open, next) {
        (Some(open), _) => {
            let phase = open.phase.map_or("", BatchPhase::label);
            format!("batch {}: {phase}, {} left", open.id, duration::long(open.left))
        }
        (None, Some(next)) => format!("next batch in {}", duration::long(next.since(now))),
        (None, None) => "no batch is due".to_owned(),
    };
    let queue = match of.waiting.len() {
        0 => String::new(),
        1 => " · 1 spec waits".to_owned(),
        n => format!(" · {n} specs wait"),
    };
    BatchLine {
        repo: of.schedule.repo.clone(),
        on: of.on,
        cron: of.schedule.cron.as_ref().map(ToString::to_string),
        phases: of.schedule.phases.iter().map(|(phase, stint)| (*phase, stint.time)).collect(),
        next,
        due: due(of, now),
        watched: of.watched,
        waiting: of.waiting.clone(),
        open,
        last: of.last.clone(),
        text: Shown::line(&format!("{text}{queue}")),
    }
}
