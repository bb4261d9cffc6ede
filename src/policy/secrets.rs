//! What a secret looks like: keys and tokens of known makers, and values that look random under a telling name.
//!
//! Promises: nothing that it returns holds the secret; a line is read once, in a time that grows with its length.
//! A mark in the line ([`MARK`]) or `secrets_allow` says that something only looks like one. These rules are a floor,
//! not a replacement for a scanner that is kept up to date.

use crate::core::model::diff::Reading;
use crate::policy::rule::{Breach, Policy, Rule, is_in};
use std::collections::BTreeSet;

/// Written in a line, it says that what is in it is no secret.
pub const MARK: &str = "nopeek:allow-secret";

/// A token that begins with known letters.
struct Token {
    what: &'static str,
    prefix: &'static str,
    /// Characters that may follow, besides letters and digits.
    more: &'static str,
    /// How many must follow, at least.
    min: usize,
}

const fn token(what: &'static str, prefix: &'static str, more: &'static str, min: usize) -> Token {
    Token { what, prefix, more, min }
}

/// Longer prefixes first where one begins with another.
const TOKENS: &[Token] = &[
    token("an AWS access key id", "AKIA", "", 16),
    token("an AWS access key id", "ASIA", "", 16),
    token("a GitHub token", "ghp_", "", 36),
    token("a GitHub token", "gho_", "", 36),
    token("a GitHub token", "ghu_", "", 36),
    token("a GitHub token", "ghs_", "", 36),
    token("a GitHub token", "ghr_", "", 36),
    token("a GitHub token", "github_pat_", "_", 22),
    token("a GitLab token", "glpat-", "-_", 20),
    token("a Slack token", "xoxb-", "-", 10),
    token("a Slack token", "xoxp-", "-", 10),
    token("a Slack token", "xoxa-", "-", 10),
    token("a Slack token", "xoxr-", "-", 10),
    token("a Slack token", "xoxs-", "-", 10),
    token("a Slack token", "xapp-", "-", 10),
    token("a Slack webhook", "hooks.slack.com/services/", "/", 20),
    token("a Google API key", "AIza", "-_", 35),
    token("a Google client secret", "GOCSPX-", "-_", 28),
    token("a Google access token", "ya29.", "-_", 20),
    token("an Anthropic key", "sk-ant-", "-_", 20),
    token("an OpenAI key", "sk-proj-", "-_", 20),
    token("an OpenAI key", "sk-svcacct-", "-_", 20),
    token("an OpenAI key", "sk-", "", 32),
    token("a Stripe key", "sk_live_", "", 16),
    token("a Stripe key", "rk_live_", "", 16),
    token("a Stripe webhook secret", "whsec_", "", 24),
    token("an npm token", "npm_", "", 36),
    token("a PyPI token", "pypi-", "-_", 50),
    token("a Hugging Face token", "hf_", "", 30),
    token("a SendGrid key", "SG.", "-_.", 60),
    token("a DigitalOcean token", "dop_v1_", "", 64),
];

/// Names that tell of a secret when a value is put under them.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "private_key",
    "credential",
];

/// Words in a value that say it stands for another one.
const STAND_INS: &[&str] =
    &["example", "placeholder", "changeme", "change-me", "your", "dummy", "redacted", "xxxx"];

/// Shortest value that may be a secret under a telling name.
const VALUE_MIN: usize = 16;

/// Least bits a character of a value that looks random: words of a language have about 3 at this length.
const BITS_MIN: f64 = 3.5;

/// The secrets in all added lines.
pub(crate) fn check(policy: &Policy, reading: &Reading, breaches: &mut Vec<Breach>) {
    let mut seen = BTreeSet::new();
    let now = reading.changes.iter().map(|change| (None, change));
    let before =
        reading.commits.iter().flat_map(|(id, changes)| changes.iter().map(move |change| (Some(id), change)));
    for (commit, change) in now.chain(before) {
        if is_in(&policy.secrets_allow, &change.path) {
            continue;
        }
        for (number, line) in &change.added {
            for what in find(line) {
                if commit.is_none() {
                    seen.insert((change.path.as_str(), what));
                    breaches.push(breach(&change.path, Some(*number), what, &reading.base));
                } else if let Some(id) = commit.filter(|_| seen.insert((change.path.as_str(), what))) {
                    let what = format!("{what} in commit {id}, though not in the newest");
                    breaches.push(breach(&change.path, None, &what, &reading.base));
                }
            }
        }
    }
}

/// The breach for a secret that somebody found; `what` must not hold it.
#[must_use]
pub fn breach(path: &str, line: Option<u32>, what: &str, base: &str) -> Breach {
    let what = format!("looks like it holds {what}");
    let remedy = format!(
        "read it from the environment or a file that is not committed, and take it out of your commits too (git reset \
         --soft {base}, then commit anew); if it is no secret, write {MARK} into the line"
    );
    Breach::of(Rule::Secrets, path, line, what, remedy)
}

/// What a line holds that looks like a secret.
#[must_use]
pub fn find(line: &str) -> Vec<&'static str> {
    if line.contains(MARK) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
        found.push("a private key");
    }
    for token in TOKENS {
        if !found.contains(&token.what) && holds(line, token) {
            found.push(token.what);
        }
    }
    if has_jwt(line) {
        found.push("a JSON web token");
    }
    if found.is_empty() && has_named_value(line) {
        found.push("a password, secret or token");
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn holds(line: &str, token: &Token) -> bool {
    line.match_indices(token.prefix).any(|(at, _)| {
        let after = &line[at + token.prefix.len()..];
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !token.more.contains(c));
        let body = &after[..end.unwrap_or(after.len())];
        let fits = body.len() >= token.min
            && (token.prefix.len() != 4 || !token.prefix.ends_with("IA") || {
                // An AWS id is of one length and of capitals and digits.
                body.len() == token.min && body.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            });
        fits && !line[..at].chars().next_back().is_some_and(is_word) && !is_stand_in(body)
    })
}

