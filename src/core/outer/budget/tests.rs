//! What budgets decide, as facts of steps.

use crate::core::engine::Engine;
use crate::core::model::agent::{AgentMode, AgentTraits, Exit, Observation, Usage};
use crate::core::model::attempt::AttemptResult;
use crate::core::model::branch::{BranchRead, WorktreeReady};
use crate::core::model::budget::{Allowance, Budget, BudgetCommand, Over, Scope, Unknown};
use crate::core::model::diff::DiffStat;
use crate::core::model::effect::{Effect, EffectKind};
use crate::core::model::event::{Command, EffectOutcome, Event};
use crate::core::model::fact::Entry;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::refused::Refused;
use crate::core::model::task::{Launch, TaskState};
use crate::core::outer::budget::{join_batch, open_batch};
use crate::core::rules::step::Step;
use crate::core::rules::usage::spent;
use crate::core::views::board::TaskView;
use crate::values::ids::{JobId, Oid, TaskId, TaskName};
use crate::values::time::{Span, Time};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

const MIDNIGHT: u64 = 30 * 86_400_000;

/// A repo with four places, and a clock that the test sets.
struct Desk {
    engine: Engine,
    now: Time,
    entries: Vec<Entry>,
    todo: Vec<Effect>,
    notices: Vec<String>,
}

fn dollars(n: u64) -> Allowance {
    Allowance { cost_microusd: Some(n * 1_000_000), ..Allowance::default() }
}

fn minutes(n: u64) -> Allowance {
    Allowance { time: Some(Span::mins(n)), ..Allowance::default() }
}

impl Desk {
    fn new() -> Self {
        let now = Time(MIDNIGHT + 3_600_000);
        Self { engine: Engine::new(), now, entries: Vec::new(), todo: Vec::new(), notices: Vec::new() }
    }

    fn step(&mut self, event: Event) -> Result<Vec<TaskId>, Refused> {
        let step = self.engine.step(self.now, event)?;
        for fact in &step.facts {
            let seq = self.entries.len() as u64 + 1;
            self.entries.push(Entry { seq, at: self.now, by: "t".into(), fact: fact.clone() });
        }
        self.todo.extend(step.effects.iter().cloned());
        self.notices.extend(step.notices.iter().map(|notice| notice.text.to_string()));
        assert_eq!(Engine::replay(self.entries.iter().cloned()).state(), self.engine.state());
        Ok(step.launched)
    }

    fn command(&mut self, command: Command) -> Result<Vec<TaskId>, Refused> {
        self.step(Event::Command { by: "t".into(), command })
    }

    fn launch(&mut self, name: &str, budget: Budget) -> TaskId {
        let launch = Launch {
            repo: PathBuf::from("/repo"),
            target: "main".into(),
            parallel: 4,
            name: TaskName::new(name).unwrap(),
            prompt: "do it".into(),
            agent: AgentTraits {
                profile: "a".into(),
                mode: AgentMode::Headless,
                idle_done: None,
                resumable: false,
                speaks: None,
            },
            limits: Limits { attempts: 3, time: None, silence: None },
            lid: LidRule::On,
            after: Vec::new(),
            by: None,
            assignment: Default::default(),
            budget,
        };
        let step = self.command(Command::Launch(Box::new(launch))).unwrap();
        self.work();
        step[0]
    }

    /// The world does all that it is asked for.
    fn work(&mut self) {
        while !self.todo.is_empty() {
            let effect = self.todo.remove(0);
            let oid = |n: u64| Oid::new(&format!("{n:040x}")).unwrap();
            let outcome = match &effect.what {
                EffectKind::PrepareWorktree { attempt, .. } => EffectOutcome::WorktreeReady(WorktreeReady {
                    path: format!("/w/{attempt}").into(),
                    base: oid(1),
                    setup: Vec::new(),
                    gates: Vec::new(),
                }),
                EffectKind::StartJob(_) => EffectOutcome::JobStarted,
                EffectKind::ReadBranch { .. } => EffectOutcome::BranchRead(BranchRead {
                    head: oid(2),
                    tree: oid(3),
                    commits: 1,
                    diffstat: DiffStat::default(),
                    deliverable: Default::default(),
                    remarks: Vec::new(),
                }),
                _ => EffectOutcome::Done,
            };
            self.step(Event::EffectDone { effect: effect.id, outcome }).unwrap();
        }
    }

    fn agent(&self, task: TaskId) -> JobId {
        self.view(task).attempt().and_then(|attempt| attempt.job).unwrap()
    }

