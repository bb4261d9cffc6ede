//! `[policy]` of `nopeek.toml`: read, and checked against the gates that the file has.

use super::ConfigError;
use super::numbers::Numbers;
use crate::core::model::gate::GateSpec;
use crate::policy::rule::{Boundary, Policy};
use crate::values::pattern::Pattern;
use crate::values::words::count;
use crate::values::words::written::Written;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// The name of the gate that checks the policy; where there is one, no gate of the repo may be called so.
pub const GATE: &str = "policy";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    #[serde(default)]
    protected: Vec<Spanned<String>>,
    #[serde(default)]
    always: Vec<Spanned<String>>,
    #[serde(default = "yes")]
    secrets: bool,
    #[serde(default)]
    secrets_allow: Vec<Spanned<String>>,
    files_max: Option<Spanned<Written>>,
    lines_max: Option<Spanned<Written>>,
    commit_lines_max: Option<Spanned<Written>>,
    #[serde(default)]
    tests: Vec<Spanned<String>>,
    code: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    uncounted: Vec<Spanned<String>>,
    #[serde(default)]
    migrations: Vec<Spanned<String>>,
    memory: Option<Spanned<String>>,
    memory_required: Option<Spanned<bool>>,
    #[serde(default)]
    gates_must_include: Vec<Spanned<String>>,
    #[serde(default)]
    boundary: Vec<RawBoundary>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBoundary {
    from: Spanned<String>,
    must_not: Spanned<Vec<Spanned<String>>>,
}

/// Where the text is from, for errors.
struct Reader<'a> {
    origin: &'a str,
    text: &'a str,
}

/// Reads the table; `gates` and their `names` are those of the same file.
pub(super) fn read<'n>(
    origin: &str,
    text: &str,
    raw: RawPolicy,
    gates: &[GateSpec],
    mut names: impl Iterator<Item = &'n Spanned<String>>,
) -> Result<Policy, ConfigError> {
    let reader = Reader { origin, text };
    if let Some(name) = names.find(|name| name.get_ref() == GATE) {
        return reader.wrong(
            name.span(),
            format!("a gate {GATE} is made out of [policy] already"),
            "give this gate another name",
        );
    }
    for wanted in &raw.gates_must_include {
        reader.gate_is_there(wanted, gates)?;
    }
    let memory = raw.memory.map(|memory| reader.file(memory)).transpose()?;
    let memory_required = match raw.memory_required {
        Some(required) if *required.get_ref() && memory.is_none() => {
            return reader.wrong(
                required.span(),
                "memory_required = true, and no memory is named".to_owned(),
                "write memory = \"wip.md\"",
            );
        }
        required => required.is_some_and(Spanned::into_inner),
    };
    Ok(Policy {
        protected: reader.patterns(&raw.protected)?,
        always: reader.patterns(&raw.always)?,
        secrets: raw.secrets,
        secrets_allow: reader.patterns(&raw.secrets_allow)?,
        files_max: reader.limit("files_max", raw.files_max)?,
        lines_max: reader.limit("lines_max", raw.lines_max)?,
        commit_lines_max: reader.limit("commit_lines_max", raw.commit_lines_max)?,
        code: reader.code(raw.code, raw.tests.is_empty())?,
        tests: reader.patterns(&raw.tests)?,
        uncounted: reader.patterns(&raw.uncounted)?,
        migrations: reader.patterns(&raw.migrations)?,
        boundaries: raw
            .boundary
            .iter()
            .map(|boundary| reader.boundary(boundary))
            .collect::<Result<_, _>>()?,
        memory,
        memory_required,
    })
}