/// Three parts of base64 with points between, the first two of them JSON.
fn has_jwt(line: &str) -> bool {
    let is_part = |part: &str| part.len() >= 10;
    line.match_indices("eyJ").any(|(at, _)| {
        let after = &line[at..];
        let end = after.find(|c: char| !is_word(c) && c != '-' && c != '.').unwrap_or(after.len());
        let parts: Vec<&str> = after[..end].split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| is_part(part)) && parts[1].starts_with("eyJ")
    })
}

/// `name = "value"`, with a telling name and a value that looks random.
fn has_named_value(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    NAMES.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let after = &line[at + name.len()..];
            if goes_on(&line[at..at + name.len()], after) {
                return false;
            }
            let rest = after.trim_start_matches(is_word);
            let rest = rest.trim_start_matches(['"', '\'', ']', ' ', '\t']);
            let Some(value) = [":=", "=>", "=", ":"].iter().find_map(|sign| rest.strip_prefix(sign)) else {
                return false;
            };
            // A type may stand between: `token: &str = "…"`.
            looks_random(value.trim())
                || value.split_once("= ").is_some_and(|(_, value)| looks_random(value.trim()))
        })
    })
}

/// Whether a name is the begin of a longer word: `token` in `tokenizer`.
fn goes_on(name: &str, after: &str) -> bool {
    let case = |c: Option<char>| c.filter(char::is_ascii_alphabetic).map(|c| c.is_ascii_uppercase());
    let next = case(after.chars().next());
    next.is_some() && next == case(name.chars().next_back())
}

fn looks_random(text: &str) -> bool {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let (value, is_quoted) = match quote {
        Some(quote) => (text[1..].split(quote).next().unwrap_or(""), true),
        None => (text.trim_end_matches([';', ',']), false),
    };
    let can =
        |c: char| c.is_ascii_graphic() && (is_quoted || is_word(c) || matches!(c, '+' | '/' | '=' | '-'));
    if value.len() < VALUE_MIN || !value.chars().all(can) || is_stand_in(value) || value.contains("${") {
        return false;
    }
    let has = |of: fn(&char) -> bool| value.chars().any(|c| of(&c));
    let digits = has(char::is_ascii_digit);
    let mixed = has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && digits;
    let hex = value.len() >= 32 && value.chars().all(|c| c.is_ascii_hexdigit());
    // A name in code has no quotes, and words in it.
    let kind = if is_quoted { digits && has(char::is_ascii_alphabetic) } else { mixed || hex };
    kind && (hex || bits(value) >= BITS_MIN)
}

fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    STAND_INS.iter().any(|word| lower.contains(word))
        || value.starts_with(['<', '{', '$', '%'])
        || value.bytes().collect::<BTreeSet<u8>>().len() < 5
}

/// Bits of information a character, by how often each occurs.
fn bits(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "lengths of lines are far below 2^52")]
    let total = text.len() as f64;
    let of = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Random-looking letters and digits, so that no token stands whole in this file.
    fn body(length: usize) -> String {
        "a8Kd0Qz4LmP2xR7vT1nB5wY3cH9jF6gS".chars().cycle().take(length).collect()
    }

    #[test]
    fn tokens_of_known_makers_are_found() {
        for token in TOKENS {
            let body = match token.prefix {
                "AKIA" | "ASIA" => "Q7XK2M9RT4WB6ZPD".to_owned(),
                _ => body(token.min),
            };
            let line = format!("key = \"{}{body}\"", token.prefix);
            assert_eq!(find(&line), [token.what], "{}", token.prefix);
            assert!(find(&format!("{line} # {MARK}")).is_empty());
            assert!(find(&format!("x{}{body}", token.prefix)).is_empty(), "within a word: {}", token.prefix);
        }
        assert_eq!(find(&format!("-----BEGIN {} PRIVATE KEY-----", "RSA")), ["a private key"]);
        assert_eq!(find(&format!("eyJ{}.eyJ{}.{}", body(20), body(20), body(30))), ["a JSON web token"]);
    }

    #[test]
    fn what_looks_random_under_a_telling_name_is_found() {
        let value = body(20);
        for line in [
            format!("password = \"{value}\""),
            format!("  \"api_key\": \"{value}\","),
            format!("let token: &str = \"{value}\";"),
            format!("CLIENT_SECRET={value}"),
            format!("export SECRET_KEY={value}"),
            format!("auth_token: {value}"),
            format!("config['secretKey'] = '{value}'"),
        ] {
            assert_eq!(find(&line), ["a password, secret or token"], "{line}");
        }
    }

    #[test]
    fn what_stands_for_a_secret_or_is_none_is_left_alone() {
        let value = body(20);
        for line in [
            "password = os.environ[\"DATABASE_PASSWORD_2\"]".to_owned(),
            "token = next_token_of_the_line_1(text)".to_owned(),
            "password = \"changeme-changeme-1\"".to_owned(),
            "secret = \"${SECRET_OF_THE_HOUSE_1}\"".to_owned(),
            "the password is written down in the second drawer".to_owned(),
            format!("tokenizer = \"{value}\""),
            format!("digest = \"{value}\""),
            format!("AKIA{}EXAMPLE", "IOSFODNN7"),
            "token: string".to_owned(),
            "password = \"short1\"".to_owned(),
        ] {
            assert!(find(&line).is_empty(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in any::<String>(), name in "(token|password|AKIA|eyJ|sk-) ?[:=]? ?[\"']?") {
            let _ = find(&format!("{line}{name}{line}"));
        }
    }
}
