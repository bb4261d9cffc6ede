//! Events in; facts, effects and view out: the transitions and refusals of a task, each a short script.

use crate::core::engine::Engine;
use crate::core::model::agent::{
    AgentMode, AgentQuestion, AgentState, AgentTraits, Exit, Observation, QuestionKind, Source,
};
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::branch::{BranchRead, MergeBuilt, WorktreeReady};
use crate::core::model::budget::Budget;
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::{Candidate, Effect, EffectKind, JobWhat};
use crate::core::model::event::{Answer, Command, EffectOutcome, Event};
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::gate::{GateSpec, Verdict};
use crate::core::model::lid::{Lid, LidRule};
use crate::core::model::limits::Limits;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::task::{Launch, TaskState};
use crate::core::views::board::{GateProgress, Gating, TaskView};
use crate::values::ids::{JobId, Oid, TaskId, TaskName};
use crate::values::time::{Span, Time};
use std::collections::HashMap;
use std::path::PathBuf;

const T1: TaskId = TaskId(1);

const T2: TaskId = TaskId(2);

fn oid(n: u64) -> Oid {
    Oid::new(&format!("{n:040x}")).unwrap()
}

fn gate(name: &str) -> GateSpec {
    GateSpec {
        name: name.into(),
        command: format!("make {name}"),
        timeout: Span::secs(60),
        needs: Vec::new(),
        required: true,
        parallel: false,
        reads_history: false,
    }
}

fn ask(text: &str) -> AgentState {
    AgentState::Asking(AgentQuestion { kind: QuestionKind::Question, text: text.into() })
}

/// A daemon on paper: keeps what was asked for until the test answers it.
struct Desk {
    engine: Engine,
    now: Time,
    todo: Vec<Effect>,
    ledger: Vec<Entry>,
    notices: Vec<(NoticeKind, String)>,
    launch: Launch,
}

impl Desk {
    fn new() -> Self {
        let launch = Launch {
            repo: PathBuf::from("/repo"),
            target: "main".into(),
            parallel: 2,
            name: TaskName::new("work").unwrap(),
            prompt: "do it".into(),
            agent: AgentTraits {
                profile: "scripted".into(),
                mode: AgentMode::Headless,
                idle_done: None,
                resumable: true,
                speaks: None,
            },
            limits: Limits { attempts: 2, time: Some(Span::secs(100)), silence: Some(Span::secs(40)) },
            lid: LidRule::On,
            after: Vec::new(),
            by: None,
            assignment: Default::default(),
            budget: Budget::default(),
        };
        Self {
            engine: Engine::new(),
            now: Time(1_000),
            todo: Vec::new(),
            ledger: Vec::new(),
            notices: Vec::new(),
            launch,
        }
    }

    fn event(&mut self, event: Event) -> Result<(), Refused> {
        let step = self.engine.step(self.now, event)?;
        for fact in step.facts {
            let seq = self.ledger.len() as u64 + 1;
            self.ledger.push(Entry { seq, at: self.now, by: "test".into(), fact });
        }
        self.todo.extend(step.effects);
        self.notices.extend(step.notices.into_iter().map(|n| (n.kind, n.text.to_string())));
        let again = Engine::replay(self.ledger.iter().cloned());
        assert_eq!(again.state(), self.engine.state(), "replay only folds");
        Ok(())
    }

    fn tell(&mut self, event: Event) {
        self.event(event).unwrap();
    }

    fn command(&mut self, command: Command) -> Result<(), Refused> {
        self.event(Event::Command { by: "ann".into(), command })
    }

    fn launch(&mut self) -> TaskId {
        let launch = Box::new(self.launch.clone());
        self.command(Command::Launch(launch)).unwrap();
        self.engine.find(None, &format!("t{}", self.engine.state().last_task)).unwrap()
    }

    /// Takes the oldest open effect that `what` describes.
    #[track_caller]
    fn take(&mut self, what: impl Fn(&EffectKind) -> bool) -> Effect {
        let at = self.todo.iter().position(|effect| what(&effect.what));
        self.todo.remove(at.unwrap_or_else(|| panic!("not asked for; open: {:?}", self.todo)))
    }

    #[track_caller]
    fn answer(&mut self, what: impl Fn(&EffectKind) -> bool, outcome: EffectOutcome) {
        let effect = self.take(what);
        self.tell(Event::EffectDone { effect: effect.id, outcome });
    }

    #[track_caller]
    fn worktree(&mut self, gates: &[GateSpec], setup: &[&str]) {
        let effect = self.take(|w| matches!(w, EffectKind::PrepareWorktree { .. }));
        let ready = WorktreeReady {
            path: PathBuf::from(format!("/wt/{}", effect.id)),
            base: oid(1),
            setup: setup.iter().map(|s| (*s).to_owned()).collect(),
            gates: gates.to_vec(),
        };
        self.tell(Event::EffectDone { effect: effect.id, outcome: EffectOutcome::WorktreeReady(ready) });
    }

