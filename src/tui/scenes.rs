//! Scenes for tests: a made-up board, and the whole client driven by keys and drawn to text, without a daemon.

use super::app::{App, Cmd};
use super::depth::Depth;
use super::frame;
use super::key::Key;
use super::keymap::Keymap;
use super::known::Known;
use super::ring::Ring;
use super::settings::Settings;
use super::splits::Splits;
use super::theme::Theme;
use crate::core::model::agent::{AgentMode, AgentQuestion, AgentTraits, Exit, QuestionKind, Source, Usage};
use crate::core::model::assignment::Assignment;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::budget::{Budget, Spent};
use crate::core::model::diff::{Diff, DiffKind, DiffLine, DiffStat, FileDiff, FileStatus, Hunk};
use crate::core::model::event::Command;
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::gate::{TestCounts, Verdict};
use crate::core::model::lid::{Lid, LidRule};
use crate::core::model::limits::Limits;
use crate::core::model::task::{Launch, TaskState};
use crate::core::views::board::{AttemptView, Board, GateProgress, GateView, RepoView, TaskView, Vitals};
use crate::core::views::ledger::LedgerLine;
use crate::report::{AttemptReport, GateReport, Peek, Report, Scope, Used, gather};
use crate::screen::changes::{Seen, changes};
use crate::screen::emulator::Emulator;
use crate::values::ids::{JobId, Oid, TaskId, TaskName};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::wire::client::{FromDaemon, Look, Reply, Request, ToDaemon};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::path::PathBuf;

/// The sizes that every screen is looked at in.
pub(super) const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

/// What an agent has printed in these scenes.
const SAID: &str = "\x1b[1m● I'll look at the kettle first.\x1b[0m\r\n● Read(src/kettle.rs)\r\n  ⎿ 41 lines\r\n\
    ● \x1b[32mUpdate\x1b[0m(src/kettle.rs)\r\n  ⎿ 日本茶 and café: 3 lines, ❤️ too\r\n● Done.\r\n";

fn gate(name: &str, state: GateProgress, job: u64) -> GateView {
    let judged = matches!(state, GateProgress::Judged(_));
    let failed = u32::from(state == GateProgress::Judged(Verdict::Failed));
    GateView {
        name: name.into(),
        command: format!("make {name}"),
        required: true,
        state,
        job: (state != GateProgress::Waiting).then_some(JobId(job)),
        tests: (judged && name == "test").then_some(TestCounts { passed: 12, failed, skipped: 1 }),
        took: judged.then_some(Span::secs(4)),
    }
}

fn attempt(id: u64, name: &str, no: u32, state: TaskState) -> AttemptView {
    use GateProgress::{Judged, Running, Waiting};
    let live = matches!(state, TaskState::Working | TaskState::Asking | TaskState::Preparing);
    let gates = match state {
        TaskState::Gating => [Judged(Verdict::Passed), Running, Waiting],
        TaskState::Stuck => [Judged(Verdict::Passed), Judged(Verdict::Failed), Judged(Verdict::Skipped)],
        _ if live => [Waiting; 3],
        _ => [Judged(Verdict::Passed), Judged(Verdict::Passed), Judged(Verdict::Cached)],
    };
    let names = ["build", "test", "smoke"];
    AttemptView {
        part: crate::core::model::assignment::AttemptKind::Work,
        agent: "claude".to_owned(),
        findings: None,
        no,
        branch: format!("nopeek/{name}/{no}"),
        worktree: None,
        job: Some(JobId(id * 10)),
        mode: AgentMode::Headless,
        lid: if live { Lid::Sealed } else { Lid::Lifted },
        peeked: false,
        exit: (!live).then_some(Exit::Code(0)),
        result: (!live).then_some(if state == TaskState::Stuck {
            AttemptResult::Red
        } else {
            AttemptResult::Green
        }),
        source: Some(Source::StatusProtocol),
        gates: names
            .iter()
            .zip(gates)
            .zip(1..)
            .map(|((name, state), n)| gate(name, state, id * 10 + n))
            .collect(),
        setup_jobs: Vec::new(),
        head: (!live).then(|| Oid::new(&"a".repeat(40)).unwrap()),
        remarks: Vec::new(),
        vitals: Vitals {
            elapsed: Span::secs(3_725),
            last_output: Some(Time(95_000)),
            rate: 10,
            output: 12_900,
            commits: 2,
            diffstat: DiffStat { files: 3, added: 120, removed: 14 },
            usage: Usage {
                tokens_in: Some(48_200),
                tokens_out: Some(3_100),
                cost_microusd: Some(412_000),
                tokens_cached: None,
                by_prices: false,
            },
        },
    }
}

