//! Worktrees: make one for an attempt, bring files into it, commit what its agent left.

use super::command::{git, git_dir, git_with, identity};
use super::repo::{self, oid, open};
use super::{GitError, archive, library};
use crate::core::model::attempt::Start;
use crate::values::ids::Oid;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where a file or folder is copied to before it takes its name, so that half a copy is never taken for a whole one.
const BRINGING: &str = ".nopeek-bringing";
/// Most entries that one call of git is given.
const ENTRIES_MAX: usize = 500;

/// Makes `branch` and its worktree at `place`; returns the commit that the branch starts from. What stands already
/// is taken as it is, but for a branch that holds somebody else's commits.
pub fn prepare(
    main: &Path,
    place: &Path,
    branch: &str,
    target: &str,
    start: Start,
    previous: Option<&str>,
) -> Result<Oid, GitError> {
    let from = match (start, previous) {
        (Start::Previous, Some(previous)) => previous,
        (Start::Previous | Start::Target, _) => target,
    };
    let start = repo::tip(main, from)?;
    let there = repo::tip(main, branch);
    if there.is_ok() && place.join(".git").exists() {
        if !is_unfinished(place) {
            hold(main, place)?;
            return base(main, branch, from);
        }
        remove(main, place)?;
    }
    free(main, branch, there.as_ref().ok(), &start)?;
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(file("make", parent))?;
    }
    if place.exists() {
        fs::remove_dir_all(place).map_err(file("clear", place))?;
    }
    // An entry of ours whose folder has gone is taken over; those of others are theirs to prune.
    let place_text = place.to_string_lossy();
    let add = ["worktree", "add", "--force", "--force"];
    if there.is_ok() {
        git(main, &[&add[..], &[&place_text, branch]].concat())?;
    } else {
        let from = format!("refs/heads/{from}");
        git(main, &[&add[..], &["--no-track", "-b", branch, &place_text, &from]].concat())?;
    }
    hold(main, place)?;
    base(main, branch, from)
}

/// Locks a worktree of ours, so that nobody's `git worktree prune` takes it for gone: one in a container does not see our
/// folders. Once git has written all files: until then its own lock says that it has not.
fn hold(main: &Path, place: &Path) -> Result<(), GitError> {
    if git_dir(place)?.join("locked").exists() {
        return Ok(());
    }
    git(main, &["worktree", "lock", "--reason", "an attempt of nopeek", &place.to_string_lossy()]).map(drop)
}

/// Whether git was killed while it made a worktree: until all files are there, it holds a lock that says so.
fn is_unfinished(place: &Path) -> bool {
    let lock = git_dir(place).and_then(|own| {
        let lock = own.join("locked");
        fs::read_to_string(&lock).map_err(file("read", &lock))
    });
    lock.is_ok_and(|reason| reason.trim() == "initializing")
}

/// Refuses if `branch` can't be made, or is there and holds more than `start`: then it is not what a crash of ours left.
fn free(main: &Path, branch: &str, there: Option<&Oid>, start: &Oid) -> Result<(), GitError> {
    let in_the_way =
        |name: &str| Err(GitError::BranchInTheWay { branch: name.to_owned(), wanted: branch.to_owned() });
    if let Some(tip) = there {
        let is_ours = git(main, &["merge-base", "--is-ancestor", tip.as_str(), start.as_str()]).is_ok();
        return if is_ours { Ok(()) } else { in_the_way(branch) };
    }
    for (at, _) in branch.match_indices('/') {
        if repo::tip(main, &branch[..at]).is_ok() {
            return in_the_way(&branch[..at]);
        }
    }
    let below = format!("refs/heads/{branch}/");
    let below = git(main, &["for-each-ref", "--count=1", "--format=%(refname:lstrip=2)", &below])?;
    if below.trim().is_empty() { Ok(()) } else { in_the_way(below.trim()) }
}

fn base(main: &Path, branch: &str, from: &str) -> Result<Oid, GitError> {
    let at = open(main)?;
    let (ours, theirs) = (repo::commit(&at, branch)?.id(), repo::commit(&at, from)?.id());
    at.merge_base(ours, theirs).map(oid).map_err(library(format!("find where {branch} leaves {from}")))
}