    #[track_caller]
    fn started(&mut self) -> (JobId, JobWhat) {
        let effect = self.take(|w| matches!(w, EffectKind::StartJob(_)));
        let EffectKind::StartJob(start) = effect.what else { unreachable!() };
        self.tell(Event::EffectDone { effect: effect.id, outcome: EffectOutcome::JobStarted });
        (start.job, start.what)
    }

    fn exit(&mut self, job: JobId, exit: Exit) {
        let tail = "1 test failed".to_owned();
        self.tell(Event::Exited { job, exit, tail, tests: None });
    }

    fn says(&mut self, job: JobId, state: AgentState) {
        let what = Observation::State { source: Source::StatusProtocol, state };
        self.tell(Event::Observed { job, what, read: 0 });
    }

    #[track_caller]
    fn read(&mut self, n: u64, commits: u32) {
        let read = BranchRead {
            head: oid(n),
            tree: oid(n + 1_000),
            commits,
            diffstat: DiffStat::default(),
            deliverable: None,
            remarks: Vec::new(),
        };
        self.answer(|w| matches!(w, EffectKind::ReadBranch { .. }), EffectOutcome::BranchRead(read));
    }

    /// From a prepared worktree to the agent's end with a commit.
    #[track_caller]
    fn works(&mut self, gates: &[GateSpec], head: u64) -> JobId {
        self.worktree(gates, &[]);
        let (job, _) = self.started();
        self.exit(job, Exit::Code(0));
        self.read(head, 1);
        job
    }

    #[track_caller]
    fn gate_ends(&mut self, exit: Exit) {
        let (job, what) = self.started();
        assert!(matches!(what, JobWhat::Gate { .. }), "{what:?}");
        self.exit(job, exit);
    }

    #[track_caller]
    fn built(&mut self, n: u64, gates: &[GateSpec]) {
        let built = MergeBuilt {
            onto: oid(1),
            commit: oid(n),
            tree: oid(n + 1_000),
            path: PathBuf::from("/scratch"),
            setup: Vec::new(),
            gates: gates.to_vec(),
        };
        self.answer(|w| matches!(w, EffectKind::BuildMerge { .. }), EffectOutcome::MergeBuilt(built));
    }

    fn wait(&mut self, span: Span) {
        self.now = self.now.after(span);
        self.tell(Event::Tick);
    }

    fn view(&self, id: TaskId) -> TaskView {
        self.engine.task_view(id, self.now, &HashMap::new()).unwrap()
    }

    #[track_caller]
    fn stands(&self, id: TaskId, state: TaskState) {
        let view = self.view(id);
        assert_eq!(view.state, state, "why: {}", view.why);
    }

    #[track_caller]
    fn refuses(&mut self, command: Command, kind: RefusedKind) {
        let (facts, shown) = (self.ledger.len(), format!("{command:?}"));
        let refused = self.command(command).expect_err(&shown);
        assert_eq!(refused.kind, kind, "{shown}: {}", refused.what);
        assert!(!refused.what.is_empty());
        assert_eq!(self.ledger.len(), facts, "a refusal changes nothing");
    }

    /// A task that waits for its review at head 7.
    fn in_review(gates: &[GateSpec]) -> Self {
        let mut desk = Self::new();
        desk.launch();
        desk.works(gates, 7);
        for _ in gates {
            desk.gate_ends(Exit::Code(0));
        }
        desk.stands(T1, TaskState::Review);
        desk
    }

    fn landed() -> Self {
        let mut desk = Self::in_review(&[]);
        desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
        desk.built(8, &[]);
        desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
        desk.stands(T1, TaskState::Landed);
        desk
    }
}

#[test]
fn a_task_goes_from_launch_to_the_target() {
    let mut desk = Desk::new();
    desk.launch();
    desk.stands(T1, TaskState::Preparing);
    desk.worktree(&[gate("test")], &["npm ci"]);
    let (setup, what) = desk.started();
    assert_eq!(what, JobWhat::Setup("npm ci".into()));
    desk.exit(setup, Exit::Code(0));
    let (agent, what) = desk.started();
    assert!(matches!(what, JobWhat::Agent { ref prompt, resume: None, .. } if prompt == "do it"));
    desk.stands(T1, TaskState::Working);
    desk.exit(agent, Exit::Code(0));
    desk.read(7, 2);
    desk.stands(T1, TaskState::Gating);
    desk.gate_ends(Exit::Code(0));
    desk.stands(T1, TaskState::Review);
    desk.refuses(Command::Approve { task: T1, head: oid(6) }, RefusedKind::NotNow);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    desk.built(8, &[gate("test")]);
    desk.gate_ends(Exit::Code(0));
    let moved = desk.take(|w| matches!(w, EffectKind::MoveTarget { .. }));
    assert!(
        matches!(&moved.what, EffectKind::MoveTarget { from, to, .. } if *from == oid(1) && *to == oid(8)),
        "{moved:?}"
    );
    desk.tell(Event::EffectDone { effect: moved.id, outcome: EffectOutcome::TargetMoved });
    desk.stands(T1, TaskState::Landed);
    assert_eq!(desk.view(T1).landed, Some(oid(8)));
}

