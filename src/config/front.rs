//! Front matter: the part of a markdown file that programs read, between two lines `+++`, in TOML.
//!
//! Promises: places in errors are places in the file.

use super::ConfigError;

/// A file cut in two.
pub(super) struct Cut<'a> {
    /// The TOML, at the same places as in the file.
    pub(super) toml: String,
    /// What follows for people.
    pub(super) prose: &'a str,
}

/// Cuts `text` behind its front matter.
pub(super) fn cut<'a>(text: &'a str, origin: &str) -> Result<Cut<'a>, ConfigError> {
    let wrong = |offset, what: &str, remedy: &str| {
        Err(ConfigError::at(origin, text, offset, what.to_owned(), remedy))
    };
    let first = text.lines().next().unwrap_or("");
    if first.trim_end() != "+++" {
        return wrong(
            0,
            "it does not begin with a line +++",
            "the machine-read part stands first, between two lines +++",
        );
    }
    let start = text.find('\n').map_or(text.len(), |at| at + 1);
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == "+++" {
            let toml = format!("{}{}", blank(&text[..start]), &text[start..at]);
            return Ok(Cut { toml, prose: &text[at + line.len()..] });
        }
        at += line.len();
    }
    wrong(0, "its machine-read part has no end", "close it with a line +++")
}

fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}
