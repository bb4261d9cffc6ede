//! The board: every task with its state, gates, vitals, and who needs a human.
//!
//! ```text
//!  nopeek  REPO                     1 needs you · 2 run · 1 waits · 3 landed
//!  TASK            STATE      TRY   GATES   TIME   SIGN   CHANGES   LID
//!  …
//!  ── the selected task: its why, its question, its prompt ──
//!  keys
//! ```

use super::model::{Model, size};
use crate::core::gate::{GateState, Verdict};
use crate::core::lid::Lid;
use crate::core::text::Shown;
use crate::core::time::Span;
use crate::core::view::{AttemptView, GateView, TaskState, TaskView};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

/// Smallest terminal that the board fits.
const MIN: (u16, u16) = (80, 24);
/// Lines of the detail below the table.
const DETAIL: u16 = 7;

/// Draws the whole screen.
pub(super) fn render(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.width < MIN.0 || area.height < MIN.1 {
        let words = format!("{}x{} is too small: nopeek needs {}x{}", area.width, area.height, MIN.0, MIN.1);
        put(buf, area, 0, 0, &words, Style::default());
        return;
    }
    header(model, area, buf);
    if model.help {
        return help(area, buf);
    }
    table(model, area, buf);
    detail(model, area, buf);
    footer(model, area, buf);
}

fn bold() -> Style {
    Style::default().add_modifier(Modifier::BOLD)
}

fn dim() -> Style {
    Style::default().add_modifier(Modifier::DIM)
}

/// Writes a text that fits the row, from column `x` of `area`.
fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) {
    if x < area.width && y < area.height {
        buf.set_stringn(area.x + x, area.y + y, text, usize::from(area.width - x), style);
    }
}

fn header(model: &Model, area: Rect, buf: &mut Buffer) {
    let rows = model.rows();
    let count = |is: &dyn Fn(&TaskView) -> bool| rows.iter().filter(|task| is(task)).count();
    let parts = [
        (count(&|task| task.needs_you), "needs you"),
        (
            count(&|task| {
                matches!(task.state, TaskState::Working | TaskState::Gating | TaskState::Preparing)
            }),
            "running",
        ),
        (count(&|task| task.state == TaskState::Queued), "waiting"),
        (count(&|task| task.state == TaskState::Landed), "landed"),
    ];
    let right = parts.iter().map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(" · ");
    let name = model
        .repo
        .as_ref()
        .and_then(|repo| repo.file_name())
        .map_or("all repos".into(), |n| n.to_string_lossy());
    put(buf, area, 1, 0, "nopeek", bold());
    put(buf, area, 9, 0, Shown::line(&name).as_str(), Style::default());
    let at = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 1);
    put(buf, area, at, 0, &right, Style::default());
}

/// Where the columns begin.
struct Columns {
    state: u16,
    attempt: u16,
    gates: u16,
    time: u16,
    sign: u16,
    changes: u16,
    lid: u16,
}

fn columns(width: u16) -> Columns {
    let extra = width.saturating_sub(80);
    let name = 21 + (extra / 3).min(22);
    let gates = 12 + (extra / 4).min(20);
    let state = 3 + name;
    let attempt = state + 13;
    let time = attempt + 5 + gates;
    Columns { state, attempt, gates: attempt + 5, time, sign: time + 7, changes: time + 14, lid: width - 3 }
}

fn table(model: &Model, area: Rect, buf: &mut Buffer) {
    let at = columns(area.width);
    let titles = [
        (1, "TASK"),
        (at.state, "STATE"),
        (at.attempt, "TRY"),
        (at.gates, "GATES"),
        (at.time, "TIME"),
        (at.sign, "SIGN"),
        (at.changes, "CHANGES"),
    ];
    for (x, title) in titles {
        put(buf, area, x, 2, title, dim());
    }
    put(buf, area, area.width - 4, 2, "LID", dim());
    let rows = model.rows();
    let room = usize::from(area.height.saturating_sub(3 + DETAIL + 2));
    if rows.is_empty() {
        put(buf, area, 3, 4, "no tasks yet: nopeek run 'what the agent is to do'", dim());
        return;
    }
    let selected = rows.iter().position(|task| Some(task.id) == model.selected).unwrap_or(0);
    let first = (selected + 1).saturating_sub(room);
    for (line, task) in rows.iter().enumerate().skip(first).take(room) {
        let y = 3 + u16::try_from(line - first).unwrap_or(0);
        row(model, task, &at, Rect { y: area.y + y, height: 1, ..area }, buf);
    }
}

