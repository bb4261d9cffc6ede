//! `nopeek trust`: lets a repo's `nopeek.toml` run its commands for this user.

use super::error::{BAD_INPUT, CliError, NOT_FOUND};
use super::print;
use crate::config::repo::RepoConfig;
use crate::config::trust::{self, Trust};
use crate::values::text::Shown;
use std::process::ExitCode;

/// Trust this repo's nopeek.toml, as it is on the target's commit: its commands may run for you.
///
/// Prints all that may run: set-up, gates, agents with their environment. The trust is by content, and of the newest text
/// alone: when the file changes, back to an earlier text too, you are asked again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Say what would be trusted and whether it is, and change nothing. Exit code 4 if it is not.
    #[arg(long)]
    check: bool,
    /// The target branch; the one that is checked out, if none is given.
    #[arg(long, value_name = "BRANCH")]
    target: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let folder = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let git = |error: crate::git::GitError| CliError::new(NOT_FOUND, &error, error.remedy());
    let repo = crate::git::repo::find(&folder).map_err(git)?;
    let target = crate::git::repo::target(&repo, args.target.as_deref()).map_err(git)?;
    let Some(text) = crate::git::repo::read_file(&repo.main, &target, "nopeek.toml").map_err(git)? else {
        print::line(&format!("{} has no nopeek.toml: nothing to trust, no gates", Shown::line(&target)))?;
        return Ok(ExitCode::SUCCESS);
    };
    let config = RepoConfig::parse(&text, &format!("{target}:nopeek.toml"))
        .map_err(|error| CliError::new(BAD_INPUT, &error, error.remedy()))?;
    let what = format!("nopeek.toml on {}", Shown::line(&target));
    print::line(&format!("{what} may run:"))?;
    for command in &config.setup {
        print_whole("  setup  ", command)?;
    }
    for gate in &config.gates {
        print_whole(&format!("  gate   {} ", Shown::line(&gate.name)), &gate.command)?;
    }
    for (name, profile) in &config.agents {
        let name = Shown::line(name);
        let version: Vec<String> = profile.command.iter().take(1).chain(&profile.version).cloned().collect();
        let calls =
            [("", &profile.command), ("to resume: ", &profile.resume), ("for its version: ", &version)];
        for (what, argv) in calls.into_iter().filter(|(_, argv)| !argv.is_empty()) {
            print_whole(&format!("  agent  {name} {what}"), &argv.join(" "))?;
        }
        for (variable, value) in &profile.env {
            print_whole(&format!("  agent  {name} with "), &format!("{variable}={value}"))?;
        }
    }
    let paths = super::talk::paths()?;
    if args.check {
        let trusted = trust::check(&paths, &repo.main, &text) == Trust::Trusted;
        print::line(if trusted { "trusted" } else { "not trusted: `nopeek trust`" })?;
        return Ok(ExitCode::from(if trusted { 0 } else { super::error::NOT_NOW }));
    }
    trust::grant(&paths, &repo.main, &text).map_err(|error| CliError::world(error, ""))?;
    print::line("trusted")?;
    Ok(ExitCode::SUCCESS)
}

/// Prints all of a command, however long it is: what is not shown can't be trusted.
fn print_whole(before: &str, command: &str) -> Result<(), CliError> {
    let mut before = before.to_owned();
    for line in command.lines() {
        let line: Vec<char> = line.chars().collect();
        for part in line.chunks(Shown::MAX) {
            print::line(&format!("{before}{}", Shown::line(&part.iter().collect::<String>())))?;
            before = " ".repeat(before.chars().count());
        }
    }
    Ok(())
}
