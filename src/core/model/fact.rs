//! What was decided: the vocabulary of the ledger.
//!
//! A fact is complete: applying it needs no rule, no clock and no look at the world, so that a changed rule
//! never changes the past. Facts are only ever added to this enum; old ledgers always load.

use crate::core::model::agent::{AgentState, Exit, Source, Usage};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::bench::BenchFact;
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::budget::{BudgetFact, Spent};
use crate::core::model::effect::Effect;
use crate::core::model::gate::{TestCounts, Verdict};
use crate::core::model::job::{Ending, Role};
use crate::core::model::panel::PanelFact;
use crate::core::model::question::QuestionFact;
use crate::core::model::spec::SpecFact;
use crate::core::model::task::Launch;
use crate::values::ids::{AttemptId, EffectId, JobId, Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::duration;
use crate::values::words::plural::counted;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A fact in its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Time,
    /// Who caused it: a person's name, or `nopeek`.
    pub by: String,
    pub fact: Fact,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fact {
    /// A task was created and put at the end of the start queue.
    Launched {
        task: TaskId,
        /// All that was asked for; the name is final.
        launch: Box<Launch>,
        /// Tasks that must have landed before it starts. None in facts of before: then the names in `launch` are looked up
        /// among the tasks that were on the board at that moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Vec<TaskId>>,
    },
    /// At most so many agents at once in a repo.
    ParallelSet {
        repo: PathBuf,
        /// From 1.
        parallel: u32,
    },
    /// A waiting task has a new place in its repo's start queue.
    Reordered {
        task: TaskId,
        /// Its place among its repo's waiting tasks, 0 being next.
        place: usize,
    },
    /// The world is asked for something.
    #[serde(rename = "asked")]
    #[strum(serialize = "asked")]
    EffectRequested {
        /// What, with the id that the answer will name.
        effect: Effect,
        /// Whose sake it is for.
        task: TaskId,
    },
    /// The world has answered; what that means stands in the facts beside this one.
    #[serde(rename = "settled")]
    #[strum(serialize = "settled")]
    EffectDone {
        effect: EffectId,
        /// The task that it was for.
        task: TaskId,
    },
    /// A fresh attempt was opened.
    AttemptOpened {
        attempt: AttemptId,
        /// From where its branch starts.
        start: Start,
        /// What its agent is asked to do, complete.
        prompt: String,
        /// What it is to its task.
        part: AttemptKind,
    },
    WorktreeMade {
        attempt: AttemptId,
        /// Where, from what, with which set-up and gates.
        ready: WorktreeReady,
    },
    /// A job belongs to a task from now on.
    JobOpened {
        job: JobId,
        attempt: AttemptId,
        role: Role,
    },
    /// The job's process runs.
    JobRan {
        job: JobId,
        task: TaskId,
    },
    /// The job is to end, for this reason.
    JobEnding {
        job: JobId,
        task: TaskId,
        why: Ending,
    },
    /// The job has ended.
    JobEnded {
        job: JobId,
        task: TaskId,
        exit: Exit,
    },
    /// An agent's state, as the best source known says.
    AgentSaid {
        attempt: AttemptId,
        /// From where this is known.
        source: Source,
        state: AgentState,
        /// How much of its output had been read by then.
        #[serde(default, skip_serializing_if = "is_zero")]
        read: u64,
    },
    /// A human answered the agent's question.
    Answered {
        attempt: AttemptId,
        /// The question that was answered.
        question: Shown,
        /// The answer in words.
        answer: Shown,
    },
    /// The agent's own session, for a resume.
    SessionKnown {
        attempt: AttemptId,
        session: String,
    },
    /// What the agent has used.
    UsageKnown {
        attempt: AttemptId,
        usage: Usage,
    },
    /// A task stands still, with all of its clocks.
    Paused {
        task: TaskId,
    },
    Unpaused {
        task: TaskId,
    },
    /// The machine slept; running clocks are moved on by this much.
    Slept {
        span: Span,
    },
    /// The branch of an attempt was read after its agent ended.
    BranchKnown {
        attempt: AttemptId,
        read: BranchRead,
    },
    /// A gate has a verdict.
    GateJudged {
        attempt: AttemptId,
        /// Of the merge candidate rather than of the attempt's own tree.
        merged: bool,
        /// The gate's place in the list.
        gate: usize,
        verdict: Verdict,
        tests: Option<TestCounts>,
        /// How long it took.
        took: Option<Span>,
        /// The end of its output if it is not green.
        tail: String,
    },
    /// An attempt is over.
    AttemptOver {
        attempt: AttemptId,
        /// How it came out.
        result: AttemptResult,
    },
    /// A task waits for its next attempt, at the end of the start queue unless it is the only thing to do.
    Requeued {
        task: TaskId,
        /// From where the next attempt starts.
        start: Start,
        /// What its agent is told beside the task.
        note: String,
        /// A human asked for it: one more attempt than the limit says is granted.
        granted: bool,
        /// What the next attempt is to the task.
        part: AttemptKind,
    },
    /// Waits for a human to read the diff.
    ReviewOpened {
        task: TaskId,
    },
    /// A person has changed the reviewed branch: it is read and gated again.
    Reopened {
        task: TaskId,
    },
    /// Approved at this head; in the merge queue.
    Approved {
        task: TaskId,
        head: Oid,
    },
    /// A landed task is to be reverted; in the merge queue.
    RollbackAsked {
        task: TaskId,
    },
    /// The candidate stands in its scratch worktree.
    CandidateBuilt {
        task: TaskId,
        built: MergeBuilt,
    },
    /// The candidate is given up; the merge is built again.
    CandidateStale {
        task: TaskId,
    },
    /// The candidate could not be made or is red, or the target refused it: out of the merge queue.
    MergeLeft {
        task: TaskId,
    },
    Landed {
        task: TaskId,
        /// The commit that the target was moved to.
        commit: Oid,
    },
    /// The revert is on the target.
    RolledBack {
        task: TaskId,
        /// The commit that the target was moved to.
        commit: Oid,
    },
    /// Waits for a human to decide.
    Stuck {
        task: TaskId,
        /// Why, and what can be done.
        why: Shown,
    },
    /// Its agent died with the machine.
    Interrupted {
        task: TaskId,
    },
    /// A human ended it.
    Stopped {
        task: TaskId,
    },
    /// A review ended it.
    Rejected {
        task: TaskId,
        reason: Shown,
    },
    /// The lid was broken.
    Peeked {
        attempt: AttemptId,
        reason: Shown,
    },
    /// The lid is back on.
    Covered {
        attempt: AttemptId,
    },
    Forgotten {
        task: TaskId,
        /// What all of its attempts had used: it counts on for the day and for its batch. None in facts of before: then it
        /// is summed when the fact is read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<Spent>,
    },
    /// Numbers up to these were given out by facts that are not in this ledger: an older back-up took its place.
    /// What was made under them still lies in the data folder, so new numbers begin above.
    NumbersUsed {
        /// The highest number of a task.
        task: TaskId,
        /// The highest number of a job.
        job: JobId,
        /// The highest number of an effect.
        effect: EffectId,
    },
    Panel(PanelFact),
    /// Of a question of an agent.
    #[serde(rename = "ask")]
    #[strum(serialize = "ask")]
    Question(QuestionFact),
    Budget(BudgetFact),
    /// Of the schedule and its batches.
    Batch(BatchFact),
    Spec(SpecFact),
    Bench(BenchFact),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Fact {
    /// The kind in snake case: a ledger column that scripts filter on.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Panel(fact) => fact.kind(),
            Self::Question(fact) => fact.kind(),
            Self::Budget(fact) => fact.kind(),
            Self::Batch(fact) => fact.kind(),
            Self::Spec(fact) => fact.kind(),
            Self::Bench(fact) => fact.kind(),
            own => own.into(),
        }
    }

    /// A kind as people read it. The ledger keeps the kind itself, which scripts filter on: two of them are older than
    /// the words for what they mean.
    #[must_use]
    pub fn kind_words(kind: &str) -> String {
        match kind {
            "asked" => "effect requested".to_owned(),
            "settled" => "effect done".to_owned(),
            kind => kind.replace('_', " "),
        }
    }

    /// Kinds of the engine's own book-keeping: effects, jobs, totals, sleeps. What follows from them stands in other
    /// facts, so that people see them only if they ask for all.
    pub const ENGINE_KINDS: [&'static str; 11] = [
        "asked",
        "settled",
        "worktree_made",
        "job_opened",
        "job_ran",
        "job_ending",
        "job_ended",
        "session_known",
        "usage_known",
        "slept",
        "candidate_built",
    ];

    /// The task that the fact is about; none for facts about a repo or the machine.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::ParallelSet { .. } | Self::Slept { .. } | Self::NumbersUsed { .. } => None,
            Self::EffectRequested { task: TaskId(0), .. } | Self::EffectDone { task: TaskId(0), .. } => None,
            Self::Panel(fact) => fact.task(),
            Self::Question(fact) => fact.task(),
            Self::Budget(fact) => fact.task(),
            Self::Batch(fact) => fact.task(),
            Self::Spec(fact) => fact.task(),
            Self::Bench(fact) => fact.task(),
            Self::Launched { task, .. }
            | Self::Reordered { task, .. }
            | Self::EffectRequested { task, .. }
            | Self::EffectDone { task, .. }
            | Self::JobRan { task, .. }
            | Self::JobEnding { task, .. }
            | Self::JobEnded { task, .. }
            | Self::Paused { task }
            | Self::Unpaused { task }
            | Self::Requeued { task, .. }
            | Self::ReviewOpened { task }
            | Self::Reopened { task }
            | Self::Approved { task, .. }
            | Self::RollbackAsked { task }
            | Self::CandidateBuilt { task, .. }
            | Self::CandidateStale { task }
            | Self::MergeLeft { task }
            | Self::Landed { task, .. }
            | Self::RolledBack { task, .. }
            | Self::Stuck { task, .. }
            | Self::Interrupted { task }
            | Self::Stopped { task }
            | Self::Rejected { task, .. }
            | Self::Forgotten { task, .. } => Some(*task),
            Self::AttemptOpened { attempt, .. }
            | Self::WorktreeMade { attempt, .. }
            | Self::JobOpened { attempt, .. }
            | Self::AgentSaid { attempt, .. }
            | Self::Answered { attempt, .. }
            | Self::SessionKnown { attempt, .. }
            | Self::UsageKnown { attempt, .. }
            | Self::BranchKnown { attempt, .. }
            | Self::GateJudged { attempt, .. }
            | Self::AttemptOver { attempt, .. }
            | Self::Peeked { attempt, .. }
            | Self::Covered { attempt } => Some(attempt.task),
        }
    }

    /// The fact in words, for the ledger as people read it.
    #[must_use]
    pub fn describe(&self) -> Shown {
        let words = match self {
            Self::Launched { launch, .. } => {
                let by = launch.by.map(|by| format!(", added by the agent of {by}")).unwrap_or_default();
                format!("launched {} with {}{by}", launch.name, launch.agent.profile)
            }
            Self::ParallelSet { parallel, .. } => format!("at most {} at once", counted(*parallel, "agent")),
            Self::Reordered { place, .. } => format!("is now #{} in the start queue", place + 1),
            Self::EffectRequested { effect, .. } => {
                format!("effect {} requested: {}", effect.id, effect.what.label())
            }
            Self::EffectDone { effect, .. } => format!("effect {effect} done"),
            Self::AttemptOpened { attempt, part: AttemptKind::Work, .. } => {
                format!("opened attempt {}", attempt.no)
            }
            Self::AttemptOpened { attempt, part: AttemptKind::SecondReview, .. } => {
                format!("opened attempt {}: second review", attempt.no)
            }
            Self::WorktreeMade { ready, .. } => format!("worktree made at {}", ready.base.short()),
            Self::JobOpened { job, role, .. } => format!("opened {job}: {}", role.label()),
            Self::JobRan { job, .. } => format!("{job} runs"),
            Self::JobEnding { job, why, .. } => format!("{job} is being ended: {}", why.label()),
            Self::JobEnded { job, exit: Exit::Code(code), .. } => format!("{job} ended with code {code}"),
            Self::JobEnded { job, exit: Exit::Signal(signal), .. } => {
                format!("{job} ended by signal {signal}")
            }
            Self::JobEnded { job, exit: Exit::Unknown, .. } => format!("{job} ended, exit status unknown"),
            Self::AgentSaid { state, source, .. } => format!("agent {} ({})", state.label(), source.label()),
            Self::Answered { question, answer, .. } if question.is_empty() => {
                format!("answered {:?}", answer.as_str())
            }
            Self::Answered { question, answer, .. } => {
                format!("answered {:?} to {:?}", answer.as_str(), question.as_str())
            }
            Self::SessionKnown { session, .. } => format!("session {session}"),
            Self::UsageKnown { usage, .. } => format!(
                "used {} in, {} out",
                usage.tokens_in.map_or("unknown tokens".to_owned(), |n| counted(n, "token")),
                usage.tokens_out.map_or("unknown".to_owned(), |n| n.to_string()),
            ),
            Self::Paused { .. } => "paused".to_owned(),
            Self::Unpaused { .. } => "resumed".to_owned(),
            Self::Slept { span } => format!("the machine slept for {}", duration::long(*span)),
            Self::BranchKnown { read, .. } => {
                format!("branch has {}, head {}", counted(read.commits, "commit"), read.head.short())
            }
            Self::GateJudged { gate, verdict, merged, .. } => {
                format!("gate {} {}{}", gate + 1, verdict.label(), if *merged { " as merged" } else { "" })
            }
            Self::AttemptOver { attempt, result } => {
                format!("attempt {} is over: {}", attempt.no, result.label())
            }
            Self::Requeued { part: AttemptKind::Work, .. } => "waits for a fresh attempt".to_owned(),
            Self::Requeued { part: AttemptKind::SecondReview, .. } => "waits for a second review".to_owned(),
            Self::ReviewOpened { .. } => "waits for review".to_owned(),
            Self::Reopened { .. } => "its branch is read and gated again".to_owned(),
            Self::Approved { head, .. } => format!("approved at {}", head.short()),
            Self::RollbackAsked { .. } => "rollback requested".to_owned(),
            Self::CandidateBuilt { built, .. } => format!("merge candidate {} built", built.commit.short()),
            Self::CandidateStale { .. } => "the target moved: the candidate is built again".to_owned(),
            Self::MergeLeft { .. } => "left the merge queue".to_owned(),
            Self::Landed { commit, .. } => format!("landed as {}", commit.short()),
            Self::RolledBack { commit, .. } => format!("rolled back as {}", commit.short()),
            Self::Stuck { why, .. } => format!("stuck: {why}"),
            Self::Interrupted { .. } => "interrupted".to_owned(),
            Self::Stopped { .. } => "stopped".to_owned(),
            Self::Rejected { reason, .. } => format!("rejected: {reason}"),
            Self::Peeked { reason, .. } => format!("peeked: {reason}"),
            Self::Covered { .. } => "screen hidden again".to_owned(),
            Self::Forgotten { .. } => "archived".to_owned(),
            Self::NumbersUsed { task, job, .. } => {
                format!("numbers up to {task} and {job} were used before the ledger was restored")
            }
            Self::Panel(fact) => return fact.describe(),
            Self::Question(fact) => return fact.describe(),
            Self::Budget(fact) => return fact.describe(),
            Self::Batch(fact) => return fact.describe(),
            Self::Spec(fact) => return fact.describe(),
            Self::Bench(fact) => return fact.describe(),
        };
        Shown::line(&words)
    }
}