pub(super) fn task(id: u64, name: &str, state: TaskState) -> TaskView {
    let queued = state == TaskState::Queued;
    let needs_you =
        matches!(state, TaskState::Asking | TaskState::Review | TaskState::Stuck | TaskState::Interrupted);
    let why = match state {
        TaskState::Queued => "1 of 1 agents of the repo run",
        TaskState::Review => "its gates are green; read the diff",
        TaskState::Stuck => "test is red, and its attempts are used up",
        TaskState::Asking => "it asks a question: which colour?",
        _ => "",
    };
    TaskView {
        id: TaskId(id),
        name: name.into(),
        repo: PathBuf::from("/home/ada/kettle"),
        state,
        why: Shown::from(why),
        paused: false,
        needs_you,
        question: (state == TaskState::Asking).then(|| AgentQuestion {
            kind: QuestionKind::Question,
            text: "which \x1b[31mcolour\u{202e}, red or blue?".into(),
        }),
        prompt: "Make the whistle sound at 96 degrees.\nThen commit it.".into(),
        agent: "claude".into(),
        after: Vec::new(),
        attempts: if queued { Vec::new() } else { vec![attempt(id, name, 1, state)] },
        merge_gates: Vec::new(),
        attempts_max: 3,
        landed: None,
        created: Time(0),
        changed: Time(id),
        spent: Spent::default(),
        budget_percent: None,
    }
}

/// A task of every kind.
pub(super) fn board() -> Board {
    let mut working = task(4, "preheat-the-pot-before-the-water-comes", TaskState::Working);
    working.paused = true;
    let mut peeked = task(5, "日本茶-menu", TaskState::Working);
    peeked.attempts[0].lid = Lid::Broken;
    peeked.attempts[0].peeked = true;
    let mut retried = task(2, "whistle", TaskState::Review);
    retried.attempts.insert(0, attempt(2, "whistle", 1, TaskState::Stuck));
    retried.attempts[1].no = 2;
    let tasks = vec![
        task(1, "boil-dry", TaskState::Asking),
        retried,
        task(3, "descale", TaskState::Stuck),
        working,
        peeked,
        task(6, "thermostat", TaskState::Gating),
        task(7, "lid-hinge", TaskState::Queued),
        task(8, "spout", TaskState::Queued),
        task(9, "handle", TaskState::Landed),
    ];
    let repo = RepoView {
        path: PathBuf::from("/home/ada/kettle"),
        target: "main".into(),
        parallel: 4,
        waiting: vec![TaskId(8), TaskId(7)],
        merging: Vec::new(),
    };
    Board {
        now: Time(100_000),
        repos: vec![repo],
        tasks,
        specs: Vec::new(),
        benches: Vec::new(),
        votes: Vec::new(),
        batches: Vec::new(),
        trouble: None,
    }
}

