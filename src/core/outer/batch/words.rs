//! Batches in words: what a fact says, what a batch came to, which risks are known.

use crate::core::model::batch::state::{Batch, Scheduled};
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::outer::spec::progress::{self, Progress};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::plural::{counted, verb};
use std::path::Path;

/// Most lines of a list for people and prompts.
const LINES_MAX: usize = 60;

/// Most risks that a supervisor is told.
const RISKS_MAX: usize = 40;

/// The outcomes of a batch's phases in one line.
pub(in crate::core) fn outcomes(batch: &Batch) -> String {
    let words: Vec<String> = batch
        .over
        .iter()
        .map(|(phase, outcome, _)| format!("{} {}", phase.label(), outcome.label()))
        .collect();
    if words.is_empty() { "it had nothing to do".to_owned() } else { words.join(", ") }
}

/// What became of the specs that a batch built, in one line.
pub(in crate::core) fn built(state: &State, batch: &Batch) -> String {
    let done =
        batch.specs.iter().filter_map(|id| state.specs.all.get(id)).filter(|spec| spec.is_done()).count();
    if batch.specs.is_empty() {
        "nothing waits in the queue".to_owned()
    } else {
        format!("{done} of {} done", counted(batch.specs.len(), "spec"))
    }
}

/// What a batch came to: its phases, its specs, what waits for a human.
pub(in crate::core) fn lines(state: &State, of: &Scheduled, batch: &Batch, now: Time) -> Vec<Shown> {
    let mut lines = Vec::new();
    for (phase, outcome, why) in &batch.over {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        lines.push(format!("{}: {}{why}", phase.label(), outcome.label()));
    }
    for spec in batch.specs.iter().filter_map(|id| state.specs.all.get(id)) {
        let Progress { stage, why, landed, planned } = progress::of(state, spec, now);
        let parts = if planned > 0 {
            format!(", {landed} of {} landed", counted(planned, "task"))
        } else {
            String::new()
        };
        lines.push(format!("spec {}: {}{parts}: {why}", spec.order.name, stage.label()));
    }
    let tasks = || batch.tasks.keys().filter_map(|id| state.tasks.get(id));
    let landed = tasks().filter(|task| task.stage == Stage::Landed).count();
    lines.push(format!("{}, {landed} landed", counted(batch.tasks.len(), "task")));
    for task in tasks() {
        match &task.stage {
            Stage::Stuck(why) => lines.push(format!("{} waits for you: {why}", task.launch.name)),
            Stage::Interrupted => lines.push(format!("{} was interrupted", task.launch.name)),
            Stage::Review => lines.push(format!("{} waits for your review", task.launch.name)),
            Stage::Queued { .. }
            | Stage::Trying
            | Stage::Merging(_)
            | Stage::RollingBack
            | Stage::Landed
            | Stage::RolledBack
            | Stage::Stopped
            | Stage::Rejected(_) => {}
        }
    }
    if !of.waiting.is_empty() {
        lines.push(format!(
            "{} still {} in the queue",
            counted(of.waiting.len(), "spec"),
            verb(of.waiting.len(), "waits", "wait")
        ));
    }
    lines.truncate(LINES_MAX);
    lines.iter().map(|line| Shown::line(line)).collect()
}

/// Risks that are known of what is being built.
pub(in crate::core) fn risks(state: &State, repo: &Path) -> Vec<Shown> {
    state
        .specs
        .all
        .values()
        .filter(|spec| spec.order.repo == repo && !spec.is_done())
        .filter_map(|spec| Some((&spec.order.name, spec.contract.as_ref()?)))
        .flat_map(|(name, contract)| {
            contract.risks.iter().map(move |risk| Shown::line(&format!("{name}: {risk}")))
        })
        .take(RISKS_MAX)
        .collect()
}

/// Names of what waits, each with its file.
pub(in crate::core) fn waiting(of: &Scheduled) -> Vec<Shown> {
    let line =
        |file: &String| Shown::line(&format!("{} ({file})", crate::core::outer::batch::queue::stem(file)));
    of.waiting.iter().take(LINES_MAX).map(line).collect()
}
