//! A bench as one HTML page that needs nothing else: a table, a plot as SVG, the runs, the weaknesses.
//!
//! Markup is written by `maud`, which escapes each text by its type; text from outside is a [`Shown`] besides.

use super::{alike, found, result, spread};
use crate::core::outer::bench::rank::AgentScore;
use crate::core::outer::bench::weakness::Weakness;
use crate::core::views::bench::{BenchView, RunView};
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::{duration, money};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024;\
background:#fff}table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.3rem .6rem;\
border-bottom:1px solid #d9dce0}th{font-weight:600}.green{color:#18794e}.yellow{color:#8f5f00}.red{color:#b3261e}\
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}.gap{color:#60646c}\
@media(prefers-color-scheme:dark){body{background:#151718;color:#ecedee}th,td{border-color:#3a3f42}.green{color:#63c18b}\
.yellow{color:#e2b94b}.red{color:#ff8b80}.gap{color:#9ba1a6}}";

/// The whole page.
#[must_use]
pub fn page(bench: &BenchView) -> String {
    let title = Shown::line(&format!("Bench {} {}", bench.line.id, bench.line.name));
    let scores = ["", "agent", "green", "clean", "findings", "time", "cost", "tokens", "lines", "similarity"];
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            head {
                "\n" meta charset="utf-8";
                "\n" meta name="viewport" content="width=device-width";
                "\n" title { (title) }
                "\n" style { (PreEscaped(STYLE)) }
            }
            "\n"
            body {
                h1 { (title) }
                p {
                    (Shown::line(&bench.file)) "; "
                    @match &bench.verify {
                        Some(by) => { "verified by " (Shown::line(by)) }
                        None => { "nobody verifies" }
                    }
                    ". " (bench.line.why) "."
                }
                (plot(&bench.agents))
                "\n"
                table { (heading(&scores)) @for score in &bench.agents { (agent(score)) } }
                @if !bench.between.is_empty() {
                    h2 { "Similarity of results" }
                    table {
                        @for pair in &bench.between {
                            (row(&[Shown::line(&pair.one), Shown::line(&pair.other), alike(pair.alike).into()]))
                        }
                    }
                }
                h2 { "Runs" }
                table {
                    (heading(&["run", "task", "result", "gates", "time", "cost", "lines"]))
                    @for of in &bench.runs { (run(of)) }
                }
                @if !bench.weaknesses.is_empty() { (weaknesses(&bench.weaknesses)) }
            }
        }
        "\n"
    };
    page.into_string()
}

fn agent(score: &AgentScore) -> Markup {
    let rank = if score.tied { format!("{}=", score.rank) } else { score.rank.to_string() };
    row(&[
        rank.into(),
        Shown::line(&score.agent),
        format!("{}/{}", score.green, score.measured).into(),
        format!("{}/{}", score.clean, score.measured).into(),
        found(score.findings).into(),
        spread(score.time, |ms| duration::short(Span(ms))).into(),
        score.cost.map_or("unknown".to_owned(), |cost| spread(Some(cost), money::short)).into(),
        score.tokens.map_or("unknown".to_owned(), |tokens| spread(Some(tokens), |n| n.to_string())).into(),
        spread(score.size, |n| n.to_string()).into(),
        alike(score.alike).into(),
    ])
}

fn run(run: &RunView) -> Markup {
    let (label, task) = (Shown::line(&run.label), Shown::line(run.name.as_deref().unwrap_or_default()));
    let Some(outcome) = &run.outcome else {
        let now = run.state.map_or("pending", |state| state.label());
        let none = Shown::default;
        return row(&[label, task, now.into(), none(), none(), none(), none()]);
    };
    let class = match (outcome.is_clean(), outcome.is_green()) {
        (true, _) => "green",
        (false, true) => "yellow",
        (false, false) => "red",
    };
    let gates: Vec<String> =
        outcome.gates.iter().map(|gate| format!("{} {}", gate.name, gate.verdict.label())).collect();
    html! {
        tr {
            td { (label) }
            td { (task) }
            td class=(class) { (Shown::line(&result(outcome))) }
            td { (Shown::line(&gates.join(", "))) }
            td { (duration::short(outcome.time)) }
            td { (outcome.cost.map_or("unknown".to_owned(), money::short)) }
            td { "+" (outcome.diff.added) " -" (outcome.diff.removed) }
        }
        "\n"
    }
}

fn weaknesses(all: &[Weakness]) -> Markup {
    html! {
        h2 { "Gaps that weaker agents hit" }
        p { "The best agents avoided these, others did not: gaps in the spec, the gates or the prompts." }
        ul {
            @for weakness in all {
                li {
                    (weakness.what) ": "
                    @for (n, by) in weakness.agents.iter().enumerate() {
                        @if n > 0 { ", " }
                        (Shown::line(&by.agent)) " " (by.times) " of " (by.of) " (" (Shown::line(&by.look.join(", "))) ")"
                    }
                    br;
                    span.gap { (weakness.gap) }
                }
                "\n"
            }
        }
    }
}

/// An agent's place in the plot.
struct Dot<'a> {
    agent: &'a AgentScore,
    x: u64,
    y: u64,
    /// Lines by which its name stands lower: names of those at one height stand one below the other.
    lower: u64,
}

/// Share green, up, against median time, to the right.
fn plot(agents: &[AgentScore]) -> Markup {
    const LEFT: u64 = 50;
    const TOP: u64 = 20;
    const WIDE: u64 = 600;
    const HIGH: u64 = 200;
    const FOOT: u64 = TOP + HIGH;
    let timed = || agents.iter().filter_map(|agent| Some((agent, agent.time?.median)));
    let most = timed().map(|(_, time)| time).max().unwrap_or(0).max(1);
    let mut dots: Vec<Dot<'_>> = Vec::new();
    for (agent, time) in timed() {
        let x = u64::try_from(u128::from(WIDE) * u128::from(time) / u128::from(most)).unwrap_or(WIDE);
        let y = FOOT - HIGH * u64::from(agent.green) / u64::from(agent.measured.max(1));
        let alike = |dot: &&Dot<'_>| dot.agent.green * agent.measured == agent.green * dot.agent.measured;
        let lower = u64::try_from(dots.iter().filter(alike).count()).unwrap_or(0);
        dots.push(Dot { agent, x: LEFT + x, y, lower });
    }
    html! {
        svg viewBox="0 0 760 270" role="img" aria-label="share of green runs against median time" {
            path d={ "M" (LEFT) " " (TOP) "V" (FOOT) "H" (LEFT + WIDE) } fill="none" stroke="currentColor" {}
            @for percent in [0, 50, 100] {
                text x=(LEFT - 6) y=(FOOT - HIGH * percent / 100 + 4) text-anchor="end" { (percent) "%" }
            }
            text x=(LEFT) y=(FOOT + 18) { "0s" }
            text x=(LEFT + WIDE) y=(FOOT + 18) text-anchor="end" { (duration::short(Span(most))) ", median time" }
            @for (n, dot) in dots.iter().enumerate() {
                circle cx=(dot.x) cy=(dot.y) r="6" fill={ "hsl(" (n * 67 % 360) " 60% 45%)" } {}
                text x=(dot.x + 10) y=(dot.y + 4 + 14 * dot.lower) { (Shown::line(&dot.agent.agent)) }
            }
        }
    }
}

fn heading(cells: &[&str]) -> Markup {
    html! { tr { @for cell in cells { th { (cell) } } } "\n" }
}

fn row(cells: &[Shown]) -> Markup {
    html! { tr { @for cell in cells { td { (cell) } } } "\n" }
}

#[cfg(test)]
pub(in crate::report) mod tests {
    use super::*;
    use crate::core::model::bench::outcome::{GateOutcome, RunEnd, RunOutcome};
    use crate::core::model::diff::DiffStat;
    use crate::core::model::gate::Verdict;
    use crate::core::model::task::TaskState;
    use crate::core::outer::bench::rank::{Alike, FindingCounts, Spread};
    use crate::core::outer::bench::weakness::{Trip, Tripped};
    use crate::core::views::bench::BenchLine;
    use crate::report::tests::{balanced, hostile, inert};
    use crate::values::ids::{BenchId, TaskId};
    use crate::values::time::Time;

    fn score(agent: &str, green: u32, secs: u64, cost: Option<u64>) -> AgentScore {
        let one = |n: u64| Spread { min: n, median: n, max: n + 1_000 };
        AgentScore {
            agent: agent.to_owned(),
            rank: 1,
            tied: green == 2,
            measured: 2,
            runs: 2,
            green,
            clean: green,
            findings: FindingCounts { high: 1, ..FindingCounts::default() },
            time: Some(one(secs * 1_000)),
            tokens: cost.map(one),
            cost: cost.map(one),
            size: Some(one(40)),
            alike: Some(812),
        }
    }

    fn run(no: u32, outcome: Option<RunOutcome>) -> RunView {
        RunView {
            agent: "strong".to_owned(),
            no,
            label: format!("strong-{no}"),
            task: Some(TaskId(no.into())),
            name: Some(format!("tea-strong-{no}")),
            state: Some(TaskState::Working),
            outcome,
        }
    }

    /// A bench that has some of everything.
    pub(in crate::report) fn sample() -> BenchView {
        let outcome = |end, verdict| RunOutcome {
            end,
            gates: vec![GateOutcome { name: "unit".to_owned(), required: true, verdict, took: None }],
            looked: true,
            findings: None,
            attempts: 1,
            time: Span::secs(95),
            tokens: Some(1_200),
            cost: Some(41_200),
            commits: 2,
            diff: DiffStat { files: 1, added: 12, removed: 3 },
        };
        BenchView {
            line: BenchLine {
                id: BenchId(3),
                name: "tea".to_owned(),
                repo: "/home/ada/kettle".into(),
                agents: vec!["strong".to_owned(), "weak".to_owned()],
                runs: 3,
                measured: 2,
                stopped: false,
                over: Some(Time(9_000)),
                picked: None,
                why: "strong leads".into(),
                needs_you: true,
                created: Time(1_000),
            },
            file: "specs/tea.md".to_owned(),
            prompt: "Make tea.".to_owned(),
            verify: Some("judge".to_owned()),
            agents: vec![
                score("strong", 2, 30, Some(41_200)),
                score("as strong", 2, 40, None),
                score("weak", 0, 90, Some(4)),
            ],
            between: vec![Alike { one: "strong".to_owned(), other: "weak".to_owned(), alike: Some(512) }],
            runs: vec![
                run(1, Some(outcome(RunEnd::Green, Verdict::Passed))),
                run(2, Some(outcome(RunEnd::Red, Verdict::Failed))),
                run(3, None),
            ],
            best: Some(TaskId(1)),
            weaknesses: vec![Weakness {
                trip: Trip::Unfinished,
                what: "gate unit is red".into(),
                gap: "the spec names no check for it".into(),
                agents: vec![Tripped {
                    agent: "weak".to_owned(),
                    times: 2,
                    of: 2,
                    look: vec!["tea-weak-1".to_owned(), "tea-weak-2".to_owned()],
                }],
            }],
        }
    }

    #[test]
    fn the_page_says_all_of_a_bench() {
        let page = page(&sample());
        balanced(&page);
        insta::assert_snapshot!(page[page.find("<h1>").unwrap()..].replace("><", ">\n<"));
    }

    #[test]
    fn no_text_of_a_bench_means_anything_in_its_page() {
        let (bench, texts) = hostile(&sample());
        assert!(texts > 20, "{texts} texts are hostile: too few to prove something");
        let page = page(&bench);
        balanced(&page);
        inert(&page);
    }
}
