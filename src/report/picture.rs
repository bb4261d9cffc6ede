//! The pictures of the page, as SVG without scripts: attempts over time, gates, cost, peeked against unpeeked.
//!
//! Colours are classes that the page's style gives a light and a dark look. Each shape that means something has a title,
//! and a sign or a hatch beside its colour. `maud` escapes each text by its type; outside text is a [`Shown`] besides.

use crate::core::model::assignment::AttemptKind;
use crate::report::timeline::{self, Look};
use crate::report::words::{cost, share};
use crate::report::{AttemptReport, GateReport, GateTotal, Outcomes, Report, TaskReport, is_red, sign};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration::{MINUTE, short as span};
use crate::values::words::moment::{clock, minute as moment, ticks};
use crate::values::words::plural::{counted, of};
use crate::values::words::{cut, money};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::fmt::{self, Display, Formatter};

/// Most rows of the timeline, and of the bars of cost and gates.
const ROWS_MAX: usize = 80;

const BARS_MAX: usize = 16;

/// The timeline's width, the room for names, the room at the right.
const WIDE: f64 = 1040.0;

const NAMES: f64 = 200.0;

const RIGHT: f64 = 24.0;

const TOP: f64 = 30.0;

const ROW: f64 = 34.0;

const BAR: f64 = 16.0;

/// The smaller pictures.
const HALF: f64 = 500.0;

const HALF_NAMES: f64 = 150.0;

const HALF_VALUES: f64 = 120.0;

/// A place or a length in a picture, to a tenth of its unit.
struct Px(f64);

impl Display for Px {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// Outside text made visible, in at most `most` characters.
fn clipped(text: &str, most: usize) -> String {
    cut::chars(Shown::line(text).as_str(), most)
}

/// The class that the page's style has for a look.
pub(crate) const fn class(look: Look) -> &'static str {
    match look {
        Look::Good => "good",
        Look::Bad | Look::Stuck => "bad",
        Look::NeedsYou => "back",
        Look::Running => "run",
        Look::Waiting | Look::Over => "none",
    }
}

/// From when to when a report's pictures go: the stretch without what is empty at its ends.
pub(crate) fn shown(report: &Report) -> (Time, Time) {
    let since = report.since.unwrap_or_default();
    let from =
        report.tasks.iter().map(|task| timeline::began(task).max(since)).min().unwrap_or(since).max(since);
    let last = |task: &TaskReport| task.ended.map_or(report.until, |ended| last_sign(task).max(ended));
    let to = report.tasks.iter().map(last).max().unwrap_or(report.until).min(report.until);
    (from, to.max(Time(from.0 + MINUTE)))
}

fn last_sign(task: &TaskReport) -> Time {
    let attempt = task.attempts.last();
    let gate = attempt.and_then(|a| a.gates.last()).map(|gate| gate.at);
    let over = attempt.and_then(|a| a.over);
    [gate, over, task.landed_at, task.rolled_back_at].into_iter().flatten().max().unwrap_or_default()
}

/// Moments as places across.
struct Scale {
    from: Time,
    to: Time,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "a tenth of a pixel is enough")]
    fn x(&self, at: Time) -> f64 {
        let at = at.max(self.from).min(self.to);
        let part = at.since(self.from).0 as f64 / self.to.since(self.from).0.max(1) as f64;
        NAMES + part * (WIDE - NAMES - RIGHT)
    }

    fn has(&self, at: Time) -> bool {
        self.from <= at && at <= self.to
    }
}

