//! What clients say: each message goes to the part that it is about; each request is answered once.
//!
//! Reads that take time go to a worker, which answers by itself.

use super::commands::{command, find};
use super::event_loop::EventLoop;
use super::jobs::{Jobs, Order};
use super::launch::{self, failed, refusal};
use super::message::{ClientId, FromWorld, ReplyTo};
use super::screens::{ScreenQuery, ScreenText};
use super::workers::{Lane, Workers};
use super::{batches, benches, panel, queues, reports, specs};
use crate::core::engine::Engine;
use crate::core::model::lid::Lid;
use crate::core::views::board::TaskView;
use crate::core::views::ledger::LedgerLine;
use crate::git;
use crate::os::clock;
use crate::store::ledger::Ledger;
use crate::store::rows::{Read, Unread};
use crate::values::ids::{JobId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::wire::client::{
    DaemonStatus, Refusal, RefusalKind, Reply, Request, RunRequest, TaskRef, ToDaemon,
};
use crate::wire::input::Input;
use std::collections::HashMap;

/// Most ledger lines of one answer.
const LINES_MAX: u32 = 10_000;
/// Longest pasted text, in bytes.
const PASTE_MAX: usize = 1024 * 1024;

impl EventLoop {
    /// Anything that a client says after its hello.
    pub(super) fn hear_client(&mut self, client: ClientId, message: ToDaemon) {
        self.clients.heed(client, &message);
        match message {
            ToDaemon::Hello { .. } | ToDaemon::Ring { .. } => {}
            ToDaemon::Request { id, request } => {
                if let Some(reply) = self.clients.reply_to(client, id) {
                    self.request(reply, request);
                }
            }
            ToDaemon::Subscribe(on) => {
                self.clients.subscribe(client, on);
                self.board.changes();
            }
            ToDaemon::Look(looks) => {
                let Self { journal, jobs, workers, clients, screens, .. } = self;
                if let Some(outbox) = clients.outbox(client) {
                    screens.look((client, outbox), looks, journal.engine(), jobs, workers);
                }
            }
            ToDaemon::Shown(job) => self.screens.shown(client, job),
            ToDaemon::Input { job, input } => type_into(job, input, self.journal.engine(), &self.jobs),
        }
    }

    /// Does or passes on a request: what takes it along answers it later.
    fn request(&mut self, reply: ReplyTo, request: Request) {
        let now = self.time.now();
        let Self { journal, jobs, workers, screens, board, .. } = self;
        let engine = journal.engine();
        let result = match request {
            Request::Run(runs) => return run(workers, reply, runs),
            Request::Command(command) => return journal.command(now, reply, command),
            Request::Act { task, act } => {
                match find(engine, &task).and_then(|task| command(engine, now, task, act)) {
                    Ok(command) => return journal.command(now, reply, command),
                    Err(refusal) => Err(refusal),
                }
            }
            Request::Board => Ok(Reply::Board(Box::new(board.board(journal, jobs, now, clock::instant())))),
            Request::Task(task) => find(engine, &task).and_then(|id| {
                let view = board.task(id, engine, jobs, now, clock::instant());
                view.map(|view| Reply::Task(Box::new(view))).ok_or_else(|| no_task(id))
            }),
            Request::Ledger { task, after, all, limit } => {
                ledger_lines(engine, journal.ledger(), now, task.as_ref(), (after, all, limit))
            }
            Request::Report(query) => return reports::answer(workers, reply, &query, engine, now),
            Request::SendReport(query) => return reports::deliver(workers, reply, &query, engine, now),
            Request::Diff { task, attempt } => return diff(workers, reply, engine, now, (&task, attempt)),
            Request::Log { job, lines } => {
                let query = ScreenQuery { job, what: ScreenText::Log(lines) };
                return screens.answer(reply, query, engine, jobs, workers);
            }
            Request::Search { job, text } => {
                let query = ScreenQuery { job, what: ScreenText::Search(text) };
                return screens.answer(reply, query, engine, jobs, workers);
            }
            Request::Agents { repo } => {
                return workers.answer(Lane::Read, reply, move |paths| {
                    launch::agents(paths, repo.as_deref()).map(Reply::Agents)
                });
            }
            Request::Asked { attempt, text } => return self.questions.wait(reply, attempt, &text, engine),
            Request::SpecNew(wish) => return specs::look_up(workers, reply, *wish),
            Request::Schedule(wish) => return batches::look_up(workers, reply, *wish, now),
            Request::Queue(folder) => return queues::list(workers, reply, folder),
            Request::Spec(name) => specs::view(engine, &name, now),
            Request::Budget => Ok(Reply::Budget(engine.budgets(now))),
            Request::BenchNew(wish) => return benches::look_up(workers, reply, *wish),
            Request::Bench(name) => benches::view(engine, &name),
            Request::Status => Ok(self.status()),
            Request::Shutdown => {
                self.ending = true;
                Ok(Reply::Done)
            }
            Request::PutPanel { repo, task, question } => {
                return panel::put(workers, reply, engine, (repo, task.as_ref()), question);
            }
            Request::Panels { repo, task, limit } => {
                panel::polls(engine, repo.as_deref(), task.as_ref(), limit)
            }
            Request::Panel(id) => panel::poll(engine, id),
            Request::Personas(folder) => return panel::personas(workers, reply, folder),
        };
        reply.answer(result);
    }

    fn status(&self) -> Reply {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Reply::Status(DaemonStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.time.started(),
            clients: count(self.clients.count()),
            jobs: count(self.journal.engine().live_jobs().len()),
            facts: self.journal.ledger().count(),
            data: self.paths.data.clone(),
        })
    }
}

