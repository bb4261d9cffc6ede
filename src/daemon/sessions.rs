//! Sessions: the socket, who may connect, and what goes in and out of one connection.
//!
//! Promises: only our own user is heard; a client of another protocol is told so; a client that does not read costs a
//! bounded amount of memory; a client that does not say hello is sent away.

use super::listening::Listening;
use super::message::{ClientId, FromPeople};
use super::outbox::{self, Outbox, Parcel};
use crate::os::peer;
use crate::wire::client::{CLIENT_PROTOCOL, FromDaemon, ToDaemon};
use crate::wire::frame::Decoder;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// Most clients at once.
const CLIENTS_MAX: usize = 128;
/// How long a client may take to say hello.
const HELLO_MAX: Duration = Duration::from_secs(10);
/// What waits is written together until it is so much.
const WRITE: usize = 64 * 1024;
/// One read of a socket.
const READ: usize = 16 * 1024;

/// Takes in clients for as long as the daemon lives.
pub(super) async fn accept(mut listening: Listening, people: mpsc::Sender<FromPeople>) {
    let mut next = 1;
    let connected = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = match listening.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a client can't be taken in");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if !peer::check(&stream).unwrap_or(false) {
            tracing::warn!("somebody else's process was turned away");
            continue;
        }
        if connected.load(Ordering::Relaxed) >= CLIENTS_MAX {
            tracing::warn!("more than {CLIENTS_MAX} clients: one was turned away");
            continue;
        }
        let client = ClientId(next);
        next += 1;
        connected.fetch_add(1, Ordering::Relaxed);
        let people = people.clone();
        let connected = Arc::clone(&connected);
        tokio::spawn(async move {
            if let Err(error) = serve(client, stream, &people).await {
                tracing::debug!(client = client.0, %error, "a client's connection ended");
            }
            connected.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn serve(client: ClientId, stream: UnixStream, people: &mpsc::Sender<FromPeople>) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let mut decoder = Decoder::default();
    let hello = tokio::time::timeout(HELLO_MAX, receive(&mut read, &mut decoder)).await??;
    let Some(ToDaemon::Hello { protocol, version, who }) = hello else {
        return Err(io::Error::other("no hello"));
    };
    let ours = env!("CARGO_PKG_VERSION").to_owned();
    let fits = protocol == CLIENT_PROTOCOL;
    let answer = if fits {
        FromDaemon::Welcome { version: ours, pid: std::process::id() }
    } else {
        FromDaemon::WrongVersion { protocol: CLIENT_PROTOCOL, version: ours }
    };
    if let Some(bytes) = outbox::encode(&answer) {
        write.write_all(&bytes).await?;
    }
    if !fits {
        return Err(io::Error::other(format!("nopeek {version} speaks protocol {protocol}")));
    }
    let outbox = Outbox::new();
    let joined = FromPeople::Joined { client, outbox: Arc::clone(&outbox), who };
    if people.send(joined).await.is_err() {
        return Ok(());
    }
    // Whichever ends first ends the other: the reader by end of file, the writer by a closed outbox or socket.
    let result = tokio::select! {
        result = listen(client, &mut read, &mut decoder, &outbox, people) => result,
        result = deliver(&mut write, &outbox) => result,
    };
    outbox.close();
    let _ = people.send(FromPeople::Left(client)).await;
    result
}

async fn listen(
    client: ClientId,
    read: &mut OwnedReadHalf,
    decoder: &mut Decoder,
    outbox: &Outbox,
    people: &mpsc::Sender<FromPeople>,
) -> io::Result<()> {
    while let Some(message) = receive(read, decoder).await? {
        if matches!(message, ToDaemon::Request { .. }) {
            // Given back by the writer: a client that asks without reading waits here.
            let place = outbox.requests.acquire().await.map_err(io::Error::other)?;
            place.forget();
        }
        if people.send(FromPeople::Said { client, message }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes what is there in one piece, so that the client wakes once for it.
async fn deliver(write: &mut OwnedWriteHalf, outbox: &Outbox) -> io::Result<()> {
    let mut bytes = Vec::new();
    while let Some(parcel) = outbox.take().await {
        let mut next = Some(parcel);
        let mut answers = 0;
        while let Some(parcel) = next {
            match parcel {
                Parcel::Answer(answer) => {
                    bytes.extend(answer);
                    answers += 1;
                }
                Parcel::Push(push) => bytes.extend(push),
                Parcel::Board(board) => bytes.extend_from_slice(&board),
            }
            next = if bytes.len() < WRITE { outbox.more() } else { None };
        }
        write.write_all(&bytes).await?;
        bytes.clear();
        bytes.shrink_to(WRITE * 2);
        outbox.requests.add_permits(answers);
    }
    Ok(())
}

async fn receive(read: &mut OwnedReadHalf, decoder: &mut Decoder) -> io::Result<Option<ToDaemon>> {
    loop {
        if let Some(message) = decoder.next_message().map_err(io::Error::other)? {
            return Ok(Some(message));
        }
        let mut bytes = [0; READ];
        match read.read(&mut bytes).await? {
            0 => return Ok(None),
            n => decoder.push(&bytes[..n]),
        }
    }
}
