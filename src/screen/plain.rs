//! Output of a gate or hook as plain text: escape sequences taken out, what a CR or backspace overwrote gone.
//!
//! For tails in prompts and on the board, where no grid is wanted: lines are as long as they were printed.

use std::collections::VecDeque;

/// Longest line that is edited in place; what is beyond is kept as it comes.
const LINE_MAX: usize = 64 * 1024;

/// The text of `bytes`, its last `max_bytes` at a character's border. Never longer than `max_bytes`.
#[must_use]
pub fn plain_text(bytes: &[u8], max_bytes: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: VecDeque<String> = VecDeque::new();
    let mut held = 0;
    let mut line = Line::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => escape(&mut chars, &mut line),
            '\n' => {
                let done = line.take();
                held += done.len() + 1;
                lines.push_back(done);
                while held > max_bytes && lines.len() > 1 {
                    held -= lines.pop_front().map_or(0, |gone| gone.len() + 1);
                }
            }
            '\r' => line.at = 0,
            '\x08' => line.at = line.at.saturating_sub(1),
            '\t' => line.put('\t'),
            c if c.is_control() => {}
            c => line.put(c),
        }
    }
    let mut out = String::with_capacity(held + line.chars.len());
    for done in lines {
        out.push_str(&done);
        out.push('\n');
    }
    out.push_str(&line.take());
    if out.len() > max_bytes {
        let mut start = out.len() - max_bytes;
        while !out.is_char_boundary(start) {
            start += 1;
        }
        // A tail begins with a whole line if there is one.
        if out.as_bytes()[start - 1] != b'\n'
            && let Some(next) = out[start..].find('\n')
            && start + next + 1 < out.len()
        {
            start += next + 1;
        }
        out.drain(..start);
    }
    out
}

/// The line that is being printed.
#[derive(Default)]
struct Line {
    chars: Vec<char>,
    at: usize,
}

impl Line {
    fn put(&mut self, c: char) {
        if self.at < self.chars.len() {
            self.chars[self.at] = c;
        } else {
            self.chars.push(c);
        }
        self.at = if self.at < LINE_MAX { self.at + 1 } else { self.chars.len() };
    }

    fn take(&mut self) -> String {
        self.at = 0;
        let line: String = self.chars.drain(..).collect();
        line.trim_end().to_owned()
    }
}

/// Reads an escape sequence after its ESC. Erasing in the line is done; all else is passed over.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, line: &mut Line) {
    match chars.next() {
        Some('[') => {
            let mut params = String::new();
            while let Some(&c) = chars.peek() {
                if c == '\x1b' {
                    return;
                }
                chars.next();
                match c {
                    '\x40'..='\x7e' => {
                        erase(c, &params, line);
                        return;
                    }
                    c if params.len() < 16 => params.push(c),
                    _ => {}
                }
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(&c) = chars.peek() {
                if c == '\x1b' {
                    return;
                }
                chars.next();
                if matches!(c, '\x07' | '\x18' | '\x1a') {
                    return;
                }
            }
        }
        // An intermediate and the final byte: `ESC ( B`.
        Some('\x20'..='\x2f') => {
            chars.next();
        }
        _ => {}
    }
}

fn erase(last: char, params: &str, line: &mut Line) {
    match (last, params) {
        ('K', "" | "0") => line.chars.truncate(line.at),
        ('K', "1") => {
            let at = line.at.min(line.chars.len());
            line.chars[..at].fill(' ');
        }
        ('K', "2") => line.chars.fill(' '),
        ('G', column) => line.at = column.parse::<usize>().unwrap_or(1).clamp(1, line.chars.len() + 1) - 1,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_overwrites_are_resolved() {
        for (bytes, want) in [
            (&b"\x1b[1;31merror\x1b[0m: x\r\n"[..], "error: x\n"),
            (b"10%\r50%\r100%\ndone", "100%\ndone"),
            (b"building\r\x1b[Kok\n", "ok\n"),
            (b"abc\x08\x08X\n", "aXc\n"),
            (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b(Bc\n", "abc\n"),
            (b"a\0\x07b\tc\xff", "ab\tc\u{fffd}"),
        ] {
            assert_eq!(plain_text(bytes, 1000), want);
        }
    }

    #[test]
    fn the_tail_is_bounded_and_begins_with_a_line() {
        assert_eq!(plain_text(b"one\ntwo\nthree\n", 11), "two\nthree\n".to_owned());
        assert_eq!(plain_text("äöü".as_bytes(), 3), "ü");
        for max in 0..20 {
            assert!(plain_text("aä\nbö\ncü\n日本語".as_bytes(), max).len() <= max);
        }
    }
}
