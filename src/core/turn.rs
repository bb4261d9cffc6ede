//! One step as it is being decided: facts take effect on the state at once and are kept for the ledger.

use super::effect::{Effect, JobStart, JobWhat, Work};
use super::fact::{Fact, Role};
use super::ids::{AttemptId, EffectId, JobId, TaskId};
use super::notice::{Notice, Told};
use super::state::State;
use super::time::Time;
use std::collections::BTreeMap;
use std::path::Path;

/// A step under way.
pub(in crate::core) struct Turn<'a> {
    /// The moment of the step.
    pub(in crate::core) now: Time,
    /// The state, all facts of the step applied.
    pub(in crate::core) state: &'a mut State,
    /// Since when each live job is silent; measured, never stored.
    pub(in crate::core) quiet: &'a mut BTreeMap<JobId, Time>,
    /// The facts of the step.
    pub(in crate::core) facts: Vec<Fact>,
    /// What humans should know.
    pub(in crate::core) notices: Vec<Notice>,
    /// What they were told lately.
    pub(in crate::core) told: &'a mut Told,
}

impl Turn<'_> {
    /// Decides a fact.
    pub(in crate::core) fn fact(&mut self, fact: Fact) {
        self.state.apply(self.now, &fact);
        self.facts.push(fact);
    }

    /// Asks the world for something on behalf of a task.
    pub(in crate::core) fn ask(&mut self, task: TaskId, what: Work) {
        let id = EffectId(self.state.last_effect + 1);
        self.fact(Fact::Asked { effect: Effect { id, what }, task });
    }

    /// Opens a job and asks for its start.
    pub(in crate::core) fn start(
        &mut self,
        attempt: AttemptId,
        role: Role,
        worktree: &Path,
        what: JobWhat,
    ) -> JobId {
        let job = JobId(self.state.last_job + 1);
        self.fact(Fact::JobOpened { job, attempt, role });
        self.quiet.insert(job, self.now);
        if let Some(task) = self.state.tasks.get(&attempt.task) {
            let repo = task.launch.repo.clone();
            let start = JobStart { job, repo, attempt, worktree: worktree.to_owned(), what };
            self.ask(attempt.task, Work::StartJob(start));
        }
        job
    }
}
