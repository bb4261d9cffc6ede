//! What a task's jobs get beside the ledger: the client's environment and the agent profile as it was at the launch,
//! kept per task in a file that only its user reads.
//!
//! It may hold keys; it is never written to the ledger or the log. Lost (a power cut), the daemon's own is used.

use crate::agents::profile::Profile;
use crate::core::model::batch::fact::BatchFact;
use crate::core::model::fact::Fact;
use crate::os::paths::Paths;
use crate::values::ids::{AttemptId, BenchId, JobId, SpecId, TaskId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Variables as a list of names and values.
pub(super) type Env = Vec<(String, String)>;

/// What is kept of a launch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) env: Env,
    /// The agent's profile; none if the file was lost, or if there are several.
    pub(super) profile: Option<Profile>,
    /// By name, those of all who may work on a spec.
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Profile>,
}

/// What several tasks get their environment from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    Spec(SpecId),
    Bench(BenchId),
}

/// Most bytes of an environment that a client may send.
pub(super) const ENV_MAX: usize = 1024 * 1024;

/// What would tie a job to the terminal or the session that the client stood in; an agent's own session too, whose guard
/// against nesting would keep another agent from starting.
const STRIPPED: [&str; 22] = [
    "TMUX",
    "TMUX_PANE",
    "STY",
    "WINDOW",
    "ZELLIJ",
    "ZELLIJ_SESSION_NAME",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "COLUMNS",
    "LINES",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_SSE_PORT",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "GEMINI_CLI",
    "OPENCODE",
    "QWEN_CODE",
];

/// This program's path, also after it was replaced by a newer one.
pub(super) fn own_program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("nopeek"));
    let path = path.to_string_lossy().into_owned();
    path.strip_suffix(" (deleted)").map_or(path.clone(), str::to_owned)
}

fn file(paths: &Paths, task: TaskId) -> PathBuf {
    paths.data.join("env").join(format!("{task}.json"))
}

fn parent_file(paths: &Paths, parent: Parent) -> PathBuf {
    let name = match parent {
        Parent::Spec(spec) => spec.to_string(),
        Parent::Bench(bench) => bench.to_string(),
    };
    paths.data.join("env").join(format!("{name}.json"))
}

fn repo_file(paths: &Paths, repo: &Path) -> PathBuf {
    let digest = Sha256::digest(repo.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    paths.data.join("env").join(format!("repo-{name}.json"))
}

/// Keeps `kept` for the jobs of `task`.
pub(super) fn save(paths: &Paths, task: TaskId, kept: &Kept) -> io::Result<()> {
    put(&file(paths, task), kept)
}

/// Keeps `kept` for the tasks of `parent`.
pub(super) fn save_parent(paths: &Paths, parent: Parent, kept: &Kept) -> io::Result<()> {
    put(&parent_file(paths, parent), kept)
}

/// Keeps `kept` for the batches and the queue of a repo.
pub(super) fn save_repo(paths: &Paths, repo: &Path, kept: &Kept) -> io::Result<()> {
    put(&repo_file(paths, repo), kept)
}

/// The highest numbers of a task and of a job under which something lies in the data folder; 0 for none.
pub(super) fn numbers(paths: &Paths) -> (TaskId, JobId) {
    let highest = |folder: &Path, number: fn(&str) -> Option<u64>| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| number(entry.file_name().to_str()?)).max().unwrap_or(0)
    };
    let task =
        highest(&paths.data.join("env"), |name| name.strip_prefix('t')?.strip_suffix(".json")?.parse().ok());
    (TaskId(task), JobId(highest(&paths.jobs(), |name| name.parse().ok())))
}

/// A task or spec that gets a copy of what is kept for its spec, bench or repo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeptCopy {
    /// A task, from its spec or bench.
    TaskOfParent(TaskId, Parent),
    /// A spec of a queue, from its repo.
    SpecOfQueue(SpecId, PathBuf),
    /// A task of a batch, from its repo.
    TaskOfBatch(TaskId, PathBuf),
}

/// Makes the copy.
pub(super) fn copy_kept(paths: &Paths, copy: &KeptCopy) -> io::Result<()> {
    let (from, to) = match copy {
        KeptCopy::TaskOfParent(task, parent) => (parent_file(paths, *parent), file(paths, *task)),
        KeptCopy::SpecOfQueue(spec, repo) => {
            (repo_file(paths, repo), parent_file(paths, Parent::Spec(*spec)))
        }
        KeptCopy::TaskOfBatch(task, repo) => (repo_file(paths, repo), file(paths, *task)),
    };
    let kept = serde_json::from_slice(&std::fs::read(from)?)?;
    put(&to, &kept)
}

