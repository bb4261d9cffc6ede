//! What people see and type: the real program in a real terminal, from the board to a landed merge and back.

use crate::support::agent::{edits, script, script_file, shell};
use crate::support::term::Term;
use crate::support::wait;
use crate::support::world::{World, kill};
use base64::Engine as _;
use nopeek::core::model::task::TaskState;

const GATED: &str = r#"
[[gate]]
name = "good"
command = "for f in *.txt; do [ -e \"$f\" ] || continue; grep -q good \"$f\" || { echo \"$f is BADLY made\"; exit 1; }; done; echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'"
"#;

/// An agent that says what it reads; uncovered.
fn echo(world: &World) {
    let agent = shell(
        world,
        "echo",
        "interactive",
        "stty raw -echo\nprintf 'ECHO READY\\r\\n'\ntrap 'printf \"SIZE<%s>\\r\\n\" \"$(stty size)\"' WINCH\nwhile c=$(dd bs=64 count=1 2>/dev/null) && [ -n \"$c\" ]; do\n  printf 'GOT<%s>\\r\\n' \"$c\"\ndone\n",
    );
    std::fs::write(world.paths.config.join("config.toml"), agent).unwrap();
}

#[test]
fn a_task_is_launched_reviewed_landed_and_rolled_back_by_keys_alone() {
    let world = World::with_config(GATED);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("no tasks yet");
    term.keys("n");
    term.until_has("what the agent should do");
    // A paste keeps its lines.
    term.keys(&format!("\x1b[200~{}\x1b[201~", edits("kettle.txt", "good water")));
    term.until_has("good water");
    term.keys("\tkettle\t");
    term.until_has("◂ as configured ▸");
    while !term.picture().has("◂ scripted ▸") {
        let before = term.picture().text();
        term.keys("\x1b[C");
        term.until("another agent", |picture| picture.text() != before);
    }
    term.keys("\r");
    term.until_has("launched");
    term.until("the task in review", |picture| picture.has("! kettle") && picture.has("review"));
    term.until_has("good passed, 3 tests");
    term.keys("\r");
    term.until("the diff", |picture| picture.has("A kettle.txt") && picture.has("1 + good water"));
    assert!(term.picture().has("1 of 1  kettle.txt  +1 -0"));
    term.keys("A");
    term.until("the landing", |picture| picture.has("landed") && picture.has("1 landed"));
    assert_eq!(world.on_main("kettle.txt").unwrap(), "good water\n");
    term.keys("1R");
    term.until_has("roll kettle back?");
    assert_eq!(world.on_main("kettle.txt").unwrap(), "good water\n", "nothing happens before a yes");
    term.keys("y");
    term.until_has("rolled back");
    assert_eq!(world.on_main("kettle.txt"), None);
    term.keys("q");
    assert_eq!(term.until_ended(), 0);
}

