//! Screens: who looks at which, what each is sent of it, the sizes that lookers have room for, and requests for what a
//! screen says.
//!
//! Promises: whatever shows a screen asks the engine for a permit, each time; a client has at most [`LOOKS_MAX`] screens;
//! a screen that is not in memory is read from its spool by a thread, and whoever asked for it waits here meanwhile.

use super::frames::{COLS_MAX, LOOKS_MAX, Looking, ROWS_MAX};
use super::jobs::{Begin, Jobs, Order};
use super::launch::refusal;
use super::message::{ClientId, ReplyTo};
use super::outbox::Outbox;
use super::scrollbacks::Scrollbacks;
use super::workers::Workers;
use crate::core::engine::Engine;
use crate::screen::covered::Covered;
use crate::screen::emulator::{Emulator, HISTORY};
use crate::screen::text;
use crate::values::ids::JobId;
use crate::wire::client::{Look, Refusal, RefusalKind, Reply};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Most lines of a screen and its history in one answer.
const LOG_MAX: u32 = 100_000;
/// Most places of a text in one answer.
const FOUND_MAX: usize = 1_000;

/// What somebody asks of a job's screen.
#[derive(Debug)]
pub(super) struct ScreenQuery {
    pub(super) job: JobId,
    pub(super) what: ScreenText,
}

/// See [`ScreenQuery`].
#[derive(Debug)]
pub(super) enum ScreenText {
    /// So many of its last lines.
    Log(u32),
    /// Where this text is.
    Search(String),
}

impl ScreenText {
    /// Whether a screen's own history may be too short for it.
    const fn is_deep(&self) -> bool {
        match self {
            Self::Log(lines) => *lines as usize > HISTORY,
            Self::Search(_) => true,
        }
    }

    fn of(&self, emulator: &Emulator) -> Reply {
        match self {
            Self::Search(text) => {
                let mut places = text::search(emulator, text);
                places.truncate(FOUND_MAX);
                Reply::Found(places)
            }
            Self::Log(lines) => Reply::Log(text::last_lines(emulator, (*lines).min(LOG_MAX) as usize)),
        }
    }
}

/// A query that waits for a screen to be read.
#[derive(Debug)]
struct Waiting {
    reply: ReplyTo,
    query: ScreenQuery,
}

/// A client that looks at screens.
#[derive(Debug)]
struct Viewer {
    outbox: Arc<Outbox>,
    looks: Vec<Looking>,
}

/// All that is looked at.
#[derive(Debug)]
pub(super) struct Screens {
    viewers: BTreeMap<ClientId, Viewer>,
    /// Rows and columns that clients gave to live jobs' terminals.
    sizes: HashMap<JobId, (u16, u16)>,
    /// Rows and columns that whoever focused a job last has room for; of jobs that somebody looks at.
    wished: HashMap<JobId, (u16, u16)>,
    scrollbacks: Scrollbacks,
    waiting: Vec<Waiting>,
    /// What the moments at which screens are looked at together are counted from.
    epoch: Instant,
}

