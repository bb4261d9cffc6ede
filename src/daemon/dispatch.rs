//! From effects to the edges: git to workers, jobs to their threads; and the reconciling after a restart.
//!
//! An effect that is being done is not begun a second time. Every effect is answered, whatever breaks.

use super::batches::BatchReport;
use super::brought;
use super::drops;
use super::environment;
use super::jobs::{Begin, Order};
use super::judges;
use super::launch;
use super::requests::{kind, shown};
use super::shell::Shell;
use super::workers::{Lane, guarded};
use crate::core::attempt::Start;
use crate::core::effect::{Candidate, Effect, Terms, Work};
use crate::core::event::{Event, MergeBuilt, Outcome, WorktreeReady};
use crate::core::ids::{AttemptId, EffectId, JobId};
use crate::core::text::Shown;
use crate::git;
use crate::git::merge::Built;
use crate::git::refs::Moved;
use crate::os::paths::Paths;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

impl Shell {
    /// Asks the world about everything that an earlier daemon has left open.
    pub(super) fn reconcile(&mut self) {
        let open = self.engine.open_effects();
        let starting: HashSet<JobId> = open
            .iter()
            .filter_map(|effect| match &effect.what {
                Work::StartJob(start) => Some(start.job),
                _ => None,
            })
            .collect();
        for job in self.engine.live_jobs() {
            if starting.contains(&job) {
                continue;
            }
            let Some(info) = self.engine.job(job) else { continue };
            tracing::info!(%job, "looking for a job of an earlier daemon");
            if let Err(error) = self.jobs.begin(job, Begin::Attach(kind(info.kind), self.engine.heard(job))) {
                tracing::error!(%job, %error, "no thread can be started for a job");
            }
        }
        let (task, job) = environment::numbers(&self.paths);
        self.found_out.push_back(Event::NumbersFound { task, job });
        self.found_out.push_back(Event::Restarted);
        for effect in open {
            self.dispatch(effect);
        }
    }

    /// Begins an effect, unless it is being done already.
    pub(super) fn dispatch(&mut self, effect: Effect) {
        let Effect { id, what } = effect;
        if self.in_flight.contains_key(&id) {
            return;
        }
        let job = match &what {
            Work::Freeze(job) | Work::Thaw(job) | Work::End { job, .. } | Work::Type { job, .. } => {
                Some(*job)
            }
            Work::StartJob(_)
            | Work::PrepareWorktree { .. }
            | Work::ReadBranch { .. }
            | Work::BuildMerge { .. }
            | Work::MoveTarget { .. }
            | Work::Archive { .. }
            | Work::LookForSpecs { .. }
            | Work::MoveSpec { .. }
            | Work::WriteReport { .. } => None,
        };
        self.in_flight.insert(id, job);
        match what {
            Work::WriteReport { batch, tasks, since, lines, repo } => {
                self.write_report(id, BatchReport { repo, batch, tasks, since, lines });
            }
            Work::StartJob(start) => {
                let job = start.job;
                if let Err(error) = self.jobs.begin(job, Begin::Start { effect: id, start: Box::new(start) })
                {
                    self.answer(id, Outcome::Failed { error: shown(&error) });
                }
            }
            Work::Freeze(job) => self.order(id, job, Order::Freeze(id)),
            Work::Thaw(job) => self.order(id, job, Order::Thaw(id)),
            Work::End { job, grace } => self.order(id, job, Order::End { effect: id, grace }),
            Work::Type { job, answer } => self.order(id, job, Order::Type { effect: id, answer }),
            Work::PrepareWorktree { ref repo, .. }
            | Work::ReadBranch { ref repo, .. }
            | Work::BuildMerge { ref repo, .. }
            | Work::MoveTarget { ref repo, .. }
            | Work::Archive { ref repo, .. }
            | Work::LookForSpecs { ref repo, .. }
            | Work::MoveSpec { ref repo, .. } => {
                let lane = Lane::Change(repo.clone());
                let (paths, world) = (self.paths.clone(), self.world.clone());
                self.workers.put(lane, move || {
                    let outcome =
                        guarded(|| work(&paths, what)).unwrap_or_else(|broke| Err(Shown::line(&broke)));
                    let outcome = outcome.unwrap_or_else(|error| Outcome::Failed { error });
                    world.event(Event::Answered { effect: id, outcome });
                });
            }
        }
    }

    fn order(&mut self, effect: EffectId, job: JobId, order: Order) {
        // A job that has ended is as frozen, thawed and ended as can be.
        if !self.jobs.order(job, order) {
            self.done(effect);
        }
    }

