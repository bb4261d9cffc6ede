//! The person's socket: bound for our user alone, and bound again when its file goes while the daemon lives.
//!
//! Cleaners of temporary files and the end of a login take socket files away; a daemon that nobody finds would hold its lock
//! and keep every other from coming up. A file that somebody else has put there is left alone.

use crate::os::watch;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::unix::pipe;
use tokio::net::{UnixListener, UnixStream};

/// How often the file is looked for where the kernel can't tell that it has gone, or it could not be bound again.
const LOOK: Duration = Duration::from_secs(10);

/// A socket that is listened to.
#[derive(Debug)]
pub(super) struct Listening {
    path: PathBuf,
    listener: UnixListener,
    /// Tells what goes from its folder; none: the kernel can't.
    goings: Option<pipe::Receiver>,
}

impl Listening {
    /// Binds the socket. A dead one that is left over is replaced: the caller holds the lock.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Watched first: what goes in between is seen.
        let goings = goings(path);
        Ok(Self { path: path.to_owned(), listener: listen(path)?, goings })
    }

    /// The next client.
    pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
        loop {
            tokio::select! {
                taken = self.listener.accept() => return taken.map(|(stream, _)| stream),
                () = gone(&self.path, self.goings.as_ref()) => self.bind_again().await,
            }
        }
    }

    async fn bind_again(&mut self) {
        match listen(&self.path) {
            Ok(listener) => {
                tracing::warn!(socket = %self.path.display(), "the socket's file was taken away; it is there again");
                // What was watched may have gone with its folder.
                (self.listener, self.goings) = (listener, goings(&self.path));
            }
            Err(error) => {
                tracing::error!(socket = %self.path.display(), %error, "the socket's file was taken away");
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

fn goings(path: &Path) -> Option<pipe::Receiver> {
    let told = watch::goings(path.parent()?).and_then(pipe::Receiver::from_owned_fd_unchecked);
    told.inspect_err(|error| tracing::warn!(%error, "the socket's folder can't be watched")).ok()
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Waits until the file is not there any more.
async fn gone(path: &Path, goings: Option<&pipe::Receiver>) {
    while path.symlink_metadata().is_ok() {
        match goings {
            Some(goings) if something_goes(goings).await.is_ok() => {}
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn something_goes(goings: &pipe::Receiver) -> io::Result<()> {
    loop {
        goings.readable().await?;
        match goings.try_read(&mut [0; 4096]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            told => return told.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_whose_file_goes_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/socket");
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let mut listening = Listening::bind(&path).unwrap();
        for _ in 0..3 {
            std::fs::remove_file(&path).unwrap();
            let come = async {
                loop {
                    match UnixStream::connect(&path).await {
                        Ok(stream) => break stream,
                        Err(_) => tokio::task::yield_now().await,
                    }
                }
            };
            let (taken, _ours) = tokio::join!(listening.accept(), come);
            taken.unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
