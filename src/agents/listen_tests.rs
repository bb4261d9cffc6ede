//! Streams and signals in, observations out.

use super::*;
use crate::agents::builtin;
use crate::core::model::price::{Price, Prices};
use Source::{SideChannel, StatusProtocol, Title as FromTitle};

fn listener(profile: &str) -> Listener {
    Listener::new(&builtin()[profile], Prices::default())
}

/// A model that costs $4 a million tokens read, $0.20 from a cache, $20 written.
fn prices() -> Prices {
    let price = Price { read: 4_000_000, cached: 200_000, written: 20_000_000 };
    Prices::new([("opus".to_owned(), price)].into())
}

/// The last that is told of use.
fn told(listener: &mut Listener, stream: &str) -> Usage {
    let all = listener.output(stream.as_bytes());
    all.iter()
        .rev()
        .find_map(|one| match one {
            Observation::Usage(usage) => Some(*usage),
            Observation::State { .. } | Observation::Bell | Observation::Session(_) => None,
        })
        .unwrap()
}

fn state(source: Source, state: AgentState) -> Observation {
    Observation::State { source, state }
}

fn usage(tokens_in: u64, tokens_out: u64, cost: Option<u64>) -> Observation {
    Observation::Usage(Usage {
        tokens_in: Some(tokens_in),
        tokens_out: Some(tokens_out),
        cost_microusd: cost,
        ..Usage::default()
    })
}

fn cached(cached: u64, usage: Observation) -> Observation {
    match usage {
        Observation::Usage(usage) => Observation::Usage(Usage { tokens_cached: Some(cached), ..usage }),
        other @ (Observation::State { .. } | Observation::Bell | Observation::Session(_)) => other,
    }
}

fn session(id: &str) -> Observation {
    Observation::Session(id.to_owned())
}

/// The same wherever the stream is split.
fn check(profile: &str, stream: &str, want: &[Observation]) {
    for size in [1, 7, 4096] {
        let mut listener = listener(profile);
        let got: Vec<_> = stream.as_bytes().chunks(size).flat_map(|part| listener.output(part)).collect();
        assert_eq!(got, want, "{profile} in pieces of {size}");
    }
}

fn asking(kind: QuestionKind, text: &str) -> AgentState {
    AgentState::Asking(AgentQuestion { kind, text: text.into() })
}

#[test]
fn claude_counts_a_message_once() {
    let line = r#"{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":2}}}"#;
    let stream = format!(
        "\x1b[?25h{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s-1\"}}\r\n{line}\r\n{line}\r\nno json {{\r\n{}\r\n",
        r#"{"type":"result","subtype":"success","is_error":false,"session_id":"s-1","total_cost_usd":0.0125,"usage":{"input_tokens":30,"cache_creation_input_tokens":1,"output_tokens":9}}"#
    );
    check(
        "claude",
        &stream,
        &[
            session("s-1"),
            state(SideChannel, AgentState::Working),
            cached(5, usage(15, 2, None)),
            cached(5, usage(15, 2, None)),
            session("s-1"),
            usage(31, 9, Some(12_500)),
            state(SideChannel, AgentState::Done),
        ],
    );
}

#[test]
fn codex_tells_the_threads_total() {
    check(
        "codex",
        concat!(
            r#"{"type":"thread.started","thread_id":"019a"}"#,
            "\n",
            r#"{"type":"turn.started"}"#,
            "\n",
            r#"{"type":"error","message":"Reconnecting"}"#,
            "\n",
            r#"{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":60,"output_tokens":7}}"#,
            "\n"
        ),
        &[
            session("019a"),
            state(SideChannel, AgentState::Working),
            cached(60, usage(100, 7, None)),
            state(SideChannel, AgentState::Done),
        ],
    );
    check(
        "codex",
        "{\"type\":\"turn.failed\",\"error\":{\"message\":\"401\"}}\n",
        &[state(SideChannel, AgentState::Failed("401".into()))],
    );
}

