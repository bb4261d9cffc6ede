//! Calls one of nopeek's tools as any agent would: starts `nopeek mcp` as a child and speaks its protocol.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

/// Longest message that is read, in bytes.
const MESSAGE_MAX: u64 = 8 * 1024 * 1024;

/// Calls the tool `name`; what it says, with `error: ` before it if it did not work.
pub(super) fn call(name: &str, arguments: &str) -> Result<String, String> {
    let arguments = arguments.trim();
    let arguments: Value = if arguments.is_empty() {
        json!({})
    } else {
        serde_json::from_str(arguments)
            .map_err(|error| format!("the arguments of {name} are no JSON: {error}"))?
    };
    let program = std::env::current_exe().map_err(|error| format!("can't find our own program: {error}"))?;
    let mut child = Command::new(program)
        .arg("mcp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("can't start nopeek mcp: {error}"))?;
    let said = talk(&mut child, name, &arguments);
    // It ends with its standard input.
    drop(child.stdin.take());
    let _ = child.wait();
    said
}

fn talk(child: &mut Child, name: &str, arguments: &Value) -> Result<String, String> {
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("nopeek mcp has no pipes".to_owned());
    };
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "nopeek scripted", "version": env!("CARGO_PKG_VERSION") },
    });
    let call = json!({ "name": name, "arguments": arguments });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }),
    ] {
        writeln!(to, "{message}").map_err(|error| format!("nopeek mcp does not listen: {error}"))?;
    }
    let mut from = BufReader::new(from.take(MESSAGE_MAX));
    let mut line = String::new();
    loop {
        line.clear();
        if !matches!(from.read_line(&mut line), Ok(1..)) {
            return Err("nopeek mcp ended without an answer".to_owned());
        }
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        if message["id"] != 2 {
            continue;
        }
        let text = message["result"]["content"][0]["text"].as_str();
        let error = message["error"]["message"].as_str();
        return Ok(match (text, error) {
            (Some(text), _) if message["result"]["isError"] == true => format!("error: {text}"),
            (Some(text), _) => text.to_owned(),
            (None, error) => format!("error: {}", error.unwrap_or("an answer without text")),
        });
    }
}
