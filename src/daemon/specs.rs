//! From a goal to an order for a spec: repo, config, crew and prompts looked up, by a worker; and what clients ask of specs.
//!
//! Everything that can be wrong is found here, before anything is begun.

use super::after_commit::{Acknowledged, AfterCommit};
use super::commands::refused;
use super::environment::{self, ENV_MAX, Env, Kept, Parent};
use super::journal::Journal;
use super::launch::{self, git_refusal, refusal};
use super::message::{FromWorld, ReplyTo};
use super::workers::{Lane, Workers};
use crate::agents::profile::Profile;
use crate::config::crew::{self, MEMORY, PASSES, ROUNDS, TURNS_MAX};
use crate::config::repo::RepoConfig;
use crate::config::user::UserConfig;
use crate::core::engine::Engine;
use crate::core::model::agent::AgentTraits;
use crate::core::model::budget::Allowance;
use crate::core::model::event::Command;
use crate::core::model::spec::{Crew, GOAL_MAX, SpecCommand, SpecOrder};
use crate::core::rules::prompt;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::values::ids::TaskName;
use crate::values::time::Time;
use crate::values::words::size;
use crate::wire::client::{Refusal, RefusalKind, Reply, SpecRequest, TaskRef};
use crate::{agents, git};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a repo's own prompts lie.
const PROMPTS: &str = ".nopeek/prompts";

/// A spec that may be opened, and what is kept beside the ledger for it.
#[derive(Debug)]
pub(super) struct ResolvedSpec {
    pub(super) order: SpecOrder,
    pub(super) kept: Kept,
}

/// Looks up all that a spec needs.
pub(super) fn resolve(paths: &Paths, wish: SpecRequest) -> Result<ResolvedSpec, Refusal> {
    let bad = |what: String, remedy: &str| refusal(RefusalKind::BadInput, what, remedy);
    if wish.goal.trim().is_empty() {
        return Err(bad("the goal is empty".to_owned(), "say what should be true when it is done"));
    }
    if wish.goal.len() > GOAL_MAX {
        let what = format!("the goal is longer than {}", size::exact(GOAL_MAX as u64));
        return Err(bad(what, "put the details into a file of the repo, and name it"));
    }
    let env_size: usize = wish.env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if env_size > ENV_MAX {
        return Err(bad(
            format!("the environment is larger than {}", size::exact(ENV_MAX as u64)),
            "start from a smaller environment",
        ));
    }
    let user = launch::user_config(paths)?;
    let (main, target, file) = launch::repo_config(paths, &wish.repo, wish.target.as_deref())?;
    let env = if wish.env.is_empty() { environment::own() } else { wish.env.clone() };
    let mut people = People { user: &user, file: &file, env: &env, profiles: BTreeMap::new() };
    let crew = crew(&mut people, &wish, &file, &user)?;
    let profiles = people.profiles;
    let turns = |name: &str, wished: Option<u32>, set: Option<u32>, else_: u32| {
        let turns = wished.or(set).unwrap_or(else_);
        if turns > TURNS_MAX {
            return Err(bad(format!("{turns} {name}; {TURNS_MAX} are allowed"), ""));
        }
        Ok(turns)
    };
    let ahead = match &wish.ahead {
        None => file.spec.ahead,
        Some(words) => crew::ahead(words.iter().map(String::as_str))
            .map_err(|(_, what)| bad(what, "say spec, plan or work"))?,
    };
    let name = match &wish.name {
        Some(name) => TaskName::new(name)
            .map_err(|error| bad(error.to_string(), "leave the name out to have one made"))?,
        None => TaskName::from_text(title(&wish.goal)),
    };
    let order = SpecOrder {
        repo: main.clone(),
        parallel: file.parallel.unwrap_or(user.parallel).max(1),
        name,
        goal: wish.goal,
        crew,
        passes: turns("passes", wish.passes, file.spec.passes, PASSES)?,
        rounds: turns("rounds", wish.rounds, file.spec.rounds, ROUNDS)?,
        ahead,
        stack: file.spec.stack,
        limits: launch::limits(&user, &file),
        budget: file.budget.resolve(Allowance::default(), &user.budget, clock::zone_minutes()),
        lid: file.lid.unwrap_or(user.lid),
        memory: file.spec.memory.clone().unwrap_or_else(|| MEMORY.to_owned()),
        gates: file.gates.iter().map(|gate| format!("{}: `{}`", gate.name, gate.command)).collect(),
        templates: templates(&main, &target)?,
        batch: None,
        target,
    };
    Ok(ResolvedSpec { order, kept: Kept { env, profile: None, profiles } })
}

/// The first line of a goal that says something, without marks of a heading.
fn title(goal: &str) -> &str {
    goal.lines()
        .map(|line| line.trim_start_matches(['#', '-', '*', ' ']).trim())
        .find(|line| !line.is_empty())
        .unwrap_or("spec")
}

