//! The outer loop: from a goal to landed work, unattended, every role played by a scripted agent.

use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use serde_json::Value;

/// Drafts the spec, and refines it after each look.
const DRAFTER: &str = r#"
when prompt was attacked (review pass 1)
  replace specs/tea.md <<END
risks = ["Somebody is burned."]
=====
risks = ["Somebody is burned.", "The menu is read while it is written."]
END
  edit specs/tea/review-1.toml <<END
[[finding]]
id = "R1.1"
answer = "changed"
why = "Named under risks; readers get the old menu or the new one."

[[finding]]
id = "R1.2"
answer = "accepted"
why = "Nobody orders at midnight."
END
  commit Refine the spec after look 1
else
  when prompt was attacked (review pass 2)
    replace specs/tea.md <<END
rollback = ["Revert the merges."]
=====
rollback = ["Revert the merges, last one first."]
END
    edit specs/tea/review-2.toml <<END
[[finding]]
id = "R2.1"
answer = "changed"
why = "The order is said."
END
    commit Refine the spec after look 2
  else
    edit specs/tea.md <<END
+++
title = "Tea for everybody"
objectives = ["The menu has milk, sugar and lemon.", "Each cup can be poured and washed."]
non_goals = ["Coffee."]
touchpoints = ["menu.txt", "cups/**"]
data = ["None."]
tests = ["grep finds each word in its file."]
risks = ["Somebody is burned."]
compatibility = ["The menu stays a text file."]
rollback = ["Revert the merges."]
+++

# Background

There is no tea.
END
    commit Draft the spec
  end
end
"#;

/// Finds two things in the first look, one in the second.
const REVIEWER: &str = r#"
when prompt Review pass 1 of 2
  edit .nopeek/findings.toml <<END
[[finding]]
severity = "high"
area = "concurrency"
place = "specs/tea.md, risks"
what = "The menu is read while it is written."
fix = "Say what readers get."

[[finding]]
severity = "low"
area = "edge cases"
what = "Orders at midnight have no date."
END
else
  edit .nopeek/findings.toml <<END
[[finding]]
severity = "medium"
area = "rollback"
what = "In which order merges are reverted is not said."
END
end
"#;

/// Six tasks in two phases; milk and sugar share the menu.
const PLANNER: &str = r#"
edit specs/tea/phase-1.md <<END
+++
title = "The menu"

[[task]]
name = "milk"
does = "Put milk on the menu."
touches = ["menu.txt"]
check = "grep -q milk menu.txt"

[[task]]
name = "sugar"
does = "Put sugar on the menu."
touches = ["menu.txt"]
check = "grep -q sugar menu.txt"

[[task]]
name = "cup"
does = "Make a cup."
touches = ["cups/cup.txt"]
check = "grep -q round cups/cup.txt"
+++

Mind the heat.
END
edit specs/tea/phase-2.md <<END
+++
title = "The cups"

[[task]]
name = "pour"
does = "Pour it."
touches = ["cups/pour.txt"]
check = "grep -q steady cups/pour.txt"

[[task]]
name = "lemon"
does = "Cut a lemon."
touches = ["cups/lemon.txt"]
check = "grep -q slice cups/lemon.txt"

[[task]]
name = "wash"
does = "Wash up."
touches = ["cups/wash.txt"]
check = "grep -q clean cups/wash.txt"
after = ["pour"]
+++
END
commit Plan
"#;

/// Does the tasks: the cup is right at the third try, the lemon lacks something, the pouring asks the panel, the washing a
/// human.
const WORKER: &str = r##"
when prompt # the task: milk
  when prompt may be changed (touchpoints)
    run git rm -q stray.txt
    commit Keep to the touchpoints
    exit 0
  end
  append menu.txt <<END
milk
END
  append wip.md <<END
- milk is on the menu
END
  when attempt 1
    edit stray.txt <<END
out of bounds
END
  end
  commit Milk
end
when prompt # the task: sugar
  append menu.txt <<END
sugar
END
  append wip.md <<END
- sugar is on the menu
END
  commit Sugar
end
when prompt # the task: cup
  when attempt 3
    edit cups/cup.txt <<END
round
END
    append wip.md <<END
- cups are round
END
  else
    edit cups/cup.txt <<END
square, try @ATTEMPT@
END
  end
  commit A cup
