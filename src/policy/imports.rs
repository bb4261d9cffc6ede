//! What lines import, for boundaries: Rust (`use`, and paths within code), JavaScript and TypeScript (`import`,
//! `export … from`, `require`), Python (`import`, `from … import`), Go (`import`, alone or in its list), C and C++
//! (`#include`). Other languages are not read.
//!
//! It reads added lines, not whole files: a Rust `use` that is broken over several lines is put together if all of
//! them are new.

/// Something that a line imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub line: u32,
    /// What, with slashes between its parts, from the root if that is known.
    path: String,
}

impl Import {
    /// Whether it is `name` (`crate::daemon`, `src/daemon`, `app.daemon`) or inside of it.
    #[must_use]
    pub(super) fn is_of(&self, name: &str) -> bool {
        let plain = |text: &str| text.replace("::", "/").trim_matches('/').to_owned();
        let dotted = |text: &str| text.replace('.', "/");
        let name = plain(name);
        let names =
            [name.clone(), dotted(&name), format!("crate/{}", name.strip_prefix("src/").unwrap_or("\0"))];
        names.iter().any(|name| {
            [self.path.clone(), dotted(&self.path)].iter().any(|path| {
                let ends = |rest: &str| rest.is_empty() || rest.starts_with(['/', '.']);
                let begins = path.strip_prefix(name.as_str()).is_some_and(ends);
                // Go names a package by its module's address before the folder.
                let inside = name.contains('/') && path.contains(&format!("/{name}/"));
                begins || inside || (name.contains('/') && path.ends_with(&format!("/{name}")))
            })
        })
    }
}

/// What the added lines of a file import.
#[must_use]
pub(super) fn of(path: &str, added: &[(u32, String)]) -> Vec<Import> {
    let read: fn(&str, &str) -> Vec<String> = match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "rs" => return rust(path, added),
        "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" => script,
        "py" | "pyi" => python,
        "go" => go,
        "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "m" | "mm" => include,
        _ => return Vec::new(),
    };
    let imports = |(line, text): &(u32, String)| {
        let line = *line;
        read(path, text.trim()).into_iter().map(move |path| Import { line, path })
    };
    added.iter().flat_map(imports).collect()
}

