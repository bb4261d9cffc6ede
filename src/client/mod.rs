//! TALKING TO THE DAEMON: connect or start it, request, subscribe, reconnect.
//!
//! Owns the client's end of the socket. Promises: a connection that stands speaks our protocol with a daemon of
//! our own user; every failure names what to do. Holds no state of the product.

mod connection;
mod error;
mod start;
#[cfg(test)]
mod tests;

pub use connection::{Client, Receiver, Sender};
pub use error::ClientError;
pub use start::Start;

/// Who is asking, for the ledger: `user@terminal`, or `user` where there is none.
#[must_use]
pub fn who() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .ok()
        .filter(|user| !user.is_empty())
        .unwrap_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()));
    let terminal = rustix::termios::ttyname(std::io::stdin(), Vec::new())
        .ok()
        .and_then(|name| name.into_string().ok())
        .map(|name| name.trim_start_matches("/dev/").to_owned());
    match terminal {
        Some(terminal) => format!("{user}@{terminal}"),
        None => user,
    }
}