    fn uses(&mut self, task: TaskId, cents: u64) {
        let usage = Usage { cost_microusd: Some(cents * 10_000), ..Usage::default() };
        self.tells(task, usage);
    }

    fn tells(&mut self, task: TaskId, usage: Usage) {
        let job = self.agent(task);
        self.step(Event::Observed { job, what: Observation::Usage(usage), read: 0 }).unwrap();
        self.work();
    }

    fn exits(&mut self, task: TaskId, code: i32) {
        let job = self.agent(task);
        let exit = Exit::Code(code);
        self.step(Event::Exited { job, exit, tail: String::new(), tests: None }).unwrap();
        self.work();
    }

    fn passes(&mut self, span: Span) {
        self.now = self.now.after(span);
        self.step(Event::Tick).unwrap();
        self.work();
    }

    fn view(&self, task: TaskId) -> TaskView {
        self.engine.task_view(task, self.now, &HashMap::new()).unwrap()
    }

    fn raise(&mut self, scope: Scope, by: Allowance) -> Result<(), Refused> {
        self.command(Command::Budget(BudgetCommand::Raise { scope, by }))?;
        self.work();
        Ok(())
    }

    fn decided(&self, kind: &str) -> usize {
        self.entries.iter().filter(|entry| entry.fact.kind() == kind).count()
    }
}

#[test]
fn above_the_share_of_the_day_nothing_new_starts_until_it_is_raised_or_over() {
    let day = Budget { day: dollars(20), ..Budget::default() };
    let mut desk = Desk::new();
    let first = desk.launch("first", day);
    desk.uses(first, 1_799);
    let second = desk.launch("second", day);
    assert_eq!(desk.view(second).state, TaskState::Working, "89 % are not 90");
    desk.uses(first, 1_840);
    let third = desk.launch("third", day);
    let held = desk.view(third);
    assert_eq!(held.state, TaskState::Queued);
    assert!(held.why.as_str().starts_with("92 % of today's budget of $20.00 is used: "), "{}", held.why);
    assert!(!held.needs_you, "the next day helps by itself");
    assert_eq!(desk.view(first).state, TaskState::Working, "what runs goes on");
    assert!(desk.notices.iter().any(|text| text.starts_with("92 % of today's budget")), "{:?}", desk.notices);

    desk.raise(Scope::Day("/repo".into()), dollars(10)).unwrap();
    assert_eq!(desk.view(third).state, TaskState::Working);

    let fourth = desk.launch("fourth", day);
    desk.uses(first, 2_900);
    desk.exits(fourth, 1);
    assert_eq!(desk.view(fourth).state, TaskState::Queued, "nor does a second attempt");
    let midnight = desk.engine.deadline().unwrap();
    assert_eq!(midnight, Time(MIDNIGHT + 86_400_000));
    desk.now = midnight;
    desk.step(Event::Tick).unwrap();
    desk.work();
    assert_eq!(desk.view(fourth).state, TaskState::Working, "{:?}", desk.view(fourth).why);
    let today = desk.engine.budgets(desk.now).scopes[0].clone();
    assert_eq!((today.used.cost_microusd, today.allowed), (0, dollars(20)), "the raise was for that day");
}

#[test]
fn a_day_begins_at_local_midnight() {
    let day = Budget { day: dollars(1), zone_minutes: 120, ..Budget::default() };
    let mut desk = Desk::new();
    desk.launch("a", day);
    assert_eq!(desk.engine.deadline(), Some(Time(MIDNIGHT + 22 * 3_600_000)));
    let west = Budget { zone_minutes: -300, ..day };
    desk.launch("b", west);
    assert_eq!(
        desk.engine.deadline(),
        Some(Time(MIDNIGHT + 5 * 3_600_000)),
        "it is still the day before there"
    );
}

#[test]
fn a_used_up_budget_pauses_and_a_raise_lets_it_go_on() {
    let mut desk = Desk::new();
    let task = desk.launch("a", Budget { task: dollars(2), ..Budget::default() });
    desk.uses(task, 199);
    assert!(!desk.view(task).paused);
    desk.uses(task, 200);
    let view = desk.view(task);
    assert!(view.paused && view.needs_you);
    let says =
        "100 % of its budget of $2.00 is used: paused; nopeek budget raise a; nopeek resume a lets it finish";
    assert!(view.why.as_str().starts_with(says), "{}", view.why);
    let wrong = desk.raise(Scope::Task(task), minutes(5)).unwrap_err();
    assert_eq!(wrong.to_string(), "its budget does not limit time");
    desk.raise(Scope::Task(task), dollars(1)).unwrap();
    assert!(!desk.view(task).paused);
    desk.uses(task, 299);
    assert!(!desk.view(task).paused);
    desk.uses(task, 300);
    assert!(desk.view(task).paused);
}

