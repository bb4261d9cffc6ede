//! Pause, resume and stop take the whole process tree, and time stands still meanwhile.

use crate::support::agent::shell;
use crate::support::wait;
use crate::support::world::World;
use nopeek::core::model::task::TaskState;
use nopeek::os::clock;
use nopeek::os::process::is_alive;
use std::path::Path;
use std::time::Duration;

/// Three processes that write a tick now and then: the agent, a child in a session of its own, a daemon that was
/// forked twice and belongs to nobody. Each leaves its process id.
const TREE: &str = r#"
tick() { echo $$ > "$TICKS/$1.pid"; while :; do echo >> "$TICKS/$1"; sleep 0.02; done; }
case "$1" in session|daemon) tick "$1";; esac
setsid sh "$0" session < /dev/null > /dev/null 2>&1 &
sh -c 'setsid sh "$0" daemon < /dev/null > /dev/null 2>&1 & exit 0' "$0" &
tick agent
"#;
const NAMES: [&str; 3] = ["agent", "session", "daemon"];

fn world() -> (World, std::path::PathBuf) {
    let world = World::new();
    let ticks = world.root().join("ticks");
    std::fs::create_dir(&ticks).unwrap();
    let agent = shell(&world, "tree", "headless", &format!("TICKS={}\n{TREE}", ticks.display()));
    world.configure(&agent);
    (world, ticks)
}

fn pids(ticks: &Path) -> Vec<u32> {
    wait::until("all three to tick", || {
        let read = |name: &&str| {
            let tick = std::fs::metadata(ticks.join(name)).is_ok_and(|meta| meta.len() > 0);
            let pid = std::fs::read_to_string(ticks.join(format!("{name}.pid"))).ok()?.trim().parse().ok();
            pid.filter(|_| tick)
        };
        NAMES.iter().map(read).collect::<Option<Vec<u32>>>()
    })
}

fn ticked(ticks: &Path) -> Vec<u64> {
    NAMES.iter().map(|name| std::fs::metadata(ticks.join(name)).unwrap().len()).collect()
}

/// Time really passes here: what must not happen can't be waited for.
fn pass(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn a_tree_is_frozen_thawed_and_ended_whole() {
    let (world, ticks) = world();
    world.launch("tree", "Tick.", &["--agent", "tree"]);
    let pids = pids(&ticks);
    world.ok(&["pause", "tree"]);
    wait::until("all to be stopped", || pids.iter().all(|pid| wait::is_still(*pid)).then_some(()));
    let before = ticked(&ticks);
    pass(Duration::from_millis(300));
    assert_eq!(ticked(&ticks), before, "somebody went on");

    world.ok(&["resume", "tree"]);
    wait::until("all to tick again", || {
        ticked(&ticks).iter().zip(&before).all(|(now, before)| now > before).then_some(())
    });

    world.ok(&["stop", "tree"]);
    world.until_state("tree", TaskState::Stopped);
    wait::until("all to be dead", || pids.iter().all(|pid| !is_alive(*pid)).then_some(()));
}

#[test]
fn a_paused_tree_can_be_stopped() {
    let (world, ticks) = world();
    world.launch("tree", "Tick.", &["--agent", "tree"]);
    let pids = pids(&ticks);
    world.ok(&["pause", "tree"]);
    world.ok(&["stop", "tree"]);
    world.until_state("tree", TaskState::Stopped);
    wait::until("all to be dead", || pids.iter().all(|pid| !is_alive(*pid)).then_some(()));
}

#[test]
fn a_freeze_outlives_the_daemon() {
    let (world, ticks) = world();
    world.launch("tree", "Tick.", &["--agent", "tree"]);
    let pids = pids(&ticks);
    world.ok(&["pause", "tree"]);
    // What was acknowledged is decided; the freeze itself comes a moment later.
    wait::until("all to be stopped", || pids.iter().all(|pid| wait::is_still(*pid)).then_some(()));
    crate::support::world::kill(world.daemon().unwrap());
    let before = ticked(&ticks);
    assert_eq!(world.show("tree")["paused"], true);
    pass(Duration::from_millis(200));
    assert_eq!(ticked(&ticks), before, "the new daemon let it go on");
    world.ok(&["resume", "tree"]);
    wait::until("all to tick again", || {
        ticked(&ticks).iter().zip(&before).all(|(now, before)| now > before).then_some(())
    });
    assert!(pids.iter().all(|pid| is_alive(*pid)));
}

/// Long enough that the tree ticks and is paused before it is over, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_time_limit_does_not_count_a_pause() {
    let (world, ticks) = world();
    world.launch("tree", "Tick.", &["--agent", "tree", "--time", "10s", "--attempts", "1"]);
    pids(&ticks);
    world.ok(&["pause", "tree"]);
    let worked = world.show("tree")["attempts"][0]["vitals"]["elapsed"].as_u64().unwrap();
    // Longer than what is left of the limit, however long it took to come here.
    pass(LIMIT.saturating_sub(Duration::from_millis(worked)) + Duration::from_millis(500));
    let task = world.show("tree");
    assert_eq!(task["state"], "working", "the limit fired in the pause");
    assert_eq!(task["attempts"][0]["vitals"]["elapsed"].as_u64().unwrap(), worked, "the clock ran on");
    let resumed = clock::instant();
    world.ok(&["resume", "tree"]);
    let task = world.until_state("tree", TaskState::Stuck);
    let took = resumed.elapsed();
    assert_eq!(serde_json::to_value(task.attempts[0].result).unwrap(), "timed_out");
    let left = LIMIT.saturating_sub(Duration::from_millis(worked));
    assert!(took + Duration::from_millis(100) >= left, "it fired after {took:?}, {left:?} were left");
}
