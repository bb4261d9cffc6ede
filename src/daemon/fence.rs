//! The fence: git of an earlier daemon has ended before this daemon changes a repo.
//!
//! A git process outlives the daemon that started it. It finishes work that nobody waits for any more, or it fails
//! (on a closed pipe, or because its files have gone) and then takes away what it had made: `git worktree add` removes
//! the worktree by its path, even if the next daemon has made that anew meanwhile. An effect that is redone after a
//! restart is therefore only safe once the process that did it before has ended.
//!
//! So every git that a daemon starts holds a lock of the data folder for as long as it lives (see
//! [`crate::git::hold`]), and the next daemon takes that lock before its first change. It lets git finish; git that
//! takes longer than [`PATIENCE`] is ended. Reads do not wait.

use crate::git;
use crate::os::lock::Lock;
use crate::os::paths::Paths;
use crate::os::{clock, process};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long git of an earlier daemon may go on before it is ended. Changes to repos wait meanwhile, all else goes on.
const PATIENCE: Patience = Patience {
    finish: Duration::from_secs(60),
    leave: Duration::from_secs(10),
    die: Duration::from_secs(10),
};
/// How often the lock is tried.
const POLL: Duration = Duration::from_millis(10);

/// How long each stage may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To finish by itself.
    finish: Duration,
    /// To tidy up after a request to end (SIGTERM): git removes its locks and what is half made.
    leave: Duration,
    /// To be gone after SIGKILL.
    die: Duration,
}

/// Why changes to repos can't begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum FenceError {
    /// The lock can't be used.
    #[error("can't lock {}: {source}", path.display())]
    Lock {
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A process that was killed does not go, or belongs to another user.
    #[error("git of an earlier daemon does not end (processes {pids:?}, which hold {}): end them, then retry", path.display())]
    Stuck {
        path: PathBuf,
        /// The processes that hold it.
        pids: Vec<u32>,
    },
}

/// Passed once in a daemon's life.
#[derive(Debug)]
pub(super) struct Fence {
    lock: PathBuf,
    is_passed: Mutex<bool>,
}

impl Fence {
    pub(super) fn new(paths: &Paths) -> Self {
        Self { lock: paths.git_lock(), is_passed: Mutex::new(false) }
    }

    /// Returns once no git of an earlier daemon lives. Blocks; to be called on a worker before each change to a repo.
    /// After an error the next call tries again.
    pub(super) fn pass(&self) -> Result<(), FenceError> {
        let mut is_passed = self.is_passed.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_passed {
            git::hold(take(&self.lock, PATIENCE)?.into());
            *is_passed = true;
        }
        Ok(())
    }
}

/// Takes the lock; whoever holds it for too long is ended.
fn take(path: &Path, patience: Patience) -> Result<Lock, FenceError> {
    if let Some(lock) = take_within(path, Duration::ZERO)? {
        return Ok(lock);
    }
    tracing::info!(pids = ?process::holders(path), "git of an earlier daemon still runs: changes to repos wait for its end");
    if let Some(lock) = take_within(path, patience.finish)? {
        return Ok(lock);
    }
    tracing::warn!(pids = ?process::holders(path), "git of an earlier daemon takes too long and is ended");
    process::holders(path).into_iter().for_each(process::terminate);
    if let Some(lock) = take_within(path, patience.leave)? {
        return Ok(lock);
    }
    process::holders(path).into_iter().for_each(process::kill_one);
    if let Some(lock) = take_within(path, patience.die)? {
        return Ok(lock);
    }
    Err(FenceError::Stuck { path: path.to_owned(), pids: process::holders(path) })
}

fn take_within(path: &Path, most: Duration) -> Result<Option<Lock>, FenceError> {
    let deadline = clock::instant() + most;
    loop {
        let lock = Lock::try_take(path);
        let lock = lock.map_err(|source| FenceError::Lock { path: path.to_owned(), source })?;
        if lock.is_some() || clock::instant() >= deadline {
            return Ok(lock);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::process::{Child, Command, Stdio};

    /// As git of an earlier daemon: holds the lock as its standard input.
    fn holder(path: &Path, script: &str) -> Child {
        let lock = File::from(Lock::try_take(path).unwrap().unwrap());
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::from(lock))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first line: from here on signals meet what the script has set.
        let mut line = [0];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        child
    }

    #[test]
    fn git_that_ends_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (path, go) = (dir.path().join("lock"), dir.path().join("go"));
        let mut git =
            holder(&path, &format!("echo; until [ -e {} ]; do sleep 0.01; done; exit 7", go.display()));
        std::thread::scope(|scope| {
            let taken = scope.spawn(|| take(&path, PATIENCE));
            File::create(&go).unwrap();
            taken.join().unwrap().unwrap();
        });
        assert_eq!(git.wait().unwrap().code(), Some(7), "it ended by itself");
    }

    #[test]
    fn git_that_does_not_end_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut polite = holder(&path, "echo; exec sleep 600");
        let patience = Patience { finish: Duration::ZERO, ..PATIENCE };
        drop(take(&path, patience).unwrap());
        assert!(!polite.wait().unwrap().success());
        let mut deaf = holder(&path, "trap '' TERM; echo; exec sleep 600");
        drop(take(&path, Patience { leave: Duration::ZERO, ..patience }).unwrap());
        assert!(!deaf.wait().unwrap().success());
    }

    #[test]
    fn what_can_not_be_ended_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        // Held by this process itself, which is never ended.
        let _held = Lock::try_take(&path).unwrap().unwrap();
        let none = Patience { finish: Duration::ZERO, leave: Duration::ZERO, die: Duration::ZERO };
        let error = take(&path, none).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
