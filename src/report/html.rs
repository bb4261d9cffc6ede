//! A report as one page that needs nothing else: no script, nothing loaded from elsewhere, pictures in it.

use crate::core::model::assignment::AttemptKind;
use crate::report::markdown::{headline, stretch, verdicts, work};
use crate::report::picture::{self, escape};
use crate::report::words::{cost, cost_alone, tokens, tries};
use crate::report::{AttemptReport, GateReport, Report, TaskReport, is_red, sign};
use crate::values::words::duration::short as span;
use crate::values::words::moment::minute as moment;
use crate::values::words::plural::of;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

const STYLE: &str = include_str!("../../assets/report.css");

/// The whole page; moments as clocks of `zone` show them.
#[must_use]
pub fn render(report: &Report, zone: &TimeZone) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>nopeek report: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         {HATCH}<main>\n<header>\n<p class=\"brand\">nopeek report</p>\n<h1>{}</h1>\n<p class=\"period\">{}</p>\n</header>\n",
        escape(&headline(report)),
        escape(&headline(report)),
        escape(&stretch(report, zone)),
    );
    tiles(&mut out, report);
    if report.tasks.is_empty() {
        out.push_str("<section class=\"card\"><p class=\"note\">Nothing happened.</p></section>\n");
    } else {
        let _ = writeln!(
            out,
            "<section class=\"card\">\n<h2>Attempts over time</h2>\n<div class=\"wide\">{}</div>\n{}\n</section>",
            picture::timeline(report, zone),
            picture::legend()
        );
        let totals = &report.totals;
        let _ = writeln!(
            out,
            "<div class=\"pair\">\n<section class=\"card\">\n<h2>Cost</h2>\n{}\n</section>\n\
             <section class=\"card\">\n<h2>Gates</h2>\n{}\n</section>\n\
             <section class=\"card\">\n<h2>Peeked and unpeeked</h2>\n{}\n</section>\n\
             <section class=\"card\">\n<h2>Where the time went</h2>\n{}\n</section>\n</div>",
            picture::costs(report),
            picture::gates(&totals.gates),
            picture::peeked(&totals.peeked, &totals.unpeeked),
            times(report),
        );
        tasks(&mut out, report, zone);
    }
    let _ = write!(
        out,
        "<footer>Made {} by nopeek.</footer>\n</main>\n</body>\n</html>\n",
        moment(report.made, zone)
    );
    out
}

/// The hatch of peeked attempts, for all pictures.
const HATCH: &str = "<svg class=\"defs\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"6\" height=\"6\" \
    patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatching\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs></svg>\n";

fn tiles(out: &mut String, report: &Report) {
    let totals = &report.totals;
    let used = &totals.used;
    let red = if totals.red_gates == 0 { "calm" } else { "bad" };
    let tiles = [
        ("landed", totals.landed.to_string(), format!("of {}", of(totals.tasks, "task", "tasks")), "good"),
        ("need you", totals.needs_you.to_string(), format!("{} under way", totals.under_way), "back"),
        (
            "attempts",
            totals.attempts.to_string(),
            match totals.looks {
                0 => format!("{} sent back", totals.sent_back),
                looks => {
                    format!("{}, {} sent back", of(looks, "review pass", "review passes"), totals.sent_back)
                }
            },
            "calm",
        ),
        (
            "red gates",
            totals.red_gates.to_string(),
            format!("of {}", of(totals.verdicts, "verdict", "verdicts")),
            red,
        ),
        ("agents worked", span(used.work), format!("{} waited for you", span(totals.time.waiting)), "calm"),
        ("cost", cost(used), format!("tokens: {}", tokens(used)), "calm"),
    ];
    out.push_str("<dl class=\"tiles\">\n");
    for (name, value, beside, class) in tiles {
        let class = if value == "0" { "calm" } else { class };
        let _ = writeln!(
            out,
            "<div class=\"tile {class}\"><dt>{name}</dt><dd><b>{}</b><small>{}</small></dd></div>",
            escape(&value),
            escape(&beside)
        );
    }
    out.push_str("</dl>\n");
}

