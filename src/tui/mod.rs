//! THE CLIENT PEOPLE SEE: messages and keys change the app, the app is drawn.
//!
//! Holds no truth: the daemon pushes the board and the screens that are looked at; keys become requests. Draws only
//! when something has changed, as `pace` says, and once a second while clocks run. Survives its daemon: it calls it
//! again, starting it if need be. Memory: the screens that are looked at, one diff, 5,000 ledger lines.

mod action;
mod acts;
mod app;
mod depth;
mod editor;
mod form;
mod frame;
mod grid;
mod hits;
mod key;
mod keymap;
mod known;
mod mouse;
mod offers;
mod over;
mod pace;
mod paint;
#[cfg(test)]
mod picture;
mod ring;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod scenes_spec;
mod settings;
mod spec_actions;
mod splits;
mod terminal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_spec;
mod text;
mod theme;
mod views;

pub use settings::Settings;

use crate::client::{Client, ClientError};
use crate::core::model::diff::Diff;
use crate::os::clock;
use crate::os::editor::edit;
use crate::os::paths::Paths;
use crate::values::ids::TaskId;
use crate::values::words::plural::counted;
use crate::wire::client::{FromDaemon, ToDaemon};
use app::{App, Cmd, Editing};
use crossterm::event::{Event, EventStream, KeyEventKind};
#[cfg(test)]
pub(crate) use form::launch_of;
use key::Key;
use known::Known;
use pace::{Pace, Urgency};
use paint::Painted;
use ring::Rung;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use terminal::{COPY_MAX, Terminal};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How the client is opened.
#[derive(Clone, Debug)]
pub struct TuiOptions {
    /// The repo that the person stands in.
    pub repo: Option<PathBuf>,
    /// Where the daemon, keys and themes are.
    pub paths: Paths,
    pub settings: Settings,
    /// What agents launched from here get of the environment.
    pub env: Vec<(String, String)>,
    /// Commits what a person has edited in a worktree, on its branch; an error in words.
    pub commit: Commit,
}

/// Commits what lies in a worktree on its branch.
pub type Commit = fn(&Path, &str) -> Result<(), String>;

/// Why the client ended.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal can't be used.
    #[error("the terminal can't be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The daemon went and did not come back.
    #[error("the daemon has gone and can't be reached again: {0}")]
    DaemonGone(#[from] ClientError),
}

/// So many seconds after it asked to be stopped it has not been: nobody can do that here.
const UNSTOPPED: u32 = 2;
/// How often clocks on the screen move on.
const CLOCK: Duration = Duration::from_secs(1);
/// How long a daemon that went is called.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most messages that are taken in at one go.
const BURST: usize = 64;

/// Shows the client until the person leaves it.
pub async fn run(client: Client, options: TuiOptions) -> Result<(), TuiError> {
    let TuiOptions { repo, paths, settings, env, commit } = options;
    let splits = splits::Splits::read(&splits_file(&paths));
    let terminal = Terminal::enter()?;
    let known = Known::new(repo, jiff::tz::TimeZone::system());
    let app = App::new(settings, known, env, splits, terminal::area()?);
    let (painted, done) = mpsc::channel(BURST);
    let (splits, newest) = watch::channel(app.splits.clone());
    let keeping = tokio::spawn(keep(newest, splits_file(&paths)));
    let mut shell = Shell {
        app,
        terminal,
        paths,
        client: Some(client),
        painted,
        splits,
        rung: Rung::default(),
        away: None,
        keys: None,
        edited: mpsc::channel(1),
        commit,
    };
    let result = shell.live(done).await;
    drop(shell);
    // Its sender is gone: it ends once the newest is written.
    let _ = keeping.await;
    result
}

/// Keeps the newest sizes of panes, one write after the other.
async fn keep(mut newest: watch::Receiver<splits::Splits>, path: PathBuf) {
    while newest.changed().await.is_ok() {
        let (splits, path) = (newest.borrow_and_update().clone(), path.clone());
        // Not worth a word if it fails: panes are even next time.
        let _ = tokio::task::spawn_blocking(move || splits.write(&path)).await;
    }
}

fn splits_file(paths: &Paths) -> PathBuf {
    paths.data.join("panes.json")
}

