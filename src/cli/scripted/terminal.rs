//! The scripted agent's terminal: looks like a coding agent's, reports its state (OSC 7501), reads answers.

use base64::Engine as _;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME: Duration = Duration::from_millis(100);

/// What was typed as an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line; empty if only Enter was pressed.
    Line(String),
    /// The escape key.
    Escape,
    /// The terminal is gone.
    Gone,
}

/// Prints and flushes; an agent whose terminal is gone just goes on.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

pub(super) fn banner(prompt: &str) {
    let first = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("(no prompt)");
    print("\x1b[1;36m✻ scripted agent\x1b[0m \x1b[2mships with nopeek, thinks nothing\x1b[0m\r\n\r\n");
    print(&format!("\x1b[2m>\x1b[0m {first}\r\n\r\n"));
}

pub(super) fn say(text: &str) {
    print(&format!("\x1b[36m●\x1b[0m {text}\r\n"));
}

pub(super) fn tool(name: &str, what: &str) {
    print(&format!("\x1b[32m●\x1b[0m \x1b[1m{name}\x1b[0m({what})\r\n"));
}

pub(super) fn detail(text: &str) {
    for line in text.lines() {
        print(&format!("  \x1b[2m⎿ {line}\x1b[0m\r\n"));
    }
}

/// Reports a state by the Program Status Protocol; `more` is `kind=…` or the like.
pub(super) fn status(state: &str, more: &[(&str, &str)]) {
    let mut record = format!("\x1b]7501;state={state}:app=nopeek-scripted");
    for (key, value) in more {
        let value = if *key == "msg" {
            base64::engine::general_purpose::STANDARD.encode(value)
        } else {
            (*value).to_owned()
        };
        record.push_str(&format!(":{key}={value}"));
    }
    record.push_str("\x1b\\");
    print(&record);
}

/// Tells what was used so far.
pub(super) fn usage(read: u64, written: u64, dollars: Option<&str>) {
    let cost = dollars.map_or_else(String::new, |dollars| format!(":cost_usd={dollars}"));
    print(&format!("\x1b]7501;app=nopeek-scripted:tokens_in={read}:tokens_out={written}{cost}\x1b\\"));
}

/// Spins for `time`.
pub(super) fn think(time: Duration) {
    let mut left = time;
    let mut frame = 0;
    while !left.is_zero() {
        let spinner = SPINNER[frame % SPINNER.len()];
        print(&format!(
            "\r\x1b[35m{spinner} Steeping…\x1b[0m \x1b[2m({:.0}s)\x1b[0m\x1b[K",
            (time - left).as_secs_f64()
        ));
        let step = left.min(FRAME);
        std::thread::sleep(step);
        left -= step;
        frame += 1;
    }
    if frame > 0 {
        print("\r\x1b[K");
    }
}

/// Reports `blocked` and reads one answer, typed or pasted, ended by Enter.
pub(super) fn ask(kind: &str, text: &str) -> Typed {
    print(&format!("\r\n\x1b[33m? {text}\x1b[0m\r\n"));
    // Ready before it is said: the answer may come at once.
    let _raw = Raw::enter();
    print("\x1b[?2004h");
    status("blocked", &[("kind", kind), ("msg", text)]);
    let typed = read_line(&mut Unbuffered, more_comes);
    print("\x1b[?2004l");
    typed
}

/// Reads and throws away until the terminal goes.
pub(super) fn read_forever() {
    let _raw = Raw::enter();
    let mut buffer = [0; 4096];
    while let Ok(1..) = Unbuffered.read(&mut buffer) {
        print("\r\x1b[K> ");
    }
    loop {
        std::thread::park();
    }
}

fn read_line(input: &mut impl io::Read, more_comes: impl Fn() -> bool) -> Typed {
    let mut line = Vec::new();
    let mut pasting = false;
    let mut next = || {
        let mut byte = [0];
        input.read_exact(&mut byte).ok().map(|()| byte[0])
    };
    loop {
        match next() {
            None => return Typed::Gone,
            Some(b'\x1b') => {
                // A lone Escape comes with nothing behind it for us to wait for: a sequence begins with `[`.
                if !pasting && !more_comes() {
                    return Typed::Escape;
                }
                let mut sequence = Vec::new();
                while let Some(byte) = next() {
                    sequence.push(byte);
                    if byte != b'[' && (0x40..=0x7e).contains(&byte) {
                        break;
                    }
                }
                match sequence.as_slice() {
                    b"[200~" => pasting = true,
                    b"[201~" => pasting = false,
                    _ => {}
                }
            }
            Some(b'\r' | b'\n') if !pasting => {
                return Typed::Line(String::from_utf8_lossy(&line).into_owned());
            }
            Some(b'\x7f' | b'\x08') => {
                line.pop();
            }
            Some(b'\r') => line.push(b'\n'),
            Some(byte) => line.push(byte),
        }
    }
}

/// Standard input without a buffer in front of it, so that [`more_comes`] sees all that was not read.
struct Unbuffered;

impl io::Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(io::stdin(), buffer)?)
    }
}

/// Whether more input comes at once.
fn more_comes() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let soon = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    matches!(poll(&mut fds, Some(&soon)), Ok(1..))
}

/// The terminal without echo and line editing, for as long as this lives.
struct Raw(Option<Termios>);

impl Raw {
    fn enter() -> Self {
        let Ok(before) = termios::tcgetattr(io::stdin()) else { return Self(None) };
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        raw.input_modes -= termios::InputModes::ICRNL;
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw);
        Self(Some(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_answer_is_read_as_typed() {
        let mut input: &[u8] = b"\x1b[200~one\rtwo\x1b[201~!x\x7f\rrest";
        assert_eq!(read_line(&mut input, || true), Typed::Line("one\ntwo!".into()));
        assert_eq!(input, b"rest");
    }

    #[test]
    fn a_lone_escape_declines() {
        assert_eq!(read_line(&mut &b"\x1b"[..], || false), Typed::Escape);
    }

    #[test]
    fn a_terminal_that_goes_ends_the_answer() {
        assert_eq!(read_line(&mut &b"half"[..], || true), Typed::Gone);
    }
}