/// Attempts over time, a row a task.
pub(crate) fn attempts(report: &Report, zone: &TimeZone) -> Markup {
    let (from, to) = shown(report);
    let scale = Scale { from, to };
    let gone = report.tasks.len().saturating_sub(ROWS_MAX);
    let rows = &report.tasks[gone..];
    #[expect(clippy::cast_precision_loss, reason = "at most ROWS_MAX")]
    let high = TOP + rows.len() as f64 * ROW + 10.0;
    let end = Px(high - 8.0);
    #[expect(clippy::cast_precision_loss, reason = "at most ROWS_MAX")]
    let row_at = |n: usize| TOP + n as f64 * ROW;
    let live = report.is_live() && report.totals.under_way + report.totals.needs_you > 0;
    let about = "One row per task, one bar per attempt; solid while its agent works.";
    let drawn = html! {
        @for (at, words) in ticks(from, to, 9, zone) {
            @let x = Px(scale.x(at));
            line.grid x1=(x) y1=(TOP) x2=(x) y2=(end) {}
            text.axis x=(x) y="18" text-anchor="middle" { (words) }
        }
        @for (n, task) in rows.iter().enumerate() {
            @if n % 2 == 0 {
                rect.stripe x="0" y=(Px(row_at(n))) width=(WIDE) height=(ROW) rx="4" {}
            }
            (row(task, row_at(n), &scale, report, zone))
        }
        @if live && scale.has(report.made) {
            @let x = Px(scale.x(report.made));
            line.now x1=(x) y1=(TOP) x2=(x) y2=(end) { title { "now: " (moment(report.made, zone)) } }
        }
    };
    html! {
        (svg("timeline", WIDE, high, "Attempts over time", about, &drawn))
        @if gone > 0 {
            p.note { (of(u64::try_from(gone).unwrap_or(u64::MAX), "older task is", "older tasks are")) " not drawn." }
        }
    }
}

fn row(task: &TaskReport, y: f64, scale: &Scale, report: &Report, zone: &TimeZone) -> Markup {
    let middle = y + ROW / 2.0;
    let base = Px(middle + 4.5);
    let (mark, look) = timeline::state(task.state);
    let name = Shown::line(&task.name);
    let flags = [(task.landed_at, "landed", "good"), (task.rolled_back_at, "rolled back", "bad")];
    html! {
        text class={ "mark " (class(look)) } x="8" y=(base) { (mark) }
        text.name x="26" y=(base) { (clipped(&task.name, 23)) title { (name) ": " (task.state.label()) } }
        line.life x1=(Px(scale.x(task.created))) y1=(Px(middle)) x2=(Px(scale.x(task.ended.unwrap_or(report.until)))) y2=(Px(middle)) {}
        @for attempt in &task.attempts { (bar(&name, attempt, middle, scale, report.until, zone)) }
        @for (at, word, class) in flags {
            @if let Some(at) = at.filter(|at| scale.has(*at)) {
                path class={ "flag " (class) } d={ "M" (Px(scale.x(at))) " " (Px(middle - 5.0)) "l5 5-5 5-5-5z" } {
                    title { (name) " " (word) " " (moment(at, zone)) }
                }
            }
        }
    }
}

fn bar(
    task: &Shown,
    attempt: &AttemptReport,
    middle: f64,
    scale: &Scale,
    until: Time,
    zone: &TimeZone,
) -> Markup {
    let end = attempt.over.unwrap_or(until);
    if end < scale.from || attempt.opened > scale.to {
        return html! {};
    }
    let (x1, x2) = (scale.x(attempt.opened), scale.x(end));
    let wide = (x2 - x1).max(3.0);
    let y = Px(middle - BAR / 2.0);
    let word = attempt.result.map_or("under way", |result| result.label());
    let agent = attempt.started.map(|started| {
        let (a, b) = (scale.x(started), scale.x(attempt.agent_ended.unwrap_or(end).min(end)));
        (Px(a), Px((b - a).max(3.0)))
    });
    html! {
        g class=(class(timeline::result(attempt.result))) {
            title {
                (task) " attempt " (attempt.no)
                @if attempt.part == AttemptKind::SecondReview { ", second review" }
                ": " (word)
                @if attempt.peeked { ", peeked" }
                ", opened " (moment(attempt.opened, zone)) ", agent worked " (span(attempt.used.work)) ", " (cost(&attempt.used))
            }
            rect.gating x=(Px(x1)) y=(y) width=(Px(wide)) height=(BAR) rx="4" {}
            @if let Some((x, wide)) = agent {
                rect.agent x=(x) y=(y) width=(wide) height=(BAR) rx="4" {}
            }
            @if attempt.peeked {
                rect.peeked x=(Px(x1)) y=(y) width=(Px(wide)) height=(BAR) rx="4" {}
            }
            @if wide >= 18.0 {
                text.sign x=(Px(x1 + 4.0)) y=(Px(middle + 4.0)) { (sign(attempt.result)) }
            }
        }
        @for gate in attempt.gates.iter().filter(|gate| scale.has(gate.at)) { (verdict(gate, middle, scale, zone)) }
    }
}

