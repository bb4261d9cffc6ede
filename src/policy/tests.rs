//! Changes in, breaches out.

use super::*;
use crate::policy::rule::Boundary;

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

fn change(status: FileStatus, path: &str, lines: &[&str]) -> Change {
    let added = (1..).zip(lines.iter().map(|line| (*line).to_owned())).collect();
    Change { path: path.to_owned(), old_path: None, status, added, removed: 0, binary: false }
}

fn added(path: &str) -> Change {
    change(FileStatus::Added, path, &["x"])
}

fn reading(changes: Vec<Change>) -> Reading {
    Reading { base: "abc1234".to_owned(), changes, ..Reading::default() }
}

/// The breaches as `rule path:line what | remedy`.
fn lines(policy: &Policy, touches: &[&str], reading: &Reading) -> Vec<String> {
    check(policy, &patterns(touches), reading)
        .into_iter()
        .map(|breach| {
            let line = breach.line.map_or(String::new(), |line| format!(":{line}"));
            let place = breach.path.unwrap_or_default();
            format!("{} {place}{line} {} | {}", breach.rule.label(), breach.what, breach.remedy)
        })
        .collect()
}

fn only(policy: &Policy, touches: &[&str], reading: &Reading, says: &str, remedy: &str) {
    let found = lines(policy, touches, reading);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(says) && found[0].contains(remedy), "{found:?}");
}

#[test]
fn a_protected_path_may_not_be_changed_deleted_or_renamed_away() {
    let policy = Policy { protected: patterns(&["ci/**"]), ..Policy::default() };
    let modified = change(FileStatus::Modified, "ci/run it.sh", &["x"]);
    only(
        &policy,
        &[],
        &reading(vec![modified, added("src/a")]),
        "protected ci/run it.sh is changed and protected by ci/**",
        "git checkout abc1234 -- 'ci/run it.sh', then commit",
    );
    only(&policy, &[], &reading(vec![added("ci/new")]), "protected ci/new is added", "git rm -f -- 'ci/new'");
    let renamed = Change { old_path: Some("ci/a".to_owned()), ..change(FileStatus::Renamed, "b", &[]) };
    only(
        &policy,
        &[],
        &reading(vec![renamed]),
        "protected ci/a is renamed",
        "git checkout abc1234 -- 'ci/a'",
    );
}

#[test]
fn with_touchpoints_nothing_outside_of_them_may_be_changed() {
    let policy =
        Policy { always: patterns(&["specs/**"]), memory: Some("wip.md".to_owned()), ..Policy::default() };
    let changes = vec![added("src/a"), added("specs/x/notes.md"), added("wip.md"), added("docs/b")];
    assert!(
        lines(&policy, &[], &reading(changes.clone())).is_empty(),
        "without touchpoints all may be changed"
    );
    only(
        &policy,
        &["src/**", "*.sql"],
        &reading(changes),
        "touchpoints docs/b is added, and only src/**, *.sql may be changed",
        "git rm",
    );
}

#[test]
fn a_secret_is_named_by_kind_and_place_and_never_printed() {
    let secret = format!("ghp_{}", "a8Kd0Qz4LmP2xR7vT1nB5wY3cH9jF6gSa8Kd0Qz4");
    let file = change(FileStatus::Modified, "a.env", &["A=1", &format!("T={secret}")]);
    let policy = Policy::default();
    only(
        &policy,
        &[],
        &reading(vec![file.clone()]),
        "secrets a.env:2 looks like it holds a GitHub token",
        "--soft abc1234",
    );
    assert!(!lines(&policy, &[], &reading(vec![file.clone()]))[0].contains(&secret));
    let later =
        Reading { commits: vec![("def5678".to_owned(), vec![file.clone()])], ..reading(vec![added("b")]) };
    only(
        &policy,
        &[],
        &later,
        "secrets a.env looks like it holds a GitHub token in commit def5678",
        "--soft",
    );
    let both = Reading { changes: vec![file.clone()], ..later };
    only(&policy, &[], &both, "secrets a.env:2", "");
    let allowed = Policy { secrets_allow: patterns(&["*.env"]), ..Policy::default() };
    assert!(lines(&allowed, &[], &both).is_empty());
    let off = Policy { secrets: false, ..Policy::default() };
    assert!(lines(&off, &[], &both).is_empty());
}

