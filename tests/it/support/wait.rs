//! Waiting for a condition of the outer world that nobody tells us of: a file, a process, a lock.

use nopeek::os::clock;
use std::time::Duration;

/// The one bound of all waiting: it only ends a hang. How fast the machine is must not decide a test, so it is far
/// beyond what the slowest step takes on a busy one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Looks again and again until `look` finds something; says what it waited for if it never does.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    patiently(look).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Whether a process stands still: stopped, or (`D`) a shell that waits in vfork for a child that was stopped before it
/// became another program. The stop reaches such a shell only once its child goes on.
pub(crate) fn is_still(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with(['T', 'D'])
}

/// As [`until`], for a caller that has more to say about a hang: none after [`PATIENCE`].
pub(crate) fn patiently<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = clock::instant();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
