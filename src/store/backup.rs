//! Back-ups of the ledger: made, kept, found again, and the way back to one.
//!
//! They lie in `backups` beside the ledger, each a whole ledger named by the moment (UTC) and its format, as
//! `ledger-20261129T213000Z-format2.db`. Promises: making one reads a moment of the ledger and holds up nobody who
//! writes it; a file of such a name is whole and was checked; how many are kept is bounded; old ones go only after a
//! new one is there.

use super::StoreError;
use super::ledger::{APPLICATION, BUSY, FORMAT, failed};
use super::rows::{self, Part, columns};
use crate::values::time::Time;
use crate::values::words;
use crate::values::words::plural::counted;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Back-ups of today's format that are kept: one a day, so that a week is left to notice that something went wrong.
pub const KEPT: usize = 7;
/// Back-ups of older formats that are kept, apart from the daily ones: made when a version was installed, the only
/// ones that the version before can read.
pub const KEPT_OLDER: usize = 3;
/// The moment in a name, UTC.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";
/// The file of one that is being made begins with this.
const PARTIAL: &str = ".partial";

/// A back-up that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file: a whole ledger.
    pub path: PathBuf,
    /// When it was made, to the second.
    pub at: Time,
    /// The ledger's format by then.
    pub format: i64,
}

/// A back-up that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it was tried.
    pub at: Time,
    pub what: String,
    pub remedy: String,
}

/// Where the back-ups of a ledger lie.
#[must_use]
pub fn folder(ledger: &Path) -> PathBuf {
    ledger.with_file_name("backups")
}

/// All back-ups of a ledger, newest first.
#[must_use]
pub fn list(ledger: &Path) -> Vec<Backup> {
    let Ok(files) = std::fs::read_dir(folder(ledger)) else { return Vec::new() };
    let mut all: Vec<Backup> = files.flatten().filter_map(|file| named(&file.path())).collect();
    all.sort_by(|a, b| (b.at, b.format, &b.path).cmp(&(a.at, a.format, &a.path)));
    all
}

/// Makes a back-up before the format of the ledger changes. Rows are not looked at: nobody can do better than the ledger.
pub fn make(ledger: &Path, now: Time) -> Result<Backup, StoreError> {
    copied(ledger, now, |copy| pages(copy).map(drop))
}

/// Makes the back-up of the day. A ledger with a row that can't be read is refused: copies of it would take the places
/// of those that can be read.
pub fn make_sound(ledger: &Path, now: Time) -> Result<Backup, StoreError> {
    copied(ledger, now, |copy| sound(copy).map(drop))
}

fn copied(
    ledger: &Path,
    now: Time,
    check: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<Backup, StoreError> {
    let folder = folder(ledger);
    let bad = |what: String| StoreError::NoBackup { path: ledger.to_owned(), what };
    let io = |error: io::Error| bad(format!("{}: {error}", folder.display()));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io)?;
    for file in std::fs::read_dir(&folder).map_err(io)?.flatten() {
        if file.file_name().to_string_lossy().starts_with(PARTIAL) {
            std::fs::remove_file(file.path()).map_err(io)?;
        }
    }
    let db = reader(ledger)?;
    let format: i64 =
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed(ledger, "read"))?;
    let partial = folder.join(format!("{PARTIAL}-{}", std::process::id()));
    let made = || -> Result<Backup, StoreError> {
        let name = partial.to_str().ok_or_else(|| bad("its path is no UTF-8".to_owned()))?;
        db.execute("VACUUM INTO ?1", [name]).map_err(|error| match failed(ledger, "copy")(error) {
            damaged @ (StoreError::Damaged { .. } | StoreError::NotOurs(_)) => damaged,
            other => bad(other.to_string()),
        })?;
        check(&partial).map_err(|error| match error {
            // What is said of the copy is true of the ledger.
            StoreError::Damaged { what, .. } => StoreError::Damaged { path: ledger.to_owned(), what },
            StoreError::NewerFact { seq, what, .. } => {
                StoreError::NewerFact { path: ledger.to_owned(), seq, what }
            }
            other => bad(other.to_string()),
        })?;
        std::fs::set_permissions(&partial, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        File::open(&partial).and_then(|file| file.sync_all()).map_err(io)?;
        let at = Time(now.0 / 1000 * 1000);
        let path = folder.join(name_of(at, format));
        std::fs::rename(&partial, &path).map_err(io)?;
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        Ok(Backup { path, at, format })
    };
    let made = made();
    if made.is_err() {
        let _ = std::fs::remove_file(&partial);
        return made;
    }
    prune(ledger);
    made
}

/// Deletes what is beyond the bounds.
fn prune(ledger: &Path) {
    let (today, older): (Vec<Backup>, Vec<Backup>) =
        list(ledger).into_iter().partition(|backup| backup.format >= FORMAT);
    for old in today.iter().skip(KEPT).chain(older.iter().skip(KEPT_OLDER)) {
        if let Err(error) = std::fs::remove_file(&old.path) {
            tracing::warn!(file = %old.path.display(), %error, "an old back-up can't be deleted");
        }
    }
}

