//! What people set: `keymap.toml` and the theme, from the config folder; read once, before the terminal is taken.

use super::depth::Depth;
use super::keymap::Keymap;
use super::ring::Ring;
use super::theme::Theme;
use crate::config::ConfigError;
use crate::config::user::UserConfig;
use crate::os::paths::Paths;
use std::io::ErrorKind;
use std::path::Path;

/// Keys, looks and how it rings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) keymap: Keymap,
    pub(super) theme: Theme,
    pub(super) ring: Ring,
}

impl Settings {
    /// Reads them; what the terminal can show comes from the environment.
    pub fn load(paths: &Paths) -> Result<Self, ConfigError> {
        let var = |name: &str| std::env::var(name).ok();
        let depth = Depth::of(var);
        let keys = paths.config.join("keymap.toml");
        let keymap = match read(&keys)? {
            Some(text) => Keymap::load(Some((&text, &keys.display().to_string())))?,
            None => Keymap::load(None)?,
        };
        let UserConfig { theme: wanted, notice, .. } = UserConfig::load(paths)?;
        let name = wanted.unwrap_or_else(|| fitting(depth, var("COLORFGBG").as_deref()).to_owned());
        Ok(Self { keymap, theme: theme(paths, &name, depth)?, ring: Ring::new(&notice, var) })
    }
}

/// The theme for a terminal that nobody has chosen one for.
fn fitting(depth: Depth, ground: Option<&str>) -> &'static str {
    // `15;0` or `15;default;0`: the last is the background; 7 and from 9 on are light.
    let ground: Option<u8> = ground.and_then(|ground| ground.rsplit(';').next()?.parse().ok());
    match (depth, ground) {
        (Depth::Ansi16 | Depth::None, _) => "ansi16",
        (_, Some(7 | 9..)) => "light",
        _ => "dark",
    }
}

fn theme(paths: &Paths, name: &str, depth: Depth) -> Result<Theme, ConfigError> {
    let folder = paths.config.join("themes");
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if plain {
        let path = folder.join(format!("{name}.toml"));
        if let Some(text) = read(&path)? {
            return Theme::parse(&text, &path.display().to_string(), depth);
        }
        if let Some(theme) = Theme::ours(name, depth) {
            return theme;
        }
    }
    let known: Vec<&str> = Theme::names().collect();
    Err(ConfigError {
        origin: paths.config.join("config.toml").display().to_string(),
        line: 0,
        column: 0,
        what: format!("there is no theme `{name}`"),
        remedy: format!("there are: {}; your own go to {}", known.join(", "), folder.display()),
    })
}

fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError {
            origin: path.display().to_string(),
            line: 0,
            column: 0,
            what: format!("it can't be read: {error}"),
            remedy: "make it readable, or move it away".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_fits_the_terminal() {
        assert_eq!(fitting(Depth::True, None), "dark");
        assert_eq!(fitting(Depth::True, Some("0;15")), "light");
        assert_eq!(fitting(Depth::Ansi256, Some("15;default;0")), "dark");
        assert_eq!(fitting(Depth::Ansi16, Some("0;15")), "ansi16");
    }

    #[test]
    fn what_people_wrote_is_read_or_refused_with_its_place() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        assert!(Settings::load(&paths).is_ok());
        std::fs::write(paths.config.join("keymap.toml"), "[task]\napprove = 'q'").unwrap();
        let error = Settings::load(&paths).unwrap_err();
        assert!(error.to_string().contains("keymap.toml:2:11: `q` is a key of"), "{error}");
        std::fs::remove_file(paths.config.join("keymap.toml")).unwrap();
        std::fs::write(paths.config.join("config.toml"), "theme = '../dark'").unwrap();
        let error = Settings::load(&paths).unwrap_err();
        assert!(error.remedy().starts_with("there are: dark, light, ansi16, high-contrast; "), "{error}");
        std::fs::create_dir(paths.config.join("themes")).unwrap();
        std::fs::write(paths.config.join("config.toml"), "theme = 'mine'").unwrap();
        std::fs::write(paths.config.join("themes/mine.toml"), "text = 'pinkish'").unwrap();
        let error = Settings::load(&paths).unwrap_err();
        assert!(error.to_string().ends_with("mine.toml:1:8: `pinkish` is no colour"), "{error}");
    }
}