/// Leads `./` and `../` from the folder of a file to a path from the root.
fn resolved(file: &str, name: &str) -> String {
    if !name.starts_with('.') {
        return name.to_owned();
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The first quoted text.
fn quoted(text: &str) -> Option<&str> {
    let at = text.find(['"', '\'', '`'])?;
    let quote = text[at..].chars().next()?;
    text[at + 1..].split(quote).next()
}

fn script(file: &str, line: &str) -> Vec<String> {
    if line.starts_with("//") || line.starts_with('*') {
        return Vec::new();
    }
    let mut found = Vec::new();
    if line.starts_with("import ") || line.starts_with("export ") || line.starts_with('}') {
        let bare = line.strip_prefix("import ").filter(|rest| rest.trim_start().starts_with(['"', '\'']));
        let from = line.rfind(" from ").or_else(|| line.rfind("}from ")).map(|at| &line[at..]);
        found.extend(from.or(bare).and_then(quoted));
    }
    for call in ["import(", "require(", "require.resolve("] {
        found.extend(line.match_indices(call).filter_map(|(at, _)| quoted(&line[at..])));
    }
    found.into_iter().map(|name| resolved(file, name)).collect()
}

fn python(file: &str, line: &str) -> Vec<String> {
    let lead = |module: &str| {
        let up = module.len() - module.trim_start_matches('.').len();
        if up == 0 {
            return module.replace('.', "/");
        }
        let mut folders: Vec<&str> = file.split('/').collect();
        folders.truncate(folders.len().saturating_sub(up));
        folders.extend(module[up..].split('.').filter(|part| !part.is_empty()));
        folders.join("/")
    };
    let first = |text: &str| text.split_whitespace().next().unwrap_or("").to_owned();
    if let Some(rest) = line.strip_prefix("import ") {
        return rest.split(',').map(|name| lead(&first(name))).collect();
    }
    let Some((module, names)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import")) else {
        return Vec::new();
    };
    let module = lead(module.trim());
    let names = names.trim().trim_matches(['(', ')']).split(',').map(first).filter(|name| !name.is_empty());
    let inside: Vec<String> = names.map(|name| format!("{module}/{name}")).collect();
    if inside.is_empty() { vec![module] } else { inside }
}

fn go(_: &str, line: &str) -> Vec<String> {
    let rest = line.strip_prefix("import ").unwrap_or(line).trim();
    // In a list stands a path alone, or after its other name.
    let Some((before, after)) = rest.split_once('"') else { return Vec::new() };
    let is_name = before.trim().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    match after.split_once('"') {
        Some((path, end)) if is_name && (end.trim().is_empty() || end.trim().starts_with("//")) => {
            vec![path.to_owned()]
        }
        _ => Vec::new(),
    }
}

fn include(file: &str, line: &str) -> Vec<String> {
    let Some(rest) =
        line.strip_prefix('#').map(str::trim_start).and_then(|rest| rest.strip_prefix("include"))
    else {
        return Vec::new();
    };
    let rest = rest.trim();
    if let Some(path) = rest.strip_prefix('<') {
        return path.split('>').next().map(|path| vec![path.to_owned()]).unwrap_or_default();
    }
    // A quoted path begins at the file's folder, or at a root that the build knows.
    let path = quoted(rest).unwrap_or("");
    let beside = resolved(file, &format!("./{path}"));
    vec![path.to_owned(), beside]
}

fn rust(file: &str, added: &[(u32, String)]) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = added;
    while let [(number, line), more @ ..] = rest {
        rest = more;
        let line = line.split("//").next().unwrap_or("").trim();
        let Some(tree) = used(line) else {
            let paths = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let paths = paths.filter(|path| path.contains("::")).map(|path| path.trim_matches(':'));
            found.extend(paths.map(|path| Import { line: *number, path: rooted(file, path) }));
            continue;
        };
        // The lines that belong to it, and where each of them begins in the text.
        let (mut text, mut starts) = (tree.to_owned(), vec![(0, *number)]);
        let mut last = *number;
        while !text.contains(';') {
            let [(number, line), more @ ..] = rest else { break };
            if *number != last + 1 {
                break;
            }
            (last, rest) = (*number, more);
            starts.push((text.len(), last));
            text.push_str(line.split("//").next().unwrap_or("").trim());
        }
        let mut leaves = Vec::new();
        unfold(text.split(';').next().unwrap_or(""), &mut leaves);
        for (at, path) in leaves {
            let line = starts.iter().rev().find(|(start, _)| *start <= at).map_or(*number, |(_, line)| *line);
            found.push(Import { line, path: rooted(file, &path) });
        }
    }
    found
}

/// What follows the `use` of a line.
fn used(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
        None => line,
    };
    line.strip_prefix("use ").or_else(|| line.strip_prefix("extern crate "))
}

/// The paths of a use tree, each with the place of its last part in the text.
fn unfold(text: &str, leaves: &mut Vec<(usize, String)>) {
    let mut prefixes: Vec<String> = vec![String::new()];
    let (mut word, mut at) = (String::new(), 0);
    let whole = |prefixes: &[String], word: &str| format!("{}{word}", prefixes.concat());
    for (n, c) in text.char_indices() {
        match c {
            '{' => prefixes.push(std::mem::take(&mut word)),
            ',' | '}' => {
                if !word.is_empty() {
                    leaves.push((at, whole(&prefixes, &word)));
                }
                word.clear();
                if c == '}' && prefixes.len() > 1 {
                    prefixes.pop();
                }
            }
            c if c.is_whitespace() => {
                // What follows is `as NAME`.
                if !word.is_empty() && !word.ends_with(':') {
                    word.push(' ');
                }
            }
            _ if word.contains(' ') => {}
            c => {
                if word.is_empty() {
                    at = n;
                }
                word.push(c);
            }
        }
    }
    if !word.is_empty() {
        leaves.push((at, whole(&prefixes, &word)));
    }
    for (_, path) in leaves {
        path.truncate(path.find(' ').unwrap_or(path.len()));
    }
}

