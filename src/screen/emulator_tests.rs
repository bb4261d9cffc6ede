//! Streams in; grid, signals and replies out. Split anywhere, the same.

use super::*;
use crate::core::model::agent::AgentState;
use crate::screen::changes::{Seen, changes};
use crate::wire::cells::{Color, Style};
use proptest::prelude::*;

fn fed(parts: &[&[u8]]) -> Emulator {
    let mut emulator = Emulator::new(6, 20);
    for part in parts {
        emulator.feed(part);
    }
    emulator
}

fn replies(text: &str) -> String {
    String::from_utf8(fed(&[text.as_bytes()]).take_replies()).unwrap()
}

#[test]
fn replies_are_ours_and_in_order() {
    for (asked, want) in [
        ("\x1b]7501;?\x1b\\\x1b[c", format!("{}\x1b[?6c", status::STATUS_ANSWER)),
        ("\x1b]7501;?\x07\x1b[c", format!("{}\x1b[?6c", status::STATUS_ANSWER)),
        ("\x1b[>q\x1b[c", format!("\x1bP>|nopeek {}\x1b\\\x1b[?6c", env!("CARGO_PKG_VERSION"))),
        ("\x1b[>0q", format!("\x1bP>|nopeek {}\x1b\\", env!("CARGO_PKG_VERSION"))),
        ("\x1b]11;?\x07", "\x1b]11;rgb:1818/1818/1818\x07".to_owned()),
        ("\x1b]10;?\x1b\\", "\x1b]10;rgb:d8d8/d8d8/d8d8\x1b\\".to_owned()),
        ("\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/3131/3131\x07".to_owned()),
        ("\x1b]4;1;#102030\x07\x1b]4;1;?\x07", "\x1b]4;1;rgb:1010/2020/3030\x07".to_owned()),
        ("\x1b[?2026$p\x1b[?2004h\x1b[?2004$p", "\x1b[?2026;2$y\x1b[?2004;1$y".to_owned()),
        ("\x1b[>5u\x1b[?u", "\x1b[?5u".to_owned()),
        ("\x1b[6n\x1b[18t", "\x1b[1;1R\x1b[8;6;20t".to_owned()),
    ] {
        assert_eq!(replies(asked), want, "{asked:?}");
    }
}

/// The payloads of the known attacks by reply: nothing that the program sent may come back.
#[test]
fn nothing_asked_is_echoed() {
    for attack in [
        "\x1b]0;evil\x07\x1b[21t",
        "\x1b]2;evil\x07\x1b[20t",
        "\x1bP$qevil\x1b\\",
        "\x1bP+q6576696c\x1b\\",
        "\x1b]52;c;ZXZpbA==\x07\x1b]52;c;?\x07",
        "\x1b]50;evil\x07\x1b]50;?\x07",
        "\x1b]l evil\x07",
        "\x1b_Gi=31,s=1;evil\x1b\\",
        "\x1bP1000p\x1b\\",
        "\x1b]7501;?evil\x07",
        "\u{9d}0;evil\u{9c}\u{9b}c",
    ] {
        assert_eq!(replies(attack), "", "{attack:?}");
    }
}

#[test]
fn strings_are_swallowed_whole_and_bounded() {
    let long = format!("\x1b]0;{}\x07", "x".repeat(1_000_000));
    for swallowed in [
        "\x1bPq#0;2;0;0;0~~\x1b\\",
        "\x1b_Gf=24;AAAA\x1b\\",
        "\x1bXtext\x1b\\",
        "\x1b^text\x1b\\",
        "\x1b]7777;x\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bPa本\x1b\\",
        long.as_str(),
    ] {
        let text = format!("\x1b[31ma{swallowed}b");
        let mut emulator = fed(&[text.as_bytes()]);
        assert_eq!(emulator.rows_text()[0], "ab", "{swallowed:.20}");
        assert_eq!(emulator.take_signals(), [], "{swallowed:.20}");
    }
    // A string ends an unfinished sequence, as it does in the parser.
    assert_eq!(fed(&[b"\x1b[3\x1b]0;t\x07", b"1mx"]).rows_text()[0], "1mx");
}

#[test]
fn signals_of_a_real_looking_stream() {
    let mut emulator = fed(&[
        b"\x07\x1b]0;a\x07\x1b]0;b\x07\x1b]7501;state=working:app=x\x1b\\",
        b"\x1b]9;hi\x07\x1b]9;4;1\x07\x07\x07",
    ]);
    let status = Signal::Status { app: "x".into(), state: Some(AgentState::Working) };
    assert_eq!(
        emulator.take_signals(),
        [
            Signal::Bell,
            Signal::Title("b".into()),
            status,
            Signal::Notification("hi".into()),
            Signal::Progress(true),
            Signal::Bell
        ]
    );
    assert_eq!(emulator.take_signals(), []);
}

