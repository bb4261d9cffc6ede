//! Changes, as a policy reads them: what a checkout holds beyond the target, line by line and commit by commit.

use super::diff::{base, tree_of, walk};
use super::repo::{commit, open};
use super::{GitError, library, worktree};
use crate::core::model::diff::FileStatus;
use crate::core::model::diff::{Change, Reading};
use crate::values::pattern::Pattern;
use git2::{Delta, Diff, DiffFindOptions, DiffOptions, Patch, Repository, RepositoryOpenFlags, TreeWalkMode};
use std::path::{Path, PathBuf};

/// Most added lines that are read, of all the work and again of all its commits.
const LINES_MAX: usize = 1_000_000;

/// Most commits whose lines are read.
const COMMITS_MAX: usize = 1_000;

/// Largest file that is read as text, in bytes.
const FILE_MAX: i64 = 16 * 1024 * 1024;

/// Most commits made here that are looked for on the target.
const MADE_MAX: usize = 1_000;

/// The top of the checkout that `folder` is in: the main one or a worktree.
pub fn top(folder: &Path) -> Result<PathBuf, GitError> {
    let nowhere: [&Path; 0] = [];
    let repo = Repository::open_ext(folder, RepositoryOpenFlags::empty(), nowhere)
        .map_err(|_| GitError::NoRepo(folder.to_owned()))?;
    repo.workdir().map(Path::to_owned).ok_or_else(|| GitError::Bare(folder.to_owned()))
}

/// Reads what the checkout at `place` holds since it left the target, and which files of the target `listed` names.
/// With `committed` uncommitted and untracked files are left out.
pub fn read(place: &Path, target: &str, committed: bool, listed: &[Pattern]) -> Result<Reading, GitError> {
    let repo = open(place)?;
    let head = repo.head().and_then(|head| head.peel_to_commit()).map_err(library("read HEAD"))?;
    let tip = commit(&repo, target)?;
    let base = base(&repo, head.id(), target)?;
    let old = tree_of(&repo, base)?;
    let mut reading = Reading {
        base: base.map_or(String::new(), short),
        existing: existing(&tip, listed)?,
        written: written(&repo, tip.id()).map_err(library("read what was committed here"))?,
        ..Reading::default()
    };
    let mut options = options();
    let mut diff = if committed {
        let new = head.tree().map_err(library("read a tree"))?;
        repo.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options))
    } else {
        options.include_untracked(true).recurse_untracked_dirs(true).show_untracked_content(true);
        repo.diff_tree_to_workdir_with_index(old.as_ref(), Some(&mut options))
    }
    .map_err(library("compare"))?;
    let mut renames = DiffFindOptions::new();
    diff.find_similar(Some(renames.renames(true).for_untracked(!committed)))
        .map_err(library("find renames"))?;
    let deliverable = if committed { Vec::new() } else { worktree::deliverable(place)? };
    let mut left = LINES_MAX;
    reading.changes = changes(&diff, &mut left)?;
    reading.changes.retain(|change| {
        let is_brought = deliverable.iter().any(|name| Path::new(&change.path).starts_with(name));
        !(is_brought && change.status == FileStatus::Added)
    });
    let mut left_of_commits = LINES_MAX;
    let ids = walk(&repo, head.id(), base).map_err(library("list commits"))?;
    for (n, id) in ids.enumerate() {
        if n == COMMITS_MAX {
            reading.cut = true;
            break;
        }
        let made = id.and_then(|id| repo.find_commit(id)).map_err(library("read a commit"))?;
        // What a merge brings is in the commits that it merges, or in the whole.
        if made.parent_count() > 1 {
            continue;
        }
        let before = made.parents().next().map(|parent| parent.id());
        let (before, after) = (tree_of(&repo, before)?, tree_of(&repo, Some(made.id()))?);
        let mut options = self::options();
        let mut diff = repo
            .diff_tree_to_tree(before.as_ref(), after.as_ref(), Some(&mut options))
            .map_err(library("compare"))?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true))).map_err(library("find renames"))?;
        reading.commits.push((short(made.id()), changes(&diff, &mut left_of_commits)?));
    }
    reading.cut |= left == 0 || left_of_commits == 0;
    Ok(reading)
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.context_lines(0).max_size(FILE_MAX).include_typechange(true);
    options
}

