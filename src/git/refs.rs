//! The target: moved by compare-and-swap alone, checkouts of it brought along, never over somebody's changes.

use super::command::{git, git_dir};
use super::ending::midway;
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
        if let Some(reason) = held(main, target)? {
            return Ok(Moved::Refused(Shown::line(&reason)));
        }
        for place in &checkouts {
            if let Some(reason) = in_the_way(place, target, from, to)? {
                return Ok(Moved::Refused(Shown::line(&reason)));
            }
        }
        git(main, &["update-ref", &format!("refs/nopeek/landed/{key}-from"), from.as_str()])?;
        git(main, &["update-ref", &format!("refs/nopeek/landed/{key}"), to.as_str()])?;
        let message = format!("nopeek: land {key}");
        if let Err(error) = git(main, &["update-ref", "-m", &message, &name, to.as_str(), from.as_str()]) {
            let now = repo::tip(main, target)?;
            // Where it is still where it was, another try would fail as this one: a lock, a full disk, a right.
            if now == *from {
                return Err(error);
            }
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
pub(super) fn checkouts(main: &Path, name: &str) -> Result<Vec<PathBuf>, GitError> {
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

/// Who holds the target though nobody has it checked out: a rebase or a bisection of it works on a detached head and goes
/// back to the branch at its end.
fn held(main: &Path, target: &str) -> Result<Option<String>, GitError> {
    let list = git(main, &["worktree", "list", "--porcelain", "-z"])?;
    let mut place = Path::new("");
    for line in list.split('\0') {
        if let Some(path) = line.strip_prefix("worktree ") {
            place = Path::new(path);
        } else if line == "detached"
            // One that git itself can't read (an agent wrecked its own) holds no branch.
            && let Ok(own) = git_dir(place)
        {
            let of = |file: &str| std::fs::read_to_string(own.join(file)).unwrap_or_default();
            for (file, what) in [
                ("rebase-merge/head-name", "rebased"),
                ("rebase-apply/head-name", "rebased"),
                ("BISECT_START", "bisected"),
            ] {
                if of(file).trim().trim_start_matches("refs/heads/") == target {
                    let place = place.display();
                    return Ok(Some(format!(
                        "{target} is being {what} in {place}: finish or abort that, then land again"
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// What keeps a checkout from being brought along, and what to do about it.
fn in_the_way(place: &Path, target: &str, from: &Oid, to: &Oid) -> Result<Option<String>, GitError> {
    let own = git_dir(place)?;
    let work = own.join("index.lock").symlink_metadata().is_ok().then_some("git at work (index.lock)");
    if let Some(what) = work.or(midway(&own).first().copied()) {
        let place = place.display();
        return Ok(Some(format!(
            "{target} is checked out in the middle of {what}: finish it in {place}, then land again"
        )));
    }
    let remedy = format!("commit or stash in {}, then land again", place.display());
    let touched = git(place, &["diff", "--name-only", "--no-renames", "-z", from.as_str(), to.as_str()])?;
    let touched: Vec<&Path> = touched.split('\0').filter(|path| !path.is_empty()).map(Path::new).collect();
    let status = ["status", "--porcelain", "--no-renames", "-z", "--untracked-files=no"];
    let status = git(place, &status)?;
    let dirty = status.split('\0').filter_map(|entry| Some((entry.get(..2)?, entry.get(3..)?)));
    // As git merge has it: what the landing does not touch may be changed. With a conflict in it, no index can be moved.
    let dirty: Vec<&str> = dirty
        .filter(|(state, path)| {
            let path = Path::new(path);
            matches!(*state, "AA" | "DD")
                || state.contains('U')
                || touched.iter().any(|touched| touched.starts_with(path) || path.starts_with(touched))
        })
        .map(|(_, path)| path)
        .collect();
    if let Some(file) = dirty.first() {
        let more = if dirty.len() > 1 { format!(" and {} more", dirty.len() - 1) } else { String::new() };
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
