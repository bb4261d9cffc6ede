//! How a phase of a batch ends: done, cut short, or with work that is left for the next batch.

use crate::core::model::batch::fact::BatchFact;
use crate::core::model::batch::state::{Batch, Running};
use crate::core::model::batch::{BatchPhase, PhaseOutcome};
use crate::core::model::fact::Fact;
use crate::core::model::spec::SpecFact;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::step::Step;
use crate::core::rules::task;
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use std::path::Path;

/// A phase is over.
pub(super) fn over(
    step: &mut Step<'_>,
    repo: &Path,
    batch: &Batch,
    phase: BatchPhase,
    outcome: PhaseOutcome,
    why: &str,
) {
    let (repo, batch, why) = (repo.to_owned(), batch.id, Shown::line(why));
    step.fact(Fact::Batch(BatchFact::PhaseOver { repo, batch, phase, outcome, why }));
}

/// Ends a phase before it is done, with what works for it.
pub(super) fn cut(
    step: &mut Step<'_>,
    repo: &Path,
    batch: &Batch,
    running: &Running,
    outcome: PhaseOutcome,
    why: &str,
) {
    if running.phase == BatchPhase::Build {
        leave(step, repo, batch, true);
    } else if let Some(id) = running.task {
        // One that has come to its end meanwhile refuses.
        let _ = task::stop(step, id);
    }
    over(step, repo, batch, running.phase, outcome, why);
}

/// What is not done stays for the next batch: nothing more of it starts until then, but by a person. With `stop`, what works
/// is ended too; what is being merged lands.
pub(super) fn leave(step: &mut Step<'_>, repo: &Path, batch: &Batch, stop: bool) {
    for id in &batch.specs {
        let Some(spec) = step.state.specs.all.get(id) else { continue };
        // Stopped by a person: it is theirs to say when it goes on.
        if spec.is_done() || spec.is_stopped() {
            continue;
        }
        let works = |task: &&Task| matches!(task.stage, Stage::Queued { .. } | Stage::Trying);
        let mut tasks: Vec<TaskId> = spec
            .all_tasks()
            .filter_map(|task| step.state.tasks.get(&task))
            .filter(works)
            .map(|task| task.id)
            .collect();
        if stop {
            tasks.retain(|task| task::stop(step, *task).is_ok());
        } else {
            tasks.clear();
        }
        step.fact(Fact::Spec(SpecFact::Stopped { spec: *id }));
        step.fact(Fact::Batch(BatchFact::Left { repo: repo.to_owned(), batch: batch.id, spec: *id, tasks }));
    }
}
