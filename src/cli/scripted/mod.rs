//! `nopeek scripted` (hidden): an agent that ships in nopeek and plays a script.
//!
//! Really edits, runs, commits, asks, fails, loops, for the demo, for tests and for trying out a set-up without an
//! account. The script is, in this order: `--script FILE` (or the name of a built-in one), the file in `NOPEEK_SCRIPT`, a fenced block
//! ```` ```script ```` in the prompt, a line `script: NAME` in the prompt (a built-in one of assets/scripts, or a
//! path if it has a slash); without any, a note with the prompt is written and committed.

mod play;
mod repo;
mod script;
mod terminal;
mod tool;

use super::error::{BAD_INPUT, CliError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Play a script as if it were a coding agent.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the agent is asked to do; may name or hold its script.
    #[arg(default_value = "", allow_hyphen_values = true)]
    prompt: String,
    /// The script's file, or a built-in one's name.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

const BUILT_IN: &[(&str, &str)] = &[
    ("note", include_str!("../../../assets/scripts/note.script")),
    ("pour", include_str!("../../../assets/scripts/pour.script")),
    ("minutes", include_str!("../../../assets/scripts/minutes.script")),
    ("strength", include_str!("../../../assets/scripts/strength.script")),
    ("menu-green", include_str!("../../../assets/scripts/menu-green.script")),
    ("menu-herbal", include_str!("../../../assets/scripts/menu-herbal.script")),
    ("bench-strong", include_str!("../../../assets/scripts/bench-strong.script")),
    ("bench-middling", include_str!("../../../assets/scripts/bench-middling.script")),
    ("bench-weak", include_str!("../../../assets/scripts/bench-weak.script")),
    ("bench-verify", include_str!("../../../assets/scripts/bench-verify.script")),
    ("perfect", include_str!("../../../assets/scripts/perfect.script")),
];

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let text = find(args)?;
    let steps = script::parse(&text).map_err(|error| CliError::new(BAD_INPUT, error, ""))?;
    let mut player = play::Player::new(&args.prompt);
    Ok(player.run(&steps))
}

fn find(args: &Args) -> Result<String, CliError> {
    let from_env = || std::env::var_os("NOPEEK_SCRIPT").filter(|file| !file.is_empty()).map(PathBuf::from);
    if let Some(file) = args.script.clone().or_else(from_env) {
        let named = file.to_str().and_then(built_in).filter(|_| !file.exists());
        return named.map_or_else(|| read(&file), |text| Ok(text.to_owned()));
    }
    if let Some(text) = fenced(&args.prompt) {
        return Ok(text);
    }
    let named = args.prompt.lines().find_map(|line| line.trim().strip_prefix("script: "));
    let name = named.map_or("note", str::trim);
    if name.contains('/') {
        return read(Path::new(name));
    }
    built_in(name).map(str::to_owned).ok_or_else(|| {
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        CliError::new(
            BAD_INPUT,
            format!("no built-in script is called {name:?}"),
            format!("use one of: {}", known.join(", ")),
        )
    })
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn read(file: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(file).map_err(|error| {
        CliError::new(BAD_INPUT, format!("can't read the script {}: {error}", file.display()), "")
    })
}

/// The first block fenced by ```` ```script ```` in a prompt.
fn fenced(prompt: &str) -> Option<String> {
    let (_, rest) = prompt.split_once("```script\n")?;
    let (text, _) = rest.split_once("```")?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_script_can_be_read() {
        for (name, text) in BUILT_IN {
            assert!(script::parse(text).is_ok(), "{name}: {:?}", script::parse(text));
        }
    }

    #[test]
    fn a_prompt_names_or_holds_its_script() {
        let find = |prompt: &str| find(&Args { prompt: prompt.to_owned(), script: None });
        assert_eq!(find("Do it.\n```script\nsay x\n```\nmore").unwrap(), "say x\n");
        assert!(find("Do it.\nscript: pour\n").unwrap().contains("edit"));
        assert!(find("nothing named").unwrap().contains("commit"));
        assert!(find("script: nonsense").is_err());
    }
}
