//! How many colours a terminal has, and the nearest of those to a wanted one.

use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// No colour at all: bold, reverse and the like alone.
    None,
    /// The 16 of its palette.
    Ansi16,
    /// Those, a cube and greys.
    Ansi256,
    True,
}

impl Depth {
    /// What the environment says of the terminal.
    pub(super) fn of(var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name| var(name).unwrap_or_default();
        let term = var("TERM");
        if !var("NO_COLOR").is_empty() || term == "dumb" {
            Self::None
        } else if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256") {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }

    /// A look of ours in what there is. Where there is no colour, another background than plain text has becomes
    /// reverse.
    pub(super) fn fit(self, style: Style, ground: Option<Color>) -> Style {
        let fitted = self.fit_cell(style);
        let stands_out = style.bg.is_some() && style.bg != ground;
        if self == Self::None && stands_out { fitted.add_modifier(Modifier::REVERSED) } else { fitted }
    }

    /// An agent's look in what there is.
    pub(super) fn fit_cell(self, style: Style) -> Style {
        let fit = |color: Option<Color>| color.and_then(|color| self.color(color));
        Style { fg: fit(style.fg), bg: fit(style.bg), ..style }
    }

    fn color(self, color: Color) -> Option<Color> {
        match (self, color) {
            (Self::None, _) => None,
            (Self::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(near256([r, g, b]))),
            (Self::Ansi16, Color::Rgb(r, g, b)) => Some(Color::Indexed(near16([r, g, b]))),
            (Self::Ansi16, Color::Indexed(n)) if n > 15 => Some(Color::Indexed(near16(rgb(n)))),
            (_, color) => Some(color),
        }
    }
}

const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// What xterm shows for the lower 16: the nearest guess at a palette that can't be known.
const PALETTE: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

fn rgb(n: u8) -> [u8; 3] {
    match n {
        0..=15 => PALETTE[usize::from(n)],
        16..=231 => {
            let n = usize::from(n - 16);
            [STEPS[n / 36], STEPS[n / 6 % 6], STEPS[n % 6]]
        }
        232..=255 => [8 + (n - 232) * 10; 3],
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // Eyes tell greens apart best.
    let part = |n: usize, weight: u32| u32::from(a[n].abs_diff(b[n])).pow(2) * weight;
    part(0, 3) + part(1, 6) + part(2, 2)
}

fn near256(of: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|n| distance(rgb(*n), of)).unwrap_or(15)
}

fn near16(of: [u8; 3]) -> u8 {
    (0..=15).min_by_key(|n| distance(rgb(*n), of)).unwrap_or(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let of = |vars: &[(&str, &str)]| {
            Depth::of(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(of(&[("TERM", "tmux-256color")]), Depth::Ansi256);
        assert_eq!(of(&[("TERM", "linux")]), Depth::Ansi16);
        assert_eq!(of(&[]), Depth::Ansi16);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Ansi256);
        assert_eq!(of(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Depth::None);
    }

    #[test]
    fn the_nearest_colour_is_taken() {
        assert_eq!(near256([255, 0, 0]), 196);
        assert_eq!(near256([8, 8, 8]), 232);
        assert_eq!(near16([250, 10, 10]), 9);
        assert_eq!(near16([0, 0, 0]), 0);
        assert_eq!(Depth::Ansi16.color(Color::Indexed(196)), Some(Color::Indexed(9)));
        assert_eq!(Depth::Ansi16.color(Color::Indexed(3)), Some(Color::Indexed(3)));
        assert_eq!(Depth::True.color(Color::Rgb(1, 2, 3)), Some(Color::Rgb(1, 2, 3)));
    }
}
