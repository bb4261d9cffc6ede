//! Whether something has gone from a folder, told by the kernel at once.

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::io;
use std::path::Path;

/// Begins to look at a folder. What it gives can be read as a pipe, without waiting, once a file of the folder or the folder
/// itself has gone; what is read there says no more than that.
pub fn goings(folder: &Path) -> io::Result<OwnedFd> {
    let told = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let what = WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    inotify::add_watch(&told, folder, what)?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_told_and_what_comes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let told = goings(dir.path()).unwrap();
        let read = || rustix::io::read(&told, &mut [0; 4096]);
        std::fs::write(dir.path().join("a"), "").unwrap();
        assert_eq!(read(), Err(rustix::io::Errno::WOULDBLOCK));
        std::fs::remove_file(dir.path().join("a")).unwrap();
        assert!(read().is_ok_and(|bytes| bytes > 0));
    }
}