fn row(model: &Model, task: &TaskView, at: &Columns, area: Rect, buf: &mut Buffer) {
    let mark = if task.needs_you {
        "!"
    } else if task.paused {
        "="
    } else {
        " "
    };
    put(buf, area, 1, 0, mark, bold());
    let clip = |text: &str, room: u16| -> String {
        let mut out = String::new();
        for c in text.chars() {
            if out.width() + 1 >= usize::from(room) {
                break;
            }
            out.push(c);
        }
        out
    };
    put(buf, area, 3, 0, &clip(&task.name, at.state - 3), Style::default());
    let state = if task.paused { "paused" } else { task.state.label() };
    put(buf, area, at.state, 0, state, if task.needs_you { bold() } else { Style::default() });
    if let Some(attempt) = task.attempt() {
        put(buf, area, at.attempt, 0, &format!("{}/{}", attempt.no, task.attempts_max), Style::default());
        let gates = if task.merge_gates.is_empty() { &attempt.gates } else { &task.merge_gates };
        put(buf, area, at.gates, 0, &clip(&dots(gates), at.time - at.gates), Style::default());
        put(buf, area, at.time, 0, &span(attempt.vitals.elapsed), Style::default());
        put(buf, area, at.sign, 0, &sign(model, attempt), Style::default());
        put(
            buf,
            area,
            at.changes,
            0,
            &clip(&size(attempt.vitals.diffstat), at.lid - at.changes),
            Style::default(),
        );
        let lid = match attempt.lid {
            Lid::Sealed => "▣",
            Lid::Lifted => "□",
            Lid::Broken => "◪",
        };
        put(buf, area, at.lid, 0, lid, Style::default());
    }
    if Some(task.id) == model.selected {
        buf.set_style(area, Style::default().add_modifier(Modifier::REVERSED));
    }
}

/// One shape a gate, told apart without colour.
fn dots(gates: &[GateView]) -> String {
    if gates.is_empty() {
        return "ungated".to_owned();
    }
    let shape = |gate: &GateView| match gate.state {
        GateState::Waiting => '·',
        GateState::Running => '◌',
        GateState::Judged(Verdict::Passed | Verdict::Cached) => '●',
        GateState::Judged(Verdict::Failed) => '✗',
        GateState::Judged(Verdict::TimedOut) => '⧗',
        GateState::Judged(Verdict::Errored) => '?',
        GateState::Judged(Verdict::Skipped) => '-',
    };
    gates.iter().map(shape).collect()
}

/// A span in at most six characters.
fn span(of: Span) -> String {
    let secs = of.0 / 1000;
    match secs {
        0 => "-".to_owned(),
        1..=59 => format!("{secs}s"),
        60..=3599 => format!("{}m{:02}", secs / 60, secs % 60),
        _ => format!("{}h{:02}", secs / 3600, secs % 3600 / 60),
    }
}

/// How long ago the agent gave its last sign of life.
fn sign(model: &Model, attempt: &AttemptView) -> String {
    match attempt.vitals.last_output {
        Some(at) if attempt.exit.is_none() => span(Span(model.board.now.since(at).0.max(1000))),
        _ => "-".to_owned(),
    }
}

fn detail(model: &Model, area: Rect, buf: &mut Buffer) {
    let top = area.height - DETAIL - 2;
    put(buf, area, 0, top, &"─".repeat(usize::from(area.width)), dim());
    let Some(task) = model.current() else { return };
    put(buf, area, 1, top + 1, &task.name, bold());
    let agent = format!("{} · {}", task.agent, task.state.label());
    put(buf, area, u16::try_from(task.name.width()).unwrap_or(0) + 3, top + 1, &agent, dim());
    put(buf, area, 1, top + 2, task.why.as_str(), Style::default());
    let mut y = top + 3;
    if let Some(question) = &task.question {
        put(buf, area, 1, y, &format!("? {}", question.text), bold());
        y += 1;
    }
    if let Some(attempt) = task.attempt() {
        let mut words = format!("branch {}", attempt.branch);
        if let Some(source) = attempt.source {
            words.push_str(&format!(" · state by {}", source.label()));
        }
        if attempt.peeked {
            words.push_str(" · peeked");
        }
        put(buf, area, 1, y, &words, dim());
        y += 1;
        let gates: Vec<String> = attempt
            .gates
            .iter()
            .map(|gate| {
                let word = gate
                    .verdict()
                    .map_or(if gate.state == GateState::Running { "runs" } else { "waits" }, Verdict::label);
                match gate.tests {
                    Some(tests) => {
                        format!("{} {word} ({} passed, {} failed)", gate.name, tests.passed, tests.failed)
                    }
                    None => format!("{} {word}", gate.name),
                }
            })
            .collect();
        put(buf, area, 1, y, &gates.join(" · "), Style::default());
        y += 1;
    }
    for line in Shown::lines(&task.prompt).iter().filter(|line| !line.is_empty()) {
        if y >= area.height - 2 {
            break;
        }
        put(buf, area, 1, y, line.as_str(), dim());
        y += 1;
    }
}

