//! The socket: one daemon at a time; the newest connection wins, and none is ever waited for.

use crate::os::{clock, peer};
use crate::wire::frame::{Decoder, encode};
use crate::wire::keeper::{FromKeeper, ToKeeper};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// Most bytes that wait for a daemon that does not read; then it only learns of more once it has read.
const OUTBOX_MAX: usize = 16 * 1024;

/// The listening socket and the daemon's connection.
pub(super) struct Server {
    listener: UnixListener,
    daemon: Option<Daemon>,
}

struct Daemon {
    stream: UnixStream,
    inbox: Decoder,
    orders: VecDeque<ToKeeper>,
    outbox: VecDeque<u8>,
    told: u64,
    /// It can't be written to any more; what it ordered before it went is still read.
    deaf: bool,
}

impl Server {
    /// Listens at `path`, which only this user can reach.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        // The lock is held, so what is left there belonged to a keeper that is gone.
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, daemon: None })
    }

    /// What to wait for; orders only while they can be carried out.
    pub(super) fn poll_fds<'a>(&'a self, fds: &mut Vec<PollFd<'a>>, orders: bool) {
        fds.push(PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN));
        // One that has hung up wakes every poll: it is looked at only if its orders can be carried out.
        if let Some(daemon) = self.daemon.as_ref().filter(|daemon| orders || !daemon.deaf) {
            let mut want = PollFlags::empty();
            want.set(PollFlags::IN, orders);
            want.set(PollFlags::OUT, !daemon.outbox.is_empty());
            fds.push(PollFd::from_borrowed_fd(daemon.stream.as_fd(), want));
        }
    }

    /// Lets a new daemon in, in place of the one before, whose last orders come first. True: one came.
    pub(super) fn accept(&mut self, hello: &FromKeeper) -> bool {
        let mut came = false;
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() && peer::check(&stream).unwrap_or(false) {
                let orders = self.daemon.take().map(Daemon::last_orders).unwrap_or_default();
                let told = if let FromKeeper::Hello { spool, .. } = hello { *spool } else { 0 };
                let (inbox, outbox) = (Decoder::default(), VecDeque::new());
                self.daemon = Some(Daemon { stream, inbox, orders, outbox, told, deaf: false });
                self.tell(hello);
                came = true;
            }
        }
        came
    }

    /// Whether orders wait that could not be carried out at once.
    pub(super) fn has_orders(&self) -> bool {
        self.daemon.as_ref().is_some_and(|daemon| !daemon.orders.is_empty())
    }

    /// The daemon's next order.
    pub(super) fn next_order(&mut self) -> Option<ToKeeper> {
        let daemon = self.daemon.as_mut()?;
        if daemon.orders.is_empty() && !daemon.read() {
            self.daemon = None;
            return None;
        }
        self.daemon.as_mut()?.orders.pop_front()
    }

    /// Queues a message; without a daemon nobody needs to know.
    pub(super) fn tell(&mut self, message: &FromKeeper) {
        // Our own messages are small and always fit a frame.
        if let (Some(daemon), Ok(bytes)) = (&mut self.daemon, encode(message))
            && !daemon.deaf
        {
            daemon.outbox.extend(bytes);
        }
        self.flush();
    }

    /// Says how long the spool is, unless the daemon has not yet read what it was told.
    pub(super) fn grown(&mut self, len: u64) {
        if let Some(daemon) = &mut self.daemon
            && !daemon.deaf
            && daemon.told != len
            && daemon.outbox.len() < OUTBOX_MAX
        {
            daemon.told = len;
            self.tell(&FromKeeper::Grown(len));
        }
    }

    /// Writes what waits, as far as the daemon takes it.
    pub(super) fn flush(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        while !daemon.outbox.is_empty() {
            match daemon.stream.write(daemon.outbox.as_slices().0) {
                Ok(n) if n > 0 => drop(daemon.outbox.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => {
                    daemon.outbox.clear();
                    daemon.deaf = true;
                }
            }
        }
    }

    /// Gives the daemon some time to hear the last message.
    pub(super) fn farewell(&mut self, most: Duration) {
        let until = clock::instant() + most;
        while clock::instant() < until {
            self.flush();
            let Some(daemon) = self.daemon.as_ref().filter(|daemon| !daemon.outbox.is_empty()) else {
                return;
            };
            let mut fds = [PollFd::from_borrowed_fd(daemon.stream.as_fd(), PollFlags::OUT)];
            let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 50_000_000 }));
        }
    }
}

impl Daemon {
    /// What it had ordered when it went.
    fn last_orders(mut self) -> VecDeque<ToKeeper> {
        let mut known = usize::MAX;
        while known != self.orders.len() {
            known = self.orders.len();
            self.read();
        }
        // Who waits for what the job prints is the new one's to say.
        self.orders.retain(|order| !matches!(order, ToKeeper::Calm(_)));
        self.orders
    }

    /// Reads orders; false if the daemon has gone or speaks another language.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 8 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(n) => self.inbox.push(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(_) => return false,
        }
        loop {
            match self.inbox.next_message() {
                Ok(Some(order)) => self.orders.push_back(order),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
