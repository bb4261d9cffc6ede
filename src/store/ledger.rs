//! The ledger: facts in the order in which they were decided, one transaction a step.
//!
//! Promises: what `append` has returned survives a power cut (WAL with full synchronisation). A fact is stored as JSON
//! beside the columns that people filter on and the version of its form. An older file is backed up before its format
//! is changed, and not changed if it can't be. A row that can't be read is handed over as such, beside all others.

use super::rows::{self, Part, Read, columns};
use super::upcast::Upcaster;
use super::{StoreError, backup};
use crate::core::model::fact::Fact;
use crate::os::clock::Clock;
use crate::values::ids::TaskId;
use crate::values::time::Time;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The format that this version writes: 1 had no column `v`.
pub const FORMAT: i64 = 2;
/// "nopk": says that a file is ours.
pub(super) const APPLICATION: i64 = 0x6e6f_706b;
/// How long another process may hold the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE facts (
        seq  INTEGER PRIMARY KEY,
        at   INTEGER NOT NULL,
        by   TEXT    NOT NULL,
        task INTEGER,
        kind TEXT    NOT NULL,
        body TEXT    NOT NULL,
        v    INTEGER NOT NULL DEFAULT 1
    ) STRICT;
    CREATE INDEX facts_of_task ON facts (task, seq);
";
/// From format 1 to 2: every fact has the version of its form; those that are there have the first.
const TO_2: &str = "ALTER TABLE facts ADD COLUMN v INTEGER NOT NULL DEFAULT 1";

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    db: Connection,
    last: u64,
    /// Knows in which version each kind is written.
    versions: Upcaster,
}

impl Ledger {
    /// Opens the ledger, or makes a new one; not where there was one, as a sound back-up shows.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |act| failed(path, act);
        let gone = |is_there| StoreError::Gone { path: path.to_owned(), is_there };
        if !path.exists() && backup::newest_sound(path).is_some() {
            return Err(gone(false));
        }
        let mut db = Connection::open(path).map_err(fail("open"))?;
        db.busy_timeout(BUSY).map_err(fail("open"))?;
        let known: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(fail("read"))?;
        let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail("read"))?;
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail("read"))?;
        if tables > 0 && known != APPLICATION {
            return Err(StoreError::NotOurs(path.to_owned()));
        }
        if found > FORMAT {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        if tables == 0 && backup::newest_sound(path).is_some() {
            return Err(gone(true));
        }
        db.pragma_update(None, "journal_mode", "WAL").map_err(fail("open"))?;
        db.pragma_update(None, "synchronous", "FULL").map_err(fail("open"))?;
        if tables == 0 {
            let all = db.transaction().map_err(fail("set up"))?;
            all.execute_batch(SCHEMA).map_err(fail("set up"))?;
            all.pragma_update(None, "application_id", APPLICATION).map_err(fail("set up"))?;
            all.pragma_update(None, "user_version", FORMAT).map_err(fail("set up"))?;
            all.commit().map_err(fail("set up"))?;
        } else {
            sound(&db, path)?;
            if found < FORMAT {
                renew(&mut db, path, found)?;
            }
        }
        let last: Option<i64> = db
            .query_row("SELECT max(seq) FROM facts", [], |row| row.get(0))
            .optional()
            .map_err(fail("read"))?
            .flatten();
        Ok(Self {
            path: path.to_owned(),
            db,
            last: last.unwrap_or(0).unsigned_abs(),
            versions: Upcaster::default(),
        })
    }

    /// Writes facts durably, all or none; returns the place of the last one.
    pub fn append(&mut self, at: Time, by: &str, facts: &[Fact]) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let fail = |act| failed(&path, act);
        let mut seq = self.last;
        let all = self.db.transaction().map_err(fail("write"))?;
        {
            let mut insert = all
                .prepare_cached(
                    "INSERT INTO facts (seq, at, by, task, kind, v, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )
                .map_err(fail("write"))?;
            for fact in facts {
                seq += 1;
                let body = serde_json::to_string(fact).map_err(|error| StoreError::Damaged {
                    path: path.clone(),
                    what: format!("a fact can't be written: {error}"),
                })?;
                let (task, kind) = (fact.task().map(|task| task.0.cast_signed()), fact.kind());
                let version = self.versions.version(kind);
                insert
                    .execute(params![seq.cast_signed(), at.0.cast_signed(), by, task, kind, version, body])
                    .map_err(fail("write"))?;
            }
        }
        all.commit().map_err(fail("write"))?;
        self.last = seq;
        Ok(seq)
    }

    /// All rows, oldest first.
    pub fn load(&self) -> Result<Read, StoreError> {
        let sql = format!("SELECT {} FROM facts ORDER BY seq", columns(FORMAT));
        rows::read((&self.db, &self.path), Part::Whole, &sql, &[])
    }

    /// Rows after `after`, of one task or of all, with the engine's own or without: the newest `limit` of them, oldest first.
    pub fn lines(&self, task: Option<TaskId>, after: u64, all: bool, limit: u32) -> Result<Read, StoreError> {
        let (task, after) = (task.map(|task| task.0.cast_signed()), after.cast_signed());
        let sql = format!(
            "SELECT {} FROM (
                 SELECT * FROM facts WHERE seq > ?1 AND (?2 IS NULL OR task = ?2)
                     AND kind NOT IN (SELECT value FROM json_each(?4)) ORDER BY seq DESC LIMIT ?3
             ) ORDER BY seq",
            columns(FORMAT)
        );
        rows::read(
            (&self.db, &self.path),
            Part::Slice(FORMAT),
            &sql,
            params![after, task, limit, left_out(all)],
        )
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many facts there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.last
    }
}

