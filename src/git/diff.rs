//! Diffs: what a branch holds, how large it is, and all of it as people read it.

use super::repo::{commit, oid, open};
use super::{GitError, library};
use crate::core::model::branch::BranchRead;
use crate::core::model::diff::{Diff, DiffKind, DiffLine, DiffStat, FileDiff, FileStatus, Hunk};
use crate::values::text::Shown;
use git2::{Delta, DiffFindOptions, DiffOptions, ErrorCode, Patch, Repository, Revwalk};
use std::path::Path;

/// Most commits that are listed with a diff.
const COMMITS_MAX: usize = 200;

/// What `branch` holds beyond the target.
pub fn branch(main: &Path, branch: &str, target: &str) -> Result<BranchRead, GitError> {
    let repo = open(main)?;
    let head = commit(&repo, branch)?;
    let base = base(&repo, head.id(), target)?;
    let (old, new) = (tree_of(&repo, base)?, head.tree().map_err(library("read a tree"))?);
    let diff = repo.diff_tree_to_tree(old.as_ref(), Some(&new), None).map_err(library("compare"))?;
    Ok(BranchRead {
        head: oid(head.id()),
        tree: oid(new.id()),
        commits: ahead(&repo, head.id(), base)?,
        diffstat: stat(&diff)?,
        deliverable: None,
        remarks: Vec::new(),
    })
}

/// Commits and size of a worktree's work so far, uncommitted and untracked files included.
pub fn measure(worktree: &Path, target: &str) -> Result<(u32, DiffStat), GitError> {
    let repo = open(worktree)?;
    let head = repo.head().and_then(|head| head.peel_to_commit()).map_err(library("read HEAD"))?;
    let base = base(&repo, head.id(), target)?;
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).show_untracked_content(true);
    let diff = repo
        .diff_tree_to_workdir_with_index(tree_of(&repo, base)?.as_ref(), Some(&mut options))
        .map_err(library("compare"))?;
    Ok((ahead(&repo, head.id(), base)?, stat(&diff)?))
}

/// The diff of a branch or commit against its merge base with the target, as people read it.
pub fn read(main: &Path, head: &str, target: &str) -> Result<Diff, GitError> {
    let repo = open(main)?;
    let head = commit(&repo, head)?;
    let base = base(&repo, head.id(), target)?;
    let (old, new) = (tree_of(&repo, base)?, head.tree().map_err(library("read a tree"))?);
    let mut diff = repo.diff_tree_to_tree(old.as_ref(), Some(&new), None).map_err(library("compare"))?;
    let mut renames = DiffFindOptions::new();
    diff.find_similar(Some(renames.renames(true))).map_err(library("find renames"))?;
    let (mut files, mut left) = (Vec::new(), Diff::LINES_MAX);
    for at in 0..diff.deltas().len() {
        files.push(file(&diff, at, &mut left)?);
    }
    Ok(Diff {
        base: base.map(oid),
        head: Some(oid(head.id())),
        stat: stat(&diff)?,
        files,
        commits: commits(&repo, head.id(), base)?,
    })
}

/// Where a branch leaves the target; none if they have no commit in common, and then it is read from nothing.
pub(super) fn base(repo: &Repository, head: git2::Oid, target: &str) -> Result<Option<git2::Oid>, GitError> {
    let target_tip = commit(repo, target)?.id();
    match repo.merge_base(head, target_tip) {
        Ok(base) => Ok(Some(base)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(library(format!("find where the branch leaves {target}"))(error)),
    }
}

pub(super) fn tree_of(repo: &Repository, at: Option<git2::Oid>) -> Result<Option<git2::Tree<'_>>, GitError> {
    let tree = |at| repo.find_commit(at).and_then(|commit| commit.tree());
    at.map(tree).transpose().map_err(library("read a tree"))
}

fn ahead(repo: &Repository, head: git2::Oid, base: Option<git2::Oid>) -> Result<u32, GitError> {
    let counted = match base {
        Some(base) => repo.graph_ahead_behind(head, base).map(|(ahead, _)| ahead),
        None => walk(repo, head, base).map(Iterator::count),
    };
    Ok(u32::try_from(counted.map_err(library("count commits"))?).unwrap_or(u32::MAX))
}