fn footer(model: &Model, area: Rect, buf: &mut Buffer) {
    let y = area.height - 1;
    if let Some(line) = &model.line {
        let words = format!("{}: {}▏", line.asking.label(), Shown::line(&line.text));
        return put(buf, area, 1, y, &words, bold());
    }
    if let Some(toast) = &model.toast {
        put(buf, area, 1, y - 1, &format!("» {}", Shown::line(toast)), bold());
    }
    let keys: &[(&str, &str)] = match model.current().map(|task| task.state) {
        Some(TaskState::Asking) => &[("⏎", "answer"), ("space", "pause"), ("x", "stop")],
        Some(TaskState::Review) => &[("A", "approve"), ("b", "send back"), ("J", "reject"), ("r", "retry")],
        Some(TaskState::Stuck | TaskState::Interrupted) => {
            &[("r", "retry"), ("l", "land"), ("u", "resume"), ("J", "reject")]
        }
        Some(TaskState::Landed) => &[("R", "roll back"), ("f", "forget")],
        Some(TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected) => {
            &[("f", "forget"), ("r", "retry")]
        }
        Some(TaskState::Queued) => &[("+", "start next"), ("space", "pause"), ("x", "stop")],
        Some(_) => &[("space", "pause"), ("P", "peek"), ("x", "stop")],
        None => &[],
    };
    let all = keys.iter().chain(&[("j/k", "move"), ("?", "help"), ("q", "leave")]);
    let words = all.map(|(key, word)| format!("{key} {word}")).collect::<Vec<_>>().join("   ");
    put(buf, area, 1, y, &words, Style::default());
}

/// Every key of the board, with what it does.
const KEYS: [(&str, &str); 18] = [
    ("j k, arrows", "move"),
    ("enter", "answer the agent's question"),
    ("space", "pause or resume: the whole process tree and every clock"),
    ("u", "resume an interrupted agent's own session"),
    ("A", "approve what is there now"),
    ("b", "send back with a message"),
    ("J", "reject"),
    ("l", "land again after a refusal"),
    ("R", "roll back a landed task"),
    ("r", "retry with a fresh context"),
    ("x", "stop for sure"),
    ("P", "break the lid, with a reason, for the record"),
    ("c", "put the lid back on"),
    ("+", "move to the front of the start queue"),
    ("f", "take an ended task off the board; its work goes to the archive"),
    ("?", "help"),
    ("q", "leave; everything goes on"),
    ("ctrl-c", "leave"),
];

fn help(area: Rect, buf: &mut Buffer) {
    put(buf, area, 1, 2, "KEYS", dim());
    for (line, (key, word)) in KEYS.iter().enumerate() {
        let y = 3 + u16::try_from(line).unwrap_or(0);
        put(buf, area, 3, y, key, bold());
        put(buf, area, 17, y, word, Style::default());
    }
    put(buf, area, 1, area.height - 1, "any key closes this", Style::default());
}

#[cfg(test)]
mod tests {
    use super::super::model::Cmd;
    use super::*;
    use crate::core::attempt::{AgentMode, Ask, AskKind, Source, Usage};
    use crate::core::event::{Answer, Command, DiffStat};
    use crate::core::gate::TestCounts;
    use crate::core::ids::{JobId, Oid, TaskId};
    use crate::core::time::Time;
    use crate::core::view::{Board, Vitals};
    use crate::wire::client::Request;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use std::path::PathBuf;

    fn gate(name: &str, state: GateState) -> GateView {
        GateView {
            name: name.into(),
            command: format!("make {name}"),
            required: true,
            state,
            job: None,
            tests: Some(TestCounts { passed: 12, failed: 0, skipped: 1 }),
            took: None,
        }
    }

