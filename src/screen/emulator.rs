//! A terminal's screen: bytes in; grid, signals and replies out.
//!
//! Owns the emulator proper (`alacritty_terminal`) and what stands before it: strings are capped and read by us,
//! replies come from our own state alone (no title report, no clipboard, no DECRQSS, no XTGETTCAP). Synchronised
//! output is held back as the program asks; there is no clock here, so the owner calls [`Emulator::end_sync`] when
//! an update takes longer than [`SYNC_MAX`], and as a backstop a screen that is looked at often enough ends it itself.

use super::bounded::Bounded;
use super::scanner::{Piece, Scanner};
use super::status::{self, Meaning};
use crate::core::model::agent::Signal;
use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::{Config, Osc52, Term, TermDamage, TermMode};
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines kept above the screen; older ones come from the spool.
pub const HISTORY: usize = 1_000;
/// Largest number of rows or columns, far above any terminal, so that no size is an attack.
pub const SIDE_MAX: u16 = 1_000;
/// Longest time that a synchronised update (mode 2026) may hold the screen back.
pub const SYNC_MAX: Duration = Duration::from_millis(150);
/// Looks at a held back screen after which the update is ended: [`SYNC_MAX`] at 60 frames a second.
const SYNC_LOOKS: u8 = 10;
/// Most signals kept until they are taken; of a flood the newest stay.
const SIGNALS_MAX: usize = 256;
/// Most bytes of replies kept until they are taken: a program that only asks and never reads gets no more.
const REPLIES_MAX: usize = 64 * 1024;
/// A cell in pixels, for programs that ask.
const CELL: (u16, u16) = (8, 16);

/// What the program switched on, as far as keys and mouse need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// Pasted text is put between markers (2004).
    pub bracketed_paste: bool,
    /// Arrow keys send SS3 (DECCKM).
    pub app_cursor: bool,
    /// Enter sends CR LF (LNM).
    pub newline: bool,
    /// The program wants to know of focus (1004).
    pub focus: bool,
    /// The alternate screen is shown.
    pub alt_screen: bool,
    /// On the alternate screen the wheel sends arrow keys (1007).
    pub alternate_scroll: bool,
    /// Which mouse reports it wants.
    pub mouse: MouseMode,
    /// How mouse reports are written.
    pub mouse_encoding: MouseEncoding,
    /// The kitty keyboard protocol's flags that it set, as in the protocol.
    pub kitty: u8,
}

/// Which mouse reports a program wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseMode {
    #[default]
    Off,
    /// Buttons (1000).
    Click,
    /// Buttons and moves with one held (1002).
    Drag,
    /// All moves (1003).
    Motion,
}

/// How mouse reports are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseEncoding {
    /// A byte a number; nothing beyond column 223.
    #[default]
    Legacy,
    /// The same in UTF-8 (1005).
    Utf8,
    /// SGR (1006).
    Sgr,
}

/// What was said since it was last taken.
#[derive(Debug, Default)]
struct Said {
    signals: Vec<Signal>,
    replies: Vec<u8>,
    /// Rows and columns, for programs that ask.
    size: (u16, u16),
}

/// Where the emulator puts what it says: shared with it, since it takes its listener by value.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Arc<Mutex<Said>>);

impl Outbox {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reply(&self, text: &str) {
        let mut said = self.said();
        if said.replies.len() + text.len() <= REPLIES_MAX {
            said.replies.extend_from_slice(text.as_bytes());
        }
    }

    fn signal(&self, signal: Signal) {
        let mut said = self.said();
        let signals = &mut said.signals;
        match (signals.last_mut(), &signal) {
            // Of titles without anything between them the last one counts.
            (Some(last @ Signal::Title(_)), Signal::Title(_))
            // They are totals.
            | (Some(last @ Signal::Usage(_)), Signal::Usage(_)) => *last = signal,
            (Some(last), signal) if last == signal => {}
            _ => {
                if signals.len() == SIGNALS_MAX {
                    signals.remove(0);
                }
                signals.push(signal);
            }
        }
    }
}

