//! Codex: `exec --json`, and the titles of its interactive form.

use super::listen::{Counted, Said, Title, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// One line of its stream. An `error` line alone may be a retry; a failed turn says so itself.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("thread.started") => Said::session(&value["thread_id"]).into_iter().collect(),
        Some("turn.started") => vec![Said::State(AgentState::Working)],
        Some("turn.completed") => vec![
            // Totals of the thread, not of the turn. Which model it was is not said here.
            counted.total(used(&value["usage"])),
            Said::State(AgentState::Done),
        ],
        Some("turn.failed") => vec![Said::failed(value["error"]["message"].as_str().unwrap_or_default())],
        _ => Vec::new(),
    }
}

/// Cached tokens are among the input.
fn used(usage: &Value) -> Usage {
    Usage {
        tokens_in: sum(usage, &["input_tokens"]),
        tokens_out: sum(usage, &["output_tokens"]),
        tokens_cached: sum(usage, &["cached_input_tokens"]),
        ..Usage::default()
    }
}

/// What its title says. It spins while the program starts, so that the end of a spin is not the end of work; that
/// is told by the Program Status Protocol, which this CLI always speaks.
pub(super) fn title(title: &str) -> Option<Title> {
    if title.contains("Action Required") {
        return Some(Title::Asking);
    }
    match title.chars().next()? {
        '\u{2800}'..='\u{28ff}' => Some(Title::Working),
        _ => Some(Title::Idle),
    }
}
