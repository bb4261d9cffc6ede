//! Who is at the other end of a unix socket.

use std::io;
use std::os::fd::AsFd;

/// Whether the peer runs as the same user as this process.
pub fn check(socket: &impl AsFd) -> io::Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(peer.uid == rustix::process::getuid())
}

/// Whether the process that listens lives. What it has just forked holds its socket open for a moment after its death,
/// and then a connection is made to nobody.
pub fn is_alive(socket: &impl AsFd) -> io::Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(u32::try_from(peer.pid.as_raw_pid()).is_ok_and(super::process::is_alive))
}
