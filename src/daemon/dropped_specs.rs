//! The queue's folders on disk: what was dropped is read, and moved from one folder to another.
//!
//! Promises: no symbolic link is followed, nothing outside of the queue's folders is touched, what git tracks is left where
//! it is, nothing is written over; to move a file twice equals moving it once. All of it is bounded.

use crate::core::model::batch::{Dropped, PRIORITIES, Place, QueueScan};
use crate::core::model::spec::GOAL_MAX;
use crate::git;
use crate::values::text::Shown;
use crate::wire::client::QueueLine;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Most folders that a pattern stands for.
const FOLDERS_MAX: usize = 100;
/// Most files that are read in one look; the rest waits for the next.
const FILES_MAX: usize = 200;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 2_000;
/// Most names of the supervisor's priorities.
const NAMES_MAX: usize = 200;
/// How a file of a reason ends.
const WHY: &str = ".why";
/// Most numbers that are tried for a name that is taken.
const NUMBERS_MAX: u32 = 1_000;

/// What lies in the queue.
pub(super) fn look(main: &Path, target: &str, pattern: &str) -> Result<QueueScan, Shown> {
    let failed = |what: &str| Shown::line(&format!("{pattern} of {}: {what}", main.display()));
    let mut found = QueueScan { priorities: priorities(main, target), ..QueueScan::default() };
    for folder in folders(main, pattern) {
        for file in files(&main.join(&folder)) {
            if found.dropped.len() + found.tracked.len() >= FILES_MAX {
                break;
            }
            let path = format!("{folder}/{file}");
            if git::repo::is_tracked(main, &path).map_err(|error| failed(&error.to_string()))? {
                found.tracked.push(path);
            } else {
                found.dropped.push(read(&main.join(&path), &folder, file));
            }
        }
    }
    Ok(found)
}

/// Names and changes of what lies in the queue: to see whether something was dropped, at little cost.
pub(super) fn glance(main: &Path, pattern: &str) -> Vec<(String, Option<std::time::SystemTime>)> {
    let mut all = Vec::new();
    for folder in folders(main, pattern) {
        for file in files(&main.join(&folder)) {
            let path = format!("{folder}/{file}");
            let changed = std::fs::symlink_metadata(main.join(&path)).and_then(|about| about.modified()).ok();
            all.push((path, changed));
        }
    }
    all
}

/// All files of the queue with where they lie, for people.
pub(super) fn list(main: &Path, pattern: &str) -> Vec<QueueLine> {
    let mut lines = Vec::new();
    for next in folders_even_gone(main, pattern) {
        for place in [Place::Next, Place::Doing, Place::Failed, Place::Done] {
            let folder = beside(&next, place);
            for file in files(&main.join(&folder)) {
                let why = std::fs::read_to_string(main.join(&folder).join(format!("{file}{WHY}")));
                let why = why.ok().map(|why| Shown::line(why.lines().next().unwrap_or("")));
                lines.push(QueueLine { place, folder: folder.clone(), file, why: why.unwrap_or_default() });
            }
        }
    }
    lines
}

/// Moves a dropped file; `folder` is the one in which it was dropped.
pub(super) fn shift(
    main: &Path,
    folder: &str,
    file: &str,
    (from, to): (Place, Place),
    why: Option<&str>,
) -> Result<(), Shown> {
    let wrong = |what: String| Shown::line(&what);
    let plain = !file.is_empty() && !file.contains('/') && !file.starts_with('.');
    if !plain || !folder.split('/').all(|part| !part.is_empty() && part != "." && part != "..") {
        return Err(wrong(format!("{folder}/{file} is no file of a queue")));
    }
    let (old, new) = (main.join(beside(folder, from)), main.join(beside(folder, to)));
    for dir in [&old, &new] {
        if !is_plain(main, dir.parent().unwrap_or(main)) || dir.is_symlink() {
            return Err(wrong(format!("{} is reached by a symbolic link", dir.display())));
        }
    }
    let failed = |what: &str, place: &Path, error: &io::Error| {
        wrong(format!("can't {what} {}: {error}", place.display()))
    };
    if old.join(file).symlink_metadata().is_ok_and(|about| about.is_file()) {
        std::fs::create_dir_all(&new).map_err(|error| failed("make", &new, &error))?;
        let name =
            free(&new, file).ok_or_else(|| wrong(format!("{} is full of files {file}", new.display())))?;
        std::fs::rename(old.join(file), new.join(&name))
            .map_err(|error| failed("move", &old.join(file), &error))?;
        if let Some(why) = why {
            let place = new.join(format!("{name}{WHY}"));
            let written = std::fs::File::create(&place).and_then(|mut out| writeln!(out, "{why}"));
            written.map_err(|error| failed("write", &place, &error))?;
        }
    }
    Ok(())
}

