//! The archive holds all that a worktree held; nothing goes that it does not hold.

use super::super::archive::archive;
use super::super::command::git;
use super::super::worktree::prepare;
use super::{Lab, commit, write};
use crate::core::model::attempt::Start;
use std::fs;
use std::path::PathBuf;

const BRANCH: &str = "nopeek/fix/1";

fn attempt(lab: &Lab) -> PathBuf {
    let place = lab.place("t1-fix-1");
    prepare(&lab.main, &place, BRANCH, "main", Start::Target, None).unwrap();
    place
}

fn keep(lab: &Lab) {
    archive(&lab.main, &lab.place("t1-fix-1"), Some(BRANCH), "fix/t1-1").unwrap();
}

fn kept(lab: &Lab, file: &str) -> String {
    lab.git(&["show", &format!("refs/nopeek/archive/fix/t1-1:{file}")])
}

#[test]
fn uncommitted_and_untracked_work_is_kept_and_the_branch_too() {
    let lab = Lab::new();
    lab.commit(".gitignore", "target\n");
    let place = attempt(&lab);
    let head = commit(&place, "done.txt", "done");
    write(&place, "a.txt", "changed");
    write(&place, "new/file.txt", "untracked");
    write(&place, "staged.txt", "staged");
    git(&place, &["add", "staged.txt"]).unwrap();
    write(&place, "target/huge", "ignored");
    keep(&lab);
    assert_eq!((kept(&lab, "a.txt").as_str(), kept(&lab, "new/file.txt").as_str()), ("changed", "untracked"));
    assert_eq!((kept(&lab, "staged.txt").as_str(), kept(&lab, "done.txt").as_str()), ("staged", "done"));
    assert!(git(&lab.main, &["show", "refs/nopeek/archive/fix/t1-1:target/huge"]).is_err());
    assert_eq!(lab.git(&["rev-parse", "refs/nopeek/archive/fix/t1-1-branch"]), head.as_str());
    assert_eq!(lab.git(&["rev-parse", "refs/nopeek/archive/fix/t1-1^"]), head.as_str());
    assert!(!place.exists());
    assert!(git(&lab.main, &["rev-parse", "--verify", BRANCH]).is_err());
    assert_eq!(lab.git(&["worktree", "list"]).lines().count(), 1);
    keep(&lab);
    assert_eq!(kept(&lab, "a.txt"), "changed", "a second call changes nothing");
}

#[test]
fn a_clean_worktree_is_kept_as_its_head() {
    let lab = Lab::new();
    let head = commit(&attempt(&lab), "done.txt", "done");
    keep(&lab);
    assert_eq!(lab.git(&["rev-parse", "refs/nopeek/archive/fix/t1-1"]), head.as_str());
}

#[test]
fn a_removal_that_stopped_halfway_does_not_thin_the_archive() {
    let lab = Lab::new();
    let place = attempt(&lab);
    write(&place, "precious.txt", "precious");
    // What a removal leaves that was killed: the archive is made, some files are gone.
    archive(&lab.main, &place, Some(BRANCH), "fix/t1-1").unwrap();
    let place = attempt(&lab);
    keep(&lab);
    assert!(!place.exists());
    let all = lab.git(&["for-each-ref", "--format=%(refname)", "refs/nopeek/archive"]);
    let found = all.lines().any(|name| git(&lab.main, &["show", &format!("{name}:precious.txt")]).is_ok());
    assert!(found, "{all}");
}

#[test]
fn a_worktree_whose_git_file_is_gone_is_kept_as_well() {
    let lab = Lab::new();
    let place = attempt(&lab);
    write(&place, "precious.txt", "precious");
    fs::remove_file(place.join(".git")).unwrap();
    keep(&lab);
    assert!(!place.exists());
    assert_eq!(kept(&lab, "precious.txt"), "precious");
}

#[test]
fn a_stale_lock_of_a_killed_git_does_not_stop_it() {
    let lab = Lab::new();
    let place = attempt(&lab);
    write(&place, "precious.txt", "precious");
    let own = PathBuf::from(git(&place, &["rev-parse", "--absolute-git-dir"]).unwrap().trim());
    fs::write(own.join("index.lock"), "").unwrap();
    fs::write(own.join("nopeek-archive-index.lock"), "").unwrap();
    keep(&lab);
    assert_eq!(kept(&lab, "precious.txt"), "precious");
}

#[test]
fn a_broken_head_is_no_reason_to_lose_anything() {
    let lab = Lab::new();
    let place = attempt(&lab);
    git(&place, &["checkout", "-q", "--orphan", "lost"]).unwrap();
    write(&place, "precious.txt", "precious");
    keep(&lab);
    assert!(!place.exists());
    assert_eq!(kept(&lab, "precious.txt"), "precious");
}

#[test]
fn a_repo_inside_the_worktree_is_set_aside() {
    let lab = Lab::new();
    let place = attempt(&lab);
    fs::create_dir_all(place.join("vendor/inner")).unwrap();
    git(&place.join("vendor/inner"), &["init", "-q"]).unwrap();
    git(&place.join("vendor/inner"), &["config", "user.name", "Ada"]).unwrap();
    git(&place.join("vendor/inner"), &["config", "user.email", "a@b"]).unwrap();
    commit(&place.join("vendor/inner"), "precious.txt", "precious");
    keep(&lab);
    assert!(!place.exists());
    let aside = lab.place("kept").join("fix-t1-1");
    assert_eq!(fs::read_to_string(aside.join("vendor/inner/precious.txt")).unwrap(), "precious");
}

#[test]
fn a_scratch_place_goes_without_a_trace() {
    let lab = Lab::new();
    let scratch = lab.place("scratch");
    lab.git(&["worktree", "add", "-q", "--detach", scratch.to_str().unwrap()]);
    write(&scratch, "made-by-a-gate", "x");
    archive(&lab.main, &scratch, None, "fix/t1-merge").unwrap();
    assert!(!scratch.exists());
    assert_eq!(lab.git(&["for-each-ref", "refs/nopeek"]), "");
    archive(&lab.main, &scratch, None, "fix/t1-merge").unwrap();
}

#[test]
fn a_locked_worktree_goes_too() {
    let lab = Lab::new();
    let place = attempt(&lab);
    assert!(lab.git(&["worktree", "list", "--porcelain"]).contains("locked an attempt of nopeek"));
    keep(&lab);
    assert!(!place.exists());
    assert_eq!(lab.git(&["worktree", "list"]).lines().count(), 1);
}
