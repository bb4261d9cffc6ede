//! Everything that can happen to the engine: commands of people, and observations of the world.
//!
//! An event is an input; it is never stored. What was decided because of it is a fact.

use crate::core::model::agent::{Exit, Observation};
use crate::core::model::attempt::Start;
use crate::core::model::batch::{BatchCommand, QueueScan};
use crate::core::model::bench::BenchCommand;
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::budget::BudgetCommand;
use crate::core::model::gate::TestCounts;
use crate::core::model::panel::PanelCommand;
use crate::core::model::question::QuestionCommand;
use crate::core::model::spec::SpecCommand;
use crate::core::model::task::Launch;
use crate::values::ids::{EffectId, JobId, Oid, TaskId};
use crate::values::text::Shown;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What happened; the engine is told `now` beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person or a script wants something; refused or carried out at once.
    Command {
        /// Who it came from, for the ledger.
        by: String,
        command: Command,
    },
    /// The world answers an effect. Doubled and stale answers are ignored.
    EffectDone {
        /// The effect that is answered.
        effect: EffectId,
        /// What came of it.
        outcome: EffectOutcome,
    },
    /// An agent said or did something that has a meaning.
    Observed {
        job: JobId,
        what: Observation,
        /// How much of its output had been read by then.
        read: u64,
    },
    /// A job gave output since the last such event. Sent at most once a second and job.
    Alive(JobId),
    /// A job's process ended and all of its output has been read.
    Exited {
        job: JobId,
        exit: Exit,
        /// The last lines it printed, as plain text; empty for agents (the lid).
        tail: String,
        /// Tests counted in its output; none for agents.
        tests: Option<TestCounts>,
    },
    /// The machine slept for this long; it counts as a pause of everything.
    Suspended(Span),
    /// The earliest deadline has come, or the daemon just wants the engine to look at the time.
    Tick,
    /// Before anything else after a start: the highest numbers under which something lies in the data folder.
    /// Higher ones than the ledger's mean that an older back-up took its place.
    NumbersFound {
        /// Of tasks; 0: nothing lies there.
        task: TaskId,
        /// Of jobs; 0: nothing lies there.
        job: JobId,
    },
    /// The daemon has started: the facts are loaded, and open effects are being asked about.
    Restarted,
}

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Create a task and put it into the start queue.
    Launch(Box<Launch>),
    /// Freeze the task's process tree and stop every clock of its attempt.
    Pause(TaskId),
    /// Thaw it; for an interrupted attempt: continue the agent's own session.
    Resume(TaskId),
    /// End the attempt for sure; the task stays on the board as stopped.
    Stop(TaskId),
    /// Start a fresh attempt.
    Retry {
        task: TaskId,
        /// From where its branch starts.
        start: Start,
        /// Put into the new attempt's prompt; may be empty.
        note: String,
    },
    /// Answer the question that the task's agent asks.
    Answer {
        task: TaskId,
        /// What to tell the agent.
        answer: Answer,
    },
    /// Approve the attempt at exactly this head: it goes into the merge queue.
    Approve {
        task: TaskId,
        /// The head that was reviewed; refused if the branch has moved since.
        head: Oid,
    },
    /// Review says no for now: a fresh attempt gets the message and goes on from this one's branch.
    SendBack {
        task: TaskId,
        /// What is to be changed.
        message: String,
    },
    /// Review says no: the task ends unmerged.
    Reject {
        task: TaskId,
        /// Why, for the ledger; may be empty.
        reason: String,
    },
    /// Read and gate the reviewed branch again: a person has changed it.
    Regate(TaskId),
    /// Try again to land an approved task whose landing was refused (a dirty target).
    Land(TaskId),
    /// Make, gate and land the revert of a landed task.
    Rollback(TaskId),
    /// Break the lid of the task's live attempt, with a reason, for the record.
    Peek {
        task: TaskId,
        /// Why; not empty.
        reason: String,
    },
    /// Put the lid back on.
    Cover(TaskId),
    /// Move a waiting task to this place of the start queue, 0 being next.
    Reorder {
        task: TaskId,
        place: usize,
    },
    /// At most this many agents at once in the task's repo.
    SetParallel {
        /// The repo's main checkout, canonical.
        repo: PathBuf,
        /// From 1.
        parallel: u32,
    },
    /// Take an ended task off the board; its branch and worktree go to the archive.
    Forget(TaskId),
    /// Something of a spec.
    Spec(SpecCommand),
    /// Something of the schedule and its batches.
    Batch(BatchCommand),
    Budget(BudgetCommand),
    /// Something of the panel.
    Panel(PanelCommand),
    /// Something of an agent's question.
    Question(QuestionCommand),
    /// Something of a bench.
    Bench(BenchCommand),
}

/// An answer to an agent's question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Type this text and submit it.
    Text(String),
    /// Take the dialog's default or first option (Enter).
    Accept,
    /// Refuse the dialog (Esc).
    Decline,
}

/// What came of an effect; each kind of effect has its own outcomes, named at the effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectOutcome {
    /// The worktree stands, with set-up hooks and gates as the base's `nopeek.toml` has them.
    WorktreeReady(WorktreeReady),
    /// The job's process runs.
    JobStarted,
    /// The tree is frozen, thawed, or its input was typed.
    Done,
    /// The attempt's branch was read; leftovers were committed to it first.
    BranchRead(BranchRead),
    /// A merged (or reverted) commit stands in a scratch worktree, ready for its gates.
    MergeBuilt(MergeBuilt),
    /// The branch does not merge.
    Conflict {
        /// The files in conflict.
        files: Vec<Shown>,
    },
    /// The target moved to the tested commit.
    TargetMoved,
    /// The target is not where it was when the merge was built; nothing was changed.
    TargetStale,
    /// The target is checked out in a worktree with changes, or the like; nothing was changed.
    TargetRefused {
        /// What is in the way and what to do.
        reason: Shown,
    },
    /// What lies in the queue.
    SpecsFound(QueueScan),
    /// The report of a batch was written.
    ReportWritten {
        /// Where to, in nopeek's data.
        file: Shown,
    },
    /// The world refused; nothing half-done is left.
    Failed {
        /// What failed, on what, what to do.
        error: Shown,
    },
}
