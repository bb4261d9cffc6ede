//! The tools: their names, what they take, and what an agent's arguments come to. Pure.
//!
//! There is no tool that looks at a screen, reads what other agents say, answers, approves, lands or moves anything.

use super::rpc::named;
use crate::core::model::panel::question as trade_off;
use crate::core::model::panel::question::{Criterion, OptionScored, Score, TradeOff};
use crate::core::model::question::{self, ADDED_MAX, OPTION_MAX, TEXT_MAX};
use crate::values::text::Shown;
use serde_json::{Map, Value, json};

/// Longest prompt of a task that an agent adds, in bytes.
const PROMPT_MAX: usize = 64 * 1024;
/// Longest name, in bytes; what is no name is told apart later.
const NAME_MAX: usize = 200;
/// Most tasks that one may wait for.
const AFTER_MAX: usize = 20;
/// Longest note, in bytes.
const NOTE_MAX: usize = 1_000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    ListTasks { all: bool },
    TaskStatus { task: Option<String> },
    AddTask { prompt: String, name: Option<String>, after: Vec<String>, agent: Option<String> },
    AskPanel { question: Box<TradeOff> },
    AskHuman { question: String, options: Vec<String> },
    ReportDone { summary: String },
    NoteToMemory { note: String },
}

impl Call {
    /// Whether it waits for a person, for as long as that takes.
    pub(super) const fn is_patient(&self) -> bool {
        matches!(self, Self::AskHuman { .. } | Self::AskPanel { .. })
    }
}

/// One tool as it is listed.
struct Tool {
    name: &'static str,
    title: &'static str,
    about: String,
    properties: Value,
    required: &'static [&'static str],
    /// Changes nothing.
    reads: bool,
    /// Done twice is done once.
    idempotent: bool,
}

fn text(about: &str, max: usize) -> Value {
    json!({ "type": "string", "description": about, "minLength": 1, "maxLength": max })
}

fn texts(about: &str, max: usize, each: usize) -> Value {
    let item = json!({ "type": "string", "minLength": 1, "maxLength": each });
    json!({ "type": "array", "description": about, "items": item, "maxItems": max })
}

/// Options of a panel's question, each with its scores.
fn options_schema() -> Value {
    let scores: Map<String, Value> = Criterion::ALL
        .into_iter()
        .map(|of| {
            let against = if of.more_is_better() { "" } else { "; a high score speaks against it" };
            let about = format!("{}{against}", of.about());
            let score =
                json!({ "type": "integer", "minimum": 0, "maximum": Score::MAX, "description": about });
            (of.name().to_owned(), score)
        })
        .collect();
    let scores = json!({ "type": "object", "properties": scores, "additionalProperties": false });
    let option = json!({
        "type": "object",
        "properties": {
            "name": text("A short name.", trade_off::NAME_MAX),
            "about": text("What it is.", TEXT_MAX),
            "scores": scores,
        },
        "required": ["name", "scores"],
        "additionalProperties": false,
    });
    let about = "The ways to go, each scored from 0 to 10 by what matters here.";
    json!({ "type": "array", "description": about, "items": option, "minItems": 2, "maxItems": trade_off::OPTIONS_MAX })
}

