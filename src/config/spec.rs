//! `specs/NAME.md`: a spec, its contract in the front matter.

use super::{ConfigError, front};
use crate::core::model::spec::Contract;
use crate::values::pattern::Pattern;
use crate::values::text::Shown;
use serde::Deserialize;
use toml::Spanned;

/// Longest line of a contract, in bytes.
const LINE_MAX: usize = 2_000;
/// Most lines of a list.
const LINES_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: Spanned<String>,
    objectives: Lines,
    non_goals: Lines,
    touchpoints: Lines,
    data: Lines,
    tests: Lines,
    risks: Lines,
    compatibility: Lines,
    rollback: Lines,
}

type Lines = Spanned<Vec<Spanned<String>>>;

/// Reads a spec's contract; `origin` names the file in errors.
pub fn parse(text: &str, origin: &str) -> Result<Contract, ConfigError> {
    let cut = front::cut(text, origin)?;
    let raw: Raw = toml::from_str(&cut.toml).map_err(|error| ConfigError::toml(origin, &cut.toml, &error))?;
    let wrong = |offset, what: String, remedy: &str| ConfigError::at(origin, text, offset, what, remedy);
    let list = |key: &str, lines: Lines| {
        if lines.get_ref().is_empty() {
            return Err(wrong(
                lines.span().start,
                format!("{key} is empty"),
                "say it in a line, or write \"none\" and why",
            ));
        }
        if lines.get_ref().len() > LINES_MAX {
            return Err(wrong(
                lines.span().start,
                format!("{key} has more than {LINES_MAX} lines"),
                "cut the spec into several",
            ));
        }
        for line in lines.get_ref() {
            if is_blank(line.get_ref()) {
                return Err(wrong(
                    line.span().start,
                    format!("a line of {key} says nothing"),
                    "fill it in, or take it out",
                ));
            }
            if line.get_ref().len() > LINE_MAX {
                let what = format!("a line of {key} is longer than {LINE_MAX} bytes");
                return Err(wrong(line.span().start, what, "put the details into the prose below"));
            }
        }
        Ok(lines.into_inner().into_iter().map(|line| line.into_inner().trim().to_owned()).collect::<Vec<_>>())
    };
    if is_blank(raw.title.get_ref()) {
        return Err(wrong(
            raw.title.span().start,
            "the title says nothing".to_owned(),
            "name the change in a few words",
        ));
    }
    for touch in raw.touchpoints.get_ref() {
        if let Err(error) = Pattern::parse(touch.get_ref()) {
            return Err(wrong(
                touch.span().start,
                error.to_string(),
                "name a path inside the repo, as src/ or tests/**",
            ));
        }
    }
    if is_blank(cut.prose) {
        let what = "there is no prose below the machine-read part".to_owned();
        return Err(wrong(text.len(), what, "say why it is wanted and how it should work"));
    }
    Ok(Contract {
        title: Shown::line(raw.title.get_ref().trim()),
        objectives: list("objectives", raw.objectives)?,
        non_goals: list("non_goals", raw.non_goals)?,
        touchpoints: list("touchpoints", raw.touchpoints)?,
        data: list("data", raw.data)?,
        tests: list("tests", raw.tests)?,
        risks: list("risks", raw.risks)?,
        compatibility: list("compatibility", raw.compatibility)?,
        rollback: list("rollback", raw.rollback)?,
    })
}

/// What stands below a spec's contract, for people; none of a text without one.
#[must_use]
pub fn prose(text: &str) -> Option<&str> {
    front::cut(text, "").ok().map(|cut| cut.prose)
}

/// Whether a text begins as a spec with a contract does.
#[must_use]
pub fn has_contract(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.trim_end() == "+++")
}

/// Nothing, or the form's own mark for "to be filled in".
pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty() || text.trim() == "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::outer::spec::tasks::FORM;

    fn spec() -> String {
        FORM.replace("[\"…\"]", "[\"something\"]").replace("What this is called, in a few words", "Tea")
    }

    #[test]
    fn a_filled_in_form_is_read() {
        let contract = parse(&spec(), "specs/tea.md").unwrap();
        assert_eq!((contract.title.as_str(), contract.tests.len()), ("Tea", 1));
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_a_remedy() {
        let spec = spec();
        let touch = "touchpoints = [\"something\"]";
        let cases = [
            ("# Tea".to_owned(), "s.md:1:1: it does not begin with a line +++", "between two lines"),
            ("+++\ntitle = \"x\"\n".to_owned(), "s.md:1:1: its machine-read part has no end", "close it"),
            (spec.replace("risks = ", "risk = "), "s.md:20:1: unknown field `risk`", "did you mean risks?"),
            (spec.replace("data = [\"something\"]", ""), "s.md:1:1: missing field `data`", ""),
            (
                spec.replace("tests = [\"something\"]", "tests = []"),
                "s.md:17:9: tests is empty",
                "say it in a line",
            ),
            (
                spec.replace("tests = [\"something\"]", "tests = [\"…\"]"),
                "s.md:17:10: a line of tests says nothing",
                "fill it in",
            ),
            (spec.replace("tests = [\"something\"]", "tests = \"x\""), "s.md:17:9: invalid type: string", ""),
            (spec.replace("\"Tea\"", "\" \""), "s.md:2:9: the title says nothing", "name the change"),
            (spec.replace(touch, "touchpoints = [\"../x\"]"), "s.md:11:16: ", "name a path inside the repo"),
            (
                spec.split("# Background").next().unwrap().to_owned(),
                "s.md:29:1: there is no prose",
                "say why",
            ),
            (
                spec.replacen("[\"something\"]", &format!("[\"{}\"]", "x".repeat(3_000)), 1),
                "s.md:5:15: a line of objectives is longer",
                "prose below",
            ),
        ];
        for (text, says, remedy) in cases {
            let error = parse(&text, "s.md").unwrap_err();
            assert!(error.to_string().starts_with(says), "{says}\n{error}");
            assert!(error.remedy().contains(remedy), "{says}\n{}", error.remedy());
        }
        assert!(
            parse(FORM, "s.md").unwrap_err().to_string().contains("says nothing"),
            "the empty form is no spec"
        );
    }
}
