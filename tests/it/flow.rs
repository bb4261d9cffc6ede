//! The main job by the CLI's JSON: from a prompt to the target, and every way round.

use crate::support::agent::{edits, script, script_file};
use crate::support::world::World;
use nopeek::core::model::task::TaskState;

/// One gate that wants `good` in every file that ends in `.txt`.
const GATED: &str = r#"
[[gate]]
name = "good"
command = "for f in *.txt; do [ -e \"$f\" ] || continue; grep -q good \"$f\" || { echo \"$f is BADLY made\"; exit 1; }; done"
"#;

#[test]
fn a_task_is_run_gated_reviewed_approved_and_landed() {
    let world = World::with_config(GATED);
    let task = world.launch("kettle", &edits("kettle.txt", "good water"), &[]);
    assert_eq!(task["name"], "kettle");
    world.ok(&["wait", "kettle"]);
    let task = world.show("kettle");
    assert_eq!(task["state"], "review");
    assert_eq!(task["needs_you"], true);
    assert_eq!(task["attempts"][0]["gates"][0]["state"]["judged"], "passed");
    assert_eq!(task["attempts"][0]["vitals"]["commits"], 1);
    assert_eq!(world.on_main("kettle.txt"), None, "nothing lands before an approval");

    let diff = world.json(&["diff", "kettle"]);
    assert_eq!(diff["files"][0]["path"], "kettle.txt");
    assert_eq!(diff["stat"]["added"], 1);

    world.ok(&["approve", "kettle", "--wait"]);
    let task = world.show("kettle");
    assert_eq!(task["state"], "landed");
    assert_eq!(task["merge_gates"][0]["state"]["judged"], "passed", "judged again as merged");
    assert_eq!(world.on_main("kettle.txt").unwrap(), "good water\n");
    assert_eq!(task["landed"], world.git(&["rev-parse", "main"]));
    assert_eq!(world.git(&["status", "--porcelain"]), "", "the checkout follows its branch");
    let kinds: Vec<String> = world
        .json(&["ledger"])
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["kind"].as_str().unwrap().to_owned())
        .collect();
    let of = |kind: &str| {
        kinds.iter().position(|have| have == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"))
    };
    assert!(of("launched") < of("review_opened") && of("review_opened") < of("approved"));
    assert!(of("approved") < of("landed"));
}

