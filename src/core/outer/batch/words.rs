//! Batches in words: what a fact says, what a batch came to, which risks are known.

use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::{Batch, Scheduled};
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::views::spec;
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration;
use std::path::Path;

/// Most lines of a list for people and prompts.
const LINES_MAX: usize = 60;

/// Most risks that a supervisor is told.
const RISKS_MAX: usize = 40;

/// A fact for people.
pub(in crate::core) fn describe(fact: &BatchFact) -> String {
    let colon = |why: &Shown| if why.is_empty() { String::new() } else { format!(": {why}") };
    match fact {
        BatchFact::Scheduled { schedule } => {
            let when = schedule
                .cron
                .as_ref()
                .map_or_else(|| "when asked for".to_owned(), |cron| format!("at {cron}"));
            let phases: Vec<&str> = schedule.phases.keys().map(|phase| phase.label()).collect();
            format!("batches {when}: {}", phases.join(", "))
        }
        BatchFact::Switched { on: true, .. } => "the schedule is on".to_owned(),
        BatchFact::Switched { on: false, .. } => "the schedule is off".to_owned(),
        BatchFact::Watched { on: true, .. } => "the queue is watched".to_owned(),
        BatchFact::Watched { on: false, .. } => "the queue is not watched any more".to_owned(),
        BatchFact::Opened { batch, due: Some(_), .. } => format!("batch {batch} begins"),
        BatchFact::Opened { batch, due: None, .. } => format!("batch {batch} begins: somebody asked for it"),
        BatchFact::Missed { count: 1, .. } => "a batch was missed".to_owned(),
        BatchFact::Missed { count, .. } => format!("{count} batches were missed"),
        BatchFact::PhaseBegan { batch, phase, limit, .. } => {
            format!("batch {batch}: {} begins, for at most {}", phase.label(), duration::long(*limit))
        }
        BatchFact::Looked { waiting, .. } => format!("the queue was looked at: {} wait", waiting.len()),
        BatchFact::Taken { spec, folder, file, .. } => format!("{folder}/{file} is built as spec {spec}"),
        BatchFact::Refused { folder, file, why, .. } => format!("{folder}/{file} can't be built: {why}"),
        BatchFact::Moved { spec, to } => format!("the file of spec {spec} goes to {}", to.folder()),
        BatchFact::Tasked { batch, phase, .. } => format!("belongs to batch {batch}, {}", phase.label()),
        BatchFact::Left { batch, spec, tasks, .. } if tasks.is_empty() => {
            format!("batch {batch} leaves spec {spec} to the next")
        }
        BatchFact::Left { batch, spec, tasks, .. } => {
            format!("batch {batch} leaves spec {spec} to the next, with {} tasks stopped", tasks.len())
        }
        BatchFact::WentOn { batch, spec, .. } => format!("batch {batch} goes on with spec {spec}"),
        BatchFact::Reported { batch, file, .. } => format!("the report of batch {batch} is in {file}"),
        BatchFact::PhaseOver { batch, phase, outcome, why, .. } => {
            format!("batch {batch}: {} {}{}", phase.label(), outcome.label(), colon(why))
        }
        BatchFact::Closed { batch, .. } => format!("batch {batch} is over"),
    }
}

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
    let done = batch
        .specs
        .iter()
        .filter_map(|id| state.specs.all.get(id))
        .filter(|spec| spec.done.is_some())
        .count();
    if batch.specs.is_empty() {
        "nothing waits in the queue".to_owned()
    } else {
        format!("{done} of {} specs are done", batch.specs.len())
    }
}

/// What a batch came to: its phases, its specs, what waits for a human.
pub(in crate::core) fn lines(state: &State, of: &Scheduled, batch: &Batch, now: Time) -> Vec<Shown> {
    let mut lines = Vec::new();
    for (phase, outcome, why) in &batch.over {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        lines.push(format!("{}: {}{why}", phase.label(), outcome.label()));
    }
    for line in spec::lines(state, now).into_iter().filter(|line| batch.specs.contains(&line.id)) {
        let parts = if line.planned > 0 {
            format!(", {} of {} tasks landed", line.landed, line.planned)
        } else {
            String::new()
        };
        lines.push(format!("spec {}: {}{parts}: {}", line.name, line.stage.label(), line.why));
    }
    let tasks = || batch.tasks.keys().filter_map(|id| state.tasks.get(id));
    let landed = tasks().filter(|task| task.stage == Stage::Landed).count();
    lines.push(format!("{} tasks, {landed} landed", batch.tasks.len()));
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
        lines.push(format!("{} specs still wait in the queue", of.waiting.len()));
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
        .filter(|spec| spec.order.repo == repo && spec.done.is_none())
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
