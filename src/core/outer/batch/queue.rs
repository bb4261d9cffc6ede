//! The queue: files that somebody dropped into `next` become specs, and move to `doing`, `done` or `failed`.
//!
//! A file's text is the spec's goal, its name the spec's. What can't be one is moved away with the reason beside it, so
//! that it is not looked at again and again. Where a file belongs is a function of its spec's state.

use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::state::Taken;
use crate::core::model::batch::{BatchPhase, Dropped, PhaseOutcome, Place, QueueScan};
use crate::core::model::effect::EffectKind;
use crate::core::model::event::EffectOutcome;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::RefusedKind;
use crate::core::model::spec::{GOAL_MAX, SpecCommand};
use crate::core::model::state::State;
use crate::core::model::task::Stage;
use crate::core::outer::batch::ending::cut;
use crate::core::outer::spec;
use crate::core::rules::step::Step;
use crate::values::ids::{SpecId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::words::size;
use std::collections::BTreeSet;
use std::path::Path;

/// The name without folders and ending.
pub(in crate::core) fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".md").unwrap_or(name)
}

/// The world answers what was asked for batches.
pub(in crate::core) fn answered(step: &mut Step<'_>, what: EffectKind, outcome: EffectOutcome) {
    match (what, outcome) {
        (EffectKind::LookForSpecs { repo, batch, take, .. }, EffectOutcome::SpecsFound(found)) => {
            looked(step, &repo, batch, take, found);
        }
        (EffectKind::LookForSpecs { repo, batch, .. }, EffectOutcome::Failed { error }) => {
            let why = format!("the queue can't be read: {error}");
            if batch.is_none() {
                step.notice(None, NoticeKind::NeedsYou, &why);
            } else {
                gave_up(step, &repo, batch, &[BatchPhase::Supervise, BatchPhase::Build], &why);
            }
        }
        (EffectKind::MoveSpec { folder, file, to, .. }, EffectOutcome::Failed { error }) => {
            let what = format!("{folder}/{file} can't be moved to {}: {error}", to.folder());
            step.notice(None, NoticeKind::NeedsYou, what);
        }
        (EffectKind::WriteReport { repo, batch, .. }, EffectOutcome::ReportWritten { file })
            if is_open(step.state, &repo, batch) =>
        {
            step.fact(Fact::Batch(BatchFact::Reported { repo, batch, file }));
        }
        (EffectKind::WriteReport { repo, batch, .. }, EffectOutcome::Failed { error }) => {
            gave_up(
                step,
                &repo,
                Some(batch),
                &[BatchPhase::Report],
                &format!("the report can't be written: {error}"),
            );
        }
        // The rest only says that it is done.
        _ => {}
    }
}

fn is_open(state: &State, repo: &Path, batch: u64) -> bool {
    state.batches.repos.get(repo).and_then(|of| of.open.as_ref()).is_some_and(|open| open.id == batch)
}

/// The phase of this batch that is under way can't do what it is for.
fn gave_up(step: &mut Step<'_>, repo: &Path, batch: Option<u64>, phases: &[BatchPhase], why: &str) {
    let open = step.state.batches.repos.get(repo).and_then(|of| of.open.clone());
    let Some(open) = open.filter(|open| Some(open.id) == batch) else { return };
    if let Some(running) = open.running.clone().filter(|running| phases.contains(&running.phase)) {
        cut(step, repo, &open, &running, PhaseOutcome::Failed, why);
    }
}

fn looked(step: &mut Step<'_>, repo: &Path, batch: Option<u64>, take: u32, found: QueueScan) {
    if batch.is_some_and(|batch| !is_open(step.state, repo, batch)) {
        return;
    }
    let Some(of) = step.state.batches.repos.get(repo) else { return };
    let running = of.open.as_ref().and_then(|open| open.running.as_ref()).map(|running| running.phase);
    // Late for its phase: nothing is taken any more.
    let take = if batch.is_none() || running == Some(BatchPhase::Build) { take } else { 0 };
    let mut left = of.open.as_ref().map(|open| open.refused.clone()).unwrap_or_default();
    left.extend(doing(step.state, repo));
    let QueueScan { mut dropped, priorities, tracked } = found;
    let rank = |file: &str| priorities.iter().position(|name| name == stem(file)).unwrap_or(usize::MAX);
    dropped.sort_by_cached_key(|one| (rank(&one.file), one.folder.clone(), one.file.clone()));
    let (mut waiting, mut taken, mut refused, mut full) = (Vec::new(), 0, 0, false);
    for one in dropped {
        let path = format!("{}/{}", one.folder, one.file);
        if left.contains(&path) {
            continue;
        }
        if full || taken >= take {
            waiting.push(path);
            continue;
        }
        match open(step, repo, batch, &one) {
            Ok(()) => taken += 1,
            Err(Some(why)) => {
                refuse(step, repo, batch, one, &why);
                refused += 1;
            }
            Err(None) => {
                full = true;
                waiting.push(path);
            }
        }
    }
    let dry = take > 0 && taken == 0 && refused == 0;
    if batch.is_some()
        || taken + refused > 0
        || step.state.batches.repos.get(repo).is_some_and(|of| of.waiting != waiting)
    {
        step.fact(Fact::Batch(BatchFact::Looked { repo: repo.to_owned(), batch, waiting, dry }));
    }
    if let Some(first) = tracked.first() {
        let more = if tracked.len() > 1 { format!(" and {} more", tracked.len() - 1) } else { String::new() };
        let what = format!(
            "{first}{more} can't be taken from the queue: git tracks it, and to move it would change the checkout; \
             git rm --cached it, and put the queue's folders into .gitignore"
        );
        step.notice(None, NoticeKind::NeedsYou, what);
    }
}

