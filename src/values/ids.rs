//! Identities: small newtypes, so that a task is never taken for a job.
//!
//! Numbers are given out by the engine and never used twice in a ledger. Names and object ids are
//! checked when they are made; a value of these types is well-formed.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// A repo that nopeek knows.
    RepoId(u32), "r"
);

number!(
    /// A task; one number over all repos of a daemon.
    TaskId(u64), "t"
);

number!(
    /// A spec; one number over all repos of a daemon.
    SpecId(u64), "s"
);

number!(
    /// A bench; one number over all repos of a daemon.
    BenchId(u64), "b"
);

number!(
    /// A supervised process tree: an agent, a gate, a set-up hook.
    JobId(u64), "j"
);

number!(
    /// Something that the world was asked to do, to be answered once.
    EffectId(u64), "e"
);

number!(
    /// A question that was put to the panel.
    PanelId(u64), "p"
);

impl TaskId {
    /// Whom an effect is for that is for no task: the queue's, a batch's. Tasks are counted from 1.
    pub const NONE: Self = Self(0);
}

/// One try at a task; tries are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The task that is tried.
    pub task: TaskId,
    /// Which try, from 1.
    pub no: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.no)
    }
}

/// A task's name: unique among the live tasks of its repo, part of its branch's name.
///
/// Lower-case letters, digits and inner dashes, 1 to [`TaskName::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskName(String);

impl TaskName {
    /// Longest name, so that a board column and a branch name stay readable.
    pub const MAX: usize = 40;

    /// Checks the name of something new; the error says what a name may hold.
    pub fn new(name: &str) -> Result<Self, BadName> {
        if Self::is_taken(name) { Err(BadName::Taken(name.to_owned())) } else { Self::mention(name) }
    }

    /// Checks a text that names what may be there already. Older boards have names that nothing new may have.
    pub fn mention(name: &str) -> Result<Self, BadName> {
        let ok = !name.is_empty()
            && name.len() <= Self::MAX
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if ok { Ok(Self(name.to_owned())) } else { Err(BadName::Form(name.to_owned())) }
    }

    /// What commands take for something else where a name is expected: the number of a task, a spec or a bench, or
    /// today's budget.
    fn is_taken(name: &str) -> bool {
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        name == "day" || ["t", "s", "b"].iter().any(|of| name.strip_prefix(of).is_some_and(is_number))
    }

    /// A name made from free text: its first words, or `task` if none are usable.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut slug = String::new();
        for c in text.chars().take(200) {
            if slug.len() >= 28 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_matches('-');
        if slug.is_empty() {
            Self("task".to_owned())
        } else if Self::is_taken(slug) {
            Self(format!("task-{slug}"))
        } else {
            Self(slug.to_owned())
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no task name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("{0:?} is no task name: use 1 to 40 lower-case letters, digits and inner dashes")]
    Form(String),
    #[error("{0:?} can't be a name: commands take it for a number (as t3) or a word of their own (day)")]
    Taken(String),
}

impl TryFrom<String> for TaskName {
    type Error = BadName;
    fn try_from(name: String) -> Result<Self, BadName> {
        Self::mention(&name)
    }
}

impl From<TaskName> for String {
    fn from(name: TaskName) -> Self {
        name.0
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A git object id in hex: 40 digits (SHA-1) or 64 (SHA-256), lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

impl Oid {
    /// Checks that `hex` is a full object id.
    pub fn new(hex: &str) -> Result<Self, BadOid> {
        let ok = matches!(hex.len(), 40 | 64)
            && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if ok { Ok(Self(hex.to_owned())) } else { Err(BadOid(hex.to_owned())) }
    }

    /// All digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first nine digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..9]
    }
}

/// A text that is no full object id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no full git object id")]
pub struct BadOid(pub String);

impl TryFrom<String> for Oid {
    type Error = BadOid;
    fn try_from(hex: String) -> Result<Self, BadOid> {
        Self::new(&hex)
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "fix-login", "x9", &"a".repeat(40)] {
            assert!(TaskName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "a/b", "ü", &"a".repeat(41)] {
            assert!(TaskName::new(bad).is_err() && TaskName::mention(bad).is_err(), "{bad}");
        }
        for taken in ["t3", "s0", "b12", "day"] {
            assert_eq!(TaskName::new(taken), Err(BadName::Taken(taken.to_owned())));
            assert!(TaskName::mention(taken).is_ok(), "an older ledger may hold {taken}");
        }
        for free in ["t", "t-3", "t3a", "3", "days"] {
            assert!(TaskName::new(free).is_ok(), "{free}");
        }
    }

    #[test]
    fn a_name_made_from_any_text_is_a_name() {
        for text in ["Fix the login page!", "", "---", "T3", "day", "s1!", "日本", &"x y ".repeat(99)] {
            let name = TaskName::from_text(text);
            assert_eq!(TaskName::new(name.as_str()).as_ref(), Ok(&name), "{text}");
        }
    }
}
