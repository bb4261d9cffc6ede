//! The order in which gates run, and what their verdicts mean.

use crate::core::model::agent::Exit;
use crate::core::model::gate::{GateRun, GateState, Verdict};
use crate::core::model::job::Ending;
use crate::values::ids::Oid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The verdict of a job that ended.
pub(in crate::core) const fn judge(exit: Exit, ending: Option<Ending>) -> Verdict {
    match (ending, exit) {
        (Some(Ending::Time | Ending::Silence), _) => Verdict::TimedOut,
        (_, Exit::Code(0)) => Verdict::Passed,
        (_, Exit::Code(_) | Exit::Signal(_)) => Verdict::Failed,
        (_, Exit::Unknown) => Verdict::Errored,
    }
}

/// What to do about a list of gates now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Next {
    /// Start the gate at this place.
    Run(usize),
    /// This gate has this verdict without a run.
    Judge(usize, Verdict),
    /// Wait for those that run.
    Wait,
    Over,
}

/// The next thing to do: gates whose needs are met, in order; one that is not parallel runs alone.
pub(in crate::core) fn next(
    gates: &[GateRun],
    repo: &Path,
    tree: &Oid,
    passed: &BTreeSet<(PathBuf, Oid, String)>,
) -> Next {
    let running = |run: &&GateRun| run.state == GateState::Running;
    let any_running = gates.iter().any(|run| running(&run));
    let alone_running = gates.iter().filter(running).any(|run| !run.spec.parallel);
    for (at, run) in gates.iter().enumerate() {
        if run.state != GateState::Waiting {
            continue;
        }
        let needs: Vec<&GateRun> = run
            .spec
            .needs
            .iter()
            .filter_map(|name| gates.iter().find(|other| other.spec.name == *name))
            .collect();
        let red = |other: &&GateRun| matches!(other.state, GateState::Judged(v) if !v.is_green());
        let green = |other: &GateRun| matches!(other.state, GateState::Judged(v) if v.is_green());
        if needs.iter().any(red) {
            return Next::Judge(at, Verdict::Skipped);
        }
        if !needs.iter().all(|other| green(other)) {
            continue;
        }
        if !run.spec.reads_history
            && passed.contains(&(repo.to_owned(), tree.clone(), run.spec.command.clone()))
        {
            return Next::Judge(at, Verdict::Cached);
        }
        if alone_running || (any_running && !run.spec.parallel) {
            continue;
        }
        return Next::Run(at);
    }
    if any_running {
        return Next::Wait;
    }
    match gates.iter().position(|run| run.state == GateState::Waiting) {
        // Only a cycle or an unknown name in `needs` gets here; config refuses both.
        Some(at) => Next::Judge(at, Verdict::Skipped),
        None => Next::Over,
    }
}

/// The required gates that are not green.
pub(in crate::core) fn red(gates: &[GateRun]) -> Vec<&GateRun> {
    gates
        .iter()
        .filter(|run| run.spec.required && !matches!(run.state, GateState::Judged(v) if v.is_green()))
        .collect()
}

/// The names of gates, for a sentence.
pub(in crate::core) fn names(gates: &[&GateRun]) -> String {
    gates.iter().map(|run| run.spec.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What the next attempt is told about red gates.
pub(in crate::core) fn failure_note(red: &[&GateRun], merged: Option<&str>) -> String {
    let mut note = merged.map_or_else(
        || "The work of the previous attempt is on your branch. These gates are red on it:\n".to_owned(),
        |target| {
            format!(
                "The work on your branch passed by itself, but merged with `{target}` these gates are red. \
                 Merge `{target}` into your branch first.\n"
            )
        },
    );
    for run in red {
        let GateState::Judged(verdict) = run.state else { continue };
        note.push_str(&format!("\n### {} ({}): `{}`\n", run.spec.name, verdict.label(), run.spec.command));
        if !run.tail.is_empty() {
            note.push_str(&format!("```\n{}\n```\n", run.tail.trim_end()));
        }
    }
    note.push_str("\nFind the cause, fix it, and commit.");
    note
}
