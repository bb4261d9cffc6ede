//! The colours that we say our terminal has: fixed, so that an agent learns nothing of the viewer's.

use alacritty_terminal::vte::ansi::Rgb;

const NAMED: [(u8, u8, u8); 16] = [
    (0x00, 0x00, 0x00),
    (0xcd, 0x31, 0x31),
    (0x0d, 0xbc, 0x79),
    (0xe5, 0xe5, 0x10),
    (0x24, 0x72, 0xc8),
    (0xbc, 0x3f, 0xbc),
    (0x11, 0xa8, 0xcd),
    (0xe5, 0xe5, 0xe5),
    (0x66, 0x66, 0x66),
    (0xf1, 0x4c, 0x4c),
    (0x23, 0xd1, 0x8b),
    (0xf5, 0xf5, 0x43),
    (0x3b, 0x8e, 0xea),
    (0xd6, 0x70, 0xd6),
    (0x29, 0xb8, 0xdb),
    (0xff, 0xff, 0xff),
];
const FOREGROUND: Rgb = Rgb { r: 0xd8, g: 0xd8, b: 0xd8 };
const BACKGROUND: Rgb = Rgb { r: 0x18, g: 0x18, b: 0x18 };

/// The colour at an index of the emulator's table: the 256, then foreground, background, cursor.
pub(super) fn color(index: usize) -> Rgb {
    match u8::try_from(index) {
        Ok(n @ 0..16) => {
            let (r, g, b) = NAMED[usize::from(n)];
            Rgb { r, g, b }
        }
        Ok(n @ 16..232) => {
            let n = n - 16;
            let step = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
            Rgb { r: step(n / 36), g: step(n / 6 % 6), b: step(n % 6) }
        }
        Ok(n) => {
            let grey = 8 + 10 * (n - 232);
            Rgb { r: grey, g: grey, b: grey }
        }
        Err(_) if index == 257 => BACKGROUND,
        Err(_) => FOREGROUND,
    }
}
