//! Processes of a dead daemon that go on in the simulated world: git in the middle of making a worktree, and a keeper
//! that was started and has not yet taken its job's lock. What they do comes late, after the next daemon has redone
//! the same effect; the world's rules (git is waited for, a job is kept once) are what makes that harmless.

use super::{Sabotage, Sim};
use crate::core::model::agent::Exit;
use crate::core::model::effect::{Effect, EffectKind, JobStart, JobWhat};
use crate::core::model::event::{EffectOutcome, Event};
use crate::values::ids::{AttemptId, JobId};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How often, in percent, an effect that was to be done when the daemon died had begun.
const BEGUN: u64 = 40;

/// How often, in percent of the turns, one of the processes of a dead daemon acts.
const ACTS: u64 = 10;

/// A process of a dead daemon.
#[derive(Debug)]
enum Stray {
    /// `git worktree add` for this place: it fails at last, and takes away what stands there.
    Git(PathBuf),
    /// A keeper before its lock.
    Keeper(JobId, JobWhat),
}

/// What of worktrees and dead daemons' processes the world holds.
#[derive(Debug, Default)]
pub(super) struct Strays {
    all: Vec<Stray>,
    worktrees: BTreeSet<PathBuf>,
    /// Jobs whose folder says that they were started.
    started: BTreeSet<JobId>,
    /// Jobs whose folder says that they were given up before that.
    given_up: BTreeSet<JobId>,
}

pub(super) fn worktree(attempt: AttemptId) -> PathBuf {
    format!("/worktrees/{attempt}").into()
}

pub(super) fn scratch(attempt: AttemptId) -> PathBuf {
    format!("/worktrees/{attempt}-merge").into()
}

impl Sim {
    /// The daemon dies: some of what it was about to do has begun, and goes on without it.
    pub(super) fn leave_strays(&mut self) {
        let begun: Vec<Stray> = self
            .todo
            .iter()
            .filter_map(|effect| match &effect.what {
                EffectKind::PrepareWorktree { attempt, .. } => Some(Stray::Git(worktree(*attempt))),
                EffectKind::BuildMerge { attempt, .. } => Some(Stray::Git(scratch(*attempt))),
                EffectKind::StartJob(start) => Some(Stray::Keeper(start.job, start.what.clone())),
                _ => None,
            })
            .collect();
        for stray in begun {
            if self.faults && self.dice.chance(BEGUN) {
                self.world.strays.all.push(stray);
            }
        }
    }

    /// Now and then one process of a dead daemon comes to its end, or to its lock.
    pub(super) fn maybe_stray_acts(&mut self) {
        if !self.world.strays.all.is_empty() && self.dice.chance(ACTS) {
            let at = self.dice.below(self.world.strays.all.len() as u64) as usize;
            let stray = self.world.strays.all.remove(at);
            self.end_stray(stray);
        }
    }

    /// All of them do.
    pub(super) fn strays_end(&mut self) {
        for stray in std::mem::take(&mut self.world.strays.all) {
            self.end_stray(stray);
        }
    }

    fn end_stray(&mut self, stray: Stray) {
        match stray {
            Stray::Git(place) => {
                self.world.strays.worktrees.remove(&place);
            }
            Stray::Keeper(job, what) => {
                let strays = &mut self.world.strays;
                if !strays.given_up.contains(&job) && strays.started.insert(job) {
                    self.world.live.insert(job, what);
                }
            }
        }
    }

    /// What an effect does to worktrees. Before a change to a repo, git of a dead daemon has ended.
    pub(super) fn change_worktrees(&mut self, effect: &Effect) {
        let strays = &mut self.world.strays;
        let mut fence = || {
            if self.sabotage != Sabotage::NoFence {
                for stray in strays.all.extract_if(.., |stray| matches!(stray, Stray::Git(_))) {
                    if let Stray::Git(place) = stray {
                        strays.worktrees.remove(&place);
                    }
                }
            }
        };
        match &effect.what {
            EffectKind::PrepareWorktree { attempt, .. } => {
                fence();
                strays.worktrees.insert(worktree(*attempt));
            }
            EffectKind::BuildMerge { attempt, .. } => {
                fence();
                strays.worktrees.insert(scratch(*attempt));
            }
            EffectKind::Archive { worktree, .. } => {
                fence();
                strays.worktrees.remove(worktree);
            }
            _ => {}
        }
    }

    /// A job is started once, in a worktree that is there; or it is given up, and marked for a keeper that comes late.
    pub(super) fn start_job(&mut self, start: &JobStart) -> Result<EffectOutcome, String> {
        let job = start.job;
        if self.world.strays.started.contains(&job) {
            if !self.world.live.contains_key(&job) && !self.world.ended.contains_key(&job) {
                self.mail.push(Event::Exited { job, exit: Exit::Unknown, tail: String::new(), tests: None });
            }
            return Ok(EffectOutcome::JobStarted);
        }
        // A keeper that is late is the interesting case.
        let is_late = |stray: &Stray| matches!(stray, Stray::Keeper(late, _) if *late == job);
        let fails = if self.world.strays.all.iter().any(is_late) { 20 } else { 2 };
        if self.faults && self.dice.chance(fails) {
            if self.sabotage != Sabotage::NoMark {
                self.world.strays.given_up.insert(job);
            }
            return Ok(EffectOutcome::Failed { error: "no such program".into() });
        }
        if self.world.strays.given_up.contains(&job) {
            return Ok(EffectOutcome::Failed { error: "it was given up".into() });
        }
        if !self.world.strays.worktrees.contains(&start.worktree) {
            return Err(format!("{job} starts in {}, which is not there", start.worktree.display()));
        }
        self.world.strays.started.insert(job);
        self.world.live.insert(job, start.what.clone());
        Ok(EffectOutcome::JobStarted)
    }

    /// No process runs that the rules take for ended or do not know.
    pub(super) fn check_unseen(&self) -> Result<(), String> {
        let known: BTreeSet<JobId> = self.engine.live_jobs().into_iter().collect();
        match self.world.live.keys().find(|job| !known.contains(job)) {
            Some(job) => Err(format!("{job} runs unseen")),
            None => Ok(()),
        }
    }
}
