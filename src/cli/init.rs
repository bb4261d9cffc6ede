//! `nopeek init`: writes a `nopeek.toml` that fits the repo, with comments. Asks nothing.

use super::error::{CliError, NOT_FOUND, NOT_NOW};
use super::print;
use std::path::Path;
use std::process::ExitCode;

/// Write a commented nopeek.toml for this repo, with gates for what is found here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print it instead of writing it.
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let folder = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let repo =
        crate::git::repo::find(&folder).map_err(|error| CliError::new(NOT_FOUND, &error, error.remedy()))?;
    let kind = Kind::of(&repo.main);
    let text = kind.config(&repo.main);
    if args.print {
        print::line(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = repo.main.join("nopeek.toml");
    if file.exists() {
        return Err(CliError::new(
            NOT_NOW,
            format!("{} exists", file.display()),
            "edit it, or compare with `nopeek init --print`",
        ));
    }
    std::fs::write(&file, text)
        .map_err(|error| CliError::world(format!("can't write {}: {error}", file.display()), ""))?;
    print::line(&format!("wrote {} ({})", file.display(), kind.name()))?;
    print::line("next: check its gates, commit it on the target branch, then `nopeek trust`")?;
    Ok(ExitCode::SUCCESS)
}

/// What kind of project a repo holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cargo,
    Npm,
    Python,
    Go,
    Unknown,
}

impl Kind {
    fn of(repo: &Path) -> Self {
        let has = |name: &str| repo.join(name).is_file();
        if has("Cargo.toml") {
            Self::Cargo
        } else if has("package.json") {
            Self::Npm
        } else if has("go.mod") {
            Self::Go
        } else if has("pyproject.toml") || has("setup.py") || has("requirements.txt") {
            Self::Python
        } else {
            Self::Unknown
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Cargo => "a cargo project",
            Self::Npm => "an npm project",
            Self::Python => "a Python project",
            Self::Go => "a Go project",
            Self::Unknown => "no known kind of project",
        }
    }

    /// Name, command, timeout and whether it must be green.
    fn gates(self) -> &'static [(&'static str, &'static str, &'static str, bool)] {
        match self {
            Self::Cargo => &[
                ("build", "cargo build --all-targets", "20m", true),
                ("lint", "cargo clippy --all-targets -- -D warnings", "20m", false),
                ("unit", "cargo test", "30m", true),
            ],
            Self::Npm => &[
                ("build", "npm run build --if-present", "15m", true),
                ("lint", "npm run lint --if-present", "10m", false),
                ("unit", "npm test", "20m", true),
            ],
            Self::Python => &[
                ("build", "python -m compileall -q .", "5m", true),
                ("unit", "python -m pytest", "20m", true),
            ],
            Self::Go => &[
                ("build", "go build ./...", "15m", true),
                ("lint", "go vet ./...", "10m", false),
                ("unit", "go test ./...", "20m", true),
            ],
            Self::Unknown => &[],
        }
    }

    fn config(self, repo: &Path) -> String {
        let mut text = String::from(
            "# How nopeek works in this repo. It is read from the target branch's commit, never from an agent's\n\
             # branch; since it runs commands, each user trusts it once: `nopeek trust`.\n\n\
             # target = \"main\"        # the branch that work lands on; else the one that is checked out\n\
             # parallel = 4           # at most so many agents at once\n\
             # agent = \"claude\"       # a profile of `nopeek agents`\n\
             # lid = \"on\"             # \"off\" shows agents' screens while they work\n",
        );
        let locked = repo.join("package-lock.json").is_file();
        match self {
            Self::Npm if locked => text.push_str("setup = [\"npm ci\"]       # run in each new worktree\n"),
            Self::Npm => text.push_str("setup = [\"npm install\"]  # run in each new worktree\n"),
            _ => text.push_str("# setup = [\"make deps\"]  # run in each new worktree\n"),
        }
        if repo.join(".env").is_file() {
            text.push_str(
                "copy = [\".env\"]          # files that git does not hold, for each new worktree\n",
            );
        } else {
            text.push_str(
                "# copy = [\".env\"]        # files that git does not hold, for each new worktree\n",
            );
        }
        text.push_str(
            "\n# A gate is a command that must exit with 0. Red: its output goes to a fresh attempt.\n",
        );
        for (name, command, timeout, required) in self.gates() {
            text.push_str(&format!(
                "[[gate]]\nname = \"{name}\"\ncommand = \"{command}\"\ntimeout = \"{timeout}\"\n"
            ));
            match *name {
                "unit" => text.push_str("needs = [\"build\"]\n"),
                _ if !required => {
                    text.push_str("required = false       # shown, stops nothing; remove to make it count\n");
                }
                _ => {}
            }
            text.push('\n');
        }
        if self.gates().is_empty() {
            text.push_str(
                "# Without a gate the board says \"ungated\".\n\
                 # [[gate]]\n# name = \"unit\"\n# command = \"make test\"\n# timeout = \"20m\"\n",
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_project_gets_a_config_that_can_be_read() {
        for (file, kind) in [
            ("Cargo.toml", Kind::Cargo),
            ("package.json", Kind::Npm),
            ("go.mod", Kind::Go),
            ("pyproject.toml", Kind::Python),
            ("README", Kind::Unknown),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
            assert_eq!(Kind::of(folder.path()), kind);
            let text = kind.config(folder.path());
            let read = crate::config::repo::RepoConfig::parse(&text, "nopeek.toml");
            assert!(read.is_ok(), "{file}: {read:?}\n{text}");
            assert_eq!(read.unwrap().gates.len(), kind.gates().len());
        }
    }
}