impl Screens {
    /// Nobody looks yet; screens are looked at together at moments counted from `epoch`.
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            viewers: BTreeMap::new(),
            sizes: HashMap::new(),
            wished: HashMap::new(),
            scrollbacks: Scrollbacks::default(),
            waiting: Vec::new(),
            epoch,
        }
    }

    /// A client looks at these screens from now on, and at no others.
    pub(super) fn look(
        &mut self,
        (client, outbox): (ClientId, &Arc<Outbox>),
        looks: Vec<Look>,
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
    ) {
        let read: HashSet<JobId> = self
            .looks()
            .filter(|looking| looking.look.scrolled > 0)
            .map(|looking| looking.look.job)
            .collect();
        let new = || Viewer { outbox: Arc::clone(outbox), looks: Vec::new() };
        let viewer = self.viewers.entry(client).or_insert_with(new);
        let gone = viewer.replace(looks, self.epoch);
        let looks: Vec<Look> = viewer.looks.iter().map(|looking| looking.look).collect();
        for job in gone {
            self.unwatch(job, jobs);
        }
        for look in looks {
            if look.focus {
                self.wished.insert(look.job, (look.rows, look.cols));
            }
            if engine.permit(look.job).is_none() {
                continue;
            }
            self.uncover(look.job, engine, jobs);
            if look.scrolled > 0 {
                if !read.contains(&look.job)
                    && let Some(shared) = jobs.shared(look.job)
                {
                    self.scrollbacks.drop_stale(look.job, shared.output.load(Ordering::Relaxed));
                }
                self.have_scrollback(look.job, false, engine, jobs, workers);
            }
        }
    }

    /// A client is gone: it looks at nothing.
    pub(super) fn leave(&mut self, client: ClientId, jobs: &mut Jobs) {
        let Some(gone) = self.viewers.remove(&client) else { return };
        for looking in gone.looks {
            self.unwatch(looking.look.job, jobs);
        }
    }

    /// The daemon ends: nobody looks.
    pub(super) fn send_away(&mut self) {
        self.viewers.clear();
    }

    /// A client has shown the last frame of a job.
    pub(super) fn shown(&mut self, client: ClientId, job: JobId) {
        let Some(viewer) = self.viewers.get_mut(&client) else { return };
        for looking in viewer.looks.iter_mut().filter(|looking| looking.look.job == job) {
            looking.shown();
        }
    }

    /// A screen has changed: everybody who looks gets it.
    pub(super) fn changed(&mut self, job: JobId, engine: &Engine, jobs: &Jobs, at: Instant) {
        for viewer in self.viewers.values_mut() {
            for looking in viewer.looks.iter_mut().filter(|looking| looking.look.job == job) {
                looking.printed(at);
                let shared = jobs.shared(job).map(AsRef::as_ref);
                looking.show(&viewer.outbox, engine.permit(job), shared, self.scrollbacks.of(job));
            }
        }
    }

    /// Shows what clients wait for, and covers what may no longer be looked at.
    pub(super) fn show(&mut self, engine: &Engine, jobs: &mut Jobs, at: Instant) {
        let mut uncovered = Vec::new();
        for viewer in self.viewers.values_mut() {
            for looking in &mut viewer.looks {
                let job = looking.look.job;
                let permit = engine.permit(job);
                if looking.wants(permit.is_some(), at) {
                    if permit.is_some() {
                        uncovered.push(job);
                    }
                    let shared = jobs.shared(job).map(AsRef::as_ref);
                    looking.show(&viewer.outbox, permit, shared, self.scrollbacks.of(job));
                }
            }
        }
        for job in uncovered {
            self.uncover(job, engine, jobs);
        }
    }

    /// When something is to be shown next.
    pub(super) fn due(&self, at: Instant) -> Option<Instant> {
        self.looks().filter_map(|looking| looking.due(at)).min()
    }

    /// Lets go of scrollbacks that nobody uses, or that may no longer be looked at.
    pub(super) fn forget_scrollbacks(&mut self, engine: &Engine) {
        let Self { viewers, scrollbacks, .. } = self;
        let is_read =
            |job| viewers.values().flat_map(|viewer| &viewer.looks).any(|looking| looking.reads(job));
        scrollbacks.forget_unused(is_read, |job| engine.permit(job).is_some());
    }

    /// A job has ended: it minds no size any more.
    pub(super) fn job_ended(&mut self, job: JobId) {
        self.sizes.remove(&job);
    }

    /// An ended job's screen has been read from its spool.
    pub(super) fn loaded(
        &mut self,
        job: JobId,
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
        at: Instant,
    ) {
        self.fit(job, engine, jobs);
        self.changed(job, engine, jobs, at);
        self.serve_waiting(job, engine, jobs, workers);
    }

    /// A job's scrollback has been read, or why not.
    pub(super) fn scrollback_read(
        &mut self,
        (job, screen): (JobId, Result<Box<Covered>, String>),
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
        at: Instant,
    ) {
        match self.scrollbacks.arrived(job, screen) {
            Ok(()) => {
                self.changed(job, engine, jobs, at);
                self.serve_waiting(job, engine, jobs, workers);
            }
            Err(error) => {
                tracing::warn!(%job, error, "a spool can't be read again");
                for Waiting { reply, .. } in self.take_waiting(job) {
                    let what = format!("what {job} printed can't be read again: {error}");
                    reply.answer(Err(refusal(RefusalKind::Failed, what, "look at the data folder's disk")));
                }
            }
        }
    }

    /// Answers with what a screen says, if it may be looked at; once it has been read from its spool, if need be.
    pub(super) fn answer(
        &mut self,
        reply: ReplyTo,
        query: ScreenQuery,
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
    ) {
        match self.read(&query, engine, jobs, workers) {
            Ok(Some(found)) => reply.answer(Ok(found)),
            Ok(None) => self.waiting.push(Waiting { reply, query }),
            Err(refusal) => reply.answer(Err(refusal)),
        }
    }

    /// What a screen says; none: it is being read from its spool.
    fn read(
        &mut self,
        ScreenQuery { job, what }: &ScreenQuery,
        engine: &Engine,
        jobs: &mut Jobs,
        workers: &mut Workers,
    ) -> Result<Option<Reply>, Refusal> {
        let job = *job;
        if engine.job(job).is_none() {
            let remedy = "`nopeek show TASK` names its jobs";
            return Err(refusal(RefusalKind::NotFound, format!("there is no job {job}"), remedy));
        }
        let permit = engine.permit(job).ok_or_else(|| covered(job))?;
        let is_deep = what.is_deep();
        if !load(job, engine, jobs) || is_deep && !self.have_scrollback(job, true, engine, jobs, workers) {
            return Ok(None);
        }
        let shared = jobs.shared(job).ok_or_else(|| covered(job))?;
        let mut own = shared.covered();
        if is_deep {
            self.scrollbacks.searched(job);
        }
        let screen = self.scrollbacks.of(job).filter(|_| is_deep).unwrap_or(&mut own);
        let emulator = screen.look(permit).ok_or_else(|| covered(job))?;
        Ok(Some(what.of(emulator)))
    }

    fn serve_waiting(&mut self, job: JobId, engine: &Engine, jobs: &mut Jobs, workers: &mut Workers) {
        for Waiting { reply, query } in self.take_waiting(job) {
            self.answer(reply, query, engine, jobs, workers);
        }
    }

    fn take_waiting(&mut self, job: JobId) -> Vec<Waiting> {
        self.waiting.extract_if(.., |waiting| waiting.query.job == job).collect()
    }

    /// A job's screen may be looked at: it is in memory, its changes are heard of, and it has the looker's size.
    fn uncover(&mut self, job: JobId, engine: &Engine, jobs: &mut Jobs) {
        load(job, engine, jobs);
        jobs.watch(job, true);
        self.fit(job, engine, jobs);
    }

    fn unwatch(&mut self, job: JobId, jobs: &mut Jobs) {
        if !self.looks().any(|looking| looking.look.job == job) {
            self.wished.remove(&job);
            jobs.watch(job, false);
        }
    }

    /// Gives a job's terminal the size that its last focused looker has room for, once it may be looked at. A job that
    /// has ended has its lines wrapped anew for the looker: no program minds any more.
    fn fit(&mut self, job: JobId, engine: &Engine, jobs: &Jobs) {
        let Some(&(rows, cols)) = self.wished.get(&job).filter(|_| engine.permit(job).is_some()) else {
            return;
        };
        if is_live(job, engine) {
            if self.sizes.insert(job, (rows, cols)) != Some((rows, cols)) {
                jobs.order(job, Order::Resize { rows, cols });
            }
        } else if let Some(shared) = jobs.shared(job).filter(|_| jobs.is_complete(job)) {
            shared.covered().resize(rows, cols);
        }
    }

    /// Sees to it that a job's scrollback is in memory if its own screen does not hold all that may be asked of it.
    /// False: it is being read, and `ScrollbackRead` says when it is there. `anew`: one that the job has left behind is
    /// no use.
    fn have_scrollback(
        &mut self,
        job: JobId,
        anew: bool,
        engine: &Engine,
        jobs: &Jobs,
        workers: &mut Workers,
    ) -> bool {
        let (Some(permit), Some(shared)) = (engine.permit(job), jobs.shared(job)) else {
            return true;
        };
        let output = shared.output.load(Ordering::Relaxed);
        let is_full =
            shared.covered().look(permit).is_some_and(|screen| screen.history() as usize >= HISTORY);
        let is_live = is_live(job, engine);
        if !is_live && !is_full {
            return true;
        }
        let is_read = self.looks().any(|looking| looking.reads(job));
        if self.scrollbacks.holds(job, (anew && !is_read).then_some(output)) {
            return true;
        }
        let size = self.wished.get(&job).copied().filter(|_| !is_live);
        self.scrollbacks.begin_reading(job, output, size, workers);
        false
    }

    fn looks(&self) -> impl Iterator<Item = &Looking> {
        self.viewers.values().flat_map(|viewer| &viewer.looks)
    }
}