/// A gate's verdict: a stroke below the bar.
fn verdict(gate: &GateReport, middle: f64, scale: &Scale, zone: &TimeZone) -> Markup {
    let x = Px(scale.x(gate.at));
    let (class, long) = if is_red(gate.verdict) { ("bad", 7.0) } else { ("good", 4.0) };
    let top = middle + BAR / 2.0 + 1.0;
    html! {
        line class={ "gate " (class) } x1=(x) y1=(Px(top)) x2=(x) y2=(Px(top + long)) {
            title {
                (Shown::line(&gate.name)) " " (gate.verdict.label())
                @if gate.merged { " as merged" }
                " " (clock(gate.at, zone))
            }
        }
    }
}

/// What the signs and colours of the timeline mean.
pub(crate) fn legend() -> Markup {
    let items = [
        ("good", '●', "green"),
        ("bad", '✗', "red, failed, timed out, did not merge"),
        ("back", '↩', "sent back"),
        ("none", '■', "no work, stopped, interrupted"),
        ("run", '▸', "under way"),
    ];
    html! {
        ul.legend {
            @for (class, sign, words) in items {
                li { span class={ "chip " (class) } aria-hidden="true" { (sign) } (words) }
            }
            li { span.chip.hatch aria-hidden="true" {} "peeked" }
            li { span.good-text aria-hidden="true" { "◆" } " landed" }
            li { span.ticks aria-hidden="true" {} "gates below a bar; long: red" }
        }
    }
}

/// A row of a picture of bars: its name, its parts with their classes, its value.
struct Bar<'a> {
    name: String,
    parts: Vec<(&'a str, u64)>,
    value: String,
}

/// A picture of bars; the longest is as long as `most`.
fn bars(id: &str, title: &str, about: &str, most: u64, rows: &[Bar<'_>]) -> Markup {
    const HIGH: f64 = 28.0;
    #[expect(clippy::cast_precision_loss, reason = "a tenth of a pixel is enough")]
    let (count, most) = (rows.len().max(1) as f64, most.max(1) as f64);
    let room = HALF - HALF_NAMES - HALF_VALUES;
    #[expect(clippy::cast_precision_loss, reason = "at most BARS_MAX")]
    let middle_of = |n: usize| n as f64 * HIGH + HIGH / 2.0;
    let drawn = html! {
        @for (n, row) in rows.iter().enumerate() {
            @let middle = middle_of(n);
            text.name x="0" y=(Px(middle + 4.0)) { (clipped(&row.name, 19)) title { (Shown::line(&row.name)) } }
            rect.track x=(HALF_NAMES) y=(Px(middle - 7.0)) width=(room) height="14" rx="3" {}
            @for (class, x, wide) in fills(&row.parts, most, room) {
                rect class={ "fill " (class) } x=(Px(x)) y=(Px(middle - 7.0)) width=(Px(wide)) height="14" rx="3" {}
            }
            text.value x=(HALF) y=(Px(middle + 4.0)) text-anchor="end" { (row.value) }
        }
    };
    svg(id, HALF, count * HIGH + 4.0, title, about, &drawn)
}

/// The parts of a bar that are not nothing: class, place, width.
fn fills<'a>(parts: &[(&'a str, u64)], most: f64, room: f64) -> Vec<(&'a str, f64, f64)> {
    let mut x = HALF_NAMES;
    let mut fills = Vec::new();
    for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a pixel is enough")]
        let wide = (*n as f64 / most * room).max(2.0).min(HALF_NAMES + room - x);
        fills.push((*class, x, wide));
        x += wide;
    }
    fills
}

