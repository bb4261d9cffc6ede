//! `nopeek diff`: what an attempt changes, as a unified diff.

use super::error::CliError;
use super::print::{self, Paint};
use super::talk::Talk;
use crate::core::model::diff::{Diff, DiffKind, FileDiff, FileStatus, Hunk};
use crate::values::words::count;
use crate::values::words::plural::counted;
use crate::wire::client::{Reply, Request};
use std::process::ExitCode;

/// Show what a task's attempt changes against its merge base with the target.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The task's name, or its number as t12.
    task: String,
    /// Which attempt; the newest if none is given.
    #[arg(long, value_name = "N", value_parser = count::limit, allow_negative_numbers = true)]
    attempt: Option<u32>,
    /// Files and counts alone.
    #[arg(long)]
    stat: bool,
    /// Print the diff as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut talk = Talk::open()?;
    let request = Request::Diff { task: talk.named(&args.task), attempt: args.attempt };
    let diff = match talk.ask(request)? {
        Reply::Diff(diff) => diff,
        other => return Err(CliError::odd(&other)),
    };
    if args.json {
        print::json(&diff)?;
    } else if args.stat {
        print_stat(&diff)?;
    } else {
        diff.files.iter().try_for_each(print_file)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_stat(diff: &Diff) -> Result<(), CliError> {
    for file in &diff.files {
        let counts = format!(
            "{} {}",
            Paint::Green.on(&format!("+{}", file.added)),
            Paint::Red.on(&format!("-{}", file.removed))
        );
        print::line(&format!("{} {} {counts}", letter(file.status), file.path))?;
    }
    let stat = diff.stat;
    print::line(&format!(
        "{}, +{} -{}, {}",
        counted(stat.files, "file"),
        stat.added,
        stat.removed,
        counted(diff.commits.len(), "commit")
    ))
}

const fn letter(status: FileStatus) -> char {
    match status {
        FileStatus::Added => 'A',
        FileStatus::Deleted => 'D',
        FileStatus::Modified => 'M',
        FileStatus::Renamed => 'R',
        FileStatus::TypeChanged => 'T',
    }
}

fn print_file(file: &FileDiff) -> Result<(), CliError> {
    let old = file.old_path.as_ref().unwrap_or(&file.path);
    let none = "/dev/null".to_owned();
    let from = if file.status == FileStatus::Added { none.clone() } else { format!("a/{old}") };
    let to = if file.status == FileStatus::Deleted { none } else { format!("b/{}", file.path) };
    print::line(&Paint::Bold.on(&format!("diff --git a/{old} b/{}", file.path)))?;
    print::line(&Paint::Bold.on(&format!("--- {from}")))?;
    print::line(&Paint::Bold.on(&format!("+++ {to}")))?;
    if file.binary {
        print::line("(not text)")?;
    }
    file.hunks.iter().try_for_each(print_hunk)?;
    if file.cut {
        print::line("(more lines were left out)")?;
    }
    Ok(())
}

fn print_hunk(hunk: &Hunk) -> Result<(), CliError> {
    let count = |other| hunk.lines.iter().filter(|line| line.kind != other).count();
    let (old, new) = (count(DiffKind::Added), count(DiffKind::Removed));
    let head = format!("@@ -{},{old} +{},{new} @@ {}", hunk.old_start, hunk.new_start, hunk.section);
    print::line(&Paint::Cyan.on(head.trim_end()))?;
    for line in &hunk.lines {
        let (sign, paint) = match line.kind {
            DiffKind::Context => (' ', Paint::Plain),
            DiffKind::Added => ('+', Paint::Green),
            DiffKind::Removed => ('-', Paint::Red),
        };
        print::line(&paint.on(&format!("{sign}{}", line.text)))?;
    }
    Ok(())
}
