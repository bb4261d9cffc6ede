//! The grid that a client gets: rows of styled runs, the rows that changed, the cursor.
//!
//! A run's text is split into cells by the client: each character starts a cell, but one of width
//! zero, which belongs to the cell before it. `wide` says that each cell of the run takes two columns.
//! The widths of a row's cells add up to at most `cols`; what is missing at the end is blank.

use serde::{Deserialize, Serialize};

/// A colour as the program asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Color {
    #[default]
    Default,
    /// One of the 256; 0 to 15 are the terminal's palette.
    Indexed(u8),
    Rgb(u8, u8, u8),
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Style {
    pub fg: Color,
    pub bg: Color,
    /// A set of the `Style::…` bits.
    pub attrs: u16,
}

impl Style {
    /// Bold (SGR 1).
    pub const BOLD: u16 = 1;
    /// Faint (SGR 2).
    pub const DIM: u16 = 2;
    /// Italic (SGR 3).
    pub const ITALIC: u16 = 4;
    /// Underlined, in whatever way.
    pub const UNDERLINE: u16 = 8;
    /// Foreground and background exchanged.
    pub const REVERSE: u16 = 16;
    /// Not shown.
    pub const HIDDEN: u16 = 32;
    /// Struck through.
    pub const STRIKE: u16 = 64;
}

/// Neighbouring cells of one style and one width.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub style: Style,
    /// Whether each takes two columns.
    pub wide: bool,
    pub text: String,
}

/// A line of the grid, trailing blanks of the default style left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// From left to right.
    pub runs: Vec<Run>,
}

impl Row {
    /// The line's text alone.
    #[must_use]
    pub fn text(&self) -> String {
        self.runs.iter().map(|run| run.text.as_str()).collect()
    }
}

/// The shape of a cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CursorShape {
    #[default]
    Block,
    Underline,
    Bar,
}

/// A visible cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// From 0.
    pub row: u16,
    /// From 0.
    pub col: u16,
    pub shape: CursorShape,
}

/// What changed on a screen since the last frame that a client got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Columns of the grid.
    pub cols: u16,
    /// Rows of the grid.
    pub rows: u16,
    /// All rows are here: forget what you had.
    pub full: bool,
    /// Changed rows by number, from 0 at the top.
    pub changed: Vec<(u16, Row)>,
    /// The cursor; none if hidden or scrolled out of sight.
    pub cursor: Option<Cursor>,
    /// Lines above the top of the live screen that can be scrolled to.
    pub history: u32,
    /// How many lines the view is scrolled back; 0 is live.
    pub scrolled: u32,
    /// The program asked for mouse reports.
    pub mouse: bool,
}
