//! The panel by the CLI: asked, decided, cited in the merge; a tie goes to the human.

use crate::support::agent::{edits, script};
use crate::support::world::{PROGRAM, World};
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::TaskView;

fn ask<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["panel", "ask", "Where do sessions live?"];
    args.extend(["--option", "sqlite: one file beside the app", "--option", "redis: a service of its own"]);
    args.extend(more);
    args
}

/// Scores by which most of the twelve prefer the first.
const FIRST: [&str; 20] = [
    "--score",
    "sqlite.value=8",
    "--score",
    "redis.value=7",
    "--score",
    "sqlite.cost=2",
    "--score",
    "redis.cost=7",
    "--score",
    "sqlite.simplicity=9",
    "--score",
    "redis.simplicity=3",
    "--score",
    "sqlite.reliability=8",
    "--score",
    "redis.reliability=5",
    "--score",
    "sqlite.usability=6",
    "--score",
    "redis.usability=6",
];

#[test]
fn the_panel_decides_and_the_merge_cites_it() {
    let world = World::new();
    world.launch("kettle", &edits("kettle.txt", "water"), &[]);
    world.ok(&["wait", "kettle"]);
    let mut args = ask(&FIRST);
    args.extend(["--task", "kettle"]);
    let poll = world.json(&args);
    assert_eq!(poll["id"], 1);
    assert_eq!(poll["vote"]["outcome"]["decided"], "sqlite");
    assert_eq!(poll["vote"]["ballots"].as_array().unwrap().len(), 12);
    assert_eq!(poll["panel"]["personas"].as_array().unwrap().len(), 12, "all weights are kept with it");
    let margin = poll["vote"]["margin"].as_u64().unwrap();
    let voices = poll["vote"]["totals"][0]["voices"].as_u64().unwrap();

    let lines = world.json(&["ledger", "kettle"]);
    let voted = lines.as_array().unwrap().iter().find(|line| line["kind"] == "panel_voted").unwrap();
    let says = format!("Where do sessions live? → sqlite (margin {margin} %, {voices} of 12)");
    assert_eq!(voted["text"], format!("panel p1: {says}"));
    let shown = world.ok(&["panel", "show", "p1"]);
    assert!(shown.contains("compliance") && shown.contains("one file beside the app"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    world.ok(&["approve", "kettle", "--wait"]);
    let message = world.git(&["log", "-1", "--format=%B", "main"]);
    assert!(message.contains(&format!("Panel decisions:\np1 {says}")), "{message}");
    world.refused(&args, 4);
}

#[test]
fn a_tie_goes_to_the_human_who_decides_once() {
    let world = World::new();
    world.launch("kettle", &edits("kettle.txt", "water"), &[]);
    world.ok(&["wait", "kettle"]);
    let mut args =
        ask(&["--score", "sqlite.value=8", "--score", "redis.value=8", "--score", "sqlite.risk=3"]);
    args.extend(["--score", "redis.risk=3", "--task", "kettle", "--json"]);
    let asked = world.run(&args);
    assert_eq!(asked.code, 8, "a human is needed");
    let listed = world.ok(&["panel", "ls"]);
    assert!(listed.starts_with("! p1 t1 Where do sessions live?\n    → asks a human: a tie"), "{listed}");

    world.refused(&["panel", "decide", "p1", "mongo", "--why", "x"], 5);
    world.refused(&["panel", "decide", "p9", "redis", "--why", "x"], 3);
    world.ok(&["panel", "decide", "p1", "redis", "--why", "we run one already"]);
    world.refused(&["panel", "decide", "p1", "sqlite", "--why", "no"], 4);
    let kinds = world.json(&["ledger", "kettle"]);
    let decided = kinds.as_array().unwrap().iter().find(|line| line["kind"] == "panel_decided").unwrap();
    assert_eq!(decided["text"], "panel p1 decided by a human: redis: we run one already");

    world.ok(&["daemon", "restart"]);
    assert_eq!(world.json(&["panel", "show", "p1"])["decision"]["option"], "redis");
    world.ok(&["approve", "kettle", "--wait"]);
    let message = world.git(&["log", "-1", "--format=%B", "main"]);
    let line = "p1 Where do sessions live? → redis (by a human: we run one already)";
    assert!(message.contains(line), "{message}");
}

#[test]
fn an_agent_asks_in_the_name_of_its_task_which_needs_a_human_until_that_is_decided() {
    let world = World::new();
    let asks = "panel ask Which? -o a -o b -s a.value=5 -s b.value=5 || true";
    world.launch("kettle", &script(&format!("run {} {asks}\nhang", PROGRAM)), &[]);
    let needs =
        |needs: bool| move |task: &TaskView| task.state == TaskState::Working && task.needs_you == needs;
    world.until("kettle", "a vote that waits", needs(true));
    let polls = world.json(&["panel", "ls", "--task", "kettle"]);
    assert_eq!(polls[0]["task"], 1);
    assert_eq!(polls[0]["decided"], serde_json::Value::Null);
    let task = world.show("kettle");
    assert!(task["why"].as_str().unwrap().starts_with("its vote p1 waits for you: Which?"), "{task}");
    world.ok(&["panel", "decide", "p1", "b", "--why", "it is smaller"]);
    world.until("kettle", "nothing that waits", needs(false));
    world.ok(&["stop", "kettle"]);
}

#[test]
fn a_repo_chooses_who_votes_and_a_broken_panel_is_named() {
    let world = World::with_config(
        "[panel]\npersonas = ['finance', 'legal']\nconfidence = 0\n[panel.persona.legal]\nheuristics = { compliance = 1 }\n",
    );
    let personas = world.json(&["panel", "personas"]);
    let names: Vec<&str> =
        personas["personas"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["finance", "legal"]);
    let file = world.file(
        "q.toml",
        "question = 'Where?'\n[[option]]\nname = 'here'\nscores = { compliance = 9, cost = 5 }\n\
         [[option]]\nname = 'there'\nscores = { compliance = 2, cost = 5 }\n",
    );
    let poll = world.json(&["panel", "ask", "--file", file.to_str().unwrap()]);
    assert_eq!(poll["vote"]["outcome"]["decided"], "here");
    assert_eq!(poll["vote"]["totals"][0]["voices"], 1, "finance sees no difference");
    let broken =
        world.file("broken.toml", "question = 'Where?'\n[[option]]\nname = 'a'\nscores = { worth = 3 }\n");
    let refused = world.refused(&["panel", "ask", "--file", broken.to_str().unwrap()], 5);
    assert!(refused.contains("broken.toml:4:12: unknown variant `worth`"), "{refused}");

    world.write("nopeek.toml", "[panel]\npersonas = ['sales']\n");
    world.commit("A panel that is no panel");
    let refused = world.refused(&["panel", "personas"], 5);
    assert!(refused.contains("nopeek.toml on main:2:13: there is no persona \"sales\""), "{refused}");
    world.refused(&ask(&FIRST), 5);
}
