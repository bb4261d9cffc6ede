//! What an attempt is told and judged by: its agent, its prompt, what is read from its branch, what is wrong with that.
//!
//! Reads the task alone and decides nothing: [`super::attempt`] and [`super::second`] do.

use crate::core::model::agent::AgentTraits;
use crate::core::model::assignment::{AttemptKind, Deliverable, Duty, FINDINGS_FILE};
use crate::core::model::attempt::{Attempt, AttemptResult};
use crate::core::model::effect::{Acceptance, Wanted};
use crate::core::model::finding::Findings;
use crate::core::model::task::Task;
use crate::core::rules::prompt;

/// What an attempt's agent is asked: the task, and what the attempt before it left.
#[must_use]
pub fn prompt(task: &str, note: &str) -> String {
    if note.is_empty() {
        task.to_owned()
    } else {
        format!("{task}\n\n## From the previous attempt\n\n{note}")
    }
}

/// How many looks have been taken at a task's work.
pub(in crate::core) fn looks(task: &Task) -> usize {
    reviewed(task).count()
}

pub(in crate::core) fn reviewed(task: &Task) -> impl DoubleEndedIterator<Item = &Attempt> {
    task.attempts
        .iter()
        .filter(|a| a.part == AttemptKind::SecondReview && a.result == Some(AttemptResult::Reviewed))
}

/// What the newest look found, if no work has been done since that was green.
fn open_findings(task: &Task) -> Option<&Findings> {
    let last = reviewed(task).next_back()?;
    let since = task.attempts.iter().any(|a| {
        a.id.no > last.id.no && a.part == AttemptKind::Work && a.result == Some(AttemptResult::Green)
    });
    last.findings().filter(|_| !since)
}

/// Who does an attempt of this part.
#[must_use]
pub(in crate::core) fn agent(task: &Task, part: AttemptKind) -> &AgentTraits {
    match (part, &task.launch.assignment.second) {
        (AttemptKind::SecondReview, Some(second)) => second,
        (AttemptKind::SecondReview | AttemptKind::Work, _) => &task.launch.agent,
    }
}

/// What the agent of the next attempt is asked to do.
#[must_use]
pub(in crate::core) fn prompt_of(task: &Task, part: AttemptKind, note: &str) -> String {
    let assignment = &task.launch.assignment;
    let look = looks(task) + 1;
    let filled = |name: &str, more: &[(&str, String)]| {
        let mut values = assignment.values.clone();
        values.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        prompt::render(&assignment.templates, name, &values)
    };
    let asked = match (part, assignment.duty) {
        (AttemptKind::SecondReview, duty) => {
            let name = if duty == Duty::Spec { "spec-review" } else { "verify" };
            let before: Vec<String> =
                reviewed(task).filter_map(Attempt::findings).map(Findings::words).collect();
            let before = if before.is_empty() {
                "None: this is the first review pass.\n".to_owned()
            } else {
                before.concat()
            };
            let task_text = task.launch.prompt.clone();
            filled(
                name,
                &[
                    ("look", look.to_string()),
                    ("looks", assignment.rounds.to_string()),
                    ("findings_file", FINDINGS_FILE.to_owned()),
                    ("before", before),
                    ("task", task_text),
                    ("target", task.launch.target.clone()),
                ],
            )
        }
        (AttemptKind::Work, Duty::Spec) => match open_findings(task) {
            Some(found) if !found.list.is_empty() => filled(
                "spec-refine",
                &[
                    ("look", (look - 1).to_string()),
                    ("findings", found.words()),
                    ("form", found.form()),
                    ("answers_file", answers_file(task, look - 1)),
                ],
            ),
            _ => task.launch.prompt.clone(),
        },
        (AttemptKind::Work, Duty::Build | Duty::Plan | Duty::Chore | Duty::Check) => {
            task.launch.prompt.clone()
        }
    };
    prompt(&asked, note)
}

/// Where the answers to a look's findings are kept: beside the spec.
fn answers_file(task: &Task, look: usize) -> String {
    let folder = task.launch.assignment.values.get("folder").map_or("specs", String::as_str);
    format!("{folder}/review-{look}.toml")
}

