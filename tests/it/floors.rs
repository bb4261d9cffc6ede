//! The floors inside the pure part of the house: values, core (model, rules, outer, views, the door), policy, report.
//!
//! Reads each file's syntax, draws an arrow for each module that it names, and finds arrows that point upward and circles.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::visit::{self, Visit};

/// From the ground up. What stands on one floor may use its own and those below; within a floor nothing goes in circles.
const FLOORS: &[&str] = &["values", "core::model", "core::rules", "core::outer", "core::views", "core"];
/// Beside core's floors: who may use whom is the table in `layers.rs`; circles are looked for here.
const BESIDE: &[&str] = &["policy", "report"];

/// Modules that a file names, by file: `core::model::task` → `values::ids` …
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The floor of a module, from 0; none: it is not one of core's.
fn floor(module: &str) -> Option<usize> {
    let within = |floor: &str| module == floor || module.starts_with(&format!("{floor}::"));
    // `core` itself is the top, and the shortest name: the longest that fits says where a module stands.
    let fits = FLOORS.iter().enumerate().filter(|(_, floor)| within(floor));
    fits.max_by_key(|(_, floor)| floor.len()).map(|(at, _)| at)
}

/// What a file names, but for its tests.
struct Names<'a> {
    /// The module that is read.
    module: Vec<String>,
    /// All modules that there are.
    known: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Names<'_> {
    /// Takes in a path as it is written.
    fn path(&mut self, parts: &[String]) {
        let mut path = match parts.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self") => self.module.clone(),
            Some("super") => {
                let up = parts.iter().take_while(|part| *part == "super").count();
                self.module[..self.module.len().saturating_sub(up)].to_vec()
            }
            // A module of its own folder, named without `self`.
            Some(first) if self.known.contains(&format!("{}::{first}", self.module.join("::"))) => {
                self.module.iter().cloned().chain([first.to_owned()]).collect()
            }
            _ => return,
        };
        let named = parts.iter().skip_while(|part| matches!(part.as_str(), "crate" | "self" | "super"));
        let skip = usize::from(!matches!(parts[0].as_str(), "crate" | "self" | "super"));
        path.extend(named.skip(skip).cloned());
        while !path.is_empty() {
            if self.known.contains(&path.join("::")) {
                self.found.insert(path.join("::"));
                return;
            }
            path.pop();
        }
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.path(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.path(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.path(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.path(&parts);
        visit::visit_path(self, path);
    }

    /// `pub(in crate::core)` names no module to use.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        // Not syntax but tokens: what begins with `crate ::` is a path.
        let text = invoked.tokens.to_string().replace(' ', "");
        for (at, _) in text.match_indices("crate::") {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let end = text[at..].find(|c| !part(c)).map_or(text.len(), |end| at + end);
            let parts: Vec<String> =
                text[at..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
            self.path(&parts);
        }
    }
}

/// Modules that a `#[cfg(test)] mod NAME;` of this file names.
fn test_modules(module: &str, file: &syn::File) -> Vec<String> {
    let tests = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(of) if of.content.is_none() && is_test(&of.attrs) => Some(of.ident.to_string()),
        _ => None,
    });
    tests.map(|name| format!("{module}::{name}")).collect()
}

/// The arrows of these files, each with its module and text.
fn arrows(files: &[(String, String)]) -> Arrows {
    let parsed: Vec<(&String, syn::File)> = files
        .iter()
        .map(|(module, text)| (module, syn::parse_file(text).unwrap_or_else(|e| panic!("{module}: {e}"))))
        .collect();
    let tests: BTreeSet<String> =
        parsed.iter().flat_map(|(module, file)| test_modules(module, file)).collect();
    let by_path = |module: &str| module.ends_with("_tests");
    let known: BTreeSet<String> = files.iter().map(|(module, _)| module.clone()).collect();
    let mut arrows = Arrows::new();
    for (module, file) in parsed.iter().filter(|(module, _)| !tests.contains(*module) && !by_path(module)) {
        let module_parts = module.split("::").map(str::to_owned).collect();
        let mut names = Names { module: module_parts, known: &known, found: BTreeSet::new() };
        names.visit_file(file);
        names.found.remove(*module);
        // `mod x;` in a folder's own file is no use of x.
        arrows.insert((*module).clone(), names.found);
    }
    arrows
}

