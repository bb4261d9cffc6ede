//! The forms of facts through time: how what an older nopeek wrote is brought to what this one reads.
//!
//! Every row of the ledger names the version of its fact's form; a kind begins at 1. Whoever changes the form of a fact
//! so that old text no longer says the same appends a [`Step`] to [`STEPS`]: JSON to JSON, one version up. Rows are
//! never rewritten; a reader runs the steps that a row still needs and only then gives it to serde.
//! Promises: a form of a later version is told from a damaged one; a step sees the facts before its own; no input panics.

use crate::core::model::fact::Fact;
use crate::values::ids::TaskId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The fields of a fact, without the tags around them.
pub type Fields = Map<String, Value>;

/// One change of a fact's form.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The kind whose form has changed, as in the ledger's column.
    pub kind: &'static str,
    /// Brings fields of one version to the next. An error says what is missing or odd.
    pub raise: fn(&mut Fields, &Before<'_>) -> Result<(), String>,
}

/// All changes there ever were, oldest first; a kind's version is one more than it has steps here. Only ever appended to.
pub const STEPS: &[Step] = &[
    // 2026-11: an attempt says whether it is the work or a second review. Until then every one was the work.
    Step { kind: "attempt_opened", raise: part_is_said },
    Step { kind: "requeued", raise: part_is_said },
];

/// Kinds of facts that [`Before`] remembers. A reader of a part of the ledger reads these beside it.
pub(super) const REMEMBERED: &[&str] = &["launched"];

fn part_is_said(fields: &mut Fields, _: &Before<'_>) -> Result<(), String> {
    fields.entry("part").or_insert_with(|| "work".into());
    Ok(())
}

/// What was decided before a fact, as far as steps need it.
#[derive(Debug)]
pub struct Before<'a> {
    seq: u64,
    seen: &'a Seen,
}

#[derive(Debug, Default)]
struct Seen {
    /// By repo and name, each with its place in the ledger, oldest first.
    launched: BTreeMap<(PathBuf, String), Vec<(u64, TaskId)>>,
}

impl Before<'_> {
    /// The newest task of this name in this repo that was launched before the fact; none: there was none.
    #[must_use]
    pub fn task_named(&self, repo: &Path, name: &str) -> Option<TaskId> {
        let all = self.seen.launched.get(&(repo.to_owned(), name.to_owned()))?;
        all.iter().rev().find(|(seq, _)| *seq < self.seq).map(|(_, task)| *task)
    }
}

/// Why a row gives no fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A later version wrote it.
    Newer,
    /// Nothing that was ever written looks like it.
    Damaged,
}

/// The kind, the version and the text of a fact, as a row holds them.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Its place in the ledger.
    pub seq: u64,
    /// The column `kind`.
    pub kind: &'a str,
    /// The column `v`.
    pub version: i64,
    /// The column `body`: JSON.
    pub body: &'a str,
}

static KINDS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| Fact::kinds().collect());

/// Reads rows. It is given every fact that is read, in the order of the ledger, and so knows what came before.
#[derive(Debug)]
pub struct Upcaster {
    steps: &'static [Step],
    seen: Seen,
}

impl Default for Upcaster {
    fn default() -> Self {
        Self::with(STEPS)
    }
}

impl Upcaster {
    /// An upcaster with other steps than those of this version.
    #[must_use]
    pub fn with(steps: &'static [Step]) -> Self {
        Self { steps, seen: Seen::default() }
    }