end
when prompt # the task: pour
  tool ask_panel <<END
{"question": "Pour fast or slow?", "options": [
  {"name": "fast", "about": "At once.", "scores": {"value": 3, "risk": 9, "cost": 5, "speed": 9, "reliability": 1, "security": 2}},
  {"name": "slow", "about": "In a thin stream.", "scores": {"value": 8, "risk": 1, "cost": 4, "speed": 2, "reliability": 9, "security": 8}}]}
END
  edit cups/pour.txt <<END
steady: @ANSWER@
END
  commit Pour
end
when prompt # the task: lemon
  when prompt A second review
    edit cups/lemon.txt <<END
a slice, and a pip taken out
END
    commit Take the pip out
  else
    edit cups/lemon.txt <<END
a slice
END
    commit A lemon
  end
end
when prompt # the task: wash
  tool ask_human <<END
{"question": "Hot or cold water?"}
END
  edit cups/wash.txt <<END
clean with water: @ANSWER@
END
  commit Wash
end
"##;

/// Finds a pip in the first lemon.
const VERIFIER: &str = r##"
run git diff --stat main...HEAD
edit .nopeek/findings.toml <<END
implemented = true
END
when prompt # the task: lemon
  when attempt 2
    edit .nopeek/findings.toml <<END
implemented = false
[[finding]]
severity = "high"
area = "objectives"
place = "cups/lemon.txt"
what = "There is a pip in it."
END
  end
end
"##;

/// A repo with a crew of scripted agents.
fn tea_house(gate: &str) -> World {
    let world = World::new();
    let mut config = format!("parallel = 3\n[[gate]]\nname = \"sound\"\ncommand = \"{gate}\"\n");
    let crew = [
        ("drafter", DRAFTER),
        ("reviewer", REVIEWER),
        ("planner", PLANNER),
        ("worker", WORKER),
        ("verifier", VERIFIER),
    ];
    for (name, script) in crew {
        let file = world.file(&format!("{name}.script"), script);
        config.push_str(&format!(
            "[agents.{name}]\ncommand = [\"{{nopeek}}\", \"scripted\", \"--script\", {file:?}, \"{{prompt}}\"]\nmode = \"headless\"\n"
        ));
    }
    config.push_str(
        "[spec]\ndraft = \"drafter\"\nreview = \"reviewer\"\nplan = \"planner\"\nwork = \"worker\"\nverify = \"verifier\"\n",
    );
    world.write("menu.txt", "black\n");
    world.write("wip.md", "# Notes\n\n");
    world.write("cups/.keep", "");
    world.configure(&config);
    world
}

/// Waits until `look` finds something in the spec as it is shown.
#[track_caller]
fn until<T>(world: &World, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
    let mut last = Value::Null;
    let found = wait::patiently(|| {
        let ran = world.run(&["spec", "show", "tea", "--json"]);
        last = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
        look(&last)
    });
    found.unwrap_or_else(|| {
        panic!("waited for {what}\nlast: {last:#}\n{}\n{}", world.run(&["ls"]).out, world.log_tail())
    })
}

