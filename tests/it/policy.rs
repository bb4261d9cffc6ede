//! The policy as a gate: what breaks a rule is red, its message reaches the next attempt, which mends it.

use crate::support::agent::{edits, script_file};
use crate::support::world::{Ran, World};
use nopeek::core::model::task::TaskState;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A token that looks like one of GitHub's; it stands nowhere whole.
fn token() -> String {
    format!("gh{}_{}", "p", "a8Kd0Qz4LmP2xR7vT1nB5wY3cH9jF6gSa8Kd0Qz4")
}

/// A worktree of the repo as an attempt has it.
fn worktree(world: &World) -> PathBuf {
    let place = world.root().join("work");
    world.git(&["worktree", "add", "-q", "-b", "nopeek/t/1", place.to_str().unwrap(), "main"]);
    place
}

fn check(world: &World, place: &std::path::Path, more: &[&str]) -> Ran {
    world.run_in(place, &[&["policy"], more].concat())
}

#[test]
fn a_change_of_a_protected_path_is_taken_back_by_the_next_attempt() {
    let world = World::with_config("[policy]\nprotected = [\"ci/**\"]\n");
    world.write("ci/run.sh", "make\n");
    world.commit("CI");
    let prompt = script_file(
        &world,
        "ci",
        "when prompt ci/run.sh: is changed and protected by ci/**\n  \
         run git checkout main -- ci/run.sh\n  commit Take it back\nelse\n  edit ci/run.sh <<END\ntrue\nEND\n  \
         edit a.txt <<END\na\nEND\n  commit Work\nend",
    );
    world.launch("ci", &prompt, &[]);
    world.ok(&["wait", "ci"]);
    let task = world.show("ci");
    assert_eq!(task["state"], "review", "{task:#}");
    assert_eq!(task["attempts"].as_array().unwrap().len(), 2);
    let gate = |attempt: usize| &task["attempts"][attempt]["gates"][0];
    assert_eq!(gate(0)["name"], "policy");
    assert_eq!(gate(0)["state"]["judged"], "failed");
    assert_eq!(gate(1)["state"]["judged"], "passed");
    let said = world.ok(&["logs", "ci", "--gate", "policy", "--attempt", "1"]);
    assert!(said.contains("(protected): take it back: git checkout"), "{said}");
    world.ok(&["approve", "ci", "--wait"]);
    let task = world.show("ci");
    assert_eq!(task["merge_gates"][0]["name"], "policy", "the merged result is checked too");
    assert_eq!(world.on_main("a.txt").unwrap(), "a\n");
    world.ok(&["rollback", "ci", "--wait"]);
}

#[test]
fn a_secret_is_red_until_no_commit_holds_it_and_is_never_printed() {
    let world = World::with_config("[policy]\n");
    let prompt = script_file(
        &world,
        "key",
        &format!(
            "when attempt 1\n  edit key.txt <<END\nkey = {}\nEND\n  commit Add a key\nend\nwhen attempt 2\n  \
             edit key.txt <<END\nkey = $KEY\nEND\n  commit Take it out\nend\nwhen attempt 3\n  \
             run git reset -q --soft main\n  commit Add no key\nend",
            token()
        ),
    );
    world.launch("key", &prompt, &[]);
    world.ok(&["wait", "key"]);
    let task = world.show("key");
    assert_eq!(task["state"], "review", "{task:#}");
    assert_eq!(task["attempts"].as_array().unwrap().len(), 3);
    let said = |attempt: &str| world.ok(&["logs", "key", "--gate", "policy", "--attempt", attempt]);
    assert!(said("1").contains("key.txt:1: looks like it holds a GitHub token (secrets)"), "{}", said("1"));
    assert!(said("2").contains("in commit"), "{}", said("2"));
    assert!(!said("1").contains(&token()) && !said("2").contains(&token()));
}

#[test]
fn an_attempt_that_writes_the_target_is_red() {
    let world = World::with_config("[policy]\n");
    let prompt = script_file(
        &world,
        "writes",
        "edit a.txt <<END\na\nEND\ncommit One\nrun git update-ref refs/heads/main HEAD\n\
         edit b.txt <<END\nb\nEND\ncommit Two",
    );
    world.launch("writes", &prompt, &["--attempts", "1"]);
    let task = world.until_state("writes", TaskState::Stuck);
    let gates = &task.attempts[0].gates;
    assert!(!gates[0].verdict().unwrap().is_green());
    let said = world.ok(&["logs", "writes", "--gate", "policy"]);
    assert!(said.contains("commits of this worktree are on the target already"), "{said}");
}

