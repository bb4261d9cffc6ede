//! `nopeek mcp` as agents' programs use it: by an independent client library, by raw lines, by an agent of our own.

use crate::support::agent::script;
use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientRequest, Request};
use rmcp::service::{PeerRequestOptions, RunningService};
use rmcp::{RoleClient, ServiceError};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use tokio::runtime::Runtime;

/// A task whose agent works until it is ended.
fn holds(world: &World, name: &str) {
    world.launch(name, &script("hang"), &[]);
    world.until(name, "its agent to work", |task| {
        task.state == TaskState::Working
            && task.why.is_empty()
            && task.attempt().is_some_and(|a| a.job.is_some())
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The server with a client of the library.
struct Library {
    child: Child,
    client: RunningService<RoleClient, ()>,
}

impl Library {
    async fn start(world: &World, args: &[&str]) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let theirs: OwnedFd = theirs.into();
        let mut command = world.command(&[&["mcp"], args].concat());
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        drop(command);
        ours.set_nonblocking(true).unwrap();
        let ours = tokio::net::UnixStream::from_std(ours).unwrap();
        Self { child, client: rmcp::serve_client((), ours).await.unwrap() }
    }

    fn params(tool: &str, arguments: Value) -> CallToolRequestParams {
        let Value::Object(arguments) = arguments else { panic!("no object: {arguments}") };
        CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        self.client.call_tool(Self::params(tool, arguments)).await
    }

    /// What a call says, and as data.
    async fn said(&self, tool: &str, arguments: Value) -> (String, Value) {
        let result = self.call(tool, arguments).await.unwrap();
        let text = text(&result);
        assert_ne!(result.is_error, Some(true), "{tool}: {text}");
        (text, result.structured_content.unwrap())
    }

    async fn refused(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await.unwrap();
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        text(&result)
    }

    async fn end(mut self) {
        let _ = self.client.close().await;
        wait::until("the server to end with its input", || self.child.try_wait().unwrap());
    }
}

fn text(result: &CallToolResult) -> String {
    serde_json::to_value(&result.content[0]).unwrap()["text"].as_str().unwrap().to_owned()
}

#[test]
fn an_independent_client_calls_every_tool() {
    let world = World::new();
    holds(&world, "hold");
    let worktree = world.show("hold")["attempts"][0]["worktree"].as_str().unwrap().to_owned();
    runtime().block_on(async {
        let mcp = Library::start(&world, &["--task", "t1.1"]).await;
        let info = mcp.client.peer_info().unwrap();
        assert_eq!(info.server_info.as_ref().unwrap().name, "nopeek");
        let tools = mcp.client.list_all_tools().await.unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(
            names,
            ["list_tasks", "task_status", "add_task", "ask_panel", "ask_human", "report_done", "note_to_memory"]
        );
        assert!(tools.iter().all(|tool| tool.description.is_some() && tool.annotations.is_some()));

        let (text, data) = mcp.said("list_tasks", json!({})).await;
        assert!(text.contains("hold (your own): working"), "{text}");
        assert_eq!((&data["tasks"][0]["state"], &data["tasks"][0]["own"]), (&json!("working"), &json!(true)));
        let (_, data) = mcp.said("task_status", json!({})).await;
        assert_eq!((&data["name"], &data["attempts"][0]["no"]), (&json!("hold"), &json!(1)));

        let add = json!({ "prompt": script("edit more.txt <<END\nx\nEND\ncommit More"), "name": "more", "agent": "scripted" });
        let (text, data) = mcp.said("add_task", add).await;
        assert!(text.starts_with("added as t2 more"), "{text}");
        assert_eq!(data["id"], "t2");

        let options = json!([
            { "name": "queue", "scores": { "reliability": 9, "simplicity": 8 } },
            { "name": "threads", "scores": { "reliability": 2, "simplicity": 3 } },
        ]);
        let ask = json!({ "question": "Queue or threads?", "options": options });
        let (text, data) = mcp.said("ask_panel", ask.clone()).await;
        assert!(text.starts_with("queue\np1: "), "{text}");
        assert_eq!(mcp.said("ask_panel", ask).await.1["vote"], data["vote"], "asked again it is the same vote");

        let (text, _) = mcp.said("note_to_memory", json!({ "note": "the queue it is\n# not a heading" })).await;
        assert!(text.contains("t1.1: the queue it is # not a heading"), "{text}");
        mcp.said("report_done", json!({ "summary": "all of it" })).await;
        mcp.end().await;
    });
    let memory = std::fs::read_to_string(format!("{worktree}/wip.md")).unwrap();
    assert!(memory.starts_with("## Notes of agents\n\n- 20"), "{memory}");
    world.until_state("more", TaskState::Review);
    let ledger = world.json(&["ledger"]).to_string();
    assert!(ledger.contains("launched more with scripted, added by the agent of t1.1"), "{ledger}");
    assert!(ledger.contains("reports that it is done: all of it"), "{ledger}");
}

#[test]
fn a_question_is_answered_though_the_daemon_was_killed_meanwhile() {
    let world = World::new();
    holds(&world, "hold");
    let question = json!({ "question": "Which unit?", "options": ["ms", "s"] });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let task = world.until_state("hold", TaskState::Asking);
            assert_eq!(task.question.unwrap().text.as_str(), "Which unit? (1: ms; 2: s)");
            for _ in 0..2 {
                kill(world.daemon().unwrap());
                world.ok(&["ls"]);
                world.until_state("hold", TaskState::Asking);
            }
            world.ok(&["answer", "hold", "2"]);
        });
        runtime().block_on(async {
            let mcp = Library::start(&world, &["--task", "t1.1"]).await;
            assert_eq!(mcp.said("ask_human", question.clone()).await.0, "s");
            // Asked again, as by one that was cut off: answered already.
            assert_eq!(mcp.said("ask_human", question).await.0, "s");
            mcp.end().await;
        });
    });
    let task = world.show("hold");
    assert_eq!((&task["state"], task["question"].is_null()), (&json!("working"), true));
    let ledger = world.json(&["ledger"]).to_string();
    assert_eq!(ledger.matches("question_put").count(), 1, "one question, however often it was put: {ledger}");
}

