//! `nopeek spec show`: a spec, whole.

use super::super::error::CliError;
use super::super::print::{self, Paint};
use super::super::talk::Talk;
use crate::core::model::plan::Phase;
use crate::core::model::spec::Contract;
use crate::core::outer::plan;
use crate::core::views::board::TaskView;
use crate::core::views::spec::{ReviewPass, SpecView};
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use std::process::ExitCode;

pub(super) fn run(name: &str, json: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let spec = super::find(&mut talk, name)?;
    if json {
        print::json(&spec)?;
        return Ok(ExitCode::SUCCESS);
    }
    let board = talk.board()?;
    print::line(&super::line_of(&spec.line))?;
    print::line("  goal")?;
    for line in Shown::lines(spec.goal.trim()) {
        print::line(&format!("    {line}"))?;
    }
    if let Some(contract) = &spec.contract {
        print_contract(&spec, contract)?;
    }
    for (n, look) in spec.looks.iter().enumerate() {
        print_look(n + 1, look)?;
    }
    if let Some(phases) = &spec.phases {
        print_plan(&spec, phases, &board.tasks)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_contract(spec: &SpecView, contract: &Contract) -> Result<(), CliError> {
    let approved = if spec.agreed { "approved" } else { "not approved yet" };
    let title = Paint::Bold.on(contract.title.as_str());
    print::line(&format!("  {title} ({}, {approved})", Shown::line(&spec.path)))?;
    let lists = [
        ("objectives", &contract.objectives),
        ("non-goals", &contract.non_goals),
        ("touchpoints", &contract.touchpoints),
        ("data", &contract.data),
        ("tests", &contract.tests),
        ("risks", &contract.risks),
        ("compatibility", &contract.compatibility),
        ("rollback", &contract.rollback),
    ];
    for (name, list) in lists {
        for (n, line) in list.iter().enumerate() {
            let name = if n == 0 { name } else { "" };
            print::line(&format!("    {name:<14}{}", Shown::line(line)))?;
        }
    }
    Ok(())
}

fn print_look(no: usize, look: &ReviewPass) -> Result<(), CliError> {
    let count = counted(look.findings.list.len(), "finding");
    print::line(&format!("  review pass {no} by {}: {count}", Shown::line(&look.by)))?;
    for finding in &look.findings.list {
        let answer = look.answers.iter().find(|answer| answer.id == finding.id);
        let answered = answer.map_or("open", |answer| answer.answer.label());
        let id = Shown::line(&finding.id);
        print::line(&format!(
            "    {id} {} {}: {} [{answered}]",
            finding.severity.label(),
            finding.area,
            finding.what
        ))?;
        if let Some(answer) = answer {
            print::line(&format!("      {}", Paint::Faint.on(answer.why.as_str())))?;
        }
    }
    Ok(())
}

/// The graph, with the state of each task that was launched.
fn print_plan(spec: &SpecView, phases: &[Phase], tasks: &[TaskView]) -> Result<(), CliError> {
    print::line("  plan")?;
    let state = |id: Option<&TaskId>| {
        let task = tasks.iter().find(|task| Some(&task.id) == id)?;
        let (word, paint) = print::state(task);
        Some(paint.on(&word))
    };
    let planned: Vec<&str> =
        phases.iter().flat_map(|phase| &phase.tasks).map(|task| task.name.as_str()).collect();
    for line in plan::graph(phases) {
        let line = Shown::line(&line).to_string();
        let named =
            line.split_whitespace().find(|word| planned.contains(word)).filter(|_| line.starts_with("  "));
        let state = named.and_then(|name| state(spec.line.tasks.get(name)));
        print::line(&match state {
            Some(state) => format!("    {line}  {state}"),
            None => format!("    {line}"),
        })?;
    }
    Ok(())
}
