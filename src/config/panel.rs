//! `[panel]` of a `nopeek.toml`: who votes, with which weights; and the file of a question.
//!
//! The personas that ship are `assets/personas.toml`, read by the code that reads a repo's.

use super::ConfigError;
use super::numbers::Numbers;
use crate::core::model::panel::question::{
    Criterion, HEURISTIC_MAX, NAME_MAX, OptionScored, PERSONAS_MAX, Panel, Persona, Score, TradeOff,
    WEIGHT_MAX, is_name,
};
use crate::values::text::Shown;
use crate::values::words::written::Written;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;

/// The personas that ship.
const PERSONAS: &str = include_str!("../../assets/personas.toml");
/// Least margin in percent where config says nothing: below it the scores, which are guesses, decide more than the panel.
const CONFIDENCE: u32 = 5;
/// Weight of a repo's own persona that does not say: as most that ship.
const WEIGHT: u32 = 10;
/// Longest `about`, in characters.
const ABOUT_MAX: usize = 300;

/// `[panel]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPanel {
    personas: Option<Spanned<Vec<Spanned<String>>>>,
    confidence: Option<Spanned<Written>>,
    #[serde(default)]
    persona: BTreeMap<String, Spanned<RawPersona>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPersona {
    weight: Option<Spanned<Written>>,
    about: Option<Spanned<String>>,
    heuristics: Option<Spanned<BTreeMap<Criterion, Spanned<Written>>>>,
}

/// The panel of a repo whose config says nothing of it.
#[must_use]
pub fn standard() -> Panel {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
    let raw: RawPanel = toml::from_str(PERSONAS).expect("assets/personas.toml is well-formed");
    let reader = Reader { text: PERSONAS, origin: "assets/personas.toml" };
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
    let panel = reader.panel(raw, BTreeMap::new()).expect("assets/personas.toml is right");
    panel
}

/// Reads a repo's `[panel]`.
pub(super) fn read(text: &str, origin: &str, raw: RawPanel) -> Result<Panel, ConfigError> {
    let shipped = standard().personas.into_iter().map(|persona| (persona.name.clone(), persona)).collect();
    Reader { text, origin }.panel(raw, shipped)
}

struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Reader<'_> {
    fn wrong<T>(
        &self,
        span: Range<usize>,
        what: String,
        remedy: impl Into<String>,
    ) -> Result<T, ConfigError> {
        Err(ConfigError::at(self.origin, self.text, span.start, what, remedy))
    }

    fn panel(&self, raw: RawPanel, mut known: BTreeMap<String, Persona>) -> Result<Panel, ConfigError> {
        let mut named: Vec<(String, Range<usize>)> = Vec::new();
        for (name, persona) in raw.persona {
            named.push((name.clone(), persona.span()));
            let persona = self.persona(&name, persona, known.get(&name))?;
            known.insert(name, persona);
        }
        let confidence = match raw.confidence {
            None => CONFIDENCE,
            Some(percent) => self.number("confidence", &percent, 0, 100)?,
        };
        let chosen = match raw.personas {
            None => known.keys().cloned().collect(),
            Some(list) => self.chosen(&list, &known)?,
        };
        if let Some((name, span)) = named.into_iter().find(|(name, _)| !chosen.contains(name)) {
            let what = format!("the persona {name} is described and does not vote");
            return self.wrong(span, what, format!("add \"{name}\" to personas, or take its table out"));
        }
        if chosen.len() > PERSONAS_MAX {
            let what = format!("{} personas; {PERSONAS_MAX} are allowed", chosen.len());
            return self.wrong(0..0, what, "choose some with personas = [...]");
        }
        known.retain(|name, _| chosen.contains(name));
        Ok(Panel { personas: known.into_values().collect(), confidence })
    }

    fn chosen(
        &self,
        list: &Spanned<Vec<Spanned<String>>>,
        known: &BTreeMap<String, Persona>,
    ) -> Result<BTreeSet<String>, ConfigError> {
        let mut chosen = BTreeSet::new();
        for name in list.get_ref() {
            if !known.contains_key(name.get_ref()) {
                let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let what = format!("there is no persona {:?}", name.get_ref());
                let remedy = format!("describe it in [panel.persona.NAME], or choose of {names}");
                return self.wrong(name.span(), what, remedy);
            }
            if !chosen.insert(name.get_ref().clone()) {
                let what = format!("the persona {} is there twice", name.get_ref());
                return self.wrong(name.span(), what, "take one out; weight says how much a persona counts");
            }
        }
        if chosen.is_empty() {
            let remedy = "name at least one, or leave personas out to have all";
            return self.wrong(list.span(), "personas = []: nobody would vote".to_owned(), remedy);
        }
        Ok(chosen)
    }

    /// A persona of its own, or one that ships with what is said here put over it.
    fn persona(
        &self,
        name: &str,
        raw: Spanned<RawPersona>,
        shipped: Option<&Persona>,
    ) -> Result<Persona, ConfigError> {
        let span = raw.span();
        let raw = raw.into_inner();
        if !is_name(name) {
            let remedy = format!("use 1 to {NAME_MAX} characters, and no space at the ends");
            return self.wrong(span, format!("{name:?} is no name of a persona"), remedy);
        }
        let mut persona = shipped.cloned().unwrap_or_else(|| Persona {
            name: name.to_owned(),
            weight: WEIGHT,
            heuristics: BTreeMap::new(),
            about: Shown::default(),
        });
        if let Some(weight) = raw.weight {
            persona.weight = self.number("weight", &weight, 1, WEIGHT_MAX)?;
        }
        if let Some(about) = raw.about {
            if about.get_ref().chars().count() > ABOUT_MAX {
                let what = format!("about of {name} is longer than {ABOUT_MAX} characters");
                return self.wrong(about.span(), what, "say it in a line");
            }
            persona.about = Shown::line(about.get_ref());
        }
        let place = raw.heuristics.as_ref().map_or(span, Spanned::span);
        for (criterion, weight) in raw.heuristics.map(Spanned::into_inner).unwrap_or_default() {
            let weight = self.number(criterion.name(), &weight, 0, HEURISTIC_MAX)?;
            persona.heuristics.insert(criterion, weight);
        }
        persona.heuristics.retain(|_, weight| *weight > 0);
        if persona.heuristics.is_empty() {
            let what = format!("the persona {name} weighs nothing: it would never vote");
            let remedy = format!("write heuristics = {{ value = 10 }}; there are {}", Criterion::names());
            return self.wrong(place, what, remedy);
        }
        Ok(persona)
    }

    fn number(&self, key: &str, value: &Spanned<Written>, least: u32, most: u32) -> Result<u32, ConfigError> {
        Numbers { origin: self.origin, text: self.text }.whole(key, value, &(least..=most))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    question: String,
    #[serde(default)]
    option: Vec<RawOption>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOption {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    scores: BTreeMap<Criterion, Spanned<Written>>,
}

/// Reads the file of a question: `question`, and an `[[option]]` each with `name`, `about` and `scores`.
pub fn question(text: &str, origin: &str) -> Result<TradeOff, ConfigError> {
    let raw: RawQuestion = toml::from_str(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
    let most = u32::from(Score::MAX);
    let score = |(criterion, score): (Criterion, Spanned<Written>)| {
        let n = Numbers { origin, text }.whole(criterion.name(), &score, &(0..=most))?;
        Score::new(i64::from(n))
            .map(|score| (criterion, score))
            .map_err(|what| ConfigError::at(origin, text, score.span().start, what, "score from 0 to 10"))
    };
    let option = |raw: RawOption| {
        let scores = raw.scores.into_iter().map(score).collect::<Result<_, _>>()?;
        Ok(OptionScored { name: raw.name, about: Shown::line(&raw.about), scores })
    };
    let options = raw.option.into_iter().map(option).collect::<Result<_, ConfigError>>()?;
    Ok(TradeOff { text: Shown::line(&raw.question), options })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::repo::RepoConfig;

    fn panel(text: &str) -> Panel {
        RepoConfig::parse(text, "nopeek.toml").unwrap().panel.unwrap()
    }

    fn of<'a>(panel: &'a Panel, name: &str) -> &'a Persona {
        panel.personas.iter().find(|persona| persona.name == name).unwrap()
    }

    #[test]
    fn twelve_personas_ship_each_with_a_reason() {
        let panel = standard();
        assert_eq!(panel.personas.len(), 12);
        assert!(panel.personas.iter().all(|persona| persona.name != "strategy"));
        assert!(
            panel.personas.iter().all(|persona| !persona.about.is_empty() && persona.heuristics.len() >= 4)
        );
        for criterion in Criterion::ALL {
            let looks = |persona: &&Persona| persona.heuristics.contains_key(&criterion);
            assert!(panel.personas.iter().any(|persona| looks(&persona)), "nobody looks at {criterion}");
        }
        let lines: Vec<&str> = PERSONAS.lines().collect();
        for (n, _) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("[persona.")) {
            assert!(lines[n + 1].starts_with("# "), "no reason below line {}", n + 1);
        }
    }

    #[test]
    fn a_repo_chooses_overrides_and_adds() {
        let all = panel("[panel]\nconfidence = 12");
        assert_eq!((all.personas.len(), all.confidence), (12, 12));
        let text = "[panel]\npersonas = ['security', 'legal']\n[panel.persona.security]\nweight = 40\n\
                    heuristics = { risk = 0, value = 3 }\n\
                    [panel.persona.legal]\nabout = 'reads contracts'\nheuristics = { compliance = 10 }";
        let own = panel(text);
        assert_eq!(own.personas.len(), 2);
        assert_eq!((own.confidence, of(&own, "legal").weight), (CONFIDENCE, WEIGHT));
        let security = of(&own, "security");
        assert_eq!(security.weight, 40);
        assert_eq!(security.heuristics.get(&Criterion::Risk), None, "0 takes it out");
        assert_eq!(security.heuristics.get(&Criterion::Value), Some(&3));
        assert_eq!(security.heuristics.get(&Criterion::Security), Some(&10), "the rest stands");
        let more = panel("[panel.persona.legal]\nheuristics = { compliance = 10 }");
        assert_eq!(more.personas.len(), 13);
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_a_remedy() {
        let legal = |rest: &str| format!("[panel.persona.legal]\n{rest}");
        let many: String =
            (0..29).map(|n| format!("[panel.persona.x{n}]\nheuristics = {{ value = 1 }}\n")).collect();
        let long = format!("about = '{}'", "x".repeat(301));
        let cases = [
            ("panel = 3".to_owned(), "nopeek.toml:1:9: invalid type", ""),
            (
                "[panel]\nvoters = 3".to_owned(),
                "nopeek.toml:2:1: unknown field `voters`",
                "there are: personas",
            ),
            ("[panel]\npersonas = []".to_owned(), "nopeek.toml:2:12: personas = []: nobody", "at least one"),
            (
                "[panel]\npersonas = ['data', 'sales']".to_owned(),
                "nopeek.toml:2:21: there is no persona \"sales\"",
                "choose of compliance, customer-success",
            ),
            (
                "[panel]\npersonas = ['data', 'data']".to_owned(),
                "nopeek.toml:2:21: the persona data is there twice",
                "take one out",
            ),
            ("[panel]\nconfidence = 101".to_owned(), "nopeek.toml:2:14: confidence = 101", "from 0 to 100"),
            (
                "[panel]\nconfidence = '5%'".to_owned(),
                "nopeek.toml:2:14: confidence is a whole number",
                "write confidence = 5,",
            ),
            (legal("weight = 3"), "nopeek.toml:1:1: the persona legal weighs nothing", "heuristics = {"),
            (
                legal("heuristics = {}"),
                "nopeek.toml:2:14: the persona legal weighs nothing",
                "there are value",
            ),
            (legal("heuristics = { value = 0 }"), "nopeek.toml:2:14: the persona legal weighs nothing", ""),
            (legal("heuristics = { valeu = 1 }"), "nopeek.toml:2:16: unknown variant `valeu`", "mean value?"),
            (legal("heuristics = { value = -1 }"), "nopeek.toml:2:24: value = -1", "from 0 to 100"),
            (legal("heuristics = { value = 101 }"), "nopeek.toml:2:24: value = 101", "from 0 to 100"),
            (
                legal("heuristics = { value = 1.5 }"),
                "nopeek.toml:2:24: value = 1.5 is no whole number",
                "0 to 100",
            ),
            (legal("heuristic = { value = 1 }"), "nopeek.toml:2:1: unknown field `heuristic`", "heuristics?"),
            (
                legal("weight = 0\nheuristics = { value = 1 }"),
                "nopeek.toml:2:10: weight = 0",
                "from 1 to 1000",
            ),
            (legal(&long), "nopeek.toml:2:9: about of legal is longer", "in a line"),
            (
                "[panel.persona.' x']\nheuristics = { value = 1 }".to_owned(),
                "nopeek.toml:1:1: \" x\" is no name",
                "no space at the ends",
            ),
            (
                "[panel]\npersonas = ['data']\n[panel.persona.design]\nweight = 3".to_owned(),
                "nopeek.toml:3:1: the persona design is described and does not vote",
                "add \"design\"",
            ),
            (many, "nopeek.toml:1:1: 41 personas; 40 are allowed", "choose some"),
        ];
        for (text, says, remedy) in cases {
            let error = RepoConfig::parse(&text, "nopeek.toml").unwrap_err();
            assert!(error.to_string().starts_with(says), "{text}: {error}");
            assert!(error.remedy().contains(remedy), "{text}: {:?}", error.remedy());
        }
    }

    #[test]
    fn the_file_of_a_question_is_read() {
        let text = "question = 'Which store?'\n[[option]]\nname = 'sqlite'\nabout = 'one file'\n\
                    scores = { value = 7, data-quality = 9 }\n[[option]]\nname = 'files'";
        let read = question(text, "q.toml").unwrap();
        assert_eq!(read.text.as_str(), "Which store?");
        assert_eq!(read.options[0].scores[&Criterion::DataQuality].get(), 9);
        assert!(read.options[1].scores.is_empty());
        let option = |rest: &str| format!("question = 'x'\n[[option]]\nname = 'a'\n{rest}");
        let cases = [
            ("[[option]]\nname = 'a'".to_owned(), "q.toml:1:1: missing field `question`"),
            ("question = 'x'\n[[options]]\nname = 'a'".to_owned(), "q.toml:2:3: unknown field `options`"),
            (option("scores = { worth = 3 }"), "q.toml:4:12: unknown variant `worth`"),
            (option("scores = { value = 11 }"), "q.toml:4:20: value = 11 is out of range"),
            (option("scores = { value = 3.5 }"), "q.toml:4:20: value = 3.5 is no whole number"),
        ];
        for (text, says) in cases {
            let error = question(&text, "q.toml").unwrap_err();
            assert!(error.to_string().starts_with(says), "{text}: {error}");
        }
    }
}