/// Files of a repo that are being built.
fn doing(state: &State, repo: &Path) -> BTreeSet<String> {
    let taken = state.batches.taken.values().filter(|taken| taken.repo == repo);
    taken.map(|taken| format!("{}/{}", taken.folder, taken.file)).collect()
}

/// Makes a spec of a file. The error: why it can't be one; none: not now.
fn open(step: &mut Step<'_>, repo: &Path, batch: Option<u64>, one: &Dropped) -> Result<(), Option<String>> {
    if let Some(why) = &one.wrong {
        return Err(Some(why.to_string()));
    }
    if one.text.trim().is_empty() {
        return Err(Some("it is empty: say what should be true when it is done".to_owned()));
    }
    if one.text.len() > GOAL_MAX {
        let most = size::exact(GOAL_MAX as u64);
        return Err(Some(format!(
            "it is longer than {most}: put the details into a file of the repo, and name it"
        )));
    }
    let name = TaskName::new(stem(&one.file)).map_err(|error| Some(error.to_string()))?;
    let Some(of) = step.state.batches.repos.get(repo) else { return Err(None) };
    let mut order = of.schedule.order.clone();
    (order.name, order.goal, order.batch) = (name, one.text.clone(), batch);
    spec::command(step, SpecCommand::Open(Box::new(order))).map_err(|refused| match refused.kind {
        RefusedKind::BadInput => Some(refused.what),
        RefusedKind::NotFound | RefusedKind::NotNow | RefusedKind::Covered => None,
    })?;
    let spec = SpecId(step.state.specs.last);
    let (folder, file) = (one.folder.clone(), one.file.clone());
    step.fact(Fact::Batch(BatchFact::Taken { repo: repo.to_owned(), batch, spec, folder, file }));
    let taken = step.state.batches.taken.get(&spec).cloned();
    if let Some(taken) = taken {
        shift(step, &taken, Place::Next, Place::Doing, None);
    }
    Ok(())
}

fn refuse(step: &mut Step<'_>, repo: &Path, batch: Option<u64>, one: Dropped, why: &str) {
    let Dropped { folder, file, .. } = one;
    step.notice(None, NoticeKind::NeedsYou, format!("{folder}/{file} can't be built: {why}"));
    let taken =
        Taken { repo: repo.to_owned(), folder: folder.clone(), file: file.clone(), place: Place::Next };
    shift(step, &taken, Place::Next, Place::Failed, Some(why.to_owned()));
    let (repo, why) = (repo.to_owned(), Shown::line(why));
    step.fact(Fact::Batch(BatchFact::Refused { repo, batch, folder, file, why }));
}

fn shift(step: &mut Step<'_>, taken: &Taken, from: Place, to: Place, why: Option<String>) {
    let Taken { repo, folder, file, .. } = taken.clone();
    step.request(TaskId::NONE, EffectKind::MoveSpec { repo, folder, file, from, to, why });
}

/// Moves each file to where its spec says that it belongs.
pub(in crate::core) fn settle_files(step: &mut Step<'_>) {
    let all: Vec<(SpecId, Taken)> =
        step.state.batches.taken.iter().map(|(id, taken)| (*id, taken.clone())).collect();
    for (spec, taken) in all {
        let (to, why) = belongs(step.state, spec);
        if to != taken.place {
            shift(step, &taken, taken.place, to, why);
            step.fact(Fact::Batch(BatchFact::Moved { spec, to }));
        }
    }
}

/// Where the file of a spec belongs, and why if that is among the failed.
fn belongs(state: &State, id: SpecId) -> (Place, Option<String>) {
    let Some(spec) = state.specs.all.get(&id) else {
        return (Place::Failed, Some("its spec was archived before it was done".to_owned()));
    };
    if spec.is_done() {
        return (Place::Done, None);
    }
    let rejected =
        spec.all_tasks().filter_map(|task| state.tasks.get(&task)).find_map(|task| match &task.stage {
            Stage::Rejected(reason) => Some((task.launch.name.clone(), reason.clone())),
            _ => None,
        });
    match rejected {
        Some((name, reason)) if reason.is_empty() => (Place::Failed, Some(format!("{name} was rejected"))),
        Some((name, reason)) => (Place::Failed, Some(format!("{name} was rejected: {reason}"))),
        None => (Place::Doing, None),
    }
}