#[test]
fn who_resumes_lets_the_attempt_finish() {
    let mut desk = Desk::new();
    let task = desk.launch("a", Budget { attempt: dollars(1), ..Budget::default() });
    desk.uses(task, 150);
    assert!(desk.view(task).paused);
    desk.command(Command::Resume(task)).unwrap();
    desk.work();
    desk.uses(task, 300);
    assert!(!desk.view(task).paused);
    desk.exits(task, 1);
    desk.uses(task, 100);
    assert!(desk.view(task).paused, "the next attempt has a budget of its own again");
    desk.command(Command::Stop(task)).unwrap();
    assert_eq!(desk.view(task).state, TaskState::Stopped);
}

#[test]
fn a_used_up_budget_ends_the_attempt_if_config_says_so() {
    let mut desk = Desk::new();
    let budget = Budget { attempt: dollars(1), task: dollars(2), over: Over::End, ..Budget::default() };
    let task = desk.launch("a", budget);
    desk.uses(task, 110);
    assert_eq!(desk.decided("job_ending"), 1);
    desk.uses(task, 115);
    desk.exits(task, 0);
    let view = desk.view(task);
    assert_eq!(view.attempts[0].result, Some(AttemptResult::OverBudget));
    assert_eq!(view.attempts[0].vitals.usage.cost_microusd, Some(1_150_000), "its last word counts");
    assert_eq!((view.attempts.len(), view.state), (2, TaskState::Working), "57 % of the task's");
    desk.uses(task, 90);
    desk.exits(task, 1);
    let view = desk.view(task);
    assert_eq!(
        (view.attempts.len(), view.state, view.needs_you),
        (2, TaskState::Queued, true),
        "{}",
        view.why
    );
    assert!(
        view.why.as_str().contains("of its budget of $2.00 is used: nopeek budget raise a"),
        "{}",
        view.why
    );
    desk.raise(Scope::Task(task), dollars(10)).unwrap();
    assert_eq!(desk.view(task).attempts.len(), 3);
}

#[test]
fn time_is_counted_without_pauses_and_told_ahead() {
    let mut desk = Desk::new();
    let budget = Budget { task: minutes(10), day: minutes(15), ..Budget::default() };
    let a = desk.launch("a", budget);
    let b = desk.launch("b", budget);
    assert_eq!(
        desk.engine.deadline(),
        Some(desk.now.after(Span::secs(450))),
        "two use up a day of 15 minutes in 7:30"
    );
    desk.command(Command::Pause(b)).unwrap();
    desk.work();
    assert_eq!(
        desk.engine.deadline(),
        Some(desk.now.after(Span::mins(10))),
        "alone it comes to its own end first"
    );
    desk.passes(Span::mins(9));
    assert_eq!(desk.view(a).budget_percent, Some(90));
    desk.passes(Span::mins(1));
    assert!(desk.view(a).paused);
    desk.passes(Span::mins(60));
    assert_eq!(desk.view(a).spent.time, Span::mins(10));
    assert_eq!(desk.view(b).spent.time, Span(0));
}

#[test]
fn unknown_use_is_unknown_and_holds_only_if_config_says_so() {
    for (unknown, state) in [(Unknown::Allow, TaskState::Working), (Unknown::Hold, TaskState::Queued)] {
        let mut desk = Desk::new();
        let budget = Budget { day: dollars(5), unknown, ..Budget::default() };
        let first = desk.launch("first", budget);
        assert_eq!(desk.view(first).spent.cost_awaited, 1);
        desk.exits(first, 0);
        let spent = desk.view(first).spent;
        assert_eq!((spent.cost_unknown, spent.cost_awaited, spent.tokens_unknown), (1, 0, 1));
        let second = desk.launch("second", budget);
        assert_eq!(desk.view(second).state, state, "{unknown:?}");
        if unknown == Unknown::Hold {
            assert!(
                desk.view(second).why.as_str().starts_with("1 attempt of unknown use in today's budget: ")
            );
            desk.raise(Scope::Day("/repo".into()), dollars(1)).unwrap();
            assert_eq!(desk.view(second).state, TaskState::Working);
        }
    }
}