/// The commits of `head` that `base` does not hold, newest first.
pub(super) fn walk(
    repo: &Repository,
    head: git2::Oid,
    base: Option<git2::Oid>,
) -> Result<Revwalk<'_>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.push(head)?;
    base.map_or(Ok(()), |base| walk.hide(base))?;
    Ok(walk)
}

fn stat(diff: &git2::Diff<'_>) -> Result<DiffStat, GitError> {
    let stats = diff.stats().map_err(library("measure a diff"))?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(DiffStat {
        files: count(stats.files_changed()),
        added: count(stats.insertions()),
        removed: count(stats.deletions()),
    })
}

fn commits(
    repo: &Repository,
    head: git2::Oid,
    base: Option<git2::Oid>,
) -> Result<Vec<(String, Shown)>, GitError> {
    let listed = || {
        walk(repo, head, base)?
            .take(COMMITS_MAX)
            .map(|id| {
                let commit = repo.find_commit(id?)?;
                let subject =
                    String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
                Ok((oid(commit.id()).short().to_owned(), Shown::line(&subject)))
            })
            .collect::<Result<Vec<_>, git2::Error>>()
    };
    listed().map_err(library("list commits"))
}

/// A file of a diff; `left` is how many lines may still be read.
fn file(diff: &git2::Diff<'_>, at: usize, left: &mut usize) -> Result<FileDiff, GitError> {
    let failed = || library("read a file's diff");
    let shown = |path: Option<&[u8]>| Shown::line(&String::from_utf8_lossy(path.unwrap_or_default()));
    let patch = Patch::from_diff(diff, at).map_err(failed())?;
    let Some(delta) = diff.get_delta(at) else {
        return Err(failed()(git2::Error::from_str("it is not in the list")));
    };
    let status = match delta.status() {
        Delta::Added | Delta::Untracked | Delta::Copied => FileStatus::Added,
        Delta::Deleted => FileStatus::Deleted,
        Delta::Renamed => FileStatus::Renamed,
        Delta::Typechange => FileStatus::TypeChanged,
        _ => FileStatus::Modified,
    };
    let path = shown(delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()));
    let old_path = (status == FileStatus::Renamed).then(|| shown(delta.old_file().path_bytes()));
    let mut of = FileDiff {
        path,
        old_path,
        status,
        added: 0,
        removed: 0,
        binary: delta.flags().is_binary(),
        cut: false,
        hunks: Vec::new(),
    };
    if let Some(patch) = patch {
        let (_, added, removed) = patch.line_stats().map_err(failed())?;
        of.added = u32::try_from(added).unwrap_or(u32::MAX);
        of.removed = u32::try_from(removed).unwrap_or(u32::MAX);
        let may = FileDiff::LINES_MAX.min(*left);
        let unread = hunks(&patch, &mut of, may).map_err(failed())?;
        *left -= may - unread;
    }
    Ok(of)
}

/// Reads at most `left` lines; returns how many more might have been read.
fn hunks(patch: &Patch<'_>, of: &mut FileDiff, mut left: usize) -> Result<usize, git2::Error> {
    for at in 0..patch.num_hunks() {
        if left == 0 {
            of.cut = true;
            break;
        }
        let (hunk, lines) = patch.hunk(at)?;
        let header = String::from_utf8_lossy(hunk.header()).into_owned();
        let section = header.splitn(3, "@@").nth(2).unwrap_or("").trim().to_owned();
        let mut read = Hunk {
            old_start: hunk.old_start(),
            new_start: hunk.new_start(),
            section: Shown::line(&section),
            lines: Vec::new(),
        };
        for line in 0..lines {
            if left == 0 {
                of.cut = true;
                break;
            }
            left -= 1;
            let line = patch.line_in_hunk(at, line)?;
            let kind = match line.origin() {
                '+' => DiffKind::Added,
                '-' => DiffKind::Removed,
                ' ' => DiffKind::Context,
                // "No newline at end of file" and the like.
                _ => continue,
            };
            let text = String::from_utf8_lossy(line.content()).into_owned();
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = Shown::lines(text.strip_suffix('\r').unwrap_or(text));
            read.lines.push(DiffLine { kind, text: text.into_iter().next().unwrap_or_default() });
        }
        of.hunks.push(read);
    }
    Ok(left)
}
