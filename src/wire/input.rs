//! What a person types or clicks, as it travels from a client to an agent's terminal.

use serde::{Deserialize, Serialize};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// A mouse act inside the screen.
    Mouse(Mouse),
    /// The client's terminal got or lost the focus.
    Focus(bool),
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// A set of the `Key::…` bits.
    pub mods: u8,
}

impl Key {
    /// Shift.
    pub const SHIFT: u8 = 1;
    /// Alt.
    pub const ALT: u8 = 2;
    /// Control.
    pub const CTRL: u8 = 4;
}

/// Keys that terminals tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyCode {
    /// A character, as typed (shift applied).
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Tab.
    Tab,
    /// Shift and tab.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Insert.
    Insert,
    /// Delete.
    Delete,
    /// F1 to F24.
    F(u8),
}

/// A mouse act at a cell of the agent's screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    /// What was done.
    pub act: MouseAct,
    /// Row from 0.
    pub row: u16,
    /// Column from 0.
    pub col: u16,
    /// Modifiers, as in [`Key`].
    pub mods: u8,
}

/// What a mouse can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MouseAct {
    /// Button 0 left, 1 middle, 2 right.
    Down(u8),
    /// Released.
    Up(u8),
    /// Moved with the button held.
    Drag(u8),
    /// Moved.
    Moved,
    /// Wheel up.
    ScrollUp,
    /// Wheel down.
    ScrollDown,
}
