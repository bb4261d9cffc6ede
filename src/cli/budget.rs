//! `nopeek budget`: what may be used, what was, and allowing more.

use super::error::{CliError, NOT_FOUND};
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::model::budget::{Allowance, BudgetCommand, Scope};
use crate::core::model::event::Command;
use crate::core::views::budget::{BudgetView, ScopeView};
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::{duration, money, tokens};
use crate::wire::client::{Act, Reply, Request};
use std::process::ExitCode;

/// Show what may be used and what was, or allow more.
///
/// Unknown use is shown as `?`, never as zero.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Raise(Raise),
}

/// Allow a task, a batch or today more; what was paused for it goes on.
#[derive(Debug, clap::Args)]
struct Raise {
    /// A task, a batch, or `day`: today, in this repo.
    what: String,
    /// More money, as $2 or 0.50.
    #[arg(long, value_name = "MONEY", value_parser = money::limit, allow_hyphen_values = true)]
    cost: Option<u64>,
    /// More tokens, as 50000, 500k or 2M.
    #[arg(long, value_name = "N", value_parser = tokens::limit, allow_hyphen_values = true)]
    tokens: Option<u64>,
    /// More time, as 90s, 1h30m or 1d.
    #[arg(long, value_name = "TIME", value_parser = duration::limit, allow_hyphen_values = true)]
    time: Option<Span>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    if let Some(What::Raise(raise)) = &args.what {
        raised(&mut talk, raise)?;
        return Ok(ExitCode::SUCCESS);
    }
    let view = budgets(&mut talk)?;
    if args.json {
        print::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    if view.scopes.is_empty() {
        print::line("no budget is set, and nothing was used: see [budget] in docs/config.md")?;
    }
    for scope in &view.scopes {
        print_scope(scope)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn budgets(talk: &mut Talk) -> Result<BudgetView, CliError> {
    match talk.ask(Request::Budget)? {
        Reply::Budget(view) => Ok(view),
        other => Err(CliError::odd(&other)),
    }
}

fn raised(talk: &mut Talk, raise: &Raise) -> Result<(), CliError> {
    let by = Allowance { cost_microusd: raise.cost, tokens: raise.tokens, time: raise.time };
    let scope = if raise.what == "day" {
        let repo = talk.repo().ok_or_else(|| {
            CliError::new(NOT_FOUND, "this folder is in no repo", "stand in the repo whose day is meant")
        })?;
        Some(Scope::Day(repo.to_owned()))
    } else {
        let view = budgets(talk)?;
        let batch = view.scopes.iter().any(|scope| scope.kind == "batch" && scope.name == raise.what);
        batch.then(|| Scope::Batch(raise.what.clone()))
    };
    match scope {
        Some(scope) => {
            let command = Command::Budget(BudgetCommand::Raise { scope, by });
            talk.ask(Request::Command(command)).map(drop)
        }
        None => talk.act(&raise.what, Act::RaiseBudget(by)),
    }
}

fn print_scope(scope: &ScopeView) -> Result<(), CliError> {
    let bar = scope.percent.map_or_else(String::new, |percent| format!(" {} {percent} %", bar(percent)));
    let paint = if scope.closed { Paint::Bold } else { Paint::Faint };
    let name = Paint::Bold.on(Shown::line(&scope.name).as_str());
    print::line(&format!("{:<8}{name}{}", scope.kind, paint.on(&bar)))?;
    for line in used(scope) {
        print::line(&format!("        {line}"))?;
    }
    if scope.closed {
        print::line(&format!("        {}: nothing new starts", scope.why))?;
    }
    Ok(())
}

/// A line for money, for tokens and for time, as `$1.20 + ? of $20.00`.
fn used(scope: &ScopeView) -> Vec<String> {
    let (used, allowed) = (&scope.used, &scope.allowed);
    let known = |known: u64, unknown: u32, words: String| match (known, unknown) {
        (0, 1..) => "?".to_owned(),
        (_, 0) => words,
        (_, 1..) => format!("{words} + ?"),
    };
    let of = |limit: Option<String>| limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let cost =
        known(used.cost_microusd, used.cost_unknown + used.cost_awaited, money::short(used.cost_microusd));
    let read = known(used.tokens, used.tokens_unknown + used.tokens_awaited, tokens::short(used.tokens));
    vec![
        format!("cost   {cost}{}", of(allowed.cost_microusd.map(money::exact))),
        format!("tokens {read}{}", of(allowed.tokens.map(tokens::exact))),
        format!("time   {}{}", duration::short(used.time), of(allowed.time.map(duration::exact))),
    ]
}

/// Twenty cells.
fn bar(percent: u32) -> String {
    let full = usize::try_from(percent / 5).unwrap_or(20).min(20);
    format!("{}{}", "█".repeat(full), "░".repeat(20 - full))
}
