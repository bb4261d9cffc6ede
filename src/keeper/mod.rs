//! THE PROCESS THAT OWNS A PTY: blocking, no tokio, one poll loop; small, so that 64 of them cost next to nothing.
//!
//! Owns the PTY's master, the child and the spool of one job, in the job's folder (see [`crate::wire::keeper`]).
//! Promises: every byte that the job writes is in the spool, in order, once; no daemon is ever waited for; when the
//! child has ended nothing of its tree is left, the spool is complete and `exit.json` is durable before anyone is told.
//! On a full disk it stops reading, so that the job waits, and tries again.

mod child;
mod nap;
mod serve;
mod spool;

use crate::os::lock::Lock;
use crate::os::{clock, process};
use crate::wire::keeper::{ExitFile, FromKeeper, JobSpec, KEEPER_PROTOCOL, KeeperFile, ToKeeper};
use child::Child;
use nap::Nap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use serve::Server;
use spool::Spool;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long what is left of the tree may take to leave after the child has ended.
const LEFTOVERS_GRACE: Duration = Duration::from_millis(500);
/// How often a full disk is tried again, and a tree that is being ended is looked at.
const RETRY: Duration = Duration::from_millis(50);
/// How often a lock that somebody else holds is tried.
const LOCK_POLL: Duration = Duration::from_millis(10);
/// How often dead orphans are taken in, and the job's folder is looked for, while nothing else happens.
const REAP_EVERY: Duration = Duration::from_secs(2);
/// How long the daemon may take to hear of the end; it finds `exit.json` anyway.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why a job can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// A file of the job's folder can't be read or written.
    #[error("can't {act} {}: {source}", path.display())]
    File { act: &'static str, path: PathBuf, source: io::Error },
    /// `spec.json` is no job.
    #[error("{} is no job: {source}", path.display())]
    Spec { path: PathBuf, source: serde_json::Error },
    /// The system refused what every keeper needs.
    #[error("can't {act}: {source}")]
    System { act: &'static str, source: io::Error },
}

/// Keeps the job of `dir` until it has ended. Returns without a deed if the job was started before: by another keeper,
/// which may live or not, or in vain.
pub fn run(dir: &Path) -> Result<(), KeeperError> {
    let Some(lock) = take_lock(dir)? else { return Ok(()) };
    let path = dir.join("spec.json");
    let text = fs::read(&path).map_err(file("read", &path))?;
    let spec: JobSpec = serde_json::from_slice(&text).map_err(|source| KeeperError::Spec { path, source })?;
    process::adopt_orphans().map_err(|source| KeeperError::System { act: "adopt orphans", source })?;
    let spool = Spool::open(&dir.join("spool")).map_err(file("open", &dir.join("spool")))?;
    let server = Server::bind(&dir.join("socket")).map_err(file("listen at", &dir.join("socket")))?;
    match Child::start(&spec) {
        Ok(child) => {
            let me = KeeperFile { version: KEEPER_PROTOCOL, keeper: std::process::id(), child: child.pid() };
            write_durably(dir, "keeper.json", &me)?;
            Keeper { child, spool, server, lock: lock.into(), state: State::default() }.keep(dir)
        }
        Err(source) => {
            let program = spec.argv.first().map_or("", String::as_str);
            let error = format!("can't start {program} in {}: {source}", spec.cwd.display());
            write_durably(dir, "exit.json", &ExitFile::NotStarted { error })
        }
    }
}

/// Takes the job's lock; none if the job was started before.
///
/// Who holds the lock meanwhile is either the keeper that starts the job and says so in a file, or a daemon that looks
/// for a keeper and lets go at once: so it is tried until it is free or there is such a file.
fn take_lock(dir: &Path) -> Result<Option<Lock>, KeeperError> {
    let path = dir.join("lock");
    loop {
        let lock = Lock::try_take(&path).map_err(file("take the lock", &path))?;
        if dir.join("keeper.json").exists() || dir.join("exit.json").exists() {
            return Ok(None);
        }
        if lock.is_some() {
            return Ok(lock);
        }
        pause(LOCK_POLL);
    }
}

fn pause(time: Duration) {
    let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
    // Cut short by a signal it only ends earlier.
    let _ = poll(&mut [], Some(&time));
}

fn file<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> KeeperError + 'a {
    move |source| KeeperError::File { act, path: path.to_owned(), source }
}

