//! Questions to the ledger, by whoever can read its file: filtered lines, and SQL that can do nothing but read.
//!
//! Promises: the ledger is opened for reading alone, whether a daemon writes it or none runs; a person's SQL is one
//! statement that reads, by SQLite's own word for it and by an authorizer that knows no other act; rows, time, memory
//! and the length of a cell have bounds.

use super::StoreError;
use super::ledger::{APPLICATION, BUSY, FORMAT, failed, left_out};
use super::rows::{self, Part, Read, columns};
use crate::os::clock;
use crate::report::trace;
use crate::values::ids::TaskId;
use crate::values::time::Time;
use crate::values::words::{cut, duration};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, ErrorCode, OpenFlags, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most rows of an answer.
pub const ROWS_MAX: usize = 10_000;
/// Longest run of a person's SQL.
pub const TIME_MAX: Duration = Duration::from_secs(30);
/// Longest cell in bytes; the rest is cut and marked with an ellipsis.
pub const CELL_MAX: usize = 64 * 1024;
/// Longest value that SQL may make on the way.
const VALUE_MAX: i32 = 16 * 1024 * 1024;
/// Most memory that SQLite takes for it.
const MEMORY_MAX: i64 = 256 * 1024 * 1024;
/// Most bytes of all cells together; what comes after is left out.
const ANSWER_MAX: usize = 32 * 1024 * 1024;
/// Longest SQL.
const SQL_MAX: i32 = 100_000;
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// What people query instead of the bare table: times as text, names beside numbers.
const LINES: &str = "
    CREATE TEMP VIEW lines AS SELECT
        seq,
        strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at,
        by,
        task,
        (SELECT json_extract(l.body, '$.launched.launch.name') FROM facts AS l
            WHERE l.task = facts.task AND l.kind = 'launched' AND json_valid(l.body)) AS name,
        kind,
        body
    FROM facts";

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this task.
    pub task: Option<TaskId>,
    /// Only of these kinds, where a trailing `*` stands for any end; none: of all.
    pub kinds: Vec<String>,
    /// Only what names this batch, and all of the tasks that belong to it.
    pub batch: Option<String>,
    /// Only by this person: all of the name, or what stands before its `@`.
    pub by: Option<String>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// Only with a larger number.
    pub after: u64,
    /// Without the engine's own events, but for kinds that are named.
    pub plain: bool,
    /// At most so many, the newest.
    pub limit: usize,
}

/// What SQL gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<serde_json::Value>>,
    /// There were more rows than may be given.
    pub more: bool,
}

/// Why SQL gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// It would do more than read.
    #[error("this would do more than read the ledger: {0}")]
    NotRead(String),
    /// Nothing, or more than one statement.
    #[error("{0}")]
    NotOne(&'static str),
    #[error("the SQL is wrong: {0}")]
    Wrong(String),
    /// It ran out of time.
    #[error("the SQL ran longer than {} and was ended", duration::long((*.0).into()))]
    Slow(Duration),
    /// It ran out of memory.
    #[error("the SQL needs more memory than it may have, or makes a value that is too long")]
    Large,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SqlError {
    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NotRead(_) => "write one SELECT; the ledger is only ever written by the daemon".to_owned(),
            Self::NotOne(_) => "write one SELECT".to_owned(),
            Self::Wrong(_) => {
                "there are the table facts (seq, at, by, task, kind, body, v) and the view lines (the same, \
                               with at as text and the task's name)"
                    .to_owned()
            }
            Self::Slow(_) | Self::Large => "ask for less: fewer rows, a WHERE, a LIMIT".to_owned(),
            Self::Store(error) => error.remedy(),
        }
    }
}

/// A ledger that is only read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    db: Connection,
    /// Of the file: it is not brought up to date by being read.
    format: i64,
}

