//! The source keeps to its layers, its bans and its sizes: a crate alone would not stop it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may use whom. What is not here is not allowed.
const MAY_USE: &[(&str, &[&str])] = &[
    ("values", &[]),
    ("core", &["values"]),
    ("policy", &["core", "values"]),
    ("report", &["policy", "core", "values"]),
    ("os", &[]),
    ("wire", &["core", "values", "report"]),
    ("screen", &["core", "values", "wire"]),
    ("agents", &["core", "values"]),
    ("config", &["core", "values", "policy", "agents", "os"]),
    ("store", &["core", "values", "report", "os"]),
    ("git", &["core", "values"]),
    ("keeper", &["wire", "os"]),
    ("client", &["core", "values", "wire", "os"]),
    (
        "daemon",
        &["core", "values", "policy", "report", "wire", "screen", "agents", "os", "config", "store", "git"],
    ),
    ("tui", &["core", "values", "report", "wire", "client", "config", "os"]),
    (
        "cli",
        &[
            "core", "values", "policy", "report", "os", "wire", "screen", "agents", "config", "store", "git",
            "keeper", "client", "daemon", "tui",
        ],
    ),
];

/// What a layer must not name, because it touches the world or ties it to a runtime.
const BANS: &[(&[&str], &[&str])] = &[
    (
        &["values", "core", "policy", "report", "wire", "screen", "agents"],
        &[
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "std::env",
            "std::os",
            "Instant",
            "SystemTime",
            "tokio",
            "rustix",
            "rand",
        ],
    ),
    (&["keeper", "os"], &["tokio"]),
];

/// Longest file, tests not counted. A longer one has two things in it.
const LINES_MAX: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];

struct Source {
    /// From the crate's root, as `src/core/engine.rs`.
    path: String,
    /// `core` of `src/core/engine.rs`; `main` and `lib` for the roots.
    layer: String,
    /// How many modules it stands below the root.
    depth: usize,
    text: String,
    /// The text without tests and comments, by line number from 1.
    code: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    files.sort();
    let texts: BTreeMap<PathBuf, String> =
        files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(&file).unwrap())).collect();
    let tests = test_files(&texts);
    let mut sources = Vec::new();
    for (file, text) in &texts {
        let inside = file.strip_prefix(root.join("src")).unwrap().with_extension("");
        let parts: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        let is_mod = parts.last() == Some(&"mod");
        sources.push(Source {
            path: file.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
            layer: parts[0].to_owned(),
            depth: parts.len() - usize::from(is_mod),
            code: if tests.contains(file) { Vec::new() } else { code(text) },
            text: text.clone(),
        });
    }
    sources
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Files that a `#[cfg(test)] mod NAME;` names.
fn test_files(texts: &BTreeMap<PathBuf, String>) -> BTreeSet<PathBuf> {
    let mut tests = BTreeSet::new();
    for (file, text) in texts {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (n, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]") {
            let mut path = None;
            for line in &lines[n + 1..] {
                if let Some(named) = line.strip_prefix("#[path = \"") {
                    path = named.strip_suffix("\"]");
                } else if !line.starts_with("#[") {
                    let name = line.trim_start_matches("pub(crate) ").strip_prefix("mod ");
                    let folder = file.parent().unwrap();
                    let own = match file.file_name().unwrap().to_str().unwrap() {
                        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
                        _ => file.with_extension(""),
                    };
                    if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
                        tests.insert(
                            path.map_or_else(|| own.join(format!("{name}.rs")), |path| folder.join(path)),
                        );
                        tests.insert(own.join(name).join("mod.rs"));
                    }
                    break;
                }
            }
        }
    }
    tests
}

/// Lines that are no comment and stand in no `#[cfg(test)]` item.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut code = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "#[cfg(test)]" {
            // rustfmt closes an item where it began.
            let end = |line: &str| {
                let own = line.len() - line.trim_start().len() == indent;
                own && (line.trim_start().starts_with('}') || line.trim_end().ends_with(';'))
            };
            lines.by_ref().find(|(_, line)| end(line));
        } else if !line.trim_start().starts_with("//") {
            code.push((n + 1, line.to_owned()));
        }
    }
    code
}

