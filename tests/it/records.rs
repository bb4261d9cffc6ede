//! What is kept and told: the ledger queried, a trace, notices by a command.

use crate::support::agent::edits;
use crate::support::wait;
use crate::support::world::World;

#[test]
fn a_landed_task_is_told_once_and_its_ledger_and_trace_are_read_with_and_without_a_daemon() {
    let world = World::new();
    let told = world.root().join("told");
    let config = format!(
        "[notice]\non = ['needs_you', 'done']\ncommand = ['sh', '-c', 'cat >> {0}; echo \"$1\" >> {0}', 'sh', '{{text}}']",
        told.display()
    );
    std::fs::write(world.paths.config.join("config.toml"), config).unwrap();
    world.launch("kettle", &edits("kettle.txt", "water\x1b]0;owned\x07"), &[]);
    world.ok(&["wait", "kettle"]);
    world.ok(&["approve", "kettle", "--wait"]);
    let said = || std::fs::read_to_string(&told).unwrap_or_default();
    let landed = wait::patiently(|| said().contains("kettle: landed").then(said));
    let landed = landed.unwrap_or_else(|| panic!("{}\n{}", said(), world.log_tail()));
    assert_eq!(landed.matches("\"kind\":\"done\"").count(), 1, "{landed}");
    assert_eq!(landed.matches("\"kind\":\"needs_you\"").count(), 1, "{landed}");
    assert!(
        landed.contains("\"needs_you\":true") && landed.contains("ungated: waits for review"),
        "{landed}"
    );

    let sql =
        "SELECT name, kind, count(*) AS n FROM lines WHERE kind IN ('landed', 'approved') GROUP BY kind";
    let look = || {
        let kinds =
            world.json(&["ledger", "kettle", "--kind", "landed", "--kind", "appro*", "--since", "1h"]);
        let kinds: Vec<String> =
            kinds.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["approved", "landed"]);
        let by = world.json(&["ledger", "--by", "tester", "--kind", "approved", "--full"]);
        assert!(by[0]["body"]["approved"]["head"].is_string(), "{by}");
        assert_eq!(world.json(&["ledger", "--until", "1h"]), serde_json::json!([]));
        let rows = world.json(&["ledger", "--sql", sql]);
        assert_eq!(rows[1], serde_json::json!({ "name": "kettle", "kind": "landed", "n": 1 }));
        let table = world.ok(&["ledger", "--sql", "SELECT body FROM facts WHERE kind = 'launched'"]);
        assert!(table.contains("kettle") && !table.contains('\x1b') && !table.contains('\x07'), "{table:?}");
        let trace = world.json(&["trace", "kettle"]);
        assert_eq!((&trace[0]["name"], &trace[0]["status"]), (&"kettle".into(), &"ok".into()));
        let kinds: Vec<&str> =
            trace.as_array().unwrap().iter().map(|span| span["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["task", "queued", "attempt", "agent", "review", "merge"]);
        assert!(world.ok(&["trace", "kettle"]).contains("✓ merge"));
    };
    look();
    world.ok(&["daemon", "stop"]);
    look();
    assert_eq!(world.daemon(), None, "nothing of it needs a daemon");

    for (args, what) in [
        (&["ledger", "--kind", "landet"][..], "there are: agent_said, answered, approved,"),
        (&["ledger", "--since", "soon"], "--since: \"soon\" is no time: write it as 24h"),
        (&["ledger", "--since", "1h", "--until", "2h"], "is not before --until"),
        (&["ledger", "--sql", "DELETE FROM facts"], "this would do more than read the ledger"),
        (&["ledger", "--sql", "SELECT 1; SELECT 2"], "these are several statements"),
        (&["ledger", "--sql", "SELEC"], "syntax error"),
    ] {
        let said = world.refused(args, 5);
        assert!(said.contains(what), "{args:?}: {said}");
    }
    assert!(world.refused(&["trace", "pot"], 3).contains("the ledger knows no task pot"));
}

#[test]
fn a_command_that_fails_is_in_the_log_and_named_by_doctor() {
    let world = World::new();
    let config = "[notice]\ncommand = ['no-such-program-here', '{text}']";
    std::fs::write(world.paths.config.join("config.toml"), config).unwrap();
    world.launch("kettle", &edits("kettle.txt", "water"), &[]);
    world.ok(&["wait", "kettle"]);
    let found = wait::patiently(|| {
        let ran = world.run(&["doctor"]);
        ran.out.contains("the command failed at").then_some(ran.out)
    });
    let found = found.unwrap_or_else(|| panic!("{}", world.log_tail()));
    assert!(found.contains("there is no program no-such-program-here"), "{found}");
    assert!(world.log_tail().contains("a notice was not sent"), "{}", world.log_tail());
}
