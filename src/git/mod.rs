//! GIT: objects, refs and worktrees; one function per operation, no policy.
//!
//! Reads go through libgit2; whatever touches a worktree goes through the `git` program, with hooks, file monitors,
//! signing and housekeeping off, so that an agent's repo runs nothing of its own in the daemon's name.

pub mod archive;
pub mod changes;
mod checkout;
mod command;
pub mod diff;
pub mod ending;
pub mod merge;
pub mod refs;
pub mod repo;
#[cfg(test)]
mod tests;
pub mod worktree;

pub use command::{LOCAL, hold};
use std::path::PathBuf;

/// What git refused, on what.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repo.
    #[error("{} is not in a git repository", .0.display())]
    NoRepo(PathBuf),
    /// The repo has no worktree.
    #[error("{} is a bare repository", .0.display())]
    Bare(PathBuf),
    /// The repo has no commit.
    #[error("{} has no commit yet", .0.display())]
    NoCommits(PathBuf),
    /// No target is named and HEAD is on no branch.
    #[error("{} has a detached HEAD, so it is not known which branch to land on", .0.display())]
    Detached(PathBuf),
    /// There is no such branch.
    #[error("there is no branch {0}")]
    NoBranch(String),
    /// A branch of the name that an attempt needs is somebody else's.
    #[error("{wanted} can't be made: there is a branch {branch} already")]
    BranchInTheWay {
        /// The branch that is there.
        branch: String,
        /// The branch that is needed.
        wanted: String,
    },
    /// The `git` program failed.
    #[error("git {command} failed in {}: {said}", place.display())]
    Program {
        /// The command, without its safety options.
        command: String,
        place: PathBuf,
        /// The last line that it said.
        said: String,
    },
    /// libgit2 failed.
    #[error("can't {act}: {}", source.message())]
    Library { act: String, source: git2::Error },
    /// A file can't be read or written.
    #[error("can't {act} {}: {source}", path.display())]
    File { act: &'static str, path: PathBuf, source: std::io::Error },
    /// A path of config leaves the repo.
    #[error("{path} leaves the repo: only files inside it are copied or linked")]
    Outside { path: String },
}

impl GitError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoRepo(_) => "stand in a repository, or make one with git init".to_owned(),
            Self::Bare(_) => "nopeek needs a checkout: clone it, and run nopeek there".to_owned(),
            Self::NoCommits(_) => "make a first commit: git commit --allow-empty -m start".to_owned(),
            Self::Detached(_) => "switch to a branch, or name the target: --target BRANCH".to_owned(),
            Self::NoBranch(_) => "git branch lists them".to_owned(),
            Self::BranchInTheWay { branch, .. } => format!("rename it: git branch -m {branch} old-{branch}"),
            Self::Program { .. } | Self::Library { .. } => String::new(),
            Self::File { .. } => "see that the disk has room and that the folder is yours".to_owned(),
            Self::Outside { .. } => "name a path inside the repo in copy or link".to_owned(),
        }
    }
}

/// Names what was tried for an error of libgit2.
fn library(act: impl Into<String>) -> impl FnOnce(git2::Error) -> GitError {
    let act = act.into();
    move |source| GitError::Library { act, source }
}
