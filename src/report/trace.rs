//! A trace: where the time of a task went, as spans made of its facts.
//!
//! Pure: the same facts make the same spans, whenever they are asked for. A span that has not ended has no end; a
//! span's number is the place in the ledger of the fact that opened it, so that it stays the same for good.

use crate::core::model::agent::{AgentState, Exit};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::job::Role;
use crate::core::model::spec::SpecFact;
use crate::values::ids::{JobId, SpecId, TaskId};
use crate::values::text::Shown;
use crate::values::time::{Span as Length, Time};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A stretch of a task's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The place in the ledger of the fact that opened it; 0 for the task itself. No two of a trace are the same.
    pub id: u64,
    /// The span that it is part of; none for the task itself.
    pub parent: Option<u64>,
    /// What it is, in words.
    pub name: Shown,
    pub kind: SpanKind,
    pub start: Time,
    /// When it ended; none: not yet.
    pub end: Option<Time>,
    /// How it came out.
    pub status: Status,
    /// What else is known of it.
    pub attributes: BTreeMap<&'static str, Shown>,
}

impl Span {
    /// How long it took, until `now` if it has not ended.
    #[must_use]
    pub fn took(&self, now: Time) -> Length {
        self.end.unwrap_or(now).since(self.start)
    }
}

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// All of a task, from its spec's goal on where it has one.
    Task,
    /// From a spec's goal to the task's launch.
    Goal,
    /// In the start queue.
    Queued,
    Attempt,
    /// An agent that runs.
    Agent,
    Setup,
    /// A gate, of an attempt or of a merge.
    Gate,
    /// A question that waits for its answer.
    Question,
    /// A diff that waits for a person.
    Review,
    /// Something that waits for a person to decide.
    Stuck,
    /// From an approval to the target.
    Merge,
    /// From the wish to roll back to the target.
    Rollback,
}

/// How a span came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is said about it.
    Unset,
    Ok,
    /// Not well, and why.
    Error(Shown),
}

impl Status {
    fn of(ok: bool, why: &str) -> Self {
        if ok { Self::Ok } else { Self::Error(Shown::line(why)) }
    }
}

/// The spans of a task, in the order in which they began; the task's own is the first. Empty if none of the facts
/// is about it.
#[must_use]
pub fn spans(entries: &[Entry], task: TaskId) -> Vec<Span> {
    let mut tracer = Tracer { goal: goal_of(entries, task), ..Tracer::default() };
    for entry in entries.iter().filter(|entry| entry.fact.task() == Some(task)) {
        tracer.take(entry);
    }
    tracer.spans
}

/// The spec that a task is a part of; none: it is for itself.
#[must_use]
pub fn spec_of(entries: &[Entry], task: TaskId) -> Option<SpecId> {
    entries.iter().find_map(|entry| match &entry.fact {
        Fact::Launched { task: launched, launch, .. } if *launched == task => launch.assignment.spec,
        _ => None,
    })
}

/// Whether an entry is the goal of this spec.
#[must_use]
pub fn is_goal(entry: &Entry, of: SpecId) -> bool {
    matches!(&entry.fact, Fact::Spec(SpecFact::Opened { spec, .. }) if *spec == of)
}

/// The goal of a task's spec, if it is among the entries.
fn goal_of(entries: &[Entry], task: TaskId) -> Option<Entry> {
    let spec = spec_of(entries, task)?;
    entries.iter().find(|entry| is_goal(entry, spec)).cloned()
}

/// The spans so far, and which of them are open.
#[derive(Default)]
struct Tracer {
    spans: Vec<Span>,
    /// The fact by which the task's spec was asked for.
    goal: Option<Entry>,
    attempt: Option<usize>,
    /// Queued, in review, stuck: one at a time.
    waits: Option<usize>,
    question: Option<usize>,
    /// A merge or a roll back.
    merge: Option<usize>,
    jobs: HashMap<JobId, usize>,
    /// The newest span of a gate: by whether it is the merge's, and its place.
    gates: HashMap<(bool, usize), usize>,
    gate_names: HashMap<(bool, usize), String>,
}

