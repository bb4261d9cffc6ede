//! A letter to mailboxes: SMTP, spoken by the `curl` that the machine has.
//!
//! Why curl and no crate: as in [`post`](super::post). Names, passwords and recipients stand in no command line; the letter
//! itself goes through a file of the user's alone that is removed at once.

use super::post::quoted;
use super::program::{self, ProgramError};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the connection to the server is kept from listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Encrypted from the start (SMTPS).
    Tls,
    /// Encrypted before anything is said (STARTTLS), or not at all.
    Starttls,
    Open,
}

/// A server that takes letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Name and password, if it wants them.
    pub login: Option<(String, String)>,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// There is no curl.
    #[error("there is no program curl: install it, or send by a command of your own")]
    NoCurl,
    /// The letter could not be put where curl reads it.
    #[error("can't write {}: {error}", path.display())]
    Letter { path: PathBuf, error: io::Error },
    /// It was refused, or nobody listens.
    #[error("{server}: {error}")]
    Failed { server: String, error: ProgramError },
}

/// Sends `letter` (a whole message with its head, lines ended by CR LF) from one address to others. `folder` is ours alone.
pub fn send(
    server: &Server,
    from: &str,
    to: &[String],
    letter: &str,
    folder: &Path,
    limit: Duration,
) -> Result<(), MailError> {
    let path = folder.join("letter.eml");
    let written = write(&path, letter).map_err(|error| MailError::Letter { path: path.clone(), error });
    let sent = written.and_then(|()| {
        let config = config(server, from, to, &path, limit);
        let args = ["--config".to_owned(), "-".to_owned()];
        program::run("curl", &args, config.as_bytes(), limit + Duration::from_secs(1)).map_err(|error| {
            match error {
                ProgramError::NotFound(_) => MailError::NoCurl,
                error => MailError::Failed { server: format!("{}:{}", server.host, server.port), error },
            }
        })
    });
    // What can't be removed is of this user alone, and is written over the next time.
    let _ = std::fs::remove_file(&path);
    sent
}

/// A file of this user alone.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn config(server: &Server, from: &str, to: &[String], letter: &Path, limit: Duration) -> String {
    let scheme = if server.security == Security::Tls { "smtps" } else { "smtp" };
    let mut config =
        String::from("silent\nshow-error\ngloboff\noutput = \"/dev/null\"\nproto = \"=smtp,smtps\"\n");
    if server.security != Security::Open {
        config += "ssl-reqd\n";
    }
    config += &format!("max-time = {}\n", limit.as_secs_f64());
    config += &format!("url = {}\n", quoted(&format!("{scheme}://{}:{}", server.host, server.port)));
    if let Some((user, password)) = &server.login {
        config += &format!("user = {}\n", quoted(&format!("{user}:{password}")));
    }
    config += &format!("mail-from = {}\n", quoted(from));
    for address in to {
        config += &format!("mail-rcpt = {}\n", quoted(address));
    }
    config + &format!("upload-file = {}\n", quoted(&letter.to_string_lossy()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    /// A server that takes one letter and gives what it was told; it refuses recipients that begin with `no`.
    pub(crate) fn serve() -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut heard = String::new();
            let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
            say("220 test ESMTP");
            let (mut letter, mut login) = (false, false);
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 {
                    return heard;
                }
                heard.push_str(&line);
                let word = line.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
                if letter {
                    if line == ".\r\n" {
                        letter = false;
                        say("250 taken");
                    }
                    continue;
                }
                if std::mem::take(&mut login) {
                    say("235 welcome");
                    continue;
                }
                match word.as_str() {
                    "EHLO" => say("250-test\r\n250 AUTH PLAIN"),
                    "AUTH" => {
                        login = true;
                        say("334 ");
                    }
                    "RCPT" if line.contains("<no") => say("550 nobody of that name"),
                    "DATA" => {
                        letter = true;
                        say("354 go on");
                    }
                    "QUIT" => {
                        say("221 bye");
                        return heard;
                    }
                    _ => say("250 ok"),
                }
            }
        });
        (port, heard)
    }

    fn server(port: u16) -> Server {
        let login = Some(("ada".to_owned(), "s3\"cret\\".to_owned()));
        Server { host: "127.0.0.1".to_owned(), port, security: Security::Open, login }
    }

    /// Only ends a hang.
    const LIMIT: Duration = Duration::from_secs(300);

    #[test]
    fn a_letter_arrives_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (port, heard) = serve();
        let to = ["bob@example.org".to_owned(), "eve@example.org".to_owned()];
        let letter = "Subject: x\r\n\r\nfirst\r\n.dot\r\nlast\r\n";
        send(&server(port), "ada@example.org", &to, letter, folder.path(), LIMIT).unwrap();
        let heard = heard.join().unwrap();
        assert!(heard.contains("MAIL FROM:<ada@example.org>"), "{heard}");
        assert!(
            heard.contains("RCPT TO:<bob@example.org>") && heard.contains("RCPT TO:<eve@example.org>"),
            "{heard}"
        );
        assert!(heard.contains("first\r\n..dot\r\nlast\r\n.\r\n"), "{heard}");
        use base64::Engine as _;
        let login = base64::engine::general_purpose::STANDARD.encode("\0ada\0s3\"cret\\");
        assert!(heard.contains(&login), "{heard}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_refusal_names_the_server_and_what_it_said_and_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let (port, _heard) = serve();
        let to = ["nobody@example.org".to_owned()];
        let error = send(&server(port), "a@b.c", &to, "x\r\n", folder.path(), LIMIT).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("550"), "{said}");
        assert!(!said.contains("s3"), "{said}");
        // Never in the clear where that was not asked for.
        let (port, heard) = serve();
        let wary = Server { security: Security::Starttls, ..server(port) };
        send(&wary, "a@b.c", &to, "x\r\n", folder.path(), LIMIT).unwrap_err();
        assert!(!heard.join().unwrap().contains("AUTH"));
    }
}