/// The folder beside a `next`.
fn beside(next: &str, place: Place) -> String {
    let parent = next.rsplit_once('/').map_or("", |(parent, _)| parent);
    if parent.is_empty() { place.folder().to_owned() } else { format!("{parent}/{}", place.folder()) }
}

/// The name, or the first of `name-2.md`, `name-3.md` … that is not taken.
fn free(dir: &Path, file: &str) -> Option<String> {
    let (stem, ending) =
        file.rsplit_once('.').map_or((file, String::new()), |(stem, end)| (stem, format!(".{end}")));
    let numbered = (2..NUMBERS_MAX).map(|n| format!("{stem}-{n}{ending}"));
    std::iter::once(file.to_owned()).chain(numbered).find(|name| dir.join(name).symlink_metadata().is_err())
}

/// Folders that the pattern names and that are there.
fn folders(main: &Path, pattern: &str) -> Vec<String> {
    let there = |folder: &String| main.join(folder).symlink_metadata().is_ok_and(|about| about.is_dir());
    folders_even_gone(main, pattern).into_iter().filter(there).collect()
}

/// The same, where the last part of the path need not be there: git and people remove empty folders.
fn folders_even_gone(main: &Path, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let parts: Vec<&str> = pattern.split('/').collect();
    for (n, part) in parts.iter().enumerate() {
        let join = |folder: &String, name: &str| {
            if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
        };
        let mut next = Vec::new();
        for folder in &found {
            if *part == "*" {
                next.extend(
                    entries(&main.join(folder), |about| about.is_dir()).iter().map(|name| join(folder, name)),
                );
            } else {
                let path = join(folder, part);
                let last = n + 1 == parts.len();
                if last || main.join(&path).symlink_metadata().is_ok_and(|about| about.is_dir()) {
                    next.push(path);
                }
            }
        }
        next.truncate(FOLDERS_MAX);
        found = next;
    }
    found
}

/// Markdown files of a folder, by name.
fn files(dir: &Path) -> Vec<String> {
    let mut files = entries(dir, |about| about.is_file());
    files.retain(|name| name.ends_with(".md"));
    files
}

