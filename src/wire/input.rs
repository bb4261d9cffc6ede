//! What a person types or clicks, as it travels from a client to an agent's terminal.

use serde::{Deserialize, Serialize};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    Key(Key),
    Paste(String),
    /// A mouse act inside the screen.
    Mouse(Mouse),
    /// The client's terminal got or lost the focus.
    Focus(bool),
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    pub code: KeyCode,
    /// A set of the `Key::…` bits.
    pub mods: u8,
}

impl Key {
    /// The shift key is down.
    pub const SHIFT: u8 = 1;
    /// The alt key is down.
    pub const ALT: u8 = 2;
    /// The control key is down.
    pub const CTRL: u8 = 4;
}

/// Keys that terminals tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyCode {
    /// A character, as typed (shift applied).
    Char(char),
    Enter,
    Esc,
    Backspace,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Insert,
    Delete,
    /// F1 to F24.
    F(u8),
}

/// A mouse act at a cell of the agent's screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
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
    Up(u8),
    /// Moved with the button held.
    Drag(u8),
    Moved,
    ScrollUp,
    ScrollDown,
}
