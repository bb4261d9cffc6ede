//! Effects: what the engine asks of the world, passed on to the jobs' threads and to workers; and the reconciling after a
//! restart.
//!
//! An effect that is being done is not begun a second time. Every effect is answered, whatever breaks. What the loop
//! itself finds out meanwhile are events for the engine, in the order in which they were found.

use super::batches::{self, BatchReport};
use super::environment;
use super::fence::Fence;
use super::git_effects::work;
use super::jobs::{Begin, Jobs, Order, unknown};
use super::workers::{Lane, Workers, guarded};
use crate::core::engine::Engine;
use crate::core::model::effect::{Effect, EffectKind};
use crate::core::model::event::{EffectOutcome, Event};
use crate::os::paths::Paths;
use crate::values::ids::{EffectId, JobId};
use crate::values::text::Shown;
use crate::values::time::Time;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Effects that are being done, and events that the loop found out by itself.
#[derive(Debug)]
pub(super) struct Effects {
    /// With the job that an effect is done to, if it is done to one.
    in_flight: HashMap<EffectId, Option<JobId>>,
    found_out: VecDeque<Event>,
    /// Between git of an earlier daemon and changes of this one.
    fence: Arc<Fence>,
}

impl Effects {
    /// Nothing is being done yet; `paths` say where git of an earlier daemon is seen.
    pub(super) fn new(paths: &Paths) -> Self {
        Self { in_flight: HashMap::new(), found_out: VecDeque::new(), fence: Arc::new(Fence::new(paths)) }
    }

    /// Asks the world about everything that an earlier daemon has left open.
    pub(super) fn reconcile(
        &mut self,
        now: Time,
        paths: &Paths,
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
    ) {
        let open = engine.open_effects();
        let starting: HashSet<JobId> = open
            .iter()
            .filter_map(|effect| match &effect.what {
                EffectKind::StartJob(start) => Some(start.job),
                _ => None,
            })
            .collect();
        let live: HashSet<JobId> = engine.live_jobs().into_iter().collect();
        let known = live.union(&starting).copied().collect();
        let (task, last) = environment::numbers(paths);
        workers.do_unanswered(Lane::Launch, move |paths| unknown::end(paths, &known, last));
        for job in live {
            if starting.contains(&job) {
                continue;
            }
            let Some(info) = engine.job(job) else { continue };
            tracing::info!(%job, "looking for a job of an earlier daemon");
            if let Err(error) = jobs.begin(job, Begin::Attach(info.kind.into(), engine.last_report(job))) {
                tracing::error!(%job, %error, "no thread can be started for a job");
            }
        }
        self.found_out(Event::NumbersFound { task, job: last });
        self.found_out(Event::Restarted);
        for effect in open {
            self.begin(now, effect, jobs, workers);
        }
    }

    /// The loop has found out something that the engine is to hear.
    pub(super) fn found_out(&mut self, event: Event) {
        self.found_out.push_back(event);
    }

    /// Whether something was found out that the engine has not heard.
    pub(super) fn has_events(&self) -> bool {
        !self.found_out.is_empty()
    }

