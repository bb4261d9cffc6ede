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
    let file = |path: &str| -> Result<Option<String>, git::GitError> {
        Ok(git::repo::read_file(main, branch, path)?.or_else(|| ignored(worktree, path)))
    };
    let missing =
        |path: &str| Deliverable::Mistakes(vec![format!("{path} is not there: write it and commit it")]);
    let long = |text: &str, path: &str| {
        let what = format!("{path} is longer than {}: put less into it", size::exact(FILE_MAX));
        (text.len() as u64 > FILE_MAX).then(|| Deliverable::Mistakes(vec![what]))
    };
    match wanted {
        Wanted::Spec { file: path, answers } => {
            let Some(text) = file(path)? else { return Ok(missing(path)) };
            if let Some(refused) = long(&text, path) {
                return Ok(refused);
            }
            let mut wrong = Vec::new();
            let contract = spec::parse(&text, path).map_err(|error| wrong.push(words(&error))).ok();
            let mut given = Vec::new();
            if let Some(answers) = answers {
                match file(answers)? {
                    None => wrong.push(format!("{answers} is not there: the findings have no answers")),
                    Some(text) => match findings::answers(&text, answers) {
                        Ok(read) => given = read,
                        Err(error) => wrong.push(words(&error)),
                    },
                }
            }
            Ok(match contract {
                Some(contract) if wrong.is_empty() => {
                    Deliverable::Spec { contract: Box::new(contract), text, answers: given }
                }
                _ => Deliverable::Mistakes(wrong),
            })
        }
        Wanted::Findings { file: path, look, verdict } => {
            // Fresh from the worktree: an earlier look's may have been committed.
            let Some(text) = ignored(worktree, path)
                .map_or_else(|| git::repo::read_file(main, branch, path), |text| Ok(Some(text)))?
            else {
                return Ok(missing(path));
            };
            if let Some(refused) = long(&text, path) {
                return Ok(refused);
            }
            Ok(match findings::parse(&text, path, *look, *verdict) {
                Ok(found) => Deliverable::Findings(found),
                Err(error) => Deliverable::Mistakes(vec![words(&error)]),
            })
        }
        Wanted::Lines { target } => {
            // What can't be compared is like nothing; that is no fault of the work.
            let diff = git::diff::read(main, branch, target).unwrap_or_default();
            Ok(Deliverable::Lines(Sketch::of(&diff)))
        }
        Wanted::Plan { folder, touchpoints } => {
            let mut names: Vec<(u32, String)> = git::repo::list(main, branch, folder)?
                .into_iter()
                .filter_map(|name| Some((number(&name)?, name)))
                .collect();
            names.sort();
            if names.is_empty() {
                return Ok(missing(&format!("{folder}/phase-1.md")));
            }
            if names.len() > PHASES_MAX {
                let what = format!("{folder} has {} phases; {PHASES_MAX} are allowed", names.len());
                return Ok(Deliverable::Mistakes(vec![what]));
            }
            let (mut phases, mut wrong) = (Vec::new(), Vec::new());
            for (_, name) in names {
                let path = format!("{folder}/{name}");
                let text = file(&path)?.unwrap_or_default();
                if let Some(refused) = long(&text, &path) {
                    return Ok(refused);
                }
                match plan::parse(&text, &path) {
                    Ok(phase) => phases.push(phase),
                    Err(error) => wrong.push(words(&error)),
                }
            }
            if wrong.is_empty() {
                wrong = check(&phases, touchpoints).iter().map(ToString::to_string).collect();
            }
            Ok(if wrong.is_empty() { Deliverable::Plan(phases) } else { Deliverable::Mistakes(wrong) })
        }
    }
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
