//! A report as markdown: for a mail's text, a chat, a pull request.

use crate::core::model::assignment::AttemptKind;
use crate::core::model::diff::DiffStat;
use crate::core::model::task::TaskState;
use crate::report::words::{cost, cost_alone, share, tokens, tries};
use crate::report::{AttemptReport, GateReport, Note, Outcomes, Report, TaskReport, is_red};
use crate::values::text::Shown;
use crate::values::words::duration::short as span;
use crate::values::words::moment::minute as moment;
use crate::values::words::plural::counted;
use crate::values::words::plural::of;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// The whole report; moments as clocks of `zone` show them.
#[must_use]
pub fn render(report: &Report, zone: &TimeZone) -> String {
    let mut page = Page { out: String::new(), zone };
    page.head(report);
    page.sums(report);
    page.tasks(report);
    page.gates(report);
    page.peeked(report);
    for task in report.tasks.iter().filter(|task| !task.attempts.is_empty()) {
        page.task(task);
    }
    page.out
}

/// What happened, in one line: the subject of a mail.
#[must_use]
pub fn headline(report: &Report) -> String {
    let totals = &report.totals;
    let mut parts = vec![format!("{} of {} landed", totals.landed, of(totals.tasks, "task", "tasks"))];
    if totals.rolled_back > 0 {
        parts.push(format!("{} rolled back", totals.rolled_back));
    }
    if totals.needs_you > 0 {
        parts.push(format!("{} you", of(totals.needs_you, "waits for", "wait for")));
    }
    if totals.under_way > 0 {
        parts.push(format!("{} under way", totals.under_way));
    }
    parts.join(", ")
}

/// The period in words.
#[must_use]
pub fn stretch(report: &Report, zone: &TimeZone) -> String {
    let until = moment(report.until, zone);
    report.since.map_or_else(
        || format!("everything until {until}"),
        |since| format!("{} to {until}", moment(since, zone)),
    )
}

/// A diff's size.
pub(crate) fn size(stat: DiffStat) -> String {
    format!("{} +{} -{}", of(stat.files, "file", "files"), stat.added, stat.removed)
}

/// What a task's newest attempt left.
pub(crate) fn work(commits: Option<u32>, stat: Option<DiffStat>) -> String {
    match (commits, stat) {
        (Some(commits), Some(stat)) => format!("{}, {}", of(commits, "commit", "commits"), size(stat)),
        _ => "–".to_owned(),
    }
}

/// A task's verdicts in a word: how many, how many red.
pub(crate) fn verdicts(task: &TaskReport) -> String {
    let all: Vec<&GateReport> = task.attempts.iter().flat_map(|attempt| &attempt.gates).collect();
    let red = all.iter().filter(|gate| is_red(gate.verdict)).count();
    match (all.len(), red) {
        (0, _) => "–".to_owned(),
        (n, 0) => n.to_string(),
        (n, red) => format!("{n}, {red} red"),
    }
}

