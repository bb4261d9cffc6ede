//! From a repo's config to its schedule; the report of a batch; and a glance, now and then, at queues that are watched.

use super::after_commit::{Acknowledged, AfterCommit};
use super::commands::refused;
use super::environment::{self, Kept};
use super::event_loop::EventLoop;
use super::launch::{self, refusal};
use super::message::{FromWorld, ReplyTo};
use super::requests::failed;
use super::workers::{Lane, guarded};
use super::{dropped_specs, reports, specs};
use crate::config::schedule::StintConfig;
use crate::core::model::batch::{BatchCommand, BatchPhase, Schedule, Stint};
use crate::core::model::event::{Command, Event, Outcome};
use crate::os::clock;
use crate::os::paths::Paths;
use crate::report::{Scope, markdown};
use crate::values::cron::Zone;
use crate::values::ids::{EffectId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::wire::client::{Refusal, RefusalKind, Reply, ScheduleAct, ScheduleRequest, SpecRequest};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Changes of the clock that a schedule brings along: twenty years of them.
const CHANGES: usize = 40;
/// A watched queue is glanced at so often.
const GLANCE: Duration = Duration::from_secs(60);

/// A schedule that was looked up, and what is kept beside the ledger for it.
#[derive(Debug)]
pub(super) struct ResolvedSchedule {
    pub(super) schedule: Schedule,
    pub(super) act: ScheduleAct,
    pub(super) kept: Kept,
}

/// What lies in a queue, with when it was written.
pub(super) type Seen = Vec<(String, Option<SystemTime>)>;

/// What is known of queues that are watched. Measured, never stored.
#[derive(Debug, Default)]
pub(super) struct Queues {
    seen: HashMap<PathBuf, Seen>,
    due: Option<Instant>,
}

impl Queues {
    /// When they are to be glanced at again, if any is watched.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// What the report of a batch is made of.
pub(super) struct BatchReport {
    pub(super) repo: PathBuf,
    pub(super) batch: u64,
    pub(super) tasks: Vec<TaskId>,
    pub(super) since: Time,
    pub(super) lines: Vec<Shown>,
}

/// Looks up all that a schedule needs.
fn resolve(paths: &Paths, wish: ScheduleRequest, now: Time) -> Result<ResolvedSchedule, Refusal> {
    let ScheduleRequest { repo, act, env } = wish;
    let user = launch::user_config(paths)?;
    let (main, _, file) = launch::repo_config(paths, &repo, None)?;
    // Name and goal are those of what is dropped.
    let (name, goal) = (Some("queue".to_owned()), "what is dropped".to_owned());
    let spec = SpecRequest { repo: main.clone(), name, goal, env, ..SpecRequest::default() };
    let specs::ResolvedSpec { order, mut kept } = specs::resolve(paths, spec)?;
    let config = file.schedule.clone();
    let usual = file.agent.clone().unwrap_or_else(|| user.agent.clone());
    let mut phases = BTreeMap::new();
    for (phase, StintConfig { agent, time }) in config.phases {
        let name = match phase {
            BatchPhase::Supervise | BatchPhase::Maintain => Some(agent.unwrap_or_else(|| usual.clone())),
            BatchPhase::Report => agent,
            BatchPhase::Build | BatchPhase::Test => None,
        };
        let agent = match name {
            None => None,
            Some(name) => {
                let profile = launch::pick(&user, &file, &name)?;
                let program = profile.program();
                if environment::find_program(&kept.env, program).is_none() {
                    let doing = phase.label();
                    let what = format!(
                        "the agent {name}, who is to {doing}, is not here: {program} is not on the PATH"
                    );
                    let remedy = "install it, or name another in [schedule] of nopeek.toml: `nopeek agents` lists them";
                    return Err(refusal(RefusalKind::NotFound, what, remedy));
                }
                let traits = profile.traits(&name);
                kept.profiles.insert(name, profile);
                Some(traits)
            }
        };
        phases.insert(phase, Stint { agent, time });
    }
    let zone = zone(now);
    let schedule = Schedule {
        repo: main,
        cron: config.cron,
        zone,
        catch_up: config.catch_up,
        phases,
        queue: config.queue,
        order,
    };
    Ok(ResolvedSchedule { schedule, act, kept })
}

/// The clock of this place from now on.
fn zone(now: Time) -> Zone {
    let here = TimeZone::system();
    let stamp = i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let Some(stamp) = stamp else { return Zone::default() };
    let changes = here.following(stamp).take(CHANGES).filter_map(|change| {
        let at = u64::try_from(change.timestamp().as_millisecond()).ok()?;
        Some((Time(at), change.offset().seconds() / 60))
    });
    Zone { first: here.to_offset(stamp).seconds() / 60, changes: changes.collect() }
}

impl EventLoop {
    /// Has a schedule looked up; then [`EventLoop::schedule`].
    pub(super) fn resolve_schedule(&mut self, reply: ReplyTo, wish: ScheduleRequest) {
        let (paths, world, now) = (self.paths.clone(), self.world.clone(), self.now);
        self.workers.put(Lane::Launch, move || {
            let result = guarded(|| resolve(&paths, wish, now)).unwrap_or_else(|broke| Err(failed(broke)));
            world.tell(FromWorld::ScheduleResolved { reply, result: Box::new(result) });
        });
    }

    /// Does what was asked of a schedule that was looked up.
    pub(super) fn schedule(&mut self, reply: ReplyTo, result: Result<ResolvedSchedule, Refusal>) {
        let resolved = match result.and_then(|resolved| self.writable().map(|()| resolved)) {
            Ok(resolved) => resolved,
            Err(refusal) => return reply.outbox.answer(reply.id, Err(refusal)),
        };
        let ResolvedSchedule { schedule, act, kept } = resolved;
        let (by, repo, schedule) = (reply.who.clone(), schedule.repo.clone(), Box::new(schedule));
        let command = Command::Batch(match act {
            ScheduleAct::On => BatchCommand::On(schedule),
            ScheduleAct::Run => BatchCommand::Run(schedule),
            ScheduleAct::Queue => BatchCommand::Queue(schedule),
            ScheduleAct::Watch => BatchCommand::Watch(schedule),
        });
        let after = AfterCommit {
            answer: Some((reply.clone(), Acknowledged::Done)),
            kept_repo: Some((repo, kept)),
            ..AfterCommit::default()
        };
        if let Err(error) = self.step_by(&by, Event::Command { by: by.clone(), command }, after) {
            reply.outbox.answer(reply.id, Err(refused(error)));
        }
    }

    /// What lies in the queue of a folder's repo.
    pub(super) fn list_queue(&mut self, reply: ReplyTo, folder: PathBuf) {
        let paths = self.paths.clone();
        self.workers.put(Lane::Read, move || {
            let list = || {
                let (main, _, file) = launch::repo_config(&paths, &folder, None)?;
                Ok(Reply::Queue(dropped_specs::list(&main, &file.schedule.queue)))
            };
            reply.outbox.answer(reply.id, guarded(list).unwrap_or_else(|broke| Err(failed(broke))));
        });
    }

    /// Glances at queues that are watched, once a minute.
    pub(super) fn watch_queues(&mut self) {
        let watched = self.engine.watched_queues();
        if watched.is_empty() {
            self.queues = Queues::default();
            return;
        }
        let now = clock::instant();
        if self.queues.due.is_some_and(|due| now < due) {
            return;
        }
        self.queues.due = Some(now + GLANCE);
        self.queues.seen.retain(|repo, _| watched.iter().any(|(other, _)| other == repo));
        for (repo, pattern) in watched {
            let world = self.world.clone();
            self.workers.put(Lane::Read, move || {
                let seen = guarded(|| dropped_specs::glance(&repo, &pattern)).unwrap_or_default();
                world.tell(FromWorld::Glanced { repo, seen });
            });
        }
    }

    /// Something new in a queue: the engine has it looked at. What was left lying is not looked at again and again.
    pub(super) fn glanced(&mut self, repo: PathBuf, seen: Seen) {
        let before = self.queues.seen.insert(repo.clone(), seen.clone());
        if !seen.is_empty() && before.as_ref() != Some(&seen) {
            let command = Command::Batch(BatchCommand::Look(repo));
            self.found_out.push_back(Event::Command { by: "nopeek".to_owned(), command });
        }
    }

    /// Writes the report of a batch beside the ledger.
    pub(super) fn write_report(&mut self, effect: EffectId, report: BatchReport) {
        let (paths, world, now) = (self.paths.clone(), self.world.clone(), self.now);
        self.workers.put(Lane::Report, move || {
            let written = guarded(|| write(&paths, &report, now)).unwrap_or_else(Err);
            let outcome = match written {
                Ok(file) => Outcome::ReportWritten { file: Shown::line(&file.display().to_string()) },
                Err(what) => Outcome::Failed { error: Shown::line(&what) },
            };
            world.event(Event::Answered { effect, outcome });
        });
    }
}

fn write(paths: &Paths, batch: &BatchReport, now: Time) -> Result<PathBuf, String> {
    let scope = Scope {
        tasks: Some(batch.tasks.iter().copied().collect()),
        repo: Some(batch.repo.clone()),
        since: Some(batch.since),
        until: None,
    };
    let report = reports::of(paths, scope, now).map_err(|refusal| refusal.what)?;
    let mut text = format!("# Batch {}\n\n", batch.batch);
    for line in &batch.lines {
        let _ = writeln!(text, "- {line}");
    }
    let _ = write!(text, "\n{}", markdown::render(&report, &TimeZone::system()));
    let file = paths.data.join("reports").join(format!("batch-{}.md", batch.batch));
    put(&file, &text).map_err(|error| format!("can't write {}: {error}", file.display()))?;
    Ok(file)
}

/// Whole or not at all.
fn put(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = file.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_here_is_the_one_of_the_machine() {
        let now = Time(1_795_161_600_000);
        let zone = zone(now);
        let stamp = jiff::Timestamp::from_millisecond(now.0.cast_signed()).unwrap();
        assert_eq!(zone.at(now).0 * 60, TimeZone::system().to_offset(stamp).seconds());
        assert!(zone.changes.is_sorted() && zone.changes.len() <= CHANGES);
    }
}
