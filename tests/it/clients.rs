//! Several clients at once, of different sizes; and screens that outlive the daemon that drew them.

use crate::support::agent::{script, shell};
use crate::support::looker::Looker;
use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::values::ids::JobId;
use nopeek::wire::client::{Look, ToDaemon};
use nopeek::wire::input::{Input, Key, KeyCode};
use std::process::Stdio;

/// Draws the whole screen, as a full-screen program does, whenever its size changes: a line at the top, one at the
/// bottom, one that is as wide as the screen, and what was typed.
const DRAWER: &str = r#"
stty -icanon -echo min 1
typed=
draw() {
  set -- $(stty size)
  printf '\033[2J\033[HTOP %s %s [%s]' "$1" "$2" "$typed"
  printf '\033[3;1H%s>' "$(printf '%*s' "$(($2 - 1))" '' | tr ' ' =)"
  printf '\033[%s;1HBOTTOM %s %s' "$1" "$1" "$2"
}
# A signal in the midst of a drawing is for the next one.
trap changed=1 WINCH
show() {
  changed=1
  while [ "$changed" ]; do changed=; draw; done
}
exec 3<&0
while :; do
  dd bs=1 count=1 <&3 > "$0.key" 2> /dev/null &
  # A wait ends early for the trap.
  while show; kill -0 $! 2> /dev/null; do [ "$changed" ] || wait $!; done
  typed=$typed$(cat "$0.key")
done
"#;

fn drawer() -> (World, JobId) {
    let world = World::new();
    world.configure(&shell(&world, "drawer", "interactive", DRAWER));
    world.launch("draw", "Draw.", &["--agent", "drawer", "--lid", "off"]);
    let task = world.until_state("draw", TaskState::Working);
    let job = task.attempt().unwrap().job.unwrap();
    (world, job)
}

fn key(char: char) -> Input {
    Input::Key(Key { code: KeyCode::Char(char), mods: 0 })
}

/// The screen as the drawer means it at this size, seen whole.
fn is_drawn(looker: &Looker, rows: u16, cols: u16, typed: &str) -> bool {
    looker.size == (rows, cols)
        && looker.rows[0].starts_with(&format!("TOP {rows} {cols} [{typed}]"))
        && looker.rows[2].trim_end() == format!("{}>", "=".repeat(usize::from(cols) - 1))
        && looker.rows[usize::from(rows) - 1].starts_with(&format!("BOTTOM {rows} {cols}"))
}

#[test]
fn two_clients_of_different_sizes_look_at_one_agent() {
    let (world, job) = drawer();
    let mut small = Looker::open(&world, job, 24, 80, true);
    small.until("the small screen", |looker| is_drawn(looker, 24, 80, ""));
    let mut large = Looker::open(&world, job, 50, 200, true);
    large.until("the large screen", |looker| is_drawn(looker, 50, 200, ""));
    // The small client sees a part of it, as large as its own place.
    small.until("a part", |looker| looker.size == (24, 80) && looker.rows[23].starts_with("BOTTOM 50 200"));

    // Who focuses it last decides; the other sees all of what is smaller than its place.
    let look = Look { job, rows: 24, cols: 80, focus: true, scrolled: 0 };
    small.send(ToDaemon::Look(vec![Look { focus: false, ..look }]));
    small.send(ToDaemon::Look(vec![look]));
    small.until("the small screen again", |looker| is_drawn(looker, 24, 80, ""));
    large.until("the small screen in a large place", |looker| is_drawn(looker, 24, 80, ""));

    // What one types both see; and one that goes away takes nothing along.
    small.send(ToDaemon::Input { job, input: key('x') });
    large.until("what was typed", |looker| is_drawn(looker, 24, 80, "x"));
    small.until("what was typed", |looker| is_drawn(looker, 24, 80, "x"));
    drop(small);
    large.send(ToDaemon::Input { job, input: key('y') });
    large.until("what was typed next", |looker| is_drawn(looker, 24, 80, "xy"));
}

#[test]
fn a_screen_of_any_size_is_the_same_after_a_restart() {
    let (world, job) = drawer();
    for (rows, cols) in [(50, 200), (24, 80), (33, 97)] {
        let mut looker = Looker::open(&world, job, rows, cols, true);
        looker.until("the screen", |looker| is_drawn(looker, rows, cols, ""));
    }
    world.ok(&["daemon", "restart"]);
    let mut looker = Looker::open(&world, job, 60, 300, false);
    looker.until("the screen as it was", |looker| is_drawn(looker, 33, 97, ""));
    kill(world.daemon().unwrap());
    world.ok(&["ls"]);
    let mut looker = Looker::open(&world, job, 60, 300, false);
    looker.until("the screen as it was before the kill", |looker| is_drawn(looker, 33, 97, ""));
    // And when its program has ended, and once more after that.
    world.ok(&["stop", "draw"]);
    world.until_state("draw", TaskState::Stopped);
    world.ok(&["daemon", "restart"]);
    let mut looker = Looker::open(&world, job, 60, 300, false);
    looker.until("the screen as it was at the end", |looker| is_drawn(looker, 33, 97, ""));
}

#[test]
fn who_waits_outlives_restarts_of_the_daemon() {
    let world = World::new();
    let go = world.root().join("go");
    let steps =
        format!("run while [ ! -e {} ]; do sleep 0.02; done\nedit a.txt <<E\na\nE\ncommit A", go.display());
    world.launch("slow", &script(&steps), &[]);
    world.until_state("slow", TaskState::Working);
    let mut waits = world.command(&["wait", "slow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let clients = || {
        let ran = world.run(&["daemon", "status", "--json"]);
        let status: Option<serde_json::Value> = serde_json::from_str(&ran.out).ok();
        status.and_then(|status| status["clients"].as_u64())
    };
    wait::until("it to wait", || (clients() > Some(1)).then_some(()));
    for _ in 0..2 {
        world.ok(&["daemon", "restart"]);
        wait::until("it to wait again", || (clients() > Some(1)).then_some(()));
        kill(world.daemon().unwrap());
        wait::until("it to have started another one", || (clients() > Some(1)).then_some(()));
    }
    assert!(waits.try_wait().unwrap().is_none(), "it ended before its task");
    world.file("go", "");
    let output = waits.wait_with_output().unwrap();
    assert!(output.status.success());
    let tasks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(tasks[0]["state"], "review");
}
