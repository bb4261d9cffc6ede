//! The end of an attempt: what its diff alone would not tell a reviewer.

use super::super::command::git;
use super::super::ending::{remarks, unfinished};
use super::super::worktree::{commit_leftovers, prepare};
use super::{Lab, commit, write};
use crate::core::model::attempt::Start;
use std::fs;
use std::path::{Path, PathBuf};

const BRANCH: &str = "nopeek/fix/1";

fn attempt(lab: &Lab) -> PathBuf {
    let place = lab.place("fix-1");
    prepare(&lab.main, &place, BRANCH, "main", Start::Target, None).unwrap();
    place
}

/// All that is said once the attempt has ended.
fn said(lab: &Lab, place: &Path) -> Vec<String> {
    let mut all = unfinished(place).unwrap();
    commit_leftovers(place, BRANCH, "left").unwrap();
    all.extend(remarks(&lab.main, place, BRANCH, "main").unwrap());
    all
}

#[test]
fn ordinary_work_has_no_remarks() {
    let lab = Lab::new();
    lab.write("a.txt", "an edit of before");
    let old = fs::File::options().append(true).open(lab.main.join("a.txt")).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let place = attempt(&lab);
    commit(&place, "b.txt", "b");
    write(&place, "c.txt", "c");
    assert_eq!(said(&lab, &place), Vec::<String>::new());
}

#[test]
fn a_merge_in_the_middle_and_its_markers_are_told() {
    let lab = Lab::new();
    let place = attempt(&lab);
    git(&place, &["switch", "-q", "-c", "other"]).unwrap();
    commit(&place, "a.txt", "x\n");
    git(&place, &["switch", "-q", BRANCH]).unwrap();
    commit(&place, "a.txt", "y\n");
    assert!(git(&place, &["merge", "-q", "other"]).is_err());
    let said = said(&lab, &place);
    assert_eq!(
        said,
        [
            "the attempt ended in the middle of a merge",
            "conflicts were left unresolved in a.txt",
            "conflict markers were committed in a.txt"
        ]
    );
}

#[test]
fn work_on_another_branch_is_told() {
    let lab = Lab::new();
    let place = attempt(&lab);
    commit(&place, "one.txt", "1");
    git(&place, &["switch", "-q", "-c", "mine", "main"]).unwrap();
    commit(&place, "two.txt", "2");
    let said = said(&lab, &place);
    assert!(said.len() == 1 && said[0].starts_with("work on another branch ("), "{said:?}");
    // The next attempt of that name has nothing to do with it.
    lab.git(&["worktree", "remove", "--force", "--force", place.to_str().unwrap()]);
    lab.git(&["branch", "-q", "-D", BRANCH]);
    let place = attempt(&lab);
    commit(&place, "three.txt", "3");
    assert_eq!(remarks(&lab.main, &place, BRANCH, "main").unwrap(), Vec::<String>::new());
}

#[test]
fn a_repo_inside_is_told_and_a_submodule_is_not() {
    let lab = Lab::new();
    let place = attempt(&lab);
    for name in ["app", "sub"] {
        git(&place, &["init", "-q", name]).unwrap();
        commit(&place.join(name), "main.c", "int x;");
    }
    write(&place, ".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ./sub\n");
    let said = said(&lab, &place);
    assert_eq!(said, ["nested repo inside the worktree (app): its files are not part of this"]);
}

#[test]
fn what_came_to_the_target_and_its_checkout_meanwhile_is_told() {
    let lab = Lab::new();
    let place = attempt(&lab);
    commit(&place, "b.txt", "b");
    lab.commit("evil.txt", "evil");
    lab.write("a.txt", "beside its worktree");
    let said = said(&lab, &place);
    assert!(said[0].starts_with("main has moved since this began, and not by nopeek: "), "{said:?}");
    assert_eq!(
        said[1],
        "main is checked out with changes (a.txt) that came during the attempt and are not part of it"
    );
    // What nopeek lands is no news.
    lab.git(&["update-ref", "refs/nopeek/landed/x", "main"]);
    assert_eq!(remarks(&lab.main, &place, BRANCH, "main").unwrap().len(), 1);
}

#[test]
fn work_that_shares_nothing_with_the_target_is_told() {
    let lab = Lab::new();
    let place = attempt(&lab);
    git(&place, &["switch", "-q", "--orphan", "empty"]).unwrap();
    commit(&place, "new.txt", "new");
    git(&place, &["branch", "-q", "-f", BRANCH, "empty"]).unwrap();
    git(&place, &["switch", "-q", BRANCH]).unwrap();
    assert_eq!(said(&lab, &place), ["it shares no commit with main"]);
}
