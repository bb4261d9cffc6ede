//! A person's editor, run on files with the terminal that this process has.
//!
//! Promises: it returns when the editor has ended; whoever draws on the terminal has given it away before and takes it
//! back after. Which editor: $VISUAL, else $EDITOR, else vi; the variable may hold arguments, as git reads it.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It does not start.
    #[error("can't start {editor}: {error}")]
    NotStarted {
        /// What was to start.
        editor: String,
        /// Why it does not.
        error: io::Error,
    },
    /// It ended in error: the person may have left it so on purpose.
    #[error("{editor} ended with {status}")]
    Failed { editor: String, status: ExitStatus },
}

impl EditError {
    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotStarted { .. } => "set EDITOR",
            Self::Failed { .. } => "nothing was committed",
        }
    }
}

/// Runs the editor on `files` and waits for its end; whether any of them is another one now.
pub fn edit(files: &[PathBuf]) -> Result<bool, EditError> {
    let read = || files.iter().map(|file| std::fs::read(file).ok()).collect::<Vec<_>>();
    let set = |name: &&str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = ["VISUAL", "EDITOR"].iter().find_map(set).unwrap_or_else(|| "vi".to_owned());
    let before = read();
    let run = Command::new("sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).args(files).status();
    match run {
        Err(error) => Err(EditError::NotStarted { editor, error }),
        Ok(status) if !status.success() => Err(EditError::Failed { editor, status }),
        Ok(_) => Ok(read() != before),
    }
}
