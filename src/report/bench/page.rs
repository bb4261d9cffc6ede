//! A bench as one HTML page that needs nothing else: a table, a plot as SVG, the runs, the weaknesses.

use super::{alike, found, result, spread};
use crate::core::outer::bench::rank::AgentScore;
use crate::core::views::bench::BenchView;
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::{duration, money};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024;\
background:#fff}table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.3rem .6rem;\
border-bottom:1px solid #d9dce0}th{font-weight:600}.green{color:#18794e}.yellow{color:#8f5f00}.red{color:#b3261e}\
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}.gap{color:#60646c}\
@media(prefers-color-scheme:dark){body{background:#151718;color:#ecedee}th,td{border-color:#3a3f42}.green{color:#63c18b}\
.yellow{color:#e2b94b}.red{color:#ff8b80}.gap{color:#9ba1a6}}";

/// The whole page.
#[must_use]
pub fn page(bench: &BenchView) -> String {
    let title = format!("Bench {} {}", bench.line.id, bench.line.name);
    let verify =
        bench.verify.as_deref().map_or("nobody verifies".to_owned(), |by| format!("verified by {by}"));
    let agents: String = bench.agents.iter().map(agent).collect();
    let between: String =
        bench.between.iter().map(|pair| row(&[pair.one.as_str(), &pair.other, &alike(pair.alike)])).collect();
    let gaps: String = bench.weaknesses.iter().map(weakness).collect();
    let gaps = if gaps.is_empty() {
        String::new()
    } else {
        format!(
            "<h2>Gaps that weaker agents hit</h2>\n<p>The best agents avoided these, others did not: gaps in the spec, the \
             gates or the prompts.</p>\n<ul>\n{gaps}</ul>\n"
        )
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<p>{1}; \
         {2}. {3}.</p>\n{4}\n<table>\n{5}{agents}</table>\n{6}<h2>Runs</h2>\n<table>\n{7}{8}</table>\n{gaps}</body>\n</html>\n",
        text(&title),
        text(&bench.file),
        text(&verify),
        text(bench.line.why.as_str()),
        svg(&bench.agents),
        heading(&[
            "",
            "agent",
            "green",
            "clean",
            "findings",
            "time",
            "cost",
            "tokens",
            "lines",
            "similarity"
        ]),
        if between.is_empty() {
            String::new()
        } else {
            format!("<h2>Similarity of results</h2>\n<table>\n{between}</table>\n")
        },
        heading(&["run", "task", "result", "gates", "time", "cost", "lines"]),
        bench.runs.iter().map(run).collect::<String>(),
    )
}

fn agent(score: &AgentScore) -> String {
    let rank = if score.tied { format!("{}=", score.rank) } else { score.rank.to_string() };
    row(&[
        &rank,
        &score.agent,
        &format!("{}/{}", score.green, score.measured),
        &format!("{}/{}", score.clean, score.measured),
        &found(score.findings),
        &spread(score.time, |ms| duration::short(Span(ms))),
        &score.cost.map_or("unknown".to_owned(), |cost| spread(Some(cost), money::short)),
        &score.tokens.map_or("unknown".to_owned(), |tokens| spread(Some(tokens), |n| n.to_string())),
        &spread(score.size, |n| n.to_string()),
        &alike(score.alike),
    ])
}

fn run(run: &crate::core::views::bench::RunView) -> String {
    let task = run.name.clone().unwrap_or_default();
    let Some(outcome) = &run.outcome else {
        let now = run.state.map_or("pending", |state| state.label());
        return row(&[&run.label, &task, now, "", "", "", ""]);
    };
    let class = match (outcome.is_clean(), outcome.is_green()) {
        (true, _) => "green",
        (false, true) => "yellow",
        (false, false) => "red",
    };
    let gates: Vec<String> =
        outcome.gates.iter().map(|gate| format!("{} {}", gate.name, gate.verdict.label())).collect();
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>+{} -{}</td></tr>\n",
        text(&run.label),
        text(&task),
        text(&result(outcome)),
        text(&gates.join(", ")),
        duration::short(outcome.time),
        outcome.cost.map_or("unknown".to_owned(), money::short),
        outcome.diff.added,
        outcome.diff.removed,
    )
}

fn weakness(weakness: &crate::core::outer::bench::weakness::Weakness) -> String {
    let agents: Vec<String> = weakness
        .agents
        .iter()
        .map(|by| {
            let look = by.look.join(", ");
            format!("{} {} of {} ({look})", by.agent, by.times, by.of)
        })
        .collect();
    format!(
        "<li>{}: {}<br><span class=\"gap\">{}</span></li>\n",
        text(weakness.what.as_str()),
        text(&agents.join(", ")),
        text(weakness.gap.as_str())
    )
}

/// Share green, up, against median time, to the right.
fn svg(agents: &[AgentScore]) -> String {
    let timed: Vec<(&AgentScore, u64)> =
        agents.iter().filter_map(|agent| Some((agent, agent.time?.median))).collect();
    let most = timed.iter().map(|(_, time)| *time).max().unwrap_or(0).max(1);
    let (left, top, wide, high) = (50_u64, 20_u64, 600_u64, 200_u64);
    let mut out = format!(
        "<svg viewBox=\"0 0 760 270\" role=\"img\" aria-label=\"share of green runs against median time\">\n\
         <path d=\"M{left} {top}V{0}H{1}\" fill=\"none\" stroke=\"currentColor\"/>\n",
        top + high,
        left + wide
    );
    for percent in [0_u64, 50, 100] {
        let y = top + high - high * percent / 100;
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{percent}%</text>\n",
            left - 6,
            y + 4
        ));
    }
    let end = duration::short(Span(most));
    out.push_str(&format!(
        "<text x=\"{left}\" y=\"{0}\">0s</text><text x=\"{1}\" y=\"{0}\" text-anchor=\"end\">{end}, median time</text>\n",
        top + high + 18,
        left + wide
    ));
    for (n, (agent, time)) in timed.iter().enumerate() {
        let x = left + u64::try_from(u128::from(wide) * u128::from(*time) / u128::from(most)).unwrap_or(wide);
        let y = top + high - high * u64::from(agent.green) / u64::from(agent.measured.max(1));
        // Names of those at one height stand one below the other.
        let lower = timed[..n]
            .iter()
            .filter(|(other, _)| other.green * agent.measured == agent.green * other.measured);
        let below = 4 + 14 * u64::try_from(lower.count()).unwrap_or(0);
        out.push_str(&format!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"6\" fill=\"hsl({} 60% 45%)\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
            n * 67 % 360,
            x + 10,
            y + below,
            text(&agent.agent)
        ));
    }
    out.push_str("</svg>");
    out
}

fn heading(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<th>{}</th>", text(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", text(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

/// Text from outside: made visible, and nothing of it is markup.
fn text(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(text("<b a='\"&\x1b"), "&lt;b a=&#39;&quot;&amp;␛");
    }
}
