//! Stands between all clients and the daemon and writes down every byte that goes either way.

use super::wait;
use super::world::World;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(crate) struct Proxy {
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Puts itself at the socket of the world's daemon, which must run.
    pub(crate) fn between(world: &World) -> Self {
        let socket = world.paths.socket();
        wait::until("the daemon", || world.daemon());
        let real = real(&socket);
        std::fs::rename(&socket, &real).unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = seen.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, daemon) = (client.unwrap(), UnixStream::connect(&real).unwrap());
                // Each direction keeps its bytes together: a frame must not be torn by the other direction's.
                pass(client.try_clone().unwrap(), daemon.try_clone().unwrap(), all.clone());
                pass(daemon, client, all.clone());
            }
        });
        Self { seen }
    }

    /// Everything so far, connection ends apart.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }
}

/// Where the daemon listens while a proxy stands at `socket`.
pub(crate) fn real(socket: &Path) -> PathBuf {
    socket.with_extension("real")
}

fn pass(mut from: UnixStream, mut to: UnixStream, all: Arc<Mutex<Vec<u8>>>) {
    std::thread::spawn(move || {
        let mut own: Vec<u8> = Vec::new();
        let mut bytes = [0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            // The end of what came before stands before each part, so that nothing hides in a seam.
            let seam = own.len().saturating_sub(256);
            {
                let mut all = all.lock().unwrap();
                all.extend_from_slice(&own[seam..]);
                all.extend_from_slice(&bytes[..n]);
            }
            own = [&own[seam..], &bytes[..n]].concat();
            if to.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}
