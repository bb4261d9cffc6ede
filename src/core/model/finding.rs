//! A finding: what another pair of eyes holds against a spec or against finished work, as data.
//!
//! Owns what a reviewer must say, what the one who is reviewed must answer, and how both read in a prompt. The files in
//! which agents write them are read by [`crate::config`].

use crate::values::text::Shown;
use serde::{Deserialize, Serialize};

/// Most findings of one look; a reviewer that has more should say the worst first.
pub const FINDINGS_MAX: usize = 50;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Kept, and stops nothing.
    Low,
    /// Must be dealt with.
    Medium,
    /// Must be dealt with first.
    High,
}

impl Severity {
    /// The word in files and on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What one look found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Whether the work does all that was asked; none where that was not the question.
    #[serde(default)]
    pub implemented: Option<bool>,
    /// In the order in which they were written.
    #[serde(default)]
    pub list: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `R2.1`: the first of the second look.
    pub id: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What it is about: routing, caching, an edge case, consent, security, a missing test …
    pub area: Shown,
    /// Where: a file, a line, a section; may be empty.
    pub place: Shown,
    /// What is wrong or missing.
    pub what: Shown,
    /// What would mend it; may be empty.
    pub fix: Shown,
}

/// What was done about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub id: String,
    pub answer: FindingAnswer,
    pub why: Shown,
}

/// What can be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingAnswer {
    /// The spec was changed.
    Changed,
    /// The risk is real and is taken.
    Accepted,
    /// It is not so.
    Declined,
}

impl FindingAnswer {
    /// The word in files and on screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
        }
    }
}

impl Findings {
    /// Gives each its id, by the number of the look.
    #[must_use]
    pub fn numbered(mut self, look: usize) -> Self {
        for (n, finding) in self.list.iter_mut().enumerate() {
            finding.id = format!("R{look}.{}", n + 1);
        }
        self
    }

    /// Whether finished work may go on to its review: all is there, and nothing is found that must be dealt with.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.implemented != Some(false) && self.list.iter().all(|finding| finding.severity == Severity::Low)
    }

    /// For the prompt of whoever has to deal with them.
    #[must_use]
    pub fn words(&self) -> String {
        let mut text = String::new();
        for finding in &self.list {
            let place =
                if finding.place.is_empty() { String::new() } else { format!(", at {}", finding.place) };
            text.push_str(&format!(
                "- **{}** ({}, {}{place}): {}\n",
                finding.id,
                finding.severity.label(),
                finding.area,
                finding.what
            ));
            if !finding.fix.is_empty() {
                text.push_str(&format!("  Suggested fix: {}\n", finding.fix));
            }
        }
        text
    }

    /// The file of answers as it is to be filled in.
    #[must_use]
    pub fn form(&self) -> String {
        let quoted = |text: &Shown| format!("{:?}", text.as_str());
        let mut text = String::new();
        for finding in &self.list {
            text.push_str(&format!(
                "[[finding]]\nid = {:?}\nseverity = {:?}\nwhat = {}\nanswer = \"changed\" # or \"accepted\" (the risk is taken), or \"declined\" (it is not so)\nwhy = \"\"\n\n",
                finding.id,
                finding.severity.label(),
                quoted(&finding.what),
            ));
        }
        text
    }

    /// What is missing in the answers to these, in words for whoever wrote them.
    #[must_use]
    pub fn unanswered(&self, answers: &[Answered]) -> Vec<String> {
        let mut missing = Vec::new();
        for finding in &self.list {
            match answers.iter().find(|answer| answer.id == finding.id) {
                None => missing.push(format!("finding {} has no answer", finding.id)),
                Some(answer) if answer.why.is_empty() => {
                    missing.push(format!("the answer to finding {} does not say why", finding.id));
                }
                Some(_) => {}
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity) -> Finding {
        Finding {
            id: String::new(),
            severity,
            area: "caching".into(),
            place: "src/a.rs".into(),
            what: "a stale \"entry\" is served".into(),
            fix: Shown::default(),
        }
    }

    #[test]
    fn low_findings_stop_nothing_and_all_are_answered_by_number() {
        let low = Findings { implemented: Some(true), list: vec![finding(Severity::Low)] }.numbered(2);
        assert!(low.is_clean());
        assert_eq!(low.list[0].id, "R2.1");
        assert!(!Findings { implemented: Some(false), list: Vec::new() }.is_clean());
        let two = Findings { implemented: None, list: vec![finding(Severity::High), finding(Severity::Low)] };
        let two = two.numbered(1);
        assert!(!two.is_clean());
        let answer = |id: &str, why: &str| Answered {
            id: id.to_owned(),
            answer: FindingAnswer::Accepted,
            why: why.into(),
        };
        assert_eq!(two.unanswered(&[answer("R1.1", "so be it")]), ["finding R1.2 has no answer"]);
        assert_eq!(
            two.unanswered(&[answer("R1.1", "so be it"), answer("R1.2", "")]),
            ["the answer to finding R1.2 does not say why"]
        );
        assert!(two.words().contains("**R1.1** (high, caching, at src/a.rs)"));
        assert!(two.form().contains("what = \"a stale \\\"entry\\\" is served\""));
    }
}
