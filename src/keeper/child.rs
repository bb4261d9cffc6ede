//! The child on its PTY: start it, type to it, read what it says.

use crate::os::process::{self, OnTerminal};
use crate::wire::keeper::JobSpec;
use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// Most bytes of input that wait for a job that does not read; the daemon's next orders wait in its socket.
const INPUT_MAX: usize = 1024 * 1024;

/// The job's child.
pub(super) struct Child {
    pid: u32,
    pidfd: OwnedFd,
    /// Only for its size; reading and writing go through `master`.
    pty: Box<dyn MasterPty + Send>,
    master: File,
    input: VecDeque<u8>,
    stdin: Option<(std::process::ChildStdin, VecDeque<u8>)>,
    drained: bool,
    quiet: bool,
}

impl Child {
    /// Opens a PTY and starts what `spec` says on it.
    pub(super) fn start(spec: &JobSpec) -> io::Result<Self> {
        let size =
            PtySize { rows: spec.rows.max(1), cols: spec.cols.max(1), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(io::Error::other)?;
        let name = pair.master.tty_name().ok_or_else(|| io::Error::other("the terminal has no name"))?;
        // The keeper leads a session without a terminal: an open without NOCTTY would make this one its own, so
        // that the job could not have it and its hang-up would end the keeper.
        let terminal =
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let terminal = File::from(terminal);
        let what = OnTerminal {
            argv: &spec.argv,
            env: &spec.env,
            cwd: &spec.cwd,
            terminal: &terminal,
            piped: spec.stdin.is_some(),
        };
        let mut child = process::spawn_on_terminal(&what)?;
        let pid = child.id();
        let raw = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty())?;
        let master = process::duplicate(pair.master.as_raw_fd())?;
        nonblocking(master.as_fd())?;
        let stdin = match (child.stdin.take(), &spec.stdin) {
            (Some(pipe), Some(text)) => {
                nonblocking(pipe.as_fd())?;
                Some((pipe, text.bytes().collect()))
            }
            _ => None,
        };
        Ok(Self {
            pid,
            pidfd,
            pty: pair.master,
            master: master.into(),
            input: VecDeque::new(),
            stdin,
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

    /// The pipe of its standard input, while there is something to write to it.
    pub(super) fn stdin(&self) -> Option<BorrowedFd<'_>> {
        self.stdin.as_ref().map(|(pipe, _)| pipe.as_fd())
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
        let size = PtySize { rows: rows.max(1), cols: cols.max(1), pixel_width: 0, pixel_height: 0 };
        // It fails only if the terminal has gone, and then its size is nobody's concern.
        let _ = self.pty.resize(size);
    }

    /// Writes what waits, as far as the child takes it.
    pub(super) fn feed(&mut self) {
        while !self.input.is_empty() {
            match self.master.write(self.input.as_slices().0) {
                Ok(n) if n > 0 => drop(self.input.drain(..n)),
                _ => break,
            }
        }
        let Some((pipe, text)) = &mut self.stdin else { return };
        while !text.is_empty() {
            match pipe.write(text.as_slices().0) {
                Ok(n) if n > 0 => drop(text.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It does not read any more.
                _ => break,
            }
        }
        self.stdin = None;
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

fn nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let flags = fcntl_getfl(fd)?;
    fcntl_setfl(fd, flags | OFlags::NONBLOCK).map_err(Into::into)
}
