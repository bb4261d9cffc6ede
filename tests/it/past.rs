//! Scrollback beyond what a screen keeps in memory, and lines that stay in their place while output goes on.

use crate::support::agent::shell;
use crate::support::term::{Picture, Term};
use crate::support::wait;
use crate::support::world::{World, kill};

const HOME: &str = "\x1b[H";
const END: &str = "\x1b[F";

/// Goes up until there is nothing more above: older lines are read when they are asked for.
fn to_the_top(term: &mut Term, first: &str) -> Picture {
    while !term.picture().has(first) {
        let before = term.picture().text();
        term.keys(HOME);
        term.until("older lines", |picture| picture.text() != before);
    }
    term.picture()
}

#[test]
fn lines_of_long_ago_are_scrolled_to_found_and_stay_where_they_are() {
    let world = World::new();
    let go = world.root().join("go");
    let agent = format!(
        "i=1; while [ $i -le 5000 ]; do printf 'line %05d\\n' $i; i=$((i+1)); done
        while [ ! -e {0} ]; do sleep 0.02; done
        i=1; while [ $i -le 500 ]; do printf 'MORE %03d\\n' $i; i=$((i+1)); done; echo ALL MORE; exec sleep 1000",
        go.display()
    );
    let config = shell(&world, "teller", "interactive", &agent);
    std::fs::write(world.paths.config.join("config.toml"), config).unwrap();
    world.launch("tell", "anything", &["--agent", "teller", "--lid", "off"]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("tell");
    term.keys("s");
    term.until_has("line 05000");
    let picture = to_the_top(&mut term, "line 00001");
    assert!(picture.has("line 00002"), "{}", picture.text());
    // What it prints meanwhile does not push them away.
    std::fs::write(&go, "").unwrap();
    let spool = || world.jobs().iter().find_map(|job| std::fs::read(job.join("spool")).ok());
    wait::until("more output", || spool()?.windows(8).any(|bytes| bytes == b"ALL MORE").then_some(()));
    term.keys("\x1b[B");
    let picture = term.until("one line further down", |picture| !picture.has("line 00001"));
    assert!(picture.has("line 00002") && picture.has("line 00020"), "{}", picture.text());
    term.keys(END);
    term.until("the newest lines", |picture| picture.has("ALL MORE") && !picture.has(" up, of "));
    // And up again from there: nothing that it printed meanwhile is left out.
    term.keys("\x1b[A");
    term.until("a line further up", |picture| picture.has("1 line up") && picture.has("MORE 500"));
    term.keys(END);
    term.until("the newest lines", |picture| picture.has("ALL MORE") && !picture.has(" up, of "));
    term.keys("/line 00042\r");
    term.until("a place of long ago", |picture| picture.has("line 00042") && picture.has("1 of 1"));
    // A daemon that knows nothing yet reads it all again.
    kill(world.daemon().unwrap());
    term.until_has("the daemon is there again");
    term.keys(END);
    term.until_has("ALL MORE");
    let picture = to_the_top(&mut term, "line 00001");
    assert!(picture.has("line 00002"), "{}", picture.text());
    assert!(world.ok(&["logs", "tell", "--lines", "9000"]).contains("line 00001\n"));
}
