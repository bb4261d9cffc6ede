//! The socket to a keeper: messages out and in, none of which is waited for.

use crate::wire::frame::{self, Decoder};
use crate::wire::keeper::ToKeeper;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

/// Written to a keeper that does not take it; more is dropped, since nobody reads it there.
const OUT_MAX: usize = 1024 * 1024;

/// Queues a message.
pub(super) fn put(out: &mut Vec<u8>, message: &ToKeeper) {
    match frame::encode(message) {
        Ok(_) if out.len() > OUT_MAX && matches!(message, ToKeeper::Input(_)) => {}
        Ok(bytes) => out.extend(bytes),
        Err(error) => tracing::warn!(%error, "a message to a keeper is too long"),
    }
}

/// Writes as much as the keeper takes.
pub(super) fn flush(mut stream: &UnixStream, out: &mut Vec<u8>) -> io::Result<()> {
    while !out.is_empty() {
        match stream.write(out) {
            Ok(n) => drop(out.drain(..n)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The keeper may have written its last words before it left: read them first.
            Err(_) => out.clear(),
        }
    }
    Ok(())
}

/// Reads what there is. False: the other side has closed.
pub(super) fn receive(mut stream: &UnixStream, decoder: &mut Decoder) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(n) => {
                decoder.push(&bytes[..n]);
                // A short read has emptied the socket, as a rule; the next wait says so if it has not.
                if n < bytes.len() {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
