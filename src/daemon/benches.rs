//! From a spec's text to an order for a bench: repo, config, agents and prompt looked up, by a worker; and what clients ask
//! of benches.

use super::after_commit::{Acknowledged, AfterCommit};
use super::commands::refused;
use super::environment::{self, ENV_MAX, Kept, Parent};
use super::journal::Journal;
use super::launch::{self, config_refusal, refusal};
use super::message::{FromWorld, ReplyTo};
use super::specs::{People, templates};
use super::workers::{Lane, Workers};
use crate::config::crew::MEMORY;
use crate::config::repo::RepoConfig;
use crate::config::spec;
use crate::core::engine::Engine;
use crate::core::model::bench::{BenchCommand, BenchOrder, Entrant, SPEC_MAX};
use crate::core::model::budget::Allowance;
use crate::core::model::event::Command;
use crate::core::model::limits::Limits;
use crate::core::outer::bench;
use crate::os::clock;
use crate::os::paths::Paths;
use crate::values::ids::TaskName;
use crate::values::time::{Span, Time};
use crate::values::words::size;
use crate::wire::client::{BenchRequest, Refusal, RefusalKind, Reply, TaskRef};
use std::collections::BTreeMap;
use std::path::Path;

/// A bench that may be opened, and what is kept beside the ledger for it.
#[derive(Debug)]
pub(super) struct ResolvedBench {
    order: BenchOrder,
    kept: Kept,
}

/// What the agents are to do, by the spec's text.
struct BenchPrompt {
    prompt: String,
    values: BTreeMap<String, String>,
    touches: Vec<String>,
    title: String,
}

/// Looks up all that a bench needs.
fn resolve(paths: &Paths, wish: BenchRequest) -> Result<ResolvedBench, Refusal> {
    let bad = |what: String, remedy: &str| refusal(RefusalKind::BadInput, what, remedy);
    if wish.text.trim().is_empty() {
        return Err(bad(format!("{} is empty", wish.file), "say what is to be done"));
    }
    if wish.text.len() > SPEC_MAX {
        let what = format!("{} is longer than {}", wish.file, size::exact(SPEC_MAX as u64));
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
    let mut entrants = Vec::new();
    for name in &wish.agents {
        let agent = people.pick(name, "work").map_err(elsewhere)?;
        let profile = launch::pick(&user, &file, name)?;
        entrants.push(Entrant { agent, lid: launch::lid(None, &profile, &file, &user) });
    }
    let verify = wish.verify.clone().or_else(|| file.spec.verify.clone()).filter(|name| name != "none");
    let verify = verify.map(|name| people.pick(&name, "verify").map_err(elsewhere)).transpose()?;
    let profiles = people.profiles;
    let templates = templates(&main, &target)?;
    let BenchPrompt { prompt, values, touches, title } = prompt(&wish, &file, &target, &templates)?;
    let name = match &wish.name {
        Some(name) => TaskName::new(name)
            .map_err(|error| bad(error.to_string(), "leave the name out to have one made"))?,
        None => TaskName::from_text(&title),
    };
    let defaults = launch::limits(&user, &file);
    let order = BenchOrder {
        repo: main,
        target,
        parallel: file.parallel.unwrap_or(user.parallel).max(1),
        name,
        file: wish.file,
        prompt,
        entrants,
        runs: wish.runs,
        verify,
        limits: Limits {
            attempts: wish.attempts.unwrap_or(1),
            time: wish.time_ms.map(Span).or(defaults.time),
            silence: wish.silence_ms.map(Span).or(defaults.silence),
        },
        touches,
        checks: wish.check.into_iter().collect(),
        values,
        templates,
        budget: file.budget.resolve(Allowance::default(), &user.budget, clock::zone_minutes()),
    };
    Ok(ResolvedBench { order, kept: Kept { env, profile: None, profiles } })
}

/// A bench names its agents by itself, not in `[spec]`.
fn elsewhere(refusal: Refusal) -> Refusal {
    let remedy = "install it, or name another: `nopeek agents` lists them".to_owned();
    if refusal.kind == RefusalKind::NotFound { Refusal { remedy, ..refusal } } else { refusal }
}

fn prompt(
    wish: &BenchRequest,
    file: &RepoConfig,
    target: &str,
    templates: &BTreeMap<String, String>,
) -> Result<BenchPrompt, Refusal> {
    let memory = file.spec.memory.clone().unwrap_or_else(|| MEMORY.to_owned());
    let path = Path::new(&wish.file);
    let stem =
        path.file_stem().map_or_else(|| "bench".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let gates = || {
        let all: Vec<&str> =
            file.gates.iter().filter(|gate| gate.required).map(|gate| gate.command.trim()).collect();
        if all.is_empty() { "true # the repository has no gates".to_owned() } else { all.join("\n") }
    };
    let own = [
        ("name", stem.clone()),
        ("path", wish.file.clone()),
        ("folder", path.with_extension("").to_string_lossy().into_owned()),
        ("memory", memory.clone()),
        ("target", target.to_owned()),
        ("check", wish.check.clone().unwrap_or_else(gates)),
    ];
    if spec::has_contract(&wish.text) {
        let contract = spec::parse(&wish.text, &wish.file).map_err(|error| config_refusal(&error))?;
        let prose = spec::prose(&wish.text).unwrap_or_default();
        let (prompt, values) = bench::work(&contract, prose, &own, templates);
        let mut touches = contract.touchpoints.clone();
        touches.push(memory);
        return Ok(BenchPrompt { prompt, values, touches, title: stem });
    }
    // A plain prompt is handed over as it is; a verifier finds all of it in the task.
    let objectives = ("objectives", "As the task says.".to_owned());
    let values =
        own.iter().chain([&objectives]).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Ok(BenchPrompt { prompt: wish.text.clone(), values, touches: Vec::new(), title: stem })
}

/// Has a bench looked up by a worker; then [`open`].
pub(super) fn look_up(workers: &mut Workers, reply: ReplyTo, wish: BenchRequest) {
    workers.look_up(
        Lane::Launch,
        |paths| resolve(paths, wish),
        |result| FromWorld::BenchResolved { reply, result: Box::new(result) },
    );
}

/// Opens a bench that was looked up.
pub(super) fn open(journal: &mut Journal, now: Time, reply: ReplyTo, result: Result<ResolvedBench, Refusal>) {
    let ResolvedBench { order, kept } = match result {
        Ok(resolved) => resolved,
        Err(refusal) => return reply.answer(Err(refusal)),
    };
    let id = journal.engine().next_bench();
    let kept = AfterCommit { kept_parent: Some((Parent::Bench(id), kept)), ..AfterCommit::default() };
    let command = Command::Bench(BenchCommand::Open(Box::new(order)));
    journal.command_keeping(now, reply, command, Acknowledged::Benched(id), kept);
}

/// One bench, whole.
pub(super) fn view(engine: &Engine, name: &TaskRef) -> Result<Reply, Refusal> {
    let id = engine.find_bench(name.repo.as_deref(), &name.name).map_err(refused)?;
    let view = engine.bench_view(id);
    view.map(|view| Reply::Bench(Box::new(view)))
        .ok_or_else(|| refusal(RefusalKind::NotFound, format!("there is no bench {id}"), ""))
}
