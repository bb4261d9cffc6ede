//! Folds the ledger into a report.
//!
//! Keeps the engine's own [`State`] beside its records, so that "where does it stand" and "how long has it run" mean the
//! same here as on the board. Facts from the end of the stretch on are not looked at; those before it only say where
//! things stood when it began.

use crate::core::model::agent::{AgentState, Usage};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{Attempt, AttemptResult};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::job::Role;
use crate::core::model::panel::PanelFact;
use crate::core::model::question::QuestionFact;
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage, Task, TaskState};
use crate::core::rules::{lookup, replay};
use crate::report::totals::{self, Window};
use crate::report::{
    AttemptReport, GateReport, LISTED_MAX, Note, Outcomes, Peek, Question, Report, Scope, TASKS_MAX,
    TEXT_MAX, TaskReport, Times, Totals, Used, VERSION,
};
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::cut;
use std::collections::BTreeMap;

/// A report in the making.
#[derive(Debug)]
pub struct Gather {
    scope: Scope,
    made: Time,
    window: Window,
    state: State,
    records: BTreeMap<TaskId, Record>,
    /// The stretch has begun.
    inside: bool,
}

/// What is known of a task beside its state.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) task: TaskReport,
    attempts: Vec<Tried>,
    /// Something happened to it within the stretch.
    touched: bool,
    /// Where its clock stands: what it spends its time on, and since when.
    phase: (Phase, Time),
    /// What its agent asks and was not answered yet.
    asks: Option<Shown>,
    pub(crate) sums: Totals,
}

/// An attempt with where it stood when the stretch began.
#[derive(Debug)]
struct Tried {
    report: AttemptReport,
    touched: bool,
    before: Counted,
    /// What it counts for within the stretch.
    fared: Outcomes,
}

/// What is counted over the whole of an attempt.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    work: Span,
    usage: Usage,
}

/// What a task spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Queued,
    Working,
    Waiting,
    Merging,
    Paused,
    Ended,
}

/// The report of these entries.
pub fn report<'a>(entries: impl IntoIterator<Item = &'a Entry>, scope: Scope, now: Time) -> Report {
    let mut gather = Gather::new(scope, now);
    for entry in entries {
        gather.take(entry);
    }
    gather.finish()
}

impl Gather {
    /// Nothing yet, for a report that is made at `now`.
    #[must_use]
    pub fn new(scope: Scope, now: Time) -> Self {
        let window = Window { since: scope.since.unwrap_or(Time(0)), until: scope.until };
        let inside = scope.since.is_none();
        Self { scope, made: now, window, state: State::default(), records: BTreeMap::new(), inside }
    }

    /// Takes in the next entry of the ledger.
    pub fn take(&mut self, entry: &Entry) {
        let Entry { at, by, fact, .. } = entry;
        if self.window.until.is_some_and(|until| *at >= until) {
            return;
        }
        if !self.inside && *at >= self.window.since {
            self.begin();
        }
        let id = fact.task();
        if let (Fact::Forgotten { .. }, Some(id)) = (fact, id) {
            self.freeze(id, *at);
        }
        replay::take(&mut self.state, entry);
        if let Fact::Launched { task, launch, .. } = fact {
            self.records.insert(*task, Record::new(*task, launch, *at));
        }
        let Some(record) = id.and_then(|id| self.records.get_mut(&id)) else { return };
        let now = self.window.has(*at);
        record.touched |= now && !matches!(fact, Fact::EffectRequested { .. } | Fact::EffectDone { .. });
        record.note(*at, by, fact, &self.state, now);
        if let Some(task) = self.state.tasks.get(&record.task.id) {
            record.stand(task, *at, &self.window);
        }
    }