#[test]
fn a_call_that_is_cancelled_is_given_up_and_its_question_stays() {
    let world = World::new();
    holds(&world, "hold");
    runtime().block_on(async {
        let mcp = Library::start(&world, &["--task", "t1.1"]).await;
        let call = ClientRequest::CallToolRequest(Request::new(Library::params(
            "ask_human",
            json!({ "question": "Well?" }),
        )));
        let handle =
            mcp.client.send_cancellable_request(call, PeerRequestOptions::no_options()).await.unwrap();
        wait_asking(&mcp).await;
        handle.cancel(Some("too long".to_owned())).await.unwrap();
        assert!(mcp.said("task_status", json!({})).await.0.contains("asking"));
        world.ok(&["answer", "hold", "yes"]);
        assert_eq!(mcp.said("ask_human", json!({ "question": "Well?" })).await.0, "yes");
        mcp.end().await;
    });
}

/// Through the tools themselves: the client must be run for its call to be sent.
async fn wait_asking(mcp: &Library) {
    let began = nopeek::os::clock::instant();
    while !mcp.said("task_status", json!({})).await.0.contains("asking") {
        assert!(began.elapsed() < wait::PATIENCE, "the question does not come");
    }
}

#[test]
fn who_is_no_attempt_has_the_tools_for_tasks_alone() {
    let world = World::new();
    world.ok(&["ls"]);
    runtime().block_on(async {
        let mcp = Library::start(&world, &[]).await;
        assert!(
            mcp.refused("ask_human", json!({ "question": "Well?" })).await.contains("turn to that person")
        );
        assert!(mcp.refused("report_done", json!({ "summary": "x" })).await.contains("a person's own"));
        let add = json!({ "prompt": script("hang"), "name": "own", "agent": "scripted" });
        mcp.said("add_task", add).await;
        mcp.said("note_to_memory", json!({ "note": "here" })).await;
        mcp.end().await;
    });
    assert_eq!(world.show("own")["name"], "own");
    let memory = std::fs::read_to_string(world.repo().join("wip.md")).unwrap();
    assert!(memory.contains("tester's agent: here"), "{memory}");
    world.refused(&["mcp", "--task", "../x"], 2);
}

