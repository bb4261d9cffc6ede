//! From what a person asked for to a launch: repo, config, trust, agent and program looked up, by a worker.
//!
//! Everything that can be wrong is found here, before a task or a worktree is made.

use super::environment::{self, ENV_MAX, Kept};
use crate::agents::profile::Profile;
use crate::config::ConfigError;
use crate::config::repo::RepoConfig;
use crate::config::trust::{self, Trust};
use crate::config::user::UserConfig;
use crate::core::model::assignment::Assignment;
use crate::core::model::lid::LidRule;
use crate::core::model::limits::Limits;
use crate::core::model::task::Launch;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::values::ids::TaskName;
use crate::values::text::Shown;
use crate::values::time::Span;
use crate::values::words::size;
use crate::wire::client::{AgentLine, Refusal, RefusalKind, RunRequest};
use crate::{agents, git};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Most tasks of one request.
pub(super) const RUN_MAX: usize = 200;
/// Longest prompt, in bytes: it is kept in the ledger and goes through an argument or a terminal.
const PROMPT_MAX: usize = 256 * 1024;

/// The repo's config file.
const CONFIG_FILE: &str = "nopeek.toml";
/// How long a program may take to say its version: some start a whole runtime for it.
const VERSION_MAX: Duration = Duration::from_secs(5);
/// How much of it is read.
const VERSION_BYTES: u64 = 4 * 1024;

/// A task that may be launched, and what is kept beside the ledger for it.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) launch: Launch,
    pub(super) kept: Kept,
}

/// A refusal.
pub(super) fn refusal(kind: RefusalKind, what: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal { kind, what: what.into(), remedy: remedy.into() }
}

/// A refusal for what went wrong in nopeek or on the machine.
pub(super) fn failed(what: String) -> Refusal {
    refusal(RefusalKind::Failed, what, "the daemon's log may say more: `nopeek doctor` names it")
}

/// Looks up all of `runs`, or refuses all for the first that is wrong.
pub(super) fn resolve(paths: &Paths, runs: Vec<RunRequest>) -> Result<Vec<Resolved>, Refusal> {
    if runs.len() > RUN_MAX {
        let what = format!("{} tasks in one request; {RUN_MAX} are allowed", runs.len());
        return Err(refusal(RefusalKind::BadInput, what, "launch them in several requests"));
    }
    let user = user_config(paths)?;
    runs.into_iter().map(|run| one(paths, &user, run)).collect()
}

fn one(paths: &Paths, user: &UserConfig, run: RunRequest) -> Result<Resolved, Refusal> {
    let bad = |what: &str, remedy: &str| refusal(RefusalKind::BadInput, what, remedy);
    if run.prompt.trim().is_empty() {
        return Err(bad("the prompt is empty", "say what the agent is to do"));
    }
    if run.prompt.len() > PROMPT_MAX {
        let what = format!("the prompt is longer than {}", size::exact(PROMPT_MAX as u64));
        return Err(bad(&what, "put the details into a file of the repo"));
    }
    let env_size: usize = run.env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if env_size > ENV_MAX {
        let what = format!("the environment is larger than {}", size::exact(ENV_MAX as u64));
        return Err(bad(&what, "launch from a smaller environment"));
    }
    let chooses = run.target.is_some() || run.lid.is_some() || run.attempts.is_some();
    if run.by.is_some() && (chooses || run.time_ms.is_some() || run.silence_ms.is_some()) {
        let remedy = "leave them out: the repo's own are taken";
        return Err(bad("an agent can't choose the target, the lid or the limits of a task", remedy));
    }
    let (main, target, file) = repo_config(paths, &run.repo, run.target.as_deref())?;
    let agent = run.agent.or_else(|| file.agent.clone()).unwrap_or_else(|| user.agent.clone());
    let profile = pick(user, &file, &agent)?;
    let env = match run.by {
        Some(by) => environment::load(paths, by.task).env,
        None if run.env.is_empty() => environment::own(),
        None => run.env,
    };
    let program = profile.program();
    if environment::find_program(&env, program).is_none() {
        return Err(refusal(
            RefusalKind::NotFound,
            format!("the agent {agent} is not here: {program} is not on the PATH"),
            "install it, give its path in [agents.NAME] of the config, or take another: `nopeek agents` lists them",
        ));
    }
    let name = match run.name {
        Some(name) => TaskName::new(&name)
            .map_err(|error| bad(&error.to_string(), "leave the name out to have one made"))?,
        None => TaskName::from_text(&run.prompt),
    };
    let after = run
        .after
        .iter()
        .map(|name| {
            TaskName::mention(name).map_err(|error| bad(&error.to_string(), "name tasks as the board does"))
        })
        .collect::<Result<_, _>>()?;
    let defaults = limits(user, &file);
    let limits = Limits {
        attempts: run.attempts.unwrap_or(defaults.attempts).max(1),
        time: run.time_ms.map(Span).or(defaults.time),
        silence: run.silence_ms.map(Span).or(defaults.silence),
    };
    let lid = lid(run.lid, &profile, &file, user);
    let launch = Launch {
        repo: main,
        target,
        parallel: file.parallel.unwrap_or(user.parallel).max(1),
        name,
        prompt: run.prompt,
        agent: profile.traits(&agent),
        limits,
        lid,
        after,
        by: run.by,
        assignment: Assignment::default(),
        budget: file.budget.resolve(run.budget, &user.budget, clock::zone_minutes()),
    };
    Ok(Resolved { launch, kept: Kept { env, profile: Some(profile), profiles: BTreeMap::new() } })
}

