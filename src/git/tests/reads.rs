//! Finding repos and reading what branches hold.

use super::super::command::git;
use super::super::repo::{find, read_file, target};
use super::super::worktree::prepare;
use super::super::{GitError, diff};
use super::{Lab, commit, write};
use crate::core::model::attempt::Start;
use crate::core::model::diff::{DiffKind, FileStatus};
use std::fs;

#[test]
fn a_repo_is_found_from_anywhere_in_it() {
    let lab = Lab::new();
    lab.write("dir/x", "x");
    let linked = lab.place("linked");
    lab.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    for folder in [lab.main.clone(), lab.main.join("dir"), lab.main.join(".git"), linked] {
        let found = find(&folder).unwrap();
        assert_eq!((found.main, found.git_dir), (lab.main.clone(), lab.main.join(".git")), "{folder:?}");
        assert_eq!(found.head_branch.as_deref(), Some("main"));
    }
}

#[test]
fn a_git_directory_elsewhere_leads_to_the_right_checkout() {
    let lab = Lab::new();
    let (apart, git_dir) = (lab.place("apart"), lab.place("apart.git"));
    fs::create_dir_all(lab.place("")).unwrap();
    let args = ["clone", "-q", "--separate-git-dir", git_dir.to_str().unwrap(), ".", apart.to_str().unwrap()];
    lab.git(&args);
    let found = find(&apart).unwrap();
    assert_eq!((found.main, found.git_dir), (apart, git_dir));
}

#[test]
fn what_is_no_place_to_work_in_says_so_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, args: &[&str]| {
        let place = folder.path().join(name);
        fs::create_dir(&place).unwrap();
        if !args.is_empty() {
            git(&place, args).unwrap();
        }
        find(&place)
    };
    let cases = [
        make("none", &[]).unwrap_err(),
        make("bare", &["init", "-q", "--bare"]).unwrap_err(),
        make("empty", &["init", "-q"]).unwrap_err(),
    ];
    assert!(matches!(cases[0], GitError::NoRepo(_)), "{}", cases[0]);
    assert!(matches!(cases[1], GitError::Bare(_)), "{}", cases[1]);
    assert!(matches!(cases[2], GitError::NoCommits(_)), "{}", cases[2]);
    assert!(cases.iter().all(|error| !error.remedy().is_empty()));
    let lab = Lab::new();
    lab.git(&["switch", "-q", "--detach"]);
    let found = find(&lab.main).unwrap();
    assert_eq!(found.head_branch, None);
    assert!(matches!(target(&found, None), Err(GitError::Detached(_))));
    assert_eq!(target(&found, Some("main")).unwrap(), "main");
    assert!(matches!(target(&found, Some("nowhere")), Err(GitError::NoBranch(_))));
}

#[test]
fn a_file_is_read_as_the_branch_has_it() {
    let lab = Lab::new();
    lab.commit("nopeek.toml", "parallel = 1");
    lab.write("nopeek.toml", "parallel = 99");
    assert_eq!(read_file(&lab.main, "main", "nopeek.toml").unwrap().as_deref(), Some("parallel = 1"));
    assert_eq!(read_file(&lab.main, "main", "absent.toml").unwrap(), None);
}

#[test]
fn a_branch_is_measured_against_where_it_left_the_target() {
    let lab = Lab::new();
    let place = lab.place("t1");
    prepare(&lab.main, &place, "nopeek/fix/1", "main", Start::Target, None).unwrap();
    commit(&place, "b.txt", "1\n2\n");
    let head = commit(&place, "a.txt", "one\nthree\n");
    lab.commit("later.txt", "later");
    let read = diff::branch(&lab.main, "nopeek/fix/1", "main").unwrap();
    assert_eq!((read.head, read.commits), (head, 2));
    assert_eq!((read.diffstat.files, read.diffstat.added, read.diffstat.removed), (2, 2, 1));
    write(&place, "untracked.txt", "x\n");
    write(&place, "b.txt", "1\n2\n3\n");
    let (commits, stat) = diff::measure(&place, "main").unwrap();
    assert_eq!((commits, stat.files, stat.added, stat.removed), (2, 3, 4, 1));
}

#[test]
fn a_diff_tells_renames_deletions_and_binaries_apart() {
    let lab = Lab::new();
    let body: String = (0..30).map(|n| format!("line {n}\n")).collect();
    lab.commit("old.txt", &body);
    lab.commit("gone.txt", "gone\n");
    lab.branch("work", |place| {
        fs::rename(place.join("old.txt"), place.join("new.txt")).unwrap();
        fs::remove_file(place.join("gone.txt")).unwrap();
        write(place, "a.txt", "one\n\u{1b}[31mtwo\nthree\n");
        write(place, "b.bin", "\0\u{1}");
        write(place, "odd\u{202e}name", "x");
    });
    let diff = diff::read(&lab.main, "work", "main").unwrap();
    let of = |path: &str| diff.files.iter().find(|file| file.path.to_string() == path).unwrap();
    assert_eq!(of("new.txt").status, FileStatus::Renamed);
    assert_eq!(of("new.txt").old_path.as_ref().map(ToString::to_string).as_deref(), Some("old.txt"));
    assert_eq!(of("gone.txt").status, FileStatus::Deleted);
    assert!(of("b.bin").binary && of("b.bin").hunks.is_empty());
    let lines: Vec<(DiffKind, String)> =
        of("a.txt").hunks[0].lines.iter().map(|line| (line.kind, line.text.to_string())).collect();
    assert_eq!(lines[0], (DiffKind::Context, "one".to_owned()));
    assert_eq!(lines[1], (DiffKind::Removed, "two".to_owned()));
    assert!(lines[2].0 == DiffKind::Added && !lines[2].1.contains('\u{1b}'), "{lines:?}");
    assert!(diff.files.iter().all(|file| !file.path.to_string().contains('\u{202e}')));
    assert_eq!(diff.commits.len(), 1);
}

#[test]
fn a_branch_without_a_common_commit_is_read_from_nothing() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "--orphan", "alone"]);
    lab.git(&["rm", "-rfq", "."]);
    lab.commit("alone.txt", "x\n");
    lab.git(&["switch", "-q", "main"]);
    let read = diff::branch(&lab.main, "alone", "main").unwrap();
    assert_eq!((read.commits, read.diffstat.added), (1, 1));
    assert_eq!(diff::read(&lab.main, "alone", "main").unwrap().base, None);
}

#[test]
fn a_huge_diff_is_cut_and_says_so() {
    let lab = Lab::new();
    lab.branch("work", |place| {
        for n in 0..12 {
            write(place, &format!("f{n:02}"), &"x\n".repeat(15_000));
        }
    });
    let diff = diff::read(&lab.main, "work", "main").unwrap();
    let lines: usize = diff.files.iter().flat_map(|file| &file.hunks).map(|hunk| hunk.lines.len()).sum();
    assert!(lines <= 100_000, "{lines}");
    assert!(!diff.files[0].cut && diff.files[11].cut);
    assert_eq!((diff.stat.added, diff.files.len()), (180_000, 12));
}
