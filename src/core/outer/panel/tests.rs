//! The vote by its properties, and what the rules make of it.

use crate::core::engine::{Decisions, Engine};
use crate::core::model::event::{Command, Event};
use crate::core::model::fact::Fact;
use crate::core::model::panel::question::Criterion::{self, Cost, Risk, Security, Speed, Value};
use crate::core::model::panel::question::{OptionScored, Panel, Persona, Score, TradeOff};
use crate::core::model::panel::vote::{PollOutcome, Ranked, Reason, Total};
use crate::core::model::panel::{POLLS_MAX, PanelCommand, PanelFact, Panels, WAITING_MAX};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::outer::panel::vote::vote;
use crate::core::rules::polls::{CITED_MAX, cited};
use crate::values::ids::{PanelId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use proptest::prelude::*;

fn option(name: &str, scores: &[(Criterion, i64)]) -> OptionScored {
    let scores = scores.iter().map(|(by, score)| (*by, Score::new(*score).unwrap())).collect();
    OptionScored { name: name.into(), about: Shown::default(), scores }
}

fn persona(name: &str, weight: u32, heuristics: &[(Criterion, u32)]) -> Persona {
    Persona { name: name.into(), weight, heuristics: heuristics.iter().copied().collect(), about: "x".into() }
}

fn panel(personas: &[Persona], confidence: u32) -> Panel {
    Panel { personas: personas.to_vec(), confidence }
}

fn question(options: &[OptionScored]) -> TradeOff {
    TradeOff { text: "Which store?".into(), options: options.to_vec() }
}

fn two() -> Panel {
    panel(&[persona("money", 3, &[(Value, 10), (Cost, 5)]), persona("guard", 1, &[(Risk, 10)])], 5)
}

#[test]
fn the_points_are_what_a_hand_reckons() {
    let a = option("a", &[(Value, 9), (Cost, 4), (Risk, 8)]);
    let b = option("b", &[(Value, 5), (Cost, 2), (Risk, 1)]);
    let vote = vote(&two(), &question(&[a, b]));
    // money: a = (9*10 + 6*5) / 150, b = (5*10 + 8*5) / 150; guard: a = 2/10, b = 9/10.
    let points: Vec<_> = vote.totals.iter().map(|total| (total.option.as_str(), total.points)).collect();
    assert_eq!(vote.ballots[1].ranking[0], Ranked { option: "a".into(), points: 8_000 });
    assert_eq!(vote.ballots[0].ranking[0], Ranked { option: "b".into(), points: 9_000 });
    assert_eq!(points, [("b", 6_750), ("a", 6_500)]);
    assert_eq!(vote.margin, 3);
    assert_eq!(vote.outcome, PollOutcome::AskHuman(Reason::LowConfidence { needed: 5 }));
    let sure = crate::core::outer::panel::vote(
        &panel(&two().personas, 3),
        &question(&[
            option("a", &[(Value, 9), (Cost, 4), (Risk, 8)]),
            option("b", &[(Value, 5), (Cost, 2), (Risk, 1)]),
        ]),
    );
    let split = Reason::Split { points: "b".into(), choices: "a".into() };
    assert_eq!(sure.outcome, PollOutcome::AskHuman(split), "three quarters of the weight choose a");
}

#[test]
fn a_clear_winner_is_decided_with_voices_and_margin() {
    let options = [option("a", &[(Value, 9), (Risk, 2)]), option("b", &[(Value, 4), (Risk, 6)])];
    let vote = vote(&two(), &question(&options));
    assert_eq!(vote.outcome, PollOutcome::Decided("a".into()));
    assert_eq!((vote.voices("a"), vote.voices("b")), (2, 0));
    assert_eq!(vote.margin, 54);
}

#[test]
fn each_fallback_asks_a_human() {
    let same = [option("a", &[(Value, 5)]), option("b", &[(Value, 5)])];
    let lacks = [option("a", &[(Value, 9), (Risk, 1)]), option("b", &[(Value, 2)])];
    let bare = [option("a", &[]), option("b", &[])];
    let strange = [option("a", &[(Security, 9)]), option("b", &[(Security, 1)])];
    let risky = [option("a", &[(Risk, 0)]), option("b", &[(Risk, 9)])];
    let cases: [(&[OptionScored], &str); 5] = [
        (&same, "a tie of a and b"),
        (&lacks, "missing scores: b has none for risk"),
        (&bare, "no option has a score"),
        (&strange, "too few votes"),
        (&risky, "too few votes"),
    ];
    for (options, says) in cases {
        let asks = vote(&two(), &question(options)).asks().unwrap();
        assert!(asks.starts_with(says), "{asks}");
    }
}

fn some_options() -> impl Strategy<Value = Vec<OptionScored>> {
    proptest::collection::vec(proptest::array::uniform5(0_i64..=10), 2..6).prop_map(|rows| {
        let by = [Value, Cost, Speed, Risk, Security];
        let scored = |row: &[i64; 5]| by.into_iter().zip(*row).collect::<Vec<_>>();
        rows.iter().enumerate().map(|(n, row)| option(&format!("o{n}"), &scored(row))).collect()
    })
}

fn some_panel() -> impl Strategy<Value = Panel> {
    let persona_ = (1_u32..=50, proptest::array::uniform5(0_u32..=10));
    (proptest::collection::vec(persona_, 1..7), 0_u32..=20).prop_map(|(rows, confidence)| {
        let by = [Value, Cost, Speed, Risk, Security];
        let one = |(n, (weight, row)): (usize, &(u32, [u32; 5]))| {
            persona(&format!("p{n}"), *weight, &by.into_iter().zip(*row).collect::<Vec<_>>())
        };
        Panel { personas: rows.iter().enumerate().map(one).collect(), confidence }
    })
}

proptest! {
    #[test]
    fn the_order_does_not_matter(panel in some_panel(), options in some_options(), turn in 0_usize..6) {
        let straight = vote(&panel, &question(&options));
        let (mut people, mut ways) = (panel.personas.clone(), options.clone());
        people.reverse();
        people.rotate_left(turn % panel.personas.len());
        ways.reverse();
        ways.rotate_left(turn % options.len());
        prop_assert_eq!(straight, vote(&Panel { personas: people, ..panel }, &question(&ways)));
    }

    #[test]
    fn scaling_weights_does_not_matter(panel in some_panel(), options in some_options(), by in 2_u32..9, of in 2_u32..9) {
        let before = vote(&panel, &question(&options));
        let mut scaled = panel;
        for persona in &mut scaled.personas {
            persona.weight *= by;
            persona.heuristics.values_mut().for_each(|weight| *weight *= of);
        }
        let after = vote(&scaled, &question(&options));
        prop_assert_eq!(before.outcome, after.outcome);
        prop_assert_eq!(before.margin, after.margin);
        let points = |totals: &[Total]| -> Vec<_> {
            totals.iter().map(|total| (total.option.clone(), total.points)).collect()
        };
        prop_assert_eq!(points(&before.totals), points(&after.totals));
    }

    #[test]
    fn two_alike_are_never_chosen_between(panel in some_panel(), options in some_options()) {
        let mut options = options;
        let twin = OptionScored { name: "twin".into(), ..options[0].clone() };
        options.push(twin);
        let vote = vote(&panel, &question(&options));
        prop_assert_ne!(&vote.outcome, &PollOutcome::Decided("twin".into()));
        prop_assert_ne!(&vote.outcome, &PollOutcome::Decided(options[0].name.clone()));
    }

    #[test]
    fn a_dominated_option_never_wins(panel in some_panel(), options in some_options()) {
        let vote = vote(&panel, &question(&options));
        let beaten = |one: &OptionScored| options.iter().any(|other| {
            other.name != one.name
                && one.scores.iter().all(|(by, score)| other.scores[by].merit(*by) >= score.merit(*by))
        });
        if let PollOutcome::Decided(winner) = &vote.outcome {
            let winner = options.iter().find(|option| option.name == *winner).unwrap();
            prop_assert!(!beaten(winner), "{} won", winner.name);
        }
    }
}

/// A rule's world: an engine whose ledger folds to the same state.
struct Desk {
    engine: Engine,
    ledger: Vec<crate::core::model::fact::Entry>,
}

impl Desk {
    fn new() -> Self {
        Self { engine: Engine::new(), ledger: Vec::new() }
    }

    fn command(&mut self, command: PanelCommand) -> Result<Decisions, Refused> {
        let event = Event::Command { by: "ann".into(), command: Command::Panel(command) };
        let step = self.engine.step(Time(7), event)?;
        for fact in &step.facts {
            let seq = self.ledger.len() as u64 + 1;
            let text = serde_json::to_string(fact).unwrap();
            let fact = serde_json::from_str(&text).unwrap();
            self.ledger.push(crate::core::model::fact::Entry { seq, at: Time(7), by: "ann".into(), fact });
        }
        assert_eq!(Engine::replay(self.ledger.iter().cloned()).state(), self.engine.state());
        Ok(step)
    }

    fn put(&mut self, options: &[OptionScored]) -> Result<Decisions, Refused> {
        let (question, panel) = (Box::new(question(options)), Box::new(two()));
        self.command(PanelCommand::Put { repo: "/repo".into(), task: None, question, panel })
    }

    fn settle(&mut self, id: u64, option: &str, why: &str) -> Result<Decisions, Refused> {
        self.command(PanelCommand::Settle { id: PanelId(id), option: option.into(), why: why.into() })
    }
}

#[test]
fn what_the_panel_leaves_open_a_human_decides_once() {
    let mut desk = Desk::new();
    let same = [option("a", &[(Value, 5)]), option("b", &[(Value, 5)])];
    let step = desk.put(&same).unwrap();
    assert_eq!(step.facts[0].kind(), "panel_voted");
    assert_eq!(step.facts[0].describe().as_str(), "panel p1: Which store? → asks a human: a tie of a and b");
    for (id, option, why, kind) in [
        (9, "a", "x", RefusedKind::NotFound),
        (1, "c", "x", RefusedKind::BadInput),
        (1, "a", " ", RefusedKind::BadInput),
    ] {
        assert_eq!(desk.settle(id, option, why).unwrap_err().kind, kind, "{option} {why}");
    }
    let step = desk.settle(1, "b", "we know it").unwrap();
    assert_eq!(step.facts[0].describe().as_str(), "panel p1 decided by a human: b: we know it");
    let poll = desk.engine.panels().get(PanelId(1)).unwrap();
    assert_eq!((poll.decided(), poll.outcome().as_str()), (Some("b"), "b (by a human: we know it)"));
    assert_eq!(desk.settle(1, "a", "no").unwrap_err().kind, RefusedKind::NotNow);
    let _ =
        desk.put(&[option("a", &[(Value, 9), (Risk, 2)]), option("b", &[(Value, 4), (Risk, 6)])]).unwrap();
    assert_eq!(desk.settle(2, "b", "no").unwrap_err().kind, RefusedKind::NotNow, "the panel decided it");
}

#[test]
fn a_question_that_makes_no_sense_is_refused_in_words() {
    let mut desk = Desk::new();
    let (a, b) = (option("a", &[(Value, 5)]), option("b", &[(Value, 5)]));
    let many: Vec<_> = (0..13).map(|n| option(&format!("o{n}"), &[])).collect();
    let cases: [(&[OptionScored], &str); 6] = [
        (&[], "there is nothing to choose between"),
        (std::slice::from_ref(&a), "there is nothing to choose between"),
        (&[a.clone(), option("A", &[])], "there are two options A"),
        (&[a.clone(), option("b\u{202e}", &[])], "\"b<U+202E>\" is no name of an option"),
        (&[a.clone(), option(&"x".repeat(41), &[])], "\"xxxx"),
        (&many, "13 options; 12 are allowed"),
    ];
    for (options, says) in cases {
        let refused = desk.put(options).unwrap_err();
        assert_eq!(refused.kind, RefusedKind::BadInput);
        assert!(refused.what.starts_with(says), "{}", refused.what);
    }
    for text in [" ", &"x".repeat(2_001)] {
        let question = Box::new(TradeOff { text: text.into(), options: vec![a.clone(), b.clone()] });
        let put = PanelCommand::Put { repo: "/repo".into(), task: None, question, panel: Box::new(two()) };
        assert_eq!(desk.command(put).unwrap_err().kind, RefusedKind::BadInput);
    }
    let silent = [persona("x", 1, &[(Value, 0)])];
    let heavy = [persona("x", 1_001, &[(Value, 1)])];
    let twice = [persona("x", 1, &[(Value, 1)]), persona("x", 2, &[(Value, 1)])];
    for (people, confidence) in [(&silent[..], 5), (&heavy, 5), (&twice, 5), (&[], 5), (&two().personas, 101)]
    {
        let (question, panel) =
            (Box::new(question(&[a.clone(), b.clone()])), Box::new(panel(people, confidence)));
        let put = PanelCommand::Put { repo: "/repo".into(), task: None, question, panel };
        assert_eq!(desk.command(put).unwrap_err().kind, RefusedKind::BadInput);
    }
    assert_eq!(desk.ledger.len(), 0);
    let put = PanelCommand::Put {
        repo: "/repo".into(),
        task: Some(TaskId(3)),
        question: Box::new(question(&[a, b])),
        panel: Box::new(two()),
    };
    assert_eq!(desk.command(put).unwrap_err().kind, RefusedKind::NotFound);
}

#[test]
fn a_merge_cites_what_was_decided_for_its_task_and_no_more_than_fits() {
    let mut state = State::default();
    let clear = [option("a", &[(Value, 9), (Risk, 2)]), option("b", &[(Value, 4), (Risk, 6)])];
    let open = [option("a", &[(Value, 5)]), option("b", &[(Value, 5)])];
    let mut voted = |task: u64, options: &[OptionScored], text: &str| {
        let question = Box::new(TradeOff { text: text.into(), ..question(options) });
        let (id, panel) = (state.panels.next(), Box::new(two()));
        let vote = Box::new(vote(&panel, &question));
        let task = Some(TaskId(task));
        let fact = PanelFact::Voted { id, repo: "/r".into(), task, question, panel, vote };
        state.apply(Time(1), &Fact::Panel(fact));
    };
    voted(1, &clear, "Which\nstore?");
    voted(2, &clear, "Another task's?");
    voted(1, &open, "Open?");
    for _ in 0..CITED_MAX + 2 {
        voted(3, &clear, &"long ".repeat(100));
    }
    assert_eq!(cited(&state, TaskId(1)), "\nPanel decisions:\np1 Which␊store? → a (margin 54 %, 2 of 2)\n");
    assert_eq!(cited(&state, TaskId(9)), "");
    let many = cited(&state, TaskId(3));
    assert_eq!(many.lines().count(), CITED_MAX + 3, "{many}");
    assert!(many.ends_with("and 2 more, in the ledger\n"), "{many}");
    assert!(many.lines().all(|line| line.chars().count() < 220), "{many}");
}

#[test]
fn what_waits_for_a_human_is_bounded_and_old_votes_leave() {
    let mut desk = Desk::new();
    let same = [option("a", &[(Value, 5)]), option("b", &[(Value, 5)])];
    for _ in 0..WAITING_MAX {
        let _ = desk.put(&same).unwrap();
    }
    assert_eq!(desk.put(&same).unwrap_err().kind, RefusedKind::NotNow);
    let mut panels = Panels::default();
    let clear = [option("a", &[(Value, 9), (Risk, 2)]), option("b", &[(Value, 4), (Risk, 6)])];
    for n in 1..=POLLS_MAX as u64 + 10 {
        let question = Box::new(question(if n == 1 { &same } else { &clear }));
        let panel = Box::new(two());
        let vote = Box::new(vote(&panel, &question));
        let id = PanelId(n);
        panels.apply(Time(1), &PanelFact::Voted { id, repo: "/r".into(), task: None, question, panel, vote });
    }
    assert_eq!(panels.all().count(), POLLS_MAX);
    assert!(panels.get(PanelId(1)).is_some(), "it still waits for a human");
    assert!(panels.get(PanelId(2)).is_none());
    assert_eq!(panels.next(), PanelId(POLLS_MAX as u64 + 11));
}
