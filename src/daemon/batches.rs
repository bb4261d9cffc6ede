//! From a repo's config to its schedule; and the report of a batch.

use super::after_commit::{Acknowledged, AfterCommit};
use super::environment::{self, Kept};
use super::journal::Journal;
use super::launch::{self, refusal};
use super::message::{FromWorld, ReplyTo};
use super::workers::{Lane, Workers, guarded};
use super::{reports, specs};
use crate::config::schedule::StintConfig;
use crate::core::model::batch::{BatchCommand, BatchPhase, PhaseSettings, Schedule};
use crate::core::model::event::{Command, EffectOutcome};
use crate::os::paths::Paths;
use crate::report::{Scope, markdown};
use crate::values::cron::Zone;
use crate::values::ids::{EffectId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::wire::client::{Refusal, RefusalKind, ScheduleAct, ScheduleRequest, SpecRequest};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// Changes of the clock that a schedule brings along: twenty years of them.
const CHANGES: usize = 40;
/// A schedule that was looked up, and what is kept beside the ledger for it.
#[derive(Debug)]
pub(super) struct ResolvedSchedule {
    pub(super) schedule: Schedule,
    pub(super) act: ScheduleAct,
    pub(super) kept: Kept,
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
        phases.insert(phase, PhaseSettings { agent, time });
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

/// Has a schedule looked up by a worker; then [`schedule`].
pub(super) fn look_up(workers: &mut Workers, reply: ReplyTo, wish: ScheduleRequest, now: Time) {
    workers.look_up(
        Lane::Launch,
        move |paths| resolve(paths, wish, now),
        |result| FromWorld::ScheduleResolved { reply, result: Box::new(result) },
    );
}

/// Does what was asked of a schedule that was looked up.
pub(super) fn schedule(
    journal: &mut Journal,
    now: Time,
    reply: ReplyTo,
    result: Result<ResolvedSchedule, Refusal>,
) {
    let ResolvedSchedule { schedule, act, kept } = match result {
        Ok(resolved) => resolved,
        Err(refusal) => return reply.answer(Err(refusal)),
    };
    let (repo, schedule) = (schedule.repo.clone(), Box::new(schedule));
    let command = Command::Batch(match act {
        ScheduleAct::On => BatchCommand::On(schedule),
        ScheduleAct::Run => BatchCommand::Run(schedule),
        ScheduleAct::Queue => BatchCommand::Queue(schedule),
        ScheduleAct::Watch => BatchCommand::Watch(schedule),
    });
    let kept = AfterCommit { kept_repo: Some((repo, kept)), ..AfterCommit::default() };
    journal.command_keeping(now, reply, command, Acknowledged::Done, kept);
}

/// Has a worker write the report of a batch beside the ledger.
pub(super) fn write_report(workers: &mut Workers, now: Time, effect: EffectId, report: BatchReport) {
    workers.answer_effect(Lane::Report, effect, move |paths| {
        match guarded(|| write(paths, &report, now)).unwrap_or_else(Err) {
            Ok(file) => EffectOutcome::ReportWritten { file: Shown::line(&file.display().to_string()) },
            Err(what) => EffectOutcome::Failed { error: Shown::line(&what) },
        }
    });
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
