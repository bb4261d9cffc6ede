//! Process trees: found by walking `/proc`, frozen, thawed and ended whole.
//!
//! The root must be a child subreaper (see [`adopt_orphans`]): what leaves its session or forks twice is then
//! still found below it. A zombie counts as dead.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most rounds of a walk; a tree that forks faster than it can be stopped is caught within a few.
const ROUNDS_MAX: usize = 200;

/// From now on this process is the parent of all orphans below it.
pub fn adopt_orphans() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(Into::into)
}

/// How much a thread that yields is below the others.
const YIELDS: i32 = 5;

/// From now on this thread yields to the others of the process; what it starts from here on does so too.
pub fn yield_to_other_threads() {
    // On Linux a priority is a thread's own. Without it all works, only later.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), YIELDS);
}

/// All live descendants of `root`, itself not included.
#[must_use]
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (pid, parent, _) in table() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            found.push(*child);
            open.push(*child);
        }
    }
    found
}

/// Stops every descendant of `root`, again and again until no new one is found; returns how many stand still.
pub fn freeze(root: u32) -> usize {
    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        let new: Vec<u32> = descendants(root).into_iter().filter(|pid| !stopped.contains(pid)).collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            signal(pid, Signal::STOP);
            stopped.insert(pid);
        }
    }
    stopped.len()
}

/// Lets every descendant of `root` go on.
pub fn thaw(root: u32) {
    for pid in descendants(root) {
        signal(pid, Signal::CONT);
    }
}

/// Tells every descendant of `root` that its terminal has gone, and thaws it so that it can hear that.
pub fn hang_up(root: u32) {
    for pid in descendants(root) {
        signal(pid, Signal::HUP);
        signal(pid, Signal::CONT);
    }
}

/// Kills every descendant of `root`: stopped first, so that none can fork away, until none is left.
pub fn kill(root: u32) {
    for _ in 0..ROUNDS_MAX {
        freeze(root);
        let left = descendants(root);
        if left.is_empty() {
            return;
        }
        for pid in left {
            signal(pid, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// All other processes that have the file at `path` open; those of other users can't be seen.
#[must_use]
pub fn holders(path: &Path) -> Vec<u32> {
    let Ok(path) = path.canonicalize() else { return Vec::new() };
    let holds = |pid: u32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors.map(|entry| entry.path()).any(|fd| std::fs::read_link(fd).is_ok_and(|file| file == path))
    };
    let me = std::process::id();
    table().into_iter().map(|(pid, ..)| pid).filter(|pid| *pid != me && holds(*pid)).collect()
}

/// Asks one process to end.
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

/// Kills one process, whatever is below it.
pub fn kill_one(pid: u32) {
    signal(pid, Signal::KILL);
}

/// A process that this one was the parent of and that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    pub pid: u32,
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// The next ended child or adopted orphan; none if there is none now.
#[must_use]
pub fn reap() -> Option<Reaped> {
    let (pid, status) = rustix::process::wait(rustix::process::WaitOptions::NOHANG).ok().flatten()?;
    Some(Reaped {
        pid: u32::try_from(pid.as_raw_nonzero().get()).unwrap_or(0),
        code: status.exit_status(),
        signal: status.terminating_signal(),
    })
}

/// A descriptor of our own for one that another object holds; closed on exec.
pub fn duplicate(fd: Option<std::os::fd::RawFd>) -> io::Result<std::os::fd::OwnedFd> {
    let fd = fd.ok_or_else(|| io::Error::other("it has no descriptor"))?;
    #[expect(unsafe_code, reason = "portable-pty gives its master's descriptor as a number only")]
    // SAFETY: the caller's object holds the descriptor open during this call.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned()
}

/// A keeper that this process has started.
#[derive(Debug)]
pub struct StartedKeeper {
    has_ended: Arc<AtomicBool>,
}

impl StartedKeeper {
    /// Whether it has ended; what it came to stands in the job's folder.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

/// Starts `program keeper dir` in a session of its own, with nothing of ours but its log: it outlives us.
pub fn spawn_keeper(program: &Path, dir: &Path) -> io::Result<StartedKeeper> {
    let log = File::options().create(true).append(true).open(dir.join("keeper.log"))?;
    let mut command = Command::new(program);
    command.arg("keeper").arg(dir).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir("/");
    #[expect(unsafe_code, reason = "setsid must run between fork and exec")]
    // SAFETY: setsid is async-signal-safe and touches no memory of this process.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
    let mut child = command.spawn()?;
    let has_ended = Arc::new(AtomicBool::new(false));
    let keeper = StartedKeeper { has_ended: Arc::clone(&has_ended) };
    // It is our child until we end; its end must not leave a zombie.
    std::thread::Builder::new().name("keeper-wait".into()).stack_size(64 * 1024).spawn(move || {
        let _ = child.wait();
        has_ended.store(true, Ordering::Release);
    })?;
    Ok(keeper)
}

/// Whether a process lives; a zombie does not.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(_, state)| state != 'Z' && state != 'X')
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile, or belong to root: nothing more can be done about either.
        let _ = kill_process(pid, signal);
    }
}

/// All live processes: pid, parent, state.
fn table() -> Vec<(u32, u32, char)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| stat(pid).map(|(parent, state)| (pid, parent, state)))
        .filter(|(_, _, state)| *state != 'Z' && *state != 'X')
        .collect()
}

/// Parent and state of a process. The name in the middle may hold anything, so it is read from the end of it.
fn stat(pid: u32) -> Option<(u32, char)> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut words = text.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?.chars().next()?;
    Some((words.next()?.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_a_child_is_found_and_killed() {
        assert!(is_alive(std::process::id()));
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(child.id()));
    }
}