/// Copies and links files of the main checkout into a worktree; what is not there is left out. What was brought is noted,
/// so that it is never committed as somebody's work.
pub fn bring(main: &Path, place: &Path, copy: &[String], link: &[String]) -> Result<(), GitError> {
    let half = place.join(BRINGING);
    clear(&half)?;
    for name in copy {
        let Some((from, to)) = ends(main, place, name)? else { continue };
        note_brought(place, name)?;
        copy_all(&from, &half)?;
        if half.symlink_metadata().is_ok() {
            fs::rename(&half, &to).map_err(file("copy", &to))?;
        }
    }
    for name in link {
        let Some((from, to)) = ends(main, place, name)? else { continue };
        note_brought(place, name)?;
        std::os::unix::fs::symlink(&from, &to).map_err(file("link", &to))?;
    }
    Ok(())
}

/// The list of what was brought into a worktree; it lies in the worktree's own git directory.
fn brought_list(place: &Path) -> Result<PathBuf, GitError> {
    Ok(git_dir(place)?.join("nopeek-brought"))
}

fn note_brought(place: &Path, name: &str) -> Result<(), GitError> {
    let (list, mut names) = (brought_list(place)?, deliverable(place)?);
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
        fs::write(&list, names.join("\0")).map_err(file("write", &list))?;
    }
    Ok(())
}

pub(super) fn deliverable(place: &Path) -> Result<Vec<String>, GitError> {
    let list = brought_list(place)?;
    match fs::read_to_string(&list) {
        Ok(names) => Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(file("read", &list)(error)),
    }
}

/// What was brought and is neither tracked nor ignored: git would take it for work.
fn untracked_brought(place: &Path) -> Result<Vec<String>, GitError> {
    let mut names = deliverable(place)?;
    if !names.is_empty() {
        let mut args = vec!["--literal-pathspecs", "ls-files", "--others", "--exclude-standard", "-z", "--"];
        args.extend(names.iter().map(String::as_str));
        let others = git(place, &args)?;
        names.retain(|name| {
            others.split('\0').any(|path| !path.is_empty() && Path::new(path).starts_with(name))
        });
    }
    Ok(names)
}

fn clear(path: &Path) -> Result<(), GitError> {
    match path.symlink_metadata() {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path).map_err(file("clear", path)),
        Ok(_) => fs::remove_file(path).map_err(file("clear", path)),
        Err(_) => Ok(()),
    }
}

/// Where a file comes from and goes to; none if it is not in the checkout or is in the worktree already.
fn ends(main: &Path, place: &Path, name: &str) -> Result<Option<(PathBuf, PathBuf)>, GitError> {
    let outside = || GitError::Outside { path: name.to_owned() };
    let is_inside =
        |part: Component<'_>| matches!(part, Component::Normal(part) if !part.eq_ignore_ascii_case(".git"));
    if name.is_empty() || !Path::new(name).components().all(is_inside) {
        return Err(outside());
    }
    let (from, to) = (main.join(name), place.join(name));
    let Ok(real) = from.canonicalize() else { return Ok(None) };
    if !real.starts_with(main) {
        return Err(outside());
    }
    // A committed link in the worktree must not lead what is written out of it.
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(file("make", parent))?;
        let real = parent.canonicalize().map_err(file("find", parent))?;
        let place = place.canonicalize().map_err(file("find", place))?;
        if !real.starts_with(place) {
            return Err(outside());
        }
    }
    Ok(fs::symlink_metadata(&to).is_err().then_some((from, to)))
}

