//! What a client's messages mean, one after the other: the handshake, then tools. Pure.

use super::rpc::{self, INVALID_PARAMS, INVALID_REQUEST, Message, NO_METHOD, RpcError};
use super::tools::{self, Call};
use serde_json::{Value, json};

/// Versions of the protocol that we speak, oldest first.
pub(super) const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The one in which several messages may come as one.
const WITH_BATCHES: &str = "2025-03-26";

/// What an agent is told of the tools.
const INSTRUCTIONS: &str = "nopeek supervises coding agents; each works on a task of its own, in a worktree of its \
own. Use these tools to see how tasks stand (list_tasks, task_status), to have more work done by other agents \
(add_task), to have a trade-off decided (ask_panel), to ask the person in charge (ask_human), to say that your task \
is done (report_done) and to leave a note for later agents (note_to_memory). Merging, approving and reading what \
other agents do are not yours to do.";

/// How far a client is.
#[derive(Debug, Default)]
pub(super) struct Session {
    version: Option<&'static str>,
}

/// What follows from a message.
#[derive(Debug, PartialEq)]
pub(super) enum Todo {
    /// It says nothing.
    Nothing,
    /// Say this.
    Say(Value),
    /// Call a tool and answer the request then; progress goes under this token.
    Call { id: Value, call: Call, token: Option<Value> },
    /// Give up the call that this request made; it gets no answer.
    Cancel(Value),
}

impl Session {
    /// Whether several messages may come as one.
    pub(super) fn takes_batches(&self) -> bool {
        self.version == Some(WITH_BATCHES)
    }

    /// The version that was agreed on; the oldest before.
    pub(super) fn version(&self) -> &'static str {
        self.version.unwrap_or(VERSIONS[0])
    }

    /// What follows from a message; `batched`: it came with others as one.
    pub(super) fn take(&mut self, message: Message, batched: bool) -> Todo {
        match message {
            Message::Request { id, method, params } => match self.request(&id, &method, &params, batched) {
                Ok(todo) => todo,
                Err(error) => Todo::Say(rpc::answer(&id, Err(error))),
            },
            Message::Notification { method, params } if method == "notifications/cancelled" => {
                params.get("requestId").map_or(Todo::Nothing, |id| Todo::Cancel(id.clone()))
            }
            Message::Notification { .. } | Message::Answer => Todo::Nothing,
            Message::Bad { id, error } => Todo::Say(rpc::answer(&id, Err(error))),
        }
    }

    fn request(&mut self, id: &Value, method: &str, params: &Value, batched: bool) -> Result<Todo, RpcError> {
        let say = |result: Value| Ok(Todo::Say(rpc::answer(id, Ok(result))));
        match method {
            "ping" => say(json!({})),
            "initialize" if batched => {
                Err(RpcError::new(INVALID_REQUEST, "`initialize` can't come with other messages as one"))
            }
            "initialize" => self.initialize(params).and_then(say),
            "tools/list" | "tools/call" if self.version.is_none() => {
                Err(RpcError::new(INVALID_REQUEST, format!("`initialize` comes before `{method}`")))
            }
            "tools/list" => {
                if params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
                    let what = "there is no such `cursor`: all tools come in one list";
                    return Err(RpcError::new(INVALID_PARAMS, what));
                }
                say(json!({ "tools": tools::list(self.version()) }))
            }
            "tools/call" => call(id, params),
            _ => Err(RpcError::new(NO_METHOD, format!("there is no method {}", rpc::named(method)))),
        }
    }

    fn initialize(&mut self, params: &Value) -> Result<Value, RpcError> {
        if self.version.is_some() {
            return Err(RpcError::new(INVALID_REQUEST, "`initialize` was called before"));
        }
        let Some(wanted) = params.get("protocolVersion").and_then(Value::as_str) else {
            return Err(RpcError::new(INVALID_PARAMS, "`protocolVersion` is to be a string"));
        };
        let newest = VERSIONS[VERSIONS.len() - 1];
        let version = VERSIONS.into_iter().find(|version| *version == wanted).unwrap_or(newest);
        self.version = Some(version);
        Ok(json!({
            "protocolVersion": version,
            "capabilities": { "tools": { "listChanged": false } },
            "serverInfo": { "name": "nopeek", "title": "nopeek", "version": env!("CARGO_PKG_VERSION") },
            "instructions": INSTRUCTIONS,
        }))
    }
}

