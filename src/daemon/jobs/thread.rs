//! A job's thread: keeper and spool on one side, the screen under its lid in the middle, the loop on the other.
//!
//! Promises: the engine hears `JobStarted` once, then what the agent says of itself, then `Exited` once, after all
//! of the output has been read; each order's effect is answered once. Nothing that a job printed is handed on but
//! through the lid, the agent's dialect (states, numbers) and, for gates and hooks, their last lines.

mod talk;

use super::begin::{self, Found};
use super::coalesce::Coalesce;
use super::files::{Fed, Files};
use super::line::put;
use super::sizes::Sizes;
use super::spool::{REFEED, Spool};
use super::typist::{Typist, Write as Typed};
use super::{Begin, Kind, Order, Shared, output_tail, plan};
use crate::agents::listen::Listener;
use crate::config::prices;
use crate::core::model::agent::{Exit, Observation};
use crate::core::model::effect::JobStart;
use crate::core::model::event::{EffectOutcome, Event};
use crate::core::model::price::Prices;
use crate::daemon::message::{FromWorld, World};
use crate::os::clock::{self, Clock};
use crate::os::paths::Paths;
use crate::os::process;
use crate::screen::keys;
use crate::values::ids::{EffectId, JobId};
use crate::values::text::Shown;
use crate::wire::keeper::{ExitFile, ToKeeper};
use rustix::fd::OwnedFd;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// The engine is told at most this often that a job gives output.
const ALIVE: Duration = Duration::from_secs(1);

/// A synchronised update may hold the screen back for this long.
const SYNC_MAX: Duration = Duration::from_millis(150);

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
    sizes: Sizes,
    /// Up to here the output is old: its queries were answered, its bells have rung.
    old: u64,
    /// Up to here the engine knows what the agent says of itself.
    state_known_to: u64,
    /// From here on the screen is fed: what came before is longer ago than its history reaches.
    screen_from: u64,
    /// How long the spool is known to be.
    grown: u64,
    alive_said: Option<Instant>,
    /// The engine knows that the job runs, so it must hear of its end.
    known: bool,
    /// It broke on this job's output once: the output is no longer read, only its length and end.
    deaf: bool,
    /// When this thread began to follow the job.
    began: Instant,
    /// The keeper knows what calm is.
    calms: bool,
    /// The keeper was told that nobody waits for what the job prints.
    calm: bool,
    /// Since when the program holds its screen back for a synchronised update.
    sync_since: Option<Instant>,
    freezes: Vec<EffectId>,
    thaws: Vec<EffectId>,
    ends: Vec<EffectId>,
    /// What is done once the keeper has what was typed.
    typed: Vec<Typed>,
}

/// The answer to the effect that started a job.
pub(super) const fn started(effect: EffectId) -> Event {
    Event::EffectDone { effect, outcome: EffectOutcome::JobStarted }
}