impl Tracer {
    fn open(&mut self, at: &Entry, parent: Option<usize>, kind: SpanKind, name: &str) -> usize {
        let parent = parent.or_else(|| (!self.spans.is_empty()).then_some(0));
        self.spans.push(Span {
            // One fact opens the task's span and the first below it.
            id: if kind == SpanKind::Task { 0 } else { at.seq },
            parent: parent.map(|parent| self.spans[parent].id),
            name: Shown::line(name),
            kind,
            start: at.at,
            end: None,
            status: Status::Unset,
            attributes: BTreeMap::new(),
        });
        self.spans.len() - 1
    }

    /// The task's way began where its spec's goal was said.
    fn goal(&mut self, task: usize, launched: Time) {
        let Some(goal) = self.goal.take() else { return };
        let Fact::Spec(SpecFact::Opened { order, .. }) = &goal.fact else { return };
        self.spans[task].start = goal.at;
        self.note(Some(task), "spec", &order.name);
        let span = self.open(&goal, Some(task), SpanKind::Goal, "goal");
        self.note(Some(span), "goal", &order.goal);
        self.close(Some(span), launched, Status::Unset);
    }

    /// Ends a span that is open.
    fn close(&mut self, span: Option<usize>, at: Time, status: Status) {
        if let Some(span) = span.and_then(|span| self.spans.get_mut(span)).filter(|span| span.end.is_none()) {
            span.end = Some(at);
            span.status = status;
        }
    }

    fn note(&mut self, span: Option<usize>, key: &'static str, value: impl ToString) {
        if let Some(span) = span.and_then(|span| self.spans.get_mut(span)) {
            span.attributes.insert(key, Shown::line(&value.to_string()));
        }
    }

    fn wait(&mut self, at: &Entry, kind: SpanKind, name: &str) {
        let before = self.waits.take();
        self.close(before, at.at, Status::Unset);
        self.waits = Some(self.open(at, None, kind, name));
    }

    fn waited(&mut self, at: Time, status: Status) {
        let before = self.waits.take();
        self.close(before, at, status);
    }

    /// The task has come to its end, or goes on after it.
    fn over(&mut self, at: Time, status: Status) {
        self.waited(at, Status::Unset);
        let merge = self.merge.take();
        self.close(merge, at, status.clone());
        self.close(self.attempt, at, status.clone());
        self.close(Some(0), at, status);
    }

