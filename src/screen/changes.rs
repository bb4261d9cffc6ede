//! What changed on a screen since a client last got it: rows of styled runs, driven by the emulator's damage.

use super::emulator::{Emulator, Outbox};
use crate::wire::cells::{Changes, Color, Cursor, CursorShape, Row, Run, Style};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{self, NamedColor};

/// What a client has of one screen.
#[derive(Debug, Default)]
pub struct Seen {
    version: u64,
    top: i32,
    rows: Vec<Row>,
    /// All of the last answer but its rows.
    frame: Changes,
}

/// What `seen` lacks of the screen, in a view of at most `rows` by `cols` that is scrolled back by `scrolled` lines;
/// none if it lacks nothing. `seen` then has it.
///
/// A view smaller than the screen shows its last rows (those with the cursor in them) and first columns.
pub fn changes(
    emulator: &mut Emulator,
    seen: &mut Seen,
    rows: u16,
    cols: u16,
    scrolled: u32,
) -> Option<Changes> {
    emulator.look_at_sync();
    let view = View::new(emulator, rows, cols, scrolled);
    let (version, row_versions) = emulator.versions();
    let full = seen.version == 0
        || (seen.frame.rows, seen.frame.cols, seen.frame.scrolled) != (view.rows, view.cols, view.scrolled)
        || seen.rows.len() != usize::from(view.rows);
    if !full && version == seen.version {
        return None;
    }
    let top = view.top;
    let is_touched: Vec<bool> = (0..i32::from(view.rows))
        .map(|row| {
            let at = usize::try_from(top + row).ok().and_then(|line| row_versions.get(line));
            // A line of the history has no version: it is compared.
            full || at.is_none_or(|at| *at > seen.version) || top != seen.top
        })
        .collect();
    seen.rows.resize(usize::from(view.rows), Row::default());
    let mut changed = Vec::new();
    for (n, touched) in (0..view.rows).zip(is_touched) {
        if !touched {
            continue;
        }
        let new = row(&emulator.term, Line(top + i32::from(n)), view.cols);
        let old = &mut seen.rows[usize::from(n)];
        if full || *old != new {
            old.clone_from(&new);
            changed.push((n, new));
        }
    }
    let frame = Changes {
        cols: view.cols,
        rows: view.rows,
        full,
        changed: Vec::new(),
        cursor: view.cursor(&emulator.term),
        history: emulator.history(),
        scrolled: view.scrolled,
        mouse: emulator.term.mode().intersects(TermMode::MOUSE_MODE),
    };
    seen.version = version;
    seen.top = top;
    let is_same = !full && changed.is_empty() && same_frame(&frame, &seen.frame);
    seen.frame.clone_from(&frame);
    (!is_same).then_some(Changes { changed, ..frame })
}

fn same_frame(new: &Changes, old: &Changes) -> bool {
    (new.cursor, new.history, new.mouse) == (old.cursor, old.history, old.mouse)
}

/// The part of a screen that is looked at.
struct View {
    rows: u16,
    cols: u16,
    scrolled: u32,
    /// The line of its first row; negative in the history.
    top: i32,
}

impl View {
    fn new(emulator: &Emulator, rows: u16, cols: u16, scrolled: u32) -> Self {
        let have = emulator.rows();
        let rows = rows.clamp(1, have);
        let scrolled = scrolled.min(emulator.history());
        // Of the rows that don't fit those below the cursor are left out first: they are often blank.
        let cursor = u16::try_from(emulator.term.grid().cursor.point.line.0).unwrap_or(0);
        let skipped = (have - rows).min(cursor.saturating_sub(rows - 1));
        let top = i32::from(skipped) - i32::try_from(scrolled).unwrap_or(i32::MAX);
        Self { rows, cols: cols.clamp(1, emulator.cols()), scrolled, top }
    }

    fn cursor(&self, term: &Term<Outbox>) -> Option<Cursor> {
        if !term.mode().contains(TermMode::SHOW_CURSOR) {
            return None;
        }
        let point = term.grid().cursor.point;
        let row = u16::try_from(point.line.0 - self.top).ok().filter(|row| *row < self.rows)?;
        let col = u16::try_from(point.column.0).ok().filter(|col| *col < self.cols)?;
        let shape = match term.cursor_style().shape {
            ansi::CursorShape::Block | ansi::CursorShape::HollowBlock => CursorShape::Block,
            ansi::CursorShape::Underline => CursorShape::Underline,
            ansi::CursorShape::Beam => CursorShape::Bar,
            ansi::CursorShape::Hidden => return None,
        };
        Some(Cursor { row, col, shape })
    }
}

/// One line as styled runs, cut at `cols`, trailing blanks of the default style left out.
fn row(term: &Term<Outbox>, line: Line, cols: u16) -> Row {
    let cells = &term.grid()[line];
    let cols = usize::from(cols);
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..cols {
        let cell = &cells[Column(column)];
        if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            continue;
        }
        let wide = cell.flags.contains(Flags::WIDE_CHAR);
        let style = style(cell);
        // Half of a wide character at the edge, a tab or a stray control is a blank.
        let cut = wide && column + 1 == cols;
        let is_blank = cut || cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) || cell.c.is_control();
        let wide = wide && !cut;
        let run = match runs.last_mut() {
            Some(run) if run.style == style && run.wide == wide => run,
            _ => {
                runs.push(Run { style, wide, text: String::new() });
                let last = runs.len() - 1;
                &mut runs[last]
            }
        };
        run.text.push(if is_blank { ' ' } else { cell.c });
        if !is_blank {
            run.text.extend(cell.zerowidth().into_iter().flatten());
        }
    }
    while let Some(last) = runs.last_mut() {
        if last.style != Style::default() {
            break;
        }
        last.text.truncate(last.text.trim_end_matches(' ').len());
        if !last.text.is_empty() {
            break;
        }
        runs.pop();
    }
    Row { runs }
}

fn style(cell: &Cell) -> Style {
    const ATTRS: [(Flags, u16); 7] = [
        (Flags::BOLD, Style::BOLD),
        (Flags::DIM, Style::DIM),
        (Flags::ITALIC, Style::ITALIC),
        (Flags::ALL_UNDERLINES, Style::UNDERLINE),
        (Flags::INVERSE, Style::REVERSE),
        (Flags::HIDDEN, Style::HIDDEN),
        (Flags::STRIKEOUT, Style::STRIKE),
    ];
    let mut attrs = 0;
    if !cell.flags.is_empty() {
        for (flag, attr) in ATTRS {
            if cell.flags.intersects(flag) {
                attrs |= attr;
            }
        }
    }
    Style { fg: color(cell.fg), bg: color(cell.bg), attrs }
}

fn color(color: ansi::Color) -> Color {
    match color {
        ansi::Color::Spec(rgb) => Color::Rgb(rgb.r, rgb.g, rgb.b),
        ansi::Color::Indexed(n) => Color::Indexed(n),
        ansi::Color::Named(name) => match name as usize {
            n @ 0..=15 => u8::try_from(n).map_or(Color::Default, Color::Indexed),
            n if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&n) => {
                u8::try_from(n - NamedColor::DimBlack as usize).map_or(Color::Default, Color::Indexed)
            }
            _ => Color::Default,
        },
    }
}