/// What tokens cost. A file that was broken after the launch is the daemon's to bear: those that ship hold.
fn prices(paths: &Paths) -> Prices {
    prices::load(paths).unwrap_or_else(|error| {
        tracing::warn!(%error, "the prices that ship are taken");
        prices::builtin()
    })
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
            sizes: Sizes::read(files.sizes()),
            files,
            old: 0,
            state_known_to: 0,
            screen_from: 0,
            grown: 0,
            alive_said: None,
            known: false,
            deaf: false,
            began: clock::instant(),
            calms: false,
            calm: false,
            sync_since: None,
            freezes: Vec::new(),
            thaws: Vec::new(),
            ends: Vec::new(),
            typed: Vec::new(),
        }
    }

    /// The thread's body. Should it break on what a program printed, the job is followed on without a screen.
    pub(super) fn run(mut self, begin: Begin) {
        let started = match &begin {
            Begin::Start { effect, .. } => Some(*effect),
            Begin::Attach(..) | Begin::Load(_) => None,
        };
        let run = std::panic::AssertUnwindSafe(|| self.follow_through(begin));
        if std::panic::catch_unwind(run).is_ok() {
            return;
        }
        tracing::error!(job = %self.job, "a job's thread broke: its screen stays as it is");
        if let Some(effect) = started.filter(|_| !self.known) {
            let error = Shown::line("nopeek broke while it started the job; its log says where");
            self.world.event(Event::EffectDone { effect, outcome: EffectOutcome::Failed { error } });
        } else if self.known {
            self.deaf = true;
            self.follow_through(Begin::Attach(self.kind, None));
        }
    }

    fn follow_through(&mut self, begin: Begin) {
        let found = match begin {
            Begin::Start { effect, start } => match self.start(&start) {
                Ok(Found::Ended(ExitFile::NotStarted { error })) | Err(error) => {
                    let outcome = EffectOutcome::Failed { error: Shown::line(&error) };
                    self.world.event(Event::EffectDone { effect, outcome });
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
            Begin::Attach(kind, known) => {
                self.kind = kind;
                if let Some((source, state, read)) = known {
                    self.state_known_to = read;
                    self.coalesce.known(source, state);
                }
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
        // From here on it starts no process that would inherit it. However much the jobs print, the loop comes first.
        process::yield_to_other_threads();
        self.fed = self.files.fed();
        self.old = self.fed.before;
        if self.deaf {
            self.spool.skip_to(self.spool.len());
        } else {
            let profile = self.files.profile();
            if profile.as_ref().is_some_and(|profile| profile.dialect.dialogs_begin_with_no()) {
                self.typist.no_first();
            }
            self.listener = profile.map(|profile| Listener::new(&profile, prices(&self.paths)));
        }
        self.screen_from = self.spool.len().saturating_sub(REFEED);
        if !self.deaf && !self.listener.as_ref().is_some_and(Listener::reads_output) {
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
        use crate::core::model::effect::JobWhat;
        self.kind = match start.what {
            JobWhat::Agent { .. } => Kind::Agent,
            JobWhat::Setup(_) => Kind::Setup,
            JobWhat::Gate { .. } => Kind::Gate,
        };
        if !self.files.has_spec() {
            let planned = plan::plan(&self.paths, start)?;
            self.files
                .write(&planned)
                .map_err(|error| format!("can't write {}: {error}", self.files.dir().display()))?;
        }
        begin::start(&self.files, &self.program)
    }

    /// Whether what is on the screen is not yet what an earlier daemon had there.
    fn reads_again(&self) -> bool {
        self.spool.offset() < self.old.min(self.grown)
    }

    fn type_on(&mut self, out: &mut Vec<u8>) {
        if self.reads_again() {
            return;
        }
        while let Some(write) = self.typist.next(clock::instant()) {
            match write {
                Typed::Text(once, text) => {
                    let modes = self.shared.covered().modes_for_answer();
                    put(out, &once.message(keys::typed(&text, modes)));
                }
                Typed::Raw(once, bytes) => put(out, &once.message(bytes.to_vec())),
                Typed::Done(_) | Typed::PromptTyped => self.typed.push(write),
            }
        }
    }

    fn was_typed(&mut self) {
        for write in std::mem::take(&mut self.typed) {
            match write {
                Typed::Done(effect) => self.done(vec![effect]),
                Typed::PromptTyped => self.files.prompt_typed(),
                Typed::Text(..) | Typed::Raw(..) => {}
            }
        }
    }

    fn resize(&mut self) {
        if let Some((rows, cols)) = self.sizes.at(self.spool.offset()) {
            self.shared.covered().resize(rows, cols);
            self.screen_changed();
        }
    }

    /// Feeds the next piece of the spool. True: there is more.
    fn feed_piece(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        self.resize();
        let from = self.spool.offset();
        // What is old and what is new are never fed in one piece, nor what is for screens of different sizes.
        let seams = [Some(self.state_known_to), Some(self.old), self.sizes.next(), Some(self.grown)];
        let end = seams.into_iter().flatten().filter(|end| from < *end).min().unwrap_or(from).min(self.grown);
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
            let fed = covered.feed(piece);
            self.sync_since = covered.sync_pending().then(|| self.sync_since.unwrap_or_else(clock::instant));
            drop(covered);
            replies = fed.replies;
            if let Some(listener) = &mut self.listener {
                for signal in &fed.signals {
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
            match observation {
                // A question that was answered is not asked again after a restart; a bell that has rung does not ring.
                Observation::State { .. } if from < self.state_known_to => {}
                Observation::Bell if !is_new => {}
                news => self.coalesce.put(news),
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
        if self.reads_again() && !all {
            return;
        }
        let read = self.spool.offset();
        for what in self.coalesce.take(clock::instant(), all) {
            self.world.event(Event::Observed { job: self.job, what, read });
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
        if self.shared.changed() {
            self.world.tell(FromWorld::Screen(self.job));
        }
    }

    /// Reads what is left of the spool; replies go nowhere.
    fn catch_up(&mut self) {
        let mut nowhere = Vec::new();
        loop {
            let before = self.spool.offset();
            if let Err(error) = self.feed_piece(&mut nowhere) {
                tracing::warn!(job = %self.job, %error, "a spool can't be read completely");
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
            Kind::Setup | Kind::Gate => output_tail::read(self.job, &self.files, self.kind),
        };
        self.complete();
        self.answer_all();
        self.world.event(Event::Exited { job: self.job, exit, tail, tests });
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
        self.was_typed();
        self.done(effects);
    }

    fn done(&self, effects: Vec<EffectId>) {
        for effect in effects {
            self.world.event(Event::EffectDone { effect, outcome: EffectOutcome::Done });
        }
    }
}