#[test]
fn red_goes_to_a_fresh_attempt_with_the_output_and_then_to_a_human() {
    let mut desk = Desk::new();
    desk.launch();
    desk.works(&[gate("test")], 7);
    desk.gate_ends(Exit::Code(1));
    let next = desk.take(|w| matches!(w, EffectKind::PrepareWorktree { .. }));
    assert!(
        matches!(&next.what, EffectKind::PrepareWorktree { start: Start::Previous, previous: Some(branch), .. }
            if branch == "nopeek/work/1")
    );
    desk.todo.push(next);
    desk.worktree(&[gate("test")], &[]);
    let (agent, what) = desk.started();
    assert!(matches!(what, JobWhat::Agent { ref prompt, .. } if prompt.contains("1 test failed")));
    desk.exit(agent, Exit::Code(0));
    desk.read(9, 2);
    desk.gate_ends(Exit::Code(1));
    desk.stands(T1, TaskState::Stuck);
    let kinds: Vec<NoticeKind> = desk.notices.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [NoticeKind::Red, NoticeKind::NeedsYou], "the last red one is told by what it led to");
    desk.command(Command::Retry { task: T1, start: Start::Previous, note: "look again".into() }).unwrap();
    desk.stands(T1, TaskState::Preparing);
    assert_eq!(desk.view(T1).attempts_max, 3, "a human grants one more");
}

#[test]
fn notices_say_what_happened_once_and_not_again_after_a_restart() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[gate("test")], &[]);
    let (agent, _) = desk.started();
    desk.says(agent, ask("which colour?"));
    desk.says(agent, AgentState::Working);
    desk.says(agent, ask("which colour?"));
    desk.command(Command::Answer { task: T1, answer: Answer::Text("red".into()) }).unwrap();
    desk.says(agent, AgentState::Working);
    desk.says(agent, ask("which colour?"));
    desk.engine = Engine::replay(desk.ledger.iter().cloned());
    desk.tell(Event::Restarted);
    desk.says(agent, ask("which colour?"));
    let asked = (NoticeKind::NeedsYou, "which colour?".to_owned());
    assert_eq!(std::mem::take(&mut desk.notices), [asked.clone(), asked]);

    desk.exit(agent, Exit::Code(0));
    desk.read(7, 1);
    desk.gate_ends(Exit::Code(1));
    desk.works(&[gate("test")], 8);
    desk.gate_ends(Exit::Code(0));
    desk.command(Command::Approve { task: T1, head: oid(8) }).unwrap();
    desk.built(9, &[]);
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
    assert_eq!(
        desk.notices,
        [
            (NoticeKind::Red, "attempt 1 is red (test); a fresh attempt follows".to_owned()),
            (NoticeKind::NeedsYou, "green: waits for review".to_owned()),
            (NoticeKind::Done, "landed".to_owned()),
        ]
    );
}

#[test]
fn gates_of_an_attempt_that_ended_before_them_are_not_run() {
    let mut desk = Desk::new();
    desk.launch();
    assert_eq!(desk.view(T1).gating(), Gating::Unknown, "there is no worktree to read them from");
    desk.worktree(&[gate("test")], &[]);
    assert_eq!(desk.view(T1).gates()[0].state, GateProgress::Waiting);
    let (agent, _) = desk.started();
    desk.exit(agent, Exit::Code(0));
    desk.read(1, 0);
    let view = desk.view(T1);
    let over = &view.attempts[0];
    assert_eq!((over.gates[0].state, over.gating()), (GateProgress::NotRun, Gating::NotRun));
    desk.worktree(&[], &[]);
    assert_eq!(desk.view(T1).gating(), Gating::Ungated, "the fresh attempt found no gate");
}

#[test]
fn a_gate_that_was_ended_with_its_attempt_does_not_run_for_ever() {
    let mut desk = Desk::new();
    desk.launch();
    desk.works(&[gate("test"), gate("slow")], 7);
    let (job, _) = desk.started();
    desk.command(Command::Stop(T1)).unwrap();
    assert_eq!(desk.view(T1).gates()[0].state, GateProgress::Running, "it is still being ended");
    desk.exit(job, Exit::Signal(9));
    let states = desk.view(T1).gates().iter().map(|gate| gate.state).collect::<Vec<_>>();
    assert_eq!(states, [GateProgress::Stopped, GateProgress::NotRun]);
}

#[test]
fn no_commit_is_no_work_whatever_the_exit_code_says() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.exit(agent, Exit::Code(0));
    desk.read(1, 0);
    assert_eq!(desk.view(T1).attempts[0].result, Some(AttemptResult::NoWork));
    desk.stands(T1, TaskState::Preparing);
}