fn tools() -> Vec<Tool> {
    let note = "A line for later agents: a decision and why, a trap, where to go on.";
    vec![
        Tool {
            name: "list_tasks",
            title: "List tasks",
            about: "The tasks of this repo: name, state, why it stands there, gates. Never what an agent prints. Ended \
                    tasks are left out unless `all` is true."
                .to_owned(),
            properties: json!({ "all": { "type": "boolean", "description": "Ended tasks too." } }),
            required: &[],
            reads: true,
            idempotent: true,
        },
        Tool {
            name: "task_status",
            title: "Status of a task",
            about: "How one task of this repo stands: its attempts with their gates, commits and size of the diff, and \
                    what it waits for. Without a name: your own task."
                .to_owned(),
            properties: json!({ "task": text("Its name, or its number as t12.", NAME_MAX) }),
            required: &[],
            reads: true,
            idempotent: true,
        },
        Tool {
            name: "add_task",
            title: "Add a task",
            about: format!(
                "Has another agent do a piece of work in this repo, in a worktree of its own. It starts when there is \
                 a free place, passes the repo's gates and is reviewed by a person. The prompt is all that it \
                 gets: make it complete, and name the check that says it is done. At most {ADDED_MAX} for a task."
            ),
            properties: json!({
                "prompt": text("What is to be done; complete in itself.", PROMPT_MAX),
                "name": text("A wished name: lower-case letters, digits and inner dashes, up to 40.", NAME_MAX),
                "after": texts("Names of tasks that must have landed first.", AFTER_MAX, NAME_MAX),
                "agent": text("The agent profile that does it; the repo's own if left out.", NAME_MAX),
            }),
            required: &["prompt"],
            reads: false,
            idempotent: false,
        },
        Tool {
            name: "ask_panel",
            title: "Ask the panel",
            about: "Has the panel vote on a trade-off: personas weigh the scores that you give each option. Score all \
                    options by the same criteria, honestly; the votes and your scores are kept. Where the panel is not \
                    sure, a person decides, and the call waits for that. The same question asked again is the same vote."
                .to_owned(),
            properties: json!({
                "question": text("What is to be decided.", TEXT_MAX),
                "options": options_schema(),
            }),
            required: &["question", "options"],
            reads: false,
            idempotent: true,
        },
        Tool {
            name: "ask_human",
            title: "Ask a human",
            about: "Asks the person in charge and waits for the answer, which may take hours. Use it when you can't go \
                    on without a decision that is not yours. The same question asked again is the same question: if \
                    the call was cut off, ask again with the same words."
                .to_owned(),
            properties: json!({
                "question": text("What you want to know, with all that is needed to answer it.", TEXT_MAX),
                "options": texts("Answers to choose from; another may be given.", question::OPTIONS_MAX, OPTION_MAX),
            }),
            required: &["question"],
            reads: false,
            idempotent: true,
        },
        Tool {
            name: "report_done",
            title: "Report as done",
            about: "Keeps for the record that your task is done, and what you did. It does not end your work: commit, \
                    then exit as usual. Gates and a person decide."
                .to_owned(),
            properties: json!({ "summary": text("What was done, and what was left.", TEXT_MAX) }),
            required: &["summary"],
            reads: false,
            idempotent: true,
        },
        Tool {
            name: "note_to_memory",
            title: "Note to memory",
            about: "Adds one dated line to the memory file in your own worktree, which later agents read. Commit it \
                    with your work."
                .to_owned(),
            properties: json!({ "note": text(note, NOTE_MAX) }),
            required: &["note"],
            reads: false,
            idempotent: false,
        },
    ]
}

/// The names of all.
pub(super) fn names() -> Vec<&'static str> {
    tools().iter().map(|tool| tool.name).collect()
}

/// All, as a version of the protocol lists them.
pub(super) fn list(version: &str) -> Value {
    let one = |tool: Tool| {
        let mut schema =
            json!({ "type": "object", "properties": tool.properties, "additionalProperties": false });
        if !tool.required.is_empty() {
            schema["required"] = json!(tool.required);
        }
        let mut listed = json!({ "name": tool.name, "description": tool.about, "inputSchema": schema });
        if version >= "2025-03-26" {
            listed["annotations"] = json!({
                "title": tool.title,
                "readOnlyHint": tool.reads,
                "destructiveHint": false,
                "idempotentHint": tool.idempotent,
                "openWorldHint": false,
            });
        }
        if version >= "2025-06-18" {
            listed["title"] = json!(tool.title);
        }
        listed
    };
    tools().into_iter().map(one).collect()
}

/// What a call with these arguments is; none if there is no such tool, a sentence if they are wrong.
pub(super) fn parse(name: &str, arguments: Map<String, Value>) -> Option<Result<Call, String>> {
    let tool = tools().into_iter().find(|tool| tool.name == name)?;
    Some(call(&tool, arguments))
}

fn call(tool: &Tool, map: Map<String, Value>) -> Result<Call, String> {
    let mut args = Arguments { tool: tool.name, map };
    let known: Vec<&str> =
        tool.properties.as_object().map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
    if let Some(unknown) = args.map.keys().find(|key| !known.contains(&key.as_str())) {
        let takes = format!("it takes {}", known.join(", "));
        return Err(format!("{} has no argument {}: {takes}", tool.name, named(unknown)));
    }
    Ok(match tool.name {
        "list_tasks" => Call::ListTasks { all: args.yes_or_no("all")? },
        "task_status" => Call::TaskStatus { task: args.text("task", NAME_MAX)? },
        "add_task" => Call::AddTask {
            prompt: args.needed("prompt", PROMPT_MAX)?,
            name: args.text("name", NAME_MAX)?,
            after: args.texts("after", AFTER_MAX, NAME_MAX)?,
            agent: args.text("agent", NAME_MAX)?,
        },
        "ask_panel" => Call::AskPanel {
            question: Box::new(TradeOff {
                text: Shown::line(&args.needed("question", TEXT_MAX)?),
                options: args.options("options")?,
            }),
        },
        "ask_human" => Call::AskHuman {
            question: args.needed("question", TEXT_MAX)?,
            options: args.texts("options", question::OPTIONS_MAX, OPTION_MAX)?,
        },
        "report_done" => Call::ReportDone { summary: args.needed("summary", TEXT_MAX)? },
        _ => Call::NoteToMemory { note: args.needed("note", NOTE_MAX)? },
    })
}

