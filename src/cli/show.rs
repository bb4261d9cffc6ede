//! `nopeek show`: one task with its attempts and gates.

use super::error::CliError;
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::model::agent::Exit;
use crate::core::model::assignment::AttemptKind;
use crate::core::views::board::{AttemptView, GateView, Gating, TaskView};
use crate::report::{TaskReport, is_red, words};
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use crate::values::words::{duration, money};
use crate::wire::client::{Reply, ReportQuery, Request};
use std::process::ExitCode;

/// Show a task: why it stands where it stands, its attempts, their gates and vitals.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The task's name, or its number as t12.
    task: String,
    /// Print the task as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let task = talk.task(&args.task)?;
    if args.json {
        print::json(&task)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_task(&task)?;
    if task.landed.is_some() {
        let tasks = vec![talk.named(&task.id.to_string())];
        let query = ReportQuery { tasks, ..ReportQuery::default() };
        if let Reply::Report(report) = talk.ask(Request::Report(query))? {
            report.tasks.iter().try_for_each(print_run)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a landed task took, all its attempts together.
fn print_run(task: &TaskReport) -> Result<(), CliError> {
    print::line("  in total")?;
    let verdicts = task.attempts.iter().map(|attempt| attempt.gates.len()).sum::<usize>();
    let red =
        task.attempts.iter().flat_map(|attempt| &attempt.gates).filter(|gate| is_red(gate.verdict)).count();
    let mut rows = vec![
        (
            "attempts",
            format!("{}, sent back {}", words::tries(task.tries()), counted(task.sent_back, "time")),
        ),
        ("took", duration::short(task.duration)),
        ("agents", duration::short(task.used.work)),
        ("waited", format!("{} for you", duration::short(task.time.waiting))),
        ("gates", format!("{}, {red} red", counted(verdicts, "verdict"))),
        ("tokens", words::tokens(&task.used)),
        ("cost", words::cost(&task.used)),
    ];
    if let (Some(commits), Some(stat)) = (task.commits, task.diffstat) {
        let size = format!("{} +{} -{}", counted(stat.files, "file"), stat.added, stat.removed);
        rows.insert(1, ("commits", commits.to_string()));
        rows.insert(2, ("diff", size));
    }
    rows.into_iter().try_for_each(|(name, value)| print::line(&format!("    {name:<9} {value}")))
}

fn print_task(task: &TaskView) -> Result<(), CliError> {
    let (state, paint) = print::state(task);
    let name = Paint::Bold.on(Shown::line(&task.name).as_str());
    print::line(&format!("{name} ({}) {}", task.id, paint.on(&state)))?;
    if !task.why.is_empty() {
        print::line(&format!("  {}", task.why))?;
    }
    if let Some(ask) = &task.question {
        print::line(&format!("  asks: {}", Paint::Yellow.on(ask.text.as_str())))?;
    }
    print::line(&format!("  repo    {}", Shown::line(&task.repo.to_string_lossy())))?;
    print::line(&format!("  agent   {}", Shown::line(&task.agent)))?;
    if !task.after.is_empty() {
        print::line(&format!("  after   {}", Shown::line(&task.after.join(", "))))?;
    }
    if let Some(oid) = &task.landed {
        print::line(&format!("  landed  {}", oid.short()))?;
    }
    print::line("  prompt")?;
    for text in Shown::lines(&task.prompt) {
        print::line(&format!("    {text}"))?;
    }
    for attempt in &task.attempts {
        print_attempt(task, attempt)?;
    }
    if !task.merge_gates.is_empty() {
        print::line("  as merged")?;
        task.merge_gates.iter().try_for_each(print_gate)?;
    }
    Ok(())
}

fn print_attempt(task: &TaskView, attempt: &AttemptView) -> Result<(), CliError> {
    // One without a result is under way: it stands where its task does.
    let result = attempt.result.map_or_else(|| print::state(task).0, |result| result.label().to_owned());
    let look = if attempt.part == AttemptKind::SecondReview { "second review " } else { "" };
    let screen = if attempt.peeked { "peeked" } else { attempt.lid.label() };
    print::line(&format!(
        "  attempt {} {look}{} {}",
        attempt.no,
        Paint::Bold.on(&result),
        Paint::Faint.on(&format!("{} screen {screen}", Shown::line(&attempt.branch)))
    ))?;
    let vitals = &attempt.vitals;
    let stat = vitals.diffstat;
    let mut facts = vec![
        duration::short(vitals.elapsed),
        counted(vitals.commits, "commit"),
        format!("{} +{} -{}", counted(stat.files, "file"), stat.added, stat.removed),
    ];
    if let (Some(read), Some(written)) = (vitals.usage.tokens_in, vitals.usage.tokens_out) {
        facts.push(format!("{} in, {written} out", counted(read, "token")));
    }
    if let Some(cost) = vitals.usage.cost_microusd {
        let by = if vitals.usage.by_prices { " by prices" } else { "" };
        facts.push(format!("{}{by}", money::short(cost)));
    } else if attempt.job.is_some() {
        facts.push("cost ?".to_owned());
    }
    match attempt.exit {
        Some(Exit::Code(code)) => facts.push(format!("exit code {code}")),
        Some(Exit::Signal(signal)) => facts.push(format!("ended by signal {signal}")),
        Some(Exit::Unknown) => facts.push("exit status unknown".to_owned()),
        None => {}
    }
    if let Some(source) = attempt.source {
        facts.push(format!("state {}", source.label()));
    }
    print::line(&format!("    {}", facts.join(", ")))?;
    if let Some(worktree) = &attempt.worktree {
        print::line(&format!("    {}", Shown::line(&worktree.to_string_lossy())))?;
    }
    for remark in &attempt.remarks {
        print::line(&format!("    note: {remark}"))?;
    }
    if attempt.gates.is_empty() && attempt.gating() == Gating::NotRun {
        print::line("    gates not run: the attempt ended before")?;
    }
    attempt.gates.iter().try_for_each(print_gate)
}

fn print_gate(gate: &GateView) -> Result<(), CliError> {
    let (state, paint) = print::gate(gate.state);
    let mut text = format!("    gate {} {}", Shown::line(&gate.name), paint.on(&state));
    if let Some(took) = gate.took {
        text.push_str(&format!(" in {}", duration::short(took)));
    }
    if let Some(tests) = gate.tests {
        text.push_str(&format!(", {} passed, {} failed", counted(tests.passed, "test"), tests.failed));
    }
    if !gate.required {
        text.push_str(" (optional)");
    }
    print::line(&text)
}
