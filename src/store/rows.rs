//! Rows of the table `facts`: read one by one, so that one that can't be read costs that row alone.
//!
//! Promises: whatever bytes a row holds, reading it gives a fact or says why there is none; it never panics and never
//! ends the reading of the rows beside it.

use super::StoreError;
use super::ledger::failed;
use super::upcast::{REMEMBERED, Stored, Upcaster, Why};
use crate::core::model::fact::Entry;
use crate::values::ids::TaskId;
use crate::values::time::Time;
use rusqlite::{Connection, Row, ToSql};
use std::fmt;
use std::path::Path;

/// A row that gives no fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its place in the ledger, from 1.
    pub seq: u64,
    /// When it was decided, if that can be read.
    pub at: Time,
    /// The task that it is about, if it says so.
    pub task: Option<TaskId>,
    /// Written by a newer nopeek, or damaged.
    pub why: Why,
    /// What was found there.
    pub what: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Why::Newer => write!(f, "fact {} was written by a newer nopeek: {}", self.seq, self.what),
            Why::Damaged => write!(f, "fact {} can't be read: {}", self.seq, self.what),
        }
    }
}

/// What a reading gave, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub entries: Vec<Entry>,
    /// Rows between them that give none.
    pub unread: Vec<Unread>,
}

impl Read {
    /// The facts if there is nothing else; else why the first other row gives none.
    pub fn whole(self, path: &Path) -> Result<Vec<Entry>, StoreError> {
        match self.unread.into_iter().next() {
            None => Ok(self.entries),
            Some(unread) => Err(StoreError::of_row(path, unread)),
        }
    }
}

/// The columns that [`each`] wants, of a ledger of this format.
pub(super) const fn columns(format: i64) -> &'static str {
    if format < 2 { "seq, at, by, task, kind, 1 AS v, body" } else { "seq, at, by, task, kind, v, body" }
}

/// How much of a ledger a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All rows, in order: what facts of old forms may need to see, and a number that is left out is a row that was lost.
    Whole,
    /// Some rows, of a ledger of this format; what steps need of the others is read beside them.
    Slice(i64),
}

/// Gives every row of a query for [`columns`] to `take`, in the query's order.
pub(super) fn each(
    (db, path): (&Connection, &Path),
    part: Part,
    sql: &str,
    values: &[&dyn ToSql],
    mut take: impl FnMut(Result<Entry, Unread>),
) -> Result<(), StoreError> {
    let fail = || failed(path, "read");
    let mut query = db.prepare_cached(sql).map_err(fail())?;
    let mut rows = query.query(values).map_err(fail())?;
    let mut upcaster = Upcaster::default();
    let mut knows_all = part == Part::Whole;
    let mut last = 0;
    while let Some(row) = rows.next().map_err(fail())? {
        if part == Part::Whole {
            let seq =
                row.get_ref(0).ok().and_then(|seq| seq.as_i64().ok()).unwrap_or_default().unsigned_abs();
            if let Some(gap) = missing(last, seq) {
                take(Err(gap));
            }
            last = last.max(seq);
        }
        if !knows_all
            && let Part::Slice(format) = part
            && is_old(&upcaster, row)
        {
            upcaster = remembering(db, path, format)?;
            knows_all = true;
        }
        take(entry(&mut upcaster, row).map_err(|unread| *unread));
    }
    Ok(())
}

/// What is not there between two rows of a whole ledger, which are numbered without gaps.
fn missing(last: u64, next: u64) -> Option<Unread> {
    let (first, end) = (last + 1, next.saturating_sub(1));
    let what = match end.checked_sub(first)? {
        0 => "it is not there".to_owned(),
        _ => format!("it is not there, nor is what follows up to fact {end}"),
    };
    Some(Unread { seq: first, at: Time(0), task: None, why: Why::Damaged, what })
}

