//! The report: what came of tasks in a stretch of time, folded from the ledger and from nothing else.
//!
//! [`gather::Gather`] takes the ledger's entries one by one; [`Report`] is what they add up to; `markdown` and `html` are
//! how it is read. Promises: the totals are sums over what the ledger says within the stretch, so that reports of
//! neighbouring stretches add up to the report of both; what is unknown is counted as unknown and never as zero; no
//! content of a covered screen (questions are the one thing that the lid lets through).
//!
//! Field names are the JSON names and are kept stable. Times are milliseconds since 1970-01-01 UTC, spans milliseconds,
//! money millionths of a US dollar.

pub mod bench;
pub mod gather;
pub mod html;
pub mod markdown;
mod picture;
#[cfg(test)]
mod tests;
pub mod timeline;
mod totals;
pub mod trace;
pub mod words;

use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::diff::DiffStat;
use crate::core::model::gate::{TestCounts, Verdict};
use crate::core::model::task::TaskState;
use crate::values::ids::{Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The version of the JSON form; grows when a field changes its meaning, not when one is added.
pub const VERSION: u32 = 1;

/// Most tasks that are listed one by one, the newest; all are in the totals.
pub const TASKS_MAX: usize = 1_000;

/// Most attempts of a task that are listed, the newest; all are in the totals.
pub const ATTEMPTS_MAX: usize = 50;

/// Most verdicts of an attempt, and most questions, peeks and votes of a task or attempt, that are listed.
pub const LISTED_MAX: usize = 50;

/// Longest text of a question, an answer or a reason, in characters.
pub const TEXT_MAX: usize = 300;

/// What a report is about: all of it that is asked for at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// These tasks alone: one, those of a spec, those of a batch. None: all.
    pub tasks: Option<BTreeSet<TaskId>>,
    /// Tasks of this repo alone, by its main checkout.
    pub repo: Option<PathBuf>,
    /// What happened from here on, this moment included.
    pub since: Option<Time>,
    /// What happened before this.
    pub until: Option<Time>,
}

/// What came of tasks in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of the JSON form: [`VERSION`].
    pub version: u32,
    /// When it was made.
    pub made: Time,
    /// Where the stretch begins; none: where the ledger does.
    pub since: Option<Time>,
    pub until: Time,
    /// Tasks to which something happened, or which had not ended; oldest first.
    pub tasks: Vec<TaskReport>,
    /// Older tasks that are in the totals and not listed.
    pub left_out: u32,
    pub totals: Totals,
}

/// A task in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskReport {
    pub id: TaskId,
    pub name: String,
    /// Its repo's main checkout.
    pub repo: PathBuf,
    /// The branch that it lands on.
    pub target: String,
    pub agent: String,
    /// The first line of what its agents were asked.
    pub title: Shown,
    /// Where it stood at the end of the stretch.
    pub state: TaskState,
    /// Why, if it was stuck or rejected.
    pub why: Shown,
    /// It was taken off the board.
    pub forgotten: bool,
    /// When it was launched.
    pub created: Time,
    /// When it came to an end: landed, rolled back, stopped, rejected.
    pub ended: Option<Time>,
    /// From its launch to its end, or to the end of the stretch.
    pub duration: Span,
    /// The commit that landed it.
    pub landed: Option<Oid>,
    pub landed_at: Option<Time>,
    /// When its revert landed.
    pub rolled_back_at: Option<Time>,
    /// Commits on its newest attempt's branch; none: it was not read yet.
    pub commits: Option<u32>,
    /// Size of its newest attempt's diff.
    pub diffstat: Option<DiffStat>,
    /// Its attempts of the stretch, oldest first.
    pub attempts: Vec<AttemptReport>,
    /// Older attempts of the stretch that are in the sums and not listed.
    pub attempts_left_out: u32,
    /// Of its attempts of the stretch, those that looked at its work with other eyes.
    #[serde(default)]
    pub looks: u32,
    /// How often a review sent it back.
    pub sent_back: u32,
    /// What its agents asked.
    pub questions: Vec<Question>,
    /// What the panel voted on for it.
    pub votes: Vec<Note>,
    /// What else was decided about it: budgets, its agents' requests, its spec, its batch.
    pub notes: Vec<Note>,
    /// Where its time went.
    pub time: Times,
    /// What its attempts used.
    pub used: Used,
}

/// Where a task's time within the stretch went, by the clock on the wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// In the start queue.
    pub queued: Span,
    /// Being worked on: set-up, agent, gates.
    pub working: Span,
    /// Waiting for a human: a question, a review, a decision.
    pub waiting: Span,
    /// In the merge queue.
    pub merging: Span,
    /// Paused by a human.
    pub paused: Span,
}

/// What attempts used within the stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Running time of agents, pauses and the machine's sleep not counted.
    pub work: Span,
    /// Tokens read, as far as they are known; none: of no attempt.
    pub tokens_in: Option<u64>,
    /// Tokens written, as far as they are known; none: of no attempt.
    pub tokens_out: Option<u64>,
    /// Attempts whose agent ran and whose tokens are unknown.
    pub tokens_unknown: u32,
    /// Cost, as far as it is known; none: of no attempt.
    pub cost_microusd: Option<u64>,
    /// Attempts whose agent ran and whose cost is unknown.
    pub cost_unknown: u32,
}

