//! What a killed daemon leaves running: its git, and a keeper that it had only just started.

use crate::support::agent::{edits, script};
use crate::support::wait;
use crate::support::world::{PROGRAM, World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::os::lock::Lock;
use nopeek::os::process::{is_alive, spawn_keeper};
use std::path::Path;

/// What the daemon writes into its log while it waits for an earlier daemon's git.
const WAITS: &str = "git of an earlier daemon";

/// A world in which the first checkout of `slow.txt` stands still, half done, until `go` is there.
fn with_slow_checkout() -> World {
    let world = World::new();
    let (first, go) = (world.root().join("first"), world.root().join("go"));
    let smudge = format!(
        "if mkdir {} 2>/dev/null; then until [ -e {} ]; do sleep 0.02; done; fi; cat",
        first.display(),
        go.display()
    );
    world.git(&["config", "filter.slow.clean", "cat"]);
    world.git(&["config", "filter.slow.smudge", &smudge]);
    world.write(".gitattributes", "slow.txt filter=slow\n");
    world.write("slow.txt", "slow\n");
    world.commit("Slow");
    world
}

/// git that makes a worktree of this world.
fn git_at_work(world: &World) -> Vec<u32> {
    world.processes(|argv| {
        argv.first().is_some_and(|program| program == "git") && argv.contains(&"worktree".into())
    })
}

/// `git worktree add` that fails takes away what it has made, by its path; it fails once the next daemon has cleared
/// its half-made worktree.
#[test]
fn git_of_a_killed_daemon_takes_no_worktree_of_the_next_one_away() {
    let world = with_slow_checkout();
    world.launch("fix", &edits("a.txt", "a"), &[]);
    wait::until("git in the middle of a checkout", || world.root().join("first").exists().then_some(()));
    let old = git_at_work(&world);
    assert!(!old.is_empty());
    kill(world.daemon().unwrap());
    world.ok(&["ls"]);
    wait::until("the next daemon to wait for git, or to have gone past it", || {
        let log = std::fs::read_to_string(world.paths.log()).unwrap_or_default();
        let is_past = world.show("fix")["state"] == "review";
        (log.contains(WAITS) || is_past).then_some(())
    });
    world.file("go", "");
    wait::until("the old git's end", || (!old.iter().any(|pid| is_alive(*pid))).then_some(()));
    let task = world.until_state("fix", TaskState::Review);
    let worktree = task.attempt().unwrap().worktree.clone().unwrap();
    assert!(worktree.join("slow.txt").exists(), "its worktree has gone");
    assert_eq!(task.attempts.len(), 1);
    world.ok(&["approve", "fix", "--wait"]);
}

/// A world whose first job has its keeper started, but not yet its lock: as a daemon leaves it that is killed in the
/// moment in which it starts a keeper. The lock stands for the pause.
fn before_the_lock(prompt: &str) -> (World, Lock) {
    let world = World::new();
    let job = world.paths.job(2);
    world.launch("first", &edits("first.txt", "first"), &[]);
    world.ok(&["wait", "first"]);
    assert!(!job.exists(), "the next job is not the second");
    std::fs::create_dir(&job).unwrap();
    let lock = Lock::try_take(&job.join("lock")).unwrap().unwrap();
    world.launch("fix", prompt, &[]);
    wait::until("its spec", || job.join("spec.json").exists().then_some(()));
    kill(world.daemon().unwrap());
    // The daemon has seen the lock held, so the keeper is the test's to start, as it would have done a moment earlier.
    spawn_keeper(Path::new(PROGRAM), &job).unwrap();
    wait::until("a keeper that waits", || (world.keepers_of(&job).len() == 1).then_some(()));
    (world, lock)
}

#[test]
fn a_keeper_that_takes_its_lock_after_its_daemons_death_is_found_by_the_next_one() {
    let (world, lock) = before_the_lock(&edits("a.txt", "a"));
    world.ok(&["ls"]);
    drop(lock);
    let task = world.until_state("fix", TaskState::Review);
    assert_eq!(task.attempts.len(), 1);
    assert_eq!(world.git(&["rev-list", "--count", "main..nopeek/fix/1"]), "1", "it ran once");
}

#[test]
fn a_keeper_that_never_got_its_lock_ends_with_its_world() {
    let (world, lock) = before_the_lock(&script("hang"));
    let keepers = world.keepers_of(&world.paths.job(2));
    drop(world);
    assert!(keepers.iter().all(|pid| !is_alive(*pid)), "a keeper outlives its world");
    drop(lock);
}
