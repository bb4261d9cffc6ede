//! Git's operations on real repos in temporary folders.

mod archives;
mod changes;
mod endings;
mod landings;
mod merges;
mod reads;
mod worktrees;

use super::command::git;
use super::repo;
use crate::values::ids::Oid;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A repo with one commit on `main`, and room beside it for worktrees.
struct Lab {
    folder: TempDir,
    main: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().canonicalize().unwrap().join("repo");
        fs::create_dir(&main).unwrap();
        let lab = Self { folder, main };
        lab.git(&["init", "-q", "-b", "main"]);
        lab.git(&["config", "user.name", "Ada"]);
        lab.git(&["config", "user.email", "ada@example.com"]);
        lab.commit("a.txt", "one\ntwo\nthree\n");
        lab
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("worktrees").join(name)
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.main, args).unwrap().trim().to_owned()
    }

    fn write(&self, file: &str, text: &str) {
        write(&self.main, file, text);
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.main.join(file)).unwrap()
    }

    /// Commits a file on the branch that the main checkout is on.
    fn commit(&self, file: &str, text: &str) -> Oid {
        commit(&self.main, file, text)
    }

    fn tip(&self, branch: &str) -> Oid {
        repo::tip(&self.main, branch).unwrap()
    }

    fn status(&self) -> String {
        self.git(&["status", "--porcelain"])
    }

    /// A branch off `main` with commits made by `work` in a worktree that is then taken away.
    fn branch(&self, name: &str, work: impl FnOnce(&Path)) -> Oid {
        let place = self.place(&format!("making-{}", name.replace('/', "-")));
        self.git(&["worktree", "add", "-q", "-b", name, place.to_str().unwrap(), "main"]);
        work(&place);
        git(&place, &["add", "--all"]).unwrap();
        git(&place, &["commit", "-q", "--allow-empty", "-m", name]).unwrap();
        self.git(&["worktree", "remove", "--force", place.to_str().unwrap()]);
        self.tip(name)
    }
}

fn write(place: &Path, file: &str, text: &str) {
    let file = place.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn commit(place: &Path, file: &str, text: &str) -> Oid {
    write(place, file, text);
    git(place, &["add", "--all"]).unwrap();
    git(place, &["commit", "-q", "-m", file]).unwrap();
    Oid::new(git(place, &["rev-parse", "HEAD"]).unwrap().trim()).unwrap()
}
