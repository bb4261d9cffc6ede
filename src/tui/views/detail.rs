//! The chosen task in words: why it stands where it stands, its question, gates, attempts, its prompt.

use super::super::known::{newest_look, standing};
use super::super::text::{clip, size, span, width, wrap};
use super::super::theme::Role;
use super::board::state;
use super::{Canvas, findings, gates, specs};
use crate::core::model::assignment::AttemptKind;
use crate::core::views::board::{AttemptView, TaskView};
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use crate::values::words::{duration, money, size as bytes};
use ratatui::layout::Rect;

/// Writes lines one below the other until the room ends.
struct Writer {
    area: Rect,
    y: u16,
}

impl Writer {
    fn left(&self) -> u16 {
        self.area.height.saturating_sub(self.y)
    }

    fn line(&mut self, on: &mut Canvas<'_>, text: &str, role: Role) {
        if self.left() > 0 {
            on.put(self.area, 0, self.y, &clip(text, self.area.width), role);
            self.y += 1;
        }
    }

    /// A text in at most `most` lines.
    fn text(&mut self, on: &mut Canvas<'_>, text: &str, role: Role, most: usize) {
        for line in wrap(text, self.area.width).iter().take(most) {
            self.line(on, line, role);
        }
    }

    fn blank(&mut self, roomy: bool) {
        self.y += u16::from(roomy);
    }
}

pub(in crate::tui) fn render(area: Rect, on: &mut Canvas<'_>) {
    let known = on.known;
    if let Some(spec) = known.current_spec() {
        return specs::detail(spec, area, on);
    }
    let Some(task) = known.current() else { return };
    let roomy = area.height >= 20;
    let mut write = Writer { area, y: 0 };
    let (word, role) = state(task);
    let after = on.put(area, 0, 0, &clip(&task.name, area.width / 2), Role::Strong);
    let after = on.put(area, after + 2, 0, &word, role);
    let after = on.put(area, after + 2, 0, &task.agent, Role::Dim);
    if let Some(spec) = known.spec_of(task.id) {
        on.put(area, after + 2, 0, &format!("of spec {}", Shown::line(&spec.name)), Role::Dim);
    }
    write.y = 1;
    if let Some(question) = &task.question {
        let text = if question.text.is_empty() { task.why.as_str() } else { question.text.as_str() };
        write.text(on, &format!("? {text}"), Role::NeedsYou, if roomy { 10 } else { 2 });
    } else if !task.why.is_empty() {
        write.text(on, task.why.as_str(), Role::Text, if roomy { 4 } else { 2 });
    }
    if let (None, Some(vote)) = (&task.question, known.vote_of(task.id))
        && !task.why.as_str().contains(vote.text.as_str())
    {
        write.text(
            on,
            &format!("? the panel asks you: {}", vote.text),
            Role::NeedsYou,
            if roomy { 4 } else { 1 },
        );
    }
    write.blank(roomy);
    if let Some(attempt) = standing(task) {
        vitals(&mut write, task, attempt, on);
        if roomy {
            gate_lines(&mut write, task, on);
            look(&mut write, task, true, on);
            attempts(&mut write, task, on);
        } else {
            let words: Vec<String> =
                task.gates().iter().map(|gate| format!("{} {}", gate.name, gates::words(gate))).collect();
            if !words.is_empty() {
                write.line(on, &words.join(" · "), Role::Text);
            }
            look(&mut write, task, false, on);
        }
    }
    if !task.after.is_empty() {
        write.line(on, &format!("after {}", task.after.join(", ")), Role::Waiting);
    }
    if roomy {
        on.put(area, 0, write.y, "PROMPT", Role::Title);
        write.y += 1;
    }
    for line in Shown::lines(&task.prompt).iter().filter(|line| roomy || !line.is_empty()) {
        write.text(on, line.as_str(), Role::Dim, usize::from(area.height));
    }
}