/// A path of Rust from the crate's root, with slashes.
fn rooted(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty() && *part != "self").collect();
    let ups = parts.iter().take_while(|part| **part == "super").count();
    if ups == 0 && !path.starts_with("self::") {
        return parts.join("/");
    }
    let inside = file.rsplit_once("src/").map_or(file, |(_, inside)| inside);
    let module = inside.strip_suffix(".rs").unwrap_or(inside);
    let module = module.strip_suffix("/mod").unwrap_or(module);
    let mut from: Vec<&str> =
        module.split('/').filter(|part| !matches!(*part, "lib" | "main" | "mod")).collect();
    from.truncate(from.len().saturating_sub(ups));
    from.insert(0, "crate");
    from.extend(parts.drain(ups..));
    from.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text that import `name`.
    fn lines(path: &str, text: &str, name: &str) -> Vec<u32> {
        let added: Vec<(u32, String)> = (1..).zip(text.lines().map(str::to_owned)).collect();
        let mut lines: Vec<u32> = of(path, &added)
            .into_iter()
            .filter(|import| import.is_of(name))
            .map(|import| import.line)
            .collect();
        lines.dedup();
        lines
    }

    #[test]
    fn rust_paths_are_read() {
        let text = "use crate::daemon::shell;\nuse crate::daemons;\npub(crate) use super::super::daemon;\n\
                    use crate::{core::x, daemon as d};\nlet x = crate::daemon::run();\n// use crate::daemon;\n\
                    use crate::{\n    core,\n    daemon::{jobs, shell},\n};\nuse daemon::x;\n";
        assert_eq!(lines("src/core/a.rs", text, "crate::daemon"), [1, 3, 4, 5, 9]);
        assert_eq!(lines("src/core/a.rs", text, "src/daemon"), [1, 3, 4, 5, 9]);
        assert_eq!(lines("src/core/a.rs", "use tokio::net;\ntokio::spawn(x);\n", "tokio"), [1, 2]);
    }

    #[test]
    fn scripts_are_read() {
        let text = "import a from \"../daemon/a\"\nimport {\n  b,\n} from '../daemon'\nconst c = require('../daemon/c')\n\
                    import \"../daemon/d\"\nexport * from '../daemon/e'\nawait import(`../daemon/f`)\n\
                    import g from \"../daemonic\"\n// import h from \"../daemon/h\"\nimport x from \"@app/daemon/x\"\n";
        assert_eq!(lines("src/core/a.ts", text, "src/daemon"), [1, 4, 5, 6, 7, 8]);
        assert_eq!(lines("src/core/a.ts", text, "@app/daemon"), [11]);
    }

    #[test]
    fn python_is_read() {
        let text = "import app.daemon\nimport os, app.daemon.x as y\nfrom app import core, daemon\n\
                    from app.daemon import z\nfrom ..daemon import w\nfrom . import daemon\nimport app.daemonic\n";
        assert_eq!(lines("app/core/a.py", text, "app.daemon"), [1, 2, 3, 4, 5]);
        assert_eq!(lines("app/core/a.py", text, "app/daemon"), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn go_and_c_are_read() {
        let text = "import \"x.org/y/src/daemon\"\n\t\"x.org/y/src/daemon/z\"\n\td \"x.org/y/src/daemon\"\nf(\"src/daemon\")\n";
        assert_eq!(lines("src/core/a.go", text, "src/daemon"), [1, 2, 3]);
        let text = "#include \"../daemon/a.h\"\n# include <daemon/b.h>\n#include \"src/daemon.h\"\n";
        assert_eq!(lines("src/core/a.c", text, "src/daemon"), [1, 3]);
        assert_eq!(lines("src/core/a.c", text, "daemon"), [2]);
    }

    #[test]
    fn no_text_breaks_the_reader() {
        for path in ["a.rs", "a.ts", "a.py", "a.go", "a.c", "a.txt"] {
            for text in [
                "use ",
                "use {{{",
                "use a::{b",
                "}}}}",
                "import",
                "from .",
                "from  import",
                "#include",
                "\"",
                "é::",
            ] {
                let _ = lines(path, text, "");
            }
        }
    }
}
