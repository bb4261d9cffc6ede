//! The loop: one thing at a time into the engine, facts into the ledger, then and only then what follows.
//!
//! A turn takes what has come (time, people, the world), steps the engine for each, commits all facts at once, then
//! does effects, answers and notices, then shows what changed. While the ledger can't be written (a full disk) the
//! world waits in its queue, people's commands are refused, and the commit is tried again each second: nothing is
//! acknowledged or done that is not in the ledger.
//!
//! The loop owns the parts and hands each what it needs; no part knows of the loop.

use super::after_commit::AfterCommit;
use super::board_feed::BoardFeed;
use super::clients::Clients;
use super::effects::Effects;
use super::jobs::Jobs;
use super::journal::Journal;
use super::listening::Listening;
use super::message::{self, FromPeople, FromWorld, World};
use super::notices::{OutgoingNotice, Post};
use super::questions::Questions;
use super::queues::Queues;
use super::screens::Screens;
use super::timekeeper::Timekeeper;
use super::workers::Workers;
use super::{batches, benches, sessions, specs};
use crate::core::engine::Engine;
use crate::core::model::event::Event;
use crate::core::model::notice::Notice;
use crate::core::views::board::Trouble;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::store::ledger::Ledger;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Messages taken from one queue in a turn: a flood of one kind does not keep the others waiting.
const TURN_MAX: usize = 64;
/// The machine's sleep is looked for at least this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How long sessions may write what they still have when the daemon ends.
const LAST_WRITES: Duration = Duration::from_millis(50);

/// The loop with its parts.
#[derive(Debug)]
pub(super) struct EventLoop {
    pub(super) paths: Paths,
    pub(super) time: Timekeeper,
    pub(super) journal: Journal,
    effects: Effects,
    pub(super) jobs: Jobs,
    pub(super) workers: Workers,
    pub(super) clients: Clients,
    pub(super) screens: Screens,
    pub(super) board: BoardFeed,
    pub(super) questions: Questions,
    queues: Queues,
    post: Post,
    /// Somebody has asked the daemon to end.
    pub(super) ending: bool,
}

impl EventLoop {
    /// A loop around an engine that was replayed from `ledger`; `program` is nopeek itself, for keepers.
    pub(super) fn new(
        paths: Paths,
        program: PathBuf,
        engine: Engine,
        (ledger, read_only): (Ledger, Option<Trouble>),
        world: World,
    ) -> Self {
        let time = Timekeeper::start();
        let mut board = BoardFeed::default();
        board.changes();
        Self {
            jobs: Jobs::new(paths.clone(), program, Arc::clone(time.clock()), world.clone()),
            journal: Journal::new(paths.clone(), engine, ledger, read_only),
            workers: Workers::new(paths.clone(), world),
            effects: Effects::new(&paths),
            paths,
            time,
            clients: Clients::default(),
            screens: Screens::new(clock::instant()),
            board,
            questions: Questions::default(),
            queues: Queues::default(),
            post: Post::default(),
            ending: false,
        }
    }

