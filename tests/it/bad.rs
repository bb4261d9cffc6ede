//! Bad input and bad worlds: each gets a clear message with what to do, and leaves nothing half-done.

use crate::support::agent::{edits, script, shell};
use crate::support::term::Term;
use crate::support::wait;
use crate::support::world::{PROGRAM, World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::wire::keeper::KeeperFile;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

/// Nothing was made: no task, worktree, branch or job.
#[track_caller]
fn nothing_is_left(world: &World) {
    assert_eq!(world.json(&["ls", "--all"])["tasks"].as_array().unwrap().len(), 0);
    assert_eq!(world.jobs().len(), 0);
    assert_eq!(std::fs::read_dir(world.paths.worktrees()).unwrap().count(), 0);
    if world.repo().join(".git").exists() {
        assert_eq!(
            world.git(&["for-each-ref", "--format=%(refname)", "refs/heads/nopeek", "refs/nopeek"]),
            ""
        );
    }
}

const RUN: &[&str] = &["run", "--agent", "scripted", "x"];

#[test]
fn a_broken_nopeek_toml_is_named_with_line_and_column() {
    let world = World::new();
    for (text, wants) in [
        ("[[gate]]\nname = \"a\"\ncommand = \n", &["nopeek.toml", "3:"][..]),
        ("[[gate]]\nname = \"a\"\ncomand = \"true\"\n", &["nopeek.toml", "3:", "command"]),
        ("parallel = 0\n", &["nopeek.toml", "1:"]),
        ("[[gate]]\nname = \"a\"\ncommand = \"true\"\nneeds = [\"b\"]\n", &["nopeek.toml", "4:", "b"]),
        ("[[gate]]\nname = \"a\"\ncommand = \"true\"\ntimeout = \"soon\"\n", &["nopeek.toml", "4:"]),
    ] {
        world.write("nopeek.toml", text);
        world.commit("Break it");
        let _ = world.run(&["trust"]);
        let said = world.refused(RUN, 5);
        for want in wants {
            assert!(said.contains(want), "{text:?}: {said}");
        }
    }
    nothing_is_left(&world);
}

#[test]
fn a_broken_config_of_the_user_is_named_with_line_and_column() {
    let world = World::new();
    std::fs::write(world.paths.config.join("config.toml"), "parallel = 2\nagnt = \"codex\"\n").unwrap();
    let said = world.refused(RUN, 5);
    for want in ["config.toml", "2:", "agent"] {
        assert!(said.contains(want), "{said}");
    }
    nothing_is_left(&world);
}

#[test]
fn an_untrusted_nopeek_toml_runs_nothing() {
    let world = World::new();
    world.write("nopeek.toml", "setup = [\"touch /tmp/nopeek-must-not-exist\"]\n");
    world.commit("Set up");
    let said = world.refused(RUN, 5);
    assert!(said.contains("not trusted") && said.contains(" trust"), "{said}");
    nothing_is_left(&world);
    world.ok(&["trust"]);
    world.write("nopeek.toml", "setup = [\"touch /tmp/nopeek-must-not-exist-2\"]\n");
    world.commit("Change it");
    world.refused(RUN, 5);
}

#[test]
fn no_repo_no_commits_and_a_bare_repo_are_told_apart() {
    let world = World::empty();
    let said = world.refused(RUN, 7);
    assert!(said.contains("not in a git repository"), "{said}");
    std::fs::create_dir(world.repo()).unwrap();
    world.git(&["init", "-q", "-b", "main"]);
    let said = world.refused(RUN, 7);
    assert!(said.contains("no commit") && said.contains("git commit"), "{said}");
    let bare = world.root().join("bare");
    std::fs::create_dir(&bare).unwrap();
    world.git_in(&bare, &["init", "-q", "--bare"]);
    let ran = world.run_in(&bare, RUN);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("bare") && ran.err.contains("clone"), "{}", ran.err);
    nothing_is_left(&world);
}

