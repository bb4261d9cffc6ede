//! Claude Code: `--output-format stream-json`, and the titles of its interactive form.

use super::listen::{Counted, Said, Title, own_cost, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// All that the model read: what came from the cache is counted apart by this CLI.
const READ: &[&str] = &["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    match value["type"].as_str() {
        Some("system") if value["subtype"] == "init" => {
            counted.model(&value["model"]);
            Said::session(&value["session_id"])
                .into_iter()
                .chain([Said::State(AgentState::Working)])
                .collect()
        }
        // Several lines share one message; each tells its usage anew.
        Some("assistant") => message(counted, &value["message"]).into_iter().collect(),
        Some("result") => {
            let used = used(&value["usage"]);
            // Over the whole session, resumed parts too.
            let cost = own_cost(&value["total_cost_usd"], &used);
            let mut said: Vec<Said> = Said::session(&value["session_id"]).into_iter().collect();
            said.push(counted.total(Usage { cost_microusd: cost, ..used }));
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

/// What one message of the model used, as it stands in the stream and in transcripts alike.
fn message(counted: &mut Counted, message: &Value) -> Option<Said> {
    let used = used(&message["usage"]);
    if used == Usage::default() {
        return None;
    }
    counted.model(&message["model"]);
    Some(counted.message(message["id"].as_str().unwrap_or_default(), used))
}

fn used(usage: &Value) -> Usage {
    Usage {
        tokens_in: sum(usage, READ),
        tokens_out: sum(usage, &["output_tokens"]),
        tokens_cached: sum(usage, &["cache_read_input_tokens"]),
        ..Usage::default()
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
