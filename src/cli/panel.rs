//! `nopeek panel`: put a trade-off to the personas, see what they said, decide what they did not.

use super::error::{BAD_INPUT, CliError, NEEDS_HUMAN, NOT_FOUND, NOT_NOW};
use super::ledger::moment;
use super::print::{self, Cell, Paint};
use super::talk::Talk;
use crate::config;
use crate::core::model::event::Command;
use crate::core::model::panel::question::{Criterion, OptionScored, Panel, Persona, Score, TradeOff};
use crate::core::model::panel::vote::{Ballot, POINTS_MAX};
use crate::core::model::panel::{PanelCommand, Poll};
use crate::core::views::panel::PollLine;
use crate::values::ids::PanelId;
use crate::values::text::Shown;
use crate::values::words::{count, cut, size};
use crate::wire::client::{Reply, Request, TaskRef};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unicode_width::UnicodeWidthStr as _;

/// Longest file of a question, in bytes.
const FILE_MAX: u64 = 256 * 1024;
/// Lines are cut to this: the narrowest terminal that is looked after.
const COLS: usize = 80;

/// Put a trade-off to the panel: personas that vote by weights, the same answer for the same scores.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    Ask(AskArgs),
    /// List votes of this repo, newest first; those marked ! wait for you.
    Ls {
        /// Only of this task.
        #[arg(long, value_name = "TASK")]
        task: Option<String>,
        /// Of all repos.
        #[arg(long)]
        all: bool,
        /// At most so many, from 1 on.
        #[arg(long, short = 'l', value_name = "N", default_value_t = 50, value_parser = count::limit, allow_negative_numbers = true)]
        limit: u32,
        /// Print a JSON array of votes.
        #[arg(long)]
        json: bool,
    },
    /// Show a vote: the question, each ballot, the totals.
    Show {
        /// Its number, as p3.
        #[arg(value_parser = number)]
        id: PanelId,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Decide what the panel left open.
    Decide {
        /// Its number, as p3.
        #[arg(value_parser = number)]
        id: PanelId,
        /// The option to take.
        option: String,
        /// Why, for the ledger and for who reads the merge.
        #[arg(long)]
        why: String,
        /// Print the vote as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show who votes in this repo, with which weights, by what.
    Personas {
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Let the panel vote on a question. Exit code 8: it is left to a human (a tie, low confidence, missing scores).
#[derive(Debug, clap::Args)]
struct AskArgs {
    /// What is to be decided.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    question: Option<String>,
    /// An option: its name, or "NAME: what it is". Two to twelve.
    #[arg(long = "option", short = 'o', value_name = "NAME: ABOUT", conflicts_with = "file")]
    options: Vec<String>,
    /// How an option does by a criterion, 0 to 10: value, risk, cost, speed, simplicity, reversibility, security,
    /// reliability, performance, compliance, usability, maintainability, data-quality, testability. Much risk or cost
    /// speaks against it. Score all options by the same criteria.
    #[arg(long = "score", short = 's', value_name = "NAME.CRITERION=N", conflicts_with = "file")]
    scores: Vec<String>,
    /// Read the question from a TOML file: `question`, and an `[[option]]` each with name, about, scores.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The task that it is about: its merge commit cites what is decided. An agent's own is known.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Print the vote as JSON.
    #[arg(long)]
    json: bool,
}

fn number(text: &str) -> Result<PanelId, String> {
    let digits = text.strip_prefix('p').unwrap_or(text);
    digits.parse().map(PanelId).map_err(|_| format!("{text:?} is not a vote: write its number, as p3"))
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match &args.act {
        Act::Ask(args) => ask(args),
        Act::Ls { task, all, limit, json } => list(task.as_deref(), *all, *limit, *json),
        Act::Show { id, json } => show(&poll(&mut Talk::open()?, *id)?, *json),
        Act::Decide { id, option, why, json } => {
            let mut talk = Talk::open()?;
            let settle = PanelCommand::Settle { id: *id, option: option.clone(), why: why.clone() };
            talk.ask(Request::Command(Command::Panel(settle)))?;
            show(&poll(&mut talk, *id)?, *json)
        }
        Act::Personas { json } => personas(*json),
    }
}

fn ask(args: &AskArgs) -> Result<ExitCode, CliError> {
    let question = match &args.file {
        Some(file) => config::panel::question(&read(file)?, &file.display().to_string())?,
        None => question(args.question.as_deref().unwrap_or_default(), &args.options, &args.scores)?,
    };
    let mut talk = Talk::open()?;
    // An agent asks in the name of its task.
    let own = || std::env::var("NOPEEK_TASK").ok().filter(|task| !task.is_empty());
    let task = match &args.task {
        Some(name) => Some(talk.named(name)),
        None => own().map(|name| TaskRef { repo: None, name }),
    };
    let repo = talk.repo().map(Path::to_owned);
    let poll = match talk.ask(Request::PutPanel { repo, task, question })? {
        Reply::Panel(poll) => poll,
        other => return Err(CliError::odd(&other)),
    };
    show(&poll, args.json)?;
    Ok(if poll.decided().is_some() { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_HUMAN) })
}

fn read(file: &Path) -> Result<String, CliError> {
    let fails = |error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { BAD_INPUT };
        CliError::new(code, format!("can't read {}: {error}", file.display()), "name a text file")
    };
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(FILE_MAX + 1).read_to_string(&mut text))
        .map_err(fails)?;
    if text.len() as u64 > FILE_MAX {
        let what = format!("{} is longer than {}", file.display(), size::exact(FILE_MAX));
        return Err(CliError::new(BAD_INPUT, what, "a question is a few lines for each option"));
    }
    Ok(text)
}

