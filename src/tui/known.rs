//! What the daemon told us: the board, the screens that are looked at, the connection; and which task is chosen.
//!
//! Promises: nothing here is decided by us; whatever is missing is asked for again after a reconnect.

use super::grid::Grid;
use crate::core::model::assignment::AttemptKind;
use crate::core::model::lid::Lid;
use crate::core::model::task::TaskState;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::board::{AttemptView, Board, TaskView};
use crate::core::views::panel::PollLine;
use crate::core::views::spec::SpecLine;
use crate::values::ids::{JobId, SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::words::plural::verb;
use crate::wire::cells::Changes;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Whether the daemon is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    #[default]
    Up,
    /// It went; it is being called, and started if need be.
    Down,
}

/// What is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The repo that the person stands in; none: all are shown.
    pub(super) repo: Option<PathBuf>,
    pub(super) board: Board,
    /// The chosen task; while a spec is chosen, the one that was before.
    pub(super) selected: Option<TaskId>,
    /// The chosen spec, if it is one that is chosen on the board.
    pub(super) spec: Option<SpecId>,
    pub(super) grids: HashMap<JobId, Grid>,
    /// Screens that the daemon said are covered or empty.
    pub(super) covered: HashSet<JobId>,
    pub(super) link: Link,
    /// The person's time zone.
    pub(super) zone: TimeZone,
}

/// A line of the board that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    Spec(SpecId),
    Task(TaskId),
}

/// Tasks that stand alike on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// A human must act.
    NeedsYou,
    /// An agent, set-up or gates run.
    Running,
    /// In the merge queue, or being rolled back.
    Merging,
    /// In the start queue.
    Waiting,
    /// Nothing more will happen.
    Ended,
}

impl Group {
    /// Where a task belongs.
    pub(super) const fn of(task: &TaskView) -> Self {
        match task.state {
            _ if task.needs_you => Self::NeedsYou,
            TaskState::Review | TaskState::Stuck | TaskState::Interrupted | TaskState::Asking => {
                Self::NeedsYou
            }
            TaskState::Working | TaskState::Gating | TaskState::Preparing => Self::Running,
            TaskState::Merging | TaskState::RollingBack => Self::Merging,
            TaskState::Queued => Self::Waiting,
            TaskState::Landed | TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => {
                Self::Ended
            }
        }
    }

    /// The words above `n` tasks of it.
    pub(super) fn title(self, n: usize) -> &'static str {
        match self {
            Self::NeedsYou => verb(n, "needs you", "need you"),
            Self::Running => "running",
            Self::Merging => "merge queue",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
        }
    }
}

impl Known {
    pub(super) fn new(repo: Option<PathBuf>, zone: TimeZone) -> Self {
        Self {
            repo,
            board: Board::default(),
            selected: None,
            spec: None,
            grids: HashMap::new(),
            covered: HashSet::new(),
            link: Link::Up,
            zone,
        }
    }

    /// The tasks as they are listed: who needs a human first, then what runs, then what waits, then what ended,
    /// newest end first.
    pub(super) fn rows(&self) -> Vec<&TaskView> {
        let mut rows: Vec<&TaskView> = self
            .board
            .tasks
            .iter()
            .filter(|task| self.repo.as_ref().is_none_or(|repo| task.repo == *repo))
            .collect();
        rows.sort_by_key(|task| {
            let group = Group::of(task);
            let place = match group {
                Group::Waiting => self.place_in_queue(task).unwrap_or(usize::MAX) as u64,
                Group::Merging => self.place_in_merge_queue(task).unwrap_or(usize::MAX) as u64,
                Group::Ended => u64::MAX - task.changed.0,
                Group::NeedsYou | Group::Running => task.id.0,
            };
            (group, place, task.id)
        });
        rows
    }

    /// From 0.
    pub(super) fn place_in_queue(&self, task: &TaskView) -> Option<usize> {
        let repo = self.board.repos.iter().find(|repo| repo.path == task.repo)?;
        repo.waiting.iter().position(|id| *id == task.id)
    }

    /// From 0, being the one that is merged now.
    pub(super) fn place_in_merge_queue(&self, task: &TaskView) -> Option<usize> {
        let repo = self.board.repos.iter().find(|repo| repo.path == task.repo)?;
        repo.merging.iter().position(|id| *id == task.id)
    }

    pub(super) fn task(&self, id: TaskId) -> Option<&TaskView> {
        self.board.tasks.iter().find(|task| task.id == id)
    }

    /// The specs that are not over: who needs a human first, then the oldest.
    pub(super) fn specs(&self) -> Vec<&SpecLine> {
        let mut specs: Vec<&SpecLine> =
            self.all_specs().filter(|spec| spec.stage != SpecStage::Done).collect();
        specs.sort_by_key(|spec| (!spec.needs_you, spec.id));
        specs
    }

    /// Where the batches of the repo stand, if its schedule is on or one is under way.
    pub(super) fn batch(&self) -> Option<&Shown> {
        let line = self.board.batches.iter().find(|line| Some(&line.repo) == self.repo.as_ref())?;
        (line.on || line.open.is_some()).then_some(&line.text)
    }

    /// Those that are over too.
    pub(super) fn all_specs(&self) -> impl Iterator<Item = &SpecLine> {
        self.board.specs.iter().filter(|spec| self.repo.as_ref().is_none_or(|repo| spec.repo == *repo))
    }