/// All rows of a query.
pub(super) fn read(
    ledger: (&Connection, &Path),
    part: Part,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Read, StoreError> {
    let mut read = Read::default();
    each(ledger, part, sql, values, |row| match row {
        Ok(entry) => read.entries.push(entry),
        Err(unread) => read.unread.push(unread),
    })?;
    Ok(read)
}

/// An upcaster that has seen all facts that steps may need.
fn remembering(db: &Connection, path: &Path, format: i64) -> Result<Upcaster, StoreError> {
    let kinds = REMEMBERED.join("', '");
    let sql = format!("SELECT {} FROM facts WHERE kind IN ('{kinds}') ORDER BY seq", columns(format));
    let mut query = db.prepare(&sql).map_err(failed(path, "read"))?;
    let mut rows = query.query([]).map_err(failed(path, "read"))?;
    let mut upcaster = Upcaster::default();
    while let Some(row) = rows.next().map_err(failed(path, "read"))? {
        // One that can't be read is told by whoever reads it for its own sake.
        let _ = entry(&mut upcaster, row);
    }
    Ok(upcaster)
}

fn is_old(upcaster: &Upcaster, row: &Row<'_>) -> bool {
    let version = row.get_ref(5).ok().and_then(|v| v.as_i64().ok());
    let kind = row.get_ref(4).ok().and_then(|kind| kind.as_str().ok());
    version.zip(kind).is_some_and(|(version, kind)| upcaster.is_old(kind, version))
}

/// The entry that a row of [`columns`] holds. Damage can put any type and any bytes into any column.
fn entry(upcaster: &mut Upcaster, row: &Row<'_>) -> Result<Entry, Box<Unread>> {
    let number = |n: usize| row.get_ref(n).ok().and_then(|value| value.as_i64().ok());
    let text = |n: usize, column: &str| {
        let value = row.get_ref(n).map_err(|error| error.to_string())?;
        value.as_str().map_err(|error| format!("its column {column} holds no text: {error}"))
    };
    let seq = number(0).unwrap_or_default().unsigned_abs();
    let at = Time(number(1).unwrap_or_default().unsigned_abs());
    let unread = |why, what| {
        let task = number(3).map(|task| TaskId(task.unsigned_abs()));
        Box::new(Unread { seq, at, task, why, what })
    };
    let damaged = |what: String| unread(Why::Damaged, what);
    let by = text(2, "by").map_err(damaged)?.to_owned();
    let (kind, body) = (text(4, "kind").map_err(damaged)?, text(6, "body").map_err(damaged)?);
    let version = number(5).ok_or_else(|| damaged("its column v holds no number".to_owned()))?;
    if number(1).is_none() {
        return Err(damaged("its column at holds no number".to_owned()));
    }
    let fact = upcaster.read(&Stored { seq, kind, version, body });
    let fact = fact.map_err(|(why, what)| unread(why, what))?;
    Ok(Entry { seq, at, by, fact })
}

#[cfg(test)]
mod tests {
    use super::super::ledger::{FORMAT, Ledger};
    use super::*;
    use crate::core::model::fact::Fact;
    use proptest::prelude::*;
    use rusqlite::params;
    use rusqlite::types::Value;

    /// A ledger of three facts, the second of them changed by hand.
    fn changed(column: &str, value: Value) -> (tempfile::TempDir, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let facts: Vec<Fact> = (1..=3).map(|n| Fact::Stopped { task: TaskId(n) }).collect();
        Ledger::open(&path).unwrap().append(Time(1), "ada", &facts).unwrap();
        // Not through a strict table: damage asks for no type.
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "CREATE TABLE loose AS SELECT * FROM facts; DROP TABLE facts; ALTER TABLE loose RENAME TO facts",
        )
        .unwrap();
        db.execute(&format!("UPDATE facts SET {column} = ?1 WHERE seq = 2"), params![value]).unwrap();
        drop(db);
        let ledger = Ledger::open(&path).unwrap();
        (dir, ledger)
    }

    #[test]
    fn a_row_that_gives_no_fact_costs_that_row_alone() {
        for (column, value, why, what) in [
            ("body", Value::Text("{".into()), Why::Damaged, "EOF"),
            ("body", Value::Null, Why::Damaged, "its column body holds no text"),
            ("body", Value::Blob(vec![0xff; 9]), Why::Damaged, "its column body holds no text"),
            ("body", Value::Text("7".into()), Why::Damaged, "expected value"),
            ("kind", Value::Text("zzz".into()), Why::Newer, "does not know"),
            ("kind", Value::Null, Why::Damaged, "its column kind holds no text"),
            ("by", Value::Null, Why::Damaged, "its column by holds no text"),
            ("at", Value::Null, Why::Damaged, "its column at holds no number"),
            ("v", Value::Null, Why::Damaged, "its column v holds no number"),
            ("v", Value::Integer(9), Why::Newer, "of version 9"),
        ] {
            let (_dir, ledger) = changed(column, value);
            for read in [ledger.load().unwrap(), ledger.lines(None, 0, true, 10).unwrap()] {
                let seqs: Vec<u64> = read.entries.iter().map(|entry| entry.seq).collect();
                assert_eq!((seqs, read.unread.len()), (vec![1, 3], 1), "{column}");
                let row = &read.unread[0];
                assert!(row.why == why && row.what.contains(what), "{column}: {row:?}");
                assert_eq!((row.seq, row.task), (2, Some(TaskId(2))));
                assert!(read.whole(Path::new("x")).is_err());
            }
        }
    }

    #[test]
    fn rows_that_are_gone_are_missed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let facts: Vec<Fact> = (1..=9).map(|n| Fact::Stopped { task: TaskId(n) }).collect();
        Ledger::open(&path).unwrap().append(Time(1), "ada", &facts).unwrap();
        Connection::open(&path).unwrap().execute("DELETE FROM facts WHERE seq IN (1, 4, 5, 6)", []).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        let read = ledger.load().unwrap();
        let said: Vec<String> = read.unread.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "fact 1 can't be read: it is not there",
                "fact 4 can't be read: it is not there, nor is what follows up to fact 6"
            ]
        );
        assert_eq!(read.entries.len(), 5);
        assert!(
            super::super::backup::sound(&path).is_err(),
            "no back-up of it takes the place of a good one"
        );
        assert!(ledger.lines(None, 0, true, 10).unwrap().unread.is_empty(), "a part has gaps");
    }

    #[test]
    fn a_part_of_the_ledger_is_read_with_what_its_old_facts_need() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.append(Time(1), "ada", &[Fact::Stopped { task: TaskId(1) }]).unwrap();
        let old = r#"{"attempt_opened":{"attempt":{"task":1,"no":1},"start":"target","prompt":"do it"}}"#;
        let db = Connection::open(&path).unwrap();
        let sql = "INSERT INTO facts (seq, at, by, task, kind, v, body) VALUES (2, 5, 'x', 1, 'attempt_opened', 1, ?1)";
        db.execute(sql, [old]).unwrap();
        assert!(is_old_there(&db));
        let read = ledger.lines(Some(TaskId(1)), 1, true, 10).unwrap();
        assert_eq!((read.entries.len(), read.unread.len()), (1, 0));
        assert_eq!(FORMAT, 2);
    }

    fn is_old_there(db: &Connection) -> bool {
        let sql = format!("SELECT {} FROM facts WHERE seq = 2", columns(FORMAT));
        db.query_row(&sql, [], |row| Ok(is_old(&Upcaster::default(), row))).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_bytes_a_body_holds_the_others_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..100), text: bool) {
            let value = if text { Value::Text(String::from_utf8_lossy(&bytes).into_owned()) } else { Value::Blob(bytes) };
            let (_dir, ledger) = changed("body", value);
            let read = ledger.load().unwrap();
            prop_assert_eq!((read.entries.len(), read.unread.len()), (2, 1));
        }
    }
}