#[test]
fn opencode_and_pi_are_added_up() {
    let step = |id: &str, reason: &str| {
        format!(
            "{{\"type\":\"step_finish\",\"part\":{{\"id\":\"{id}\",\"reason\":\"{reason}\",\"cost\":0.001,\"tokens\":{{\"input\":10,\"output\":3,\"reasoning\":1,\"cache\":{{\"read\":5,\"write\":0}}}}}}}}\n"
        )
    };
    check(
        "opencode",
        &format!(
            "{{\"type\":\"step_start\",\"sessionID\":\"ses_1\"}}\n{}{}",
            step("a", "tool-calls"),
            step("b", "stop")
        ),
        &[
            session("ses_1"),
            state(SideChannel, AgentState::Working),
            cached(5, usage(15, 4, Some(1_000))),
            cached(10, usage(30, 8, Some(2_000))),
            state(SideChannel, AgentState::Done),
        ],
    );
    let message = "{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"usage\":{\"input\":4,\"output\":1,\"cacheRead\":6,\"cost\":{\"total\":0.5}},\"stopReason\":\"error\",\"errorMessage\":\"no key\"}}\n";
    check(
        "pi",
        &format!("{{\"type\":\"agent_start\"}}\n{message}{{\"type\":\"agent_end\"}}\n"),
        &[
            state(SideChannel, AgentState::Working),
            cached(6, usage(10, 1, Some(500_000))),
            state(SideChannel, AgentState::Failed("no key".into())),
        ],
    );
}

#[test]
fn gemini_qwen_and_aider() {
    check(
        "gemini",
        "{\"type\":\"init\",\"session_id\":\"g\"}\n{\"type\":\"result\",\"status\":\"error\",\"error\":{\"message\":\"bad\"},\"stats\":{\"input_tokens\":8,\"cached\":3,\"output_tokens\":2}}\n",
        &[
            session("g"),
            state(SideChannel, AgentState::Working),
            cached(3, usage(8, 2, None)),
            state(SideChannel, AgentState::Failed("bad".into())),
        ],
    );
    check(
        "qwen",
        "{\"type\":\"result\",\"is_error\":false,\"session_id\":\"q\",\"usage\":{\"input_tokens\":8,\"cache_read_input_tokens\":3,\"output_tokens\":2}}\n",
        &[session("q"), cached(3, usage(8, 2, None)), state(SideChannel, AgentState::Done)],
    );
    check(
        "aider",
        "Tokens: 2.5k sent, 34 received. Cost: $0.01 message, $0.02 session.\r\nTokens: 1k sent, 6 received.\n",
        &[usage(2_500, 34, Some(10_000)), usage(3_500, 40, Some(10_000))],
    );
}

#[test]
fn an_id_that_would_be_an_option_is_none() {
    check("codex", "{\"type\":\"thread.started\",\"thread_id\":\"--yolo\"}\n", &[]);
    check("codex", "{\"type\":\"thread.started\",\"thread_id\":\"a b\"}\n", &[]);
}

#[test]
fn a_line_without_end_is_bounded() {
    let mut listener = listener("codex");
    for _ in 0..40 {
        listener.output(&[b'{'; 64 * 1024]);
    }
    assert!(listener.line.capacity() <= LINE_MAX);
    assert_eq!(
        listener.output(b"\n{\"type\":\"turn.started\"}\n"),
        [state(SideChannel, AgentState::Working)]
    );
}

#[test]
fn the_status_protocol_is_believed_over_titles() {
    let mut listener = listener("codex-tui");
    let status = |state: AgentState| Signal::Status { app: "codex".into(), state: Some(state) };
    assert_eq!(
        listener.signal(&Signal::Title("⠋ x | dir".into())),
        [state(FromTitle, AgentState::Working)],
        "nothing better has spoken"
    );
    assert_eq!(listener.signal(&status(AgentState::Working)), []);
    assert_eq!(listener.signal(&Signal::Title("x | dir".into())), []);
    let ask = asking(QuestionKind::Permission, "ls");
    assert_eq!(listener.signal(&status(ask.clone())), [state(StatusProtocol, ask)]);
    assert_eq!(listener.signal(&Signal::Status { app: String::new(), state: None }), []);
    assert_eq!(listener.signal(&status(AgentState::Done)), [state(StatusProtocol, AgentState::Done)]);
    assert_eq!(listener.signal(&Signal::Bell), [Observation::Bell]);
}