pub(super) fn diff() -> Diff {
    let line = |kind, text: &str| DiffLine { kind, text: text.into() };
    let code = [
        (DiffKind::Context, "/// Whether the kettle whistles."),
        (DiffKind::Removed, "fn whistles(degrees: u8) -> bool { degrees > 99 }"),
        (DiffKind::Added, "fn whistles(degrees: u8) -> bool {"),
        (DiffKind::Added, "    degrees >= 96 // \u{202e}not hidden, 日本茶"),
        (DiffKind::Added, "}"),
        (DiffKind::Context, ""),
    ];
    let hunk = |start| Hunk {
        old_start: start,
        new_start: start,
        section: "impl Kettle".into(),
        lines: code.iter().map(|(kind, text)| line(*kind, text)).collect(),
    };
    let file = |path: &str, status, hunks| FileDiff {
        path: path.into(),
        old_path: (status == FileStatus::Renamed).then(|| "old/kettle.md".into()),
        status,
        added: 6,
        removed: 2,
        binary: false,
        cut: false,
        hunks,
    };
    let mut picture = file("assets/kettle.png", FileStatus::Added, Vec::new());
    picture.binary = true;
    Diff {
        base: None,
        head: Some(Oid::new(&"a".repeat(40)).unwrap()),
        stat: DiffStat { files: 3, added: 12, removed: 4 },
        files: vec![
            picture,
            file("docs/kettle.md", FileStatus::Renamed, Vec::new()),
            file("src/kettle.rs", FileStatus::Modified, vec![hunk(7), hunk(120)]),
        ],
        commits: vec![
            ("aaaaaaa".into(), "Whistle at 96 degrees".into()),
            ("bbbbbbb".into(), "Test it".into()),
        ],
    }
}

/// Forty-five lines of a ledger, every third of them the engine's own.
fn ledger(all: bool) -> Vec<LedgerLine> {
    let event = |n: u64| match n % 6 {
        0 => ("settled", format!("effect e{n} done")),
        3 => ("job_ended", format!("job {n} ended with code 0")),
        _ => (
            "gate_judged",
            format!("gate {n} passed, and that is all that there is to say of it at this moment"),
        ),
    };
    let line = |n: u64| {
        let (kind, text) = event(n);
        LedgerLine {
            seq: n,
            at: Time(n * 1_000),
            task: Some(TaskId(2)),
            name: "whistle".into(),
            kind: kind.into(),
            text: text.into(),
        }
    };
    let plain = |line: &LedgerLine| all || !Fact::ENGINE_KINDS.contains(&line.kind.as_str());
    (1..=45).map(line).filter(plain).collect()
}

/// When [`report`] is made.
pub(super) const TEN: Time = Time(10 * 3_600_000);

