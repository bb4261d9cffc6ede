//! When a job is to end and why, and the moment at which the clock alone would decide something.

use crate::core::model::agent::{AgentMode, AgentState, Source};
use crate::core::model::attempt::Attempt;
use crate::core::model::gate::GateRun;
use crate::core::model::job::{Ending, Job, Role};
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::{assignment, polls};
use crate::values::ids::{AttemptId, JobId};
use crate::values::time::{Span, Time};
use std::collections::BTreeMap;

/// How long an interactive agent must stay "done" before it is believed: some flash it at start-up.
pub(in crate::core) const DONE_FOR: Span = Span(1_000);

/// How long an ended job may take to leave by itself before it is killed.
pub(in crate::core) const GRACE: Span = Span::secs(5);

/// Why a live job is to end now, by its limits or because its agent says so.
pub(in crate::core) fn ending(
    state: &State,
    task: &Task,
    job: &Job,
    quiet: &BTreeMap<JobId, Time>,
    now: Time,
) -> Option<Ending> {
    times(state, task, job, quiet)
        .into_iter()
        .filter(|(at, _)| *at <= now)
        .min_by_key(|(at, _)| *at)
        .map(|(_, why)| why)
}

/// When a live job is to end and why, as things stand; nothing while it is paused.
pub(in crate::core) fn times(
    state: &State,
    task: &Task,
    job: &Job,
    quiet: &BTreeMap<JobId, Time>,
) -> Vec<(Time, Ending)> {
    if task.paused || !job.ran || !job.is_live() {
        return Vec::new();
    }
    let mut times = Vec::new();
    match job.role {
        Role::Agent => {
            let Some(attempt) = task.attempts.iter().find(|a| a.id == job.attempt) else { return times };
            let limits = &task.launch.limits;
            times.extend(limits.time.and_then(|limit| job.watch.reaches(limit)).map(|at| (at, Ending::Time)));
            let waits = attempt.ask.is_some() || polls::asks(state, task);
            let silent = quiet.get(&job.id).copied().filter(|_| !waits);
            let asking = matches!(attempt.said, Some((AgentState::Asking(_), _)));
            if let (Some(limit), Some(since), false) = (limits.silence, silent, asking) {
                times.push((since.after(limit), Ending::Silence));
            }
            times.extend(agent_done(task, attempt, silent));
        }
        Role::Setup { .. } => {
            times.extend(job.watch.reaches(SETUP_MAX).map(|at| (at, Ending::Time)));
        }
        Role::Gate { merged, gate } => {
            let gates = gates_of(state, job.attempt, merged);
            let limit = gates.and_then(|gates| gates.get(gate)).map(|run| run.spec.timeout);
            times.extend(limit.and_then(|limit| job.watch.reaches(limit)).map(|at| (at, Ending::Time)));
        }
    }
    times
}

/// Longest run of a set-up hook.
pub(in crate::core) const SETUP_MAX: Span = Span::mins(30);

/// When an agent that should have told its state by then counts as standing at a dialog of its own program.
pub(in crate::core) fn at_a_dialog(
    task: &Task,
    job: &Job,
    quiet: &BTreeMap<JobId, Time>,
) -> Option<(AttemptId, Time)> {
    let waits =
        job.ran && job.is_live() && job.ending().is_none() && !task.paused && task.stage == Stage::Trying;
    let attempt = task.attempt().filter(|a| waits && a.agent == Some(job.id) && a.said.is_none())?;
    let agent = assignment::agent(task, attempt.part);
    let limit = agent.speaks.filter(|_| agent.mode == AgentMode::Interactive)?;
    quiet.get(&job.id).map(|since| (attempt.id, since.after(limit)))
}

/// When an interactive agent counts as done.
fn agent_done(task: &Task, attempt: &Attempt, silent: Option<Time>) -> Option<(Time, Ending)> {
    let agent = assignment::agent(task, attempt.part);
    if agent.mode == AgentMode::Headless {
        return None;
    }
    match &attempt.said {
        Some((AgentState::Done, at)) => Some((at.after(DONE_FOR), Ending::Done)),
        Some((AgentState::Idle, at)) if attempt.worked => Some((at.after(DONE_FOR), Ending::Done)),
        Some((AgentState::Failed(_), at)) => Some((at.after(DONE_FOR), Ending::Failed)),
        Some((AgentState::Asking(_), _)) => None,
        Some((AgentState::Idle | AgentState::Working, _)) | None => {
            let unheard = attempt.source.is_none_or(|best| best >= Source::Idle);
            let limit = agent.idle_done.filter(|_| unheard)?;
            silent.map(|since| (since.after(limit), Ending::Done))
        }
    }
}

/// The earliest moment at which a job is to be ended, or its agent to be taken for standing at a dialog.
pub(in crate::core) fn deadline(state: &State, quiet: &BTreeMap<JobId, Time>) -> Option<Time> {
    state
        .jobs
        .live()
        .filter(|job| job.ending().is_none())
        .filter_map(|job| state.tasks.get(&job.attempt.task).map(|task| (task, job)))
        .flat_map(|(task, job)| {
            let ends = times(state, task, job, quiet).into_iter().map(|(at, _)| at);
            ends.chain(at_a_dialog(task, job, quiet).map(|(_, at)| at))
        })
        .min()
}

fn gates_of(state: &State, attempt: AttemptId, merged: bool) -> Option<&Vec<GateRun>> {
    let task = state.tasks.get(&attempt.task)?;
    if merged {
        task.merge.as_ref().map(|merge| &merge.gates)
    } else {
        task.attempts.iter().find(|a| a.id == attempt).map(|a| &a.gates)
    }
}