/// A file of a diff, in colours.
type PaintedFile = (TaskId, Arc<Diff>, usize, Vec<Vec<Painted>>);

/// A daemon that went is being called again.
type Calling = Pin<Box<dyn Future<Output = Result<Client, ClientError>>>>;

/// A task whose files a person has edited: whether they are others now, or why not.
type Edited = (TaskId, String, Result<bool, String>);

/// The app with its terminal and its connection.
struct Shell {
    app: App,
    terminal: Terminal,
    paths: Paths,
    /// None while the daemon is gone.
    client: Option<Client>,
    painted: mpsc::Sender<PaintedFile>,
    splits: watch::Sender<splits::Splits>,
    rung: Rung,
    /// The shell has the terminal: seconds that we have run since we asked to be stopped.
    away: Option<u32>,
    /// None while an editor has the terminal.
    keys: Option<Keys>,
    /// What came of an editor.
    edited: (mpsc::Sender<Edited>, mpsc::Receiver<Edited>),
    commit: Commit,
}

/// What woke the loop.
enum Woken {
    Heard(Option<FromDaemon>),
    Back(Result<Client, ClientError>),
    Event(Option<std::io::Result<Event>>),
    Painted(PaintedFile),
    Edited(Edited),
    Clock,
    Frame,
    End,
    Interrupted,
    Continued,
    Resized,
}

struct Signals {
    ends: [Signal; 3],
    cont: Signal,
    size: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let ends = [
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
        ];
        let cont = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
        Ok(Self { ends, cont: signal(cont)?, size: signal(SignalKind::window_change())? })
    }

    async fn next(&mut self) -> Woken {
        let [term, hup, int] = &mut self.ends;
        tokio::select! {
            _ = term.recv() => Woken::End,
            _ = hup.recv() => Woken::End,
            _ = int.recv() => Woken::Interrupted,
            _ = self.cont.recv() => Woken::Continued,
            _ = self.size.recv() => Woken::Resized,
        }
    }
}

impl Shell {
    async fn live(&mut self, mut done: mpsc::Receiver<PaintedFile>) -> Result<(), TuiError> {
        self.keys = Some(Keys::listen());
        let mut signals = Signals::new()?;
        // From here on no change of its size goes unheard.
        self.terminal.redraw()?;
        let mut beat = tokio::time::interval(CLOCK);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut calling: Option<Calling> = None;
        let hello = self.app.connected();
        self.carry_out(hello).await?;
        let mut pace = Pace::default();
        pace.want(Some(Urgency::Prompt));
        loop {
            let now = clock::instant();
            if !self.is_away() && pace.is_due(now) {
                self.draw().await?;
                pace.drew(now);
            }
            if self.client.is_none() && calling.is_none() {
                let paths = self.paths.clone();
                calling = Some(Box::pin(async move { Client::reconnect(&paths, PATIENCE).await }));
            }
            let due = pace.due().filter(|_| !self.is_away());
            let woken = tokio::select! {
                biased;
                woken = signals.next() => woken,
                event = typed(&mut self.keys) => Woken::Event(event),
                message = heard(&mut self.client) => Woken::Heard(message),
                client = back(&mut calling) => Woken::Back(client),
                Some(file) = done.recv() => Woken::Painted(file),
                Some(edited) = self.edited.1.recv() => Woken::Edited(edited),
                _ = beat.tick() => Woken::Clock,
                () = tokio::time::sleep_until(due.unwrap_or(now).into()), if due.is_some() => Woken::Frame,
            };
            pace.want(match woken {
                Woken::End | Woken::Event(None) => return Ok(()),
                // An editor has the terminal: what is said to it is not said to us.
                Woken::Interrupted | Woken::Continued | Woken::Resized if self.keys.is_none() => None,
                Woken::Interrupted => return Ok(()),
                Woken::Edited(edited) => {
                    self.terminal.take_again()?;
                    self.keys = Some(Keys::listen());
                    let cmds = self.app.edited(edited);
                    self.carry_out(cmds).await?;
                    Some(Urgency::Prompt)
                }
                Woken::Continued => {
                    self.away = None;
                    self.terminal.take_again()?;
                    Some(Urgency::Prompt)
                }
                Woken::Resized => {
                    self.terminal.redraw()?;
                    Some(Urgency::Prompt)
                }
                Woken::Event(Some(event)) => {
                    let typed = self.app.typing().is_some();
                    let cmds = self.event(event?);
                    // What an agent gets is seen once it answers.
                    let passed = typed && matches!(cmds.as_slice(), [Cmd::Send(ToDaemon::Input { .. })]);
                    if self.carry_out(cmds).await? {
                        return Ok(());
                    }
                    (!passed).then_some(Urgency::Prompt)
                }
                Woken::Heard(Some(message)) => self.hear(message).await?,
                Woken::Heard(None) => {
                    self.client = None;
                    self.app.disconnected();
                    Some(Urgency::Prompt)
                }
                Woken::Back(client) => {
                    calling = None;
                    self.client = Some(client?);
                    self.app.say("the daemon is there again".to_owned());
                    let cmds = self.app.connected();
                    self.carry_out(cmds).await?;
                    Some(Urgency::Prompt)
                }
                Woken::Painted((task, diff, file, lines)) => {
                    self.app.painted(task, &diff, file, lines);
                    Some(Urgency::Prompt)
                }
                Woken::Clock => self.tick()?,
                Woken::Frame => None,
            });
            self.ring()?;
            let looks = self.app.look();
            self.carry_out(looks).await?;
        }
    }

