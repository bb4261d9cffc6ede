//! Repos: find one, its target, what a branch holds.

use super::{GitError, library};
use crate::values::ids::Oid;
use git2::{BranchType, ErrorCode, Repository, RepositoryOpenFlags};
use std::path::{Path, PathBuf};

/// A repo that work can be done in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoInfo {
    /// Its main checkout, canonical.
    pub main: PathBuf,
    /// Its git directory, shared by all worktrees.
    pub git_dir: PathBuf,
    /// The branch that the main checkout is on; none if its HEAD is detached.
    pub head_branch: Option<String>,
}

/// Finds the repo that `folder` is in, whichever worktree of it that is.
pub fn find(folder: &Path) -> Result<RepoInfo, GitError> {
    let nowhere: [&Path; 0] = [];
    let here = Repository::open_ext(folder, RepositoryOpenFlags::empty(), nowhere)
        .map_err(|_| GitError::NoRepo(folder.to_owned()))?;
    let git_dir = canonical(here.commondir())?;
    // Only a linked worktree is led back to the main checkout: a git directory that lies elsewhere does not know its own.
    let main = match here.is_worktree() {
        true => Repository::open(&git_dir).map_err(library(format!("open {}", git_dir.display())))?,
        false => here,
    };
    let Some(checkout) = main.workdir() else { return Err(GitError::Bare(git_dir)) };
    let checkout = canonical(checkout)?;
    let head_branch = match main.head() {
        Ok(head) if head.is_branch() => head.shorthand().ok().map(str::to_owned),
        Ok(_) => None,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Err(GitError::NoCommits(checkout));
        }
        Err(error) => return Err(library("read HEAD")(error)),
    };
    Ok(RepoInfo { main: checkout, git_dir, head_branch })
}

/// The branch to land on: the one wished for, else the one that is checked out.
pub fn target(repo: &RepoInfo, wished: Option<&str>) -> Result<String, GitError> {
    let name = wished.map(str::to_owned).or_else(|| repo.head_branch.clone());
    let name = name.ok_or_else(|| GitError::Detached(repo.main.clone()))?;
    tip(&repo.main, &name)?;
    Ok(name)
}

/// A file as a branch's commit has it; none if it has none.
pub fn read_file(main: &Path, branch: &str, path: &str) -> Result<Option<String>, GitError> {
    let repo = open(main)?;
    let tree = commit(&repo, branch)?.tree().map_err(library("read a tree"))?;
    let entry = match tree.get_path(Path::new(path)) {
        Ok(entry) => entry,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(library(format!("find {path}"))(error)),
    };
    let blob = entry.to_object(&repo).and_then(|object| object.peel_to_blob());
    let blob = blob.map_err(library(format!("read {path} on {branch}")))?;
    Ok(Some(String::from_utf8_lossy(blob.content()).into_owned()))
}

/// The names of what lies in a folder as a branch has it; none if there is no such folder.
pub fn list(main: &Path, branch: &str, folder: &str) -> Result<Vec<String>, GitError> {
    let repo = open(main)?;
    let tree = commit(&repo, branch)?.tree().map_err(library("read a tree"))?;
    let entry = match tree.get_path(Path::new(folder)) {
        Ok(entry) => entry,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(library(format!("find {folder}"))(error)),
    };
    let Ok(inner) = entry.to_object(&repo).and_then(|object| object.peel_to_tree()) else {
        return Ok(Vec::new());
    };
    Ok(inner.iter().filter_map(|entry| entry.name().ok().map(str::to_owned)).collect())
}

/// Whether git tracks a file of the main checkout: it is in the index.
pub fn is_tracked(main: &Path, path: &str) -> Result<bool, GitError> {
    let index = open(main)?.index().map_err(library("read the index"))?;
    Ok(index.get_path(Path::new(path), 0).is_some())
}

/// The commit that a branch is at.
pub fn tip(main: &Path, branch: &str) -> Result<Oid, GitError> {
    let repo = open(main)?;
    Ok(oid(commit(&repo, branch)?.id()))
}

pub(super) fn open(place: &Path) -> Result<Repository, GitError> {
    Repository::open(place).map_err(library(format!("open {}", place.display())))
}

/// The commit of a branch, or of a full object id.
pub(super) fn commit<'r>(repo: &'r Repository, name: &str) -> Result<git2::Commit<'r>, GitError> {
    if let (Ok(_), Ok(id)) = (Oid::new(name), git2::Oid::from_str(name)) {
        return repo.find_commit(id).map_err(library(format!("find commit {name}")));
    }
    let branch =
        repo.find_branch(name, BranchType::Local).map_err(|_| GitError::NoBranch(name.to_owned()))?;
    branch.get().peel_to_commit().map_err(library(format!("read branch {name}")))
}

#[expect(clippy::expect_used, reason = "libgit2 prints ids as full hex, which is what an id of ours is")]
pub(super) fn oid(id: git2::Oid) -> Oid {
    Oid::new(&id.to_string()).expect("an object id of libgit2 is full hex")
}

fn canonical(path: &Path) -> Result<PathBuf, GitError> {
    path.canonicalize().map_err(|source| GitError::File { act: "find", path: path.to_owned(), source })
}