fn copy_all(from: &Path, to: &Path) -> Result<(), GitError> {
    // Pipes, sockets and devices are left out: to read them may never end.
    if from.is_file() {
        return fs::copy(from, to).map(drop).map_err(file("copy", from));
    } else if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(file("make", to))?;
    for entry in fs::read_dir(from).map_err(file("read", from))? {
        let entry = entry.map_err(file("read", from))?;
        // Links inside a copied folder are left out: they may lead anywhere.
        if !entry.path().is_symlink() {
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Commits what an agent left uncommitted, untracked files too, and sees to it that `branch` holds it even if the
/// agent went on on another branch. Returns whether there was anything.
pub fn commit_leftovers(worktree: &Path, branch: &str, message: &str) -> Result<bool, GitError> {
    unlock(worktree, branch)?;
    let mut own = vec![OsString::from("--"), OsString::from(".")];
    own.extend(
        untracked_brought(worktree)?.iter().map(|name| format!(":(exclude,top,literal){name}").into()),
    );
    let with = |args: &[&str]| args.iter().map(OsString::from).chain(own.iter().cloned()).collect::<Vec<_>>();
    let status = git(worktree, &with(&["status", "--porcelain", "-z", "--untracked-files=all"]))?;
    let left = !status.is_empty();
    let mut head = git(worktree, &["rev-parse", "HEAD"])?.trim().to_owned();
    if left {
        git(worktree, &with(&["add", "--all"]))?;
        keep_as_committed(worktree)?;
        if git(worktree, &["diff", "--cached", "--quiet"]).is_err() {
            head = commit_index(worktree, &head, message)?;
            let names = git(worktree, &["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
            if names.trim() != format!("refs/heads/{branch}") {
                // The worktree's own HEAD, and not what it names, which may be the target or somebody's branch.
                git(worktree, &["update-ref", "--no-deref", "HEAD", &head])?;
            }
        }
    }
    bring_home(worktree, branch, &head)?;
    Ok(left)
}

/// Takes files out of the index's changes whose bytes are those that were committed: attributes that came later (`text`)
/// make git write them anew, and that is nobody's work.
fn keep_as_committed(worktree: &Path) -> Result<(), GitError> {
    let changed = ["diff-index", "--cached", "--raw", "--no-renames", "--diff-filter=M", "-z", "HEAD"];
    let changed = git(worktree, &changed)?;
    let mut parts = changed.split('\0');
    let mut entries = Vec::new();
    while let (Some(about), Some(path)) = (parts.next(), parts.next()) {
        let about: Vec<&str> = about.split(' ').collect();
        let [_, mode, committed, written, ..] = about[..] else { continue };
        let file = worktree.join(path);
        let is_file = file.symlink_metadata().is_ok_and(|meta| meta.is_file());
        let now = git2::Oid::hash_file(git2::ObjectType::Blob, &file).map(|id| id.to_string());
        if committed != written && is_file && now.is_ok_and(|now| now == committed) {
            entries.extend(["--cacheinfo".to_owned(), format!("{mode},{committed},{path}")]);
        }
    }
    for entries in entries.chunks(ENTRIES_MAX * 2) {
        git(worktree, &[&["update-index".to_owned()], entries].concat())?;
    }
    Ok(())
}

/// A commit of the index on top of `head`, and of what was being merged into it; no ref moves, whatever HEAD names.
fn commit_index(worktree: &Path, head: &str, message: &str) -> Result<String, GitError> {
    let tree = git(worktree, &["write-tree"])?;
    let merged = git(worktree, &["rev-parse", "--verify", "--quiet", "MERGE_HEAD"]).ok();
    let mut args = vec!["commit-tree", tree.trim(), "-m", message, "-p", head];
    args.extend(merged.iter().flat_map(|merged| ["-p", merged.trim()]));
    Ok(git_with(worktree, &args, &identity(worktree))?.trim().to_owned())
}

/// Moves the attempt's own branch to `head`, and nothing else. Where the branch holds what `head` does not, `head` is kept
/// in the archive beside it.
fn bring_home(worktree: &Path, branch: &str, head: &str) -> Result<(), GitError> {
    let (name, message) = (format!("refs/heads/{branch}"), "nopeek: what the agent left");
    let Ok(at) = git(worktree, &["rev-parse", "--verify", "--quiet", &name]) else {
        // An empty old value: it must not be there.
        return git(worktree, &["update-ref", "-m", message, &name, head, ""]).map(drop);
    };
    let at = at.trim();
    if at == head {
        return Ok(());
    }
    let is_on = |old: &str, new: &str| git(worktree, &["merge-base", "--is-ancestor", old, new]).is_ok();
    if is_on(at, head) {
        return git(worktree, &["update-ref", "-m", message, &name, head, at]).map(drop);
    }
    if !is_on(head, at) {
        archive::keep(worktree, &format!("beside/{branch}"), head)?;
    }
    Ok(())
}

/// Takes away the locks of git processes that were killed with the agent. Its job has ended, and nobody else works
/// here.
fn unlock(worktree: &Path, branch: &str) -> Result<(), GitError> {
    let own = git_dir(worktree)?;
    let shared = git(worktree, &["rev-parse", "--git-common-dir"])?;
    let shared = worktree.join(shared.trim_end_matches('\n'));
    let locks = [
        own.join("index.lock"),
        own.join("HEAD.lock"),
        shared.join("refs/heads").join(format!("{branch}.lock")),
    ];
    for lock in locks {
        match fs::remove_file(&lock) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file("remove", &lock)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes a worktree away, whatever it holds.
pub(super) fn remove(main: &Path, place: &Path) -> Result<(), GitError> {
    let forget = || git(main, &["worktree", "remove", "--force", "--force", &place.to_string_lossy()]);
    if forget().is_err() && place.symlink_metadata().is_ok() {
        fs::remove_dir_all(place).map_err(file("remove", place))?;
        // Its entry, if it still has one: git could not read what stood there.
        let _ = forget();
    }
    Ok(())
}

pub(super) fn file<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> GitError + 'a {
    move |source| GitError::File { act, path: path.to_owned(), source }
}