impl Viewer {
    /// Looks at these screens from now on. The jobs that it no longer looks at.
    fn replace(&mut self, looks: Vec<Look>, epoch: Instant) -> Vec<JobId> {
        let mut before: HashMap<JobId, Looking> =
            self.looks.drain(..).map(|looking| (looking.look.job, looking)).collect();
        for mut look in looks.into_iter().take(LOOKS_MAX) {
            look.rows = look.rows.clamp(1, ROWS_MAX);
            look.cols = look.cols.clamp(1, COLS_MAX);
            if self.looks.iter().any(|looking| looking.look.job == look.job) {
                continue;
            }
            self.looks.push(match before.remove(&look.job) {
                Some(mut looking) => {
                    looking.change(look);
                    looking
                }
                None => Looking::new(look, epoch),
            });
        }
        before.into_keys().collect()
    }
}

/// Sees to it that a job's screen is in memory. False: it is being read, and `Loaded` says when it is there.
fn load(job: JobId, engine: &Engine, jobs: &mut Jobs) -> bool {
    if jobs.shared(job).is_some() {
        return is_live(job, engine) || jobs.is_complete(job);
    }
    let Some(info) = engine.job(job) else { return true };
    if let Err(error) = jobs.begin(job, Begin::Load(info.kind.into())) {
        tracing::error!(%job, %error, "a job's screen can't be read");
    }
    false
}

