//! `[report]` of the user's config: where `nopeek report --send` sends reports.

use super::ConfigError;
use super::numbers::Numbers;
use crate::os::mail::Security;
use crate::os::post;
use crate::values::words::written::Written;
use serde::Deserialize;
use toml::Spanned;

/// Where reports go. What is none is not used; each of the others gets every report that is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportConfig {
    /// Program and arguments; gets the markdown on its standard input. Empty: none.
    pub command: Vec<String>,
    /// The address that the JSON is posted to.
    pub webhook: Option<String>,
    pub email: Option<EmailConfig>,
}

/// How letters are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailConfig {
    pub host: String,
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// The name to log in with.
    pub user: Option<String>,
    /// Program and arguments that print the password. Empty: none.
    pub password: Vec<String>,
    pub from: String,
    /// Who gets it; at least one.
    pub to: Vec<String>,
}

impl ReportConfig {
    /// Whether there is nowhere to send to.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.command.is_empty() && self.webhook.is_none() && self.email.is_none()
    }
}

/// As it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReport {
    command: Option<Spanned<Vec<String>>>,
    webhook: Option<Spanned<String>>,
    email: Option<Spanned<RawEmail>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmail {
    host: Spanned<String>,
    port: Option<Spanned<Written>>,
    #[serde(default)]
    security: RawSecurity,
    user: Option<Spanned<String>>,
    password_command: Option<Spanned<Vec<String>>>,
    from: Spanned<String>,
    to: Spanned<Vec<Spanned<String>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawSecurity {
    #[default]
    Starttls,
    Tls,
    None,
}

/// A program in a list, or why it is none.
fn program(
    words: Option<Spanned<Vec<String>>>,
    key: &str,
    wrong: Wrong<'_>,
) -> Result<Vec<String>, ConfigError> {
    match words {
        None => Ok(Vec::new()),
        Some(words) if words.get_ref().first().is_none_or(|program| program.trim().is_empty()) => {
            let what = format!("{key} names no program");
            Err(wrong(words.span().start, what, "write a list: [\"PROGRAM\", \"ARGUMENT\"], or leave it out"))
        }
        Some(words) => Ok(words.into_inner()),
    }
}

/// Makes an error at a place.
type Wrong<'a> = &'a dyn Fn(usize, String, &str) -> ConfigError;

impl RawReport {
    pub(super) fn check(self, origin: &str, text: &str) -> Result<ReportConfig, ConfigError> {
        let wrong = |at: usize, what: String, remedy: &str| ConfigError::at(origin, text, at, what, remedy);
        if let Some(webhook) = &self.webhook
            && let Err(why) = post::host(webhook.get_ref())
        {
            let what = format!("webhook can't be posted to: {why}");
            return Err(wrong(webhook.span().start, what, "write webhook = \"https://HOST/PATH\""));
        }
        Ok(ReportConfig {
            command: program(self.command, "the command of [report]", &wrong)?,
            webhook: self.webhook.map(Spanned::into_inner),
            email: self
                .email
                .map(|email| email.into_inner().check(Numbers { origin, text }, &wrong))
                .transpose()?,
        })
    }
}

impl RawEmail {
    fn check(self, numbers: Numbers<'_>, wrong: Wrong<'_>) -> Result<EmailConfig, ConfigError> {
        let host = self.host.get_ref();
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-[]:".contains(c)) {
            let what = format!("{host:?} is no host");
            return Err(wrong(self.host.span().start, what, "write host = \"smtp.example.org\""));
        }
        let (security, port) = match self.security {
            RawSecurity::Starttls => (Security::Starttls, 587),
            RawSecurity::Tls => (Security::Tls, 465),
            RawSecurity::None => (Security::Open, 25),
        };
        let own = self.port.map(|of| numbers.whole("port", &of, &(1..=u32::from(u16::MAX)))).transpose()?;
        if let Some(user) = &self.user {
            if self.password_command.is_none() {
                let what = "user stands without password_command".to_owned();
                let remedy = "write password_command = [\"PROGRAM\", …], which prints the password";
                return Err(wrong(user.span().start, what, remedy));
            }
            if security == Security::Open && !is_own(host) {
                let what = format!("with security = \"none\" the password would go to {host} in the clear");
                return Err(wrong(user.span().start, what, "take out security, or user"));
            }
            if user.get_ref().contains(':') {
                return Err(wrong(user.span().start, "user has a colon in it".to_owned(), ""));
            }
        }
        if self.to.get_ref().is_empty() {
            let remedy = "write to = [\"you@example.org\"]";
            return Err(wrong(self.to.span().start, "to names nobody".to_owned(), remedy));
        }
        for address in self.to.get_ref().iter().chain([&self.from]) {
            if !is_address(address.get_ref()) {
                let what = format!("{:?} is no address of a mailbox", address.get_ref());
                return Err(wrong(address.span().start, what, "write it as you@example.org"));
            }
        }
        Ok(EmailConfig {
            port: own.and_then(|port| u16::try_from(port).ok()).unwrap_or(port),
            security,
            password: program(self.password_command, "password_command", wrong)?,
            user: self.user.map(Spanned::into_inner),
            host: self.host.into_inner(),
            from: self.from.into_inner(),
            to: self.to.into_inner().into_iter().map(Spanned::into_inner).collect(),
        })
    }
}

