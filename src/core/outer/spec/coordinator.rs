//! The coordinator: takes every spec one step on, by what is, so that it goes on for days and through restarts.

use crate::core::model::assignment::Deliverable;
use crate::core::model::fact::Fact;
use crate::core::model::plan::Planned;
use crate::core::model::spec::{Spec, SpecFact};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task};
use crate::core::outer::launch;
use crate::core::outer::spec::tasks::{draft_task, plan_task, soak_task, work_task};
use crate::core::rules::step::Step;
use crate::values::ids::{SpecId, TaskId};
use crate::values::time::Time;

/// Takes every spec one step on.
pub(in crate::core) fn settle(step: &mut Step<'_>) {
    let ids: Vec<SpecId> =
        step.state.specs.all.values().filter(|spec| spec.is_open()).map(|spec| spec.id).collect();
    for id in ids {
        advance(step, id);
    }
}

fn advance(step: &mut Step<'_>, id: SpecId) {
    let Some(spec) = step.state.specs.all.get(&id).cloned() else { return };
    let fact = |step: &mut Step<'_>, fact| step.fact(Fact::Spec(fact));
    let Some(draft) = spec.draft else {
        if let Some(task) = launch(step, draft_task(&spec)) {
            fact(step, SpecFact::Drafting { spec: id, task });
        }
        return;
    };
    let Some(contract) = &spec.contract else {
        if let Some(Deliverable::Spec { contract, .. }) = landed(step.state, draft) {
            let contract = contract.clone();
            fact(step, SpecFact::Agreed { spec: id, contract });
        }
        return;
    };
    let Some(plan) = spec.plan else {
        if let Some(task) = launch(step, plan_task(&spec, contract)) {
            fact(step, SpecFact::Planning { spec: id, task });
        }
        return;
    };
    let Some(phases) = &spec.phases else {
        if let Some(Deliverable::Plan(phases)) = landed(step.state, plan) {
            let phases = phases.clone();
            fact(step, SpecFact::Planned { spec: id, phases });
        }
        return;
    };
    let now = spec.landed.len();
    let Some(phase) = phases.get(now) else { return fact(step, SpecFact::Done { spec: id }) };
    if let Some(until) = soaks_until(&spec) {
        let checks = spec.soak_check.is_some_and(|task| step.state.tasks.contains_key(&task));
        if step.now >= until
            && !checks
            && let Some(task) = launch(step, soak_task(&spec))
        {
            fact(step, SpecFact::SoakChecking { spec: id, task });
        }
        return;
    }
    for planned in &phase.tasks {
        if spec.tasks.contains_key(&planned.name) {
            continue;
        }
        let known = step.state.specs.all.get(&id).map(|spec| spec.tasks.clone()).unwrap_or_default();
        // Those that it waits for come first: by then it is known which tasks they are.
        let Some(after) = planned.after.iter().map(|need| known.get(need).copied()).collect() else {
            continue;
        };
        let order = work_task(&spec, contract, phase, planned);
        if let Ok(task) = launch::launch_after(step, order, after) {
            fact(step, SpecFact::Tasked { spec: id, name: planned.name.clone(), task });
        }
    }
    let on_target = &step.state.on_target;
    let is_landed =
        |planned: &Planned| spec.tasks.get(&planned.name).is_some_and(|task| on_target.contains(task));
    if phase.tasks.iter().all(is_landed) {
        fact(step, SpecFact::PhaseLanded { spec: id, phase: now });
    }
}

/// Until when the target must have stayed green, and be found so, before the next phase begins; none: it may.
pub(in crate::core) fn soaks_until(spec: &Spec) -> Option<Time> {
    let before = spec.landed.len().checked_sub(1).filter(|_| spec.soaked < spec.landed.len())?;
    let phases = spec.phases.as_ref().filter(|phases| phases.len() > spec.landed.len())?;
    let soak = phases.get(before)?.soak?;
    Some(spec.landed.get(before)?.after(soak))
}

/// The gates of the target are green: if a spec waited for that, it goes on.
pub(in crate::core) fn checked(step: &mut Step<'_>, task: TaskId) {
    let waits = step.state.specs.all.values().find(|spec| spec.soak_check == Some(task)).map(|spec| spec.id);
    if let Some(spec) = waits {
        step.fact(Fact::Spec(SpecFact::Soaked { spec }));
    }
}