#[test]
fn a_tree_that_passed_is_not_gated_again() {
    let mut desk = Desk::in_review(&[gate("test")]);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    // A fast-forward: the merged tree is the attempt's. What passed in the agent's folder says nothing of a clean one.
    desk.built(7, &[gate("test")]);
    assert_eq!(desk.view(T1).merge_gates[0].state, GateProgress::Running);
    desk.gate_ends(Exit::Code(0));
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetStale);
    desk.answer(|w| matches!(w, EffectKind::Archive { .. }), EffectOutcome::Done);
    // The target moved meanwhile; the same tree as merged was judged already, in a folder of the daemon's own.
    desk.built(7, &[gate("test")]);
    assert_eq!(desk.view(T1).merge_gates[0].state, GateProgress::Judged(Verdict::Cached));
    desk.take(|w| matches!(w, EffectKind::MoveTarget { .. }));
}

#[test]
fn what_reads_history_is_judged_each_time() {
    let policy = || GateSpec { reads_history: true, ..gate("policy") };
    let mut desk = Desk::in_review(&[policy()]);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    desk.built(7, &[policy()]);
    desk.gate_ends(Exit::Code(0));
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetStale);
    desk.answer(|w| matches!(w, EffectKind::Archive { .. }), EffectOutcome::Done);
    desk.built(7, &[policy()]);
    assert_eq!(desk.view(T1).merge_gates[0].state, GateProgress::Running);
}

#[test]
fn a_stale_target_is_built_again_after_the_old_candidate_is_gone() {
    let mut desk = Desk::in_review(&[]);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    desk.built(8, &[]);
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetStale);
    assert!(!desk.todo.iter().any(|e| matches!(e.what, EffectKind::BuildMerge { .. })));
    desk.answer(|w| matches!(w, EffectKind::Archive { .. }), EffectOutcome::Done);
    desk.built(9, &[]);
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
    assert_eq!(desk.view(T1).landed, Some(oid(9)));
}

#[test]
fn a_refused_target_waits_for_a_human_and_land_tries_again() {
    let mut desk = Desk::in_review(&[]);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    desk.built(8, &[]);
    let reason = "main is checked out and dirty".into();
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetRefused { reason });
    desk.stands(T1, TaskState::Stuck);
    assert!(desk.view(T1).why.as_str().contains("dirty"));
    desk.command(Command::Land(T1)).unwrap();
    desk.stands(T1, TaskState::Merging);
}

#[test]
fn a_conflict_and_a_send_back_go_to_a_fresh_attempt() {
    let mut desk = Desk::in_review(&[]);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    let files = vec!["src/a.rs".into()];
    desk.answer(|w| matches!(w, EffectKind::BuildMerge { .. }), EffectOutcome::Conflict { files });
    assert_eq!(desk.view(T1).attempts[0].result, Some(AttemptResult::MergeFailed));
    desk.works(&[], 9);
    desk.refuses(Command::SendBack { task: T1, message: " ".into() }, RefusedKind::BadInput);
    desk.command(Command::SendBack { task: T1, message: "smaller".into() }).unwrap();
    desk.worktree(&[], &[]);
    let (_, what) = desk.started();
    assert!(matches!(what, JobWhat::Agent { ref prompt, .. } if prompt.contains("smaller")));
}

#[test]
fn a_landed_task_is_rolled_back_through_the_same_queue() {
    let mut desk = Desk::landed();
    desk.answer(|w| matches!(w, EffectKind::Archive { .. }), EffectOutcome::Done);
    desk.command(Command::Rollback(T1)).unwrap();
    let build = desk.take(|w| matches!(w, EffectKind::BuildMerge { .. }));
    assert!(matches!(&build.what, EffectKind::BuildMerge { what: Candidate::Revert(c), .. } if *c == oid(8)));
    desk.todo.push(build);
    desk.built(9, &[gate("test")]);
    desk.gate_ends(Exit::Code(0));
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
    desk.stands(T1, TaskState::RolledBack);
}

#[test]
fn a_question_is_answered_with_the_lid_on() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    let answer = || Command::Answer { task: T1, answer: Answer::Text("blue".into()) };
    desk.refuses(answer(), RefusedKind::NotNow);
    desk.says(agent, AgentState::Working);
    desk.says(agent, ask("which colour?"));
    desk.stands(T1, TaskState::Asking);
    assert!(desk.view(T1).needs_you);
    desk.wait(Span::secs(60));
    desk.stands(T1, TaskState::Asking);
    desk.command(answer()).unwrap();
    desk.take(|w| matches!(w, EffectKind::Type { job, .. } if *job == agent));
    desk.stands(T1, TaskState::Working);
    assert!(desk.engine.permit(agent).is_none(), "an answer lifts no lid");
}

#[test]
fn what_was_heard_up_to_where_is_known_after_an_answer_too() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    assert_eq!(desk.engine.last_report(agent), None);
    let state = ask("which colour?");
    let what = Observation::State { source: Source::StatusProtocol, state: state.clone() };
    desk.tell(Event::Observed { job: agent, what, read: 70 });
    desk.command(Command::Answer { task: T1, answer: Answer::Text("blue".into()) }).unwrap();
    assert_eq!(desk.engine.last_report(agent), Some((Source::StatusProtocol, state, 70)));
}

