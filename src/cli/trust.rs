//! `nopeek trust`: lets a repo's `nopeek.toml` run its commands for this user.

use super::error::{BAD_INPUT, CliError, NOT_FOUND};
use super::print::{self, Paint};
use crate::config::repo::RepoConfig;
use crate::config::trust::{self, Trust};
use crate::values::text::Shown;
use std::process::ExitCode;

/// Trust this repo's nopeek.toml, as it is on the target's commit: its commands may run for you.
///
/// Prints the commands. The trust is by content: when the file changes, you are asked again.
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
        print::line(&format!("  setup  {}", Shown::line(command)))?;
    }
    for gate in &config.gates {
        print::line(&format!(
            "  gate   {} {}",
            Paint::Bold.on(Shown::line(&gate.name).as_str()),
            Shown::line(&gate.command)
        ))?;
    }
    for name in config.agents.keys() {
        print::line(&format!("  agent  {}", Shown::line(name)))?;
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
