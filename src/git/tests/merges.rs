//! Candidates: merges and reverts that are built beside everything else.

use super::super::command::git;
use super::super::merge::{self, Built};
use super::super::refs::move_target;
use super::{Lab, write};
use crate::core::model::effect::Candidate;
use crate::values::ids::Oid;
use std::fs;

fn build(lab: &Lab, what: Candidate) -> Built {
    merge::build(&lab.main, &lab.place("scratch"), "main", &what, "nopeek: land it", &["wip.md".to_owned()])
        .unwrap()
}

fn made(built: Built) -> (Oid, Oid) {
    match built {
        Built::Merged { onto, commit, .. } => (onto, commit),
        Built::Conflict(files) => panic!("{files:?}"),
    }
}

fn conflicts(built: Built) -> Vec<String> {
    match built {
        Built::Conflict(files) => files.iter().map(ToString::to_string).collect(),
        Built::Merged { .. } => panic!("it merged"),
    }
}

#[test]
fn a_merge_has_two_parents_even_where_the_target_has_not_moved() {
    let lab = Lab::new();
    let head = lab.branch("work", |place| write(place, "b.txt", "b"));
    let onto_before = lab.tip("main");
    let (onto, commit) = made(build(&lab, Candidate::Merge(head.clone())));
    assert_eq!(onto, onto_before);
    let parents = lab.git(&["log", "-1", "--format=%P%n%s%n%an <%ae>%n%cn", commit.as_str()]);
    assert_eq!(parents, format!("{onto} {head}\nnopeek: land it\nAda <ada@example.com>\nAda"));
    assert_eq!(lab.tip("main"), onto, "the target stays");
    let scratch = lab.place("scratch");
    assert_eq!(git(&scratch, &["rev-parse", "HEAD"]).unwrap().trim(), commit.as_str());
    assert!(git(&scratch, &["symbolic-ref", "HEAD"]).is_err(), "detached");
    assert_eq!(fs::read_to_string(scratch.join("b.txt")).unwrap(), "b");
}

#[test]
fn a_second_build_takes_the_place_of_the_first_whatever_is_there() {
    let lab = Lab::new();
    let head = lab.branch("work", |place| write(place, "b.txt", "b"));
    made(build(&lab, Candidate::Merge(head.clone())));
    write(&lab.place("scratch"), "left.txt", "by a gate");
    lab.commit("c.txt", "c");
    let (onto, _) = made(build(&lab, Candidate::Merge(head.clone())));
    assert_eq!(onto, lab.tip("main"));
    assert!(lab.place("scratch").join("c.txt").exists() && !lab.place("scratch").join("left.txt").exists());
    fs::remove_file(lab.place("scratch").join(".git")).unwrap();
    made(build(&lab, Candidate::Merge(head)));
}

#[test]
fn conflicts_are_named_and_nothing_is_made() {
    let lab = Lab::new();
    lab.commit("gone.txt", "x\n");
    let head = lab.branch("work", |place| {
        write(place, "a.txt", "one\nTHEIRS\nthree\n");
        write(place, "gone.txt", "y\n");
        write(place, "both.bin", "\0theirs");
    });
    fs::remove_file(lab.main.join("gone.txt")).unwrap();
    lab.write("both.bin", "\0ours");
    lab.commit("a.txt", "one\nOURS\nthree\n");
    assert_eq!(conflicts(build(&lab, Candidate::Merge(head))), ["a.txt", "both.bin", "gone.txt"]);
    assert!(!lab.place("scratch").exists());
    assert_eq!(lab.status(), "");
}

#[test]
fn a_rename_on_one_side_takes_the_others_changes_along() {
    let lab = Lab::new();
    let body: String = (0..40).map(|n| format!("line {n}\n")).collect();
    lab.commit("old.txt", &body);
    let head = lab.branch("work", |place| fs::rename(place.join("old.txt"), place.join("new.txt")).unwrap());
    lab.commit("old.txt", &body.replace("line 7\n", "line seven\n"));
    made(build(&lab, Candidate::Merge(head)));
    let scratch = lab.place("scratch");
    assert!(fs::read_to_string(scratch.join("new.txt")).unwrap().contains("line seven"));
    assert!(!scratch.join("old.txt").exists());
}

#[test]
fn a_merge_driver_of_the_repo_has_its_say() {
    let lab = Lab::new();
    lab.commit(".gitattributes", "generated.txt merge=ours\n");
    lab.commit("generated.txt", "base\n");
    lab.git(&["config", "merge.ours.driver", "true"]);
    let head = lab.branch("work", |place| write(place, "generated.txt", "theirs\n"));
    lab.commit("generated.txt", "ours\n");
    made(build(&lab, Candidate::Merge(head)));
    assert_eq!(fs::read_to_string(lab.place("scratch").join("generated.txt")).unwrap(), "ours\n");
}

#[test]
fn who_commits_is_whom_git_itself_would_name() {
    let lab = Lab::new();
    let head = lab.branch("work", |place| write(place, "b.txt", "b"));
    lab.write("work.inc", "[user]\nemail = ada@work.example\n");
    lab.git(&["remote", "add", "origin", "https://work.example/x"]);
    lab.git(&["config", "includeIf.hasconfig:remote.*.url:https://work.example/**.path", "../work.inc"]);
    let (_, commit) = made(build(&lab, Candidate::Merge(head)));
    let who = lab.git(&["log", "-1", "--format=%an <%ae>, %ce", commit.as_str()]);
    assert_eq!(who, "Ada <ada@work.example>, ada@work.example");
}

#[test]
fn a_landed_merge_is_reverted_whole() {
    let lab = Lab::new();
    let head = lab.branch("work", |place| {
        write(place, "a.txt", "theirs");
        write(place, "b.bin", "\0\u{1}\u{2}");
    });
    let (from, landed) = made(build(&lab, Candidate::Merge(head)));
    move_target(&lab.main, "main", &from, &landed, "one").unwrap();
    lab.commit("later.txt", "later");
    let (onto, back) = made(build(&lab, Candidate::Revert(landed.clone())));
    move_target(&lab.main, "main", &onto, &back, "two").unwrap();
    assert_eq!((lab.read("a.txt").as_str(), lab.read("later.txt").as_str()), ("one\ntwo\nthree\n", "later"));
    assert!(!lab.main.join("b.bin").exists());
    assert_eq!(lab.git(&["log", "-1", "--format=%P", back.as_str()]), onto.as_str());
    // What came to lean on it is in conflict with its going.
    lab.git(&["revert", "--no-edit", back.as_str()]);
    lab.commit("a.txt", "theirs and more");
    assert_eq!(conflicts(build(&lab, Candidate::Revert(landed))), ["a.txt"]);
}

#[test]
fn without_a_name_nopeek_signs() {
    let lab = Lab::new();
    let head = lab.branch("work", |place| write(place, "b.txt", "b"));
    lab.git(&["config", "user.name", ""]);
    let (_, commit) = made(build(&lab, Candidate::Merge(head)));
    let who = lab.git(&["log", "-1", "--format=%an <%ae>", commit.as_str()]);
    assert_eq!(who, "nopeek <nopeek@localhost>");
}

#[test]
fn a_branch_without_a_common_commit_merges_or_says_so() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "--orphan", "alone"]);
    lab.git(&["rm", "-rfq", "."]);
    let head = lab.commit("alone.txt", "x");
    lab.git(&["switch", "-q", "main"]);
    made(build(&lab, Candidate::Merge(head)));
    assert!(lab.place("scratch").join("alone.txt").exists());
}
