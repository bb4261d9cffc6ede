//! The plot of a bench in a terminal: share of green runs against time, and bars of cost; block characters, no colour.
//!
//! ```text
//! green
//! 100% ▌ 1
//!  80% ▌
//!  60% ▌                    2
//!      …
//!      ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
//!      0s            40s median time
//! ```

use super::cut;
use crate::core::outer::bench::rank::AgentScore;
use crate::values::time::Span;
use crate::values::words::{duration, money};

/// Columns of the plot's own area.
const WIDE: usize = 50;
/// Rows: 100 % down to 0 %.
const ROWS: usize = 6;
/// Columns of a bar.
const BAR: usize = 40;
/// Longest name beside a bar.
const NAME_MAX: usize = 14;

/// All of it, at most 80 columns wide.
#[must_use]
pub fn plot(agents: &[AgentScore]) -> Vec<String> {
    let mut lines = against_time(agents);
    if agents.iter().any(|agent| agent.cost.is_some()) {
        lines.push(String::new());
        lines.extend(costs(agents));
    }
    lines
}

fn against_time(agents: &[AgentScore]) -> Vec<String> {
    let medians = || agents.iter().filter_map(|agent| Some((agent, agent.time?.median)));
    let most = medians().map(|(_, time)| time).max().unwrap_or(0).max(1);
    let mut area = vec![vec![' '; WIDE]; ROWS];
    for (n, (agent, time)) in medians().enumerate() {
        let share = f64::from(agent.green) / f64::from(agent.measured.max(1));
        let row = ((1.0 - share) * (ROWS - 1) as f64).round() as usize;
        let mut col = (u128::from(time) * (WIDE as u128 - 4) / u128::from(most)) as usize;
        // Two at one place stand side by side.
        while area[row].get(col).is_some_and(|place| *place != ' ') {
            col += 1;
        }
        if let Some(place) = area[row].get_mut(col) {
            *place = char::from_digit(u32::try_from(n + 1).unwrap_or(0), 36).unwrap_or('#');
        }
    }
    let mut lines = vec!["green".to_owned()];
    for (n, row) in area.iter().enumerate() {
        let row: String = row.iter().collect();
        lines.push(format!("{:>4}% ▌{row}", 100 - n * 100 / (ROWS - 1)).trim_end().to_owned());
    }
    lines.push(format!("      ▀{}", "▀".repeat(WIDE)));
    let end = duration::short(Span(most));
    lines.push(format!("       0s{end:>width$}  median time", width = WIDE - 2 - 2));
    let names = medians().enumerate().map(|(n, (agent, _))| {
        let mark = char::from_digit(u32::try_from(n + 1).unwrap_or(0), 36).unwrap_or('#');
        format!("{mark} {}", cut(&agent.agent, NAME_MAX))
    });
    let mut line = String::from("      ");
    for name in names {
        if line.chars().count() + name.chars().count() + 2 > 80 {
            lines.push(std::mem::replace(&mut line, String::from("      ")));
        }
        line.push_str("  ");
        line.push_str(&name);
    }
    lines.push(line);
    lines
}

fn costs(agents: &[AgentScore]) -> Vec<String> {
    let most = agents.iter().filter_map(|agent| agent.cost).map(|cost| cost.median).max().unwrap_or(0).max(1);
    let mut lines = vec!["median cost".to_owned()];
    for agent in agents {
        let name = cut(&agent.agent, NAME_MAX);
        lines.push(match agent.cost {
            None => format!("{name:<NAME_MAX$} unknown"),
            Some(cost) => {
                let eighths = (u128::from(cost.median) * (BAR as u128) * 8 / u128::from(most)) as usize;
                format!("{name:<NAME_MAX$} {} {}", bar(eighths), money::short(cost.median))
            }
        });
    }
    lines
}

/// A bar of so many eighths of a column; never none, so that little is not nothing.
fn bar(eighths: usize) -> String {
    const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = eighths.max(1);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).map(|part| PARTS[part]));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::outer::bench::rank::{FindingCounts, Spread};

    fn score(agent: &str, green: u32, secs: u64, cost: Option<u64>) -> AgentScore {
        let one = |n: u64| Spread { min: n, median: n, max: n };
        AgentScore {
            agent: agent.to_owned(),
            rank: 1,
            tied: false,
            measured: 4,
            runs: 4,
            green,
            clean: green,
            findings: FindingCounts::default(),
            time: Some(one(secs * 1_000)),
            tokens: None,
            cost: cost.map(one),
            size: None,
            alike: None,
        }
    }

    #[test]
    fn the_plot_shows_share_green_against_time_and_what_it_cost() {
        let agents = [
            score("strong", 4, 30, Some(200_000)),
            score("as strong", 4, 30, Some(50_000)),
            score("middling", 2, 90, None),
            score("weak", 0, 3, Some(10)),
        ];
        let lines = plot(&agents);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        insta::assert_snapshot!(lines.join("\n"));
    }
}