fn times(report: &Report) -> String {
    let time = &report.totals.time;
    let rows = [
        ("worked on", time.working),
        ("waiting for you", time.waiting),
        ("in the start queue", time.queued),
        ("in the merge queue", time.merging),
        ("paused", time.paused),
    ];
    let mut out = String::from("<table class=\"times\"><tbody>");
    for (name, spent) in rows {
        let _ = write!(out, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", span(spent));
    }
    out.push_str("</tbody></table><p class=\"note\">All tasks together, by the clock on the wall.</p>");
    out
}

fn tasks(out: &mut String, report: &Report, zone: &TimeZone) {
    out.push_str("<section class=\"card\">\n<h2>Tasks</h2>\n");
    for task in &report.tasks {
        one(out, task, zone);
    }
    if report.left_out > 0 {
        let left = of(report.left_out, "older task is", "older tasks are");
        let _ = writeln!(out, "<p class=\"note\">{left} in the sums and not listed.</p>");
    }
    out.push_str("</section>\n");
}

fn one(out: &mut String, task: &TaskReport, zone: &TimeZone) {
    let (mark, class) = picture::state_mark(task.state);
    let how_often = match task.tries() {
        (n, 0) => of(n, "attempt", "attempts"),
        both => tries(both),
    };
    let _ = write!(
        out,
        "<details>\n<summary><span class=\"mark {class}\" aria-hidden=\"true\">{mark}</span> <b>{}</b> \
         <span class=\"state\">{}</span><span class=\"facts\">{} · {} · {}</span></summary>\n",
        escape(&task.name),
        task.state.label(),
        how_often,
        span(task.duration),
        escape(&cost_alone(&task.used)),
    );
    if !task.title.is_empty() {
        let _ = writeln!(out, "<p class=\"title\">{}</p>", escape(task.title.as_str()));
    }
    let landed = task.landed.as_ref().map_or("–", |oid| oid.short());
    let rows = [
        ("agent", task.agent.clone()),
        ("why", task.why.to_string()),
        ("launched", moment(task.created, zone)),
        ("landed", task.landed_at.map_or_else(String::new, |at| format!("{} as {landed}", moment(at, zone)))),
        ("rolled back", task.rolled_back_at.map_or_else(String::new, |at| moment(at, zone))),
        ("work", work(task.commits, task.diffstat)),
        ("verdicts", verdicts(task)),
        ("agents worked", span(task.used.work)),
        ("waited for you", span(task.time.waiting)),
        ("tokens", tokens(&task.used)),
    ];
    out.push_str("<dl class=\"rows\">");
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty() && value != "–") {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    }
    out.push_str("</dl>\n");
    if !task.attempts.is_empty() {
        out.push_str(
            "<div class=\"wide\"><table class=\"attempts\"><thead><tr><th scope=\"col\">attempt</th><th scope=\"col\">opened</th>\
             <th scope=\"col\">agent</th><th scope=\"col\">work</th><th scope=\"col\">gates</th><th scope=\"col\">cost</th></tr></thead><tbody>\n",
        );
        for attempt in &task.attempts {
            tried(out, attempt, zone);
        }
        out.push_str("</tbody></table></div>\n");
    }
    said(out, task, zone);
    out.push_str("</details>\n");
}

fn tried(out: &mut String, attempt: &AttemptReport, zone: &TimeZone) {
    let class = picture::class(attempt.result);
    let word = attempt.result.map_or("under way", |result| result.label());
    let _ = write!(
        out,
        "<tr><th scope=\"row\">{}{} <span class=\"chip {class}\" aria-hidden=\"true\">{}</span> {word}{}{}</th>\
         <td>{}</td><td>{}</td><td>{}</td><td class=\"verdicts\">",
        attempt.no,
        if attempt.part == AttemptKind::SecondReview { ", second review" } else { "" },
        sign(attempt.result),
        if attempt.landed { ", landed" } else { "" },
        if attempt.peeked { ", <em>peeked</em>" } else { "" },
        moment(attempt.opened, zone),
        span(attempt.used.work),
        escape(&work(attempt.commits, attempt.diffstat)),
    );
    if attempt.gates.is_empty() {
        out.push('–');
    }
    for gate in &attempt.gates {
        verdict(out, gate);
    }
    let _ = writeln!(out, "</td><td>{}</td></tr>", escape(&cost(&attempt.used)));
}

fn verdict(out: &mut String, gate: &GateReport) {
    let class = if is_red(gate.verdict) {
        "bad"
    } else if gate.verdict.is_green() {
        "good"
    } else {
        "none"
    };
    let took = gate.took.map_or(String::new(), |took| format!(" {}", span(took)));
    let merged = if gate.merged { " as merged" } else { "" };
    let _ = write!(
        out,
        "<span class=\"verdict {class}\">{} {}{merged}{took}</span> ",
        escape(&gate.name),
        gate.verdict.label()
    );
}

fn said(out: &mut String, task: &TaskReport, zone: &TimeZone) {
    let mut lines = Vec::new();
    for attempt in &task.attempts {
        for peek in &attempt.peeks {
            let (by, why) = (escape(peek.by.as_str()), escape(peek.reason.as_str()));
            lines.push((peek.at, format!("attempt {} was peeked at by {by}: {why}", attempt.no)));
        }
    }
    for question in &task.questions {
        let text = escape(question.text.as_str());
        let answer = match question.answered {
            Some(_) => format!("answered “{}”", escape(question.answer.as_str())),
            None => "not answered".to_owned(),
        };
        lines.push((question.at, format!("asked “{text}”, {answer}")));
    }
    for note in task.votes.iter().chain(&task.notes) {
        lines.push((note.at, escape(note.text.as_str())));
    }
    if lines.is_empty() {
        return;
    }
    lines.sort_by_key(|(at, _)| *at);
    out.push_str("<ul class=\"said\">");
    for (at, text) in lines {
        let _ = write!(out, "<li><time>{}</time> {text}</li>", moment(at, zone));
    }
    out.push_str("</ul>\n");
}