/// Names of what is of this kind in a folder, sorted, without hidden ones and those that are no text.
fn entries(dir: &Path, kind: impl Fn(&std::fs::Metadata) -> bool) -> Vec<String> {
    let all = std::fs::read_dir(dir).into_iter().flatten().flatten().take(ENTRIES_MAX);
    let mut names: Vec<String> = all
        .filter(|entry| entry.path().symlink_metadata().is_ok_and(|about| kind(&about)))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Whether a folder of the repo is reached without a symbolic link.
fn is_plain(main: &Path, dir: &Path) -> bool {
    let Ok(inner) = dir.strip_prefix(main) else { return false };
    let mut at = PathBuf::from(main);
    inner.components().all(|part| {
        at.push(part);
        !at.is_symlink()
    })
}

fn read(path: &Path, folder: &str, file: String) -> Dropped {
    let mut bytes = Vec::new();
    let most = GOAL_MAX as u64 + 1;
    let read = std::fs::File::open(path).and_then(|from| from.take(most).read_to_end(&mut bytes));
    let (text, wrong) = match (read, String::from_utf8(bytes)) {
        (Err(error), _) => (String::new(), Some(format!("it can't be read: {error}"))),
        // Cut within a character, it is too long anyway.
        (Ok(n), Err(error)) if n > GOAL_MAX => (String::from_utf8_lossy(error.as_bytes()).into_owned(), None),
        (Ok(_), Err(_)) => (String::new(), Some("it is no text in UTF-8".to_owned())),
        (Ok(_), Ok(text)) => (text, None),
    };
    Dropped { folder: folder.to_owned(), file, text, wrong: wrong.map(|what| Shown::line(&what)) }
}

/// The names that the supervisor has put in order: the lines until the first empty one.
fn priorities(main: &Path, target: &str) -> Vec<String> {
    let text = git::repo::read_file(main, target, PRIORITIES).ok().flatten().unwrap_or_default();
    let lines =
        text.lines().map(str::trim).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    lines
        .take(NAMES_MAX)
        .map(|line| line.trim_start_matches(['-', '*', ' ']).trim_end_matches(".md").to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        git2::Repository::init(dir.path()).unwrap();
        for folder in ["specs/shop/next", "specs/tea/next", "specs/.git/next", "elsewhere"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        dir
    }

    fn put(dir: &tempfile::TempDir, path: &str, text: &[u8]) {
        std::fs::write(dir.path().join(path), text).unwrap();
    }

    #[test]
    fn what_was_dropped_is_found_in_order_and_nothing_else() {
        let dir = repo();
        put(&dir, "specs/tea/next/green.md", b"Green tea.");
        put(&dir, "specs/shop/next/b.md", b"B");
        put(&dir, "specs/shop/next/a.md", b"\xff\xfe");
        put(&dir, "specs/shop/next/a.md.why", b"x");
        put(&dir, "specs/shop/next/.hidden.md", b"x");
        put(&dir, "specs/shop/next/long.md", &vec![b'x'; GOAL_MAX + 10]);
        put(&dir, "elsewhere/secret.md", b"secret");
        std::os::unix::fs::symlink(
            dir.path().join("elsewhere/secret.md"),
            dir.path().join("specs/shop/next/link.md"),
        )
        .unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("specs/out")).unwrap();
        put(&dir, "specs/shop/next/kept.md", b"kept");
        let repo = git2::Repository::open(dir.path()).unwrap();
        let mut index = repo.index().unwrap();
        index.add_path(Path::new("specs/shop/next/kept.md")).unwrap();
        index.write().unwrap();
        let found = look(dir.path(), "main", "specs/*/next").unwrap();
        let names: Vec<(&str, &str)> =
            found.dropped.iter().map(|one| (one.folder.as_str(), one.file.as_str())).collect();
        let shop = "specs/shop/next";
        assert_eq!(
            names,
            [(shop, "a.md"), (shop, "b.md"), (shop, "long.md"), ("specs/tea/next", "green.md")]
        );
        assert_eq!(found.dropped[0].wrong.as_ref().unwrap().as_str(), "it is no text in UTF-8");
        assert!(found.dropped[2].text.len() > GOAL_MAX, "the engine says that it is too long");
        assert_eq!(found.tracked, ["specs/shop/next/kept.md"]);
        assert_eq!(glance(dir.path(), "specs/*/next").len(), 5);
    }

    #[test]
    fn a_file_is_moved_once_and_writes_over_nothing() {
        let dir = repo();
        let there = |path: &str| std::fs::read_to_string(dir.path().join(path)).ok();
        put(&dir, "specs/tea/next/green.md", b"one");
        let go = |from, to, why| shift(dir.path(), "specs/tea/next", "green.md", (from, to), why);
        for _ in 0..2 {
            go(Place::Next, Place::Doing, None).unwrap();
        }
        assert_eq!(
            (there("specs/tea/next/green.md"), there("specs/tea/doing/green.md")),
            (None, Some("one".into()))
        );
        std::fs::create_dir(dir.path().join("specs/tea/failed")).unwrap();
        put(&dir, "specs/tea/failed/green.md", b"older");
        go(Place::Doing, Place::Failed, Some("because")).unwrap();
        assert_eq!(there("specs/tea/failed/green.md"), Some("older".into()));
        assert_eq!(there("specs/tea/failed/green-2.md"), Some("one".into()));
        assert_eq!(there("specs/tea/failed/green-2.md.why"), Some("because\n".into()));
        let lines = list(dir.path(), "specs/*/next");
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].place, lines[0].why.as_str()), (Place::Failed, "because"));
        for (folder, file) in
            [("specs/tea/next", "../x.md"), ("../next", "x.md"), ("", "x.md"), ("specs/tea/next", ".x")]
        {
            assert!(
                shift(dir.path(), folder, file, (Place::Next, Place::Done), None).is_err(),
                "{folder}/{file}"
            );
        }
    }
}
