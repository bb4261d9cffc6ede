//! Every kind of fact that was ever written, as it was written: it can be read for ever, and means the same.
//!
//! `facts_v1.jsonl` holds what format 1 wrote, `facts_v2.jsonl` what format 2 does: real facts, so chosen that each field
//! and each variant inside of them is there. Lines are only ever added. A new kind, or a new version of one, fails the
//! tests below until there is a line of it; the line to add is what the failure prints, or a fact of a test as JSON.

use super::upcast::{Stored, Upcaster};
use crate::core::engine::Engine;
use crate::core::model::fact::{Entry, Fact};
use serde_json::Value;
use std::collections::BTreeSet;

const FILES: [&str; 2] = [include_str!("facts_v1.jsonl"), include_str!("facts_v2.jsonl")];

/// A line of a fixture.
#[derive(serde::Deserialize)]
struct Line {
    seq: u64,
    at: u64,
    by: String,
    #[serde(default = "first")]
    v: i64,
    /// None in lines of format 1: their tag is the kind.
    kind: Option<String>,
    fact: Value,
}

fn first() -> i64 {
    1
}

fn lines(file: &str) -> Vec<Line> {
    file.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn kind_of(line: &Line) -> String {
    let tag = || line.fact.as_object().unwrap().keys().next().unwrap().clone();
    line.kind.clone().unwrap_or_else(tag)
}

fn entries(file: &str) -> Vec<Entry> {
    let mut upcaster = Upcaster::default();
    let mut entries = Vec::new();
    for line in lines(file) {
        let (kind, body) = (kind_of(&line), line.fact.to_string());
        let row = Stored { seq: line.seq, kind: &kind, version: line.v, body: &body };
        let fact = upcaster.read(&row).unwrap_or_else(|(why, what)| panic!("{why:?} {what}: {body}"));
        entries.push(Entry { seq: line.seq, at: crate::values::time::Time(line.at), by: line.by, fact });
    }
    entries
}

#[test]
fn every_kind_is_pinned_in_the_version_that_is_written_today() {
    let upcaster = Upcaster::default();
    let pinned: BTreeSet<(String, i64)> =
        FILES.iter().flat_map(|file| lines(file)).map(|line| (kind_of(&line), line.v)).collect();
    for kind in Fact::kinds() {
        let version = upcaster.version(kind);
        assert!(
            pinned.contains(&(kind.to_owned(), version)),
            "facts_v2.jsonl has no {kind} of version {version}: add a line as the ledger holds it"
        );
    }
}

/// Whether all that `old` says is in `now`, which may say more.
fn says_all(old: &Value, now: &Value) -> bool {
    match (old, now) {
        (Value::Object(old), Value::Object(now)) => {
            old.iter().all(|(key, old)| now.get(key).is_some_and(|now| says_all(old, now)))
        }
        (Value::Array(old), Value::Array(now)) => {
            old.len() == now.len() && old.iter().zip(now).all(|(old, now)| says_all(old, now))
        }
        _ => old == now,
    }
}

#[test]
fn what_was_written_is_read_and_says_the_same() {
    let upcaster = Upcaster::default();
    for file in FILES {
        for (line, entry) in lines(file).iter().zip(entries(file)) {
            let now = serde_json::to_value(&entry.fact).unwrap();
            if line.v == upcaster.version(entry.fact.kind()) {
                assert!(says_all(&line.fact, &now), "something is lost:\n{}\n{now}", line.fact);
            }
            assert!(!entry.fact.describe().is_empty(), "{now}");
        }
    }
}

#[test]
fn what_is_written_today_is_written_as_it_was_pinned() {
    let upcaster = Upcaster::default();
    for (line, entry) in lines(FILES[1]).iter().zip(entries(FILES[1])) {
        if line.v == upcaster.version(entry.fact.kind()) {
            let now = serde_json::to_value(&entry.fact).unwrap();
            assert_eq!(line.fact, now, "the form of {} has changed: add a step", entry.fact.kind());
        }
    }
}

#[test]
fn facts_fold_in_any_order_with_what_they_name_missing() {
    for file in FILES {
        let _ = Engine::replay(entries(file));
        let launched = |entry: &Entry| matches!(entry.fact, Fact::Launched { .. });
        let _ = Engine::replay(entries(file).into_iter().filter(|entry| !launched(entry)));
    }
}