#[test]
fn a_lid_is_broken_only_with_a_reason_and_lifted_at_the_end() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    assert!(desk.engine.permit(agent).is_none() && !desk.engine.may_type(agent));
    desk.refuses(Command::Peek { task: T1, reason: "  ".into() }, RefusedKind::BadInput);
    desk.refuses(Command::Cover(T1), RefusedKind::NotNow);
    desk.command(Command::Peek { task: T1, reason: "it loops".into() }).unwrap();
    assert!(desk.engine.permit(agent).is_some() && desk.engine.may_type(agent));
    desk.command(Command::Cover(T1)).unwrap();
    assert!(desk.engine.permit(agent).is_none());
    desk.exit(agent, Exit::Code(0));
    let view = desk.view(T1);
    assert_eq!((view.attempts[0].lid, view.attempts[0].peeked), (Lid::Lifted, true));
    assert!(desk.engine.permit(agent).is_some() && !desk.engine.may_type(agent));
    assert!(desk.engine.permit(JobId(99)).is_none());
}

#[test]
fn a_pause_stops_every_clock() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.wait(Span::secs(30));
    desk.command(Command::Pause(T1)).unwrap();
    desk.answer(|w| matches!(w, EffectKind::Freeze(job) if *job == agent), EffectOutcome::Done);
    assert_eq!(desk.engine.deadline(), None);
    desk.wait(Span::mins(600));
    desk.command(Command::Resume(T1)).unwrap();
    desk.answer(|w| matches!(w, EffectKind::Thaw(job) if *job == agent), EffectOutcome::Done);
    desk.stands(T1, TaskState::Working);
    for _ in 0..2 {
        desk.tell(Event::Alive(agent));
        desk.wait(Span::secs(34));
    }
    desk.tell(Event::Suspended(Span::mins(9)));
    desk.now = desk.now.after(Span::mins(9));
    desk.tell(Event::Alive(agent));
    assert!(!desk.todo.iter().any(|e| matches!(e.what, EffectKind::End { .. })));
    desk.wait(Span::secs(2));
    desk.take(|w| matches!(w, EffectKind::End { .. }));
}

#[test]
fn silence_ends_an_attempt_and_output_does_not() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.wait(Span::secs(39));
    desk.tell(Event::Alive(agent));
    desk.wait(Span::secs(39));
    assert!(!desk.todo.iter().any(|e| matches!(e.what, EffectKind::End { .. })));
    desk.wait(Span::secs(1));
    desk.take(|w| matches!(w, EffectKind::End { .. }));
    desk.exit(agent, Exit::Signal(15));
    desk.read(7, 1);
    assert_eq!(desk.view(T1).attempts[0].result, Some(AttemptResult::TimedOut));
}

#[test]
fn silence_counts_from_an_answer_on() {
    let mut desk = Desk::new();
    desk.launch.limits.time = None;
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.says(agent, ask("which colour?"));
    desk.wait(Span::mins(60));
    desk.command(Command::Answer { task: T1, answer: Answer::Text("red".into()) }).unwrap();
    desk.wait(Span::secs(39));
    assert!(!desk.todo.iter().any(|e| matches!(e.what, EffectKind::End { .. })));
    desk.wait(Span::secs(1));
    desk.take(|w| matches!(w, EffectKind::End { .. }));
}

#[test]
fn a_gate_runs_into_its_timeout() {
    let mut desk = Desk::new();
    desk.launch();
    desk.works(&[gate("soak")], 7);
    let (job, _) = desk.started();
    desk.wait(Span::secs(60));
    desk.take(|w| matches!(w, EffectKind::End { .. }));
    desk.exit(job, Exit::Signal(9));
    assert_eq!(desk.view(T1).attempts[0].gates[0].verdict(), Some(Verdict::TimedOut));
}

#[test]
fn a_lost_gate_is_run_again_but_not_for_ever() {
    let mut desk = Desk::new();
    desk.launch();
    desk.works(&[gate("test")], 7);
    desk.gate_ends(Exit::Unknown);
    desk.gate_ends(Exit::Unknown);
    desk.stands(T1, TaskState::Gating);
    desk.gate_ends(Exit::Unknown);
    assert_eq!(desk.view(T1).attempts[0].gates[0].verdict(), Some(Verdict::Errored));
}

#[test]
fn an_interrupted_agent_goes_on_with_its_session() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.tell(Event::Observed { job: agent, what: Observation::Session("s-1".into()), read: 0 });
    desk.exit(agent, Exit::Unknown);
    desk.stands(T1, TaskState::Interrupted);
    desk.command(Command::Resume(T1)).unwrap();
    let (again, what) = desk.started();
    assert!(matches!(what, JobWhat::Agent { resume: Some(ref s), .. } if s == "s-1"));
    assert!(desk.engine.permit(again).is_none() && desk.engine.permit(agent).is_none());
}

