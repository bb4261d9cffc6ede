//! A report on its way: to a command, a webhook, mailboxes. Each is tried, whatever comes of the others.

use crate::config::report::{EmailConfig, ReportConfig};
use crate::os::mail::{self, Server};
use crate::os::{post, program};
use crate::report::{Report, html, markdown};
use crate::values::time::Time;
use crate::values::words::moment;
use crate::wire::client::Delivery;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// How long one place may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the password may take: somebody may have to unlock it.
const PASSWORD_LIMIT: Duration = Duration::from_secs(60);
/// Characters of a line of an encoded part.
const LINE: usize = 76;

/// A report in all its forms.
struct Letter {
    subject: String,
    text: String,
    page: String,
    json: String,
}

/// Sends a report to every place; `data` is the user's own folder, for files on their way.
pub(super) fn send(config: &ReportConfig, report: &Report, now: Time, data: &Path) -> Vec<Delivery> {
    let zone = TimeZone::system();
    let letter = Letter {
        subject: format!("nopeek: {}", markdown::headline(report)),
        text: markdown::render(report, &zone),
        page: html::render(report, &zone),
        json: serde_json::to_string(report).unwrap_or_default(),
    };
    let mut sent = Vec::new();
    if let Some(program) = config.command.first() {
        let failed = command(&config.command, &letter, data);
        sent.push(Delivery { to: format!("the command {program}"), failed: failed.err() });
    }
    if let Some(url) = &config.webhook {
        let host = post::host(url).unwrap_or_default();
        let failed = post::post(url, "application/json", &[], &letter.json, LIMIT).map_err(|error| {
            (error.to_string(), "see webhook in [report] of config.toml, and what its host says".to_owned())
        });
        sent.push(Delivery { to: format!("the webhook at {host}"), failed: failed.err() });
    }
    if let Some(email) = &config.email {
        let failed = by_mail(email, &letter, now, data);
        sent.push(Delivery { to: email.to.join(", "), failed: failed.err() });
    }
    sent
}

type Failed = (String, String);

fn command(words: &[String], letter: &Letter, data: &Path) -> Result<(), Failed> {
    let page = data.join("report.html");
    let remedy = || "see command in [report] of config.toml".to_owned();
    mail::write(&page, &letter.page)
        .map_err(|error| (format!("can't write {}: {error}", page.display()), "free some room".to_owned()))?;
    let env = [
        ("NOPEEK_REPORT_HTML".to_owned(), page.to_string_lossy().into_owned()),
        ("NOPEEK_REPORT_SUBJECT".to_owned(), letter.subject.clone()),
    ];
    let done = words.split_first().map_or(Ok(()), |(program, args)| {
        program::run_with(program, args, &env, letter.text.as_bytes(), LIMIT)
    });
    let _ = std::fs::remove_file(&page);
    done.map_err(|error| (error.to_string(), remedy()))
}

fn by_mail(email: &EmailConfig, letter: &Letter, now: Time, data: &Path) -> Result<(), Failed> {
    let login = match &email.user {
        Some(user) => Some((user.clone(), password(&email.password)?)),
        None => None,
    };
    let server = Server { host: email.host.clone(), port: email.port, security: email.security, login };
    let text = message(email, letter, now);
    mail::send(&server, &email.from, &email.to, &text, data, LIMIT).map_err(|error| {
        (error.to_string(), "see [report.email] in config.toml: host, port, security, user".to_owned())
    })
}

/// What the user's program prints as the password.
fn password(words: &[String]) -> Result<String, Failed> {
    let Some((program, args)) = words.split_first() else { return Ok(String::new()) };
    let said = program::answer(program, args, PASSWORD_LIMIT).map_err(|error| {
        (format!("no password: {error}"), "see password_command in [report.email] of config.toml".to_owned())
    })?;
    match said.lines().next().filter(|line| !line.is_empty()) {
        Some(password) => Ok(password.to_owned()),
        None => Err((
            format!("{program} printed no password"),
            "password_command prints it in its first line".to_owned(),
        )),
    }
}

