//! The end of an attempt, looked at as a whole: what is not in its branch, or should not be, and would else go unseen.
//!
//! Promises: nothing is changed; each remark is one line with a few names at most, for a person who reviews the work.

use super::GitError;
use super::command::{git, git_dir, git_said};
use super::refs::checkouts;
use std::path::Path;
use std::time::SystemTime;

/// Most names in a remark.
const NAMES_MAX: usize = 3;

/// Most commits of the target that are looked at.
const COMMITS_MAX: &str = "--max-count=100";

/// What git is in the middle of, by the git directory of a checkout.
pub(super) fn midway(own: &Path) -> Vec<&'static str> {
    let signs = [
        ("MERGE_HEAD", "a merge"),
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
    ];
    signs
        .into_iter()
        .filter(|(sign, _)| own.join(sign).symlink_metadata().is_ok())
        .map(|(_, what)| what)
        .collect()
}

/// What was left unfinished in a worktree, before its leftovers are committed.
pub fn unfinished(worktree: &Path) -> Result<Vec<String>, GitError> {
    let midway = midway(&git_dir(worktree)?);
    let mut found: Vec<String> =
        midway.iter().map(|what| format!("the attempt ended in the middle of {what}")).collect();
    let unmerged = git(worktree, &["diff", "--name-only", "--diff-filter=U", "-z"])?;
    let unmerged: Vec<&str> = unmerged.split('\0').filter(|name| !name.is_empty()).collect();
    if !unmerged.is_empty() {
        found.push(format!("conflicts were left unresolved in {}", names(&unmerged)));
    }
    Ok(found)
}

/// What is to be said of an attempt's branch and of what is around it, once all is committed.
pub fn remarks(main: &Path, worktree: &Path, branch: &str, target: &str) -> Result<Vec<String>, GitError> {
    let (name, onto) = (format!("refs/heads/{branch}"), format!("refs/heads/{target}"));
    let mut found = Vec::new();
    if let Ok(head) = git(worktree, &["rev-parse", "HEAD"])
        && git(main, &["merge-base", "--is-ancestor", head.trim(), &name]).is_err()
    {
        let head: String = head.chars().take(9).collect();
        found.push(format!("work on another branch ({head}) is not part of this; it is kept in the archive"));
    }
    let Ok(base) = git(main, &["merge-base", &name, &onto]) else {
        found.push(format!("it shares no commit with {target}"));
        return Ok(found);
    };
    let base = base.trim();
    let markers = markers(main, base, &name)?;
    if !markers.is_empty() {
        let markers: Vec<&str> = markers.iter().map(String::as_str).collect();
        found.push(format!("conflict markers were committed in {}", names(&markers)));
    }
    let holes = holes(main, base, &name)?;
    if !holes.is_empty() {
        let holes: Vec<&str> = holes.iter().map(String::as_str).collect();
        found.push(format!(
            "nested repo inside the worktree ({}): its files are not part of this",
            names(&holes)
        ));
    }
    let since = format!("{base}..{onto}");
    let ours = "--glob=refs/nopeek/landed/*";
    let moved = git(main, &["log", "--format=%s", "-z", COMMITS_MAX, &since, "--not", ours])?;
    let moved: Vec<&str> = moved.split('\0').filter(|subject| !subject.is_empty()).collect();
    if !moved.is_empty() {
        found.push(format!("{target} has moved since this began, and not by nopeek: {}", names(&moved)));
    }
    for place in checkouts(main, &onto)? {
        let changed = changed_since_start(&place, worktree)?;
        if !changed.is_empty() {
            let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
            found.push(format!(
                "{target} is checked out with changes ({}) that came during the attempt and are not part of it",
                names(&changed)
            ));
        }
    }
    Ok(found)
}

/// Files of a change that have conflict markers which the target has not.
fn markers(main: &Path, base: &str, head: &str) -> Result<Vec<String>, GitError> {
    // What else it checks is white space, of which a change may have megabytes.
    let quiet = "core.whitespace=-blank-at-eol,-blank-at-eof,-space-before-tab";
    // Its exit code says that there is something.
    let said = git_said(main, &["-c", quiet, "diff", "--check", "--no-renames", base, head], &[])?;
    let mut files: Vec<String> = said
        .out
        .lines()
        .filter_map(|line| line.strip_suffix(": leftover conflict marker"))
        .filter_map(|place| Some(place.rsplit_once(':')?.0.to_owned()))
        .collect();
    files.dedup();
    Ok(files)
}

/// Repos inside the worktree that were committed as such, and that no `.gitmodules` describes.
fn holes(main: &Path, base: &str, head: &str) -> Result<Vec<String>, GitError> {
    let raw = git(main, &["diff", "--raw", "--no-renames", "--diff-filter=A", "-z", base, head])?;
    let described = git(main, &["show", &format!("{head}:.gitmodules")]).unwrap_or_default();
    let mut parts = raw.split('\0');
    let mut found = Vec::new();
    while let (Some(about), Some(path)) = (parts.next(), parts.next()) {
        if about.split(' ').nth(1) == Some("160000") && !described.contains(&format!("path = {path}")) {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

/// Tracked files of a checkout that somebody has changed since the attempt's worktree was made.
fn changed_since_start(place: &Path, worktree: &Path) -> Result<Vec<String>, GitError> {
    let time = |path: &Path| path.symlink_metadata().and_then(|meta| meta.modified());
    let Ok(start) = time(&worktree.join(".git")) else { return Ok(Vec::new()) };
    let status = git(place, &["status", "--porcelain", "--no-renames", "-z", "--untracked-files=no"])?;
    let changed = status.split('\0').filter_map(|entry| entry.get(3..));
    let is_new = |path: &&str| time(&place.join(path)).unwrap_or(SystemTime::UNIX_EPOCH) >= start;
    Ok(changed.filter(is_new).map(str::to_owned).collect())
}

/// The first few, and how many more.
fn names(all: &[&str]) -> String {
    let shown = all[..all.len().min(NAMES_MAX)].join(", ");
    match all.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
