//! The end of an attempt: whether a fresh one follows, or a human must decide.

use crate::core::model::agent::Exit;
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::{AttemptResult, Start};
use crate::core::model::fact::Fact;
use crate::core::model::job::Ending;
use crate::core::model::notice::NoticeKind;
use crate::core::model::task::Stage;
use crate::core::rules::assignment;
use crate::core::rules::step::Step;
use crate::values::ids::AttemptId;
use crate::values::text::Shown;

/// The attempt is over and only a human can say what next.
pub(in crate::core) fn give_up(step: &mut Step<'_>, id: AttemptId, result: AttemptResult, why: Shown) {
    let open = |task: &crate::core::model::task::Task| task.open().is_some_and(|a| a.id == id);
    if step.state.tasks.get(&id.task).is_some_and(|task| task.stage == Stage::Trying && open(task)) {
        step.fact(Fact::AttemptOver { attempt: id, result });
        step.notice(id.task, NoticeKind::NeedsYou, why.as_str());
        step.fact(Fact::Stuck { task: id.task, why });
    }
}

/// The attempt is over; a fresh one follows unless the limit is reached.
pub(in crate::core) fn next(step: &mut Step<'_>, id: AttemptId, result: AttemptResult, note: &str) {
    step.fact(Fact::AttemptOver { attempt: id, result });
    let Some(task) = step.state.tasks.get(&id.task) else { return };
    let part = task.attempts.iter().find(|a| a.id == id).map(|a| a.part).unwrap_or_default();
    let used = assignment::tries(task, part);
    let has_work = task.work().and_then(|a| a.read.as_ref()).is_some_and(|read| read.commits > 0);
    let granted = if part == AttemptKind::Work { task.granted } else { 0 };
    if used < assignment::tries_max(task, part).saturating_add(granted) {
        let start = if has_work { Start::Previous } else { Start::Target };
        step.fact(Fact::Requeued { task: id.task, start, note: note.to_owned(), granted: false, part });
    } else {
        let what = if part == AttemptKind::Work { "attempt" } else { "second review" };
        let tries = if used == 1 { format!("its {what} is") } else { format!("all {used} {what}s are") };
        let why = Shown::line(&format!("{tries} used up, the last one: {}", result.label()));
        if !step.state.benches.speaks_for(task.launch.assignment.bench, id.task) {
            step.notice(id.task, NoticeKind::NeedsYou, why.as_str());
        }
        step.fact(Fact::Stuck { task: id.task, why });
    }
}

/// The agent has ended and its branch was read: are there gates to run, or is the attempt over already?
pub(in crate::core) fn over_before_gates(
    exit: Exit,
    ending: Option<Ending>,
    said_failed: bool,
    commits: u32,
) -> Option<(AttemptResult, &'static str)> {
    match (ending, exit) {
        (Some(Ending::Time), _) => Some((
            AttemptResult::TimedOut,
            "The previous attempt ran into its time limit. What it committed is on your branch. Take the shortest way to the goal.",
        )),
        (Some(Ending::Silence), _) => Some((
            AttemptResult::TimedOut,
            "The previous attempt fell silent and was ended. What it committed is on your branch. Avoid commands that wait or never return.",
        )),
        (Some(Ending::Budget), _) => Some((
            AttemptResult::OverBudget,
            "The previous attempt used up its budget and was ended. What it committed is on your branch. Take the cheapest way to the goal.",
        )),
        (Some(Ending::Failed), _) => {
            Some((AttemptResult::Failed, "The previous attempt failed before it was done."))
        }
        (None, exit) if !exit.is_ok() || said_failed => {
            Some((AttemptResult::Failed, "The previous attempt failed before it was done."))
        }
        _ if commits == 0 => Some((
            AttemptResult::NoWork,
            "The previous attempt ended without a change. Do the work, and commit it on the current branch.",
        )),
        _ => None,
    }
}
