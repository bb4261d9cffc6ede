//! Worktrees: made once however often it is asked, fed from the main checkout, left with all work committed.

use super::super::GitError;
use super::super::command::git;
use super::super::worktree::{bring, commit_leftovers, prepare};
use super::{Lab, commit, write};
use crate::core::model::attempt::Start;
use crate::values::ids::Oid;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const BRANCH: &str = "nopeek/fix/1";

fn fresh(lab: &Lab) -> (PathBuf, Oid) {
    let place = lab.place("t1-fix-1");
    let base = prepare(&lab.main, &place, BRANCH, "main", Start::Target, None).unwrap();
    (place, base)
}

fn text(place: &Path, file: &str) -> String {
    fs::read_to_string(place.join(file)).unwrap()
}

fn strings(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_worktree_is_made_once_and_keeps_its_work() {
    let lab = Lab::new();
    let (place, base) = fresh(&lab);
    assert_eq!(base, lab.tip("main"));
    commit(&place, "b.txt", "b");
    write(&place, "c.txt", "uncommitted");
    lab.commit("later.txt", "later");
    assert_eq!(fresh(&lab), (place.clone(), base));
    assert_eq!(text(&place, "c.txt"), "uncommitted");
}

#[test]
fn a_later_attempt_goes_on_from_the_one_before() {
    let lab = Lab::new();
    let (place, _) = fresh(&lab);
    let head = commit(&place, "b.txt", "b");
    let next = lab.place("t1-fix-2");
    let base = prepare(&lab.main, &next, "nopeek/fix/2", "main", Start::Previous, Some(BRANCH)).unwrap();
    assert_eq!(base, head);
    assert_eq!(text(&next, "b.txt"), "b");
}

#[test]
fn a_branch_called_nopeek_is_named_as_what_is_in_the_way() {
    let lab = Lab::new();
    lab.git(&["branch", "nopeek"]);
    let place = lab.place("t1-fix-1");
    let error = prepare(&lab.main, &place, BRANCH, "main", Start::Target, None).unwrap_err();
    assert!(matches!(&error, GitError::BranchInTheWay { branch, .. } if branch == "nopeek"), "{error}");
    assert!(error.remedy().contains("git branch -m nopeek"), "{}", error.remedy());
    assert!(!place.exists());
}

#[test]
fn somebody_elses_branch_of_that_name_is_not_taken() {
    let lab = Lab::new();
    lab.branch(BRANCH, |place| write(place, "theirs.txt", "theirs"));
    let place = lab.place("t1-fix-1");
    let error = prepare(&lab.main, &place, BRANCH, "main", Start::Target, None).unwrap_err();
    assert!(matches!(&error, GitError::BranchInTheWay { branch, .. } if branch == BRANCH), "{error}");
    assert!(!place.exists());
}

#[test]
fn a_branch_without_its_worktree_is_what_a_crash_left() {
    let lab = Lab::new();
    lab.git(&["branch", BRANCH]);
    lab.commit("later.txt", "later");
    let (place, _) = fresh(&lab);
    assert!(place.join("a.txt").exists());
}

#[test]
fn a_worktree_that_was_never_finished_is_made_again() {
    let lab = Lab::new();
    let (place, _) = fresh(&lab);
    let own = PathBuf::from(git(&place, &["rev-parse", "--absolute-git-dir"]).unwrap().trim());
    fs::write(own.join("locked"), "initializing\n").unwrap();
    fs::remove_file(place.join("a.txt")).unwrap();
    fresh(&lab);
    assert!(place.join("a.txt").exists());
    assert!(!commit_leftovers(&place, BRANCH, "left").unwrap());
}

#[test]
fn an_unknown_target_is_refused() {
    let lab = Lab::new();
    let error = prepare(&lab.main, &lab.place("x"), BRANCH, "nowhere", Start::Target, None).unwrap_err();
    assert!(matches!(&error, GitError::NoBranch(name) if name == "nowhere"), "{error}");
}

#[test]
fn leftovers_are_committed_and_ignored_files_are_not() {
    let lab = Lab::new();
    lab.commit(".gitignore", "target\n");
    let (place, base) = fresh(&lab);
    assert!(!commit_leftovers(&place, BRANCH, "left").unwrap());
    assert_eq!(lab.tip(BRANCH), base);
    write(&place, "a.txt", "changed");
    write(&place, "new.txt", "new");
    write(&place, "target/x", "ignored");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    let files = lab.git(&["log", "-1", "--name-only", "--format=%s", BRANCH]);
    assert_eq!(files, "left\n\na.txt\nnew.txt");
    assert!(!commit_leftovers(&place, BRANCH, "left").unwrap());
}

#[test]
fn work_on_another_branch_or_none_comes_to_the_attempts_branch() {
    let lab = Lab::new();
    let (place, _) = fresh(&lab);
    git(&place, &["switch", "-q", "-c", "my-own-idea"]).unwrap();
    let head = commit(&place, "b.txt", "b");
    commit_leftovers(&place, BRANCH, "left").unwrap();
    assert_eq!(lab.tip(BRANCH), head);
    git(&place, &["switch", "-q", "--detach"]).unwrap();
    write(&place, "c.txt", "c");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    assert_eq!(lab.git(&["show", &format!("{BRANCH}:c.txt")]), "c");
    git(&place, &["branch", "-q", "-D", BRANCH]).unwrap();
    commit_leftovers(&place, BRANCH, "left").unwrap();
    assert_eq!(lab.git(&["show", &format!("{BRANCH}:c.txt")]), "c");
}

#[test]
fn a_file_that_nobody_changed_is_no_work_whatever_attributes_say_of_it_now() {
    let lab = Lab::new();
    lab.commit("w.txt", "a\r\n");
    lab.commit(".gitattributes", "*.txt text\n");
    let (place, base) = fresh(&lab);
    write(&place, "w.txt", "a\r\n");
    write(&place, "b.txt", "b");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    let files = lab.git(&["diff", "--name-only", base.as_str(), BRANCH]);
    assert_eq!(files, "b.txt");
}

#[test]
fn leftovers_move_the_attempts_own_branch_whatever_head_names() {
    let lab = Lab::new();
    let (place, base) = fresh(&lab);
    git(&place, &["symbolic-ref", "HEAD", "refs/heads/main"]).unwrap();
    write(&place, "b.txt", "b");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    assert_eq!(lab.tip("main"), base, "the target is not ours to move");
    assert!(!commit_leftovers(&place, BRANCH, "left").unwrap(), "once is enough");
    assert_eq!(lab.git(&["show", &format!("{BRANCH}:b.txt")]), "b");
}

#[test]
fn work_beside_the_attempts_branch_is_kept() {
    let lab = Lab::new();
    let (place, _) = fresh(&lab);
    let one = commit(&place, "one.txt", "1");
    git(&place, &["switch", "-q", "--detach", "main"]).unwrap();
    write(&place, "two.txt", "2");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    assert_eq!(lab.tip(BRANCH), one);
    assert_eq!(lab.git(&["show", &format!("refs/nopeek/archive/beside/{BRANCH}:two.txt")]), "2");
}

#[test]
fn worktrees_of_others_are_theirs_to_prune_and_ours_are_not_pruned_by_them() {
    let lab = Lab::new();
    let away = lab.place("away");
    lab.git(&["worktree", "add", "-q", "-b", "theirs", away.to_str().unwrap()]);
    let parked = lab.place("parked");
    fs::rename(&away, &parked).unwrap();
    let (place, _) = fresh(&lab);
    super::super::archive::archive(&lab.main, &lab.place("nobody"), None, "x").unwrap();
    assert!(lab.git(&["worktree", "list"]).contains("away"), "its disk may come back");
    // One of ours whose folder has gone is made again.
    fs::remove_dir_all(&place).unwrap();
    fresh(&lab);
    assert!(place.join("a.txt").exists());
    // As in a container, where our folders are not.
    let hidden = lab.place("hidden");
    fs::rename(&place, &hidden).unwrap();
    lab.git(&["worktree", "prune"]);
    fs::rename(&hidden, &place).unwrap();
    write(&place, "b.txt", "b");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap(), "it is a worktree still");
}