/// Has tasks looked up; they are launched then.
fn run(workers: &mut Workers, reply: ReplyTo, runs: Vec<RunRequest>) {
    workers.look_up(
        Lane::Launch,
        |paths| launch::resolve(paths, runs),
        |result| FromWorld::Resolved { reply, result },
    );
}

/// Passes a person's keys on, if they may type.
fn type_into(job: JobId, input: Input, engine: &Engine, jobs: &Jobs) {
    let too_long = matches!(&input, Input::Paste(text) if text.len() > PASTE_MAX);
    if !too_long && engine.may_type(job) {
        jobs.order(job, Order::Input(input));
    }
}

/// Lines of the ledger after a number, at most so many.
fn ledger_lines(
    engine: &Engine,
    ledger: &Ledger,
    now: Time,
    task: Option<&TaskRef>,
    (after, all, limit): (u64, bool, u32),
) -> Result<Reply, Refusal> {
    let task = task.map(|task| find(engine, task)).transpose()?;
    let Read { entries, unread } = ledger
        .lines(task, after, all, limit.min(LINES_MAX))
        .map_err(|error| failed(format!("the ledger can't be read: {error}")))?;
    let mut names: HashMap<TaskId, String> = HashMap::new();
    let lines = entries.into_iter().map(|entry| {
        let task = entry.fact.task();
        let name = task.map(|task| {
            let name = names.entry(task).or_insert_with(|| {
                let view = engine.task_view(task, now, &HashMap::new());
                view.map_or_else(|| task.to_string(), |view| view.name)
            });
            name.clone()
        });
        LedgerLine {
            seq: entry.seq,
            at: entry.at,
            task,
            name: name.unwrap_or_default(),
            kind: entry.fact.kind().to_owned(),
            text: entry.fact.describe(),
        }
    });
    let mut lines: Vec<LedgerLine> = lines.chain(unread.into_iter().map(gap)).collect();
    lines.sort_by_key(|line| line.seq);
    Ok(Reply::Ledger(lines))
}

/// Answers with the diff of an attempt (none: the one with the work), if its agent no longer works under the lid.
fn diff(
    workers: &mut Workers,
    reply: ReplyTo,
    engine: &Engine,
    now: Time,
    (task, attempt): (&TaskRef, Option<u32>),
) {
    match compared(engine, now, task, attempt) {
        Ok((view, head)) => {
            let target = target_of(engine, &view);
            workers.answer(Lane::Read, reply, move |_| {
                let diff = git::diff::read(&view.repo, &head, &target);
                diff.map(|diff| Reply::Diff(Box::new(diff))).map_err(launch::git_refusal)
            });
        }
        Err(refusal) => reply.answer(Err(refusal)),
    }
}

/// The task, and the commit or branch of its attempt that is compared.
fn compared(
    engine: &Engine,
    now: Time,
    task: &TaskRef,
    attempt: Option<u32>,
) -> Result<(TaskView, String), Refusal> {
    let id = find(engine, task)?;
    let view = engine.task_view(id, now, &HashMap::new()).ok_or_else(|| no_task(id))?;
    let attempt = match attempt {
        Some(no) => view.attempts.iter().find(|attempt| attempt.no == no),
        None => view.work(),
    };
    let attempt = attempt.ok_or_else(|| {
        let what = format!("{} has no such attempt yet", view.name);
        refusal(RefusalKind::NotNow, what, "wait until its agent has committed something")
    })?;
    if attempt.exit.is_none() && attempt.lid == Lid::Sealed {
        let what = format!("{} is hidden: its agent still works", view.name);
        return Err(refusal(RefusalKind::Covered, what, "wait until it is up for review"));
    }
    let head = attempt.head.as_ref().map_or_else(|| attempt.branch.clone(), |head| head.as_str().to_owned());
    Ok((view, head))
}

fn target_of(engine: &Engine, view: &TaskView) -> String {
    let job = view.attempts.iter().rev().find_map(|attempt| attempt.job);
    job.and_then(|job| engine.job(job)).map(|info| info.target).unwrap_or_default()
}

fn no_task(id: TaskId) -> Refusal {
    refusal(RefusalKind::NotFound, format!("there is no task {id}"), "")
}

/// The line of a row that gives no fact.
fn gap(row: Unread) -> LedgerLine {
    LedgerLine {
        seq: row.seq,
        at: row.at,
        task: row.task,
        name: row.task.map(|task| task.to_string()).unwrap_or_default(),
        kind: LedgerLine::UNREAD.to_owned(),
        text: Shown::line(&row.to_string()),
    }
}
