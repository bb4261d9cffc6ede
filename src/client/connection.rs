//! A connection that has said hello: requests with answers, and what the daemon pushes.
//!
//! Promises: answers and pushed messages keep their order; [`Receiver::next`] is cancel-safe, so that it may
//! stand in a `select!`; what is pushed while a request waits is kept, within a bound.

use super::error::ClientError;
use super::start::{self, Start};
use crate::os::paths::Paths;
use crate::values::words::duration;
use crate::wire::client::{CLIENT_PROTOCOL, FromDaemon, Reply, Request, ToDaemon};
use crate::wire::frame::{self, Decoder};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Most pushed messages kept while a request waits; the oldest board or frame goes first, since newer ones follow.
const KEPT_MAX: usize = 256;
/// How long the daemon may take to answer a hello.
const HELLO_MAX: Duration = Duration::from_secs(10);
/// How often a daemon that hangs up before it has answered a hello is called again.
const HELLO_AGAIN: u32 = 30;
/// And how long after.
const HELLO_PAUSE: Duration = Duration::from_millis(5);
/// One read of the socket.
const READ: usize = 64 * 1024;

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    sender: Sender,
    receiver: Receiver,
    kept: VecDeque<FromDaemon>,
    next_id: u64,
    daemon: (String, u32),
}

/// The half that talks.
#[derive(Debug)]
pub struct Sender {
    socket: OwnedWriteHalf,
}

/// The half that listens.
#[derive(Debug)]
pub struct Receiver {
    socket: OwnedReadHalf,
    decoder: Decoder,
    kept: VecDeque<FromDaemon>,
}

impl Client {
    /// Connects to the user's daemon, as [`super::who`].
    pub async fn connect(paths: &Paths, start: Start) -> Result<Self, ClientError> {
        Self::connect_as(paths, start, &super::who()).await
    }

    /// Connects to the user's daemon under this name for the ledger.
    pub async fn connect_as(paths: &Paths, start: Start, who: &str) -> Result<Self, ClientError> {
        let mut again = HELLO_AGAIN;
        loop {
            let socket = start::reach(paths, start).await?;
            match Self::hello(socket, who).await {
                // It was just dying: nobody, or another one, will be there next time.
                Err(ClientError::Closed) if again > 0 => {
                    again -= 1;
                    tokio::time::sleep(HELLO_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Connects again after the daemon went away: tries for `patience`, starting one if need be.
    pub async fn reconnect(paths: &Paths, patience: Duration) -> Result<Self, ClientError> {
        let began = crate::os::clock::instant();
        loop {
            match Self::connect(paths, Start::IfNeeded).await {
                Err(ClientError::Io { .. } | ClientError::Closed | ClientError::NoDaemon)
                    if began.elapsed() < patience =>
                {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                result => return result,
            }
        }
    }

    async fn hello(socket: UnixStream, who: &str) -> Result<Self, ClientError> {
        let (read, write) = socket.into_split();
        let mut sender = Sender { socket: write };
        let mut receiver = Receiver { socket: read, decoder: Decoder::default(), kept: VecDeque::new() };
        let version = env!("CARGO_PKG_VERSION");
        sender
            .send(ToDaemon::Hello {
                protocol: CLIENT_PROTOCOL,
                version: version.to_owned(),
                who: who.to_owned(),
            })
            .await?;
        let answer = tokio::time::timeout(HELLO_MAX, receiver.receive()).await.map_err(|_| {
            ClientError::NotStarted {
                why: format!("no answer to a hello for {}", duration::long(HELLO_MAX.into())),
                log: String::new(),
            }
        })??;
        match answer {
            FromDaemon::Welcome { version, pid } => {
                Ok(Self { sender, receiver, kept: VecDeque::new(), next_id: 1, daemon: (version, pid) })
            }
            FromDaemon::WrongVersion { protocol, version } => {
                Err(ClientError::WrongVersion { theirs: version, protocol, ours: env!("CARGO_PKG_VERSION") })
            }
            _ => Err(ClientError::Closed),
        }
    }

    /// The daemon's version.
    #[must_use]
    pub fn daemon_version(&self) -> &str {
        &self.daemon.0
    }

    /// The daemon's process id.
    #[must_use]
    pub const fn daemon_pid(&self) -> u32 {
        self.daemon.1
    }

    /// Asks for something and waits for the answer; a refusal is [`ClientError::Refused`].
    pub async fn request(&mut self, request: Request) -> Result<Reply, ClientError> {
        let id = self.ask(request).await?;
        loop {
            match self.receiver.receive().await? {
                FromDaemon::Answer { id: answered, result } if answered == id => {
                    return result.map_err(ClientError::Refused);
                }
                other => {
                    if self.kept.len() >= KEPT_MAX {
                        self.kept.pop_front();
                    }
                    self.kept.push_back(other);
                }
            }
        }
    }

    /// Asks for something without waiting: the answer comes from [`Client::next`] with the number given back here.
    pub async fn ask(&mut self, request: Request) -> Result<u64, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        self.sender.send(ToDaemon::Request { id, request }).await?;
        Ok(id)
    }

    /// Says something that has no answer.
    pub async fn send(&mut self, message: ToDaemon) -> Result<(), ClientError> {
        self.sender.send(message).await
    }

    /// Says several things at once.
    pub async fn send_all(&mut self, messages: &[ToDaemon]) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        for message in messages {
            bytes.extend(frame::encode(message)?);
        }
        self.sender.socket.write_all(&bytes).await.map_err(|_| ClientError::Closed)
    }

    /// The next message; none when the daemon is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<FromDaemon> {
        match self.kept.pop_front() {
            Some(message) => Some(message),
            None => self.receiver.receive().await.ok(),
        }
    }

    /// The next message if it has come already. What can't be read is left to [`Client::next`]'s end.
    pub fn came(&mut self) -> Option<FromDaemon> {
        self.kept.pop_front().or_else(|| self.receiver.decoder.next_message().ok().flatten())
    }

    /// Two halves that can be used by two tasks. Numbers of requests are the caller's from then on.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        let Self { sender, mut receiver, kept, .. } = self;
        receiver.kept = kept;
        (sender, receiver)
    }
}

impl Sender {
    /// Sends a message.
    pub async fn send(&mut self, message: ToDaemon) -> Result<(), ClientError> {
        let bytes = frame::encode(&message)?;
        self.socket.write_all(&bytes).await.map_err(|_| ClientError::Closed)
    }
}

impl Receiver {
    /// The next message; none when the daemon is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<FromDaemon> {
        match self.kept.pop_front() {
            Some(message) => Some(message),
            None => self.receive().await.ok(),
        }
    }

    /// As [`Receiver::next`], with the reason of the end.
    async fn receive(&mut self) -> Result<FromDaemon, ClientError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let mut bytes = vec![0; READ];
            let n = self.socket.read(&mut bytes).await.map_err(|_| ClientError::Closed)?;
            if n == 0 {
                return Err(ClientError::Closed);
            }
            self.decoder.push(&bytes[..n]);
        }
    }
}
