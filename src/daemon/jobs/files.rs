//! The files that the daemon keeps in a job's directory, beside the keeper's own (`wire::keeper`).
//!
//! `spec.json` is what the keeper runs; `profile.json` how the agent is listened to; `prompt` what is still to be
//! typed; `fed` how much of the spool the emulator has been fed, so that after a restart the replies to old
//! queries are not sent twice.

use super::plan::Planned;
use crate::agents::profile::Profile;
use crate::wire::keeper::ExitFile;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A job's directory.
#[derive(Clone, Debug)]
pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// Which sizes its terminal had (`sizes`).
    pub(super) fn sizes(&self) -> PathBuf {
        self.dir.join("sizes")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Whether a keeper has written who it is: the child has run.
    pub(super) fn has_keeper(&self) -> bool {
        self.dir.join("keeper.json").exists()
    }

    /// Whether the job was written down to be started.
    pub(super) fn has_spec(&self) -> bool {
        self.dir.join("spec.json").exists()
    }

    /// How the job ended, if it has.
    pub(super) fn exit(&self) -> Option<ExitFile> {
        let bytes = std::fs::read(self.dir.join("exit.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes down, in the keeper's stead and under its lock, that the job never ran.
    pub(super) fn not_started(&self, error: &str) -> io::Result<()> {
        self.put("exit.json", &serde_json::to_vec(&ExitFile::NotStarted { error: error.to_owned() })?)
    }

    /// Writes down what is to be run: last of all the spec, so that a job with a spec is complete.
    pub(super) fn write(&self, planned: &Planned) -> io::Result<()> {
        let Planned { spec, profile, typed, prompt_file } = planned;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        if let Some(profile) = profile {
            self.put("profile.json", &serde_json::to_vec(profile)?)?;
        }
        if let Some(typed) = typed {
            self.put("prompt", typed.as_bytes())?;
        }
        if let Some((path, prompt)) = prompt_file {
            if let Some(dir) = path.parent() {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            }
            std::fs::write(path, prompt)?;
        }
        self.put("spec.json", &serde_json::to_vec(spec)?)
    }

    /// How the agent is listened to; none for gates and hooks.
    pub(super) fn profile(&self) -> Option<Profile> {
        serde_json::from_slice(&std::fs::read(self.dir.join("profile.json")).ok()?).ok()
    }

    /// What is still to be typed.
    pub(super) fn prompt(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("prompt")).ok()
    }

    /// The prompt is being typed: never again.
    pub(super) fn prompt_typed(&self) {
        if let Err(error) = std::fs::rename(self.dir.join("prompt"), self.dir.join("prompt.typed")) {
            tracing::warn!(%error, dir = %self.dir.display(), "can't remember that the prompt was typed");
        }
    }

    /// How far the spool has been fed, and where to say so.
    pub(super) fn fed(&self) -> Fed {
        let path = self.dir.join("fed");
        let file =
            File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path).ok();
        let mut bytes = [0; 8];
        let read = file.as_ref().is_some_and(|file| file.read_exact_at(&mut bytes, 0).is_ok());
        Fed { file, before: if read { u64::from_le_bytes(bytes) } else { 0 } }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.dir.join(format!("{name}.new"));
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        std::fs::rename(&new, self.dir.join(name))
    }
}

/// How far a spool has been fed: outlives the daemon, not the machine.
#[derive(Debug, Default)]
pub(super) struct Fed {
    file: Option<File>,
    /// How far an earlier daemon was.
    pub(super) before: u64,
}

impl Fed {
    pub(super) fn say(&self, offset: u64) {
        if let Some(file) = &self.file {
            // Lost on a full disk: then a query may be answered twice after a restart, no more.
            let _ = file.write_all_at(&offset.to_le_bytes(), 0);
        }
    }
}
