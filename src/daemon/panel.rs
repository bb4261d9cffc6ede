//! The panel's requests: who votes is looked up in the repo's trusted config by a worker; the rules let them vote.

use super::commands::find;
use super::launch::{git_refusal, refusal, trusted_config};
use super::message::{FromWorld, ReplyTo};
use super::workers::{Lane, Workers};
use crate::config::panel::standard;
use crate::core::engine::Engine;
use crate::core::model::event::Command;
use crate::core::model::panel::PanelCommand;
use crate::core::model::panel::question::{Panel, TradeOff};
use crate::core::views::panel;
use crate::git;
use crate::os::paths::Paths;
use crate::values::ids::PanelId;
use crate::wire::client::{Refusal, RefusalKind, Reply, TaskRef};
use std::path::{Path, PathBuf};

/// Most polls of one answer.
const POLLS_MAX: usize = 200;

/// Puts a question to the panel of a task's repo, or of a folder's; a worker looks up who votes.
pub(super) fn put(
    workers: &mut Workers,
    reply: ReplyTo,
    engine: &Engine,
    (folder, task): (Option<PathBuf>, Option<&TaskRef>),
    question: TradeOff,
) {
    let task = match task.map(|task| find(engine, task)).transpose() {
        Ok(task) => task,
        Err(refusal) => return reply.answer(Err(refusal)),
    };
    let home = task.and_then(|task| engine.home(task));
    let home = home.map(|(repo, target)| (repo.to_owned(), Some(target.to_owned())));
    let Some((folder, target)) = home.or_else(|| folder.map(|folder| (folder, None))) else {
        return reply.answer(Err(refusal(
            RefusalKind::BadInput,
            "the question has neither a repo nor a task: nobody would vote on it",
            "stand in a repo, or name a task",
        )));
    };
    let work = move |paths: &Paths| {
        let (repo, panel) = find_panel(paths, &folder, target.as_deref())?;
        let (question, panel) = (Box::new(question), Box::new(panel));
        Ok(Box::new(Command::Panel(PanelCommand::Put { repo, task, question, panel })))
    };
    workers.look_up(Lane::Read, work, |result| FromWorld::Voting { reply, result });
}

/// Answers with who votes in a folder's repo.
pub(super) fn personas(workers: &mut Workers, reply: ReplyTo, folder: PathBuf) {
    workers.answer(Lane::Read, reply, move |paths| {
        find_panel(paths, &folder, None).map(|(_, panel)| Reply::Personas(Box::new(panel)))
    });
}

/// Polls of a repo, a task, or all, newest first.
pub(super) fn polls(
    engine: &Engine,
    repo: Option<&Path>,
    task: Option<&TaskRef>,
    limit: u32,
) -> Result<Reply, Refusal> {
    let task = task.map(|task| find(engine, task)).transpose()?;
    let limit = (limit as usize).min(POLLS_MAX);
    Ok(Reply::Panels(panel::pick(engine.panels(), repo, task, limit)))
}

/// One poll.
pub(super) fn poll(engine: &Engine, id: PanelId) -> Result<Reply, Refusal> {
    engine.panels().get(id).map(|poll| Reply::Panel(Box::new(poll.clone()))).ok_or_else(|| {
        let what = format!("there is no vote {id}");
        refusal(RefusalKind::NotFound, what, "`nopeek panel ls` shows them; older ones are in the ledger")
    })
}

/// The repo of a folder, and its panel as the target's trusted config has it.
fn find_panel(paths: &Paths, folder: &Path, target: Option<&str>) -> Result<(PathBuf, Panel), Refusal> {
    let repo = git::repo::find(folder).map_err(git_refusal)?;
    let first = git::repo::target(&repo, target).map_err(git_refusal)?;
    let mut file = trusted_config(paths, &repo.main, &first)?;
    // The target says which nopeek.toml counts, and that file may name another target: looked up once more then.
    if let (None, Some(named)) = (target, file.target.clone().filter(|named| *named != first)) {
        let second = git::repo::target(&repo, Some(&named)).map_err(git_refusal)?;
        file = trusted_config(paths, &repo.main, &second)?;
    }
    Ok((repo.main, file.panel.unwrap_or_else(standard)))
}
