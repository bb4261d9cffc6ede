//! The daemon's start and end: lock, log, ledger, replay, socket; then the loop.
//!
//! Promises: of all daemons of a user (of a data folder) one runs; nothing is touched before its lock is held; a
//! start that fails says what failed, on what, and what to do.

use super::event_loop::EventLoop;
use super::ledger_trouble;
use super::listening::Listening;
use super::message::World;
use crate::core::engine::Engine;
use crate::os::lock::Lock;
use crate::os::paths::Paths;
use crate::os::{clock, peer};
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// A log longer than this is put aside at the start; one old one is kept.
const LOG_MAX: u64 = 8 * 1024 * 1024;
/// A daemon that no longer answers may take this long to leave, or to come to answer.
const LEAVING_MAX: Duration = Duration::from_secs(3);

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum DaemonError {
    #[error("a daemon runs already for {data}")]
    SecondDaemon { data: PathBuf },
    /// The ledger can't be used.
    #[error("the ledger can't be used: {0}")]
    Ledger(#[from] StoreError),
    #[error("{what}: {error}")]
    Io {
        /// What was tried, on what.
        what: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

impl DaemonError {
    /// What to do; may be empty.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::SecondDaemon { .. } => "use that one, or end it: `nopeek daemon stop`".to_owned(),
            Self::Ledger(error) => error.remedy(),
            Self::Io { .. } => "`nopeek doctor` looks for the cause".to_owned(),
        }
    }
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> DaemonError {
    let what = what.into();
    move |error| DaemonError::Io { what, error }
}

/// Runs the daemon until somebody ends it; `program` is nopeek itself, for keepers. Jobs go on when it ends.
pub fn run(paths: Paths, program: PathBuf) -> Result<(), DaemonError> {
    // Away from the terminal that started it; refused (and not needed) for one that a shell runs in the foreground.
    let _ = rustix::process::setsid();
    let _lock = take_lock(&paths)?;
    log_to(&paths.log()).map_err(io_error(format!("open {}", paths.log().display())))?;
    tracing::info!(pid = std::process::id(), version = env!("CARGO_PKG_VERSION"), "the daemon starts");
    let result = serve(&paths, program);
    match &result {
        Ok(()) => tracing::info!("the daemon ends; jobs go on"),
        Err(error) => tracing::error!(%error, "the daemon can't run"),
    }
    result
}

/// Takes the lock; a daemon that is just leaving is waited for, one that answers is not.
fn take_lock(paths: &Paths) -> Result<Lock, DaemonError> {
    let file = paths.lock();
    let deadline = clock::instant() + LEAVING_MAX;
    loop {
        let lock = Lock::try_take(&file).map_err(io_error(format!("lock {}", file.display())))?;
        if let Some(lock) = lock {
            return Ok(lock);
        }
        let answers = UnixStream::connect(paths.socket()).and_then(|socket| peer::is_alive(&socket));
        if answers.unwrap_or(false) || clock::instant() > deadline {
            return Err(DaemonError::SecondDaemon { data: paths.data.clone() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn serve(paths: &Paths, program: PathBuf) -> Result<(), DaemonError> {
    let ledger = Ledger::open(&paths.ledger())?;
    let (entries, read_only) = ledger_trouble::judge(&paths.ledger(), ledger.load()?)?;
    let engine = Engine::replay(entries);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start the runtime"))?;
    let socket = paths.socket();
    runtime.block_on(async {
        let listening =
            Listening::bind(&socket).map_err(io_error(format!("listen at {}", socket.display())))?;
        let (sender, stop) = mpsc::channel(1);
        for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
            let mut signals = signal(kind).map_err(io_error("listen for signals"))?;
            let sender = sender.clone();
            tokio::spawn(async move {
                signals.recv().await;
                let _ = sender.send(()).await;
            });
        }
        // A terminal that goes away ends nothing.
        let mut hangups = signal(SignalKind::hangup()).map_err(io_error("listen for signals"))?;
        tokio::spawn(async move { while hangups.recv().await.is_some() {} });
        let (world, receiver) = World::new();
        let event_loop = EventLoop::new(paths.clone(), program, engine, (ledger, read_only), world);
        event_loop.run(listening, receiver, stop).await;
        Ok::<(), DaemonError>(())
    })?;
    runtime.shutdown_background();
    Ok(())
}

fn log_to(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|meta| meta.len() > LOG_MAX) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    let file = File::options().create(true).append(true).mode(0o600).open(path)?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("NOPEEK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // A full disk is no reason to write to a closed or full standard error instead, which would panic.
        .log_internal_errors(false)
        .with_writer(std::sync::Mutex::new(file));
    // A second daemon in one process (a test) logs to the first one's file.
    let _ = match std::env::var("NOPEEK_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).try_init(),
        _ => log.try_init(),
    };
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!("{info}");
        before(info);
    }));
    Ok(())
}
