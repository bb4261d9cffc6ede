//! A message to an address of the web: one POST, by the `curl` that the machine has.
//!
//! Why curl and no crate: TLS brings a whole library of its own and its own idea of whom to trust; curl has the
//! machine's certificates and the user's proxy, and most machines have curl. Nothing of the message stands in a
//! command line, where others of the machine could read it: curl gets all of it on its standard input.

use super::program::{self, ProgramError};
use std::time::Duration;

/// Longest body.
pub const BODY_MAX: usize = 4 * 1024 * 1024;

/// Why nothing was posted. Names the address's host alone: the rest may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// No address that can be posted to.
    #[error("{0}")]
    Address(String),
    /// There is no curl.
    #[error("there is no program curl: install it, or use a command of your own")]
    NoCurl,
    /// The body is too long.
    #[error("the message for {host} is {size} bytes long, at most {BODY_MAX} are sent")]
    TooLong {
        host: String,
        /// How long it is.
        size: usize,
    },
    /// It was refused, or nobody listens.
    #[error("{host}: {error}")]
    Failed { host: String, error: ProgramError },
}

/// The scheme and host of an address, all of it that may be shown; or what is wrong with it.
pub fn host(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("an address begins with https:// or http://")?;
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("an address has no spaces and no control characters".to_owned());
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or("").rsplit('@').next().unwrap_or("");
    if host.is_empty() {
        return Err("an address names a host".to_owned());
    }
    Ok(format!("{}{host}", &url[..url.len() - rest.len()]))
}

/// Posts `body` to `url` with these headers beside its content type; waits at most `limit`. A redirect and any answer
/// of 400 and above count as refusals.
pub fn post(
    url: &str,
    content: &str,
    headers: &[(String, String)],
    body: &str,
    limit: Duration,
) -> Result<(), PostError> {
    let host = host(url).map_err(PostError::Address)?;
    if body.len() > BODY_MAX {
        return Err(PostError::TooLong { host, size: body.len() });
    }
    let config = config(url, content, headers, body, limit);
    // A little more, so that curl itself says that nobody answered.
    let args = ["--config".to_owned(), "-".to_owned()];
    program::run("curl", &args, config.as_bytes(), limit + Duration::from_secs(1)).map_err(
        |error| match error {
            ProgramError::NotFound(_) => PostError::NoCurl,
            error => PostError::Failed { host, error },
        },
    )
}

/// What curl reads: a line an option, values in quotes.
fn config(url: &str, content: &str, headers: &[(String, String)], body: &str, limit: Duration) -> String {
    let mut config =
        String::from("silent\nshow-error\nfail\ngloboff\noutput = \"/dev/null\"\nproto = \"=http,https\"\n");
    config += &format!("max-time = {}\n", limit.as_secs_f64());
    config += &format!("url = {}\n", quoted(url));
    config += &format!("header = {}\n", quoted(&format!("content-type: {content}")));
    // No question whether the body is welcome: it is a round trip, and some servers never answer it.
    config += "header = \"expect:\"\n";
    for (name, value) in headers {
        config += &format!("header = {}\n", quoted(&format!("{name}: {value}")));
    }
    config + &format!("data-raw = {}\n", quoted(body))
}

/// A text as curl's config files take it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Its reader would end there.
            '\0' => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Only ends a hang.
    const LIMIT: Duration = Duration::from_secs(300);

    /// Answers one request and gives what it was.
    fn serve(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?token=s3cret", listener.local_addr().unwrap());
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut heard, mut some) = (Vec::new(), [0; 4096]);
            loop {
                let n = stream.read(&mut some).unwrap();
                heard.extend_from_slice(&some[..n]);
                let text = String::from_utf8_lossy(&heard).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                    });
                    if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                        stream.write_all(answer.as_bytes()).unwrap();
                        return text;
                    }
                }
                assert!(n > 0, "it hung up: {text}");
            }
        });
        (url, heard)
    }

    #[test]
    fn a_body_arrives_as_it_was_and_an_address_is_not_told() {
        let (url, heard) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let body = "@/etc/passwd \"quoted\" \\n\n\u{e9}\t{[1-3]}";
        let own = [("x-own".to_owned(), "yes".to_owned())];
        post(&url, "text/plain", &own, body, LIMIT).unwrap();
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("POST /hook?token=s3cret HTTP/1.1\r\n"), "{heard}");
        assert!(heard.ends_with(&format!("\r\n\r\n{body}")), "{heard}");
        assert!(heard.contains("\r\nx-own: yes\r\n") && heard.contains("\r\ncontent-type: text/plain\r\n"));
        let (url, _heard) = serve("HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n");
        let error = post(&url, "text/plain", &[], "x", LIMIT).unwrap_err().to_string();
        assert!(error.contains("500") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(host("https://u:p@example.org:8/a?b").unwrap(), "https://example.org:8");
        for wrong in ["", "example.org", "file:///etc/passwd", "https://", "https://a b", "http://a\n-x"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
