//! The pictures of the page, as SVG without scripts: attempts over time, gates, cost, peeked against unpeeked.
//!
//! Colours are classes that the page's style gives a light and a dark look. Each shape that means something has a title,
//! and a sign or a hatch beside its colour. All outside text goes through [`escape`].

use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::task::TaskState;
use crate::report::words::{cost, share};
use crate::report::{AttemptReport, GateTotal, Outcomes, Report, TaskReport, is_red, sign};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::duration::{MINUTE, short as span};
use crate::values::words::moment::{clock, minute as moment, ticks};
use crate::values::words::plural::of;
use crate::values::words::{cut, money};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

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

/// Outside text, safe inside of HTML, attributes too.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in Shown::line(text).as_str().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A text in at most `most` characters.
fn cut(text: &str, most: usize) -> String {
    cut::chars(Shown::line(text).as_str(), most)
}

/// The class of an attempt's bar.
pub(crate) const fn class(result: Option<AttemptResult>) -> &'static str {
    match result {
        None => "run",
        Some(AttemptResult::Green | AttemptResult::Reviewed) => "good",
        Some(
            AttemptResult::Red
            | AttemptResult::Failed
            | AttemptResult::TimedOut
            | AttemptResult::MergeFailed
            | AttemptResult::OverBudget,
        ) => "bad",
        Some(AttemptResult::SentBack) => "back",
        Some(AttemptResult::NoWork | AttemptResult::Stopped | AttemptResult::Interrupted) => "none",
    }
}

/// From when to when a report's pictures go: the stretch without what is empty at its ends.
pub(crate) fn shown(report: &Report) -> (Time, Time) {
    let since = report.since.unwrap_or_default();
    let began = |task: &TaskReport| {
        let first = task.attempts.first().map_or(task.created, |attempt| attempt.opened);
        first.min(task.created).max(since)
    };
    let from = report.tasks.iter().map(began).min().unwrap_or(since).max(since);
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
pub(crate) fn timeline(report: &Report, zone: &TimeZone) -> String {
    let (from, to) = shown(report);
    let scale = Scale { from, to };
    let gone = report.tasks.len().saturating_sub(ROWS_MAX);
    let rows = &report.tasks[gone..];
    #[expect(clippy::cast_precision_loss, reason = "at most ROWS_MAX")]
    let high = TOP + rows.len() as f64 * ROW + 10.0;
    let mut out = open(
        "timeline",
        WIDE,
        high,
        "Attempts over time",
        "One row per task, one bar per attempt; solid while its agent works.",
    );
    for (at, words) in ticks(from, to, 9, zone) {
        let x = scale.x(at);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
            high - 8.0
        );
        let _ =
            write!(out, "<text class=\"axis\" x=\"{x:.1}\" y=\"18\" text-anchor=\"middle\">{words}</text>");
    }
    let mut y = TOP;
    for (n, task) in rows.iter().enumerate() {
        if n % 2 == 0 {
            let _ = write!(
                out,
                "<rect class=\"stripe\" x=\"0\" y=\"{y:.1}\" width=\"{WIDE}\" height=\"{ROW}\" rx=\"4\"/>"
            );
        }
        row(&mut out, task, y, &scale, report, zone);
        y += ROW;
    }
    if report.is_live() && scale.has(report.made) && report.totals.under_way + report.totals.needs_you > 0 {
        let x = scale.x(report.made);
        let _ = write!(
            out,
            "<line class=\"now\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{:.1}\"><title>now: {}</title></line>",
            high - 8.0,
            moment(report.made, zone)
        );
    }
    out.push_str("</svg>");
    if gone > 0 {
        let _ = write!(
            out,
            "<p class=\"note\">{} not drawn.</p>",
            of(u32::try_from(gone).unwrap_or(u32::MAX), "older task is", "older tasks are")
        );
    }
    out
}

fn row(out: &mut String, task: &TaskReport, y: f64, scale: &Scale, report: &Report, zone: &TimeZone) {
    let middle = y + ROW / 2.0;
    let (mark, look) = state_mark(task.state);
    let _ = write!(out, "<text class=\"mark {look}\" x=\"8\" y=\"{:.1}\">{mark}</text>", middle + 4.5);
    let _ = write!(
        out,
        "<text class=\"name\" x=\"26\" y=\"{:.1}\">{}<title>{}: {}</title></text>",
        middle + 4.5,
        escape(&cut(&task.name, 23)),
        escape(&task.name),
        task.state.label()
    );
    let (x1, x2) = (scale.x(task.created), scale.x(task.ended.unwrap_or(report.until)));
    let _ = write!(
        out,
        "<line class=\"life\" x1=\"{x1:.1}\" y1=\"{middle:.1}\" x2=\"{x2:.1}\" y2=\"{middle:.1}\"/>"
    );
    for attempt in &task.attempts {
        bar(out, task, attempt, middle, scale, report.until, zone);
    }
    for (at, word, class) in [(task.landed_at, "landed", "good"), (task.rolled_back_at, "rolled back", "bad")]
    {
        if let Some(at) = at.filter(|at| scale.has(*at)) {
            let x = scale.x(at);
            let _ = write!(
                out,
                "<path class=\"flag {class}\" d=\"M{x:.1} {:.1}l5 5-5 5-5-5z\"><title>{} {word} {}</title></path>",
                middle - 5.0,
                escape(&task.name),
                moment(at, zone)
            );
        }
    }
}

