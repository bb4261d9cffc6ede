//! The reference in `docs/config.md` names every key and every word that config takes.

use super::repo::RepoConfig;
use super::user::UserConfig;

const REFERENCE: &str = include_str!("../../docs/config.md");

/// The words that the reader lists when it meets one that it does not know.
fn known(error: &super::ConfigError) -> Vec<String> {
    assert!(error.what.starts_with("unknown"), "{error}");
    error.what.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn of_repo(text: &str) -> Vec<String> {
    known(&RepoConfig::parse(text, "nopeek.toml").unwrap_err())
}

fn of_user(text: &str) -> Vec<String> {
    known(&UserConfig::parse(text, "config.toml").unwrap_err())
}

#[test]
fn every_key_is_in_the_reference() {
    let user = known(&UserConfig::parse("zzz = 1", "config.toml").unwrap_err());
    let agent = |rest: &str| format!("[agents.a]\ncommand = ['x']\n{rest}");
    let places = [
        ("nopeek.toml", of_repo("zzz = 1")),
        ("a gate", of_repo("[[gate]]\nname = 'a'\ncommand = 'x'\nzzz = 1")),
        ("an agent", of_repo(&agent("zzz = 1"))),
        ("policy", of_repo("[policy]\nzzz = 1")),
        ("a boundary", of_repo("[[policy.boundary]]\nzzz = 1")),
        ("lid", of_repo("lid = 'zzz'")),
        ("an agent's lid", of_repo(&agent("lid = 'zzz'"))),
        ("mode", of_repo(&agent("mode = 'zzz'"))),
        ("prompt", of_repo(&agent("prompt = 'zzz'"))),
        ("dialect", of_repo(&agent("dialect = 'zzz'"))),
        ("the panel", of_repo("[panel]\nzzz = 1")),
        ("a persona", of_repo("[panel.persona.a]\nzzz = 1")),
        ("a criterion", of_repo("[panel.persona.a]\nheuristics = { zzz = 1 }")),
        ("[budget]", of_repo("[budget]\nzzz = 1")),
        ("a budget", of_repo("[budget]\nday = { zzz = 1 }")),
        ("over", of_repo("[budget]\nover = 'zzz'")),
        ("unknown", of_repo("[budget]\nunknown = 'zzz'")),
        ("[schedule]", of_repo("[schedule]\nzzz = 1")),
        ("catch_up", of_repo("[schedule]\ncatch_up = 'zzz'")),
        ("a phase", of_repo("[schedule]\nmaintain = { zzz = 1 }")),
        ("config.toml", user),
        ("[report]", of_user("[report]\nzzz = 1")),
        ("[report.email]", of_user("[report.email]\nzzz = 1")),
        ("security", of_user("[report.email]\nsecurity = 'zzz'")),
        ("[notice]", of_user("[notice]\nzzz = 1")),
        ("on", of_user("[notice]\non = ['zzz']")),
        ("desktop", of_user("[notice]\ndesktop = 'zzz'")),
    ];
    for (place, words) in places {
        assert!(!words.is_empty(), "{place}");
        for word in words {
            let said = [format!("`{word}`"), format!("`\"{word}\"`")];
            assert!(
                said.iter().any(|word| REFERENCE.contains(word)),
                "{place}: {word} is not in docs/config.md"
            );
        }
    }
}

#[test]
fn the_examples_of_the_reference_are_read() {
    let blocks: Vec<&str> =
        REFERENCE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for text in blocks {
        let read = match text.lines().next() {
            Some("# config.toml") => UserConfig::parse(text, "config.toml").map(drop),
            _ => RepoConfig::parse(text, "nopeek.toml").map(drop),
        };
        assert!(read.is_ok(), "{}\n{text}", read.unwrap_err());
    }
}