impl EventListener for Outbox {
    fn send_event(&self, event: Event) {
        match event {
            Event::PtyWrite(text) => self.reply(&text),
            Event::Bell => self.signal(Signal::Bell),
            Event::TextAreaSizeRequest(answer) => {
                let (rows, cols) = self.said().size;
                let size =
                    WindowSize { num_lines: rows, num_cols: cols, cell_width: CELL.0, cell_height: CELL.1 };
                self.reply(&answer(size));
            }
            // Titles are read by us; colours are answered by `Bounded`; clipboards are nobody's business.
            Event::Title(_)
            | Event::ResetTitle
            | Event::ColorRequest(..)
            | Event::ClipboardStore(..)
            | Event::ClipboardLoad(..)
            | Event::MouseCursorDirty
            | Event::CursorBlinkingChange
            | Event::Wakeup
            | Event::Exit
            | Event::ChildExit(_) => {}
        }
    }
}

/// A synchronised update that is under way; its time is the owner's business.
#[derive(Debug, Default)]
pub(super) struct Pending(bool);

impl Timeout for Pending {
    fn set_timeout(&mut self, _: Duration) {
        self.0 = true;
    }

    fn clear_timeout(&mut self) {
        self.0 = false;
    }

    fn pending_timeout(&self) -> bool {
        self.0
    }
}

#[derive(Clone, Copy)]
struct Size {
    rows: u16,
    cols: u16,
}

impl Size {
    fn bounded(rows: u16, cols: u16) -> Self {
        Self { rows: rows.clamp(1, SIDE_MAX), cols: cols.clamp(2, SIDE_MAX) }
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.cols)
    }
}

/// The screen of one terminal.
pub struct Emulator {
    pub(super) term: Term<Outbox>,
    parser: Processor<Pending>,
    scanner: Scanner,
    outbox: Outbox,
    /// Something was fed since the damage was last read.
    touched: bool,
    /// Counts readings of damage; each row knows the last one that changed it.
    version: u64,
    row_versions: Vec<u64>,
    sync_looks: u8,
}

impl fmt::Debug for Emulator {
    /// Says nothing of the content: it may be covered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("rows", &self.rows())
            .field("cols", &self.cols())
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// An empty screen. Sizes are brought into 1 to [`SIDE_MAX`] rows and 2 to [`SIDE_MAX`] columns.
    #[must_use]
    pub fn new(rows: u16, cols: u16) -> Self {
        Self::with_history(rows, cols, HISTORY)
    }

    /// The same, with `history` lines of history in place of [`HISTORY`].
    #[must_use]
    pub fn with_history(rows: u16, cols: u16, history: usize) -> Self {
        let size = Size::bounded(rows, cols);
        let outbox = Outbox::default();
        outbox.said().size = (size.rows, size.cols);
        let config = Config {
            scrolling_history: history,
            kitty_keyboard: true,
            osc52: Osc52::Disabled,
            ..Config::default()
        };
        Self {
            term: Term::new(config, &size, outbox.clone()),
            parser: Processor::new(),
            scanner: Scanner::default(),
            outbox,
            touched: true,
            version: 1,
            row_versions: vec![1; usize::from(size.rows)],
            sync_looks: 0,
        }
    }

