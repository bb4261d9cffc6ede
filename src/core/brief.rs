//! A brief: what a task is for in the outer loop, who looks at its work with other eyes, and what it must keep to.
//!
//! Owns the order of a task's attempts where there is more than one kind: a spec is drafted, attacked and refined in turns;
//! finished work is verified before a person sees it. A plain task has an empty brief.

use super::attempt::{self, AgentTraits, Exit};
use super::bench::{self, likeness::Sketch};
use super::fact::{Ending, Fact};
use super::finding::{Answered, Findings};
use super::ids::{AttemptId, BenchId, SpecId, TaskId};
use super::notice::NoticeKind;
use super::plan::Phase;
use super::prompt;
use super::spec::Contract;
use super::state::{Attempt, Task};
use super::text::Shown;
use super::turn::Turn;
use super::view::AttemptResult;
use super::{attempt::Start, effect::Terms, effect::Wanted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// To change the code.
    #[default]
    Build,
    /// To write a spec.
    Spec,
    /// To cut a spec into phases and tasks.
    Plan,
    /// To do a part of a batch: look over the last one, tidy up, report.
    Chore,
    /// To have all gates run on the target as it is; no agent works on it.
    Check,
}

impl Duty {
    /// The word on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Spec => "spec",
            Self::Plan => "plan",
            Self::Chore => "chore",
            Self::Check => "check",
        }
    }
}

/// What an attempt is to its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Its work is what may be merged.
    #[default]
    Work,
    /// It looks at that work with other eyes; nothing of it is merged.
    Second,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brief {
    /// The spec that the task is a part of.
    pub spec: Option<SpecId>,
    /// What it is for.
    pub duty: Duty,
    /// Who looks at its work before a person does; none: nobody.
    pub second: Option<AgentTraits>,
    /// A spec is attacked this often; work with findings goes back to a fresh attempt at most this often.
    pub rounds: u32,
    /// It may begin on finished work of its spec that has not landed yet.
    pub stack: bool,
    /// The person has approved it in advance: what is green (and verified) lands.
    pub ahead: bool,
    /// Paths that it may change; empty: all.
    pub touches: Vec<String>,
    /// Commands that must succeed on its work, beside the repo's gates.
    pub checks: Vec<String>,
    /// What the prompts of its attempts are filled with.
    pub values: BTreeMap<String, String>,
    /// Prompts of the repo's own, in the place of the built-in ones.
    pub templates: BTreeMap<String, String>,
    /// The bench that it is a run of: what is found in its work is data, and sends nothing back.
    pub bench: Option<BenchId>,
}

/// What an attempt's branch brought beside its commits, read and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brought {
    /// It is not there or not right; a line each, with its place.
    Mistakes(Vec<String>),
    /// A spec.
    Spec {
        /// Its machine-read part.
        contract: Box<Contract>,
        /// All of it.
        text: String,
        /// Answers to the findings of the look before.
        answers: Vec<Answered>,
    },
    /// What other eyes found.
    Findings(Findings),
    /// A plan.
    Plan(Vec<Phase>),
    /// Its changed lines, as numbers.
    Lines(Sketch),
}

/// The file in which a second pair of eyes writes what it found; never merged.
pub const FINDINGS_FILE: &str = ".nopeek/findings.toml";

/// How many looks have been taken at a task's work.
fn looks(task: &Task) -> usize {
    reviewed(task).count()
}

