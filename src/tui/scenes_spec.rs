//! Scenes of the outer loop: a board with specs and a vote, a spec whole, a task that other eyes have looked at.

use super::scenes::{board, task};
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::finding::{Answered, Finding, FindingAnswer, Findings, Severity};
use crate::core::model::panel::Poll;
use crate::core::model::panel::question::{Criterion, OptionScored, Panel, Score, TradeOff};
use crate::core::model::panel::vote::{Ballot, PollOutcome, Reason, Total, Vote};
use crate::core::model::plan::{Phase, Planned};
use crate::core::model::spec::Contract;
use crate::core::model::task::TaskState;
use crate::core::outer::plan;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::board::Board;
use crate::core::views::panel::PollLine;
use crate::core::views::spec::{ReviewPass, SpecLine, SpecView};
use crate::values::ids::{PanelId, SpecId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::path::PathBuf;

const REPO: &str = "/home/ada/kettle";

pub(super) fn line(id: u64, name: &str, stage: SpecStage, why: &str) -> SpecLine {
    SpecLine {
        id: SpecId(id),
        name: name.into(),
        repo: PathBuf::from(REPO),
        stage,
        why: why.into(),
        needs_you: matches!(stage, SpecStage::SpecReady | SpecStage::PlanReady | SpecStage::Stuck),
        draft: None,
        plan: None,
        tasks: [].into(),
        landed: 0,
        planned: 0,
        phase: (0, 0),
        created: Time(0),
    }
}

/// The board of the scenes, with specs: one waits for its plan's approval, one is built, one is over; and a vote.
pub(super) fn spec_board() -> Board {
    let mut board = board();
    let mut tea =
        line(1, "tea", SpecStage::PlanReady, "read the plan (nopeek spec show) and approve tea-plan");
    (tea.draft, tea.plan) = (Some(TaskId(10)), Some(TaskId(11)));
    let mut whistling =
        line(2, "whistling-at-the-right-degree", SpecStage::Building, "phase 2: whistle, thermostat");
    (whistling.landed, whistling.planned, whistling.phase) = (1, 3, (2, 2));
    whistling.tasks =
        [("whistle".into(), TaskId(2)), ("thermostat".into(), TaskId(6)), ("handle".into(), TaskId(9))]
            .into();
    let over = line(3, "poured", SpecStage::Done, "all of it is on main");
    let stuck = line(4, "descaling", SpecStage::Stuck, "descale was archived");
    board.specs = vec![tea, whistling, over, stuck];
    let mut plan = task(11, "tea-plan", TaskState::Review);
    plan.attempts[0].worktree = Some(PathBuf::from("/worktrees/11/1"));
    board.tasks.extend([task(10, "tea-spec", TaskState::Landed), plan]);
    looked_at(&mut board.tasks[1]);
    board.votes = vec![PollLine {
        id: PanelId(3),
        at: Time(1),
        repo: PathBuf::from(REPO),
        task: None,
        text: "Steel or glass?".into(),
        decided: None,
        outcome: "asks a human: a tie".into(),
    }];
    board
}

fn finding(id: &str, severity: Severity, area: &str, place: &str, what: &str) -> Finding {
    Finding {
        id: id.into(),
        severity,
        area: area.into(),
        place: place.into(),
        what: what.into(),
        fix: Shown::from(if severity == Severity::High { "Say what readers get." } else { "" }),
    }
}

/// Other eyes have looked at the newest attempt of a task.
fn looked_at(task: &mut crate::core::views::board::TaskView) {
    let mut look = task.attempts[1].clone();
    (look.no, look.part, look.agent) = (3, AttemptKind::SecondReview, "codex".into());
    (look.result, look.gates) = (Some(AttemptResult::Reviewed), Vec::new());
    let list = vec![
        finding(
            "R1.1",
            Severity::High,
            "edge cases",
            "src/kettle.rs:7",
            "At exactly 96 degrees nothing is said of the \u{202e}steam, and a kettle without water whistles too.",
        ),
        finding("R1.2", Severity::Low, "naming", "", "whistles could be called is_whistling."),
    ];
    look.findings = Some(Findings { implemented: Some(false), list });
    task.attempts.push(look);
}

fn planned(name: &str, touches: &[&str], after: &[&str]) -> Planned {
    Planned {
        name: TaskName::new(name).unwrap(),
        does: format!("Do what {name} says, and nothing beside it.\nIn small steps."),
        touches: touches.iter().map(|text| (*text).to_owned()).collect(),
        check: format!("make {name}"),
        after: after.iter().map(|name| TaskName::new(name).unwrap()).collect(),
        agent: (name == "pour").then(|| "codex".to_owned()),
        line: 3,
    }
}

/// A spec of the board, whole.
pub(super) fn spec_view(id: u64) -> SpecView {
    let line = spec_board().specs.into_iter().find(|spec| spec.id == SpecId(id)).unwrap();
    let words = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let contract = Contract {
        title: "Tea for everybody".into(),
        objectives: words(&[
            "The menu has milk and sugar.",
            "Each cup can be poured and washed, by hand and by machine, without a word being said.",
        ]),
        non_goals: words(&["Coffee."]),
        touchpoints: words(&["menu.txt", "cups/**"]),
        data: words(&["none"]),
        tests: words(&["make tea"]),
        risks: words(&["Somebody is \u{202e}burned."]),
        compatibility: words(&["The menu stays a text file."]),
        rollback: words(&["Revert the merges."]),
    };
    let list = vec![
        finding(
            "R1.1",
            Severity::High,
            "concurrency",
            "specs/tea.md, risks",
            "The menu is read while it is written.",
        ),
        finding("R1.2", Severity::Medium, "edge cases", "", "Orders at midnight have no date."),
    ];
    let answers = vec![
        Answered {
            id: "R1.1".into(),
            answer: FindingAnswer::Changed,
            why: "Readers get the old menu or the new one.".into(),
        },
        Answered {
            id: "R1.2".into(),
            answer: FindingAnswer::Accepted,
            why: "Nobody orders at midnight.".into(),
        },
    ];
    let looks =
        vec![ReviewPass { by: "codex".into(), findings: Findings { implemented: None, list }, answers }];
    let tasks: [Vec<Planned>; 2] = if id == 2 {
        [
            vec![planned("handle", &["src/handle.rs"], &[])],
            vec![
                planned("whistle", &["src/kettle.rs"], &[]),
                planned("thermostat", &["src/**"], &["whistle"]),
            ],
        ]
    } else {
        [
            vec![planned("milk", &["menu.txt"], &[]), planned("sugar", &["menu.txt"], &[])],
            vec![planned("pour", &["cups/pour.txt"], &[]), planned("wash", &["cups/wash.txt"], &["pour"])],
        ]
    };
    let phases: Vec<Phase> = tasks
        .into_iter()
        .zip(1..)
        .map(|(tasks, n)| Phase {
            file: format!("specs/tea/phase-{n}.md"),
            title: if n == 1 { "The menu".into() } else { "The cups".into() },
            soak: (n == 1).then_some(Span::secs(600)),
            notes: String::new(),
            tasks,
        })
        .collect();
    SpecView {
        goal: "Tea for everybody,\nhot and at any time.".into(),
        path: "specs/tea.md".into(),
        contract: Some(contract),
        agreed: true,
        looks,
        graph: plan::graph(&phases),
        phases: Some(phases),
        line,
    }
}

/// A vote that was a tie.
pub(super) fn poll() -> Poll {
    let option = |name: &str, about: &str| OptionScored {
        name: name.into(),
        about: about.into(),
        scores: [(Criterion::ALL[0], Score::new(5).unwrap())].into(),
    };
    let total = |name: &str| Total { option: name.into(), points: 5_000, voices: 0, weight: 0 };
    Poll {
        id: PanelId(3),
        at: Time(1),
        repo: PathBuf::from(REPO),
        task: None,
        question: TradeOff {
            text: "Steel or glass?".into(),
            options: vec![option("steel", "does not break"), option("glass", "shows the water")],
        },
        panel: Panel { personas: Vec::new(), confidence: 5 },
        vote: Vote {
            criteria: vec![Criterion::ALL[0]],
            ballots: Vec::<Ballot>::new(),
            totals: vec![total("glass"), total("steel")],
            margin: 0,
            outcome: PollOutcome::AskHuman(Reason::Tie(vec!["glass".into(), "steel".into()])),
        },
        decision: None,
    }
}
