//! Questions that agents put through tools: put, shown, answered, dropped; and what bounds them.

use crate::core::engine::Engine;
use crate::core::model::agent::{AgentMode, AgentTraits, Exit};
use crate::core::model::branch::{BranchRead, WorktreeReady};
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::{Effect, EffectKind};
use crate::core::model::event::{Answer, Command, EffectOutcome, Event};
use crate::core::model::fact::Fact;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::panel::question::OPTIONS_MAX;
use crate::core::model::question::{ADDED_MAX, OPEN_MAX, QuestionCommand, QuestionState, TEXT_MAX};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::task::{Launch, TaskState};
use crate::core::views::board::TaskView;
use crate::values::ids::{AttemptId, JobId, Oid, TaskId, TaskName};
use crate::values::time::{Span, Time};
use std::collections::HashMap;
use std::path::PathBuf;

const T1: TaskId = TaskId(1);

const A1: AttemptId = AttemptId { task: T1, no: 1 };

/// One task whose agent works, unless `new` says otherwise.
struct Desk {
    engine: Engine,
    now: Time,
    todo: Vec<Effect>,
    notices: usize,
}

fn launch(name: &str, mode: AgentMode) -> Launch {
    Launch {
        repo: PathBuf::from("/repo"),
        target: "main".into(),
        parallel: 50,
        name: TaskName::new(name).unwrap(),
        prompt: "do it".into(),
        agent: AgentTraits {
            profile: "scripted".into(),
            mode,
            idle_done: Some(Span::secs(20)),
            resumable: false,
            speaks: None,
        },
        limits: Limits { attempts: 1, time: None, silence: Some(Span::secs(40)) },
        lid: LidRule::On,
        after: Vec::new(),
        by: None,
        assignment: Default::default(),
        budget: crate::core::model::budget::Budget::default(),
    }
}

impl Desk {
    fn new(mode: AgentMode) -> Self {
        let mut desk = Self { engine: Engine::new(), now: Time(1_000), todo: Vec::new(), notices: 0 };
        desk.works(launch("work", mode)).unwrap();
        desk
    }

    fn event(&mut self, event: Event) -> Result<Vec<Fact>, Refused> {
        let step = self.engine.step(self.now, event)?;
        self.todo.extend(step.effects);
        self.notices += step.notices.len();
        Ok(step.facts)
    }

    fn command(&mut self, command: Command) -> Result<Vec<Fact>, Refused> {
        self.event(Event::Command { by: "ann".into(), command })
    }

    fn take(&mut self, what: impl Fn(&EffectKind) -> bool) -> Effect {
        let at = self.todo.iter().position(|effect| what(&effect.what)).unwrap();
        self.todo.remove(at)
    }

    fn works(&mut self, launch: Launch) -> Result<(), Refused> {
        self.command(Command::Launch(Box::new(launch)))?;
        let effect = self.take(|work| matches!(work, EffectKind::PrepareWorktree { .. }));
        let base = Oid::new(&"a".repeat(40)).unwrap();
        let path = PathBuf::from(format!("/wt/{}", effect.id));
        let ready = WorktreeReady { path, base, setup: Vec::new(), gates: Vec::new() };
        self.event(Event::EffectDone { effect: effect.id, outcome: EffectOutcome::WorktreeReady(ready) })?;
        let effect = self.take(|work| matches!(work, EffectKind::StartJob(_)));
        self.event(Event::EffectDone { effect: effect.id, outcome: EffectOutcome::JobStarted })?;
        Ok(())
    }

    fn put(&mut self, text: &str, options: &[&str]) -> Result<Vec<Fact>, Refused> {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        self.command(Command::Question(QuestionCommand::Put { attempt: A1, text: text.into(), options }))
    }

    fn answers(&mut self, answer: Answer) -> Result<Vec<Fact>, Refused> {
        self.command(Command::Answer { task: T1, answer })
    }

    fn ticks(&mut self, secs: u64) {
        self.now = self.now.after(Span::secs(secs));
        self.event(Event::Tick).unwrap();
    }

    fn view(&self) -> TaskView {
        self.engine.task_view(T1, self.now, &HashMap::new()).unwrap()
    }

    fn state(&self, no: u64) -> QuestionState {
        self.engine.question_no(no).unwrap().state.clone()
    }
}

#[test]
fn a_question_is_shown_and_its_answer_is_not_typed() {
    let mut desk = Desk::new(AgentMode::Headless);
    assert_eq!(desk.put(" Which unit? ", &["ms", "s"]).unwrap().len(), 1);
    let view = desk.view();
    assert_eq!((view.state, view.needs_you, desk.notices), (TaskState::Asking, true, 1));
    assert_eq!(view.question.unwrap().text.as_str(), "Which unit? (1: ms; 2: s)");
    // Put again, by one that was cut off: the same one, and nobody hears of it twice.
    assert!(desk.put("Which unit?", &[]).unwrap().is_empty());
    desk.answers(Answer::Text("2".into())).unwrap();
    assert!(desk.todo.is_empty(), "nothing is typed: {:?}", desk.todo);
    assert_eq!(desk.view().state, TaskState::Working);
    let question = desk.engine.question(A1, "Which unit?").unwrap();
    assert_eq!(question.state, QuestionState::Answered("s".into()));
    assert!(desk.put("Which unit?", &[]).unwrap().is_empty(), "an answered one is answered still");
    assert_eq!(desk.answers(Answer::Accept).unwrap_err().kind, RefusedKind::NotNow);
}

