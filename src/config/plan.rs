//! `specs/NAME/phase-N.md`: a phase of a plan, its tasks in the front matter.

use super::numbers::Numbers;
use super::{ConfigError, front};
use crate::core::model::plan::{Phase, Planned};
use crate::values::ids::TaskName;
use crate::values::pattern::Pattern;
use crate::values::text::Shown;
use crate::values::words::written::Written;
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: Spanned<String>,
    soak: Option<Spanned<Written>>,
    #[serde(default)]
    task: Vec<Spanned<RawTask>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTask {
    name: Spanned<String>,
    #[serde(default)]
    does: String,
    #[serde(default)]
    touches: Vec<Spanned<String>>,
    #[serde(default)]
    check: String,
    #[serde(default)]
    after: Vec<Spanned<String>>,
    agent: Option<String>,
}

/// Reads a phase file; `file` is its path from the repo's root. What makes a plan sound as a whole is
/// [`crate::core::outer::plan::check`]'s.
pub fn parse(text: &str, file: &str) -> Result<Phase, ConfigError> {
    let cut = front::cut(text, file)?;
    let raw: Raw = toml::from_str(&cut.toml).map_err(|error| ConfigError::toml(file, &cut.toml, &error))?;
    let wrong = |offset, what: String, remedy: &str| Err(ConfigError::at(file, text, offset, what, remedy));
    if raw.title.get_ref().trim().is_empty() {
        return wrong(
            raw.title.span().start,
            "the phase has no title".to_owned(),
            "say what is there when it has landed",
        );
    }
    let soak = raw.soak.map(|of| Numbers { origin: file, text }.duration(&of)).transpose()?;
    let name = |name: &Spanned<String>| match TaskName::new(name.get_ref()) {
        Ok(name) => Ok(name),
        Err(error) => Err(ConfigError::at(file, text, name.span().start, error.to_string(), "")),
    };
    let mut tasks = Vec::new();
    for task in raw.task {
        let line = text[..task.span().start.min(text.len())].matches('\n').count() + 1;
        let task = task.into_inner();
        for touch in &task.touches {
            if let Err(error) = Pattern::parse(touch.get_ref()) {
                return wrong(
                    touch.span().start,
                    error.to_string(),
                    "name a path inside the repo, as src/ or tests/**",
                );
            }
        }
        tasks.push(Planned {
            name: name(&task.name)?,
            does: task.does.trim().to_owned(),
            touches: task.touches.into_iter().map(Spanned::into_inner).collect(),
            check: task.check.trim().to_owned(),
            after: task.after.iter().map(name).collect::<Result<_, _>>()?,
            agent: task.agent,
            line,
        });
    }
    let title = Shown::line(raw.title.get_ref().trim());
    Ok(Phase { file: file.to_owned(), title, soak, notes: cut.prose.trim().to_owned(), tasks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Span;

    const PHASE: &str = "+++\ntitle = \"Tea\"\nsoak = \"10m\"\n\n[[task]]\nname = \"pour\"\ndoes = \"\"\"\nPour it.\n\"\"\"\n\
                         touches = [\"src/pour.rs\"]\ncheck = \"make pour\"\n\n[[task]]\nname = \"drink\"\ndoes = \"Drink it.\"\n\
                         touches = [\"src/drink/\"]\ncheck = \"make drink\"\nafter = [\"pour\"]\nagent = \"codex\"\n+++\n\nMind the heat.\n";

    #[test]
    fn a_phase_is_read_with_the_lines_of_its_tasks() {
        let phase = parse(PHASE, "specs/tea/phase-1.md").unwrap();
        assert_eq!(phase.soak, Some(Span::mins(10)));
        assert_eq!(phase.notes, "Mind the heat.");
        let lines: Vec<_> = phase.tasks.iter().map(|task| (task.name.as_str(), task.line)).collect();
        assert_eq!(lines, [("pour", 5), ("drink", 13)]);
        assert_eq!(phase.tasks[1].agent.as_deref(), Some("codex"));
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let cases = [
            ("no front", "p.md:1:1: it does not begin with a line +++"),
            (&PHASE.replace("title = \"Tea\"", "title = \"\""), "p.md:2:9: the phase has no title"),
            (&PHASE.replace("\"10m\"", "\"soon\""), "p.md:3:8: \"soon\" is no duration"),
            (
                &PHASE.replace("name = \"pour\"", "name = \"Pour It\""),
                "p.md:6:8: \"Pour It\" is no task name",
            ),
            (
                &PHASE.replace("after = [\"pour\"]", "after = [\"../x\"]"),
                "p.md:18:10: \"../x\" is no task name",
            ),
            (&PHASE.replace("\"src/pour.rs\"", "\"/etc/passwd\""), "p.md:10:12: "),
            (&PHASE.replace("check = \"make pour\"", "chek = \"x\""), "p.md:11:1: unknown field `chek`"),
        ];
        for (text, says) in cases {
            let error = parse(text, "p.md").unwrap_err();
            assert!(error.to_string().starts_with(says), "{says}\n{error}");
        }
    }
}
