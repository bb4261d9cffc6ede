//! aider: nothing but text; a line after each message tells what it used.

use super::listen::{Counted, Said};
use crate::core::model::agent::Usage;
use serde_json::Value;

/// One line of its output: `Model: openai/gpt-5 with diff edit format`, or `Tokens: 2.5k sent, 34 received. Cost: $0.01 message, $0.02 session.`
pub(super) fn line(counted: &mut Counted, line: &str) -> Vec<Said> {
    // Its terminal ends each with a carriage return.
    let line = line.trim_end();
    let model = line.strip_prefix("Model: ").or_else(|| line.strip_prefix("Main model: "));
    if let Some((model, _)) = model.and_then(|rest| rest.split_once(" with ")) {
        counted.model(&Value::from(model));
    }
    let Some((_, rest)) = line.split_once("Tokens: ") else { return Vec::new() };
    let (tokens, cost) = match rest.split_once("Cost: ") {
        Some((tokens, cost)) => (tokens, Some(cost)),
        None => (rest, None),
    };
    let before = |text: &str, word: &str| -> Option<f64> {
        let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let at = words.iter().position(|have| have.trim_end_matches('.') == word)?;
        number(words.get(at.checked_sub(1)?)?)
    };
    let Some(sent) = before(tokens, "sent") else { return Vec::new() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by `number`")]
    let whole = |number: f64| number.round() as u64;
    vec![counted.message(
        "",
        Usage {
            tokens_in: Some(whole(sent)),
            tokens_out: before(tokens, "received").map(whole),
            cost_microusd: cost.and_then(|cost| before(cost, "message")).map(|dollars| whole(dollars * 1e6)),
            ..Usage::default()
        },
    )]
}

/// `2.5k`, `1.2M`, `34`, `$0.01`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches('$');
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, 'k') => (&text[..at], 1e3),
        (at, 'M') => (&text[..at], 1e6),
        _ => (text, 1.0),
    };
    digits.parse::<f64>().ok().map(|n| n * factor).filter(|n| (0.0..1e12).contains(n))
}