#[test]
fn a_character_in_parts_takes_nothing_with_it() {
    let mut emulator =
        fed(&[b"e\xcc", b"\x81\x07\xf0\x9f", b"\x91", b"\x8d|\xe6", b"\x1b]0;t\x07", b"\xf0\x9f", b"\x07x"]);
    assert_eq!(emulator.rows_text()[0], "e\u{301}👍|\u{fffd}\u{fffd}x");
    assert_eq!(emulator.take_signals(), [Signal::Bell, Signal::Title("t".into()), Signal::Bell]);
}

#[test]
fn marks_on_one_cell_are_bounded() {
    let text = format!("a{}b", "\u{301}\x1b[C\x1b[D".repeat(500));
    let emulator = fed(&[text.as_bytes()]);
    assert!(emulator.rows_text()[0].chars().count() <= 2 + super::super::bounded::MARKS_MAX);
}

#[test]
fn a_synchronised_update_is_held_back_and_can_be_ended() {
    let mut emulator = fed(&[b"\x1b[?2026hhidden"]);
    assert_eq!(emulator.rows_text()[0], "");
    assert!(emulator.sync_pending());
    emulator.feed(b"\x1b[?2026l");
    assert_eq!(emulator.rows_text()[0], "hidden");
    emulator.feed(b"\r\n\x1b[?2026hlate");
    emulator.end_sync();
    assert_eq!(emulator.rows_text()[1], "late");
    emulator.feed(b"\r\n\x1b[?2026hlooked at");
    let mut seen = Seen::default();
    for _ in 0..=SYNC_LOOKS {
        changes(&mut emulator, &mut seen, 6, 20, 0);
    }
    assert_eq!(emulator.rows_text()[2], "looked at");
}

#[test]
fn sizes_are_bounded() {
    let mut emulator = Emulator::new(0, 0);
    assert_eq!((emulator.rows(), emulator.cols()), (1, 2));
    emulator.resize(u16::MAX, u16::MAX);
    assert_eq!((emulator.rows(), emulator.cols()), (SIDE_MAX, SIDE_MAX));
    emulator.feed(b"\x1b[14t\x1b[18t");
    assert!(!emulator.take_replies().is_empty());
}

#[test]
fn changes_are_only_what_changed() {
    let mut emulator = fed(&[b"one\r\ntwo\r\n\x1b[1;31mred\x1b[0m"]);
    let mut seen = Seen::default();
    let first = changes(&mut emulator, &mut seen, 6, 20, 0).unwrap();
    assert!(first.full);
    assert_eq!(first.changed.len(), 6);
    assert_eq!(
        first.changed[2].1.runs[0].style,
        Style { fg: Color::Indexed(1), bg: Color::Default, attrs: Style::BOLD }
    );
    assert_eq!(changes(&mut emulator, &mut seen, 6, 20, 0), None);
    emulator.feed(b"!");
    let second = changes(&mut emulator, &mut seen, 6, 20, 0).unwrap();
    assert!(!second.full);
    let rows: Vec<_> = second.changed.iter().map(|(n, row)| (*n, row.text())).collect();
    assert_eq!(rows, [(2, "red!".to_owned())]);
    emulator.feed(b"\x1b[1;1H");
    let moved = changes(&mut emulator, &mut seen, 6, 20, 0).unwrap();
    assert_eq!((moved.changed.len(), moved.cursor.unwrap().row), (0, 0));
    assert!(changes(&mut emulator, &mut seen, 6, 10, 0).unwrap().full, "another size");
}

#[test]
fn a_scrolled_view_shows_the_history() {
    let mut emulator = Emulator::new(3, 10);
    emulator.feed(b"a\r\nb\r\nc\r\nd\r\ne");
    let mut seen = Seen::default();
    let rows = |changes: Changes| changes.changed.iter().map(|(_, row)| row.text()).collect::<Vec<_>>();
    let view = changes(&mut emulator, &mut seen, 3, 10, 2).unwrap();
    assert_eq!((view.history, view.scrolled, view.cursor), (2, 2, None));
    assert_eq!(rows(view), ["a", "b", "c"]);
    emulator.feed(b"\r\nf");
    assert_eq!(rows(changes(&mut emulator, &mut seen, 3, 10, 2).unwrap()), ["b", "c", "d"]);
    assert_eq!(rows(changes(&mut emulator, &mut seen, 3, 10, 0).unwrap()), ["d", "e", "f"]);
    use crate::wire::cells::Changes;
}