    pub(super) fn spec(&self, id: SpecId) -> Option<&SpecLine> {
        self.board.specs.iter().find(|spec| spec.id == id)
    }

    /// The spec that a task is a part of.
    pub(super) fn spec_of(&self, task: TaskId) -> Option<&SpecLine> {
        self.board.specs.iter().find(|spec| spec.has(task))
    }

    /// Specs that need a human where none of their tasks says so: each matter is counted once.
    pub(super) fn needy_specs(&self) -> usize {
        let said = |spec: &&&SpecLine| {
            self.board.tasks.iter().any(|task| Group::of(task) == Group::NeedsYou && spec.has(task.id))
        };
        self.specs().iter().filter(|spec| spec.needs_you).filter(|spec| !said(spec)).count()
    }

    /// The vote of a task that waits for a human.
    pub(super) fn vote_of(&self, task: TaskId) -> Option<&PollLine> {
        self.board.votes.iter().find(|vote| vote.task == Some(task))
    }

    /// Votes about no task that wait for a human.
    pub(super) fn votes(&self) -> impl Iterator<Item = &PollLine> {
        let here = |vote: &&PollLine| self.repo.as_ref().is_none_or(|repo| vote.repo == *repo);
        self.board.votes.iter().filter(|vote| vote.task.is_none()).filter(here)
    }

    /// The chosen task; none while a spec is chosen.
    pub(super) fn current(&self) -> Option<&TaskView> {
        self.selected.filter(|_| self.spec.is_none()).and_then(|id| self.task(id))
    }

    /// The chosen spec.
    pub(super) fn current_spec(&self) -> Option<&SpecLine> {
        self.spec.and_then(|id| self.spec(id))
    }

    pub(super) fn choose(&mut self, pick: Pick) {
        match pick {
            Pick::Spec(id) => self.spec = Some(id),
            Pick::Task(id) => (self.spec, self.selected) = (None, Some(id)),
        }
    }

    /// All lines that can be chosen, from top to bottom.
    pub(super) fn picks(&self) -> Vec<Pick> {
        let specs = self.specs().into_iter().map(|spec| Pick::Spec(spec.id));
        specs.chain(self.rows().into_iter().map(|task| Pick::Task(task.id))).collect()
    }

    /// The chosen line.
    pub(super) fn picked(&self) -> Option<Pick> {
        self.spec.map(Pick::Spec).or(self.selected.map(Pick::Task))
    }

    /// Chooses the line that is `by` places further down the board.
    pub(super) fn walk(&mut self, by: isize) {
        let picks = self.picks();
        let at = picks.iter().position(|pick| Some(*pick) == self.picked()).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(picks.len().saturating_sub(1));
        if let Some(pick) = picks.get(to) {
            self.choose(*pick);
        }
    }

    /// Takes in a board; what is chosen stays chosen while it is there.
    pub(super) fn set_board(&mut self, board: Board) -> bool {
        let had_none = self.selected.is_none();
        self.board = board;
        let rows: Vec<TaskId> = self.rows().iter().map(|task| task.id).collect();
        if self.selected.is_none_or(|id| !rows.contains(&id)) {
            self.selected = rows.first().copied();
        }
        let specs: Vec<SpecId> = self.specs().iter().map(|spec| spec.id).collect();
        self.spec = self.spec.filter(|id| specs.contains(id));
        if self.selected.is_none() {
            self.spec = self.spec.or(specs.first().copied());
        }
        had_none
    }

    /// Takes in a frame of a screen.
    pub(super) fn frame(&mut self, job: JobId, changes: Changes) {
        self.covered.remove(&job);
        self.grids.entry(job).or_default().apply(changes);
    }

    /// Takes in that a screen is covered: what was had of it is gone.
    pub(super) fn cover(&mut self, job: JobId) {
        self.grids.remove(&job);
        self.covered.insert(job);
    }

    /// Keeps the screens that are looked at, and no others.
    pub(super) fn keep(&mut self, jobs: &HashSet<JobId>) {
        self.grids.retain(|job, _| jobs.contains(job));
        self.covered.retain(|job| jobs.contains(job));
    }

    /// Whether something on the screen moves with the time.
    pub(super) fn has_clocks(&self) -> bool {
        self.link == Link::Down
            || self.board.tasks.iter().any(|task| {
                matches!(task.state, TaskState::Working | TaskState::Asking | TaskState::Gating)
                    && !task.paused
            })
    }
}

/// Whether an agent's screen is hidden from us.
pub(super) fn is_sealed(attempt: &AttemptView) -> bool {
    attempt.lid == Lid::Sealed
}

/// Whether keys may go to an attempt's agent.
pub(super) fn may_type(attempt: &AttemptView) -> bool {
    attempt.job.is_some() && attempt.exit.is_none() && !is_sealed(attempt)
}

/// The attempt that stands for the task: the newest; that of the work once another pair of eyes has looked at it.
pub(super) fn standing(task: &TaskView) -> Option<&AttemptView> {
    task.attempt().filter(|newest| newest.part == AttemptKind::Work || newest.exit.is_none()).or(task.work())
}

/// The newest look of another pair of eyes that has said what it found.
pub(super) fn newest_look(task: &TaskView) -> Option<&AttemptView> {
    task.attempts
        .iter()
        .rev()
        .find(|attempt| attempt.part == AttemptKind::SecondReview && attempt.findings.is_some())
}
