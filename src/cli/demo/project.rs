//! The demo's repository and its six tasks. The prompts tell a newcomer what will happen.

use super::super::error::CliError;
use super::super::launch::environment;
use crate::wire::client::RunRequest;
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use std::path::Path;

macro_rules! files {
    ($($name:literal = $source:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../assets/demo/", $source)))),*];
    };
}

files! {
    "nopeek.toml" = "nopeek.toml",
    "README.md" = "README.md",
    ".gitignore" = "gitignore",
    "lib/main.sh" = "lib/main.sh",
    "lib/menu.sh" = "lib/menu.sh",
    "lib/time.sh" = "lib/time.sh",
    "tests/run.sh" = "tests/run.sh",
    "tests/menu_test.sh" = "tests/menu_test.sh",
    "tests/time_test.sh" = "tests/time_test.sh",
    "tools/build.sh" = "tools/build.sh",
    "tools/lint.sh" = "tools/lint.sh",
    "tools/smoke.sh" = "tools/smoke.sh",
}

/// The repository's nopeek.toml.
pub(super) fn config() -> &'static str {
    FILES[0].1
}

/// A task of the demo.
struct Task {
    name: &'static str,
    prompt: &'static str,
    /// Seconds that an attempt may take.
    time: u64,
    attempts: u32,
}

const TASKS: &[Task] = &[
    Task {
        name: "pour",
        prompt: "Add pour CUPS: how much water goes into the pot.\n\n\
                 (What will happen: green at the first try. Read its diff, approve it, see it land; roll it back.)",
        time: 120,
        attempts: 3,
    },
    Task {
        name: "minutes",
        prompt: "Add spell SECONDS: a time in words, \"4 minutes\".\n\n\
                 (What will happen: its first attempt fails the unit gate, its second gets the failure and fixes it.)",
        time: 120,
        attempts: 3,
    },
    Task {
        name: "strength",
        prompt: "Add strong_seconds: how long a strong pot steeps.\n\n\
                 (What will happen: it asks you. Answer 4 or 6; its screen stays hidden.)",
        time: 120,
        attempts: 3,
    },
    Task {
        name: "menu-green",
        prompt: "Put green tea on the menu, 120 seconds.\n\n\
                 (What will happen: it conflicts with menu-herbal. Approve both: the second comes back, merged anew.)",
        time: 120,
        attempts: 3,
    },
    Task {
        name: "menu-herbal",
        prompt: "Put herbal tea on the menu, 300 seconds.\n\n\
                 (What will happen: it conflicts with menu-green. Approve both: the second comes back, merged anew.)",
        time: 120,
        attempts: 3,
    },
    Task {
        name: "perfect",
        prompt: "Write the perfect lid.\n\n\
                 (What will happen: it never ends by itself. Pause it, or let its 40 seconds run out.)",
        time: 40,
        attempts: 1,
    },
];

/// The six tasks, as they are asked for.
pub(super) fn tasks() -> Result<Vec<RunRequest>, CliError> {
    let repo = std::env::current_dir()
        .map_err(|error| CliError::world(format!("can't tell the current folder: {error}"), ""))?;
    let tasks = TASKS.iter().map(|task| RunRequest {
        repo: repo.clone(),
        name: Some(task.name.to_owned()),
        prompt: format!("{}\n\nscript: {}", task.prompt, task.name),
        agent: Some("scripted".to_owned()),
        target: None,
        attempts: Some(task.attempts),
        time_ms: Some(task.time * 1000),
        silence_ms: None,
        budget: crate::core::model::budget::Allowance::default(),
        lid: None,
        after: Vec::new(),
        env: environment(),
        by: None,
    });
    Ok(tasks.collect())
}

/// Makes the repository with one commit on `main`.
pub(super) fn write(repo: &Path) -> Result<(), CliError> {
    let failed = |error: String| {
        CliError::world(format!("can't make the demo's repository in {}: {error}", repo.display()), "")
    };
    for (name, text) in FILES {
        let file = repo.join(name);
        let folder = file.parent().unwrap_or(repo);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| failed(error.to_string()))?;
    }
    commit(repo).map_err(|error| failed(error.to_string()))
}

fn commit(folder: &Path) -> Result<(), git2::Error> {
    let repo = Repository::init_opts(folder, RepositoryInitOptions::new().initial_head("main"))?;
    // Merge commits are made in the user's name; a fresh machine may have none.
    let mut config = repo.config()?;
    config.set_str("user.name", "You")?;
    config.set_str("user.email", "you@nopeek.invalid")?;
    let mut index = repo.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repo.find_tree(index.write_tree()?)?;
    let who = Signature::now("You", "you@nopeek.invalid")?;
    repo.commit(Some("HEAD"), &who, &who, "A kettle that knows its teas", &tree, &[])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_passes_its_own_gates() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for gate in ["tools/build.sh", "tools/lint.sh", "tests/run.sh", "tools/smoke.sh"] {
            let output =
                std::process::Command::new("sh").arg(gate).current_dir(folder.path()).output().unwrap();
            assert!(output.status.success(), "{gate}: {output:?}");
        }
    }

    #[test]
    fn its_config_can_be_read() {
        let config = crate::config::repo::RepoConfig::parse(config(), "nopeek.toml").unwrap();
        assert_eq!(config.gates.len(), 4);
    }
}