#[test]
fn a_lock_of_a_killed_git_does_not_stop_leftovers() {
    let lab = Lab::new();
    let (place, _) = fresh(&lab);
    let own = PathBuf::from(git(&place, &["rev-parse", "--absolute-git-dir"]).unwrap().trim());
    for lock in
        [own.join("index.lock"), own.join("HEAD.lock"), lab.main.join(".git/refs/heads/nopeek/fix/1.lock")]
    {
        fs::write(lock, "").unwrap();
    }
    write(&place, "b.txt", "b");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    assert_eq!(lab.git(&["show", &format!("{BRANCH}:b.txt")]), "b");
}

#[test]
fn a_worktree_without_its_git_file_never_commits_to_a_repo_around_it() {
    let lab = Lab::new();
    let around = lab.folder.path();
    git(around, &["init", "-q", "-b", "home"]).unwrap();
    let (place, _) = fresh(&lab);
    write(&place, "b.txt", "b");
    fs::remove_file(place.join(".git")).unwrap();
    assert!(commit_leftovers(&place, BRANCH, "left").is_err());
    assert!(git(around, &["rev-parse", "HEAD"]).is_err(), "nothing was committed around it");
}

#[test]
fn files_are_brought_and_never_committed() {
    let lab = Lab::new();
    lab.commit(".gitignore", ".env\nnode_modules/\n");
    lab.write(".env", "SECRET=1");
    lab.write("local.json", "{}");
    lab.write("node_modules/m/index.js", "js");
    lab.write("conf/deep/x", "x");
    let (place, base) = fresh(&lab);
    let (copy, link) = (strings(&[".env", "local.json", "conf", "absent"]), strings(&["node_modules"]));
    bring(&lab.main, &place, &copy, &link).unwrap();
    bring(&lab.main, &place, &copy, &link).unwrap();
    assert_eq!((text(&place, ".env").as_str(), text(&place, "conf/deep/x").as_str()), ("SECRET=1", "x"));
    assert_eq!(text(&place, "node_modules/m/index.js"), "js");
    assert!(place.join("node_modules").is_symlink());
    assert!(!commit_leftovers(&place, BRANCH, "left").unwrap(), "brought files are nobody's work");
    assert_eq!(lab.tip(BRANCH), base);
    write(&place, "b.txt", "b");
    assert!(commit_leftovers(&place, BRANCH, "left").unwrap());
    let files = lab.git(&["log", "-1", "--name-only", "--format=", BRANCH]);
    assert_eq!(files, "b.txt");
}