#[test]
fn an_agent_that_says_nothing_of_itself_at_the_start_stands_at_a_dialog() {
    let mut desk = Desk::new();
    desk.launch.agent.mode = AgentMode::Interactive;
    desk.launch.agent.speaks = Some(Span::secs(10));
    desk.launch.limits.silence = None;
    let id = desk.launch();
    desk.worktree(&[], &[]);
    let (job, _) = desk.started();
    desk.wait(Span::secs(9));
    desk.stands(id, TaskState::Working);
    desk.tell(Event::Alive(job));
    desk.wait(Span::secs(9));
    desk.stands(id, TaskState::Working);
    desk.wait(Span::secs(1));
    desk.stands(id, TaskState::Asking);
    assert_eq!(desk.view(id).question.unwrap().kind, QuestionKind::StartUp);
    desk.command(Command::Answer { task: id, answer: Answer::Accept }).unwrap();
    desk.stands(id, TaskState::Working);
    desk.wait(Span::secs(60));
    desk.stands(id, TaskState::Working);
    desk.says(job, ask("which colour?"));
    desk.stands(id, TaskState::Asking);
}

#[test]
fn an_interactive_agent_is_ended_when_it_stays_done() {
    let mut desk = Desk::new();
    desk.launch.agent.mode = AgentMode::Interactive;
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.says(agent, AgentState::Idle);
    desk.wait(Span::secs(2));
    desk.says(agent, AgentState::Working);
    desk.says(agent, AgentState::Done);
    assert!(!desk.todo.iter().any(|e| matches!(e.what, EffectKind::End { .. })), "a flash is not believed");
    desk.wait(Span::secs(1));
    desk.take(|w| matches!(w, EffectKind::End { .. }));
    desk.exit(agent, Exit::Signal(1));
    desk.read(7, 1);
    desk.stands(T1, TaskState::Review);
}

#[test]
fn stop_ends_every_job_and_late_answers_change_nothing() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.command(Command::Stop(T1)).unwrap();
    desk.take(|w| matches!(w, EffectKind::End { job, .. } if *job == agent));
    desk.refuses(Command::Forget(T1), RefusedKind::NotNow);
    desk.refuses(Command::Stop(T1), RefusedKind::NotNow);
    desk.exit(agent, Exit::Signal(9));
    let facts = desk.ledger.len();
    desk.exit(agent, Exit::Code(0));
    desk.says(agent, AgentState::Working);
    desk.tell(Event::EffectDone {
        effect: crate::values::ids::EffectId(1),
        outcome: EffectOutcome::JobStarted,
    });
    assert_eq!(desk.ledger.len(), facts, "doubled and late answers decide nothing");
    desk.command(Command::Forget(T1)).unwrap();
    desk.take(|w| matches!(w, EffectKind::Archive { branch: Some(_), .. }));
    assert!(desk.engine.task_view(T1, desk.now, &HashMap::new()).is_none());
}

#[test]
fn an_answer_about_the_old_attempt_is_not_taken_for_the_new_one() {
    let mut desk = Desk::new();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.exit(agent, Exit::Code(0));
    let late = desk.take(|w| matches!(w, EffectKind::ReadBranch { .. }));
    desk.command(Command::Stop(T1)).unwrap();
    desk.command(Command::Retry { task: T1, start: Start::Target, note: String::new() }).unwrap();
    desk.worktree(&[], &[]);
    desk.started();
    let read = BranchRead {
        head: oid(7),
        tree: oid(8),
        commits: 1,
        diffstat: DiffStat::default(),
        deliverable: None,
        remarks: Vec::new(),
    };
    desk.tell(Event::EffectDone { effect: late.id, outcome: EffectOutcome::BranchRead(read) });
    assert_eq!(desk.view(T1).attempts[1].head, None);
    desk.stands(T1, TaskState::Working);
}

#[test]
fn the_queue_keeps_its_limit_and_its_order() {
    let mut desk = Desk::new();
    desk.launch.parallel = 1;
    for _ in 0..3 {
        desk.launch();
    }
    desk.stands(T1, TaskState::Preparing);
    desk.stands(T2, TaskState::Queued);
    assert_eq!(desk.view(T2).name, "work-2");
    assert!(desk.view(T2).why.as_str().contains("1 of 1"), "{}", desk.view(T2).why);
    desk.command(Command::Reorder { task: TaskId(3), place: 0 }).unwrap();
    assert_eq!(desk.engine.board(desk.now, &HashMap::new()).repos[0].waiting, [TaskId(3), T2]);
    desk.refuses(Command::Reorder { task: T1, place: 0 }, RefusedKind::NotNow);
    desk.works(&[], 7);
    desk.stands(TaskId(3), TaskState::Preparing);
    desk.command(Command::SetParallel { repo: PathBuf::from("/repo"), parallel: 2 }).unwrap();
    desk.stands(T2, TaskState::Preparing);
}

