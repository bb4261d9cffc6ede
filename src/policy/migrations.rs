//! Migrations go forward only: what is there stays as it is, what is new comes after it.

use crate::core::model::diff::FileStatus;
use crate::core::model::diff::Reading;
use crate::policy::rule::{Breach, Policy, Rule, is_in, undo, verb};
use std::cmp::Ordering;

pub(crate) fn check(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    if policy.migrations.is_empty() {
        return;
    }
    let existing: Vec<&str> =
        reading.existing.iter().map(String::as_str).filter(|path| is_in(&policy.migrations, path)).collect();
    for change in &reading.changes {
        let was = change.old_path.as_deref().unwrap_or(&change.path);
        if change.status != FileStatus::Added && is_in(&policy.migrations, was) {
            let what = format!("is a migration and was {}: those that are there have been run", verb(change));
            let remedy =
                format!("{}; put what is to change into a new migration", undo(change, &reading.base));
            breaches.push(Breach::of(Rule::Migrations, was, None, what, remedy));
        } else if change.status != FileStatus::Deleted && is_in(&policy.migrations, &change.path) {
            let others = existing.iter().filter(|other| **other != change.path);
            let later = others.filter(|other| !comes_after(&change.path, other)).max_by(|a, b| natural(a, b));
            if let Some(later) = later {
                let what = format!("is a new migration and does not come after {later}");
                let remedy = "give it a higher number or a later date than all that are there".to_owned();
                breaches.push(Breach::of(Rule::Migrations, &change.path, None, what, remedy));
            }
        }
    }
}

/// Whether a new migration sorts after one that is there. What can't be compared (a note beside numbered files, the
/// migrations of another part) is fine.
fn comes_after(new: &str, there: &str) -> bool {
    let (new, there): (Vec<&str>, Vec<&str>) = (new.split('/').collect(), there.split('/').collect());
    let common = new.iter().zip(&there).take_while(|(a, b)| a == b).count();
    let (Some(a), Some(b)) = (new.get(common), there.get(common)) else { return true };
    match (version(a), version(b)) {
        (Some(a), Some(b)) => natural(a, b) == Ordering::Greater,
        (None, None) if common + 1 == new.len() && new.len() == there.len() => {
            natural(a, b) == Ordering::Greater
        }
        _ => true,
    }
}

/// The number or date that a name begins with: `0007` of `0007_users.sql`, `2026-01-02` of `2026-01-02_users`, `12` of
/// `V12__users.sql`.
fn version(name: &str) -> Option<&str> {
    let name = match name.as_bytes() {
        [b'V' | b'v', digit, ..] if digit.is_ascii_digit() => &name[1..],
        _ => name,
    };
    let end = name.find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '_' | '.')).unwrap_or(name.len());
    let version = name[..end].trim_end_matches(|c: char| !c.is_ascii_digit());
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// Compares texts with the numbers in them taken as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (in_a, in_b) = (digits(a), digits(b));
        if in_a > 0 && in_b > 0 {
            let (left, right) = (a[..in_a].trim_start_matches('0'), b[..in_b].trim_start_matches('0'));
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[in_a..], &b[in_b..]);
            continue;
        }
        let (left, right) = (a.chars().next(), b.chars().next());
        if left != right || left.is_none() {
            return left.cmp(&right);
        }
        let step = left.map_or(0, char::len_utf8);
        (a, b) = (&a[step..], &b[step..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_migration_comes_after_all_that_are_there() {
        let cases = [
            ("m/0002_b.sql", "m/0001_a.sql", true),
            ("m/0001_b.sql", "m/0001_a.sql", false),
            ("m/10_b.sql", "m/9_a.sql", true),
            ("m/V10__b.sql", "m/V9__a.sql", true),
            ("m/2026-01-02-000000_b/up.sql", "m/2026-01-01-000000_a/up.sql", true),
            ("m/2025-12-31-000000_b/up.sql", "m/2026-01-01-000000_a/up.sql", false),
            ("app1/migrations/0001_b.py", "app2/migrations/0009_a.py", true),
            ("m/0002_b.py", "m/__init__.py", true),
            ("m/users.sql", "m/teas.sql", true),
            ("m/cups.sql", "m/teas.sql", false),
        ];
        for (new, there, after) in cases {
            assert_eq!(comes_after(new, there), after, "{new} {there}");
        }
    }
}
