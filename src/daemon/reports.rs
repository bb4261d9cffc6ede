//! Reports for clients: read from the ledger by a worker, so that the loop never waits for it.

use super::commands::find;
use super::launch::refusal;
use super::message::ReplyTo;
use super::sending;
use super::workers::{Lane, Workers};
use crate::config::user::UserConfig;
use crate::core::engine::Engine;
use crate::os::paths::Paths;
use crate::report::gather::Gather;
use crate::report::{Report, Scope};
use crate::store::{StoreError, reader};
use crate::values::ids::TaskId;
use crate::values::time::Time;
use crate::wire::client::{Delivery, FromDaemon, Refusal, RefusalKind, Reply, ReportQuery, TaskRef};
use crate::wire::frame;
use std::collections::BTreeSet;

/// Most tasks that a report is asked for by name.
const NAMED_MAX: usize = 1_000;

/// Answers with a report.
pub(super) fn answer(workers: &mut Workers, reply: ReplyTo, query: &ReportQuery, engine: &Engine, now: Time) {
    with_report(workers, reply, scope(query, engine), now, |_, report| Ok(fitting(report)));
}

/// Makes a report and sends it to where the user's config says; answers with what came of it.
pub(super) fn deliver(
    workers: &mut Workers,
    reply: ReplyTo,
    query: &ReportQuery,
    engine: &Engine,
    now: Time,
) {
    with_report(workers, reply, scope(query, engine), now, move |paths, report| {
        send(paths, now, &report).map(Reply::Sent)
    });
}

fn with_report(
    workers: &mut Workers,
    reply: ReplyTo,
    scope: Result<Scope, Refusal>,
    now: Time,
    then: impl FnOnce(&Paths, Report) -> Result<Reply, Refusal> + Send + 'static,
) {
    match scope {
        Ok(scope) => {
            workers.answer(Lane::Report, reply, move |paths| then(paths, of(paths, scope, now)?));
        }
        Err(refusal) => reply.answer(Err(refusal)),
    }
}

fn scope(query: &ReportQuery, engine: &Engine) -> Result<Scope, Refusal> {
    let ReportQuery { tasks, repo, since, until } = query;
    if tasks.len() > NAMED_MAX {
        let what = format!("{} tasks in one request; {NAMED_MAX} are allowed", tasks.len());
        return Err(refusal(RefusalKind::BadInput, what, "name none of them: a report is about all then"));
    }
    let named: Result<BTreeSet<TaskId>, Refusal> =
        tasks.iter().map(|task| find(engine, task).or_else(|refused| gone(task, refused))).collect();
    let tasks = if tasks.is_empty() { None } else { Some(named?) };
    Ok(Scope { tasks, repo: repo.clone(), since: *since, until: *until })
}

/// A task that was forgotten still has its number.
fn gone(task: &TaskRef, refused: Refusal) -> Result<TaskId, Refusal> {
    task.name.strip_prefix('t').and_then(|number| number.parse().ok()).map(TaskId).ok_or(refused)
}

/// The report of the ledger as it is.
pub(super) fn of(paths: &Paths, scope: Scope, now: Time) -> Result<Report, Refusal> {
    let unread = |error: StoreError| {
        refusal(RefusalKind::Failed, format!("the ledger can't be read: {error}"), error.remedy())
    };
    let named = scope.tasks.clone().filter(|_| scope.since.is_none());
    let mut gather = Gather::new(scope.clone(), now);
    let path = paths.ledger();
    let rows = reader::each(&path, scope.since, |entry| gather.take(entry)).map_err(unread)?;
    // Sums without them would look right and be wrong.
    if let Some(row) = rows.into_iter().next() {
        return Err(unread(StoreError::of_row(&path, row)));
    }
    let report = gather.finish();
    let has = |id: &TaskId| report.tasks.iter().any(|task| task.id == *id);
    if let Some(id) = named.iter().flatten().find(|id| !has(id)) {
        let remedy = "`nopeek ls` lists the tasks; `nopeek ledger` lists archived ones too";
        return Err(refusal(RefusalKind::NotFound, format!("there is no task {id}"), remedy));
    }
    Ok(report)
}

/// A report that fits a frame: the oldest tasks are left out until it does.
fn fitting(mut report: Report) -> Reply {
    loop {
        let reply = Reply::Report(Box::new(report));
        let message = FromDaemon::Answer { id: u64::MAX, result: Ok(reply) };
        let fits = frame::encode(&message).is_ok();
        let FromDaemon::Answer { result: Ok(Reply::Report(back)), .. } = message else { return Reply::Done };
        if fits || back.tasks.is_empty() {
            return Reply::Report(back);
        }
        report = *back;
        report.shorten();
    }
}

/// Sends a report to every place of the user's config.
pub(super) fn send(paths: &Paths, now: Time, report: &Report) -> Result<Vec<Delivery>, Refusal> {
    let config = UserConfig::load(paths)
        .map_err(|error| refusal(RefusalKind::BadInput, error.to_string(), error.remedy()))?
        .report;
    if config.is_empty() {
        let what =
            format!("{} names no place to send a report to", paths.config.join("config.toml").display());
        let remedy = "write a table [report] with command, webhook or [report.email]: docs/config.md";
        return Err(refusal(RefusalKind::BadInput, what, remedy));
    }
    Ok(sending::send(&config, report, now, &paths.data))
}
