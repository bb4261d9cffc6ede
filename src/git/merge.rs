//! Merge candidates: built in memory, checked out in a scratch worktree, on no branch.

use super::command::git;
use super::repo::{commit, oid, open};
use super::{GitError, library, worktree};
use crate::core::model::effect::Candidate;
use crate::values::ids::Oid;
use crate::values::text::Shown;
use git2::{Index, IndexEntry, Repository, Signature};
use std::path::Path;

/// What came of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// The candidate stands in the scratch worktree.
    Merged {
        /// The target's commit that it was built on.
        onto: Oid,
        commit: Oid,
        tree: Oid,
    },
    /// It does not merge; nothing was made.
    Conflict(Vec<Shown>),
}

/// Merges a head into the target's tip, or reverts a landed merge on it, and checks the result out at `scratch`. The
/// target is not moved.
pub fn build(
    main: &Path,
    scratch: &Path,
    target: &str,
    what: &Candidate,
    message: &str,
    union: &[String],
) -> Result<Built, GitError> {
    let repo = open(main)?;
    let onto = commit(&repo, target)?;
    let (mut index, other) = match what {
        Candidate::Merge(head) => {
            let head = commit(&repo, head.as_str())?;
            let index =
                repo.merge_commits(&onto, &head, None).map_err(library(format!("merge into {target}")))?;
            (index, Some(head))
        }
        Candidate::Revert(landed) => {
            let landed = commit(&repo, landed.as_str())?;
            let mainline = u32::from(landed.parent_count() > 1);
            let index = repo
                .revert_commit(&landed, &onto, mainline, None)
                .map_err(library(format!("revert {}", landed.id())))?;
            (index, None)
        }
    };
    if index.has_conflicts() {
        keep_both(&repo, &mut index, union)?;
    }
    if index.has_conflicts() {
        return Ok(Built::Conflict(conflicts(&index)?));
    }
    let tree_id = index.write_tree_to(&repo).map_err(library("write the merged tree"))?;
    let tree = repo.find_tree(tree_id).map_err(library("read the merged tree"))?;
    let who = signature(&repo)?;
    let parents: Vec<&git2::Commit<'_>> = std::iter::once(&onto).chain(other.as_ref()).collect();
    let made = repo
        .commit(None, &who, &who, message, &tree, &parents)
        .map_err(library("write the merged commit"))?;
    check_out(main, scratch, made)?;
    Ok(Built::Merged { onto: oid(onto.id()), commit: oid(made), tree: oid(tree_id) })
}

/// Resolves the conflicts in these files by keeping both sides, one after the other: they are notes that many write.
fn keep_both(repo: &Repository, index: &mut Index, files: &[String]) -> Result<(), GitError> {
    let conflicts: Vec<git2::IndexConflict> =
        index.conflicts().map_err(library("read the conflicts"))?.filter_map(Result::ok).collect();
    for conflict in conflicts {
        let (Some(ours), Some(theirs)) = (&conflict.our, &conflict.their) else { continue };
        let path = String::from_utf8_lossy(&ours.path).into_owned();
        if !files.contains(&path) || ours.path != theirs.path {
            continue;
        }
        let ancestor = match &conflict.ancestor {
            Some(entry) => entry,
            // Both have begun the file: as if it had been empty before.
            None => &IndexEntry { id: repo.blob(b"").map_err(library("write an empty file"))?, ..copy(ours) },
        };
        let mut options = git2::MergeFileOptions::new();
        let both = repo
            .merge_file_from_index(ancestor, ours, theirs, Some(options.favor(git2::FileFavor::Union)))
            .map_err(library(format!("merge {path}")))?;
        let entry = IndexEntry {
            id: repo.blob(both.content()).map_err(library(format!("write {path}")))?,
            flags: 0,
            ..copy(ours)
        };
        index.remove_path(Path::new(&path)).map_err(library(format!("merge {path}")))?;
        index
            .conflict_remove(Path::new(&path))
            .or_else(|error| if error.code() == git2::ErrorCode::NotFound { Ok(()) } else { Err(error) })
            .map_err(library(format!("merge {path}")))?;
        index.add(&entry).map_err(library(format!("merge {path}")))?;
    }
    Ok(())
}

fn copy(entry: &IndexEntry) -> IndexEntry {
    IndexEntry {
        ctime: entry.ctime,
        mtime: entry.mtime,
        dev: entry.dev,
        ino: entry.ino,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        file_size: entry.file_size,
        id: entry.id,
        flags: entry.flags,
        flags_extended: entry.flags_extended,
        path: entry.path.clone(),
    }
}

fn check_out(main: &Path, scratch: &Path, at: git2::Oid) -> Result<(), GitError> {
    worktree::remove(main, scratch)?;
    if let Some(parent) = scratch.parent() {
        std::fs::create_dir_all(parent).map_err(worktree::file("make", parent))?;
    }
    git(main, &["worktree", "add", "--detach", &scratch.to_string_lossy(), &at.to_string()]).map(drop)
}

fn conflicts(index: &Index) -> Result<Vec<Shown>, GitError> {
    let mut files: Vec<Shown> = index
        .conflicts()
        .map_err(library("read the conflicts"))?
        .filter_map(Result::ok)
        .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
        .map(|entry| Shown::line(&String::from_utf8_lossy(&entry.path)))
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// Who commits: whom the repo names, else nopeek.
fn signature(repo: &Repository) -> Result<Signature<'static>, GitError> {
    repo.signature()
        .or_else(|_| Signature::now("nopeek", "nopeek@localhost"))
        .map_err(library("name a committer"))
}
