//! What a keeper is to run for a job: from the rules' plain words to argv, environment and size.

use super::super::environment;
use super::{COLS, ROWS};
use crate::agents::profile::{Order, Plan, Profile};
use crate::core::model::effect::{JobStart, JobWhat};
use crate::os::paths::Paths;
use crate::wire::keeper::{JobSpec, KEEPER_PROTOCOL};
use std::path::{Path, PathBuf};

/// All that is written into a job's directory.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) spec: JobSpec,
    pub(super) profile: Option<Profile>,
    pub(super) typed: Option<String>,
    /// A file that must be there before the agent starts, and what it holds.
    pub(super) prompt_file: Option<(PathBuf, String)>,
}

/// Plans `start`; the error names what is missing and what to do.
pub(super) fn plan(paths: &Paths, start: &JobStart) -> Result<Planned, String> {
    if !start.worktree.is_dir() {
        return Err(format!("the worktree {} is not there: retry the task", start.worktree.display()));
    }
    let kept = environment::load(paths, start.attempt.task);
    let shell = |command: &str, mut env: Vec<(String, String)>| {
        // Its output is a terminal, and nobody turns the pages.
        env.extend(
            ["PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER"].map(|name| (name.into(), "cat".into())),
        );
        Plan {
            argv: vec!["sh".to_owned(), "-c".to_owned(), command.to_owned()],
            env,
            stdin: Some(String::new()),
            ..Plan::default()
        }
    };
    let (plan, profile) = match &start.what {
        JobWhat::Setup(command) => (shell(command, Vec::new()), None),
        JobWhat::Gate { name, command } => {
            (shell(command, vec![("NOPEEK_GATE".to_owned(), name.clone())]), None)
        }
        JobWhat::Agent { profile: name, prompt, resume } => {
            let mut profiles = kept.profiles;
            let profile = match profiles.remove(name).or(kept.profile) {
                Some(profile) => profile,
                None => super::super::launch::profile(paths, &start.repo, name)?,
            };
            let (git_dir, common_dir) = git_dirs(&start.worktree);
            let plan = profile.plan(&Order {
                prompt,
                resume: resume.as_deref(),
                worktree: &start.worktree,
                scratch: &paths.job(start.job.0),
                git_dir: &git_dir,
                common_dir: &common_dir,
                nopeek: &environment::own_program(),
                attempt: start.attempt,
                runtime: &paths.runtime,
            })?;
            (plan, Some(profile))
        }
    };
    let Plan { argv, env: more, stdin, prompt_file, typed } = plan;
    let env = environment::for_job(kept.env, start.attempt, &start.worktree, &more);
    if let Some(program) = argv.first()
        && environment::find_program(&env, program).is_none()
    {
        return Err(format!(
            "{program} is not on the PATH: install it, or give its path in the agent's profile"
        ));
    }
    let spec = JobSpec {
        version: KEEPER_PROTOCOL,
        argv,
        env,
        cwd: start.worktree.clone(),
        stdin,
        rows: ROWS,
        cols: COLS,
    };
    Ok(Planned { spec, profile, typed, prompt_file })
}

/// The worktree's own git directory and the repo's: `…/.git/worktrees/NAME` and `…/.git`; `.git` if it is no worktree.
fn git_dirs(worktree: &Path) -> (PathBuf, PathBuf) {
    let dot_git = worktree.join(".git");
    let own = std::fs::read_to_string(&dot_git)
        .ok()
        .and_then(|text| text.trim_end().strip_prefix("gitdir: ").map(|dir| worktree.join(dir)));
    match own {
        Some(own) => {
            let common = match own.parent().filter(|dir| dir.ends_with("worktrees")).and_then(Path::parent) {
                Some(common) => common.to_owned(),
                None => own.clone(),
            };
            (own, common)
        }
        None => (dot_git.clone(), dot_git),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worktree_names_its_git_directories() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(git_dirs(dir.path()), (dir.path().join(".git"), dir.path().join(".git")));
        std::fs::write(dir.path().join(".git"), "gitdir: /r/.git/worktrees/x\n").unwrap();
        assert_eq!(git_dirs(dir.path()), ("/r/.git/worktrees/x".into(), "/r/.git".into()));
    }
}
