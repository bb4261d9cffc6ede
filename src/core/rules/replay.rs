//! Takes the facts of a ledger in, those of older forms too.
//!
//! Promises: a fact that was written by an older nopeek means what it meant then. What a newer form says beside it is filled
//! in from the state as it was at that moment, before the fact is applied; [`State::apply`] itself knows today's form alone.

use crate::core::model::fact::{Entry, Fact};
use crate::core::model::state::State;
use crate::core::rules::usage;
use crate::values::ids::TaskName;
use std::borrow::Cow;

/// Applies the fact of an entry.
pub fn take(state: &mut State, entry: &Entry) {
    let fact = todays_form(state, entry);
    state.apply(entry.at, &fact);
}

/// The fact as it would be written today.
#[must_use]
pub fn todays_form<'a>(state: &State, entry: &'a Entry) -> Cow<'a, Fact> {
    match &entry.fact {
        Fact::Forgotten { task, used: None } => {
            let used = state.tasks.get(task).map(|of| usage::of_task(state, of, entry.at));
            Cow::Owned(Fact::Forgotten { task: *task, used })
        }
        Fact::Launched { task, launch, after: None } => {
            // A name that nobody on the board had was waited for by nobody.
            let names = state.repo(&launch.repo).map(|index| &index.names);
            let of_name = |name: &TaskName| names.and_then(|names| names.get(name)).copied();
            let after = Some(launch.after.iter().filter_map(of_name).collect());
            Cow::Owned(Fact::Launched { task: *task, launch: launch.clone(), after })
        }
        fact => Cow::Borrowed(fact),
    }
}