#[test]
fn an_agent_that_is_still_being_ended_holds_its_place() {
    let mut desk = Desk::new();
    desk.launch.parallel = 1;
    desk.launch();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.command(Command::Stop(T1)).unwrap();
    desk.stands(T2, TaskState::Queued);
    desk.command(Command::Retry { task: T1, start: Start::Target, note: String::new() }).unwrap();
    desk.stands(T2, TaskState::Queued);
    desk.exit(agent, Exit::Signal(9));
    desk.stands(T2, TaskState::Preparing);
    desk.stands(T1, TaskState::Queued);
}

#[test]
fn a_gate_that_is_still_being_ended_holds_no_place() {
    let mut desk = Desk::new();
    desk.launch.parallel = 1;
    desk.launch();
    desk.launch();
    desk.works(&[gate("test")], 7);
    desk.stands(T1, TaskState::Gating);
    desk.stands(T2, TaskState::Preparing);
    desk.command(Command::Stop(T1)).unwrap();
    desk.command(Command::Stop(T2)).unwrap();
    desk.launch();
    desk.stands(TaskId(3), TaskState::Preparing);
}

#[test]
fn an_interrupted_agent_goes_on_only_where_there_is_a_place() {
    let mut desk = Desk::new();
    desk.launch.parallel = 1;
    desk.launch();
    desk.launch();
    desk.worktree(&[], &[]);
    let (agent, _) = desk.started();
    desk.tell(Event::Observed { job: agent, what: Observation::Session("s-1".into()), read: 0 });
    desk.exit(agent, Exit::Unknown);
    desk.stands(T1, TaskState::Interrupted);
    desk.stands(T2, TaskState::Preparing);
    desk.refuses(Command::Resume(T1), RefusedKind::NotNow);
    desk.works(&[], 7);
    desk.command(Command::Resume(T1)).unwrap();
    desk.stands(T1, TaskState::Working);
}

#[test]
fn a_smaller_limit_lets_those_that_run_end_and_nobody_start() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        desk.launch();
    }
    desk.stands(T2, TaskState::Preparing);
    desk.command(Command::SetParallel { repo: PathBuf::from("/repo"), parallel: 1 }).unwrap();
    desk.works(&[], 7);
    desk.stands(TaskId(3), TaskState::Queued);
    desk.works(&[], 8);
    desk.stands(TaskId(3), TaskState::Preparing);
}

#[test]
fn a_task_waits_for_what_it_comes_after() {
    let mut desk = Desk::in_review(&[]);
    desk.launch.after = vec![TaskName::new("work").unwrap()];
    desk.launch();
    desk.stands(T2, TaskState::Queued);
    assert_eq!(desk.view(T2).why.as_str(), "waits for work to land");
    let mut other = Desk::in_review(&[]);
    other.launch.after = vec![TaskName::new("work").unwrap()];
    other.launch();
    other.command(Command::Reject { task: T1, reason: "no".into() }).unwrap();
    let why = other.view(T2).why.to_string();
    assert!(why.contains("work has ended unmerged: retry that"), "{why}");
    assert!(other.view(T2).needs_you && !desk.view(T2).needs_you);
    desk.command(Command::Approve { task: T1, head: oid(7) }).unwrap();
    desk.built(8, &[]);
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
    desk.stands(T2, TaskState::Preparing);
}

#[test]
fn what_left_the_board_before_it_landed_never_counts_as_landed() {
    let mut desk = Desk::in_review(&[]);
    desk.launch.after = vec![TaskName::new("work").unwrap()];
    desk.launch();
    desk.command(Command::Stop(T1)).unwrap();
    desk.command(Command::Forget(T1)).unwrap();
    desk.stands(T2, TaskState::Queued);
    let why = desk.view(T2).why.to_string();
    assert_eq!(why, "waits for t1 to land, and t1 was archived before: stop this, and launch it anew");
    assert!(desk.view(T2).needs_you, "nothing but a person can help it");
    // Another task of the same name is another task, whatever becomes of it.
    desk.launch.after = Vec::new();
    let other = desk.launch();
    assert_eq!(desk.view(other).name, "work-3", "the first work is still on its way to the archive");
    desk.tell(Event::Tick);
    desk.stands(T2, TaskState::Queued);
}

#[test]
fn a_task_waits_for_others_by_number_too_and_for_each_once() {
    let mut desk = Desk::in_review(&[]);
    let names = |all: &[&str]| all.iter().map(|name| TaskName::mention(name).unwrap()).collect::<Vec<_>>();
    desk.launch.after = names(&["t1", "work", "t1"]);
    desk.launch();
    assert_eq!(desk.view(T2).why.as_str(), "waits for work to land");
    desk.launch.after = names(&["t9"]);
    desk.refuses(Command::Launch(Box::new(desk.launch.clone())), RefusedKind::NotFound);
    let mut landed = Desk::landed();
    landed.command(Command::Forget(T1)).unwrap();
    landed.launch.after = names(&["t1"]);
    let next = landed.launch();
    landed.stands(next, TaskState::Preparing);
}