    fn take(&mut self, at: &Entry) {
        let now = at.at;
        match &at.fact {
            Fact::Launched { task, launch, .. } => {
                let span = self.open(at, None, SpanKind::Task, &launch.name.to_string());
                self.note(Some(span), "task", task);
                self.note(Some(span), "repo", launch.repo.display());
                self.note(Some(span), "target", &launch.target);
                self.note(Some(span), "agent", &launch.agent.profile);
                if let Some(spec) = launch.assignment.spec {
                    self.note(Some(span), "spec", spec);
                    self.goal(span, now);
                }
                self.wait(at, SpanKind::Queued, "queued");
            }
            // Without its beginning nothing can be said of it.
            _ if self.spans.is_empty() => {}
            Fact::Requeued { .. } => {
                self.reopen();
                self.wait(at, SpanKind::Queued, "queued");
            }
            Fact::AttemptOpened { attempt, part, .. } => {
                self.waited(now, Status::Unset);
                self.gates.retain(|(merged, _), _| *merged);
                let name = match part {
                    AttemptKind::Work => format!("attempt {}", attempt.no),
                    AttemptKind::SecondReview => format!("attempt {}, second review", attempt.no),
                };
                self.attempt = Some(self.open(at, None, SpanKind::Attempt, &name));
            }
            Fact::WorktreeMade { ready, .. } => {
                let names = ready.gates.iter().enumerate().map(|(n, gate)| ((false, n), gate.name.clone()));
                self.gate_names.extend(names);
                self.note(self.attempt, "base", &ready.base);
            }
            Fact::JobOpened { job, role, .. } => self.job_opened(at, *job, role),
            Fact::JobEnding { job, why, .. } => {
                let span = self.jobs.get(job).copied();
                self.note(span, "ended_for", why.label());
            }
            Fact::JobEnded { job, exit, .. } => self.job_ended(now, *job, *exit),
            Fact::AgentSaid { state, .. } => {
                let before = self.question.take();
                self.close(before, now, Status::Unset);
                if let AgentState::Asking(ask) = state {
                    let span = self.open(at, self.attempt, SpanKind::Question, "question");
                    self.note(Some(span), "question", &ask.text);
                    self.question = Some(span);
                }
            }
            Fact::Answered { answer, .. } => {
                let span = self.question.take();
                self.note(span, "answer", answer);
                self.note(span, "by", &at.by);
                self.close(span, now, Status::Ok);
            }
            Fact::UsageKnown { usage, .. } => {
                let (attempt, used) = (self.attempt, *usage);
                let known = [
                    ("tokens_in", used.tokens_in),
                    ("tokens_out", used.tokens_out),
                    ("cost_microusd", used.cost_microusd),
                ];
                for (key, value) in known {
                    if let Some(value) = value {
                        self.note(attempt, key, value);
                    }
                }
            }
            Fact::BranchKnown { read, .. } => {
                self.note(self.attempt, "head", &read.head);
                self.note(self.attempt, "commits", read.commits);
            }
            Fact::GateJudged { merged, gate, verdict, .. } => {
                let span = match self.gates.remove(&(*merged, *gate)) {
                    Some(span) => span,
                    None => self.gate(at, *merged, *gate),
                };
                self.note(Some(span), "verdict", verdict.label());
                let status = Status::of(verdict.is_green(), verdict.label());
                self.close(Some(span), now, status.clone());
                // Its job ended just before.
                self.spans[span].status = status;
            }
            Fact::AttemptOver { result, .. } => {
                let span = self.attempt;
                self.note(span, "result", result.label());
                self.close(span, now, Status::of(*result == AttemptResult::Green, result.label()));
                if *result == AttemptResult::SentBack {
                    self.waited(now, Status::Error(result.label().into()));
                }
            }
            Fact::ReviewOpened { .. } => self.wait(at, SpanKind::Review, "review"),
            Fact::Reopened { .. } => self.waited(now, Status::Unset),
            Fact::Approved { head, .. } => {
                let review = self.waits;
                self.note(review, "by", &at.by);
                self.waited(now, Status::Ok);
                self.reopen();
                let span = self.open(at, None, SpanKind::Merge, "merge");
                self.note(Some(span), "head", head);
                self.note(Some(span), "approved_by", &at.by);
                self.merge = Some(span);
            }
            Fact::RollbackAsked { .. } => {
                self.waited(now, Status::Unset);
                self.reopen();
                let span = self.open(at, None, SpanKind::Rollback, "rollback");
                self.note(Some(span), "by", &at.by);
                self.merge = Some(span);
            }
            Fact::CandidateBuilt { built, .. } => {
                self.gates.retain(|(merged, _), _| !*merged);
                self.gate_names.retain(|(merged, _), _| !*merged);
                let names = built.gates.iter().enumerate().map(|(n, gate)| ((true, n), gate.name.clone()));
                self.gate_names.extend(names);
                self.note(self.merge, "onto", &built.onto);
                self.note(self.merge, "commit", &built.commit);
            }
            Fact::CandidateStale { .. } => self.note(self.merge, "built_again", true),
            Fact::MergeLeft { .. } => {
                let merge = self.merge.take();
                self.close(merge, now, Status::Error("left the merge queue".into()));
            }
            Fact::Landed { commit, .. } => {
                self.note(Some(0), "landed", commit);
                self.over(now, Status::Ok);
            }
            Fact::RolledBack { commit, .. } => {
                self.note(Some(0), "rolled_back", commit);
                self.over(now, Status::Ok);
            }
            Fact::Stuck { why, .. } => {
                self.wait(at, SpanKind::Stuck, "stuck");
                self.note(self.waits, "why", why);
            }
            Fact::Interrupted { .. } => self.wait(at, SpanKind::Stuck, "interrupted"),
            Fact::Stopped { .. } => self.over(now, Status::Error("stopped".into())),
            Fact::Rejected { reason, .. } => {
                self.over(now, Status::of(false, &format!("rejected: {reason}")));
            }
            Fact::Peeked { reason, .. } => {
                self.note(self.attempt, "peeked", reason);
                self.note(self.attempt, "peeked_by", &at.by);
            }
            Fact::Paused { .. } => self.note(Some(0), "paused", true),
            Fact::ParallelSet { .. }
            | Fact::Reordered { .. }
            | Fact::EffectRequested { .. }
            | Fact::EffectDone { .. }
            | Fact::JobRan { .. }
            | Fact::SessionKnown { .. }
            | Fact::Unpaused { .. }
            | Fact::Slept { .. }
            | Fact::Covered { .. }
            | Fact::Forgotten { .. }
            | Fact::NumbersUsed { .. }
            | Fact::Panel(_)
            | Fact::Question(_)
            | Fact::Budget(_)
            | Fact::Batch(_)
            | Fact::Spec(_)
            | Fact::Bench(_) => {}
        }
    }

