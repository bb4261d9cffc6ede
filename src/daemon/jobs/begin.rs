//! Finding a job's keeper, or starting it: never twice.
//!
//! The job's directory tells how far an earlier daemon got: no spec, not started; lock held, alive; `exit.json`,
//! ended; `keeper.json` with neither, its keeper died and nobody knows how the job ended.

use super::files::Files;
use crate::core::model::agent::Exit;
use crate::os::lock::Lock;
use crate::os::{clock, process};
use crate::wire::keeper::ExitFile;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a keeper may take from its start to its socket.
const START_MAX: Duration = Duration::from_secs(15);
/// How often its socket is tried meanwhile.
const START_POLL: Duration = Duration::from_millis(3);
/// A keeper that an earlier daemon may just have started gets this long to take its lock.
const EARLIER_MAX: Duration = Duration::from_secs(2);

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// Its keeper answers.
    Live(UnixStream),
    /// It has ended.
    Ended(ExitFile),
    /// Its keeper is gone without a word.
    Lost,
}

/// Finds a job that was started, by this daemon or an earlier one.
pub(super) fn attach(files: &Files) -> Found {
    let deadline = clock::instant() + START_MAX;
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
        if clock::instant() > deadline {
            tracing::error!(dir = %files.dir().display(), "a keeper lives and does not answer");
            return Found::Lost;
        }
        std::thread::sleep(START_POLL);
    }
}

/// Starts the keeper of a job whose spec is written, unless it was started before.
pub(super) fn start(files: &Files, program: &Path, was_there: bool) -> Result<Found, String> {
    if was_there {
        let deadline = clock::instant() + EARLIER_MAX;
        loop {
            if files.has_keeper() || files.exit().is_some() || is_held(&files.lock()) {
                return Ok(attach(files));
            }
            if clock::instant() > deadline {
                break;
            }
            std::thread::sleep(START_POLL);
        }
    }
    process::spawn_keeper(program, files.dir())
        .map_err(|error| format!("can't start {} keeper: {error}", program.display()))?;
    let deadline = clock::instant() + START_MAX;
    loop {
        // The lock is not touched here: the keeper is about to take it.
        // Not before the child runs: a keeper that can't start it has a socket for a moment too.
        if files.has_keeper()
            && let Ok(stream) = UnixStream::connect(files.socket())
        {
            return Ok(Found::Live(stream));
        }
        if let Some(exit) = files.exit() {
            return Ok(Found::Ended(exit));
        }
        if clock::instant() > deadline {
            let log = std::fs::read_to_string(files.dir().join("keeper.log")).unwrap_or_default();
            let last = log.lines().last().unwrap_or("it left no word").to_owned();
            return Err(format!("the keeper does not answer: {last}"));
        }
        std::thread::sleep(START_POLL);
    }
}

fn is_held(lock: &Path) -> bool {
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
