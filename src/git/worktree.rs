//! Worktrees: make one for an attempt, bring files into it, commit what its agent left.

use super::command::{git, git_with, identity};
use super::repo::{oid, open};
use super::{GitError, library, repo};
use crate::core::attempt::Start;
use crate::core::ids::Oid;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Makes `branch` and its worktree at `place`; returns the commit that the branch starts from. What stands already
/// is taken as it is.
pub fn prepare(
    main: &Path,
    place: &Path,
    branch: &str,
    target: &str,
    start: Start,
    previous: Option<&str>,
) -> Result<Oid, GitError> {
    let from = match (start, previous) {
        (Start::Previous, Some(previous)) => previous,
        (Start::Previous | Start::Target, _) => target,
    };
    git(main, &["worktree", "prune"])?;
    let there = repo::tip(main, branch);
    if there.is_ok() && place.join(".git").exists() {
        return base(main, branch, from);
    }
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(file("make", parent))?;
    }
    if place.exists() {
        fs::remove_dir_all(place).map_err(file("clear", place))?;
    }
    let place_text = place.to_string_lossy();
    if there.is_ok() {
        git(main, &["worktree", "add", "--force", &place_text, branch])?;
    } else {
        let from = format!("refs/heads/{from}");
        git(main, &["worktree", "add", "--no-track", "-b", branch, &place_text, &from])?;
    }
    base(main, branch, from)
}

fn base(main: &Path, branch: &str, from: &str) -> Result<Oid, GitError> {
    let at = open(main)?;
    let (ours, theirs) = (repo::commit(&at, branch)?.id(), repo::commit(&at, from)?.id());
    at.merge_base(ours, theirs).map(oid).map_err(library(format!("find where {branch} leaves {from}")))
}

/// Copies and links files of the main checkout into a worktree; what is not there is left out.
pub fn bring(main: &Path, place: &Path, copy: &[String], link: &[String]) -> Result<(), GitError> {
    for name in copy {
        let Some((from, to)) = ends(main, place, name)? else { continue };
        copy_all(&from, &to)?;
    }
    for name in link {
        let Some((from, to)) = ends(main, place, name)? else { continue };
        std::os::unix::fs::symlink(&from, &to).map_err(file("link", &to))?;
    }
    Ok(())
}

/// Where a file comes from and goes to; none if it is not in the checkout or is in the worktree already.
fn ends(main: &Path, place: &Path, name: &str) -> Result<Option<(PathBuf, PathBuf)>, GitError> {
    let outside = || GitError::Outside { path: name.to_owned() };
    if name.is_empty() || !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let (from, to) = (main.join(name), place.join(name));
    let Ok(real) = from.canonicalize() else { return Ok(None) };
    if !real.starts_with(main) {
        return Err(outside());
    }
    // A committed link in the worktree must not lead what is written out of it.
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(file("make", parent))?;
        let real = parent.canonicalize().map_err(file("find", parent))?;
        let place = place.canonicalize().map_err(file("find", place))?;
        if !real.starts_with(place) {
            return Err(outside());
        }
    }
    Ok(fs::symlink_metadata(&to).is_err().then_some((from, to)))
}

fn copy_all(from: &Path, to: &Path) -> Result<(), GitError> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop).map_err(file("copy", from));
    }
    fs::create_dir_all(to).map_err(file("make", to))?;
    for entry in fs::read_dir(from).map_err(file("read", from))? {
        let entry = entry.map_err(file("read", from))?;
        // Links inside a copied folder are left out: they may lead anywhere.
        if !entry.path().is_symlink() {
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Commits what an agent left uncommitted, untracked files too, and sees to it that `branch` holds it even if the
/// agent went on on another branch. Returns whether there was anything.
pub fn commit_leftovers(worktree: &Path, branch: &str, message: &str) -> Result<bool, GitError> {
    let status = git(worktree, &["status", "--porcelain", "-z", "--untracked-files=all"])?;
    let left = !status.is_empty();
    if left {
        git(worktree, &["add", "--all"])?;
        if git(worktree, &["diff", "--cached", "--quiet"]).is_err() {
            let who = identity(worktree);
            git_with(worktree, &["commit", "--no-verify", "--quiet", "-m", message], &who)?;
        }
    }
    let (name, head) = (format!("refs/heads/{branch}"), git(worktree, &["rev-parse", "HEAD"])?);
    let at = git(worktree, &["rev-parse", &name])?;
    let is_ahead = git(worktree, &["merge-base", "--is-ancestor", at.trim(), head.trim()]).is_ok();
    if at != head && is_ahead {
        let message = "nopeek: the agent worked on another branch";
        git(worktree, &["update-ref", "-m", message, &name, head.trim(), at.trim()])?;
    }
    Ok(left)
}

/// Takes a worktree away, whatever it holds.
pub(super) fn remove(main: &Path, place: &Path) -> Result<(), GitError> {
    if place.exists() {
        let gone = git(main, &["worktree", "remove", "--force", "--force", &place.to_string_lossy()]);
        if gone.is_err() && place.exists() {
            fs::remove_dir_all(place).map_err(file("remove", place))?;
        }
    }
    git(main, &["worktree", "prune"]).map(drop)
}

pub(super) fn file<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> GitError + 'a {
    move |source| GitError::File { act, path: path.to_owned(), source }
}
