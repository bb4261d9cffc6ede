//! What a second review has found, as lines: its number, weight, area, place, words, and what was answered.

use super::super::text::wrap;
use super::super::theme::Role;
use crate::core::model::finding::{Answered, Finding, FindingAnswer, Findings, Severity};
use crate::values::words::plural::counted;

/// A line in pieces that stand side by side.
pub(in crate::tui) type Pieces = Vec<(String, Role)>;

/// How a review pass came out, in a few words.
pub(in crate::tui) fn summary(of: &Findings) -> String {
    let found = match of.list.len() {
        0 => "nothing found".to_owned(),
        n => counted(n, "finding"),
    };
    match of.implemented {
        Some(true) => format!("fully implemented · {found}"),
        Some(false) => format!("not fully implemented · {found}"),
        None => found,
    }
}

/// The findings in lines of at most `room` columns. Answers are shown where there are any, and what has none as open.
pub(in crate::tui) fn lines(of: &Findings, answers: &[Answered], room: u16) -> Vec<Pieces> {
    of.list.iter().flat_map(|finding| lines_of(finding, answers, room)).collect()
}

fn lines_of(of: &Finding, answers: &[Answered], room: u16) -> Vec<Pieces> {
    let role = match of.severity {
        Severity::High => Role::Bad,
        Severity::Medium => Role::Waiting,
        Severity::Low => Role::Dim,
    };
    let place = if of.place.is_empty() { String::new() } else { format!(", {}", of.place) };
    let head = format!("{} {} ", of.id, of.severity.label());
    let inner = room.saturating_sub(2);
    let mut about =
        wrap(&format!("{}{place}", of.area), room.saturating_sub(super::super::text::width(&head)));
    let first = about.remove(0);
    let mut lines = vec![vec![
        (format!("{} ", of.id), Role::Strong),
        (format!("{} ", of.severity.label()), role),
        (first, Role::File),
    ]];
    let mut add = |text: &str, role| {
        lines.extend(wrap(text, inner).into_iter().map(|line| vec![(format!("  {line}"), role)]));
    };
    for more in about {
        add(&more, Role::File);
    }
    add(of.what.as_str(), Role::Text);
    if !of.fix.is_empty() {
        add(&format!("suggested fix: {}", of.fix), Role::Dim);
    }
    if let Some(answer) = answers.iter().find(|answer| answer.id == of.id) {
        let role = match answer.answer {
            FindingAnswer::Changed => Role::Good,
            FindingAnswer::Accepted | FindingAnswer::Declined => Role::Waiting,
        };
        add(&format!("→ {}: {}", answer.answer.label(), answer.why), role);
    } else if !answers.is_empty() {
        add("→ open", Role::Waiting);
    }
    lines
}
