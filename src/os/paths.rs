//! Where nopeek's files live. `NOPEEK_HOME` puts all of them below one folder.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The folders of one user; made with mode 0700 when they are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What people write: `config.toml`, `keymap.toml`, `themes/`.
    pub config: PathBuf,
    /// What nopeek keeps: the ledger, jobs, worktrees, logs.
    pub data: PathBuf,
    /// The daemon's socket and lock.
    pub runtime: PathBuf,
}

/// A folder that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// The user has no home.
    #[error("no home folder is known: set HOME or NOPEEK_HOME")]
    NoHome,
    /// A folder can't be made.
    #[error("can't make the folder {}: {source}", path.display())]
    Make { path: PathBuf, source: io::Error },
    /// A folder belongs to somebody else.
    #[error("the folder {} belongs to another user: nothing is put there", path.display())]
    NotOurs { path: PathBuf },
}

impl Paths {
    /// Finds and makes them: below `$NOPEEK_HOME` if that is set, else where the platform wants them.
    pub fn find() -> Result<Self, PathsError> {
        if let Some(home) = std::env::var_os("NOPEEK_HOME").filter(|home| !home.is_empty()) {
            return Self::below(Path::new(&home));
        }
        let dirs = directories::ProjectDirs::from("", "", "nopeek").ok_or(PathsError::NoHome)?;
        let data = dirs.data_local_dir().to_owned();
        let runtime = dirs.runtime_dir().map_or_else(|| data.join("run"), Path::to_owned);
        Self { config: dirs.config_dir().to_owned(), data, runtime }.made()
    }

    /// All of them below `home`.
    pub fn below(home: &Path) -> Result<Self, PathsError> {
        let home =
            std::path::absolute(home).map_err(|source| PathsError::Make { path: home.to_owned(), source })?;
        Self { config: home.join("config"), data: home.join("data"), runtime: home.join("run") }.made()
    }

    fn made(self) -> Result<Self, PathsError> {
        for folder in [&self.config, &self.data, &self.runtime] {
            private(folder)?;
        }
        for folder in [self.jobs(), self.worktrees()] {
            private(&folder)?;
        }
        Ok(self)
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("nopeek.sock")
    }

    /// Held by the daemon as long as it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.runtime.join("nopeek.lock")
    }

    /// Held by every git that a daemon has started, as long as it lives.
    #[must_use]
    pub fn git_lock(&self) -> PathBuf {
        self.data.join("git.lock")
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// The folders of all jobs.
    #[must_use]
    pub fn jobs(&self) -> PathBuf {
        self.data.join("jobs")
    }

    /// The folder of one job, by its number.
    #[must_use]
    pub fn job(&self, number: u64) -> PathBuf {
        self.jobs().join(number.to_string())
    }

    /// The worktrees of all repos.
    #[must_use]
    pub fn worktrees(&self) -> PathBuf {
        self.data.join("worktrees")
    }

    /// The daemon's log; never content of a screen.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// Which repos' `nopeek.toml` may run commands.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.data.join("trust.json")
    }
}

/// Makes a folder that only its user can enter; refuses one of somebody else.
fn private(folder: &Path) -> Result<(), PathsError> {
    let fail = |source| PathsError::Make { path: folder.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
    let meta = std::fs::metadata(folder).map_err(fail)?;
    if meta.uid() != rustix::process::getuid().as_raw() {
        return Err(PathsError::NotOurs { path: folder.to_owned() });
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_folders_are_private_and_below_home() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        for folder in [&paths.config, &paths.data, &paths.runtime, &paths.jobs(), &paths.worktrees()] {
            assert!(folder.starts_with(home.path()));
            assert_eq!(std::fs::metadata(folder).unwrap().mode() & 0o777, 0o700, "{}", folder.display());
        }
    }
}
