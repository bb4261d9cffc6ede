//! Batches and the queue with the real program: a batch through all of its phases while the daemon is killed, and specs that
//! are dropped as files.

use crate::support::wait;
use crate::support::world::{World, kill};
use serde_json::Value;

const SPEC: &str = "edit specs/@NAME@.md <<END\n+++\ntitle = \"Tea\"\nobjectives = [\"The menu has it.\"]\nnon_goals = [\"Coffee.\"]\n\
touchpoints = [\"menu-@NAME@.txt\"]\ndata = [\"None.\"]\ntests = [\"grep finds it.\"]\nrisks = [\"Somebody is burned.\"]\n\
compatibility = [\"It stays text.\"]\nrollback = [\"Revert.\"]\n+++\n\n# Background\n\nNo tea.\nEND\ncommit Draft\n";

const PLAN: &str = "edit specs/@NAME@/phase-1.md <<END\n+++\ntitle = \"The menu\"\n\n[[task]]\nname = \"@NAME@-menu\"\n\
does = \"Put it on the menu.\"\ntouches = [\"menu-@NAME@.txt\"]\ncheck = \"grep -q @NAME@ menu-@NAME@.txt\"\n+++\n\nMind the heat.\nEND\ncommit Plan\n";

const WORK: &str = "edit menu-@NAME@.txt <<END\n@NAME@\nEND\ncommit Menu\n";

/// A script that does the same for whichever spec its prompt is about.
fn for_each(text: &str, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("when prompt specs/{name}\n{}end\n", text.replace("@NAME@", name)))
        .collect()
}

/// A repo with scripted agents for every part of a batch.
fn house(gate: &str, schedule: &str) -> World {
    let world = World::new();
    let names = ["tea", "mate"];
    let mut config = format!("parallel = 2\n[[gate]]\nname = \"sound\"\ncommand = \"{gate}\"\n");
    let boss = "when prompt tea (specs/shop/next/tea.md)\n  edit specs/priorities.txt <<END\ntea\nmate\n\nTea first.\nEND\nend\ncommit Priorities\n";
    let crew = [
        ("boss", boss.to_owned()),
        ("drafter", for_each(SPEC, &names)),
        ("planner", for_each(PLAN, &names)),
        ("worker", for_each(WORK, &names)),
        ("tidier", "edit tidy.txt <<END\ntidy\nEND\ncommit Tidy\n".to_owned()),
        ("writer", "when prompt batch 1\n  edit specs/reports/batch-1.md <<END\nAll is well.\nEND\nend\ncommit Report\n".to_owned()),
    ];
    for (name, script) in crew {
        let file = world.file(&format!("{name}.script"), &script);
        config.push_str(&format!(
            "[agents.{name}]\ncommand = [\"{{nopeek}}\", \"scripted\", \"--script\", {file:?}, \"{{prompt}}\"]\nmode = \"headless\"\n"
        ));
    }
    config.push_str("[spec]\ndraft = \"drafter\"\nreview = \"none\"\nplan = \"planner\"\nwork = \"worker\"\nverify = \"none\"\n");
    config.push_str("ahead = [\"spec\", \"plan\", \"work\"]\n");
    config.push_str(schedule);
    world.write("menu.txt", "black\n");
    world.configure(&config);
    world
}

const ALL: &str = "[schedule]\ncron = \"0 3 * * *\"\nsupervise = { agent = \"boss\", time = \"5m\" }\n\
maintain = { agent = \"tidier\", time = \"5m\" }\nreport = { agent = \"writer\", time = \"5m\" }\n";

/// Waits until `look` finds something in the repo's line.
#[track_caller]
fn until<T>(world: &World, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
    let mut last = Value::Null;
    let found = wait::patiently(|| {
        let ran = world.run(&["schedule", "show", "--json"]);
        last = serde_json::from_str::<Value>(&ran.out).map_or(Value::Null, |mut lines| lines[0].take());
        look(&last)
    });
    found.unwrap_or_else(|| {
        panic!("waited for {what}\nlast: {last:#}\n{}\n{}", world.run(&["ls"]).out, world.log_tail())
    })
}

fn lies(world: &World, path: &str) -> bool {
    world.repo().join(path).exists()
}

