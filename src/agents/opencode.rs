//! opencode: `run --format json`.

use super::listen::{Counted, Said, own_cost, sum};
use crate::core::model::agent::{AgentState, Usage};
use serde_json::Value;

/// One line of its stream.
pub(super) fn line(counted: &mut Counted, value: &Value) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    match value["type"].as_str() {
        Some("step_start") => {
            said.extend(Said::session(&value["sessionID"]));
            said.push(Said::State(AgentState::Working));
        }
        // One a model turn: to be added up.
        Some("step_finish") => {
            let part = &value["part"];
            let tokens = &part["tokens"];
            let fresh = sum(tokens, &["input"]);
            let cached = sum(&tokens["cache"], &["read", "write"]);
            let usage = Usage {
                tokens_in: fresh.map(|fresh| fresh.saturating_add(cached.unwrap_or(0))),
                tokens_out: sum(tokens, &["output", "reasoning"]),
                tokens_cached: sum(&tokens["cache"], &["read"]),
                ..Usage::default()
            };
            let usage = Usage { cost_microusd: own_cost(&part["cost"], &usage), ..usage };
            said.push(counted.message(part["id"].as_str().unwrap_or_default(), usage));
            if part["reason"] == "stop" {
                said.push(Said::State(AgentState::Done));
            }
        }
        Some("error") => {
            let error = &value["error"];
            let text =
                error["data"]["message"].as_str().or(error["message"].as_str()).or(error["name"].as_str());
            said.push(Said::failed(text.unwrap_or_default()));
        }
        _ => {}
    }
    said
}