/// How many facts a ledger has of which every page and every row can be read.
pub fn sound(path: &Path) -> Result<u64, StoreError> {
    let format = pages(path)?;
    let db = reader(path)?;
    let sql = format!("SELECT {} FROM facts ORDER BY seq", columns(format));
    let (mut facts, mut first) = (0, None);
    rows::each((&db, path), Part::Whole, &sql, &[], |row| match row {
        Ok(_) => facts += 1,
        Err(unread) => first = first.take().or(Some(unread)),
    })?;
    first.map_or(Ok(facts), |unread| Err(StoreError::of_row(path, unread)))
}

/// The format of a ledger whose pages fit together.
fn pages(path: &Path) -> Result<i64, StoreError> {
    let db = reader(path)?;
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed(path, "read"));
    let (ours, format) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if ours != APPLICATION {
        return Err(StoreError::NotOurs(path.to_owned()));
    }
    if format > FORMAT {
        return Err(StoreError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    let said: String =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed(path, "check"))?;
    if said == "ok" { Ok(format) } else { Err(StoreError::Damaged { path: path.to_owned(), what: said }) }
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed(path, "open"))?;
    db.busy_timeout(BUSY).map_err(failed(path, "open"))?;
    Ok(db)
}

/// The newest back-up that reads well, with the number of its facts. Takes as long as reading those that don't.
#[must_use]
pub fn newest_sound(ledger: &Path) -> Option<(Backup, u64)> {
    list(ledger).into_iter().find_map(|backup| {
        let facts = sound(&backup.path).ok()?;
        Some((backup, facts))
    })
}

/// How to go on when a ledger is damaged: which back-up to take, and what to type.
#[must_use]
pub fn way_back(ledger: &Path) -> String {
    let data = ledger.parent().unwrap_or(Path::new("."));
    let aside = (1..).map(|n| data.join(format!("damaged-{n}"))).find(|folder| !folder.exists());
    let aside = quoted(&aside.unwrap_or_else(|| data.join("damaged")));
    let away = format!("  nopeek daemon stop\n  mkdir {aside} && mv {}* {aside}/", quoted(ledger));
    match newest_sound(ledger) {
        Some((backup, facts)) => format!(
            "the newest back-up that reads well is of {} and has {}; to go on from it:\n{away}\n  cp {} {}\n\
             what was decided after it is then not in the ledger; branches and worktrees are not touched",
            moment(backup.at),
            counted(facts, "fact"),
            quoted(&backup.path),
            quoted(ledger),
        ),
        None => format!(
            "no back-up in {} reads well; to begin with an empty ledger:\n{away}\n\
             branches and worktrees are not touched",
            folder(ledger).display(),
        ),
    }
}

