//! gitleaks, if it is here: asked about the added lines, within a time limit, with no config of the repo's.
//!
//! Its report holds the secrets: it is written to a folder that nobody else can enter, and removed at once. Nothing of
//! it but the rule's name is printed.

use crate::core::model::diff::Reading;
use crate::os::program;
use crate::policy::rule::{Breach, Policy};
use crate::policy::secrets::{self, MARK};
use crate::values::words::cut;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it may take: a gate of two minutes waits for it.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Longest name of a rule that is printed.
const NAME_MAX: usize = 60;

/// What a report says that we read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    #[serde(rename = "RuleID", default)]
    rule: String,
    #[serde(default)]
    start_line: usize,
    #[serde(default)]
    secret: String,
}

/// A line that it is asked about.
struct Asked<'a> {
    path: &'a str,
    /// None in a commit that is not the newest.
    number: Option<u32>,
    text: &'a str,
}

/// What it finds; nothing if it is not here.
pub(super) fn ask(policy: &Policy, reading: &Reading) -> Result<Vec<Breach>, String> {
    let Some(gitleaks) = on_the_path("gitleaks") else { return Ok(Vec::new()) };
    let lines = lines(policy, reading);
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let input: String = lines.iter().flat_map(|line| [line.text, "\n"]).collect();
    let folder = std::env::temp_dir().join(format!("nopeek-policy-{}", std::process::id()));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let report = folder.join("report.json");
    // From the root: a `.gitleaks.toml` of the checkout is the agent's own word.
    let script =
        "cd / && exec \"$0\" stdin --no-banner --exit-code 0 --report-format json --report-path \"$1\"";
    let args = ["-c", script, &gitleaks.to_string_lossy(), &report.to_string_lossy()].map(str::to_owned);
    let ran = program::run("sh", &args, input.as_bytes(), TIME_MAX);
    let said = fs::read(&report);
    // It holds secrets; if it can't be removed, it is still ours alone.
    let _ = fs::remove_dir_all(&folder);
    ran.map_err(|error| error.to_string())?;
    let said = said.map_err(|error| format!("it wrote no report: {error}"))?;
    let findings: Option<Vec<Finding>> =
        serde_json::from_slice(&said).map_err(|_| "its report can't be read".to_owned())?;
    Ok(findings
        .unwrap_or_default()
        .iter()
        .filter_map(|finding| breach(finding, &lines, &reading.base))
        .collect())
}

fn lines<'a>(policy: &Policy, reading: &'a Reading) -> Vec<Asked<'a>> {
    let now = reading.changes.iter().map(|change| (true, change));
    let before = reading.commits.iter().flat_map(|(_, changes)| changes.iter().map(|change| (false, change)));
    now.chain(before)
        .filter(|(_, change)| !policy.secrets_allow.iter().any(|pattern| pattern.matches(&change.path)))
        .flat_map(|(is_now, change)| {
            let added = change.added.iter().filter(|(_, text)| !text.contains(MARK));
            added.map(move |(number, text)| Asked {
                path: &change.path,
                number: is_now.then_some(*number),
                text,
            })
        })
        .collect()
}

/// Where a finding is: the first line that holds it, else the one that it names.
fn breach(finding: &Finding, lines: &[Asked<'_>], base: &str) -> Option<Breach> {
    let first = finding.secret.lines().next().filter(|text| !text.is_empty());
    let holds = |line: &&Asked<'_>| first.is_some_and(|text| line.text.contains(text));
    let line = lines.iter().find(holds).or_else(|| lines.get(finding.start_line.saturating_sub(1)))?;
    let rule = cut::chars(&finding.rule, NAME_MAX);
    let mut what = format!("a secret, says gitleaks: {rule}");
    if line.number.is_none() {
        what.push_str(", in an earlier commit");
    }
    Some(secrets::breach(line.path, line.number, &what, base))
}

fn on_the_path(name: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| Path::is_absolute(folder))
        .map(|folder| folder.join(name))
        .find(is_program)
}
