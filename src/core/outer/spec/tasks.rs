//! The tasks of a spec: what the engine launches to have it drafted, planned and built.

use crate::core::model::agent::AgentTraits;
use crate::core::model::assignment::{Assignment, Duty};
use crate::core::model::plan::{Phase, Planned};
use crate::core::model::spec::{Contract, Spec};
use crate::core::model::task::Launch;
use crate::core::rules::prompt;
use crate::values::ids::TaskName;
use crate::values::words::plural::counted;
use std::collections::BTreeMap;

fn base(spec: &Spec, name: TaskName, prompt: String, agent: &AgentTraits, assignment: Assignment) -> Launch {
    let order = &spec.order;
    Launch {
        repo: order.repo.clone(),
        target: order.target.clone(),
        parallel: order.parallel,
        name,
        prompt,
        agent: agent.clone(),
        limits: order.limits,
        lid: order.lid,
        after: Vec::new(),
        by: None,
        assignment,
        budget: order.budget,
    }
}

fn values(spec: &Spec, more: &[(&str, String)]) -> BTreeMap<String, String> {
    let own = [
        ("goal", spec.order.goal.clone()),
        ("name", spec.order.name.to_string()),
        ("path", spec.path()),
        ("folder", spec.folder()),
        ("memory", spec.order.memory.clone()),
        ("target", spec.order.target.clone()),
    ];
    own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn named(spec: &Spec, end: &str) -> TaskName {
    let stem: String = spec.order.name.as_str().chars().take(TaskName::MAX - end.len() - 1).collect();
    TaskName::new(&format!("{}-{end}", stem.trim_end_matches('-')))
        .unwrap_or_else(|_| spec.order.name.clone())
}

/// The form of a spec that drafts are written in.
pub const FORM: &str = include_str!("../../../../assets/spec.md");

pub(in crate::core) fn draft_task(spec: &Spec) -> Launch {
    let order = &spec.order;
    let values = values(spec, &[("form", FORM.to_owned())]);
    let prompt = prompt::render(&order.templates, "spec-draft", &values);
    let assignment = Assignment {
        spec: Some(spec.id),
        duty: Duty::Spec,
        second: order.crew.review.clone(),
        rounds: order.passes,
        stack: false,
        ahead: order.ahead.spec,
        touches: vec![spec.path(), format!("{}/**", spec.folder()), order.memory.clone()],
        checks: Vec::new(),
        values,
        templates: order.templates.clone(),
        bench: None,
    };
    base(spec, named(spec, "spec"), prompt, &order.crew.draft, assignment)
}

pub(in crate::core) fn plan_task(spec: &Spec, contract: &Contract) -> Launch {
    let order = &spec.order;
    let touchpoints = contract.touchpoints.join("\n");
    let values = values(
        spec,
        &[
            ("touchpoints", touchpoints),
            ("gates", prompt::list(&order.gates)),
            ("spec", format!("{} ({})", contract.title, counted(contract.objectives.len(), "objective"))),
        ],
    );
    let prompt = prompt::render(&order.templates, "plan", &values);
    let assignment = Assignment {
        spec: Some(spec.id),
        duty: Duty::Plan,
        second: None,
        rounds: 0,
        stack: false,
        ahead: order.ahead.plan,
        touches: vec![format!("{}/**", spec.folder()), order.memory.clone()],
        checks: Vec::new(),
        values,
        templates: order.templates.clone(),
        bench: None,
    };
    base(spec, named(spec, "plan"), prompt, &order.crew.plan, assignment)
}

/// All gates of the target as it is after a soak; nobody works in it.
pub(in crate::core) fn soak_task(spec: &Spec) -> Launch {
    let order = &spec.order;
    let prompt = format!(
        "All gates of {} as it is, after the bake time of phase {} of spec {}.",
        order.target,
        spec.landed.len(),
        order.name
    );
    let assignment =
        Assignment { spec: Some(spec.id), duty: Duty::Check, ahead: true, ..Assignment::default() };
    base(spec, named(spec, &format!("soak-{}", spec.landed.len())), prompt, &order.crew.work, assignment)
}

pub(in crate::core) fn work_task(
    spec: &Spec,
    contract: &Contract,
    phase: &Phase,
    planned: &Planned,
) -> Launch {
    let order = &spec.order;
    let others: Vec<String> = phase
        .tasks
        .iter()
        .filter(|other| other.name != planned.name)
        .map(|other| format!("{}: {}", other.name, other.does.lines().next().unwrap_or("").trim()))
        .collect();
    let values = values(
        spec,
        &[
            ("task", planned.name.to_string()),
            ("does", planned.does.clone()),
            ("objectives", prompt::list(&contract.objectives)),
            ("non_goals", prompt::list(&contract.non_goals)),
            ("data", prompt::list(&contract.data)),
            ("tests", prompt::list(&contract.tests)),
            ("phase", format!("{}\n\n{}", phase.title, phase.notes.trim())),
            ("touches", prompt::list(&planned.touches)),
            ("check", planned.check.clone()),
            ("others", prompt::list(&others)),
        ],
    );
    let prompt = prompt::render(&order.templates, "work", &values);
    let agent =
        planned.agent.as_ref().and_then(|name| order.crew.others.get(name)).unwrap_or(&order.crew.work);
    let mut touches = planned.touches.clone();
    touches.push(order.memory.clone());
    let assignment = Assignment {
        spec: Some(spec.id),
        duty: Duty::Build,
        second: order.crew.verify.clone(),
        stack: order.stack,
        rounds: order.rounds,
        ahead: order.ahead.work,
        touches,
        checks: vec![planned.check.clone()],
        values,
        templates: order.templates.clone(),
        bench: None,
    };
    Launch { after: planned.after.clone(), ..base(spec, planned.name.clone(), prompt, agent, assignment) }
}
