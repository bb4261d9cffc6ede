//! The target moves by compare-and-swap, takes clean checkouts along, and never costs anybody work.

use super::super::command::git;
use super::super::merge::{self, Built};
use super::super::refs::{Moved, move_target};
use super::{Lab, commit, write};
use crate::core::model::effect::Candidate;
use crate::values::ids::Oid;
use std::fs;
use std::path::Path;

/// A merge of a branch that `work` made: what it was built on, and the merge.
fn built(lab: &Lab, work: impl FnOnce(&Path)) -> (Oid, Oid) {
    let head = lab.branch("work", work);
    match merge::build(&lab.main, &lab.place("scratch"), "main", &Candidate::Merge(head), "land", &[])
        .unwrap()
    {
        Built::Merged { onto, commit, .. } => (onto, commit),
        Built::Conflict(files) => panic!("{files:?}"),
    }
}

fn land(lab: &Lab, from: &Oid, to: &Oid) -> Moved {
    move_target(&lab.main, "main", from, to, "key").unwrap()
}

fn refused(moved: Moved) -> String {
    match moved {
        Moved::Refused(reason) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clean_checkout_comes_along_and_both_ends_are_kept() {
    let lab = Lab::new();
    lab.write("notes.txt", "mine, untracked");
    let (from, to) = built(&lab, |place| {
        write(place, "a.txt", "one\n2\nthree\n");
        write(place, "dir/b.txt", "new");
    });
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!((lab.tip("main"), lab.read("a.txt").as_str()), (to.clone(), "one\n2\nthree\n"));
    assert_eq!((lab.read("dir/b.txt").as_str(), lab.read("notes.txt").as_str()), ("new", "mine, untracked"));
    assert_eq!(lab.status(), "?? notes.txt");
    assert_eq!(lab.git(&["rev-parse", "refs/nopeek/landed/key"]), to.as_str());
    assert_eq!(lab.git(&["rev-parse", "refs/nopeek/landed/key-from"]), from.as_str());
    assert_eq!(land(&lab, &from, &to), Moved::Moved, "again");
}

#[test]
fn a_target_that_is_not_where_it_was_stays_there() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    let theirs = lab.commit("c.txt", "c");
    assert_eq!(land(&lab, &from, &to), Moved::Stale);
    assert_eq!(lab.tip("main"), theirs);
    assert_eq!(lab.status(), "");
}

#[test]
fn a_dirty_checkout_is_refused_and_nothing_moves() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| {
        write(place, "a.txt", "theirs");
        write(place, "b.txt", "b");
    });
    for staged in [false, true] {
        lab.write("a.txt", "mine");
        if staged {
            lab.git(&["add", "a.txt"]);
        }
        let reason = refused(land(&lab, &from, &to));
        assert!(reason.contains("a.txt") && reason.contains("commit or stash"), "{reason}");
        assert_eq!((lab.tip("main"), lab.read("a.txt").as_str()), (from.clone(), "mine"));
        assert!(!lab.main.join("b.txt").exists());
    }
}

#[test]
fn what_a_landing_does_not_touch_may_be_changed() {
    let lab = Lab::new();
    lab.commit("c.txt", "c");
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    lab.write("a.txt", "mine");
    lab.write("c.txt", "mine too");
    lab.write("d.txt", "new");
    lab.git(&["add", "c.txt", "d.txt"]);
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!((lab.read("b.txt").as_str(), lab.read("a.txt").as_str()), ("b", "mine"));
    assert_eq!(lab.status(), "M a.txt\nM  c.txt\nA  d.txt");
}

#[test]
fn a_staged_file_where_the_merge_needs_a_folder_is_refused() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "dir/b.txt", "theirs"));
    lab.write("dir", "mine");
    lab.git(&["add", "dir"]);
    assert!(refused(land(&lab, &from, &to)).contains("dir"));
    assert_eq!((lab.tip("main"), lab.read("dir").as_str()), (from, "mine"));
}

