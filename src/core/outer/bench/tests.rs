//! Ranking, likeness and weaknesses from made-up outcomes.

use crate::core::model::agent::{AgentMode, AgentTraits};
use crate::core::model::bench::outcome::{GateOutcome, RunEnd, RunOutcome};
use crate::core::model::bench::sketch::{Sketch, mean};
use crate::core::model::bench::{Bench, BenchOrder, Entrant, RUNS_MAX, Run};
use crate::core::model::budget::Budget;
use crate::core::model::diff::{Diff, DiffKind, DiffLine, DiffStat, FileDiff, FileStatus, Hunk};
use crate::core::model::finding::{Finding, Findings, Severity};
use crate::core::model::gate::Verdict;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::state::State;
use crate::core::outer::bench::rank::{Spread, between, first_words, scores};
use crate::core::outer::bench::run_name;
use crate::core::outer::bench::weakness::{Trip, weaknesses};
use crate::core::views::bench as view;
use crate::values::ids::{BenchId, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn entrant(name: &str) -> Entrant {
    let agent = AgentTraits {
        profile: name.to_owned(),
        mode: AgentMode::Headless,
        idle_done: None,
        resumable: false,
        speaks: None,
    };
    Entrant { agent, lid: LidRule::On }
}

fn outcome(end: RunEnd, found: &[(Severity, &str)], secs: u64) -> RunOutcome {
    let finding = |(severity, area): &(Severity, &str)| Finding {
        id: String::new(),
        severity: *severity,
        area: (*area).into(),
        place: Shown::default(),
        what: "it".into(),
        fix: Shown::default(),
    };
    let green = end == RunEnd::Green;
    let verdict = match end {
        RunEnd::Green => Some(Verdict::Passed),
        RunEnd::Red => Some(Verdict::Failed),
        RunEnd::NoWork
        | RunEnd::Failed
        | RunEnd::Time
        | RunEnd::Silence
        | RunEnd::Budget
        | RunEnd::Stopped => None,
    };
    let gate = |verdict| GateOutcome { name: "unit".to_owned(), required: true, verdict, took: None };
    RunOutcome {
        end,
        gates: verdict.map(gate).into_iter().collect(),
        looked: true,
        findings: green
            .then(|| Findings { implemented: Some(true), list: found.iter().map(finding).collect() }),
        attempts: 1,
        time: Span::secs(secs),
        tokens: None,
        cost: None,
        commits: u32::from(end != RunEnd::NoWork),
        diff: DiffStat { files: 1, added: 10, removed: 2 },
    }
}

/// A bench of which these runs are over, each agent's in its order.
fn bench(all: &[(&str, Vec<RunOutcome>)]) -> Bench {
    let order = BenchOrder {
        repo: "/repo".into(),
        target: "main".into(),
        parallel: 2,
        name: TaskName::new("tea").unwrap(),
        file: "tea.md".into(),
        prompt: "do it".into(),
        entrants: all.iter().map(|(name, _)| entrant(name)).collect(),
        runs: 3,
        verify: None,
        limits: Limits::default(),
        touches: Vec::new(),
        checks: Vec::new(),
        values: BTreeMap::new(),
        templates: BTreeMap::new(),
        budget: Budget::default(),
    };
    let mut runs = Vec::new();
    for (entrant, (name, outcomes)) in all.iter().enumerate() {
        for (n, outcome) in outcomes.iter().enumerate() {
            let no = u32::try_from(n).unwrap() + 1;
            let id = TaskId(runs.len() as u64 + 1);
            let lines = Sketch::from_hashes([1, 2, u32::try_from(entrant).unwrap() + 10]);
            runs.push(Run {
                entrant,
                no,
                task: Some((id, run_name(&order.name, name, no))),
                done: Some((outcome.clone(), lines)),
            });
        }
    }
    Bench { id: BenchId(1), order, runs, stopped: false, over: None, picked: None, created: Time(0) }
}

fn ranks(bench: &Bench) -> Vec<(String, u32)> {
    scores(bench).into_iter().map(|score| (score.agent, score.rank)).collect()
}

fn ranked(all: &[(&str, u32)]) -> Vec<(String, u32)> {
    all.iter().map(|(name, rank)| ((*name).to_owned(), *rank)).collect()
}

const GREEN: RunEnd = RunEnd::Green;

#[test]
fn clean_goes_before_green_goes_before_fast() {
    let high = [(Severity::High, "tests")];
    let of = bench(&[
        ("quick", vec![outcome(GREEN, &high, 1), outcome(GREEN, &high, 1)]),
        ("slow", vec![outcome(GREEN, &[], 90), outcome(GREEN, &[(Severity::Low, "style")], 80)]),
        ("red", vec![outcome(RunEnd::Red, &[], 1), outcome(RunEnd::NoWork, &[], 1)]),
    ]);
    assert_eq!(ranks(&of), ranked(&[("slow", 1), ("quick", 2), ("red", 3)]));
    assert_eq!(first_words(&of), "slow is first, 2 of 2 green and clean");
}

#[test]
fn shares_count_and_not_numbers() {
    let of = bench(&[
        ("often", vec![outcome(GREEN, &[], 1), outcome(GREEN, &[], 1), outcome(RunEnd::Red, &[], 1)]),
        ("once", vec![outcome(GREEN, &[], 50)]),
        ("never", vec![]),
    ]);
    assert_eq!(ranks(&of), ranked(&[("once", 1), ("often", 2), ("never", 3)]));
}

#[test]
fn cost_counts_only_where_it_is_known_of_all_and_then_before_time() {
    let priced = |cost: Option<u64>, secs| RunOutcome { cost, ..outcome(GREEN, &[], secs) };
    let known = bench(&[("dear", vec![priced(Some(900), 1)]), ("cheap", vec![priced(Some(100), 9)])]);
    assert_eq!(ranks(&known), ranked(&[("cheap", 1), ("dear", 2)]));
    let unknown = bench(&[("dear", vec![priced(None, 1)]), ("cheap", vec![priced(Some(100), 9)])]);
    assert_eq!(ranks(&unknown), ranked(&[("dear", 1), ("cheap", 2)]), "by time");
    assert_eq!(scores(&unknown)[0].cost, None, "unknown is not zero");
}

#[test]
fn what_is_equal_is_tied() {
    let of = bench(&[
        ("one", vec![outcome(GREEN, &[], 7)]),
        ("last", vec![outcome(RunEnd::Red, &[], 1)]),
        ("two", vec![RunOutcome { time: Span(7_400), ..outcome(GREEN, &[], 7) }]),
    ]);
    assert_eq!(ranks(&of), ranked(&[("one", 1), ("two", 1), ("last", 3)]), "seconds are whole");
    assert!(scores(&of)[0].tied && !scores(&of)[2].tied);
    assert_eq!(first_words(&of), "one and two are first, 1 of 1 green and clean each");
}

#[test]
fn green_that_could_not_be_verified_is_not_clean() {
    let blind = RunOutcome { findings: None, ..outcome(GREEN, &[], 1) };
    assert!(!blind.is_clean() && blind.is_green());
    assert_eq!(blind.words(), "green, not verified");
    let nobody = RunOutcome { looked: false, ..blind };
    assert!(nobody.is_clean(), "nobody was to look");
    assert_eq!(nobody.words(), "green");
}

#[test]
fn a_weakness_is_what_the_best_never_did() {
    let (high, low) = ([(Severity::High, "Edge cases")], [(Severity::Low, "naming")]);
    let skipped = GateOutcome { name: "smoke".into(), required: true, verdict: Verdict::Skipped, took: None };
    let mut red = outcome(RunEnd::Red, &[], 1);
    red.gates.push(skipped);
    let of = bench(&[
        ("strong", vec![outcome(GREEN, &low, 1), outcome(GREEN, &[], 1)]),
        ("weak", vec![red.clone(), outcome(RunEnd::NoWork, &[], 1), red]),
        ("middling", vec![outcome(GREEN, &high, 1), outcome(GREEN, &low, 1), outcome(RunEnd::Red, &[], 1)]),
    ]);
    let found = weaknesses(&of, &scores(&of));
    let trips: Vec<&Trip> = found.iter().map(|weakness| &weakness.trip).collect();
    assert_eq!(
        trips,
        [&Trip::Gate("unit".into()), &Trip::Finding("edge cases".into()), &Trip::End(RunEnd::NoWork)],
        "naming is no weakness: the best was told of it too; smoke was only skipped"
    );
    let who: Vec<(&str, u32, u32)> =
        found[0].agents.iter().map(|agent| (agent.agent.as_str(), agent.times, agent.of)).collect();
    assert_eq!(who, [("weak", 2, 3), ("middling", 1, 3)]);
    assert_eq!(found[0].agents[0].look, ["tea-weak-1", "tea-weak-3"]);
    assert!(found.iter().all(|weakness| !weakness.gap.is_empty()));
}

#[test]
fn the_middle_of_two_is_their_mean() {
    assert_eq!(Spread::of([]), None);
    assert_eq!(Spread::of([4, 1]), Some(Spread { min: 1, median: 2, max: 4 }));
    assert_eq!(Spread::of([9, 1, 5]), Some(Spread { min: 1, median: 5, max: 9 }));
    assert_eq!(Spread::of([u64::MAX, u64::MAX]).unwrap().median, u64::MAX);
}

#[test]
fn alike_is_the_share_of_changed_lines() {
    let diff = |path: &str, lines: &[(DiffKind, &str)]| {
        let line = |(kind, text): &(DiffKind, &str)| DiffLine { kind: *kind, text: (*text).into() };
        let hunk = Hunk {
            old_start: 1,
            new_start: 1,
            section: Shown::default(),
            lines: lines.iter().map(line).collect(),
        };
        let file = FileDiff {
            path: path.into(),
            old_path: None,
            status: FileStatus::Modified,
            added: 0,
            removed: 0,
            binary: false,
            cut: false,
            hunks: vec![hunk],
        };
        Sketch::of(&Diff { files: vec![file], ..Diff::default() })
    };
    let (new, gone, same) = (DiffKind::Added, DiffKind::Removed, DiffKind::Context);
    let one = diff("a.rs", &[(new, "  x"), (new, "y"), (same, "z"), (new, "")]);
    assert_eq!(one.alike(&diff("a.rs", &[(new, "y"), (new, "x")])), Some(1_000), "indentation, order");
    assert_eq!(one.alike(&diff("a.rs", &[(new, "x"), (gone, "y")])), Some(333));
    assert_eq!(one.alike(&diff("b.rs", &[(new, "x"), (new, "y")])), Some(0), "another file");
    assert_eq!(one.alike(&diff("a.rs", &[(same, "x")])), None, "nothing was changed");
    assert_eq!(mean([(&one, &one), (&one, &Sketch::default())]), Some(1_000));
    let many = |from: u32| Sketch::from_hashes((from..from + 50_000).map(|n| n.wrapping_mul(2_654_435_761)));
    let about = many(0).alike(&many(25_000)).unwrap();
    assert!((260..=400).contains(&about), "a third of 75,000 lines, from 1,000: {about}");
}

#[test]
fn a_bench_of_many_words_fits_a_message() {
    let long = "x".repeat(Shown::MAX);
    let many: Vec<(Severity, String)> = (0..50).map(|n| (Severity::High, format!("{n} {long}"))).collect();
    let many: Vec<(Severity, &str)> =
        many.iter().map(|(severity, area)| (*severity, area.as_str())).collect();
    let mut one = outcome(GREEN, &many, 1);
    for finding in one.findings.iter_mut().flat_map(|findings| &mut findings.list) {
        finding.what = Shown::line(&long);
        finding.fix = Shown::line(&long);
    }
    let of = bench(&[("strong", vec![outcome(GREEN, &[], 1)]), ("weak", vec![one; RUNS_MAX - 1])]);
    let mut state = State::default();
    state.benches.all.insert(of.id, of);
    let view = view::view(&state, BenchId(1)).unwrap();
    assert_eq!(view.weaknesses[0].agents[0].times, 199);
    let found = view.runs[199].outcome.as_ref().unwrap().findings.as_ref().unwrap();
    assert_eq!((found.list.len(), found.list[0].severity), (50, Severity::High));
    let size = serde_json::to_vec(&view).unwrap().len();
    assert!(size < 8 * 1024 * 1024, "{size}");
}

#[test]
fn names_of_runs_fit_whatever_the_agent_is_called() {
    let stem = TaskName::new(&"x".repeat(40)).unwrap();
    let name = run_name(&stem, "Claude Opus (the large one, with tools)", 12);
    assert!(name.as_str().ends_with("-claude-opus-the-12"), "{name}");
    assert!(name.as_str().len() <= TaskName::MAX - 5);
    assert_eq!(run_name(&TaskName::new("tea").unwrap(), "weak", 1).as_str(), "tea-weak-1");
}

fn any_outcome() -> impl Strategy<Value = RunOutcome> {
    let end = prop_oneof![
        Just(RunEnd::Green),
        Just(RunEnd::Green),
        Just(RunEnd::Red),
        Just(RunEnd::NoWork),
        Just(RunEnd::Time),
        Just(RunEnd::Stopped),
    ];
    let severity = prop_oneof![Just(Severity::Low), Just(Severity::Medium), Just(Severity::High)];
    let area = prop_oneof![Just("tests"), Just("docs"), Just("caching")];
    (end, proptest::collection::vec((severity, area), 0..3), 0_u64..5, proptest::option::of(0_u64..4))
        .prop_map(|(end, found, secs, cost)| RunOutcome { cost, ..outcome(end, &found, secs) })
}

fn any_bench() -> impl Strategy<Value = Bench> {
    proptest::collection::vec(proptest::collection::vec(any_outcome(), 0..5), 1..5).prop_map(|all| {
        let names = ["a", "b", "c", "d"];
        let all: Vec<(&str, Vec<RunOutcome>)> = names.into_iter().zip(all).collect();
        bench(&all)
    })
}

proptest! {
    #[test]
    fn the_order_of_runs_changes_nothing(
        (of, shuffled) in any_bench().prop_flat_map(|of| {
            let runs = Just(of.runs.clone()).prop_shuffle();
            (Just(of), runs)
        })
    ) {
        let mut other = of.clone();
        other.runs = shuffled;
        prop_assert_eq!(scores(&of), scores(&other));
        prop_assert_eq!(between(&of), between(&other));
        prop_assert_eq!(weaknesses(&of, &scores(&of)), weaknesses(&other, &scores(&other)));
    }

    #[test]
    fn ranks_are_whole_and_a_weakness_is_never_of_the_best(of in any_bench()) {
        let scores = scores(&of);
        prop_assert_eq!(scores.len(), of.order.entrants.len());
        prop_assert_eq!(scores[0].rank, 1);
        for (n, score) in scores.iter().enumerate() {
            let tied = n > 0 && scores[n - 1].rank == score.rank;
            prop_assert!(tied || score.rank as usize == n + 1);
            prop_assert!(score.clean <= score.green && score.green <= score.measured);
        }
        for weakness in weaknesses(&of, &scores) {
            for agent in weakness.agents {
                let score = scores.iter().find(|score| score.agent == agent.agent).unwrap();
                prop_assert!(score.rank > 1 && agent.times <= agent.of && agent.times > 0);
            }
        }
    }

    #[test]
    fn alike_is_the_same_both_ways(
        one in proptest::collection::vec(0_u32..50, 0..40),
        other in proptest::collection::vec(0_u32..50, 0..40),
    ) {
        let (one, other) = (Sketch::from_hashes(one), Sketch::from_hashes(other));
        prop_assert_eq!(one.alike(&other), other.alike(&one));
        prop_assert!(one.alike(&other).is_none_or(|share| share <= 1_000));
        prop_assert_eq!(one.alike(&one).is_none(), one.is_empty());
    }
}
