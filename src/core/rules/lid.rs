//! The lid: what hides a screen until its attempt has ended or somebody broke it, for the record.
//!
//! The content of a screen can be borrowed only with a [`Permit`], and only this module makes
//! permits, from the engine's state. A permit is for one job, is used up by one borrow and can't be
//! kept over a step of the engine: the compiler refuses. So a lid that is put back takes effect at once.

use crate::core::model::attempt::{Attempt, Peek};
use crate::core::model::fact::Fact;
use crate::core::model::job::{Job, Role};
use crate::core::model::lid::{Lid, LidRule};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::Task;
use crate::core::rules::lookup::{get, not_now};
use crate::core::rules::step::Step;
use crate::values::ids::{JobId, TaskId};
use crate::values::text::Shown;
use std::marker::PhantomData;

/// Leave to look at one job's screen, once, before the engine's next step.
///
/// It borrows the engine that gave it, and the look that uses it up borrows as long as it does
/// (`screen::covered::Covered::look`). A step needs the engine for itself, and may put a lid back on: while a permit, or a
/// screen borrowed with one, is still held, a step does not compile.
///
/// ```compile_fail,E0502
/// use nopeek::core::{engine::Engine, model::event::Event};
/// use nopeek::values::{ids::JobId, time::Time};
///
/// let mut engine = Engine::new();
/// let permit = engine.permit(JobId(1));
/// let step = engine.step(Time(1), Event::Tick);
/// drop(permit); // it was kept over the step
/// ```
///
/// Nor does what was borrowed with it outlive the step:
///
/// ```compile_fail,E0502
/// use nopeek::core::{engine::Engine, model::event::Event};
/// use nopeek::screen::{covered::Covered, emulator::Emulator};
/// use nopeek::values::{ids::JobId, time::Time};
///
/// let mut engine = Engine::new();
/// let mut covered = Covered::new(JobId(1), Emulator::new(4, 20));
/// let Some(permit) = engine.permit(JobId(1)) else { return };
/// let screen = covered.look(permit);
/// let step = engine.step(Time(1), Event::Tick);
/// drop(screen); // it was kept over the step
/// ```
///
/// Without what is kept, the same compiles:
///
/// ```
/// use nopeek::core::{engine::Engine, model::event::Event};
/// use nopeek::screen::{covered::Covered, emulator::Emulator};
/// use nopeek::values::{ids::JobId, time::Time};
///
/// let mut engine = Engine::new();
/// let mut covered = Covered::new(JobId(1), Emulator::new(4, 20));
/// if let Some(permit) = engine.permit(JobId(1)) {
///     let screen = covered.look(permit);
///     drop(screen);
/// }
/// let step = engine.step(Time(1), Event::Tick);
/// ```
#[derive(Debug)]
#[must_use = "a permit is leave to look; without a look it is nothing"]
pub struct Permit<'engine> {
    job: JobId,
    engine: PhantomData<&'engine State>,
}

impl Permit<'_> {
    const fn new(_: &State, job: JobId) -> Permit<'_> {
        Permit { job, engine: PhantomData }
    }

    /// Whose screen may be looked at.
    #[must_use]
    pub const fn job(&self) -> JobId {
        self.job
    }
}

/// The lid of an attempt's agent.
pub(in crate::core) fn of(state: &State, task: &Task, attempt: &Attempt) -> Lid {
    let live = attempt.agent.and_then(|job| state.jobs.get(job)).is_some_and(Job::is_live);
    let pending = attempt.agent.is_none() && attempt.result.is_none();
    match task.launch.lid {
        LidRule::Off => Lid::Lifted,
        LidRule::On if !live && !pending => Lid::Lifted,
        LidRule::On if attempt.peek == Peek::Now => Lid::Broken,
        LidRule::On => Lid::Sealed,
    }
}

/// Leave to look at a job's screen: gates and set-up hooks always, agents only when they are not covered.
pub(in crate::core) fn permit(state: &State, id: JobId) -> Option<Permit<'_>> {
    let (task, job) = owner(state, id)?;
    let attempt = task.attempts.iter().find(|a| a.id == job.attempt)?;
    let open = match job.role {
        Role::Setup { .. } | Role::Gate { .. } => true,
        Role::Agent => of(state, task, attempt) != Lid::Sealed,
    };
    open.then(|| Permit::new(state, id))
}

/// Whether a person may type: into a live agent that is not covered.
pub(in crate::core) fn may_type(state: &State, id: JobId) -> bool {
    owner(state, id).is_some_and(|(_, job)| job.role == Role::Agent && job.is_live())
        && permit(state, id).is_some()
}

fn owner(state: &State, id: JobId) -> Option<(&Task, &Job)> {
    let job = state.jobs.get(id)?;
    Some((state.tasks.get(&job.attempt.task)?, job))
}

/// Breaks the lid of a task's live attempt, for the record.
pub(in crate::core) fn peek(step: &mut Step<'_>, id: TaskId, reason: &str) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    if reason.trim().is_empty() {
        return Err(Refused::new(
            RefusedKind::BadInput,
            "a peek needs a reason: it is written to the ledger",
            "say what you must see now, and why it can't wait",
        ));
    }
    match task.attempt() {
        Some(attempt)
            if of(step.state, task, attempt) == Lid::Sealed && step.state.live_agent(task).is_some() =>
        {
            step.fact(Fact::Peeked { attempt: attempt.id, reason: Shown::line(reason) });
            Ok(())
        }
        _ => Err(not_now(task, "peek at", "no screen of it is hidden: there is nothing to peek at")),
    }
}

/// Puts the lid back on.
pub(in crate::core) fn cover(step: &mut Step<'_>, id: TaskId) -> Result<(), Refused> {
    let task = get(step.state, id)?;
    match task.attempt() {
        Some(attempt) if of(step.state, task, attempt) == Lid::Broken => {
            step.fact(Fact::Covered { attempt: attempt.id });
            Ok(())
        }
        _ => Err(not_now(task, "cover", "nobody has peeked at it")),
    }
}
