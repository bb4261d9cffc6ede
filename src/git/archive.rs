//! The archive: what a worktree and its branch hold is kept under `refs/nopeek/archive/…` before they go.
//!
//! A ref of the archive is never moved: a later call that finds something else there keeps it beside it, so that a
//! removal which stopped halfway can't thin out what was kept before it.

use super::command::{git, git_dir, git_with, identity};
use super::worktree::{self, file};
use super::{GitError, repo};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Most states of one worktree that are kept: each is a removal that was cut short and begun again.
const STATES_MAX: usize = 100;

/// Keeps everything, then removes worktree and branch. Doing it twice equals doing it once. A worktree without a branch
/// is a merge's scratch place: what it holds was made from refs that stay, so nothing of it is kept. Repos inside the
/// worktree are no part of its commits: they are moved to `kept/<key>` beside it.
pub fn archive(main: &Path, place: &Path, branch: Option<&str>, key: &str) -> Result<(), GitError> {
    if let Some(branch) = branch {
        if place.is_dir() {
            let kept = snapshot(main, place, branch, key)?;
            keep(main, key, &kept)?;
        }
        if let Ok(tip) = repo::tip(main, branch) {
            keep(main, &format!("{key}-branch"), tip.as_str())?;
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

/// Puts a commit into the archive, beside what is there under that key already.
pub(super) fn keep(main: &Path, key: &str, kept: &str) -> Result<(), GitError> {
    for n in 1..=STATES_MAX {
        let more = if n == 1 { String::new() } else { format!(".{n}") };
        let name = format!("refs/nopeek/archive/{key}{more}");
        let Ok(there) = git(main, &["rev-parse", "--verify", "--quiet", &name]) else {
            // An empty old value: it must not be there.
            return git(main, &["update-ref", &name, kept, ""]).map(drop);
        };
        if holds(main, there.trim(), kept) {
            return Ok(());
        }
    }
    let said = format!("{STATES_MAX} states of it are kept already");
    Err(GitError::Program { command: format!("update-ref {key}"), place: main.to_owned(), said })
}

/// Whether a commit of the archive holds all that another does: its files, on top of the same work.
fn holds(main: &Path, there: &str, kept: &str) -> bool {
    let of = |commit: &str| git(main, &["show", "-s", "--format=%T %P", commit]).ok();
    there == kept || of(there).is_some_and(|known| Some(known) == of(kept))
}

/// A commit of all that a worktree holds: its head if it is clean, else a commit on top of it. Neither its index nor
/// its files are touched, but for the repos inside it.
fn snapshot(main: &Path, place: &Path, branch: &str, key: &str) -> Result<String, GitError> {
    let shared = git_dir(main)?;
    // A worktree that has lost its git file, or has got another repo's, is read through the main repo.
    let own = git_dir(place).ok().filter(|own| own.starts_with(shared.join("worktrees")));
    let index = own.as_ref().unwrap_or(&shared).join("nopeek-archive-index");
    for stale in [index.clone(), index.with_extension("lock")] {
        // Most often it is not there; if it can't be removed, git says so.
        let _ = fs::remove_file(stale);
    }
    let mut env = vec![("GIT_INDEX_FILE", index.as_os_str())];
    if own.is_none() {
        env.extend([("GIT_DIR", shared.as_os_str()), ("GIT_WORK_TREE", place.as_os_str())]);
    }
    let parse = |name: &str| git(place, &["rev-parse", "--verify", "--quiet", name]);
    let head = match &own {
        Some(_) => parse("HEAD^{commit}").ok(),
        None => None,
    };
    let tip = || repo::tip(main, branch).ok().map(|tip| tip.as_str().to_owned());
    let head = head.map(|head| head.trim().to_owned()).or_else(tip);
    git_with(place, &["read-tree", head.as_deref().unwrap_or("--empty")], &env)?;
    set_aside(place, key, own.is_none(), &env)?;
    git_with(place, &["add", "--all"], &env)?;
    let tree = git_with(place, &["write-tree"], &env)?.trim().to_owned();
    // The index is ours alone and of no use any more.
    let _ = fs::remove_file(&index);
    if let Some(head) = &head
        && git(main, &["rev-parse", &format!("{head}^{{tree}}")])?.trim() == tree
    {
        return Ok(head.clone());
    }
    let who: Vec<(&str, &OsStr)> = identity(main);
    let message = format!("nopeek: uncommitted work of {key}");
    let mut args = vec!["commit-tree", &tree, "-m", &message];
    args.extend(head.iter().flat_map(|head| ["-p", head.as_str()]));
    Ok(git_with(main, &args, &who)?.trim().to_owned())
}

/// Whether a path leads through real folders alone: a link among them could lead out of the worktree.
fn is_beneath(place: &Path, path: &Path) -> bool {
    path.ancestors()
        .filter(|part| !part.as_os_str().is_empty())
        .all(|part| place.join(part).symlink_metadata().is_ok_and(|meta| meta.is_dir()))
}

/// Moves repos inside a worktree to `kept/<key>` beside it: their commits are not in ours, and would go with the
/// worktree.
fn set_aside(place: &Path, key: &str, is_foreign: bool, env: &[(&str, &OsStr)]) -> Result<(), GitError> {
    let untracked = git_with(place, &["ls-files", "--others", "--exclude-standard", "-z"], env)?;
    let tracked = git_with(place, &["ls-files", "--stage", "-z"], env)?;
    let mut repos: Vec<PathBuf> =
        untracked.split('\0').filter(|path| path.ends_with('/')).map(PathBuf::from).collect();
    let links = tracked.split('\0').filter(|entry| entry.starts_with("160000 "));
    repos.extend(links.filter_map(|entry| entry.split_once('\t')).map(|(_, path)| PathBuf::from(path)));
    repos.retain(|path| is_beneath(place, path) && place.join(path).join(".git").symlink_metadata().is_ok());
    if is_foreign && place.join(".git").is_dir() {
        repos.push(PathBuf::from(".git"));
    }
    let Some(beside) = place.parent() else { return Ok(()) };
    for path in repos {
        let mut aside = beside.join("kept").join(key.replace('/', "-")).join(&path);
        for n in 2..=STATES_MAX {
            if aside.symlink_metadata().is_err() {
                break;
            }
            aside = beside.join("kept").join(format!("{}.{n}", key.replace('/', "-"))).join(&path);
        }
        if let Some(parent) = aside.parent() {
            fs::create_dir_all(parent).map_err(file("make", parent))?;
        }
        fs::rename(place.join(&path), &aside).map_err(file("set aside", &aside))?;
    }
    Ok(())
}
