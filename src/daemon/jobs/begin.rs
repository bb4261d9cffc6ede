//! Finding a job's keeper, or starting it: never twice, and never one that nobody knows of.
//!
//! The job's directory tells how far an earlier daemon got: no spec, not started; lock held, alive; `exit.json`,
//! ended; `keeper.json` with neither, its keeper died and nobody knows how the job ended; a spec alone, its keeper may
//! be just about to take its lock. In that last case a second keeper is started: the lock decides which of the two keeps
//! the job, and the other leaves.
//!
//! No time limit decides that a keeper is dead: one that holds its lock is waited for, one that has ended is not. A job
//! that is given up is marked as not started, under its lock, so that a keeper that comes late leaves too.

use super::files::Files;
use crate::core::model::agent::Exit;
use crate::os::lock::Lock;
use crate::os::process::StartedKeeper;
use crate::os::{clock, process};
use crate::wire::keeper::ExitFile;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A keeper that holds its lock and does not answer for this long is told of in the log, and waited for.
const SLOW: Duration = Duration::from_secs(15);
/// How often a keeper that is coming up is looked for.
const POLL: Duration = Duration::from_millis(3);

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    Live(UnixStream),
    Ended(ExitFile),
    /// Its keeper is gone without a word.
    Lost,
}

/// Finds a job that was started, by this daemon or an earlier one. Blocks while its keeper comes up or leaves.
pub(super) fn attach(files: &Files) -> Found {
    let mut slow = Slow::new(files);
    loop {
        if let Ok(stream) = UnixStream::connect(files.socket()) {
            return Found::Live(stream);
        }
        if let Some(exit) = files.exit() {
            return Found::Ended(exit);
        }
        if !is_held(&files.lock()) {
            // It may have written its last word between the two looks.
            return files.exit().map_or(Found::Lost, Found::Ended);
        }
        slow.pause();
    }
}

/// Starts the keeper of a job whose spec is written, unless it was started before. Blocks until the job runs or has
/// ended.
pub(super) fn start(files: &Files, program: &Path) -> Result<Found, String> {
    let mut ours: Option<io::Result<StartedKeeper>> = None;
    let mut slow = Slow::new(files);
    loop {
        // Not before the child runs: a keeper that can't start it has a socket for a moment too.
        if files.has_keeper()
            && let Ok(stream) = UnixStream::connect(files.socket())
        {
            return Ok(Found::Live(stream));
        }
        if let Some(exit) = files.exit() {
            return Ok(Found::Ended(exit));
        }
        // The lock is not touched while our keeper lives: it is about to take it.
        let may_come = matches!(&ours, Some(Ok(keeper)) if !keeper.has_ended());
        if !may_come && !is_held(&files.lock()) {
            if files.has_keeper() {
                return Ok(attach(files));
            }
            let why = match &ours {
                None => {
                    ours = Some(process::spawn_keeper(program, files.dir()));
                    continue;
                }
                Some(Err(error)) => format!("can't start {} keeper: {error}", program.display()),
                Some(Ok(_)) => format!("the keeper ended before the job ran: {}", last_word(files)),
            };
            if give_up(files, &why) {
                return Err(why);
            }
        }
        slow.pause();
    }
}

/// Marks a job as not started, so that a keeper that comes late leaves. False: one came just now.
fn give_up(files: &Files, why: &str) -> bool {
    let lock = match Lock::try_take(&files.lock()) {
        Ok(Some(lock)) => lock,
        Ok(None) => return false,
        Err(error) => {
            tracing::warn!(dir = %files.dir().display(), %error, "can't lock a job's folder");
            return true;
        }
    };
    if files.has_keeper() || files.exit().is_some() {
        return false;
    }
    if let Err(error) = files.not_started(why) {
        tracing::warn!(dir = %files.dir().display(), %error, "can't mark a job as not started");
    }
    drop(lock);
    true
}

fn last_word(files: &Files) -> String {
    let log = std::fs::read_to_string(files.dir().join("keeper.log")).unwrap_or_default();
    log.lines().last().unwrap_or("it left no word").to_owned()
}

/// Pauses between two looks, and says once that they have become many.
struct Slow<'a> {
    files: &'a Files,
    since: Instant,
    is_told: bool,
}

impl<'a> Slow<'a> {
    fn new(files: &'a Files) -> Self {
        Self { files, since: clock::instant(), is_told: false }
    }

    fn pause(&mut self) {
        if !self.is_told && clock::instant().duration_since(self.since) > SLOW {
            self.is_told = true;
            tracing::warn!(dir = %self.files.dir().display(), "a keeper lives and does not answer yet: it is waited for");
        }
        std::thread::sleep(POLL);
    }
}

pub(super) fn is_held(lock: &Path) -> bool {
    lock.exists() && matches!(Lock::try_take(lock), Ok(None))
}

/// What an exit file means to the rules.
pub(super) const fn exit_of(file: &ExitFile) -> Exit {
    match file {
        ExitFile::Ended { code: Some(code), .. } => Exit::Code(*code),
        ExitFile::Ended { signal: Some(signal), .. } => Exit::Signal(*signal),
        ExitFile::Ended { code: None, signal: None, .. } | ExitFile::NotStarted { .. } => Exit::Unknown,
    }
}
