//! A report as one page that needs nothing else: no script, nothing loaded from elsewhere, pictures in it.
//!
//! Markup is written by `maud`, which escapes each text by its type. Text from outside is a [`Shown`] besides, so that
//! nothing in it hides or turns the line around.

use crate::core::model::assignment::AttemptKind;
use crate::report::markdown::{headline, stretch, verdicts, work};
use crate::report::picture;
use crate::report::timeline;
use crate::report::words::{cost, cost_alone, tokens, tries};
use crate::report::{AttemptReport, GateReport, Report, TaskReport, is_red, sign};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration::short as span;
use crate::values::words::moment::minute as moment;
use crate::values::words::plural::of;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("../../assets/report.css");

/// What the page may load: nothing but its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole page; moments as clocks of `zone` show them.
#[must_use]
pub fn render(report: &Report, zone: &TimeZone) -> String {
    let headline = Shown::line(&headline(report));
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            head {
                "\n" meta charset="utf-8";
                "\n" meta http-equiv="Content-Security-Policy" content=(POLICY);
                "\n" meta name="viewport" content="width=device-width, initial-scale=1";
                "\n" meta name="color-scheme" content="light dark";
                "\n" title { "nopeek report: " (headline) }
                "\n" style { (PreEscaped(STYLE)) }
            }
            "\n"
            body {
                (hatch())
                main {
                    header {
                        p.brand { "nopeek report" }
                        h1 { (headline) }
                        p.period { (stretch(report, zone)) }
                    }
                    (tiles(report))
                    @if report.tasks.is_empty() {
                        section.card { p.note { "Nothing happened." } }
                    } @else {
                        (pictures(report, zone))
                        (tasks(report, zone))
                    }
                    footer { "Made " (moment(report.made, zone)) " by nopeek." }
                }
            }
        }
        "\n"
    };
    page.into_string()
}

/// The hatch of peeked attempts, for all pictures.
fn hatch() -> Markup {
    html! {
        svg.defs aria-hidden="true" {
            defs {
                pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    line.hatching x1="0" y1="0" x2="0" y2="6" {}
                }
            }
        }
        "\n"
    }
}

fn pictures(report: &Report, zone: &TimeZone) -> Markup {
    let totals = &report.totals;
    html! {
        section.card {
            h2 { "Attempts over time" }
            div.wide { (picture::attempts(report, zone)) }
            (picture::legend())
        }
        "\n"
        div.pair {
            section.card { h2 { "Cost" } (picture::costs(report)) }
            section.card { h2 { "Gates" } (picture::gates(&totals.gates)) }
            section.card { h2 { "Peeked and unpeeked" } (picture::peeked(&totals.peeked, &totals.unpeeked)) }
            section.card { h2 { "Where the time went" } (times(report)) }
        }
        "\n"
    }
}

fn tiles(report: &Report) -> Markup {
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
    html! {
        dl.tiles {
            @for (name, value, beside, class) in tiles {
                div class={ "tile " (if value == "0" { "calm" } else { class }) } {
                    dt { (name) }
                    dd { b { (value) } small { (beside) } }
                }
                "\n"
            }
        }
        "\n"
    }
}

fn times(report: &Report) -> Markup {
    let time = &report.totals.time;
    let rows = [
        ("worked on", time.working),
        ("waiting for you", time.waiting),
        ("in the start queue", time.queued),
        ("in the merge queue", time.merging),
        ("paused", time.paused),
    ];
    html! {
        table.times {
            tbody {
                @for (name, spent) in rows {
                    tr { th scope="row" { (name) } td { (span(spent)) } }
                }
            }
        }
        p.note { "All tasks together, by the clock on the wall." }
    }
}

fn tasks(report: &Report, zone: &TimeZone) -> Markup {
    html! {
        section.card {
            h2 { "Tasks" }
            "\n"
            @for task in &report.tasks { (one(task, zone)) }
            @if report.left_out > 0 {
                p.note { (of(report.left_out, "older task is", "older tasks are")) " in the sums and not listed." }
            }
        }
        "\n"
    }
}