#[test]
fn a_scripted_agent_asks_a_human_through_the_tools() {
    let world = World::new();
    world.write("notes/README.md", "For agents.\n");
    world.configure("[spec]\nmemory = \"notes/agents.md\"\n");
    let steps = "tool ask_human <<J\n{\"question\": \"Which colour?\"}\nJ\n\
                 edit colour.txt <<END\n@ANSWER@\nEND\n\
                 tool note_to_memory <<J\n{\"note\": \"it is @ANSWER@\"}\nJ\n\
                 tool report_done <<J\n{\"summary\": \"coloured\"}\nJ\n\
                 tool approve <<J\n{}\nJ\n\
                 append colour.txt <<END\n@ANSWER@\nEND\n\
                 commit Colour";
    world.launch("paint", &script(steps), &[]);
    let task = world.until_state("paint", TaskState::Asking);
    assert!(task.needs_you && task.why.as_str().contains("Which colour?"), "{}", task.why);
    world.ok(&["answer", "paint", "dark red"]);
    world.until_state("paint", TaskState::Review);
    let file = |name: &str| world.git(&["show", &format!("nopeek/paint/1:{name}")]);
    assert!(file("notes/agents.md").contains("t1.1: it is dark red"), "{}", file("notes/agents.md"));
    let colour = file("colour.txt");
    assert!(colour.starts_with("dark red\nerror: there is no tool `approve`"), "{colour}");
}