    /// The version in which facts of this kind are written.
    #[must_use]
    pub fn version(&self, kind: &str) -> i64 {
        let steps = self.steps.iter().filter(|step| step.kind == kind).count();
        i64::try_from(steps).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Whether a row of this kind and version has to be brought up to date.
    pub(super) fn is_old(&self, kind: &str, version: i64) -> bool {
        version < self.version(kind)
    }

    /// The fact of a row, in today's form; else why there is none, and what was found.
    pub fn read(&mut self, row: &Stored<'_>) -> Result<Fact, (Why, String)> {
        let fact = self.decode(row)?;
        if fact.kind() != row.kind {
            self.knows(row)?;
            let what = format!("it is marked as {:?} and holds a {:?}", row.kind, fact.kind());
            return Err((Why::Damaged, what));
        }
        if let Fact::Launched { task, launch, .. } = &fact {
            let name = (launch.repo.clone(), launch.name.as_str().to_owned());
            self.seen.launched.entry(name).or_default().push((row.seq, *task));
        }
        Ok(fact)
    }

    fn decode(&self, row: &Stored<'_>) -> Result<Fact, (Why, String)> {
        let version = self.version(row.kind);
        if row.version == version {
            return serde_json::from_str(row.body).map_err(|error| self.judge(row, &error));
        }
        self.knows(row)?;
        if row.version > version {
            let what = format!("a {:?} of version {}, this one knows {version}", row.kind, row.version);
            return Err((Why::Newer, what));
        }
        if row.version < 1 {
            return Err((Why::Damaged, format!("there is no version {}", row.version)));
        }
        let mut body: Value = serde_json::from_str(row.body).map_err(|error| self.judge(row, &error))?;
        let before = Before { seq: row.seq, seen: &self.seen };
        let from = usize::try_from(row.version - 1).unwrap_or(usize::MAX);
        let steps = self.steps.iter().filter(|step| step.kind == row.kind).skip(from);
        for (step, version) in steps.zip(row.version + 1..) {
            let raised = match fields(&mut body, row.kind) {
                Some(fields) => (step.raise)(fields, &before),
                None => Err("it has no fields".to_owned()),
            };
            raised
                .map_err(|what| (Why::Damaged, format!("it can't be raised to version {version}: {what}")))?;
        }
        serde_json::from_value(body).map_err(|error| self.judge(row, &error))
    }

    fn knows(&self, row: &Stored<'_>) -> Result<(), (Why, String)> {
        if KINDS.contains(row.kind) || self.steps.iter().any(|step| step.kind == row.kind) {
            return Ok(());
        }
        Err((Why::Newer, format!("a {:?}, a kind that this one does not know", row.kind)))
    }

    /// What it means that serde refuses a row.
    fn judge(&self, row: &Stored<'_>, error: &serde_json::Error) -> (Why, String) {
        if let Err(newer) = self.knows(row) {
            return newer;
        }
        let words = error.to_string();
        let Some(variant) = words.strip_prefix("unknown variant `") else { return (Why::Damaged, words) };
        let variant = variant.split('`').next().unwrap_or_default();
        // The column says a kind that is known: if the tags beside it say another, they were changed.
        let is_tag = serde_json::from_str::<Value>(row.body).is_ok_and(|body| tags(&body).contains(&variant));
        if is_tag { (Why::Damaged, words) } else { (Why::Newer, format!("a {:?} with an {words}", row.kind)) }
    }
}

/// The tag of a fact and that of the enum in it, if it has one.
fn tags(body: &Value) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut at = Some(body);
    while let Some(value) = at.take().filter(|_| tags.len() < 2) {
        match value {
            Value::String(tag) => tags.push(tag.as_str()),
            Value::Object(fields) if fields.len() == 1 => {
                if let Some((tag, inner)) = fields.iter().next() {
                    tags.push(tag.as_str());
                    at = Some(inner);
                }
            }
            _ => {}
        }
    }
    tags
}

