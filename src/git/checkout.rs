//! A checkout of the target after the target has moved: index and files follow, and nobody's work is lost.

use super::command::git;
use super::repo::open;
use super::worktree::file;
use super::{GitError, library};
use crate::values::ids::Oid;
use git2::{Delta, DiffOptions, Index, IndexEntry, Repository, Status};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Most paths that one call of git is given.
const PATHS_MAX: usize = 500;

/// Takes the index and the files from one commit to the other. Where that can't be done in one go, because somebody
/// worked there in the moment of a crash, each file is looked at by itself.
pub(super) fn bring_along(place: &Path, from: &Oid, to: &Oid) -> Result<(), GitError> {
    // A file whose time alone has changed is no change; what has changed is told below.
    let _ = git(place, &["update-index", "-q", "--refresh"]);
    match git(place, &["read-tree", "-m", "-u", from.as_str(), to.as_str()]) {
        Ok(_) => Ok(()),
        Err(_) => one_by_one(place, from, to),
    }
}

/// Brings each file along whose index entry is still the old one. A file that somebody changed is left as it is, and
/// then shows as their change to the new one.
fn one_by_one(place: &Path, from: &Oid, to: &Oid) -> Result<(), GitError> {
    let repo = open(place)?;
    let mut index = repo.index().map_err(library("open the index"))?;
    let (mut write, mut remove) = (Vec::new(), Vec::new());
    for change in changes(&repo, from, to).map_err(library("compare"))? {
        let now = index.get_path(&change.path, 0).map(|entry| (entry.id, entry.mode));
        if now != change.old {
            continue;
        }
        let is_theirs = match change.old {
            Some(_) => repo.status_file(&change.path).map_err(library("read a status"))?.intersects(CHANGED),
            None => place.join(&change.path).symlink_metadata().is_ok(),
        };
        enter(&mut index, &change).map_err(library("write the index"))?;
        if !is_theirs {
            if change.new.is_some() { write.push(change.path) } else { remove.push(change.path) }
        }
    }
    index.write().map_err(library("write the index"))?;
    for path in &remove {
        let path = place.join(path);
        fs::remove_file(&path).map_err(file("remove", &path))?;
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != place);
        // The first folder that is not empty ends it.
        let _ = folders.map(fs::remove_dir).take_while(Result::is_ok).count();
    }
    for paths in write.chunks(PATHS_MAX) {
        let words = ["checkout-index", "--index", "--force", "--"].map(OsString::from);
        let args: Vec<OsString> = words.into_iter().chain(paths.iter().map(OsString::from)).collect();
        git(place, &args)?;
    }
    Ok(())
}

/// Signs that a file is not as the index has it.
const CHANGED: Status = Status::WT_NEW
    .union(Status::WT_MODIFIED)
    .union(Status::WT_DELETED)
    .union(Status::WT_TYPECHANGE)
    .union(Status::WT_RENAMED);

/// A path that differs between two commits: what it was and what it becomes.
struct Change {
    path: PathBuf,
    old: Option<(git2::Oid, u32)>,
    new: Option<(git2::Oid, u32)>,
}

fn changes(repo: &Repository, from: &Oid, to: &Oid) -> Result<Vec<Change>, git2::Error> {
    let tree = |at: &Oid| repo.find_commit(git2::Oid::from_str(at.as_str())?)?.tree();
    let mut options = DiffOptions::new();
    options.include_typechange(true);
    let diff = repo.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), Some(&mut options))?;
    let side = |file: git2::DiffFile<'_>| (file.id(), u32::from(file.mode()));
    Ok(diff
        .deltas()
        .map(|delta| {
            let path = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes());
            Change {
                path: PathBuf::from(OsStr::from_bytes(path.unwrap_or_default())),
                old: (delta.status() != Delta::Added).then(|| side(delta.old_file())),
                new: (delta.status() != Delta::Deleted).then(|| side(delta.new_file())),
            }
        })
        .collect())
}

fn enter(index: &mut Index, change: &Change) -> Result<(), git2::Error> {
    let Some((id, mode)) = change.new else { return index.remove(&change.path, 0) };
    let zero = git2::IndexTime::new(0, 0);
    index.add(&IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: change.path.as_os_str().as_bytes().to_vec(),
    })
}
