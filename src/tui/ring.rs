//! Ringing for a notice: the terminal's bell, and the desktop by way of the terminal (OSC 9, OSC 777, OSC 99).
//!
//! Promises: whatever a notice says, nothing in it acts on a terminal or ends the sequence that it stands in; what
//! happens within a second rings once.

use crate::config::notice::{Desktop, NoticeConfig};
use crate::core::model::notice::NoticeKind;
use crate::values::text::Shown;
use crate::values::words::cut;
use crate::values::words::plural::counted;
use base64::Engine as _;
use std::time::{Duration, Instant};

/// Longest text of a desktop notification, in characters.
const TEXT_MAX: usize = 200;
/// Rings are at least so far apart.
const APART: Duration = Duration::from_secs(1);
/// Most that wait to be rung for together.
const WAITING_MAX: usize = 20;

/// How this terminal is rung.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ring {
    on: Vec<NoticeKind>,
    way: Option<Way>,
    bell: bool,
    tmux: bool,
}

/// A terminal's sequence for a desktop notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Osc9,
    Osc777,
    Osc99,
}

impl Ring {
    /// As configured; what the terminal knows comes from the environment.
    pub(super) fn new(config: &NoticeConfig, var: impl Fn(&str) -> Option<String>) -> Self {
        let way = match config.desktop {
            Desktop::Auto => known(&var),
            Desktop::Osc9 => Some(Way::Osc9),
            Desktop::Osc777 => Some(Way::Osc777),
            Desktop::Osc99 => Some(Way::Osc99),
            Desktop::Off => None,
        };
        let tmux = var("TMUX").is_some_and(|socket| !socket.is_empty());
        Self { on: config.on.clone(), way, bell: config.bell, tmux }
    }

    /// Whether it rings at all.
    pub(super) fn is_any(&self) -> bool {
        (self.bell || self.way.is_some()) && !self.on.is_empty()
    }

    /// Whether it rings for this kind.
    pub(super) fn is_for(&self, kind: NoticeKind) -> bool {
        self.is_any() && self.on.contains(&kind)
    }

    /// What is written to the terminal.
    pub(super) fn bytes(&self, words: &str) -> Vec<u8> {
        let mut out = String::new();
        if let Some(way) = self.way {
            let sequence = sequence(way, words);
            if self.tmux {
                // tmux hands it on to the terminal around it, where `allow-passthrough` is on.
                out += &format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"));
            } else {
                out += &sequence;
            }
        }
        if self.bell {
            out.push('\x07');
        }
        out.into_bytes()
    }
}

fn sequence(way: Way, words: &str) -> String {
    let shown = Shown::line(words);
    let text = cut::chars(shown.as_str(), TEXT_MAX);
    // A semicolon parts the fields.
    let plain = text.replace(';', ",");
    match way {
        // `9;4;…` is a progress bar to some.
        Way::Osc9 => format!("\x1b]9;nopeek: {plain}\x07"),
        Way::Osc777 => format!("\x1b]777;notify;nopeek;{plain}\x07"),
        Way::Osc99 => {
            let coded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
            format!(
                "\x1b]99;i=nopeek:d=0:e=1:p=title;{}\x1b\\\x1b]99;i=nopeek:d=1:e=1:p=body;{}\x1b\\",
                coded("nopeek"),
                coded(&text)
            )
        }
    }
}

/// What the terminal is known to understand. Inside tmux and over SSH only what came through tells.
fn known(var: &impl Fn(&str) -> Option<String>) -> Option<Way> {
    let there = |name: &str| var(name).is_some_and(|value| !value.is_empty());
    let term = var("TERM").unwrap_or_default();
    let program = var("TERM_PROGRAM").or_else(|| var("LC_TERMINAL")).unwrap_or_default();
    if term.starts_with("xterm-kitty") || there("KITTY_WINDOW_ID") {
        Some(Way::Osc99)
    } else if ["iTerm.app", "iTerm2", "WezTerm", "ghostty"].contains(&program.as_str())
        || term.starts_with("xterm-ghostty")
        || there("ITERM_SESSION_ID")
        || there("WEZTERM_PANE")
        || there("GHOSTTY_RESOURCES_DIR")
    {
        Some(Way::Osc9)
    } else if term.starts_with("foot") || term.starts_with("rxvt-unicode") || there("VTE_VERSION") {
        Some(Way::Osc777)
    } else {
        None
    }
}