#[test]
fn wide_characters_and_marks_in_rows() {
    let mut emulator = Emulator::new(2, 6);
    emulator.feed("日e\u{301}x".as_bytes());
    let view = changes(&mut emulator, &mut Seen::default(), 2, 6, 0).unwrap();
    let runs: Vec<_> = view.changed[0].1.runs.iter().map(|run| (run.wide, run.text.as_str())).collect();
    assert_eq!(runs, [(true, "日"), (false, "e\u{301}x")]);
    let cut = changes(&mut emulator, &mut Seen::default(), 2, 1, 0).unwrap();
    assert_eq!(cut.changed[0].1.text(), "", "half of a wide character is a blank");
}

/// Pieces of which streams are made: text of all widths, sequences whole and broken, strings of all kinds.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{1,12}",
        "[\u{300}\u{301}é日語👍🏽◐]{1,4}",
        Just("\x1b".to_owned()),
        Just("\x1b[".to_owned()),
        Just("\x1b]".to_owned()),
        "\x1b\\[[0-9;]{0,5}[A-HJKmrsux@PXLMSTq]",
        "\x1b\\[>[0-9]{0,2}[qum]",
        "\x1b\\[\\?(7|25|1049|2004|1000|1006)[hl]",
        "\x1b[\\]PX^_][0-9a-z;]{0,9}(\x07|\x1b\\\\|\x18)?",
        "\x1b\\](0|2|9|10|11|777|7501|99);[a-z?=;:]{0,12}(\x07|\x1b\\\\)",
        "\x1b\\]7501;state=(idle|working|done|clear)(\x07|\x1b\\\\)",
        "[\r\n\t\x07\x08\x0e\x0f\x18\x1a]{1,3}",
        Just(format!("\x1b]2;{}\x07", "y".repeat(5000))),
        "\x1b[()][0B]",
        Just("\x1bc".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn split_anywhere_it_is_the_same(
        pieces in prop::collection::vec(piece(), 1..24),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = pieces.concat().into_bytes();
        let mut whole = fed(&[&bytes]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        at.sort_unstable();
        let mut split = Emulator::new(6, 20);
        let mut from = 0;
        for end in at.into_iter().chain([bytes.len()]) {
            split.feed(&bytes[from..end]);
            from = end;
        }
        let mut bytewise = Emulator::new(6, 20);
        bytes.iter().for_each(|byte| bytewise.feed(&[*byte]));
        let (signals, replies) = (whole.take_signals(), whole.take_replies());
        for other in [&mut split, &mut bytewise] {
            prop_assert_eq!(&other.take_signals(), &signals);
            prop_assert_eq!(&other.take_replies(), &replies);
            prop_assert_eq!(other.rows_text(), whole.rows_text());
            prop_assert_eq!(other.modes(), whole.modes());
            let view = |emulator: &mut Emulator| changes(emulator, &mut Seen::default(), 6, 20, 0);
            prop_assert_eq!(view(other), view(&mut whole));
        }
    }

    /// With strings read by us, the grid is the one of the emulator alone; but that takes the byte 9C inside of a
    /// character of a DCS for its end, and we don't (the strategy has no such character).
    #[test]
    fn the_grid_is_the_emulators_own(pieces in prop::collection::vec(piece(), 1..24)) {
        let text = pieces.concat();
        let ours = fed(&[text.as_bytes()]);
        let size = Size::bounded(6, 20);
        let mut term = Term::new(Config::default(), &size, Outbox::default());
        Processor::<Pending>::new().advance(&mut term, text.as_bytes());
        let rows: Vec<String> = (0..6).map(|row| super::super::text::line(&term, Line(row))).collect();
        prop_assert_eq!(ours.rows_text(), rows);
    }

    /// A client that applies changes has what a client that looks afresh gets.
    #[test]
    fn changes_add_up(
        steps in prop::collection::vec((prop::collection::vec(piece(), 0..6), 0..3_u32, any::<bool>()), 1..8),
    ) {
        let mut emulator = Emulator::new(6, 20);
        let mut seen = Seen::default();
        let mut rows = Vec::new();
        for (pieces, scrolled, resize) in steps {
            emulator.feed(pieces.concat().as_bytes());
            if resize {
                emulator.resize(5, 17);
            }
            if let Some(delta) = changes(&mut emulator, &mut seen, 6, 20, scrolled) {
                if delta.full {
                    rows = vec![Default::default(); usize::from(delta.rows)];
                }
                for (n, row) in delta.changed {
                    rows[usize::from(n)] = row;
                }
            }
            let fresh = changes(&mut emulator, &mut Seen::default(), 6, 20, scrolled).unwrap();
            let fresh: Vec<_> = fresh.changed.into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(&rows, &fresh);
        }
    }

    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut emulator = fed(&[&bytes]);
        emulator.resize(3, 7);
        emulator.end_sync();
        changes(&mut emulator, &mut Seen::default(), 9, 9, 9);
    }
}
