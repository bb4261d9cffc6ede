//! A job's thread: keeper and spool on one side, the screen under its lid in the middle, the loop on the other.
//!
//! Promises: the engine hears `JobStarted` once, then what the agent says of itself, then `Exited` once, after all
//! of the output has been read; each order's effect is answered once. Nothing that a job printed is handed on but
//! through the lid, the agent's dialect (states, numbers) and, for gates and hooks, their last lines.

use super::begin::{self, Found};
use super::coalesce::Coalesce;
use super::files::{Fed, Files};
use super::plan;
use super::spool::{self, REFEED, Spool};
use super::typist::{Typist, Write as Typed};
use super::{Begin, Kind, Order, Shared};
use crate::agents::listen::Listener;
use crate::agents::tests;
use crate::core::attempt::{Exit, Observation};
use crate::core::effect::JobStart;
use crate::core::event::{Event, Outcome};
use crate::core::gate::GateRun;
use crate::core::ids::{EffectId, JobId};
use crate::core::text::Shown;
use crate::daemon::message::{FromWorld, World};
use crate::os::clock::{self, Clock};
use crate::os::paths::Paths;
use crate::screen::{keys, plain};
use crate::wire::frame::{self, Decoder};
use crate::wire::keeper::{ExitFile, FromKeeper, ToKeeper};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Output of a gate or hook that is looked at for its last lines.
const TAIL_BYTES: u64 = 64 * 1024;
/// Output of a gate that is looked at for counted tests.
const COUNT_BYTES: u64 = 1024 * 1024;
/// Written to a keeper that does not take it; more is dropped, since nobody reads it there.
const OUT_MAX: usize = 1024 * 1024;
/// The engine is told at most this often that a job gives output.
const ALIVE: Duration = Duration::from_secs(1);

/// A synchronised update may hold the screen back for this long.
const SYNC_MAX: Duration = Duration::from_millis(150);
/// A keeper whose connection broke is tried again after this long.
const AGAIN: Duration = Duration::from_millis(20);

/// All that the thread owns.
pub(super) struct Thread {
    job: JobId,
    paths: Paths,
    files: Files,
    program: PathBuf,
    clock: Arc<Clock>,
    world: World,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    waker: Arc<OwnedFd>,
    kind: Kind,
    listener: Option<Listener>,
    typist: Typist,
    coalesce: Coalesce,
    spool: Spool,
    fed: Fed,
    /// Up to here the output is old: its queries were answered, its bells have rung.
    old: u64,
    /// From here on the screen is fed: what came before is longer ago than its history reaches.
    screen_from: u64,
    /// How long the spool is known to be.
    grown: u64,
    alive_said: Option<Instant>,
    /// The engine knows that the job runs, so it must hear of its end.
    known: bool,
    /// It broke on this job's output once: the output is no longer read, only its length and end.
    deaf: bool,
    /// Since when the program holds its screen back for a synchronised update.
    sync_since: Option<Instant>,
    freezes: Vec<EffectId>,
    thaws: Vec<EffectId>,
    ends: Vec<EffectId>,
}

/// The answer to the effect that started a job.
pub(super) const fn started(effect: EffectId) -> Event {
    Event::Answered { effect, outcome: Outcome::JobStarted }
}

