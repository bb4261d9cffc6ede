//! The person's terminal: taken over, and given back whatever happens.
//!
//! Promises: a panic, an error, a signal and a stop by the shell all leave a terminal that can be used. A frame is one
//! synchronized update: no half of it is ever seen where the terminal knows of these.

use base64::Engine as _;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::{TerminalOptions, Viewport};
use std::cell::RefCell;
use std::io::{self, Write as _, stdout};
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Once;

/// Most bytes that are copied: many terminals take no more in one go.
pub(super) const COPY_MAX: usize = 74_000 / 4 * 3;

/// The taken-over terminal; given back when it is dropped, and before the words of a panic.
pub(super) struct Terminal {
    /// Never dropped: its own drop complains on standard error, which panics where the terminal is gone.
    inner: ManuallyDrop<ratatui::Terminal<CrosstermBackend<Held>>>,
    held: Held,
    /// The last frame that was written.
    written: Vec<u8>,
}

/// What a frame writes, until it is whole.
#[derive(Clone, Debug, Default)]
struct Held(Rc<RefCell<Vec<u8>>>);

impl io::Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static GIVE_BACK_ON_PANIC: Once = Once::new();

impl Terminal {
    pub(super) fn enter() -> io::Result<Self> {
        GIVE_BACK_ON_PANIC.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        take()?;
        let held = Held::default();
        // Fixed: its size is asked for when it changes, and not at each frame.
        let viewport = TerminalOptions { viewport: Viewport::Fixed(area()?) };
        let inner = ratatui::Terminal::with_options(CrosstermBackend::new(held.clone()), viewport)?;
        Ok(Self { inner: ManuallyDrop::new(inner), held, written: Vec::new() })
    }

    /// Draws a frame; what `render` gives is where the cursor goes.
    pub(super) fn draw(
        &mut self,
        render: impl FnOnce(Rect, &mut Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        self.inner.draw(|frame| {
            let area = frame.area();
            if let Some(at) = render(area, frame.buffer_mut()) {
                frame.set_cursor_position(at);
            }
        })?;
        self.write()
    }

    /// Writes what was drawn, in one piece; nothing if it says no more than how the last frame ended.
    fn write(&mut self) -> io::Result<()> {
        let mut drawn = self.held.0.borrow_mut();
        if self.written.ends_with(&drawn) {
            drawn.clear();
            return Ok(());
        }
        self.written.clear();
        queue!(self.written, BeginSynchronizedUpdate)?;
        self.written.append(&mut drawn);
        let mut out = stdout().lock();
        out.write_all(&self.written)?;
        execute!(out, EndSynchronizedUpdate)
    }

    /// The next frame is drawn whole, in the size that the terminal has now.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        self.written.clear();
        self.inner.resize(area()?)
    }

    /// Puts a text, cut at [`COPY_MAX`] bytes, into the clipboard of whatever terminal the person sits at (OSC 52).
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let text = text.get(..text.floor_char_boundary(COPY_MAX)).unwrap_or(text);
        let coded = base64::engine::general_purpose::STANDARD.encode(text);
        write!(stdout(), "\x1b]52;c;{coded}\x07")?;
        stdout().flush()
    }

    /// Writes what rings, between frames.
    pub(super) fn ring(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Stops the process as a job of the shell. It may come back before it stops: the terminal is the shell's until
    /// [`Self::take_again`] is called after a SIGCONT.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole group, as the terminal itself would do it: whoever started us must stop too.
        Ok(rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?)
    }

    /// Gives the terminal to another program, until [`Self::take_again`].
    pub(super) fn lend(&mut self) -> io::Result<()> {
        give_back();
        stdout().flush()
    }

    /// Takes the terminal over again after somebody else had it.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        take()?;
        self.redraw()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// The terminal's size now.
pub(super) fn area() -> io::Result<Rect> {
    let (width, height) = crossterm::terminal::size()?;
    Ok(Rect::new(0, 0, width, height))
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableMouseCapture)
}

fn give_back() {
    // Nothing more can be done about a terminal that does not listen any more.
    let _ = execute!(
        stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}