fn short(id: git2::Oid) -> String {
    let mut text = id.to_string();
    text.truncate(10);
    text
}

/// The target's files that are listed.
fn existing(tip: &git2::Commit<'_>, listed: &[Pattern]) -> Result<Vec<String>, GitError> {
    let mut paths = Vec::new();
    if listed.is_empty() {
        return Ok(paths);
    }
    let tree = tip.tree().map_err(library("read a tree"))?;
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if entry.kind() == Some(git2::ObjectType::Blob) {
            let path = format!("{folder}{}", String::from_utf8_lossy(entry.name_bytes()));
            if listed.iter().any(|pattern| pattern.matches(&path)) {
                paths.push(path);
            }
        }
        0
    })
    .map_err(library("list the target's files"))?;
    Ok(paths)
}

/// Commits that were made in an attempt's worktree and are on the target already, by the worktree's own log.
fn written(repo: &Repository, tip: git2::Oid) -> Result<Vec<String>, git2::Error> {
    let is_attempt =
        repo.is_worktree() && repo.head()?.shorthand().is_ok_and(|name| name.starts_with("nopeek/"));
    if !is_attempt {
        return Ok(Vec::new());
    }
    let log = repo.reflog("HEAD")?;
    let mut found = Vec::new();
    for entry in log.iter().take(MADE_MAX) {
        let message = String::from_utf8_lossy(entry.message_bytes().unwrap_or_default()).into_owned();
        let made = ["commit", "cherry-pick", "revert"].iter().any(|word| message.starts_with(word));
        let id = entry.id_new();
        // One that git has cleared away since is on no branch.
        let on_target = made && (id == tip || repo.graph_descendant_of(tip, id).unwrap_or(false));
        if on_target && !found.contains(&short(id)) {
            found.push(short(id));
        }
    }
    Ok(found)
}

/// The files of a diff; `left` is how many lines may still be read.
fn changes(diff: &Diff<'_>, left: &mut usize) -> Result<Vec<Change>, GitError> {
    let mut found = Vec::new();
    for at in 0..diff.deltas().len() {
        found.extend(change(diff, at, left).map_err(library("read a file's diff"))?);
    }
    Ok(found)
}

fn change(diff: &Diff<'_>, at: usize, left: &mut usize) -> Result<Option<Change>, git2::Error> {
    let patch = Patch::from_diff(diff, at)?;
    let Some(delta) = diff.get_delta(at) else { return Ok(None) };
    let status = match delta.status() {
        Delta::Unmodified | Delta::Ignored => return Ok(None),
        Delta::Added | Delta::Untracked | Delta::Copied => FileStatus::Added,
        Delta::Deleted => FileStatus::Deleted,
        Delta::Renamed => FileStatus::Renamed,
        Delta::Typechange => FileStatus::TypeChanged,
        Delta::Modified | Delta::Unreadable | Delta::Conflicted => FileStatus::Modified,
    };
    let text = |path: Option<&[u8]>| String::from_utf8_lossy(path.unwrap_or_default()).into_owned();
    let mut change = Change {
        path: text(delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes())),
        old_path: (status == FileStatus::Renamed).then(|| text(delta.old_file().path_bytes())),
        status,
        added: Vec::new(),
        removed: 0,
        binary: delta.flags().is_binary(),
    };
    let Some(patch) = patch else { return Ok(Some(change)) };
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, line)?;
            match line.origin() {
                '-' => change.removed += 1,
                '+' if *left > 0 => {
                    *left -= 1;
                    let text = String::from_utf8_lossy(line.content());
                    let text = text.trim_end_matches(['\n', '\r']).to_owned();
                    change.added.push((line.new_lineno().unwrap_or(0), text));
                }
                // More lines than may be read, and "no newline at end of file" and the like.
                _ => {}
            }
        }
    }
    Ok(Some(change))
}