/// A folder's repo, its target and the config that counts.
pub(super) fn repo_config(
    paths: &Paths,
    folder: &Path,
    wished: Option<&str>,
) -> Result<(PathBuf, String, RepoConfig), Refusal> {
    let repo = git::repo::find(folder).map_err(git_refusal)?;
    // The target says which nopeek.toml counts, and that file may name another target: looked up once more then.
    let mut target = git::repo::target(&repo, wished).map_err(git_refusal)?;
    let mut file = trusted_config(paths, &repo.main, &target)?;
    if wished.is_none()
        && let Some(named) = file.target.clone().filter(|named| *named != target)
    {
        target = git::repo::target(&repo, Some(&named)).map_err(git_refusal)?;
        file = trusted_config(paths, &repo.main, &target)?;
    }
    Ok((repo.main, target, file))
}

/// Whether screens are covered: what the task says goes before the agent's profile, that before the repo, that before
/// the user.
pub(super) fn lid(task: Option<bool>, profile: &Profile, file: &RepoConfig, user: &UserConfig) -> LidRule {
    let task = task.map(|on| if on { LidRule::On } else { LidRule::Off });
    task.or(profile.lid).or(file.lid).unwrap_or(user.lid)
}

/// The user's limits, where the repo has none of its own.
pub(super) fn limits(user: &UserConfig, file: &RepoConfig) -> Limits {
    Limits {
        attempts: file.attempts.unwrap_or(user.limits.attempts),
        time: file.time.or(user.limits.time),
        silence: file.silence.or(user.limits.silence),
    }
}

/// The user's config; prices that can't be read would make costs unknown, so that a launch names them too.
pub(super) fn user_config(paths: &Paths) -> Result<UserConfig, Refusal> {
    crate::config::prices::load(paths).map_err(|error| config_refusal(&error))?;
    UserConfig::load(paths).map_err(|error| config_refusal(&error))
}

/// The repo's config as its target's commit has it, if its user trusts it; an empty one if it has none.
pub(super) fn trusted_config(paths: &Paths, repo: &Path, target: &str) -> Result<RepoConfig, Refusal> {
    let Some(text) = git::repo::read_file(repo, target, CONFIG_FILE).map_err(git_refusal)? else {
        return Ok(RepoConfig::default());
    };
    let origin = format!("{CONFIG_FILE} on {target}");
    let config = RepoConfig::parse(&text, &origin).map_err(|error| config_refusal(&error))?;
    match trust::check(paths, repo, &text) {
        Trust::Trusted => Ok(config),
        Trust::Unknown | Trust::Changed => Err(refusal(
            RefusalKind::BadInput,
            format!("{origin} of {} runs commands and is not trusted yet", repo.display()),
            format!("read it, then: nopeek -C {} trust", repo.display()),
        )),
    }
}

/// The profile `name`: the repo's, else the user's, else the built-in one.
pub(super) fn pick(user: &UserConfig, file: &RepoConfig, name: &str) -> Result<Profile, Refusal> {
    let built_in =
        || agents::builtin().into_iter().find(|(have, _)| have == name).map(|(_, profile)| profile);
    let found = file.agents.get(name).or_else(|| user.agents.get(name)).cloned().or_else(built_in);
    found.map(|profile| profile.with_own_program(&environment::own_program())).ok_or_else(|| {
        refusal(
            RefusalKind::NotFound,
            format!("there is no agent profile {name}"),
            "`nopeek agents` lists them",
        )
    })
}

