//! An agent profile: how a CLI is started, given its prompt, resumed, and listened to. Data, in config and built in.
//!
//! Words of argv may hold placeholders: `{prompt}`, `{prompt_file}`, `{session}`, `{worktree}`, `{git_dir}` and
//! `{common_dir}` (the worktree's and the repo's git directories), `{nopeek}` (this program).

use crate::core::attempt::{AgentMode, AgentTraits};
use crate::core::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The table `[agent.NAME]` of config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A line for people: what this is.
    #[serde(default)]
    pub about: String,
    /// The program and its arguments, with placeholders. The program is looked for on the PATH.
    pub command: Vec<String>,
    /// The same to go on with an earlier session, `{session}` being its id. Empty: the CLI can't.
    #[serde(default)]
    pub resume: Vec<String>,
    /// Arguments that make the program print its version.
    #[serde(default = "version")]
    pub version: Vec<String>,
    /// Whether it exits by itself once it is done (`headless`) or stays until it is ended (`interactive`).
    #[serde(default = "interactive")]
    pub mode: AgentMode,
    /// How the prompt is handed over.
    #[serde(default)]
    pub prompt: PromptBy,
    /// What its output and signals mean.
    #[serde(default)]
    pub dialect: Dialect,
    /// Seconds of silence after which an interactive agent that can't say "done" counts as done.
    #[serde(default)]
    pub idle_done: Option<u64>,
    /// Set in its environment, over what the client had.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

fn version() -> Vec<String> {
    vec!["--version".to_owned()]
}

const fn interactive() -> AgentMode {
    AgentMode::Interactive
}

/// How a prompt is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptBy {
    /// In the arguments, at `{prompt}`; appended if no argument has it.
    #[default]
    Arg,
    /// On its standard input, which is then closed.
    Stdin,
    /// In a file, at `{prompt_file}`.
    File,
    /// Typed into its terminal, as a paste, a pause and Enter.
    Typed,
}

/// Whose output and signals they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Any program: the Program Status Protocol and the bell.
    #[default]
    Plain,
    /// Claude Code, interactive or with `--output-format stream-json`.
    Claude,
    /// Codex, interactive or `exec --json`.
    Codex,
    /// opencode, interactive or `run --format json`.
    Opencode,
    /// Gemini CLI, interactive or `-o stream-json`.
    Gemini,
    /// Qwen Code, interactive or `-o stream-json`.
    Qwen,
    /// pi, interactive or `--mode json`.
    Pi,
    /// aider; its headless mode prints text.
    Aider,
}

/// What one start of an agent is about.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What it is asked to do.
    pub prompt: &'a str,
    /// The session to go on with; none: a fresh one.
    pub resume: Option<&'a str>,
    /// Where it works.
    pub worktree: &'a Path,
    /// A directory of the job's own, outside the worktree, for a prompt file.
    pub scratch: &'a Path,
}

/// How it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Variables to set.
    pub env: Vec<(String, String)>,
    /// What to write to its standard input, which is then closed; none: its terminal.
    pub stdin: Option<String>,
    /// A file that must be there before it starts, and what it holds.
    pub prompt_file: Option<(PathBuf, String)>,
    /// What to type into its terminal once it is ready.
    pub typed: Option<String>,
}

impl Profile {
    /// The program as it is looked for.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// What the rules need to know of it.
    #[must_use]
    pub fn traits(&self, name: &str) -> AgentTraits {
        AgentTraits {
            profile: name.to_owned(),
            mode: self.mode,
            idle_done: self.idle_done.map(Span::secs),
            resumable: !self.resume.is_empty(),
        }
    }

    /// How to start it for `order`; the error says what the profile lacks.
    pub fn plan(&self, order: &Order<'_>) -> Result<Plan, String> {
        let _ = order;
        Ok(Plan::default())
    }
}

pub(super) fn builtin() -> BTreeMap<String, Profile> {
    BTreeMap::new()
}
