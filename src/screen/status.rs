//! What the OSC strings of a stream mean: Program Status Protocol, titles, notifications, progress.
//!
//! A pure translation of one string; text from the program comes out as [`Shown`] or without control characters.

use crate::core::model::agent::{AgentQuestion, AgentState, QuestionKind, Signal, Usage};
use crate::values::text::Shown;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};

/// Our answer to `OSC 7501;?`: what we understand of the protocol.
pub(super) const STATUS_ANSWER: &str =
    "\x1b]7501;?:states=idle,working,done,blocked,error:kinds=permission,question,auth\x1b\\";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What is to be done about a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It says something of the program.
    Signal(Signal),
    /// It asks whether we speak the Program Status Protocol.
    AskStatus,
    /// It sets or asks a colour: the emulator's business.
    Color,
    /// Nothing that we know, or that we let an agent do.
    Nothing,
}

/// Reads the text of an OSC.
pub(super) fn read(text: &[u8]) -> Meaning {
    let (number, rest) = match text.iter().position(|b| *b == b';') {
        Some(n) => (&text[..n], &text[n + 1..]),
        None => (text, &[][..]),
    };
    match number {
        b"0" | b"2" => Meaning::Signal(Signal::Title(plain(rest))),
        b"4" | b"10" | b"11" | b"12" | b"104" | b"110" | b"111" | b"112" => Meaning::Color,
        b"9" => nine(rest),
        b"99" => kitty(rest),
        b"777" => urxvt(rest),
        b"7501" => program_status(rest),
        _ => Meaning::Nothing,
    }
}

fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect()
}

fn notification(text: &str) -> Meaning {
    Meaning::Signal(Signal::Notification(Shown::line(text.trim())))
}

/// OSC 9: a notification, but `9;4` is progress and other numbers are ConEmu's.
fn nine(rest: &[u8]) -> Meaning {
    let text = String::from_utf8_lossy(rest);
    let mut parts = text.split(';');
    match (parts.next(), parts.next()) {
        (Some("4"), Some(state @ ("0" | "1" | "2" | "3" | "4"))) => {
            Meaning::Signal(Signal::Progress(matches!(state, "1" | "3")))
        }
        (Some("4"), None) => Meaning::Signal(Signal::Progress(false)),
        (Some(number), _) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            Meaning::Nothing
        }
        _ => notification(&text),
    }
}

/// OSC 99: `metadata;payload`. Queries, and all parts but titles and bodies, say nothing.
fn kitty(rest: &[u8]) -> Meaning {
    let text = String::from_utf8_lossy(rest);
    let Some((metadata, payload)) = text.split_once(';') else { return Meaning::Nothing };
    let field = |name: &str| {
        metadata
            .split(':')
            .filter_map(|field| field.split_once('='))
            .find_map(|(k, v)| (k == name).then_some(v))
    };
    if payload.is_empty() || !matches!(field("p"), None | Some("title" | "body")) {
        return Meaning::Nothing;
    }
    if field("e") == Some("1") { notification(&decoded(payload)) } else { notification(payload) }
}

/// OSC 777: `notify;title;body`.
fn urxvt(rest: &[u8]) -> Meaning {
    let text = String::from_utf8_lossy(rest);
    match text.strip_prefix("notify;") {
        Some(text) => notification(&text.replacen(';', ": ", 1)),
        None => Meaning::Nothing,
    }
}

/// OSC 7501: `?`, or fields `name=value` parted by colons. A record without a state may tell what was used so far; that
/// is ours, and a terminal which does not know it takes a record without a state for nothing.
fn program_status(rest: &[u8]) -> Meaning {
    let text = String::from_utf8_lossy(rest);
    let text = text.trim();
    if text == "?" {
        return Meaning::AskStatus;
    }
    let (mut state, mut kind, mut app, mut message) = ("", "", String::new(), String::new());
    let mut used = Usage::default();
    for field in text.split(':') {
        match field.split_once('=') {
            Some(("state", value)) => state = value,
            Some(("kind", value)) => kind = value,
            Some(("app", value)) => app = plain(value.as_bytes()),
            Some(("msg", value)) => message = decoded(value),
            Some(("tokens_in", value)) => used.tokens_in = value.parse().ok(),
            Some(("tokens_out", value)) => used.tokens_out = value.parse().ok(),
            Some(("tokens_cached", value)) => used.tokens_cached = value.parse().ok(),
            Some(("cost_usd", value)) => used.cost_microusd = microusd(value),
            None if field == "clear" => state = "clear",
            _ => {}
        }
    }
    let state = match state {
        "idle" => Some(AgentState::Idle),
        "working" => Some(AgentState::Working),
        "done" => Some(AgentState::Done),
        "error" => Some(AgentState::Failed(Shown::line(&message))),
        "blocked" => {
            let kind = match kind {
                "permission" => QuestionKind::Permission,
                "auth" => QuestionKind::Auth,
                _ => QuestionKind::Question,
            };
            Some(AgentState::Asking(AgentQuestion { kind, text: Shown::line(&message) }))
        }
        "clear" => None,
        "" if used != Usage::default() => return Meaning::Signal(Signal::Usage(used)),
        // A state of a later revision says nothing to us.
        _ => return Meaning::Nothing,
    };
    Meaning::Signal(Signal::Status { app, state })
}