    /// The loop itself knows that an effect is done.
    pub(super) fn done(&mut self, effect: EffectId) {
        self.answer(effect, Outcome::Done);
    }

    fn answer(&mut self, effect: EffectId, outcome: Outcome) {
        self.found_out.push_back(Event::Answered { effect, outcome });
    }
}

/// Git's part of the effects; on a worker.
fn work(paths: &Paths, what: Work) -> Result<Outcome, Shown> {
    match what {
        Work::PrepareWorktree { repo, attempt, branch, target, start, previous, terms } => {
            let previous = previous.as_deref();
            prepare(paths, &repo, attempt, &branch, &target, (start, previous), &terms)
        }
        Work::ReadBranch { repo, branch, worktree, target, wanted } => {
            if worktree.is_dir() {
                git::worktree::commit_leftovers(&worktree, &branch, "Uncommitted work, kept by nopeek")
                    .map_err(git_error)?;
            }
            let mut read = git::diff::branch(&repo, &branch, &target).map_err(git_error)?;
            read.brought = wanted
                .map(|wanted| brought::read(&repo, &worktree, &branch, &wanted))
                .transpose()
                .map_err(git_error)?;
            Ok(Outcome::BranchRead(read))
        }
        Work::BuildMerge { repo, attempt, target, what, message, terms } => {
            build(paths, &repo, attempt, &target, (&what, &message), &terms)
        }
        Work::MoveTarget { repo, target, from, to, key } => {
            Ok(match git::refs::move_target(&repo, &target, &from, &to, &key).map_err(git_error)? {
                Moved::Moved => Outcome::TargetMoved,
                Moved::Stale => Outcome::TargetStale,
                Moved::Refused(reason) => Outcome::TargetRefused { reason },
            })
        }
        Work::Archive { repo, worktree, branch, key } => {
            git::archive::archive(&repo, &worktree, branch.as_deref(), &key).map_err(git_error)?;
            Ok(Outcome::Done)
        }
        Work::LookForSpecs { repo, target, pattern, .. } => {
            Ok(Outcome::SpecsFound(drops::look(&repo, &target, &pattern)?))
        }
        Work::MoveSpec { repo, folder, file, from, to, why } => {
            drops::shift(&repo, &folder, &file, (from, to), why.as_deref())?;
            Ok(Outcome::Done)
        }
        Work::StartJob(_)
        | Work::Freeze(_)
        | Work::Thaw(_)
        | Work::End { .. }
        | Work::Type { .. }
        | Work::WriteReport { .. } => Err(Shown::line("an order to a job came to a git worker")),
    }
}

fn prepare(
    paths: &Paths,
    repo: &Path,
    attempt: AttemptId,
    branch: &str,
    target: &str,
    (start, previous): (Start, Option<&str>),
    terms: &Terms,
) -> Result<Outcome, Shown> {
    let config = launch::trusted_config(paths, repo, target).map_err(|error| refused(&error))?;
    let place = place(paths, repo, &worktree_name(attempt, branch));
    let base = git::worktree::prepare(repo, &place, branch, target, start, previous).map_err(git_error)?;
    git::worktree::bring(repo, &place, &config.copy, &config.link).map_err(git_error)?;
    let gates = judges::gates(&config, target, terms, false);
    Ok(Outcome::WorktreeReady(WorktreeReady { path: place, base, setup: config.setup, gates }))
}

fn build(
    paths: &Paths,
    repo: &Path,
    attempt: AttemptId,
    target: &str,
    (what, message): (&Candidate, &str),
    terms: &Terms,
) -> Result<Outcome, Shown> {
    let config = launch::trusted_config(paths, repo, target).map_err(|error| refused(&error))?;
    let undo = matches!(what, Candidate::Revert(_));
    let name = format!("{attempt}-{}", if undo { "rollback" } else { "merge" });
    let scratch = place(paths, repo, &name);
    match git::merge::build(repo, &scratch, target, what, message, &terms.union).map_err(git_error)? {
        Built::Conflict(files) => Ok(Outcome::Conflict { files }),
        Built::Merged { onto, commit, tree } => {
            git::worktree::bring(repo, &scratch, &config.copy, &config.link).map_err(git_error)?;
            let gates = judges::gates(&config, target, terms, undo);
            let setup = config.setup;
            Ok(Outcome::MergeBuilt(MergeBuilt { onto, commit, tree, path: scratch, setup, gates }))
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
