//! How work is done: with a test beside each change of code, and in commits that can be read one by one.

use crate::core::model::diff::FileStatus;
use crate::core::model::diff::{Change, Reading};
use crate::policy::rule::{Breach, Policy, Rule, is_in};
use crate::values::words::plural;

/// Code that was changed without a test.
pub(crate) fn tests(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    if policy.tests.is_empty() {
        return;
    }
    let is_test = |change: &Change| is_in(&policy.tests, &change.path);
    let is_code =
        |change: &Change| !is_test(change) && (policy.code.is_empty() || is_in(&policy.code, &change.path));
    let Some(code) = reading.changes.iter().find(|change| is_code(change)) else { return };
    let tested = reading
        .changes
        .iter()
        .any(|change| is_test(change) && change.status != FileStatus::Deleted && !change.added.is_empty());
    if !tested {
        let what = "is changed, and no test is".to_owned();
        let remedy = "write a test that fails without the change, see it fail, and commit it";
        breaches.push(Breach::of(Rule::Tests, &code.path, None, what, remedy.to_owned()));
    }
}

/// Commits that are too large to be read one by one.
pub(crate) fn commits(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    let Some(max) = policy.commit_lines_max else { return };
    for (commit, changes) in &reading.commits {
        let counted = changes.iter().filter(|change| !is_in(&policy.uncounted, &change.path));
        let lines: usize = counted.map(|change| change.added.len()).sum();
        if lines > max as usize {
            let lines = plural::counted(lines, "line");
            let what = format!("commit {commit} adds {lines}, and at most {max} may be added by one");
            let remedy = format!(
                "split it: git reset --soft {}, then commit one step after the other",
                if reading.base.is_empty() { "BASE" } else { &reading.base }
            );
            breaches.push(Breach::whole(Rule::CommitLinesMax, what, remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::check;
    use crate::values::pattern::Pattern;

    fn change(path: &str, lines: u32) -> Change {
        Change {
            path: path.to_owned(),
            old_path: None,
            status: FileStatus::Modified,
            added: (1..=lines).map(|n| (n, "x".to_owned())).collect(),
            removed: 0,
            binary: false,
        }
    }

    fn says(policy: &Policy, reading: &Reading) -> Vec<String> {
        check(policy, &[], reading)
            .iter()
            .map(|breach| format!("{} {}", breach.rule.label(), breach.what))
            .collect()
    }

    #[test]
    fn code_needs_a_test_beside_it() {
        let pattern = |text: &str| Pattern::parse(text).unwrap();
        let policy =
            Policy { tests: vec![pattern("tests/**")], code: vec![pattern("src/**")], ..Policy::default() };
        let reading = |changes: Vec<Change>| Reading { changes, ..Reading::default() };
        assert_eq!(
            says(&policy, &reading(vec![change("src/a.rs", 1)])),
            ["tests is changed, and no test is"]
        );
        assert!(says(&policy, &reading(vec![change("src/a.rs", 1), change("tests/a.rs", 1)])).is_empty());
        assert!(says(&policy, &reading(vec![change("README.md", 1)])).is_empty(), "no code");
        let gone = Change { status: FileStatus::Deleted, added: Vec::new(), ..change("tests/a.rs", 0) };
        assert_eq!(
            says(&policy, &reading(vec![change("src/a.rs", 1), gone])).len(),
            1,
            "a deleted test is none"
        );
        let all = Policy { code: Vec::new(), ..policy };
        assert_eq!(
            says(&all, &reading(vec![change("README.md", 1)])).len(),
            1,
            "everything else counts as code"
        );
    }

    #[test]
    fn a_commit_can_be_too_large_while_the_whole_is_not() {
        let policy = Policy { commit_lines_max: Some(3), ..Policy::default() };
        let commits = vec![
            ("abc".to_owned(), vec![change("a", 2), change("b", 2)]),
            ("def".to_owned(), vec![change("a", 3)]),
        ];
        let reading = Reading { commits, ..Reading::default() };
        assert_eq!(
            says(&policy, &reading),
            ["commit_lines_max commit abc adds 4 lines, and at most 3 may be added by one"]
        );
        let uncounted = Policy { uncounted: vec![Pattern::parse("b").unwrap()], ..policy };
        assert!(says(&uncounted, &reading).is_empty());
    }
}
