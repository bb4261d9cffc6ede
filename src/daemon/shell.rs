//! The loop: one thing at a time into the engine, facts into the ledger, then and only then what follows.
//!
//! A turn takes what has come (time, people, the world), steps the engine for each, commits all facts at once, then
//! does effects, answers and notices, then shows what changed. While the ledger can't be written (a full disk) the
//! world waits in its queue, people's commands are refused, and the commit is tried again each second: nothing is
//! acknowledged or done that is not in the ledger.

use super::after::{Acknowledged, After, Unsaved};
use super::asking::Asking;
use super::batches::Queues;
use super::commands::refused;
use super::frames::Looking;
use super::jobs::Jobs;
use super::launch::{Resolved, refusal};
use super::ledger_trouble::{self, LedgerTrouble};
use super::message::{ClientId, FromPeople, FromWorld, ReplyTo, Waiting, World};
use super::notices::{Post, Rings};
use super::outbox::{self, Outbox};
use super::past::Pasts;
use super::vitals::Vitals;
use super::workers::{Lane, Workers};
use super::{environment, sessions};
use crate::core::engine::{Engine, Refused};
use crate::core::event::{Command, Event};
use crate::core::ids::{EffectId, JobId, TaskId};
use crate::core::panel::PanelCommand;
use crate::core::text::Shown;
use crate::core::time::{Span, Time};
use crate::core::view::Board;
use crate::git;
use crate::os::clock::{self, Clock};
use crate::os::paths::Paths;
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use crate::wire::client::{FromDaemon, Refusal, RefusalKind, Reply, Request};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

/// Messages taken from one queue in a turn: a flood of one kind does not keep the others waiting.
const TURN_MAX: usize = 64;
/// Boards are pushed at most this often when facts changed.
const BOARD_APART: Duration = Duration::from_millis(50);
/// And this often when only vitals did.
const VITALS_APART: Duration = Duration::from_secs(1);
/// A ledger that can't be written is tried again after this long.
const RETRY: Duration = Duration::from_secs(1);
/// The machine's sleep is looked for at least this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// A sleep shorter than this is no suspend.
const SUSPEND_MIN: u64 = 1_000;
/// Longest name of a person in the ledger.
const WHO_MAX: usize = 100;
/// Ledger name of what no person did.
const NOBODY: &str = "nopeek";

/// A connected client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) outbox: Arc<Outbox>,
    pub(super) who: String,
    pub(super) subscribed: bool,
    /// Whether and for what it rings.
    pub(super) rings: Rings,
    pub(super) looks: Vec<Looking>,
}

/// All that the loop owns.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) paths: Paths,
    pub(super) clock: Arc<Clock>,
    slept: Clock,
    /// The time of this turn.
    pub(super) now: Time,
    pub(super) started: Time,
    pub(super) engine: Engine,
    pub(super) ledger: Ledger,
    pub(super) jobs: Jobs,
    pub(super) workers: Workers,
    pub(super) world: World,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) vitals: Vitals,
    /// Notices for the user's command and webhook.
    pub(super) post: Post,
    /// What screens showed before their history begins.
    pub(super) pasts: Pasts,
    /// Requests that wait for a screen to be read.
    pub(super) waiting: Vec<Waiting>,
    /// Effects that are being done, with their job if they are done to one.
    pub(super) in_flight: HashMap<EffectId, Option<JobId>>,
    /// Events that the loop itself has found out.
    pub(super) found_out: VecDeque<Event>,
    /// Sizes that clients gave to terminals.
    pub(super) sizes: HashMap<JobId, (u16, u16)>,
    /// The size that whoever focused a job last has room for; of jobs that somebody looks at.
    pub(super) wished: HashMap<JobId, (u16, u16)>,
    /// Requests that wait for a person's answer.
    pub(super) asking: Vec<Asking>,
    /// Queues that are watched.
    pub(super) queues: Queues,
    unsaved: VecDeque<Unsaved>,
    retry_at: Option<Instant>,
    /// What is wrong with the ledger, and its back-ups.
    pub(super) ledger_trouble: LedgerTrouble,
    /// What the moments at which screens are looked at together are counted from.
    pub(super) epoch: Instant,
    board_changed: bool,
    board_at: Option<Instant>,
    pulse_at: Option<Instant>,
    pub(super) ending: bool,
}

