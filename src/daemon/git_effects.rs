//! Git's part of the effects, on a worker: worktrees, merges, landings, archives, and the files of a repo's queue.
//!
//! A worktree stands outside of its repo and is told apart by task and attempt.

use super::{deliverables, dropped_specs, gate_specs, launch};
use crate::core::model::attempt::Start;
use crate::core::model::branch::{MergeBuilt, WorktreeReady};
use crate::core::model::effect::{Acceptance, Candidate, EffectKind};
use crate::core::model::event::EffectOutcome;
use crate::git;
use crate::git::merge::Built;
use crate::git::refs::Moved;
use crate::os::paths::Paths;
use crate::values::ids::AttemptId;
use crate::values::text::Shown;
use std::path::{Path, PathBuf};

/// Does an effect on a repo; what came of it.
pub(super) fn work(paths: &Paths, what: EffectKind) -> Result<EffectOutcome, Shown> {
    match what {
        EffectKind::PrepareWorktree { repo, attempt, branch, target, start, previous, acceptance } => {
            let previous = previous.as_deref();
            prepare(paths, &repo, attempt, &branch, &target, (start, previous), &acceptance)
        }
        EffectKind::ReadBranch { repo, branch, worktree, target, wanted } => {
            let mut remarks = Vec::new();
            if worktree.is_dir() {
                remarks = looked_at(git::ending::unfinished(&worktree));
                git::worktree::commit_leftovers(&worktree, &branch, "Uncommitted work, kept by nopeek")
                    .map_err(git_error)?;
            }
            let mut read = git::diff::branch(&repo, &branch, &target).map_err(git_error)?;
            read.deliverable = wanted
                .map(|wanted| deliverables::read(&repo, &worktree, &branch, &wanted))
                .transpose()
                .map_err(git_error)?;
            remarks.extend(looked_at(git::ending::remarks(&repo, &worktree, &branch, &target)));
            read.remarks = remarks.iter().map(|remark| Shown::line(remark)).collect();
            Ok(EffectOutcome::BranchRead(read))
        }
        EffectKind::BuildMerge { repo, attempt, target, what, message, acceptance } => {
            build(paths, &repo, attempt, &target, (&what, &message), &acceptance)
        }
        EffectKind::MoveTarget { repo, target, from, to, key } => {
            Ok(match git::refs::move_target(&repo, &target, &from, &to, &key).map_err(git_error)? {
                Moved::Moved => EffectOutcome::TargetMoved,
                Moved::Stale => EffectOutcome::TargetStale,
                Moved::Refused(reason) => EffectOutcome::TargetRefused { reason },
            })
        }
        EffectKind::Archive { repo, worktree, branch, key } => {
            git::archive::archive(&repo, &worktree, branch.as_deref(), &key).map_err(git_error)?;
            Ok(EffectOutcome::Done)
        }
        EffectKind::LookForSpecs { repo, target, pattern, .. } => {
            Ok(EffectOutcome::SpecsFound(dropped_specs::look(&repo, &target, &pattern)?))
        }
        EffectKind::MoveSpec { repo, folder, file, from, to, why } => {
            dropped_specs::shift(&repo, &folder, &file, (from, to), why.as_deref())?;
            Ok(EffectOutcome::Done)
        }
        EffectKind::StartJob(_)
        | EffectKind::Freeze(_)
        | EffectKind::Thaw(_)
        | EffectKind::End { .. }
        | EffectKind::Type { .. }
        | EffectKind::WriteReport { .. } => Err(Shown::line("an order to a job came to a git worker")),
    }
}

/// What the end of an attempt is remarked by. That it could not be looked at is a remark, and no reason to lose the work.
fn looked_at(remarks: Result<Vec<String>, git::GitError>) -> Vec<String> {
    remarks.unwrap_or_else(|error| {
        vec![format!("what else is to be said of its end could not be read: {error}")]
    })
}

fn prepare(
    paths: &Paths,
    repo: &Path,
    attempt: AttemptId,
    branch: &str,
    target: &str,
    (start, previous): (Start, Option<&str>),
    acceptance: &Acceptance,
) -> Result<EffectOutcome, Shown> {
    let config = launch::trusted_config(paths, repo, target).map_err(|error| refused(&error))?;
    let place = place(paths, repo, &worktree_name(attempt, branch));
    let base = git::worktree::prepare(repo, &place, branch, target, start, previous).map_err(git_error)?;
    git::worktree::bring(repo, &place, &config.copy, &config.link).map_err(git_error)?;
    let gates = gate_specs::gates(&config, target, acceptance, false);
    Ok(EffectOutcome::WorktreeReady(WorktreeReady { path: place, base, setup: config.setup, gates }))
}

fn build(
    paths: &Paths,
    repo: &Path,
    attempt: AttemptId,
    target: &str,
    (what, message): (&Candidate, &str),
    acceptance: &Acceptance,
) -> Result<EffectOutcome, Shown> {
    let config = launch::trusted_config(paths, repo, target).map_err(|error| refused(&error))?;
    let undo = matches!(what, Candidate::Revert(_));
    let name = format!("{attempt}-{}", if undo { "rollback" } else { "merge" });
    let scratch = place(paths, repo, &name);
    match git::merge::build(repo, &scratch, target, what, message, &acceptance.union).map_err(git_error)? {
        Built::Conflict(files) => Ok(EffectOutcome::Conflict { files }),
        Built::Merged { onto, commit, tree } => {
            git::worktree::bring(repo, &scratch, &config.copy, &config.link).map_err(git_error)?;
            let gates = gate_specs::gates(&config, target, acceptance, undo);
            let setup = config.setup;
            Ok(EffectOutcome::MergeBuilt(MergeBuilt { onto, commit, tree, path: scratch, setup, gates }))
        }
    }
}

/// Where a worktree of `repo` stands: outside of it, told apart by task and attempt.
fn place(paths: &Paths, repo: &Path, name: &str) -> PathBuf {
    let repo = repo.file_name().map_or_else(|| "repo".into(), |name| name.to_string_lossy().into_owned());
    paths.worktrees().join(repo).join(name)
}

/// `t12-fix-login-1` for `nopeek/fix-login/1`.
fn worktree_name(attempt: AttemptId, branch: &str) -> String {
    let name = branch.strip_prefix("nopeek/").unwrap_or(branch).replace('/', "-");
    format!("{}-{name}", attempt.task)
}

fn git_error(error: git::GitError) -> Shown {
    refused(&launch::git_refusal(error))
}

/// What failed and what to do, in one line.
fn refused(refusal: &crate::wire::client::Refusal) -> Shown {
    if refusal.remedy.is_empty() {
        Shown::line(&refusal.what)
    } else {
        Shown::line(&format!("{}: {}", refusal.what, refusal.remedy))
    }
}