#[test]
fn the_target_is_not_written() {
    let written = Reading { written: vec!["def5678".to_owned()], ..reading(vec![]) };
    only(
        &Policy::default(),
        &[],
        &written,
        "target  commits of this worktree are on the target already: def5678",
        "person",
    );
}

#[test]
fn a_change_has_limits() {
    let policy = Policy {
        files_max: Some(2),
        lines_max: Some(3),
        uncounted: patterns(&["*.lock"]),
        ..Policy::default()
    };
    let lock = change(FileStatus::Modified, "Cargo.lock", &["x"; 99]);
    assert!(lines(&policy, &[], &reading(vec![added("a"), added("b"), lock.clone()])).is_empty());
    let three = vec![added("a"), added("b"), added("c"), lock];
    only(&policy, &[], &reading(three), "files_max  3 files are changed, and at most 2 may be", "too large");
    let long = Change { removed: 3, ..added("a") };
    only(
        &policy,
        &[],
        &reading(vec![long]),
        "lines_max  4 lines are added and removed, and at most 3",
        "smaller",
    );
    let cut = Reading { cut: true, ..reading(vec![added("a")]) };
    only(&Policy::default(), &[], &cut, "lines_max  the change is too large to be read whole", "generated");
}

#[test]
fn migrations_go_forward_only() {
    let policy = Policy { migrations: patterns(&["db/migrations/**"]), ..Policy::default() };
    let existing =
        ["db/migrations/0001_a.sql", "db/migrations/0002_b.sql", "src/a"].map(str::to_owned).to_vec();
    let check = |changes: Vec<Change>, says: &str, remedy: &str| {
        only(&policy, &[], &Reading { existing: existing.clone(), ..reading(changes) }, says, remedy);
    };
    let old = |status| change(status, "db/migrations/0001_a.sql", &["x"]);
    check(
        vec![old(FileStatus::Modified)],
        "migrations db/migrations/0001_a.sql is a migration and was changed",
        "new",
    );
    check(
        vec![old(FileStatus::Deleted)],
        "migrations db/migrations/0001_a.sql is a migration and was deleted",
        "new",
    );
    check(
        vec![added("db/migrations/0002_c.sql"), added("db/migrations/0003_d.sql")],
        "migrations db/migrations/0002_c.sql is a new migration and does not come after db/migrations/0002_b.sql",
        "higher number",
    );
}

#[test]
fn a_boundary_is_kept_by_the_files_behind_it() {
    let boundary =
        Boundary { from: Pattern::parse("src/core/**").unwrap(), must_not: vec!["crate::daemon".to_owned()] };
    let policy = Policy { boundaries: vec![boundary], ..Policy::default() };
    let file = |path| change(FileStatus::Modified, path, &["use crate::time;", "use crate::daemon::shell;"]);
    only(
        &policy,
        &[],
        &reading(vec![file("src/core/a.rs"), file("src/cli/a.rs")]),
        "boundary src/core/a.rs:2 imports crate::daemon, which src/core/** must not use",
        "take the import out",
    );
}

#[test]
fn the_memory_is_brought_up_to_date_where_that_is_asked_for() {
    let policy = Policy { memory: Some("wip.md".to_owned()), memory_required: true, ..Policy::default() };
    only(
        &policy,
        &[],
        &reading(vec![added("a")]),
        "memory wip.md is the memory of the project",
        "what is left",
    );
    let gone = change(FileStatus::Deleted, "wip.md", &[]);
    only(&policy, &[], &reading(vec![added("a"), gone]), "memory wip.md", "");
    let kept = change(FileStatus::Modified, "wip.md", &["done"]);
    assert!(lines(&policy, &[], &reading(vec![added("a"), kept])).is_empty());
    assert!(lines(&policy, &[], &reading(vec![])).is_empty(), "nothing done, nothing to note");
}
