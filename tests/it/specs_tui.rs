//! The outer loop lived in the board: a spec is asked for, edited, approved, planned, approved, done; questions and votes.

use crate::support::term::{Picture, Term};
use crate::support::world::World;
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::TaskView;

const DRAFTER: &str = r#"
when prompt was attacked (review pass 1)
  edit specs/tea/review-1.toml <<END
[[finding]]
id = "R1.1"
answer = "accepted"
why = "Nobody orders at midnight."
END
  commit Answer look 1
else
  edit specs/tea.md <<END
+++
title = "Tea for everybody"
objectives = ["There is a cup.", "It can be poured."]
non_goals = ["Coffee."]
touchpoints = ["cups/**"]
data = ["None."]
tests = ["grep finds each word in its file."]
risks = ["Somebody is burned."]
compatibility = ["Nothing is there yet."]
rollback = ["Revert the merges."]
+++

# Background

There is no tea.
END
  commit Draft the spec
end
"#;

const REVIEWER: &str = r#"
edit .nopeek/findings.toml <<END
[[finding]]
severity = "medium"
area = "edge cases"
what = "Orders at midnight have no date."
END
"#;

const PLANNER: &str = r#"
edit specs/tea/phase-1.md <<END
+++
title = "The cups"

[[task]]
name = "cup"
does = "Make a cup."
touches = ["cups/cup.txt"]
check = "grep -q round cups/cup.txt"

[[task]]
name = "pour"
does = "Pour it."
touches = ["cups/pour.txt"]
check = "grep -q steady cups/pour.txt"
after = ["cup"]
+++
END
commit Plan
"#;

const WORKER: &str = r##"
when prompt # the task: cup
  tool ask_human <<END
{"question": "Which clay?", "options": ["red", "white"]}
END
  edit cups/cup.txt <<END
round and @ANSWER@
END
  commit A cup
end
when prompt # the task: pour
  tool ask_panel <<END
{"question": "Pour fast or slow?", "options": [
  {"name": "fast", "about": "At once.", "scores": {"value": 5, "risk": 5}},
  {"name": "slow", "about": "In a thin stream.", "scores": {"value": 5, "risk": 5}}]}
END
  edit cups/pour.txt <<END
steady: @ANSWER@
END
  commit Pour
end
"##;

const VERIFIER: &str = r#"
edit .nopeek/findings.toml <<END
implemented = true

[[finding]]
severity = "low"
area = "naming"
place = "cups"
what = "A mug is not a cup."
END
"#;

/// Waits for a key, then writes a line into the first file.
const EDITOR: &str =
    "printf 'EDITING %s of %s\\n' \"$#\" \"${1##*/}\"\nread line\nprintf '\\n%s\\n' \"$line\" >>\"$1\"\n";

/// A repo with a crew of scripted agents.
fn tea_house() -> World {
    let world = World::new();
    let mut config = "parallel = 2\n".to_owned();
    let crew = [
        ("drafter", DRAFTER),
        ("reviewer", REVIEWER),
        ("planner", PLANNER),
        ("worker", WORKER),
        ("verifier", VERIFIER),
    ];
    for (name, script) in crew {
        let file = world.file(&format!("{name}.script"), script);
        config.push_str(&format!(
            "[agents.{name}]\ncommand = [\"{{nopeek}}\", \"scripted\", \"--script\", {file:?}, \"{{prompt}}\"]\nmode = \"headless\"\n"
        ));
    }
    config.push_str(
        "[spec]\ndraft = \"drafter\"\nreview = \"reviewer\"\nplan = \"planner\"\nwork = \"worker\"\nverify = \"verifier\"\n",
    );
    world.write("wip.md", "# Notes\n");
    world.write("cups/.keep", "");
    world.configure(&config);
    world
}

fn at(stage: &'static str) -> impl Fn(&Picture) -> bool {
    move |picture| picture.rows.iter().any(|row| row.contains(" tea ") && row.contains(stage))
}

/// The plan's line of a task says this.
fn marked(name: &'static str, state: &'static str) -> impl Fn(&Picture) -> bool {
    move |picture| picture.rows.iter().any(|row| row.contains(&format!("─ {name} ")) && row.contains(state))
}

/// Moves down the page to the line of a task of the plan, which is the first that names it beside a state.
fn to_task(term: &mut Term, name: &str) {
    term.keys("p");
    term.until("the plan", |picture| picture.rows.get(4).is_some_and(|row| row.starts_with(" PLAN")));
    let row = term.picture().rows.iter().position(|row| row.contains(&format!("─ {name} "))).unwrap();
    for _ in 4..row {
        term.keys("j");
    }
    term.keys("\r");
}

