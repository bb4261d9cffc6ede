//! An agent profile: how a CLI is started, given its prompt, resumed, and listened to. Data, in config and built in.
//!
//! Words of argv may hold placeholders: `{prompt}`, `{prompt_file}`, `{session}`, `{worktree}`, `{git_dir}` and
//! `{common_dir}` (the worktree's and the repo's git directories), `{nopeek}` (this program), `{attempt}` (as `t3.1`),
//! `{runtime}` (the folder of the daemon's socket), and `{mcp_json}` and `{mcp_toml}`: how to start `nopeek mcp` for this
//! attempt, as Claude Code and as Codex want it.

use crate::core::model::agent::{AgentMode, AgentTraits};
use crate::core::model::lid::LidRule;
use crate::values::ids::AttemptId;
use crate::values::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The table `[agents.NAME]` of config.
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
    /// The silence after which an interactive agent that can't say "done" counts as done.
    #[serde(default, with = "silence")]
    pub idle_done: Option<Span>,
    /// The silence after which an interactive agent that always tells its state, and has told none yet, counts as
    /// standing at a dialog of its own program: trust, a login, a new version.
    #[serde(default, with = "silence")]
    pub speaks: Option<Span>,
    /// Whether the screens of its attempts are covered; none: as the repo, the user say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lid: Option<LidRule>,
    /// The model that it uses, for the price of its tokens where it does not say which itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Set in its environment, over what the client had.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// A duration as people write them; a bare number counts seconds, as it did in all files before.
mod silence {
    use crate::values::time::Span;
    use crate::values::words::duration;
    use crate::values::words::written::Written;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => to.serialize_some(&duration::exact(*span)),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
        let read = match Option::<Written>::deserialize(from)? {
            None => return Ok(None),
            Some(Written::Integer(seconds)) => duration::limit(&format!("{seconds}s")),
            Some(Written::Other(what)) => {
                return Err(D::Error::custom(format!(
                    "{what} is no duration: write it as \"90s\" or \"5m\""
                )));
            }
            Some(other) => duration::limit(&other.digits()),
        };
        read.map(Some).map_err(D::Error::custom)
    }
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

impl Dialect {
    /// Whether "no" is the first choice of the program's own dialogs at its start, as in Claude Code's "trust this
    /// folder".
    #[must_use]
    pub const fn dialogs_begin_with_no(self) -> bool {
        matches!(self, Self::Claude)
    }
}

/// What one start of an agent is about.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What it is asked to do.
    pub prompt: &'a str,
    /// The session to go on with; none: a fresh one.
    pub resume: Option<&'a str>,
    pub worktree: &'a Path,
    /// A directory of the job's own, outside the worktree, for a prompt file.
    pub scratch: &'a Path,
    /// The worktree's own git directory: `…/.git/worktrees/NAME`.
    pub git_dir: &'a Path,
    /// The git directory that all worktrees of the repo share.
    pub common_dir: &'a Path,
    pub nopeek: &'a str,
    pub attempt: AttemptId,
    /// The folder of the daemon's socket.
    pub runtime: &'a Path,
}

impl Order<'_> {
    /// How to start our tools for this attempt. All that they need is in the arguments: some CLIs give their servers next
    /// to no environment.
    fn mcp(&self) -> serde_json::Value {
        let (task, runtime) = (self.attempt.to_string(), self.runtime.to_string_lossy().into_owned());
        serde_json::json!({ "command": self.nopeek, "args": ["mcp", "--task", task, "--runtime", runtime] })
    }

    /// A value of `--mcp-config`.
    fn mcp_json(&self) -> String {
        serde_json::json!({ "mcpServers": { "nopeek": self.mcp() } }).to_string()
    }

    /// A value of `-c`. A person may take a day to answer; the tools change nothing that would need leave.
    fn mcp_toml(&self) -> String {
        let mcp = self.mcp();
        // A string of JSON is one of TOML too.
        format!(
            "mcp_servers.nopeek={{command={},args={},tool_timeout_sec=86400,default_tools_approval_mode=\"approve\"}}",
            mcp["command"], mcp["args"]
        )
    }
}