fn vitals(write: &mut Writer, task: &TaskView, attempt: &AttemptView, on: &mut Canvas<'_>) {
    let vitals = &attempt.vitals;
    let mut words = vec![attempt.branch.clone()];
    if vitals.commits > 0 {
        words.push(counted(vitals.commits, "commit"));
    }
    if vitals.diffstat.files > 0 {
        let files = vitals.diffstat.files;
        words.push(format!("{} in {}", size(vitals.diffstat), counted(files, "file")));
    }
    if vitals.output > 0 {
        words.push(format!("{} output", bytes::short(vitals.output)));
    }
    if attempt.exit.is_none() && vitals.rate > 0 {
        words.push(format!("{}/s", bytes::short(vitals.rate)));
    }
    if let Some(cost) = vitals.usage.cost_microusd {
        words.push(money::short(cost));
    } else if attempt.job.is_some() {
        words.push("cost ?".to_owned());
    }
    if let Some(percent) = task.budget_percent {
        words.push(format!("{percent} % of budget"));
    }
    if let Some(source) = attempt.source {
        words.push(format!("state {}", source.label()));
    }
    if attempt.peeked {
        words.push("peeked".to_owned());
    }
    write.line(on, &words.join(" · "), Role::Dim);
}

fn gate_lines(write: &mut Writer, task: &TaskView, on: &mut Canvas<'_>) {
    write.blank(true);
    let merged = !task.merge_gates.is_empty();
    on.put(write.area, 0, write.y, if merged { "GATES OF THE MERGED RESULT" } else { "GATES" }, Role::Title);
    write.y += 1;
    let of = task.gates();
    if of.is_empty() {
        write.line(on, gates::none(task.gating()), Role::Dim);
    }
    let widest = of.iter().map(|gate| width(&gate.name)).max().unwrap_or(0).min(24);
    for gate in of {
        if write.left() == 0 {
            return;
        }
        let (dot, role) = gates::dot(gate);
        on.put(write.area, 0, write.y, &dot.to_string(), role);
        on.put(write.area, 2, write.y, &clip(&gate.name, widest), Role::Text);
        let took = match gate.took {
            Some(took) if took.0 < duration::SECOND => " · under 1s".to_owned(),
            Some(took) => format!(" · {}", span(took)),
            None => String::new(),
        };
        let words = format!("{}{took}", gates::words(gate));
        on.put(write.area, widest + 4, write.y, &words, role);
        write.y += 1;
    }
    write.blank(true);
}

/// What a second review has found: all of it where there is room, else in a line.
fn look(write: &mut Writer, task: &TaskView, roomy: bool, on: &mut Canvas<'_>) {
    let Some((look, found)) = newest_look(task).and_then(|look| Some((look, look.findings.as_ref()?))) else {
        return;
    };
    let words = format!("second review by {}: {}", look.agent, findings::summary(found));
    if !roomy {
        let ids: Vec<String> =
            found.list.iter().map(|f| format!("{} {}: {}", f.id, f.severity.label(), f.what)).collect();
        let role = if found.is_clean() { Role::Dim } else { Role::Bad };
        return write.line(on, &format!("{words} · {}", ids.join(" · ")), role);
    }
    on.put(write.area, 0, write.y, "SECOND REVIEW", Role::Title);
    write.y += 1;
    write.line(on, &words, Role::Text);
    for pieces in findings::lines(found, &[], write.area.width) {
        if write.left() == 0 {
            return;
        }
        let mut x = 0;
        for (text, role) in pieces {
            x = on.put(write.area, x, write.y, &text, role);
        }
        write.y += 1;
    }
    write.blank(true);
}

fn attempts(write: &mut Writer, task: &TaskView, on: &mut Canvas<'_>) {
    if task.attempts.len() < 2 {
        return;
    }
    on.put(write.area, 0, write.y, "ATTEMPTS", Role::Title);
    write.y += 1;
    for attempt in task.attempts.iter().rev().take(6) {
        let result = match (&attempt.findings, attempt.result) {
            (Some(found), _) => format!("second review by {}: {}", attempt.agent, findings::summary(found)),
            (None, result) => {
                let word = result.map_or("under way", |result| result.label());
                let look = if attempt.part == AttemptKind::SecondReview { "second review: " } else { "" };
                format!("{look}{word}")
            }
        };
        let peeked = if attempt.peeked { " · peeked" } else { "" };
        let words = format!(
            "{}  {result} · {} · {}{peeked}",
            attempt.no,
            span(attempt.vitals.elapsed),
            size(attempt.vitals.diffstat)
        );
        write.line(on, &words, Role::Text);
    }
    write.blank(true);
}
