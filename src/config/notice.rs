//! `[notice]` of the user's config: which notices ring, and where they go.

use super::ConfigError;
use crate::core::model::notice::NoticeKind;
use crate::os::post;
use serde::Deserialize;
use toml::Spanned;

/// Which notices ring, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeConfig {
    pub on: Vec<NoticeKind>,
    /// How the board asks its terminal to notify the desktop.
    pub desktop: Desktop,
    /// Whether the board rings the terminal's bell.
    pub bell: bool,
    /// Program and arguments that the daemon runs; empty: none.
    pub command: Vec<String>,
    /// The address that the daemon posts to.
    pub webhook: Option<String>,
}

/// How a terminal is asked to notify the desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desktop {
    /// As the terminal is known to understand; not at all if it is not known.
    #[default]
    Auto,
    /// iTerm2's, also of WezTerm and Ghostty.
    Osc9,
    /// urxvt's, also of foot and of VTE terminals.
    Osc777,
    Osc99,
    Off,
}

impl Default for NoticeConfig {
    fn default() -> Self {
        Self {
            on: NoticeKind::ALL.to_vec(),
            desktop: Desktop::Auto,
            bell: true,
            command: Vec::new(),
            webhook: None,
        }
    }
}

/// As it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotice {
    on: Option<Vec<NoticeKind>>,
    desktop: Option<Desktop>,
    bell: Option<bool>,
    command: Option<Spanned<Vec<String>>>,
    webhook: Option<Spanned<String>>,
}

impl RawNotice {
    pub(super) fn check(self, origin: &str, text: &str) -> Result<NoticeConfig, ConfigError> {
        let base = NoticeConfig::default();
        if let Some(command) = &self.command
            && command.get_ref().first().is_none_or(|program| program.trim().is_empty())
        {
            let remedy = "write command = [\"notify-send\", \"nopeek\", \"{text}\"], or leave it out";
            let what = "the command of [notice] names no program".to_owned();
            return Err(ConfigError::at(origin, text, command.span().start, what, remedy));
        }
        if let Some(webhook) = &self.webhook
            && let Err(wrong) = post::host(webhook.get_ref())
        {
            let what = format!("webhook can't be posted to: {wrong}");
            let remedy = "write webhook = \"https://HOST/PATH\"";
            return Err(ConfigError::at(origin, text, webhook.span().start, what, remedy));
        }
        Ok(NoticeConfig {
            on: self.on.unwrap_or(base.on),
            desktop: self.desktop.unwrap_or(base.desktop),
            bell: self.bell.unwrap_or(base.bell),
            command: self.command.map_or(base.command, Spanned::into_inner),
            webhook: self.webhook.map(Spanned::into_inner),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::user::UserConfig;
    use super::*;

    #[test]
    fn it_is_read_and_what_is_not_there_is_the_default() {
        let text =
            "[notice]\non = ['needs_you', 'red']\ndesktop = 'osc777'\nwebhook = 'https://example.org/x'";
        let notice = UserConfig::parse(text, "config.toml").unwrap().notice;
        assert_eq!(notice.on, [NoticeKind::NeedsYou, NoticeKind::Red]);
        assert_eq!((notice.desktop, notice.bell), (Desktop::Osc777, true));
        assert_eq!(UserConfig::parse("", "config.toml").unwrap().notice, NoticeConfig::default());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let says = |text: &str| {
            let error = UserConfig::parse(text, "config.toml").unwrap_err();
            format!("{error} / {}", error.remedy())
        };
        for (text, expected) in [
            (
                "[notice]\non = ['need_you']",
                "config.toml:2:7: unknown variant `need_you`, expected one of `needs_you`, `done`, `red`, \
                 `over_budget` / did you mean needs_you?",
            ),
            ("[notice]\ndesktop = 'osc8'", "config.toml:2:11: unknown variant `osc8`"),
            ("[notice]\nsound = true", "config.toml:2:1: unknown field `sound`"),
            ("[notice]\nbell = 'yes'", "config.toml:2:8: invalid type: string \"yes\", expected a boolean"),
            ("[notice]\ncommand = []", "config.toml:2:11: the command of [notice] names no program"),
            ("[notice]\ncommand = 'x'", "config.toml:2:11: invalid type: string \"x\", expected a sequence"),
            (
                "[notice]\n\nwebhook = 'example.org'",
                "config.toml:3:11: webhook can't be posted to: an address begins with https:// or http://",
            ),
        ] {
            assert!(says(text).starts_with(expected), "{}", says(text));
        }
    }
}
