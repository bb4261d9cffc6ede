//! Role → style: themes are files in `themes/`, the user's lie in the config folder; colours become what the
//! terminal has.
//!
//! Views name roles and never colours, so that every theme fits every view, and a theme that is all modifiers
//! (`NO_COLOR`) shows as much. What an agent's screen asks for goes through [`Theme::cell`].

use super::depth::Depth;
use crate::config::ConfigError;
use crate::wire::cells;
use ratatui::style::{Color, Modifier, Style};
use toml::de::{DeTable, DeValue};

macro_rules! roles {
    ($($role:ident $name:literal $doc:literal)*) => {
        /// What a text is, for whoever chooses its look.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Role { $(#[doc = $doc] $role,)* }

        impl Role {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$role,)*];

            /// The name in a theme's file.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)* }
            }
        }
    };
}

roles! {
    Text "text" "plain text"
    Dim "dim" "what matters less"
    Strong "strong" "what matters more"
    Brand "brand" "the name in the corner"
    Header "header" "the line at the top"
    Title "title" "above a column or a part"
    Border "border" "lines between parts"
    BorderFocus "border_focus" "lines around the part that has the keys"
    Selected "selected" "the chosen line"
    HintKey "hint_key" "a key in the hints"
    Hint "hint" "what it does"
    Notice "notice" "something that happened"
    Refusal "refusal" "something that was refused"
    NeedsYou "needs_you" "a human must act"
    Running "running" "something works"
    Waiting "waiting" "something waits for its turn"
    Good "good" "passed, landed"
    Bad "bad" "failed, timed out"
    Over "over" "ended in another way"
    Lid "lid" "a hidden screen"
    Broken "broken" "a peeked screen"
    Field "field" "a text being written"
    Cursor "cursor" "where the next character goes"
    Match "match" "matches of a search, and marked lines"
    Added "added" "a new line"
    Removed "removed" "a line that is gone"
    AddedLine "added_line" "the ground of a new line"
    RemovedLine "removed_line" "the ground of a line that is gone"
    Hunk "hunk" "above neighbouring changes"
    File "file" "the name of a file"
    LineNumber "line_number" "the number of a line"
    Comment "code_comment" "a comment in code"
    Keyword "code_keyword" "a keyword in code"
    Str "code_string" "a string in code"
    Number "code_number" "a number or constant in code"
    Function "code_function" "the name of a function in code"
    Type "code_type" "the name of a type in code"
}

/// The themes that are compiled in.
const OURS: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
];

/// The look of every role, in what colours the terminal has.
#[derive(Clone, Debug)]
pub(super) struct Theme {
    styles: Vec<Style>,
    depth: Depth,
}

impl Theme {
    /// A theme that is compiled in; none if there is none of that name.
    pub(super) fn ours(name: &str, depth: Depth) -> Option<Result<Self, ConfigError>> {
        let (name, text) = OURS.iter().find(|(ours, _)| *ours == name)?;
        Some(Self::parse(text, &format!("themes/{name}.toml"), depth))
    }