/// Arrows that point upward.
fn upward(arrows: &Arrows) -> Vec<String> {
    let mut up = Vec::new();
    for (from, all) in arrows {
        for to in all {
            let (Some(low), high) = (floor(from), floor(to)) else { continue };
            if high.is_none_or(|high| high > low) {
                up.push(format!("{from} must not use {to}, which stands above it"));
            }
        }
    }
    up
}

/// Files that use each other by way of others: what is left once all is taken away that nobody in a circle needs.
fn circles(arrows: &Arrows) -> BTreeSet<&String> {
    let mut left: BTreeSet<&String> = arrows.keys().collect();
    loop {
        let uses = |file: &String, left: &BTreeSet<&String>| arrows[file].iter().any(|to| left.contains(to));
        let used =
            |file: &String, left: &BTreeSet<&String>| left.iter().any(|from| arrows[*from].contains(file));
        let kept: BTreeSet<&String> =
            left.iter().copied().filter(|file| uses(file, &left) && used(file, &left)).collect();
        if kept.len() == left.len() {
            return left;
        }
        left = kept;
    }
}

/// The files of these folders of `src`, each with its module.
fn house() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders: Vec<_> = ["values", "core", "policy", "report"].map(|name| root.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().with_extension("");
                let mut parts: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
                if parts.last() == Some(&"mod") {
                    parts.pop();
                }
                files.push((parts.join("::"), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn core_only_looks_down_and_nothing_goes_in_circles() {
    let arrows = arrows(&house());
    assert!(arrows.len() > 100 && arrows.values().map(BTreeSet::len).sum::<usize>() > 500, "all was read");
    let up = upward(&arrows);
    assert!(up.is_empty(), "\n{}\n", up.join("\n"));
    let circle = circles(&arrows);
    assert!(circle.is_empty(), "in a circle: {circle:?}");
    let beside = |module: &&String| BESIDE.iter().any(|name| module.starts_with(name));
    assert!(arrows.keys().any(|module| beside(&module)), "policy and report were read too");
}

#[test]
fn an_arrow_upward_and_a_circle_are_found() {
    let house = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        arrows(&files)
    };
    let sound = [
        ("values::ids", ""),
        ("core::model::task", "use crate::values::ids::TaskId;"),
        ("core::rules", "pub mod gate;"),
        (
            "core::rules::gate",
            "use super::super::model::task;\n#[cfg(test)] mod t { use crate::core::views::board; }",
        ),
        ("core::outer::spec", "fn f() { crate::core::rules::gate::judge(); }"),
        ("core::views::board", "use crate::core::{model::task::Task, rules::gate};"),
        ("core::engine", "use crate::core::views::board;"),
    ];
    let drawn = house(&sound);
    assert!(upward(&drawn).is_empty() && circles(&drawn).is_empty(), "{drawn:?}");
    assert_eq!(drawn["core::views::board"].len(), 2, "groups are read");
    assert_eq!(drawn["core::outer::spec"].len(), 1, "paths in code are read");
    for (module, text, says) in [
        (
            "core::model::task",
            "use crate::core::rules::gate;",
            "core::model::task must not use core::rules::gate",
        ),
        (
            "core::rules::gate",
            "fn f() { matches!(1, crate::core::outer::spec::X) }",
            "must not use core::outer::spec",
        ),
        (
            "core::outer::spec",
            "fn f() -> crate::core::views::board::Board { x }",
            "must not use core::views::board",
        ),
        ("values::ids", "use crate::core::model::task::Task;", "values::ids must not use core::model::task"),
        (
            "core::views::board",
            "use super::super::engine::Engine;",
            "core::views::board must not use core::engine",
        ),
    ] {
        let mut files = sound.to_vec();
        files.iter_mut().find(|(name, _)| *name == module).unwrap().1 = text;
        let up = upward(&house(&files));
        assert!(up.iter().any(|line| line.contains(says)), "{module}: {up:?}");
    }
    let mut files = sound.to_vec();
    files.extend([
        ("core::rules::a", "use super::b::x;"),
        ("core::rules::b", "use super::c::{self, y};"),
        ("core::rules::c", "fn f() { super::a::z() }"),
    ]);
    let drawn = house(&files);
    assert_eq!(circles(&drawn).into_iter().map(|m| &m[13..]).collect::<Vec<_>>(), ["a", "b", "c"]);
}