fn call(id: &Value, params: &Value) -> Result<Todo, RpcError> {
    let wrong = |what: String| Err(RpcError::new(INVALID_PARAMS, what));
    let Some(name) = params.get("name").and_then(Value::as_str) else {
        return wrong("`name` is to be the name of a tool".to_owned());
    };
    let arguments = match params.get("arguments") {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return wrong("`arguments` is to be an object".to_owned()),
    };
    let token = params.get("_meta").and_then(|meta| meta.get("progressToken"));
    let token = token.filter(|token| token.is_string() || token.is_i64() || token.is_u64()).cloned();
    match tools::parse(name, arguments) {
        None => {
            wrong(format!("there is no tool {}; there are {}", rpc::named(name), tools::names().join(", ")))
        }
        Some(Ok(call)) => Ok(Todo::Call { id: id.clone(), call, token }),
        // For the model to read and mend, not for its program to fail on.
        Some(Err(what)) => Ok(Todo::Say(rpc::answer(id, Ok(tools::failed(&what, ""))))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session: &mut Session, method: &str, params: Value) -> Value {
        let message = Message::Request { id: json!(1), method: method.into(), params };
        match session.take(message, false) {
            Todo::Say(value) => value,
            other => panic!("{method}: {other:?}"),
        }
    }

    fn ready(version: &str) -> Session {
        let mut session = Session::default();
        let said = request(&mut session, "initialize", json!({ "protocolVersion": version }));
        assert!(said["error"].is_null(), "{said}");
        session
    }

    #[test]
    fn the_version_that_both_speak_is_taken() {
        for (wanted, taken) in
            VERSIONS.map(|version| (version, version)).into_iter().chain([("1999", "2025-11-25")])
        {
            let mut session = Session::default();
            let said = request(&mut session, "initialize", json!({ "protocolVersion": wanted }));
            assert_eq!(said["result"]["protocolVersion"], taken);
            assert_eq!(session.takes_batches(), taken == "2025-03-26");
            let again = request(&mut session, "initialize", json!({ "protocolVersion": wanted }));
            assert_eq!(again["error"]["code"], INVALID_REQUEST);
        }
        let said = request(&mut Session::default(), "initialize", json!({}));
        assert_eq!(said["error"]["code"], INVALID_PARAMS);
    }

    #[test]
    fn before_the_handshake_there_are_no_tools() {
        let mut session = Session::default();
        assert_eq!(request(&mut session, "tools/list", Value::Null)["error"]["code"], INVALID_REQUEST);
        assert_eq!(request(&mut session, "server/discover", Value::Null)["error"]["code"], NO_METHOD);
        assert_eq!(request(&mut session, "ping", Value::Null)["result"], json!({}));
    }

    #[test]
    fn calls_that_make_no_sense_are_told_apart() {
        let mut session = ready("2025-06-18");
        for params in [
            Value::Null,
            json!({ "name": 3 }),
            json!({ "name": "peek", "arguments": {} }),
            json!({ "name": "list_tasks", "arguments": [] }),
        ] {
            let said = request(&mut session, "tools/call", params.clone());
            assert_eq!(said["error"]["code"], INVALID_PARAMS, "{params}");
        }
        let said =
            request(&mut session, "tools/call", json!({ "name": "task_status", "arguments": { "task": 1 } }));
        assert_eq!(said["result"]["isError"], true, "{said}");
        assert_eq!(
            request(&mut session, "tools/list", json!({ "cursor": "x" }))["error"]["code"],
            INVALID_PARAMS
        );
        assert_eq!(request(&mut session, "resources/list", Value::Null)["error"]["code"], NO_METHOD);
        let cancelled = Message::Notification {
            method: "notifications/cancelled".into(),
            params: json!({ "requestId": 7 }),
        };
        assert_eq!(session.take(cancelled, false), Todo::Cancel(json!(7)));
    }
}