/// The copies that these facts need: for tasks of specs, benches and batches, and for specs of queues. A spec's own comes
/// before those of its tasks.
pub(super) fn copies(facts: &[Fact]) -> Vec<KeptCopy> {
    let specs = facts.iter().filter_map(|fact| match fact {
        Fact::Batch(BatchFact::Taken { repo, spec, .. }) => Some(KeptCopy::SpecOfQueue(*spec, repo.clone())),
        _ => None,
    });
    let tasks = facts.iter().filter_map(|fact| match fact {
        Fact::Launched { task, launch, .. } => {
            let assignment = &launch.assignment;
            Some(KeptCopy::TaskOfParent(
                *task,
                assignment.spec.map(Parent::Spec).or(assignment.bench.map(Parent::Bench))?,
            ))
        }
        Fact::Batch(BatchFact::Tasked { repo, task, chore: true, .. }) => {
            Some(KeptCopy::TaskOfBatch(*task, repo.clone()))
        }
        _ => None,
    });
    specs.chain(tasks).collect()
}

fn put(file: &Path, kept: &Kept) -> io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let new = file.with_extension("new");
    let mut out =
        std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    out.write_all(&serde_json::to_vec(kept)?)?;
    std::fs::rename(&new, file)
}

/// What was kept for `task`, or the daemon's own environment.
pub(super) fn load(paths: &Paths, task: TaskId) -> Kept {
    let kept = std::fs::read(file(paths, task)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    kept.unwrap_or_else(|| {
        tracing::warn!(%task, "no environment was kept for the task: using the daemon's own");
        Kept { env: own(), profile: None, profiles: BTreeMap::new() }
    })
}

/// The daemon's own environment.
pub(super) fn own() -> Env {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The environment of a job: `base` without what ties it to a terminal or, launched from a hook, to another worktree's git;
/// with what nopeek says.
pub(super) fn for_job(base: Env, attempt: AttemptId, worktree: &Path, more: &[(String, String)]) -> Env {
    let is_tied = |name: &str| STRIPPED.contains(&name) || crate::git::LOCAL.contains(&name);
    let mut env: Env = base.into_iter().filter(|(name, _)| !is_tied(name)).collect();
    for (name, value) in [
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("PWD", worktree.display().to_string()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("NOPEEK_TASK", attempt.task.to_string()),
        ("NOPEEK_ATTEMPT", attempt.no.to_string()),
        ("NOPEEK_WORKTREE", worktree.display().to_string()),
    ] {
        set(&mut env, name, value);
    }
    for (name, value) in more {
        set(&mut env, name, value.clone());
    }
    env
}

fn set(env: &mut Env, name: &str, value: String) {
    env.retain(|(have, _)| have != name);
    env.push((name.to_owned(), value));
}

/// The value of `name`.
pub(super) fn get<'a>(env: &'a Env, name: &str) -> Option<&'a str> {
    env.iter().rev().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
}

/// Where `program` is: itself if it has a slash, else the first hit on the `PATH` of `env`.
pub(super) fn find_program(env: &Env, program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        return is_program(&path).then_some(path);
    }
    let path = get(env, "PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    std::env::split_paths(path).map(|dir| dir.join(program)).find(|file| is_program(file))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_not_tied_to_the_clients_terminal() {
        let base = [
            ("TMUX", "x"),
            ("TERM", "dumb"),
            ("CLAUDECODE", "1"),
            ("GIT_DIR", "/r/.git"),
            ("GIT_INDEX_FILE", "/r/.git/index"),
        ];
        let base = base.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let env = for_job(base, AttemptId { task: TaskId(3), no: 2 }, Path::new("/w"), &[]);
        for name in ["TMUX", "CLAUDECODE", "GIT_DIR", "GIT_INDEX_FILE"] {
            assert_eq!(get(&env, name), None, "{name}");
        }
        assert_eq!(get(&env, "TERM"), Some("xterm-256color"));
        assert_eq!(get(&env, "NOPEEK_TASK"), Some("t3"));
    }

    #[test]
    fn a_program_is_found_on_the_given_path_only() {
        let env = vec![("PATH".to_owned(), "/nowhere:/bin".to_owned())];
        assert_eq!(find_program(&env, "sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_program(&env, "no-such-program-here"), None);
    }
}