fn one(task: &TaskReport, zone: &TimeZone) -> Markup {
    let (mark, look) = timeline::state(task.state);
    let class = picture::class(look);
    let how_often = match task.tries() {
        (n, 0) => of(n, "attempt", "attempts"),
        both => tries(both),
    };
    let landed = task.landed.as_ref().map_or("–", |oid| oid.short());
    let rows = [
        ("agent", Shown::line(&task.agent)),
        ("why", task.why.clone()),
        ("launched", moment(task.created, zone).into()),
        (
            "landed",
            task.landed_at.map_or_else(String::new, |at| format!("{} as {landed}", moment(at, zone))).into(),
        ),
        ("rolled back", task.rolled_back_at.map_or_else(String::new, |at| moment(at, zone)).into()),
        ("work", work(task.commits, task.diffstat).into()),
        ("verdicts", verdicts(task).into()),
        ("agents worked", span(task.used.work).into()),
        ("waited for you", span(task.time.waiting).into()),
        ("tokens", tokens(&task.used).into()),
    ];
    html! {
        details {
            summary {
                span class={ "mark " (class) } aria-hidden="true" { (mark) } " "
                b { (Shown::line(&task.name)) } " "
                span.state { (task.state.label()) }
                span.facts { (how_often) " · " (span(task.duration)) " · " (cost_alone(&task.used)) }
            }
            "\n"
            @if !task.title.is_empty() { p.title { (task.title) } "\n" }
            dl.rows {
                @for (name, value) in rows.iter().filter(|(_, value)| !matches!(value.as_str(), "" | "–")) {
                    dt { (name) } dd { (value) }
                }
            }
            "\n"
            @if !task.attempts.is_empty() {
                div.wide {
                    table.attempts {
                        thead {
                            tr {
                                @for name in ["attempt", "opened", "agent", "work", "gates", "cost"] {
                                    th scope="col" { (name) }
                                }
                            }
                        }
                        "\n"
                        tbody { @for attempt in &task.attempts { (tried(attempt, zone)) } }
                    }
                }
                "\n"
            }
            (said(task, zone))
        }
        "\n"
    }
}

fn tried(attempt: &AttemptReport, zone: &TimeZone) -> Markup {
    let class = picture::class(timeline::result(attempt.result));
    let word = attempt.result.map_or("under way", |result| result.label());
    html! {
        tr {
            th scope="row" {
                (attempt.no)
                @if attempt.part == AttemptKind::SecondReview { ", second review" }
                " " span class={ "chip " (class) } aria-hidden="true" { (sign(attempt.result)) } " " (word)
                @if attempt.landed { ", landed" }
                @if attempt.peeked { ", " em { "peeked" } }
            }
            td { (moment(attempt.opened, zone)) }
            td { (span(attempt.used.work)) }
            td { (work(attempt.commits, attempt.diffstat)) }
            td.verdicts {
                @if attempt.gates.is_empty() { "–" }
                @for gate in &attempt.gates { (verdict(gate)) " " }
            }
            td { (cost(&attempt.used)) }
        }
        "\n"
    }
}

fn verdict(gate: &GateReport) -> Markup {
    let class = if is_red(gate.verdict) {
        "bad"
    } else if gate.verdict.is_green() {
        "good"
    } else {
        "none"
    };
    html! {
        span class={ "verdict " (class) } {
            (Shown::line(&gate.name)) " " (gate.verdict.label())
            @if gate.merged { " as merged" }
            @if let Some(took) = gate.took { " " (span(took)) }
        }
    }
}

fn said(task: &TaskReport, zone: &TimeZone) -> Markup {
    let mut lines: Vec<(Time, Markup)> = Vec::new();
    for attempt in &task.attempts {
        for peek in &attempt.peeks {
            let words = html! { "attempt " (attempt.no) " was peeked at by " (peek.by) ": " (peek.reason) };
            lines.push((peek.at, words));
        }
    }
    for question in &task.questions {
        let words = html! {
            "asked “" (question.text) "”, "
            @if question.answered.is_some() { "answered “" (question.answer) "”" } @else { "not answered" }
        };
        lines.push((question.at, words));
    }
    for note in task.votes.iter().chain(&task.notes) {
        lines.push((note.at, html! { (note.text) }));
    }
    lines.sort_by_key(|(at, _)| *at);
    html! {
        @if !lines.is_empty() {
            ul.said { @for (at, words) in lines { li { time { (moment(at, zone)) } " " (words) } } }
            "\n"
        }
    }
}
