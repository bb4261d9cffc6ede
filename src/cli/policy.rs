//! `nopeek policy`: checks the checkout that it stands in against the policy of the target's commit.
//!
//! Its output is read by agents: a line a breach, with place, what, rule and remedy. It asks no daemon and runs nothing
//! of the repo's.

mod gitleaks;

use super::error::{BAD_INPUT, BROKEN, CliError};
use super::print;
use crate::config::repo::RepoConfig;
use crate::core::model::diff::Reading;
use crate::git::{self, GitError};
use crate::policy;
use crate::policy::rule::{Breach, Policy, Rule};
use crate::values::pattern::Pattern;
use crate::values::text::Shown;
use crate::values::words::plural::counted;
use std::process::ExitCode;

/// Most breaches that are printed: who has these fixes the rest too.
const BREACHES_MAX: usize = 40;

/// Check this checkout's work against the policy of the target.
///
/// The policy is [policy] of nopeek.toml as the target's commit has it. What is checked is all that this checkout holds
/// since it left the target: its commits, and uncommitted and untracked files. Each broken rule is one line: where, what,
/// and what to do. Exit code 8 if there is one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A path or pattern that may be changed, and nothing else may: src/**, docs/. Can be given several times.
    #[arg(long = "touch", value_name = "PATTERN")]
    touches: Vec<String>,
    /// The target branch; what nopeek.toml names or what the main checkout is on, if none is given.
    #[arg(long, value_name = "BRANCH")]
    target: Option<String>,
    /// Check what is committed alone.
    #[arg(long)]
    committed: bool,
    /// Print what is found as JSON.
    #[arg(long)]
    json: bool,
}

/// What a check came to.
#[derive(serde::Serialize)]
struct Found {
    target: Shown,
    /// Where the work leaves the target.
    base: String,
    /// How many files are changed.
    files: usize,
    breaches: Vec<ShownBreach>,
    /// What could not be asked.
    notes: Vec<Shown>,
}

/// A breach, made visible.
#[derive(serde::Serialize)]
struct ShownBreach {
    rule: Rule,
    path: Option<Shown>,
    line: Option<u32>,
    what: Shown,
    remedy: Shown,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let touches = args.touches.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>();
    let touches = touches.map_err(|error| CliError::new(BAD_INPUT, &error, error.remedy))?;
    let folder = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let refused = |error: GitError| CliError::world(&error, error.remedy());
    let place = git::changes::top(&folder).map_err(refused)?;
    let (target, policy) = policy_of(&folder, args.target.as_deref())?;
    let reading = git::changes::read(&place, &target, args.committed, &policy.migrations).map_err(refused)?;
    let mut breaches = policy::check(&policy, &touches, &reading);
    let mut notes = Vec::new();
    if policy.secrets {
        match gitleaks::ask(&policy, &reading) {
            Ok(more) => merge(&mut breaches, more),
            Err(why) => notes
                .push(Shown::line(&format!("gitleaks could not be asked ({why}): nopeek's own rules alone"))),
        }
    }
    let is_broken = !breaches.is_empty();
    let found = found(&target, &reading, breaches, notes);
    if args.json {
        print::json(&found)?;
    } else {
        report(&found)?;
    }
    Ok(ExitCode::from(if is_broken { BROKEN } else { 0 }))
}

/// The target, and the policy that its commit has.
fn policy_of(folder: &std::path::Path, wished: Option<&str>) -> Result<(String, Policy), CliError> {
    let refused = |error: GitError| CliError::world(&error, error.remedy());
    let repo = git::repo::find(folder).map_err(refused)?;
    let read = |target: &str| -> Result<RepoConfig, CliError> {
        let text = git::repo::read_file(&repo.main, target, "nopeek.toml").map_err(refused)?;
        Ok(RepoConfig::parse(&text.unwrap_or_default(), &format!("nopeek.toml on {target}"))?)
    };
    let mut target = git::repo::target(&repo, wished).map_err(refused)?;
    let mut config = read(&target)?;
    if wished.is_none()
        && let Some(named) = config.target.clone().filter(|named| *named != target)
    {
        target = git::repo::target(&repo, Some(&named)).map_err(refused)?;
        config = read(&target)?;
    }
    Ok((target, config.policy.unwrap_or_default()))
}

/// Adds what another scanner found, where our own rules are silent.
fn merge(breaches: &mut Vec<Breach>, more: Vec<Breach>) {
    for breach in more {
        let known = breaches
            .iter()
            .any(|have| have.rule == Rule::Secrets && have.path == breach.path && have.line == breach.line);
        if !known {
            breaches.push(breach);
        }
    }
}

fn found(target: &str, reading: &Reading, breaches: Vec<Breach>, notes: Vec<Shown>) -> Found {
    let shown = |breach: Breach| ShownBreach {
        rule: breach.rule,
        path: breach.path.map(|path| Shown::line(&path)),
        line: breach.line,
        what: Shown::line(&breach.what),
        remedy: Shown::line(&breach.remedy),
    };
    Found {
        target: Shown::line(target),
        base: reading.base.clone(),
        files: reading.changes.len(),
        breaches: breaches.into_iter().map(shown).collect(),
        notes,
    }
}

fn report(found: &Found) -> Result<(), CliError> {
    for note in &found.notes {
        print::complain(format_args!("{note}"));
    }
    for breach in found.breaches.iter().take(BREACHES_MAX) {
        let place = match (&breach.path, breach.line) {
            (Some(path), Some(line)) => format!("{path}:{line}: "),
            (Some(path), None) => format!("{path}: "),
            (None, _) => String::new(),
        };
        print::line(&format!("{place}{} ({}): {}", breach.what, breach.rule.label(), breach.remedy))?;
    }
    let files = counted(found.files, "file");
    match found.breaches.len() {
        0 => print::line(&format!("the policy of {} holds: {files} changed", found.target)),
        n if n > BREACHES_MAX => print::line(&format!("and {} more", n - BREACHES_MAX)),
        _ => Ok(()),
    }
}