/// What is to be rung for, and when that was last done.
#[derive(Debug, Default)]
pub(super) struct Rung {
    waiting: Vec<String>,
    more: usize,
    last: Option<Instant>,
}

impl Rung {
    /// This is to be rung for.
    pub(super) fn want(&mut self, words: String) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(words);
        } else {
            self.more += 1;
        }
    }

    /// What to ring for now, as one.
    pub(super) fn due(&mut self, now: Instant) -> Option<String> {
        if self.waiting.is_empty() || self.last.is_some_and(|last| now.duration_since(last) < APART) {
            return None;
        }
        self.last = Some(now);
        let (waiting, more) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.more));
        let count = waiting.len() + more;
        let all = waiting.join("; ");
        Some(if count == 1 { all } else { format!("{}: {all}", counted(count, "notice")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock;

    fn ring(desktop: Desktop, bell: bool, vars: &[(&str, &str)]) -> Ring {
        let config = NoticeConfig { desktop, bell, ..NoticeConfig::default() };
        Ring::new(&config, |name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn said(ring: &Ring, words: &str) -> String {
        String::from_utf8(ring.bytes(words)).unwrap()
    }

    #[test]
    fn a_terminal_is_rung_as_it_understands() {
        let auto = |vars: &[(&str, &str)]| said(&ring(Desktop::Auto, false, vars), "fix: green");
        assert_eq!(auto(&[("TERM", "xterm-256color")]), "");
        assert_eq!(auto(&[("TERM_PROGRAM", "WezTerm")]), "\x1b]9;nopeek: fix: green\x07");
        assert_eq!(auto(&[("TERM", "foot")]), "\x1b]777;notify;nopeek;fix: green\x07");
        assert_eq!(
            auto(&[("TERM", "xterm-kitty")]),
            "\x1b]99;i=nopeek:d=0:e=1:p=title;bm9wZWVr\x1b\\\x1b]99;i=nopeek:d=1:e=1:p=body;Zml4OiBncmVlbg==\x1b\\"
        );
        let tmux = [("TMUX", "/tmp/s,1,0"), ("TERM", "tmux-256color"), ("LC_TERMINAL", "iTerm2")];
        assert_eq!(auto(&tmux), "\x1bPtmux;\x1b\x1b]9;nopeek: fix: green\x07\x1b\\");
        assert_eq!(said(&ring(Desktop::Off, true, &[("TERM", "foot")]), "x"), "\x07");
        assert!(!ring(Desktop::Off, false, &[]).is_any());
    }

    #[test]
    fn nothing_in_a_notice_ends_its_sequence() {
        let hostile = "a\x07\x1b\\\x1b]0;owned\u{9c}\u{9d}\x1b[2J;notify;b\n";
        for desktop in [Desktop::Osc9, Desktop::Osc777, Desktop::Osc99] {
            for vars in [&[][..], &[("TMUX", "x")]] {
                let bytes = said(&ring(desktop, false, vars), hostile);
                let controls = bytes.chars().filter(|c| c.is_control()).count();
                let expected = said(&ring(desktop, false, vars), "plain");
                assert_eq!(controls, expected.chars().filter(|c| c.is_control()).count(), "{bytes:?}");
            }
        }
        assert_eq!(said(&ring(Desktop::Osc777, false, &[]), hostile).matches(';').count(), 3);
        let long = said(&ring(Desktop::Osc9, false, &[]), &"x".repeat(9_999));
        assert_eq!(long.chars().filter(|c| *c == 'x').count(), TEXT_MAX - 1);
    }

    #[test]
    fn what_happens_within_a_second_rings_once() {
        let mut rung = Rung::default();
        let now = clock::instant();
        assert_eq!(rung.due(now), None);
        rung.want("a: x".to_owned());
        assert_eq!(rung.due(now).as_deref(), Some("a: x"));
        (0..100).for_each(|n| rung.want(format!("{n}: y")));
        assert_eq!(rung.due(now + Duration::from_millis(900)), None);
        let all = rung.due(now + APART).unwrap();
        assert!(all.starts_with("100 notices: 0: y; 1: y; "), "{all}");
        assert_eq!(rung.due(now + APART * 3), None);
    }
}
