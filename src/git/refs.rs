//! The target: moved by compare-and-swap alone, checkouts of it brought along, never over somebody's changes.

use super::GitError;
use super::command::git;
use super::repo;
use crate::core::ids::Oid;
use crate::core::text::Shown;
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

/// Moves `target` from exactly `from` to `to`. Called again after a crash it finishes what was begun. Both ends are
/// kept under `refs/nopeek/landed/<key>` and `…-from`.
pub fn move_target(main: &Path, target: &str, from: &Oid, to: &Oid, key: &str) -> Result<Moved, GitError> {
    let name = format!("refs/heads/{target}");
    let tip = repo::tip(main, target)?;
    let checkouts = checkouts(main, &name)?;
    if tip != *to {
        if tip != *from {
            return Ok(Moved::Stale);
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
        // Takes the index and the files from one commit to the other, and does nothing where they are there already.
        git(place, &["read-tree", "-m", "-u", from.as_str(), to.as_str()])?;
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
    let remedy = format!("commit or stash in {}, then land again", place.display());
    let dirty = git(place, &["status", "--porcelain", "-z", "--untracked-files=no"])?;
    if let Some(first) = dirty.split('\0').find(|entry| !entry.is_empty()) {
        let count = dirty.split('\0').filter(|entry| !entry.is_empty()).count();
        let file = first.get(3..).unwrap_or(first);
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        return Ok(Some(format!("{target} is checked out with changes ({file}{more}): {remedy}")));
    }
    let new = git(place, &["diff", "--name-only", "-z", "--diff-filter=A", from.as_str(), to.as_str()])?;
    let over = new.split('\0').find(|file| !file.is_empty() && place.join(file).symlink_metadata().is_ok());
    Ok(over.map(|file| {
        format!("{target} is checked out with an untracked {file} that the merge brings: move it away in {}, then land again", place.display())
    }))
}
