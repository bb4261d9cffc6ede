//! The main job on real input: a checkout of a public crate with its own test suite as the gate, through the CLI alone.
//!
//! The crate is `strsim`, which the program itself is built with (by clap), so that its source lies in cargo's cache; it
//! needs no other crate and builds offline. One of the tasks mends a mistake that it really has.

use crate::support::agent::script_file;
use crate::support::world::World;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command of the machine that builds us says.
fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Where cargo has the crate's source, as Cargo.lock names it.
fn source(cargo: &str) -> PathBuf {
    let version = said_by(cargo, &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let args = ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform", host];
    let metadata = said_by(cargo, &[&args[..], &["--manifest-path", manifest]].concat());
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "strsim");
    Path::new(package.unwrap()["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // What cargo itself has put there.
        if [".cargo-ok", ".cargo_vcs_info.json", "Cargo.toml.orig"].iter().any(|own| name == *own) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            std::fs::write(to.join(name), std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// Goes through at once.
const PREFIX: &str = r#"
say I'll put it before the similarities, and a test of its own beside the others.
replace src/lib.rs <<END
/// Calculates the Jaro similarity between two sequences. The returned value
=====
/// How many characters the two strings begin with in common.
///
/// ```
/// assert_eq!(6, strsim::common_prefix("kettle", "kettledrum"));
/// ```
pub fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// Calculates the Jaro similarity between two sequences. The returned value
END
edit tests/prefix.rs <<END
#[test]
fn common_prefixes_are_counted_in_characters() {
    assert_eq!(0, strsim::common_prefix("tea", ""));
    assert_eq!(4, strsim::common_prefix("thé vert", "thé noir"));
}
END
commit Count the common prefix
"#;

/// The crate's own suite turns the first try down; its output leads to the second.
const DICE: &str = r#"
when prompt sorensen_dice_all
  replace src/lib.rs <<END
    (2 * intersection_size) as f64 / (a.chars().count() + b.chars().count()) as f64
=====
    (2 * intersection_size) as f64 / (a.chars().count() + b.chars().count() - 2) as f64
END
  commit Count bigrams, not characters
else
  replace src/lib.rs <<END
    (2 * intersection_size) as f64 / (a.len() + b.len() - 2) as f64
=====
    (2 * intersection_size) as f64 / (a.chars().count() + b.chars().count()) as f64
END
  edit tests/dice.rs <<END
#[test]
fn a_character_of_two_bytes_counts_once() {
    assert_eq!(strsim::sorensen_dice("née", "nées"), strsim::sorensen_dice("nee", "nees"));
}
END
  commit Count characters, not bytes
end
"#;

/// Green, but a reviewer wants more.
const SUFFIX: &str = r#"
when prompt document it
  replace src/lib.rs <<END
/// How many characters the two strings end with in common.
=====
/// How many characters the two strings end with in common.
///
/// ```
/// assert_eq!(6, strsim::common_suffix("sitting", "kitting"));
/// ```
END
  commit Document the common suffix
else
  replace src/lib.rs <<END
/// Returns an Iterator of char tuples.
=====
/// How many characters the two strings end with in common.
pub fn common_suffix(a: &str, b: &str) -> usize {
    a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count()
}

/// Returns an Iterator of char tuples.
END
  commit Count the common suffix
end
"#;

/// Breaks what the crate promises, and its suite says so, as often as it is tried.
const HAMMING: &str = r#"
when attempt 1
  replace src/lib.rs <<END
            _ => return Err(StrSimError::DifferentLengthArgs),
=====
            _ => count += 1,
END
  commit Count what is missing as different
else
  run echo >> README.md
  commit Try again
end
"#;

#[test]
fn four_tasks_on_a_real_crate_one_sent_back_three_landed() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let world = World::new();
    copy(&source(&cargo), &world.repo());
    world.commit("strsim as it was released");
    // The toolchain that builds us, wherever it is; nothing is fetched.
    let tools = Path::new(said_by(&rustc, &["--print", "sysroot"]).trim()).join("bin");
    let before =
        format!("PATH={}:$PATH CARGO_HOME={}", tools.display(), world.root().join("cargo").display());
    world.configure(&format!(
        "parallel = 2\n[[gate]]\nname = \"build\"\ncommand = \"{before} cargo build --offline\"\n\
         [[gate]]\nname = \"test\"\ncommand = \"{before} cargo test --offline\"\nneeds = [\"build\"]\ntimeout = \"5m\"\n"
    ));
    for (name, steps) in [("prefix", PREFIX), ("dice", DICE), ("suffix", SUFFIX), ("hamming", HAMMING)] {
        world.launch(name, &script_file(&world, name, steps), &["--attempts", "2"]);
    }

    // All come to where a human is wanted: three to a review, one to its wits' end.
    assert_eq!(world.run(&["wait", "prefix", "dice", "suffix", "hamming", "--json"]).code, 8);
    let gate = |task: &Value, attempt: usize| task["attempts"][attempt]["gates"][1].clone();
    let prefix = world.show("prefix");
    assert_eq!(prefix["state"], "review", "{prefix:#}");
    assert_eq!(prefix["attempts"].as_array().unwrap().len(), 1);
    let tests = gate(&prefix, 0)["tests"].clone();
    // 96 tests and 11 examples of the crate's own, and what the agent added.
    assert!(tests["passed"].as_u64().unwrap() >= 96 + 11 + 2 && tests["failed"] == 0, "{tests}");

    let dice = world.show("dice");
    assert_eq!((&dice["state"], &dice["attempts"][0]["result"]), (&"review".into(), &"red".into()));
    assert!(gate(&dice, 0)["tests"]["failed"].as_u64().unwrap() > 0);
    assert_eq!(gate(&dice, 1)["tests"]["failed"], 0);

    let hamming = world.show("hamming");
    assert_eq!(hamming["state"], "stuck");
    assert_eq!(hamming["attempts"].as_array().unwrap().len(), 2);
    let said = world.ok(&["logs", "hamming", "--gate", "test"]);
    assert!(said.contains("hamming_unequal_length"), "{said}");

    // The review.
    let diff = world.json(&["diff", "suffix"]);
    assert_eq!(diff["files"][0]["path"], "src/lib.rs");
    world.ok(&["send-back", "suffix", "Good, but document it with an example.", "--wait"]);
    let suffix = world.show("suffix");
    assert_eq!((&suffix["state"], &suffix["attempts"][0]["result"]), (&"review".into(), &"sent_back".into()));
    assert_eq!(world.json(&["diff", "suffix"])["stat"]["added"], 9);
    world.ok(&["reject", "hamming", "--reason", "two lengths are an error: its callers count on that"]);

    // The queue takes all three, one after the other, each as merged with what landed before.
    for name in ["prefix", "dice", "suffix"] {
        world.ok(&["approve", name]);
    }
    world.ok(&["wait", "prefix", "dice", "suffix", "--json"]);
    for name in ["prefix", "dice", "suffix"] {
        let task = world.show(name);
        assert_eq!(task["state"], "landed", "{task:#}");
        let states = task["merge_gates"].as_array().unwrap().iter().map(|gate| &gate["state"]["judged"]);
        assert!(
            states.clone().count() == 2 && states.clone().all(|state| state == "passed" || state == "cached")
        );
    }
    assert_eq!(world.show("hamming")["state"], "rejected");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    let lib = world.on_main("src/lib.rs").unwrap();
    assert!(lib.contains("fn common_prefix") && lib.contains("fn common_suffix"));
    assert!(lib.contains("(a.chars().count() + b.chars().count() - 2)") && !lib.contains("_ => count += 1"));
    let landed = world.git(&["rev-list", "--merges", "--count", "main"]);
    assert_eq!(landed, "3");
}