/// How it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub argv: Vec<String>,
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

    /// The same with `nopeek`, this program's path, where its program is `{nopeek}`: the program is looked for before a
    /// plan is made.
    #[must_use]
    pub fn with_own_program(mut self, nopeek: &str) -> Self {
        if let Some(program) = self.command.first_mut().filter(|program| *program == "{nopeek}") {
            nopeek.clone_into(program);
        }
        self
    }

    /// What the rules need to know of it.
    #[must_use]
    pub fn traits(&self, name: &str) -> AgentTraits {
        AgentTraits {
            profile: name.to_owned(),
            mode: self.mode,
            idle_done: self.idle_done,
            speaks: self.speaks,
            resumable: !self.resume.is_empty(),
        }
    }

    /// How to start it for `order`; the error says what is in the way.
    pub fn plan(&self, order: &Order<'_>) -> Result<Plan, String> {
        let words = match order.resume {
            Some(_) if self.resume.is_empty() => {
                return Err(
                    "this agent can't go on with an earlier session: retry the task instead".to_owned()
                );
            }
            Some(_) => &self.resume,
            None => &self.command,
        };
        if words.first().is_none_or(String::is_empty) {
            return Err("the agent's profile has an empty command".to_owned());
        }
        // No argument can hold a NUL.
        let prompt = order.prompt.replace('\0', "");
        let prompt_file = order.scratch.join(PROMPT_FILE);
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut has_prompt = false;
        let mut argv = Vec::with_capacity(words.len() + 1);
        for word in words {
            let mut filled = fill(word, |name| {
                Some(match name {
                    "prompt" => {
                        has_prompt = true;
                        prompt.clone()
                    }
                    "prompt_file" => text(&prompt_file),
                    "session" => order.resume.unwrap_or_default().to_owned(),
                    "worktree" => text(order.worktree),
                    "git_dir" => text(order.git_dir),
                    "common_dir" => text(order.common_dir),
                    "nopeek" => order.nopeek.to_owned(),
                    "attempt" => order.attempt.to_string(),
                    "runtime" => text(order.runtime),
                    "mcp_json" => order.mcp_json(),
                    "mcp_toml" => order.mcp_toml(),
                    _ => return None,
                })
            });
            // A prompt is no option, even if it begins with a list's dash.
            if word == "{prompt}" && filled.starts_with('-') {
                filled.insert(0, ' ');
            }
            argv.push(filled);
        }
        if self.prompt == PromptBy::Arg && !has_prompt {
            argv.push(if prompt.starts_with('-') { format!(" {prompt}") } else { prompt.clone() });
        }
        if argv.iter().any(|word| word.len() > WORD_MAX) {
            return Err(format!(
                "the prompt is longer than the {WORD_MAX} bytes that an argument may have: shorten it, or let the \
                 agent's profile hand it over by stdin or file"
            ));
        }
        Ok(Plan {
            argv,
            env: self.env.clone().into_iter().collect(),
            stdin: (self.prompt == PromptBy::Stdin).then(|| prompt.clone()),
            prompt_file: (self.prompt == PromptBy::File).then(|| (prompt_file, prompt.clone())),
            typed: (self.prompt == PromptBy::Typed).then_some(prompt),
        })
    }
}

/// Longest word of a command line that Linux takes.
const WORD_MAX: usize = 128 * 1024 - 1;

/// The name of a prompt file in the job's directory.
const PROMPT_FILE: &str = "prompt.md";

