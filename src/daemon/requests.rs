//! What clients say: requests, what they look at, what they type.
//!
//! Reads that take time go to a worker, which answers by itself. Whatever shows a screen asks the engine for a permit.

use super::commands::{command, find};
use super::frames::{COLS_MAX, LOOKS_MAX, Looking, ROWS_MAX};
use super::jobs::{Begin, Kind, Order};
use super::launch::{self, refusal};
use super::message::{ClientId, FromWorld, ReplyTo};
use super::shell::Shell;
use super::workers::{Lane, guarded};
use super::{benches, specs};
use crate::core::model::lid::Lid;
use crate::core::views::job::JobKind;
use crate::core::views::ledger::LedgerLine;
use crate::git;
use crate::os::clock;
use crate::screen::emulator::HISTORY;
use crate::screen::text;
use crate::values::ids::{JobId, TaskId};
use crate::values::text::Shown;
use crate::wire::client::{DaemonStatus, Look, Refusal, RefusalKind, Reply, Request, TaskRef, ToDaemon};
use crate::wire::input::Input;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most ledger lines of one answer.
const LINES_MAX: u32 = 10_000;
/// Most lines of a screen and its history in one answer.
const LOG_MAX: u32 = 100_000;
/// Most places of a text in one answer.
const FOUND_MAX: usize = 1_000;
/// Longest pasted text, in bytes.
const PASTE_MAX: usize = 1024 * 1024;