#[test]
fn a_question_is_answered_from_the_board_and_a_send_back_goes_on_from_there() {
    let world = World::with_config(GATED);
    let prompt = script_file(
        &world,
        "ask",
        "when prompt LOUDER\n  edit b.txt <<E\ngood and loud\nE\nelse\n  ask question Which colour is good?\n  edit a.txt <<E\ngood @ANSWER@\nE\nend\ncommit Paint",
    );
    world.launch("paint", &prompt, &[]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the question", |picture| picture.has("asking") && picture.has("? Which colour is good?"));
    term.keys("\r");
    term.until_has("paint asks");
    term.keys("blü\x7fue\r");
    term.until("the review", |picture| picture.has("review") && picture.has("! paint"));
    term.keys("d");
    term.until_has("+ good blue");
    term.keys("b");
    term.until_has("send paint back");
    term.keys("\r");
    term.until_has("say what should be changed");
    term.keys("LOUDER\r");
    term.until_has("sent back");
    world.until("paint", "a second attempt in review", |task| {
        task.state == TaskState::Review && task.attempts.len() == 2
    });
    // The review is still open, and follows.
    let picture = term.until("both changes", |picture| picture.has("good and loud"));
    assert!(picture.has("good blue"), "{}", picture.text());
    term.keys("J");
    term.until_has("reject paint");
    term.keys("too loud\r");
    term.until_has("rejected");
    assert_eq!(world.on_main("a.txt"), None);
}

#[test]
fn a_red_gate_is_read_in_its_own_pane_and_in_the_history_of_attempts() {
    let world = World::with_config(GATED);
    let prompt = script_file(
        &world,
        "fix",
        "when attempt 1\n  edit a.txt <<E\nworse\nE\nelse\n  edit a.txt <<E\ngood\nE\nend\ncommit Try",
    );
    world.launch("fix", &prompt, &[]);
    world.until_state("fix", TaskState::Review);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("fix");
    term.keys("g");
    term.until("the green gate", |picture| {
        picture.has("attempt 2/3") && picture.has("test result: ok. 3 passed")
    });
    term.keys("(");
    term.until("the red gate", |picture| picture.has("attempt 1/3") && picture.has("a.txt is BADLY made"));
    assert!(term.picture().has("good ✗"));
    term.keys("\t");
    term.until_has("⎿ [nopeek/fix/1");
}

#[test]
fn the_lid_is_broken_by_name_and_reason_and_only_then_keys_reach_the_agent() {
    let world = World::new();
    echo(&world);
    world.launch("talk", "talk", &["--agent", "echo"]);
    world.until_state("talk", TaskState::Working);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("working");
    term.keys("s");
    term.until_has("▣ under the lid");
    term.keys("i");
    term.until_has("this screen takes no input");
    term.keys("P");
    term.until_has("peek at talk");
    term.keys("talk\tit is quiet\r");
    term.until("the screen", |picture| picture.has("ECHO READY") && picture.has("◪ peeked"));
    term.keys("i");
    term.until_has("stops typing");
    // A key at a time: what is typed faster may reach the agent in one piece or in several.
    for (key, got) in
        [("q", "GOT<q>"), ("?", "GOT<?>"), ("\x03", "GOT<\x03>"), ("日", "GOT<日>"), ("本", "GOT<本>")]
    {
        let seen: String = got.chars().filter(|c| !c.is_control()).collect();
        let count = term.picture().text().matches("GOT<").count();
        term.keys(key);
        term.until(&format!("{seen:?}"), |picture| {
            picture.has(&seen) || key == "\x03" && picture.text().matches("GOT<").count() > count
        });
    }
    assert!(term.picture().has("SIZE<19 80>"), "the size of the place where it is looked at");
    term.keys("\x07");
    term.until_has("i type");
    term.keys("c");
    term.until_has("▣ under the lid");
    assert!(!term.picture().has("GOT<"), "nothing of it is left");
    let ledger = world.ok(&["ledger", "talk"]);
    assert!(ledger.contains("it is quiet"), "{ledger}");
    term.keys("x");
    term.until_has("stop talk?");
    term.keys("y");
    world.until_state("talk", TaskState::Stopped);
}

#[test]
fn scrollback_search_and_the_clipboard() {
    let world = World::new();
    let lines: String = (1..=300).map(|n| format!("print line-{n:03}\\r\\n\n")).collect();
    world.launch("long", &script(&format!("{lines}edit a.txt <<E\na\nE\ncommit A")), &[]);
    world.until_state("long", TaskState::Review);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("long");
    term.keys("s");
    term.until_has("Done");
    term.keys("/");
    term.until_has("lower case ignores case");
    term.keys("line-040\r");
    term.until("the place", |picture| {
        picture.has("line-040") && picture.has("line-041") && picture.has("1 of 1") && picture.has(" up, of ")
    });
    term.keys("\x1b\x1b[F");
    term.until("the live screen", |picture| !picture.has(" up, of "));
    term.keys("\x1b[5~");
    term.until_has(" up, of ");
    term.keys("v");
    term.until_has("marking");
    term.keys("\x1b[5~\x1b[5~");
    let picture = term.until("older lines", |picture| picture.has("line-2"));
    assert!(picture.has("marking"));
    term.keys("vkky");
    term.until_has("copied 3 lines");
    let copied = copied(&term);
    assert_eq!(copied.lines().count(), 3, "{copied}");
    assert!(copied.contains("line-2"), "{copied}");
}

/// What was last put into the clipboard.
fn copied(term: &Term) -> String {
    let bytes = term.bytes();
    let start = memchr::memmem::rfind(&bytes, b"\x1b]52;c;").expect("nothing was copied") + 7;
    let end = start + memchr::memchr(b'\x07', &bytes[start..]).unwrap();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(&bytes[start..end]).unwrap()).unwrap()
}

