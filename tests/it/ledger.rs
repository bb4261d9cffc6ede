//! A ledger that can grow and be damaged: of another format or a newer kind, with a row or a page that can't be read,
//! locked, restored. What people see of it, and that the way back which they are told leads back.

use crate::support::agent::{edits, script};
use crate::support::term::Term;
use crate::support::wait;
use crate::support::world::{PROGRAM, Ran, World};
use nopeek::core::model::task::TaskState;
use nopeek::wire::keeper::KeeperFile;
use rusqlite::Connection;
use std::path::Path;
use std::process::{Command, Stdio};

/// A world with one task that waits for review and no daemon.
fn world() -> World {
    let world = World::new();
    world.launch("kettle", &edits("kettle.txt", "water"), &[]);
    world.ok(&["wait", "kettle"]);
    stop(&world);
    world
}

/// Ends the daemon and waits until it has closed the ledger.
fn stop(world: &World) {
    let Some(pid) = world.daemon() else { return };
    world.ok(&["daemon", "stop"]);
    wait::until("the daemon to have closed it", || (!nopeek::os::process::is_alive(pid)).then_some(()));
}

fn sql(world: &World, sql: &str) {
    let db = Connection::open(world.paths.ledger()).unwrap();
    db.execute_batch(sql).unwrap();
    // All of it in the one file.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

fn backups(world: &World) -> Vec<String> {
    let files = std::fs::read_dir(world.paths.data.join("backups")).into_iter().flatten().flatten();
    files
        .map(|file| file.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ledger-"))
        .collect()
}

/// A back-up of the day, as a daemon makes it that finds facts and none.
fn back_up(world: &World) {
    world.ok(&["ls"]);
    wait::until("the back-up of the day", || (!backups(world).is_empty()).then_some(()));
    stop(world);
}

/// Does what a person is told to type.
#[track_caller]
fn follow(world: &World, said: &str) {
    let is_step =
        |line: &&str| ["nopeek daemon stop", "mkdir ", "cp "].iter().any(|step| line.starts_with(step));
    let steps: Vec<&str> = said.lines().map(str::trim).filter(is_step).collect();
    assert_eq!(steps.len(), 3, "{said}");
    for step in steps {
        let pid = world.daemon();
        let mut shell = Command::new("sh");
        let path =
            format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
        shell.args(["-c", step]).env_clear().envs(world.env()).env("PATH", path).stdin(Stdio::null());
        let done = shell.output().unwrap();
        assert!(done.status.success(), "{step}: {}", String::from_utf8_lossy(&done.stderr));
        if let Some(pid) = pid {
            wait::until("the daemon to end", || (!nopeek::os::process::is_alive(pid)).then_some(()));
        }
    }
}

/// All is well again: the task is there, and work can be begun.
#[track_caller]
fn is_well(world: &World) {
    let ran = world.run(&["ls"]);
    assert!(ran.code == 0 && ran.out.contains("kettle") && ran.err.is_empty(), "{ran:?}");
    world.launch("cup", &edits("cup.txt", "tea"), &[]);
    world.ok(&["wait", "cup"]);
}

#[track_caller]
fn is_refused_as_newer(world: &World, what: &str) {
    let before = std::fs::read(world.paths.ledger()).unwrap();
    for args in [&["ls"][..], &["daemon", "run"], &["run", "--agent", "scripted", "x"]] {
        let said = world.refused(args, 7);
        assert!(said.contains("was written by a newer nopeek") && said.contains(what), "{args:?}: {said}");
        assert!(
            said.contains("install the newer nopeek again") && said.contains("leave the ledger"),
            "{said}"
        );
        assert!(!said.contains("mv ") && !said.contains("is damaged"), "{args:?}: {said}");
    }
    let mut term = Term::open(world, &[], 24, 80);
    term.until_has("newer nopeek");
    term.until_exited();
    assert!(std::fs::read(world.paths.ledger()).unwrap() == before, "it was left as it is");
}

#[test]
fn a_kind_that_is_not_known_was_written_by_a_newer_nopeek() {
    let world = world();
    let add = "INSERT INTO facts (seq, at, by, task, kind, body) SELECT max(seq) + 1, max(at), 'ada', 1, ";
    sql(&world, &format!("{add} 'kettle_whistled', '{{\"kettle_whistled\":{{\"task\":1}}}}' FROM facts"));
    is_refused_as_newer(&world, "\"kettle_whistled\"");
    // What is known is read without a daemon; the rest is named, and so is what it means.
    let Ran { code, out, err } = world.run(&["ledger"]);
    assert!(code == 7 && out.contains("launched kettle") && out.contains("kettle_whistled"), "{out}{err}");
    assert!(err.contains("was written by a newer nopeek"), "{err}");
}

#[test]
fn a_version_and_a_nested_kind_that_are_not_known_were_written_by_a_newer_nopeek() {
    let world = world();
    sql(&world, "UPDATE facts SET v = 9 WHERE kind = 'review_opened'");
    is_refused_as_newer(&world, "\"review_opened\" of version 9");
    let nested = r#"{"ask":{"whispered":{"question":1}}}"#;
    sql(
        &world,
        &format!(
            "UPDATE facts SET v = 1, kind = 'question_whispered', body = '{nested}' WHERE kind = 'review_opened'"
        ),
    );
    is_refused_as_newer(&world, "\"question_whispered\"");
}

#[test]
fn a_newer_format_is_refused_in_words_that_help() {
    let world = world();
    sql(&world, "PRAGMA user_version = 999");
    is_refused_as_newer(&world, "format 999");
}

#[test]
fn an_older_format_is_backed_up_then_brought_up_to_date_and_shows_the_same() {
    let world = world();
    let (board, lines) = (world.ok(&["ls"]), world.ok(&["ledger"]));
    stop(&world);
    let _ = std::fs::remove_dir_all(world.paths.data.join("backups"));
    sql(&world, "ALTER TABLE facts DROP COLUMN v; PRAGMA user_version = 1");
    let old = world.json(&["ledger"]);
    assert_eq!(old, world.json(&["ledger"]), "reading changes nothing");
    assert_eq!(world.ok(&["ledger"]), lines);
    let now = world.ok(&["ls"]);
    assert_eq!(now.lines().count(), board.lines().count());
    assert!(now.contains("kettle") && now.contains("review"), "{now}");
    let made = backups(&world);
    assert!(made.iter().any(|name| name.ends_with("-format1.db")), "{made:?}");
    let doctor = world.run(&["doctor"]);
    assert!(doctor.out.contains("facts, all can be read"), "{}", doctor.out);
    assert!(doctor.out.contains("newest") && doctor.out.contains("backups"), "{}", doctor.out);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("kettle");
    term.keys("q");
    term.until_ended();
}

#[test]
fn one_damaged_row_leaves_a_board_that_is_read_only_and_a_way_back_that_works() {
    let world = world();
    back_up(&world);
    sql(
        &world,
        "UPDATE facts SET body = '{\"session_known' WHERE seq = (SELECT max(seq) FROM facts WHERE kind = 'settled')",
    );
    let Ran { code, out, err } = world.run(&["ls"]);
    assert!(code == 0 && out.contains("kettle"), "what can be read is shown: {out}{err}");
    assert!(err.contains("the ledger is read-only: fact") && err.contains("reads well"), "{err}");
    assert_eq!(world.json(&["ls"])["trouble"]["read_only"], true);
    for args in [
        &["run", "--agent", "scripted", "x"][..],
        &["approve", "kettle"],
        &["stop", "kettle"],
        &["spec", "new", "--agent", "scripted", "a goal"],
    ] {
        let ran = world.run(args);
        assert_ne!(ran.code, 0, "{args:?}");
        if args[0] != "spec" {
            assert!(
                ran.code == 7 && ran.err.contains("read-only") && ran.err.contains("cp "),
                "{args:?}: {}",
                ran.err
            );
        }
    }
    assert!(world.ok(&["show", "kettle"]).contains("kettle"));
    let Ran { code, out, err } = world.run(&["ledger"]);
    assert!(out.contains("launched kettle"), "{code} {out}{err}");
    let Ran { code, out, err } = world.run(&["ledger", "--all"]);
    assert!(code == 7 && out.contains("launched kettle") && out.contains("can't be read"), "{out}{err}");
    let doctor = world.run(&["doctor"]);
    assert!(
        doctor.code == 7 && doctor.out.contains("BROKEN ledger") && doctor.out.contains("cp "),
        "{}",
        doctor.out
    );
    for (rows, cols) in [(24, 80), (50, 200)] {
        let mut term = Term::open(&world, &[], rows, cols);
        let picture = term.until("the board and what is wrong", |p| p.has("kettle") && p.has("read-only"));
        assert!(picture.has("nopeek doctor"), "{}", picture.text());
        term.keys("q");
        term.until_ended();
    }
    let made = backups(&world);
    follow(&world, &err);
    is_well(&world);
    assert!(made.iter().all(|name| backups(&world).contains(name)), "no good back-up went");
}

#[test]
fn a_damaged_file_is_refused_with_the_back_up_to_take_and_the_way_there() {
    let world = world();
    back_up(&world);
    let path = world.paths.ledger();
    sql(&world, "PRAGMA user_version");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    let said = world.refused(&["ls"], 7);
    assert!(said.contains("is damaged") && said.contains("the newest back-up that reads well"), "{said}");
    let mut term = Term::open(&world, &[], 50, 200);
    term.until_has("is damaged");
    term.until_exited();
    follow(&world, &said);
    is_well(&world);
}

#[test]
fn a_ledger_that_is_gone_is_said_to_be_gone_and_a_way_back_works() {
    let world = world();
    back_up(&world);
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(world.paths.data.join(name));
    }
    let said = world.refused(&["ls"], 7);
    assert!(
        said.contains("the ledger is gone") && said.contains("the newest back-up that reads well"),
        "{said}"
    );
    let doctor = world.run(&["doctor"]);
    assert!(doctor.code == 7 && doctor.out.contains("the ledger is gone"), "{}", doctor.out);
    let copy = said.lines().map(str::trim).find(|line| line.starts_with("cp ")).expect(&said);
    assert!(Command::new("sh").args(["-c", copy]).status().unwrap().success(), "{copy}");
    is_well(&world);
}

#[test]
fn agents_that_a_restored_ledger_does_not_know_are_ended() {
    let world = world();
    back_up(&world);
    world.launch("later", &script("hang"), &[]);
    world.until_state("later", TaskState::Working);
    let jobs = world.jobs();
    let child = jobs.iter().filter_map(|job| {
        let file: KeeperFile = serde_json::from_slice(&std::fs::read(job.join("keeper.json")).ok()?).ok()?;
        nopeek::os::process::is_alive(file.child).then_some(file.child)
    });
    let child: Vec<u32> = child.collect();
    assert_eq!(child.len(), 1, "the later agent works");
    stop(&world);
    sql(&world, "UPDATE facts SET body = 'x' WHERE seq = 1");
    let said = world.run(&["ls"]).err;
    assert!(said.contains("agents that were started after it are ended"), "{said}");
    assert!(nopeek::os::process::is_alive(child[0]), "nothing is done on half of the facts");
    follow(&world, &said);
    is_well(&world);
    wait::until("the unknown agent to end", || (!nopeek::os::process::is_alive(child[0])).then_some(()));
}

#[test]
fn a_back_up_that_fails_is_told_and_stops_nothing() {
    let world = world();
    let backups = world.paths.data.join("backups");
    let _ = std::fs::remove_dir_all(&backups);
    std::fs::write(&backups, "in the way").unwrap();
    let said = wait::until("the back-up to fail", || {
        let trouble = world.json(&["ls"])["trouble"].clone();
        (!trouble.is_null()).then_some(trouble)
    });
    let what = said["what"].as_str().unwrap();
    assert!(what.contains("daily back-up failed") && said["read_only"] == false, "{said}");
    let doctor = world.run(&["doctor"]);
    assert!(doctor.out.contains("the last one failed at"), "{}", doctor.out);
    world.launch("cup", &edits("cup.txt", "tea"), &[]);
    world.ok(&["wait", "cup"]);
    stop(&world);
    std::fs::remove_file(&backups).unwrap();
    back_up(&world);
    assert!(!world.run(&["doctor"]).out.contains("the last one failed"), "it is forgotten once one is made");
}

#[test]
fn a_ledger_that_another_process_locks_is_said_to_be_locked() {
    let world = world();
    world.ok(&["ls"]);
    let other = Connection::open(world.paths.ledger()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let said =
        world.refused(&["run", "--agent", "scripted", "--name", "cup", "--", &edits("cup.txt", "tea")], 7);
    assert!(said.contains("locked by another process") && said.contains("not certain yet"), "{said}");
    assert!(!said.contains("room"), "{said}");
    other.execute_batch("ROLLBACK").unwrap();
    world.ok(&["wait", "cup"]);
}

#[test]
fn numbers_of_before_an_older_ledger_was_put_in_place_are_not_used_again() {
    let world = world();
    let path = world.paths.ledger();
    sql(&world, "PRAGMA user_version");
    let old = std::fs::read(&path).unwrap();
    let cup = world.launch("cup", &edits("cup.txt", "tea"), &[]);
    world.ok(&["wait", "cup"]);
    stop(&world);
    let numbers = || {
        let name = |job: std::path::PathBuf| job.file_name()?.to_str()?.parse::<u64>().ok();
        world.jobs().into_iter().filter_map(name).max().unwrap()
    };
    let before = numbers();
    for file in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(world.paths.data.join(file));
    }
    std::fs::write(&path, old).unwrap();
    let pot = world.launch("pot", &edits("pot.txt", "tea"), &[]);
    world.ok(&["wait", "pot"]);
    assert!(pot["id"].as_u64() > cup["id"].as_u64(), "{} {}", pot["id"], cup["id"]);
    let job = world.show("pot")["attempts"][0]["job"].as_u64();
    assert!(job > Some(before), "{job:?} is a job of the lost ledger, of which there were {before}");
    assert_eq!(numbers(), before + 1);
}