/// A morning's work: minutes since six o'clock.
fn report() -> Report {
    use AttemptResult::{Green, Red, TimedOut};
    use Verdict::{Failed, Passed};
    let at = |minute: u64| Time(6 * 3_600_000 + minute * 60_000);
    let tried = |no, from: u64, agent: u64, over: Option<u64>, result, gates: &[(&str, Verdict, u64)]| {
        AttemptReport {
            no,
            part: crate::core::model::assignment::AttemptKind::Work,
            began_before: false,
            opened: at(from),
            started: Some(at(from + 1)),
            agent_ended: over.map(|_| at(agent)),
            over: over.map(at),
            result,
            green: result == Some(Green),
            landed: false,
            peeked: false,
            peeks: Vec::new(),
            gates: (gates.iter())
                .map(|(name, verdict, minute)| GateReport {
                    name: (*name).into(),
                    required: true,
                    merged: false,
                    verdict: *verdict,
                    at: at(*minute),
                    took: Some(Span::secs(40)),
                    tests: None,
                })
                .collect(),
            commits: over.map(|_| 2),
            diffstat: over.map(|_| DiffStat { files: 3, added: 40, removed: 7 }),
            used: Used { work: Span::mins(agent - from), cost_microusd: Some(412_000), ..Used::default() },
        }
    };
    let mut entries = Vec::new();
    for id in [2, 3, 5, 7] {
        let named = board().tasks.into_iter().find(|task| task.id == TaskId(id)).unwrap();
        let launch = Launch {
            repo: named.repo,
            target: "main".into(),
            parallel: 4,
            name: TaskName::from_text(&named.name),
            prompt: named.prompt,
            agent: AgentTraits {
                profile: "claude".into(),
                mode: AgentMode::Headless,
                idle_done: None,
                resumable: false,
                speaks: None,
            },
            limits: Limits::default(),
            lid: LidRule::On,
            after: Vec::new(),
            by: None,
            assignment: Assignment::default(),
            budget: Budget::default(),
        };
        let fact = Fact::Launched { task: TaskId(id), launch: Box::new(launch), after: Some(Vec::new()) };
        entries.push(Entry { seq: id, at: at(id * 3), by: "ada".into(), fact });
    }
    let mut report = gather::report(&entries, Scope::default(), TEN);
    let [whistle, descale, tea, _] = report.tasks.as_mut_slice() else { unreachable!() };
    let red = [("build", Passed, 62), ("test", Failed, 66)];
    let green = [("build", Passed, 131), ("test", Passed, 138), ("smoke", Passed, 141)];
    whistle.attempts =
        vec![tried(1, 12, 60, Some(66), Some(Red), &red), tried(2, 68, 130, Some(141), Some(Green), &green)];
    whistle.attempts[1].landed = true;
    whistle.state = TaskState::Landed;
    (whistle.landed_at, whistle.ended) = (Some(at(190)), Some(at(190)));
    whistle.duration = Span::mins(184);
    whistle.used.cost_microusd = Some(824_000);
    descale.attempts = vec![tried(1, 20, 80, Some(80), Some(TimedOut), &[])];
    descale.state = TaskState::Stuck;
    tea.attempts = vec![tried(1, 120, 240, None, None, &[])];
    tea.attempts[0].peeked = true;
    tea.attempts[0].peeks = vec![Peek { at: at(200), by: "ada".into(), reason: "curious".into() }];
    tea.attempts[0].used.cost_microusd = None;
    tea.attempts[0].used.cost_unknown = 1;
    tea.used.cost_unknown = 1;
    tea.state = TaskState::Working;
    report
}

/// The client, without a daemon: what it asks for is answered from the scenes.
pub(super) struct Scene {
    pub(super) app: App,
    /// What it has told the daemon.
    pub(super) sent: Vec<ToDaemon>,
    /// What it has asked for.
    pub(super) asked: Vec<Request>,
    /// What else it wanted.
    pub(super) wanted: Vec<Cmd>,
    next: u64,
}

impl Scene {
    pub(super) fn new((cols, rows): (u16, u16)) -> Self {
        let theme = Theme::ours("dark", Depth::True).unwrap().unwrap();
        Self::themed((cols, rows), theme)
    }

    pub(super) fn themed((cols, rows): (u16, u16), theme: Theme) -> Self {
        let settings = Settings { keymap: Keymap::load(None).unwrap(), theme, ring: Ring::default() };
        let known = Known::new(Some(PathBuf::from("/home/ada/kettle")), TimeZone::UTC);
        let app = App::new(settings, known, Vec::new(), Splits::default(), Rect::new(0, 0, cols, rows));
        let mut scene = Self { app, sent: Vec::new(), asked: Vec::new(), wanted: Vec::new(), next: 0 };
        let cmds = scene.app.connected();
        scene.carry_out(cmds);
        scene.asked.clear();
        scene.sent.clear();
        scene
    }