    /// A task that had come to an end goes on.
    fn reopen(&mut self) {
        if let Some(task) = self.spans.first_mut() {
            (task.end, task.status) = (None, Status::Unset);
        }
    }

    fn job_opened(&mut self, at: &Entry, job: JobId, role: &Role) {
        let span = match *role {
            Role::Agent => self.open(at, self.attempt, SpanKind::Agent, "agent"),
            Role::Setup { merged, hook } => {
                let parent = if merged { self.merge } else { self.attempt };
                self.open(at, parent, SpanKind::Setup, &format!("set-up hook {}", hook + 1))
            }
            Role::Gate { merged, gate } => {
                let span = self.gate(at, merged, gate);
                self.gates.insert((merged, gate), span);
                span
            }
        };
        self.note(Some(span), "job", job);
        self.jobs.insert(job, span);
    }

    fn gate(&mut self, at: &Entry, merged: bool, gate: usize) -> usize {
        let name = self.gate_names.get(&(merged, gate)).cloned();
        let name = name.unwrap_or_else(|| (gate + 1).to_string());
        self.open(at, if merged { self.merge } else { self.attempt }, SpanKind::Gate, &format!("gate {name}"))
    }

    fn job_ended(&mut self, at: Time, job: JobId, exit: Exit) {
        let span = self.jobs.remove(&job);
        let words = match exit {
            Exit::Code(code) => format!("code {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
            Exit::Unknown => "exit status unknown".to_owned(),
        };
        self.note(span, "exit", &words);
        let agent = span.is_some_and(|span| self.spans[span].kind == SpanKind::Agent);
        self.close(span, at, Status::of(exit.is_ok(), &words));
        if agent {
            let question = self.question.take();
            self.close(question, at, Status::Unset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::agent::{AgentQuestion, QuestionKind, Source};
    use crate::core::model::attempt::Start;
    use crate::core::model::branch::BranchRead;
    use crate::core::model::gate::Verdict;
    use crate::values::ids::{AttemptId, Oid};
    use std::collections::BTreeSet;

    const T: TaskId = TaskId(1);

    /// The facts of a task that is red once, asks once and lands, at a second each.
    fn story() -> Vec<Entry> {
        let launch = serde_json::json!({"launched": {"task": 1, "launch": {
            "repo": "/repo", "target": "main", "parallel": 1, "name": "fix", "prompt": "do", "agent": {
                "profile": "scripted", "mode": "headless", "idle_done": null, "resumable": true, "speaks": null },
            "limits": {"attempts": 3, "time": null, "silence": null}, "lid": "on", "after": [] }}});
        let oid = Oid::new(&"a".repeat(40)).unwrap();
        let attempt = |no| AttemptId { task: T, no };
        let job = |n, no, role| Fact::JobOpened { job: JobId(n), attempt: attempt(no), role };
        let ended = |n, code| Fact::JobEnded { job: JobId(n), task: T, exit: Exit::Code(code) };
        let judged = |no, merged, verdict| Fact::GateJudged {
            attempt: attempt(no),
            merged,
            gate: 0,
            verdict,
            tests: None,
            took: None,
            tail: String::new(),
        };
        let said = |state| Fact::AgentSaid { attempt: attempt(2), source: Source::Idle, state, read: 0 };
        let ask = AgentQuestion { kind: QuestionKind::Question, text: "red\u{1b}?".into() };
        let over = |no, result| Fact::AttemptOver { attempt: attempt(no), result };
        let opened = |no| Fact::AttemptOpened {
            attempt: attempt(no),
            start: Start::Target,
            prompt: String::new(),
            part: AttemptKind::Work,
        };
        let gate = Role::Gate { merged: false, gate: 0 };
        let facts = vec![
            serde_json::from_value(launch).unwrap(),
            opened(1),
            job(1, 1, Role::Agent),
            ended(1, 0),
            job(2, 1, gate.clone()),
            ended(2, 1),
            judged(1, false, Verdict::Failed),
            over(1, AttemptResult::Red),
            Fact::Requeued {
                task: T,
                start: Start::Previous,
                note: String::new(),
                granted: false,
                part: AttemptKind::Work,
            },
            opened(2),
            job(3, 2, Role::Agent),
            said(AgentState::Asking(ask)),
            Fact::Answered { attempt: attempt(2), question: "red?".into(), answer: "no".into() },
            ended(3, 0),
            job(4, 2, gate),
            ended(4, 0),
            judged(2, false, Verdict::Passed),
            over(2, AttemptResult::Green),
            Fact::ReviewOpened { task: T },
            Fact::Approved { task: T, head: oid.clone() },
            judged(2, true, Verdict::Cached),
            Fact::Landed { task: T, commit: oid },
        ];
        let entry = |(n, fact)| Entry { seq: n, at: Time(n * 1_000), by: "ada".into(), fact };
        (1..).zip(facts).map(entry).collect()
    }

    /// A line a span: depth, name, seconds, status.
    fn told(spans: &[Span]) -> Vec<String> {
        let depth = |span: &Span| {
            let mut depth = 0;
            let mut at = span.parent;
            while let Some(id) = at {
                depth += 1;
                at = spans.iter().find(|span| span.id == id).unwrap().parent;
            }
            depth
        };
        let status = |span: &Span| match &span.status {
            Status::Unset => "",
            Status::Ok => " ok",
            Status::Error(_) => " red",
        };
        let line = |span: &Span| {
            let took =
                span.end.map_or("open".to_owned(), |end| (end.since(span.start).0 / 1_000).to_string());
            format!("{}{} {took}{}", " ".repeat(depth(span)), span.name, status(span))
        };
        spans.iter().map(line).collect()
    }

    #[test]
    fn a_trace_begins_at_the_goal_of_the_tasks_spec() {
        let mut story = story();
        for entry in &mut story {
            (entry.seq, entry.at) = (entry.seq + 10, Time(entry.at.0 + 60_000));
        }
        let Fact::Launched { launch, .. } = &mut story[0].fact else { panic!() };
        launch.assignment.spec = Some(SpecId(3));
        assert_eq!(told(&spans(&story, T))[..2], ["fix 21 ok", " queued 1"], "without its goal");
        assert_eq!(spans(&story, T)[0].attributes["spec"], "s3".into());
        let opened = |spec| {
            let agent = serde_json::json!({
                "profile": "scripted", "mode": "headless", "idle_done": null, "resumable": true
            });
            let order = serde_json::json!({
                "repo": "/r", "target": "main", "parallel": 1, "name": "tea", "goal": "Tea for everybody",
                "crew": { "draft": agent, "plan": agent, "work": agent }, "passes": 1, "rounds": 1, "ahead": {},
                "limits": { "attempts": 3, "time": null, "silence": null }, "lid": "on", "memory": "wip.md",
            });
            let order = serde_json::from_value(order).unwrap();
            Fact::Spec(SpecFact::Opened { spec: SpecId(spec), order })
        };
        let at = |seq, spec| Entry { seq, at: Time(seq * 1_000), by: "ada".into(), fact: opened(spec) };
        story.splice(..0, [at(1, 2), at(5, 3), at(6, 4)]);
        let spans = spans(&story, T);
        assert_eq!(told(&spans)[..3], ["fix 77 ok", " goal 56", " queued 1"]);
        let has = |span: &Span, key: &str| span.attributes[key].to_string();
        assert_eq!(
            (has(&spans[0], "spec"), has(&spans[1], "goal"), spans[1].id),
            ("tea".to_owned(), "Tea for everybody".to_owned(), 5)
        );
    }

    #[test]
    fn a_task_is_one_trace_from_launch_to_the_target() {
        let spans = spans(&story(), T);
        assert_eq!(
            told(&spans),
            [
                "fix 21 ok",
                " queued 1",
                " attempt 1 6 red",
                "  agent 1 ok",
                "  gate 1 1 red",
                " queued 1",
                " attempt 2 8 ok",
                "  agent 3 ok",
                "  question 1 ok",
                "  gate 1 1 ok",
                " review 1 ok",
                " merge 2 ok",
                "  gate 1 0 ok",
            ]
        );
        assert_eq!(spans[8].attributes["question"].as_str(), "red␛?");
        assert_eq!(spans[4].attributes["verdict"].as_str(), "failed");
    }

    #[test]
    fn at_any_moment_the_spans_fit_into_each_other() {
        let story = story();
        for n in 0..=story.len() {
            let spans = spans(&story[..n], T);
            assert_eq!(spans.is_empty(), n == 0);
            let ids: BTreeSet<u64> = spans.iter().map(|span| span.id).collect();
            assert_eq!(ids.len(), spans.len(), "each has a number of its own");
            for span in &spans {
                let parent = spans.iter().find(|other| Some(other.id) == span.parent);
                assert_eq!(parent.is_none(), span.kind == SpanKind::Task);
                if let Some(parent) = parent {
                    assert!(parent.start <= span.start);
                    let end = parent.end.unwrap_or(Time(u64::MAX));
                    assert!(span.end.unwrap_or(Time(u64::MAX)) <= end, "after {n}: {span:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_over_has_no_end_and_a_stop_ends_it() {
        let mut story = story();
        story.truncate(11);
        assert_eq!(told(&spans(&story, T))[6..], [" attempt 2 open", "  agent open"]);
        let read = BranchRead {
            head: Oid::new(&"b".repeat(40)).unwrap(),
            tree: Oid::new(&"c".repeat(40)).unwrap(),
            commits: 2,
            diffstat: crate::core::model::diff::DiffStat::default(),
            deliverable: None,
            remarks: Vec::new(),
        };
        let attempt = AttemptId { task: T, no: 2 };
        for (n, fact) in
            [Fact::BranchKnown { attempt, read }, Fact::Stopped { task: T }].into_iter().enumerate()
        {
            story.push(Entry { seq: 12 + n as u64, at: Time(20_000), by: "ada".into(), fact });
        }
        let spans = spans(&story, T);
        assert_eq!(told(&spans)[0], "fix 19 red");
        assert_eq!(spans[6].attributes["commits"].as_str(), "2");
    }
}
