//! Sums: over the verdicts of a task, over the attempts of a task, over the tasks of a report.

use crate::core::model::gate::Verdict;
use crate::core::model::task::TaskState;
use crate::report::{GateReport, GateTotal, Outcomes, TaskReport, Times, Totals, Used, is_red};
use crate::values::time::{Span, Time};

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) since: Time,
    /// The first moment after it.
    pub(crate) until: Option<Time>,
}

impl Window {
    pub(crate) fn has(&self, at: Time) -> bool {
        at >= self.since && self.until.is_none_or(|until| at < until)
    }

    /// How much of a span lies within.
    pub(crate) fn part(&self, from: Time, to: Time) -> Span {
        let to = self.until.map_or(to, |until| to.min(until));
        to.since(from.max(self.since))
    }
}

pub(crate) const fn plus(a: Span, b: Span) -> Span {
    Span(a.0.saturating_add(b.0))
}

/// Counts a verdict.
pub(crate) fn judged(sums: &mut Totals, gate: &GateReport) {
    let red = is_red(gate.verdict);
    sums.verdicts += 1;
    sums.red_gates += u32::from(red);
    let mut total =
        GateTotal { name: gate.name.clone(), took: gate.took.unwrap_or_default(), ..GateTotal::default() };
    match gate.verdict {
        Verdict::Passed => total.passed = 1,
        Verdict::Cached => total.cached = 1,
        Verdict::Skipped => total.skipped = 1,
        Verdict::Failed | Verdict::TimedOut | Verdict::Errored => total.red = 1,
    }
    add_gate(&mut sums.gates, &total);
}

fn add_gate(gates: &mut Vec<GateTotal>, more: &GateTotal) {
    match gates.binary_search_by(|gate| gate.name.cmp(&more.name)) {
        Ok(at) => {
            let gate = &mut gates[at];
            gate.passed += more.passed;
            gate.cached += more.cached;
            gate.red += more.red;
            gate.skipped += more.skipped;
            gate.took = plus(gate.took, more.took);
        }
        Err(at) => gates.insert(at, more.clone()),
    }
}

/// What several used together: the known is summed, the unknown counted.
pub(crate) fn used<'a>(all: impl Iterator<Item = &'a Used>) -> Used {
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    };
    all.fold(Used::default(), |all, one| Used {
        work: plus(all.work, one.work),
        tokens_in: sum(all.tokens_in, one.tokens_in),
        tokens_out: sum(all.tokens_out, one.tokens_out),
        tokens_unknown: all.tokens_unknown + one.tokens_unknown,
        cost_microusd: sum(all.cost_microusd, one.cost_microusd),
        cost_unknown: all.cost_unknown + one.cost_unknown,
    })
}

pub(crate) const fn outcomes(a: Outcomes, b: Outcomes) -> Outcomes {
    Outcomes { ended: a.ended + b.ended, green: a.green + b.green, landed: a.landed + b.landed }
}

const fn times(a: Times, b: Times) -> Times {
    Times {
        queued: plus(a.queued, b.queued),
        working: plus(a.working, b.working),
        waiting: plus(a.waiting, b.waiting),
        merging: plus(a.merging, b.merging),
        paused: plus(a.paused, b.paused),
    }
}

/// The sums over tasks, each with its own sums.
pub(crate) fn of<'a>(tasks: impl Iterator<Item = (&'a TaskReport, &'a Totals)> + Clone) -> Totals {
    let mut all = Totals::default();
    for (task, one) in tasks.clone() {
        all.tasks += 1;
        match task.state {
            TaskState::Stopped | TaskState::Rejected => all.ended_unmerged += 1,
            TaskState::Landed | TaskState::RolledBack => {}
            _ if task.forgotten => {}
            TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted => {
                all.needs_you += 1;
            }
            TaskState::Queued
            | TaskState::Preparing
            | TaskState::Working
            | TaskState::Gating
            | TaskState::Merging
            | TaskState::RollingBack => all.under_way += 1,
        }
        all.landed += one.landed;
        all.rolled_back += one.rolled_back;
        all.attempts += one.attempts;
        all.looks += one.looks;
        all.verdicts += one.verdicts;
        all.red_gates += one.red_gates;
        all.questions += one.questions;
        all.answers += one.answers;
        all.peeks += one.peeks;
        all.sent_back += one.sent_back;
        all.votes += one.votes;
        all.time = times(all.time, one.time);
        all.peeked = outcomes(all.peeked, one.peeked);
        all.unpeeked = outcomes(all.unpeeked, one.unpeeked);
        for gate in &one.gates {
            add_gate(&mut all.gates, gate);
        }
    }
    all.used = used(tasks.map(|(_, sums)| &sums.used));
    all
}
