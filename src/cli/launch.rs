//! `nopeek run`: launches tasks.

use super::error::{BAD_INPUT, CliError};
use super::talk::Talk;
use super::{print, wait};
use crate::core::model::budget::Allowance;
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::plural::counted;
use crate::values::words::{count, duration, money, tokens};
use crate::wire::client::{Reply, Request, RunRequest};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Launch tasks: a worktree, an agent and gates for each prompt.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the agents should do: one task per prompt.
    #[arg(required_unless_present = "file")]
    prompts: Vec<String>,
    /// Read prompts from a file (- is standard input): one task per prompt, separated by lines of three dashes.
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// The task's name; as often as there are prompts.
    #[arg(long, short, value_name = "NAME")]
    name: Vec<String>,
    /// Agent profile, as `nopeek agents` lists them.
    #[arg(long, short, value_name = "PROFILE")]
    agent: Option<String>,
    /// The branch to land on.
    #[arg(long, short, value_name = "BRANCH")]
    target: Option<String>,
    /// Automatic attempts at most, from 1 on.
    #[arg(long, value_name = "N", value_parser = count::limit, allow_negative_numbers = true)]
    attempts: Option<u32>,
    /// Longest run of an attempt's agent, as 90s, 1h30m or 1d; pauses don't count.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    time: Option<Span>,
    /// Longest silence of the agent while it does not ask.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    silence: Option<Span>,
    /// What the task may cost, all its attempts together, as $2 or 0.50.
    #[arg(long, value_name = "MONEY", value_parser = money::limit, allow_hyphen_values = true)]
    budget_cost: Option<u64>,
    /// How many tokens it may use, as 50000, 500k or 2M.
    #[arg(long, value_name = "N", value_parser = tokens::limit, allow_hyphen_values = true)]
    budget_tokens: Option<u64>,
    /// How long its agents may work, all its attempts together.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    budget_time: Option<Span>,
    /// Whether the agent's screen is hidden while it works.
    #[arg(long, value_enum, value_name = "on|off")]
    lid: Option<LidArg>,
    /// A task that must land first; may be given several times.
    #[arg(long, value_name = "TASK")]
    after: Vec<String>,
    /// Wait until all end or need a human, as `nopeek wait` does.
    #[arg(long, short)]
    wait: bool,
    /// Print the tasks as a JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LidArg {
    On,
    Off,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let requests = requests(args)?;
    let mut talk = Talk::open()?;
    let tasks = match talk.ask(Request::Run(requests))? {
        Reply::Launched(tasks) => tasks,
        other => return Err(CliError::odd(&other)),
    };
    if let Some(what) = uncommitted_config(args.target.as_deref()) {
        print::complain(format_args!("{}", Shown::line(&what)));
    }
    if args.wait {
        let ids: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
        let settled = wait::until_settled(&mut talk, &ids, None)?;
        if args.json {
            print::json(&settled.tasks)?;
        } else {
            super::ls::print_tasks(&settled.tasks, settled.now)?;
        }
        return Ok(settled.code);
    }
    if args.json {
        print::json(&tasks)?;
    } else {
        for task in &tasks {
            print::line(&format!("{} {} {}", task.id, Shown::line(&task.name), task.state.label()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says so where the `nopeek.toml` that a person sees is not the one that counts. What can't be read is the daemon's to
/// tell.
fn uncommitted_config(target: Option<&str>) -> Option<String> {
    let repo = crate::git::repo::find(&std::env::current_dir().ok()?).ok()?;
    let target = crate::git::repo::target(&repo, target).ok()?;
    let here = std::fs::read_to_string(repo.main.join("nopeek.toml")).ok()?;
    match crate::git::repo::read_file(&repo.main, &target, "nopeek.toml").ok()? {
        Some(committed) if committed == here => None,
        Some(_) => Some(format!(
            "nopeek.toml is changed here: what counts is the one that is committed on {target}; commit it if it should"
        )),
        None => Some(format!(
            "nopeek.toml is not committed on {target}, so its gates and settings do not count: commit it, then `nopeek trust`"
        )),
    }
}

fn requests(args: &Args) -> Result<Vec<RunRequest>, CliError> {
    let mut prompts = args.prompts.clone();
    for file in &args.file {
        prompts.extend(parted(&read(file)?));
    }
    prompts.retain(|prompt| !prompt.trim().is_empty());
    if prompts.is_empty() {
        return Err(CliError::new(
            BAD_INPUT,
            "there is no prompt: all are empty",
            "say what the agent should do",
        ));
    }
    if !args.name.is_empty() && args.name.len() != prompts.len() {
        return Err(CliError::usage(
            format!("{} for {}", counted(args.name.len(), "name"), counted(prompts.len(), "prompt")),
            "give --name as often as there are prompts, or not at all",
        ));
    }
    let repo = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let requests = prompts.into_iter().enumerate().map(|(n, prompt)| RunRequest {
        repo: repo.clone(),
        name: args.name.get(n).cloned(),
        prompt,
        agent: args.agent.clone(),
        target: args.target.clone(),
        attempts: args.attempts,
        time_ms: args.time.map(|time| time.0),
        silence_ms: args.silence.map(|time| time.0),
        budget: Allowance {
            cost_microusd: args.budget_cost,
            tokens: args.budget_tokens,
            time: args.budget_time,
        },
        lid: args.lid.map(|lid| lid == LidArg::On),
        after: args.after.clone(),
        env: environment(),
        by: None,
    });
    Ok(requests.collect())
}

fn read(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut open| open.read_to_string(&mut text))
    };
    read.map_err(|error| {
        CliError::new(BAD_INPUT, format!("can't read prompts from {}: {error}", file.display()), "")
    })?;
    Ok(text)
}

/// Prompts separated by lines that are `---` alone.
fn parted(text: &str) -> Vec<String> {
    let mut prompts = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            prompts.push(String::new());
        } else if let Some(prompt) = prompts.last_mut() {
            prompt.push_str(line);
            prompt.push('\n');
        }
    }
    prompts.into_iter().map(|prompt| prompt.trim().to_owned()).filter(|prompt| !prompt.is_empty()).collect()
}

/// What agents get of our environment: all but what belongs to this very terminal.
pub(super) fn environment() -> Vec<(String, String)> {
    const OURS: &[&str] = &[
        "_",
        "OLDPWD",
        "PWD",
        "SHLVL",
        "TERM",
        "COLORTERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "COLUMNS",
        "LINES",
        "WINDOWID",
        "TMUX",
        "TMUX_PANE",
        "STY",
        "SSH_TTY",
        "NO_COLOR",
    ];
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| !OURS.contains(&key.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_prompts_parted_by_dashes() {
        assert_eq!(parted("one\nmore\n---\n\n--- \ntwo --- x\n---\n"), ["one\nmore", "two --- x"]);
    }
}
