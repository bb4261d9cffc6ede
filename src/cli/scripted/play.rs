//! Does a script's steps, one after the other, and says so as an agent would.

use super::repo;
use super::script::{Condition, Step};
use super::terminal::{self, Typed};
use crate::values::words::plural::counted;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// Where a script stands.
pub(super) struct Player {
    prompt: String,
    attempt: u32,
    answer: String,
    speed: f64,
}

impl Player {
    pub(super) fn new(prompt: &str) -> Self {
        let speed = std::env::var("NOPEEK_SCRIPTED_SPEED").ok().and_then(|speed| speed.parse().ok());
        Self {
            prompt: prompt.to_owned(),
            attempt: attempt_no(),
            answer: String::new(),
            speed: speed.filter(|speed: &f64| *speed > 0.0).unwrap_or(1.0),
        }
    }

    /// Plays all; a script that comes to its end reports `done`.
    pub(super) fn run(&mut self, steps: &[Step]) -> ExitCode {
        terminal::banner(&self.prompt);
        terminal::status("working", &[]);
        if let Some(code) = self.play(steps) {
            return ExitCode::from(code);
        }
        terminal::status("done", &[]);
        terminal::say("Done.");
        ExitCode::SUCCESS
    }

    /// Some exit code if a step ends the agent.
    fn play(&mut self, steps: &[Step]) -> Option<u8> {
        for step in steps {
            if let Some(code) = self.step(step) {
                return Some(code);
            }
        }
        None
    }

    fn step(&mut self, step: &Step) -> Option<u8> {
        match step {
            Step::Say(text) => terminal::say(&self.filled(text)),
            Step::Print(text) => terminal::print(&self.filled(text)),
            Step::Think(secs) => terminal::think(self.pace(*secs)),
            Step::Edit { file, text } => {
                terminal::tool("Write", file);
                return failed(write(file, &self.filled(text)));
            }
            Step::Append { file, text } => {
                terminal::tool("Edit", file);
                let before = std::fs::read_to_string(file).unwrap_or_default();
                return failed(write(file, &(before + &self.filled(text))));
            }
            Step::Replace { file, old, new } => {
                terminal::tool("Edit", file);
                return failed(replace(file, &self.filled(old), &self.filled(new)));
            }
            Step::Run(command) => run(&self.filled(command)),
            Step::Commit(message) => {
                terminal::tool("Bash", "git commit -a");
                return failed(repo::commit(&self.filled(message)).map(|said| terminal::detail(&said)));
            }
            Step::Merge(branch) => {
                terminal::tool("Bash", &format!("git merge {branch}"));
                return failed(repo::merge(branch).map(|files| terminal::detail(&merged(&files))));
            }
            Step::Ask { kind, text } => return self.ask(kind, text),
            Step::Tool { name, arguments } => {
                terminal::tool("nopeek", name);
                match super::tool::call(name, &self.filled(arguments)) {
                    Ok(text) => {
                        terminal::detail(&text);
                        text.trim_end().clone_into(&mut self.answer);
                    }
                    Err(error) => return failed(Err(error)),
                }
            }
            Step::Status(state) => terminal::status(state, &[]),
            Step::Usage { read, written, dollars } => terminal::usage(*read, *written, dollars.as_deref()),
            Step::Loop { every, text } => loop {
                terminal::say(text);
                terminal::think(self.pace(*every));
            },
            Step::Hang => loop {
                std::thread::park();
            },
            Step::Stay => terminal::read_forever(),
            Step::Spawn(command) => spawn(command),
            Step::Flood(bytes) => flood(*bytes),
            Step::Speed(speed) => self.speed = *speed,
            Step::Exit(code) => return Some(u8::try_from(*code).unwrap_or(1)),
            Step::Crash => std::process::abort(),
            Step::When { condition, then, otherwise } => {
                let steps = if self.holds(condition) { then } else { otherwise };
                return self.play(steps);
            }
        }
        None
    }

