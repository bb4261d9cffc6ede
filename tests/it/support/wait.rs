//! Waiting for a condition of the outer world that nobody tells us of: a file, a process, a lock.

use nopeek::os::clock;
use std::time::Duration;

/// Long enough for a machine with two busy cores; a test that gets here has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `look` finds something; says what it waited for if it never does.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Whether a process stands still: stopped, or (`D`) a shell that waits in vfork for a child that was stopped before it
/// became another program. The stop reaches such a shell only once its child goes on.
pub(crate) fn is_still(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with(['T', 'D'])
}

/// As [`until`], with a deadline of its own and none if it passes.
pub(crate) fn within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = clock::instant();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