/// Dollars as millionths.
fn microusd(value: &str) -> Option<u64> {
    let dollars = value.parse::<f64>().ok().filter(|dollars| (0.0..1e9).contains(dollars))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    Some((dollars * 1e6).round() as u64)
}

/// Base64 text as text; what is no base64 is taken as it stands.
fn decoded(value: &str) -> String {
    match BASE64.decode(value.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> Option<AgentState> {
        match read(text.as_bytes()) {
            Meaning::Signal(Signal::Status { state, .. }) => state,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn program_status_records() {
        assert_eq!(state("7501;state=working:app=codex"), Some(AgentState::Working));
        assert_eq!(state("7501;state=clear"), None);
        assert_eq!(
            state("7501;state=blocked:app=claude-code:kind=question:msg=V2hpY2ggY29sb3VyPw=="),
            Some(AgentState::Asking(AgentQuestion {
                kind: QuestionKind::Question,
                text: "Which colour?".into()
            }))
        );
        assert_eq!(
            state("7501;state=blocked:kind=auth"),
            Some(AgentState::Asking(AgentQuestion { kind: QuestionKind::Auth, text: "".into() }))
        );
        assert_eq!(state("7501;state=error:msg=G1sybQ"), Some(AgentState::Failed("\x1b[2m".into())));
        assert_eq!(read(b"7501;?"), Meaning::AskStatus);
        assert_eq!(read(b"7501;? "), Meaning::AskStatus);
        assert_eq!(read(b"7501;state=sleeping"), Meaning::Nothing);
    }

    #[test]
    fn a_record_without_a_state_tells_what_was_used() {
        let used = |text: &str| match read(text.as_bytes()) {
            Meaning::Signal(Signal::Usage(usage)) => Some(usage),
            Meaning::Signal(_) | Meaning::AskStatus | Meaning::Color | Meaning::Nothing => None,
        };
        let all = Usage {
            tokens_in: Some(1_200),
            tokens_out: Some(34),
            tokens_cached: Some(200),
            cost_microusd: Some(12_500),
            by_prices: false,
        };
        let text = "7501;app=x:tokens_in=1200:tokens_out=34:tokens_cached=200:cost_usd=0.0125";
        assert_eq!(used(text), Some(all));
        let unpriced = Usage { tokens_in: Some(1), ..Usage::default() };
        for cost in ["", "-1", "NaN", "inf", "1e12", "?"] {
            assert_eq!(used(&format!("7501;tokens_in=1:cost_usd={cost}")), Some(unpriced), "{cost}");
        }
        assert_eq!(used("7501;tokens_in=-5:tokens_out=many"), None);
        assert_eq!(used("7501;state=working:tokens_in=5"), None);
    }

    #[test]
    fn titles_and_notifications() {
        assert_eq!(
            read("0;◇  Ready (x;y)".as_bytes()),
            Meaning::Signal(Signal::Title("◇  Ready (x;y)".into()))
        );
        assert_eq!(read(b"2;"), Meaning::Signal(Signal::Title(String::new())));
        assert_eq!(read(b"9;Approval requested: ls"), notification("Approval requested: ls"));
        assert_eq!(read(b"9;4;3"), Meaning::Signal(Signal::Progress(true)));
        assert_eq!(read(b"9;4;0"), Meaning::Signal(Signal::Progress(false)));
        assert_eq!(read(b"9;1;100"), Meaning::Nothing);
        assert_eq!(
            read(b"777;notify;Gemini CLI;Approval required"),
            notification("Gemini CLI: Approval required")
        );
        assert_eq!(read(b"99;i=1:d=0;Claude Code"), notification("Claude Code"));
        assert_eq!(read(b"99;i=x:p=?;"), Meaning::Nothing);
        assert_eq!(read(b"52;c;?"), Meaning::Nothing);
    }
}