/// As [`pick`], by what the config files say now; for a task whose kept profile was lost.
pub(super) fn profile(paths: &Paths, repo: &Path, name: &str) -> Result<Profile, String> {
    let find = || {
        let user = user_config(paths)?;
        let info = git::repo::find(repo).map_err(git_refusal)?;
        let target = git::repo::target(&info, None).map_err(git_refusal)?;
        pick(&user, &trusted_config(paths, repo, &target)?, name)
    };
    find().map_err(|refusal: Refusal| refusal.what)
}

/// The profiles that a repo has, found or not, with their versions.
pub(super) fn agents(paths: &Paths, folder: Option<&Path>) -> Result<Vec<AgentLine>, Refusal> {
    let user = user_config(paths)?;
    let file = match folder {
        Some(folder) => {
            let info = git::repo::find(folder).map_err(git_refusal)?;
            let target = git::repo::target(&info, None).map_err(git_refusal)?;
            trusted_config(paths, &info.main, &target)?
        }
        None => RepoConfig::default(),
    };
    let mut profiles: BTreeMap<String, (Profile, &str)> = BTreeMap::new();
    profiles.extend(agents::builtin().into_iter().map(|(name, profile)| (name, (profile, "built in"))));
    profiles.extend(user.agents.into_iter().map(|(name, profile)| (name, (profile, "user config"))));
    profiles.extend(file.agents.into_iter().map(|(name, profile)| (name, (profile, CONFIG_FILE))));
    let (env, own) = (environment::own(), environment::own_program());
    // Each asks a program of its own: all at once, each within its bound.
    let asked: Vec<_> = profiles
        .into_iter()
        .map(|(name, (profile, origin))| {
            let profile = profile.with_own_program(&own);
            let program = profile.program().to_owned();
            let path = environment::find_program(&env, &program);
            let at = path.clone();
            let args = profile.version;
            let version = std::thread::spawn(move || at.and_then(|path| version(&path, &args)));
            (AgentLine { name, program, path, version: None, origin: origin.to_owned() }, version)
        })
        .collect();
    let lines =
        asked.into_iter().map(|(line, version)| AgentLine { version: version.join().ok().flatten(), ..line });
    Ok(lines.collect())
}

/// The first line of what `program` says of its version, if it says it in time.
fn version(program: &Path, args: &[String]) -> Option<Shown> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = clock::instant() + VERSION_MAX;
    while child.try_wait().ok()?.is_none() {
        if clock::instant() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut text = Vec::new();
    child.stdout.take()?.take(VERSION_BYTES).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find(|line| !line.trim().is_empty()).map(|line| Shown::line(line.trim()))
}

/// A refusal for what git refused.
pub(super) fn git_refusal(error: git::GitError) -> Refusal {
    let remedy = error.remedy();
    refusal(RefusalKind::Failed, error.to_string(), remedy)
}

pub(super) fn config_refusal(error: &ConfigError) -> Refusal {
    refusal(RefusalKind::BadInput, error.to_string(), error.remedy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lid_is_what_the_task_says_else_its_profile_else_the_repo_else_the_user() {
        let (on, off) = (Some(LidRule::On), Some(LidRule::Off));
        let resolved = |task, profile, repo, user: &str| {
            let profile = Profile { lid: profile, ..toml::from_str("command = ['x']").unwrap() };
            let user = UserConfig::parse(user, "config.toml").unwrap();
            lid(task, &profile, &RepoConfig { lid: repo, ..RepoConfig::default() }, &user)
        };
        assert_eq!(resolved(None, None, None, ""), LidRule::On);
        assert_eq!(resolved(None, None, None, "lid = 'off'"), LidRule::Off);
        assert_eq!(resolved(None, None, on, "lid = 'off'"), LidRule::On);
        assert_eq!(resolved(None, off, on, "lid = 'on'"), LidRule::Off);
        assert_eq!(resolved(None, on, off, "lid = 'off'"), LidRule::On);
        assert_eq!(resolved(Some(true), off, off, "lid = 'off'"), LidRule::On);
        assert_eq!(resolved(Some(false), on, on, ""), LidRule::Off);
    }

    #[test]
    fn a_profile_of_either_file_has_a_lid() {
        let text = "[agents.open]\ncommand = ['x']\nlid = 'off'\n[agents.plain]\ncommand = ['x']\n";
        let (file, user) = (
            RepoConfig::parse(text, "nopeek.toml").unwrap(),
            UserConfig::parse(text, "config.toml").unwrap(),
        );
        for (file, user) in [(&file, &UserConfig::default()), (&RepoConfig::default(), &user)] {
            let rule = |name| lid(None, &pick(user, file, name).unwrap(), file, user);
            assert_eq!((rule("open"), rule("plain")), (LidRule::Off, LidRule::On));
        }
    }
}