#[test]
fn what_was_half_brought_is_brought_again() {
    let lab = Lab::new();
    lab.write("conf/x", "x");
    let (place, _) = fresh(&lab);
    fs::create_dir(place.join(".nopeek-bringing")).unwrap();
    write(&place, ".nopeek-bringing/half", "half");
    bring(&lab.main, &place, &strings(&["conf"]), &[]).unwrap();
    assert_eq!(text(&place, "conf/x"), "x");
    assert!(!place.join(".nopeek-bringing").exists());
}

#[test]
fn nothing_is_brought_from_or_to_outside() {
    let lab = Lab::new();
    let outside = lab.place("outside");
    write(&outside, "secret", "s");
    symlink(&outside, lab.main.join("lead-out")).unwrap();
    symlink(outside.join("secret"), lab.main.join("secret-link")).unwrap();
    let (place, _) = fresh(&lab);
    for bad in [
        "../outside/secret",
        "/etc/hostname",
        "",
        ".",
        "lead-out/secret",
        "secret-link",
        "lead-out",
        ".git/config",
    ] {
        let error = bring(&lab.main, &place, &strings(&[bad]), &[]).unwrap_err();
        assert!(matches!(error, GitError::Outside { .. }), "{bad}: {error}");
        let error = bring(&lab.main, &place, &[], &strings(&[bad])).unwrap_err();
        assert!(matches!(error, GitError::Outside { .. }), "{bad}: {error}");
    }
    // A link in the worktree, committed by somebody, leads out: nothing is written through it.
    lab.write("dir/x", "x");
    symlink(&outside, place.join("dir")).unwrap();
    assert!(matches!(bring(&lab.main, &place, &strings(&["dir/x"]), &[]), Err(GitError::Outside { .. })));
    assert!(!outside.join("x").exists());
}

#[test]
fn a_pipe_in_a_copied_folder_does_not_hang() {
    let lab = Lab::new();
    lab.write("conf/x", "x");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        lab.main.join("conf/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let (place, _) = fresh(&lab);
    bring(&lab.main, &place, &strings(&["conf"]), &[]).unwrap();
    assert_eq!(text(&place, "conf/x"), "x");
}