/// Modules below the crate's root that a line names by `crate::` or by enough `super::`.
fn named(line: &str, depth: usize) -> Vec<String> {
    let mut names = Vec::new();
    let ident = |rest: &str| -> Vec<String> {
        let word = |text: &str| {
            text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        };
        match rest.strip_prefix('{') {
            Some(group) => group.split(',').map(word).filter(|name| !name.is_empty()).collect(),
            None => vec![word(rest)],
        }
    };
    for (at, _) in line.match_indices("crate::") {
        names.extend(ident(&line[at + "crate::".len()..]));
    }
    let supers = "super::".repeat(depth);
    for (at, _) in line.match_indices(&supers) {
        let rest = &line[at + supers.len()..];
        if !line[..at].ends_with("super::") && !rest.starts_with("super::") {
            names.extend(ident(rest));
        }
    }
    names
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn who_uses_whom_is_as_the_table_says() {
    let layers: BTreeSet<&str> = MAY_USE.iter().map(|(layer, _)| *layer).collect();
    let mut broken = Vec::new();
    for source in sources() {
        if source.layer == "lib" {
            continue;
        }
        let allowed: &[&str] = match source.layer.as_str() {
            "main" => &["cli"],
            layer => match MAY_USE.iter().find(|(name, _)| *name == layer) {
                Some((_, allowed)) => allowed,
                None => {
                    broken.push(format!("{}: the layer {layer} is not in the table", source.path));
                    continue;
                }
            },
        };
        for (n, line) in &source.code {
            for name in named(line, source.depth) {
                if layers.contains(name.as_str()) && name != source.layer && !allowed.contains(&name.as_str())
                {
                    broken.push(format!("{}:{n}: {} must not use {name}", source.path, source.layer));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn the_docs_have_the_same_table() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md"));
    let docs = docs.unwrap();
    let (_, section) = docs.split_once("## Who may use whom").unwrap();
    let rows = section.split("```").nth(1).unwrap().lines().take_while(|line| !line.starts_with("in core:"));
    let said: BTreeMap<&str, BTreeSet<&str>> = rows
        .flat_map(|line| line.split("  "))
        .filter_map(|row| row.trim().split_once(" → "))
        .map(|(layer, uses)| (layer, uses.split(' ').filter(|used| *used != "nothing").collect()))
        .collect();
    let mut table: BTreeMap<&str, BTreeSet<&str>> =
        MAY_USE.iter().map(|(layer, uses)| (*layer, uses.iter().copied().collect())).collect();
    table.insert("main", BTreeSet::from(["cli"]));
    // What uses all others is said so.
    for uses in table.values_mut().filter(|uses| uses.len() + 1 == MAY_USE.len()) {
        *uses = BTreeSet::from(["everything", "below"]);
    }
    assert_eq!(said, table);
}

#[test]
fn the_table_has_no_cycle() {
    // Layers stand in an order in which each uses only what was before it.
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (layer, uses) in MAY_USE {
        for used in *uses {
            assert!(known.contains(used), "{layer} uses {used}, which comes later");
        }
        known.insert(layer);
    }
}

#[test]
fn pure_layers_do_not_touch_the_world() {
    let mut broken = Vec::new();
    for source in sources() {
        for (layers, bans) in BANS {
            if !layers.contains(&source.layer.as_str()) {
                continue;
            }
            for (n, line) in spelled_out(&source.code) {
                for ban in bans.iter().filter(|ban| has_word(&line, ban)) {
                    broken.push(format!("{}:{n}: {ban} has no place in {}", source.path, source.layer));
                }
            }
        }
    }
    report(&broken);
}

/// The lines, and a line for each module that a `use std::{…}` names in a group, however rustfmt broke it.
fn spelled_out(code: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut lines = code.to_vec();
    for (at, (n, line)) in code.iter().enumerate() {
        let Some((_, first)) = line.split_once("std::{") else { continue };
        let rest = code[at + 1..].iter().map(|(_, line)| line.as_str());
        let mut depth = 1;
        let group: String = std::iter::once(first)
            .chain(rest)
            .flat_map(str::chars)
            .take_while(|c| {
                depth += i32::from(*c == '{') - i32::from(*c == '}');
                depth > 0
            })
            .collect();
        let mut depth = 0;
        let names = group.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        lines.extend(names.map(|name| (*n, format!("std::{}", name.trim()))));
    }
    lines
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}

#[test]
fn every_file_says_what_it_owns() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    report(&silent.map(|source| format!("{}: begins without //!", source.path)).collect::<Vec<_>>());
}

/// What must have a doc: all that a user of a module sees and that no name alone explains.
const DOCUMENTED: &[&str] =
    &["struct ", "enum ", "trait ", "union ", "fn ", "const fn ", "async fn ", "const ", "static ", "type "];

/// What is wrong with the docs of a file: a public item without one, or one of a single word.
fn doc_faults(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let mut faults = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let is_doc = |at: usize| lines.get(at).is_some_and(|line| line.starts_with("///"));
        if let Some(item) = line
            .strip_prefix("pub ")
            .filter(|item| DOCUMENTED.iter().any(|it| item.starts_with(it)) && !item.contains('$'))
        {
            let above = lines[..n].iter().rev().find(|line| !line.starts_with("#[") && !line.ends_with(")]"));
            if !above.is_some_and(|line| line.starts_with("///")) {
                faults.push(format!("{path}:{}: nothing says what `{item}` is", n + 1));
            }
        }
        let alone = is_doc(n) && (n == 0 || !is_doc(n - 1)) && !is_doc(n + 1);
        let words = line.trim_start_matches("///").split_whitespace().count();
        if alone && words < 2 {
            faults.push(format!("{path}:{}: a doc of one word says nothing", n + 1));
        }
    }
    faults
}

#[test]
fn docs_say_something() {
    let faults: Vec<String> =
        sources().iter().flat_map(|source| doc_faults(&source.path, &source.text)).collect();
    report(&faults);
    let shown = "/// What it is.\n#[derive(Clone)]\npub struct A {\n    pub b: u8,\n}\n";
    assert!(doc_faults("a", shown).is_empty());
    assert_eq!(doc_faults("a", "/// Which.\npub struct A;\n"), ["a:1: a doc of one word says nothing"]);
    assert_eq!(doc_faults("a", "    pub fn b() {}\n"), ["a:1: nothing says what `fn b() {}` is"]);
}

#[test]
fn no_name_is_empty() {
    let empty = sources().into_iter().filter(|source| {
        Path::new(&source.path)
            .iter()
            .any(|part| EMPTY_NAMES.contains(&part.to_str().unwrap().trim_end_matches(".rs")))
    });
    report(
        &empty
            .map(|source| format!("{}: says nothing about what is inside", source.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_is_too_long_to_see() {
    let mut broken = Vec::new();
    for source in sources() {
        let doc = source.text.lines().filter(|line| line.trim_start().starts_with("//")).count();
        let lines = if source.code.is_empty() { 0 } else { source.code.len() + doc };
        if lines > LINES_MAX {
            broken.push(format!("{}: {lines} lines, more than {LINES_MAX}", source.path));
        }
    }
    report(&broken);
}

#[test]
fn every_file_is_part_of_the_program() {
    let sources = sources();
    let mut forgotten = Vec::new();
    for source in &sources {
        let path = Path::new(&source.path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let folder = path.parent().unwrap();
        let (name, parents) = match stem {
            "main" | "lib" => continue,
            "mod" => {
                let above = folder.parent().unwrap();
                (folder.file_name().unwrap().to_str().unwrap(), above)
            }
            _ => (stem, folder),
        };
        let declared = sources.iter().any(|other| {
            let other_path = Path::new(&other.path);
            let near = other_path.parent() == Some(parents) || other_path.with_extension("") == parents;
            near && other.text.lines().map(str::trim).any(|line| {
                line.ends_with(&format!("mod {name};")) || line.contains(&format!("#[path = \"{stem}.rs\"]"))
            })
        });
        if !declared {
            forgotten.push(format!("{}: no `mod {name};` names it", source.path));
        }
    }
    report(&forgotten);
}

#[test]
fn the_checks_themselves_see_what_they_must() {
    assert_eq!(named("use crate::core::ids::TaskId;", 2), ["core"]);
    assert_eq!(named("use crate::{core::x, git};", 2), ["core", "git"]);
    assert_eq!(named("use super::super::daemon::x;", 2), ["daemon"]);
    assert!(named("use super::daemon;", 2).is_empty());
    assert!(has_word("use tokio::net;", "tokio") && !has_word("tokio_like()", "tokio"));
    let grouped = spelled_out(&code(
        "use std::{\n    collections::{BTreeMap, btree_map},\n    fs,\n    env::var,\n};\n",
    ));
    let says = |word: &str| grouped.iter().any(|(n, line)| *n == 1 && has_word(line, word));
    assert!(says("std::fs") && says("std::env") && !says("std::btree_map") && !says("std::net"));
    let text = "a\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nb\n// c\n#[cfg(test)]\nmod t;\nd\n";
    let kept: Vec<String> = code(text).into_iter().map(|(_, line)| line).collect();
    assert_eq!(kept, ["a", "b", "d"]);
}
