//! Prompts: what agents are told, as templates; a repo may put its own in their place.
//!
//! Owns the list of templates, what each may be filled with, and how it is filled. `{{name}}` is a place to fill; a template
//! that names a place that is not there is refused before it is used, with its line.

use crate::values::words::size;
use std::collections::BTreeMap;

/// A built-in template.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Its name: the file's, without `.md`.
    pub name: &'static str,
    pub text: &'static str,
    /// What it may be filled with.
    pub places: &'static [&'static str],
}

/// All of them; `assets/prompts/NAME.md`.
pub const TEMPLATES: [Template; 9] = [
    Template {
        name: "spec-draft",
        text: include_str!("../../../assets/prompts/spec-draft.md"),
        places: &["goal", "name", "path", "folder", "form", "memory", "target"],
    },
    Template {
        name: "spec-review",
        text: include_str!("../../../assets/prompts/spec-review.md"),
        places: &[
            "goal",
            "name",
            "path",
            "folder",
            "look",
            "looks",
            "before",
            "findings_file",
            "memory",
            "target",
        ],
    },
    Template {
        name: "spec-refine",
        text: include_str!("../../../assets/prompts/spec-refine.md"),
        places: &[
            "goal",
            "name",
            "path",
            "folder",
            "look",
            "findings",
            "form",
            "answers_file",
            "memory",
            "target",
        ],
    },
    Template {
        name: "plan",
        text: include_str!("../../../assets/prompts/plan.md"),
        places: &["name", "path", "folder", "spec", "touchpoints", "gates", "memory", "target"],
    },
    Template {
        name: "work",
        text: include_str!("../../../assets/prompts/work.md"),
        places: &[
            "name",
            "path",
            "folder",
            "task",
            "does",
            "objectives",
            "non_goals",
            "data",
            "tests",
            "phase",
            "touches",
            "check",
            "others",
            "memory",
            "target",
        ],
    },
    Template {
        name: "verify",
        text: include_str!("../../../assets/prompts/verify.md"),
        places: &[
            "task",
            "objectives",
            "non_goals",
            "tests",
            "path",
            "look",
            "looks",
            "before",
            "findings_file",
            "memory",
            "target",
        ],
    },
    Template {
        name: "supervise",
        text: include_str!("../../../assets/prompts/supervise.md"),
        places: &["batch", "last", "risks", "queue", "priorities_file", "memory", "target"],
    },
    Template {
        name: "maintain",
        text: include_str!("../../../assets/prompts/maintain.md"),
        places: &["batch", "last", "memory", "target"],
    },
    Template {
        name: "report",
        text: include_str!("../../../assets/prompts/report.md"),
        places: &["batch", "last", "report_file", "memory", "target"],
    },
];

/// Longest template of a repo's own, in bytes: a prompt must fit an argument.
pub const TEMPLATE_MAX: usize = 32 * 1024;

/// The built-in template of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

/// What is wrong with a text as the template `name`: its line, from 1, and words.
pub fn check(name: &str, text: &str) -> Result<(), (usize, String)> {
    let Some(template) = built_in(name) else {
        let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
        return Err((0, format!("there is no prompt {name}: there are {}", names.join(", "))));
    };
    if text.len() > TEMPLATE_MAX {
        return Err((0, format!("it is longer than {}", size::exact(TEMPLATE_MAX as u64))));
    }
    if text.trim().is_empty() {
        return Err((1, "it is empty: an agent would get no prompt".to_owned()));
    }
    for (n, line) in text.lines().enumerate() {
        for place in places(line) {
            match place {
                Ok(place) if template.places.contains(&place) => {}
                Ok(place) => {
                    let known = template.places.join(", ");
                    return Err((
                        n + 1,
                        format!("{{{{{place}}}}} is nothing to fill in here: there are {known}"),
                    ));
                }
                Err(()) => return Err((n + 1, "a {{ without its }}".to_owned())),
            }
        }
    }
    Ok(())
}

/// The places of a line, in order.
fn places(line: &str) -> impl Iterator<Item = Result<&str, ()>> {
    line.split("{{").skip(1).map(|rest| rest.split_once("}}").map(|(place, _)| place.trim()).ok_or(()))
}

/// Fills a template, the repo's own if it has one. A place without a value becomes "-"; what is filled in is not read again.
#[must_use]
pub fn render(own: &BTreeMap<String, String>, name: &str, values: &BTreeMap<String, String>) -> String {
    let text =
        own.get(name).map_or_else(|| built_in(name).map_or("", |template| template.text), String::as_str);
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((place, tail)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match values.get(place.trim()).map(|value| value.trim_end()).filter(|value| !value.is_empty()) {
            Some(value) => out.push_str(value),
            None => out.push('-'),
        }
        rest = tail;
    }
    out.push_str(rest);
    out.trim_end().to_owned() + "\n"
}

/// A list for a prompt, a line each.
#[must_use]
pub fn list(items: &[String]) -> String {
    items.iter().map(|item| format!("- {}\n", item.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_keeps_to_its_places_and_uses_each() {
        for template in TEMPLATES {
            assert_eq!(check(template.name, template.text), Ok(()), "{}", template.name);
        }
    }

    #[test]
    fn every_template_renders_as_reviewed() {
        for template in TEMPLATES {
            let values: BTreeMap<String, String> =
                template.places.iter().map(|place| ((*place).to_owned(), format!("‹{place}›"))).collect();
            let said = render(&BTreeMap::new(), template.name, &values);
            assert!(!said.contains("{{"), "{}", template.name);
            insta::assert_snapshot!(template.name, said);
        }
    }

    #[test]
    fn what_is_filled_in_is_not_read_again_and_what_is_missing_is_a_dash() {
        let own = BTreeMap::from([("plan".to_owned(), "a {{ name }} b {{path}} c {{ d".to_owned())]);
        let values = BTreeMap::from([("name".to_owned(), "{{path}}".to_owned())]);
        assert_eq!(render(&own, "plan", &values), "a {{path}} b - c {{ d\n");
    }

    #[test]
    fn a_template_of_a_repo_is_refused_with_its_line() {
        let says = |name: &str, text: &str| check(name, text).unwrap_err();
        assert_eq!(says("plan", "ok {{name}}\n{{nmae}}").0, 2);
        assert!(
            says("plan", "{{nmae}}").1.starts_with("{{nmae}} is nothing to fill in here: there are name")
        );
        assert_eq!(says("plan", "x\n\n{{name").0, 3);
        assert_eq!(says("plan", "  \n"), (1, "it is empty: an agent would get no prompt".to_owned()));
        assert!(says("paln", "x").1.starts_with("there is no prompt paln"));
        assert!(says("plan", &"x".repeat(40_000)).1.contains("32 KiB"));
    }
}