/// A question from what stands on the command line.
fn question(text: &str, options: &[String], scores: &[String]) -> Result<TradeOff, CliError> {
    let mut read: Vec<OptionScored> = Vec::new();
    for option in options {
        let (name, about) = option.split_once(':').unwrap_or((option, ""));
        let (name, about) = (name.trim().to_owned(), Shown::line(about.trim()));
        read.push(OptionScored { name, about, scores: BTreeMap::new() });
    }
    for text in scores {
        let wrong = |why: String| {
            let what = format!("--score {}: {why}", Shown::line(text));
            CliError::usage(what, "write --score \"NAME.criterion=7\"")
        };
        let parts = text.rsplit_once('=').and_then(|(left, n)| left.rsplit_once('.').map(|(o, c)| (o, c, n)));
        let (option, criterion, n) =
            parts.ok_or_else(|| wrong("it names no option, criterion and score".to_owned()))?;
        let criterion: Criterion = criterion.trim().parse().map_err(wrong)?;
        let n = n.trim().parse::<i64>().map_err(|_| wrong("a score is a whole number".to_owned()))?;
        let score = Score::new(n).map_err(wrong)?;
        let of = read.iter_mut().find(|known| known.name == option.trim());
        let of = of.ok_or_else(|| wrong(format!("there is no --option {}", option.trim())))?;
        if of.scores.insert(criterion, score).is_some() {
            return Err(wrong("the option has a score of it already".to_owned()));
        }
    }
    Ok(TradeOff { text: Shown::line(text), options: read })
}

fn poll(talk: &mut Talk, id: PanelId) -> Result<Poll, CliError> {
    match talk.ask(Request::Panel(id))? {
        Reply::Panel(poll) => Ok(*poll),
        other => Err(CliError::odd(&other)),
    }
}