    /// Whether somebody else has the terminal.
    const fn is_away(&self) -> bool {
        self.away.is_some() || self.keys.is_none()
    }

    /// Rings for what has happened; not while the shell has the terminal.
    fn ring(&mut self) -> std::io::Result<()> {
        if !self.is_away()
            && let Some(words) = self.rung.due(clock::instant())
        {
            self.terminal.ring(&self.app.settings.ring.bytes(&words))?;
        }
        Ok(())
    }

    /// A second has passed.
    fn tick(&mut self) -> Result<Option<Urgency>, TuiError> {
        match &mut self.away {
            Some(seconds) if *seconds >= UNSTOPPED => {
                self.away = None;
                self.terminal.take_again()?;
                self.app.refuse("there is no shell here that could take over".to_owned());
                Ok(Some(Urgency::Prompt))
            }
            Some(seconds) => {
                *seconds += 1;
                Ok(None)
            }
            None => Ok(self.app.known.has_clocks().then_some(Urgency::Calm)),
        }
    }

    /// Takes in a message and those that came with it; how soon what they changed is to be seen.
    async fn hear(&mut self, message: FromDaemon) -> Result<Option<Urgency>, TuiError> {
        let (mut changed, cmds) = self.app.hear(message);
        self.carry_out(cmds).await?;
        for _ in 1..BURST {
            let Some(message) = self.client.as_mut().and_then(Client::came) else { break };
            let (urgency, cmds) = self.app.hear(message);
            changed = changed.max(urgency);
            self.carry_out(cmds).await?;
        }
        Ok(changed)
    }

    async fn draw(&mut self) -> Result<(), TuiError> {
        let app = &mut self.app;
        self.terminal.draw(|area, buf| {
            app.area = area;
            frame::render(app, area, buf)
        })?;
        let shown = self.app.shown();
        if let Some(client) = self.client.as_mut().filter(|_| !shown.is_empty()) {
            // A connection that breaks here is heard of by the loop.
            let _ = client.send_all(&shown).await;
        }
        // The size that was drawn may be another one than the one that screens were asked for.
        let looks = self.app.look();
        self.carry_out(looks).await.map(drop)
    }

