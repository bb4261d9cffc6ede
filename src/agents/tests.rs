//! Tests counted in a gate's output.
use crate::core::gate::TestCounts;
/// The tests that a known runner counted in `output`; none if no runner is known.
#[must_use]
pub fn count(_output: &str) -> Option<TestCounts> {
    None
}