/// Whether a host is this machine.
fn is_own(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// `name@host`, with nothing in it that would end a line of a letter's head or begin another address.
fn is_address(text: &str) -> bool {
    let bad = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"()".contains(c);
    let parts: Vec<&str> = text.split('@').collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) && !text.contains(bad)
}

#[cfg(test)]
mod tests {
    use super::super::user::UserConfig;
    use super::*;

    const EMAIL: &str = "[report.email]\nhost = 'mail.example.org'\nfrom = 'a@b.c'\nto = ['d@e.f']\n";

    #[test]
    fn it_is_read_and_what_is_not_there_is_not_used() {
        let config = UserConfig::parse(EMAIL, "config.toml").unwrap().report;
        let email = config.email.as_ref().unwrap();
        assert_eq!((email.port, email.security), (587, Security::Starttls));
        assert!(config.command.is_empty() && config.webhook.is_none() && !config.is_empty());
        assert!(UserConfig::parse("", "config.toml").unwrap().report.is_empty());
        let tls = UserConfig::parse(&format!("{EMAIL}security = 'tls'"), "config.toml").unwrap();
        assert_eq!(tls.report.email.unwrap().port, 465);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let email = |rest: &str| format!("{EMAIL}{rest}");
        for (text, expected) in [
            (
                "[report]\ncommand = []".to_owned(),
                "config.toml:2:11: the command of [report] names no program",
            ),
            ("[report]\nwebhook = 'ftp://x'".to_owned(), "config.toml:2:11: webhook can't be posted to"),
            ("[report]\nmail = 1".to_owned(), "config.toml:2:1: unknown field `mail`"),
            (email("user = 'ada'"), "config.toml:5:8: user stands without password_command"),
            (
                email("user = 'ada'\npassword_command = ['']"),
                "config.toml:6:20: password_command names no program",
            ),
            (
                email("user = 'ada'\npassword_command = ['x']\nsecurity = 'none'"),
                "config.toml:5:8: with security = \"none\" the password would go to mail.example.org in the clear",
            ),
            (email("security = 'ssl'"), "config.toml:5:12: unknown variant `ssl`"),
            (EMAIL.replace("['d@e.f']", "[]"), "config.toml:4:6: to names nobody"),
            (EMAIL.replace("'d@e.f'", "'d@e.f>\\nBcc: x@y.z'"), "config.toml:4:7: "),
            (EMAIL.replace("a@b.c", "ada"), "config.toml:3:8: \"ada\" is no address of a mailbox"),
            (EMAIL.replace("mail.example.org", "a/b"), "config.toml:2:8: \"a/b\" is no host"),
        ] {
            let error = UserConfig::parse(&text, "config.toml").unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}\nwanted {expected}");
        }
    }
}