    fn event(&mut self, event: Event) -> Vec<Cmd> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.app.key(Key::of(key)),
            Event::Paste(text) => self.app.paste(&text),
            Event::Mouse(mouse) => self.app.mouse(mouse),
            Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => Vec::new(),
        }
    }

    /// Does what the app wants; whether it wants to end.
    async fn carry_out(&mut self, cmds: Vec<Cmd>) -> Result<bool, TuiError> {
        let mut cmds = VecDeque::from(cmds);
        while let Some(cmd) = cmds.pop_front() {
            match cmd {
                Cmd::Leave => return Ok(true),
                Cmd::Ask(request, wanted) => match &mut self.client {
                    // A connection that breaks here is heard of by the loop.
                    Some(client) => {
                        if let Ok(id) = client.ask(request).await {
                            self.app.asked(id, wanted);
                        }
                    }
                    None => self.app.refuse("there is no daemon yet: that was not done".to_owned()),
                },
                Cmd::Send(message) => {
                    if let Some(client) = &mut self.client {
                        let _ = client.send(message).await;
                    }
                }
                Cmd::Copy(text) => self.copy(&text)?,
                Cmd::Paint { task, diff, file } => self.paint(task, diff, file),
                Cmd::Keep(splits) => drop(self.splits.send_replace(splits)),
                Cmd::Say(text) => self.app.say(text),
                Cmd::Ring(words) => self.rung.want(words),
                Cmd::Edit(editing) => self.lend(editing).await?,
                Cmd::Suspend => {
                    self.away = Some(0);
                    self.terminal.suspend()?;
                }
                Cmd::Redraw => self.terminal.redraw()?,
            }
        }
        Ok(false)
    }

    /// Gives the terminal to an editor; it comes back with [`Woken::Edited`].
    async fn lend(&mut self, editing: Editing) -> std::io::Result<()> {
        let Some(keys) = self.keys.take() else { return Ok(()) };
        keys.stop().await;
        self.terminal.lend()?;
        let (edited, commit) = (self.edited.0.clone(), self.commit);
        tokio::task::spawn_blocking(move || {
            let Editing { task, name, place, branch, files } = editing;
            let result = edit(&files).map_err(|error| format!("{error}: {}", error.remedy()));
            let result = result
                .and_then(|other| if other { commit(&place, &branch).map(|()| true) } else { Ok(false) });
            // The loop is gone: so is the person. What was written stays in the worktree.
            let _ = edited.blocking_send((task, name, result));
        });
        Ok(())
    }

    fn copy(&mut self, text: &str) -> std::io::Result<()> {
        if text.is_empty() {
            self.app.say("there is nothing to copy".to_owned());
            return Ok(());
        }
        self.terminal.copy(text)?;
        let lines = text.lines().count();
        let cut = if text.len() > COPY_MAX { ", cut: terminals take no more" } else { "" };
        let what = if lines == 1 { format!("`{text}`") } else { counted(lines, "line") };
        self.app.say(format!("copied {what} to the terminal's clipboard{cut}"));
        Ok(())
    }

    fn paint(&self, task: TaskId, diff: Arc<Diff>, file: usize) {
        let painted = self.painted.clone();
        tokio::task::spawn_blocking(move || {
            let lines = diff.files.get(file).map(paint::file).unwrap_or_default();
            // The loop is gone: so is the person.
            let _ = painted.blocking_send((task, diff, file, lines));
        });
    }
}

async fn heard(client: &mut Option<Client>) -> Option<FromDaemon> {
    match client {
        Some(client) => client.next().await,
        None => std::future::pending().await,
    }
}

async fn back(calling: &mut Option<Calling>) -> Result<Client, ClientError> {
    match calling {
        Some(call) => call.await,
        None => std::future::pending().await,
    }
}

async fn typed(keys: &mut Option<Keys>) -> Option<std::io::Result<Event>> {
    match keys {
        Some(keys) => keys.events.recv().await,
        None => std::future::pending().await,
    }
}

/// What the person does. Read by a task of its own: a look at the stream takes a lock that its thread holds most of the
/// time, so only news are worth one.
struct Keys {
    events: mpsc::Receiver<std::io::Result<Event>>,
    task: tokio::task::JoinHandle<()>,
}

impl Keys {
    fn listen() -> Self {
        use futures_core::Stream as _;
        let (sender, events) = mpsc::channel(BURST);
        let task = tokio::spawn(async move {
            let mut events = EventStream::new();
            while let Some(event) = poll_fn(|cx| Pin::new(&mut events).poll_next(cx)).await {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { events, task }
    }

    /// Reads no more of the terminal.
    async fn stop(self) {
        self.task.abort();
        // Aborted: its stream is gone once it has ended.
        let _ = self.task.await;
    }
}
