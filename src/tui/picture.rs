//! Pictures of the program for README.md, drawn by the program: a buffer as SVG.
//!
//! `NOPEEK_UPDATE_DOCS=1 cargo test --lib pictures_in_the_readme` makes them anew; the test keeps them true.

use super::scenes::{Scene, board};
use crate::core::model::agent::{AgentQuestion, QuestionKind};
use crate::wire::client::FromDaemon;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// A cell, in tenths of a unit.
const CELL: (u32, u32) = (84, 180);
/// Around the whole, in units.
const MARGIN: u32 = 12;
const GROUND: &str = "#12161c";
const INK: &str = "#d5dae2";

fn hex(color: Color, otherwise: &str) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(2) => "#8fd694".to_owned(),
        _ => otherwise.to_owned(),
    }
}

/// Tenths as people write them.
fn tenths(n: u32) -> String {
    format!("{}.{}", n / 10, n % 10)
}

fn same(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

/// A buffer as an SVG document.
fn svg(buf: &Buffer) -> String {
    let (cols, rows) = (u32::from(buf.area.width), u32::from(buf.area.height));
    let (wide, high) = (cols * CELL.0 / 10 + 2 * MARGIN, rows * CELL.1 / 10 + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace\" font-size=\"14\" \
         xml:space=\"preserve\" transform=\"translate({MARGIN} {MARGIN})\">\n"
    );
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            let first = &buf[(x, y)];
            let mut text = String::new();
            let mut end = x;
            while end < buf.area.width && same(first, &buf[(end, y)]) {
                let symbol = buf[(end, y)].symbol();
                text.push_str(symbol);
                end += u16::try_from(symbol.width().max(1)).unwrap();
            }
            run(&mut out, first, &text, (x, end.min(buf.area.width), y));
            x = end;
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Neighbouring cells of one look.
fn run(out: &mut String, cell: &Cell, text: &str, (x, end, y): (u16, u16, u16)) {
    let (left, top) = (u32::from(x) * CELL.0, u32::from(y) * CELL.1);
    let wide = u32::from(end - x) * CELL.0;
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    let (mut fg, mut bg) = (hex(cell.fg, INK), hex(cell.bg, GROUND));
    if reversed {
        std::mem::swap(&mut fg, &mut bg);
    }
    if bg != GROUND {
        let (left, top, wide, high) = (tenths(left), tenths(top), tenths(wide), tenths(CELL.1));
        writeln!(out, "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" fill=\"{bg}\"/>")
            .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let bold = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let text = maud::html! { (text) }.into_string();
    let (left, base, wide) = (tenths(left), tenths(top + 138), tenths(wide));
    writeln!(out, "<text x=\"{left}\" y=\"{base}\" textLength=\"{wide}\" fill=\"{fg}\"{bold}>{text}</text>")
        .unwrap();
}

/// What is done before a picture is taken.
type Play = fn(&mut Scene);

#[test]
fn pictures_in_the_readme_are_what_the_program_draws() {
    let scenes: [(&str, Play); 3] = [
        ("board", |_| {}),
        ("review", |scene| {
            scene.on(2).press(&["d"]);
        }),
        ("panes", |scene| {
            scene.on(5).press(&["2"]);
        }),
    ];
    for (name, play) in scenes {
        let mut scene = Scene::new((110, 30));
        let mut board = board();
        let calm = AgentQuestion { kind: QuestionKind::Question, text: "Which colour, red or blue?".into() };
        board.tasks[0].question = Some(calm);
        scene.hear(FromDaemon::Board(Box::new(board)));
        play(&mut scene);
        let drawn = svg(&scene.draw().0);
        let file = format!("{}/assets/screens/{name}.svg", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("NOPEEK_UPDATE_DOCS").is_some() {
            std::fs::write(&file, &drawn).unwrap();
        }
        let have = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            have == drawn,
            "assets/screens/{name}.svg is old: check the change, then NOPEEK_UPDATE_DOCS=1 cargo test --lib pictures_in_the_readme"
        );
    }
}
