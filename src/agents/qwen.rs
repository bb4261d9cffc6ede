//! Qwen Code: Claude Code's stream shape with counts of its own, and its titles.

use super::listen::{Counted, Said, Title, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("system") if value["subtype"] == "init" || value["subtype"] == "session_start" => {
            counted.model(&value["model"]);
            Said::session(&value["session_id"])
                .into_iter()
                .chain([Said::State(AgentState::Working)])
                .collect()
        }
        Some("result") => {
            let mut said: Vec<Said> = Said::session(&value["session_id"]).into_iter().collect();
            said.push(counted.total(Usage {
                // Cached tokens are among them here.
                tokens_in: sum(&value["usage"], &["input_tokens"]),
                tokens_out: sum(&value["usage"], &["output_tokens"]),
                tokens_cached: sum(&value["usage"], &["cache_read_input_tokens"]),
                ..Usage::default()
            }));
            said.push(if value["is_error"] == true {
                let text = value["error"]["message"].as_str().or(value["result"].as_str());
                Said::failed(text.unwrap_or_default())
            } else {
                Said::State(AgentState::Done)
            });
            said
        }
        _ => Vec::new(),
    }
}

/// What its title says.
pub(super) fn title(title: &str) -> Option<Title> {
    match title.chars().next()? {
        '◐' | '◑' => Some(Title::Working),
        '✳' => Some(Title::Asking),
        _ if title.starts_with("Qwen") => Some(Title::Ready),
        _ => None,
    }
}