    fn ask(&mut self, kind: &str, text: &str) -> Option<u8> {
        match terminal::ask(kind, text) {
            Typed::Line(answer) => self.answer = answer,
            Typed::Escape => "declined".clone_into(&mut self.answer),
            Typed::Gone => return Some(1),
        }
        terminal::status("working", &[]);
        terminal::print(&format!("\x1b[2m> {}\x1b[0m\r\n\r\n", self.answer));
        None
    }

    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Attempt { no, later: false } => self.attempt == *no,
            Condition::Attempt { no, later: true } => self.attempt >= *no,
            Condition::Prompt(text) => self.prompt.to_lowercase().contains(text),
            Condition::Sh(command) => is_so(command),
            Condition::Answer(text) => self.answer.to_lowercase().contains(text),
        }
    }

    fn filled(&self, text: &str) -> String {
        let first = self.prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("(no prompt)");
        text.replace("@ANSWER@", &self.answer)
            .replace("@ATTEMPT@", &self.attempt.to_string())
            .replace("@PROMPT@", first.trim())
    }

    fn pace(&self, secs: f64) -> Duration {
        Duration::try_from_secs_f64(secs / self.speed).unwrap_or_default()
    }
}

/// From the environment, or the last part of the branch `nopeek/<task>/<attempt>`.
fn attempt_no() -> u32 {
    let from_env = std::env::var("NOPEEK_ATTEMPT").ok().and_then(|no| no.parse().ok());
    let from_branch = || repo::branch()?.rsplit('/').next()?.parse().ok();
    from_env.or_else(from_branch).unwrap_or(1)
}

/// Reports a failed step as the agent's own failure, exit code 1.
fn failed<E: std::fmt::Display>(result: Result<(), E>) -> Option<u8> {
    let error = result.err()?;
    terminal::status("error", &[("msg", &error.to_string())]);
    terminal::print(&format!("\x1b[31m✗ {error}\x1b[0m\r\n"));
    Some(1)
}

fn write(file: &str, text: &str) -> Result<(), String> {
    let write = || {
        if let Some(folder) = Path::new(file).parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, text)
    };
    write().map_err(|error| format!("can't write {file}: {error}"))?;
    terminal::detail(&counted(text.lines().count(), "line"));
    Ok(())
}

fn replace(file: &str, old: &str, new: &str) -> Result<(), String> {
    let before = std::fs::read_to_string(file).map_err(|error| format!("can't read {file}: {error}"))?;
    if !before.contains(old) {
        return Err(format!("{file} does not hold the text to replace"));
    }
    write(file, &before.replacen(old, new, 1))
}

fn run(command: &str) {
    terminal::tool("Bash", command);
    match Command::new("sh").args(["-c", command]).stdin(Stdio::null()).output() {
        Ok(output) => {
            terminal::detail(&String::from_utf8_lossy(&output.stdout));
            terminal::detail(&String::from_utf8_lossy(&output.stderr));
            if !output.status.success() {
                terminal::detail(&output.status.to_string());
            }
        }
        Err(error) => terminal::detail(&format!("sh: {error}")),
    }
}

/// Whether a command succeeds; what it says is not shown.
fn is_so(command: &str) -> bool {
    let mut sh = Command::new("sh");
    sh.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    sh.status().is_ok_and(|status| status.success())
}

/// A child in a session of its own, which an honest agent would have started with `setsid`.
fn spawn(command: &str) {
    terminal::tool("Bash", &format!("setsid {command} &"));
    let mut child = Command::new("setsid");
    child.args(["sh", "-c", command]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = child.spawn() {
        terminal::detail(&format!("setsid: {error}"));
    }
}

fn flood(bytes: u64) {
    let line = "steam rises from the kettle and tells nobody anything at all, again and again\r\n";
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        let part = left.min(line.len());
        terminal::print(&line[..part]);
        left -= part;
    }
}

fn merged(files: &[String]) -> String {
    if files.is_empty() {
        return "merged without a conflict".to_owned();
    }
    files.iter().map(|file| format!("CONFLICT (content): {file}\n")).collect()
}
