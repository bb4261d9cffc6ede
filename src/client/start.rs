//! Finding the daemon's socket, and starting a daemon where none runs.
//!
//! Promises: a socket that is not our user's is never spoken to; of many clients that start a daemon at once
//! one daemon comes up (its lock decides) and all get connected; a start that fails says why, with the log.

use super::error::ClientError;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::values::words::duration;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::UnixStream;

/// Whether a daemon may be started by connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Only use one that runs.
    Never,
    /// Start one if none runs.
    IfNeeded,
}

/// How long a daemon may take to answer: it checks its ledger and looks for its jobs first.
const START_MAX: Duration = Duration::from_secs(60);
/// How often the socket is tried meanwhile.
const START_POLL: Duration = Duration::from_millis(10);
/// The exit code of a daemon that found another one running: that one will answer soon, or leaves.
const LOST_RACE: i32 = 4;
/// How much of the log is shown when it fails.
const LOG_TAIL: u64 = 2 * 1024;

/// A connected stream to a daemon of our user.
pub(super) async fn reach(paths: &Paths, start: Start) -> Result<UnixStream, ClientError> {
    let socket = paths.socket();
    if let Some(stream) = try_connect(&socket).await? {
        return Ok(stream);
    }
    if start == Start::Never {
        return Err(ClientError::NoDaemon);
    }
    let (mut child, mut said) = spawn()?;
    let began = clock::instant();
    loop {
        if let Some(stream) = try_connect(&socket).await? {
            reap(child);
            return Ok(stream);
        }
        match child.try_wait().map_err(ClientError::io("look after the daemon"))? {
            // How soon the other one answers is a matter of the machine; should it leave instead, one is needed.
            Some(status) if status.code() == Some(LOST_RACE) => (child, said) = spawn()?,
            Some(status) => {
                let words = all_of(said);
                let log = if words.is_empty() { log_tail(paths) } else { words };
                return Err(ClientError::NotStarted { why: format!("it ended with {status}"), log });
            }
            None => {}
        }
        if began.elapsed() > START_MAX {
            reap(child);
            let why = format!("no answer for {}", duration::long(START_MAX.into()));
            return Err(ClientError::NotStarted { why, log: log_tail(paths) });
        }
        tokio::time::sleep(START_POLL).await;
    }
}

/// Connects if somebody answers; none if there is no socket or a dead one.
async fn try_connect(socket: &Path) -> Result<Option<UnixStream>, ClientError> {
    check_owner(socket)?;
    match UnixStream::connect(socket).await {
        Ok(stream) => {
            if crate::os::peer::check(&stream).map_err(ClientError::io("ask who the daemon is"))? {
                Ok(Some(stream))
            } else {
                let uid = stream.peer_cred().map_or(u32::MAX, |cred| cred.uid());
                Err(ClientError::NotOurs { path: socket.to_owned(), uid })
            }
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) => Err(ClientError::io(format!("connect to {}", socket.display()))(error)),
    }
}

/// Neither the socket nor its folder may be another user's.
fn check_owner(socket: &Path) -> Result<(), ClientError> {
    let me = rustix::process::getuid().as_raw();
    for path in socket.parent().into_iter().chain([socket]) {
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.uid() != me => {
                return Err(ClientError::NotOurs { path: path.to_owned(), uid: meta.uid() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ClientError::io(format!("look at {}", path.display()))(error)),
        }
    }
    Ok(())
}

/// Starts `nopeek daemon run`, away from our terminal; as its first act it makes itself a session of its own. What it
/// says before it can log goes to memory: a full disk must not swallow that the disk is full.
fn spawn() -> Result<(Child, File), ClientError> {
    let program = std::env::current_exe().map_err(ClientError::io("find our own program"))?;
    let said = rustix::fs::memfd_create("nopeek-daemon", rustix::fs::MemfdFlags::CLOEXEC)
        .map(File::from)
        .map_err(|error| ClientError::io("make room for the daemon's words")(error.into()))?;
    let stderr = said.try_clone().map_err(ClientError::io("make room for the daemon's words"))?;
    let mut command = Command::new(&program);
    command
        .args(["daemon", "run"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .current_dir("/");
    let child = command.spawn().map_err(ClientError::io(format!("start {}", program.display())))?;
    Ok((child, said))
}

fn all_of(mut said: File) -> String {
    let mut text = Vec::new();
    let read = said.rewind().and_then(|()| said.take(LOG_TAIL).read_to_end(&mut text));
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&text).trim().to_owned())
}

/// Waits for the child on a thread of its own, so that it is no zombie while we live.
fn reap(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

fn log_tail(paths: &Paths) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(paths.log())?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(LOG_TAIL)))?;
        let mut text = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    match read() {
        Ok(tail) => format!("its log, {}, ends with:\n{tail}", paths.log().display()),
        Err(_) => format!("there is nothing in its log, {}", paths.log().display()),
    }
}