/// What is left to be read of a call's arguments.
struct Arguments {
    tool: &'static str,
    map: Map<String, Value>,
}

impl Arguments {
    fn wrong<T>(&self, key: &str, what: &str) -> Result<T, String> {
        Err(format!("{}: `{key}` {what}", self.tool))
    }

    fn checked(&self, key: &str, value: Value, max: usize) -> Result<String, String> {
        match value {
            Value::String(text) if text.trim().is_empty() => self.wrong(key, "is empty"),
            Value::String(text) if text.len() > max => {
                self.wrong(key, &format!("is {} bytes long; {max} are allowed", text.len()))
            }
            Value::String(text) if text.contains('\0') => self.wrong(key, "holds a NUL character"),
            Value::String(text) => Ok(text),
            other => self.wrong(key, &format!("is to be a string, not {}", kind(&other))),
        }
    }

    fn text(&mut self, key: &str, max: usize) -> Result<Option<String>, String> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.checked(key, value, max).map(Some),
        }
    }

    fn needed(&mut self, key: &str, max: usize) -> Result<String, String> {
        match self.text(key, max)? {
            Some(text) => Ok(text),
            None => self.wrong(key, "is missing"),
        }
    }

    fn texts(&mut self, key: &str, max: usize, each: usize) -> Result<Vec<String>, String> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) if values.len() > max => {
                self.wrong(key, &format!("holds {} texts; {max} are allowed", values.len()))
            }
            Some(Value::Array(values)) => {
                let checked = values.into_iter().enumerate();
                checked.map(|(n, value)| self.checked(&format!("{key}[{n}]"), value, each)).collect()
            }
            Some(other) => self.wrong(key, &format!("is to be a list of strings, not {}", kind(&other))),
        }
    }

    /// Options of a panel's question; how many and what they are called the panel's own rules check.
    fn options(&mut self, key: &str) -> Result<Vec<OptionScored>, String> {
        let values = match self.map.remove(key) {
            Some(Value::Array(values)) if values.len() <= trade_off::OPTIONS_MAX => values,
            Some(Value::Array(values)) => {
                return self.wrong(
                    key,
                    &format!("holds {} options; {} are allowed", values.len(), trade_off::OPTIONS_MAX),
                );
            }
            None | Some(Value::Null) => return self.wrong(key, "is missing"),
            Some(other) => {
                return self.wrong(key, &format!("is to be a list of objects, not {}", kind(&other)));
            }
        };
        values.into_iter().enumerate().map(|(n, value)| self.option(&format!("{key}[{n}]"), value)).collect()
    }

    fn option(&self, key: &str, value: Value) -> Result<OptionScored, String> {
        let Value::Object(map) = value else {
            return self.wrong(key, &format!("is to be an object, not {}", kind(&value)));
        };
        let mut of = Self { tool: self.tool, map };
        if let Some(unknown) = of.map.keys().find(|key| !["name", "about", "scores"].contains(&key.as_str()))
        {
            let what = format!("has no field {}: it takes about, name, scores", named(unknown));
            return self.wrong(key, &what);
        }
        let inside = |what: String| format!("{} in `{key}`", what);
        let name = of.needed("name", TEXT_MAX).map_err(inside)?;
        let about = of.text("about", TEXT_MAX).map_err(inside)?.unwrap_or_default();
        let scores = match of.map.remove("scores") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(scores)) => scores,
            Some(other) => {
                return self
                    .wrong(&format!("{key}.scores"), &format!("is to be an object, not {}", kind(&other)));
            }
        };
        let score = |(criterion, score): (String, Value)| {
            let key = format!("{key}.scores");
            let of: Criterion = criterion.parse().or_else(|_| {
                let what =
                    format!("has no criterion {}: there are {}", named(&criterion), Criterion::names());
                self.wrong(&key, &what)
            })?;
            let score = score.as_i64().ok_or_else(|| "what is no whole number is no score".to_owned());
            let score = score
                .and_then(Score::new)
                .or_else(|what| self.wrong(&format!("{key}.{of}"), &format!("is wrong: {what}")))?;
            Ok((of, score))
        };
        let scores = scores.into_iter().map(score).collect::<Result<_, String>>()?;
        Ok(OptionScored { name, about: Shown::line(&about), scores })
    }

    fn yes_or_no(&mut self, key: &str) -> Result<bool, String> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(yes)) => Ok(yes),
            Some(other) => self.wrong(key, &format!("is to be true or false, not {}", kind(&other))),
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The result of a call that worked.
pub(super) fn worked(version: &str, text: &str, data: &Value) -> Value {
    let mut result = json!({ "content": [{ "type": "text", "text": text }], "isError": false });
    if version >= "2025-06-18" {
        result["structuredContent"] = data.clone();
    }
    result
}