#[test]
fn dialogs_before_the_first_work_are_the_clis_own() {
    let blocked = |kind| Signal::Status { app: String::new(), state: Some(asking(kind, "trust?")) };
    let mut claude = listener("claude-tui");
    assert_eq!(
        claude.signal(&blocked(QuestionKind::Permission)),
        [state(StatusProtocol, asking(QuestionKind::StartUp, "trust?"))]
    );
    assert_eq!(
        claude.signal(&blocked(QuestionKind::Auth)),
        [state(StatusProtocol, asking(QuestionKind::Auth, "trust?"))]
    );
    let mut scripted = listener("scripted-tui");
    assert_eq!(
        scripted.signal(&blocked(QuestionKind::Question)),
        [state(StatusProtocol, asking(QuestionKind::Question, "trust?"))],
        "any program may begin with a question"
    );
}

#[test]
fn titles_say_the_state() {
    for (profile, titles, want) in [
        (
            "gemini-tui",
            ["◇  Ready (d)", "✦  Working… (d)", "✋  Action Required (d)", "◇  Ready (d)"],
            QuestionKind::Permission,
        ),
        ("qwen-tui", ["Qwen - d", "◐︎ Qwen - d", "✳︎ Qwen - d", "Qwen - d"], QuestionKind::Permission),
    ] {
        let mut listener = listener(profile);
        let got: Vec<_> =
            titles.iter().flat_map(|title| listener.signal(&Signal::Title((*title).into()))).collect();
        let states = [AgentState::Idle, AgentState::Working, asking(want, ""), AgentState::Done];
        assert_eq!(got, states.map(|one| state(FromTitle, one)), "{profile}");
    }
}

#[test]
fn a_spin_at_the_start_is_no_work() {
    let mut codex = listener("codex-tui");
    let got: Vec<_> = ["⠹ n | d", "n | d", "[ ! ] Action Required | n | d"]
        .iter()
        .flat_map(|title| codex.signal(&Signal::Title((*title).into())))
        .collect();
    let states = [AgentState::Working, AgentState::Idle, asking(QuestionKind::StartUp, "")];
    assert_eq!(got, states.map(|one| state(FromTitle, one)));
}

#[test]
fn use_told_in_the_terminal_is_believed_of_a_program_without_records() {
    let usage = Usage { tokens_in: Some(5), cost_microusd: Some(7), ..Usage::default() };
    assert_eq!(listener("scripted").signal(&Signal::Usage(usage)), [Observation::Usage(usage)]);
    for known in ["claude", "codex-tui", "aider"] {
        assert_eq!(listener(known).signal(&Signal::Usage(usage)), [], "{known}");
    }
}

