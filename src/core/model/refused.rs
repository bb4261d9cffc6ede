//! A refusal: a command that can't be carried out, in words, and what to do instead.

/// A command that can't be carried out; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    /// What kind of refusal.
    pub kind: RefusedKind,
    /// What can't be done, to what.
    pub what: String,
    /// What to do instead; may be empty.
    pub remedy: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedKind {
    /// There is no such thing.
    NotFound,
    /// Where the task stands does not allow it.
    NotNow,
    /// The command itself is wrong.
    BadInput,
    /// The lid is on.
    Covered,
}

impl Refused {
    /// A refusal in words.
    pub(in crate::core) fn new(
        kind: RefusedKind,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), remedy: remedy.into() }
    }
}
