//! How long a start takes with a long ledger: opened and checked, loaded, folded; and what a back-up takes.
//!
//! Run by hand: `cargo bench --bench ledger -- 200000 1000000`. A plain program: one run of each size says enough, and
//! takes seconds.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a measurement that can't go on says why")]

use nopeek::core::engine::Engine;
use nopeek::core::model::fact::{Entry, Fact};
use nopeek::os::clock;
use nopeek::store::backup;
use nopeek::store::ledger::Ledger;
use nopeek::values::time::Time;
use serde_json::Value;
use std::time::Duration;

/// Facts of a task from its launch to the archive, as they are decided for one that is gated twice and lands; in the
/// shares in which ledgers have them (about 30 a task, half of them effects).
const LIFE: &[&str] = &[
    "launched",
    "asked",
    "attempt_opened",
    "settled",
    "worktree_made",
    "asked",
    "job_opened",
    "settled",
    "job_ran",
    "session_known",
    "agent_said",
    "usage_known",
    "agent_said",
    "usage_known",
    "job_ended",
    "asked",
    "settled",
    "branch_known",
    "asked",
    "job_opened",
    "settled",
    "job_ran",
    "job_ended",
    "gate_judged",
    "attempt_over",
    "review_opened",
    "approved",
    "asked",
    "settled",
    "candidate_built",
    "landed",
    "asked",
    "settled",
    "forgotten",
];
/// Of so many tasks one is not archived: a board of a year of work.
const STAYS: u64 = 200;

/// A fact of each kind, from the pinned ones.
fn samples() -> Vec<(String, Value)> {
    let lines = include_str!("../src/store/facts_v2.jsonl").lines();
    let read = lines.map(|line| serde_json::from_str::<Value>(line).expect("a pinned fact"));
    read.map(|line| (line["kind"].as_str().unwrap_or_default().to_owned(), line["fact"].clone())).collect()
}

/// Gives a fact the numbers of its task.
fn numbered(fact: &mut Value, task: u64, job: u64, effect: u64) {
    match fact {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), &value) {
                    ("task", Value::Number(_)) => *value = task.into(),
                    ("job", Value::Number(_)) => *value = job.into(),
                    ("effect" | "id", Value::Number(_)) => *value = effect.into(),
                    ("no", Value::Number(_)) => *value = 1.into(),
                    ("name", Value::String(_)) if value != "scripted" => {
                        *value = format!("task-{task}").into();
                    }
                    _ => numbered(value, task, job, effect),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| numbered(value, task, job, effect)),
        _ => {}
    }
}

fn make(ledger: &mut Ledger, facts: u64) {
    let samples = samples();
    let (mut written, mut task, mut job, mut effect) = (0, 0, 0, 0);
    while written < facts {
        task += 1;
        let mut batch: Vec<Fact> = Vec::new();
        for kind in LIFE.iter().filter(|kind| **kind != "forgotten" || task % STAYS != 0) {
            job += u64::from(*kind == "job_opened");
            effect += u64::from(*kind == "asked");
            let (_, sample) = samples.iter().find(|(of, _)| of == kind).expect("a sample of each");
            let mut fact = sample.clone();
            numbered(&mut fact, task, job, effect);
            batch.push(serde_json::from_value(fact).expect("a fact"));
        }
        written += batch.len() as u64;
        ledger.append(Time(1_000_000 + task * 1_000), "bench", &batch).expect("written");
    }
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let began = clock::instant();
    let made = what();
    (made, began.elapsed())
}

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    println!("{:>9} {:>6} {:>9} {:>9} {:>9} {:>9}", "FACTS", "MB", "OPEN", "LOAD", "FOLD", "BACK-UP");
    for facts in sizes {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.db");
        make(&mut Ledger::open(&path).expect("a ledger"), facts);
        let (ledger, open) = timed(|| Ledger::open(&path).expect("a ledger"));
        let (read, load) = timed(|| ledger.load().expect("all of it"));
        assert!(read.unread.is_empty(), "all can be read: {:?}", read.unread.first());
        let entries: Vec<Entry> = read.entries;
        let count = entries.len();
        let (engine, fold) = timed(|| Engine::replay(entries));
        let (_, copy) = timed(|| backup::make_sound(&path, Time(1)).expect("a back-up"));
        let size = std::fs::metadata(&path).map_or(0, |meta| meta.len()) / 1_000_000;
        println!("{count:>9} {size:>6} {open:>9.2?} {load:>9.2?} {fold:>9.2?} {copy:>9.2?}");
        drop(engine);
    }
}