#[test]
fn a_goal_becomes_landed_work_by_keys_alone() {
    let world = tea_house();
    let editor = format!("sh {}", world.file("editor.sh", EDITOR).display());
    let mut term = Term::with_env(&world, &[], 24, 80, &[("EDITOR", &editor), ("VISUAL", "")]);
    term.until_has("no tasks yet");
    term.keys("N");
    term.until_has("what should be true when it is done");
    term.keys("\x1b[200~Tea for everybody,\nhot.\x1b[201~");
    term.until_has("hot.");
    term.keys("\ttea\t1\r");
    term.until("the spec", at("drafting"));
    let picture = term.until("the draft, attacked and refined", at("spec ready"));
    assert!(picture.has("! tea") && picture.has("1 needs you"), "{}", picture.text());

    // Read, edited in the person's own editor, judged again.
    term.keys("\r");
    term.until_has("It can be poured.");
    term.keys("l");
    term.until("what was found, and the answer", |picture| {
        picture.has("R1.1 medium edge cases") && picture.has("→ accepted: Nobody orders at midnight.")
    });
    term.keys("e");
    term.until_has("EDITING 1 of tea.md");
    term.keys("Mind the leaves.\r");
    term.until("the page again", |picture| picture.has("is checked again") && picture.has("REVIEW PASSES"));
    world.until("tea-spec", "the edited spec, up for approval", |task| {
        task.state == TaskState::Review && task.work().is_some_and(|work| work.vitals.commits == 3)
    });
    let head = |task: &TaskView| task.work().unwrap().head.clone().unwrap().short().to_string();
    let edited = head(&world.until_state("tea-spec", TaskState::Review));
    term.until("what was edited", |picture| at("spec ready")(picture) && picture.has(&edited));
    assert_eq!(world.on_main("specs/tea.md"), None);
    term.keys("A");
    term.until_has("approve the spec tea?");
    assert_eq!(world.show("tea-spec")["state"], "review", "nothing happens before a yes");
    term.keys("y");
    term.until("the plan", at("plan ready"));
    assert!(world.on_main("specs/tea.md").unwrap().ends_with("Mind the leaves.\n"));
    term.keys("p");
    term.until("the graph", |picture| picture.has("├─ cup") && picture.has("└─── pour  after cup"));
    term.keys("d");
    term.until_has("+ name = \"cup\"");
    term.keys("\x1b");
    term.until_has("after cup");
    assert_eq!(world.json(&["ls"])["tasks"].as_array().unwrap().len(), 2, "nothing is built yet");
    term.keys("Ay");

    // The first task asks; its answer is one of the options.
    term.until("a question", marked("cup", "! asking"));
    to_task(&mut term, "cup");
    term.until_has("Which clay? (1: red; 2: white)");
    term.keys("2\r");
    term.until("the review", marked("cup", "! review"));
    to_task(&mut term, "cup");
    term.until("what the verifier said, beside the diff", |picture| {
        picture.has("verifier in attempt 2: fully implemented · 1 finding")
            && picture.has("A mug is not a cup.")
            && picture.has("+ round and")
    });
    term.keys("A");
    term.until_has("cup is approved");
    term.keys("\x1b");

    // The second waits for a vote that the panel leaves to a human.
    term.until("a vote", marked("pour", "! working"));
    to_task(&mut term, "pour");
    term.until("the vote", |picture| picture.has("Pour fast or slow?") && picture.has("asks a human: a tie"));
    term.keys("\x1b[C");
    let picture = term.until("an option", |picture| picture.has("◂ fast ▸") || picture.has("◂ slow ▸"));
    if picture.has("◂ fast ▸") {
        term.keys("\x1b[C");
        term.until_has("◂ slow ▸");
    }
    term.keys("\tIt spills less\r");
    term.until("the review", marked("pour", "! review"));
    to_task(&mut term, "pour");
    term.until_has("+ steady");
    term.keys("A");
    term.until_has("pour is approved");
    term.keys("\x1b");
    term.until("the end", at("done"));
    assert!(world.on_main("cups/cup.txt").unwrap().contains("white"));
    assert!(world.on_main("cups/pour.txt").unwrap().contains("slow"));
    term.keys("f");
    term.until_has("archive the spec tea?");
    term.keys("y");
    term.until_has("ended · 4");
    term.keys("q");
    assert_eq!(term.until_ended(), 0);
}
