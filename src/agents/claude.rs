//! Claude Code: `--output-format stream-json`, and the titles of its interactive form.

use super::listen::{Counted, Said, Title, microusd, sum};
use crate::core::attempt::{AgentState, Usage};
use serde_json::Value;

/// All that the model read: what came from the cache is counted apart by this CLI.
const READ: &[&str] = &["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("system") if value["subtype"] == "init" => Said::session(&value["session_id"])
            .into_iter()
            .chain([Said::State(AgentState::Working)])
            .collect(),
        // Several lines share one message; each tells its usage anew.
        Some("assistant") => {
            let message = &value["message"];
            let usage = Usage {
                tokens_in: sum(&message["usage"], READ),
                tokens_out: sum(&message["usage"], &["output_tokens"]),
                cost_microusd: None,
                ..Usage::default()
            };
            if usage == Usage::default() {
                return Vec::new();
            }
            vec![counted.message(message["id"].as_str().unwrap_or_default(), usage)]
        }
        Some("result") => {
            let usage = Usage {
                tokens_in: sum(&value["usage"], READ),
                tokens_out: sum(&value["usage"], &["output_tokens"]),
                // Over the whole session, resumed parts too.
                cost_microusd: microusd(&value["total_cost_usd"]),
                ..Usage::default()
            };
            let mut said: Vec<Said> = Said::session(&value["session_id"]).into_iter().collect();
            said.push(Said::Usage(usage));
            said.push(if value["is_error"] == true {
                Said::failed(value["result"].as_str().or(value["subtype"].as_str()).unwrap_or_default())
            } else {
                Said::State(AgentState::Done)
            });
            said
        }
        _ => Vec::new(),
    }
}

/// What its title says. Waiting for a prompt and for leave look the same.
pub(super) fn title(title: &str) -> Option<Title> {
    match title.chars().next()? {
        '◐' | '◑' => Some(Title::Working),
        '✳' => Some(Title::Idle),
        _ => None,
    }
}