/// The server, spoken to line by line.
struct Raw {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Raw {
    fn start(world: &World, version: &str) -> Self {
        let mut command = world.command(&["mcp", "--task", "t1.1"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut raw = Self { child, to, from };
        let hello = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
        let said = raw.says(&request(0, "initialize", hello));
        assert_eq!(said["result"]["protocolVersion"], version, "{said}");
        raw
    }

    fn send(&mut self, line: &[u8]) {
        let to = self.to.as_mut().unwrap();
        to.write_all(line).and_then(|()| to.flush()).unwrap();
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    fn says(&mut self, message: &Value) -> Value {
        self.send(format!("{message}\n").as_bytes());
        self.next()
    }

    fn code(&mut self, line: &[u8]) -> i64 {
        self.send(line);
        self.next()["error"]["code"].as_i64().unwrap()
    }
}

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn call(id: u64, tool: &str, arguments: Value) -> Value {
    request(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

#[test]
fn hostile_input_gets_clear_errors_and_changes_nothing() {
    let world = World::new();
    holds(&world, "hold");
    let worktree = world.show("hold")["attempts"][0]["worktree"].as_str().unwrap().to_owned();
    let facts = || world.json(&["ledger"]).as_array().unwrap().len();
    let before = facts();
    let mut raw = Raw::start(&world, "2025-06-18");

    // What is no message.
    let huge = [vec![b'x'; 5 * 1024 * 1024], b"\n".to_vec()].concat();
    let deep = format!("{}{}\n", "[".repeat(200_000), "]".repeat(200_000));
    for (line, code) in [
        (&b"{\n"[..], -32700),
        (b"\xff\xfe\n", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\"}\n", -32700),
        (deep.as_bytes(), -32700),
        (&huge, -32600),
        (b"[]\n", -32600),
        (b"[1,2]\n", -32600),
        (b"7\n", -32600),
        (b"{\"id\":1,\"method\":\"ping\"}\n", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"ping\"}\n", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nopeek/peek\"}\n", -32601),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}\n", -32602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":[]}\n", -32602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}\n", -32600),
    ] {
        assert_eq!(raw.code(line), code, "{}", String::from_utf8_lossy(&line[..line.len().min(60)]));
    }

    // What is a call, and wrong.
    let text = "x".repeat(300_000);
    for (tool, arguments, what) in [
        ("list_tasks", json!({ "all": 1 }), "`all` is to be true or false, not a number"),
        ("list_tasks", json!({ "screen": true }), "no argument `screen`"),
        ("task_status", json!({ "task": { "a": [[[]]] } }), "is to be a string, not an object"),
        ("task_status", json!({ "task": "../../etc/passwd" }), "there is no task ../../etc/passwd"),
        ("task_status", json!({ "task": "a\u{0}b" }), "holds a NUL character"),
        ("task_status", json!({ "task": "\u{1b}]0;x\u{7}\u{202e}" }), "there is no task ␛]0;x␇<U+202E>"),
        ("add_task", json!({ "prompt": text }), "300000 bytes long; 65536 are allowed"),
        (
            "add_task",
            json!({ "prompt": "x", "agent": "scripted", "name": "../up" }),
            "\"../up\" is no task name",
        ),
        (
            "add_task",
            json!({ "prompt": "x", "agent": "scripted", "name": "a\nb" }),
            "\"a\\nb\" is no task name",
        ),
        ("add_task", json!({ "prompt": "x", "agent": "scripted", "name": "--lid" }), "is no task name"),
        ("add_task", json!({ "prompt": "x", "agent": "nobody; rm -rf /" }), "there is no agent profile"),
        (
            "add_task",
            json!({ "prompt": "x", "agent": "scripted", "after": ["nobody"] }),
            "there is no task nobody on the board of this repo to wait for",
        ),
        ("add_task", json!({ "prompt": "x", "target": "main" }), "no argument `target`"),
        ("ask_human", json!({ "question": " \n\t" }), "`question` is empty"),
        ("ask_human", json!({ "question": "\u{200b}".repeat(1_000) }), "do not fit into 2000 characters"),
        ("ask_human", json!({ "question": "x", "options": vec!["y"; 11] }), "holds 11 texts; 10 are allowed"),
        (
            "ask_panel",
            json!({ "question": "x", "options": [{ "name": "only", "scores": {} }] }),
            "nothing to choose between",
        ),
        (
            "ask_panel",
            json!({ "question": "x", "options": [{ "name": "a\nb", "scores": {} }, { "name": "c", "scores": {} }] }),
            "is no name of an option",
        ),
        ("report_done", json!({ "summary": 3 }), "is to be a string, not a number"),
        ("note_to_memory", json!({ "note": "x", "file": "../x" }), "no argument `file`"),
    ] {
        let said = raw.says(&call(2, tool, arguments));
        let text = said["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{tool}: {said}"));
        assert!(said["result"]["isError"] == true && text.contains(what), "{tool}: {text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{tool}: {text:?}");
    }

    // A link where the memory file should be leads nowhere.
    let victim = world.file("victim", "v");
    std::os::unix::fs::symlink(&victim, format!("{worktree}/wip.md")).unwrap();
    let said = raw.says(&call(3, "note_to_memory", json!({ "note": "x" })));
    assert!(said["result"]["content"][0]["text"].as_str().unwrap().contains("is a link"), "{said}");
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "v");

    // Still there after all of that; half a message at the end is one too.
    assert_eq!(raw.says(&request(4, "ping", json!({})))["result"], json!({}));
    raw.send(b"{\"jsonrpc\":\"2.0\",\"id\":5,\"meth");
    drop(raw.to.take());
    assert_eq!(raw.next()["error"]["code"], -32700);
    let mut rest = String::new();
    raw.from.read_to_string(&mut rest).unwrap();
    assert_eq!(
        (rest.as_str(), wait::until("its end", || raw.child.try_wait().unwrap()).code()),
        ("", Some(0))
    );
    assert_eq!(facts(), before, "nothing has changed");
}

#[test]
fn several_messages_come_as_one_where_the_protocol_has_that() {
    let world = World::new();
    holds(&world, "hold");
    let mut raw = Raw::start(&world, "2025-03-26");
    let asks = call(7, "ask_human", json!({ "question": "Well?" }));
    let cancels =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
    let said =
        raw.says(&json!([request(1, "ping", json!({})), 5, asks, cancels, call(2, "list_tasks", json!({}))]));
    let mut ids: Vec<String> =
        said.as_array().unwrap().iter().map(|answer| answer["id"].to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["1", "2", "null"], "{said}");
    assert_eq!(raw.code(b"[]\n"), -32600);
    drop(raw.to.take());
    wait::until("its end", || raw.child.try_wait().unwrap());
}
