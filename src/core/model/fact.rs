//! What was decided: the vocabulary of the ledger.
//!
//! A fact is complete: applying it needs no rule, no clock and no look at the world, so that a changed rule
//! never changes the past. Facts are only ever added to this enum; old ledgers always load.

use crate::core::model::agent::{AgentState, Exit, Source, Usage};
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::bench::BenchFact;
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::brief::Part;
use crate::core::model::budget::BudgetFact;
use crate::core::model::effect::Effect;
use crate::core::model::gate::{TestCounts, Verdict};
use crate::core::model::job::{Ending, Role};
use crate::core::model::panel::PanelFact;
use crate::core::model::question::AskFact;
use crate::core::model::spec::SpecFact;
use crate::core::model::task::Launch;
use crate::values::ids::{AttemptId, EffectId, JobId, Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::duration;
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
    /// What was decided.
    pub fact: Fact,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A task was created and put at the end of the start queue.
    Launched {
        /// Its number.
        task: TaskId,
        /// All that was asked for; the name is final.
        launch: Box<Launch>,
    },
    /// At most so many agents at once in a repo.
    ParallelSet {
        /// The repo.
        repo: PathBuf,
        /// From 1.
        parallel: u32,
    },
    /// A waiting task has a new place in its repo's start queue.
    Reordered {
        /// The task.
        task: TaskId,
        /// Its place among its repo's waiting tasks, 0 being next.
        place: usize,
    },
    /// The world is asked for something.
    Asked {
        /// What, with the id that the answer will name.
        effect: Effect,
        /// Whose sake it is for.
        task: TaskId,
    },
    /// The world has answered; what that means stands in the facts beside this one.
    Settled {
        /// The effect.
        effect: EffectId,
        /// The task that it was for.
        task: TaskId,
    },
    /// A fresh attempt was opened.
    AttemptOpened {
        /// Which.
        attempt: AttemptId,
        /// From where its branch starts.
        start: Start,
        /// What its agent is asked to do, complete.
        prompt: String,
        /// What it is to its task.
        #[serde(default)]
        part: Part,
    },
    /// Its worktree stands.
    WorktreeMade {
        /// Which attempt.
        attempt: AttemptId,
        /// Where, from what, with which set-up and gates.
        ready: WorktreeReady,
    },
    /// A job belongs to a task from now on.
    JobOpened {
        /// The job.
        job: JobId,
        /// Whose it is.
        attempt: AttemptId,
        /// What it is.
        role: Role,
    },
    /// The job's process runs.
    JobRan {
        /// The job.
        job: JobId,
        /// Whose it is.
        task: TaskId,
    },
    /// The job is to end, for this reason.
    JobEnding {
        /// The job.
        job: JobId,
        /// Whose it is.
        task: TaskId,
        /// Why.
        why: Ending,
    },
    /// The job has ended.
    JobEnded {
        /// The job.
        job: JobId,
        /// Whose it is.
        task: TaskId,
        /// How.
        exit: Exit,
    },
    /// An agent's state, as the best source known says.
    AgentSaid {
        /// The attempt.
        attempt: AttemptId,
        /// From where this is known.
        source: Source,
        /// What it said.
        state: AgentState,
        /// How much of its output had been read by then.
        #[serde(default, skip_serializing_if = "is_zero")]
        read: u64,
    },
    /// A human answered the agent's question.
    Answered {
        /// The attempt.
        attempt: AttemptId,
        /// The question that was answered.
        question: Shown,
        /// The answer in words.
        answer: Shown,
    },
    /// The agent's own session, for a resume.
    SessionKnown {
        /// The attempt.
        attempt: AttemptId,
        /// Its id.
        session: String,
    },
    /// What the agent has used.
    UsageKnown {
        /// The attempt.
        attempt: AttemptId,
        /// Totals.
        usage: Usage,
    },
    /// A task stands still, with all of its clocks.
    Paused {
        /// Which.
        task: TaskId,
    },
    /// It goes on.
    Unpaused {
        /// Which.
        task: TaskId,
    },
    /// The machine slept; running clocks are moved on by this much.
    Slept {
        /// How long.
        span: Span,
    },
    /// The branch of an attempt was read after its agent ended.
    BranchKnown {
        /// The attempt.
        attempt: AttemptId,
        /// What it holds.
        read: BranchRead,
    },
    /// A gate has a verdict.
    GateJudged {
        /// Whose gate.
        attempt: AttemptId,
        /// Of the merge candidate rather than of the attempt's own tree.
        merged: bool,
        /// The gate's place in the list.
        gate: usize,
        /// The verdict.
        verdict: Verdict,
        /// Tests counted.
        tests: Option<TestCounts>,
        /// How long it took.
        took: Option<Span>,
        /// The end of its output if it is not green.
        tail: String,
    },
    /// An attempt is over.
    AttemptOver {
        /// Which.
        attempt: AttemptId,
        /// How it came out.
        result: AttemptResult,
    },
    /// A task waits for its next attempt, at the end of the start queue unless it is the only thing to do.
    Requeued {
        /// Which.
        task: TaskId,
        /// From where the next attempt starts.
        start: Start,
        /// What its agent is told beside the task.
        note: String,
        /// A human asked for it: one more attempt than the limit says is granted.
        granted: bool,
        /// What the next attempt is to the task.
        #[serde(default)]
        part: Part,
    },
    /// Waits for a human to read the diff.
    ReviewOpened {
        /// Which task.
        task: TaskId,
    },
    /// A person has changed the reviewed branch: it is read and gated again.
    Reopened {
        /// The task.
        task: TaskId,
    },
    /// Approved at this head; in the merge queue.
    Approved {
        /// Which task.
        task: TaskId,
        /// The reviewed head.
        head: Oid,
    },
    /// A landed task is to be reverted; in the merge queue.
    RollbackAsked {
        /// Which task.
        task: TaskId,
    },
    /// The candidate stands in its scratch worktree.
    CandidateBuilt {
        /// Whose.
        task: TaskId,
        /// The candidate.
        built: MergeBuilt,
    },
    /// The candidate is given up; the merge is built again.
    CandidateStale {
        /// Whose.
        task: TaskId,
    },
    /// The candidate could not be made or is red, or the target refused it: out of the merge queue.
    MergeLeft {
        /// Whose.
        task: TaskId,
    },
    /// On the target.
    Landed {
        /// Which task.
        task: TaskId,
        /// The commit that the target was moved to.
        commit: Oid,
    },
    /// The revert is on the target.
    RolledBack {
        /// Which task.
        task: TaskId,
        /// The commit that the target was moved to.
        commit: Oid,
    },
    /// Waits for a human to decide.
    Stuck {
        /// Which task.
        task: TaskId,
        /// Why, and what can be done.
        why: Shown,
    },
    /// Its agent died with the machine.
    Interrupted {
        /// Which task.
        task: TaskId,
    },
    /// A human ended it.
    Stopped {
        /// Which task.
        task: TaskId,
    },
    /// A review ended it.
    Rejected {
        /// Which task.
        task: TaskId,
        /// Why.
        reason: Shown,
    },
    /// The lid was broken.
    Peeked {
        /// The attempt.
        attempt: AttemptId,
        /// Why.
        reason: Shown,
    },
    /// The lid is back on.
    Covered {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Off the board.
    Forgotten {
        /// Which task.
        task: TaskId,
    },
    /// Of the panel.
    Panel(PanelFact),
    /// Of a question of an agent.
    Ask(AskFact),
    /// Of budgets.
    Budget(BudgetFact),
    /// Of the schedule and its batches.
    Batch(BatchFact),
    /// Of a spec.
    Spec(SpecFact),
    /// Of a bench.
    Bench(BenchFact),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Fact {
    /// The kind in snake case: a ledger column that scripts filter on.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Launched { .. } => "launched",
            Self::ParallelSet { .. } => "parallel_set",
            Self::Reordered { .. } => "reordered",
            Self::Asked { .. } => "asked",
            Self::Settled { .. } => "settled",
            Self::AttemptOpened { .. } => "attempt_opened",
            Self::WorktreeMade { .. } => "worktree_made",
            Self::JobOpened { .. } => "job_opened",
            Self::JobRan { .. } => "job_ran",
            Self::JobEnding { .. } => "job_ending",
            Self::JobEnded { .. } => "job_ended",
            Self::AgentSaid { .. } => "agent_said",
            Self::Answered { .. } => "answered",
            Self::SessionKnown { .. } => "session_known",
            Self::UsageKnown { .. } => "usage_known",
            Self::Paused { .. } => "paused",
            Self::Unpaused { .. } => "unpaused",
            Self::Slept { .. } => "slept",
            Self::BranchKnown { .. } => "branch_known",
            Self::GateJudged { .. } => "gate_judged",
            Self::AttemptOver { .. } => "attempt_over",
            Self::Requeued { .. } => "requeued",
            Self::ReviewOpened { .. } => "review_opened",
            Self::Reopened { .. } => "reopened",
            Self::Approved { .. } => "approved",
            Self::RollbackAsked { .. } => "rollback_asked",
            Self::CandidateBuilt { .. } => "candidate_built",
            Self::CandidateStale { .. } => "candidate_stale",
            Self::MergeLeft { .. } => "merge_left",
            Self::Landed { .. } => "landed",
            Self::RolledBack { .. } => "rolled_back",
            Self::Stuck { .. } => "stuck",
            Self::Interrupted { .. } => "interrupted",
            Self::Stopped { .. } => "stopped",
            Self::Rejected { .. } => "rejected",
            Self::Peeked { .. } => "peeked",
            Self::Covered { .. } => "covered",
            Self::Forgotten { .. } => "forgotten",
            Self::Panel(fact) => fact.kind(),
            Self::Ask(fact) => fact.kind(),
            Self::Budget(fact) => fact.kind(),
            Self::Batch(fact) => fact.kind(),
            Self::Spec(fact) => fact.kind(),
            Self::Bench(fact) => fact.kind(),
        }
    }

    /// The task that the fact is about; none for facts about a repo or the machine.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::ParallelSet { .. } | Self::Slept { .. } => None,
            Self::Asked { task: TaskId(0), .. } | Self::Settled { task: TaskId(0), .. } => None,
            Self::Panel(fact) => fact.task(),
            Self::Ask(fact) => fact.task(),
            Self::Budget(fact) => fact.task(),
            Self::Batch(fact) => fact.task(),
            Self::Spec(fact) => fact.task(),
            Self::Bench(fact) => fact.task(),
            Self::Launched { task, .. }
            | Self::Reordered { task, .. }
            | Self::Asked { task, .. }
            | Self::Settled { task, .. }
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
            | Self::Forgotten { task } => Some(*task),
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
                let by = launch.by.map(|by| format!(", asked for by the agent of {by}")).unwrap_or_default();
                format!("launched {} with {}{by}", launch.name, launch.agent.profile)
            }
            Self::ParallelSet { parallel, .. } => format!("at most {parallel} agents at once"),
            Self::Reordered { place, .. } => format!("moved to place {place} of the queue"),
            Self::Asked { effect, .. } => format!("asked for {} ({})", effect.what.label(), effect.id),
            Self::Settled { effect, .. } => format!("answered ({effect})"),
            Self::AttemptOpened { attempt, part: Part::Work, .. } => format!("opened attempt {}", attempt.no),
            Self::AttemptOpened { attempt, part: Part::Second, .. } => {
                format!("opened attempt {}: another pair of eyes", attempt.no)
            }
            Self::WorktreeMade { ready, .. } => format!("worktree stands at {}", ready.base.short()),
            Self::JobOpened { job, role, .. } => format!("opened {job}: {}", role.label()),
            Self::JobRan { job, .. } => format!("{job} runs"),
            Self::JobEnding { job, why, .. } => format!("{job} is to end: {}", why.label()),
            Self::JobEnded { job, exit: Exit::Code(code), .. } => format!("{job} ended with code {code}"),
            Self::JobEnded { job, exit: Exit::Signal(signal), .. } => {
                format!("{job} ended by signal {signal}")
            }
            Self::JobEnded { job, exit: Exit::Unknown, .. } => format!("{job} ended, how is not known"),
            Self::AgentSaid { state, source, .. } => format!("agent {} ({})", state.label(), source.label()),
            Self::Answered { question, answer, .. } if question.is_empty() => {
                format!("answered {:?}", answer.as_str())
            }
            Self::Answered { question, answer, .. } => {
                format!("answered {:?} to {:?}", answer.as_str(), question.as_str())
            }
            Self::SessionKnown { session, .. } => format!("session {session}"),
            Self::UsageKnown { usage, .. } => format!(
                "used {} tokens in, {} out",
                usage.tokens_in.map_or("unknown".to_owned(), |n| n.to_string()),
                usage.tokens_out.map_or("unknown".to_owned(), |n| n.to_string()),
            ),
            Self::Paused { .. } => "paused".to_owned(),
            Self::Unpaused { .. } => "resumed".to_owned(),
            Self::Slept { span } => format!("the machine slept for {}", duration::long(*span)),
            Self::BranchKnown { read, .. } => {
                format!("branch holds {} commits, head {}", read.commits, read.head.short())
            }
            Self::GateJudged { gate, verdict, merged, .. } => {
                format!("gate {} {}{}", gate + 1, verdict.label(), if *merged { " as merged" } else { "" })
            }
            Self::AttemptOver { attempt, result } => {
                format!("attempt {} is over: {}", attempt.no, result.label())
            }
            Self::Requeued { part: Part::Work, .. } => "waits for a fresh attempt".to_owned(),
            Self::Requeued { part: Part::Second, .. } => "waits for another pair of eyes".to_owned(),
            Self::ReviewOpened { .. } => "waits for review".to_owned(),
            Self::Reopened { .. } => "its branch is read and gated again".to_owned(),
            Self::Approved { head, .. } => format!("approved at {}", head.short()),
            Self::RollbackAsked { .. } => "is to be rolled back".to_owned(),
            Self::CandidateBuilt { built, .. } => format!("merge candidate {} stands", built.commit.short()),
            Self::CandidateStale { .. } => "the target moved: the candidate is built again".to_owned(),
            Self::MergeLeft { .. } => "left the merge queue".to_owned(),
            Self::Landed { commit, .. } => format!("landed as {}", commit.short()),
            Self::RolledBack { commit, .. } => format!("rolled back as {}", commit.short()),
            Self::Stuck { why, .. } => format!("stuck: {why}"),
            Self::Interrupted { .. } => "interrupted".to_owned(),
            Self::Stopped { .. } => "stopped".to_owned(),
            Self::Rejected { reason, .. } => format!("rejected: {reason}"),
            Self::Peeked { reason, .. } => format!("lid broken: {reason}"),
            Self::Covered { .. } => "lid put back".to_owned(),
            Self::Forgotten { .. } => "forgotten".to_owned(),
            Self::Panel(fact) => return fact.describe(),
            Self::Ask(fact) => return fact.describe(),
            Self::Budget(fact) => return fact.describe(),
            Self::Batch(fact) => return fact.describe(),
            Self::Spec(fact) => return fact.describe(),
            Self::Bench(fact) => return fact.describe(),
        };
        Shown::line(&words)
    }
}