#[test]
fn a_target_that_is_being_rebased_or_bisected_stays() {
    let lab = Lab::new();
    lab.commit("c.txt", "c");
    lab.commit("d.txt", "d");
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    for (begin, end, word) in [
        (&["rebase", "-q", "--exec", "false", "HEAD~1"][..], &["rebase", "--abort"][..], "rebased"),
        (&["bisect", "start", "HEAD", "HEAD~2"], &["bisect", "reset"], "bisected"),
    ] {
        let _ = git(&lab.main, begin);
        let reason = refused(land(&lab, &from, &to));
        assert!(reason.contains(word), "{reason}");
        git(&lab.main, end).unwrap();
        assert_eq!(lab.tip("main"), from);
    }
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
}

#[test]
fn a_lock_on_the_target_is_told_and_not_taken_for_another_tip() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    let lock = lab.main.join(".git/refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let error = move_target(&lab.main, "main", &from, &to, "key").unwrap_err().to_string();
    assert!(error.contains("main.lock") && error.contains("File exists"), "{error}");
    fs::remove_file(lock).unwrap();
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
}

#[test]
fn an_untracked_file_that_the_merge_brings_is_refused() {
    let lab = Lab::new();
    lab.commit(".gitignore", "ignored.txt\n");
    let (from, to) = built(&lab, |place| {
        write(place, "b.txt", "theirs");
        write(place, "ignored.txt", "theirs");
        git(place, &["add", "-f", "ignored.txt"]).unwrap();
    });
    for file in ["b.txt", "ignored.txt"] {
        lab.write(file, "mine");
        let reason = refused(land(&lab, &from, &to));
        assert!(reason.contains(file), "{reason}");
        assert_eq!((lab.tip("main"), lab.read(file).as_str()), (from.clone(), "mine"));
        fs::remove_file(lab.main.join(file)).unwrap();
    }
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
}

#[test]
fn an_ignored_file_where_a_rename_leads_is_refused() {
    let lab = Lab::new();
    lab.commit(".gitignore", "moved.txt\n");
    let (from, to) = built(&lab, |place| {
        fs::rename(place.join("a.txt"), place.join("moved.txt")).unwrap();
        git(place, &["add", "-f", "moved.txt"]).unwrap();
    });
    lab.write("moved.txt", "mine");
    assert!(refused(land(&lab, &from, &to)).contains("moved.txt"));
    assert_eq!((lab.tip("main"), lab.read("moved.txt").as_str()), (from, "mine"));
}

#[test]
fn an_untracked_file_where_the_merge_needs_a_folder_is_refused() {
    let lab = Lab::new();
    lab.commit(".gitignore", "dir\n");
    let (from, to) = built(&lab, |place| {
        write(place, "dir/b.txt", "theirs");
        git(place, &["add", "-f", "dir/b.txt"]).unwrap();
    });
    lab.write("dir", "mine");
    assert!(refused(land(&lab, &from, &to)).contains("dir"));
    assert_eq!((lab.tip("main"), lab.read("dir").as_str()), (from, "mine"));
}

#[test]
fn a_folder_that_becomes_a_file_is_brought_along_unless_it_holds_more() {
    let lab = Lab::new();
    lab.commit(".gitignore", "*.log\n");
    lab.commit("dir/b.txt", "b");
    let (from, to) = built(&lab, |place| {
        fs::remove_dir_all(place.join("dir")).unwrap();
        write(place, "dir", "a file now");
    });
    lab.write("dir/mine.log", "mine, ignored");
    assert!(refused(land(&lab, &from, &to)).contains("dir"));
    assert_eq!((lab.tip("main"), lab.read("dir/mine.log").as_str()), (from.clone(), "mine, ignored"));
    fs::remove_file(lab.main.join("dir/mine.log")).unwrap();
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(lab.read("dir"), "a file now");
    assert_eq!(lab.status(), "");
}

#[test]
fn a_crash_between_the_ref_and_the_files_is_finished_by_the_second_call() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| {
        write(place, "a.txt", "theirs");
        write(place, "b.txt", "b");
    });
    lab.git(&["update-ref", "refs/heads/main", to.as_str(), from.as_str()]);
    // Only the time of a file has changed since.
    lab.write("a.txt", "one\ntwo\nthree\n");
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(
        (lab.read("a.txt").as_str(), lab.read("b.txt").as_str(), lab.status().as_str()),
        ("theirs", "b", "")
    );
}

