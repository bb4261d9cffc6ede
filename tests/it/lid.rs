//! The lid: no byte of a covered screen reaches anybody, and no key reaches a covered agent.

use crate::support::agent::script;
use crate::support::looker::Looker;
use crate::support::proxy::Proxy;
use crate::support::wait;
use crate::support::world::World;
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::TaskView;
use nopeek::wire::client::ToDaemon;
use nopeek::wire::input::{Input, Key, KeyCode};
use std::path::Path;
use std::time::Duration;

/// What the agent prints; its script holds it in another spelling.
const MARKER: &str = "STEAM-7f3a-UNDER";
const SPELLED: &str = "STEAM\\x2d7f3a\\x2dUNDER";

fn job(task: &TaskView) -> nopeek::values::ids::JobId {
    task.attempt().unwrap().job.unwrap()
}

fn holds(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARKER.as_bytes()).is_some()
}

/// Files below `folder` that hold the marker.
fn files_with_marker(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_with_marker(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| holds(&bytes)) {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn no_covered_byte_reaches_a_client_a_log_or_json_until_the_lid_is_lifted() {
    let world = World::new();
    world.ok(&["ls"]);
    let proxy = Proxy::between(&world);
    // In the text, the title, a notification, a hyperlink, and in what is left when it ends.
    let prompt = script(&format!(
        "print {SPELLED}\\n\\e]0;{SPELLED}\\x07\\e]9;{SPELLED}\\x07\\e]777;notify;{SPELLED};{SPELLED}\\x07\\e]8;;http://{SPELLED}\\x07x\\e]8;;\\x07\\n\n\
         print \\e[31m{SPELLED}\\e[0m\\r\\n\nask question Go on?\nprint {SPELLED}\\n\nedit a.txt <<E\na\nE\ncommit A",
    ));
    world.launch("secret", &prompt, &[]);
    let task = world.until_state("secret", TaskState::Asking);
    let job = job(&task);
    let spool = world.paths.job(job.0).join("spool");
    wait::until("the agent to have printed", || std::fs::read(&spool).ok().filter(|bytes| holds(bytes)));

    // Every surface that there is, while it is covered.
    let mut looker = Looker::open(&world, job, 24, 80, true);
    looker.until("word that it is covered", |looker| looker.covered);
    let mut said = String::new();
    for args in [
        &["ls", "--json"][..],
        &["ls"],
        &["show", "secret", "--json"],
        &["show", "secret"],
        &["ledger", "--json"],
        &["ledger"],
        &["logs", "secret", "--json"],
        &["logs", "secret"],
        &["diff", "secret", "--json"],
        &["doctor", "--json"],
        &["agents", "--json"],
        &["daemon", "status", "--json"],
    ] {
        let ran = world.run(args);
        said.push_str(&ran.out);
        said.push_str(&ran.err);
    }
    let mut term = crate::support::term::Term::open(&world, &[], 50, 200);
    term.until_has("secret");
    term.until_has("Go on?");
    world.ok(&["pause", "secret"]);
    world.ok(&["resume", "secret"]);
    assert!(!looker.within(Duration::from_millis(300), |looker| !looker.covered), "a frame came");
    assert!(!holds(&proxy.seen()), "the marker went over the socket");
    assert!(!holds(said.as_bytes()), "the CLI said it");
    assert!(!holds(&term.bytes()), "the board showed it");
    term.keys("q");
    term.until_ended();

    // Only the spool holds it: no ledger, no log, no other file of the home.
    let found = files_with_marker(&world.root().join("home"));
    assert_eq!(found, [spool.to_str().unwrap()]);

    // The lid is lifted when the attempt has ended: then the same eyes see it, so they were not blind.
    world.ok(&["answer", "secret", "yes", "--wait"]);
    looker.until("the lifted screen", |looker| looker.has(MARKER));
    assert!(holds(&proxy.seen()));
    assert!(holds(world.ok(&["logs", "secret"]).as_bytes()));
    assert_eq!(world.show("secret")["attempts"][0]["peeked"], false);
}

#[test]
fn no_key_reaches_a_covered_agent() {
    let world = World::new();
    // What is typed without leave would be read by `cat` and stand in the file.
    let prompt = script("ask question First?\nrun cat > typed.txt\nedit a.txt <<E\n@ANSWER@\nE\ncommit A");
    world.launch("deaf", &prompt, &[]);
    let task = world.until_state("deaf", TaskState::Asking);
    let mut looker = Looker::open(&world, job(&task), 24, 80, true);
    for c in "intruder".chars() {
        let input = Input::Key(Key { code: KeyCode::Char(c), mods: 0 });
        looker.send(ToDaemon::Input { job: job(&task), input });
    }
    looker.send(ToDaemon::Input { job: job(&task), input: Input::Paste("intruder".to_owned()) });
    looker.until("word that it is covered", |looker| looker.covered);
    world.ok(&["answer", "deaf", "the answer", "--wait"]);
    let text = world.git(&["show", "nopeek/deaf/1:a.txt"]);
    assert_eq!(text, "the answer");
    assert_eq!(world.git(&["show", "nopeek/deaf/1:typed.txt"]), "");
    world.refused(&["answer", "deaf", "too late"], 4);
}

#[test]
fn a_broken_lid_is_on_the_record() {
    let world = World::new();
    world.launch("peeked", &script(&format!("print {SPELLED}\\r\\n\nhang")), &[]);
    let task = world.until_state("peeked", TaskState::Working);
    let mut looker = Looker::open(&world, job(&task), 24, 80, false);
    looker.until("word that it is covered", |looker| looker.covered);
    world.refused(&["peek", "peeked", "--reason", "  "], 5);
    world.ok(&["peek", "peeked", "--reason", "it smells burnt"]);
    looker.until("the screen", |looker| looker.has(MARKER));
    assert!(world.ok(&["logs", "peeked"]).contains(MARKER));
    let task = world.show("peeked");
    assert_eq!(task["attempts"][0]["peeked"], true);
    assert_eq!(task["attempts"][0]["lid"], "peeked");
    let ledger = world.json(&["ledger"]);
    let line = ledger.as_array().unwrap().iter().find(|line| line["kind"] == "peeked").unwrap().clone();
    assert!(line["text"].as_str().unwrap().contains("it smells burnt"), "{line}");
    world.ok(&["cover", "peeked"]);
    looker.until("word that it is covered again", |looker| looker.covered);
    world.refused(&["logs", "peeked"], 6);
    assert_eq!(world.show("peeked")["attempts"][0]["peeked"], true, "what was seen stays seen");
}

#[test]
fn two_clients_of_different_sizes_see_the_same_uncovered_agent() {
    let world = World::new();
    let prompt = script("print line one\\r\\nline two\\r\\n\nstay");
    world.launch("open", &prompt, &["--lid", "off", "--agent", "scripted-tui"]);
    let task = world.until_state("open", TaskState::Working);
    let job = job(&task);
    let mut small = Looker::open(&world, job, 10, 40, true);
    small.until("the small screen", |looker| looker.has("line two") && looker.size == (10, 40));
    let mut large = Looker::open(&world, job, 50, 200, true);
    large.until("the large screen", |looker| looker.has("line two") && looker.size == (50, 200));
    // The screen has the size of the one that focused last; the other sees as much of it as it has room for.
    small.until("its part of the large screen", |looker| looker.has("line two") && looker.size == (10, 40));
    drop(large);
    let key = Input::Key(Key { code: KeyCode::Char('x'), mods: 0 });
    small.send(ToDaemon::Input { job, input: key });
    small.until("an answer to a key", |looker| looker.rows.iter().any(|row| row.starts_with('>')));
}