/// Keeps why a back-up could not be made, for `nopeek doctor`; or that one was made.
pub fn note(ledger: &Path, failure: Option<&Failure>) -> io::Result<()> {
    let file = ledger.with_file_name("backup-failed.json");
    match failure {
        Some(failure) => std::fs::write(file, serde_json::to_vec(failure)?),
        None => match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// Why the last back-up could not be made; none: it could.
#[must_use]
pub fn failure(ledger: &Path) -> Option<Failure> {
    let text = std::fs::read(ledger.with_file_name("backup-failed.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A moment for people, UTC, to the minute.
#[must_use]
pub fn moment(at: Time) -> String {
    format!("{} UTC", words::moment::minute(at, &TimeZone::UTC))
}

fn civil(at: Time) -> Option<DateTime> {
    let stamp = jiff::Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    Some(stamp.to_zoned(TimeZone::UTC).datetime())
}

fn name_of(at: Time, format: i64) -> String {
    let at = civil(at).map_or_else(|| at.0.to_string(), |at| at.strftime(MOMENT).to_string());
    format!("ledger-{at}-format{format}.db")
}

fn named(path: &Path) -> Option<Backup> {
    let name = path.file_name()?.to_str()?.strip_prefix("ledger-")?.strip_suffix(".db")?;
    let (at, format) = name.split_once("-format")?;
    let at = DateTime::strptime(MOMENT, at).ok()?.to_zoned(TimeZone::UTC).ok()?;
    let at = u64::try_from(at.timestamp().as_millisecond()).ok()?;
    Some(Backup { path: path.to_owned(), at: Time(at), format: format.parse().ok()? })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(is_plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledger;
    use super::*;
    use crate::core::model::fact::Fact;
    use crate::values::ids::TaskId;

    const DAY: u64 = 24 * 3_600_000;
    /// 2026-11-29 21:30:00 UTC.
    const NOW: Time = Time(1_795_987_800_000);

    fn ledger() -> (tempfile::TempDir, PathBuf, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.append(Time(1), "ada", &[Fact::Stopped { task: TaskId(1) }]).unwrap();
        (dir, path, ledger)
    }

    /// The same file as format 1 left it.
    fn make_old(path: &Path) {
        let db = Connection::open(path).unwrap();
        db.execute_batch("ALTER TABLE facts DROP COLUMN v; PRAGMA user_version = 1").unwrap();
    }

    fn damage(path: &Path) {
        Connection::open(path).unwrap().execute("UPDATE facts SET body = '{' WHERE seq = 1", []).unwrap();
    }

    #[test]
    fn a_back_up_is_a_whole_ledger_made_while_it_is_written() {
        let (_dir, path, mut ledger) = ledger();
        let made = make_sound(&path, NOW).unwrap();
        assert_eq!(made.path.file_name().unwrap(), "ledger-20261129T213000Z-format2.db");
        assert_eq!((list(&path), moment(made.at)), (vec![made.clone()], "2026-11-29 21:30 UTC".to_owned()));
        ledger.append(Time(2), "ada", &[Fact::Stopped { task: TaskId(2) }]).unwrap();
        assert_eq!((sound(&made.path).unwrap(), sound(&path).unwrap()), (1, 2));
        assert_eq!(Ledger::open(&made.path).unwrap().count(), 1);
        assert_eq!(std::fs::metadata(&made.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn so_many_are_kept_and_those_of_older_formats_apart() {
        let (_dir, path, ledger) = ledger();
        drop(ledger);
        make_old(&path);
        let old = make(&path, Time(NOW.0 - DAY)).unwrap();
        assert_eq!(old.format, 1);
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.load().unwrap().whole(&path).unwrap().len(), 1);
        assert_eq!(
            list(&path).iter().filter(|backup| backup.format == 1).count(),
            2,
            "one by the change itself"
        );
        std::fs::write(folder(&path).join(".partial-1"), "left over").unwrap();
        std::fs::write(folder(&path).join("mine.db"), "not ours").unwrap();
        for day in 0..20 {
            make_sound(&path, Time(NOW.0 + day * DAY)).unwrap();
        }
        let all = list(&path);
        assert_eq!(all.iter().filter(|backup| backup.format == FORMAT).count(), KEPT);
        assert_eq!(all.iter().filter(|backup| backup.format == 1).count(), 2);
        assert_eq!(all[0].at, Time(NOW.0 + 19 * DAY), "the newest first");
        let others = std::fs::read_dir(folder(&path)).unwrap().count() - all.len();
        assert_eq!(others, 1, "what is not ours stays, what was left over goes");
    }

    #[test]
    fn a_format_is_not_changed_without_a_back_up() {
        let (_dir, path, ledger) = ledger();
        drop(ledger);
        make_old(&path);
        std::fs::write(folder(&path), "in the way").unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NoBackup { .. }), "{error}");
        let db = Connection::open(&path).unwrap();
        let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(format, 1);
        std::fs::remove_file(folder(&path)).unwrap();
        assert_eq!(Ledger::open(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_ledger_does_not_take_the_place_of_a_good_back_up() {
        let (_dir, path, _ledger) = ledger();
        let good = make_sound(&path, NOW).unwrap();
        damage(&path);
        let error = make_sound(&path, Time(NOW.0 + DAY)).unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { path: of, .. } if *of == path), "{error}");
        assert_eq!(std::fs::read_dir(folder(&path)).unwrap().count(), 1, "nothing is left of it");
        assert_eq!(newest_sound(&path).unwrap(), (good, 1));
        // A newer one that can't be read is passed over.
        let bad = folder(&path).join(name_of(Time(NOW.0 + DAY), FORMAT));
        std::fs::write(&bad, "no database").unwrap();
        let way = way_back(&path);
        assert!(
            way.contains("of 2026-11-29 21:30 UTC and has 1 fact;") && !way.contains("20261130"),
            "{way}"
        );
    }

    #[test]
    fn without_a_back_up_that_is_said() {
        let (dir, path, _ledger) = ledger();
        let way = way_back(&path);
        assert!(way.contains("no back-up") && !way.contains(" cp "), "{way}");
        std::fs::create_dir(dir.path().join("damaged-1")).unwrap();
        assert!(way_back(&path).contains("damaged-2"), "what was put away before stays");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn a_failure_is_kept_until_one_is_made() {
        let (_dir, path, _ledger) = ledger();
        assert_eq!(failure(&path), None);
        let failed = Failure { at: NOW, what: "full".into(), remedy: "make room".into() };
        note(&path, Some(&failed)).unwrap();
        assert_eq!(failure(&path), Some(failed));
        note(&path, None).unwrap();
        note(&path, None).unwrap();
        assert_eq!(failure(&path), None);
    }

    #[test]
    fn a_ledger_that_is_locked_is_neither_full_nor_damaged() {
        let (_dir, path, _ledger) = ledger();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let db = Connection::open(&path).unwrap();
        let error = db.execute("DELETE FROM facts", []).unwrap_err();
        let error = failed(&path, "write")(error);
        assert!(matches!(error, StoreError::Busy(_)), "{error}");
        assert!(!error.remedy().contains("room") && error.to_string().contains("locked"), "{error}");
        assert!(make_sound(&path, NOW).is_ok(), "whoever writes holds up no back-up");
    }
}
