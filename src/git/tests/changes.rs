//! What a policy reads of a checkout.

use super::super::changes::{read, top};
use super::super::command::git;
use super::{Lab, commit, write};
use crate::core::model::diff::FileStatus;
use crate::values::pattern::Pattern;
use std::path::PathBuf;

/// A worktree of an attempt.
fn attempt(lab: &Lab) -> PathBuf {
    let place = lab.place("t1");
    lab.git(&["worktree", "add", "-q", "-b", "nopeek/t/1", place.to_str().unwrap(), "main"]);
    place
}

#[test]
fn lines_are_read_of_the_work_and_of_its_commits() {
    let lab = Lab::new();
    let place = attempt(&lab);
    commit(&place, "b.txt", "gone\nstays\n");
    commit(&place, "b.txt", "stays\n");
    write(&place, "new/c.txt", "uncommitted\n");
    let reading = read(&place, "main", false, &[]).unwrap();
    let paths: Vec<&str> = reading.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["b.txt", "new/c.txt"]);
    assert_eq!(reading.changes[0].added, [(1, "stays".to_owned())]);
    assert_eq!(reading.commits.len(), 2);
    assert_eq!(reading.commits[1].1[0].added[0], (1, "gone".to_owned()));
    assert!(lab.tip("main").as_str().starts_with(&reading.base) && !reading.base.is_empty());
    assert!(reading.written.is_empty() && !reading.cut);
    let committed = read(&place, "main", true, &[]).unwrap();
    assert_eq!(committed.changes.len(), 1, "what is uncommitted was left out");
    assert_eq!(top(&place.join("new")).unwrap().canonicalize().unwrap(), place);
}

#[test]
fn renames_deletions_and_the_targets_files_are_seen() {
    let lab = Lab::new();
    lab.commit("db/1.sql", "one\n");
    let place = attempt(&lab);
    git(&place, &["mv", "a.txt", "z.txt"]).unwrap();
    git(&place, &["rm", "-q", "db/1.sql"]).unwrap();
    git(&place, &["commit", "-q", "-m", "move"]).unwrap();
    lab.commit("db/2.sql", "two\n");
    let reading = read(&place, "main", true, &[Pattern::parse("db/").unwrap()]).unwrap();
    assert_eq!(reading.existing, ["db/1.sql", "db/2.sql"], "as the target has them now");
    let of = |status| reading.changes.iter().find(|change| change.status == status).unwrap();
    assert_eq!(of(FileStatus::Deleted).path, "db/1.sql");
    assert_eq!(of(FileStatus::Renamed).old_path.as_deref(), Some("a.txt"));
    assert!(of(FileStatus::Renamed).added.is_empty(), "what was moved is not new");
}

#[test]
fn own_commits_on_the_target_are_seen_and_the_targets_own_are_not() {
    let lab = Lab::new();
    let place = attempt(&lab);
    lab.commit("b.txt", "somebody else's\n");
    git(&place, &["merge", "-q", "main"]).unwrap();
    let own = commit(&place, "c.txt", "own\n");
    assert!(read(&place, "main", true, &[]).unwrap().written.is_empty());
    git(&place, &["update-ref", "refs/heads/main", own.as_str()]).unwrap();
    commit(&place, "d.txt", "more\n");
    let written = read(&place, "main", true, &[]).unwrap().written;
    assert_eq!(written.len(), 1);
    assert!(own.as_str().starts_with(&written[0]));
}
