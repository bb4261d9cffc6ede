//! A key as people write it: `j`, `ctrl-g`, `shift-tab`, `pageup`; and the same key as an agent's terminal gets it.

use crate::wire::input;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key with its modifiers. Shift is part of a character, never beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    code: KeyCode,
    mods: KeyModifiers,
}

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

const MODS: &[(&str, KeyModifiers)] =
    &[("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];

impl Key {
    /// The key of an event; what terminals report in two ways becomes one.
    pub(super) fn of(event: KeyEvent) -> Self {
        let mut mods = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::BackTab => {
                mods |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(c) => {
                mods -= KeyModifiers::SHIFT;
                KeyCode::Char(c)
            }
            other => other,
        };
        Self { code, mods }
    }

    /// Reads what a person wrote; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut mods = KeyModifiers::NONE;
        while let Some((name, bit)) =
            MODS.iter().find(|(name, _)| rest.starts_with(name) && rest.len() > name.len())
        {
            mods |= *bit;
            rest = &rest[name.len()..];
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
            _ => named(rest).ok_or_else(|| format!("`{text}` is not a key"))?,
        };
        if matches!(code, KeyCode::Char(_)) && mods.contains(KeyModifiers::SHIFT) {
            return Err(format!("`{text}` is not a key: a character has its shift in it, as in `A`"));
        }
        Ok(Self { code, mods })
    }

    /// The character that it types into a line, if it is one.
    pub(super) fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.mods.is_empty() => Some(c),
            _ => None,
        }
    }

    pub(super) const fn code(self) -> KeyCode {
        self.code
    }

    pub(super) const fn has_ctrl(self) -> bool {
        self.mods.contains(KeyModifiers::CONTROL)
    }

    /// The key for an agent's terminal; none if it has no meaning there.
    pub(super) fn wire(self) -> Option<input::Key> {
        let code = match self.code {
            KeyCode::Char(c) => input::KeyCode::Char(c),
            KeyCode::Enter => input::KeyCode::Enter,
            KeyCode::Esc => input::KeyCode::Esc,
            KeyCode::Backspace => input::KeyCode::Backspace,
            KeyCode::Tab if self.mods.contains(KeyModifiers::SHIFT) => input::KeyCode::BackTab,
            KeyCode::Tab => input::KeyCode::Tab,
            KeyCode::Up => input::KeyCode::Up,
            KeyCode::Down => input::KeyCode::Down,
            KeyCode::Left => input::KeyCode::Left,
            KeyCode::Right => input::KeyCode::Right,
            KeyCode::Home => input::KeyCode::Home,
            KeyCode::End => input::KeyCode::End,
            KeyCode::PageUp => input::KeyCode::PageUp,
            KeyCode::PageDown => input::KeyCode::PageDown,
            KeyCode::Insert => input::KeyCode::Insert,
            KeyCode::Delete => input::KeyCode::Delete,
            KeyCode::F(n) => input::KeyCode::F(n),
            _ => return None,
        };
        Some(input::Key { code, mods: wire_mods(self.mods) })
    }
}

/// Modifiers as they travel to an agent.
pub(super) fn wire_mods(mods: KeyModifiers) -> u8 {
    let bit = |of, bit| if mods.contains(of) { bit } else { 0 };
    bit(KeyModifiers::SHIFT, input::Key::SHIFT)
        | bit(KeyModifiers::ALT, input::Key::ALT)
        | bit(KeyModifiers::CONTROL, input::Key::CTRL)
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let n: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=24).contains(&n).then_some(KeyCode::F(n))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (name, bit) in MODS {
            if self.mods.contains(*bit) {
                text.push_str(name);
            }
        }
        match self.code {
            KeyCode::Char(' ') => text.push_str("space"),
            KeyCode::Char(c) => text.push(c),
            KeyCode::F(n) => text.push_str(&format!("f{n}")),
            code => {
                let name = NAMES.iter().find(|(_, known)| *known == code);
                text.push_str(name.map_or("?", |(name, _)| name));
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        for text in [
            "j",
            "A",
            "?",
            "-",
            "ctrl-g",
            "ctrl--",
            "alt-enter",
            "shift-tab",
            "space",
            "f12",
            "ctrl-alt-x",
            "é",
        ] {
            assert_eq!(Key::parse(text).map(|key| key.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "ctrl-", "f25", "f0", "shift-a", "entre", "jj", " "] {
            assert!(Key::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn two_reports_of_one_key_are_one_key() {
        let of = |code, mods| Key::of(KeyEvent::new(code, mods)).to_string();
        assert_eq!(of(KeyCode::BackTab, KeyModifiers::NONE), "shift-tab");
        assert_eq!(of(KeyCode::Tab, KeyModifiers::SHIFT), "shift-tab");
        assert_eq!(of(KeyCode::Char('A'), KeyModifiers::SHIFT), "A");
    }
}
