//! The `git` program, called so that nothing of the repo's own config is run.

use super::GitError;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What every git holds while it lives.
static HELD: OnceLock<File> = OnceLock::new();

/// From now on every git of this process, and what it starts in turn, holds `lock` for as long as it lives, so that
/// whoever comes after this process can wait for their end. The first call counts.
///
/// It is their standard input: an empty file ends at once, as `/dev/null` does, and an input is handed on without
/// unsafe code.
pub fn hold(lock: File) {
    // A second lock would be of a second daemon in one process; there is none.
    let _ = HELD.set(lock);
}

fn stdin() -> std::io::Result<Stdio> {
    HELD.get().map_or_else(|| Ok(Stdio::null()), |lock| lock.try_clone().map(Stdio::from))
}

/// Options that keep git from running anything of the repo's.
const SAFE: [&str; 12] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "advice.detachedHead=false",
];

/// What git itself calls local to a repo (`git rev-parse --local-env-vars`): a hook or an alias that started us has them
/// set for its own repo. With replaced objects and grafts, which have no say in what is judged.
pub const LOCAL: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
];
/// Most lines of git's own words that are handed on.
const SAID_MAX: usize = 8;

/// Runs git in `place`; its standard output, untouched.
pub(super) fn git<S: AsRef<OsStr>>(place: &Path, args: &[S]) -> Result<String, GitError> {
    git_with(place, args, &[])
}

/// As [`git()`], with more environment.
pub(super) fn git_with<S: AsRef<OsStr>>(
    place: &Path,
    args: &[S],
    env: &[(&str, &OsStr)],
) -> Result<String, GitError> {
    let said = git_said(place, args, env)?;
    if said.code == Some(0) { Ok(said.out) } else { Err(said.failed()) }
}

/// What a git that ran to its end has said, well or not.
#[derive(Debug)]
pub(super) struct Said {
    /// Its exit code; none: a signal ended it.
    pub(super) code: Option<i32>,
    /// Its standard output, untouched but for what is no UTF-8.
    pub(super) out: String,
    /// What it is called if this is a failure.
    failure: GitError,
}

impl Said {
    /// For one that was not to end like this.
    pub(super) fn failed(self) -> GitError {
        self.failure
    }
}

/// Runs git where more than one exit code is an answer.
pub(super) fn git_said<S: AsRef<OsStr>>(
    place: &Path,
    args: &[S],
    env: &[(&str, &OsStr)],
) -> Result<Said, GitError> {
    let mut command = Command::new("git");
    command.arg("-C").arg(place).args(SAFE).args(args);
    for name in LOCAL {
        command.env_remove(name);
    }
    command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null");
    // A folder that has lost its own git file must not be taken for a part of a repo around it.
    if let Some(parent) = place.parent() {
        command.env("GIT_CEILING_DIRECTORIES", parent);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1");
    for (name, value) in env {
        command.env(name, value);
    }
    let words = || args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" ");
    let failed = |said: String| GitError::Program { command: words(), place: place.to_owned(), said };
    let mut run = || command.stdin(stdin()?).output();
    let output = run().map_err(|error| failed(error.to_string()))?;
    Ok(Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        failure: failed(reason(&String::from_utf8_lossy(&output.stderr))),
    })
}

/// Why git failed, in its own words and those of what it ran (a filter, a helper): the last lines, without its hints and
/// its progress.
fn reason(said: &str) -> String {
    let is_reason = |line: &&str| {
        let aside = ["hint:", "Preparing worktree", "HEAD is now at", "Switched to", "Updating files:"];
        !line.is_empty() && !aside.iter().any(|begin| line.starts_with(begin))
    };
    let lines: Vec<&str> = said.lines().map(str::trim).filter(is_reason).collect();
    if lines.is_empty() {
        return "it did not say why".to_owned();
    }
    lines[lines.len().saturating_sub(SAID_MAX)..].join("; ")
}

/// The git directory of a checkout or worktree: its own, not the one that all share.
pub(super) fn git_dir(place: &Path) -> Result<PathBuf, GitError> {
    let said = git(place, &["rev-parse", "--absolute-git-dir"])?;
    Ok(PathBuf::from(said.trim_end_matches('\n')))
}

/// Who commits where the repo names nobody.
pub(super) const NOBODY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "nopeek"),
    ("GIT_AUTHOR_EMAIL", "nopeek@localhost"),
    ("GIT_COMMITTER_NAME", "nopeek"),
    ("GIT_COMMITTER_EMAIL", "nopeek@localhost"),
];

/// [`NOBODY`] if git knows of nobody in `place`, neither by its config (conditional parts of it too) nor by the environment,
/// else nothing. What it would guess of the machine is nobody.
pub(super) fn identity(place: &Path) -> Vec<(&'static str, &'static OsStr)> {
    let is_known = |who: &str| git(place, &["-c", "user.useConfigOnly=true", "var", who]).is_ok();
    if is_known("GIT_AUTHOR_IDENT") && is_known("GIT_COMMITTER_IDENT") {
        return Vec::new();
    }
    NOBODY.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_says_why_in_its_own_words_all_of_them() {
        for (said, why) in [
            ("", "it did not say why"),
            ("hint: a\nlast\n\n", "last"),
            ("error: no filter\nhint: x\nfatal: it failed\n", "error: no filter; fatal: it failed"),
            (
                "Preparing worktree (x)\nsh: 1: lfs: not found\nfatal: gone\n",
                "sh: 1: lfs: not found; fatal: gone",
            ),
        ] {
            assert_eq!(reason(said), why);
        }
    }

    #[test]
    fn what_git_calls_local_to_a_repo_is_taken_away() {
        let said = Command::new("git").args(["rev-parse", "--local-env-vars"]).output().unwrap();
        for name in String::from_utf8(said.stdout).unwrap().lines() {
            assert!(LOCAL.contains(&name) || name == "GIT_NO_REPLACE_OBJECTS", "{name}");
        }
    }
}