/// A picture that says what it shows to those who can't see it.
fn svg(id: &str, wide: f64, high: f64, title: &str, about: &str, drawn: &Markup) -> Markup {
    let (title_id, about_id) = (format!("{id}-title"), format!("{id}-about"));
    html! {
        svg id=(id) viewBox={ "0 0 " (wide) " " (high.round()) } role="img" aria-labelledby={ (title_id) " " (about_id) }
            xmlns="http://www.w3.org/2000/svg" {
            title id=(title_id) { (title) }
            desc id=(about_id) { (about) }
            (drawn)
        }
    }
}

/// What tasks cost, the dearest first; those of unknown cost last.
pub(crate) fn costs(report: &Report) -> Markup {
    let mut tasks: Vec<&TaskReport> = report
        .tasks
        .iter()
        .filter(|task| task.used.cost_microusd.is_some() || task.used.cost_unknown > 0)
        .collect();
    if tasks.is_empty() {
        return html! { p.note { "No agent ran." } };
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.used.cost_microusd));
    let (drawn, rest) = tasks.split_at(tasks.len().min(BARS_MAX));
    let most = drawn.iter().filter_map(|task| task.used.cost_microusd).max().unwrap_or(1);
    let rows: Vec<Bar<'_>> = drawn
        .iter()
        .map(|task| Bar {
            name: task.name.clone(),
            parts: vec![("accent", task.used.cost_microusd.unwrap_or(0))],
            value: cost(&task.used),
        })
        .collect();
    let known: u64 = rest.iter().filter_map(|task| task.used.cost_microusd).sum();
    html! {
        (bars("costs", "Cost by task", "Bars as long as what is known of the cost.", most, &rows))
        @if !rest.is_empty() {
            p.note { "and " (rest.len()) " more, " (money::short(known)) " of known cost" }
        }
    }
}

/// Verdicts by gate.
pub(crate) fn gates(gates: &[GateTotal]) -> Markup {
    if gates.is_empty() {
        return html! { p.note { "No gate gave a verdict." } };
    }
    let ran = |gate: &GateTotal| u64::from(gate.passed + gate.cached + gate.red);
    let (drawn, rest) = gates.split_at(gates.len().min(BARS_MAX));
    let most = drawn.iter().map(ran).max().unwrap_or(1);
    let row = |gate: &GateTotal| {
        let green = gate.passed + gate.cached;
        let red = if gate.red == 0 { "none red".to_owned() } else { format!("✗ {} red", gate.red) };
        Bar {
            name: gate.name.clone(),
            parts: vec![
                ("good", u64::from(gate.passed)),
                ("cached", u64::from(gate.cached)),
                ("bad", u64::from(gate.red)),
            ],
            value: format!("● {green}, {red}"),
        }
    };
    let rows: Vec<Bar<'_>> = drawn.iter().map(row).collect();
    html! {
        (bars("gates", "Verdicts by gate", "Green, cached, red.", most, &rows))
        @if !rest.is_empty() { p.note { "and " (counted(rest.len(), "more gate")) } }
    }
}

/// How attempts fared that somebody looked at, and those that nobody did.
pub(crate) fn peeked(peeked: &Outcomes, unpeeked: &Outcomes) -> Markup {
    let mut rows = Vec::new();
    for (name, fared) in [("unpeeked", unpeeked), ("peeked", peeked)] {
        for (what, n, class) in [("green", fared.green, "good"), ("landed", fared.landed, "accent")] {
            let part = (u64::from(n.min(fared.ended)) * 100).checked_div(u64::from(fared.ended)).unwrap_or(0);
            let value = if fared.ended == 0 {
                "no attempt".to_owned()
            } else {
                format!("{n} of {}, {}", fared.ended, share(n, fared.ended))
            };
            rows.push(Bar { name: format!("{name}: {what}"), parts: vec![(class, part)], value });
        }
    }
    let about = "The share of each that went green, and that landed.";
    bars("peeked", "Peeked and unpeeked attempts", about, 100, &rows)
}
