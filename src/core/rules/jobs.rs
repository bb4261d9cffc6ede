//! What the end of a job means: of an agent, a set-up hook or a gate, and of one that could not be started.

use crate::core::model::agent::Exit;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::fact::Fact;
use crate::core::model::gate::{GateRun, TestCounts, Verdict};
use crate::core::model::job::{Job, Role};
use crate::core::model::notice::NoticeKind;
use crate::core::model::task::Stage;
use crate::core::rules::attempt::give_up;
use crate::core::rules::gate;
use crate::core::rules::step::Step;
use crate::values::ids::{AttemptId, JobId};
use crate::values::text::Shown;

/// A job's process has ended.
pub(in crate::core) fn exited(
    step: &mut Step<'_>,
    id: JobId,
    exit: Exit,
    tail: String,
    tests: Option<TestCounts>,
) {
    let Some(job) = step.state.jobs.get(id).filter(|job| job.is_live()).cloned() else { return };
    let took = job.watch.elapsed(step.now);
    let task = job.attempt.task;
    step.quiet.remove(&id);
    step.fact(Fact::JobEnded { job: id, task, exit });
    if !is_current(step, job.attempt) {
        return;
    }
    match job.role {
        Role::Agent => {
            if exit == Exit::Unknown && job.ending().is_none() {
                step.fact(Fact::AttemptOver { attempt: job.attempt, result: AttemptResult::Interrupted });
                step.fact(Fact::Interrupted { task });
                step.notice(task, NoticeKind::NeedsYou, "its agent died with its keeper: resume or retry");
            }
        }
        Role::Setup { merged, .. } => {
            if !exit.is_ok() && !may_run_again(step, &job, exit) {
                setup_failed(step, job.attempt, merged, &Shown::line(tail.lines().last().unwrap_or("")));
            }
        }
        Role::Gate { merged, gate } => {
            if !is_run_of(step, &job, merged, gate) || may_run_again(step, &job, exit) {
                return;
            }
            let verdict = gate::judge(exit, job.ending());
            let tail = if verdict.is_green() { String::new() } else { last_bytes(tail, GateRun::TAIL_MAX) };
            let took = Some(took);
            let attempt = job.attempt;
            step.fact(Fact::GateJudged { attempt, merged, gate, verdict, tests, took, tail });
        }
    }
}

/// A job could not be started.
pub(in crate::core) fn not_started(step: &mut Step<'_>, id: JobId, error: &Shown) {
    let Some(job) = step.state.jobs.get(id).filter(|job| job.is_live()).cloned() else { return };
    step.quiet.remove(&id);
    step.fact(Fact::JobEnded { job: id, task: job.attempt.task, exit: Exit::Unknown });
    if !is_current(step, job.attempt) {
        return;
    }
    match job.role {
        Role::Agent => give_up(step, job.attempt, AttemptResult::Failed, error.clone()),
        Role::Setup { merged, .. } => setup_failed(step, job.attempt, merged, error),
        Role::Gate { merged, gate } => step.fact(Fact::GateJudged {
            attempt: job.attempt,
            merged,
            gate,
            verdict: Verdict::Errored,
            tests: None,
            took: None,
            tail: error.as_str().to_owned(),
        }),
    }
}

/// How often a gate or hook whose end was lost (a reboot, a killed keeper) is run again before that counts.
const LOST_MAX: usize = 3;

/// A job whose end is unknown says nothing about the work: it is run again, but not for ever.
fn may_run_again(step: &Step<'_>, job: &Job, exit: Exit) -> bool {
    let lost = |other: &&Job| {
        other.attempt == job.attempt && other.role == job.role && other.exit == Some(Exit::Unknown)
    };
    exit == Exit::Unknown
        && job.ending().is_none()
        && step.state.jobs.of(job.attempt.task).filter(lost).count() < LOST_MAX
}

/// Whether this job is the run that its gate waits for, and not one of a candidate that was given up.
fn is_run_of(step: &Step<'_>, job: &Job, merged: bool, gate: usize) -> bool {
    let task = step.state.tasks.get(&job.attempt.task);
    let gates = if merged {
        task.and_then(|t| t.merge.as_ref()).map(|merge| &merge.gates)
    } else {
        task.and_then(|t| t.open()).map(|a| &a.gates)
    };
    gates.and_then(|gates| gates.get(gate)).is_some_and(|run| run.job == Some(job.id))
}

/// Whether what happens to this attempt's jobs still matters to its task.
fn is_current(step: &Step<'_>, attempt: AttemptId) -> bool {
    step.state.tasks.get(&attempt.task).is_some_and(|task| {
        let current = if task.stage == Stage::Trying { task.open() } else { task.work() };
        current.is_some_and(|a| a.id == attempt)
            && matches!(task.stage, Stage::Trying | Stage::Merging(_) | Stage::RollingBack)
    })
}

fn setup_failed(step: &mut Step<'_>, attempt: AttemptId, merged: bool, last: &Shown) {
    let why = Shown::line(&format!("a set-up hook failed: {last}"));
    if merged {
        crate::core::rules::merge::drop_candidate(step, attempt.task);
        step.fact(Fact::MergeLeft { task: attempt.task });
        step.notice(attempt.task, NoticeKind::NeedsYou, why.as_str());
        step.fact(Fact::Stuck { task: attempt.task, why });
    } else {
        give_up(step, attempt, AttemptResult::Failed, why);
    }
}

/// The end of a text, at most `max` bytes, cut between characters.
fn last_bytes(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let from = (text.len() - max..).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[from..].to_owned()
}