#[test]
fn a_goal_comes_to_landed_work_unattended_through_three_dead_daemons() {
    let world = tea_house("test -f menu.txt");
    let ahead = ["spec", "new", "--name", "tea", "--ahead", "spec,plan,work", "--", "Tea for everybody"];
    world.ok(&ahead);
    // Dead once in each stage.
    until(&world, "the first look", |spec| {
        spec["looks"].as_array().filter(|looks| !looks.is_empty()).map(drop)
    });
    kill(world.daemon().unwrap());
    until(&world, "the plan", |spec| spec["phases"].as_array().map(drop));
    kill(world.daemon().unwrap());
    until(&world, "the second phase", |spec| (spec["line"]["phase"][0] == 2).then_some(()));
    kill(world.daemon().unwrap());
    world.ok(&["ls"]);
    world.until_state("wash", TaskState::Asking);
    assert!(world.show("wash")["question"]["text"].as_str().unwrap().contains("Hot or cold"));
    world.ok(&["answer", "wash", "hot"]);
    until(&world, "all of it", |spec| (spec["line"]["stage"] == "done").then_some(()));

    let spec = world.json(&["spec", "show", "tea"]);
    let looks = spec["looks"].as_array().unwrap();
    let found: Vec<_> = looks.iter().map(|look| look["findings"]["list"].as_array().unwrap().len()).collect();
    assert_eq!(found, [2, 1], "two passes");
    assert_eq!(looks[0]["answers"][1]["answer"], "accepted");
    assert_eq!(spec["contract"]["risks"].as_array().unwrap().len(), 2, "refined");
    assert_eq!((&spec["line"]["landed"], &spec["line"]["planned"]), (&6.into(), &6.into()));

    // What landed, and that the two on one file came one after the other, both there.
    assert_eq!(world.on_main("menu.txt").unwrap(), "black\nmilk\nsugar\n");
    assert_eq!(world.on_main("cups/cup.txt").unwrap(), "round\n");
    assert_eq!(world.on_main("cups/lemon.txt").unwrap(), "a slice, and a pip taken out\n");
    assert!(world.on_main("cups/pour.txt").unwrap().contains("slow"), "the panel's choice reached the agent");
    assert_eq!(world.on_main("cups/wash.txt").unwrap(), "clean with water: hot\n");
    let notes = world.on_main("wip.md").unwrap();
    assert!(notes.contains("milk") && notes.contains("sugar") && notes.contains("round"), "{notes}");
    assert!(world.on_main("specs/tea/review-2.toml").unwrap().contains("R2.1"), "findings are kept");
    assert_eq!(world.on_main(".nopeek/findings.toml"), None, "nothing of a second review is merged");

    // How they came there.
    let results = |name: &str| -> Vec<String> {
        let task = world.show(name);
        let attempts = task["attempts"].as_array().unwrap();
        attempts.iter().map(|a| a["result"].as_str().unwrap_or("open").to_owned()).collect()
    };
    assert_eq!(results("cup"), ["red", "red", "green", "reviewed"]);
    assert_eq!(results("milk"), ["red", "green", "reviewed"], "a change outside of its touchpoints is red");
    assert_eq!(results("lemon"), ["green", "reviewed", "green", "reviewed"]);
    assert_eq!(results("tea-spec"), ["green", "reviewed", "green", "reviewed", "green"]);
    let ledger = world.json(&["ledger", "--limit", "10000"]);
    let kinds: Vec<&str> =
        ledger.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    let count = |kind: &str| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!(
        (count("landed"), count("panel_voted"), count("spec_done")),
        (8, 1, 1),
        "spec, plan and six tasks"
    );

    // The report of the spec, and where the time of a task went since the goal was said.
    let text = world.ok(&["report", "--spec", "tea", "--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> =
        report["tasks"].as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 8, "its draft, its plan and what was planned: {names:?}");
    let looks = report["totals"]["looks"].as_u64().unwrap();
    let parts =
        report["tasks"].as_array().unwrap().iter().flat_map(|task| task["attempts"].as_array().unwrap());
    assert_eq!(parts.filter(|attempt| attempt["part"] == "second").count() as u64, looks);
    assert!(looks >= 9, "two at the spec, two at the lemon, one at each of the others: {looks}");
    assert!(world.ok(&["report", "--spec", "tea"]).contains("| 3 + 1 review pass |"));
    let cup = world.ok(&["show", "cup"]);
    assert!(cup.contains("3 + 1 review pass, sent back") && cup.contains("attempt 4 second review"), "{cup}");
    let missing = world.refused(&["report", "--spec", "coffee"], 3);
    assert!(missing.contains("coffee"), "{missing}");
    let spans = world.json(&["trace", "cup"]);
    assert_eq!((&spans[0]["attributes"]["spec"], &spans[1]["kind"]), (&"tea".into(), &"goal".into()));
    assert_eq!(spans[1]["attributes"]["goal"], "Tea for everybody");
    assert_eq!(spans[0]["start"], spans[1]["start"]);
    let merged = world.git(&["log", "--format=%B", "--merges", "main"]);
    assert!(merged.contains("Pour fast or slow?"), "the vote is cited: {merged}");
}

#[test]
fn stacked_work_begins_on_what_has_not_landed_and_lands_after_it() {
    let world = tea_house("test -f menu.txt");
    let config = std::fs::read_to_string(world.repo().join("nopeek.toml")).unwrap();
    world.configure(&config.replace("[spec]\n", "[spec]\nstack = true\npasses = 0\n"));
    let planner = world.root().join("planner.script");
    let stacked = "edit specs/tea/phase-1.md <<END\n+++\ntitle = \"Cups\"\n[[task]]\nname = \"pour\"\ndoes = \"Pour.\"\ntouches = [\"cups/pour.txt\"]\n\
                   check = \"grep -q steady cups/pour.txt\"\n[[task]]\nname = \"lemon\"\ndoes = \"Cut.\"\ntouches = [\"cups/lemon.txt\"]\n\
                   check = \"test -f cups/pour.txt\"\nafter = [\"pour\"]\n+++\nEND\ncommit Plan\n";
    std::fs::write(planner, stacked).unwrap();
    world.ok(&["spec", "new", "--name", "tea", "--ahead", "spec,plan", "--", "Tea for everybody"]);
    // Nobody has approved the pouring, and the lemon is cut already, on its branch.
    world.until_state("lemon", TaskState::Review);
    assert_eq!(world.show("pour")["state"], "review");
    assert_eq!(world.on_main("cups/pour.txt"), None);
    world.ok(&["approve", "lemon"]);
    let task = world.until_state("lemon", TaskState::Merging);
    assert!(task.why.as_str().contains("waits for pour to land"), "{}", task.why);
    world.ok(&["approve", "pour"]);
    until(&world, "all of it", |spec| (spec["line"]["stage"] == "done").then_some(()));
    let order = world.git(&["log", "--first-parent", "--format=%s", "main"]);
    let at = |name: &str| order.find(&format!("land {name}")).unwrap();
    assert!(at("lemon") < at("pour"), "the newest first: {order}");
}

#[test]
fn nothing_is_planned_or_built_that_was_not_approved_and_what_was_edited_is_checked_again() {
    let world = tea_house("test -f menu.txt");
    world.ok(&[
        "spec",
        "new",
        "--name",
        "tea",
        "--passes",
        "1",
        "--verify",
        "none",
        "--",
        "Tea for everybody",
    ]);
    until(&world, "the spec to be ready", |spec| (spec["line"]["stage"] == "spec_ready").then_some(()));
    assert_eq!(world.on_main("specs/tea.md"), None);
    assert_eq!(world.run(&["spec", "wait", "tea"]).code, 8, "it needs a human");
    // A person breaks it: it is not for approval any more, and says where it is broken.
    let mut edit = world.command(&["spec", "edit", "tea"]);
    assert!(edit.env("EDITOR", "sed -i s/^tests/test/").output().unwrap().status.success());
    let task = world.until("tea-spec", "a fresh attempt", |task| task.attempts.len() > 3);
    assert!(serde_json::to_value(task.attempts[2].result).unwrap() == "red", "{:?}", task.attempts);
}

#[test]
fn a_spec_that_is_wrong_goes_back_with_its_place_and_what_can_be_refused_is() {
    let world = tea_house("test -f menu.txt");
    let script = world.file(
        "bad.script",
        "when prompt specs/tea.md:2:1: unknown field\n  edit specs/tea.md <<END\nstill no spec\nEND\nelse\n  edit specs/tea.md <<END\n+++\ntitel = \"Tea\"\n+++\nprose\nEND\nend\ncommit Draft\n",
    );
    let config = std::fs::read_to_string(world.repo().join("nopeek.toml")).unwrap();
    let drafter = format!("{:?}", world.root().join("drafter.script"));
    world.configure(&config.replace(&drafter, &format!("{script:?}")));
    world.ok(&["spec", "new", "--name", "tea", "--", "Tea for everybody"]);
    until(&world, "it to be stuck", |spec| (spec["line"]["stage"] == "stuck").then_some(()));
    let task = world.show("tea-spec");
    assert_eq!(task["attempts"].as_array().unwrap().len(), 3, "{task:#}");
    assert!(
        world.refused(&["spec", "new", "--name", "tea", "--", "again"], 5).contains("there is a spec tea")
    );
    assert!(world.refused(&["spec", "new", "--", "  "], 5).contains("the goal is empty"));
    assert!(world.refused(&["spec", "new", "--ahead", "all", "--", "x"], 5).contains("spec, plan or work"));
    assert!(
        world
            .refused(&["spec", "new", "--verify", "nobody", "--", "x"], 3)
            .contains("no agent profile nobody")
    );
    assert!(world.refused(&["spec", "new", "--passes", "11", "--", "x"], 5).contains("11 passes"));
    assert!(world.refused(&["spec", "approve", "tea"], 4).contains("nothing of tea waits"));
    assert!(world.refused(&["spec", "forget", "tea"], 4).contains("stop it first"));
    world.write(".nopeek/prompts/plan.md", "Plan {{nmae}}\n");
    world.commit("A broken prompt");
    let said = world.refused(&["spec", "new", "--name", "other", "--", "x"], 5);
    assert!(said.contains(".nopeek/prompts/plan.md:1") && said.contains("{{nmae}}"), "{said}");
    world.ok(&["spec", "stop", "tea"]);
    world.ok(&["spec", "forget", "tea"]);
    assert_eq!(world.json(&["spec", "ls"]).as_array().unwrap().len(), 0);
}
