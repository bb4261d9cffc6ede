//! THE CLIENT PEOPLE SEE: model, update, render.
//!
//! Holds no truth: the daemon pushes the board, keys become requests, and what is drawn follows from the two. Draws
//! only when something has changed, and once a second while clocks run.

mod board;
mod model;
mod terminal;

use crate::client::Client;
use crate::os::clock;
use crate::wire::client::{FromDaemon, Request, ToDaemon};
use crossterm::event::{Event, EventStream, KeyEventKind};
use model::{Cmd, Model};
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// How the board is opened.
#[derive(Clone, Debug, Default)]
pub struct TuiOptions {
    /// The repo that the person stands in.
    pub repo: Option<PathBuf>,
}

/// Why the board ended.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal can't be used.
    #[error("the terminal can't be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The daemon is gone.
    #[error("the daemon has gone; agents go on: nopeek starts it again")]
    DaemonGone,
}

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// How often clocks on the screen move on.
const CLOCK: Duration = Duration::from_secs(1);

/// Shows the board until the person leaves it.
pub async fn run(mut client: Client, options: TuiOptions) -> Result<(), TuiError> {
    let mut terminal = terminal::Terminal::enter()?;
    let mut model = Model::new(options.repo);
    let mut keys = EventStream::new();
    let mut beat = tokio::time::interval(CLOCK);
    client.send(ToDaemon::Subscribe(true)).await.map_err(|_| TuiError::DaemonGone)?;
    client.ask(Request::Board).await.map_err(|_| TuiError::DaemonGone)?;
    let mut drawn = clock::instant();
    let mut dirty = true;
    loop {
        if dirty && clock::instant().duration_since(drawn) >= FRAME {
            terminal.draw(|frame| board::render(&model, frame.area(), frame.buffer_mut()))?;
            drawn = clock::instant();
            dirty = false;
        }
        let pause = if dirty { FRAME } else { CLOCK };
        tokio::select! {
            message = client.next() => {
                let Some(message) = message else { return Err(TuiError::DaemonGone) };
                dirty |= hear(&mut model, message);
            }
            event = next_event(&mut keys) => {
                let Some(event) = event else { return Ok(()) };
                for cmd in update(&mut model, &event?) {
                    match cmd {
                        Cmd::Leave => return Ok(()),
                        Cmd::Ask(request) => {
                            client.ask(request).await.map_err(|_| TuiError::DaemonGone)?;
                        }
                    }
                }
                dirty = true;
            }
            _ = beat.tick() => dirty |= model.has_clocks(),
            () = tokio::time::sleep(pause), if dirty => {}
        }
    }
}

fn hear(model: &mut Model, message: FromDaemon) -> bool {
    match message {
        FromDaemon::Board(board) => model.set_board(*board),
        FromDaemon::Answer { result, .. } => model.answered(result),
        FromDaemon::Notice(notice) => model.toast = Some(notice.text.to_string()),
        _ => return false,
    }
    true
}

fn update(model: &mut Model, event: &Event) -> Vec<Cmd> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => model.key(*key),
        Event::Paste(text) => {
            model.paste(text);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

async fn next_event(keys: &mut EventStream) -> Option<std::io::Result<Event>> {
    use futures_core::Stream as _;
    poll_fn(|cx| Pin::new(&mut *keys).poll_next(cx)).await
}
