//! What a person types, as the bytes that a terminal program expects in its present modes.
//!
//! Owns xterm's and kitty's encodings of keys, mouse reports, focus and paste. Pasted text can't act on the
//! program: ESC and all controls but tab and line breaks are taken out of it.

use super::emulator::{Modes, MouseEncoding, MouseMode};
use crate::wire::input::{Input, Key, KeyCode, Mouse, MouseAct};

/// The kitty protocol's "disambiguate" flag.
const DISAMBIGUATE: u8 = 1;
/// Its "report all keys as escape codes" flag.
const ALL_AS_ESCAPES: u8 = 8;

/// The bytes of `input`; empty if the program has no use for it.
#[must_use]
pub fn encode(input: &Input, modes: Modes) -> Vec<u8> {
    match input {
        Input::Key(key) => encode_key(*key, modes),
        Input::Paste(text) => typed(text, modes),
        Input::Mouse(mouse) => encode_mouse(*mouse, modes),
        Input::Focus(gained) if modes.focus => if *gained { b"\x1b[I" } else { b"\x1b[O" }.to_vec(),
        Input::Focus(_) => Vec::new(),
    }
}

/// `text` as typed or pasted: between markers if the program wants that, line breaks as CR, without controls.
#[must_use]
pub fn typed(text: &str, modes: Modes) -> Vec<u8> {
    let mut clean = String::with_capacity(text.len() + 12);
    if modes.bracketed_paste {
        clean.push_str("\x1b[200~");
    }
    let text = text.replace("\r\n", "\n");
    for c in text.chars() {
        match c {
            '\n' | '\r' => clean.push('\r'),
            '\t' => clean.push('\t'),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    if modes.bracketed_paste {
        clean.push_str("\x1b[201~");
    }
    clean.into_bytes()
}

/// One plus the modifiers' bits, as both encodings count them: shift 1, alt 2, control 4.
const fn modifiers(mods: u8) -> u8 {
    1 + (mods & (Key::SHIFT | Key::ALT | Key::CTRL))
}

fn encode_key(key: Key, modes: Modes) -> Vec<u8> {
    if modes.kitty & (DISAMBIGUATE | ALL_AS_ESCAPES) != 0
        && let Some(bytes) = kitty_key(key, modes.kitty)
    {
        return bytes;
    }
    let shift = key.mods & Key::SHIFT != 0;
    let alt = key.mods & Key::ALT != 0;
    let ctrl = key.mods & Key::CTRL != 0;
    let plain: Vec<u8> = match key.code {
        KeyCode::Char(c) => match ctrl.then(|| control(c)).flatten() {
            Some(byte) => vec![byte],
            None => c.to_string().into_bytes(),
        },
        KeyCode::Enter if modes.newline => b"\r\n".to_vec(),
        KeyCode::Enter => b"\r".to_vec(),
        KeyCode::Esc => b"\x1b".to_vec(),
        KeyCode::Backspace if ctrl => b"\x08".to_vec(),
        KeyCode::Backspace => b"\x7f".to_vec(),
        KeyCode::Tab if shift => b"\x1b[Z".to_vec(),
        KeyCode::Tab => b"\t".to_vec(),
        KeyCode::BackTab => b"\x1b[Z".to_vec(),
        code => return function_key(code, key.mods, modes.app_cursor),
    };
    if alt { [b"\x1b", plain.as_slice()].concat() } else { plain }
}

/// The control character of a key, as terminals have had it since the teletype.
const fn control(c: char) -> Option<u8> {
    match c {
        'a'..='z' | 'A'..='Z' | '[' | '\\' | ']' | '^' | '_' => Some(c as u8 & 0x1f),
        ' ' | '@' | '2' => Some(0),
        '3' => Some(0x1b),
        '4' => Some(0x1c),
        '5' => Some(0x1d),
        '6' => Some(0x1e),
        '7' | '/' => Some(0x1f),
        '8' | '?' => Some(0x7f),
        _ => None,
    }
}

/// How a key of the function group is written: a final letter, or a number before `~`.
enum Code {
    Letter(char),
    Number(u8),
}

const fn code_of(code: KeyCode) -> Option<Code> {
    Some(match code {
        KeyCode::Up => Code::Letter('A'),
        KeyCode::Down => Code::Letter('B'),
        KeyCode::Right => Code::Letter('C'),
        KeyCode::Left => Code::Letter('D'),
        KeyCode::Home => Code::Letter('H'),
        KeyCode::End => Code::Letter('F'),
        KeyCode::Insert => Code::Number(2),
        KeyCode::Delete => Code::Number(3),
        KeyCode::PageUp => Code::Number(5),
        KeyCode::PageDown => Code::Number(6),
        KeyCode::F(1) => Code::Letter('P'),
        KeyCode::F(2) => Code::Letter('Q'),
        KeyCode::F(3) => Code::Letter('R'),
        KeyCode::F(4) => Code::Letter('S'),
        KeyCode::F(5) => Code::Number(15),
        KeyCode::F(n @ 6..=10) => Code::Number(n + 11),
        KeyCode::F(n @ 11..=14) => Code::Number(n + 12),
        KeyCode::F(n @ 15..=16) => Code::Number(n + 13),
        KeyCode::F(n @ 17..=20) => Code::Number(n + 14),
        KeyCode::F(_)
        | KeyCode::Char(_)
        | KeyCode::Enter
        | KeyCode::Esc
        | KeyCode::Backspace
        | KeyCode::Tab
        | KeyCode::BackTab => return None,
    })
}

fn function_key(code: KeyCode, mods: u8, app_cursor: bool) -> Vec<u8> {
    let mods = modifiers(mods);
    let text = match (code_of(code), mods) {
        (Some(Code::Letter(letter @ 'P'..='S')), 1) => format!("\x1bO{letter}"),
        (Some(Code::Letter(letter)), 1) if app_cursor => format!("\x1bO{letter}"),
        (Some(Code::Letter(letter)), 1) => format!("\x1b[{letter}"),
        (Some(Code::Letter(letter)), mods) => format!("\x1b[1;{mods}{letter}"),
        (Some(Code::Number(number)), 1) => format!("\x1b[{number}~"),
        (Some(Code::Number(number)), mods) => format!("\x1b[{number};{mods}~"),
        (None, _) => String::new(),
    };
    text.into_bytes()
}

/// The kitty encoding, where it differs from the old one.
fn kitty_key(key: Key, flags: u8) -> Option<Vec<u8>> {
    let all = flags & ALL_AS_ESCAPES != 0;
    let mods = if key.code == KeyCode::BackTab { key.mods | Key::SHIFT } else { key.mods };
    let bare = mods & !Key::SHIFT == 0;
    let number = match key.code {
        KeyCode::Esc => 27,
        // These three stay as they are without modifiers, so that a shell is usable after a crash.
        KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace if mods == 0 && !all => return None,
        KeyCode::Enter => 13,
        KeyCode::Tab | KeyCode::BackTab => 9,
        KeyCode::Backspace => 127,
        KeyCode::Char(_) if bare && !all => return None,
        KeyCode::Char(c) => u32::from(c.to_lowercase().next().unwrap_or(c)),
        KeyCode::F(3) => {
            return Some(if mods == 0 {
                "\x1b[13~".into()
            } else {
                format!("\x1b[13;{}~", modifiers(mods)).into()
            });
        }
        KeyCode::F(n @ 13..=24) => 57376 + u32::from(n - 13),
        _ => return None,
    };
    Some(match modifiers(mods) {
        1 => format!("\x1b[{number}u").into_bytes(),
        mods => format!("\x1b[{number};{mods}u").into_bytes(),
    })
}

fn encode_mouse(mouse: Mouse, modes: Modes) -> Vec<u8> {
    // The wheel moves the cursor in programs that have the alternate screen and no mouse, as in xterm.
    if modes.mouse == MouseMode::Off {
        let code = match mouse.act {
            MouseAct::ScrollUp => KeyCode::Up,
            MouseAct::ScrollDown => KeyCode::Down,
            _ => return Vec::new(),
        };
        if !(modes.alt_screen && modes.alternate_scroll) {
            return Vec::new();
        }
        return encode_key(Key { code, mods: 0 }, modes).repeat(3);
    }
    let (button, released) = match mouse.act {
        MouseAct::Down(n) => (n.min(2), false),
        MouseAct::Up(n) => (n.min(2), true),
        MouseAct::Drag(n) if modes.mouse != MouseMode::Click => (n.min(2) + 32, false),
        MouseAct::Moved if modes.mouse == MouseMode::Motion => (3 + 32, false),
        MouseAct::Drag(_) | MouseAct::Moved => return Vec::new(),
        MouseAct::ScrollUp => (64, false),
        MouseAct::ScrollDown => (65, false),
    };
    // The report's bits are shift 4, alt 8, control 16: ours, moved by two.
    let mods = (mouse.mods & (Key::SHIFT | Key::ALT | Key::CTRL)) << 2;
    let (col, row) = (u32::from(mouse.col) + 1, u32::from(mouse.row) + 1);
    if modes.mouse_encoding == MouseEncoding::Sgr {
        let end = if released { 'm' } else { 'M' };
        return format!("\x1b[<{};{col};{row}{end}", button + mods).into_bytes();
    }
    let button = if released { 3 } else { button } + mods;
    let mut out = b"\x1b[M".to_vec();
    for number in [u32::from(button), col, row] {
        let number = number + 32;
        match modes.mouse_encoding {
            MouseEncoding::Utf8 if number <= 2047 => {
                out.extend(char::from_u32(number).unwrap_or(' ').to_string().bytes());
            }
            MouseEncoding::Utf8 => return Vec::new(),
            _ => match u8::try_from(number) {
                Ok(byte) => out.push(byte),
                Err(_) => return Vec::new(),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, mods: u8, modes: Modes) -> String {
        String::from_utf8(encode(&Input::Key(Key { code, mods }), modes)).unwrap()
    }

    #[test]
    fn keys_as_xterm_sends_them() {
        let modes = Modes::default();
        let app = Modes { app_cursor: true, ..modes };
        for (code, mods, modes, want) in [
            (KeyCode::Char('ä'), 0, modes, "ä"),
            (KeyCode::Char('c'), Key::CTRL, modes, "\x03"),
            (KeyCode::Char(' '), Key::CTRL, modes, "\0"),
            (KeyCode::Char('x'), Key::ALT, modes, "\x1bx"),
            (KeyCode::Char('x'), Key::ALT | Key::CTRL, modes, "\x1b\x18"),
            (KeyCode::Enter, 0, modes, "\r"),
            (KeyCode::Backspace, 0, modes, "\x7f"),
            (KeyCode::BackTab, Key::SHIFT, modes, "\x1b[Z"),
            (KeyCode::Up, 0, modes, "\x1b[A"),
            (KeyCode::Up, 0, app, "\x1bOA"),
            (KeyCode::Up, Key::CTRL, app, "\x1b[1;5A"),
            (KeyCode::Home, 0, modes, "\x1b[H"),
            (KeyCode::Delete, Key::SHIFT, modes, "\x1b[3;2~"),
            (KeyCode::F(1), 0, modes, "\x1bOP"),
            (KeyCode::F(5), 0, modes, "\x1b[15~"),
            (KeyCode::F(6), 0, modes, "\x1b[17~"),
            (KeyCode::F(10), 0, modes, "\x1b[21~"),
            (KeyCode::F(12), Key::ALT, modes, "\x1b[24;3~"),
        ] {
            assert_eq!(key(code, mods, modes), want, "{code:?} {mods}");
        }
    }

    #[test]
    fn keys_as_kitty_sends_them() {
        let some = Modes { kitty: 1, ..Modes::default() };
        let all = Modes { kitty: 9, ..Modes::default() };
        for (code, mods, modes, want) in [
            (KeyCode::Esc, 0, some, "\x1b[27u"),
            (KeyCode::Char('a'), 0, some, "a"),
            (KeyCode::Char('A'), Key::SHIFT, some, "A"),
            (KeyCode::Char('c'), Key::CTRL, some, "\x1b[99;5u"),
            (KeyCode::Enter, 0, some, "\r"),
            (KeyCode::Enter, Key::SHIFT, some, "\x1b[13;2u"),
            (KeyCode::BackTab, 0, some, "\x1b[9;2u"),
            (KeyCode::Up, Key::SHIFT, some, "\x1b[1;2A"),
            (KeyCode::F(3), 0, some, "\x1b[13~"),
            (KeyCode::Char('a'), 0, all, "\x1b[97u"),
            (KeyCode::Char('A'), Key::SHIFT, all, "\x1b[97;2u"),
            (KeyCode::Enter, 0, all, "\x1b[13u"),
        ] {
            assert_eq!(key(code, mods, modes), want, "{code:?} {mods}");
        }
    }

    #[test]
    fn a_paste_cannot_end_itself_or_act() {
        let modes = Modes { bracketed_paste: true, ..Modes::default() };
        assert_eq!(typed("a\x1b[201~\r\nb\u{9b}c\td\x03", modes), b"\x1b[200~a[201~\rbc\td\x1b[201~");
        assert_eq!(typed("x\ny", Modes::default()), b"x\ry");
    }

    #[test]
    fn mouse_reports() {
        let report = |act, mouse, mouse_encoding| {
            let input = Input::Mouse(Mouse { act, row: 4, col: 300, mods: Key::CTRL });
            encode(&input, Modes { mouse, mouse_encoding, ..Modes::default() })
        };
        use MouseEncoding::{Legacy, Sgr};
        assert_eq!(report(MouseAct::Down(0), MouseMode::Click, Sgr), b"\x1b[<16;301;5M");
        assert_eq!(report(MouseAct::Up(0), MouseMode::Click, Sgr), b"\x1b[<16;301;5m");
        assert_eq!(report(MouseAct::Drag(0), MouseMode::Click, Sgr), b"");
        assert_eq!(report(MouseAct::Moved, MouseMode::Motion, Sgr), b"\x1b[<51;301;5M");
        assert_eq!(report(MouseAct::Down(0), MouseMode::Click, Legacy), b"", "too far right for a byte");
        assert_eq!(report(MouseAct::Down(0), MouseMode::Off, Sgr), b"");
        let wheel = Input::Mouse(Mouse { act: MouseAct::ScrollUp, row: 0, col: 0, mods: 0 });
        let modes = Modes { alt_screen: true, alternate_scroll: true, ..Modes::default() };
        assert_eq!(encode(&wheel, modes), b"\x1b[A\x1b[A\x1b[A");
    }
}