    /// The names of those.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        OURS.iter().map(|(name, _)| *name)
    }

    /// Reads a theme: a style for every role.
    pub(super) fn parse(text: &str, origin: &str, depth: Depth) -> Result<Self, ConfigError> {
        let table = DeTable::parse(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
        let mut styles = vec![None; Role::ALL.len()];
        for (name, value) in table.get_ref() {
            let wrong = |at, what| ConfigError::at(origin, text, at, what, "themes/dark.toml has them all");
            let role = Role::ALL.iter().position(|role| role.name() == name.get_ref().as_ref());
            let Some(role) = role else {
                return Err(wrong(name.span().start, format!("there is no role `{}`", name.get_ref())));
            };
            let DeValue::String(words) = value.get_ref() else {
                return Err(wrong(
                    value.span().start,
                    format!("the style of `{}` is no text", name.get_ref()),
                ));
            };
            let style = style(words).map_err(|what| {
                let remedy = "write words: a colour (red, bright-red, 0 to 255, #rrggbb), `on` and a colour, \
                              bold dim italic underline reverse";
                ConfigError::at(origin, text, value.span().start, what, remedy)
            })?;
            styles[role] = Some(style);
        }
        if let Some(missing) = styles.iter().position(Option::is_none) {
            let what = format!("the role `{}` has no style", Role::ALL[missing].name());
            let remedy = "themes/dark.toml has them all";
            return Err(ConfigError {
                origin: origin.to_owned(),
                line: 0,
                column: 0,
                what,
                remedy: remedy.to_owned(),
            });
        }
        let ground = styles[Role::Text as usize].and_then(|style: Style| style.bg);
        let fit = |(role, style): (&Role, Style)| match role {
            // Signs tell these apart: whole lines in reverse would be no ground.
            Role::AddedLine | Role::RemovedLine => depth.fit_cell(style),
            _ => depth.fit(style, ground),
        };
        let styles = Role::ALL.iter().zip(styles.into_iter().flatten()).map(fit).collect();
        Ok(Self { styles, depth })
    }

    /// The look of a role.
    pub(super) fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The look of a cell of an agent's screen.
    pub(super) fn cell(&self, of: cells::Style) -> Style {
        let color = |color| match color {
            cells::Color::Default => None,
            cells::Color::Indexed(n) => Some(Color::Indexed(n)),
            cells::Color::Rgb(r, g, b) => Some(Color::Rgb(r, g, b)),
        };
        let mut style = Style { fg: color(of.fg), bg: color(of.bg), ..Style::default() };
        for (bit, modifier) in [
            (cells::Style::BOLD, Modifier::BOLD),
            (cells::Style::DIM, Modifier::DIM),
            (cells::Style::ITALIC, Modifier::ITALIC),
            (cells::Style::UNDERLINE, Modifier::UNDERLINED),
            (cells::Style::REVERSE, Modifier::REVERSED),
            (cells::Style::HIDDEN, Modifier::HIDDEN),
            (cells::Style::STRIKE, Modifier::CROSSED_OUT),
        ] {
            if of.attrs & bit != 0 {
                style = style.add_modifier(modifier);
            }
        }
        self.depth.fit_cell(style)
    }
}

/// Reads `bold #88c0d0 on 236`.
fn style(words: &str) -> Result<Style, String> {
    let mut style = Style::default();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            "on" => {
                let word = words.next().ok_or_else(|| "`on` stands without a colour".to_owned())?;
                style = style.bg(color(word)?);
                continue;
            }
            _ => {
                style = style.fg(color(word)?);
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Ok(style)
}

const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

fn color(word: &str) -> Result<Color, String> {
    let wrong = || format!("`{word}` is no colour");
    if word == "default" {
        return Ok(Color::Reset);
    }
    if let Some(hex) = word.strip_prefix('#').filter(|hex| hex.len() == 6) {
        let rgb = u32::from_str_radix(hex, 16).map_err(|_| wrong())?;
        let [_, r, g, b] = rgb.to_be_bytes();
        return Ok(Color::Rgb(r, g, b));
    }
    if let Ok(n) = word.parse() {
        return Ok(Color::Indexed(n));
    }
    let (name, bright) = word.strip_prefix("bright-").map_or((word, 0), |name| (name, 8));
    let at = NAMES.iter().position(|known| *known == name).ok_or_else(wrong)?;
    Ok(Color::Indexed(u8::try_from(at).map_err(|_| wrong())? + bright))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_has_every_role() {
        for name in Theme::names() {
            Theme::ours(name, Depth::True).unwrap().unwrap();
        }
        assert!(Theme::ours("pink", Depth::True).is_none());
    }

    #[test]
    fn without_colour_no_colour_is_left_and_the_chosen_line_is_told_apart() {
        for name in Theme::names() {
            let theme = Theme::ours(name, Depth::None).unwrap().unwrap();
            for role in Role::ALL {
                let style = theme.style(*role);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {}", role.name());
            }
            for role in [Role::Selected, Role::Match, Role::Cursor] {
                assert!(
                    theme.style(role).add_modifier.contains(Modifier::REVERSED),
                    "{name} {}",
                    role.name()
                );
            }
            let plain = theme.style(Role::Text);
            assert_eq!(plain, Style::default(), "{name}");
            let plain = theme.cell(cells::Style {
                fg: cells::Color::Indexed(1),
                bg: cells::Color::Rgb(1, 2, 3),
                attrs: cells::Style::BOLD,
            });
            assert_eq!(plain, Style::default().add_modifier(Modifier::BOLD));
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let error = |text: &str| Theme::parse(text, "mine.toml", Depth::True).unwrap_err().to_string();
        assert_eq!(error("text = 'pinkish'"), "mine.toml:1:8: `pinkish` is no colour");
        assert_eq!(error("\ntxet = ''"), "mine.toml:2:1: there is no role `txet`");
        assert_eq!(error("text = 'red on'"), "mine.toml:1:8: `on` stands without a colour");
        assert_eq!(error("text = ''"), "mine.toml: the role `dim` has no style");
    }
}
