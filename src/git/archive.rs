//! The archive: what a worktree and its branch hold is kept under `refs/nopeek/archive/…` before they go.

use super::command::{git, git_with, identity};
use super::worktree;
use super::{GitError, repo};
use std::ffi::OsStr;
use std::path::Path;

/// Keeps everything, then removes worktree and branch. Doing it twice equals doing it once. A worktree without a branch
/// is a merge's scratch place: what it holds was made from refs that stay, so nothing of it is kept.
pub fn archive(main: &Path, place: &Path, branch: Option<&str>, key: &str) -> Result<(), GitError> {
    if let Some(branch) = branch {
        if place.join(".git").exists() {
            let kept = snapshot(place, key)?;
            git(main, &["update-ref", &format!("refs/nopeek/archive/{key}"), &kept])?;
        }
        if let Ok(tip) = repo::tip(main, branch) {
            git(main, &["update-ref", &format!("refs/nopeek/archive/{key}-branch"), tip.as_str()])?;
        }
    }
    worktree::remove(main, place)?;
    if let Some(branch) = branch
        && let Ok(tip) = repo::tip(main, branch)
    {
        git(main, &["update-ref", "-d", &format!("refs/heads/{branch}"), tip.as_str()])?;
    }
    Ok(())
}

/// A commit of all that a worktree holds: its head if it is clean, else a commit on top of it. Neither its index nor
/// its files are touched.
fn snapshot(place: &Path, key: &str) -> Result<String, GitError> {
    let head = git(place, &["rev-parse", "HEAD"])?.trim().to_owned();
    let git_dir = git(place, &["rev-parse", "--absolute-git-dir"])?;
    let index = Path::new(git_dir.trim()).join("nopeek-archive-index");
    let env = [("GIT_INDEX_FILE", index.as_os_str())];
    git_with(place, &["read-tree", "HEAD"], &env)?;
    git_with(place, &["add", "--all"], &env)?;
    let tree = git_with(place, &["write-tree"], &env)?.trim().to_owned();
    // The index is ours alone and of no use any more.
    let _ = std::fs::remove_file(&index);
    if tree == git(place, &["rev-parse", "HEAD^{tree}"])?.trim() {
        return Ok(head);
    }
    let who: Vec<(&str, &OsStr)> = identity(place);
    let message = format!("nopeek: uncommitted work of {key}");
    let made = git_with(place, &["commit-tree", &tree, "-p", &head, "-m", &message], &who)?;
    Ok(made.trim().to_owned())
}