/// The earliest moment at which settle would decide something because of the time.
pub(in crate::core) fn deadline(state: &State) -> Option<Time> {
    let waits = |spec: &&Spec| spec.is_open() && spec.soak_check.is_none();
    state.specs.all.values().filter(waits).filter_map(soaks_until).min()
}

/// What a landed task brought.
fn landed(state: &State, id: TaskId) -> Option<&Deliverable> {
    let task: &Task = state.tasks.get(&id).filter(|task| task.stage == Stage::Landed)?;
    task.work()?.read.as_ref()?.deliverable.as_ref()
}

/// Launches a task of a spec; none: it can't be now (the board is full), and is tried again at the next step.
fn launch(step: &mut Step<'_>, task: Launch) -> Option<TaskId> {
    launch::launch(step, task).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::engine::Engine;
    use crate::core::model::event::Event;
    use crate::core::model::fact::Entry;

    /// The ledger of a spec whose only task has landed, or not, and was then taken off the board.
    fn ledger(has_landed: bool) -> Vec<Entry> {
        let agent = r#"{"profile": "scripted", "mode": "headless", "idle_done": null, "resumable": false}"#;
        let limits = r#"{"attempts": 3, "time": null, "silence": null}"#;
        let crew = format!(r#"{{"draft": {agent}, "plan": {agent}, "work": {agent}}}"#);
        let order = format!(
            r#"{{"repo": "/repo", "target": "main", "parallel": 1, "name": "tea", "goal": "tea", "crew": {crew}, "passes": 0,
                "rounds": 0, "ahead": {{}}, "limits": {limits}, "lid": "on", "memory": "wip.md"}}"#
        );
        let contract = r#"{"title": "Tea", "objectives": [], "non_goals": [], "touchpoints": [], "data": [], "tests": [],
            "risks": [], "compatibility": [], "rollback": []}"#;
        let phase = r#"{"file": "specs/tea/phase-1.md", "title": "One", "notes": "", "tasks": [
            {"name": "pour", "does": "Pour.", "touches": ["a"], "check": "true", "line": 3}]}"#;
        let launch = format!(
            r#"{{"repo": "/repo", "target": "main", "parallel": 1, "name": "pour", "prompt": "p", "agent": {agent},
                "limits": {limits}, "lid": "on", "after": [], "brief": {{"spec": 1}}}}"#
        );
        let end = if has_landed {
            format!(r#"{{"landed": {{"task": 3, "commit": "{}"}}}}"#, "a".repeat(40))
        } else {
            r#"{"stopped": {"task": 3}}"#.to_owned()
        };
        let facts = [
            format!(r#"{{"spec": {{"opened": {{"spec": 1, "order": {order}}}}}}}"#),
            r#"{"spec": {"drafting": {"spec": 1, "task": 1}}}"#.to_owned(),
            format!(r#"{{"spec": {{"agreed": {{"spec": 1, "contract": {contract}}}}}}}"#),
            r#"{"spec": {"planning": {"spec": 1, "task": 2}}}"#.to_owned(),
            format!(r#"{{"spec": {{"planned": {{"spec": 1, "phases": [{phase}]}}}}}}"#),
            format!(r#"{{"launched": {{"task": 3, "launch": {launch}}}}}"#),
            r#"{"spec": {"tasked": {"spec": 1, "name": "pour", "task": 3}}}"#.to_owned(),
            end,
            r#"{"forgotten": {"task": 3}}"#.to_owned(),
        ];
        let entry = |(n, fact): (usize, &String)| Entry {
            seq: n as u64 + 1,
            at: Time(1_000),
            by: "ada".into(),
            fact: serde_json::from_str(fact).unwrap_or_else(|error| panic!("{error}: {fact}")),
        };
        facts.iter().enumerate().map(entry).collect()
    }

    fn kinds(has_landed: bool) -> Vec<&'static str> {
        let mut engine = Engine::replay(ledger(has_landed));
        let step = engine.step(Time(2_000), Event::Tick).unwrap();
        step.facts.iter().map(Fact::kind).collect()
    }

    #[test]
    fn work_that_is_on_the_target_counts_though_its_task_is_off_the_board() {
        assert_eq!(kinds(true), ["spec_phase_landed", "spec_done"]);
        assert!(kinds(false).is_empty(), "what was stopped has not landed");
    }
}
