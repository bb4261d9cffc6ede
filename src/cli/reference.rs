//! Keeps docs/cli.md true: the reference and the JSON example in it are made from the program.

use super::Cli;
use crate::core::model::agent::{AgentMode, AgentQuestion, QuestionKind, Source, Usage};
use crate::core::model::attempt::AttemptResult;
use crate::core::model::budget::Spent;
use crate::core::model::diff::DiffStat;
use crate::core::model::gate::{TestCounts, Verdict};
use crate::core::model::lid::Lid;
use crate::core::model::task::TaskState;
use crate::core::views::board::{AttemptView, GateProgress, GateView, TaskView, Vitals};
use crate::values::ids::{JobId, Oid, TaskId};
use crate::values::time::{Span, Time};
use clap::CommandFactory as _;

/// The file's text with what stands between `<!-- name -->` and the next `<!-- end -->` replaced.
fn replaced(text: &str, name: &str, with: &str) -> String {
    let mark = format!("<!-- {name} -->\n");
    let (before, rest) = text.split_once(&mark).unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{mark}{with}<!-- end -->{after}")
}

fn reference() -> String {
    let mut command = Cli::command().term_width(96);
    command.build();
    let mut text = format!("```text\n{}```\n", command.render_help());
    let mut subs: Vec<clap::Command> =
        command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().collect();
    for sub in &mut subs {
        if sub.get_name() == "help" {
            continue;
        }
        let help = sub.render_long_help();
        text.push_str(&format!("\n### nopeek {}\n\n```text\n{help}```\n", sub.get_name()));
        let nested: Vec<clap::Command> = sub.get_subcommands().cloned().collect();
        for mut nested in nested.into_iter().filter(|nested| nested.get_name() != "help") {
            let name = format!("{} {}", sub.get_name(), nested.get_name());
            text.push_str(&format!("\n#### nopeek {name}\n\n```text\n{}```\n", nested.render_long_help()));
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn gate(name: &str, state: GateProgress) -> GateView {
    GateView {
        name: name.to_owned(),
        command: format!("cargo {name}"),
        required: true,
        state,
        job: Some(JobId(7)),
        tests: Some(TestCounts { passed: 12, failed: 1, skipped: 0 }),
        took: Some(Span::secs(31)),
    }
}

fn attempt(no: u32) -> AttemptView {
    AttemptView {
        part: crate::core::model::assignment::AttemptKind::Work,
        agent: "claude".to_owned(),
        findings: None,
        no,
        branch: format!("nopeek/login/{no}"),
        worktree: Some(format!("/home/you/.local/share/nopeek/worktrees/t3.{no}").into()),
        job: Some(JobId(4 + u64::from(no))),
        mode: AgentMode::Headless,
        lid: Lid::Sealed,
        peeked: false,
        exit: None,
        result: None,
        source: Some(Source::StatusProtocol),
        gates: Vec::new(),
        setup_jobs: Vec::new(),
        head: None,
        remarks: Vec::new(),
        vitals: Vitals {
            elapsed: Span::secs(95),
            last_output: Some(Time(1_790_000_100_000)),
            rate: 120,
            output: 48_213,
            commits: 2,
            diffstat: DiffStat { files: 3, added: 41, removed: 7 },
            usage: Usage {
                tokens_in: Some(81_000),
                tokens_out: Some(2_900),
                cost_microusd: Some(310_000),
                tokens_cached: None,
                by_prices: false,
            },
        },
    }
}

fn example() -> TaskView {
    let red = AttemptView {
        lid: Lid::Lifted,
        exit: Some(crate::core::model::agent::Exit::Code(0)),
        result: Some(AttemptResult::Red),
        gates: vec![
            gate("test", GateProgress::Judged(Verdict::Failed)),
            GateView {
                job: None,
                tests: None,
                took: None,
                ..gate("clippy", GateProgress::Judged(Verdict::Skipped))
            },
        ],
        head: Some(Oid::new(&"5".repeat(40)).unwrap()),
        ..attempt(1)
    };
    TaskView {
        id: TaskId(3),
        name: "login".to_owned(),
        repo: "/home/you/shop".into(),
        state: TaskState::Asking,
        why: "its agent asks".into(),
        paused: false,
        needs_you: true,
        question: Some(AgentQuestion { kind: QuestionKind::Question, text: "Which session table?".into() }),
        prompt: "Add a login page.".to_owned(),
        agent: "claude".to_owned(),
        after: vec!["schema".to_owned()],
        attempts: vec![red, attempt(2)],
        merge_gates: Vec::new(),
        attempts_max: 3,
        landed: None,
        created: Time(1_790_000_000_000),
        changed: Time(1_790_000_100_000),
        spent: Spent { cost_microusd: 620_000, tokens: 167_800, time: Span::secs(190), ..Spent::default() },
        budget_percent: Some(31),
    }
}

#[test]
fn the_reference_is_what_the_program_says() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let text = std::fs::read_to_string(file).unwrap();
    let json = serde_json::to_string_pretty(&example()).unwrap();
    let now = replaced(&text, "example", &format!("```json\n{json}\n```\n"));
    let now = replaced(&now, "reference", &reference());
    if std::env::var_os("NOPEEK_UPDATE_DOCS").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    assert!(
        text == now || std::env::var_os("NOPEEK_UPDATE_DOCS").is_some(),
        "docs/cli.md is not what the program says: check the change, then NOPEEK_UPDATE_DOCS=1 cargo test --lib reference"
    );
}