impl Reader {
    /// Opens a ledger that is there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |act| failed(path, act);
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(fail("open"))?;
        db.busy_timeout(BUSY).map_err(fail("open"))?;
        let known: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(fail("read"))?;
        let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail("read"))?;
        if known != APPLICATION {
            return Err(StoreError::NotOurs(path.to_owned()));
        }
        if found > FORMAT {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        Ok(Self { path: path.to_owned(), db, format: found })
    }

    /// The newest lines that pass `filter`, oldest first.
    pub fn lines(&self, filter: &Filter) -> Result<Read, StoreError> {
        self.read(filter, i64::try_from(filter.limit.min(ROWS_MAX)).unwrap_or(i64::MAX))
    }

    fn read(&self, filter: &Filter, limit: i64) -> Result<Read, StoreError> {
        let sql = format!(
            "SELECT {} FROM (
                SELECT * FROM facts WHERE seq > ?1 AND (?2 IS NULL OR task = ?2)
                    AND (?3 = '[]' OR EXISTS (SELECT 1 FROM json_each(?3) AS k WHERE facts.kind GLOB k.value))
                    AND (?4 IS NULL OR by = ?4 OR substr(by, 1, length(?4) + 1) = ?4 || '@')
                    AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
                    AND kind NOT IN (SELECT value FROM json_each(?9))
                    AND (?8 IS NULL
                        OR task IN (SELECT f.task FROM facts AS f, json_tree(iif(json_valid(f.body), f.body, '{{}}')) AS t WHERE f.task NOT NULL
                            AND f.body LIKE '%batch%' AND t.key = 'batch' AND CAST(t.value AS TEXT) = ?8)
                        OR body LIKE '%batch%' AND EXISTS (SELECT 1 FROM json_tree(iif(json_valid(facts.body), facts.body, '{{}}')) AS t
                            WHERE t.key = 'batch' AND CAST(t.value AS TEXT) = ?8))
                ORDER BY seq DESC LIMIT ?7
            ) ORDER BY seq",
            columns(self.format)
        );
        let time = |time: Option<Time>| time.map(|time| time.0.cast_signed());
        let values = params![
            filter.after.cast_signed(),
            filter.task.map(|task| task.0.cast_signed()),
            serde_json::json!(filter.kinds).to_string(),
            filter.by,
            time(filter.since),
            time(filter.until),
            limit,
            filter.batch,
            left_out(!filter.plain || !filter.kinds.is_empty()),
        ];
        rows::read((&self.db, &self.path), Part::Slice(self.format), &sql, values)
    }

    /// The name and the repo of each task that was ever launched. Looked up as they are stored: in every version of the
    /// fact they stand in the same place.
    pub fn tasks(&self) -> Result<HashMap<TaskId, (String, PathBuf)>, StoreError> {
        let fail = |act| failed(&self.path, act);
        let sql = "SELECT task, json_extract(body, '$.launched.launch.name'), \
                   json_extract(body, '$.launched.launch.repo') FROM facts \
                   WHERE kind = 'launched' AND task NOT NULL AND json_valid(body)";
        let mut query = self.db.prepare(sql).map_err(fail("read"))?;
        let rows = query.query_map([], |row| {
            let (task, name, repo): (i64, Option<String>, Option<String>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((TaskId(task.unsigned_abs()), (name.unwrap_or_default(), repo.unwrap_or_default().into())))
        });
        rows.map_err(fail("read"))?.collect::<Result<_, _>>().map_err(fail("read"))
    }

    /// All rows of a task, oldest first.
    pub fn of_task(&self, task: TaskId) -> Result<Read, StoreError> {
        let filter = Filter { task: Some(task), ..Filter::default() };
        let mut read = self.read(&filter, i64::MAX)?;
        if let Some(spec) = trace::spec_of(&read.entries, task) {
            let filter = Filter { kinds: vec!["spec_opened".to_owned()], ..Filter::default() };
            let goals = self.read(&filter, i64::MAX)?.entries;
            if let Some(goal) = goals.into_iter().find(|entry| trace::is_goal(entry, spec)) {
                read.entries.insert(0, goal);
            }
        }
        Ok(read)
    }

    /// The kinds of facts that there are.
    pub fn kinds(&self) -> Result<Vec<String>, StoreError> {
        let fail = |act| failed(&self.path, act);
        let mut query =
            self.db.prepare("SELECT DISTINCT kind FROM facts ORDER BY kind").map_err(fail("read"))?;
        let rows = query.query_map([], |row| row.get(0)).map_err(fail("read"))?;
        rows.collect::<Result<_, _>>().map_err(fail("read"))
    }

    /// Runs a person's SQL: one statement that reads; at most `rows` rows.
    pub fn sql(self, sql: &str, rows: usize) -> Result<Table, SqlError> {
        self.sql_within(sql, rows, TIME_MAX)
    }

    fn sql_within(mut self, sql: &str, rows: usize, time: Duration) -> Result<Table, SqlError> {
        self.bind(time)?;
        let wrong = |error| worded(&self.path, error, time);
        let mut batch = Batch::new(&self.db, sql);
        let Some(mut statement) = batch.next().map_err(wrong)? else {
            return Err(SqlError::NotOne("there is no SQL to run"));
        };
        if !matches!(batch.next(), Ok(None)) {
            return Err(SqlError::NotOne("these are several statements"));
        }
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(SqlError::NotRead("it gives no rows".to_owned()));
        }
        if statement.parameter_count() > 0 {
            return Err(SqlError::Wrong("it has parameters, and there is nothing to put there".to_owned()));
        }
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let width = columns.len();
        let mut table = Table { columns, ..Table::default() };
        let (most, mut size) = (rows.min(ROWS_MAX), 0);
        let mut found = statement.query([]).map_err(wrong)?;
        while let Some(row) = found.next().map_err(wrong)? {
            if table.rows.len() == most || size > ANSWER_MAX {
                table.more = true;
                break;
            }
            let mut cells = Vec::with_capacity(width);
            for n in 0..width {
                let cell = cell(row.get_ref(n).map_err(wrong)?);
                size += cell.as_str().map_or(8, str::len);
                cells.push(cell);
            }
            table.rows.push(cells);
        }
        Ok(table)
    }

    /// From now on nothing but reads is possible, for so long, in so much memory.
    fn bind(&mut self, time: Duration) -> Result<(), StoreError> {
        let fail = |act| failed(&self.path, act);
        let set = |limit, most| self.db.set_limit(limit, most).map(drop).map_err(fail("open"));
        // First: it forgets the views that there are.
        self.db.pragma_update(None, "temp_store", "MEMORY").map_err(fail("open"))?;
        self.db.execute_batch(LINES).map_err(fail("open"))?;
        self.db.pragma_update(None, "hard_heap_limit", MEMORY_MAX).map_err(fail("open"))?;
        self.db.pragma_update(None, "trusted_schema", false).map_err(fail("open"))?;
        self.db.pragma_update(None, "query_only", true).map_err(fail("open"))?;
        set(Limit::SQLITE_LIMIT_LENGTH, VALUE_MAX)?;
        set(Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_MAX)?;
        set(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        set(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
        let until = clock::instant() + time;
        self.db.progress_handler(STEPS, Some(move || clock::instant() > until)).map_err(fail("open"))?;
        self.db
            .authorizer(Some(|asked: rusqlite::hooks::AuthContext<'_>| allowed(&asked.action)))
            .map_err(fail("open"))
    }
}

/// Reading, and nothing else: whatever SQLite learns to do is not in this list.
fn allowed(action: &AuthAction<'_>) -> Authorization {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

fn worded(path: &Path, error: rusqlite::Error, time: Duration) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => {
            SqlError::NotRead("it is not allowed".to_owned())
        }
        Some(ErrorCode::OperationInterrupted) => SqlError::Slow(time),
        Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => SqlError::Large,
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::DatabaseBusy
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen,
        ) => SqlError::Store(failed(path, "read")(error)),
        _ => SqlError::Wrong(match error {
            rusqlite::Error::SqliteFailure(_, Some(what)) => what,
            rusqlite::Error::SqlInputError { msg, offset, .. } if offset >= 0 => {
                format!("{msg}, at byte {}", offset + 1)
            }
            other => other.to_string(),
        }),
    }
}

fn cell(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(n) => n.into(),
        // JSON has no infinity and no NaN.
        ValueRef::Real(x) => serde_json::Number::from_f64(x).map_or_else(|| x.to_string().into(), Into::into),
        ValueRef::Text(text) => cut::bytes(&String::from_utf8_lossy(text), CELL_MAX).into(),
        ValueRef::Blob(bytes) => {
            let shown = &bytes[..bytes.len().min(CELL_MAX / 2)];
            let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}{}'", if shown.len() < bytes.len() { "…" } else { "" }).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledger;
    use super::*;
    use crate::core::model::fact::Fact;
    use crate::values::text::Shown;
    use crate::values::time::Span;
    use serde_json::json;

    fn ledger() -> (tempfile::TempDir, PathBuf, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let stuck = |n| Fact::Stuck { task: TaskId(n), why: Shown::from("why") };
        ledger.append(Time(1_000), "ada@tty1", &[stuck(1), Fact::Interrupted { task: TaskId(1) }]).unwrap();
        ledger.append(Time(2_500), "nopeek", &[stuck(2), Fact::Stopped { task: TaskId(2) }]).unwrap();
        (dir, path, ledger)
    }

    fn seqs(filter: Filter) -> Vec<u64> {
        let (_dir, path, _ledger) = ledger();
        let filter = Filter { limit: 10, ..filter };
        Reader::open(&path).unwrap().lines(&filter).unwrap().entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn lines_are_filtered_by_all_that_is_said() {
        assert_eq!(seqs(Filter::default()), [1, 2, 3, 4]);
        assert_eq!(seqs(Filter { task: Some(TaskId(1)), ..Filter::default() }), [1, 2]);
        assert_eq!(seqs(Filter { kinds: vec!["stuck".into()], ..Filter::default() }), [1, 3]);
        assert_eq!(seqs(Filter { kinds: vec!["st*".into()], ..Filter::default() }), [1, 3, 4]);
        assert_eq!(seqs(Filter { by: Some("ada".into()), ..Filter::default() }), [1, 2]);
        assert_eq!(seqs(Filter { by: Some("ada@tty1".into()), ..Filter::default() }), [1, 2]);
        assert_eq!(seqs(Filter { by: Some("ad".into()), ..Filter::default() }), [] as [u64; 0]);
        assert_eq!(seqs(Filter { since: Some(Time(1_001)), ..Filter::default() }), [3, 4]);
        assert_eq!(seqs(Filter { until: Some(Time(2_500)), after: 1, ..Filter::default() }), [2]);
    }

    #[test]
    fn plain_lines_are_without_the_engines_own_unless_a_kind_is_named() {
        let (_dir, path, mut ledger) = ledger();
        ledger.append(Time(9_000), "nopeek", &[Fact::Slept { span: Span(1) }]).unwrap();
        let seqs = |plain, kinds: &[&str]| {
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            let filter = Filter { plain, kinds, limit: 10, ..Filter::default() };
            let lines = Reader::open(&path).unwrap().lines(&filter).unwrap();
            lines.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(true, &[]), [1, 2, 3, 4]);
        assert_eq!(seqs(false, &[]), [1, 2, 3, 4, 5]);
        assert_eq!(seqs(true, &["slept"]), [5]);
    }

    #[test]
    fn a_batch_is_what_names_it_and_all_of_its_tasks() {
        let (_dir, path, ledger) = ledger();
        drop(ledger);
        let put = |seq: u64, task: Option<u64>, kind: &str, body: &str| {
            let db = Connection::open(&path).unwrap();
            let values = params![seq.cast_signed(), task.map(u64::cast_signed), kind, body];
            db.execute("INSERT INTO facts VALUES (?1, 3000, 'nopeek', ?2, ?3, ?4, 1)", values).unwrap();
        };
        put(5, Some(2), "stuck", r#"{"stuck":{"task":2,"why":"batch 7","batch":7}}"#);
        put(6, None, "slept", r#"{"slept":{"span":5,"batch":"night"}}"#);
        let of = |batch: &str| {
            let filter = Filter { batch: Some(batch.to_owned()), limit: 10, ..Filter::default() };
            let lines = Reader::open(&path).unwrap().lines(&filter).unwrap();
            lines.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        assert_eq!((of("7"), of("night"), of("8")), (vec![3, 4, 5], vec![6], vec![]));
    }

    #[test]
    fn sql_reads_while_a_daemon_has_the_ledger_and_when_none_has() {
        let (_dir, path, mut ledger) = ledger();
        let count = || {
            let sql = "SELECT kind, count(*) AS n FROM facts GROUP BY kind ORDER BY n DESC, kind";
            Reader::open(&path).unwrap().sql(sql, 100).unwrap()
        };
        let before = count();
        assert_eq!(before.columns, ["kind", "n"]);
        assert_eq!(
            before.rows,
            [
                vec![json!("stuck"), json!(2)],
                vec![json!("interrupted"), json!(1)],
                vec![json!("stopped"), json!(1)]
            ]
        );
        ledger.append(Time(3_000), "nopeek", &[Fact::Stopped { task: TaskId(3) }]).unwrap();
        assert_eq!(count().rows[0], [json!("stopped"), json!(2)]);
        drop(ledger);
        assert_eq!(count().rows.len(), 3);
        let lines = "SELECT at, name, task FROM lines WHERE seq = 3";
        let table = Reader::open(&path).unwrap().sql(lines, 100).unwrap();
        assert_eq!(table.rows, [[json!("1970-01-01T00:00:02.500Z"), json!(null), json!(2)]]);
    }

    #[test]
    fn sql_can_do_nothing_but_read() {
        let (dir, path, _ledger) = ledger();
        let whole =
            |path: &Path| Reader::open(path).unwrap().lines(&Filter { limit: 99, ..Filter::default() });
        let before = whole(&path).unwrap();
        let other = dir.path().join("other.db");
        let attach = format!("ATTACH '{}' AS o", other.display());
        let vacuum = format!("VACUUM INTO '{}'", other.display());
        for sql in [
            "DELETE FROM facts",
            "INSERT INTO facts VALUES (9, 9, 'x', 9, 'x', '{}', 1)",
            "UPDATE facts SET by = 'me' RETURNING seq",
            "DROP TABLE facts",
            "CREATE TEMP TABLE t (a)",
            "CREATE TABLE t AS SELECT * FROM facts",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA query_only = 0",
            "PRAGMA table_info(facts)",
            "SELECT * FROM pragma_hard_heap_limit(0)",
            "SELECT load_extension('/tmp/x.so')",
            "BEGIN IMMEDIATE",
            "VACUUM",
            "ANALYZE",
            "REINDEX",
            "CREATE VIRTUAL TABLE v USING fts5(a)",
            "WITH x AS (SELECT 1) DELETE FROM facts",
            &attach,
            &vacuum,
        ] {
            let error = Reader::open(&path).unwrap().sql(sql, 10).unwrap_err();
            assert!(matches!(error, SqlError::NotRead(_) | SqlError::Wrong(_)), "{sql}: {error}");
        }
        assert!(!other.exists());
        assert_eq!(whole(&path).unwrap(), before);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (_dir, path, _ledger) = ledger();
        let says = |sql: &str| Reader::open(&path).unwrap().sql(sql, 10).unwrap_err().to_string();
        assert_eq!(says(""), "there is no SQL to run");
        assert_eq!(says(" -- only words\n"), "there is no SQL to run");
        assert_eq!(says("SELECT 1; DELETE FROM facts"), "these are several statements");
        assert_eq!(says("SELECT 1; SELECT 2;"), "these are several statements");
        assert_eq!(says("SELEC 1"), "the SQL is wrong: near \"SELEC\": syntax error, at byte 1");
        assert_eq!(says("SELECT nope FROM facts"), "the SQL is wrong: no such column: nope, at byte 8");
        assert!(says("SELECT 'open").starts_with("the SQL is wrong: unrecognized token"));
        assert!(says("SELECT ?1").starts_with("the SQL is wrong: it has parameters"));
        assert!(says("DELETE FROM facts").starts_with("this would do more than read the ledger"));
        assert!(Reader::open(&path).unwrap().sql("SELECT 1;", 10).is_ok(), "one, ended as people end it");
        assert!(matches!(Reader::open(Path::new("/nothing/here.db")), Err(StoreError::Missing(_))));
    }

    #[test]
    fn rows_time_memory_and_cells_are_bounded() {
        let (_dir, path, _ledger) = ledger();
        let run = |sql: &str, time: u64| {
            Reader::open(&path).unwrap().sql_within(sql, 20_000, Duration::from_millis(time))
        };
        // Only ends a hang.
        const HANG: u64 = 600_000;
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
        let table = run(&format!("{endless} SELECT i FROM n"), HANG).unwrap();
        assert_eq!((table.rows.len(), table.more), (ROWS_MAX, true));
        assert!(matches!(run(&format!("{endless} SELECT count(*) FROM n"), 50), Err(SqlError::Slow(_))));
        assert!(matches!(run("SELECT zeroblob(100000000)", HANG), Err(SqlError::Large)));
        let hoard = format!("{endless} SELECT i, zeroblob(1000000) AS z FROM n ORDER BY z");
        assert!(matches!(run(&hoard, HANG), Err(SqlError::Large)));
        let long =
            run("SELECT replace(hex(zeroblob(100000)), '00', 'é'), zeroblob(100000), 9e999, NULL", HANG);
        let cells = long.unwrap().rows.remove(0);
        assert_eq!(cells[0].as_str().unwrap().len(), CELL_MAX + '…'.len_utf8());
        assert!(cells[1].as_str().unwrap().ends_with("00…'"));
        assert_eq!((&cells[2], &cells[3]), (&json!("inf"), &json!(null)));
    }
}
