//! `nopeek doctor`: looks at what nopeek needs, and says what to do about what is wrong.

use super::error::{CliError, WORLD};
use super::ledger::moment;
use super::print::{self, Paint};
use super::talk::{self, Talk};
use super::{agents, daemon};
use crate::config::prices;
use crate::config::trust::{self, Trust};
use crate::os::clock::Clock;
use crate::os::paths::Paths;
use crate::store::{StoreError, backup};
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use crate::values::words::plural::counted;
use serde::Serialize;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Check git, terminal, paths, daemon, this repo and the agents; says what to do. Exit code 7 if something is broken.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the findings as a JSON array.
    #[arg(long)]
    json: bool,
}

/// A newest back-up older than this is worth a word: two were due since.
const BACKUP_OLD: Span = Span::mins(2 * 24 * 60);

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    /// Works, but less well.
    #[serde(rename = "warn")]
    Weak,
    /// Will not work.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    found: Shown,
    /// What to do; empty if nothing.
    remedy: String,
}

impl Finding {
    fn new(what: &'static str, health: Health, found: &str, remedy: &str) -> Self {
        Self { what, health, found: Shown::line(found), remedy: remedy.to_owned() }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut findings = vec![git(), terminal()];
    match talk::paths() {
        Ok(paths) => {
            findings.extend(folders(&paths));
            findings.push(user_config(&paths));
            findings.push(prices_file(&paths));
            findings.extend(ledger(&paths));
            findings.extend(notices(&paths));
            findings.extend(daemon_and_agents());
            findings.extend(repo(&paths));
        }
        Err(error) => findings.push(Finding::new("paths", Health::Broken, error.what(), error.remedy())),
    }
    if args.json {
        print::json(&findings)?;
    } else {
        findings.iter().try_for_each(print_finding)?;
    }
    let broken = findings.iter().any(|finding| finding.health == Health::Broken);
    Ok(ExitCode::from(if broken { WORLD } else { 0 }))
}

fn print_finding(finding: &Finding) -> Result<(), CliError> {
    let mark = match finding.health {
        Health::Good => Paint::Green.on("ok    "),
        Health::Weak => Paint::Yellow.on("warn  "),
        Health::Broken => Paint::Red.on("BROKEN"),
    };
    print::line(&format!("{mark} {:<9} {}", finding.what, finding.found))?;
    for line in Shown::lines(&finding.remedy) {
        print::line(&format!("                 {line}"))?;
    }
    Ok(())
}

/// nopeek itself needs no git program; agents and gates mostly do.
fn git() -> Finding {
    match Command::new("git").arg("--version").output() {
        Ok(output) if output.status.success() => {
            Finding::new("git", Health::Good, String::from_utf8_lossy(&output.stdout).trim(), "")
        }
        _ => Finding::new(
            "git",
            Health::Weak,
            "no git program on PATH",
            "most agents commit with git: install it",
        ),
    }
}

fn terminal() -> Finding {
    let term = std::env::var("TERM").unwrap_or_default();
    if !std::io::stdout().is_terminal() {
        return Finding::new("terminal", Health::Good, "standard output is no terminal: no colours", "");
    }
    let Ok((cols, rows)) = crossterm::terminal::size() else {
        return Finding::new("terminal", Health::Weak, "its size can't be asked", "the board takes 80x24");
    };
    let found =
        format!("{cols}x{rows}, TERM={term}, COLORTERM={}", std::env::var("COLORTERM").unwrap_or_default());
    if cols < 80 || rows < 24 {
        return Finding::new(
            "terminal",
            Health::Weak,
            &found,
            "the board needs at least 80x24: enlarge the window",
        );
    }
    if term.is_empty() || term == "dumb" {
        return Finding::new(
            "terminal",
            Health::Broken,
            &found,
            "set TERM to what your terminal is, as xterm-256color",
        );
    }
    Finding::new("terminal", Health::Good, &found, "")
}

fn folders(paths: &Paths) -> Vec<Finding> {
    [("config", &paths.config), ("data", &paths.data), ("runtime", &paths.runtime)]
        .into_iter()
        .map(|(what, folder)| folder_finding(what, folder))
        .collect()
}

fn folder_finding(what: &'static str, folder: &Path) -> Finding {
    let found = folder.to_string_lossy();
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    match std::fs::write(&probe, "x").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Finding::new(what, Health::Good, &found, ""),
        Err(error) => Finding::new(
            what,
            Health::Broken,
            &format!("{found}: {error}"),
            "make it writable for you, free some space, or set NOPEEK_HOME to another folder",
        ),
    }
}

fn user_config(paths: &Paths) -> Finding {
    match crate::config::user::UserConfig::load(paths) {
        Ok(_) => Finding::new("settings", Health::Good, "can be read", ""),
        Err(error) => Finding::new("settings", Health::Broken, &error.to_string(), &error.remedy()),
    }
}

/// The file is named even if it is not there: it is where to write a price.
fn prices_file(paths: &Paths) -> Finding {
    let file = prices::file(paths);
    match prices::load(paths) {
        Ok(all) if file.exists() => {
            let found = format!("{}, {} first", counted(all.len(), "model"), file.display());
            Finding::new("prices", Health::Good, &found, "")
        }
        Ok(all) => {
            let found = format!("{} built in; yours go into {}", counted(all.len(), "model"), file.display());
            Finding::new("prices", Health::Good, &found, "")
        }
        Err(error) => Finding::new("prices", Health::Broken, &error.to_string(), &error.remedy()),
    }
}

