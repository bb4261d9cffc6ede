//! Rules of the panel: who may ask it, what it says, and what a human says where it does not decide.

#[cfg(test)]
mod tests;
pub mod vote;

use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::panel::question::{self, Panel, TradeOff};
use crate::core::model::panel::{POLLS_OF_TASK_MAX, PanelCommand, PanelFact, Poll, WAITING_MAX};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::outer::panel::vote::vote;
use crate::core::rules::lookup::{get, is_ended, not_now};
use crate::core::rules::polls::waits;
use crate::core::rules::step::Step;
use crate::values::ids::{PanelId, TaskId};
use crate::values::text::Shown;
use std::path::PathBuf;

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: PanelCommand) -> Result<(), Refused> {
    match command {
        PanelCommand::Put { repo, task, question, panel } => put(step, repo, task, question, panel),
        PanelCommand::Settle { id, option, why } => settle(step, id, &option, &why),
    }
}

pub(in crate::core) fn put(
    step: &mut Step<'_>,
    repo: PathBuf,
    task: Option<TaskId>,
    question: Box<TradeOff>,
    panel: Box<Panel>,
) -> Result<(), Refused> {
    question.check()?;
    panel.check()?;
    if let Some(id) = task {
        let of = get(step.state, id)?;
        if is_ended(&of.stage) {
            return Err(not_now(of, "ask the panel for", "ask without a task"));
        }
        if step.state.panels.all().filter(|poll| poll.task == Some(id)).count() >= POLLS_OF_TASK_MAX {
            let remedy = "it has had 100 votes, which is the limit: decide without the panel";
            return Err(not_now(of, "ask the panel for", remedy));
        }
    }
    let waiting = |poll: &&Poll| poll.repo == repo && waits(step.state, poll);
    if step.state.panels.all().filter(waiting).count() >= WAITING_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{WAITING_MAX} votes of {} wait for a human", Shown::line(&repo.to_string_lossy())),
            "decide some of them first: `nopeek panel ls` shows them",
        ));
    }
    let id = step.state.panels.next();
    let vote = Box::new(vote(&panel, &question));
    if let Some(why) = vote.asks() {
        let text = format!("the panel asks you: {id} {} ({why})", question.text);
        step.notice(task, NoticeKind::NeedsYou, text);
    }
    step.fact(Fact::Panel(PanelFact::Voted { id, repo, task, question, panel, vote }));
    Ok(())
}

fn settle(step: &mut Step<'_>, id: PanelId, option: &str, why: &str) -> Result<(), Refused> {
    let Some(poll) = step.state.panels.get(id) else {
        let what = format!("there is no vote {id}");
        return Err(Refused::new(RefusedKind::NotFound, what, "`nopeek panel ls` shows them"));
    };
    if let Some(taken) = poll.decided() {
        let what = format!("{id} is decided: {taken}");
        return Err(Refused::new(RefusedKind::NotNow, what, "put a new question"));
    }
    let names: Vec<&str> = poll.question.options.iter().map(|option| option.name.as_str()).collect();
    if !names.contains(&option) {
        let what = format!("{id} has no option {}", Shown::line(option));
        return Err(Refused::new(
            RefusedKind::BadInput,
            what,
            format!("its options are {}", names.join(", ")),
        ));
    }
    let why = Shown::line(why.trim());
    if why.is_empty() || question::too_long(&why) {
        let what = "the reason is empty or longer than 2,000 characters";
        return Err(Refused::new(RefusedKind::BadInput, what, "say in a sentence why: it is kept"));
    }
    let (task, option) = (poll.task, option.to_owned());
    step.fact(Fact::Panel(PanelFact::Decided { id, task, option, why }));
    if let Some(task) = task {
        crate::core::rules::step::goes_on(step, task);
    }
    Ok(())
}