/// An attempt in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptReport {
    /// Which attempt, from 1.
    pub no: u32,
    /// Whether it did the work or looked at it with other eyes.
    #[serde(default)]
    pub part: AttemptKind,
    /// It was opened before the stretch began.
    pub began_before: bool,
    /// When it was opened.
    pub opened: Time,
    /// When its agent first ran.
    pub started: Option<Time>,
    /// When its agent last ended.
    pub agent_ended: Option<Time>,
    /// When it was over: its gates were done, or it had failed before.
    pub over: Option<Time>,
    /// How it came out in the end; none: it was under way.
    pub result: Option<AttemptResult>,
    /// It was green at some time, whatever a review or the merge made of it.
    pub green: bool,
    pub landed: bool,
    /// Its lid was broken.
    pub peeked: bool,
    /// When, by whom, why.
    pub peeks: Vec<Peek>,
    /// Verdicts, in the order in which they were given.
    pub gates: Vec<GateReport>,
    /// Commits on its branch; none: it was not read yet.
    pub commits: Option<u32>,
    /// Size of its diff.
    pub diffstat: Option<DiffStat>,
    /// What it used within the stretch.
    pub used: Used,
}

/// A verdict of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    pub name: String,
    /// Whether red stops the attempt.
    pub required: bool,
    /// On the merged tree, not on the attempt's own.
    pub merged: bool,
    pub verdict: Verdict,
    /// When it was given.
    pub at: Time,
    /// How long the run took.
    pub took: Option<Span>,
    pub tests: Option<TestCounts>,
}

/// A lid that somebody broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peek {
    pub at: Time,
    pub by: Shown,
    pub reason: Shown,
}

/// A question of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub attempt: u32,
    /// When it was put.
    pub at: Time,
    /// What was asked; may be empty.
    pub text: Shown,
    /// When a human answered.
    pub answered: Option<Time>,
    pub answer: Shown,
}

/// Something that was decided about a task, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub at: Time,
    /// The kind of fact.
    pub kind: String,
    pub text: Shown,
}

/// The sums of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Tasks, those that are not listed too.
    pub tasks: u32,
    pub landed: u32,
    pub rolled_back: u32,
    /// Tasks that a human ended unmerged and that stand so at the end.
    pub ended_unmerged: u32,
    /// Tasks that wait for a human at the end.
    pub needs_you: u32,
    /// Tasks that are queued, worked on or merged at the end.
    pub under_way: u32,
    /// Attempts that were opened, looks and all.
    pub attempts: u32,
    /// Of them, those that looked at work with other eyes.
    #[serde(default)]
    pub looks: u32,
    pub verdicts: u32,
    /// Verdicts that were failed, timed out or errored.
    pub red_gates: u32,
    /// Questions that agents put.
    pub questions: u32,
    /// Answers that humans gave.
    pub answers: u32,
    /// Lids that were broken.
    pub peeks: u32,
    /// Times that a review sent work back.
    pub sent_back: u32,
    /// Votes of the panel on these tasks.
    pub votes: u32,
    /// Where the tasks' time went.
    pub time: Times,
    pub used: Used,
    /// Attempts at the work whose lid was broken.
    pub peeked: Outcomes,
    /// Attempts at the work whose lid stayed on.
    pub unpeeked: Outcomes,
    /// By gate, in the order of their names.
    pub gates: Vec<GateTotal>,
}

/// How attempts fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Attempts that were over for the first time.
    pub ended: u32,
    /// Of all attempts, those that went green.
    pub green: u32,
    /// Of all attempts, those that landed.
    pub landed: u32,
}

/// A gate's verdicts, all attempts together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateTotal {
    pub name: String,
    pub passed: u32,
    /// Verdicts taken over from a run on the same tree.
    pub cached: u32,
    /// Runs that failed, timed out or errored.
    pub red: u32,
    /// Not run, as a gate that it needs was not green.
    pub skipped: u32,
    /// Time of all runs.
    pub took: Span,
}

impl TaskReport {
    /// Its attempts of the stretch, listed or not: tries at the work, and looks at it.
    #[must_use]
    pub fn tries(&self) -> (u32, u32) {
        let listed = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        (listed.saturating_add(self.attempts_left_out).saturating_sub(self.looks), self.looks)
    }
}

impl Report {
    /// Lists only the newer half of the tasks; the totals stay. For whoever has less room.
    pub fn shorten(&mut self) {
        let gone = self.tasks.len().div_ceil(2);
        self.tasks.drain(..gone);
        self.left_out = self.left_out.saturating_add(u32::try_from(gone).unwrap_or(u32::MAX));
    }

    /// Whether its stretch reaches to the moment at which it was made.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.until.0 >= self.made.0
    }
}

/// A sign for how an attempt came out, of one column; none: it is under way.
#[must_use]
pub const fn sign(result: Option<AttemptResult>) -> char {
    match result {
        None => '▸',
        Some(AttemptResult::Green) => '●',
        Some(AttemptResult::Reviewed) => '○',
        Some(AttemptResult::Red) => '✗',
        Some(AttemptResult::NoWork) => '∅',
        Some(AttemptResult::Failed) => '!',
        Some(AttemptResult::TimedOut) => '◷',
        Some(AttemptResult::SentBack) => '↩',
        Some(AttemptResult::MergeFailed) => '≠',
        Some(AttemptResult::Stopped) => '■',
        Some(AttemptResult::Interrupted) => '?',
        Some(AttemptResult::OverBudget) => '$',
    }
}

/// Whether a verdict is red: it ran and is not green.
#[must_use]
pub const fn is_red(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Failed | Verdict::TimedOut | Verdict::Errored => true,
        Verdict::Passed | Verdict::Cached | Verdict::Skipped => false,
    }
}
