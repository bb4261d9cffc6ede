//! Merge candidates: built in memory by the git program, checked out in a scratch worktree, on no branch.

use super::command::{git, git_said, git_with, identity};
use super::repo::{commit, open};
use super::{GitError, library, worktree};
use crate::core::model::effect::Candidate;
use crate::values::ids::Oid;
use crate::values::text::Shown;
use git2::{Index, IndexEntry, Repository};
use std::ffi::OsStr;
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
    let tree = match merged_by_git(main, &repo, &onto, what)? {
        ByGit::Tree(tree) => tree,
        // Notes that many write are merged by a rule of our own; git has none for single files.
        ByGit::Conflict(files) if files.is_empty() || !files.iter().all(|file| union.contains(file)) => {
            return Ok(Built::Conflict(files.iter().map(|file| Shown::line(file)).collect()));
        }
        ByGit::Conflict(_) | ByGit::Unable => match merged_by_library(&repo, &onto, what, union)? {
            Ok(tree) => tree,
            Err(files) => return Ok(Built::Conflict(files)),
        },
    };
    let onto = onto.id().to_string();
    let mut args = vec!["commit-tree", &tree, "-m", message, "-p", &onto];
    if let Candidate::Merge(head) = what {
        args.extend(["-p", head.as_str()]);
    }
    let made = git_with(main, &args, &identity(main))?;
    let made = named(main, made.trim())?;
    check_out(main, scratch, &made)?;
    Ok(Built::Merged { onto: named(main, &onto)?, commit: made, tree: named(main, &tree)? })
}

/// What git itself makes of a merge.
enum ByGit {
    /// The tree's id.
    Tree(String),
    /// The files that are in conflict, sorted.
    Conflict(Vec<String>),
    /// This git can't merge without a checkout (before 2.38, or 2.40 for reverts), or there is nothing to go back to.
    Unable,
}

/// Merges as `git merge` would: with the repo's merge drivers and git's own notion of renames, attributes as the target has
/// them. Nothing is checked out.
fn merged_by_git(
    main: &Path,
    repo: &Repository,
    onto: &git2::Commit<'_>,
    what: &Candidate,
) -> Result<ByGit, GitError> {
    let ours = onto.id().to_string();
    let mut args = vec!["merge-tree".to_owned(), "--write-tree".into(), "-z".into()];
    // A branch that shares nothing with the target is a person's to judge: its diff says so.
    args.extend(["--name-only", "--no-messages", "--allow-unrelated-histories"].map(str::to_owned));
    let theirs = match what {
        Candidate::Merge(head) => head.as_str().to_owned(),
        Candidate::Revert(landed) => {
            let Ok(before) = commit(repo, landed.as_str())?.parent_id(0) else { return Ok(ByGit::Unable) };
            args.push(format!("--merge-base={landed}"));
            before.to_string()
        }
    };
    args.extend([ours.clone(), theirs]);
    let said = git_said(main, &args, &[("GIT_ATTR_SOURCE", OsStr::new(&ours))])?;
    let mut parts = said.out.split('\0');
    match (said.code, parts.next()) {
        (Some(0), Some(tree)) => Ok(ByGit::Tree(tree.trim().to_owned())),
        (Some(1), Some(_)) => {
            let mut files: Vec<String> =
                parts.take_while(|name| !name.is_empty()).map(str::to_owned).collect();
            files.sort();
            files.dedup();
            Ok(ByGit::Conflict(files))
        }
        // It does not know the command or an option.
        (Some(129), _) => Ok(ByGit::Unable),
        _ => Err(said.failed()),
    }
}

/// Merges by libgit2; the files that are in conflict, if some are left.
fn merged_by_library(
    repo: &Repository,
    onto: &git2::Commit<'_>,
    what: &Candidate,
    union: &[String],
) -> Result<Result<String, Vec<Shown>>, GitError> {
    let mut index = match what {
        Candidate::Merge(head) => {
            let head = commit(repo, head.as_str())?;
            repo.merge_commits(onto, &head, None).map_err(library("merge"))?
        }
        Candidate::Revert(landed) => {
            let landed = commit(repo, landed.as_str())?;
            let mainline = u32::from(landed.parent_count() > 1);
            repo.revert_commit(&landed, onto, mainline, None)
                .map_err(library(format!("revert {}", landed.id())))?
        }
    };
    if index.has_conflicts() {
        keep_both(repo, &mut index, union)?;
    }
    if index.has_conflicts() {
        return Ok(Err(conflicts(&index)?));
    }
    let tree = index.write_tree_to(repo).map_err(library("write the merged tree"))?;
    Ok(Ok(tree.to_string()))
}

/// An id that git printed.
fn named(main: &Path, id: &str) -> Result<Oid, GitError> {
    Oid::new(id).map_err(|error| GitError::Program {
        command: "merge-tree".to_owned(),
        place: main.to_owned(),
        said: error.to_string(),
    })
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

fn check_out(main: &Path, scratch: &Path, at: &Oid) -> Result<(), GitError> {
    worktree::remove(main, scratch)?;
    if let Some(parent) = scratch.parent() {
        std::fs::create_dir_all(parent).map_err(worktree::file("make", parent))?;
    }
    git(main, &["worktree", "add", "--force", "--force", "--detach", &scratch.to_string_lossy(), at.as_str()])
        .map(drop)
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