#[test]
fn what_a_forgotten_task_used_stays_used() {
    let mut desk = Desk::new();
    let budget = Budget { day: dollars(10), ..Budget::default() };
    let first = desk.launch("first", budget);
    desk.uses(first, 950);
    desk.command(Command::Stop(first)).unwrap();
    desk.work();
    desk.exits(first, 0);
    desk.command(Command::Forget(first)).unwrap();
    desk.work();
    let second = desk.launch("second", budget);
    assert_eq!(desk.view(second).state, TaskState::Queued);
}

#[test]
fn a_set_of_tasks_has_a_budget_of_its_own() {
    let mut desk = Desk::new();
    let budget = Budget { batch: dollars(4), ..Budget::default() };
    let (a, b) = (desk.launch("a", budget), desk.launch("b", budget));
    let mut state = desk.engine.state().clone();
    let (mut quiet, mut recent) = (BTreeMap::new(), crate::core::rules::notice::RecentNotices::default());
    let now = desk.now;
    let facts = {
        let mut step = Step {
            now,
            state: &mut state,
            quiet: &mut quiet,
            facts: Vec::new(),
            notices: Vec::new(),
            recent: &mut recent,
        };
        open_batch(&mut step, "night", std::path::Path::new("/repo"));
        join_batch(&mut step, "night", a);
        join_batch(&mut step, "night", b);
        step.facts
    };
    for fact in facts {
        desk.entries.push(Entry { seq: desk.entries.len() as u64 + 1, at: now, by: "t".into(), fact });
    }
    desk.engine = Engine::replay(desk.entries.iter().cloned());
    desk.uses(a, 250);
    assert!(!desk.view(a).paused);
    desk.uses(b, 160);
    assert!(desk.view(a).paused && desk.view(b).paused);
    assert!(desk.view(a).why.as_str().starts_with("102 % of batch night's budget of $4.00 is used"));
    let total = spent(desk.engine.state(), [a, b].into_iter(), desk.now);
    assert_eq!(total.cost_microusd, 4_100_000);
    desk.raise(Scope::Batch("night".into()), dollars(2)).unwrap();
    assert!(!desk.view(a).paused && !desk.view(b).paused);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut desk = Desk::new();
    let task = desk.launch("a", Budget::default());
    for (scope, by, says) in [
        (Scope::Task(task), dollars(1), "its budget has no limit"),
        (Scope::Day("/repo".into()), dollars(1), "today's budget has no limit"),
        (Scope::Task(task), Allowance::default(), "raised by nothing"),
        (Scope::Task(task), dollars(0), "raised by nothing"),
        (Scope::Task(TaskId(9)), dollars(1), "there is no task t9"),
    ] {
        let refused = desk.raise(scope.clone(), by).unwrap_err().to_string();
        assert!(refused.starts_with(says), "{scope:?}: {refused}");
    }
    let zero = Budget { task: dollars(0), ..Budget::default() };
    let set = BudgetCommand::Set { repo: "/repo".into(), budget: Box::new(zero) };
    assert!(desk.command(Command::Budget(set)).is_err());
    let share = Budget { start_share: 0, ..Budget::default() };
    let set = BudgetCommand::Set { repo: "/repo".into(), budget: Box::new(share) };
    assert!(desk.command(Command::Budget(set)).is_err());
    assert_eq!(desk.decided("budget_set"), 0);
}

#[test]
fn totals_never_shrink_and_an_agents_own_word_goes_before_prices() {
    let priced = |cost| Usage { cost_microusd: Some(cost), by_prices: true, ..Usage::default() };
    let recent = |cost| Usage { cost_microusd: Some(cost), by_prices: false, ..Usage::default() };
    assert_eq!(priced(5).and_then(recent(3)), recent(3));
    assert_eq!(recent(3).and_then(priced(5)), recent(3));
    assert_eq!(priced(5).and_then(priced(4)), priced(5));
    assert_eq!(recent(5).and_then(Usage::default()), recent(5));
    assert_eq!(recent(5).and_then(recent(6)), recent(6));
}

#[test]
fn an_old_launch_has_no_budget() {
    let mut launch = serde_json::to_value(Budget::default()).unwrap();
    launch.as_object_mut().unwrap().clear();
    assert_eq!(serde_json::from_value::<Budget>(launch).unwrap(), Budget::default());
    let old: Usage = serde_json::from_str(r#"{"tokens_in":1,"tokens_out":2,"cost_microusd":null}"#).unwrap();
    assert_eq!((old.tokens(), old.tokens_cached), (Some(3), None));
}
