//! Files in which agents write what they found, and what they did about it.

use super::ConfigError;
use crate::core::model::finding::{Answered, FINDINGS_MAX, Finding, FindingAnswer, Findings, Severity};
use crate::values::text::Shown;
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFindings {
    implemented: Option<bool>,
    finding: Option<Vec<Spanned<RawFinding>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFinding {
    severity: Severity,
    area: String,
    #[serde(default)]
    place: String,
    what: Spanned<String>,
    #[serde(default)]
    fix: String,
}

/// Reads what was found in look `look`. `verdict`: it must say whether all is implemented.
pub fn parse(text: &str, origin: &str, look: usize, verdict: bool) -> Result<Findings, ConfigError> {
    let raw: RawFindings = toml::from_str(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
    let wrong = |offset, what: String, remedy: &str| Err(ConfigError::at(origin, text, offset, what, remedy));
    if verdict && raw.implemented.is_none() {
        return wrong(
            0,
            "it does not say whether all is implemented".to_owned(),
            "write implemented = true, or false",
        );
    }
    if !verdict && raw.finding.is_none() {
        return wrong(
            0,
            "it says nothing".to_owned(),
            "write a [[finding]] each, or finding = [] if there is none",
        );
    }
    let raws = raw.finding.unwrap_or_default();
    if raws.len() > FINDINGS_MAX {
        let what = format!("{} findings; {FINDINGS_MAX} are allowed", raws.len());
        return wrong(raws[FINDINGS_MAX].span().start, what, "say the worst");
    }
    let mut list = Vec::new();
    for raw in raws {
        let raw = raw.into_inner();
        if raw.what.get_ref().trim().is_empty() {
            return wrong(
                raw.what.span().start,
                "a finding says nothing".to_owned(),
                "say what is wrong and what it leads to",
            );
        }
        list.push(Finding {
            id: String::new(),
            severity: raw.severity,
            area: Shown::line(raw.area.trim()),
            place: Shown::line(raw.place.trim()),
            what: Shown::line(raw.what.get_ref().trim()),
            fix: Shown::line(raw.fix.trim()),
        });
    }
    Ok(Findings { implemented: raw.implemented, list }.numbered(look))
}

#[derive(Deserialize)]
struct RawAnswers {
    #[serde(default)]
    finding: Vec<RawAnswer>,
}

#[derive(Deserialize)]
struct RawAnswer {
    id: String,
    answer: FindingAnswer,
    #[serde(default)]
    why: String,
}

/// Reads the answers to findings; what else stands there is left alone.
pub fn answers(text: &str, origin: &str) -> Result<Vec<Answered>, ConfigError> {
    let raw: RawAnswers = toml::from_str(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
    let read = |raw: RawAnswer| Answered { id: raw.id, answer: raw.answer, why: Shown::line(raw.why.trim()) };
    Ok(raw.finding.into_iter().map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_numbered_by_their_look() {
        let text = "implemented = false\n[[finding]]\nseverity = \"high\"\narea = \"tests\"\nwhat = \"none \\u001b[31m\"\n";
        let found = parse(text, "f.toml", 3, true).unwrap();
        assert_eq!((found.implemented, found.list[0].id.as_str()), (Some(false), "R3.1"));
        assert!(!found.list[0].what.as_str().contains('\x1b'), "nothing acts on a terminal");
        assert!(parse("finding = []", "f.toml", 1, false).unwrap().list.is_empty());
        let form = found.form().replace("why = \"\"", "why = \"so\"");
        let answers = answers(&form, "a.toml").unwrap();
        assert!(found.unanswered(&answers).is_empty(), "the form can be read as it is handed out: {form}");
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let finding = "[[finding]]\nseverity = \"high\"\narea = \"x\"\nwhat = \"y\"\n";
        let cases = [
            (String::new(), true, "f.toml:1:1: it does not say whether all is implemented"),
            (String::new(), false, "f.toml:1:1: it says nothing"),
            (finding.replace("high", "huge"), false, "f.toml:2:12: unknown variant `huge`"),
            (finding.replace("\"y\"", "\" \""), false, "f.toml:4:8: a finding says nothing"),
            (finding.replace("area", "aria"), false, "f.toml:3:1: unknown field `aria`"),
            ("implemented = \"yes\"".to_owned(), true, "f.toml:1:15: invalid type"),
            (finding.repeat(51), false, "f.toml:201:1: 51 findings; 50 are allowed"),
            ("{\"json\": 1}".to_owned(), false, "f.toml:1:1: "),
        ];
        for (text, verdict, says) in cases {
            let error = parse(&text, "f.toml", 1, verdict).unwrap_err();
            assert!(error.to_string().starts_with(says), "{says}\n{error}");
        }
        let error = answers("[[finding]]\nid = \"R1.1\"\nanswer = \"maybe\"", "a.toml").unwrap_err();
        assert!(error.to_string().starts_with("a.toml:3:10: unknown variant `maybe`"), "{error}");
    }
}
