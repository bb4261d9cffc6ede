//! One step as it is being decided: facts take effect on the state at once and are kept for the ledger.

use crate::core::model::effect::{Effect, EffectKind, JobStart, JobWhat};
use crate::core::model::fact::Fact;
use crate::core::model::job::Role;
use crate::core::model::notice::{Notice, NoticeKind};
use crate::core::model::state::State;
use crate::core::model::task::{Stage, Task};
use crate::core::rules::notice::RecentNotices;
use crate::values::ids::{AttemptId, EffectId, JobId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use std::collections::BTreeMap;
use std::path::Path;

impl Step<'_> {
    /// Tells humans something.
    pub(in crate::core) fn notice(
        &mut self,
        task: impl Into<Option<TaskId>>,
        kind: NoticeKind,
        text: impl AsRef<str>,
    ) {
        let notice = Notice { task: task.into(), kind, text: Shown::line(text.as_ref()) };
        if self.recent.is_news(self.now, &notice) {
            self.notices.push(notice);
        }
    }

    /// Tells that an attempt did not come out well, if a fresh one follows; if none does, the task is stuck and has
    /// said so.
    pub(in crate::core) fn notice_red(&mut self, task: TaskId, what: &str) {
        let follows = |task: &Task| matches!(task.stage, Stage::Queued { .. }) && task.attempt().is_some();
        if self.state.tasks.get(&task).is_some_and(follows) {
            self.notice(task, NoticeKind::Red, format!("{what}; a fresh attempt follows"));
        }
    }
}

/// A task's agent goes on: its silence counts from now.
pub(in crate::core) fn goes_on(step: &mut Step<'_>, task: TaskId) {
    let agent = step.state.tasks.get(&task).and_then(|task| step.state.live_agent(task)).map(|job| job.id);
    if let Some(at) = agent.and_then(|job| step.quiet.get_mut(&job)) {
        *at = step.now;
    }
}

/// A step under way.
pub(in crate::core) struct Step<'a> {
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
    pub(in crate::core) recent: &'a mut RecentNotices,
}

impl Step<'_> {
    /// Decides a fact.
    pub(in crate::core) fn fact(&mut self, fact: Fact) {
        self.state.apply(self.now, &fact);
        self.facts.push(fact);
    }

    /// Asks the world for something on behalf of a task.
    pub(in crate::core) fn request(&mut self, task: TaskId, what: EffectKind) {
        let id = EffectId(self.state.last_effect + 1);
        self.fact(Fact::EffectRequested { effect: Effect { id, what }, task });
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
            self.request(attempt.task, EffectKind::StartJob(start));
        }
        job
    }
}
