//! Rules of a spec: from a goal over its review and its plan to landed work.
//!
//! Owns the order of the stages: a task drafts the spec (and is attacked and refined), a person approves it, a task plans it,
//! a person approves that, then phase by phase its tasks are launched. The coordinator is [`coordinator`]: it looks at what is,
//! so that it goes on for days and through restarts.

pub mod coordinator;
pub mod progress;
pub mod tasks;

use crate::core::model::fact::Fact;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::spec::{GOAL_MAX, SPECS_MAX, Spec, SpecCommand, SpecFact, SpecOrder};
use crate::core::model::state::State;
use crate::core::rules::step::Step;
use crate::values::ids::{SpecId, TaskName};
use crate::values::text::Shown;
use crate::values::words::size;
use std::path::Path;

/// The spec of this name (or number, as `s3`) in a repo, or in any if it is the only one.
pub(in crate::core) fn find(state: &State, repo: Option<&Path>, name: &str) -> Result<SpecId, Refused> {
    let number = name.strip_prefix('s').and_then(|n| n.parse().ok()).map(SpecId);
    if let Some(spec) = number.and_then(|id| state.specs.all.get(&id)) {
        return Ok(spec.id);
    }
    let named = |spec: &&Spec| spec.order.name.as_str() == name;
    let here = |spec: &&Spec| repo.is_none_or(|repo| spec.order.repo == repo);
    let mut found: Vec<&Spec> = state.specs.all.values().filter(named).filter(here).collect();
    if found.is_empty() {
        found = state.specs.all.values().filter(named).collect();
    }
    match found.as_slice() {
        [spec] => Ok(spec.id),
        [] => Err(Refused::new(
            RefusedKind::NotFound,
            format!("there is no spec {}", Shown::line(name)),
            "nopeek spec ls shows all specs",
        )),
        _ => Err(Refused::new(
            RefusedKind::BadInput,
            format!("{} repos have a spec {}", found.len(), Shown::line(name)),
            "stand in the repo that you mean, or give the spec's number",
        )),
    }
}

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: SpecCommand) -> Result<(), Refused> {
    match command {
        SpecCommand::Open(order) => open(step, *order),
        SpecCommand::Stop(id) => {
            let spec = get(step.state, id)?;
            if spec.is_stopped() || spec.is_done() {
                return Err(not_now(
                    spec,
                    "stop",
                    if spec.is_stopped() { "it is stopped already" } else { "it is done" },
                ));
            }
            step.fact(Fact::Spec(SpecFact::Stopped { spec: id }));
            Ok(())
        }
        SpecCommand::GoOn(id) => {
            let spec = get(step.state, id)?;
            if !spec.is_stopped() {
                return Err(not_now(spec, "go on with", "it is not stopped"));
            }
            step.fact(Fact::Spec(SpecFact::WentOn { spec: id }));
            Ok(())
        }
        SpecCommand::Forget(id) => {
            let spec = get(step.state, id)?;
            if spec.is_open() {
                return Err(not_now(spec, "archive", "stop it first"));
            }
            step.fact(Fact::Spec(SpecFact::Forgotten { spec: id }));
            Ok(())
        }
    }
}

/// The spec of this number.
pub(in crate::core) fn get(state: &State, id: SpecId) -> Result<&Spec, Refused> {
    state.specs.all.get(&id).ok_or_else(|| {
        Refused::new(
            RefusedKind::NotFound,
            format!("there is no spec {id}"),
            "nopeek spec ls shows all specs",
        )
    })
}

fn not_now(spec: &Spec, act: &str, remedy: &str) -> Refused {
    Refused::new(RefusedKind::NotNow, format!("can't {act} {}", spec.order.name), remedy)
}

fn open(step: &mut Step<'_>, mut order: SpecOrder) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if step.state.specs.all.len() >= SPECS_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("there are {SPECS_MAX} specs already"),
            "nopeek spec archive makes room: it removes those that are over",
        ));
    }
    if order.goal.trim().is_empty() {
        return bad("the goal is empty".to_owned(), "say what should be true when it is done");
    }
    if order.goal.len() > GOAL_MAX {
        return bad(
            format!("the goal is longer than {}", size::exact(GOAL_MAX as u64)),
            "put the details into a file of the repo",
        );
    }
    if order.parallel == 0 || order.limits.attempts == 0 {
        return bad(
            "with no attempts or no agents at once nothing would ever start".to_owned(),
            "give at least 1",
        );
    }
    let taken = |name: &TaskName| {
        step.state.specs.all.values().any(|spec| spec.order.repo == order.repo && spec.order.name == *name)
    };
    if taken(&order.name) {
        return bad(
            format!("there is a spec {} in this repo", order.name),
            "give it another name with --name",
        );
    }
    if order.crew.review.is_none() {
        order.passes = 0;
    }
    let spec = SpecId(step.state.specs.last + 1);
    step.fact(Fact::Spec(SpecFact::Opened { spec, order: Box::new(order) }));
    Ok(())
}
