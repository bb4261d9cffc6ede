//! Which key means which action: `keymap.toml`, ours compiled in, the user's laid over it.
//!
//! Promises: what the user wrote is either all in effect or refused with its place; in each mode a key has one
//! meaning. Does not know what an action does.

use super::action::{ACTIONS, Action, MODES, Section};
use super::key::Key;
use crate::config::ConfigError;
use std::collections::HashMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The defaults; the file at the root of the source.
const OURS: &str = include_str!("../../keymap.toml");

/// The keys of all actions.
#[derive(Clone, Debug, Default)]
pub(super) struct Keymap {
    keys: HashMap<Action, Vec<Key>>,
}

/// A key of one file, where it stands.
struct Placed {
    action: Action,
    key: Key,
    /// Byte in the user's file; none for a default.
    at: Option<usize>,
}

impl Keymap {
    /// The defaults, with the user's file (its text and its name) laid over them.
    pub(super) fn load(user: Option<(&str, &str)>) -> Result<Self, ConfigError> {
        let mut placed = read(OURS, "keymap.toml")?;
        for key in &mut placed {
            key.1.iter_mut().for_each(|placed| placed.at = None);
        }
        if let Some((text, origin)) = user {
            for (action, keys) in read(text, origin)? {
                placed.retain(|(other, _)| *other != action);
                placed.push((action, keys));
            }
        }
        let (text, origin) = user.unwrap_or((OURS, "keymap.toml"));
        let all: Vec<&Placed> = placed.iter().flat_map(|(_, keys)| keys).collect();
        conflicts(&all, text, origin)?;
        let keys = placed
            .iter()
            .map(|(action, keys)| (*action, keys.iter().map(|placed| placed.key).collect()))
            .collect();
        Ok(Self { keys })
    }

    /// What a key means where these sections are alive.
    pub(super) fn action(&self, sections: &[Section], key: Key) -> Option<Action> {
        ACTIONS
            .iter()
            .filter(|about| sections.contains(&about.section))
            .map(|about| about.action)
            .find(|action| self.keys(*action).contains(&key))
    }

    /// The keys of an action, the one that is shown in the hints first.
    pub(super) fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The key that the hints show.
    pub(super) fn key(&self, action: Action) -> Option<Key> {
        self.keys(action).first().copied()
    }
}

fn read(text: &str, origin: &str) -> Result<Vec<(Action, Vec<Placed>)>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| ConfigError::toml(origin, text, &error))?;
    let wrong = |at: usize, what: String, remedy: String| ConfigError::at(origin, text, at, what, remedy);
    let mut read = Vec::new();
    for (section_name, value) in table.get_ref() {
        let name = section_name.get_ref().as_ref();
        let at = section_name.span().start;
        let Some(section) = Section::ALL.iter().find(|section| section.name() == name) else {
            let names = Section::ALL.iter().map(|section| section.name());
            return Err(wrong(at, format!("there is no section `{name}`"), nearest(name, names)));
        };
        let DeValue::Table(actions) = value.get_ref() else {
            return Err(wrong(
                at,
                format!("`{name}` is not a table"),
                format!("write [{name}] above its actions"),
            ));
        };
        for (action_name, value) in actions {
            let name = action_name.get_ref().as_ref();
            let at = action_name.span().start;
            let of_section = || ACTIONS.iter().filter(|about| about.section == *section);
            let name = now_called(name);
            let Some(about) = of_section().find(|about| about.name == name) else {
                let remedy = match ACTIONS.iter().find(|about| about.name == name) {
                    Some(about) => format!("it belongs to [{}]", about.section.name()),
                    None => nearest(name, of_section().map(|about| about.name)),
                };
                return Err(wrong(at, format!("[{}] has no action `{name}`", section.name()), remedy));
            };
            let mut keys = Vec::new();
            for key in listed(value) {
                let DeValue::String(written) = key.get_ref() else {
                    let remedy = format!("write {name} = [\"x\"]");
                    return Err(wrong(key.span().start, format!("a key of `{name}` is not text"), remedy));
                };
                let parsed = Key::parse(written).map_err(|what| {
                    wrong(
                        key.span().start,
                        what,
                        "the head of keymap.toml says how keys are written".to_owned(),
                    )
                })?;
                keys.push(Placed { action: about.action, key: parsed, at: Some(key.span().start) });
            }
            read.push((about.action, keys));
        }
    }
    Ok(read)
}

/// Actions by their names in a keymap.toml of before.
fn now_called(name: &str) -> &str {
    match name {
        "forget" => "archive",
        "forget_spec" => "archive_spec",
        "to_looks" => "to_review_passes",
        name => name,
    }
}