    /// The report of what was taken in.
    #[must_use]
    pub fn finish(mut self) -> Report {
        if !self.inside {
            self.begin();
        }
        let until = self.scope.until.unwrap_or(self.made).min(self.made);
        let live: Vec<TaskId> = self.state.tasks.keys().copied().collect();
        for id in live {
            self.freeze(id, until);
        }
        let scope = &self.scope;
        let wanted = |record: &Record| {
            scope.tasks.as_ref().is_none_or(|tasks| tasks.contains(&record.task.id))
                && scope.repo.as_ref().is_none_or(|repo| record.task.repo == *repo)
                && (record.touched || !record.task.forgotten && !record.task.state.is_ended())
        };
        let records: Vec<Record> = self.records.into_values().filter(wanted).collect();
        let totals = totals::of(records.iter().map(|record| (&record.task, &record.sums)));
        let gone = records.len().saturating_sub(TASKS_MAX);
        let tasks = records.into_iter().skip(gone).map(|record| record.listed(until)).collect();
        Report {
            version: VERSION,
            made: self.made,
            since: self.scope.since,
            until,
            tasks,
            left_out: u32::try_from(gone).unwrap_or(u32::MAX),
            totals,
        }
    }

    /// The stretch begins: what was counted until here is not part of it.
    fn begin(&mut self) {
        self.inside = true;
        for record in self.records.values_mut() {
            for tried in &mut record.attempts {
                let id = AttemptId { task: record.task.id, no: tried.report.no };
                tried.before = counted(&self.state, id, self.window.since);
            }
        }
    }

    /// Closes the clocks of a task: it goes, or the stretch ends.
    fn freeze(&mut self, id: TaskId, at: Time) {
        let (Some(record), Some(task)) = (self.records.get_mut(&id), self.state.tasks.get(&id)) else {
            return;
        };
        record.move_on(record.phase.0, at, &self.window);
        for tried in &mut record.attempts {
            let id = AttemptId { task: id, no: tried.report.no };
            let now = counted(&self.state, id, at);
            if !self.inside {
                tried.before = now;
            }
            let started = tried.report.started.is_some_and(|at| self.window.has(at));
            tried.report.used = used(tried.before, now, started);
            tried.touched |= tried.report.used.work > Span(0);
        }
        record.task.state = lookup::state_of(task);
        record.task.landed.clone_from(&task.landed);
        record.task.why = match &task.stage {
            Stage::Stuck(why) | Stage::Rejected(why) => short(why.as_str()),
            Stage::Queued { .. }
            | Stage::Trying
            | Stage::Review
            | Stage::Merging(_)
            | Stage::RollingBack
            | Stage::Interrupted
            | Stage::Landed
            | Stage::RolledBack
            | Stage::Stopped => Shown::default(),
        };
        record.close();
    }
}

impl Record {
    fn new(id: TaskId, launch: &Launch, at: Time) -> Self {
        let title = launch.prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let task = TaskReport {
            id,
            name: launch.name.to_string(),
            repo: launch.repo.clone(),
            target: launch.target.clone(),
            agent: launch.agent.profile.clone(),
            title: short(title.trim()),
            state: TaskState::Queued,
            why: Shown::default(),
            forgotten: false,
            created: at,
            ended: None,
            duration: Span(0),
            landed: None,
            landed_at: None,
            rolled_back_at: None,
            commits: None,
            diffstat: None,
            attempts: Vec::new(),
            attempts_left_out: 0,
            looks: 0,
            sent_back: 0,
            questions: Vec::new(),
            votes: Vec::new(),
            notes: Vec::new(),
            time: Times::default(),
            used: Used::default(),
        };
        Self {
            task,
            attempts: Vec::new(),
            touched: false,
            phase: (Phase::Queued, at),
            asks: None,
            sums: Totals::default(),
        }
    }