    fn task(id: u64, name: &str, state: TaskState, needs_you: bool) -> TaskView {
        let attempt = AttemptView {
            no: 1,
            branch: format!("nopeek/{name}/1"),
            worktree: None,
            job: Some(JobId(id)),
            mode: AgentMode::Headless,
            lid: if state == TaskState::Review { Lid::Lifted } else { Lid::Sealed },
            peeked: false,
            exit: None,
            result: None,
            source: Some(Source::StatusProtocol),
            gates: vec![gate("build", GateState::Judged(Verdict::Passed)), gate("test", GateState::Running)],
            setup_jobs: Vec::new(),
            head: Some(Oid::new(&"a".repeat(40)).unwrap()),
            vitals: Vitals {
                elapsed: Span::secs(3_725),
                last_output: Some(Time(95_000)),
                rate: 10,
                output: 900,
                commits: 2,
                diffstat: DiffStat { files: 3, added: 120, removed: 14 },
                usage: Usage::default(),
            },
        };
        TaskView {
            id: TaskId(id),
            name: name.into(),
            repo: PathBuf::from("/home/ada/kettle"),
            state,
            why: Shown::from("the why of it"),
            paused: false,
            needs_you,
            question: (state == TaskState::Asking)
                .then(|| Ask { kind: AskKind::Question, text: "which \x1b[31mcolour\u{202e}?".into() }),
            prompt: "Do the work.\nThen commit it.".into(),
            agent: "claude".into(),
            after: Vec::new(),
            attempts: if state == TaskState::Queued { Vec::new() } else { vec![attempt] },
            merge_gates: Vec::new(),
            attempts_max: 3,
            landed: None,
            created: Time(0),
            changed: Time(0),
        }
    }

    fn model() -> Model {
        let mut model = Model::new(Some(PathBuf::from("/home/ada/kettle")));
        model.set_board(Board {
            now: Time(100_000),
            repos: Vec::new(),
            tasks: vec![
                task(1, "fix-login", TaskState::Working, false),
                task(2, "a-very-long-name-that-does-not-fit-at-80", TaskState::Queued, false),
                task(3, "colours", TaskState::Asking, true),
                task(4, "日本語-wide", TaskState::Review, true),
                task(5, "done", TaskState::Landed, false),
            ],
        });
        model
    }

    fn screen(model: &Model, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        render(model, area, &mut buf);
        (0..height)
            .map(|y| {
                let mut line = String::new();
                let mut skip = 0;
                for x in 0..width {
                    let symbol = buf[(x, y)].symbol();
                    if skip > 0 {
                        skip -= 1;
                        continue;
                    }
                    skip = symbol.width().saturating_sub(1);
                    line.push_str(symbol);
                }
                line.trim_end().to_owned() + "\n"
            })
            .collect()
    }

    fn press(model: &mut Model, keys: &str) -> Vec<Cmd> {
        keys.chars()
            .flat_map(|c| {
                let code = if c == '⏎' { KeyCode::Enter } else { KeyCode::Char(c) };
                model.key(KeyEvent::new(code, KeyModifiers::NONE))
            })
            .collect()
    }

    #[test]
    fn the_board_at_80x24_and_200x50() {
        insta::assert_snapshot!("board_80x24", screen(&model(), 80, 24));
        insta::assert_snapshot!("board_200x50", screen(&model(), 200, 50));
    }

    #[test]
    fn help_names_every_key() {
        let mut model = model();
        press(&mut model, "?");
        insta::assert_snapshot!("help_80x24", screen(&model, 80, 24));
    }

    #[test]
    fn docs_name_every_key() {
        let docs = include_str!("../../docs/keys.md");
        for (key, word) in KEYS {
            let key = if key == "ctrl-c" { "q, ctrl-c" } else { key };
            assert!(
                docs.contains(key) && docs.contains(word.split(';').next().unwrap_or(word)),
                "{key}: {word}"
            );
        }
    }

    #[test]
    fn too_small_says_so_and_an_empty_board_says_what_to_do() {
        assert!(screen(&model(), 20, 5).starts_with("20x5 is too small"));
        assert!(screen(&Model::new(None), 80, 24).contains("no tasks yet"));
    }

    #[test]
    fn what_an_agent_says_can_not_act_on_the_terminal() {
        let shown = screen(&model(), 200, 50);
        assert!(!shown.contains('\x1b') && !shown.contains('\u{202e}'));
        assert!(shown.contains("which ␛[31mcolour<U+202E>?"));
    }

    #[test]
    fn keys_become_commands() {
        let sent = |keys: &str| press(&mut model(), keys);
        let answer = Command::Answer { task: TaskId(3), answer: Answer::Text("blue".into()) };
        assert_eq!(sent("⏎blue⏎"), [Cmd::Ask(Request::Command(answer))]);
        assert_eq!(sent("x"), [], "a stop asks first");
        assert_eq!(sent("xn"), []);
        assert_eq!(sent("xy"), [Cmd::Ask(Request::Command(Command::Stop(TaskId(3))))]);
        let head = Oid::new(&"a".repeat(40)).unwrap();
        assert_eq!(sent("jA"), [Cmd::Ask(Request::Command(Command::Approve { task: TaskId(4), head }))]);
        assert_eq!(sent("q"), [Cmd::Leave]);
    }
}