fn list(task: Option<&str>, all: bool, limit: u32, json: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let repo = talk.repo().filter(|_| !all).map(Path::to_owned);
    let task = task.map(|name| talk.named(name));
    let lines = match talk.ask(Request::Panels { repo, task, limit })? {
        Reply::Panels(lines) => lines,
        other => return Err(CliError::odd(&other)),
    };
    if json {
        print::json(&lines)?;
    } else if lines.is_empty() {
        print::line("nothing was put to the panel yet: nopeek panel ask --help")?;
    } else {
        for line in &lines {
            print_line(line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A vote in two lines: the question, what came of it.
fn print_line(line: &PollLine) -> Result<(), CliError> {
    let task = line.task.map_or_else(String::new, |task| format!(" {task}"));
    let (mark, paint) = if line.decided.is_some() { (" ", Paint::Plain) } else { ("!", Paint::Yellow) };
    let head = format!("{}{task} ", line.id);
    let text = cut::columns(line.text.as_str(), COLS.saturating_sub(head.width() + 2));
    print::line(&format!("{} {}{text}", Paint::Yellow.on(mark), Paint::Faint.on(&head)))?;
    print::line(&format!("    → {}", paint.on(&cut::columns(line.outcome.as_str(), COLS - 6))))
}

/// ```text
/// p3 t4 2026-03-01 12:00:00
/// Where do sessions live?
///   → sqlite (margin 43 %, 10 of 12)
///   by value, cost, simplicity, reliability
///
/// option  points  chosen by  about
/// sqlite    80.8         10  one file beside the app
/// redis     45.4          0  a service of its own
///
/// persona     weight  ranking
/// compliance       8  abstains: weighs nothing that was scored
/// finance          8  sqlite 80.0, redis 45.0
/// ```
fn show(poll: &Poll, json: bool) -> Result<ExitCode, CliError> {
    if json {
        print::json(poll)?;
        return Ok(ExitCode::SUCCESS);
    }
    let task = poll.task.map_or_else(String::new, |task| format!(" {task}"));
    print::line(&Paint::Faint.on(&format!("{}{task} {}", poll.id, moment(poll.at))))?;
    wrapped("", poll.question.text.as_str(), Paint::Bold)?;
    let paint = if poll.decided().is_some() { Paint::Green } else { Paint::Yellow };
    wrapped("  → ", &poll.outcome(), paint)?;
    let by: Vec<&str> = poll.vote.criteria.iter().map(|criterion| criterion.name()).collect();
    let by = if by.is_empty() { "nothing".to_owned() } else { by.join(", ") };
    wrapped("  by ", &by, Paint::Faint)?;
    if poll.decided().is_none() {
        print::line(&format!("  nopeek panel decide {} OPTION --why WHY", poll.id))?;
    }
    print::line("")?;
    let about = |name: &str| {
        let option = poll.question.options.iter().find(|option| option.name == name);
        option.map(|option| option.about.as_str()).unwrap_or_default().to_owned()
    };
    let widest = poll.vote.totals.iter().map(|total| total.option.width()).max().unwrap_or(0).max(6);
    let options: Vec<Vec<Cell>> = poll
        .vote
        .totals
        .iter()
        .map(|total| {
            let taken = poll.decided() == Some(&total.option);
            vec![
                (total.option.clone(), if taken { Paint::Green } else { Paint::Plain }),
                (format!("{:>6}", points(total.points)), Paint::Plain),
                (format!("{:>9}", total.voices), Paint::Plain),
                (cut::columns(&about(&total.option), COLS.saturating_sub(widest + 21)), Paint::Faint),
            ]
        })
        .collect();
    print::table(&["option", "points", "chosen by", "about"], &options)?;
    print::line("")?;
    if poll.vote.ballots.iter().all(|ballot| ballot.ranking.is_empty()) {
        print::line("no persona weighs a criterion by which all options are scored")?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = poll.vote.ballots.iter().map(|ballot| ballot.persona.width()).max().unwrap_or(0).max(7);
    let ballots: Vec<Vec<Cell>> = poll
        .vote
        .ballots
        .iter()
        .map(|ballot| {
            let (ranking, paint) = ranking(ballot);
            vec![
                (ballot.persona.clone(), Paint::Plain),
                (format!("{:>6}", ballot.weight), Paint::Faint),
                (cut::columns(&ranking, COLS.saturating_sub(name + 10)), paint),
            ]
        })
        .collect();
    print::table(&["persona", "weight", "ranking"], &ballots)?;
    Ok(ExitCode::SUCCESS)
}

fn ranking(ballot: &Ballot) -> (String, Paint) {
    if ballot.ranking.is_empty() {
        return ("abstains: weighs nothing that was scored".to_owned(), Paint::Faint);
    }
    let ranked: Vec<String> =
        ballot.ranking.iter().map(|ranked| format!("{} {}", ranked.option, points(ranked.points))).collect();
    let text = ranked.join(", ");
    if ballot.choice.is_none() { (format!("tied: {text}"), Paint::Faint) } else { (text, Paint::Plain) }
}

/// Points of a hundred, with one decimal.
fn points(points: u32) -> String {
    let tenths = points / (POINTS_MAX / 1_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn personas(json: bool) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let Some(repo) = talk.repo().map(Path::to_owned) else {
        return Err(CliError::new(
            NOT_NOW,
            "this folder is in no git repo",
            "stand in the repo, or use -C FOLDER",
        ));
    };
    let panel: Panel = match talk.ask(Request::Personas(repo))? {
        Reply::Personas(panel) => *panel,
        other => return Err(CliError::odd(&other)),
    };
    if json {
        print::json(&panel)?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = panel.personas.iter().map(|persona| persona.name.width()).max().unwrap_or(0).max(7);
    let rows: Vec<Vec<Cell>> = panel
        .personas
        .iter()
        .map(|persona| {
            vec![
                (persona.name.clone(), Paint::Bold),
                (format!("{:>6}", persona.weight), Paint::Plain),
                (cut::columns(&looks_at(persona), COLS.saturating_sub(name + 10)), Paint::Plain),
            ]
        })
        .collect();
    print::table(&["persona", "weight", "heuristics"], &rows)?;
    let confidence = panel.confidence;
    print::line("")?;
    print::line(&format!(
        "A margin below {confidence} % is left to a human. [panel] in nopeek.toml changes all this."
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// `security 10, risk 7, …`: what counts most first.
fn looks_at(persona: &Persona) -> String {
    let mut heuristics: Vec<_> = persona.heuristics.iter().collect();
    heuristics.sort_by_key(|(criterion, weight)| (std::cmp::Reverse(**weight), **criterion));
    heuristics
        .iter()
        .map(|(criterion, weight)| format!("{criterion} {weight}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Prints `text` behind `head`, broken between words.
fn wrapped(head: &str, text: &str, paint: Paint) -> Result<(), CliError> {
    let indent = " ".repeat(head.width());
    let mut head = head.to_owned();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && head.width() + line.width() + 1 + word.width() > COLS {
            print::line(&format!("{head}{}", paint.on(&line)))?;
            head.clone_from(&indent);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    print::line(&format!("{head}{}", paint.on(&line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_question_is_read_from_the_command_line() {
        let options = texts(&["v1.2: the old: one", "new"]);
        let scores = texts(&["v1.2.risk=3", "new.data-quality = 10", "new.risk=0"]);
        let read = question("Which?", &options, &scores).unwrap();
        assert_eq!(read.options[0].name, "v1.2");
        assert_eq!(read.options[0].about.as_str(), "the old: one");
        assert_eq!(read.options[0].scores[&Criterion::Risk].get(), 3);
        assert_eq!(read.options[1].scores.len(), 2);
        for (score, says) in [
            ("new", "names no option"),
            ("new=3", "names no option"),
            ("old.risk=3", "there is no --option old"),
            ("new.worth=3", "there is no criterion worth"),
            ("new.risk=11", "11 is no score"),
            ("new.risk=-1", "-1 is no score"),
            ("new.risk=much", "a whole number"),
        ] {
            let error = question("Which?", &options, &texts(&[score])).unwrap_err();
            assert!(error.what().contains(says), "{score}: {}", error.what());
        }
        let twice = question("Which?", &options, &texts(&["new.risk=1", "new.risk=1"])).unwrap_err();
        assert!(twice.what().contains("already"));
    }

    #[test]
    fn points_are_of_a_hundred() {
        assert_eq!(points(7_895), "78.9");
        assert_eq!(points(POINTS_MAX), "100.0");
    }
}