#[test]
fn what_an_agent_does_not_tell_costs_what_the_prices_say() {
    let new = |profile: &str| Listener::new(&builtin()[profile], prices());
    let total = |read: u64, hit: u64, written: u64, cost: Option<u64>| Usage {
        tokens_in: Some(read),
        tokens_cached: Some(hit),
        tokens_out: Some(written),
        cost_microusd: cost,
        by_prices: cost.is_some(),
    };
    // Claude Code, as it was recorded: at its end it tells the cost itself.
    let claude = &mut new("claude");
    let message = |id: &str, usage: &str| {
        format!(
            "{{\"type\":\"assistant\",\"message\":{{\"id\":\"{id}\",\"model\":\"claude/opus[1m]\",\"usage\":{{{usage}}}}}}}\n"
        )
    };
    let first = message("a", r#""input_tokens":12561,"cache_read_input_tokens":0,"output_tokens":27"#);
    assert_eq!(told(claude, &format!("{first}{first}")), total(12_561, 0, 27, Some(50_784)));
    let second = message("b", r#""input_tokens":2906,"cache_read_input_tokens":10375,"output_tokens":1"#);
    assert_eq!(told(claude, &second), total(25_842, 10_375, 28, Some(64_503)));
    let end = concat!(
        r#"{"type":"result","subtype":"success","is_error":false,"session_id":"s","total_cost_usd":0.064503,"usage":"#,
        r#"{"input_tokens":15467,"cache_creation_input_tokens":0,"cache_read_input_tokens":10375,"output_tokens":28}}"#,
        "\n"
    );
    let own = Usage { by_prices: false, ..total(25_842, 10_375, 28, Some(64_503)) };
    assert_eq!(told(claude, end), own);
    assert_eq!(told(claude, &end.replace("0.064503", "0")), Usage { by_prices: true, ..own });
    let other = message("c", r#""input_tokens":1,"output_tokens":1"#).replace("opus", "teapot");
    assert_eq!(told(claude, &other).cost_microusd, None, "a part of it is unknown, so the sum is");

    // Codex does not name its model: the profile may.
    let turn = "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":29078,\"cached_input_tokens\":11704,\"output_tokens\":41}}\n";
    assert_eq!(told(&mut new("codex"), turn), total(29_078, 11_704, 41, None));
    let mut profile = builtin()["codex"].clone();
    profile.model = Some("opus".to_owned());
    let codex = &mut Listener::new(&profile, prices());
    assert_eq!(told(codex, turn), total(29_078, 11_704, 41, Some(72_657)));

    let result =
        "{\"type\":\"result\",\"stats\":{\"input_tokens\":1000,\"cached\":500,\"output_tokens\":100}}\n";
    let init = "{\"type\":\"init\",\"session_id\":\"g\",\"model\":\"opus\"}\n";
    assert_eq!(told(&mut new("gemini"), &format!("{init}{result}")), total(1_000, 500, 100, Some(4_100)));
    let result = result.replace("stats", "usage").replace("cached", "cache_read_input_tokens");
    let init = init.replace("init\"", "system\",\"subtype\":\"init\"");
    assert_eq!(told(&mut new("qwen"), &format!("{init}{result}")), total(1_000, 500, 100, Some(4_100)));

    // aider, as it was recorded.
    let start = "Model: openai/opus with diff edit format\r\nTokens: 2.5k sent, 34 received.\r\n";
    let aider = told(&mut new("aider"), start);
    assert_eq!((aider.cost_microusd, aider.by_prices), (Some(10_680), true));
    let aider = told(&mut new("aider"), &start.replace("opus", "scripted-1"));
    assert_eq!((aider.cost_microusd, aider.tokens_in), (None, Some(2_500)));

    let mut plain =
        Listener::new(&Profile { model: Some("opus".to_owned()), ..builtin()["scripted"].clone() }, prices());
    let used = total(1_000, 500, 100, None);
    let told = plain.signal(&Signal::Usage(used));
    assert_eq!(told, [Observation::Usage(Usage { cost_microusd: Some(4_100), by_prices: true, ..used })]);
}

#[test]
fn a_cost_of_zero_of_a_cli_that_knows_no_price_is_unknown() {
    let pi = "{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"model\":\"scripted-1\",\"usage\":{\"input\":4,\"output\":1,\"cost\":{\"total\":0}}}}\n";
    assert_eq!(told(&mut listener("pi"), pi).cost_microusd, None);
    let priced = told(&mut Listener::new(&builtin()["pi"], prices()), &pi.replace("scripted-1", "opus"));
    assert_eq!((priced.cost_microusd, priced.by_prices), (Some(36), true));
    let opencode = "{\"type\":\"step_finish\",\"part\":{\"id\":\"a\",\"cost\":0,\"tokens\":{\"input\":10,\"output\":3}}}\n";
    assert_eq!(told(&mut listener("opencode"), opencode).cost_microusd, None);
}
