//! Cuts an output stream into what the emulator may see and the strings (OSC, DCS, APC, PM, SOS) in it.
//!
//! Promises: the pieces are the same wherever the stream was split; a string is held up to [`STRING_MAX`] bytes
//! and a longer one is swallowed; all strings but OSC are swallowed; and the emulator's parser stands after each
//! string where it would stand had it seen the string itself. 8-bit C1 controls are not controls (UTF-8).
//! Text costs one `memchr` for ESC.

use memchr::{memchr, memchr3};

/// Longest OSC that is looked at, its number included: a title, a message or a colour is far below it.
pub(super) const STRING_MAX: usize = 4096;
/// Longest parameters of a `CSI >` that are looked at.
const CSI_MAX: usize = 8;

/// What the stream is made of.
pub(super) enum Piece<'a> {
    /// For the emulator's parser.
    Pass(&'a [u8]),
    /// A whole OSC: its text, and whether a BEL ended it.
    Osc(&'a [u8], bool),
    /// XTVERSION: the program asks which terminal this is.
    AskVersion,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// After `ESC [`.
    Csi,
    /// After `ESC [ >`; the bytes are in `held`.
    CsiGreater,
    Osc,
    /// In a string that nobody reads, or an OSC that is too long.
    Swallow {
        osc: bool,
    },
}

/// Where in the stream we are.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// The parser has not seen the ESC that we stand after.
    escape_owed: bool,
    held: Vec<u8>,
    /// The beginning of a character at the end of the chunk before. The parser must not see it in parts: completing
    /// one, vte 0.15 drops a control character that follows within two bytes.
    part: Vec<u8>,
}

impl Scanner {
    /// Reads on; hands each piece to `sink`, in order.
    pub(super) fn scan(&mut self, bytes: &[u8], mut sink: impl FnMut(Piece<'_>)) {
        let mut at = self.complete(bytes, &mut sink);
        // What the parser has not been given yet starts here.
        let mut from = at;
        if self.escape_owed {
            // The ESC was the last byte of the chunk before. It is not given if it begins a string.
            let Some(&next) = bytes.first() else { return };
            self.escape_owed = false;
            if string_of(next).is_none() {
                sink(Piece::Pass(b"\x1b"));
            }
        }
        while at < bytes.len() {
            match self.state {
                State::Text => match memchr(0x1b, &bytes[at..]) {
                    Some(n) => {
                        at += n + 1;
                        self.state = State::Escape;
                    }
                    None => at = bytes.len(),
                },
                State::Escape => {
                    let byte = bytes[at];
                    at += 1;
                    if let Some(state) = string_of(byte) {
                        // All before the ESC; then `ESC \`, which ends what the ESC would have ended.
                        let before = at - 1;
                        let end = if before > 0 && bytes[before - 1] == 0x1b { before - 1 } else { before };
                        sink(Piece::Pass(&bytes[from..end.max(from)]));
                        sink(Piece::Pass(b"\x1b\\"));
                        from = at;
                        self.held.clear();
                        self.state = state;
                    } else {
                        self.state = after_escape(byte);
                    }
                }
                State::Csi => {
                    // Looked at again by the next state if it is no `>`.
                    if bytes[at] == b'>' {
                        at += 1;
                        self.held.clear();
                        self.state = State::CsiGreater;
                    } else {
                        self.state = State::Text;
                    }
                }
                State::CsiGreater => {
                    let byte = bytes[at];
                    match byte {
                        b'0'..=b'9' | b';' if self.held.len() < CSI_MAX => {
                            self.held.push(byte);
                            at += 1;
                        }
                        b'q' if matches!(self.held.as_slice(), b"" | b"0") => {
                            at += 1;
                            sink(Piece::Pass(&bytes[from..at]));
                            from = at;
                            sink(Piece::AskVersion);
                            self.state = State::Text;
                        }
                        _ => self.state = State::Text,
                    }
                }
                State::Osc => {
                    let rest = &bytes[at..];
                    let n = rest.iter().position(|b| matches!(b, 0x07 | 0x18 | 0x1a | 0x1b));
                    let text = &rest[..n.unwrap_or(rest.len())];
                    if self.held.len() + text.len() > STRING_MAX {
                        self.held = Vec::new();
                        self.state = State::Swallow { osc: true };
                        continue;
                    }
                    self.held.extend_from_slice(text);
                    at += text.len();
                    if n.is_some() {
                        let end = bytes[at];
                        at += 1;
                        if matches!(end, 0x07 | 0x1b) {
                            sink(Piece::Osc(&self.held, end == 0x07));
                        }
                        self.state = after_string(end);
                    }
                    from = at.saturating_sub(usize::from(self.state == State::Escape));
                }
                State::Swallow { osc } => {
                    let rest = &bytes[at..];
                    let n = if osc {
                        rest.iter().position(|b| matches!(b, 0x07 | 0x18 | 0x1a | 0x1b))
                    } else {
                        memchr3(0x18, 0x1a, 0x1b, rest)
                    };
                    at += n.map_or(rest.len(), |n| n + 1);
                    if n.is_some() {
                        self.state = after_string(bytes[at - 1]);
                    }
                    from = at.saturating_sub(usize::from(self.state == State::Escape));
                }
            }
        }
        let mut end = bytes.len();
        if self.state == State::Escape && bytes.last() == Some(&0x1b) && from < end {
            end -= 1;
            self.escape_owed = true;
        }
        if from < end {
            let whole = end - incomplete(&bytes[from..end]);
            if self.state != State::Escape || whole == end {
                self.part.extend_from_slice(&bytes[whole..end]);
                end = whole;
            }
            sink(Piece::Pass(&bytes[from..end]));
        }
    }

    /// Completes the character that the chunk before began; gives how many bytes it took.
    fn complete(&mut self, bytes: &[u8], sink: &mut impl FnMut(Piece<'_>)) -> usize {
        if self.part.is_empty() {
            return 0;
        }
        for (taken, byte) in bytes.iter().enumerate() {
            self.part.push(*byte);
            match str::from_utf8(&self.part) {
                Ok(_) => sink(Piece::Pass(&self.part)),
                Err(error) if error.error_len().is_none() => continue,
                Err(_) => {
                    // It stays incomplete: what came instead is read anew.
                    sink(Piece::Pass("\u{fffd}".as_bytes()));
                    self.part.clear();
                    return taken;
                }
            }
            self.part.clear();
            return taken + 1;
        }
        bytes.len()
    }
}

/// How many bytes at the end are the beginning of a character.
fn incomplete(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    // The last character's first byte is within the last three, or the character is whole.
    let Some(lead) = last.iter().rposition(|byte| *byte >= 0xc0) else { return 0 };
    match str::from_utf8(&last[lead..]) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => last.len() - lead,
        _ => 0,
    }
}

/// The string that this byte begins after ESC.
const fn string_of(byte: u8) -> Option<State> {
    match byte {
        b']' => Some(State::Osc),
        b'P' | b'X' | b'^' | b'_' => Some(State::Swallow { osc: false }),
        _ => None,
    }
}

/// Where the parser stands after ESC and this byte, which begins no string.
const fn after_escape(byte: u8) -> State {
    match byte {
        b'[' => State::Csi,
        0x18 | 0x1a | 0x20..=0x7e => State::Text,
        _ => State::Escape,
    }
}

/// Where it stands after the byte that ended a string.
const fn after_string(end: u8) -> State {
    if end == 0x1b { State::Escape } else { State::Text }
}
