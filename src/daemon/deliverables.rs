//! What an attempt's branch brought beside its commits: a spec, findings, a plan; read, and checked as files people write.
//!
//! Promises: an agent's file is read whole or refused; what is wrong with it is said by line, for the next attempt. A file
//! that is ignored by git is read from the worktree; no symbolic link is followed.

use crate::config::{ConfigError, findings, plan, spec};
use crate::core::model::assignment::Deliverable;
use crate::core::model::bench::sketch::Sketch;
use crate::core::model::effect::Wanted;
use crate::core::outer::plan::check;
use crate::git;
use crate::values::words::size;
use std::io::Read as _;
use std::path::{Component, Path};

/// Largest file that is read, in bytes.
const FILE_MAX: u64 = 256 * 1024;
/// Most phase files that are read.
const PHASES_MAX: usize = 50;

/// Reads what is wanted from the branch's commit, else from the worktree.
pub(super) fn read(
    main: &Path,
    worktree: &Path,
    branch: &str,
    wanted: &Wanted,
) -> Result<Deliverable, git::GitError> {
    let files = Files { main, worktree, branch };
    let read = match wanted {
        Wanted::Spec { file, answers } => files.spec(file, answers.as_deref())?,
        Wanted::Findings { file, look, verdict } => {
            // Fresh from the worktree: an earlier look's may have been committed.
            let text = ignored(worktree, file)
                .map_or_else(|| git::repo::read_file(main, branch, file), |text| Ok(Some(text)))?;
            whole(text, file).and_then(|text| {
                findings::parse(&text, file, *look, *verdict)
                    .map(Deliverable::Findings)
                    .map_err(|error| vec![words(&error)])
            })
        }
        Wanted::Lines { target } => {
            // What can't be compared is like nothing; that is no fault of the work.
            let diff = git::diff::read(main, branch, target).unwrap_or_default();
            Ok(Deliverable::Lines(Sketch::of(&diff)))
        }
        Wanted::Plan { folder, touchpoints } => files.plan(folder, touchpoints)?,
    };
    Ok(read.unwrap_or_else(Deliverable::Mistakes))
}

/// Where an attempt's files are.
struct Files<'a> {
    main: &'a Path,
    worktree: &'a Path,
    branch: &'a str,
}

/// What was read, or what its agent is to mend.
type Checked<T> = Result<T, Vec<String>>;

impl Files<'_> {
    /// A file's text: as committed, else as it lies in the worktree.
    fn text(&self, path: &str) -> Result<Option<String>, git::GitError> {
        Ok(git::repo::read_file(self.main, self.branch, path)?.or_else(|| ignored(self.worktree, path)))
    }

    /// A spec, with the answers to findings if those are wanted.
    fn spec(&self, path: &str, answers: Option<&str>) -> Result<Checked<Deliverable>, git::GitError> {
        let text = match whole(self.text(path)?, path) {
            Ok(text) => text,
            Err(mistakes) => return Ok(Err(mistakes)),
        };
        let mut wrong = Vec::new();
        let contract = spec::parse(&text, path).map_err(|error| wrong.push(words(&error))).ok();
        let mut given = Vec::new();
        if let Some(answers) = answers {
            match self.text(answers)? {
                None => wrong.push(format!("{answers} is not there: the findings have no answers")),
                Some(text) => match findings::answers(&text, answers) {
                    Ok(read) => given = read,
                    Err(error) => wrong.push(words(&error)),
                },
            }
        }
        Ok(match contract {
            Some(contract) if wrong.is_empty() => {
                Ok(Deliverable::Spec { contract: Box::new(contract), text, answers: given })
            }
            _ => Err(wrong),
        })
    }

    /// The phases of a plan, in order, checked as a whole.
    fn plan(&self, folder: &str, touchpoints: &[String]) -> Result<Checked<Deliverable>, git::GitError> {
        let mut names: Vec<(u32, String)> = git::repo::list(self.main, self.branch, folder)?
            .into_iter()
            .filter_map(|name| Some((number(&name)?, name)))
            .collect();
        names.sort();
        if names.is_empty() {
            return Ok(Err(missing(&format!("{folder}/phase-1.md"))));
        }
        if names.len() > PHASES_MAX {
            return Ok(Err(vec![format!("{folder} has {} phases; {PHASES_MAX} are allowed", names.len())]));
        }
        let (mut phases, mut wrong) = (Vec::new(), Vec::new());
        for (_, name) in names {
            let path = format!("{folder}/{name}");
            let text = match whole(Some(self.text(&path)?.unwrap_or_default()), &path) {
                Ok(text) => text,
                Err(mistakes) => return Ok(Err(mistakes)),
            };
            match plan::parse(&text, &path) {
                Ok(phase) => phases.push(phase),
                Err(error) => wrong.push(words(&error)),
            }
        }
        if wrong.is_empty() {
            wrong = check(&phases, touchpoints).iter().map(ToString::to_string).collect();
        }
        Ok(if wrong.is_empty() { Ok(Deliverable::Plan(phases)) } else { Err(wrong) })
    }
}

/// A text that is there and not too long.
fn whole(text: Option<String>, path: &str) -> Checked<String> {
    let text = text.ok_or_else(|| missing(path))?;
    if text.len() as u64 > FILE_MAX {
        return Err(vec![format!("{path} is longer than {}: put less into it", size::exact(FILE_MAX))]);
    }
    Ok(text)
}

fn missing(path: &str) -> Vec<String> {
    vec![format!("{path} is not there: write it and commit it")]
}

/// 3 for `phase-3.md`.
fn number(name: &str) -> Option<u32> {
    name.strip_prefix("phase-")?.strip_suffix(".md")?.parse().ok()
}

fn words(error: &ConfigError) -> String {
    let remedy = error.remedy();
    if remedy.is_empty() { error.to_string() } else { format!("{error}: {remedy}") }
}

/// A plain file of the worktree, as far as it may be long, and one byte more.
fn ignored(worktree: &Path, path: &str) -> Option<String> {
    let mut at = worktree.to_owned();
    for part in Path::new(path).components() {
        let Component::Normal(part) = part else { return None };
        at.push(part);
        if std::fs::symlink_metadata(&at).ok()?.is_symlink() {
            return None;
        }
    }
    if !std::fs::symlink_metadata(&at).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(at).ok()?.take(FILE_MAX + 1).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_its_agent_is_told_what_to_mend() {
        let long = "x".repeat(usize::try_from(FILE_MAX).unwrap());
        assert_eq!(whole(Some(long.clone()), "a.md").unwrap(), long);
        assert_eq!(
            whole(Some(long + "x"), "a.md").unwrap_err(),
            ["a.md is longer than 256 KiB: put less into it"]
        );
        assert_eq!(whole(None, "a.md").unwrap_err(), ["a.md is not there: write it and commit it"]);
    }

    #[test]
    fn phases_are_counted_not_spelled() {
        assert_eq!((number("phase-10.md"), number("phase-2.md")), (Some(10), Some(2)));
        assert_eq!((number("phase-x.md"), number("notes.md")), (None, None));
    }
}