    /// Takes down what a fact says; `now`: it lies within the stretch.
    fn note(&mut self, at: Time, by: &str, fact: &Fact, state: &State, now: bool) {
        match fact {
            Fact::AttemptOpened { attempt, part, .. } => {
                self.sums.attempts += u32::from(now);
                self.sums.looks += u32::from(now && *part == AttemptKind::SecondReview);
                self.attempts.push(Tried::new(attempt.no, *part, at, now));
            }
            Fact::JobRan { job, .. } => {
                if let Some(no) = agent_of(state, *job) {
                    self.with(no, now, |a| a.started = a.started.or(Some(at)));
                }
            }
            Fact::JobEnded { job, .. } => {
                if let Some(no) = agent_of(state, *job) {
                    self.with(no, now, |a| a.agent_ended = Some(at));
                }
            }
            Fact::BranchKnown { attempt, read } => {
                self.with(attempt.no, now, |a| {
                    a.commits = Some(read.commits);
                    a.diffstat = Some(read.diffstat);
                });
            }
            Fact::GateJudged { attempt, merged, gate, verdict, tests, took, .. } => {
                let (name, required) = gate_name(state, *attempt, *merged, *gate);
                let (verdict, tests, took) = (*verdict, *tests, *took);
                let judged = GateReport { name, required, merged: *merged, verdict, at, took, tests };
                if now {
                    totals::judged(&mut self.sums, &judged);
                    self.with(attempt.no, now, |a| a.gates.push(judged));
                }
            }
            Fact::AttemptOver { attempt, result } => self.over(attempt.no, *result, at, now),
            Fact::AgentSaid { attempt, state: AgentState::Asking(ask), .. } => {
                if self.asks.as_ref() != Some(&ask.text) {
                    self.asks = Some(ask.text.clone());
                    self.asked(attempt.no, at, ask.text.as_str(), now);
                }
            }
            Fact::AgentSaid { .. } => self.asks = None,
            Fact::Answered { answer, .. } => {
                self.asks = None;
                self.answered(at, answer.as_str(), now);
            }
            Fact::Question(QuestionFact::Put { attempt, text, .. }) => self.asked(attempt.no, at, text, now),
            Fact::Question(QuestionFact::Answered { answer, .. }) => self.answered(at, answer, now),
            Fact::Peeked { attempt, reason } => {
                self.sums.peeks += u32::from(now);
                let peek = Peek { at, by: short(by), reason: short(reason.as_str()) };
                self.with(attempt.no, now, |a| {
                    a.peeked = true;
                    keep(&mut a.peeks, peek, now);
                });
            }
            Fact::Landed { .. } => {
                self.sums.landed += u32::from(now);
                self.task.landed_at = Some(at);
                if let Some(tried) = self.attempts.iter_mut().rfind(|tried| tried.is_work()) {
                    tried.touched |= now;
                    tried.report.landed = true;
                    tried.fared.landed += u32::from(now);
                }
            }
            Fact::RolledBack { .. } => {
                self.sums.rolled_back += u32::from(now);
                self.task.rolled_back_at = Some(at);
            }
            Fact::Forgotten { .. } => self.task.forgotten = true,
            Fact::Panel(what) => {
                self.sums.votes += u32::from(now && matches!(what, PanelFact::Voted { .. }));
                keep(&mut self.task.votes, said(at, fact), now);
            }
            Fact::Question(_) | Fact::Budget(_) | Fact::Batch(_) | Fact::Spec(_) | Fact::Bench(_) => {
                keep(&mut self.task.notes, said(at, fact), now);
            }
            Fact::Launched { .. }
            | Fact::ParallelSet { .. }
            | Fact::Reordered { .. }
            | Fact::EffectRequested { .. }
            | Fact::EffectDone { .. }
            | Fact::WorktreeMade { .. }
            | Fact::JobOpened { .. }
            | Fact::JobEnding { .. }
            | Fact::SessionKnown { .. }
            | Fact::UsageKnown { .. }
            | Fact::Paused { .. }
            | Fact::Unpaused { .. }
            | Fact::Slept { .. }
            | Fact::Requeued { .. }
            | Fact::ReviewOpened { .. }
            | Fact::Reopened { .. }
            | Fact::Approved { .. }
            | Fact::RollbackAsked { .. }
            | Fact::CandidateBuilt { .. }
            | Fact::CandidateStale { .. }
            | Fact::MergeLeft { .. }
            | Fact::Stuck { .. }
            | Fact::Interrupted { .. }
            | Fact::Stopped { .. }
            | Fact::Rejected { .. }
            | Fact::NumbersUsed { .. }
            | Fact::Covered { .. } => {}
        }
    }

    /// The agent asks a human.
    fn asked(&mut self, attempt: u32, at: Time, text: &str, now: bool) {
        self.sums.questions += u32::from(now);
        let question = Question { attempt, at, text: short(text), answered: None, answer: Shown::default() };
        keep(&mut self.task.questions, question, now);
    }