#[test]
fn a_red_gate_is_fixed_by_the_second_attempt_which_got_its_output() {
    let world = World::with_config(GATED);
    let prompt = script_file(
        &world,
        "fix",
        "when prompt is BADLY made\n  edit a.txt <<END\ngood\nEND\nelse\n  edit a.txt <<END\nworse\nEND\nend\ncommit Try",
    );
    world.launch("fix", &prompt, &[]);
    world.ok(&["wait", "fix"]);
    let task = world.show("fix");
    assert_eq!(task["state"], "review");
    assert_eq!(task["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(task["attempts"][0]["result"], "red");
    assert_eq!(task["attempts"][1]["result"], "green");
    assert!(world.ok(&["logs", "fix", "--gate", "good", "--attempt", "1"]).contains("is BADLY made"));
}

#[test]
fn a_task_that_stays_red_waits_for_a_human() {
    let world = World::with_config(GATED);
    world.launch("red", &edits("a.txt", "worse"), &["--attempts", "2"]);
    assert_eq!(world.run(&["wait", "red"]).code, 8);
    let task = world.show("red");
    assert_eq!(task["state"], "stuck");
    assert_eq!(task["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(world.on_main("a.txt"), None);
    world.refused(&["approve", "red"], 4);
}

#[test]
fn a_question_is_answered_and_the_lid_stays_on() {
    let world = World::new();
    let prompt = script("ask question How many cups?\nedit cups.txt <<END\n@ANSWER@ cups\nEND\ncommit Cups");
    world.launch("cups", &prompt, &[]);
    let task = world.until_state("cups", TaskState::Asking);
    assert!(task.needs_you);
    assert_eq!(task.question.unwrap().text.as_str(), "How many cups?");
    world.refused(&["logs", "cups"], 6);
    world.ok(&["answer", "cups", "seven", "--wait"]);
    let task = world.show("cups");
    assert_eq!(task["state"], "review");
    assert_eq!(task["attempts"][0]["peeked"], false);
    assert!(task["attempts"][0]["gates"].as_array().unwrap().is_empty(), "ungated");
    assert!(world.ok(&["diff", "cups"]).contains("+seven cups"));
}

#[test]
fn a_conflict_goes_back_and_comes_merged() {
    let world = World::new();
    world.write("menu.txt", "black 240\n");
    world.commit("A menu");
    let adds = |tea: &str| {
        script(&format!(
            "when attempt 1\n  append menu.txt <<END\n{tea}\nEND\n  commit Add {tea}\nelse\n  merge main\n  \
             edit menu.txt <<END\nblack 240\ngreen\nherbal\nEND\n  commit Merge\nend"
        ))
    };
    world.launch("green", &adds("green"), &[]);
    world.launch("herbal", &adds("herbal"), &[]);
    world.ok(&["wait", "green", "herbal"]);
    world.ok(&["approve", "green", "--wait"]);
    world.ok(&["approve", "herbal"]);
    let task = world.until("herbal", "a second attempt in review", |task| {
        task.attempts.len() == 2 && task.state == TaskState::Review
    });
    assert_eq!(serde_json::to_value(task.attempts[0].result).unwrap(), "merge_failed");
    world.ok(&["approve", "herbal", "--wait"]);
    assert_eq!(world.on_main("menu.txt").unwrap(), "black 240\ngreen\nherbal\n");
}

#[test]
fn the_merged_result_is_gated_before_it_lands() {
    // Each is green alone; together they are red.
    let world = World::with_config(
        "[[gate]]\nname = \"one\"\ncommand = \"[ $(ls *.txt | wc -l) -le 1 ] || { echo TOO MANY; exit 1; }\"\n",
    );
    world.launch("a", &edits("a.txt", "a"), &["--attempts", "1"]);
    world.launch("b", &edits("b.txt", "b"), &["--attempts", "1"]);
    world.ok(&["wait", "a", "b"]);
    world.ok(&["approve", "a", "--wait"]);
    let before = world.git(&["rev-parse", "main"]);
    assert_eq!(world.run(&["approve", "b", "--wait"]).code, 8);
    let task = world.show("b");
    assert_eq!(task["state"], "stuck");
    assert_eq!(world.git(&["rev-parse", "main"]), before, "red as merged: the target stands");
}

#[test]
fn an_agent_that_hangs_is_timed_out() {
    let world = World::new();
    world.launch("hang", &script("hang"), &["--time", "500ms", "--attempts", "1"]);
    assert_eq!(world.run(&["wait", "hang"]).code, 8);
    let task = world.show("hang");
    assert_eq!(task["state"], "stuck");
    assert_eq!(task["attempts"][0]["result"], "timed_out");
}

#[test]
fn a_silent_agent_is_ended() {
    let world = World::new();
    world.launch("silent", &script("hang"), &["--silence", "500ms", "--attempts", "1"]);
    assert_eq!(world.run(&["wait", "silent"]).code, 8);
    assert_eq!(world.show("silent")["attempts"][0]["result"], "timed_out");
}

#[test]
fn an_agent_that_commits_nothing_did_no_work() {
    let world = World::new();
    world.launch("idle", &script("say I did everything, trust me."), &["--attempts", "1"]);
    assert_eq!(world.run(&["wait", "idle"]).code, 8);
    assert_eq!(world.show("idle")["attempts"][0]["result"], "no_work");
}

#[test]
fn a_task_sent_back_goes_on_from_its_branch_with_the_message() {
    let world = World::new();
    let prompt = script_file(
        &world,
        "tea",
        "when prompt more sugar\n  append tea.txt <<END\nsugar\nEND\nelse\n  edit tea.txt <<END\ntea\nEND\nend\ncommit Tea",
    );
    world.launch("tea", &prompt, &[]);
    world.ok(&["wait", "tea"]);
    world.ok(&["send-back", "tea", "more sugar, please", "--wait"]);
    let task = world.show("tea");
    assert_eq!(task["attempts"][0]["result"], "sent_back");
    assert_eq!(task["state"], "review");
    world.ok(&["approve", "tea", "--wait"]);
    assert_eq!(world.on_main("tea.txt").unwrap(), "tea\nsugar\n");
}

#[test]
fn a_rejected_task_is_kept_in_the_archive() {
    let world = World::new();
    world.launch("no", &edits("no.txt", "no"), &[]);
    world.ok(&["wait", "no"]);
    let head = world.show("no")["attempts"][0]["head"].as_str().unwrap().to_owned();
    world.ok(&["reject", "no", "--reason", "not wanted"]);
    world.until_state("no", TaskState::Rejected);
    world.ok(&["archive", "no"]);
    let kept = || {
        let refs = world.git(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/nopeek"]);
        refs.contains(&head).then_some(refs)
    };
    crate::support::wait::until("the archive to hold the work", kept);
    assert_eq!(world.on_main("no.txt"), None);
}

#[test]
fn a_landed_task_is_rolled_back_through_the_gates() {
    let world = World::with_config(GATED);
    world.launch("kettle", &edits("kettle.txt", "good water"), &[]);
    world.ok(&["wait", "kettle"]);
    world.ok(&["approve", "kettle", "--wait"]);
    let landed = world.git(&["rev-parse", "main"]);
    world.ok(&["rollback", "kettle", "--wait"]);
    assert_eq!(world.show("kettle")["state"], "rolled_back");
    assert_eq!(world.on_main("kettle.txt"), None);
    assert!(world.git(&["log", "--format=%H", "main"]).contains(&landed), "history is kept");
}

#[test]
fn at_most_so_many_run_and_the_rest_wait_in_an_order_that_can_be_changed() {
    let world = World::with_config("parallel = 1\n");
    world.launch("first", &script("ask question Go?\nedit a.txt <<END\na\nEND\ncommit A"), &[]);
    world.until_state("first", TaskState::Asking);
    for name in ["second", "third"] {
        world.launch(name, &edits(&format!("{name}.txt"), name), &[]);
    }
    let waiting = || {
        let board = world.json(&["ls"]);
        let names = |id: &serde_json::Value| {
            let tasks = board["tasks"].as_array().unwrap();
            tasks.iter().find(|task| task["id"] == *id).unwrap()["name"].as_str().unwrap().to_owned()
        };
        board["repos"][0]["waiting"].as_array().unwrap().iter().map(names).collect::<Vec<_>>()
    };
    assert_eq!(waiting(), ["second", "third"]);
    world.ok(&["reorder", "third", "1"]);
    assert_eq!(waiting(), ["third", "second"]);
    assert!(!world.show("second")["why"].as_str().unwrap().is_empty(), "a waiting task says why");
    world.ok(&["answer", "first", "yes"]);
    world.ok(&["wait", "first", "second", "third"]);
}

#[test]
fn a_task_starts_after_the_one_it_needs_has_landed() {
    let world = World::new();
    world.launch("schema", &edits("schema.txt", "s"), &[]);
    world.launch("login", &edits("login.txt", "l"), &["--after", "schema"]);
    world.ok(&["wait", "schema"]);
    assert_eq!(world.show("login")["state"], "queued");
    assert_eq!(world.show("login")["after"][0], "schema");
    world.ok(&["approve", "schema", "--wait"]);
    world.ok(&["wait", "login"]);
    let base = world.git(&["show", "nopeek/login/1:schema.txt"]);
    assert_eq!(base, "s", "it starts from what has landed");
}

#[test]
fn set_up_hooks_and_files_come_before_the_agent() {
    let world = World::with_config(
        "setup = [\"echo READY > ready.tmp\"]\ncopy = [\".env\"]\nlink = [\"cache\"]\n\
         [[gate]]\nname = \"all\"\ncommand = \"grep -q KEY .env && grep -q READY ready.tmp && [ -L cache ]\"\n",
    );
    world.write(".gitignore", ".env\ncache\n*.tmp\n");
    world.commit("Ignore");
    world.write(".env", "KEY=1\n");
    world.write("cache/x", "x");
    world.launch("env", &script("run cat .env ready.tmp cache/x > seen.txt\ncommit See"), &[]);
    world.ok(&["wait", "env"]);
    let task = world.show("env");
    assert_eq!(task["state"], "review", "{task:#}");
    assert_eq!(world.git(&["show", "nopeek/env/1:seen.txt"]), "KEY=1\nREADY\nx");
}

#[test]
fn exit_codes_and_json_are_for_scripts() {
    let world = World::new();
    world.refused(&["show", "nothing"], 3);
    world.refused(&["frobnicate"], 2);
    world.refused(&["run", "--agent", "scripted", "   "], 5);
    world.launch("one", &script("hang"), &[]);
    world.until_state("one", TaskState::Working);
    assert_eq!(world.run(&["wait", "one", "--timeout", "200ms"]).code, 4);
    world.refused(&["logs", "one"], 6);
    world.refused(&["approve", "one"], 4);
    assert_eq!(world.json(&["ls"])["tasks"][0]["name"], "one");
    assert_eq!(world.json(&["ls", "--needs-you"])["tasks"].as_array().unwrap().len(), 0);
    world.ok(&["stop", "one"]);
    world.until_state("one", TaskState::Stopped);
    assert!(world.json(&["daemon", "status"])["pid"].is_u64());
}

#[test]
fn a_file_that_only_the_agents_folder_has_makes_no_merge_green() {
    let world = World::with_config("[[gate]]\nname = \"built\"\ncommand = \"test -e built.o\"\n");
    std::fs::write(world.repo().join(".gitignore"), "*.o\n").unwrap();
    world.commit("Ignore");
    world.launch(
        "cup",
        &script("run touch built.o\nedit cup.txt <<END\ntea\nEND\ncommit Pour"),
        &["--attempts", "1"],
    );
    world.ok(&["wait", "cup"]);
    assert_eq!(world.show("cup")["attempts"][0]["gates"][0]["state"]["judged"], "passed");
    let landed = world.run(&["approve", "cup", "--wait"]);
    assert_ne!(landed.code, 0, "{landed:?}");
    assert_eq!(world.on_main("cup.txt"), None, "a fresh clone of it would be red");
}

#[test]
fn a_config_that_is_not_committed_is_told_at_the_launch() {
    let world = World::new();
    std::fs::write(world.repo().join("nopeek.toml"), "parallel = 1\n").unwrap();
    let prompt = edits("cup.txt", "tea");
    let ran = world.run(&["run", "--agent", "scripted", "--name", "cup", "--", &prompt]);
    assert!(ran.code == 0 && ran.err.contains("nopeek.toml is not committed on main"), "{ran:?}");
}