#[test]
fn work_done_in_the_moment_of_a_crash_is_kept() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| {
        write(place, "a.txt", "theirs");
        write(place, "b.txt", "b");
    });
    lab.git(&["update-ref", "refs/heads/main", to.as_str(), from.as_str()]);
    lab.write("a.txt", "mine");
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!((lab.read("a.txt").as_str(), lab.read("b.txt").as_str()), ("mine", "b"));
    assert_eq!(lab.status(), "M a.txt", "it shows as a change of theirs");
}

#[test]
fn a_late_second_call_leaves_newer_work_alone() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "a.txt", "theirs"));
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    lab.write("a.txt", "mine, staged");
    lab.git(&["add", "a.txt"]);
    lab.write("a.txt", "mine, newer");
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(lab.read("a.txt"), "mine, newer");
    assert_eq!(lab.git(&["show", ":a.txt"]), "mine, staged");
    lab.commit("a.txt", "mine, committed");
    let mine = lab.tip("main");
    assert_eq!(land(&lab, &from, &to), Moved::Moved, "it has landed, whatever came after");
    assert_eq!((lab.tip("main"), lab.read("a.txt").as_str()), (mine, "mine, committed"));
}

#[test]
fn git_at_work_in_the_checkout_is_waited_for() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    lab.write(".git/index.lock", "");
    assert!(refused(land(&lab, &from, &to)).contains("index.lock"));
    assert_eq!(lab.tip("main"), from);
    fs::remove_file(lab.main.join(".git/index.lock")).unwrap();
    lab.write(".git/MERGE_HEAD", &format!("{to}\n"));
    assert!(refused(land(&lab, &from, &to)).contains("merge"));
    assert_eq!(lab.tip("main"), from);
}

#[test]
fn a_linked_checkout_of_the_target_comes_along_too() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| {
        write(place, "a.txt", "theirs");
        write(place, "b.txt", "b");
    });
    lab.git(&["switch", "-q", "-c", "elsewhere"]);
    let linked = lab.place("linked");
    lab.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "main"]);
    write(&linked, "a.txt", "mine");
    assert!(refused(land(&lab, &from, &to)).contains("linked"));
    write(&linked, "a.txt", "one\ntwo\nthree\n");
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(fs::read_to_string(linked.join("b.txt")).unwrap(), "b");
    assert!(!lab.main.join("b.txt").exists());
}

#[test]
fn a_target_that_is_checked_out_nowhere_just_moves() {
    let lab = Lab::new();
    let (from, to) = built(&lab, |place| write(place, "b.txt", "b"));
    lab.git(&["switch", "-q", "-c", "elsewhere"]);
    lab.write("a.txt", "dirty, and no matter");
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(lab.tip("main"), to);
    assert!(!lab.main.join("b.txt").exists());
}

#[test]
fn nothing_of_the_repo_runs_while_it_lands() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    let ran = lab.place("ran");
    fs::create_dir_all(ran.parent().unwrap()).unwrap();
    for hook in ["post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"] {
        let file = format!(".git/hooks/{hook}");
        lab.write(&file, &format!("#!/bin/sh\necho {hook} >> {}\nexit 1\n", ran.display()));
        fs::set_permissions(lab.main.join(&file), fs::Permissions::from_mode(0o755)).unwrap();
    }
    lab.git(&["config", "core.fsmonitor", &format!("echo fsmonitor >> {}", ran.display())]);
    lab.git(&["config", "diff.external", &format!("echo external >> {}", ran.display())]);
    lab.git(&["config", "commit.gpgSign", "true"]);
    let (from, to) = built(&lab, |place| drop(commit(place, "b.txt", "b")));
    assert_eq!(land(&lab, &from, &to), Moved::Moved);
    assert_eq!(fs::read_to_string(&ran).unwrap_or_default(), "");
}