    /// A human has answered.
    fn answered(&mut self, at: Time, answer: &str, now: bool) {
        self.sums.answers += u32::from(now);
        if let Some(last) = self.task.questions.last_mut().filter(|q| q.answered.is_none()) {
            last.answered = Some(at);
            last.answer = short(answer);
        }
    }

    /// An attempt is over, perhaps not for the first time: a review or a merge may overrule what its gates said.
    fn over(&mut self, no: u32, result: AttemptResult, at: Time, now: bool) {
        self.asks = None;
        let sent_back = u32::from(result == AttemptResult::SentBack && now);
        self.sums.sent_back += sent_back;
        self.task.sent_back += sent_back;
        let Some(tried) = self.attempts.iter_mut().find(|tried| tried.report.no == no) else { return };
        tried.touched |= now;
        let report = &mut tried.report;
        if now {
            tried.fared.ended += u32::from(report.over.is_none());
            tried.fared.green += u32::from(result == AttemptResult::Green && !report.green);
        }
        report.green |= result == AttemptResult::Green;
        report.over = report.over.or(Some(at));
        report.result = Some(result);
    }

    fn with(&mut self, no: u32, now: bool, change: impl FnOnce(&mut AttemptReport)) {
        if let Some(tried) = self.attempts.iter_mut().find(|tried| tried.report.no == no) {
            tried.touched |= now;
            change(&mut tried.report);
        }
    }

    /// Takes in where the task stands after a fact.
    fn stand(&mut self, task: &Task, at: Time, window: &Window) {
        let state = lookup::state_of(task);
        let phase = if task.paused && !state.is_ended() { Phase::Paused } else { phase(state) };
        if phase != self.phase.0 {
            self.move_on(phase, at, window);
        }
        if state != self.task.state {
            self.task.ended = state.is_ended().then_some(at);
            self.task.state = state;
        }
    }

    /// Books the time since the last move.
    fn move_on(&mut self, phase: Phase, at: Time, window: &Window) {
        let (was, since) = self.phase;
        let spent = window.part(since, at);
        let time = &mut self.task.time;
        let place = match was {
            Phase::Queued => Some(&mut time.queued),
            Phase::Working => Some(&mut time.working),
            Phase::Waiting => Some(&mut time.waiting),
            Phase::Merging => Some(&mut time.merging),
            Phase::Paused => Some(&mut time.paused),
            Phase::Ended => None,
        };
        if let Some(place) = place {
            *place = totals::plus(*place, spent);
        }
        self.phase = (phase, at);
    }

    /// Adds up what its attempts used.
    fn close(&mut self) {
        let newest = self.attempts.iter().rfind(|tried| tried.is_work()).map(|tried| &tried.report);
        self.task.commits = newest.and_then(|a| a.commits);
        self.task.diffstat = newest.and_then(|a| a.diffstat);
        for tried in self.attempts.iter().filter(|tried| tried.is_work()) {
            let sums = if tried.report.peeked { &mut self.sums.peeked } else { &mut self.sums.unpeeked };
            *sums = totals::outcomes(*sums, tried.fared);
        }
        self.attempts.retain(|tried| tried.touched || tried.report.result.is_none());
        let looks = self.attempts.iter().filter(|tried| !tried.is_work()).count();
        self.task.looks = u32::try_from(looks).unwrap_or(u32::MAX);
        self.task.used = totals::used(self.attempts.iter().map(|tried| &tried.report.used));
        self.sums.used = self.task.used;
        self.sums.time = self.task.time;
    }

    /// As it is listed, with no more of it than a list may hold.
    fn listed(self, until: Time) -> TaskReport {
        let Self { mut task, attempts, .. } = self;
        task.duration = task.ended.unwrap_or(until).since(task.created);
        let gone = attempts.len().saturating_sub(crate::report::ATTEMPTS_MAX);
        task.attempts_left_out = u32::try_from(gone).unwrap_or(u32::MAX);
        task.attempts = attempts.into_iter().skip(gone).map(|tried| tried.report).collect();
        for attempt in &mut task.attempts {
            let gone = attempt.gates.len().saturating_sub(LISTED_MAX);
            attempt.gates.drain(..gone);
        }
        task
    }
}

