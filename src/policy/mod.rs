//! A policy: rules that no attempt may break, and what breaks them in a change that was read.
//!
//! Promises: each breach says where, what, and what to do, in words that an agent can act on; a secret itself is never
//! in them. Knows no git and no file: a [`Reading`] is handed in. [`rule`] owns what a rule and a breach are, [`secrets`]
//! what a secret looks like, [`imports`] what a line imports, [`migrations`] the order of migrations.

mod habits;
mod imports;
mod migrations;
pub mod rule;
pub mod secrets;
#[cfg(test)]
mod tests;

use crate::core::model::diff::{Change, FileStatus, Reading};
use crate::policy::rule::{Breach, Policy, Rule, is_in, undo, verb};
use crate::values::pattern::Pattern;
use crate::values::words::plural::of;
use std::collections::BTreeSet;

/// All that breaks the policy, in the order of the rules; with `touches` nothing outside of them may be changed.
#[must_use]
pub fn check(policy: &Policy, touches: &[Pattern], reading: &Reading) -> Vec<Breach> {
    let mut breaches = Vec::new();
    target(reading, &mut breaches);
    protected(policy, reading, &mut breaches);
    touchpoints(policy, touches, reading, &mut breaches);
    if policy.secrets {
        secrets::check(policy, reading, &mut breaches);
    }
    migrations::check(policy, reading, &mut breaches);
    boundaries(policy, reading, &mut breaches);
    limits(policy, reading, &mut breaches);
    habits::commits(policy, reading, &mut breaches);
    habits::tests(policy, reading, &mut breaches);
    memory(policy, reading, &mut breaches);
    breaches
}

fn target(reading: &Reading, breaches: &mut Vec<Breach>) {
    if !reading.written.is_empty() {
        breaches.push(Breach::whole(
            Rule::Target,
            format!("commits of this worktree are on the target already: {}", reading.written.join(", ")),
            "never commit on the target, merge into it, push to it or move it: only a person can fix this now; \
             say so and go on with commits on your own branch alone",
        ));
    }
}

fn protected(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    for change in &reading.changes {
        let Some((path, pattern)) = change.paths().find_map(|path| {
            policy.protected.iter().find(|pattern| pattern.matches(path)).map(|pattern| (path, pattern))
        }) else {
            continue;
        };
        let what = format!("is {} and protected by {pattern}", verb(change));
        breaches.push(Breach::of(Rule::Protected, path, None, what, undo(change, &reading.base)));
    }
}

fn touchpoints(policy: &Policy, touches: &[Pattern], reading: &Reading, breaches: &mut Vec<Breach>) {
    if touches.is_empty() {
        return;
    }
    let list = touches.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", ");
    for change in &reading.changes {
        let outside = change.paths().find(|path| {
            !is_in(touches, path) && !is_in(&policy.always, path) && policy.memory.as_deref() != Some(*path)
        });
        if let Some(path) = outside {
            let what = format!("is {}, and only {list} may be changed", verb(change));
            breaches.push(Breach::of(Rule::Touchpoints, path, None, what, undo(change, &reading.base)));
        }
    }
}

fn boundaries(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    for boundary in &policy.boundaries {
        for change in reading.changes.iter().filter(|change| boundary.from.matches(&change.path)) {
            let mut seen = BTreeSet::new();
            for import in imports::of(&change.path, &change.added) {
                let Some(name) = boundary.must_not.iter().find(|name| import.is_of(name)) else { continue };
                if seen.insert((import.line, name)) {
                    let what = format!("imports {name}, which {} must not use", boundary.from);
                    let remedy = "take the import out: move what is needed to where both may use it, or hand it in \
                                  from outside";
                    let line = Some(import.line);
                    breaches.push(Breach::of(Rule::Boundary, &change.path, line, what, remedy.to_owned()));
                }
            }
        }
    }
}

fn limits(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    let counted: Vec<&Change> =
        reading.changes.iter().filter(|change| !is_in(&policy.uncounted, &change.path)).collect();
    if let Some(max) = policy.files_max
        && counted.len() > max as usize
    {
        breaches.push(Breach::whole(
            Rule::FilesMax,
            format!("{} changed, and at most {max} may be", of(counted.len(), "file is", "files are")),
            "take back what the task does not need; if all of it is needed, the task is too large: do the first part \
             and say what is left",
        ));
    }
    let lines = |change: &&Change| change.added.len() as u64 + u64::from(change.removed);
    let total: u64 = counted.iter().map(lines).sum();
    if let Some(max) = policy.lines_max
        && total > u64::from(max)
    {
        let largest = counted.iter().max_by_key(|change| lines(change)).map_or("", |change| &change.path);
        breaches.push(Breach::whole(
            Rule::LinesMax,
            format!(
                "{} added and removed, and at most {max} may be; most of them in {largest}",
                of(total, "line is", "lines are")
            ),
            "make the change smaller; if all of it is needed, the task is too large: do the first part and say what \
             is left",
        ));
    }
    if reading.cut {
        breaches.push(Breach::whole(
            Rule::LinesMax,
            "the change is too large to be read whole, so it can't be checked".to_owned(),
            "take generated and copied files out of the commits",
        ));
    }
}

fn memory(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    let Some(memory) = policy.memory.as_ref().filter(|_| policy.memory_required) else { return };
    let is_kept = |change: &Change| change.path == *memory && change.status != FileStatus::Deleted;
    if !reading.changes.is_empty() && !reading.changes.iter().any(is_kept) {
        let what = "is the memory of the project and was not updated".to_owned();
        let remedy = "write into it what is done, what is left and what the next one should know; commit it";
        breaches.push(Breach::of(Rule::Memory, memory, None, what, remedy.to_owned()));
    }
}
