//! Connecting: what stands at the socket is met with clear words.

use super::{Client, ClientError, Start};
use crate::os::paths::Paths;
use crate::wire::client::{CLIENT_PROTOCOL, FromDaemon, Reply, Request, ToDaemon};
use crate::wire::frame::{self, Decoder};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

fn paths() -> (tempfile::TempDir, Paths) {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let paths = Paths { config: at("config"), data: at("data"), runtime: at("run") };
    for dir in [&paths.config, &paths.data, &paths.runtime] {
        std::fs::create_dir_all(dir).unwrap();
    }
    std::fs::create_dir_all(paths.socket().parent().unwrap()).unwrap();
    (home, paths)
}

/// Answers each message of one client by `answer`, on a thread.
fn daemon(paths: &Paths, answer: fn(ToDaemon) -> Vec<FromDaemon>) {
    let listener = UnixListener::bind(paths.socket()).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut decoder = Decoder::default();
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut bytes) {
            decoder.push(&bytes[..n]);
            while let Some(message) = decoder.next_message().unwrap() {
                for answer in answer(message) {
                    stream.write_all(&frame::encode(&answer).unwrap()).unwrap();
                }
            }
        }
    });
}

fn welcome() -> FromDaemon {
    FromDaemon::Welcome { version: "9".to_owned(), pid: 5 }
}

#[tokio::test]
async fn no_daemon_and_a_dead_socket_are_the_same() {
    let (_home, paths) = paths();
    assert!(matches!(Client::connect(&paths, Start::Never).await, Err(ClientError::NoDaemon)));
    drop(UnixListener::bind(paths.socket()).unwrap());
    assert!(paths.socket().exists());
    assert!(matches!(Client::connect(&paths, Start::Never).await, Err(ClientError::NoDaemon)));
}

#[tokio::test]
async fn another_protocol_is_named_with_what_to_do() {
    let (_home, paths) = paths();
    daemon(&paths, |_| vec![FromDaemon::WrongVersion { protocol: 99, version: "9.9".to_owned() }]);
    let error = Client::connect(&paths, Start::Never).await.unwrap_err();
    assert!(error.to_string().contains("9.9"), "{error}");
    assert!(error.remedy().contains("daemon restart"), "{}", error.remedy());
}

#[tokio::test]
async fn what_is_pushed_while_a_request_waits_is_kept() {
    let (_home, paths) = paths();
    daemon(&paths, |message| match message {
        ToDaemon::Hello { protocol, .. } => {
            assert_eq!(protocol, CLIENT_PROTOCOL);
            vec![welcome()]
        }
        ToDaemon::Request { id, .. } => {
            let covered = FromDaemon::Covered(crate::values::ids::JobId(3));
            vec![covered, FromDaemon::Answer { id, result: Ok(Reply::Done) }]
        }
        _ => vec![],
    });
    let mut client = Client::connect(&paths, Start::Never).await.unwrap();
    assert_eq!((client.daemon_version(), client.daemon_pid()), ("9", 5));
    assert_eq!(client.request(Request::Shutdown).await.unwrap(), Reply::Done);
    assert_eq!(client.next().await, Some(FromDaemon::Covered(crate::values::ids::JobId(3))));
}