    /// Takes what the program printed, split anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.touched = true;
        let Self { term, parser, scanner, outbox, .. } = self;
        let mut bounded = Bounded { term, outbox };
        scanner.scan(bytes, |piece| match piece {
            Piece::Pass(bytes) => parser.advance(&mut bounded, bytes),
            Piece::AskVersion => {
                outbox.reply(concat!("\x1bP>|nopeek ", env!("CARGO_PKG_VERSION"), "\x1b\\"));
            }
            Piece::Osc(text, by_bell) => match status::read(text) {
                Meaning::Signal(signal) => outbox.signal(signal),
                Meaning::AskStatus => outbox.reply(status::STATUS_ANSWER),
                Meaning::Color => {
                    parser.advance(&mut bounded, b"\x1b]");
                    parser.advance(&mut bounded, text);
                    parser.advance(&mut bounded, if by_bell { b"\x07" } else { b"\x1b\\" });
                }
                Meaning::Nothing => {}
            },
        });
    }

    /// Changes the size; the main screen's lines are wrapped anew.
    pub fn resize(&mut self, rows: u16, cols: u16) {
        let size = Size::bounded(rows, cols);
        if (size.rows, size.cols) == (self.rows(), self.cols()) {
            return;
        }
        self.touched = true;
        self.outbox.said().size = (size.rows, size.cols);
        self.term.resize(size);
    }

    /// What the program signalled since the last call.
    pub fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.outbox.said().signals)
    }

    /// What must be written to the program: answers to what it asked since the last call, in order.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outbox.said().replies)
    }

    /// Whether a synchronised update holds the screen back.
    #[must_use]
    pub fn sync_pending(&self) -> bool {
        self.parser.sync_timeout().pending_timeout()
    }

    /// Ends a synchronised update that takes too long, or whose program has ended.
    pub fn end_sync(&mut self) {
        self.sync_looks = 0;
        if self.sync_pending() {
            self.touched = true;
            self.parser.stop_sync(&mut Bounded { term: &mut self.term, outbox: &self.outbox });
        }
    }

    /// Rows of the screen.
    #[must_use]
    pub fn rows(&self) -> u16 {
        u16::try_from(self.term.screen_lines()).unwrap_or(SIDE_MAX)
    }

    /// Columns of the screen.
    #[must_use]
    pub fn cols(&self) -> u16 {
        u16::try_from(self.term.columns()).unwrap_or(SIDE_MAX)
    }

    /// Lines above the screen that can be scrolled to.
    #[must_use]
    pub fn history(&self) -> u32 {
        u32::try_from(self.term.history_size()).unwrap_or(u32::MAX)
    }

    /// What the program switched on.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let mode = *self.term.mode();
        let kitty = [
            TermMode::DISAMBIGUATE_ESC_CODES,
            TermMode::REPORT_EVENT_TYPES,
            TermMode::REPORT_ALTERNATE_KEYS,
            TermMode::REPORT_ALL_KEYS_AS_ESC,
            TermMode::REPORT_ASSOCIATED_TEXT,
        ];
        let kitty = kitty.iter().enumerate().map(|(n, flag)| u8::from(mode.contains(*flag)) << n).sum();
        Modes {
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            app_cursor: mode.contains(TermMode::APP_CURSOR),
            newline: mode.contains(TermMode::LINE_FEED_NEW_LINE),
            focus: mode.contains(TermMode::FOCUS_IN_OUT),
            alt_screen: mode.contains(TermMode::ALT_SCREEN),
            alternate_scroll: mode.contains(TermMode::ALTERNATE_SCROLL),
            mouse: if mode.contains(TermMode::MOUSE_MOTION) {
                MouseMode::Motion
            } else if mode.contains(TermMode::MOUSE_DRAG) {
                MouseMode::Drag
            } else if mode.contains(TermMode::MOUSE_REPORT_CLICK) {
                MouseMode::Click
            } else {
                MouseMode::Off
            },
            mouse_encoding: if mode.contains(TermMode::SGR_MOUSE) {
                MouseEncoding::Sgr
            } else if mode.contains(TermMode::UTF8_MOUSE) {
                MouseEncoding::Utf8
            } else {
                MouseEncoding::Legacy
            },
            kitty,
        }
    }

    /// The text of the screen's rows, trailing blanks left out.
    #[must_use]
    pub fn rows_text(&self) -> Vec<String> {
        (0..i32::from(self.rows())).map(|row| super::text::line(&self.term, Line(row))).collect()
    }

    /// One look at a screen that is held back; enough of them end the update.
    pub(super) fn look_at_sync(&mut self) {
        if !self.sync_pending() {
            self.sync_looks = 0;
        } else if self.sync_looks >= SYNC_LOOKS {
            self.end_sync();
        } else {
            self.sync_looks += 1;
        }
    }

    /// Reads the emulator's damage into the rows' versions. The newest version, and each row's.
    pub(super) fn versions(&mut self) -> (u64, &[u64]) {
        if self.touched {
            self.touched = false;
            self.version += 1;
            let version = self.version;
            let rows = self.term.screen_lines();
            let same_size = self.row_versions.len() == rows;
            self.row_versions.resize(rows, version);
            match self.term.damage() {
                TermDamage::Partial(lines) if same_size => {
                    for line in lines {
                        if let Some(row) = self.row_versions.get_mut(line.line) {
                            *row = version;
                        }
                    }
                }
                TermDamage::Full | TermDamage::Partial(_) => self.row_versions.fill(version),
            }
            self.term.reset_damage();
        }
        (self.version, &self.row_versions)
    }
}

#[cfg(test)]
#[path = "emulator_tests.rs"]
mod tests;
