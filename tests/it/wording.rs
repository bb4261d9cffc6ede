//! What people read uses the field's words: a list of phrases that strangers misread, held against everything that is
//! shown.
//!
//! Looked at are the pictures of every screen of the TUI, the string literals of `src/` (tests left out), the help of
//! every subcommand (`docs/cli.md`, which another test keeps equal to what clap prints), the other docs, the README, what
//! contributors read (`CONTRIBUTING.md`, `SECURITY.md`, `AGENTS.md`, the decisions), the prompts and forms in `assets/`, and
//! the table of keys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is not said, and what is said instead.
///
/// A phrase is compared word by word, its case ignored unless it is all capitals. `#` stands for a number, `##` for any
/// number but 1, `*` at the start of a word for any beginning; what stands beside in code (`like_this`) is one word.
const WORDS: &[(&str, &str)] = &[
    // Columns and signs.
    ("SIGN", "ACTIVE"),
    ("sign of life", "last output"),
    ("TRY", "ATTEMPT"),
    ("LID", "SCREEN"),
    ("ALIKE", "SIMILAR"),
    ("SPREAD", "RANGE"),
    ("LOOKS", "REVIEW PASSES"),
    ("*B said", "2.0 kB output"),
    ("state by", "state reported by the agent"),
    ("back of #", "18 lines up, of 2522"),
    ("nearer", "zoom in"),
    ("farther", "zoom out"),
    // The lid: a screen is hidden, visible or peeked.
    ("sealed", "hidden"),
    ("covered", "hidden"),
    ("uncovered", "visible"),
    ("under the lid", "hidden"),
    ("lifted", "visible"),
    ("lid on", "hidden"),
    ("lid off", "visible"),
    ("lid is on", "hidden"),
    ("lid stays on", "its screen stays hidden"),
    ("lid back on", "hidden again"),
    ("lid broken", "peeked"),
    ("lid is broken", "peeked"),
    ("lids broken", "peeks"),
    ("break the lid", "peek"),
    ("breaks the lid", "peeks"),
    ("broke the lid", "peeked"),
    ("broke a lid", "peeked"),
    ("breaking the lid", "peeking"),
    ("no keys go", "this screen takes no input"),
    ("pot is watched", "peeked"),
    // Counts.
    ("## needs you", "7 need you"),
    ("1 need you", "1 needs you"),
    ("1 commits", "1 commit"),
    ("1 files", "1 file"),
    ("1 findings", "1 finding"),
    ("1 tasks", "1 task"),
    ("1 tests", "1 test"),
    ("1 gates", "1 gate"),
    ("1 attempts", "1 attempt"),
    ("1 phases", "1 phase"),
    ("1 votes", "1 vote"),
    ("1 lines", "1 line"),
    ("1 facts", "1 fact"),
    ("1 jobs", "1 job"),
    ("1 live jobs", "1 live job"),
    ("1 prompts", "1 prompt"),
    ("1 names", "1 name"),
    ("1 tokens", "1 token"),
    ("1 places", "1 place"),
    // Reviews.
    ("pair of eyes", "second review"),
    ("look #", "review pass 1"),
    ("# look", "1 review pass"),
    ("# looks", "2 review passes"),
    ("the looks", "the review passes"),
    ("look by", "review pass by"),
    ("looked #", "review pass"),
    ("would mend", "suggested fix"),
    ("agreed", "approved"),
    // The engine's own words.
    ("asked for a look", "a plain event"),
    ("settled", "a plain event"),
    ("answered e#", "a plain event"),
    ("the world refused", "external failure"),
    // Coined or riddling.
    ("asks for leave", "asks for permission"),
    ("small letters", "lower case ignores case"),
    ("weak", "warn"),
    ("weakness", "gap that weaker agents hit"),
    ("weaknesses", "gaps that weaker agents hit"),
    ("harness", "spec, gates or prompts"),
    ("alike", "similarity"),
    ("a task a", "one task per"),
    ("a row a", "one row per"),
    ("a bar an", "one bar per"),
    ("a line a", "one line per"),
    ("a file a", "one file per"),
    ("a function an", "one function per"),
    ("one a user", "one per user"),
    ("one a subcommand", "one per subcommand"),
    ("object a line", "one object per line"),
    ("parted by", "separated by"),
    ("blanks between", "separated by spaces"),
    ("forget", "archive"),
    ("forgets", "archives"),
    ("forgotten", "archived"),
    ("off the board", "archived"),
    ("for sure", "kill the agent and all its processes"),
    ("nothing survives", "kill the agent and all its processes"),
    ("of it survives", "kill the agent and all its processes"),
    ("stretch", "period"),
    ("stretches", "periods"),
    ("is number #", "is now #3 in the queue"),
    ("to be so", "should be true when it is done"),
    ("how many without a human", "automatic attempts at most"),
    ("may start without a human", "automatic attempts at most"),
    ("voices", "votes"),
    ("kept apart", "run one after the other"),
    ("soak", "bake time"),
    ("soaking", "bake time"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("dug", "found"),
    ("heard", "received"),
    ("told", "reported"),
    ("brought", "copied in"),
    ("judges", "gates decide"),
    ("drops", "dropped files"),
    ("is at it", "works on it"),
    ("reckoned", "calculated"),
    ("to its end", "finishes"),
];

/// What a person may read in spite of the list: the one line inside a hidden pane, and names that scripts and files use.
const MAY_STAY: &[&str] = &["▣ under the lid", "lid = \"on\""];

/// A text, and where it stands.
struct Read {
    place: String,
    text: String,
}

#[test]
fn what_people_read_uses_the_words_of_the_field() {
    let texts = everything();
    assert!(texts.len() > 2_000, "the scanner has lost most texts: {}", texts.len());
    let wrong: BTreeSet<String> = texts.iter().flat_map(|read| wrong_in(&read.place, &read.text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_list_finds_what_it_names() {
    for (text, not) in [
        ("12.9kB said", "*B said"),
        ("7 needs you", "## needs you"),
        ("a branch with 1 commits", "1 commits"),
        ("Another pair\n of eyes", "pair of eyes"),
        ("TASK  STATE  TRY", "TRY"),
        ("18 back of 2522", "back of #"),
        ("The task is forgotten.", "forgotten"),
    ] {
        let found = wrong_in("here", text);
        assert!(found.iter().any(|line| line.contains(&format!("`{not}`"))), "{text}: {found:?}");
    }
    for text in [
        "1 needs you",
        "1/3   needs you: whistle",
        "--lid <on|off>",
        "7 need you",
        "to_looks",
        "try again",
        "▣ under the lid",
        "a recommended way",
        "It launches a task. A gate follows.",
    ] {
        assert_eq!(wrong_in("here", text), [""; 0], "{text}");
    }
    let literals =
        literals("let a = \"one \\\n   two\"; // \"no\"\nlet b = r#\"x \"y\"\"#; let c = '\"'; f(\"z\")");
    assert_eq!(
        literals.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
        ["one two", "x \"y\"", "z"]
    );
}

/// Everything that people read, text by text.
fn everything() -> Vec<Read> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for file in files(root, "src") {
        let path = file.strip_prefix(root).unwrap().display().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        match path.rsplit_once('.') {
            Some((_, "snap")) if path.starts_with("src/tui/") => texts.extend(lines(&path, &text)),
            Some((name, "rs")) if !is_test(name) => {
                let said = literals(before_tests(&text)).into_iter().filter(|(_, text)| is_read(&path, text));
                texts.extend(said.map(|(line, text)| Read { place: format!("{path}:{line}"), text }));
            }
            _ => {}
        }
    }
    let written = [
        "docs",
        "assets/prompts",
        "assets/spec.md",
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "AGENTS.md",
        "keymap.toml",
    ];
    for file in written.iter().flat_map(|name| files(root, name)) {
        let path = file.strip_prefix(root).unwrap().display().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        texts.extend(prose(&path, &text));
    }
    texts
}

fn files(root: &Path, name: &str) -> Vec<PathBuf> {
    let path = root.join(name);
    if path.is_file() {
        return vec![path];
    }
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
        .into_iter()
        .flat_map(|path| files(root, path.strip_prefix(root).unwrap().to_str().unwrap()))
        .collect()
}

/// Files of tests: their texts are read by nobody but us. The scripted agent's steps are a language of its own.
fn is_test(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    name.contains("/tests/")
        || name.contains("/scripted/")
        || file.ends_with("tests")
        || ["tests_", "scenes", "sim", "check", "grammar", "pinned"]
            .iter()
            .any(|start| file.starts_with(start))
}

fn before_tests(text: &str) -> &str {
    let end = text
        .find("\n#[cfg(test)]\nmod ")
        .filter(|at| text[*at..].lines().nth(2).is_some_and(|l| l.ends_with('{')));
    &text[..end.unwrap_or(text.len())]
}

/// Whether a literal is words: it has a blank in it, or stands where the TUI and the CLI keep their labels.
fn is_read(path: &str, text: &str) -> bool {
    let name = text.chars().all(|c| c.is_ascii_lowercase() || "_-./".contains(c));
    text.contains(char::is_whitespace) || (!name && (path.contains("/tui/") || path.contains("/cli/")))
}

fn lines(path: &str, text: &str) -> Vec<Read> {
    let line = |(n, line): (usize, &str)| Read { place: format!("{path}:{}", n + 1), text: line.to_owned() };
    text.lines().enumerate().map(line).collect()
}

/// Paragraphs without what is code: spans in backticks, settings (`key = …`) and places that a template fills in.
fn prose(path: &str, text: &str) -> Vec<Read> {
    let mut texts: Vec<Read> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        let bare = line.trim_start().trim_start_matches("# ");
        let setting = bare.split_whitespace().nth(1) == Some("=");
        if line.trim().is_empty() || setting {
            open = false;
            continue;
        }
        let words: String = without_code(line);
        match texts.last_mut().filter(|_| open) {
            Some(read) => read.text.extend(["\n", &words]),
            None => texts.push(Read { place: format!("{path}:{}", n + 1), text: words }),
        }
        open = true;
    }
    texts
}

fn without_code(line: &str) -> String {
    let spans: Vec<&str> = line.split('`').collect();
    let outside = |n: usize| n.is_multiple_of(2) || n + 1 == spans.len();
    let kept: Vec<&str> =
        spans.iter().enumerate().map(|(n, span)| if outside(n) { *span } else { "x" }).collect();
    let mut text = kept.concat();
    while let Some((before, rest)) = text.split_once("{{") {
        let Some((_, after)) = rest.split_once("}}") else { break };
        text = format!("{before}x{after}");
    }
    text
}

/// What of the list a text says, a line each.
fn wrong_in(place: &str, text: &str) -> Vec<String> {
    if ["CREATE TABLE", "SELECT "].iter().any(|sql| text.contains(sql)) {
        return Vec::new();
    }
    let kept = MAY_STAY.iter().fold(text.to_owned(), |text, stays| text.replace(stays, ""));
    // What stands between phrases or sentences is a word of its own, so that none is found across it.
    let kept = kept.replace([',', ';', ':', '(', ')', '<', '>', '|'], " , ");
    let kept = kept.replace(". ", " , ").replace(".\n", " , ");
    let words: Vec<(&str, String)> = kept
        .split(|c: char| !(c.is_alphanumeric() || "_-.'’,/".contains(c)))
        .map(|word| word.trim_matches(|c: char| ".-'’".contains(c)))
        .filter(|word| !word.is_empty())
        .map(|word| (word, word.to_lowercase()))
        .collect();
    let said = |phrase: &str| {
        let wanted = || phrase.split(' ');
        let many = wanted().count();
        words.windows(many).any(|found| found.iter().zip(wanted()).all(|(word, wanted)| fits(word, wanted)))
    };
    WORDS
        .iter()
        .filter(|(not, _)| said(not))
        .map(|(not, but)| format!("{place}: not `{not}` but `{but}`: {:.200}", text.trim()))
        .collect()
}

/// Whether a word, as it stands and in lower case, is the one that the list means.
fn fits((word, lower): &(&str, String), wanted: &str) -> bool {
    let number = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_digit());
    match wanted {
        "#" => number(word) || *word == "{}",
        "##" => number(word) && *word != "1",
        _ if wanted.ends_with('#') => word.strip_prefix(wanted.trim_end_matches('#')).is_some_and(number),
        _ if wanted.starts_with('*') => word.ends_with(&wanted[1..]),
        _ if wanted.bytes().all(|c| c.is_ascii_uppercase()) => *word == wanted,
        _ => lower == wanted,
    }
}

/// The string literals of a Rust source, each with its line, as the program has them but for escapes other than a line's
/// end.
fn literals(text: &str) -> Vec<(usize, String)> {
    let bytes: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest {
            ['\n', ..] => line += 1,
            ['/', '/', ..] => {
                at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
                continue;
            }
            ['\'', '\\', _, ..] => at += 2 + rest[3..].iter().position(|c| *c == '\'').unwrap_or(0),
            ['\'', _, '\'', ..] => at += 2,
            ['r', '"' | '#', ..] if at == 0 || !(bytes[at - 1].is_alphanumeric() || bytes[at - 1] == '_') => {
                let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
                if rest.get(1 + hashes) == Some(&'"') {
                    let body = &rest[2 + hashes..];
                    let ends = |n: &usize| {
                        body[*n] == '"' && body[n + 1..].iter().take_while(|c| **c == '#').count() >= hashes
                    };
                    let end = (0..body.len()).find(ends).unwrap_or(body.len());
                    found.push((line, body[..end].iter().collect()));
                    line += body[..end].iter().filter(|c| **c == '\n').count();
                    at += 2 + hashes + end + hashes;
                }
            }
            ['"', body @ ..] => {
                let (mut words, mut n) = (String::new(), 0);
                while n < body.len() && body[n] != '"' {
                    match &body[n..] {
                        ['\\', '\n', ..] => {
                            let skipped = body[n + 1..].iter().take_while(|c| c.is_whitespace()).count();
                            line += body[n + 1..][..skipped].iter().filter(|c| **c == '\n').count();
                            n += 1 + skipped;
                        }
                        ['\\', 'n', ..] => {
                            words.push('\n');
                            n += 2;
                        }
                        ['\\', c, ..] => {
                            words.push(*c);
                            n += 2;
                        }
                        _ => {
                            line += usize::from(body[n] == '\n');
                            words.push(body[n]);
                            n += 1;
                        }
                    }
                }
                found.push((line, words));
                at += n + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}
