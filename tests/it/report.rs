//! `nopeek report` by the CLI: what it says of a landed task, where it is sent, what it refuses.

use crate::support::agent::edits;
use crate::support::world::World;

#[test]
fn a_landed_task_is_reported_shown_and_sent() {
    let world = World::with_config("[[gate]]\nname = \"good\"\ncommand = \"grep -q good kettle.txt\"\n");
    world.launch("kettle", &edits("kettle.txt", "good water"), &[]);
    world.ok(&["wait", "kettle"]);
    world.ok(&["approve", "kettle", "--wait"]);
    let text = world.ok(&["report", "--since", "1h", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["totals"]["landed"], 1);
    assert_eq!(report["totals"]["attempts"], 1);
    assert_eq!(report["totals"]["verdicts"], 2, "its own tree and the merged one");
    assert_eq!(report["totals"]["used"]["cost_microusd"], serde_json::Value::Null);
    assert_eq!(report["totals"]["used"]["cost_unknown"], 1, "unknown is not zero");
    assert_eq!(report["tasks"][0]["name"], "kettle");
    assert_eq!(report["tasks"][0]["state"], "landed");
    assert_eq!(report["tasks"][0]["landed"], world.git(&["rev-parse", "main"]));
    assert_eq!(report["tasks"][0]["attempts"][0]["gates"][0]["name"], "good");
    let shown = world.ok(&["show", "kettle"]);
    assert!(shown.contains("in total") && shown.contains("2 verdicts, 0 red"), "{shown}");

    let page = world.root().join("page.html");
    world.ok(&["report", "kettle", "-o", page.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));

    let refused = world.run(&["report", "--send"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("[report]"), "{}", refused.err);
    let got = world.root().join("got");
    let config = format!("[report]\ncommand = [\"sh\", \"-c\", \"cat > {}\"]\n", got.display());
    std::fs::write(world.paths.config.join("config.toml"), config).unwrap();
    assert!(world.ok(&["report", "--send"]).contains("sent to the command sh"));
    assert!(std::fs::read_to_string(&got).unwrap().contains("1 of 1 task landed"));

    for (args, code) in
        [(&["report", "nobody"], 3), (&["report", "t99"], 3), (&["report", "--since=never"], 5)]
    {
        let refused = world.run(args);
        assert_eq!(refused.code, code, "{refused:?}");
    }
}
