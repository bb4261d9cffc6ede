//! `nopeek spec edit`: a spec or a plan that waits for approval, in your editor.

use super::super::error::{CliError, NOT_NOW};
use super::super::talk::Talk;
use crate::core::spec_view::SpecStage;
use crate::git;
use crate::wire::client::Act;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

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
        let what =
            format!("nothing of {} can be edited now: it is {}", spec.line.name, spec.line.stage.label());
        CliError::new(NOT_NOW, what, why)
    };
    let (task, files): (_, Vec<String>) = match spec.line.stage {
        SpecStage::SpecReady => (spec.line.draft, vec![spec.path.clone()]),
        SpecStage::PlanReady => {
            (spec.line.plan, spec.phases.iter().flatten().map(|phase| phase.file.clone()).collect())
        }
        SpecStage::Drafting
        | SpecStage::Planning
        | SpecStage::Building
        | SpecStage::Soaking
        | SpecStage::Stuck
        | SpecStage::Stopped
        | SpecStage::Done => {
            return Err(not_now("a spec and its plan can be edited while they wait for approval"));
        }
    };
    let task = task.ok_or_else(|| not_now(""))?;
    let view = talk.task(&task.to_string())?;
    let work = view.work().ok_or_else(|| not_now(""))?;
    let place = work.worktree.clone().ok_or_else(|| not_now("its worktree is gone"))?;
    let paths: Vec<PathBuf> = files.iter().map(|file| place.join(file)).collect();
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|e| !e.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git does it: the variable may hold arguments.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg(&editor)
        .args(&paths)
        .status()
        .map_err(|error| CliError::world(format!("can't start {editor}: {error}"), "set EDITOR"))?;
    if !status.success() {
        return Err(CliError::world(format!("{editor} ended with {status}"), "nothing was committed"));
    }
    git::worktree::commit_leftovers(&place, &work.branch, "Edited by hand")
        .map_err(|error| CliError::world(error.to_string(), error.remedy()))?;
    talk.act(&task.to_string(), Act::Regate)?;
    super::tell(&mut talk, &spec.line.id.to_string(), args.json)
}