    /// The next thing that was found out.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.found_out.pop_front()
    }

    /// Begins an effect, unless it is being done already.
    pub(super) fn begin(&mut self, now: Time, effect: Effect, jobs: &mut Jobs, workers: &mut Workers) {
        let Effect { id, what } = effect;
        if self.in_flight.contains_key(&id) {
            return;
        }
        self.in_flight.insert(id, done_to(&what));
        match what {
            EffectKind::WriteReport { batch, tasks, since, lines, repo } => {
                let report = BatchReport { repo, batch, tasks, since, lines };
                batches::write_report(workers, now, id, report);
            }
            EffectKind::StartJob(start) => {
                let job = start.job;
                if let Err(error) = jobs.begin(job, Begin::Start { effect: id, start: Box::new(start) }) {
                    let error = Shown::line(&error.to_string());
                    self.answer(id, EffectOutcome::Failed { error });
                }
            }
            EffectKind::Freeze(job) => self.order(id, jobs, job, Order::Freeze(id)),
            EffectKind::Thaw(job) => self.order(id, jobs, job, Order::Thaw(id)),
            EffectKind::End { job, grace } => self.order(id, jobs, job, Order::End { effect: id, grace }),
            EffectKind::Type { job, answer } => self.order(id, jobs, job, Order::Type { effect: id, answer }),
            EffectKind::PrepareWorktree { ref repo, .. }
            | EffectKind::ReadBranch { ref repo, .. }
            | EffectKind::BuildMerge { ref repo, .. }
            | EffectKind::MoveTarget { ref repo, .. }
            | EffectKind::Archive { ref repo, .. }
            | EffectKind::LookForSpecs { ref repo, .. }
            | EffectKind::MoveSpec { ref repo, .. } => {
                let fence = Arc::clone(&self.fence);
                workers.answer_effect(Lane::Change(repo.clone()), id, move |paths| {
                    let done = || {
                        fence.pass().map_err(|error| Shown::line(&error.to_string()))?;
                        work(paths, what)
                    };
                    let outcome = guarded(done).unwrap_or_else(|broke| Err(Shown::line(&broke)));
                    outcome.unwrap_or_else(|error| EffectOutcome::Failed { error })
                });
            }
        }
    }

    /// The engine hears what came of an effect: it may be asked for again.
    pub(super) fn answered(&mut self, effect: EffectId) {
        self.in_flight.remove(&effect);
    }

    /// A job has ended: whatever was to be done to it is done, nothing is left of it.
    pub(super) fn job_ended(&mut self, job: JobId) {
        let open = self.in_flight.iter().filter(|(_, of)| **of == Some(job)).map(|(id, _)| *id);
        let open: Vec<EffectId> = open.collect();
        for effect in open {
            self.answer(effect, EffectOutcome::Done);
        }
    }

    fn order(&mut self, effect: EffectId, jobs: &Jobs, job: JobId, order: Order) {
        // A job that has ended is as frozen, thawed and ended as can be.
        if !jobs.order(job, order) {
            self.answer(effect, EffectOutcome::Done);
        }
    }

    /// The loop itself knows what came of an effect.
    fn answer(&mut self, effect: EffectId, outcome: EffectOutcome) {
        self.found_out(Event::EffectDone { effect, outcome });
    }
}

/// The running job that an effect is done to, if it is done to one.
const fn done_to(what: &EffectKind) -> Option<JobId> {
    match what {
        EffectKind::Freeze(job)
        | EffectKind::Thaw(job)
        | EffectKind::End { job, .. }
        | EffectKind::Type { job, .. } => Some(*job),
        EffectKind::StartJob(_)
        | EffectKind::PrepareWorktree { .. }
        | EffectKind::ReadBranch { .. }
        | EffectKind::BuildMerge { .. }
        | EffectKind::MoveTarget { .. }
        | EffectKind::Archive { .. }
        | EffectKind::LookForSpecs { .. }
        | EffectKind::MoveSpec { .. }
        | EffectKind::WriteReport { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::World;
    use super::*;
    use crate::os::clock::Clock;
    use std::path::PathBuf;

    #[test]
    fn what_is_done_to_a_job_that_is_gone_is_done_and_is_begun_once() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        let (world, _receiver) = World::new();
        let mut workers = Workers::new(paths.clone(), world.clone());
        let mut jobs = Jobs::new(paths.clone(), PathBuf::from("nopeek"), Arc::new(Clock::start()), world);
        let mut effects = Effects::new(&paths);
        let freeze = || Effect { id: EffectId(3), what: EffectKind::Freeze(JobId(1)) };
        let done = Event::EffectDone { effect: EffectId(3), outcome: EffectOutcome::Done };
        effects.begin(Time(0), freeze(), &mut jobs, &mut workers);
        assert_eq!(effects.next_event(), Some(done.clone()));
        effects.begin(Time(0), freeze(), &mut jobs, &mut workers);
        assert!(!effects.has_events(), "it is still being done, as far as the engine has heard");
        effects.job_ended(JobId(2));
        assert!(!effects.has_events(), "another job's end is nothing to it");
        effects.job_ended(JobId(1));
        assert_eq!(effects.next_event(), Some(done.clone()));
        effects.answered(EffectId(3));
        effects.begin(Time(0), freeze(), &mut jobs, &mut workers);
        assert_eq!(effects.next_event(), Some(done), "asked for again, it is done again");
    }
}