fn bar(
    out: &mut String,
    task: &TaskReport,
    attempt: &AttemptReport,
    middle: f64,
    scale: &Scale,
    until: Time,
    zone: &TimeZone,
) {
    let end = attempt.over.unwrap_or(until);
    if end < scale.from || attempt.opened > scale.to {
        return;
    }
    let (x1, x2) = (scale.x(attempt.opened), scale.x(end));
    let wide = (x2 - x1).max(3.0);
    let y = middle - BAR / 2.0;
    let class = class(attempt.result);
    let word = attempt.result.map_or("under way", |result| result.label());
    let peeked = if attempt.peeked { ", peeked" } else { "" };
    let look = if attempt.part == AttemptKind::SecondReview { ", second review" } else { "" };
    let _ = write!(
        out,
        "<g class=\"{class}\"><title>{} attempt {}{look}: {word}{peeked}, opened {}, agent worked {}, {}</title>",
        escape(&task.name),
        attempt.no,
        moment(attempt.opened, zone),
        span(attempt.used.work),
        cost(&attempt.used)
    );
    let _ = write!(
        out,
        "<rect class=\"gating\" x=\"{x1:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{BAR}\" rx=\"4\"/>"
    );
    if let Some(started) = attempt.started {
        let (a, b) = (scale.x(started), scale.x(attempt.agent_ended.unwrap_or(end).min(end)));
        let _ = write!(
            out,
            "<rect class=\"agent\" x=\"{a:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"4\"/>",
            (b - a).max(3.0)
        );
    }
    if attempt.peeked {
        let _ = write!(
            out,
            "<rect class=\"peeked\" x=\"{x1:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{BAR}\" rx=\"4\"/>"
        );
    }
    if wide >= 18.0 {
        let _ = write!(
            out,
            "<text class=\"sign\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x1 + 4.0,
            middle + 4.0,
            sign(attempt.result)
        );
    }
    out.push_str("</g>");
    for gate in attempt.gates.iter().filter(|gate| scale.has(gate.at)) {
        let x = scale.x(gate.at);
        let (class, long) = if is_red(gate.verdict) { ("bad", 7.0) } else { ("good", 4.0) };
        let merged = if gate.merged { " as merged" } else { "" };
        let top = middle + BAR / 2.0 + 1.0;
        let _ = write!(
            out,
            "<line class=\"gate {class}\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"><title>{} {}{merged} {}</title></line>",
            top + long,
            escape(&gate.name),
            gate.verdict.label(),
            clock(gate.at, zone)
        );
    }
}

/// A sign for where a task stands, and its class.
pub(crate) const fn state_mark(state: TaskState) -> (char, &'static str) {
    match state {
        TaskState::Landed => ('◆', "good"),
        TaskState::RolledBack => ('◇', "bad"),
        TaskState::Stopped | TaskState::Rejected => ('■', "none"),
        TaskState::Stuck => ('!', "bad"),
        TaskState::Asking | TaskState::Review | TaskState::Interrupted => ('!', "back"),
        TaskState::Preparing | TaskState::Working | TaskState::Gating => ('▸', "run"),
        TaskState::Merging | TaskState::RollingBack => ('▸', "run"),
        TaskState::Queued => ('·', "none"),
    }
}

/// What the signs and colours of the timeline mean.
pub(crate) fn legend() -> String {
    let items = [
        ("good", '●', "green"),
        ("bad", '✗', "red, failed, timed out, did not merge"),
        ("back", '↩', "sent back"),
        ("none", '■', "no work, stopped, interrupted"),
        ("run", '▸', "under way"),
    ];
    let mut out = String::from("<ul class=\"legend\">");
    for (class, sign, words) in items {
        let _ =
            write!(out, "<li><span class=\"chip {class}\" aria-hidden=\"true\">{sign}</span>{words}</li>");
    }
    out.push_str("<li><span class=\"chip hatch\" aria-hidden=\"true\"></span>peeked</li>");
    out.push_str("<li><span class=\"good-text\" aria-hidden=\"true\">◆</span> landed</li>");
    out.push_str(
        "<li><span class=\"ticks\" aria-hidden=\"true\"></span>gates below a bar; long: red</li></ul>",
    );
    out
}

/// A row of a picture of bars: a name, its parts with their classes, its value.
struct Bars {
    out: String,
    y: f64,
    most: f64,
}

impl Bars {
    fn new(id: &str, title: &str, about: &str, rows: usize, most: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a pixel is enough")]
        let (rows, most) = (rows.max(1) as f64, most.max(1) as f64);
        Self { out: open(id, HALF, rows * 28.0 + 4.0, title, about), y: 0.0, most }
    }