/// One key or several.
fn listed<'a>(value: &'a Spanned<DeValue<'a>>) -> Vec<&'a Spanned<DeValue<'a>>> {
    match value.get_ref() {
        DeValue::Array(keys) => keys.iter().collect(),
        _ => vec![value],
    }
}

fn conflicts(all: &[&Placed], text: &str, origin: &str) -> Result<(), ConfigError> {
    for sections in MODES {
        let mut taken: HashMap<Key, &Placed> = HashMap::new();
        for placed in all.iter().filter(|placed| sections.contains(&placed.action.about().section)) {
            let Some(other) = taken.insert(placed.key, placed).filter(|other| other.action != placed.action)
            else {
                continue;
            };
            // The user's own line is the one to show; of two of these the lower one.
            let (mine, theirs) = if placed.at >= other.at { (*placed, other) } else { (other, *placed) };
            let what = format!(
                "`{}` is a key of `{}` and of `{}`, which work in the same place",
                placed.key,
                mine.action.about().name,
                theirs.action.about().name
            );
            let remedy = format!("give `{}` another key, or []", theirs.action.about().name);
            return Err(ConfigError::at(origin, text, mine.at.unwrap_or(0), what, remedy));
        }
    }
    Ok(())
}

/// The name that looks most like what was written.
fn nearest(wrong: &str, names: impl Iterator<Item = &'static str>) -> String {
    let near = |name: &&str| {
        let same = wrong.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        same * 2 + name.chars().filter(|c| wrong.contains(*c)).count()
    };
    names.max_by_key(near).map(|name| format!("did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let error = Keymap::load(Some((text, "mine.toml"))).unwrap_err();
        format!("{error} ({})", error.remedy())
    }

    #[test]
    fn the_defaults_are_whole_and_without_conflict() {
        let keymap = Keymap::load(None).unwrap();
        for about in ACTIONS {
            assert!(!keymap.keys(about.action).is_empty(), "{} has no key", about.name);
        }
    }

    #[test]
    fn the_users_keys_take_the_place_of_ours() {
        let keymap = Keymap::load(Some(("[task]\napprove = 'Y'\nstop = []", "mine.toml"))).unwrap();
        assert_eq!(keymap.key(Action::Approve).unwrap().to_string(), "Y");
        assert!(keymap.keys(Action::Stop).is_empty());
        assert_eq!(keymap.action(&[Section::Task], Key::parse("A").unwrap()), None);
        assert_eq!(keymap.key(Action::Reject).unwrap().to_string(), "J");
    }

    #[test]
    fn actions_are_found_by_their_names_of_before() {
        let keymap =
            Keymap::load(Some(("[task]\nforget = 'F'\n[spec]\nforget_spec = 'F'", "mine.toml"))).unwrap();
        assert_eq!(keymap.key(Action::Forget).unwrap().to_string(), "F");
        assert_eq!(keymap.key(Action::ForgetSpec).unwrap().to_string(), "F");
    }

    #[test]
    fn what_is_wrong_has_a_place_and_a_remedy() {
        assert_eq!(error("[taks]\n"), "mine.toml:1:2: there is no section `taks` (did you mean task?)");
        assert_eq!(
            error("[task]\naprove = 'x'"),
            "mine.toml:2:1: [task] has no action `aprove` (did you mean approve?)"
        );
        assert_eq!(
            error("[panes]\napprove = 'x'"),
            "mine.toml:2:1: [panes] has no action `approve` (it belongs to [task])"
        );
        assert_eq!(
            error("[task]\napprove = ['Y', 'ctrl-']"),
            "mine.toml:2:17: `ctrl-` is not a key (the head of keymap.toml says how keys are written)"
        );
        assert_eq!(
            error("[task]\n\napprove = 'q'"),
            "mine.toml:3:11: `q` is a key of `approve` and of `leave`, which work in the same place \
             (give `leave` another key, or [])"
        );
        assert_eq!(
            error("[task]\napprove = 'Y'\n[moving]\ntop = 'Y'"),
            "mine.toml:4:7: `Y` is a key of `top` and of `approve`, which work in the same place \
             (give `approve` another key, or [])"
        );
        assert!(error("[task]\napprove = 1").starts_with("mine.toml:2:11: a key of `approve` is not text"));
        assert!(error("[task\n").starts_with("mine.toml:1:"), "{}", error("[task\n"));
    }

    #[test]
    fn a_key_may_mean_different_things_in_places_that_are_never_alive_together() {
        let keymap = Keymap::load(Some(("[menu]\nmenu_down = 'ctrl-g'", "mine.toml"))).unwrap();
        let key = Key::parse("ctrl-g").unwrap();
        assert_eq!(keymap.action(&[Section::Menu], key), Some(Action::MenuDown));
        assert_eq!(keymap.action(&[Section::Typing], key), Some(Action::Leader));
    }
}
