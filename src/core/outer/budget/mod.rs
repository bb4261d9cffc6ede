//! A budget: what an attempt, a task, a batch and a day may use, in money, tokens and time that agents have worked.
//!
//! Promises: what was used is summed from facts and stopwatches, never from a guess: what an agent has not told is
//! unknown, not zero. A day begins by a fact, with what had been used by then, so that a replay needs no clock.

pub mod rules;
#[cfg(test)]
mod tests;

use crate::core::model::budget::{Allowance, BudgetCommand, BudgetFact, Scope};
use crate::core::model::refused::Refused;
use crate::core::model::state::State;
use crate::core::rules::lookup;
use crate::core::rules::step::Step;
use crate::values::ids::TaskId;

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: BudgetCommand) -> Result<(), Refused> {
    match command {
        BudgetCommand::Set { repo, budget } => {
            if let Some(what) = budget.wrong() {
                return Err(rules::bad(what, "leave out what is to have no limit"));
            }
            if step.state.budgets.repos.get(&repo).and_then(|of| of.rules) != Some(*budget) {
                step.fact(crate::core::model::fact::Fact::Budget(BudgetFact::Set { repo, budget }));
            }
            Ok(())
        }
        BudgetCommand::Raise { scope, by } => raise(step, scope, by),
    }
}

fn raise(step: &mut Step<'_>, scope: Scope, by: Allowance) -> Result<(), Refused> {
    if by.is_empty() || by.has_zero() {
        return Err(rules::bad("raised by nothing", "say by how much: --cost, --tokens or --time"));
    }
    let limits = rules::limits(step.state, &scope)?;
    for (has, wants, what) in [
        (limits.cost_microusd.is_some(), by.cost_microusd.is_some(), "money"),
        (limits.tokens.is_some(), by.tokens.is_some(), "tokens"),
        (limits.time.is_some(), by.time.is_some(), "time"),
    ] {
        if wants && !has {
            let of = scope.words();
            return Err(rules::bad(
                format!("{of} does not limit {what}"),
                "nopeek budget shows what is limited",
            ));
        }
    }
    let unknown = rules::unknown(step.state, &scope, step.now);
    step.fact(crate::core::model::fact::Fact::Budget(BudgetFact::Raised { scope, by, unknown }));
    Ok(())
}

/// Gives a set of tasks of a repo a budget, by the repo's rules for batches; none if they give none.
pub fn batch_allowance(state: &State, repo: &std::path::Path) -> Option<Allowance> {
    let rules = state.budgets.repos.get(repo)?.rules?;
    Some(rules.batch).filter(|allowance| !allowance.is_empty())
}

/// The batch `batch` has a budget from now on: the repo's, if that has one for batches.
pub(in crate::core) fn open_batch(step: &mut Step<'_>, batch: &str, repo: &std::path::Path) {
    if let Some(allowance) = batch_allowance(step.state, repo) {
        let (batch, repo) = (batch.to_owned(), repo.to_owned());
        step.fact(crate::core::model::fact::Fact::Budget(BudgetFact::BatchOpened { batch, repo, allowance }));
    }
}

/// A task counts for a batch that has a budget.
pub(in crate::core) fn join_batch(step: &mut Step<'_>, batch: &str, task: TaskId) {
    if step.state.budgets.batches.contains_key(batch) && lookup::get(step.state, task).is_ok() {
        let batch = batch.to_owned();
        step.fact(crate::core::model::fact::Fact::Budget(BudgetFact::BatchJoined { batch, task }));
    }
}