/// Whether all of the ledger can be read, and what there is to go back to.
fn ledger(paths: &Paths) -> Vec<Finding> {
    let path = paths.ledger();
    let read = match backup::sound(&path) {
        Ok(facts) => {
            Finding::new("ledger", Health::Good, &format!("{}, all can be read", counted(facts, "fact")), "")
        }
        Err(StoreError::Missing(_)) => {
            return vec![Finding::new("ledger", Health::Good, "none yet: nothing was decided", "")];
        }
        Err(error @ StoreError::Busy(_)) => {
            Finding::new("ledger", Health::Weak, &error.to_string(), &error.remedy())
        }
        Err(error) => Finding::new("ledger", Health::Broken, &error.to_string(), &error.remedy()),
    };
    vec![read, backups(&path, Time(Clock::start().now_ms()))]
}

fn backups(ledger: &Path, now: Time) -> Finding {
    let (all, folder) = (backup::list(ledger), backup::folder(ledger));
    // One of a time to come was made by a clock that was wrong.
    let newest = all.iter().find(|backup| backup.at <= now).or(all.first());
    let mut found = match newest {
        None => format!("none yet; one is made each day in {}", folder.display()),
        Some(newest) => {
            let ago = crate::values::words::duration::short(now.since(newest.at));
            format!("newest {ago} old, {} kept in {}", all.len(), folder.display())
        }
    };
    if let Some(failure) = backup::failure(ledger) {
        found = format!("{found}; the last one failed at {}: {}", moment(failure.at), failure.what);
        return Finding::new("back-ups", Health::Weak, &found, &failure.remedy);
    }
    if newest.is_some_and(|newest| now.since(newest.at) > BACKUP_OLD) {
        return Finding::new("back-ups", Health::Weak, &found, "the daemon makes one each day while it runs");
    }
    Finding::new("back-ups", Health::Good, &found, "")
}

/// Ways of telling people that did not work the last time.
fn notices(paths: &Paths) -> Vec<Finding> {
    let failed = crate::daemon::failures(paths).into_iter().map(|failure| {
        let found = format!("the {} failed at {}: {}", failure.way, moment(failure.at), failure.what);
        Finding::new("notices", Health::Weak, &found, "see [notice] in config.toml; try its command by hand")
    });
    failed.collect()
}

fn daemon_and_agents() -> Vec<Finding> {
    let mut talk = match Talk::open() {
        Ok(talk) => talk,
        Err(error) => return vec![Finding::new("daemon", Health::Broken, error.what(), error.remedy())],
    };
    let mut findings = Vec::new();
    match daemon::ask(&mut talk) {
        Ok(status) => {
            let jobs = counted(status.jobs, "live job");
            let found = format!("process {}, version {}, {jobs}", status.pid, status.version);
            let same = status.version == env!("CARGO_PKG_VERSION");
            let (health, remedy) = if same {
                (Health::Good, "")
            } else {
                (Health::Weak, "`nopeek daemon restart` takes this version; agents go on")
            };
            findings.push(Finding::new("daemon", health, &found, remedy));
        }
        Err(error) => findings.push(Finding::new("daemon", Health::Broken, error.what(), error.remedy())),
    }
    match agents::ask(&mut talk) {
        Ok(agents) => {
            let found: Vec<&str> = agents
                .iter()
                .filter(|agent| agent.path.is_some() && agent.name != "scripted")
                .map(|agent| agent.name.as_str())
                .collect();
            findings.push(if found.is_empty() {
                Finding::new(
                    "agents",
                    Health::Weak,
                    "none is on PATH",
                    "install one, as claude, codex, opencode or aider; `nopeek agents` lists them",
                )
            } else {
                Finding::new("agents", Health::Good, &found.join(", "), "")
            });
        }
        Err(error) => findings.push(Finding::new("agents", Health::Broken, error.what(), error.remedy())),
    }
    findings
}

fn repo(paths: &Paths) -> Vec<Finding> {
    let Ok(folder) = std::env::current_dir() else { return Vec::new() };
    let repo = match crate::git::repo::find(&folder) {
        Ok(repo) => repo,
        Err(error) => return vec![Finding::new("repo", Health::Weak, &error.to_string(), &error.remedy())],
    };
    let target = match crate::git::repo::target(&repo, None) {
        Ok(target) => target,
        Err(error) => return vec![Finding::new("repo", Health::Weak, &error.to_string(), &error.remedy())],
    };
    let found = format!("{}, target {target}", repo.main.display());
    let mut findings = vec![Finding::new("repo", Health::Good, &found, "")];
    findings.push(match crate::git::repo::read_file(&repo.main, &target, "nopeek.toml") {
        Ok(None) => Finding::new(
            "gates",
            Health::Weak,
            "no nopeek.toml on the target: ungated",
            "`nopeek init`, then commit it",
        ),
        Ok(Some(text)) => match crate::config::repo::RepoConfig::parse(&text, "nopeek.toml") {
            Err(error) => Finding::new("gates", Health::Broken, &error.to_string(), &error.remedy()),
            Ok(config) => {
                let found = format!("{} in nopeek.toml", config.gates.len());
                let trusted = trust::check(paths, &repo.main, &text) == Trust::Trusted;
                let (health, remedy) = if trusted {
                    (Health::Good, "")
                } else {
                    (Health::Broken, "read it, then `nopeek trust`")
                };
                Finding::new("gates", health, &found, remedy)
            }
        },
        Err(error) => Finding::new("gates", Health::Broken, &error.to_string(), &error.remedy()),
    });
    findings
}
