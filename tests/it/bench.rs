//! The bench by the CLI: three profiles of different quality, ranked; what only the weak one tripped over; the best landed.

use crate::support::agent::script;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use serde_json::Value;

const CONFIG: &str = r#"
parallel = 3

[[gate]]
name = "unit"
command = "for t in tests/*_test.sh; do sh \"$t\" || exit 1; done"

[agents.strong]
command = ["{nopeek}", "scripted", "--script", "bench-strong", "{prompt}"]
mode = "headless"

[agents.middling]
command = ["{nopeek}", "scripted", "--script", "bench-middling", "{prompt}"]
mode = "headless"

[agents.weak]
command = ["{nopeek}", "scripted", "--script", "bench-weak", "{prompt}"]
mode = "headless"

[agents.checker]
command = ["{nopeek}", "scripted", "--script", "bench-verify", "{prompt}"]
mode = "headless"
"#;

const SPEC: &str = r#"+++
title = "How long a tea steeps"
objectives = ["steep TEA says the seconds: green 120, black 240", "an unknown tea is an error"]
non_goals = ["other teas"]
touchpoints = ["lib/**", "tests/**"]
data = ["none"]
tests = ["tests/steep_test.sh: each tea, and one that is none"]
risks = ["none"]
compatibility = ["nothing uses it yet"]
rollback = ["revert it"]
+++

Write `lib/steep.sh` with a function `steep TEA`.
"#;

/// What tripped whom, as `what: agent times/of`.
fn weaknesses(bench: &Value) -> Vec<String> {
    let words = |weakness: &Value| {
        let agents: Vec<String> = weakness["agents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|by| format!("{} {}/{}", by["agent"].as_str().unwrap(), by["times"], by["of"]))
            .collect();
        format!("{}: {}", weakness["what"].as_str().unwrap(), agents.join(", "))
    };
    bench["weaknesses"].as_array().unwrap().iter().map(words).collect()
}

fn run<'a>(bench: &'a Value, label: &str) -> &'a Value {
    bench["runs"].as_array().unwrap().iter().find(|run| run["label"] == label).unwrap()
}

#[test]
fn three_profiles_are_ranked_and_the_best_run_lands() {
    let world = World::with_config(CONFIG);
    world.write("specs/steep.md", SPEC);
    world.commit("A spec");
    let agents = ["--agents", "weak,strong,middling", "--runs", "3", "--verify", "checker"];
    let mut args = vec!["bench", "specs/steep.md"];
    args.extend(agents);
    let opened = world.json(&args);
    let labels: Vec<&str> =
        opened["runs"].as_array().unwrap().iter().map(|run| run["label"].as_str().unwrap()).collect();
    assert_eq!(labels[..4], ["weak-1", "strong-1", "middling-1", "weak-2"], "each in turn");
    let prompt = opened["prompt"].as_str().unwrap();
    let test = "for t in tests/*_test.sh; do sh \"$t\" || exit 1; done";
    for told in ["# The task: How long a tea steeps", "- an unknown tea is an error", "- lib/**", test] {
        assert!(prompt.contains(told), "{told:?} is not in\n{prompt}");
    }
    assert!(prompt.contains("Write `lib/steep.sh` with a function") && !prompt.contains("{{"), "{prompt}");
    assert!(world.refused(&["bench", "pick", "b1"], 4).contains("wait until all runs are over"));

    world
        .watch(|board| board.benches.iter().any(|bench| bench.measured >= 2).then_some(()))
        .expect("two runs to be over");
    kill(world.daemon().unwrap());
    let over = world.json(&["bench", "wait", "steep"]);

    let ranked: Vec<(u64, &str, u64, u64)> = over["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| {
            let count = |key: &str| agent[key].as_u64().unwrap();
            (count("rank"), agent["agent"].as_str().unwrap(), count("green"), count("clean"))
        })
        .collect();
    assert_eq!(ranked, [(1, "strong", 3, 3), (2, "middling", 3, 2), (3, "weak", 1, 0)]);
    assert_eq!(over["agents"][0]["alike"], 1_000, "the strong one does the same each time");
    assert_eq!(over["agents"][0]["cost"]["median"], 210_000, "millionths of a dollar");
    assert_eq!(
        weaknesses(&over),
        [
            "gate unit is red: weak 1/3",
            "findings about edge cases: middling 1/3",
            "findings about tests: weak 1/3",
            "not fully implemented, says the verifier: weak 1/3",
            "ended without a commit: weak 1/3",
        ]
    );
    assert_eq!(run(&over, "weak-1")["outcome"]["end"], "red");
    let gates = run(&over, "weak-1")["outcome"]["gates"].as_array().unwrap();
    let unit = gates.iter().find(|gate| gate["name"] == "unit").unwrap();
    assert_eq!(unit["verdict"], "failed");
    assert_eq!(run(&over, "weak-2")["outcome"]["end"], "no_work");
    assert_eq!(run(&over, "weak-3")["state"], "review", "what is found sends nothing back");
    for label in labels {
        assert_eq!(run(&over, label)["outcome"]["attempts"], 1, "{label}");
    }
    let notices = world.json(&["ledger", "--kind", "bench_*"]);
    assert_eq!(notices.as_array().unwrap().iter().filter(|line| line["kind"] == "bench_measured").count(), 9);

    let shown = world.ok(&["bench", "show", "b1"]);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for text in [
        "strong is first, 3 of 3 green and clean",
        "gate unit is red: weak 1 of 3 (nopeek show steep-weak-1)",
    ] {
        assert!(shown.contains(text), "no {text:?} in\n{shown}");
    }
    let page = world.root().join("bench.html");
    world.ok(&["bench", "show", "b1", "--html", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("middling") && !page.contains("http"), "{page}");

    assert_eq!(world.on_main("lib/steep.sh"), None, "nothing lands by itself");
    world.ok(&["bench", "pick", "b1", "--wait"]);
    assert!(world.on_main("lib/steep.sh").unwrap().contains("*) return 1"));
    let picked = world.json(&["bench", "show", "b1"]);
    assert_eq!(picked["line"]["picked"], over["best"]);
    for one in picked["runs"].as_array().unwrap() {
        let best = one["task"] == over["best"];
        assert!(!best || one["agent"] == "strong");
        assert_eq!(one["state"], if best { "landed" } else { "rejected" }, "{}", one["label"]);
    }
    assert_eq!(picked["agents"], over["agents"], "the table stands");
    assert!(world.refused(&["bench", "pick", "b1", "weak-3"], 4).contains("can't pick"));
    world.ok(&["bench", "forget", "b1"]);
    assert_eq!(world.json(&["bench", "ls"]), Value::Array(Vec::new()));
    assert_eq!(world.json(&["ls"])["tasks"], Value::Array(Vec::new()), "its tasks have ended and go with it");
}

