//! The real program in a real terminal, as somebody looks at it.
//!
//! What it prints goes through an emulator of ours, whose answers go back to it. Waiting is for a picture, told by new
//! bytes; a picture that does not come is reported with the last one and the daemon's log.

use super::wait::PATIENCE;
use super::world::{PROGRAM, World};
use nopeek::os::clock;
use nopeek::screen::emulator::Emulator;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};

/// A terminal with the program in it.
pub(crate) struct Term {
    shared: Arc<(Mutex<State>, Condvar)>,
    /// None once the terminal has gone away.
    writer: Arc<Mutex<Option<Box<dyn Write + Send>>>>,
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    log: std::path::PathBuf,
}

struct State {
    emulator: Emulator,
    /// Everything that was ever printed.
    bytes: Vec<u8>,
    closed: bool,
    /// Nobody reads any more.
    gone: bool,
}

/// What a person sees.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<String>,
}

impl Picture {
    pub(crate) fn has(&self, text: &str) -> bool {
        self.rows.iter().any(|row| row.contains(text))
    }

    pub(crate) fn text(&self) -> String {
        self.rows.join("\n")
    }
}

impl Term {
    /// Starts the program in the world's repo.
    pub(crate) fn open(world: &World, args: &[&str], rows: u16, cols: u16) -> Self {
        Self::with_env(world, args, rows, cols, &[])
    }

    /// The same with more in the environment.
    pub(crate) fn with_env(world: &World, args: &[&str], rows: u16, cols: u16, env: &[(&str, &str)]) -> Self {
        Self::start(world, PROGRAM, args, (rows, cols), env)
    }

    /// A shell that runs `script`.
    pub(crate) fn shell(world: &World, script: &str, rows: u16, cols: u16) -> Self {
        Self::start(world, "/bin/sh", &["-c", script], (rows, cols), &[])
    }

    fn start(
        world: &World,
        program: &str,
        args: &[&str],
        (rows, cols): (u16, u16),
        env: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        for (key, value) in world.env() {
            command.env(key, value);
        }
        command.env("COLORTERM", "truecolor");
        for (key, value) in env {
            command.env(key, value);
        }
        command.args(args);
        command.cwd(if world.repo().is_dir() { world.repo() } else { world.root().to_owned() });
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let writer = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let state =
            State { emulator: Emulator::new(rows, cols), bytes: Vec::new(), closed: false, gone: false };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn({
            let (shared, writer) = (shared.clone(), writer.clone());
            move || {
                let mut bytes = [0; 16 * 1024];
                loop {
                    let n = reader.read(&mut bytes).unwrap_or(0);
                    let mut state = shared.0.lock().unwrap();
                    if state.gone {
                        return;
                    }
                    state.closed = n == 0;
                    state.bytes.extend_from_slice(&bytes[..n]);
                    state.emulator.feed(&bytes[..n]);
                    let replies = state.emulator.take_replies();
                    drop(state);
                    shared.1.notify_all();
                    if n == 0 {
                        return;
                    }
                    if let Some(writer) = writer.lock().unwrap().as_mut() {
                        let _ = writer.write_all(&replies);
                    }
                }
            }
        });
        Self { shared, writer, master: Some(pair.master), child, log: world.paths.log() }
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) {
        let mut writer = self.writer.lock().unwrap();
        let writer = writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Changes the terminal's size.
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.shared.0.lock().unwrap().emulator.resize(rows, cols);
        self.master
            .as_ref()
            .unwrap()
            .resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })
            .unwrap();
    }

    /// What is there now.
    pub(crate) fn picture(&self) -> Picture {
        Picture { rows: self.shared.0.lock().unwrap().emulator.rows_text() }
    }

    /// Everything that was ever printed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.0.lock().unwrap().bytes.clone()
    }

    /// Waits for a picture.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, good: impl Fn(&Picture) -> bool) -> Picture {
        let began = clock::instant();
        let mut state = self.shared.0.lock().unwrap();
        loop {
            let picture = Picture { rows: state.emulator.rows_text() };
            if good(&picture) {
                return picture;
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            if left.is_zero() || state.closed {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let end = if state.closed { "the program ended" } else { "too long" };
                panic!(
                    "waited for {what}: {end}\n--- screen ---\n{}\n--- the daemon's log ends ---\n{}",
                    picture.text(),
                    tail.join("\n")
                );
            }
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for a text anywhere on the screen.
    #[track_caller]
    pub(crate) fn until_has(&self, text: &str) -> Picture {
        self.until(&format!("{text:?}"), |picture| picture.has(text))
    }

    /// Waits for the program's end and gives its exit code.
    #[track_caller]
    pub(crate) fn until_ended(&mut self) -> u32 {
        let (child, shared) = (&mut self.child, &self.shared);
        let ended = super::wait::patiently(|| {
            // Its last words come after its end.
            child.try_wait().unwrap().filter(|_| shared.0.lock().unwrap().closed)
        });
        ended.map_or_else(
            || panic!("the program did not end\n{}", self.picture().text()),
            |end| end.exit_code(),
        )
    }

    /// The terminal goes away, as when a connection breaks. The last of it goes with the next bytes that are printed.
    pub(crate) fn hang_up(&mut self) {
        self.shared.0.lock().unwrap().gone = true;
        *self.writer.lock().unwrap() = None;
        self.master = None;
    }

    /// Waits for the program's end, however it ends; the exit code, from 128 on for a signal.
    #[track_caller]
    pub(crate) fn until_exited(&mut self) -> u32 {
        let child = &mut self.child;
        let end = super::wait::until("the program's end", || child.try_wait().unwrap());
        if end.signal().is_some() { 128 } else { end.exit_code() }
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
