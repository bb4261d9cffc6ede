//! Every stage of a task as somebody sees it: set-up, limits, dialogs, prompts that are typed, conflicts, refused
//! landings, lost agents, the demo; and the command line in a terminal.

use crate::support::agent::{edits, script, script_file, shell};
use crate::support::term::{Picture, Term};
use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::wire::keeper::KeeperFile;

/// One gate that wants `good` in every file that ends in `.txt`.
const GATED: &str = r#"
[[gate]]
name = "good"
command = "for f in *.txt; do [ -e \"$f\" ] || continue; grep -q good \"$f\" || { echo \"$f is BADLY made\"; exit 1; }; done"
"#;

fn configure(world: &World, agent: &str) {
    std::fs::write(world.paths.config.join("config.toml"), agent).unwrap();
}

/// Where a task's line is on the board.
fn line<'a>(picture: &'a Picture, name: &str) -> Option<&'a String> {
    picture.rows.iter().take(15).find(|row| row.get(3..).is_some_and(|row| row.starts_with(name)))
}

fn stands(picture: &Picture, name: &str, state: &str) -> bool {
    line(picture, name).is_some_and(|row| row.contains(state))
}

#[test]
fn set_up_hooks_run_first_and_are_read_in_their_tab() {
    let world = World::with_config(
        "copy = [\".env\"]\nsetup = [\"cat .env; echo SET UP; printf good > made.txt\"]\n",
    );
    std::fs::write(world.repo().join(".env"), "KETTLE=hot\n").unwrap();
    world.launch("made", &script("run cat made.txt .env\nedit a.txt <<E\na\nE\ncommit A"), &[]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the review", |picture| stands(picture, "made", "review"));
    assert!(line(&term.picture(), "made").unwrap().contains("ungated"), "no gate is never `passed`");
    term.keys("s\t");
    term.until("the hook's output", |picture| {
        picture.has("│ setup 1") && picture.has("KETTLE=hot") && picture.has("SET UP")
    });
}

#[test]
fn a_limit_ends_an_attempt_and_a_person_retries_with_a_note() {
    let world = World::new();
    let prompt = script_file(
        &world,
        "slow",
        "when prompt HURRY\n  edit a.txt <<E\nfast\nE\n  commit Hurry\nelse\n  hang\nend",
    );
    // The second attempt has the same limit: enough for what it does, on a busy machine too.
    world.launch("slow", &prompt, &["--time", "15s", "--attempts", "1"]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the end of the time", |picture| stands(picture, "slow", "stuck") && picture.has("timed out"));
    term.keys("r");
    term.until_has("retry slow");
    term.keys("\tHURRY\r");
    term.until("the second attempt's review", |picture| {
        stands(picture, "slow", "review") && picture.has("2/2")
    });
    term.keys("d");
    term.until_has("+ fast");
}

#[test]
fn a_dialog_of_the_agents_own_program_is_told_apart_from_a_question() {
    let world = World::new();
    // Asks for a permission before it has worked, without words: as some do for a folder's trust.
    let agent = shell(
        &world,
        "trusty",
        "headless",
        "stty raw -echo\nprintf '\\033]7501;state=blocked:app=trusty:kind=permission\\007'\ndd bs=1 count=1 >/dev/null 2>&1\n\
         printf '\\033]7501;state=working:app=trusty\\007'\necho a > a.txt\ngit add -A\ngit commit -qm A\n",
    );
    configure(&world, &agent);
    world.launch("trust", "go", &["--agent", "trusty"]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the dialog", |picture| {
        stands(picture, "trust", "asking") && picture.has("a dialog of the agent's own program")
    });
    term.keys("a");
    term.until_has("trust: a dialog of trusty itself");
    term.keys("\x19");
    term.until("the review", |picture| stands(picture, "trust", "review"));
}

#[test]
fn an_agent_that_should_speak_and_does_not_is_shown_as_standing_at_a_dialog() {
    let world = World::new();
    let agent = shell(
        &world,
        "mute",
        "interactive",
        "echo 'Trust this folder?'\nread answer\necho SAID\nsleep 600\n",
    );
    configure(&world, &format!("{agent}speaks = 1\n"));
    world.launch("mute", "go", &["--agent", "mute"]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the dialog", |picture| stands(picture, "mute", "asking") && picture.has("own program"));
    assert!(!term.picture().has("Trust this folder?"), "the lid stays on");
    term.keys("a\x19");
    term.until("it to go on", |picture| stands(picture, "mute", "working"));
}

#[test]
fn a_prompt_is_typed_as_a_person_would() {
    let world = World::new();
    let agent = shell(
        &world,
        "typed",
        "interactive",
        "printf '\\033[?2004h\\033]7501;state=idle:app=typed\\007READY\\r\\n'\nstty raw -echo\n\
         while c=$(dd bs=4096 count=1 2>/dev/null) && [ -n \"$c\" ]; do printf '%s' \"$c\" | od -An -c | tr '\\n' ' '; printf '\\r\\n'; done\n",
    );
    configure(&world, &format!("{agent}prompt = \"typed\"\n"));
    world.launch("typed", "one\ntwo", &["--agent", "typed", "--lid", "off"]);
    let mut term = Term::open(&world, &[], 50, 200);
    term.until_has("typed");
    term.keys("s");
    // Bracketed, both lines in one paste, and Enter apart from it.
    let squeezed =
        |picture: &Picture| -> Vec<String> { picture.rows.iter().map(|row| row.replace(' ', "")).collect() };
    term.until("the paste and an Enter", |picture| {
        let rows = squeezed(picture);
        let paste = rows.iter().position(|row| row == "033[200~one\\rtwo033[201~");
        paste.is_some_and(|at| rows.get(at + 1).is_some_and(|row| row == "\\r"))
    });
}

#[test]
fn a_conflict_comes_back_and_the_second_landing_has_both() {
    let world = World::new();
    world.write("menu.txt", "black\n");
    world.commit("Menu");
    for tea in ["green", "white"] {
        let steps = format!(
            "when attempt 1\n  append menu.txt <<E\n{tea}\nE\n  commit Add {tea}\nelse\n  merge main\n  edit menu.txt <<E\nblack\ngreen\nwhite\nE\n  commit Merge\nend"
        );
        world.launch(tea, &script_file(&world, tea, &steps), &[]);
    }
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("both in review", |picture| {
        stands(picture, "green", "review") && stands(picture, "white", "review")
    });
    term.keys("A");
    term.until("one landed", |picture| stands(picture, "green", "landed"));
    term.keys("\x1b[H");
    term.until("the other chosen", |picture| picture.has(" white  review"));
    term.keys("A");
    term.until("it to come back, merged", |picture| {
        line(picture, "white").is_some_and(|row| row.contains("review") && row.contains("2/"))
    });
    term.keys("A");
    term.until("both landed", |picture| picture.has("2 landed"));
    assert_eq!(world.on_main("menu.txt").unwrap(), "black\ngreen\nwhite\n");
}

#[test]
fn a_dirty_target_is_left_alone_and_landed_on_later() {
    let world = World::new();
    world.launch("pot", &edits("README.md", "new words"), &[]);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("the review", |picture| stands(picture, "pot", "review"));
    world.write("README.md", "words of a person\n");
    term.keys("A");
    term.until("the refusal", |picture| {
        stands(picture, "pot", "stuck") && picture.has("with changes (README.md)")
    });
    assert_eq!(std::fs::read_to_string(world.repo().join("README.md")).unwrap(), "words of a person\n");
    world.git(&["checkout", "-q", "README.md"]);
    term.keys("l");
    term.until("the landing", |picture| stands(picture, "pot", "landed"));
    assert_eq!(world.on_main("README.md").unwrap(), "new words\n");
}

#[test]
fn what_is_red_as_merged_does_not_land() {
    let world = World::with_config(
        "[[gate]]\nname = \"one\"\ncommand = \"test $(ls *.txt 2>/dev/null | wc -l) -le 1 || { echo TOO MANY; exit 1; }\"\n",
    );
    for name in ["first", "second"] {
        world.launch(
            name,
            &script("when attempt 1\n  edit @.txt <<E\na\nE\n  commit A\nelse\n  hang\nend")
                .replace('@', name),
            &[],
        );
    }
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("both in review", |picture| {
        stands(picture, "first", "review") && stands(picture, "second", "review")
    });
    term.keys("A");
    term.until("one landed", |picture| stands(picture, "first", "landed"));
    term.keys("\x1b[HA");
    term.until("the other sent back", |picture| {
        line(picture, "second").is_some_and(|row| row.contains("working") && row.contains("2/"))
    });
    assert_eq!(world.on_main("second.txt"), None);
}

#[test]
fn an_agent_that_died_with_its_keeper_is_shown_as_interrupted_and_retried() {
    let world = World::new();
    world.launch(
        "lost",
        &script("when attempt 1\n  hang\nelse\n  edit a.txt <<E\na\nE\n  commit A\nend"),
        &[],
    );
    world.until_state("lost", TaskState::Working);
    let mut term = Term::open(&world, &[], 24, 80);
    term.until("work", |picture| stands(picture, "lost", "working"));
    // The board says that it works once its keeper is asked for: the keeper may still be on its way.
    let file = || std::fs::read(world.jobs().first()?.join("keeper.json")).ok();
    let keeper = || serde_json::from_slice::<KeeperFile>(&file()?).ok();
    let keeper = wait::until("keeper.json", keeper);
    kill(keeper.keeper);
    kill(keeper.child);
    term.until("the loss", |picture| {
        stands(picture, "lost", "interrupted") && picture.has("resume or retry")
    });
    term.keys("r\r");
    term.until("the review", |picture| stands(picture, "lost", "review"));
}

#[test]
fn the_demo_is_played_by_keys_to_its_end() {
    let world = World::empty();
    let temp = world.root().join("t");
    std::fs::create_dir(&temp).unwrap();
    let env = [("TMPDIR", temp.to_str().unwrap()), ("NOPEEK_SCRIPTED_SPEED", "20")];
    let mut term = Term::with_env(&world, &["demo"], 24, 80, &env);
    let go = |term: &mut Term, name: &str| {
        term.keys("1:");
        term.until_has("palette");
        term.keys(&format!("go to {name}"));
        term.until("it to be found", |picture| {
            picture.has(&format!("go to {name}")) && !picture.has("help:")
        });
        term.keys("\r");
    };
    term.until("a question", |picture| stands(picture, "strength", "asking"));
    go(&mut term, "strength");
    term.until_has("strength asks");
    term.keys("6\r");
    let all = ["pour", "minutes", "strength", "menu-green", "menu-herbal"];
    term.until("five reviews", |picture| all.iter().all(|name| stands(picture, name, "review")));
    assert!(
        line(&term.picture(), "minutes").unwrap().contains("2/3"),
        "a red gate was mended by a second attempt"
    );
    for name in ["menu-green", "menu-herbal"] {
        go(&mut term, name);
        // Nothing is approved that was not shown.
        term.until("the diff", |picture| picture.has("· review") && picture.has("1 of 2"));
        term.keys("A");
        if name == "menu-green" {
            term.until_has("1 landed");
        }
    }
    term.keys("1");
    term.until("the conflict to come back", |picture| {
        line(picture, "menu-herbal").is_some_and(|row| row.contains("2/3") && row.contains("review"))
    });
    go(&mut term, "menu-herbal");
    term.until("the merged diff", |picture| picture.has("attempt 2/3") && picture.has("1 of 2"));
    term.keys("A");
    term.until_has("2 landed");
    term.keys("R");
    term.until_has("roll menu-herbal back?");
    term.keys("y");
    term.until("the rollback", |picture| picture.has("rolled back"));
    let demo = std::fs::read_dir(&temp).unwrap().next().unwrap().unwrap().path();
    term.keys("\x03");
    assert_eq!(term.until_ended(), 0);
    wait::until("the demo to have cleared itself", || (!demo.exists()).then_some(()));
}

#[test]
fn the_command_line_is_legible_in_a_terminal() {
    let world = World::with_config(GATED);
    world.launch("kettle", &edits("kettle.txt", "good water"), &[]);
    world.until_state("kettle", TaskState::Review);
    for (args, seen) in [
        (&["ls"][..], &["TASK", "kettle", "review", "1/1"][..]),
        (&["show", "kettle"], &["kettle", "review", "good"]),
        (&["diff", "kettle"], &["kettle.txt", "+good water"]),
        (&["logs", "kettle"], &["Done."]),
        (&["agents"], &["claude", "codex", "scripted"]),
        (&["ledger", "kettle"], &["waits for review"]),
        (&["doctor"], &["git"]),
        (&["daemon", "status"], &["process"]),
    ] {
        let mut term = Term::open(&world, args, 50, 100);
        assert_eq!(term.until_ended(), 0, "{args:?}");
        let picture = term.picture();
        for text in seen {
            assert!(picture.has(text), "{args:?} has no {text:?}\n{}", picture.text());
        }
    }
}