#[test]
fn panes_focus_zoom_and_keep_their_sizes() {
    let world = World::with_config("parallel = 4\n");
    for name in ["one", "two", "three"] {
        world.launch(name, &script(&format!("print I am {name}\\r\\n\nhang")), &["--lid", "off"]);
    }
    world.launch("four", &script("print secret\\r\\n\nhang"), &[]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("four");
    term.keys("2");
    let all = |picture: &crate::support::term::Picture| {
        ["I am one", "I am two", "I am three", "▣ under the lid"].iter().all(|text| picture.has(text))
    };
    term.until("four panes", all);
    assert!(!term.picture().has("secret"));
    term.keys("z");
    term.until("one pane", |picture| picture.has("I am one") && !picture.has("I am two"));
    term.keys("z");
    term.until("four panes again", all);
    let edge = |term: &Term| {
        let picture = term.picture();
        let row = picture.rows[3].clone();
        row.chars().position(|c| c == '│').unwrap_or(0)
    };
    for _ in 0..2 {
        let before = edge(&term);
        term.keys(">");
        term.until("a wider pane", |picture| {
            picture.rows[3].chars().position(|c| c == '│').unwrap_or(0) > before
        });
    }
    let wide = edge(&term);
    term.keys("q");
    wait::until("the sizes to be kept", || world.paths.data.join("panes.json").exists().then_some(()));
    term.keys("q");
    term.until_ended();
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("four");
    term.keys("2");
    term.until("four panes", all);
    assert_eq!(edge(&term), wide, "kept over a restart of the client");
    // A click gives a pane the focus.
    term.keys("\x1b[<0;60;14M\x1b[<0;60;14m");
    term.until("the last pane", |picture| picture.has("━ four"));
}

#[test]
fn the_palette_the_help_and_the_ledger() {
    let world = World::new();
    world.launch("pot", &edits("a.txt", "a"), &[]);
    world.until_state("pot", TaskState::Review);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("pot");
    term.keys(":");
    term.until_has("palette");
    term.keys("ledg\r");
    term.until("the ledger", |picture| picture.has("· ledger") && picture.has("waits for review"));
    term.keys("?");
    term.until_has("│ LEDGER");
    term.keys("\x1b");
    term.until("the help to go", |picture| !picture.has("│ LEDGER"));
    term.keys("t");
    term.until("the ledger of pot only", |picture| {
        picture.has("pot only") && picture.has("waits for review")
    });
    term.keys("\x10pot\r");
    term.until_has("· review");
}

#[test]
fn a_killed_daemon_is_called_again_and_everything_is_there() {
    let world = World::new();
    let prompt = script(
        "print BEFORE\\r\\n\nask question Go on?\nprint AFTER\\r\\n\nedit a.txt <<E\na\nE\ncommit A\nhang",
    );
    world.launch("wait", &prompt, &["--lid", "off"]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("asking");
    term.keys("s");
    term.until_has("BEFORE");
    kill(world.daemon().unwrap());
    term.until_has("the daemon is there again");
    term.until_has("BEFORE");
    term.keys("a");
    term.until_has("wait asks");
    term.keys("\r");
    term.until("what the agent says next", |picture| picture.has("AFTER"));
    // And a client that is killed: the next one shows all.
    kill(term.pid());
    drop(term);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("wait");
    term.keys("s");
    term.until("both lines", |picture| picture.has("BEFORE") && picture.has("AFTER"));
}

#[test]
fn waiting_tasks_change_their_order_and_one_is_paused() {
    let world = World::with_config("parallel = 1\n");
    for name in ["first", "second", "third"] {
        world.launch(name, &script("hang"), &[]);
    }
    let mut term = Term::open(&world, &[], 24, 80);
    let place = |picture: &crate::support::term::Picture, name: &str| {
        picture.rows.iter().position(|row| row.get(..30).is_some_and(|row| row.contains(name)))
    };
    term.until("the queue", |picture| {
        place(picture, "second") < place(picture, "third") && picture.has("#2")
    });
    term.keys("jj+");
    term.until("third before second", |picture| place(picture, "third") < place(picture, "second"));
    term.keys("\x1b[H ");
    term.until_has("= first");
    term.keys(" ");
    term.until("it goes on", |picture| picture.has("goes on") && !picture.has("paused"));
}

#[test]
fn a_terminal_of_20x5_says_so_and_a_larger_one_shows_the_board() {
    let world = World::new();
    world.launch("pot", &edits("a.txt", "a"), &[]);
    let mut term = Term::open(&world, &[], 5, 20);
    term.until("the words", |picture| picture.has("20x5 is too small") && picture.has("nopeek needs 80x24"));
    term.resize(50, 200);
    term.until("the board", |picture| picture.has("pot") && picture.has("PROMPT"));
    term.resize(24, 80);
    term.until("the small board", |picture| picture.has("pot") && !picture.has("PROMPT"));
    term.keys("q");
    assert_eq!(term.until_ended(), 0);
}

#[test]
fn keys_and_themes_are_the_users_and_broken_ones_are_refused_with_their_place() {
    let world = World::new();
    std::fs::write(world.paths.config.join("keymap.toml"), "[everywhere]\nleave = \"Z\"\n").unwrap();
    let mut term = Term::open(&world, &[], 24, 80);
    term.until_has("no tasks yet");
    term.keys("?");
    term.until_has("THE BOARD");
    term.keys("\x1b");
    term.until_has("no tasks yet");
    term.keys("qZ");
    assert_eq!(term.until_ended(), 0);
    for (file, text, said) in [
        ("keymap.toml", "[task]\napprove = \"ctrl-\"\n", "keymap.toml:2:11: `ctrl-` is not a key"),
        (
            "keymap.toml",
            "[task]\napprove = \"q\"\n",
            "keymap.toml:2:11: `q` is a key of `approve` and of `leave`",
        ),
        ("keymap.toml", "[task\n", "keymap.toml:1:6"),
        ("config.toml", "theme = \"pink\"\n", "there is no theme `pink`"),
    ] {
        let file = world.paths.config.join(file);
        std::fs::write(&file, text).unwrap();
        let mut term = Term::open(&world, &[], 24, 80);
        assert_eq!(term.until_ended(), 5, "{said}");
        let picture = term.picture().text().replace('\n', "");
        assert!(picture.contains(said), "{said}\n{picture}");
        assert!(
            !String::from_utf8_lossy(&term.bytes()).contains("\x1b[?1049h"),
            "the terminal was not taken"
        );
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn no_color_is_honoured_and_the_terminal_is_given_back() {
    let world = World::new();
    world.launch("pot", &script("print \\e[31mred\\e[0m\\r\\n\nhang"), &["--lid", "off"]);
    let mut term = Term::with_env(&world, &[], 24, 80, &[("NO_COLOR", "1")]);
    term.until_has("pot");
    term.keys("s");
    term.until_has("red");
    term.keys("1");
    term.until_has("TASK");
    let bytes = String::from_utf8_lossy(&term.bytes()).into_owned();
    for color in ["\x1b[38;", "\x1b[48;", "\x1b[31m"] {
        assert!(!bytes.contains(color), "{color:?}");
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(term.pid()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    term.until_ended();
    let bytes = String::from_utf8_lossy(&term.bytes()).into_owned();
    for given_back in ["\x1b[?1049l", "\x1b[?2004l", "\x1b[?1006l"] {
        assert!(bytes.rfind(given_back) > bytes.rfind("\x1b[?1049h"), "{given_back:?}");
    }
}

#[test]
fn a_terminal_that_goes_away_takes_the_demo_with_it_and_leaves_nothing() {
    let world = World::empty();
    let temp = world.root().join("t");
    std::fs::create_dir(&temp).unwrap();
    let mut term = Term::with_env(&world, &["demo"], 24, 80, &[("TMPDIR", temp.to_str().unwrap())]);
    term.until_has("perfect");
    let demo = std::fs::read_dir(&temp).unwrap().next().unwrap().unwrap().path();
    term.hang_up();
    wait::until("the demo's folder to go", || (!demo.exists()).then_some(()));
    // A signal would be an abort in the middle of clearing.
    assert!(term.until_exited() < 128);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_board_back() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_nopeek");
    // `fg` ends, with a status of its own, when the job is stopped again.
    let script = format!(
        "set -m; '{program}'; n=1; while [ $n -le 5 ]; do echo \"stopped $n\"; read -r go; n=$((n+1)); fg >/dev/null; done; echo over"
    );
    let mut term = Term::shell(&world, &script, 24, 80);
    for n in 1..=5 {
        term.until_has("no tasks yet");
        term.keys("\x1a");
        let stopped = format!("stopped {n}");
        term.until("the shell's own screen", |picture| picture.has(&stopped) && !picture.has("no tasks yet"));
        term.keys("\n");
    }
    term.until_has("no tasks yet");
    term.keys("q");
    term.until("the end", |picture| picture.has("over") && !picture.has("no tasks yet"));
}