fn reviewed(task: &Task) -> impl DoubleEndedIterator<Item = &Attempt> {
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

/// What a look found.
#[must_use]
pub fn findings(attempt: &Attempt) -> Option<&Findings> {
    match attempt.read.as_ref()?.brought.as_ref()? {
        Brought::Findings(findings) => Some(findings),
        Brought::Mistakes(_) | Brought::Spec { .. } | Brought::Plan(_) | Brought::Lines(_) => None,
    }
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
                "None: this is the first look.\n".to_owned()
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
    attempt::prompt(&asked, note)
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
        (Part::Second, _) => super::effect::Gates::None,
        // Only the merged result is what code is tested for.
        (Part::Work, Duty::Spec | Duty::Plan) => super::effect::Gates::Policy,
        (Part::Work, Duty::Build | Duty::Chore | Duty::Check) => super::effect::Gates::All,
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
    let gates = super::effect::Gates::All;
    match task.stage {
        // What is taken back is not the task's work.
        super::state::Stage::RollingBack => Terms { gates, ..Terms::default() },
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
    Some(format!(
        "What the previous attempt wrote can't be taken as it is:\n\n{list}\nMend this, and commit."
    ))
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

/// The agent of a second part has ended and what it left was read.
pub(in crate::core) fn look_over(
    turn: &mut Turn<'_>,
    id: AttemptId,
    exit: Exit,
    ending: Option<Ending>,
    failed: bool,
) {
    let Some(task) = turn.state.tasks.get(&id.task) else { return };
    let Some(attempt) = task.attempts.iter().find(|a| a.id == id) else { return };
    let found = findings(attempt).cloned();
    let (result, note) = match (attempt::over_before_gates(exit, ending, failed, 1), found) {
        (Some((result, _)), _) => (result, "The look before this one failed before it was done.".to_owned()),
        (None, Some(found)) => {
            turn.fact(Fact::AttemptOver { attempt: id, result: AttemptResult::Reviewed });
            return looked(turn, id.task, &found);
        }
        (None, None) => {
            let said = match attempt.read.as_ref().and_then(|read| read.brought.as_ref()) {
                Some(Brought::Mistakes(lines)) => lines.join("\n- "),
                Some(Brought::Spec { .. } | Brought::Findings(_) | Brought::Plan(_) | Brought::Lines(_))
                | None => {
                    format!("{FINDINGS_FILE} is not there")
                }
            };
            (AttemptResult::Red, format!("What the look before this one wrote can't be read:\n\n- {said}"))
        }
    };
    attempt::next(turn, id, result, &note);
}

/// What follows from what was found.
fn looked(turn: &mut Turn<'_>, id: TaskId, found: &Findings) {
    let Some(task) = turn.state.tasks.get(&id) else { return };
    let brief = &task.launch.brief;
    let again = |turn: &mut Turn<'_>, part, note| {
        let fact = Fact::Requeued { task: id, start: Start::Previous, note, granted: false, part };
        turn.fact(fact);
    };
    match brief.duty {
        Duty::Spec if !found.list.is_empty() => again(turn, Part::Work, String::new()),
        Duty::Spec if needs_look(task) => again(turn, Part::Second, String::new()),
        Duty::Spec => review(turn, id, "attacked and refined: the spec waits for your approval"),
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if found.is_clean() => {
            review(turn, id, "green and verified: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check if brief.bench.is_some() => {
            review(turn, id, "green, verified with findings: waits for review");
        }
        Duty::Build | Duty::Plan | Duty::Chore | Duty::Check => {
            let used = reviewed(task).filter_map(findings).filter(|found| !found.is_clean()).count();
            if used > brief.rounds as usize {
                let why = format!(
                    "verified {used} times, and there is still something found: read the findings, then retry, land or reject it"
                );
                turn.notice(id, NoticeKind::NeedsYou, &why);
                turn.fact(Fact::Stuck { task: id, why: Shown::line(&why) });
            } else {
                let missing =
                    if found.implemented == Some(false) { "It is not fully implemented.\n" } else { "" };
                let note = format!(
                    "The work on your branch passed its gates. Another pair of eyes has compared it with the spec and found:\n\n{missing}{}\n\
                     Deal with each of medium or high weight: mend it, with a test that would have caught it. Commit.",
                    found.words()
                );
                again(turn, Part::Work, note);
            }
        }
    }
}

/// Opens the review by a person; one that was approved in advance goes on by itself.
pub(in crate::core) fn review(turn: &mut Turn<'_>, id: TaskId, words: &str) {
    turn.fact(Fact::ReviewOpened { task: id });
    let ahead = turn.state.tasks.get(&id).is_none_or(|task| task.launch.brief.ahead);
    if !ahead && !bench::speaks_for(turn.state, id) {
        turn.notice(id, NoticeKind::NeedsYou, words);
    }
}

/// Approves what was approved in advance.
pub(in crate::core) fn approve_ahead(turn: &mut Turn<'_>, id: TaskId) {
    let Some(task) = turn.state.tasks.get(&id).filter(|task| task.launch.brief.ahead) else { return };
    let Some(head) = task.work().and_then(|a| a.read.as_ref()).map(|read| read.head.clone()) else { return };
    turn.fact(Fact::Approved { task: id, head });
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