#[test]
fn a_batch_goes_through_all_of_its_phases_though_the_daemon_is_killed() {
    let world = house("test -f menu.txt", ALL);
    world.write("specs/shop/next/mate.md", "Mate for everybody.\n");
    world.write("specs/shop/next/tea.md", "Tea for everybody.\n");
    world.write("specs/shop/next/Not A Name.md", "x\n");
    world.ok(&["schedule", "run"]);
    for phase in ["build", "maintain"] {
        until(&world, phase, |line| {
            (line["open"]["phase"] == phase || line["last"] != Value::Null).then_some(())
        });
        if let Some(daemon) = world.daemon() {
            kill(daemon);
        }
    }
    assert!(world.refused(&["schedule", "run"], 4).contains("batch 1 of this repo is under way"));
    let last = until(&world, "the end", |line| line["last"].as_array().cloned());
    assert_eq!(last[0], 1);
    let lines: Vec<&str> = last[2].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    for phase in ["supervise", "build", "maintain", "test", "report"] {
        assert!(lines.iter().any(|line| line.starts_with(&format!("{phase}: done"))), "{phase}: {lines:#?}");
    }

    // Both specs are built; what could not be one says why.
    let menu = |name: &str| world.on_main(&format!("menu-{name}.txt"));
    assert_eq!((menu("tea").unwrap(), menu("mate").unwrap()), ("tea\n".into(), "mate\n".into()));
    let queue = world.json(&["queue", "ls"]);
    let done = lies(&world, "specs/shop/done/tea.md") && lies(&world, "specs/shop/done/mate.md");
    assert!(done, "{queue:#}\n{lines:#?}\n{}", world.run(&["ledger"]).out);
    assert!(!lies(&world, "specs/shop/next/tea.md") && !lies(&world, "specs/shop/doing/tea.md"));
    let why = std::fs::read_to_string(world.repo().join("specs/shop/failed/Not A Name.md.why")).unwrap();
    assert!(why.contains("is no task name"), "{why}");
    assert_eq!(queue.as_array().unwrap().len(), 3, "{queue:#}");

    // What was written, and where.
    assert!(world.on_main("specs/priorities.txt").unwrap().starts_with("tea\nmate\n"));
    assert_eq!(world.on_main("tidy.txt").unwrap(), "tidy\n");
    assert_eq!(world.on_main("specs/reports/batch-1.md").unwrap(), "All is well.\n");
    let report = std::fs::read_to_string(world.paths.data.join("reports/batch-1.md")).unwrap();
    assert!(report.starts_with("# Batch 1\n") && report.contains("spec tea: done"), "{report}");
    assert!(report.contains("batch-1-maintain") && report.contains("landed"), "{report}");

    // In the order of the priorities, and each fact of it is found by the batch.
    let ledger = world.json(&["ledger", "--batch", "1", "--limit", "10000"]);
    let texts: Vec<&str> =
        ledger.as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    let place = |text: &str| {
        texts.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {texts:#?}"))
    };
    assert!(place("next/tea.md is built as spec s1") < place("next/mate.md is built as spec s2"));
    assert!(place("batch 1 begins") < place("batch 1 is over"));
    assert_eq!(texts.iter().filter(|line| line.starts_with("batch 1: build")).count(), 2, "{texts:#?}");
}

#[test]
fn a_red_target_is_told_and_the_queue_is_built_without_a_batch() {
    let schedule = "[schedule]\nsupervise = false\nbuild = false\nmaintain = false\nreport = false\n";
    let world = house("! test -e broken", schedule);
    // Refusals name what is missing.
    assert!(world.refused(&["schedule", "stop"], 3).contains("has no schedule"));
    assert!(world.refused(&["schedule", "on"], 5).contains("nothing says when"));
    assert!(world.refused(&["schedule", "next"], 4).contains("is off"));
    assert!(world.refused(&["queue", "watch", "off"], 3).contains("has no schedule"));

    world.write("broken", "by hand\n");
    world.commit("Break it");
    let ran = world.run(&["schedule", "run", "--wait"]);
    assert_eq!(ran.code, 8, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("test: failed: main itself is red (sound)"), "{}", ran.out);
    let task = world.show("batch-1-test");
    assert_eq!((&task["state"], &task["needs_you"]), (&"stuck".into(), &true.into()), "{task:#}");
    world.git(&["rm", "-q", "broken"]);
    world.commit("Mend it");
    world.ok(&["retry", "batch-1-test"]);
    wait::until("the green check to leave the board", || {
        world.run(&["show", "batch-1-test"]).err.contains("there is no task").then_some(())
    });

    world.write("specs/shop/next/kept.md", "In git.\n");
    world.commit("Track one");
    world.write("specs/shop/next/tea.md", "Tea for everybody.\n");
    world.ok(&["queue", "run"]);
    wait::until("the spec to be done", || lies(&world, "specs/shop/done/tea.md").then_some(()));
    assert_eq!(world.on_main("menu-tea.txt").unwrap(), "tea\n");
    assert!(lies(&world, "specs/shop/next/kept.md"), "what git tracks is left alone");
    // A watched queue takes what is dropped; it is glanced at as soon as it is watched.
    world.write("specs/shop/next/mate.md", "Mate.\n");
    assert!(world.ok(&["queue", "watch", "on"]).contains("is watched"));
    wait::until("the watched one to be done", || lies(&world, "specs/shop/done/mate.md").then_some(()));
    assert!(world.ok(&["queue", "watch", "off"]).contains("is not watched"));
}