/// The fields of a fact of this kind: below its own tag, or below the tags of a noun and of what happened to it.
fn fields<'a>(body: &'a mut Value, kind: &str) -> Option<&'a mut Fields> {
    let outer = body.as_object_mut()?;
    if outer.contains_key(kind) {
        return outer.get_mut(kind)?.as_object_mut();
    }
    outer.values_mut().next()?.as_object_mut()?.values_mut().next()?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(kind: &str, version: i64, body: &str) -> Result<Fact, (Why, String)> {
        Upcaster::default().read(&Stored { seq: 7, kind, version, body })
    }

    const OPENED: &str =
        r#"{"attempt_opened":{"attempt":{"task":1,"no":1},"start":"target","prompt":"do it"}}"#;

    #[test]
    fn an_attempt_of_before_there_were_second_reviews_is_the_work() {
        let fact = read("attempt_opened", 1, OPENED).unwrap();
        let now = serde_json::to_value(&fact).unwrap();
        assert_eq!(now["attempt_opened"]["part"], "work");
        // Some of that version said so already.
        let second = OPENED.replace("\"prompt\"", "\"part\":\"second\",\"prompt\"");
        let fact = read("attempt_opened", 1, &second).unwrap();
        assert_eq!(serde_json::to_value(&fact).unwrap()["attempt_opened"]["part"], "second");
        assert_eq!(
            read("attempt_opened", 2, &now.to_string()).unwrap(),
            read("attempt_opened", 1, OPENED).unwrap()
        );
        let (why, what) = read("attempt_opened", 2, OPENED).unwrap_err();
        assert_eq!(why, Why::Damaged, "version 2 always says it: {what}");
    }

    /// What a step may do that needs the facts before its own: names become numbers.
    const NAMES: &[Step] = &[
        Step { kind: "stopped", raise: |_, _| Ok(()) },
        Step {
            kind: "stopped",
            raise: |fields, before| {
                let Some(Value::String(name)) = fields.remove("name") else {
                    return Err("it names no task".to_owned());
                };
                let task = before.task_named(Path::new("/repo"), &name);
                fields.insert("task".to_owned(), task.map_or(0, |task| task.0).into());
                Ok(())
            },
        },
    ];

    #[test]
    fn a_step_sees_what_was_launched_before_its_fact() {
        let launched = include_str!("facts_v1.jsonl").lines().next().unwrap();
        let launched: Value = serde_json::from_str(launched).unwrap();
        let mut upcaster = Upcaster::with(NAMES);
        let mut launch = |seq: u64, task: u64, name: &str| {
            let mut body = launched["fact"].clone();
            body["launched"]["task"] = task.into();
            body["launched"]["launch"]["name"] = name.into();
            let body = body.to_string();
            upcaster.read(&Stored { seq, kind: "launched", version: 1, body: &body }).unwrap();
        };
        launch(1, 1, "pot");
        launch(2, 2, "lid");
        launch(4, 3, "pot");
        let mut stopped = |seq, version, body: &str| {
            let fact = upcaster.read(&Stored { seq, kind: "stopped", version, body })?;
            Ok::<_, (Why, String)>(fact.task().unwrap().0)
        };
        let pot = r#"{"stopped":{"name":"pot"}}"#;
        assert_eq!((stopped(3, 1, pot), stopped(5, 2, pot)), (Ok(1), Ok(3)), "the newest before the fact");
        assert_eq!(stopped(5, 2, r#"{"stopped":{"name":"cup"}}"#), Ok(0));
        assert_eq!(stopped(5, 3, r#"{"stopped":{"task":9}}"#), Ok(9), "what is up to date is left alone");
        let (why, what) = stopped(5, 1, r#"{"stopped":{"task":9}}"#).unwrap_err();
        assert_eq!((why, what.as_str()), (Why::Damaged, "it can't be raised to version 3: it names no task"));
        let (why, what) = stopped(5, 1, r#"{"stopped":7}"#).unwrap_err();
        assert_eq!((why, what.as_str()), (Why::Damaged, "it can't be raised to version 2: it has no fields"));
    }

    #[test]
    fn what_a_newer_version_wrote_is_told_from_damage() {
        for (kind, version, body, why, says) in [
            ("zzz", 1, r#"{"zzz":{}}"#, Why::Newer, "a kind that this one does not know"),
            ("zzz", 3, "not even JSON", Why::Newer, "a kind that this one does not know"),
            ("ask_zzz", 1, r#"{"ask":{"zzz":{}}}"#, Why::Newer, "a kind that this one does not know"),
            ("stopped", 2, r#"{"stopped":{"task":1}}"#, Why::Newer, "of version 2, this one knows 1"),
            (
                "job_ending",
                1,
                r#"{"job_ending":{"job":1,"task":1,"why":"bored"}}"#,
                Why::Newer,
                "unknown variant `bored`",
            ),
            ("stopped", 1, r#"{"stoppee":{"task":1}}"#, Why::Damaged, "unknown variant `stoppee`"),
            ("question_put", 1, r#"{"ask":{"zzz":{}}}"#, Why::Damaged, "unknown variant `zzz`"),
            ("stopped", 1, r#"{"paused":{"task":1}}"#, Why::Damaged, "marked as"),
            ("stopped", 1, r#"{"stopped":{"task":"#, Why::Damaged, "EOF"),
            ("stopped", 0, r#"{"stopped":{"task":1}}"#, Why::Damaged, "no version 0"),
            ("stopped", -9, r#"{"stopped":{"task":1}}"#, Why::Damaged, "no version -9"),
            ("stopped", i64::MIN, "", Why::Damaged, "no version"),
        ] {
            let (found, what) = read(kind, version, body).unwrap_err();
            assert!(found == why && what.contains(says), "{kind} {version} {body}: {found:?} {what}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read("stopped", 1, &deep).unwrap_err().0, Why::Damaged);
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..90_usize, version in -2..4_i64) {
            let body = String::from_utf8_lossy(&bytes);
            let kind = Fact::kinds().nth(kind).unwrap_or("zzz");
            let _ = read(kind, version, &body);
        }

        #[test]
        fn no_damage_to_a_pinned_fact_panics(line in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8, version in 1..3_i64) {
            let lines: Vec<Value> = include_str!("facts_v2.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let line = line.get(&lines);
            let mut body = line["fact"].to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            let _ = read(line["kind"].as_str().unwrap(), version, &String::from_utf8_lossy(&body));
        }
    }
}
