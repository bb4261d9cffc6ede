//! `nopeek.toml`: a repo's gates, set-up and defaults, read from the target's commit.

use super::budget::{self, BudgetConfig};
use super::crew::{self, CrewConfig};
use super::numbers::Numbers;
use super::policy::{self, RawPolicy};
use super::schedule::{self, ScheduleConfig};
use super::{AgentKey, ConfigError, agents, panel};
use crate::agents::profile::Profile;
use crate::core::model::gate::GateSpec;
use crate::core::model::lid::LidRule;
use crate::core::model::panel::question::Panel;
use crate::policy::rule::Policy;
use crate::values::time::Span;
use crate::values::words::count;
use crate::values::words::written::Written;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;

/// How long a gate may run if it does not say.
const GATE_TIMEOUT: Span = Span::mins(10);

/// What a repo's file says; what it leaves open comes from the user's config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoConfig {
    /// The branch to land on.
    pub target: Option<String>,
    /// At most this many agents at once.
    pub parallel: Option<u32>,
    /// Whether screens are covered.
    pub lid: Option<LidRule>,
    pub agent: Option<String>,
    /// Attempts without a human.
    pub attempts: Option<u32>,
    /// Time limit of an attempt.
    pub time: Option<Span>,
    /// Silence limit of an attempt.
    pub silence: Option<Span>,
    /// Set-up hooks, run in each fresh worktree.
    pub setup: Vec<String>,
    /// Files copied from the main checkout into each worktree.
    pub copy: Vec<String>,
    pub link: Vec<String>,
    pub gates: Vec<GateSpec>,
    /// Who does what from a goal to landed work.
    pub spec: CrewConfig,
    /// Agent profiles of the repo.
    pub agents: BTreeMap<String, Profile>,
    /// Who votes on trade-offs; none: the panel that ships.
    pub panel: Option<Panel>,
    /// What no attempt may break; none if there is no `[policy]`.
    pub policy: Option<Policy>,
    /// What may be used.
    pub budget: BudgetConfig,
    /// When batches are due and what they do.
    pub schedule: ScheduleConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    target: Option<String>,
    parallel: Option<Spanned<Written>>,
    lid: Option<LidRule>,
    agent: Option<Spanned<AgentKey>>,
    attempts: Option<Spanned<Written>>,
    time: Option<Spanned<Written>>,
    silence: Option<Spanned<Written>>,
    #[serde(default)]
    setup: Vec<String>,
    #[serde(default)]
    copy: Vec<Spanned<String>>,
    #[serde(default)]
    link: Vec<Spanned<String>>,
    #[serde(default)]
    gate: Vec<RawGate>,
    spec: Option<crew::Raw>,
    #[serde(default)]
    agents: BTreeMap<String, Spanned<Profile>>,
    panel: Option<panel::RawPanel>,
    policy: Option<RawPolicy>,
    #[serde(default)]
    budget: budget::Raw,
    schedule: Option<schedule::Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    name: Spanned<String>,
    #[serde(alias = "run")]
    command: Spanned<String>,
    timeout: Option<Spanned<Written>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    #[serde(default = "yes")]
    required: bool,
    #[serde(default)]
    parallel: bool,
}

const fn yes() -> bool {
    true
}

impl RepoConfig {
    /// Reads the text of a `nopeek.toml`; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
        let reader = Reader { text, origin };
        let numbers = Numbers { text, origin };
        let counted = |key, of: Spanned<Written>| numbers.whole(key, &of, &count::FROM_ONE);
        let gates = raw.gate.iter().map(|gate| reader.gate(gate)).collect::<Result<Vec<_>, _>>()?;
        reader.gates_fit(&raw.gate)?;
        let names = || raw.gate.iter().map(|gate| &gate.name);
        let policy = raw.policy.map(|raw| policy::read(origin, text, raw, &gates, names())).transpose()?;
        let (agent, agents) = agents(origin, text, raw.agent, raw.agents)?;
        Ok(Self {
            target: raw.target,
            parallel: raw.parallel.map(|of| counted("parallel", of)).transpose()?,
            lid: raw.lid,
            agent,
            attempts: raw.attempts.map(|of| counted("attempts", of)).transpose()?,
            time: raw.time.map(|of| numbers.duration(&of)).transpose()?,
            silence: raw.silence.map(|of| numbers.duration(&of)).transpose()?,
            setup: raw.setup,
            copy: reader.inside(raw.copy)?,
            link: reader.inside(raw.link)?,
            gates,
            schedule: schedule::read(raw.schedule, text, origin)?,
            spec: crew::read(raw.spec, text, origin)?,
            agents,
            panel: raw.panel.map(|raw| panel::read(text, origin, raw)).transpose()?,
            policy,
            budget: raw.budget.read(origin, text)?,
        })
    }
}

struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Reader<'_> {
    fn wrong<T>(&self, span: Range<usize>, what: String, remedy: &str) -> Result<T, ConfigError> {
        Err(ConfigError::at(self.origin, self.text, span.start, what, remedy))
    }

    fn inside(&self, paths: Vec<Spanned<String>>) -> Result<Vec<String>, ConfigError> {
        for path in &paths {
            let path_text = path.get_ref();
            let normal = |part| matches!(part, std::path::Component::Normal(_));
            if path_text.is_empty() || !std::path::Path::new(path_text).components().all(normal) {
                return self.wrong(
                    path.span(),
                    format!("{path_text:?} leaves the repo"),
                    "name a path inside the repo, without .. and without a leading /",
                );
            }
            if std::path::Path::new(path_text).iter().any(|part| part.eq_ignore_ascii_case(".git")) {
                return self.wrong(
                    path.span(),
                    format!("{path_text:?} is git's own"),
                    "each worktree has its own: take it out",
                );
            }
        }
        Ok(paths.into_iter().map(Spanned::into_inner).collect())
    }

    fn gate(&self, raw: &RawGate) -> Result<GateSpec, ConfigError> {
        let name = raw.name.get_ref();
        if name.is_empty() || name.len() > 40 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return self.wrong(
                raw.name.span(),
                format!("{name:?} is no gate name"),
                "use 1 to 40 characters without spaces",
            );
        }
        if raw.command.get_ref().trim().is_empty() {
            return self.wrong(
                raw.command.span(),
                format!("gate {name} has no command"),
                "write the command to run",
            );
        }
        let numbers = Numbers { origin: self.origin, text: self.text };
        let timeout = raw.timeout.as_ref().map(|of| numbers.duration(of)).transpose()?;
        Ok(GateSpec {
            name: name.clone(),
            command: raw.command.get_ref().clone(),
            timeout: timeout.unwrap_or(GATE_TIMEOUT),
            needs: raw.needs.iter().map(|need| need.get_ref().clone()).collect(),
            required: raw.required,
            parallel: raw.parallel,
            reads_history: false,
        })
    }

    /// Names are unique, needs exist, and no gate needs itself by any way.
    fn gates_fit(&self, gates: &[RawGate]) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for gate in gates {
            let name = gate.name.get_ref();
            if !names.insert(name.as_str()) {
                return self.wrong(
                    gate.name.span(),
                    format!("there are two gates {name}"),
                    "give each gate its own name",
                );
            }
        }
        for need in gates.iter().flat_map(|gate| &gate.needs) {
            if !names.contains(need.get_ref().as_str()) {
                let known = names.iter().copied().collect::<Vec<_>>().join(", ");
                return self.wrong(
                    need.span(),
                    format!("there is no gate {}", need.get_ref()),
                    &format!("the gates are {known}"),
                );
            }
        }
        let mut done: BTreeSet<&str> = BTreeSet::new();
        loop {
            let ready =
                |gate: &&RawGate| gate.needs.iter().all(|need| done.contains(need.get_ref().as_str()));
            let next: Vec<&str> = gates
                .iter()
                .filter(ready)
                .map(|gate| gate.name.get_ref().as_str())
                .filter(|name| !done.contains(name))
                .collect();
            if next.is_empty() {
                break;
            }
            done.extend(next);
        }
        match gates.iter().find(|gate| !done.contains(gate.name.get_ref().as_str())) {
            Some(gate) => self.wrong(
                gate.name.span(),
                format!("gate {} needs itself, by way of its needs", gate.name.get_ref()),
                "take one of the needs out",
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let config = RepoConfig::parse(
            "target = 'main'\nparallel = 3\nlid = 'off'\nattempts = 2\ntime = '30m'\nsetup = ['npm ci']\ncopy = ['.env']\n\
             [[gate]]\nname = 'build'\ncommand = 'make'\n[[gate]]\nname = 'test'\ncommand = 'make test'\nneeds = ['build']\n\
             timeout = '90s'\nrequired = false\nparallel = true\n",
            "nopeek.toml",
        )
        .unwrap();
        assert_eq!(
            (config.parallel, config.lid, config.time),
            (Some(3), Some(LidRule::Off), Some(Span::mins(30)))
        );
        assert_eq!(config.gates.len(), 2);
        assert!(config.gates[0].required && !config.gates[1].required);
        assert_eq!(config.gates[1].timeout, Span::secs(90));
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_a_remedy() {
        let gate = |rest: &str| format!("[[gate]]\nname = 'a'\ncommand = 'x'\n{rest}");
        let cases = [
            ("paralel = 3", "nopeek.toml:1:1: unknown field `paralel`", "did you mean parallel?"),
            ("parallel = 0", "nopeek.toml:1:12: parallel = 0 is out of range", "from 1 on"),
            ("x = [", "nopeek.toml:1:6", ""),
            ("verbose = true", "nopeek.toml:1:1: unknown field `verbose`", "there are: target, parallel"),
            ("copy = ['.git/hooks']", "nopeek.toml:1:9: \".git/hooks\" is git's own", "take it out"),
            (
                "[agent.mine]\ncommand = ['x']",
                "nopeek.toml:1:2: agent is the name of a profile",
                "[agents.mine]",
            ),
            ("agent = 3", "nopeek.toml:1:9: agent is the name of a profile, not integer", "write agent"),
            ("[agents.mine]\ncommand = []", "nopeek.toml:1:1: agent profile mine has no command", "PROGRAM"),
            ("time = '0s'", "nopeek.toml:1:8: \"0s\" is no duration", ""),
            ("time = 'soon'", "nopeek.toml:1:8: \"soon\" is no duration", ""),
            ("[spec]\npasses = 99", "nopeek.toml:2:10: passes = 99 is out of range", "from 0 to 10"),
            (
                "[spec]\nahead = ['all']",
                "nopeek.toml:2:10: \"all\" is nothing that could be approved",
                "spec, plan or work",
            ),
            ("[spec]\nmemory = '/x'", "nopeek.toml:2:10: \"/x\" leaves the repo", "inside the repo"),
            ("[spec]\nverifier = 'x'", "nopeek.toml:2:1: unknown field `verifier`", "did you mean verify?"),
            ("copy = ['../x']", "nopeek.toml:1:9: \"../x\" leaves the repo", "name a path inside"),
            (&gate("needs = ['b']"), "nopeek.toml:4:10: there is no gate b", "the gates are a"),
            (&gate("needs = ['a']"), "nopeek.toml:2:8: gate a needs itself", "take one"),
            (
                &gate("[[gate]]\nname = 'a'\ncommand = 'y'"),
                "nopeek.toml:5:8: there are two gates a",
                "its own name",
            ),
            (
                "[[gate]]\nname = 'a'\ncommand = ' '",
                "nopeek.toml:3:11: gate a has no command",
                "write the command",
            ),
            ("[[gate]]\nname = 'a'", "nopeek.toml:1:1: missing field `command`", ""),
        ];
        for (text, says, remedy) in cases {
            let error = RepoConfig::parse(text, "nopeek.toml").unwrap_err();
            assert!(error.to_string().starts_with(says), "{text}: {error}");
            assert!(error.remedy().contains(remedy), "{text}: {:?}", error.remedy());
        }
    }
}
