//! What a gate or a hook printed last, as plain text, and the tests that it counted. Never of an agent.

use super::files::Files;
use super::{Kind, spool};
use crate::agents::test_counts;
use crate::core::model::gate::{GateRun, TestCounts};
use crate::screen::plain;
use crate::values::ids::JobId;
use crate::wire::keeper::ExitFile;

/// Output that is looked at for its last lines.
const TAIL_BYTES: u64 = 64 * 1024;
/// Output of a gate that is looked at for counted tests.
const COUNT_BYTES: u64 = 1024 * 1024;

/// The last lines, and counted tests of a gate.
pub(super) fn read(job: JobId, files: &Files, kind: Kind) -> (String, Option<TestCounts>) {
    let read = |max| {
        spool::tail(&files.spool(), max).unwrap_or_else(|error| {
            tracing::warn!(%job, %error, "a spool can't be read");
            Vec::new()
        })
    };
    let mut tail = plain::plain_text(&read(TAIL_BYTES), GateRun::TAIL_MAX);
    if let Some(ExitFile::NotStarted { error }) = files.exit() {
        tail = error;
    }
    let tests = (kind == Kind::Gate)
        .then(|| {
            let bytes = read(COUNT_BYTES);
            test_counts::count(&plain::plain_text(&bytes, bytes.len()))
        })
        .flatten();
    (tail, tests)
}