#[test]
fn a_detached_head_wants_a_target() {
    let world = World::new();
    world.git(&["checkout", "-q", "--detach"]);
    let said = world.refused(RUN, 7);
    assert!(said.contains("detached") && said.contains("--target"), "{said}");
    nothing_is_left(&world);
    world.launch("a", &edits("a.txt", "a"), &["--target", "main"]);
    world.ok(&["wait", "a"]);
    world.ok(&["approve", "a", "--wait"]);
    assert_eq!(world.on_main("a.txt").unwrap(), "a\n");
    let said = world.refused(&["run", "--agent", "scripted", "--target", "nowhere", "x"], 7);
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn a_dirty_target_is_not_touched_and_the_landing_can_be_tried_again() {
    let world = World::new();
    world.launch("a", &edits("README.md", "Changed by the agent."), &[]);
    world.ok(&["wait", "a"]);
    let before = world.git(&["rev-parse", "main"]);
    world.write("README.md", "Changed by me, not committed.\n");
    assert_eq!(world.run(&["approve", "a", "--wait"]).code, 8);
    let task = world.show("a");
    assert_eq!(task["state"], "stuck");
    let why = task["why"].as_str().unwrap();
    assert!(why.contains("commit") || why.contains("stash"), "it says what to do: {why}");
    assert_eq!(world.git(&["rev-parse", "main"]), before);
    assert_eq!(
        std::fs::read_to_string(world.repo().join("README.md")).unwrap(),
        "Changed by me, not committed.\n"
    );
    world.git(&["checkout", "-q", "--", "README.md"]);
    world.ok(&["land", "a", "--wait"]);
    assert_eq!(world.on_main("README.md").unwrap(), "Changed by the agent.\n");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_missing_agent_is_said_before_anything_is_made() {
    let world = World::with_config("[agents.ghost]\ncommand = [\"no-such-program-anywhere\"]\n");
    let said = world.refused(&["run", "--agent", "ghost", "x"], 3);
    assert!(said.contains("no-such-program-anywhere") && said.contains("nopeek agents"), "{said}");
    let said = world.refused(&["run", "--agent", "nobody", "x"], 3);
    assert!(said.contains("nobody"), "{said}");
    nothing_is_left(&world);
    let agents = world.json(&["agents"]);
    let ghost = agents.as_array().unwrap().iter().find(|agent| agent["name"] == "ghost").unwrap();
    assert!(ghost["path"].is_null());
}

#[test]
#[ignore = "needs root, to give a socket away; .ci/run runs it"]
fn a_socket_of_somebody_else_is_never_spoken_to() {
    let world = World::new();
    let socket = world.paths.socket();
    let _listener = UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::chown(&socket, Some(12_345), None).unwrap();
    let said = world.refused(&["ls"], 7);
    assert!(said.contains("another user") && said.contains("NOPEEK_HOME"), "{said}");
    assert_eq!(std::fs::metadata(&socket).unwrap().uid(), 12_345, "it was left alone");
    std::fs::remove_file(&socket).unwrap();
    std::os::unix::fs::chown(&world.paths.runtime, Some(12_345), None).unwrap();
    let said = world.refused(&["ls"], 7);
    assert!(said.contains("another user"), "{said}");
}

#[test]
fn a_second_daemon_leaves_the_first_alone() {
    let world = World::new();
    world.ok(&["ls"]);
    let first = world.daemon().unwrap();
    let said = world.refused(&["daemon", "run"], 4);
    assert!(said.contains("runs already") && said.contains("daemon stop"), "{said}");
    assert_eq!(world.daemon(), Some(first));
    world.ok(&["ls"]);
}

#[test]
fn many_clients_that_start_a_daemon_at_once_get_one() {
    let world = World::new();
    let clients: Vec<_> = (0..8)
        .map(|_| world.command(&["ls"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for client in clients {
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Who lost has ended: what a client started beside the one that answers is told so by the lock.
    let pid = world.json(&["daemon", "status"])["pid"].as_u64();
    assert_eq!(pid, world.daemon().map(u64::from));
}

#[test]
fn a_ledger_of_a_newer_version_is_left_as_it_is() {
    let world = World::new();
    world.ok(&["ls"]);
    let pid = world.daemon().unwrap();
    world.ok(&["daemon", "stop"]);
    wait::until("the daemon to have closed it", || (!nopeek::os::process::is_alive(pid)).then_some(()));
    let path = world.paths.ledger();
    let ledger = rusqlite::Connection::open(&path).unwrap();
    ledger.pragma_update(None, "user_version", 999).unwrap();
    drop(ledger);
    let before = std::fs::read(&path).unwrap();
    let ran = world.run(&["ls"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("newer") && ran.err.contains("999"), "{}", ran.err);
    let differ = std::fs::read(&path).unwrap().iter().zip(&before).position(|(a, b)| a != b);
    assert_eq!(differ, None, "the first byte that differs");
    let said = world.refused(&["daemon", "run"], 7);
    assert!(said.contains("newer"), "{said}");
}

#[test]
fn a_ledger_that_is_no_database_is_left_as_it_is() {
    let world = World::new();
    std::fs::write(world.paths.ledger(), "my shopping list\n".repeat(100)).unwrap();
    let said = world.refused(&["ls"], 7);
    assert!(said.contains("ledger"), "{said}");
    assert_eq!(std::fs::read_to_string(world.paths.ledger()).unwrap(), "my shopping list\n".repeat(100));
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_grows() {
    let world = World::new();
    world.launch("kettle", &script("hang"), &[]);
    let mut term = Term::open(&world, &[], 5, 20);
    term.until_has("20x5 is too");
    term.resize(24, 80);
    term.until_has("kettle");
    term.keys("q");
    assert_eq!(term.until_ended(), 0);
}

/// A file system of a few megabytes at the world's data folder.
struct Tiny<'a>(&'a World);

impl<'a> Tiny<'a> {
    fn mount(world: &'a World) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs"]).arg(&world.paths.data);
        let status = mount.status().unwrap();
        assert!(status.success(), "a file system of its own can't be mounted, which takes root: {status}");
        Self(world)
    }

    /// Fills what is left, but for so many bytes.
    fn fill(&self, but: u64) {
        let stat = rustix::fs::statvfs(&self.0.paths.data).unwrap();
        let left = stat.f_bavail * stat.f_frsize;
        std::fs::write(
            self.0.paths.data.join("ballast"),
            vec![0; usize::try_from(left.saturating_sub(but)).unwrap()],
        )
        .unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.paths.data.join("ballast")).unwrap();
    }
}

impl Drop for Tiny<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.paths.data).status();
    }
}

#[test]
#[ignore = "needs root, to mount a file system; .ci/run runs it"]
fn a_full_disk_holds_an_agent_up_and_loses_no_byte() {
    let world = World::new();
    let tiny = Tiny::mount(&world);
    world.ok(&["ls"]);
    // 3 MB of numbers, to the terminal and to a file on another disk.
    let log = world.root().join("flood.log");
    let flood = format!(
        "stty -opost\nwhile [ ! -e {root}/go ]; do sleep 0.01; done\nseq 1 450000 | tee {log}\n",
        root = world.root().display(),
        log = log.display()
    );
    world.configure(&shell(&world, "flood", "headless", &flood));
    world.launch("flood", "Flood.", &["--agent", "flood", "--attempts", "1"]);
    let task = world.until_state("flood", TaskState::Working);
    let spool = world.paths.job(task.attempt().unwrap().job.unwrap().0).join("spool");
    tiny.fill(1024 * 1024);
    world.file("go", "");
    let len = || std::fs::metadata(&spool).unwrap().len();
    let full = || {
        let stat = rustix::fs::statvfs(&world.paths.data).unwrap();
        (stat.f_bavail == 0).then_some(())
    };
    wait::until("the disk to be full", full);
    let at = len();
    // Nothing new can be had, and that is said.
    let ran = world.run(&["run", "--agent", "scripted", "--name", "late", "x"]);
    assert_ne!(ran.code, 0, "a launch was acknowledged that can't be kept: {}", ran.out);
    assert!(ran.err.contains("disk") || ran.err.contains("space") || ran.err.contains("full"), "{}", ran.err);
    assert!(len() <= at + 64 * 1024, "the spool grew on a full disk");
    tiny.free();
    world.until_state("flood", TaskState::Stuck);
    let (wrote, spooled) = (std::fs::read(&log).unwrap(), std::fs::read(&spool).unwrap());
    assert_eq!(wrote.len(), spooled.len());
    assert!(wrote == spooled, "the spool differs from what was written");
    // What was uncertain is there as a whole or not at all.
    let board = world.json(&["ls"]);
    if board["tasks"].as_array().unwrap().iter().any(|task| task["name"] == "late") {
        world.until_state("late", TaskState::Review);
    }
    // All goes on as ever.
    world.launch("after", &edits("a.txt", "a"), &[]);
    world.ok(&["wait", "after"]);
    if let Some(pid) = world.daemon() {
        kill(pid);
    }
    for job in world.jobs() {
        crate::support::world::end_job(&job);
    }
}

#[test]
fn a_spool_that_can_not_grow_holds_its_agent_up() {
    let world = World::new();
    let log = world.root().join("flood.log");
    let flood = format!(
        "stty -opost\nwhile [ ! -e {root}/go ]; do sleep 0.01; done\nseq 1 450000 | tee {log}\n",
        root = world.root().display(),
        log = log.display()
    );
    world.configure(&shell(&world, "flood", "headless", &flood));
    world.ok(&["daemon", "stop"]);
    // A write beyond the limit fails instead of killing, for the daemon and so for its keepers.
    let mut daemon = Command::new("sh");
    daemon.arg("-c").arg("trap '' XFSZ; exec \"$0\" daemon run").arg(PROGRAM).env_clear().envs(world.env());
    let mut daemon = daemon.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait::until("the daemon", || world.daemon());
    world.launch("flood", "Flood.", &["--agent", "flood", "--attempts", "1"]);
    let task = world.until_state("flood", TaskState::Working);
    let job = world.paths.job(task.attempt().unwrap().job.unwrap().0);
    let file = || std::fs::read(job.join("keeper.json")).ok();
    let keeper: KeeperFile = serde_json::from_slice(&wait::until("its keeper", file)).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(keeper.keeper).unwrap());
    let limit = |bytes| {
        let limits = rustix::process::Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limits).unwrap();
    };
    limit(Some(100_001));
    world.file("go", "");
    let len = || std::fs::metadata(job.join("spool")).unwrap().len();
    wait::until("the spool to be as large as it may", || (len() == 100_001).then_some(()));
    assert_eq!(world.show("flood")["state"], "working");
    limit(None);
    world.until_state("flood", TaskState::Stuck);
    assert!(std::fs::read(&log).unwrap() == std::fs::read(job.join("spool")).unwrap(), "bytes were lost");
    world.ok(&["daemon", "stop"]);
    daemon.wait().unwrap();
}

#[test]
#[ignore = "needs root, to mount a file system; .ci/run runs it"]
fn a_full_disk_at_the_start_is_said() {
    let world = World::new();
    let tiny = Tiny::mount(&world);
    tiny.fill(0);
    let ran = world.run(&["ls"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("full") || ran.err.contains("space"), "{}", ran.err);
    tiny.free();
    world.ok(&["ls"]);
    if let Some(pid) = world.daemon() {
        kill(pid);
    }
}
