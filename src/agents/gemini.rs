//! Gemini CLI: `-o stream-json`, and the titles of its interactive form.

use super::listen::{Counted, Said, Title, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("init") => {
            counted.model(&value["model"]);
            Said::session(&value["session_id"])
                .into_iter()
                .chain([Said::State(AgentState::Working)])
                .collect()
        }
        Some("result") => vec![
            // Of this run; cached tokens are among the input.
            counted.total(Usage {
                tokens_in: sum(&value["stats"], &["input_tokens"]),
                tokens_out: sum(&value["stats"], &["output_tokens"]),
                tokens_cached: sum(&value["stats"], &["cached"]),
                ..Usage::default()
            }),
            if value["status"] == "error" {
                Said::failed(value["error"]["message"].as_str().unwrap_or_default())
            } else {
                Said::State(AgentState::Done)
            },
        ],
        _ => Vec::new(),
    }
}

/// What its title says.
pub(super) fn title(title: &str) -> Option<Title> {
    match title.chars().next()? {
        '◇' => Some(Title::Ready),
        '✦' => Some(Title::Working),
        '✋' => Some(Title::Asking),
        _ => None,
    }
}