    fn row(&mut self, name: &str, parts: &[(&str, u64)], value: &str) {
        let middle = self.y + 14.0;
        let _ = write!(
            self.out,
            "<text class=\"name\" x=\"0\" y=\"{:.1}\">{}<title>{}</title></text>",
            middle + 4.0,
            escape(&cut(name, 19)),
            escape(name)
        );
        let room = HALF - HALF_NAMES - HALF_VALUES;
        let _ = write!(
            self.out,
            "<rect class=\"track\" x=\"{HALF_NAMES}\" y=\"{:.1}\" width=\"{room}\" height=\"14\" rx=\"3\"/>",
            middle - 7.0
        );
        let mut x = HALF_NAMES;
        for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
            #[expect(clippy::cast_precision_loss, reason = "a tenth of a pixel is enough")]
            let wide = (*n as f64 / self.most * room).max(2.0).min(HALF_NAMES + room - x);
            let _ = write!(
                self.out,
                "<rect class=\"fill {class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"14\" rx=\"3\"/>",
                middle - 7.0
            );
            x += wide;
        }
        let _ = write!(
            self.out,
            "<text class=\"value\" x=\"{HALF}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            middle + 4.0,
            escape(value)
        );
        self.y += 28.0;
    }

    fn done(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// What tasks cost, the dearest first; those of unknown cost last.
pub(crate) fn costs(report: &Report) -> String {
    let mut tasks: Vec<&TaskReport> = report
        .tasks
        .iter()
        .filter(|task| task.used.cost_microusd.is_some() || task.used.cost_unknown > 0)
        .collect();
    if tasks.is_empty() {
        return "<p class=\"note\">No agent ran.</p>".to_owned();
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.used.cost_microusd));
    let drawn = &tasks[..tasks.len().min(BARS_MAX)];
    let most = drawn.iter().filter_map(|task| task.used.cost_microusd).max().unwrap_or(1);
    let mut bars =
        Bars::new("costs", "Cost by task", "Bars as long as what is known of the cost.", drawn.len(), most);
    for task in drawn {
        let known = task.used.cost_microusd.unwrap_or(0);
        bars.row(&task.name, &[("accent", known)], &cost(&task.used));
    }
    let mut out = bars.done();
    if tasks.len() > drawn.len() {
        let rest: u64 = tasks[drawn.len()..].iter().filter_map(|task| task.used.cost_microusd).sum();
        let _ = write!(
            out,
            "<p class=\"note\">and {} more, {} of known cost</p>",
            tasks.len() - drawn.len(),
            escape(&money::short(rest))
        );
    }
    out
}

/// Verdicts by gate.
pub(crate) fn gates(gates: &[GateTotal]) -> String {
    if gates.is_empty() {
        return "<p class=\"note\">No gate gave a verdict.</p>".to_owned();
    }
    let ran = |gate: &GateTotal| u64::from(gate.passed + gate.cached + gate.red);
    let drawn = &gates[..gates.len().min(BARS_MAX)];
    let most = drawn.iter().map(ran).max().unwrap_or(1);
    let mut bars = Bars::new("gates", "Verdicts by gate", "Green, cached, red.", drawn.len(), most);
    for gate in drawn {
        let (green, cached) = (u64::from(gate.passed), u64::from(gate.cached));
        let green_all = gate.passed + gate.cached;
        let red = if gate.red == 0 { "none red".to_owned() } else { format!("✗ {} red", gate.red) };
        let parts = [("good", green), ("cached", cached), ("bad", u64::from(gate.red))];
        bars.row(&gate.name, &parts, &format!("● {green_all}, {red}"));
    }
    let mut out = bars.done();
    if gates.len() > drawn.len() {
        let _ = write!(out, "<p class=\"note\">and {} more gates</p>", gates.len() - drawn.len());
    }
    out
}

/// How attempts fared that somebody looked at, and those that nobody did.
pub(crate) fn peeked(peeked: &Outcomes, unpeeked: &Outcomes) -> String {
    let mut bars = Bars::new(
        "peeked",
        "Peeked and unpeeked attempts",
        "The share of each that went green, and that landed.",
        4,
        100,
    );
    for (name, fared) in [("unpeeked", unpeeked), ("peeked", peeked)] {
        for (what, n, class) in [("green", fared.green, "good"), ("landed", fared.landed, "accent")] {
            let part = if fared.ended == 0 {
                0
            } else {
                u64::from(n.min(fared.ended)) * 100 / u64::from(fared.ended)
            };
            let value = if fared.ended == 0 {
                "no attempt".to_owned()
            } else {
                format!("{n} of {}, {}", fared.ended, share(n, fared.ended))
            };
            bars.row(&format!("{name}: {what}"), &[(class, part)], &value);
        }
    }
    bars.done()
}

fn open(id: &str, wide: f64, high: f64, title: &str, about: &str) -> String {
    format!(
        "<svg id=\"{id}\" viewBox=\"0 0 {wide} {high:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-about\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-title\">{title}</title><desc id=\"{id}-about\">{about}</desc>"
    )
}