/// Writes a file so that after any crash it is there whole or not at all.
fn write_durably<T: serde::Serialize>(dir: &Path, name: &str, what: &T) -> Result<(), KeeperError> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || -> io::Result<()> {
        let mut to = File::create(&new)?;
        to.write_all(&serde_json::to_vec(what)?)?;
        to.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(file("write", &path))
}

#[derive(Default)]
struct State {
    frozen: bool,
    /// How the child ended, once it has.
    ended: Option<(Option<i32>, Option<i32>)>,
    /// When what is left of the tree is killed.
    kill_at: Option<Instant>,
    /// The tree is gone.
    gone: bool,
    /// The daemon wants to hear that the tree is gone.
    tell_ended: bool,
    nap: Nap,
    /// When the job's folder was last looked for.
    looked_at: Option<Instant>,
    /// Effect and step of what was last typed of what is typed once.
    typed: Option<(u64, u32)>,
}

/// What a sleep may have ended for.
struct Woken {
    output: bool,
    child: bool,
    daemon: bool,
}

impl Woken {
    const ALL: Self = Self { output: true, child: true, daemon: true };
}

struct Keeper {
    child: Child,
    spool: Spool,
    server: Server,
    /// The held lock of the job's folder.
    lock: File,
    state: State,
}

impl Keeper {
    fn keep(mut self, dir: &Path) -> Result<(), KeeperError> {
        loop {
            let woken = self.wait()?;
            self.child.feed();
            let drained = self.read_output(woken.output);
            if woken.daemon || self.server.has_orders() {
                self.listen();
            }
            if woken.child {
                self.reap();
            }
            self.end_if_alone();
            self.end_tree();
            self.server.grown(self.spool.len());
            self.server.flush();
            if self.state.gone && drained && self.spool.is_written() {
                return self.leave(dir);
            }
        }
    }

    /// Sleeps until something is to be done; what it may be.
    fn wait(&mut self) -> Result<Woken, KeeperError> {
        let mut fds = Vec::with_capacity(5);
        let now = clock::instant();
        let nap = self.state.nap.until(now).filter(|_| self.state.ended.is_none());
        let has_output = self.spool.is_written() && !self.child.is_drained();
        let asks_terminal = has_output && (nap.is_none() || self.child.has_input());
        if asks_terminal {
            let mut want = PollFlags::empty();
            want.set(PollFlags::IN, nap.is_none());
            want.set(PollFlags::OUT, self.child.has_input());
            fds.push(PollFd::from_borrowed_fd(self.child.master(), want));
        }
        if self.state.ended.is_none() {
            fds.push(PollFd::from_borrowed_fd(self.child.pidfd(), PollFlags::IN));
        }
        let ours = fds.len();
        self.server.poll_fds(&mut fds, self.child.takes_input());
        let busy = self.state.kill_at.is_some() || !self.spool.is_written() || self.state.ended.is_some();
        let timeout = if busy { RETRY } else { REAP_EVERY };
        let timeout = nap.map_or(timeout, |until| timeout.min(until.saturating_duration_since(now)));
        let timeout =
            Timespec { tv_sec: timeout.as_secs().cast_signed(), tv_nsec: i64::from(timeout.subsec_nanos()) };
        match poll(&mut fds, Some(&timeout)) {
            // Every so often, and while it ends, everything is looked after.
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Woken::ALL),
            Ok(_) if busy => return Ok(Woken::ALL),
            Ok(_) => {}
            Err(errno) => return Err(KeeperError::System { act: "wait", source: errno.into() }),
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let output = asks_terminal && is_ready(&fds[0]);
        // The last of ours: it has not ended, else we would be busy.
        let child = is_ready(&fds[ours - 1]);
        Ok(Woken { output, child, daemon: fds[ours..].iter().any(is_ready) })
    }

