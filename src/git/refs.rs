//! The target: moved by compare-and-swap alone, checkouts of it brought along, never over somebody's changes.

use super::command::{git, git_dir};
use super::{GitError, checkout, repo};
use crate::values::ids::Oid;
use crate::values::text::Shown;
use std::path::{Path, PathBuf};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// The target is at the tested commit, and every checkout of it too.
    Moved,
    /// The target is somewhere else; nothing was changed.
    Stale,
    /// A checkout of the target is in the way; nothing was changed.
    Refused(Shown),
}

/// Moves `target` from exactly `from` to `to`. Called again after a crash it finishes what was begun, and leaves alone
/// what somebody did since. Both ends are kept under `refs/nopeek/landed/<key>` and `…-from`.
pub fn move_target(main: &Path, target: &str, from: &Oid, to: &Oid, key: &str) -> Result<Moved, GitError> {
    let name = format!("refs/heads/{target}");
    let tip = repo::tip(main, target)?;
    let checkouts = checkouts(main, &name)?;
    if tip != *to {
        if tip != *from {
            let has_landed = git(main, &["merge-base", "--is-ancestor", to.as_str(), tip.as_str()]).is_ok();
            return Ok(if has_landed { Moved::Moved } else { Moved::Stale });
        }
        for place in &checkouts {
            if let Some(reason) = in_the_way(place, target, from, to)? {
                return Ok(Moved::Refused(Shown::line(&reason)));
            }
        }
        git(main, &["update-ref", &format!("refs/nopeek/landed/{key}-from"), from.as_str()])?;
        git(main, &["update-ref", &format!("refs/nopeek/landed/{key}"), to.as_str()])?;
        let message = format!("nopeek: land {key}");
        if git(main, &["update-ref", "-m", &message, &name, to.as_str(), from.as_str()]).is_err() {
            let now = repo::tip(main, target)?;
            if now != *to {
                return Ok(Moved::Stale);
            }
        }
    }
    for place in &checkouts {
        checkout::bring_along(place, from, to)?;
    }
    Ok(Moved::Moved)
}

/// Every worktree that has the branch checked out.
fn checkouts(main: &Path, name: &str) -> Result<Vec<PathBuf>, GitError> {
    let list = git(main, &["worktree", "list", "--porcelain", "-z"])?;
    let mut found = Vec::new();
    let mut place = None;
    for line in list.split('\0') {
        if let Some(path) = line.strip_prefix("worktree ") {
            place = Some(PathBuf::from(path));
        } else if line.strip_prefix("branch ") == Some(name) {
            found.extend(place.take().filter(|place| place.exists()));
        }
    }
    Ok(found)
}

/// What keeps a checkout from being brought along, and what to do about it.
fn in_the_way(place: &Path, target: &str, from: &Oid, to: &Oid) -> Result<Option<String>, GitError> {
    if let Some(what) = at_work(place)? {
        let place = place.display();
        return Ok(Some(format!(
            "{target} is checked out with {what}: finish it in {place}, then land again"
        )));
    }
    let remedy = format!("commit or stash in {}, then land again", place.display());
    let dirty = git(place, &["status", "--porcelain", "-z", "--untracked-files=no"])?;
    if let Some(first) = dirty.split('\0').find(|entry| !entry.is_empty()) {
        let count = dirty.split('\0').filter(|entry| !entry.is_empty()).count();
        let file = first.get(3..).unwrap_or(first);
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        return Ok(Some(format!("{target} is checked out with changes ({file}{more}): {remedy}")));
    }
    let new = ["diff", "--name-only", "--no-renames", "-z", "--diff-filter=A", from.as_str(), to.as_str()];
    let new = git(place, &new)?;
    for path in new.split('\0').filter(|path| !path.is_empty()) {
        if let Some(file) = untracked_at(place, path)? {
            return Ok(Some(format!(
                "{target} is checked out with an untracked {file} that the merge brings: move it away in {}, then land again",
                place.display()
            )));
        }
    }
    Ok(None)
}

/// What git is in the middle of in a checkout.
fn at_work(place: &Path) -> Result<Option<&'static str>, GitError> {
    let own = git_dir(place)?;
    let signs = [
        ("index.lock", "git at work (index.lock)"),
        ("MERGE_HEAD", "a merge under way"),
        ("CHERRY_PICK_HEAD", "a cherry-pick under way"),
        ("REVERT_HEAD", "a revert under way"),
    ];
    Ok(signs.into_iter().find(|(sign, _)| own.join(sign).symlink_metadata().is_ok()).map(|(_, what)| what))
}

/// What nobody tracks where a new file of the merge goes: a file, a folder with something in it, or a file in the place
/// of one of its folders.
fn untracked_at(place: &Path, path: &str) -> Result<Option<String>, GitError> {
    let tracked = |path: &str| git(place, &["--literal-pathspecs", "ls-files", "-z", "--", path]);
    match place.join(path).symlink_metadata() {
        Ok(about) if about.is_dir() => {
            let others = git(place, &["--literal-pathspecs", "ls-files", "--others", "-z", "--", path])?;
            return Ok(others.split('\0').find(|file| !file.is_empty()).map(str::to_owned));
        }
        Ok(_) => return Ok(Some(path.to_owned())),
        Err(_) => {}
    }
    for (at, _) in path.match_indices('/') {
        let folder = &path[..at];
        let is_file = place.join(folder).symlink_metadata().is_ok_and(|about| !about.is_dir());
        if is_file && tracked(folder)?.is_empty() {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}
