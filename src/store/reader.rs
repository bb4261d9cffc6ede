//! A look at the ledger beside the daemon's loop: read-only, by a connection of its own, entry by entry.

use super::StoreError;
use super::ledger::{BUSY, failed};
use super::rows::{self, Part, Unread, columns};
use crate::core::model::fact::Entry;
use crate::values::time::Time;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Gives the entries that a report needs to `take`, oldest first: of no task, of tasks on the board, and of forgotten
/// tasks to which something happened from `since` on. Requests to the world and their answers are left out: they
/// are most of a ledger, and what they led to stands in other facts. Rows that give no fact are given back.
pub fn each(
    path: &Path,
    since: Option<Time>,
    mut take: impl FnMut(&Entry),
) -> Result<Vec<Unread>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed(path, "open"))?;
    db.busy_timeout(BUSY).map_err(failed(path, "open"))?;
    let format: i64 =
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed(path, "read"))?;
    let sql = format!(
        "SELECT {} FROM facts
               WHERE kind NOT IN ('asked', 'settled', 'session_known')
                 AND (?1 = 0 OR task IS NULL
                      OR task NOT IN (SELECT task FROM facts WHERE kind = 'forgotten' AND task IS NOT NULL)
                      OR task IN (SELECT task FROM facts WHERE at >= ?1 AND task IS NOT NULL))
               ORDER BY seq",
        columns(format)
    );
    let since = since.unwrap_or_default().0.cast_signed();
    let mut unread = Vec::new();
    rows::each((&db, path), Part::Slice(format), &sql, &[&since], |row| match row {
        Ok(entry) => take(&entry),
        Err(row) => unread.push(row),
    })?;
    Ok(unread)
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledger;
    use super::*;
    use crate::core::model::fact::Fact;
    use crate::values::ids::TaskId;

    #[test]
    fn forgotten_tasks_of_before_are_left_out_and_the_writer_is_not_held_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let stuck = |n| Fact::Stuck { task: TaskId(n), why: "why".into() };
        let gone = |n| Fact::Forgotten { task: TaskId(n), used: None };
        ledger.append(Time(5), "ada", &[stuck(1), stuck(2), gone(1)]).unwrap();
        ledger.append(Time(10), "ada", &[stuck(3), gone(3)]).unwrap();
        let seen = |since| {
            let mut seen = Vec::new();
            each(&path, since, |entry| seen.push(entry.seq)).unwrap();
            seen
        };
        assert_eq!(seen(None), [1, 2, 3, 4, 5]);
        assert_eq!(seen(Some(Time(10))), [2, 4, 5]);
        let mut more = Vec::new();
        each(&path, None, |entry| {
            if more.is_empty() {
                ledger.append(Time(11), "ada", &[stuck(4)]).unwrap();
            }
            more.push(entry.seq);
        })
        .unwrap();
        assert_eq!(more, [1, 2, 3, 4, 5], "what is read is one moment of the ledger");
    }
}