fn is_live(job: JobId, engine: &Engine) -> bool {
    engine.live_jobs().contains(&job)
}

fn covered(job: JobId) -> Refusal {
    refusal(
        RefusalKind::Covered,
        format!("the screen of {job} is hidden"),
        "wait until its attempt has ended, or `nopeek peek TASK --reason …`, which is recorded",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock;

    const LOOK: Look = Look { job: JobId(1), rows: 5, cols: 20, focus: false, scrolled: 0 };

    #[test]
    fn a_client_looks_at_each_job_once_at_bounded_sizes_and_at_not_too_many() {
        let mut viewer = Viewer { outbox: Outbox::new(), looks: Vec::new() };
        let epoch = clock::instant();
        let huge = Look { rows: 0, cols: u16::MAX, ..LOOK };
        assert!(viewer.replace(vec![huge, LOOK], epoch).is_empty());
        let place =
            |viewer: &Viewer| viewer.looks.iter().map(|l| (l.look.rows, l.look.cols)).collect::<Vec<_>>();
        assert_eq!(place(&viewer), [(1, COLS_MAX)]);
        let many = (2..1_000).map(|job| Look { job: JobId(job), ..LOOK }).collect();
        assert_eq!(viewer.replace(many, epoch), [JobId(1)]);
        assert_eq!(viewer.looks.len(), LOOKS_MAX);
    }

    #[test]
    fn only_what_goes_beyond_a_screens_own_history_needs_a_scrollback() {
        let lines = u32::try_from(HISTORY).unwrap();
        assert!(!ScreenText::Log(lines).is_deep() && ScreenText::Log(lines + 1).is_deep());
        assert!(ScreenText::Search("x".to_owned()).is_deep());
    }
}