    /// Presses keys, as keymap.toml writes them.
    pub(super) fn press(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            let cmds = self.app.key(Key::parse(key).unwrap());
            self.carry_out(cmds);
        }
        self
    }

    /// Types a text.
    pub(super) fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
            self.press(&[&key]);
        }
        self
    }

    /// The task with this number is chosen.
    pub(super) fn on(&mut self, id: u64) -> &mut Self {
        self.app.known.selected = Some(TaskId(id));
        self
    }

    pub(super) fn carry_out(&mut self, cmds: Vec<Cmd>) {
        for cmd in cmds {
            match cmd {
                Cmd::Ask(request, wanted) => {
                    self.next += 1;
                    self.app.asked(self.next, wanted);
                    self.asked.push(request.clone());
                    let reply = match request {
                        Request::Board => Reply::Board(Box::new(board())),
                        Request::Diff { .. } => Reply::Diff(Box::new(diff())),
                        Request::Ledger { after: 0, all, .. } => Reply::Ledger(ledger(all)),
                        Request::Ledger { .. } => Reply::Ledger(Vec::new()),
                        Request::Report(_) => Reply::Report(Box::new(report())),
                        Request::Search { .. } => Reply::Found(vec![0, 7]),
                        Request::Log { .. } => Reply::Log((1..=60).map(|n| format!("line {n}")).collect()),
                        Request::Spec(of) => {
                            let id = of.name.trim_start_matches('s').parse().unwrap();
                            Reply::Spec(Box::new(super::scenes_spec::spec_view(id)))
                        }
                        Request::SpecNew(_) => Reply::Spec(Box::new(super::scenes_spec::spec_view(1))),
                        Request::Panel(_) => Reply::Panel(Box::new(super::scenes_spec::poll())),
                        Request::Agents { .. } => Reply::Agents(Vec::new()),
                        _ => Reply::Done,
                    };
                    self.hear(FromDaemon::Answer { id: self.next, result: Ok(reply) });
                }
                Cmd::Send(message) => self.sent.push(message),
                Cmd::Paint { task, diff, file } => {
                    let lines = super::paint::file(&diff.files[file]);
                    self.app.painted(task, &diff, file, lines);
                }
                Cmd::Say(text) => self.app.say(text),
                other => self.wanted.push(other),
            }
        }
    }

    pub(super) fn hear(&mut self, message: FromDaemon) {
        let (_, cmds) = self.app.hear(message);
        self.carry_out(cmds);
    }

    /// What is looked at is shown as a daemon would.
    fn serve(&mut self) {
        let cmds = self.app.look();
        let looks: Vec<Look> = cmds
            .iter()
            .filter_map(
                |cmd| if let Cmd::Send(ToDaemon::Look(looks)) = cmd { Some(looks.clone()) } else { None },
            )
            .flatten()
            .collect();
        self.carry_out(cmds);
        let sealed: Vec<JobId> = (self.app.known.board.tasks.iter())
            .flat_map(|task| &task.attempts)
            .filter(|attempt| attempt.lid == Lid::Sealed)
            .filter_map(|attempt| attempt.job)
            .collect();
        for look in looks {
            if sealed.contains(&look.job) {
                self.hear(FromDaemon::Covered(look.job));
                continue;
            }
            let mut emulator = Emulator::new(look.rows, look.cols);
            let lines: String = (1..=30).map(|n| format!("warming up {n}\r\n")).collect();
            emulator.feed(lines.as_bytes());
            emulator.feed(SAID.as_bytes());
            if let Some(changes) =
                changes(&mut emulator, &mut Seen::default(), look.rows, look.cols, look.scrolled)
            {
                self.hear(FromDaemon::Frame { job: look.job, changes });
            }
        }
    }

    pub(super) fn draw(&mut self) -> (Buffer, Option<Position>) {
        self.serve();
        let mut buf = Buffer::empty(self.app.area);
        let at = frame::render(&self.app, self.app.area, &mut buf);
        let shown = self.app.shown();
        self.carry_out(shown.into_iter().map(Cmd::Send).collect());
        (buf, at)
    }

    /// The screen as text.
    pub(super) fn text(&mut self) -> String {
        let (buf, _) = self.draw();
        text(&buf)
    }

    /// The commands that it has asked for.
    pub(super) fn commands(&self) -> Vec<Command> {
        let command =
            |request: &Request| if let Request::Command(of) = request { Some(of.clone()) } else { None };
        self.asked.iter().filter_map(command).collect()
    }
}

/// A buffer's text; the cell behind a wide character is not a blank of its own.
pub(super) fn text(buf: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buf.area.width {
            let symbol = buf[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
