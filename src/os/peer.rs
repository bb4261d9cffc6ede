//! Who is at the other end of a unix socket.

use std::io;
use std::os::fd::AsFd;

/// Whether the peer runs as the same user as this process.
pub fn check(socket: &impl AsFd) -> io::Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(peer.uid == rustix::process::getuid())
}
