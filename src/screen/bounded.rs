//! Between the parser and the terminal: hands calls on, but for those that hold memory without a bound or act
//! outside of the grid (hyperlinks, clipboard, titles, pointer icons), which end here.

use super::emulator::Outbox;
use super::palette;
use alacritty_terminal::grid::Dimensions as _;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::Term;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, ModifyOtherKeys, PrivateMode, Rgb, ScpCharPath,
    ScpUpdateMode, StandardCharset, TabulationClearMode,
};
use unicode_width::UnicodeWidthChar as _;

/// Most combining marks that one cell holds; real scripts stay below ten (the bound of CVE-2021-26937).
pub(super) const MARKS_MAX: usize = 16;

/// The terminal with its bounds.
pub(super) struct Bounded<'a> {
    pub(super) term: &'a mut Term<Outbox>,
    pub(super) outbox: &'a Outbox,
}

impl Bounded<'_> {
    /// Whether the cell that a mark written now would go to is full of marks.
    fn marks_full(&self) -> bool {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let mut column = cursor.point.column;
        if !cursor.input_needs_wrap {
            column = Column(column.0.saturating_sub(1));
        }
        let line = &grid[cursor.point.line];
        if line[column].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = Column(column.0.saturating_sub(1));
        }
        debug_assert!(column.0 < grid.columns(), "the cursor is inside the grid");
        line[column].zerowidth().is_some_and(|marks| marks.len() >= MARKS_MAX)
    }
}

macro_rules! hand_on {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {
        $(#[inline]
        fn $name(&mut self, $($arg: $kind),*) {
            self.term.$name($($arg),*);
        })*
    };
}

impl Handler for Bounded<'_> {
    #[inline]
    fn input(&mut self, c: char) {
        // The first combining mark is U+0300; the only zero-width character before it is the soft hyphen.
        if c >= '\u{ad}' && c.width() == Some(0) && self.marks_full() {
            return;
        }
        self.term.input(c);
    }

    /// The colour that the program set, or ours.
    fn dynamic_color_sequence(&mut self, prefix: String, index: usize, terminator: &str) {
        if index < alacritty_terminal::term::color::COUNT {
            let Rgb { r, g, b } = self.term.colors()[index].unwrap_or_else(|| palette::color(index));
            self.outbox.reply(&format!(
                "\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{terminator}"
            ));
        }
    }

    hand_on! {
        set_cursor_style(style: Option<CursorStyle>);
        set_cursor_shape(shape: CursorShape);
        goto(line: i32, col: usize);
        goto_line(line: i32);
        goto_col(col: usize);
        insert_blank(n: usize);
        move_up(n: usize);
        move_down(n: usize);
        identify_terminal(intermediate: Option<char>);
        device_status(n: usize);
        move_forward(n: usize);
        move_backward(n: usize);
        move_down_and_cr(n: usize);
        move_up_and_cr(n: usize);
        put_tab(n: u16);
        backspace();
        carriage_return();
        linefeed();
        bell();
        substitute();
        newline();
        set_horizontal_tabstop();
        scroll_up(n: usize);
        scroll_down(n: usize);
        insert_blank_lines(n: usize);
        delete_lines(n: usize);
        erase_chars(n: usize);
        delete_chars(n: usize);
        move_backward_tabs(n: u16);
        move_forward_tabs(n: u16);
        save_cursor_position();
        restore_cursor_position();
        clear_line(mode: LineClearMode);
        clear_screen(mode: ClearMode);
        clear_tabs(mode: TabulationClearMode);
        set_tabs(interval: u16);
        reset_state();
        reverse_index();
        terminal_attribute(attr: Attr);
        set_mode(mode: Mode);
        unset_mode(mode: Mode);
        report_mode(mode: Mode);
        set_private_mode(mode: PrivateMode);
        unset_private_mode(mode: PrivateMode);
        report_private_mode(mode: PrivateMode);
        set_scrolling_region(top: usize, bottom: Option<usize>);
        set_keypad_application_mode();
        unset_keypad_application_mode();
        set_active_charset(index: CharsetIndex);
        configure_charset(index: CharsetIndex, charset: StandardCharset);
        set_color(index: usize, color: Rgb);
        reset_color(index: usize);
        decaln();
        text_area_size_pixels();
        text_area_size_chars();
        report_keyboard_mode();
        push_keyboard_mode(mode: KeyboardModes);
        pop_keyboard_modes(n: u16);
        set_keyboard_mode(mode: KeyboardModes, behavior: KeyboardModesApplyBehavior);
        set_modify_other_keys(mode: ModifyOtherKeys);
        report_modify_other_keys();
        set_scp(path: ScpCharPath, mode: ScpUpdateMode);
    }
}
