//! pi: `--mode json`. It exits with 0 after an error too: the last message says how it ended.

use super::listen::{Counted, Said, own_cost, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("session") => Said::session(&value["id"]).into_iter().collect(),
        Some("agent_start") => vec![Said::State(AgentState::Working)],
        Some("message_end") if value["message"]["role"] == "assistant" => {
            let message = &value["message"];
            let is_error = message["stopReason"] == "error";
            counted.error = is_error.then(|| message["errorMessage"].as_str().unwrap_or_default().to_owned());
            let usage = Usage {
                tokens_in: sum(&message["usage"], &["input", "cacheRead", "cacheWrite"]),
                tokens_out: sum(&message["usage"], &["output"]),
                tokens_cached: sum(&message["usage"], &["cacheRead"]),
                ..Usage::default()
            };
            let usage =
                Usage { cost_microusd: own_cost(&message["usage"]["cost"]["total"], &usage), ..usage };
            counted.model(&message["model"]);
            vec![counted.message("", usage)]
        }
        Some("agent_end") => vec![match &counted.error {
            Some(text) => Said::failed(text),
            None => Said::State(AgentState::Done),
        }],
        _ => Vec::new(),
    }
}
