//! The child on its PTY: start it, type to it, read what it says.
//!
//! portable-pty opens the PTY, sizes it and spawns on it: a session of its own, the PTY as controlling terminal, signals
//! as a program expects them, no descriptor of ours. What it has no call for is done here: a master that
//! never blocks, for the one poll loop; standard input from a text; a child whose end can be waited for in that
//! loop (pidfd); a working folder that must be there.

use crate::os::process;
use crate::wire::keeper::JobSpec;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{MemfdFlags, OFlags, fcntl_getfl, fcntl_setfl, memfd_create};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

/// Most bytes of input that wait for a job that does not read; the daemon's next orders wait in its socket.
const INPUT_MAX: usize = 1024 * 1024;

/// Becomes the program in the arguments, with standard input from the file in `$0`.
const WITH_INPUT: &str = "exec \"$@\" <\"$0\"";

/// The job's child.
pub(super) struct Child {
    pid: u32,
    pidfd: OwnedFd,
    /// Only for its size; reading and writing go through `master`.
    pty: Box<dyn MasterPty + Send>,
    master: File,
    input: VecDeque<u8>,
    /// The text of its standard input, held open for the child to open it by its name below `/proc`.
    _stdin: Option<OwnedFd>,
    drained: bool,
    quiet: bool,
}

impl Child {
    /// Opens a PTY and starts what `spec` says on it. The keeper's own working folder is `/` afterwards.
    pub(super) fn start(spec: &JobSpec) -> io::Result<Self> {
        if spec.argv.is_empty() {
            // portable-pty would start the user's shell.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program"));
        }
        let pair = native_pty_system().openpty(size(spec.rows, spec.cols)).map_err(refused)?;
        let stdin = spec.stdin.as_deref().filter(|text| !text.is_empty()).map(text_file).transpose()?;
        let mut command = command(spec, stdin.as_ref());
        // Given a folder that is not there, portable-pty starts the child in the home instead: an agent would work on
        // what is not its own. So the keeper goes there itself, which fails, and the child stays where it is.
        std::env::set_current_dir(&spec.cwd)?;
        command.cwd(".");
        let child = pair.slave.spawn_command(command).map_err(refused);
        std::env::set_current_dir("/")?;
        let pid = child?.process_id().ok_or_else(|| io::Error::other("the child has no process id"))?;
        // Nobody else waits for it, so that the number is its own until the keeper reaps it.
        let raw = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
        let raw = raw.ok_or_else(|| io::Error::other("the child's process id is out of range"))?;
        let pidfd = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty())?;
        // portable-pty's own reader and writer block, and its writer types an end of file when it is dropped.
        let master = process::duplicate(pair.master.as_raw_fd())?;
        nonblocking(master.as_fd())?;
        Ok(Self {
            pid,
            pidfd,
            pty: pair.master,
            master: master.into(),
            input: VecDeque::new(),
            _stdin: stdin,
            drained: false,
            quiet: false,
        })
    }

    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Nothing more will ever be read: nobody has the terminal open.
    pub(super) const fn is_drained(&self) -> bool {
        self.drained
    }

    /// The last read found nothing.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    pub(super) fn takes_input(&self) -> bool {
        self.input.len() < INPUT_MAX
    }

    /// Queues what is to be typed.
    pub(super) fn input(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
    }

    pub(super) fn resize(&self, rows: u16, cols: u16) {
        // It fails only if the terminal has gone, and then its size is nobody's concern.
        let _ = self.pty.resize(size(rows, cols));
    }

    /// Writes what waits, as far as the child takes it.
    pub(super) fn feed(&mut self) {
        while !self.input.is_empty() {
            match self.master.write(self.input.as_slices().0) {
                Ok(n) if n > 0 => drop(self.input.drain(..n)),
                _ => break,
            }
        }
    }

    /// Reads some of what it wrote; 0 if there is nothing now.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::io::Read as _;
        self.quiet = false;
        match self.master.read(buffer) {
            Ok(0) => {
                self.drained = true;
                Ok(0)
            }
            Ok(n) => Ok(n),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.quiet = true;
                Ok(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => {
                // EIO: nobody has the other side open any more.
                self.drained = true;
                Err(error)
            }
        }
    }
}

/// What is spawned: the program of `spec`, or a shell that becomes it where its standard input is not the terminal.
fn command(spec: &JobSpec, stdin: Option<&OwnedFd>) -> CommandBuilder {
    let mut argv = Vec::with_capacity(spec.argv.len() + 4);
    if spec.stdin.is_some() {
        // portable-pty puts the terminal on all three. A child of its has no descriptor of ours, so that it opens the
        // text by the name that the text has in this process: at its beginning, and only to read.
        let file = stdin.map_or_else(
            || "/dev/null".to_owned(),
            |text| format!("/proc/{}/fd/{}", std::process::id(), text.as_raw_fd()),
        );
        argv.extend(["/bin/sh".to_owned(), "-c".to_owned(), WITH_INPUT.to_owned(), file]);
    }
    argv.extend(spec.argv.iter().cloned());
    let mut command = CommandBuilder::from_argv(argv.into_iter().map(Into::into).collect());
    // It begins with the keeper's own environment, and gets a SHELL where `spec` names none.
    command.env_clear();
    for (name, value) in &spec.env {
        command.env(name, value);
    }
    command
}

/// A file in memory that holds `text`.
fn text_file(text: &str) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    Ok(file.into())
}

/// A size in cells; none is zero, which programs would divide by.
fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows: rows.max(1), cols: cols.max(1), pixel_width: 0, pixel_height: 0 }
}

/// portable-pty's error with its causes, in one line.
fn refused(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{error:#}").replace('\n', " "))
}

fn nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let flags = fcntl_getfl(fd)?;
    fcntl_setfl(fd, flags | OFlags::NONBLOCK).map_err(Into::into)
}