impl Tried {
    fn is_work(&self) -> bool {
        self.report.part == AttemptKind::Work
    }

    fn new(no: u32, part: AttemptKind, opened: Time, now: bool) -> Self {
        let report = AttemptReport {
            no,
            part,
            began_before: !now,
            opened,
            started: None,
            agent_ended: None,
            over: None,
            result: None,
            green: false,
            landed: false,
            peeked: false,
            peeks: Vec::new(),
            gates: Vec::new(),
            commits: None,
            diffstat: None,
            used: Used::default(),
        };
        Self { report, touched: now, before: Counted::default(), fared: Outcomes::default() }
    }
}

const fn phase(state: TaskState) -> Phase {
    match state {
        TaskState::Queued => Phase::Queued,
        TaskState::Preparing | TaskState::Working | TaskState::Gating => Phase::Working,
        TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted => Phase::Waiting,
        TaskState::Merging | TaskState::RollingBack => Phase::Merging,
        TaskState::Landed | TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => Phase::Ended,
    }
}

/// What an attempt has counted until `at`.
fn counted(state: &State, id: AttemptId, at: Time) -> Counted {
    let of = state.tasks.get(&id.task).and_then(|task| attempt(task, id));
    let agents = state.jobs.of(id.task).filter(|job| job.attempt == id && job.role == Role::Agent);
    let work = agents.fold(Span(0), |sum, job| totals::plus(sum, job.watch.elapsed(at)));
    Counted { work, usage: of.map(|a| a.usage).unwrap_or_default() }
}

/// What was used between two counts; `started`: the agent began between them.
fn used(before: Counted, now: Counted, started: bool) -> Used {
    let work = Span(now.work.0.saturating_sub(before.work.0));
    let ran = u32::from(started || work > Span(0));
    let part = |now: Option<u64>, before: Option<u64>| now.map(|n| n.saturating_sub(before.unwrap_or(0)));
    let (tokens_in, tokens_out) = (
        part(now.usage.tokens_in, before.usage.tokens_in),
        part(now.usage.tokens_out, before.usage.tokens_out),
    );
    let cost_microusd = part(now.usage.cost_microusd, before.usage.cost_microusd);
    Used {
        work,
        tokens_in,
        tokens_out,
        tokens_unknown: if tokens_in.is_none() || tokens_out.is_none() { ran } else { 0 },
        cost_microusd,
        cost_unknown: if cost_microusd.is_none() { ran } else { 0 },
    }
}

fn attempt(task: &Task, id: AttemptId) -> Option<&Attempt> {
    task.attempts.iter().find(|a| a.id == id)
}

/// The attempt whose agent a job is.
fn agent_of(state: &State, job: crate::values::ids::JobId) -> Option<u32> {
    state.jobs.get(job).filter(|job| job.role == Role::Agent).map(|job| job.attempt.no)
}

/// A gate's name and whether it is required.
fn gate_name(state: &State, id: AttemptId, merged: bool, gate: usize) -> (String, bool) {
    let task = state.tasks.get(&id.task);
    let runs = if merged {
        task.and_then(|task| task.merge.as_ref()).map(|merge| &merge.gates)
    } else {
        task.and_then(|task| attempt(task, id)).map(|a| &a.gates)
    };
    runs.and_then(|runs| runs.get(gate)).map_or_else(
        || (format!("gate {}", gate + 1), true),
        |run| (run.spec.name.clone(), run.spec.required),
    )
}

fn said(at: Time, fact: &Fact) -> Note {
    Note { at, kind: fact.kind().to_owned(), text: short(fact.describe().as_str()) }
}

/// Adds to a list what happened within the stretch, the newest [`LISTED_MAX`].
fn keep<T>(list: &mut Vec<T>, new: T, now: bool) {
    if now {
        if list.len() == LISTED_MAX {
            list.remove(0);
        }
        list.push(new);
    }
}

fn short(text: &str) -> Shown {
    Shown::line(&cut::chars(text, TEXT_MAX))
}
