//! The conversation with a job's keeper: orders out, how far the spool has grown and what became of orders in.

use super::super::begin::{self, Found};
use super::super::line::{flush, put, receive};
use super::super::{Kind, Order};
use super::{SYNC_MAX, Thread};
use crate::core::model::agent::Exit;
use crate::os::clock;
use crate::screen::keys;
use crate::wire::frame::Decoder;
use crate::wire::keeper::{ExitFile, FromKeeper, KNOWS_CALM, ToKeeper};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Nobody waits for what an agent prints that nobody looks at: its keeper may read it later, so that one which redraws
/// all the time costs little. But not in its first moments: programs ask the terminal what it can, and wait.
const WAKEFUL: Duration = Duration::from_secs(5);
/// A keeper whose connection broke is tried again after this long.
const AGAIN: Duration = Duration::from_millis(20);

impl Thread {
    /// Talks to keepers until the job has ended: to one, as a rule; to it again if the connection broke.
    pub(super) fn follow(&mut self, mut stream: UnixStream) -> Exit {
        loop {
            match self.talk(&stream) {
                Ok(file) => return begin::exit_of(&file),
                // A keeper that was just leaving when we came; its last word is on disk.
                Err(_) if self.files.exit().is_some() => {}
                Err(error) => tracing::warn!(job = %self.job, %error, "the connection to a keeper broke"),
            }
            std::thread::sleep(AGAIN);
            match begin::attach(&self.files) {
                Found::Live(again) => stream = again,
                Found::Ended(file) => return begin::exit_of(&file),
                Found::Lost => return Exit::Unknown,
            }
        }
    }

    fn talk(&mut self, stream: &UnixStream) -> io::Result<ExitFile> {
        stream.set_nonblocking(true)?;
        let mut decoder = Decoder::default();
        let mut out: Vec<u8> = Vec::new();
        let mut ended = None;
        (self.calms, self.calm) = (false, false);
        // What an earlier connection may not have passed on; a keeper does the same twice without harm.
        for message in self.unanswered() {
            put(&mut out, &message);
        }
        loop {
            while let Ok(order) = self.orders.try_recv() {
                self.take_order(order, &mut out);
            }
            self.type_on(&mut out);
            self.say(false);
            self.end_sync();
            self.calm(&mut out);
            let more = self.feed_piece(&mut out)?;
            if !more && let Some(file) = ended {
                return Ok(file);
            }
            flush(stream, &mut out)?;
            if out.is_empty() {
                self.was_typed();
            }
            self.wait(stream, more, !out.is_empty())?;
            let open = receive(stream, &mut decoder)?;
            while let Some(message) = decoder.next_message().map_err(io::Error::other)? {
                if let Some(file) = self.hear(message) {
                    self.grown = self.spool.len();
                    ended = Some(file);
                }
            }
            if !open && ended.is_none() {
                return Err(io::Error::other("the keeper closed it"));
            }
        }
    }

    fn unanswered(&self) -> Vec<ToKeeper> {
        let mut messages = Vec::new();
        if !self.freezes.is_empty() {
            messages.push(ToKeeper::Freeze);
        }
        if !self.thaws.is_empty() {
            messages.push(ToKeeper::Thaw);
        }
        if !self.ends.is_empty() {
            messages.push(ToKeeper::End { grace_ms: 0 });
        }
        messages
    }

    fn hear(&mut self, message: FromKeeper) -> Option<ExitFile> {
        match message {
            FromKeeper::Hello { version, spool, .. } => {
                self.calms = version >= KNOWS_CALM;
                self.has_grown(spool);
            }
            FromKeeper::Grown(spool) => self.has_grown(spool),
            FromKeeper::Frozen(_) => {
                let effects = std::mem::take(&mut self.freezes);
                self.done(effects);
            }
            FromKeeper::Thawed => {
                let effects = std::mem::take(&mut self.thaws);
                self.done(effects);
            }
            FromKeeper::Ended => {
                let effects = std::mem::take(&mut self.ends);
                self.done(effects);
            }
            FromKeeper::Exited(file) => return Some(file),
        }
        None
    }

    fn has_grown(&mut self, spool: u64) {
        if spool > self.grown {
            self.grown = spool;
            self.shared.output.store(spool, Ordering::Relaxed);
        }
    }

    fn take_order(&mut self, order: Order, out: &mut Vec<u8>) {
        match order {
            Order::Freeze(effect) => {
                self.freezes.push(effect);
                put(out, &ToKeeper::Freeze);
            }
            Order::Thaw(effect) => {
                self.thaws.push(effect);
                put(out, &ToKeeper::Thaw);
            }
            Order::End { effect, grace } => {
                self.ends.push(effect);
                put(out, &ToKeeper::End { grace_ms: grace.0 });
            }
            Order::Type { effect, answer } => self.typist.answer(answer, effect),
            Order::Input(input) => {
                let modes = self.shared.covered().modes_for_answer();
                put(out, &ToKeeper::Input(keys::encode(&input, modes)));
            }
            Order::Resize { rows, cols } => {
                put(out, &ToKeeper::Resize { rows, cols });
                // The old output is still for the old size.
                self.sizes.set(self.spool.offset().max(self.old.min(self.grown)), (rows, cols));
                self.resize();
            }
        }
    }

    /// Tells the keeper whether somebody waits for what the job prints.
    fn calm(&mut self, out: &mut Vec<u8>) {
        let now = clock::instant();
        let calm = self.calms
            && self.kind == Kind::Agent
            && now >= self.began + WAKEFUL
            && !self.shared.watched.load(Ordering::Acquire)
            && self.typist.due(now).is_none();
        if calm != self.calm {
            self.calm = calm;
            put(out, &ToKeeper::Calm(calm));
        }
    }

    /// Sleeps until the keeper, the loop or a pause has something.
    fn wait(&self, stream: &UnixStream, more: bool, writes: bool) -> io::Result<()> {
        let now = clock::instant();
        let due =
            [self.typist.due(now), self.coalesce.due(now), self.sync_since.map(|since| since + SYNC_MAX)]
                .into_iter()
                .flatten()
                .min();
        let timeout = if more {
            Some(Duration::ZERO)
        } else {
            due.map(|due| due.saturating_duration_since(now) + Duration::from_millis(1))
        };
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut flags = PollFlags::IN;
        if writes {
            flags |= PollFlags::OUT;
        }
        let mut fds = [PollFd::new(&self.waker, PollFlags::IN), PollFd::new(stream, flags)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !fds[0].revents().is_empty() {
            let _ = rustix::io::read(&self.waker, &mut [0_u8; 8]);
        }
        Ok(())
    }
}