#[test]
fn a_plain_prompt_is_benched_and_any_run_can_be_picked() {
    let world = World::with_config(CONFIG);
    let prompt = world.file("tea.md", &script("edit tests/a_test.sh <<E\ntrue\nE\ncommit Test"));
    let args = ["bench", "run", prompt.to_str().unwrap(), "--agents", "scripted", "--runs", "2", "--wait"];
    let shown = world.ok(&args);
    assert!(shown.contains("nobody verifies") && shown.contains("2/2"), "{shown}");
    assert!(shown.contains("unknown"), "what it cost is unknown, and not zero: {shown}");
    assert!(world.refused(&["bench", "pick", "tea", "scripted-3"], 3).contains("has no run scripted-3"));
    world.ok(&["bench", "pick", "tea", "scripted-2", "--wait"]);
    world.until_state("tea-scripted-2", TaskState::Landed);
    world.until_state("tea-scripted-1", TaskState::Rejected);
}

#[test]
fn a_bench_is_stopped_and_what_is_over_stays() {
    let world = World::with_config(CONFIG);
    let steps = "when sh git branch --show-current | grep -q -e -1/\n  edit tests/a_test.sh <<E\ntrue\nE\n  commit Test\nelse\n  hang\nend";
    let prompt = world.file("tea.md", &script(steps));
    world.ok(&["bench", prompt.to_str().unwrap(), "--agents", "scripted", "--runs", "6"]);
    world.until_state("tea-scripted-1", TaskState::Review);
    world.until_state("tea-scripted-4", TaskState::Working);
    assert!(world.refused(&["bench", "forget", "b1"], 4).contains("stop it first"));
    world.ok(&["bench", "stop", "b1"]);
    let stopped = world.json(&["bench", "show", "b1"]);
    assert_eq!(stopped["line"]["measured"], 6);
    assert_eq!(run(&stopped, "scripted-1")["outcome"]["end"], "green");
    assert_eq!(run(&stopped, "scripted-6")["outcome"]["end"], "stopped");
    assert_eq!(stopped["best"], run(&stopped, "scripted-1")["task"]);
}

#[test]
fn what_is_wrong_with_a_bench_is_said_before_anything_runs() {
    let world = World::with_config(CONFIG);
    let spec = |name: &str, text: &str| world.file(name, text).to_str().unwrap().to_owned();
    let (good, empty) = (spec("good.md", "do it"), spec("empty.md", "  \n"));
    let broken = spec("broken.md", &SPEC.replace("data = [\"none\"]", "data = []"));
    for (args, code, says) in [
        (vec!["bench"], 2, "SPEC"),
        (vec!["bench", &good], 2, "--agents"),
        (vec!["bench", &good, "--agents", "nobody"], 3, "there is no agent profile nobody"),
        (vec!["bench", &good, "--agents", "weak,weak"], 5, "an agent is named twice"),
        (vec!["bench", &good, "--agents", "weak", "--runs", "0"], 2, "is no whole number from 1 on"),
        (vec!["bench", &good, "--agents", "weak", "--runs", "999"], 5, "999 runs; 200 are allowed"),
        (vec!["bench", &empty, "--agents", "weak"], 5, "is empty"),
        (vec!["bench", &broken, "--agents", "weak"], 5, "broken.md:6:8: data is empty"),
        (vec!["bench", "no-such.md", "--agents", "weak"], 5, "can't read the spec no-such.md"),
        (vec!["bench", "show", "b7"], 3, "there is no bench b7"),
    ] {
        let said = world.refused(&args, code);
        assert!(said.contains(says), "{args:?}: {said}");
    }
    assert_eq!(world.json(&["bench", "ls"]), Value::Array(Vec::new()));
}
