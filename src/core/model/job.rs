//! The jobs of all tasks on the board: which there are, whose they are, which have not ended.
//!
//! Promises: what asks for a task's jobs, or for those that live, looks at these alone. A step of the rules asks both
//! all the time, and ended jobs stay as long as their task.

use crate::core::model::agent::Exit;
use crate::values::ids::{AttemptId, JobId, TaskId};
use crate::values::time::Stopwatch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a job is to its attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Agent,
    /// The set-up hook at this place of the list.
    Setup {
        /// In the scratch worktree of the merge.
        merged: bool,
        /// From 0.
        hook: usize,
    },
    /// The gate at this place of the list.
    Gate {
        /// On the merged tree.
        merged: bool,
        /// From 0.
        gate: usize,
    },
}

/// Why a job is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The agent says that it is done.
    Done,
    /// The agent says that it failed.
    Failed,
    Time,
    Silence,
    /// A human stopped the task.
    Stopped,
    /// Its budget is used up.
    Budget,
}

impl Role {
    /// What the job is, in words.
    #[must_use]
    pub fn label(&self) -> String {
        let on = |merged: &bool| if *merged { " as merged" } else { "" };
        match self {
            Self::Agent => "agent".to_owned(),
            Self::Setup { merged, hook } => format!("set-up hook {}{}", hook + 1, on(merged)),
            Self::Gate { merged, gate } => format!("gate {}{}", gate + 1, on(merged)),
        }
    }
}

impl Ending {
    /// The reason in words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "it is done",
            Self::Failed => "it failed",
            Self::Time => "time limit",
            Self::Silence => "silence limit",
            Self::Stopped => "stopped",
            Self::Budget => "its budget is used up",
        }
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub attempt: AttemptId,
    pub role: Role,
    /// Its process runs, as far as is known.
    pub ran: bool,
    pub exit: Option<Exit>,
    /// Its running time, pauses not counted.
    pub watch: Stopwatch,
    /// Its tree was last asked to freeze.
    pub frozen: bool,
    /// Whether it is to end, and why.
    pub end: JobEnd,
}

/// Whether a job is to end: decided first, requested of its keeper then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobEnd {
    #[default]
    Open,
    /// It is to end for this reason.
    Due(Ending),
    /// Its keeper was told to end it, for this reason.
    Requested(Ending),
}

impl JobEnd {
    /// It is to end for this reason.
    #[must_use]
    pub const fn due(self, why: Ending) -> Self {
        match self {
            Self::Open | Self::Due(_) => Self::Due(why),
            Self::Requested(_) => Self::Requested(why),
        }
    }

    /// Its keeper was told; without a reason nobody is.
    #[must_use]
    pub const fn requested(self) -> Self {
        match self {
            Self::Open => Self::Open,
            Self::Due(why) | Self::Requested(why) => Self::Requested(why),
        }
    }
}

impl Job {
    /// Why it is to end, if it is.
    #[must_use]
    pub const fn ending(&self) -> Option<Ending> {
        match self.end {
            JobEnd::Open => None,
            JobEnd::Due(why) | JobEnd::Requested(why) => Some(why),
        }
    }

    /// A job that was decided on and has not been heard of yet.
    pub(in crate::core) fn new(id: JobId, attempt: AttemptId, role: Role) -> Self {
        Self {
            id,
            attempt,
            role,
            ran: false,
            exit: None,
            watch: Stopwatch::default(),
            frozen: false,
            end: JobEnd::Open,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.exit.is_none()
    }
}

/// All jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    all: BTreeMap<JobId, Job>,
    of: BTreeMap<TaskId, BTreeSet<JobId>>,
    live: BTreeSet<JobId>,
}

impl Jobs {
    /// This one.
    #[must_use]
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.all.get(&id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.all.values()
    }

    /// Those that have not ended, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Job> {
        self.live.iter().filter_map(|id| self.all.get(id))
    }

    /// Those of a task, oldest first.
    pub fn of(&self, task: TaskId) -> impl DoubleEndedIterator<Item = &Job> {
        self.of.get(&task).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// Those of a task that have not ended, oldest first.
    pub fn live_of(&self, task: TaskId) -> impl Iterator<Item = &Job> {
        self.of(task).filter(|job| job.is_live())
    }

    /// Whether a task has a job that has not ended.
    #[must_use]
    pub fn has_live(&self, task: TaskId) -> bool {
        self.live_of(task).next().is_some()
    }

    /// Takes a new one in.
    pub(in crate::core) fn open(&mut self, job: Job) {
        self.of.entry(job.attempt.task).or_default().insert(job.id);
        self.live.insert(job.id);
        self.all.insert(job.id, job);
    }

    /// It has ended; gives it back as it is then.
    pub(in crate::core) fn end(&mut self, id: JobId, exit: Exit) -> Option<&mut Job> {
        let job = self.all.get_mut(&id)?;
        job.exit = Some(exit);
        self.live.remove(&id);
        Some(job)
    }

    /// Changes one, but for whose it is and whether it has ended.
    pub(in crate::core) fn with(&mut self, id: JobId, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.all.get_mut(&id) {
            change(job);
        }
    }

    /// Changes those that have not ended.
    pub(in crate::core) fn with_live(&mut self, mut change: impl FnMut(&mut Job)) {
        for id in &self.live {
            if let Some(job) = self.all.get_mut(id) {
                change(job);
            }
        }
    }

    /// Lets go of a task's.
    pub(in crate::core) fn forget(&mut self, task: TaskId) {
        for id in self.of.remove(&task).unwrap_or_default() {
            self.all.remove(&id);
            self.live.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_and_live_follow_what_happens() {
        let attempt = |task, no| AttemptId { task: TaskId(task), no };
        let mut jobs = Jobs::default();
        jobs.open(Job::new(JobId(1), attempt(1, 1), Role::Agent));
        jobs.open(Job::new(JobId(2), attempt(2, 1), Role::Agent));
        jobs.open(Job::new(JobId(3), attempt(1, 2), Role::Agent));
        let ids = |jobs: &mut dyn Iterator<Item = &Job>| jobs.map(|job| job.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&mut jobs.of(TaskId(1))), [1, 3]);
        assert_eq!(ids(&mut jobs.live()), [1, 2, 3]);
        jobs.end(JobId(1), Exit::Code(0)).unwrap();
        assert!(jobs.end(JobId(9), Exit::Code(0)).is_none());
        assert_eq!(ids(&mut jobs.live_of(TaskId(1))), [3]);
        assert_eq!(ids(&mut jobs.of(TaskId(1))), [1, 3], "ended ones stay");
        let mut seen = 0;
        jobs.with_live(|job| {
            seen += 1;
            job.frozen = true;
        });
        assert_eq!(seen, 2);
        assert!(!jobs.get(JobId(1)).unwrap().frozen);
        jobs.forget(TaskId(1));
        assert_eq!((ids(&mut jobs.all()), ids(&mut jobs.live())), (vec![2], vec![2]));
        assert!(jobs.has_live(TaskId(2)) && !jobs.has_live(TaskId(1)));
    }
}