/// Who can be asked, found and on the PATH.
pub(super) struct People<'a> {
    pub(super) user: &'a UserConfig,
    pub(super) file: &'a RepoConfig,
    pub(super) env: &'a Env,
    pub(super) profiles: BTreeMap<String, Profile>,
}

impl People<'_> {
    pub(super) fn pick(&mut self, name: &str, duty: &str) -> Result<AgentTraits, Refusal> {
        let profile = launch::pick(self.user, self.file, name)?;
        let program = profile.program();
        if environment::find_program(self.env, program).is_none() {
            return Err(refusal(
                RefusalKind::NotFound,
                format!("the agent {name}, who is to {duty}, is not here: {program} is not on the PATH"),
                "install it, or name another in [spec] of nopeek.toml: `nopeek agents` lists them",
            ));
        }
        let traits = profile.traits(name);
        self.profiles.insert(name.to_owned(), profile);
        Ok(traits)
    }
}

fn crew(
    people: &mut People<'_>,
    wish: &SpecRequest,
    file: &RepoConfig,
    user: &UserConfig,
) -> Result<Crew, Refusal> {
    let usual = file.agent.clone().unwrap_or_else(|| user.agent.clone());
    let one = |wished: &Option<String>, set: &Option<String>| {
        wished.clone().or_else(|| set.clone()).unwrap_or_else(|| usual.clone())
    };
    let set = &file.spec;
    let some = |name: String| (name != "none").then_some(name);
    let draft = people.pick(&one(&wish.draft, &set.draft), "draft the spec")?;
    let review =
        some(one(&wish.review, &set.review)).map(|name| people.pick(&name, "attack the spec")).transpose()?;
    let plan = people.pick(&one(&wish.plan, &set.plan), "plan")?;
    let work = people.pick(&one(&wish.work, &set.work), "work")?;
    let verify = some(one(&wish.verify, &set.verify)).map(|name| people.pick(&name, "verify")).transpose()?;
    // A plan may name others: those that are here.
    let known = file.agents.keys().chain(people.user.agents.keys()).cloned();
    let names: Vec<String> = known.chain(agents::builtin().into_keys()).collect();
    let mut others = BTreeMap::new();
    for name in names {
        if let Ok(traits) = people.pick(&name, "work") {
            others.insert(name, traits);
        }
    }
    Ok(Crew { draft, review, plan, work, verify, others })
}

/// The repo's own prompts, as the target has them.
pub(super) fn templates(main: &Path, target: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut own = BTreeMap::new();
    for file in git::repo::list(main, target, PROMPTS).map_err(git_refusal)? {
        let Some(name) = file.strip_suffix(".md") else { continue };
        let path = format!("{PROMPTS}/{file}");
        let text = git::repo::read_file(main, target, &path).map_err(git_refusal)?.unwrap_or_default();
        if let Err((line, what)) = prompt::check(name, &text) {
            let place = if line == 0 { path } else { format!("{path}:{line}") };
            let what = format!("{place} on {target}: {what}");
            return Err(refusal(RefusalKind::BadInput, what, "fix it, or remove it to use the built-in one"));
        }
        own.insert(name.to_owned(), text);
    }
    Ok(own)
}

/// Has a spec looked up by a worker; then [`open`].
pub(super) fn look_up(workers: &mut Workers, reply: ReplyTo, wish: SpecRequest) {
    workers.look_up(
        Lane::Launch,
        |paths| resolve(paths, wish),
        |result| FromWorld::SpecResolved { reply, result: Box::new(result) },
    );
}

/// Opens a spec that was looked up.
pub(super) fn open(journal: &mut Journal, now: Time, reply: ReplyTo, result: Result<ResolvedSpec, Refusal>) {
    let ResolvedSpec { order, kept } = match result {
        Ok(resolved) => resolved,
        Err(refusal) => return reply.answer(Err(refusal)),
    };
    let id = journal.engine().next_spec();
    let kept = AfterCommit { kept_parent: Some((Parent::Spec(id), kept)), ..AfterCommit::default() };
    let command = Command::Spec(SpecCommand::Open(Box::new(order)));
    journal.command_keeping(now, reply, command, Acknowledged::Opened(id), kept);
}

/// One spec, whole.
pub(super) fn view(engine: &Engine, name: &TaskRef, now: Time) -> Result<Reply, Refusal> {
    let id = engine.find_spec(name.repo.as_deref(), &name.name).map_err(refused)?;
    let view = engine.spec_view(id, now);
    view.map(|view| Reply::Spec(Box::new(view)))
        .ok_or_else(|| refusal(RefusalKind::NotFound, format!("there is no spec {id}"), ""))
}