#[test]
fn the_policy_is_the_targets_and_not_the_agents() {
    let world = World::with_config("[policy]\nprotected = [\"nopeek.toml\"]\n");
    world.launch("sly", &edits("nopeek.toml", "# nothing"), &["--attempts", "1"]);
    let task = world.until_state("sly", TaskState::Stuck);
    assert_eq!(task.attempts[0].gates.len(), 1);
    assert!(!task.attempts[0].gates[0].verdict().unwrap().is_green());
}

#[test]
fn an_agent_can_check_its_work_before_it_is_done() {
    let world = World::with_config(
        "[policy]\nfiles_max = 2\nmemory = \"wip.md\"\nmemory_required = true\nmigrations = [\"db/\"]\n\
         [[policy.boundary]]\nfrom = \"core/**\"\nmust_not = [\"net\"]\n",
    );
    world.write("db/2_b.sql", "b\n");
    world.commit("Migrate");
    let place = worktree(&world);
    let fine = check(&world, &place, &[]);
    assert_eq!(
        (fine.code, fine.out.as_str()),
        (0, "the policy of main holds: 0 files changed\n"),
        "{}",
        fine.err
    );
    std::fs::create_dir(place.join("core")).unwrap();
    std::fs::write(place.join("core/a.py"), "import os\nimport net.http\n").unwrap();
    std::fs::write(place.join("db/1_a.sql"), "a\n").unwrap();
    std::fs::write(place.join("c\x1b[31m.txt"), "c\n").unwrap();
    assert_eq!(check(&world, &place, &["--committed"]).code, 0, "nothing of it is committed");
    let broken = check(&world, &place.join("core"), &["--touch", "core/**", "--touch", "db/"]);
    assert_eq!(broken.code, 8, "{}", broken.err);
    let says = [
        "c␛[31m.txt: is added, and only core/**, db/ may be changed (touchpoints): take it out: git rm",
        "db/1_a.sql: is a new migration and does not come after db/2_b.sql (migrations): give it a higher number",
        "core/a.py:2: imports net, which core/** must not use (boundary): take the import out",
        "3 files are changed, and at most 2 may be (files_max): ",
        "wip.md: is the memory of the project and was not updated (memory): ",
    ];
    let lines: Vec<&str> = broken.out.lines().collect();
    assert_eq!(lines.len(), says.len(), "{}", broken.out);
    for (line, says) in lines.iter().zip(says) {
        assert!(line.starts_with(says), "{line}\n{says}");
    }
    let json: serde_json::Value = serde_json::from_str(&check(&world, &place, &["--json"]).out).unwrap();
    assert_eq!(json["breaches"][1]["rule"], "boundary");
    assert_eq!(json["breaches"][1]["line"], 2);
    let bad = check(&world, &place, &["--touch", "/core"]);
    assert_eq!(bad.code, 5);
    assert!(bad.err.contains("leave the slash out"), "{}", bad.err);
}

#[test]
fn gitleaks_is_asked_if_it_is_there_and_its_findings_are_merged() {
    let world = World::with_config("[policy]\n");
    let place = worktree(&world);
    std::fs::write(place.join("a.txt"), format!("one\nodd-thing-9\nkey = {}\n", token())).unwrap();
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let install = |script: &str| {
        let file = bin.join("gitleaks");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{}:{}", bin.to_str().unwrap(), std::env::var("PATH").unwrap());
    let run = || {
        let output = world.command(&["policy"]).current_dir(&place).env("PATH", &path).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    install(
        "grep -q odd-thing-9 || exit 9\n[ \"$1\" = stdin ] || exit 8\nwhile [ \"$1\" != --report-path ]; do shift; done\n\
         echo '[{\"RuleID\":\"odd\",\"StartLine\":1,\"Secret\":\"odd-thing-9\"}]' > \"$2\"",
    );
    let (code, out, err) = run();
    assert_eq!((code, err.as_str()), (8, ""));
    assert!(out.contains("a.txt:2: looks like it holds a secret, says gitleaks: odd (secrets)"), "{out}");
    assert!(out.contains("a.txt:3: looks like it holds a GitHub token"), "{out}");
    assert!(!out.contains("odd-thing-9") && !out.contains(&token()));
    install("echo 'no such command' >&2; exit 126");
    let (code, out, err) = run();
    assert_eq!((code, out.lines().count()), (8, 1), "{out}");
    assert!(err.contains("gitleaks could not be asked") && err.contains("no such command"), "{err}");
}