#[test]
fn questions_are_answered_in_their_order() {
    let mut desk = Desk::new(AgentMode::Headless);
    desk.put("First?", &["a", "b"]).unwrap();
    desk.put("Second?", &[]).unwrap();
    assert_eq!(desk.view().question.unwrap().text.as_str(), "First? (1: a; 2: b) [1 more to answer]");
    assert_eq!(desk.answers(Answer::Text(" ".into())).unwrap_err().kind, RefusedKind::BadInput);
    desk.answers(Answer::Accept).unwrap();
    assert_eq!(desk.view().question.unwrap().text.as_str(), "Second?");
    desk.answers(Answer::Decline).unwrap();
    assert_eq!(
        (desk.state(1), desk.state(2)),
        (QuestionState::Answered("a".into()), QuestionState::Answered("no".into()))
    );
}

#[test]
fn silence_does_not_end_who_waits_for_an_answer() {
    for (mode, limit) in [(AgentMode::Headless, 41), (AgentMode::Interactive, 21)] {
        let mut desk = Desk::new(mode);
        desk.put("Well?", &[]).unwrap();
        desk.ticks(1_000);
        assert_eq!(desk.view().state, TaskState::Asking);
        desk.answers(Answer::Text("yes".into())).unwrap();
        let end = |effect: &Effect| matches!(effect.what, EffectKind::End { .. });
        desk.ticks(limit - 2);
        assert!(!desk.todo.iter().any(end), "silence counts from the answer on");
        desk.ticks(2);
        assert!(desk.todo.iter().any(end), "without a question it does: {:?}", desk.todo);
    }
}

#[test]
fn a_question_ends_with_its_attempt() {
    let mut desk = Desk::new(AgentMode::Headless);
    desk.put("Well?", &[]).unwrap();
    desk.event(Event::Exited { job: JobId(1), exit: Exit::Code(0), tail: String::new(), tests: None })
        .unwrap();
    assert_eq!(desk.state(1), QuestionState::Dropped);
    let head = Oid::new(&"b".repeat(40)).unwrap();
    let read = BranchRead {
        head: head.clone(),
        tree: head,
        commits: 1,
        diffstat: DiffStat::default(),
        deliverable: None,
        remarks: Vec::new(),
    };
    let effect = desk.take(|work| matches!(work, EffectKind::ReadBranch { .. }));
    desk.event(Event::EffectDone { effect: effect.id, outcome: EffectOutcome::BranchRead(read) }).unwrap();
    assert_eq!(desk.view().state, TaskState::Review);
    assert_eq!(desk.put("Well?", &[]).unwrap_err().kind, RefusedKind::NotNow);
    let stopped = Desk::new(AgentMode::Headless);
    let mut desk = stopped;
    desk.put("Well?", &[]).unwrap();
    desk.command(Command::Stop(T1)).unwrap();
    assert_eq!(desk.state(1), QuestionState::Dropped);
}

#[test]
fn what_agents_ask_and_report_is_bounded() {
    let mut desk = Desk::new(AgentMode::Headless);
    let long = "x".repeat(TEXT_MAX + 1);
    let hidden = "\u{200b}".repeat(1_000);
    let many = ["x"; OPTIONS_MAX + 1];
    for (text, options) in [(" ", &[][..]), (&long, &[]), (&hidden, &[]), ("a", &["", "b"]), ("a", &many)] {
        assert_eq!(desk.put(text, options).unwrap_err().kind, RefusedKind::BadInput, "{text:.9}");
    }
    for n in 0..OPEN_MAX {
        desk.put(&format!("{n}?"), &[]).unwrap();
    }
    assert_eq!(desk.put("one more?", &[]).unwrap_err().kind, RefusedKind::NotNow);
    let done = |desk: &mut Desk, summary: &str| {
        desk.command(Command::Question(QuestionCommand::Done { attempt: A1, summary: summary.into() }))
    };
    assert_eq!(done(&mut desk, &long).unwrap_err().kind, RefusedKind::BadInput);
    assert_eq!(done(&mut desk, "all of it").unwrap().len(), 1);
    assert!(done(&mut desk, "all of it").unwrap().is_empty(), "said twice, kept once");
    let nobody = AttemptId { task: TaskId(9), no: 1 };
    let by_nobody = QuestionCommand::Done { attempt: nobody, summary: "x".into() };
    assert_eq!(desk.command(Command::Question(by_nobody)).unwrap_err().kind, RefusedKind::NotFound);
    desk.command(Command::Stop(T1)).unwrap();
    desk.event(Event::Exited { job: JobId(1), exit: Exit::Signal(1), tail: String::new(), tests: None })
        .unwrap();
    desk.command(Command::Forget(T1)).unwrap();
    assert!(desk.engine.question_no(1).is_none(), "forgotten with its task");
}

#[test]
fn an_agent_adds_few_tasks_in_its_own_repo() {
    let mut desk = Desk::new(AgentMode::Headless);
    let added = |n: usize, by: u64| Launch {
        by: Some(AttemptId { task: TaskId(by), no: 1 }),
        ..launch(&format!("more-{n}"), AgentMode::Headless)
    };
    let elsewhere = Launch { repo: PathBuf::from("/other"), ..added(0, 1) };
    assert_eq!(desk.works(elsewhere).unwrap_err().kind, RefusedKind::BadInput);
    for n in 0..ADDED_MAX {
        desk.works(added(n, 1)).unwrap();
    }
    assert_eq!(desk.works(added(99, 1)).unwrap_err().kind, RefusedKind::NotNow);
    // t2 was added by t1, t22 by t2; what t22 would add is too far away.
    desk.works(added(30, 2)).unwrap();
    let refused = desk.works(added(31, 22)).unwrap_err();
    assert!(refused.what.contains("was added by an agent"), "{refused}");
}
