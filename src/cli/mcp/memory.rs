//! The memory file of a worktree: one dated line more, under a heading of our own, and nothing else is touched.
//!
//! Promises: only a plain file below that folder is written, and no link is followed on the way to it; it is replaced
//! whole or not at all; neither a line nor the file grows beyond its bound.

use crate::values::text::Shown;
use crate::values::words::cut;
use rustix::fs::{AtFlags, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

/// The line under which notes stand.
const HEADING: &str = "## Notes of agents";
/// Longest note as written, in characters.
const LINE_MAX: usize = 600;
/// The file grows no larger by our doing, in bytes.
const FILE_MAX: usize = 256 * 1024;

/// Why nothing was noted.
#[derive(Debug)]
pub(super) struct NotNoted {
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// Adds `note` to the file `path` of `folder`; gives the line as it was written.
pub(super) fn add(folder: &Path, path: &str, day: &str, who: &str, note: &str) -> Result<String, NotNoted> {
    let shown = Shown::line(path);
    let failed = |what: &str, error: io::Error| NotNoted {
        what: format!("can't {what} {shown} in {}: {error}", folder.display()),
        remedy: "nothing was noted",
    };
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                return Err(failed("reach", io::Error::other("it leaves the worktree")));
            }
        }
    }
    let Some(name) = parts.pop() else { return Err(failed("reach", io::Error::other("it has no name"))) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let reached = |error: rustix::io::Errno| failed("reach", error.into());
    let mut dir = rustix::fs::open(folder, flags, Mode::empty()).map_err(reached)?;
    for part in parts {
        dir = rustix::fs::openat(&dir, part, flags, Mode::empty()).map_err(reached)?;
    }
    let line = line(day, who, note);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let before = match rustix::fs::openat(&dir, name, flags, Mode::empty()) {
        Ok(file) => Some(read(File::from(file)).map_err(|error| failed("read", error))?),
        Err(rustix::io::Errno::NOENT) => None,
        Err(rustix::io::Errno::LOOP) => {
            return Err(NotNoted {
                what: format!("{shown} in {} is a link", folder.display()),
                remedy: "notes go into a plain file alone: make it one",
            });
        }
        Err(error) => return Err(failed("open", error.into())),
    };
    let mode = before.as_ref().map_or(0o644, |(_, mode)| *mode);
    let text = with(before.as_ref().map_or("", |(text, _)| text), &line);
    if text.len() > FILE_MAX {
        return Err(NotNoted {
            what: format!("{shown} would be larger than {FILE_MAX} bytes"),
            remedy: "drop from it what is of no use any more",
        });
    }
    let new = format!(".nopeek-note.{}", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let write = || -> io::Result<()> {
        let _ = rustix::fs::unlinkat(&dir, &new, AtFlags::empty());
        let mut file = File::from(rustix::fs::openat(&dir, &new, flags, Mode::from_raw_mode(mode))?);
        file.write_all(text.as_bytes())?;
        rustix::fs::renameat(&dir, &new, &dir, name)?;
        Ok(())
    };
    write().map_err(|error| failed("write", error))?;
    Ok(line)
}

/// The file's text and mode; an error for anything but a plain file of ours of a bounded size.
fn read(file: File) -> io::Result<(String, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    if meta.len() > FILE_MAX as u64 {
        return Err(io::Error::other(format!("it is larger than {FILE_MAX} bytes")));
    }
    let mut text = String::new();
    file.take(FILE_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok((text, meta.mode() & 0o777))
}

/// One list item: white space is one space, nothing in it acts or hides.
fn line(day: &str, who: &str, note: &str) -> String {
    let words = note.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = Shown::line(&words);
    let text = cut::chars(shown.as_str(), LINE_MAX);
    format!("- {day} {who}: {text}")
}

/// `before` with `line` as the last one of our section, which is made at the end if there is none.
fn with(before: &str, line: &str) -> String {
    let lines: Vec<&str> = before.lines().collect();
    let Some(heading) = lines.iter().position(|old| old.trim_end() == HEADING) else {
        let gap = if before.is_empty() || before.ends_with("\n\n") {
            ""
        } else if before.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        return format!("{before}{gap}{HEADING}\n\n{line}\n");
    };
    let is_next = |old: &&str| old.starts_with("# ") || old.starts_with("## ");
    let after = lines[heading + 1..].iter().position(is_next).map_or(lines.len(), |at| heading + 1 + at);
    let last = lines[heading..after].iter().rposition(|old| !old.trim().is_empty()).unwrap_or(0);
    let at = heading + last + 1;
    let mut new: Vec<&str> = lines[..at].to_vec();
    if last == 0 {
        new.push("");
    }
    new.push(line);
    new.extend(&lines[at..]);
    if at == lines.len() || lines[at..].iter().all(|old| old.trim().is_empty()) {
        return format!("{}\n", new.join("\n").trim_end());
    }
    format!("{}\n", new.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const FILE: &str = "wip.md";
    const DAY: &str = "2026-11-21";

    #[test]
    fn notes_stand_under_their_heading_and_all_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let add = |note: &str| add(dir.path(), FILE, DAY, "t3.1", note).unwrap();
        add("one");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "## Notes of agents\n\n- 2026-11-21 t3.1: one\n");
        std::fs::write(&file, "# Work\n\nText.\n\n## Notes of agents\n\n- old\n\n## Next\n\n- x\n").unwrap();
        add("two\n## Next\r\n\x1b[31m\u{202e}red");
        let text = std::fs::read_to_string(&file).unwrap();
        let line = "- 2026-11-21 t3.1: two ## Next ␛[31m<U+202E>red";
        assert_eq!(
            text,
            format!("# Work\n\nText.\n\n## Notes of agents\n\n- old\n{line}\n\n## Next\n\n- x\n")
        );
        std::fs::write(&file, "# Work").unwrap();
        add("three");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "# Work\n\n## Notes of agents\n\n- 2026-11-21 t3.1: three\n");
        assert!(add(&"x".repeat(5_000)).chars().count() < LINE_MAX + 40);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn links_and_what_is_no_plain_file_are_refused() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = other.path().join("victim");
        std::fs::write(&victim, "v").unwrap();
        symlink(&victim, dir.path().join(FILE)).unwrap();
        let refused = add(dir.path(), FILE, DAY, "t3.1", "x").unwrap_err();
        assert!(refused.what.contains("is a link"), "{}", refused.what);
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        symlink(other.path().join("nothing"), dir.path().join(FILE)).unwrap();
        assert!(add(dir.path(), FILE, DAY, "t3.1", "x").is_err(), "a link that leads nowhere makes no file");
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        std::fs::create_dir(dir.path().join(FILE)).unwrap();
        assert!(add(dir.path(), FILE, DAY, "t3.1", "x").is_err());
        symlink(dir.path(), other.path().join("folder")).unwrap();
        assert!(
            add(&other.path().join("folder"), FILE, DAY, "t3.1", "x").is_err(),
            "nor is the folder a link"
        );
        std::fs::remove_dir(dir.path().join(FILE)).unwrap();
        std::fs::write(dir.path().join(FILE), "x".repeat(FILE_MAX)).unwrap();
        assert!(add(dir.path(), FILE, DAY, "t3.1", "x").is_err(), "it does not grow for ever");
        symlink(other.path(), dir.path().join("out")).unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        for path in ["out/wip.md", "../wip.md", "/tmp/wip.md", "in/../../wip.md", "", "none/wip.md"] {
            assert!(add(dir.path(), path, DAY, "t3.1", "x").is_err(), "{path}");
        }
        add(dir.path(), "in/wip.md", DAY, "t3.1", "x").unwrap();
        assert!(dir.path().join("in/wip.md").exists() && !other.path().join("wip.md").exists());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "v");
        assert!(!other.path().join("nothing").exists());
    }
}
