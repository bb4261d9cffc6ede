//! Jobs of this data folder that the ledger does not know: it was taken back to an older back-up while they worked.
//!
//! Promises: each is told to end its whole tree, as nobody watches its time, its budget or its question any more; what it
//! has done stays in its worktree, on its branch and in its folder. A job that the engine holds for live is left alone, and so
//! is every job of this daemon: numbers are not given out twice, so theirs are higher than `last`.

use super::begin::is_held;
use super::files::Files;
use crate::os::paths::Paths;
use crate::values::ids::JobId;
use crate::wire::frame;
use crate::wire::keeper::ToKeeper;
use std::collections::HashSet;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

/// How long they may take to end by themselves, in milliseconds.
const GRACE_MS: u64 = 5_000;

/// Has those end that are not among `known`; `last` is the highest number that was there when the daemon started. Blocks
/// while their keepers are looked for.
pub(in crate::daemon) fn end(paths: &Paths, known: &HashSet<JobId>, last: JobId) {
    let folders = std::fs::read_dir(paths.jobs()).into_iter().flatten().flatten();
    let numbers = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number| *number <= last.0) {
        let files = Files::new(paths.job(number));
        if known.contains(&JobId(number)) || !is_held(&files.lock()) {
            continue;
        }
        let told = UnixStream::connect(files.socket()).and_then(|mut keeper| {
            let end = frame::encode(&ToKeeper::End { grace_ms: GRACE_MS }).map_err(std::io::Error::other)?;
            keeper.write_all(&end)
        });
        match told {
            Ok(()) => tracing::warn!(job = number, "a job that the ledger does not know is being ended"),
            Err(error) => {
                tracing::error!(job = number, %error, "a job that the ledger does not know can't be ended");
            }
        }
    }
}
