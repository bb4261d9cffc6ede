//! The demo's folder: made, locked, and cleared with everything that runs in it.
//!
//! `nopeek-demo-N/` in the temporary folder: `lock` (held while the demo lives), `home/` (its NOPEEK_HOME), `kettle/`
//! (its repository).

use super::super::error::CliError;
use super::super::print;
use crate::os::clock;
use crate::os::lock::Lock;
use crate::os::paths::Paths;
use crate::wire::frame;
use crate::wire::keeper::{KeeperFile, ToKeeper};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = "nopeek-demo-";
/// How long the daemon or a job may take to end by itself, before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// A folder without a lock is a demo that is just being made, or, if it is older, one that never was.
const YOUNG: Duration = Duration::from_secs(60);

/// A demo's folder, ours while this lives.
pub(super) struct Place {
    root: PathBuf,
    _lock: Lock,
}

impl Place {
    /// Takes the folder for this process.
    pub(super) fn take(root: &Path) -> Result<Self, CliError> {
        let failed = |error: io::Error| CliError::world(format!("can't use {}: {error}", root.display()), "");
        std::fs::create_dir_all(root.join("home")).map_err(failed)?;
        match Lock::try_take(&root.join("lock")).map_err(failed)? {
            Some(lock) => Ok(Self { root: root.to_owned(), _lock: lock }),
            None => Err(CliError::world(format!("{} belongs to a demo that runs", root.display()), "")),
        }
    }

    /// The demo's repository.
    pub(super) fn repo(&self) -> PathBuf {
        self.root.join("kettle")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clear(&self.root);
    }
}

/// Where demos live: the temporary folder, or /tmp if its path is too long for the sockets below it.
fn parent() -> PathBuf {
    let wished = std::env::temp_dir();
    if wished.as_os_str().len() <= 40 { wished } else { PathBuf::from("/tmp") }
}

/// Makes a fresh folder, for this user alone.
pub(super) fn make_root() -> Result<PathBuf, CliError> {
    let parent = parent();
    let mut no = std::process::id();
    loop {
        let root = parent.join(format!("{PREFIX}{no}"));
        match std::fs::DirBuilder::new().mode(0o700).create(&root) {
            Ok(()) => return Ok(root),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => no = no.wrapping_add(1),
            Err(error) => {
                let what = format!("can't make a folder in {}: {error}", parent.display());
                return Err(CliError::world(what, "set TMPDIR to a folder that you can write to"));
            }
        }
    }
}

/// Removes what earlier demos left that were killed.
pub(super) fn clear_stale() {
    let me = rustix::process::getuid().as_raw();
    for entry in std::fs::read_dir(parent()).into_iter().flatten().flatten() {
        let root = entry.path();
        let Ok(meta) = std::fs::symlink_metadata(&root) else { continue };
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) || !meta.is_dir() || meta.uid() != me {
            continue;
        }
        if root.join("lock").exists() {
            if let Ok(Some(_lock)) = Lock::try_take(&root.join("lock")) {
                clear(&root);
            }
        } else if meta.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > YOUNG) {
            clear(&root);
        }
    }
}

/// Where a demo's daemon keeps its files: what NOPEEK_HOME makes of it.
fn paths(root: &Path) -> Paths {
    let home = root.join("home");
    Paths { config: home.join("config"), data: home.join("data"), runtime: home.join("run") }
}

/// Ends the demo's daemon, then its jobs, then removes its folder.
fn clear(root: &Path) {
    let paths = paths(root);
    end_daemon(&paths.socket());
    for entry in std::fs::read_dir(paths.jobs()).into_iter().flatten().flatten() {
        end_job(&entry.path());
    }
    if let Err(error) = remove(root) {
        print::complain(format_args!("nopeek: can't remove {}: {error}", root.display()));
    }
}

/// Sends SIGTERM to whoever answers at the socket, if it is our user's, and waits until nobody does.
fn end_daemon(socket: &Path) {
    let began = clock::instant();
    let mut asked = false;
    while let Ok(stream) = UnixStream::connect(socket) {
        let Ok(peer) = rustix::net::sockopt::socket_peercred(&stream) else { return };
        if peer.uid != rustix::process::getuid() {
            return;
        }
        if began.elapsed() > PATIENCE {
            let _ = kill_process(peer.pid, Signal::KILL);
            return;
        }
        if !asked {
            let _ = kill_process(peer.pid, Signal::TERM);
            asked = true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has a job's keeper end the whole tree; a keeper that does not is killed.
fn end_job(job: &Path) {
    let lock = job.join("lock");
    let lives = || lock.exists() && matches!(Lock::try_take(&lock), Ok(None));
    if !lives() {
        return;
    }
    if let Ok(mut stream) = UnixStream::connect(job.join("socket"))
        && let Ok(message) = frame::encode(&ToKeeper::End { grace_ms: 0 })
    {
        let _ = stream.write_all(&message);
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let mut bytes = [0; 4096];
        while let Ok(1..) = stream.read(&mut bytes) {}
    }
    let began = clock::instant();
    while lives() {
        if began.elapsed() > PATIENCE {
            let file = std::fs::read(job.join("keeper.json")).ok();
            let keeper: Option<KeeperFile> = file.and_then(|json| serde_json::from_slice(&json).ok());
            if let Some(pid) = keeper.and_then(|file| Pid::from_raw(i32::try_from(file.keeper).ok()?)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A keeper's last write may come between listing and removing; then once more.
fn remove(root: &Path) -> io::Result<()> {
    let began = clock::instant();
    loop {
        match std::fs::remove_dir_all(root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_goes_when_it_is_left() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("nopeek-demo-1");
        let place = Place::take(&root).unwrap();
        assert!(Place::take(&root).is_err());
        std::fs::create_dir_all(place.repo()).unwrap();
        drop(place);
        assert!(!root.exists());
    }
}