impl Shell {
    /// Anything that a client says after its hello.
    pub(super) fn hear_client(&mut self, client: ClientId, message: ToDaemon) {
        self.hear_person(client, &message);
        match message {
            ToDaemon::Hello { .. } | ToDaemon::Ring { .. } => {}
            ToDaemon::Request { id, request } => {
                if let Some(reply) = self.reply_to(client, id) {
                    self.request(reply, request);
                }
            }
            ToDaemon::Subscribe(on) => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.subscribed = on;
                }
                self.board_changes();
            }
            ToDaemon::Look(looks) => self.look(client, looks),
            ToDaemon::Shown(job) => self.shown(client, job),
            ToDaemon::Input { job, input } => self.input(job, input),
        }
    }

    /// A client is gone.
    pub(super) fn leave(&mut self, client: ClientId) {
        if let Some(gone) = self.clients.remove(&client) {
            gone.outbox.close();
            self.asking.retain(|waits| !Arc::ptr_eq(&waits.reply.outbox, &gone.outbox));
            for looking in gone.looks {
                self.unwatch(looking.look.job);
            }
        }
    }

    /// Does or passes on a request; each is answered once.
    pub(super) fn request(&mut self, reply: ReplyTo, request: Request) {
        let result = match request {
            Request::Run(runs) => {
                let (paths, world) = (self.paths.clone(), self.world.clone());
                self.workers.put(Lane::Launch, move || {
                    let result =
                        guarded(|| launch::resolve(&paths, runs)).unwrap_or_else(|broke| Err(failed(broke)));
                    world.tell(FromWorld::Resolved { reply, result });
                });
                return;
            }
            Request::Command(command) => return self.command(reply, command),
            Request::Act { task, act } => {
                match find(&self.engine, &task).and_then(|task| command(&self.engine, self.now, task, act)) {
                    Ok(command) => return self.command(reply, command),
                    Err(refusal) => Err(refusal),
                }
            }
            Request::Board => Ok(Reply::Board(Box::new(self.board()))),
            Request::Task(task) => self.task(&task),
            Request::Ledger { task, after, all, limit } => {
                self.ledger_lines(task.as_ref(), after, all, limit)
            }
            Request::Report(query) => return self.report(reply, &query),
            Request::SendReport(query) => return self.send_report(reply, &query),
            Request::Diff { task, attempt } => match self.diff(reply.clone(), &task, attempt) {
                Ok(()) => return,
                Err(refusal) => Err(refusal),
            },
            Request::Log { job, lines } => {
                match self.screen_request(&reply, job, Request::Log { job, lines }) {
                    Ok(None) => return,
                    Ok(Some(found)) => Ok(found),
                    Err(refusal) => Err(refusal),
                }
            }
            Request::Search { job, text } => {
                match self.screen_request(&reply, job, Request::Search { job, text }) {
                    Ok(None) => return,
                    Ok(Some(found)) => Ok(found),
                    Err(refusal) => Err(refusal),
                }
            }
            Request::Agents { repo } => {
                let paths = self.paths.clone();
                self.workers.put(Lane::Read, move || {
                    let result = guarded(|| launch::agents(&paths, repo.as_deref()))
                        .unwrap_or_else(|broke| Err(failed(broke)))
                        .map(Reply::Agents);
                    reply.outbox.answer(reply.id, result);
                });
                return;
            }
            Request::Asked { attempt, text } => match self.asked(&reply, attempt, &text) {
                Ok(()) => return,
                Err(refusal) => Err(refusal),
            },
            Request::SpecNew(wish) => {
                let (paths, world) = (self.paths.clone(), self.world.clone());
                self.workers.put(Lane::Launch, move || {
                    let result =
                        guarded(|| specs::resolve(&paths, *wish)).unwrap_or_else(|broke| Err(failed(broke)));
                    world.tell(FromWorld::SpecResolved { reply, result: Box::new(result) });
                });
                return;
            }
            Request::Schedule(wish) => return self.resolve_schedule(reply, *wish),
            Request::Queue(folder) => return self.list_queue(reply, folder),
            Request::Spec(name) => self.spec(&name),
            Request::Budget => Ok(Reply::Budget(self.engine.budgets(self.now))),
            Request::BenchNew(wish) => {
                let (paths, world) = (self.paths.clone(), self.world.clone());
                self.workers.put(Lane::Launch, move || {
                    let result = guarded(|| benches::resolve(&paths, *wish))
                        .unwrap_or_else(|broke| Err(failed(broke)));
                    world.tell(FromWorld::BenchResolved { reply, result: Box::new(result) });
                });
                return;
            }
            Request::Bench(name) => self.bench(&name),
            Request::Status => self.status(),
            Request::Shutdown => {
                self.ending = true;
                Ok(Reply::Done)
            }
            Request::PutPanel { repo, task, question } => {
                match self.put_panel(reply.clone(), repo, task.as_ref(), question) {
                    Some(result) => result,
                    None => return,
                }
            }
            Request::Panels { repo, task, limit } => self.polls(repo.as_deref(), task.as_ref(), limit),
            Request::Panel(id) => self.poll(id),
            Request::Personas(folder) => return self.personas(reply, folder),
        };
        reply.outbox.answer(reply.id, result);
    }

    fn task(&mut self, task: &TaskRef) -> Result<Reply, Refusal> {
        let id = find(&self.engine, task)?;
        let measured = self.vitals.measured(&self.jobs, clock::instant());
        let view = self.engine.task_view(id, self.now, &measured);
        view.map(|view| Reply::Task(Box::new(view)))
            .ok_or_else(|| refusal(RefusalKind::NotFound, format!("there is no task {id}"), ""))
    }

    fn ledger_lines(
        &mut self,
        task: Option<&TaskRef>,
        after: u64,
        all: bool,
        limit: u32,
    ) -> Result<Reply, Refusal> {
        let task = task.map(|task| find(&self.engine, task)).transpose()?;
        let entries = self
            .ledger
            .lines(task, after, all, limit.min(LINES_MAX))
            .map_err(|error| failed(format!("the ledger can't be read: {error}")))?;
        let mut names: HashMap<TaskId, String> = HashMap::new();
        let lines = entries.into_iter().map(|entry| {
            let task = entry.fact.task();
            let name = task.map(|task| {
                let name = names.entry(task).or_insert_with(|| {
                    let view = self.engine.task_view(task, self.now, &HashMap::new());
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
        Ok(Reply::Ledger(lines.collect()))
    }

    fn diff(&mut self, reply: ReplyTo, task: &TaskRef, attempt: Option<u32>) -> Result<(), Refusal> {
        let id = find(&self.engine, task)?;
        let view = self
            .engine
            .task_view(id, self.now, &HashMap::new())
            .ok_or_else(|| refusal(RefusalKind::NotFound, format!("there is no task {id}"), ""))?;
        let attempt = match attempt {
            Some(no) => view.attempts.iter().find(|attempt| attempt.no == no),
            None => view.work(),
        };
        let attempt = attempt.ok_or_else(|| {
            refusal(
                RefusalKind::NotNow,
                format!("{} has no such attempt yet", view.name),
                "wait until its agent has committed something",
            )
        })?;
        if attempt.exit.is_none() && attempt.lid == Lid::Sealed {
            return Err(refusal(
                RefusalKind::Covered,
                format!("{} is hidden: its agent still works", view.name),
                "wait until it is up for review",
            ));
        }
        let head =
            attempt.head.as_ref().map_or_else(|| attempt.branch.clone(), |head| head.as_str().to_owned());
        let target = self.target_of(&view);
        let main = view.repo;
        self.workers.put(Lane::Read, move || {
            let result = guarded(|| git::diff::read(&main, &head, &target))
                .map_err(failed)
                .and_then(|diff| diff.map(|diff| Reply::Diff(Box::new(diff))).map_err(launch::git_refusal));
            reply.outbox.answer(reply.id, result);
        });
        Ok(())
    }

    /// What a screen says, if it may be looked at; none: asked again once it has been read from its spool.
    fn screen_request(
        &mut self,
        reply: &ReplyTo,
        job: JobId,
        request: Request,
    ) -> Result<Option<Reply>, Refusal> {
        if self.engine.job(job).is_none() {
            return Err(refusal(
                RefusalKind::NotFound,
                format!("there is no job {job}"),
                "`nopeek show TASK` names its jobs",
            ));
        }
        let Some(permit) = self.engine.permit(job) else {
            return Err(covered(job));
        };
        if !self.load(job) {
            self.wait_for(job, reply.clone(), request);
            return Ok(None);
        }
        let is_deep = match &request {
            Request::Log { lines, .. } => *lines as usize > HISTORY,
            _ => true,
        };
        if is_deep && !self.dig(job, true) {
            self.wait_for(job, reply.clone(), request);
            return Ok(None);
        }
        let Some(shared) = self.jobs.shared(job) else { return Err(covered(job)) };
        let mut own = shared.covered();
        if is_deep {
            self.pasts.searched(job);
        }
        let screen = self.pasts.of(job).filter(|_| is_deep).unwrap_or(&mut own);
        let Some(emulator) = screen.look(permit) else { return Err(covered(job)) };
        Ok(Some(match request {
            Request::Search { text, .. } => {
                let mut places = text::search(emulator, &text);
                places.truncate(FOUND_MAX);
                Reply::Found(places)
            }
            Request::Log { lines, .. } => Reply::Log(text::last_lines(emulator, lines.min(LOG_MAX) as usize)),
            _ => return Err(failed("this is no request for a screen".to_owned())),
        }))
    }

    fn status(&mut self) -> Result<Reply, Refusal> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Reply::Status(DaemonStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            clients: count(self.clients.len()),
            jobs: count(self.engine.live_jobs().len()),
            facts: self.ledger.count(),
            data: self.paths.data.clone(),
        }))
    }

    fn look(&mut self, client: ClientId, looks: Vec<Look>) {
        let looked = self.clients.values().flat_map(|client| &client.looks);
        let read: HashSet<JobId> =
            looked.filter(|looking| looking.look.scrolled > 0).map(|looking| looking.look.job).collect();
        let Some(held) = self.clients.get_mut(&client) else { return };
        let mut before: HashMap<JobId, Looking> =
            held.looks.drain(..).map(|looking| (looking.look.job, looking)).collect();
        let mut now = Vec::new();
        for mut look in looks.into_iter().take(LOOKS_MAX) {
            look.rows = look.rows.clamp(1, ROWS_MAX);
            look.cols = look.cols.clamp(1, COLS_MAX);
            if now.iter().any(|looking: &Looking| looking.look.job == look.job) {
                continue;
            }
            now.push(match before.remove(&look.job) {
                Some(mut looking) => {
                    looking.change(look);
                    looking
                }
                None => Looking::new(look, self.epoch),
            });
        }
        let jobs: Vec<Look> = now.iter().map(|looking| looking.look).collect();
        held.looks = now;
        for job in before.into_keys() {
            self.unwatch(job);
        }
        for look in jobs {
            if look.focus {
                self.wished.insert(look.job, (look.rows, look.cols));
            }
            if self.engine.permit(look.job).is_some() {
                self.load(look.job);
                self.jobs.watch(look.job, true);
                self.fit(look.job);
                if look.scrolled > 0 {
                    if !read.contains(&look.job)
                        && let Some(shared) = self.jobs.shared(look.job)
                    {
                        self.pasts.begin(look.job, shared.output.load(Ordering::Relaxed));
                    }
                    self.dig(look.job, false);
                }
            }
        }
    }

    /// Gives a job's terminal the size that its last focused looker has room for, once it may be looked at. A job that
    /// has ended has its lines wrapped anew for the looker: no program minds any more.
    pub(super) fn fit(&mut self, job: JobId) {
        let Some(&(rows, cols)) = self.wished.get(&job).filter(|_| self.engine.permit(job).is_some()) else {
            return;
        };
        if self.is_live(job) {
            if self.sizes.insert(job, (rows, cols)) != Some((rows, cols)) {
                self.jobs.order(job, Order::Resize { rows, cols });
            }
        } else if let Some(shared) = self.jobs.shared(job).filter(|_| self.jobs.is_complete(job)) {
            shared.covered().resize(rows, cols);
        }
    }

    fn unwatch(&mut self, job: JobId) {
        let looked =
            self.clients.values().any(|client| client.looks.iter().any(|looking| looking.look.job == job));
        if !looked {
            self.wished.remove(&job);
            self.jobs.watch(job, false);
        }
    }

    fn shown(&mut self, client: ClientId, job: JobId) {
        let Some(client) = self.clients.get_mut(&client) else { return };
        for looking in client.looks.iter_mut().filter(|looking| looking.look.job == job) {
            looking.shown();
        }
    }

    fn input(&mut self, job: JobId, input: Input) {
        let too_long = matches!(&input, Input::Paste(text) if text.len() > PASTE_MAX);
        if !too_long && self.engine.may_type(job) {
            self.jobs.order(job, Order::Input(input));
        }
    }

    /// A screen has changed: everybody who looks gets it.
    pub(super) fn screen_changed(&mut self, job: JobId) {
        let now = clock::instant();
        for client in self.clients.values_mut() {
            for looking in client.looks.iter_mut().filter(|looking| looking.look.job == job) {
                looking.printed(now);
                let shared = self.jobs.shared(job).map(AsRef::as_ref);
                looking.show(&client.outbox, self.engine.permit(job), shared, self.pasts.of(job));
            }
        }
    }

    /// Shows what clients wait for, and covers what may no longer be looked at.
    pub(super) fn show_screens(&mut self) {
        let mut uncovered = Vec::new();
        let now = clock::instant();
        for client in self.clients.values_mut() {
            for looking in &mut client.looks {
                let job = looking.look.job;
                let permit = self.engine.permit(job);
                if looking.wants(permit.is_some(), now) {
                    if permit.is_some() {
                        uncovered.push(job);
                    }
                    let shared = self.jobs.shared(job).map(AsRef::as_ref);
                    looking.show(&client.outbox, permit, shared, self.pasts.of(job));
                }
            }
        }
        for job in uncovered {
            self.load(job);
            self.jobs.watch(job, true);
            self.fit(job);
        }
    }

    /// Sees to it that a job's screen is in memory. False: it is being read, and `Loaded` will say when it is there.
    fn load(&mut self, job: JobId) -> bool {
        if self.jobs.shared(job).is_some() {
            return self.is_live(job) || self.jobs.is_complete(job);
        }
        let Some(info) = self.engine.job(job) else { return true };
        if let Err(error) = self.jobs.begin(job, Begin::Load(kind(info.kind))) {
            tracing::error!(%job, %error, "a job's screen can't be read");
        }
        false
    }

    pub(super) fn is_live(&self, job: JobId) -> bool {
        self.engine.live_jobs().contains(&job)
    }

    /// Whether a job is an agent.
    pub(super) fn is_agent(&self, job: JobId) -> bool {
        self.engine.job(job).is_some_and(|info| matches!(info.kind, JobKind::Agent))
    }

    fn target_of(&self, view: &crate::core::views::board::TaskView) -> String {
        let job = view.attempts.iter().rev().find_map(|attempt| attempt.job);
        job.and_then(|job| self.engine.job(job)).map(|info| info.target).unwrap_or_default()
    }
}

/// What the thread of a job needs to know of its kind.
pub(super) const fn kind(kind: JobKind) -> Kind {
    match kind {
        JobKind::Agent => Kind::Agent,
        JobKind::Setup => Kind::Setup,
        JobKind::Gate => Kind::Gate,
    }
}

pub(super) fn failed(what: String) -> Refusal {
    refusal(RefusalKind::Failed, what, "the daemon's log may say more: `nopeek doctor` names it")
}

fn covered(job: JobId) -> Refusal {
    refusal(
        RefusalKind::Covered,
        format!("the screen of {job} is hidden"),
        "wait until its attempt has ended, or `nopeek peek TASK --reason …`, which is recorded",
    )
}

/// The text of an error as one safe line.
pub(super) fn shown(error: &dyn std::fmt::Display) -> Shown {
    Shown::line(&error.to_string())
}