#[test]
fn what_was_rolled_back_is_not_said_to_be_unmerged() {
    let mut desk = Desk::landed();
    desk.answer(|w| matches!(w, EffectKind::Archive { .. }), EffectOutcome::Done);
    desk.command(Command::Rollback(T1)).unwrap();
    desk.built(9, &[]);
    desk.answer(|w| matches!(w, EffectKind::MoveTarget { .. }), EffectOutcome::TargetMoved);
    desk.stands(T1, TaskState::RolledBack);
    desk.launch.after = vec![TaskName::new("work").unwrap()];
    desk.launch();
    let why = desk.view(T2).why.to_string();
    assert_eq!(why, "waits for work to land, and work was rolled back: stop this, and launch it anew");
}

#[test]
fn nothing_is_archived_while_git_works_for_it() {
    let mut desk = Desk::new();
    desk.launch();
    desk.stands(T1, TaskState::Preparing);
    desk.command(Command::Stop(T1)).unwrap();
    desk.refuses(Command::Forget(T1), RefusedKind::NotNow);
    desk.worktree(&[], &[]);
    desk.command(Command::Forget(T1)).unwrap();
    // What was made meanwhile goes into the archive.
    desk.take(|work| matches!(work, EffectKind::Archive { .. }));
}

#[test]
fn what_has_landed_counts_as_landed_though_it_left_the_board() {
    let mut desk = Desk::landed();
    desk.launch.after = vec![TaskName::new("work").unwrap()];
    desk.launch.parallel = 1;
    let first = desk.launch();
    desk.stands(first, TaskState::Preparing);
    let second = desk.launch();
    desk.command(Command::Forget(T1)).unwrap();
    desk.command(Command::Stop(first)).unwrap();
    desk.stands(second, TaskState::Preparing);
}

#[test]
fn names_of_an_older_ledger_become_the_tasks_that_they_meant() {
    let mut desk = Desk::in_review(&[]);
    desk.launch.after = vec![TaskName::new("work").unwrap()];
    desk.launch();
    let mut old = desk.ledger.clone();
    for entry in &mut old {
        if let Fact::Launched { after, .. } = &mut entry.fact {
            *after = None;
        }
    }
    assert_ne!(old, desk.ledger);
    assert_eq!(Engine::replay(old).state(), desk.engine.state());
}

#[test]
fn commands_that_make_no_sense_are_refused() {
    let mut desk = Desk::new();
    desk.refuses(Command::Pause(T1), RefusedKind::NotFound);
    for bad in [
        Launch { prompt: " \n".into(), ..desk.launch.clone() },
        Launch { parallel: 0, ..desk.launch.clone() },
        Launch { limits: Limits { attempts: 0, ..Limits::default() }, ..desk.launch.clone() },
    ] {
        desk.refuses(Command::Launch(Box::new(bad)), RefusedKind::BadInput);
    }
    let lost = Launch { after: vec![TaskName::new("nobody").unwrap()], ..desk.launch.clone() };
    desk.refuses(Command::Launch(Box::new(lost)), RefusedKind::NotFound);
    let mut desk = Desk::landed();
    for late in [
        Command::Pause(T1),
        Command::Resume(T1),
        Command::Stop(T1),
        Command::Retry { task: T1, start: Start::Target, note: String::new() },
        Command::Answer { task: T1, answer: Answer::Accept },
        Command::Approve { task: T1, head: oid(7) },
        Command::SendBack { task: T1, message: "no".into() },
        Command::Reject { task: T1, reason: "no".into() },
        Command::Land(T1),
        Command::Peek { task: T1, reason: "why".into() },
        Command::Cover(T1),
        Command::Reorder { task: T1, place: 0 },
    ] {
        desk.refuses(late, RefusedKind::NotNow);
    }
    assert_eq!(desk.engine.find(None, "nobody").unwrap_err().kind, RefusedKind::NotFound);
}

#[test]
fn open_effects_are_asked_for_again_after_a_restart() {
    let mut desk = Desk::new();
    desk.launch();
    let mut engine = Engine::replay(desk.ledger.iter().cloned());
    assert_eq!(engine.open_effects(), desk.todo);
    let step = engine.step(desk.now, Event::Restarted).unwrap();
    assert!(step.effects.is_empty(), "nothing is asked for twice: {step:?}");
}

#[test]
fn numbers_of_a_lost_ledger_are_not_given_out_again() {
    let mut desk = Desk::new();
    desk.launch();
    let facts = desk.ledger.len();
    desk.tell(Event::NumbersFound { task: TaskId(7), job: JobId(0) });
    assert_eq!(desk.ledger.len(), facts, "a task that was kept for and never committed is replaced");
    desk.tell(Event::NumbersFound { task: TaskId(7), job: JobId(9) });
    assert_eq!(desk.launch(), TaskId(8));
    desk.worktree(&[], &[]);
    assert_eq!(desk.started().0, JobId(10));
    assert!(desk.engine.state().last_effect > 1_000_000, "a keeper that lives on has seen lower ones");
}