/// `word` with its placeholders filled, each once; braces of another kind stay.
fn fill(word: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let filled = after.split_once('}').and_then(|(name, tail)| value(name).map(|value| (value, tail)));
        if let Some((value, tail)) = filled {
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
pub(super) fn builtin() -> BTreeMap<String, Profile> {
    toml::from_str(include_str!("../../assets/agents.toml")).expect("assets/agents.toml holds profiles")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::ids::TaskId;

    fn order<'a>(prompt: &'a str, resume: Option<&'a str>, worktree: &'a Path) -> Order<'a> {
        let (git_dir, common_dir) = (Path::new("/r/.git/worktrees/x"), Path::new("/r/.git"));
        Order {
            prompt,
            resume,
            worktree,
            scratch: Path::new("/scratch"),
            git_dir,
            common_dir,
            nopeek: "/bin/nopeek",
            attempt: AttemptId { task: TaskId(3), no: 1 },
            runtime: Path::new("/run/a \"b\""),
        }
    }

    #[test]
    fn every_built_in_profile_makes_a_plan() {
        for (name, profile) in builtin() {
            let profile = profile.with_own_program("/bin/nopeek");
            let plan = profile.plan(&order("do {session} it", None, Path::new("/w"))).unwrap();
            let given = plan.argv.iter().any(|word| word == "do {session} it") || plan.typed.is_some();
            assert!(given, "{name}: {plan:?}");
            assert_eq!(plan.argv[0], profile.program(), "{name}");
            let resumed = profile.plan(&order("go on", Some("S-1"), Path::new("/w")));
            assert_eq!(resumed.is_ok(), profile.traits(&name).resumable, "{name}");
            if let Ok(plan) = resumed {
                assert!(plan.argv.contains(&"S-1".to_owned()), "{name}: {plan:?}");
            }
        }
    }

    #[test]
    fn a_prompt_is_handed_over_as_the_profile_says() {
        let profile = |by: &str| -> Profile {
            toml::from_str(&format!("command = [\"x\", \"--in={{prompt_file}}\"]\nprompt = {by:?}")).unwrap()
        };
        let plan = |by: &str| profile(by).plan(&order("- a\0b", None, Path::new("/w"))).unwrap();
        assert_eq!(plan("arg").argv[2], " - ab");
        assert_eq!(plan("stdin").stdin.as_deref(), Some("- ab"));
        assert_eq!(plan("typed").typed.as_deref(), Some("- ab"));
        let file = plan("file");
        assert_eq!(file.argv[1], "--in=/scratch/prompt.md");
        assert_eq!(file.prompt_file, Some(("/scratch/prompt.md".into(), "- ab".to_owned())));
        assert!(profile("arg").plan(&order(&"x".repeat(200_000), None, Path::new("/w"))).is_err());
    }

    #[test]
    fn placeholders_are_filled_with_what_the_order_says() {
        let text =
            "command = ['{nopeek}', '--dirs={git_dir}:{common_dir}', '{worktree}', '{other}', '{nopeek}']";
        let profile: Profile = toml::from_str(text).unwrap();
        let profile = profile.with_own_program("/bin/nopeek");
        assert_eq!(profile.program(), "/bin/nopeek");
        let plan = profile.plan(&order("p", None, Path::new("/w"))).unwrap();
        let words =
            ["/bin/nopeek", "--dirs=/r/.git/worktrees/x:/r/.git", "/w", "{other}", "/bin/nopeek", "p"];
        assert_eq!(plan.argv, words);
    }

    #[test]
    fn a_profile_gives_its_agent_our_tools() {
        let profile: Profile =
            toml::from_str("command = ['x', '--mcp-config={mcp_json}', '-c', '{mcp_toml}', '{attempt}']")
                .unwrap();
        let plan = profile.plan(&order("p", None, Path::new("/w"))).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(plan.argv[1].strip_prefix("--mcp-config=").unwrap()).unwrap();
        let args = serde_json::json!(["mcp", "--task", "t3.1", "--runtime", "/run/a \"b\""]);
        assert_eq!(json["mcpServers"]["nopeek"]["args"], args);
        let toml: toml::Table = toml::from_str(&plan.argv[3]).unwrap();
        let server = &toml["mcp_servers"]["nopeek"];
        assert_eq!(server["command"].as_str(), Some("/bin/nopeek"));
        assert_eq!(server["args"][4].as_str(), Some("/run/a \"b\""));
        assert_eq!(plan.argv[4], "t3.1");
    }

    #[test]
    fn a_silence_is_a_duration_and_a_bare_number_counts_seconds() {
        let read = |value: &str| {
            toml::from_str::<Profile>(&format!("command = ['x']\nidle_done = {value}\nspeaks = {value}\n"))
        };
        for (value, is) in [("'30s'", 30_000), ("'2m'", 120_000), ("'1h30m'", 5_400_000), ("900", 900_000)] {
            let profile = read(value).unwrap();
            assert_eq!((profile.idle_done, profile.speaks), (Some(Span(is)), Some(Span(is))), "{value}");
            let kept = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&kept).unwrap(), profile, "{kept}");
        }
        let older = r#"{"command": ["x"], "idle_done": 900, "speaks": null}"#;
        let older: Profile = serde_json::from_str(older).unwrap();
        assert_eq!(
            (older.idle_done, older.speaks),
            (Some(Span::secs(900)), None),
            "as an older daemon kept it"
        );
        for value in
            ["0", "'0s'", "-1", "1.5", "'30'", "'soon'", "99999999999999999999", "true", "[1]", "nan"]
        {
            let error = read(value).unwrap_err();
            assert!(error.message().contains("is no duration"), "{value}: {}", error.message());
            assert!(error.message().contains("write it as"), "{value}: {}", error.message());
            assert_eq!(error.span().map(|span| span.start), Some(28), "{value}");
        }
    }

    #[test]
    fn unknown_keys_are_errors() {
        assert!(toml::from_str::<Profile>("command = [\"x\"]\ncolour = 1").is_err());
    }
}