impl Reader<'_> {
    fn wrong<T>(&self, span: Range<usize>, what: String, remedy: &str) -> Result<T, ConfigError> {
        Err(ConfigError::at(self.origin, self.text, span.start, what, remedy))
    }

    fn pattern(&self, text: &Spanned<String>) -> Result<Pattern, ConfigError> {
        Pattern::parse(text.get_ref()).or_else(|error| self.wrong(text.span(), error.what, error.remedy))
    }

    fn patterns(&self, texts: &[Spanned<String>]) -> Result<Vec<Pattern>, ConfigError> {
        texts.iter().map(|text| self.pattern(text)).collect()
    }

    fn limit(&self, key: &str, value: Option<Spanned<Written>>) -> Result<Option<u32>, ConfigError> {
        let numbers = Numbers { origin: self.origin, text: self.text };
        let read = value.map(|of| numbers.whole(key, &of, &count::FROM_ONE)).transpose();
        read.map_err(|bad| ConfigError {
            remedy: format!("{}, or take {key} out for no limit", bad.remedy),
            ..bad
        })
    }

    /// What counts as code says nothing where nothing counts as a test.
    fn code(
        &self,
        code: Option<Spanned<Vec<Spanned<String>>>>,
        untested: bool,
    ) -> Result<Vec<Pattern>, ConfigError> {
        let Some(code) = code else { return Ok(Vec::new()) };
        if untested {
            let what = "code is named, and nothing counts as a test".to_owned();
            return self.wrong(code.span(), what, "write tests = [\"tests/**\"], or take it out");
        }
        self.patterns(code.get_ref())
    }

    /// The path of one file, without wildcards.
    fn file(&self, text: Spanned<String>) -> Result<String, ConfigError> {
        self.pattern(&text)?;
        if text.get_ref().contains(['*', '?', '[', '{', '\\']) || text.get_ref().ends_with('/') {
            let what = format!("{:?} names no single file", text.get_ref());
            return self.wrong(text.span(), what, "write the path of one file: wip.md");
        }
        Ok(text.get_ref().strip_prefix("./").unwrap_or(text.get_ref()).to_owned())
    }

    fn boundary(&self, raw: &RawBoundary) -> Result<Boundary, ConfigError> {
        let must_not = raw.must_not.get_ref();
        if must_not.is_empty() {
            let what = "must_not names nothing".to_owned();
            return self.wrong(raw.must_not.span(), what, "write must_not = [\"src/daemon\"]");
        }
        if let Some(empty) =
            must_not.iter().find(|name| name.get_ref().trim_matches([' ', '/', ':']).is_empty())
        {
            let what = format!("{:?} is no module", empty.get_ref());
            return self.wrong(empty.span(), what, "write a folder or a module: src/net or app.net");
        }
        let must_not = must_not.iter().map(|name| name.get_ref().trim().to_owned()).collect();
        Ok(Boundary { from: self.pattern(&raw.from)?, must_not })
    }

    /// A gate of this name, or one that runs this command, is there and required.
    fn gate_is_there(&self, wanted: &Spanned<String>, gates: &[GateSpec]) -> Result<(), ConfigError> {
        let text = wanted.get_ref().trim();
        if text.is_empty() {
            let what = "gates_must_include has an empty entry".to_owned();
            return self.wrong(wanted.span(), what, "write a gate's name or a part of its command");
        }
        let is_meant = |gate: &&GateSpec| gate.name == text || gate.command.contains(text);
        if gates.iter().filter(is_meant).any(|gate| gate.required) {
            return Ok(());
        }
        match gates.iter().find(is_meant) {
            Some(gate) => self.wrong(
                wanted.span(),
                format!("gate {} has to stop what is red, and is not required", gate.name),
                "take its required = false out",
            ),
            None => self.wrong(
                wanted.span(),
                format!("no gate is called {text:?} or runs it"),
                "add a [[gate]] with that name or command, or take the entry out",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::repo::RepoConfig;
    use crate::values::pattern::Pattern;

    #[test]
    fn a_whole_policy_is_read() {
        let config = RepoConfig::parse(
            "[[gate]]\nname = 'unit'\ncommand = 'cargo test --all'\n[policy]\nprotected = ['ci/**', '*.lock']\n\
             always = ['specs/**']\nsecrets_allow = ['tests/**']\nfiles_max = 40\nlines_max = 800\nuncounted = ['*.snap']\n\
             migrations = ['db/**']\nmemory = 'wip.md'\nmemory_required = true\n\
             gates_must_include = ['unit', 'cargo test']\n\
             [[policy.boundary]]\nfrom = 'src/core/**'\nmust_not = ['crate::daemon', 'src/daemon']\n",
            "nopeek.toml",
        )
        .unwrap();
        let policy = config.policy.unwrap();
        assert_eq!(policy.protected[1], Pattern::parse("*.lock").unwrap());
        assert!(policy.secrets && policy.memory_required);
        assert_eq!((policy.files_max, policy.lines_max), (Some(40), Some(800)));
        assert_eq!(policy.memory.as_deref(), Some("wip.md"));
        assert_eq!(policy.boundaries[0].must_not, ["crate::daemon", "src/daemon"]);
        assert_eq!(RepoConfig::parse("", "nopeek.toml").unwrap().policy, None);
        let empty = RepoConfig::parse("[policy]", "nopeek.toml").unwrap().policy.unwrap();
        assert_eq!(empty, crate::policy::rule::Policy::default());
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_a_remedy() {
        let boundary = |rest: &str| format!("[[policy.boundary]]\n{rest}");
        let gated =
            |rest: &str| format!("{rest}\n[[gate]]\nname = 'unit'\ncommand = 'make'\nrequired = false");
        let cases = [
            ("[policy]\nprotcted = []", "2:1: unknown field `protcted`", "did you mean protected?"),
            ("policy = 3", "1:10: invalid type", ""),
            ("[policy]\nprotected = 'ci'", "2:13: invalid type", ""),
            (
                "[policy]\nprotected = ['a', '/ci']",
                "2:19: \"/ci\" begins with a slash",
                "leave the slash out",
            ),
            ("[policy]\nalways = ['a**']", "2:11: \"a**\" has a ** beside", "stands alone"),
            ("[policy]\nsecrets_allow = ['../x']", "2:18: \"../x\" has a part ..", "from the repo's root"),
            ("[policy]\nuncounted = ['']", "2:14: a pattern is empty", "write a path"),
            ("[policy]\nmigrations = ['[a']", "2:15: \"[a\" has a [", "[a-z]"),
            ("[policy]\nsecrets = 'no'", "2:11: invalid type", ""),
            ("[policy]\nfiles_max = 0", "2:13: files_max = 0", "no limit"),
            ("[policy]\nlines_max = 0", "2:13: lines_max = 0", "no limit"),
            ("[policy]\ncommit_lines_max = 0", "2:20: commit_lines_max = 0", "no limit"),
            (
                "[policy]\ncode = ['src/**']",
                "2:8: code is named, and nothing counts as a test",
                "write tests",
            ),
            ("[policy]\nlines_max = -1", "2:13: lines_max = -1 is out of range", "no limit"),
            ("[policy]\nmemory = 'notes/*'", "2:10: \"notes/*\" names no single file", "wip.md"),
            ("[policy]\nmemory = '/wip.md'", "2:10: \"/wip.md\" begins with a slash", "leave"),
            (
                "[policy]\nmemory_required = true",
                "2:19: memory_required = true, and no memory",
                "memory = \"wip.md\"",
            ),
            (
                "[policy]\ngates_must_include = ['lint']",
                "2:23: no gate is called \"lint\" or runs it",
                "add a [[gate]]",
            ),
            ("[policy]\ngates_must_include = [' ']", "2:23: gates_must_include has an empty entry", "name"),
            (
                &gated("[policy]\ngates_must_include = ['unit']"),
                "2:23: gate unit has to stop",
                "required = false",
            ),
            (
                "[policy]\n[[gate]]\nname = 'policy'\ncommand = 'x'",
                "3:8: a gate policy is made out of",
                "another name",
            ),
            (&boundary("from = 'a'"), "1:1: missing field `must_not`", ""),
            (&boundary("from = 'a'\nmust_not = []"), "3:12: must_not names nothing", "src/daemon"),
            (&boundary("from = 'a'\nmust_not = ['::']"), "3:13: \"::\" is no module", "src/net"),
            (&boundary("from = '/a'\nmust_not = ['b']"), "2:8: \"/a\" begins with a slash", "leave"),
            (&boundary("from = 'a'\nmust_not = ['b']\nto = 'c'"), "4:1: unknown field `to`", "from"),
        ];
        for (text, says, remedy) in cases {
            let error = RepoConfig::parse(text, "nopeek.toml").unwrap_err();
            assert!(error.to_string().starts_with(&format!("nopeek.toml:{says}")), "{text}: {error}");
            assert!(error.remedy().contains(remedy), "{text}: {:?}", error.remedy());
        }
    }

    #[test]
    fn without_a_policy_a_gate_may_be_called_policy() {
        assert!(RepoConfig::parse("[[gate]]\nname = 'policy'\ncommand = 'x'", "nopeek.toml").is_ok());
    }
}