impl Shell {
    /// A shell around an engine that was replayed from `ledger`.
    pub(super) fn new(
        paths: Paths,
        program: std::path::PathBuf,
        engine: Engine,
        ledger: Ledger,
        world: World,
    ) -> Self {
        let clock = Arc::new(Clock::start());
        let now = Time(clock.now_ms());
        Self {
            jobs: Jobs::new(paths.clone(), program, Arc::clone(&clock), world.clone()),
            paths,
            clock,
            slept: Clock::start(),
            now,
            started: now,
            engine,
            ledger,
            workers: Workers::default(),
            world,
            clients: BTreeMap::new(),
            vitals: Vitals::default(),
            post: Post::default(),
            pasts: Pasts::default(),
            waiting: Vec::new(),
            in_flight: HashMap::new(),
            found_out: VecDeque::new(),
            sizes: HashMap::new(),
            wished: HashMap::new(),
            asking: Vec::new(),
            queues: Queues::default(),
            unsaved: VecDeque::new(),
            retry_at: None,
            ledger_trouble: LedgerTrouble::default(),
            epoch: clock::instant(),
            board_changed: true,
            board_at: None,
            pulse_at: None,
            ending: false,
        }
    }

    /// Runs until somebody ends the daemon. Jobs go on.
    pub(super) async fn run(
        mut self,
        listener: UnixListener,
        mut world: mpsc::Receiver<FromWorld>,
        mut stop: mpsc::Receiver<()>,
    ) {
        let (sender, mut people) = mpsc::channel(super::message::PEOPLE_MAX);
        // Of a ledger that is only read nothing is done: not even what is under way is taken up.
        if !self.ledger_trouble.is_read_only() {
            self.reconcile();
        }
        self.turn();
        let accepting = tokio::spawn(sessions::accept(listener, sender));
        while !self.ending {
            let due = self.due().unwrap_or_else(|| clock::instant() + HEARTBEAT);
            tokio::select! {
                biased;
                _ = stop.recv() => self.ending = true,
                Some(message) = people.recv() => {
                    self.time_passes();
                    self.hear_people(message);
                }
                Some(message) = world.recv(), if self.retry_at.is_none() => {
                    self.time_passes();
                    self.hear_world(message);
                }
                () = tokio::time::sleep_until(due.into()) => self.time_passes(),
            }
            for _ in 0..TURN_MAX {
                let Ok(message) = people.try_recv() else { break };
                self.hear_people(message);
            }
            for _ in 0..TURN_MAX {
                if self.retry_at.is_some() {
                    break;
                }
                let Ok(message) = world.try_recv() else { break };
                self.hear_world(message);
            }
            self.turn();
        }
        accepting.abort();
        // First of all: from now on nobody finds us.
        let _ = std::fs::remove_file(self.paths.socket());
        self.clients.values().for_each(|client| client.outbox.close());
        self.clients.clear();
        self.post.last_words(&self.paths);
        // Sessions write what they still have; a client that does not read is not waited for.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Looks at the clock, once a turn, before anything else: a sleep of the machine is a pause of everything.
    fn time_passes(&mut self) {
        self.now = Time(self.clock.now_ms());
        let slept = self.slept.suspended_ms();
        if slept >= SUSPEND_MIN {
            self.step(Event::Suspended(Span(slept)));
        }
        if !self.ledger_trouble.is_read_only()
            && self.engine.deadline().is_some_and(|deadline| deadline <= self.now)
        {
            self.step(Event::Tick);
        }
    }

    fn turn(&mut self) {
        // What the loop finds out by doing effects are events again; bounded, so that clients get their turn.
        for _ in 0..TURN_MAX {
            self.commit();
            let Some(event) = self.found_out.pop_front() else { break };
            self.hear_event(event);
        }
        if self.unsaved.is_empty() {
            self.serve_asking();
        }
        self.show_screens();
        self.forget_pasts();
        self.push_board();
        self.measure();
        self.post.hand_over(&self.paths);
        self.watch_queues();
        self.back_up();
    }

    fn hear_world(&mut self, message: FromWorld) {
        match message {
            FromWorld::Event(event) => self.hear_event(event),
            FromWorld::Screen(job) => self.screen_changed(job),
            FromWorld::Loaded(job) => {
                self.fit(job);
                self.screen_changed(job);
                self.serve_waiting(job);
            }
            FromWorld::Dug { job, screen } => self.dug(job, screen),
            FromWorld::Measured { job, found } => self.vitals.found(job, found, clock::instant()),
            FromWorld::Resolved { reply, result } => self.launch(reply, result),
            FromWorld::Voting { reply, result } => match result {
                Ok(command) => self.command(reply, *command),
                Err(refusal) => reply.outbox.answer(reply.id, Err(refusal)),
            },
            FromWorld::SpecResolved { reply, result } => self.open_spec(reply, *result),
            FromWorld::BenchResolved { reply, result } => self.open_bench(reply, *result),
            FromWorld::ScheduleResolved { reply, result } => self.schedule(reply, *result),
            FromWorld::Glanced { repo, seen } => self.glanced(repo, seen),
            FromWorld::BackedUp(failure) => self.backed_up(failure),
        }
    }

    fn hear_event(&mut self, event: Event) {
        match &event {
            Event::Answered { effect, .. } => {
                self.in_flight.remove(effect);
            }
            Event::Exited { job, .. } => {
                let job = *job;
                self.jobs.ended(job);
                self.sizes.remove(&job);
                // Whatever was to be done to the job is done: nothing is left of it.
                let open = self.in_flight.iter().filter(|(_, of)| **of == Some(job)).map(|(id, _)| *id);
                let open: Vec<EffectId> = open.collect();
                for effect in open {
                    self.done(effect);
                }
            }
            Event::Command { .. }
            | Event::Observed { .. }
            | Event::Alive(_)
            | Event::Suspended(_)
            | Event::Tick
            | Event::NumbersFound { .. }
            | Event::Restarted => {}
        }
        self.step(event);
    }

    fn hear_people(&mut self, message: FromPeople) {
        match message {
            FromPeople::Joined { client, outbox, who } => {
                let who = Shown::line(&who).as_str().chars().take(WHO_MAX).collect();
                self.clients.insert(
                    client,
                    Client { outbox, who, subscribed: false, rings: Rings::default(), looks: Vec::new() },
                );
            }
            FromPeople::Said { client, message } => self.hear_client(client, message),
            FromPeople::Left(client) => self.leave(client),
        }
    }

    /// An event that nobody waits for; a refusal means that it came too late and changes nothing.
    fn step(&mut self, event: Event) {
        if let Err(refused) = self.step_by(NOBODY, event, After::default()) {
            tracing::debug!(what = %refused.what, "the engine refused an event");
        }
    }

    /// Steps the engine; what follows waits for the commit.
    pub(super) fn step_by(
        &mut self,
        by: &str,
        event: Event,
        mut after: After,
    ) -> Result<Vec<TaskId>, Refused> {
        self.ledger_trouble.refuse_if_read_only()?;
        let step = self.engine.step(self.now, event)?;
        after.effects = step.effects;
        after.notices = step.notices;
        after.heirs = environment::heirs(&step.facts);
        self.board_changed |= !step.facts.is_empty();
        let by = by.to_owned();
        self.unsaved.push_back(Unsaved { at: self.now, by, facts: step.facts, after });
        Ok(step.launched)
    }

    /// A person's command; the answer follows the commit.
    pub(super) fn command(&mut self, reply: ReplyTo, command: Command) {
        if let Err(refusal) = self.writable() {
            reply.outbox.answer(reply.id, Err(refusal));
            return;
        }
        let who = reply.who.clone();
        let votes = matches!(command, Command::Panel(PanelCommand::Put { .. }));
        let what = if votes { Acknowledged::Voted(self.engine.panels().next()) } else { Acknowledged::Done };
        let after = After { answer: Some((reply.clone(), what)), ..After::default() };
        if let Err(error) = self.step_by(&who, Event::Command { by: who.clone(), command }, after) {
            reply.outbox.answer(reply.id, Err(refused(error)));
        }
    }

    /// Launches all of what was looked up, or nothing.
    fn launch(&mut self, reply: ReplyTo, result: Result<Vec<Resolved>, Refusal>) {
        let resolved = match result.and_then(|resolved| self.writable().map(|()| resolved)) {
            Ok(resolved) => resolved,
            Err(refusal) => return reply.outbox.answer(reply.id, Err(refusal)),
        };
        let before = (resolved.len() > 1).then(|| (self.engine.clone(), self.unsaved.len()));
        let mut launched = Vec::new();
        for Resolved { launch, kept } in resolved {
            let command = Command::Launch(Box::new(launch));
            let by = reply.who.clone();
            let event = Event::Command { by: by.clone(), command };
            match self.step_by(&by, event, After::default()) {
                Ok(tasks) => {
                    if let Some(unsaved) = self.unsaved.back_mut() {
                        unsaved.after.kept = tasks.iter().map(|task| (*task, kept.clone())).collect();
                    }
                    launched.extend(tasks);
                }
                Err(error) => {
                    if let Some((engine, len)) = before {
                        self.engine = engine;
                        self.unsaved.truncate(len);
                    }
                    return reply.outbox.answer(reply.id, Err(refused(error)));
                }
            }
        }
        match self.unsaved.back_mut() {
            Some(unsaved) if !launched.is_empty() => {
                unsaved.after.answer = Some((reply, Acknowledged::Launched(launched)));
            }
            _ => reply.outbox.answer(reply.id, Ok(Reply::Launched(Vec::new()))),
        }
    }

    pub(super) fn writable(&self) -> Result<(), Refusal> {
        self.ledger_trouble.writable()
    }

    /// Commits all facts, then does what follows them.
    fn commit(&mut self) {
        if self.retry_at.is_some_and(|at| clock::instant() < at) {
            return;
        }
        // What is kept of a task that never gets into the ledger is replaced by the next one of its number.
        self.unsaved.iter_mut().for_each(|unsaved| unsaved.after.keep(&self.paths));
        while let Some(first) = self.unsaved.front() {
            let (at, by) = (first.at, first.by.clone());
            let alike = self.unsaved.iter().take_while(|next| next.at == at && next.by == by).count();
            let facts: Vec<_> =
                self.unsaved.iter().take(alike).flat_map(|unsaved| unsaved.facts.iter().cloned()).collect();
            if !facts.is_empty()
                && let Err(error) = self.ledger.append(at, &by, &facts)
            {
                tracing::error!(%error, "the ledger can't be written; trying again");
                self.retry_at = Some(clock::instant() + RETRY);
                self.ledger_trouble.unwritten = Some(ledger_trouble::unwritten(&error));
                self.board_changed = true;
                self.answer_uncertain(&error);
                return;
            }
            self.retry_at = None;
            self.board_changed |= self.ledger_trouble.unwritten.take().is_some();
            let saved: Vec<Unsaved> = self.unsaved.drain(..alike).collect();
            for unsaved in saved {
                #[cfg(feature = "otlp")]
                self.export(&unsaved.facts);
                self.follow(unsaved.after);
            }
        }
        self.retry_at = None;
    }

    /// Nobody waits for a disk: who asked is told that what was asked for is not certain yet.
    fn answer_uncertain(&mut self, error: &StoreError) {
        for unsaved in &mut self.unsaved {
            if let Some((reply, _)) = unsaved.after.answer.take() {
                let remedy = format!(
                    "{}: it is done once the ledger can be written; until then it is lost if the daemon ends. \
                     `nopeek ls` says",
                    error.remedy()
                );
                let refusal = refusal(RefusalKind::Failed, format!("not certain yet: {error}"), &remedy);
                reply.outbox.answer(reply.id, Err(refusal));
            }
        }
    }

    fn follow(&mut self, after: After) {
        for (task, kept) in after.kept {
            if let Err(error) = environment::save(&self.paths, task, &kept) {
                tracing::warn!(%task, %error, "a task's environment can't be kept: the daemon's own will be used");
            }
        }
        for effect in after.effects {
            self.dispatch(effect);
        }
        for notice in after.notices {
            self.tell_people(notice);
        }
        if let Some((reply, what)) = after.answer {
            let answer = match what {
                Acknowledged::Opened(id) => match self.engine.spec_view(id, self.now) {
                    Some(view) => Reply::Spec(Box::new(view)),
                    None => Reply::Done,
                },
                Acknowledged::Benched(id) => {
                    self.engine.bench_view(id).map_or(Reply::Done, |view| Reply::Bench(Box::new(view)))
                }
                Acknowledged::Done => Reply::Done,
                Acknowledged::Voted(id) => match self.engine.panels().get(id) {
                    Some(poll) => Reply::Panel(Box::new(poll.clone())),
                    None => Reply::Done,
                },
                Acknowledged::Launched(tasks) => {
                    let measured = HashMap::new();
                    let views =
                        tasks.iter().filter_map(|task| self.engine.task_view(*task, self.now, &measured));
                    Reply::Launched(views.collect())
                }
            };
            reply.outbox.answer(reply.id, Ok(answer));
        }
    }

    /// The board with what is measured.
    pub(super) fn board(&mut self) -> Board {
        let measured = self.vitals.measured(&self.jobs, clock::instant());
        Board { trouble: self.ledger_trouble.worst(), ..self.engine.board(self.now, &measured) }
    }

    /// The board as of now has changed, beyond what facts say.
    pub(super) const fn board_changes(&mut self) {
        self.board_changed = true;
    }

    fn push_board(&mut self) {
        if !self.clients.values().any(|client| client.subscribed) {
            return;
        }
        let now = clock::instant();
        let Some(due) = self.board_due(now) else { return };
        if due > now {
            return;
        }
        let board = self.board();
        self.board_changed = false;
        self.board_at = Some(now);
        let Some(bytes) = outbox::encode(&FromDaemon::Board(Box::new(board))) else { return };
        let bytes = Arc::new(bytes);
        for client in self.clients.values().filter(|client| client.subscribed) {
            client.outbox.board(&bytes);
        }
    }

    /// When the next board is to be pushed, if one is.
    fn board_due(&self, now: Instant) -> Option<Instant> {
        if !self.clients.values().any(|client| client.subscribed) {
            return None;
        }
        let Some(last) = self.board_at else { return Some(now) };
        if self.board_changed {
            Some(last + BOARD_APART)
        } else if self.pulse_at.is_some() {
            Some(last + VITALS_APART)
        } else {
            None
        }
    }

    /// Has one worktree measured, if one is due.
    fn measure(&mut self) {
        let now = clock::instant();
        let live = self.engine.live_jobs();
        if live.is_empty() {
            self.pulse_at = None;
            return;
        }
        if self.pulse_at.is_some_and(|at| now < at) {
            return;
        }
        self.pulse_at = Some(now + VITALS_APART);
        let agents: Vec<JobId> = live.into_iter().filter(|job| self.is_agent(*job)).collect();
        let watched = self.clients.values().any(|client| client.subscribed);
        let Some(job) = self.vitals.next(&agents, &self.jobs, watched, now) else { return };
        let Some(info) = self.engine.job(job) else {
            self.vitals.found(job, None, now);
            return;
        };
        let world = self.world.clone();
        self.workers.put(Lane::Measure, move || {
            let found = git::diff::measure(&info.worktree, &info.target);
            let found =
                found.inspect_err(|error| tracing::debug!(%job, %error, "a worktree can't be measured"));
            world.tell(FromWorld::Measured { job, found: found.ok() });
        });
    }

    fn due(&self) -> Option<Instant> {
        let now = clock::instant();
        let decides = self.retry_at.is_none() && !self.ledger_trouble.is_read_only();
        let deadline = self.engine.deadline().filter(|_| decides).map(|deadline| {
            // Never at once: a deadline that a tick did not use up must not keep the loop busy.
            now + Duration::from_millis(deadline.since(self.now).0.clamp(2, 3_600_000))
        });
        let more = (!self.found_out.is_empty() && self.retry_at.is_none()).then_some(now);
        let heartbeat = Some(now + HEARTBEAT);
        let frames = self
            .clients
            .values()
            .flat_map(|client| &client.looks)
            .filter_map(|looking| looking.due(now))
            .min();
        [
            deadline,
            self.retry_at,
            self.board_due(now),
            self.pulse_at,
            self.post.due(),
            self.queues.due(),
            more,
            frames,
            heartbeat,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A request of a client.
    pub(super) fn reply_to(&self, client: ClientId, id: u64) -> Option<ReplyTo> {
        let client = self.clients.get(&client)?;
        Some(ReplyTo { outbox: Arc::clone(&client.outbox), id, who: client.who.clone() })
    }

    pub(super) fn serve_waiting(&mut self, job: JobId) {
        let (now, later) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.job == job);
        self.waiting = later;
        let now: Vec<Waiting> = now;
        for Waiting { reply, request, .. } in now {
            self.request(reply, request);
        }
    }

    /// Asks for `request` again once `job`'s screen has been read.
    pub(super) fn wait_for(&mut self, job: JobId, reply: ReplyTo, request: Request) {
        self.waiting.push(Waiting { job, reply, request });
    }
}