impl Thread {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once; a struct of the same would be made for it alone"
    )]
    pub(super) fn new(
        job: JobId,
        paths: &Paths,
        program: PathBuf,
        clock: Arc<Clock>,
        world: World,
        shared: Arc<Shared>,
        orders: mpsc::Receiver<Order>,
        waker: Arc<OwnedFd>,
    ) -> Self {
        let files = Files::new(paths.job(job.0));
        Self {
            job,
            paths: paths.clone(),
            program,
            clock,
            world,
            shared,
            orders,
            waker,
            kind: Kind::Agent,
            listener: None,
            typist: Typist::default(),
            coalesce: Coalesce::default(),
            spool: Spool::new(files.spool()),
            fed: Fed::default(),
            files,
            old: 0,
            screen_from: 0,
            grown: 0,
            alive_said: None,
            known: false,
            deaf: false,
            sync_since: None,
            freezes: Vec::new(),
            thaws: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The thread's body. Should it break on what a program printed, the job is followed on without a screen.
    pub(super) fn run(mut self, begin: Begin) {
        let started = match &begin {
            Begin::Start { effect, .. } => Some(*effect),
            Begin::Attach(_) | Begin::Load(_) => None,
        };
        let run = std::panic::AssertUnwindSafe(|| self.follow_through(begin));
        if std::panic::catch_unwind(run).is_ok() {
            return;
        }
        tracing::error!(job = %self.job, "a job's thread broke: its screen stays as it is");
        if let Some(effect) = started.filter(|_| !self.known) {
            let error = Shown::line("nopeek broke while it started the job; its log says where");
            self.world.event(Event::Answered { effect, outcome: Outcome::Failed { error } });
        } else if self.known {
            self.deaf = true;
            self.follow_through(Begin::Attach(self.kind));
        }
    }

    fn follow_through(&mut self, begin: Begin) {
        let found = match begin {
            Begin::Start { effect, start } => match self.start(&start) {
                Ok(Found::Ended(ExitFile::NotStarted { error })) | Err(error) => {
                    let outcome = Outcome::Failed { error: Shown::line(&error) };
                    self.world.event(Event::Answered { effect, outcome });
                    self.answer_all();
                    self.complete();
                    return;
                }
                Ok(found) => {
                    self.known = true;
                    self.world.event(started(effect));
                    found
                }
            },
            Begin::Attach(kind) => {
                self.kind = kind;
                self.known = true;
                begin::attach(&self.files)
            }
            Begin::Load(kind) => {
                self.kind = kind;
                self.grown = self.spool.len();
                self.old = self.grown;
                self.screen_from = self.grown.saturating_sub(REFEED);
                self.spool.skip_to(self.screen_from);
                self.shared.output.store(self.grown, Ordering::Relaxed);
                self.catch_up();
                self.complete();
                return;
            }
        };
        self.fed = self.files.fed();
        self.old = self.fed.before;
        if self.deaf {
            self.spool.skip_to(self.spool.len());
        } else {
            self.listener = self.files.profile().map(|profile| Listener::new(&profile));
        }
        self.screen_from = self.spool.len().saturating_sub(REFEED);
        if self.listener.is_none() && !self.deaf {
            self.spool.skip_to(self.screen_from);
        }
        if let Some(prompt) = self.files.prompt() {
            self.typist.prompt(prompt, clock::instant());
        }
        let exit = match found {
            Found::Live(stream) => self.follow(stream),
            Found::Ended(file) => begin::exit_of(&file),
            Found::Lost => Exit::Unknown,
        };
        self.finish(exit);
    }

    fn start(&mut self, start: &JobStart) -> Result<Found, String> {
        use crate::core::effect::JobWhat;
        self.kind = match start.what {
            JobWhat::Agent { .. } => Kind::Agent,
            JobWhat::Setup(_) => Kind::Setup,
            JobWhat::Gate { .. } => Kind::Gate,
        };
        let was_there = self.files.has_spec();
        if !was_there {
            let planned = plan::plan(&self.paths, start)?;
            self.files
                .write(&planned)
                .map_err(|error| format!("can't write {}: {error}", self.files.dir().display()))?;
        }
        begin::start(&self.files, &self.program, was_there)
    }

    /// Talks to keepers until the job has ended: to one, as a rule; to it again if the connection broke.
    fn follow(&mut self, mut stream: UnixStream) -> Exit {
        loop {
            match self.talk(&stream) {
                Ok(file) => return begin::exit_of(&file),
                // A keeper that was just leaving when we came; its last word is on disk.
                Err(_) if self.files.exit().is_some() => {}
                Err(error) => tracing::warn!(job = %self.job, %error, "the connection to a keeper broke"),
            }
            std::thread::sleep(AGAIN);
            match begin::attach(&self.files) {
                Found::Live(again) => stream = again,
                Found::Ended(file) => return begin::exit_of(&file),
                Found::Lost => return Exit::Unknown,
            }
        }
    }

    fn talk(&mut self, stream: &UnixStream) -> io::Result<ExitFile> {
        stream.set_nonblocking(true)?;
        let mut decoder = Decoder::default();
        let mut out: Vec<u8> = Vec::new();
        let mut ended = None;
        // What an earlier connection may not have passed on; a keeper does the same twice without harm.
        for message in self.unanswered() {
            put(&mut out, &message);
        }
        loop {
            while let Ok(order) = self.orders.try_recv() {
                self.take_order(order, &mut out);
            }
            self.type_on(&mut out);
            self.say(false);
            self.end_sync();
            let more = self.feed_piece(&mut out)?;
            if !more && let Some(file) = ended {
                return Ok(file);
            }
            flush(stream, &mut out)?;
            self.wait(stream, more, !out.is_empty())?;
            let open = receive(stream, &mut decoder)?;
            while let Some(message) = decoder.next_message().map_err(io::Error::other)? {
                if let Some(file) = self.hear(message) {
                    self.grown = self.spool.len();
                    ended = Some(file);
                }
            }
            if !open && ended.is_none() {
                return Err(io::Error::other("the keeper closed it"));
            }
        }
    }

    fn unanswered(&self) -> Vec<ToKeeper> {
        let mut messages = Vec::new();
        if !self.freezes.is_empty() {
            messages.push(ToKeeper::Freeze);
        }
        if !self.thaws.is_empty() {
            messages.push(ToKeeper::Thaw);
        }
        if !self.ends.is_empty() {
            messages.push(ToKeeper::End { grace_ms: 0 });
        }
        messages
    }

    fn hear(&mut self, message: FromKeeper) -> Option<ExitFile> {
        match message {
            FromKeeper::Hello { spool, .. } | FromKeeper::Grown(spool) => {
                if spool > self.grown {
                    self.grown = spool;
                    self.shared.output.store(spool, Ordering::Relaxed);
                }
            }
            FromKeeper::Frozen(_) => {
                let effects = std::mem::take(&mut self.freezes);
                self.done(effects);
            }
            FromKeeper::Thawed => {
                let effects = std::mem::take(&mut self.thaws);
                self.done(effects);
            }
            FromKeeper::Ended => {
                let effects = std::mem::take(&mut self.ends);
                self.done(effects);
            }
            FromKeeper::Exited(file) => return Some(file),
        }
        None
    }

    fn take_order(&mut self, order: Order, out: &mut Vec<u8>) {
        match order {
            Order::Freeze(effect) => {
                self.freezes.push(effect);
                put(out, &ToKeeper::Freeze);
            }
            Order::Thaw(effect) => {
                self.thaws.push(effect);
                put(out, &ToKeeper::Thaw);
            }
            Order::End { effect, grace } => {
                self.ends.push(effect);
                put(out, &ToKeeper::End { grace_ms: grace.0 });
            }
            Order::Type { effect, answer } => self.typist.answer(answer, effect),
            Order::Input(input) => {
                let modes = self.shared.covered().modes_for_answer();
                put(out, &ToKeeper::Input(keys::encode(&input, modes)));
            }
            Order::Resize { rows, cols } => {
                self.shared.covered().resize(rows, cols);
                put(out, &ToKeeper::Resize { rows, cols });
                self.screen_changed();
            }
        }
    }

    fn type_on(&mut self, out: &mut Vec<u8>) {
        while let Some(write) = self.typist.next(clock::instant()) {
            match write {
                Typed::Text(text) => {
                    let modes = self.shared.covered().modes_for_answer();
                    put(out, &ToKeeper::Input(keys::typed(&text, modes)));
                }
                Typed::Raw(bytes) => put(out, &ToKeeper::Input(bytes.to_vec())),
                Typed::Done(effect) => self.done(vec![effect]),
                Typed::PromptBegins => self.files.prompt_typed(),
            }
        }
    }

    /// Feeds the next piece of the spool. True: there is more.
    fn feed_piece(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let from = self.spool.offset();
        // What is old and what is new are never fed in one piece.
        let end = if from < self.old { self.grown.min(self.old) } else { self.grown };
        if from >= end {
            return Ok(false);
        }
        let for_screen = from >= self.screen_from && !self.deaf;
        let piece = self.spool.piece(end)?;
        if piece.is_empty() {
            return Ok(false);
        }
        let mut observed = Vec::new();
        if let Some(listener) = self.listener.as_mut().filter(|_| !self.deaf) {
            observed.extend(listener.output(piece));
        }
        let mut replies = Vec::new();
        if for_screen {
            let mut covered = self.shared.covered();
            let heard = covered.feed(piece);
            self.sync_since = covered.sync_pending().then(|| self.sync_since.unwrap_or_else(clock::instant));
            drop(covered);
            replies = heard.replies;
            if let Some(listener) = &mut self.listener {
                for signal in &heard.signals {
                    observed.extend(listener.signal(signal));
                }
            }
        }
        let is_new = from >= self.old;
        if is_new && !replies.is_empty() {
            put(out, &ToKeeper::Input(replies));
        }
        for observation in observed {
            if let Observation::State { state, .. } = &observation {
                self.typist.state(state);
            }
            // A bell that has rung does not ring again after a restart; a state is a state.
            if is_new || observation != Observation::Bell {
                self.coalesce.put(observation);
            }
        }
        let offset = self.spool.offset();
        if is_new {
            let now = clock::instant();
            self.typist.output(now);
            self.shared.last_output.store(self.clock.now_ms(), Ordering::Relaxed);
            if self.alive_said.is_none_or(|said| now.duration_since(said) >= ALIVE) {
                self.alive_said = Some(now);
                self.world.event(Event::Alive(self.job));
            }
            self.fed.say(offset);
        }
        let more = offset < self.grown;
        if !more {
            self.spool.rest();
        }
        if is_new || !more {
            self.screen_changed();
        }
        Ok(more)
    }

    /// Tells the engine what the agent says of itself; while old output is read, nothing: only what it comes to.
    fn say(&mut self, all: bool) {
        if self.spool.offset() < self.old.min(self.grown) && !all {
            return;
        }
        for what in self.coalesce.take(clock::instant(), all) {
            self.world.event(Event::Observed { job: self.job, what });
        }
    }

    /// A program that holds its screen back for too long is shown as it is.
    fn end_sync(&mut self) {
        if self.sync_since.is_some_and(|since| clock::instant() >= since + SYNC_MAX) {
            self.sync_since = None;
            self.shared.covered().end_sync();
            self.screen_changed();
        }
    }

    fn screen_changed(&self) {
        if self.shared.watched.load(Ordering::Acquire) && !self.shared.told.swap(true, Ordering::AcqRel) {
            self.world.tell(FromWorld::Screen(self.job));
        }
    }

    /// Sleeps until the keeper, the loop or a pause has something.
    fn wait(&self, stream: &UnixStream, more: bool, writes: bool) -> io::Result<()> {
        let now = clock::instant();
        let due =
            [self.typist.due(now), self.coalesce.due(now), self.sync_since.map(|since| since + SYNC_MAX)]
                .into_iter()
                .flatten()
                .min();
        let timeout = if more {
            Some(Duration::ZERO)
        } else {
            due.map(|due| due.saturating_duration_since(now) + Duration::from_millis(1))
        };
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut flags = PollFlags::IN;
        if writes {
            flags |= PollFlags::OUT;
        }
        let mut fds = [PollFd::new(stream, flags), PollFd::new(&self.waker, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !fds[1].revents().is_empty() {
            let _ = rustix::io::read(&self.waker, &mut [0_u8; 8]);
        }
        Ok(())
    }

    /// Reads what is left of the spool; replies go nowhere.
    fn catch_up(&mut self) {
        let mut nowhere = Vec::new();
        loop {
            let before = self.spool.offset();
            if let Err(error) = self.feed_piece(&mut nowhere) {
                tracing::warn!(job = %self.job, %error, "a spool can't be read to its end");
                break;
            }
            nowhere.clear();
            if self.spool.offset() == before {
                break;
            }
        }
    }

    /// The job has ended: reads the rest, answers what waits, tells the engine.
    fn finish(&mut self, exit: Exit) {
        self.grown = self.spool.len();
        self.shared.output.store(self.grown, Ordering::Relaxed);
        self.catch_up();
        self.say(true);
        let (tail, tests) = match self.kind {
            Kind::Agent => (String::new(), None),
            Kind::Setup | Kind::Gate => self.last_words(),
        };
        self.complete();
        self.answer_all();
        self.world.event(Event::Exited { job: self.job, exit, tail, tests });
    }

    fn last_words(&self) -> (String, Option<crate::core::gate::TestCounts>) {
        let read = |max| {
            spool::tail(&self.files.spool(), max).unwrap_or_else(|error| {
                tracing::warn!(job = %self.job, %error, "a spool can't be read");
                Vec::new()
            })
        };
        let mut tail = plain::plain_text(&read(TAIL_BYTES), GateRun::TAIL_MAX);
        if let Some(ExitFile::NotStarted { error }) = self.files.exit() {
            tail = error;
        }
        let tests = (self.kind == Kind::Gate)
            .then(|| {
                let bytes = read(COUNT_BYTES);
                tests::count(&plain::plain_text(&bytes, bytes.len()))
            })
            .flatten();
        (tail, tests)
    }

    /// Nothing more will be on the screen.
    fn complete(&self) {
        self.shared.complete.store(true, Ordering::Release);
        self.world.tell(FromWorld::Loaded(self.job));
    }

    /// The tree is gone: whatever was to be done to it is done.
    fn answer_all(&mut self) {
        let mut effects = Vec::new();
        effects.append(&mut self.freezes);
        effects.append(&mut self.thaws);
        effects.append(&mut self.ends);
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Freeze(effect)
                | Order::Thaw(effect)
                | Order::End { effect, .. }
                | Order::Type { effect, .. } => effects.push(effect),
                Order::Input(_) | Order::Resize { .. } => {}
            }
        }
        effects.extend(self.typist.given_up());
        self.done(effects);
    }

    fn done(&self, effects: Vec<EffectId>) {
        for effect in effects {
            self.world.event(Event::Answered { effect, outcome: Outcome::Done });
        }
    }
}

fn put(out: &mut Vec<u8>, message: &ToKeeper) {
    match frame::encode(message) {
        Ok(_) if out.len() > OUT_MAX && matches!(message, ToKeeper::Input(_)) => {}
        Ok(bytes) => out.extend(bytes),
        Err(error) => tracing::warn!(%error, "a message to a keeper is too long"),
    }
}

fn flush(mut stream: &UnixStream, out: &mut Vec<u8>) -> io::Result<()> {
    while !out.is_empty() {
        match stream.write(out) {
            Ok(n) => drop(out.drain(..n)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The keeper may have written its last words before it left: read them first.
            Err(_) => out.clear(),
        }
    }
    Ok(())
}

/// Reads what there is. False: the other side has closed.
fn receive(mut stream: &UnixStream, decoder: &mut Decoder) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(n) => decoder.push(&bytes[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