/// The kinds that are left out, as a JSON list: the engine's own, but where all is wanted.
pub(super) fn left_out(all: bool) -> String {
    let kinds: &[&str] = if all { &[] } else { &Fact::ENGINE_KINDS };
    serde_json::json!(kinds).to_string()
}

/// Refuses a file whose pages don't fit together, before anything is believed.
fn sound(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let said: String =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed(path, "check"))?;
    if said == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), what: said }) }
}

/// Brings a file of an older format up to date, once there is a back-up of it.
fn renew(db: &mut Connection, path: &Path, found: i64) -> Result<(), StoreError> {
    let fail = || failed(path, "bring up to date");
    let backup = backup::make(path, Time(Clock::start().now_ms()))?;
    tracing::info!(from = found, to = FORMAT, backup = %backup.path.display(), "the ledger's format is renewed");
    let all = db.transaction().map_err(fail())?;
    all.execute_batch(TO_2).map_err(fail())?;
    all.pragma_update(None, "user_version", FORMAT).map_err(fail())?;
    all.commit().map_err(fail())
}

pub(super) fn failed<'a>(path: &'a Path, act: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + 'a {
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(path.to_owned()),
        Some(ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { path: path.to_owned(), what: source.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path.to_owned()),
        Some(ErrorCode::NotADatabase) => StoreError::NotOurs(path.to_owned()),
        _ => StoreError::Sqlite { act, path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::text::Shown;
    use crate::values::time::Span;

    fn facts(n: u64) -> Vec<Fact> {
        (1..=n).map(|n| Fact::Stuck { task: TaskId(n), why: Shown::from("why") }).collect()
    }

    #[test]
    fn what_was_written_is_read_again_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.append(Time(5), "ada", &facts(3)).unwrap(), 3);
        drop(ledger);
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.count(), 3);
        assert_eq!(ledger.append(Time(6), "nopeek", &facts(1)).unwrap(), 4);
        let all = ledger.load().unwrap().entries;
        assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((all[0].by.as_str(), all[0].at), ("ada", Time(5)));
        let of_one = ledger.lines(Some(TaskId(1)), 0, true, 10).unwrap().entries;
        assert_eq!(of_one.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 4]);
        let newest = ledger.lines(None, 0, true, 2).unwrap().entries;
        assert_eq!(newest.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn the_engines_own_facts_are_left_out_before_the_limit_counts() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
        let slept = Fact::Slept { span: Span(1_000) };
        ledger.append(Time(5), "nopeek", &[facts(1), vec![slept.clone(), slept]].concat()).unwrap();
        let seqs = |all| {
            ledger.lines(None, 0, all, 1).unwrap().entries.iter().map(|line| line.seq).collect::<Vec<_>>()
        };
        assert_eq!((seqs(false), seqs(true)), (vec![1], vec![3]));
    }

    #[test]
    fn a_newer_ledger_and_another_database_are_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        drop(Ledger::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Ledger::open(&path), Err(StoreError::Newer { found: 99, .. })));
        let other = dir.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(matches!(Ledger::open(&other), Err(StoreError::NotOurs(_))));
        std::fs::write(
            dir.path().join("text"),
            "no database at all, but long enough to be looked at".repeat(20),
        )
        .unwrap();
        assert!(Ledger::open(&dir.path().join("text")).is_err());
    }

    #[test]
    fn a_damaged_ledger_opens_or_is_refused_and_never_panics() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        Ledger::open(&path).unwrap().append(Time(1), "ada", &facts(200)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 97 + 1) {
            let mut broken = whole.clone();
            broken[at] ^= 0x55;
            let path = dir.path().join(format!("broken-{at}.db"));
            std::fs::write(&path, broken).unwrap();
            if let Ok(ledger) = Ledger::open(&path) {
                let _ = ledger.load();
            }
        }
    }
}