    /// Reads what the job has written; true once nothing more can come.
    fn read_output(&mut self, is_ready: bool) -> bool {
        self.spool.retry();
        let before = self.spool.len();
        while is_ready && self.spool.is_written() && !self.child.is_drained() {
            match self.child.read(self.spool.buffer()) {
                Ok(0) => break,
                Ok(n) => {
                    self.spool.append(n);
                    if self.spool.is_turn_full() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        self.spool.end_turn();
        let read = usize::try_from(self.spool.len() - before).unwrap_or(usize::MAX);
        if read > 0 {
            self.state.nap.read(clock::instant(), read);
        }
        self.child.is_drained() || self.state.gone && self.child.is_quiet()
    }

    fn listen(&mut self) {
        let hello = FromKeeper::Hello {
            version: KEEPER_PROTOCOL,
            child: self.child.pid(),
            frozen: self.state.frozen,
            spool: self.spool.len(),
        };
        if self.server.accept(&hello) {
            self.state.nap.set_calm(false);
        }
        while self.child.takes_input()
            && let Some(order) = self.server.next_order()
        {
            self.obey(order);
        }
    }

    fn obey(&mut self, order: ToKeeper) {
        let me = std::process::id();
        match order {
            ToKeeper::Input(bytes) => self.child.input(&bytes),
            ToKeeper::Once { effect, step, bytes } => {
                if self.state.typed < Some((effect, step)) {
                    self.state.typed = Some((effect, step));
                    self.child.input(&bytes);
                }
            }
            ToKeeper::Calm(calm) => self.state.nap.set_calm(calm),
            ToKeeper::Resize { rows, cols } => self.child.resize(rows, cols),
            ToKeeper::Freeze => {
                let count = process::freeze(me);
                self.state.frozen = true;
                self.server.tell(&FromKeeper::Frozen(u32::try_from(count).unwrap_or(u32::MAX)));
            }
            ToKeeper::Thaw => {
                process::thaw(me);
                self.state.frozen = false;
                self.server.tell(&FromKeeper::Thawed);
            }
            ToKeeper::End { grace_ms } => {
                self.state.tell_ended = true;
                self.state.frozen = false;
                process::hang_up(me);
                let at = clock::instant() + Duration::from_millis(grace_ms);
                self.state.kill_at = Some(self.state.kill_at.map_or(at, |old| old.min(at)));
            }
        }
    }

    /// Takes in ended children: the job's own with how it ended, adopted orphans silently.
    fn reap(&mut self) {
        while let Some(reaped) = process::reap() {
            if reaped.pid == self.child.pid() {
                self.state.ended = Some((reaped.code, reaped.signal));
                process::hang_up(std::process::id());
                let at = clock::instant() + LEFTOVERS_GRACE;
                self.state.kill_at = Some(self.state.kill_at.map_or(at, |old| old.min(at)));
            }
        }
    }

    /// Ends the tree at once if the job's folder has been removed: no daemon finds a keeper without it, so nobody could
    /// ever see or end what runs.
    fn end_if_alone(&mut self) {
        let now = clock::instant();
        if self.state.looked_at.is_some_and(|at| now.duration_since(at) < REAP_EVERY) {
            return;
        }
        self.state.looked_at = Some(now);
        if self.state.kill_at.is_none() && fstat(&self.lock).is_ok_and(|about| about.st_nlink == 0) {
            self.state.kill_at = Some(now);
        }
    }

    /// Sees to it that nothing of the tree is left once it is to end.
    fn end_tree(&mut self) {
        let Some(at) = self.state.kill_at else { return };
        let me = std::process::id();
        if clock::instant() >= at {
            process::kill(me);
        }
        if self.state.ended.is_some() && process::descendants(me).is_empty() {
            self.state.gone = true;
            if std::mem::take(&mut self.state.tell_ended) {
                self.server.tell(&FromKeeper::Ended);
            }
        }
    }

    fn leave(mut self, dir: &Path) -> Result<(), KeeperError> {
        let (code, signal) = self.state.ended.unwrap_or_default();
        let exit = ExitFile::Ended { code, signal, spool: self.spool.len() };
        self.spool.sync().map_err(file("sync", &dir.join("spool")))?;
        // A full disk must not lose how the job ended: it is tried again until there is room.
        while let Err(error) = write_durably(dir, "exit.json", &exit) {
            match &error {
                KeeperError::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                    pause(RETRY);
                }
                _ => return Err(error),
            }
        }
        self.server.tell(&FromKeeper::Exited(exit));
        self.server.farewell(FAREWELL);
        // The socket's file is of no use without us; a leftover is replaced by nobody, so it does no harm either.
        let _ = fs::remove_file(dir.join("socket"));
        Ok(())
    }
}