/// The result of a call that did not: what failed, and what to do.
pub(super) fn failed(what: &str, remedy: &str) -> Value {
    let text = if remedy.is_empty() { what.to_owned() } else { format!("{what}: {remedy}") };
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, arguments: Value) -> Result<Call, String> {
        let Value::Object(map) = arguments else { panic!("no object") };
        parse(name, map).unwrap()
    }

    #[test]
    fn there_is_no_way_to_peek_approve_or_move_the_target() {
        let names = names();
        assert_eq!(
            names,
            [
                "list_tasks",
                "task_status",
                "add_task",
                "ask_panel",
                "ask_human",
                "report_done",
                "note_to_memory"
            ]
        );
        for word in ["target", "lid", "gates", "attempts", "time", "env", "repo"] {
            let wrong = parsed("add_task", json!({ "prompt": "x", word: "main" })).unwrap_err();
            assert_eq!(
                wrong,
                format!("add_task has no argument `{word}`: it takes after, agent, name, prompt")
            );
        }
    }

    #[test]
    fn wrong_arguments_are_named() {
        let long = "x".repeat(NOTE_MAX + 1);
        for (tool, arguments, what) in [
            ("list_tasks", json!({ "all": "yes" }), "list_tasks: `all` is to be true or false, not a string"),
            ("task_status", json!({ "task": ["x"] }), "task_status: `task` is to be a string, not a list"),
            ("add_task", json!({}), "add_task: `prompt` is missing"),
            ("add_task", json!({ "prompt": " \n" }), "add_task: `prompt` is empty"),
            (
                "add_task",
                json!({ "prompt": "x", "after": "y" }),
                "add_task: `after` is to be a list of strings, not a string",
            ),
            (
                "add_task",
                json!({ "prompt": "x", "after": ["y", 3] }),
                "add_task: `after[1]` is to be a string, not a number",
            ),
            ("add_task", json!({ "prompt": "a\u{0}b" }), "add_task: `prompt` holds a NUL character"),
            (
                "note_to_memory",
                json!({ "note": long }),
                "note_to_memory: `note` is 1001 bytes long; 1000 are allowed",
            ),
            ("ask_panel", json!({ "question": "x" }), "ask_panel: `options` is missing"),
            (
                "ask_panel",
                json!({ "question": "x", "options": [1] }),
                "ask_panel: `options[0]` is to be an object, not a number",
            ),
            (
                "ask_panel",
                json!({ "question": "x", "options": [{ "scores": {} }] }),
                "ask_panel: `name` is missing in `options[0]`",
            ),
            (
                "ask_panel",
                json!({ "question": "x", "options": [{ "name": "a", "vote": 1 }] }),
                "ask_panel: `options[0]` has no field `vote`: it takes about, name, scores",
            ),
            (
                "ask_panel",
                json!({ "question": "x", "options": [{ "name": "a", "scores": { "cost": 11 } }] }),
                "ask_panel: `options[0].scores.cost` is wrong: 11 is no score: scores are whole numbers from 0 to 10",
            ),
            (
                "ask_panel",
                json!({ "question": "x", "options": [{ "name": "a", "scores": { "cost": 1.5 } }] }),
                "ask_panel: `options[0].scores.cost` is wrong: what is no whole number is no score",
            ),
            (
                "report_done",
                json!({ "\u{202e}": 1 }),
                "report_done has no argument `<U+202E>`: it takes summary",
            ),
        ] {
            assert_eq!(parsed(tool, arguments).unwrap_err(), what);
        }
        assert!(parse("peek", Map::new()).is_none());
    }

    #[test]
    fn every_tool_is_listed_with_a_schema_that_says_what_it_takes() {
        let listed = list("2025-06-18");
        for tool in listed.as_array().unwrap() {
            assert!(tool["description"].as_str().unwrap().len() > 40, "{tool}");
            assert_eq!(
                (&tool["inputSchema"]["type"], &tool["annotations"]["destructiveHint"]),
                (&json!("object"), &json!(false))
            );
            assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        }
        assert!(list("2024-11-05")[0].get("annotations").is_none());
        assert!(worked("2025-03-26", "x", &json!({})).get("structuredContent").is_none());
    }
}
