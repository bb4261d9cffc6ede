//! JSON-RPC 2.0: what a line says, and how it is answered. Pure.

use super::lines::LINE_MAX;
use crate::values::text::Shown;
use crate::values::words::cut;
use serde_json::{Value, json};

/// The line is no JSON.
pub(super) const PARSE: i64 = -32700;
/// It is JSON and no request.
pub(super) const INVALID_REQUEST: i64 = -32600;
/// No such method.
pub(super) const NO_METHOD: i64 = -32601;
/// The method takes other parameters.
pub(super) const INVALID_PARAMS: i64 = -32602;

/// Longest id that is taken and sent back, in bytes.
const ID_MAX: usize = 1024;
/// Longest piece of what was sent that an error names, in characters.
const NAMED_MAX: usize = 60;

/// One message of a client.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// Wants an answer.
    Request { id: Value, method: String, params: Value },
    /// Wants none.
    Notification { method: String, params: Value },
    /// Answers something; nothing is ever asked by us.
    Answer,
    /// Can't be understood.
    Bad { id: Value, error: RpcError },
}

/// An error that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RpcError {
    pub(super) code: i64,
    pub(super) message: String,
}

impl RpcError {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A line as JSON.
pub(super) fn json_of(line: &[u8]) -> Result<Value, RpcError> {
    let text = std::str::from_utf8(line)
        .map_err(|error| RpcError::new(PARSE, format!("the message is no UTF-8: {error}")))?;
    serde_json::from_str(text)
        .map_err(|error| RpcError::new(PARSE, format!("the message is no JSON: {error}")))
}

/// What a line that is too long is answered with.
pub(super) fn too_long() -> RpcError {
    RpcError::new(INVALID_REQUEST, format!("the message is longer than {LINE_MAX} bytes and was skipped"))
}

/// What a JSON value says.
pub(super) fn read(value: Value) -> Message {
    let Value::Object(mut fields) = value else {
        return bad(Value::Null, "a message is a JSON object");
    };
    let (id, no_id) = match fields.remove("id") {
        None => (Value::Null, true),
        Some(id @ Value::String(_)) if id.as_str().is_some_and(|id| id.len() <= ID_MAX) => (id, false),
        Some(id @ Value::Number(_)) if id.is_i64() || id.is_u64() => (id, false),
        Some(_) => {
            return bad(Value::Null, format!("`id` is to be an integer or a string of up to {ID_MAX} bytes"));
        }
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return bad(id, "`jsonrpc` is to be \"2.0\"");
    }
    let params = fields.remove("params").unwrap_or(Value::Null);
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return bad(id, "`method` is to be a string"),
        None if fields.contains_key("result") || fields.contains_key("error") => return Message::Answer,
        None => return bad(id, "`method` is missing"),
    };
    if !matches!(params, Value::Object(_) | Value::Null) {
        let error = RpcError::new(INVALID_PARAMS, "`params` is to be an object");
        return if no_id { Message::Notification { method, params } } else { Message::Bad { id, error } };
    }
    if no_id { Message::Notification { method, params } } else { Message::Request { id, method, params } }
}

fn bad(id: Value, what: impl Into<String>) -> Message {
    Message::Bad { id, error: RpcError::new(INVALID_REQUEST, what) }
}

/// The answer to a request.
pub(super) fn answer(id: &Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(RpcError { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

/// Something that a client sent, as an error may repeat it: short, and nothing in it acts on a terminal.
pub(super) fn named(text: &str) -> String {
    format!("`{}`", Shown::line(&cut::chars(text, NAMED_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(line: &str) -> (Value, i64) {
        let value = match json_of(line.as_bytes()) {
            Ok(value) => value,
            Err(error) => return (Value::Null, error.code),
        };
        match read(value) {
            Message::Bad { id, error } => (id, error.code),
            other => panic!("{line} is taken as {other:?}"),
        }
    }

    #[test]
    fn each_kind_of_nonsense_has_its_code() {
        for (line, id, code) in [
            ("{\"jsonrpc\":\"2.0\",", Value::Null, PARSE),
            ("1", Value::Null, INVALID_REQUEST),
            ("{}", Value::Null, INVALID_REQUEST),
            (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, json!(1), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, Value::Null, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, Value::Null, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, Value::Null, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":"a","method":7}"#, json!("a"), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":"a"}"#, json!("a"), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":3,"method":"x","params":[1]}"#, json!(3), INVALID_PARAMS),
        ] {
            assert_eq!(refused(line), (id, code), "{line}");
        }
        assert_eq!(json_of(b"\"\xff\"").unwrap_err().code, PARSE);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(json_of(deep.as_bytes()).unwrap_err().code, PARSE);
    }

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        let of = |line: &str| read(json_of(line.as_bytes()).unwrap());
        let (id, method) = (json!("a"), "x".to_owned());
        let params = json!({"b": 1});
        assert_eq!(
            of(r#"{"jsonrpc":"2.0","id":"a","method":"x","params":{"b":1}}"#),
            Message::Request { id, method: method.clone(), params }
        );
        let none = Message::Notification { method, params: Value::Null };
        assert_eq!(of(r#"{"jsonrpc":"2.0","method":"x"}"#), none);
        assert_eq!(of(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#), Message::Answer);
        assert_eq!(named("a\x1b\u{202e}"), "`a␛<U+202E>`");
        assert_eq!(named(&"x".repeat(99)).chars().count(), NAMED_MAX + 2);
    }
}