struct Page<'a> {
    out: String,
    zone: &'a TimeZone,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn row(&mut self, cells: &[&str]) {
        let _ = writeln!(self.out, "| {} |", cells.join(" | "));
    }

    fn table(&mut self, cells: &[&str]) {
        self.row(cells);
        self.row(&vec!["---"; cells.len()]);
    }

    fn head(&mut self, report: &Report) {
        self.line("# nopeek report\n");
        let period = stretch(report, self.zone);
        self.line(&format!("**{}.** {period}.\n", headline(report)));
    }

    fn sums(&mut self, report: &Report) {
        let totals = &report.totals;
        let time = &totals.time;
        let peeked = match totals.peeks {
            0 => String::new(),
            n => format!(", {}", counted(n, "peek")),
        };
        let rows = [
            (
                "tasks",
                format!(
                    "{} ({} landed, {} ended unmerged)",
                    totals.tasks, totals.landed, totals.ended_unmerged
                ),
            ),
            (
                "attempts",
                format!(
                    "{}{peeked}",
                    tries((totals.attempts - totals.looks.min(totals.attempts), totals.looks))
                ),
            ),
            ("gates", format!("{}, {} red", counted(totals.verdicts, "verdict"), totals.red_gates)),
            ("sent back", totals.sent_back.to_string()),
            ("questions", format!("{}, {} answered", totals.questions, totals.answers)),
            ("agents worked", span(totals.used.work)),
            ("waited for you", span(time.waiting)),
            ("waited in queues", span(crate::report::totals::plus(time.queued, time.merging))),
            ("tokens", tokens(&totals.used)),
            ("cost", cost(&totals.used)),
        ];
        self.table(&["in all", ""]);
        for (name, value) in rows {
            self.row(&[name, &value]);
        }
        self.line("");
    }

    fn tasks(&mut self, report: &Report) {
        self.line("## Tasks\n");
        if report.tasks.is_empty() {
            self.line("Nothing happened.\n");
            return;
        }
        self.table(&["task", "state", "attempts", "gates", "work", "took", "agents worked", "cost"]);
        for task in &report.tasks {
            self.row(&[
                &code(&task.name),
                &state(task),
                &tries(task.tries()),
                &verdicts(task),
                &work(task.commits, task.diffstat),
                &span(task.duration),
                &span(task.used.work),
                &cost(&task.used),
            ]);
        }
        self.line("");
        if report.left_out > 0 {
            let left = of(report.left_out, "older task is", "older tasks are");
            self.line(&format!("{left} in the sums and not listed.\n"));
        }
    }

    fn gates(&mut self, report: &Report) {
        if report.totals.gates.is_empty() {
            return;
        }
        self.line("## Gates\n");
        self.table(&["gate", "passed", "cached", "red", "not run", "time"]);
        for gate in &report.totals.gates {
            self.row(&[
                &escape(&gate.name),
                &gate.passed.to_string(),
                &gate.cached.to_string(),
                &gate.red.to_string(),
                &gate.skipped.to_string(),
                &span(gate.took),
            ]);
        }
        self.line("");
    }

    fn peeked(&mut self, report: &Report) {
        self.line("## Peeked and unpeeked\n");
        self.table(&["attempts", "ended", "went green", "landed"]);
        let mut fared = |name: &str, of: &Outcomes| {
            let part =
                |n: u32| if of.ended == 0 { n.to_string() } else { format!("{n} ({})", share(n, of.ended)) };
            self.row(&[name, &of.ended.to_string(), &part(of.green), &part(of.landed)]);
        };
        fared("peeked", &report.totals.peeked);
        fared("unpeeked", &report.totals.unpeeked);
        self.line("");
    }

    fn task(&mut self, task: &TaskReport) {
        self.line(&format!("## {}\n", escape(&task.name)));
        let mut said = vec![format!("{} with {}", state(task), escape(&task.agent))];
        if !task.title.is_empty() {
            said.push(escape(task.title.as_str()));
        }
        self.line(&format!("{}\n", said.join(": ")));
        for attempt in &task.attempts {
            self.attempt(attempt);
        }
        for question in &task.questions {
            let at = moment(question.at, self.zone);
            let answer = match question.answered {
                Some(_) => format!("answered \"{}\"", escape(question.answer.as_str())),
                None => "not answered".to_owned(),
            };
            self.line(&format!("- asked {at}: \"{}\"; {answer}", escape(question.text.as_str())));
        }
        for note in task.votes.iter().chain(&task.notes) {
            self.note(note);
        }
        self.line("");
    }

    fn attempt(&mut self, attempt: &AttemptReport) {
        let result = attempt.result.map_or("under way", |result| result.label());
        let mut parts = vec![
            format!("{} {}", moment(attempt.opened, self.zone), result),
            format!("agent {}", span(attempt.used.work)),
            work(attempt.commits, attempt.diffstat),
            cost_alone(&attempt.used),
        ];
        parts.retain(|part| part != "–");
        if attempt.landed {
            parts.push("landed".to_owned());
        }
        let bold = if attempt.peeked { " **peeked**" } else { "" };
        let look = if attempt.part == AttemptKind::SecondReview { ", second review" } else { "" };
        self.line(&format!("- attempt {}{look}{bold}: {}", attempt.no, parts.join(", ")));
        let gates: Vec<String> = attempt.gates.iter().map(gate).collect();
        if !gates.is_empty() {
            self.line(&format!("  - gates: {}", gates.join(", ")));
        }
        for peek in &attempt.peeks {
            let at = moment(peek.at, self.zone);
            self.line(&format!(
                "  - peeked {at} by {}: {}",
                escape(peek.by.as_str()),
                escape(peek.reason.as_str())
            ));
        }
    }

    fn note(&mut self, note: &Note) {
        let at = moment(note.at, self.zone);
        self.line(&format!("- {at} {}", escape(note.text.as_str())));
    }
}

fn gate(gate: &GateReport) -> String {
    let name = escape(&gate.name);
    let on = if gate.merged { " as merged" } else { "" };
    let took = gate.took.map_or(String::new(), |took| format!(" in {}", span(took)));
    let words = format!("{name} {}{on}{took}", gate.verdict.label());
    if is_red(gate.verdict) { format!("**{words}**") } else { words }
}

/// Where a task stands, and why if that is not plain.
fn state(task: &TaskReport) -> String {
    let label = match (task.state, &task.landed) {
        (TaskState::Landed, Some(oid)) => format!("landed as {}", code(oid.short())),
        (state, _) => state.label().to_owned(),
    };
    if task.why.is_empty() { label } else { format!("{label}: {}", escape(task.why.as_str())) }
}

fn code(name: &str) -> String {
    format!("`{}`", Shown::line(name).as_str().replace('`', "'").replace('|', "\\|"))
}

/// Outside text in which nothing means anything to markdown.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in Shown::line(text).as_str().chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '&' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