/// The whole message: the text to read at once, the page as a file beside it.
fn message(email: &EmailConfig, letter: &Letter, now: Time) -> String {
    let date = moment::mail(now);
    let border = format!("nopeek-{}-{}", now.0, std::process::id());
    let mut out = String::new();
    let subject = STANDARD.encode(letter.subject.chars().take(30).collect::<String>());
    let subject =
        if letter.subject.is_ascii() { letter.subject.clone() } else { format!("=?UTF-8?B?{subject}?=") };
    for line in [
        format!("From: nopeek <{}>", email.from),
        format!("To: {}", email.to.iter().map(|to| format!("<{to}>")).collect::<Vec<_>>().join(",\r\n ")),
        format!("Subject: {subject}"),
        format!("Date: {date}"),
        format!("Message-ID: <{border}@nopeek.invalid>"),
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        format!("Content-Type: multipart/mixed; boundary=\"{border}\""),
        String::new(),
    ] {
        let _ = write!(out, "{line}\r\n");
    }
    let parts = [
        ("text/plain; charset=utf-8", "inline", &letter.text),
        (
            "text/html; charset=utf-8; name=\"report.html\"",
            "attachment; filename=\"report.html\"",
            &letter.page,
        ),
    ];
    for (kind, place, text) in parts {
        let _ = write!(
            out,
            "--{border}\r\nContent-Type: {kind}\r\nContent-Disposition: {place}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        let encoded = STANDARD.encode(text);
        for from in (0..encoded.len()).step_by(LINE) {
            let _ = write!(out, "{}\r\n", &encoded[from..encoded.len().min(from + LINE)]);
        }
    }
    let _ = write!(out, "--{border}--\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::mail::Security;
    use crate::os::mail::tests::serve;
    use crate::report::{Scope, gather};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    fn report() -> Report {
        gather::report(&[], Scope::default(), Time(1_763_712_000_000))
    }

    fn sent(config: &ReportConfig, data: &Path) -> Vec<Delivery> {
        send(config, &report(), Time(1_763_712_000_000), data)
    }

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    /// A host that takes one POST with this answer, and gives what it was.
    fn hook(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        let received = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut received, mut some) = (String::new(), [0; 4096]);
            while !received.ends_with("]}}") {
                let n = stream.read(&mut some).unwrap();
                assert!(n > 0, "it hung up: {received}");
                received.push_str(&String::from_utf8_lossy(&some[..n]));
            }
            stream.write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
            received
        });
        (url, received)
    }

    #[test]
    fn every_place_gets_the_report_in_its_form() {
        let data = tempfile::tempdir().unwrap();
        let got = tempfile::tempdir().unwrap();
        let (url, posted) = hook("200 OK");
        let (port, mailed) = serve();
        let script = format!(
            "cat > {0}/text; cp \"$NOPEEK_REPORT_HTML\" {0}/page; echo \"$NOPEEK_REPORT_SUBJECT\" > {0}/subject",
            got.path().display()
        );
        let email = EmailConfig {
            host: "127.0.0.1".to_owned(),
            port,
            security: Security::Open,
            user: Some("ada".to_owned()),
            password: shell("echo hunter2; echo more"),
            from: "nopeek@example.org".to_owned(),
            to: vec!["ada@example.org".to_owned(), "bob@example.org".to_owned()],
        };
        let config = ReportConfig { command: shell(&script), webhook: Some(url), email: Some(email) };
        let sent = sent(&config, data.path());
        assert!(sent.len() == 3 && sent.iter().all(|sent| sent.failed.is_none()), "{sent:?}");
        let read = |name: &str| std::fs::read_to_string(got.path().join(name)).unwrap();
        assert!(read("text").starts_with("# nopeek report\n"));
        assert!(read("page").starts_with("<!DOCTYPE html>"));
        assert_eq!(read("subject"), "nopeek: 0 of 0 tasks landed\n");
        let posted = posted.join().unwrap();
        let body = posted.split("\r\n\r\n").nth(1).unwrap();
        assert_eq!(serde_json::from_str::<Report>(body).unwrap(), report());
        letter(&mailed.join().unwrap());
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left behind");
    }

    fn letter(received: &str) {
        assert!(received.contains(&STANDARD.encode("\0ada\0hunter2")), "{received}");
        assert!(received.contains("RCPT TO:<bob@example.org>"), "{received}");
        assert!(received.contains("\r\nSubject: nopeek: 0 of 0 tasks landed\r\n"), "{received}");
        assert!(received.contains("\r\nDate: Fri, 21 Nov 2025 08:00:00 +0000\r\n"), "{received}");
        let parts: Vec<String> = received
            .split("Content-Transfer-Encoding: base64\r\n\r\n")
            .skip(1)
            .map(|part| part[..part.find("\r\n--").unwrap()].replace("\r\n", ""))
            .map(|part| String::from_utf8(STANDARD.decode(part).unwrap()).unwrap())
            .collect();
        assert!(parts[0].starts_with("# nopeek report") && parts[1].ends_with("</html>\n"));
        assert!(received.lines().all(|line| line.len() <= 200), "a server may refuse longer lines");
    }

    #[test]
    fn a_place_that_fails_is_told_and_holds_up_no_other() {
        let data = tempfile::tempdir().unwrap();
        let (url, _posted) = hook("500 Broken");
        let config = ReportConfig {
            command: shell("echo no room for it >&2; exit 3"),
            webhook: Some(url),
            email: Some(EmailConfig {
                host: "127.0.0.1".to_owned(),
                port: 9,
                security: Security::Open,
                user: Some("ada".to_owned()),
                password: shell("exit 0"),
                from: "a@b.c".to_owned(),
                to: vec!["d@e.f".to_owned()],
            }),
        };
        let sent = sent(&config, data.path());
        let why: Vec<&str> = sent.iter().map(|sent| sent.failed.as_ref().unwrap().0.as_str()).collect();
        assert!(why[0].contains("code 3") && why[0].contains("no room for it"), "{why:?}");
        assert!(why[1].contains("500") && !why[1].contains("secret"), "{why:?}");
        assert_eq!(why[2], "sh printed no password");
        assert!(sent.iter().all(|sent| !sent.failed.as_ref().unwrap().1.is_empty()), "each says what to do");
    }
}
