//! `nopeek spec edit`: a spec or a plan that waits for approval, in your editor.

use super::super::error::{CliError, NOT_NOW};
use super::super::talk::Talk;
use crate::git;
use crate::os::editor;
use crate::wire::client::Act;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Change a spec or a plan that waits for your approval, in $VISUAL or $EDITOR; it is then checked again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The spec's name, or its number as s3.
    spec: String,
    /// Print the spec as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let spec = super::find(&mut talk, &args.spec)?;
    let not_now = |why: &str| {
        let what = format!(
            "nothing of {} can be edited now: its stage is {}",
            spec.line.name,
            spec.line.stage.label()
        );
        CliError::new(NOT_NOW, what, why)
    };
    let (task, files) = spec
        .editable()
        .ok_or_else(|| not_now("a spec and its plan can be edited while they wait for approval"))?;
    let view = talk.task(&task.to_string())?;
    let work = view.work().ok_or_else(|| not_now(""))?;
    let place = work.worktree.clone().ok_or_else(|| not_now("its worktree is gone"))?;
    let paths: Vec<PathBuf> = files.iter().map(|file| place.join(file)).collect();
    editor::edit(&paths).map_err(|error| CliError::world(error.to_string(), error.remedy()))?;
    commit(&place, &work.branch).map_err(|error| CliError::world(error.to_string(), error.remedy()))?;
    talk.act(&task.to_string(), Act::Regate)?;
    super::tell(&mut talk, &spec.line.id.to_string(), args.json)
}

/// Commits what a person has edited in a worktree.
pub(in crate::cli) fn commit(place: &Path, branch: &str) -> Result<(), git::GitError> {
    git::worktree::commit_leftovers(place, branch, "Edited by hand").map(drop)
}