/// What is to be read from an attempt's branch.
#[must_use]
pub(in crate::core) fn wanted(task: &Task, attempt: &Attempt) -> Option<Wanted> {
    let value = |key: &str| task.launch.assignment.values.get(key).cloned().unwrap_or_default();
    match (attempt.part, task.launch.assignment.duty) {
        (AttemptKind::SecondReview, duty) => {
            let look = looks(task) + 1;
            Some(Wanted::Findings { file: FINDINGS_FILE.to_owned(), look, verdict: duty != Duty::Spec })
        }
        (AttemptKind::Work, Duty::Spec) => {
            let answers = open_findings(task)
                .filter(|found| !found.list.is_empty())
                .map(|_| answers_file(task, looks(task)));
            Some(Wanted::Spec { file: value("path"), answers })
        }
        (AttemptKind::Work, Duty::Plan) => Some(Wanted::Plan {
            folder: value("folder"),
            touchpoints: task
                .launch
                .assignment
                .values
                .get("touchpoints")
                .map_or_else(Vec::new, |lines| lines.lines().map(str::to_owned).collect()),
        }),
        (AttemptKind::Work, Duty::Build | Duty::Chore | Duty::Check) => {
            task.launch.assignment.bench.map(|_| Wanted::Lines { target: task.launch.target.clone() })
        }
    }
}

/// What an attempt of this part is judged by.
#[must_use]
pub(in crate::core) fn acceptance(task: &Task, part: AttemptKind) -> Acceptance {
    let assignment = &task.launch.assignment;
    let gates = match (part, assignment.duty) {
        (AttemptKind::SecondReview, _) => crate::core::model::effect::Gates::None,
        // Only the merged result is what code is tested for.
        (AttemptKind::Work, Duty::Spec | Duty::Plan) => crate::core::model::effect::Gates::Policy,
        (AttemptKind::Work, Duty::Build | Duty::Chore | Duty::Check) => {
            crate::core::model::effect::Gates::All
        }
    };
    let memory = assignment.values.get("memory").cloned();
    Acceptance {
        touches: assignment.touches.clone(),
        checks: assignment.checks.clone(),
        gates,
        union: memory.into_iter().collect(),
    }
}

/// What the merged result is judged by: as code, whatever it is.
#[must_use]
pub(in crate::core) fn acceptance_merged(task: &Task) -> Acceptance {
    let gates = crate::core::model::effect::Gates::All;
    match task.stage {
        // What is taken back is not the task's work.
        crate::core::model::task::Stage::RollingBack => Acceptance { gates, ..Acceptance::default() },
        _ => Acceptance { gates, ..acceptance(task, AttemptKind::Work) },
    }
}

/// What is wrong with what an attempt of work brought, in words for the next one.
#[must_use]
pub(in crate::core) fn mistakes(task: &Task, attempt: &Attempt) -> Option<String> {
    let deliverable = attempt.read.as_ref()?.deliverable.as_ref();
    if matches!(wanted(task, attempt)?, Wanted::Lines { .. }) {
        return None;
    }
    let lines = match deliverable {
        None => vec!["what was asked for was not found on the branch".to_owned()],
        Some(Deliverable::Mistakes(lines)) => lines.clone(),
        Some(Deliverable::Spec { answers, .. }) => {
            open_findings(task).map(|found| found.unanswered(answers)).unwrap_or_default()
        }
        Some(Deliverable::Findings(_) | Deliverable::Plan(_) | Deliverable::Lines(_)) => Vec::new(),
    };
    if lines.is_empty() {
        return None;
    }
    let list: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    Some(format!("What the previous attempt wrote can't be taken as it is:\n\n{list}\nFix this, and commit."))
}

/// Green work: is it looked at before a person gets to see it?
#[must_use]
pub(in crate::core) fn needs_look(task: &Task) -> bool {
    let assignment = &task.launch.assignment;
    assignment.second.is_some()
        && match assignment.duty {
            Duty::Spec => looks(task) < assignment.rounds as usize,
            Duty::Build | Duty::Plan | Duty::Chore | Duty::Check => true,
        }
}

/// How many tries of a part count against the limit of attempts.
#[must_use]
pub(in crate::core) fn tries(task: &Task, part: AttemptKind) -> u32 {
    let count = match part {
        // Green work that was found wanting is no failed try: its rounds are counted.
        AttemptKind::Work => task
            .attempts
            .iter()
            .filter(|a| a.part == AttemptKind::Work && a.result != Some(AttemptResult::Green))
            .count(),
        AttemptKind::SecondReview => task
            .attempts
            .iter()
            .rev()
            .take_while(|a| a.part == AttemptKind::SecondReview && a.result != Some(AttemptResult::Reviewed))
            .count(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many tries of a part a task may start by itself, but for those that a human granted.
#[must_use]
pub(in crate::core) fn tries_max(task: &Task, part: AttemptKind) -> u32 {
    let set = task.launch.limits.attempts;
    match (part, task.launch.assignment.bench) {
        // That a look could not be read says nothing about the work that is measured.
        (AttemptKind::SecondReview, Some(_)) => set.max(LOOKS_MAX),
        (AttemptKind::SecondReview | AttemptKind::Work, _) => set,
    }
}

/// How often a verifier may try in a bench.
const LOOKS_MAX: u32 = 3;
