//! What an attempt is told and judged by: its agent, its prompt, what is read from its branch, what is wrong with that.
//!
//! Reads the task alone and decides nothing: [`super::attempt`] and [`super::second`] do.

use crate::core::model::agent::AgentTraits;
use crate::core::model::attempt::{Attempt, AttemptResult};
use crate::core::model::brief::{Brought, Duty, FINDINGS_FILE, Part, findings};
use crate::core::model::effect::{Terms, Wanted};
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
    task.attempts.iter().filter(|a| a.part == Part::Second && a.result == Some(AttemptResult::Reviewed))
}

/// What the newest look found, if no work has been done since that was green.
fn open_findings(task: &Task) -> Option<&Findings> {
    let last = reviewed(task).next_back()?;
    let since = task
        .attempts
        .iter()
        .any(|a| a.id.no > last.id.no && a.part == Part::Work && a.result == Some(AttemptResult::Green));
    findings(last).filter(|_| !since)
}

/// Who does an attempt of this part.
#[must_use]
pub(in crate::core) fn agent(task: &Task, part: Part) -> &AgentTraits {
    match (part, &task.launch.brief.second) {
        (Part::Second, Some(second)) => second,
        (Part::Second | Part::Work, _) => &task.launch.agent,
    }
}

/// What the agent of the next attempt is asked to do.
#[must_use]
pub(in crate::core) fn prompt_of(task: &Task, part: Part, note: &str) -> String {
    let brief = &task.launch.brief;
    let look = looks(task) + 1;
    let filled = |name: &str, more: &[(&str, String)]| {
        let mut values = brief.values.clone();
        values.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        prompt::render(&brief.templates, name, &values)
    };
    let asked = match (part, brief.duty) {
        (Part::Second, duty) => {
            let name = if duty == Duty::Spec { "spec-review" } else { "verify" };
            let before: Vec<String> = reviewed(task).filter_map(findings).map(Findings::words).collect();
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
                    ("looks", brief.rounds.to_string()),
                    ("findings_file", FINDINGS_FILE.to_owned()),
                    ("before", before),
                    ("task", task_text),
                    ("target", task.launch.target.clone()),
                ],
            )
        }
        (Part::Work, Duty::Spec) => match open_findings(task) {
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
        (Part::Work, Duty::Build | Duty::Plan | Duty::Chore | Duty::Check) => task.launch.prompt.clone(),
    };
    prompt(&asked, note)
}

/// Where the answers to a look's findings are kept: beside the spec.
fn answers_file(task: &Task, look: usize) -> String {
    let folder = task.launch.brief.values.get("folder").map_or("specs", String::as_str);
    format!("{folder}/review-{look}.toml")
}

/// What is to be read from an attempt's branch.
#[must_use]
pub(in crate::core) fn wanted(task: &Task, attempt: &Attempt) -> Option<Wanted> {
    let value = |key: &str| task.launch.brief.values.get(key).cloned().unwrap_or_default();
    match (attempt.part, task.launch.brief.duty) {
        (Part::Second, duty) => {
            let look = looks(task) + 1;
            Some(Wanted::Findings { file: FINDINGS_FILE.to_owned(), look, verdict: duty != Duty::Spec })
        }
        (Part::Work, Duty::Spec) => {
            let answers = open_findings(task)
                .filter(|found| !found.list.is_empty())
                .map(|_| answers_file(task, looks(task)));
            Some(Wanted::Spec { file: value("path"), answers })
        }
        (Part::Work, Duty::Plan) => Some(Wanted::Plan {
            folder: value("folder"),
            touchpoints: task
                .launch
                .brief
                .values
                .get("touchpoints")
                .map_or_else(Vec::new, |lines| lines.lines().map(str::to_owned).collect()),
        }),
        (Part::Work, Duty::Build | Duty::Chore | Duty::Check) => {
            task.launch.brief.bench.map(|_| Wanted::Lines { target: task.launch.target.clone() })
        }
    }
}

/// What an attempt of this part is judged by.
#[must_use]
pub(in crate::core) fn terms(task: &Task, part: Part) -> Terms {
    let brief = &task.launch.brief;
    let gates = match (part, brief.duty) {
        (Part::Second, _) => crate::core::model::effect::Gates::None,
        // Only the merged result is what code is tested for.
        (Part::Work, Duty::Spec | Duty::Plan) => crate::core::model::effect::Gates::Policy,
        (Part::Work, Duty::Build | Duty::Chore | Duty::Check) => crate::core::model::effect::Gates::All,
    };
    let memory = brief.values.get("memory").cloned();
    Terms {
        touches: brief.touches.clone(),
        checks: brief.checks.clone(),
        gates,
        union: memory.into_iter().collect(),
    }
}

/// What the merged result is judged by: as code, whatever it is.
#[must_use]
pub(in crate::core) fn terms_merged(task: &Task) -> Terms {
    let gates = crate::core::model::effect::Gates::All;
    match task.stage {
        // What is taken back is not the task's work.
        crate::core::model::task::Stage::RollingBack => Terms { gates, ..Terms::default() },
        _ => Terms { gates, ..terms(task, Part::Work) },
    }
}

/// What is wrong with what an attempt of work brought, in words for the next one.
#[must_use]
pub(in crate::core) fn mistakes(task: &Task, attempt: &Attempt) -> Option<String> {
    let brought = attempt.read.as_ref()?.brought.as_ref();
    if matches!(wanted(task, attempt)?, Wanted::Lines { .. }) {
        return None;
    }
    let lines = match brought {
        None => vec!["what was asked for was not found on the branch".to_owned()],
        Some(Brought::Mistakes(lines)) => lines.clone(),
        Some(Brought::Spec { answers, .. }) => {
            open_findings(task).map(|found| found.unanswered(answers)).unwrap_or_default()
        }
        Some(Brought::Findings(_) | Brought::Plan(_) | Brought::Lines(_)) => Vec::new(),
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
    let brief = &task.launch.brief;
    brief.second.is_some()
        && match brief.duty {
            Duty::Spec => looks(task) < brief.rounds as usize,
            Duty::Build | Duty::Plan | Duty::Chore | Duty::Check => true,
        }
}

/// How many tries of a part count against the limit of attempts.
#[must_use]
pub(in crate::core) fn tries(task: &Task, part: Part) -> u32 {
    let count = match part {
        // Green work that was found wanting is no failed try: its rounds are counted.
        Part::Work => task
            .attempts
            .iter()
            .filter(|a| a.part == Part::Work && a.result != Some(AttemptResult::Green))
            .count(),
        Part::Second => task
            .attempts
            .iter()
            .rev()
            .take_while(|a| a.part == Part::Second && a.result != Some(AttemptResult::Reviewed))
            .count(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many tries of a part a task may start by itself, but for those that a human granted.
#[must_use]
pub(in crate::core) fn tries_max(task: &Task, part: Part) -> u32 {
    let set = task.launch.limits.attempts;
    match (part, task.launch.brief.bench) {
        // That a look could not be read says nothing about the work that is measured.
        (Part::Second, Some(_)) => set.max(LOOKS_MAX),
        (Part::Second | Part::Work, _) => set,
    }
}

/// How often a verifier may try in a bench.
const LOOKS_MAX: u32 = 3;
