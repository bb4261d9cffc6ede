//! `nopeek bench show`: a bench, whole, for a terminal of 80 columns without colours.

use super::super::error::CliError;
use super::super::print::{self, Cell, Paint};
use crate::core::outer::bench::rank::AgentScore;
use crate::core::views::bench::{BenchView, RunView};
use crate::report::bench::{alike, cut, found, plot, result};
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::{duration, money};

/// The narrowest terminal that is looked after.
const COLS: usize = 80;
/// Longest name of an agent in the table.
const NAME_MAX: usize = 12;
/// Longest words of a result in the table.
const RESULT_MAX: usize = 20;

pub(super) fn print(bench: &BenchView) -> Result<(), CliError> {
    print::line(&super::line_of(&bench.line))?;
    let verify =
        bench.verify.as_deref().map_or("nobody verifies".to_owned(), |by| format!("verified by {by}"));
    print_wrapped("  ", &format!("{}; {verify}", Shown::line(&bench.file)))?;
    print::line("")?;
    let heading = ["", "AGENT", "GREEN", "CLEAN", "FOUND", "TIME", "RANGE", "COST", "LINES", "SIMILAR"];
    print::table(&heading, &bench.agents.iter().map(agent).collect::<Vec<_>>())?;
    let between: Vec<String> = bench
        .between
        .iter()
        .map(|pair| {
            format!("{} and {} {}", Shown::line(&pair.one), Shown::line(&pair.other), alike(pair.alike))
        })
        .collect();
    if !between.is_empty() {
        print_wrapped("", &format!("similarity: {}", between.join(", ")))?;
    }
    if bench.line.measured > 0 {
        print::line("")?;
        for line in plot::plot(&bench.agents) {
            print::line(&line)?;
        }
    }
    print::line("")?;
    let heading = ["RUN", "TASK", "NOW", "RESULT", "TIME", "COST", "LINES"];
    print::table(&heading, &bench.runs.iter().map(run).collect::<Vec<_>>())?;
    print_weaknesses(bench)?;
    if let Some(best) = bench.best.filter(|_| bench.line.over.is_some()) {
        let label = bench.runs.iter().find(|run| run.task == Some(best)).map_or("", |run| run.label.as_str());
        print::line("")?;
        let label = Shown::line(label);
        print::line(&format!("nopeek bench pick {} takes {label} (nopeek diff {best})", bench.line.id))?;
    }
    Ok(())
}

fn print_weaknesses(bench: &BenchView) -> Result<(), CliError> {
    if bench.weaknesses.is_empty() {
        return Ok(());
    }
    print::line("")?;
    print::line(&Paint::Bold.on("Gaps that weaker agents hit"))?;
    print_wrapped(
        "",
        "The best agents avoided these, others did not: gaps in the spec, the gates or the prompts.",
    )?;
    for weakness in &bench.weaknesses {
        let agents: Vec<String> = weakness
            .agents
            .iter()
            .map(|by| {
                let look: Vec<String> =
                    by.look.iter().take(1).map(|name| format!(" (nopeek show {name})")).collect();
                format!("{} {} of {}{}", Shown::line(&by.agent), by.times, by.of, look.concat())
            })
            .collect();
        print_hanging("- ", &format!("{}: {}", weakness.what, agents.join(", ")))?;
        print_wrapped("    ", weakness.gap.as_str())?;
    }
    Ok(())
}

fn agent(score: &AgentScore) -> Vec<Cell> {
    let rank = if score.tied { format!("{}=", score.rank) } else { score.rank.to_string() };
    let share = |n: u32| {
        let all = n == score.measured && n > 0;
        let paint = if n == 0 {
            Paint::Red
        } else if all {
            Paint::Green
        } else {
            Paint::Yellow
        };
        (format!("{n}/{}", score.measured), paint)
    };
    vec![
        (rank, Paint::Faint),
        (cut(&score.agent, NAME_MAX), Paint::Bold),
        share(score.green),
        share(score.clean),
        (found(score.findings), Paint::Plain),
        (score.time.map_or("-".to_owned(), |time| duration::short(Span(time.median))), Paint::Plain),
        (score.time.map_or("-".to_owned(), |time| duration::short(Span(time.max - time.min))), Paint::Plain),
        (score.cost.map_or("unknown".to_owned(), |cost| money::short(cost.median)), Paint::Plain),
        (score.size.map_or("-".to_owned(), |size| size.median.to_string()), Paint::Plain),
        (alike(score.alike), Paint::Plain),
    ]
}

fn run(run: &RunView) -> Vec<Cell> {
    let task = run.task.map_or_else(String::new, |task| task.to_string());
    let now = run.state.map_or("", |state| state.label()).to_owned();
    let mut cells = vec![(label(run), Paint::Bold), (task, Paint::Faint), (now, Paint::Plain)];
    if let Some(outcome) = &run.outcome {
        let paint = match (outcome.is_clean(), outcome.is_green()) {
            (true, _) => Paint::Green,
            (false, true) => Paint::Yellow,
            (false, false) => Paint::Red,
        };
        cells.extend([
            (cut(&result(outcome), RESULT_MAX), paint),
            (duration::short(outcome.time), Paint::Plain),
            (outcome.cost.map_or("unknown".to_owned(), money::short), Paint::Plain),
            (format!("+{} -{}", outcome.diff.added, outcome.diff.removed), Paint::Plain),
        ]);
    }
    cells
}

/// The run's name, cut before its number.
fn label(run: &RunView) -> String {
    format!("{}-{}", cut(&run.agent, NAME_MAX - 2), run.no)
}

fn print_wrapped(indent: &str, text: &str) -> Result<(), CliError> {
    wrap(text, COLS - indent.len()).iter().try_for_each(|line| print::line(&format!("{indent}{line}")))
}

/// The first line behind `mark`, the others below the first's text.
fn print_hanging(mark: &str, text: &str) -> Result<(), CliError> {
    for (n, line) in wrap(text, COLS - mark.len()).iter().enumerate() {
        let mark = if n == 0 { mark.to_owned() } else { " ".repeat(mark.len()) };
        print::line(&format!("{mark}{line}"))?;
    }
    Ok(())
}

fn wrap(text: &str, cols: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= cols {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("", 8), [""]);
    }
}