    /// Runs until somebody ends the daemon. Jobs go on.
    pub(super) async fn run(
        mut self,
        listening: Listening,
        mut world: mpsc::Receiver<FromWorld>,
        mut stop: mpsc::Receiver<()>,
    ) {
        let (sender, mut people) = mpsc::channel(message::PEOPLE_MAX);
        let Self { paths, time, effects, journal, jobs, workers, .. } = &mut self;
        // Of a ledger that is only read nothing is done: not even what is under way is taken up.
        if !journal.is_read_only() {
            effects.reconcile(time.now(), paths, journal.engine(), jobs, workers);
        }
        self.turn();
        let accepting = tokio::spawn(sessions::accept(listening, sender));
        while !self.ending {
            let due = self.due();
            tokio::select! {
                biased;
                _ = stop.recv() => self.ending = true,
                Some(message) = people.recv() => {
                    self.time_passes();
                    self.hear_people(message);
                }
                Some(message) = world.recv(), if self.journal.retry_at().is_none() => {
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
                if self.journal.retry_at().is_some() {
                    break;
                }
                let Ok(message) = world.try_recv() else { break };
                self.hear_world(message);
            }
            self.turn();
        }
        accepting.abort();
        self.end().await;
    }

    async fn end(mut self) {
        // First of all: from now on nobody finds us.
        let _ = std::fs::remove_file(self.paths.socket());
        self.screens.send_away();
        self.clients.send_away();
        self.post.flush(&self.paths);
        // Sessions write what they still have; a client that does not read is not waited for.
        tokio::time::sleep(LAST_WRITES).await;
    }

    /// Looks at the clock, once a turn, before anything else: a sleep of the machine is a pause of everything.
    fn time_passes(&mut self) {
        let slept = self.time.pass();
        let now = self.time.now();
        if let Some(slept) = slept {
            self.journal.step(now, Event::Suspended(slept));
        }
        let due = self.journal.engine().deadline().is_some_and(|deadline| deadline <= now);
        if due && !self.journal.is_read_only() {
            self.journal.step(now, Event::Tick);
        }
    }

    fn turn(&mut self) {
        // What the loop finds out by doing effects are events again; bounded, so that clients get their turn.
        for _ in 0..TURN_MAX {
            self.commit();
            let Some(event) = self.effects.next_event() else { break };
            self.hear_event(event);
        }
        let (now, started) = (self.time.now(), self.time.started());
        let Self { paths, journal, jobs, workers, clients, screens, board, questions, queues, post, .. } =
            self;
        if journal.is_saved() {
            questions.serve(journal.engine());
        }
        journal.back_up(now, started, workers);
        if journal.take_changed() {
            board.changes();
        }
        let engine = journal.engine();
        screens.show(engine, jobs, clock::instant());
        screens.forget_scrollbacks(engine);
        board.send(clients, journal, jobs, now, clock::instant());
        board.measure(engine, jobs, workers, clients.any_subscribed(), clock::instant());
        post.hand_over(paths);
        queues.watch(engine, workers, clock::instant());
    }

    fn hear_world(&mut self, message: FromWorld) {
        let (now, at) = (self.time.now(), clock::instant());
        let Self { journal, jobs, workers, screens, .. } = self;
        match message {
            FromWorld::Event(event) => self.hear_event(event),
            FromWorld::Screen(job) => screens.changed(job, journal.engine(), jobs, at),
            FromWorld::Loaded(job) => screens.loaded(job, journal.engine(), jobs, workers, at),
            FromWorld::ScrollbackRead { job, screen } => {
                screens.scrollback_read((job, screen), journal.engine(), jobs, workers, at);
            }
            FromWorld::Measured { job, found } => self.board.measured(job, found, at),
            FromWorld::BackedUp(failure) => journal.backed_up(now, failure),
            FromWorld::Resolved { reply, result } => journal.launch(now, reply, result),
            FromWorld::Voting { reply, result } => match result {
                Ok(command) => journal.command(now, reply, *command),
                Err(refusal) => reply.answer(Err(refusal)),
            },
            FromWorld::SpecResolved { reply, result } => specs::open(journal, now, reply, *result),
            FromWorld::BenchResolved { reply, result } => benches::open(journal, now, reply, *result),
            FromWorld::ScheduleResolved { reply, result } => batches::schedule(journal, now, reply, *result),
            FromWorld::Glanced { repo, seen } => {
                if let Some(event) = self.queues.glanced(repo, seen) {
                    self.effects.found_out(event);
                }
            }
        }
    }

    fn hear_event(&mut self, event: Event) {
        match &event {
            Event::EffectDone { effect, .. } => self.effects.answered(*effect),
            Event::Exited { job, .. } => {
                self.jobs.ended(*job);
                self.screens.job_ended(*job);
                self.effects.job_ended(*job);
            }
            Event::Command { .. }
            | Event::Observed { .. }
            | Event::Alive(_)
            | Event::Suspended(_)
            | Event::Tick
            | Event::NumbersFound { .. }
            | Event::Restarted => {}
        }
        self.journal.step(self.time.now(), event);
    }

    fn hear_people(&mut self, message: FromPeople) {
        match message {
            FromPeople::Joined { client, outbox, who } => self.clients.join(client, outbox, &who),
            FromPeople::Said { client, message } => self.hear_client(client, message),
            FromPeople::Left(client) => {
                if let Some(outbox) = self.clients.leave(client) {
                    self.questions.leave(&outbox);
                    self.screens.leave(client, &mut self.jobs);
                }
            }
        }
    }

    /// Commits all facts, then does what follows them.
    fn commit(&mut self) {
        for decided in self.journal.commit() {
            #[cfg(feature = "otlp")]
            super::otlp::export(&mut self.workers, self.paths.ledger(), &decided.facts);
            self.follow(decided.after);
        }
    }

    fn follow(&mut self, after: AfterCommit) {
        let now = self.time.now();
        after.keep_again(&self.paths);
        for effect in after.effects {
            self.effects.begin(now, effect, &mut self.jobs, &mut self.workers);
        }
        for notice in after.notices {
            self.tell_people(&notice);
        }
        if let Some((reply, what)) = after.answer {
            reply.answer(Ok(what.reply(self.journal.engine(), now)));
        }
    }

    /// A notice is in the ledger: everybody who sees the board is told, one rings; command and webhook follow.
    fn tell_people(&mut self, notice: &Notice) {
        let outgoing = OutgoingNotice::new(notice, self.journal.engine(), self.time.now());
        self.clients.notice(notice, outgoing.repo());
        self.post.put(outgoing);
    }

    /// When the loop is to wake although nothing comes.
    fn due(&self) -> Instant {
        let at = clock::instant();
        let retry = self.journal.retry_at();
        let decides = retry.is_none() && !self.journal.is_read_only();
        let deadline = self.journal.engine().deadline().filter(|_| decides).map(|deadline| {
            // Never at once: a deadline that a tick did not use up must not keep the loop busy.
            at + Duration::from_millis(deadline.since(self.time.now()).0.clamp(2, 3_600_000))
        });
        let more = (self.effects.has_events() && retry.is_none()).then_some(at);
        let board = self.board.due(self.clients.any_subscribed(), at);
        let screens = self.screens.due(at);
        let (pulse, post, queues) = (self.board.pulse_at(), self.post.due(), self.queues.due());
        let all = [deadline, retry, board, pulse, post, queues, more, screens];
        all.into_iter().flatten().fold(at + HEARTBEAT, Instant::min)
    }
}
